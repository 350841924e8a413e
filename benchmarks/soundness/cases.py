"""Cases as text: small programs with an edit, written for people to read.

    === name of the case
    : python 3.12
    : needs numpy
    : arguments one two
    : environment MODE=fast
    --- main.py
    x = f(1)  # dds: /x
    +++ main.py: f(1) -> f(2)
    +++ other.py
    the whole text of a new file, or a new text of an old one
    +++ old.py deleted
    +++ here.py moved to there.py
    +++ arguments three
    +++ environment MODE=slow
    +++ directory work
    +++ folder
    !!! a remark

Lines that start with `: ` say what the case needs and how its program is started, `--- file` opens
one of its files. Every `+++` is an edit, and they are made in order: a replacement (which may run
over several lines; nothing after the arrow deletes, nothing before it makes a file), a whole file,
a deletion, a move, other arguments, variables of the environment, another current directory, or
(`folder`) nothing but another place on disk.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

_CASE = re.compile(r"^=== ", flags=re.M)
_PART = re.compile(r"^(---|\+\+\+|!!!|:) ", flags=re.M)


@dataclass(frozen=True)
class State:
    """A program at rest: its files, and how it is started.

    Attributes:
        directory: where it is started, from the folder of `main.py`.
    """

    files: dict[str, str]
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    directory: str = "."


@dataclass(frozen=True)
class Case:
    """A program before and after its edits.

    Attributes:
        python: the oldest Python that can run it.
        needs: modules that must be installed.
        is_moved: the edit is that the program's folder is another.
    """

    name: str
    before: State
    after: State
    python: tuple[int, ...] = ()
    needs: tuple[str, ...] = ()
    is_moved: bool = False
    remark: str = ""


class CaseError(Exception):
    """A case that means nothing; the message names it."""


def cases(file: Path) -> list[Case]:
    """The cases of a file, in order.

    Raises:
        CaseError: one of them means nothing.
    """
    found = [_case(part) for part in _CASE.split(file.read_text(encoding="utf-8"))[1:]]
    names = [case.name for case in found]
    for name in names:
        if not name or names.count(name) > 1:
            raise CaseError(f"{file.name}: two cases named {name!r}")
    if not found:
        raise CaseError(f"{file.name}: no cases")
    return found


def _case(text: str) -> Case:
    name, _, body = text.partition("\n")
    case = Case(name, State({}), State({}))
    pieces = _PART.split(body)[1:]
    edits: list[str] = []
    for mark, piece in zip(pieces[::2], pieces[1::2], strict=True):
        if mark == "---":
            file, _, content = piece.partition("\n")
            case.before.files[file.strip()] = content.strip("\n") + "\n"
        elif mark == "+++":
            edits.append(piece.rstrip("\n"))
        elif mark == "!!!":
            case = replace(case, remark=piece.strip())
        else:
            case = _with_setting(case, piece.strip())
    after = case.before
    for edit in edits:
        if edit == "folder":
            case = replace(case, is_moved=True)
        else:
            after = _edited(after, edit, name)
    return replace(case, after=after)


def _with_setting(case: Case, setting: str) -> Case:
    word, _, rest = setting.partition(" ")
    if word == "python":
        return replace(case, python=tuple(int(part) for part in rest.split(".")))
    if word == "needs":
        return replace(case, needs=tuple(rest.split()))
    return replace(case, before=_started(case.before, word, rest, case.name))


def _started(state: State, word: str, rest: str, name: str) -> State:
    if word == "arguments":
        return replace(state, arguments=tuple(rest.split()))
    if word == "directory":
        return replace(state, directory=rest)
    if word == "environment":
        variable, _, value = rest.partition("=")
        return replace(state, environment={**state.environment, variable: value})
    raise CaseError(f"{name}: {word!r} means nothing")


def _edited(state: State, edit: str, name: str) -> State:
    first, _, content = edit.partition("\n")
    word, _, rest = first.partition(" ")
    if word in ("arguments", "directory", "environment"):
        return _started(state, word, rest, name)
    files = dict(state.files)
    if first.endswith(" deleted"):
        del files[first.removesuffix(" deleted")]
    elif " moved to " in first and ": " not in first:
        old, _, new = first.partition(" moved to ")
        files[new] = files.pop(old)
    elif ": " in first:
        file, _, change = edit.partition(": ")
        before, arrow, after = change.partition(" ->")
        after = after.removeprefix(" ")
        if file not in files and not before:
            files[file] = after
        elif arrow and before and before in files.get(file, ""):
            files[file] = files[file].replace(before, after)
        else:
            raise CaseError(f"{name}: {before!r} is not in {file}")
    else:
        files[first] = content.strip("\n") + "\n"
    return replace(state, files=files)
