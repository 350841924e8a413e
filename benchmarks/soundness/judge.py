"""Whether a tool is right about a case: by what plain Python prints, and by nobody's opinion."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.soundness.cases import Case
from benchmarks.soundness.tools import Run, Tool, python

_OLD = 1_700_000_000
"""When the files of a program were written, and an hour later those that an edit wrote: Python's
own bytecode cache compares whole seconds."""


@dataclass(frozen=True)
class Truth:
    """What plain Python prints before and after the edit."""

    before: str
    after: str


@dataclass(frozen=True)
class Verdict:
    """
    Attributes:
        word: `ok`; `STALE`: an old answer, without a word; `needless`: the step was evaluated
            although nothing that it depends on has changed; `error`: anything else that plain
            Python does not do.
        why: for people.
    """

    word: str
    why: str = ""


class BrokenCaseError(Exception):
    """The case says nothing: plain Python does not do what it claims."""


def truth(case: Case, *, must: bool) -> Truth:
    """Run the case plainly.

    Raises:
        BrokenCaseError: plain Python fails, or prints the same before and after an edit that must
            be noticed, or prints something else after an edit that must not.
    """
    with tempfile.TemporaryDirectory(prefix="soundness-") as scratch:
        folder = Path(scratch, "original")
        write(case.before.files, folder)
        runs = [python([], case.before, folder, {"PYTHONHASHSEED": "1"})]
        write(case.after.files, folder, case.before.files)
        runs.append(python([], case.after, folder, {"PYTHONHASHSEED": "1"}))
    for run in runs:
        if run.code:
            raise BrokenCaseError(f"plain Python fails:\n{run.stderr}")
    before, after = (run.stdout for run in runs)
    if must and before == after:
        raise BrokenCaseError("plain Python prints the same before and after the edit")
    if not must and before != after:
        raise BrokenCaseError(f"plain Python prints {before!r} before and {after!r} after")
    return Truth(before, after)


def judge(case: Case, tool: Tool, true: Truth, *, must: bool) -> Verdict:
    """Run the case under a tool: as it is, unchanged elsewhere, and edited.

    The unchanged run is another process with another hash seed and, where the tool promises that,
    a copy of the project in another folder: a key that is merely unstable is no answer.
    """
    with tempfile.TemporaryDirectory(prefix="soundness-") as scratch:
        folder, store = Path(scratch, "original"), Path(scratch, "store")
        write(tool.text(case.before), folder)
        cold = tool.run(case.before, folder, store, seed="1")
        wrong = _wrong(cold, true.before, "the first run")
        if wrong is None and not cold.evaluated:
            wrong = Verdict("error", "the first run did not evaluate the step")
        if wrong is not None:
            return wrong
        if tool.is_portable:
            folder = _copied(folder, Path(scratch, "elsewhere", "unchanged"))
        unchanged = tool.run(case.before, folder, store, seed="2")
        wrong = _wrong(unchanged, true.before, "the unchanged run")
        if wrong is not None:
            return wrong
        if case.is_moved:
            folder = _copied(folder, Path(scratch, "edited"))
        write(tool.text(case.after), folder, tool.text(case.before))
        edited = tool.run(case.after, folder, store, seed="3")
        wrong = _wrong(edited, true.after, "the edited run", stale=true.before)
        if wrong is not None:
            return wrong
    if unchanged.evaluated:
        return Verdict("needless", f"evaluated again unchanged\n{unchanged.stderr}")
    if edited.evaluated and not must:
        return Verdict("needless", f"evaluated again after the edit\n{edited.stderr}")
    return Verdict("ok")


def write(files: dict[str, str], folder: Path, old: dict[str, str] | None = None) -> None:
    """Make the folder, which holds the `old` files, hold these; what is the same is not touched."""
    for name in set(old or ()) - set(files):
        path = folder / name
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
    for name, text in files.items():
        if old is None or old.get(name) != text:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            time = _OLD + 3600 * (old is not None)
            os.utime(path, (time, time))


def _copied(folder: Path, target: Path) -> Path:
    """The project elsewhere: nothing of it can be read where it was."""
    shutil.copytree(folder, target, symlinks=True)
    shutil.rmtree(folder)
    return target


def _wrong(run: Run, expected: str, name: str, stale: str | None = None) -> Verdict | None:
    if run.code == 0 and run.stdout == expected:
        return None
    if run.code == 0 and run.stdout == stale:
        return Verdict("STALE", f"{name} printed {run.stdout!r} instead of {expected!r}")
    return Verdict(
        "error",
        f"{name} exited with {run.code} and printed {run.stdout!r}, not {expected!r}\n{run.stderr}",
    )
