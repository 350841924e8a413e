"""What one file defines and refers to, kept on disk by the hash of its text.

Facts hold nothing of other files and no position that a hash could see. They are kept as the JSON
record that `survey` makes, and read as they are: a warm run parses one small JSON file per source
file and never imports libcst.
"""

from __future__ import annotations

import os
import sys
from functools import cached_property

from blake3 import blake3

from ddsimport.analysis import sealed
from ddsimport.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

DEF_QUALNAME, DEF_KIND, DEF_FIRST, DEF_LAST, DEF_PARENT, DEF_DIGEST, DEF_REFERENCES = range(7)
DEF_DECORATORS, DEF_EXTRAS, DEF_EXTRA_REFERENCES, DEF_REFLECTS = range(7, 11)
DEF_OUTLINE, DEF_OUTER, DEF_BASES = range(11, 14)
"""Fields of one record of `Facts.definitions`. Outline and outer are the digest and the references
of what can be seen while nothing of it runs; bases are those of a class that are dotted names."""

TOP_DIGEST, TOP_REFERENCES, TOP_LINE, TOP_GUARD, TOP_ACTS, TOP_REFLECTS = range(6)
"""Fields of one record of `Facts.top`."""

IMPORT, DEFINITION, ASSIGNMENT, OTHER = range(4)
"""The kinds of a binding, its first field; then what it binds, then its top-level statement."""

MAIN_GUARD, TYPE_CHECKING_GUARD = 1, 2
"""Top-level statements that do not run when the module is imported."""


class Facts(Record):
    """One file's facts: a view of the record that is kept.

    A reference is a string: `"a.b.c"` is a chain of attributes from a module-level name (or a
    builtin); `"~level|module|name|rest"` is `from module import name` (or `import module`, without
    name) inside a function, with the attributes `rest` read of it; `"^…"` the same in a function
    around, which has run; `"!import"` is an import of a computed name; "=" stands before an `exec`
    or `eval` that is given its namespace.

    Attributes:
        definitions: records of every def, class and lambda (fields `DEF_*`), outer before inner.
        names: module-level name -> its bindings, [kind, what, index in `top` or -1]. What: an
            import spec "level|module|name"; the index of a definition; for an assignment, "=chain"
            (an alias), "#" (a closed immutable literal) or "".
        stars: specs of the modules of `from m import *`.
        exports: the names of a literal `__all__`, None without one, "?" if it is computed.
        top: records of the top-level statements that are neither definitions nor imports (`TOP_*`).
        steps: "line:column" -> [digest, references, reflects] of a right-hand side, or the index of
            a def; kept for marked files only.
        stores: references with an attribute or an item ("[]") that is stored, anywhere.
        whole: digest of the whole text if the file cannot be analysed, else "".
        imports: every import of such a file.
        note: why it cannot, in words.
        alone: names that a class both binds and reads, which the text around it may bind, too. That
            is all that what is found here takes from other statements of the file; None if more is.
    """

    record: dict[str, Any]

    @property
    def definitions(self) -> list[list[Any]]:
        found: list[list[Any]] = self.record["defs"]
        return found

    @property
    def names(self) -> dict[str, list[list[Any]]]:
        found: dict[str, list[list[Any]]] = self.record["names"]
        return found

    @property
    def stars(self) -> list[str]:
        found: list[str] = self.record["stars"]
        return found

    @property
    def exports(self) -> list[str] | str | None:
        found: list[str] | str | None = self.record["all"]
        return found

    @property
    def top(self) -> list[list[Any]]:
        found: list[list[Any]] = self.record["top"]
        return found

    @property
    def steps(self) -> dict[str, Any]:
        found: dict[str, Any] = self.record["steps"]
        return found

    @property
    def stores(self) -> list[str]:
        found: list[str] = self.record["stores"]
        return found

    @property
    def whole(self) -> str:
        return str(self.record["whole"])

    @property
    def imports(self) -> list[str]:
        found: list[str] = self.record.get("imports", [])
        return found

    @property
    def note(self) -> str:
        return str(self.record["note"])

    @property
    def alone(self) -> list[str] | None:
        found: list[str] | None = self.record.get("alone")
        return found

    @cached_property
    def by_place(self) -> dict[tuple[str, int], list[int]]:
        """(qualified name, first line) -> indices of definitions."""
        places: dict[tuple[str, int], list[int]] = {}
        for index, definition in enumerate(self.definitions):
            place = (definition[DEF_QUALNAME], definition[DEF_FIRST])
            places.setdefault(place, []).append(index)
        return places

    @cached_property
    def classes(self) -> dict[str, list[int]]:
        """Qualified name -> indices of the classes that have it."""
        found: dict[str, list[int]] = {}
        for index, definition in enumerate(self.definitions):
            if definition[DEF_KIND] == "class":
                found.setdefault(definition[DEF_QUALNAME], []).append(index)
        return found

    @cached_property
    def by_qualname(self) -> dict[str, list[int]]:
        """Qualified name -> indices of the definitions that have it."""
        found: dict[str, list[int]] = {}
        for index, definition in enumerate(self.definitions):
            found.setdefault(definition[DEF_QUALNAME], []).append(index)
        return found

    def label_of(self, index: int) -> str:
        """What a definition is called across edits: its qualified name, and its place among those
        of the same name (the accessors of a property, branches of an `if`)."""
        qualname = self.definitions[index][DEF_QUALNAME]
        namesakes = self.by_qualname[qualname]
        return f"{qualname}#{namesakes.index(index)}/{len(namesakes)}"

    def labelled(self, label: str) -> int:
        """The index of the definition with this label.

        Raises:
            LookupError: the file has none, or another number of the same name.
        """
        qualname, _, place = label.rpartition("#")
        number, _, count = place.partition("/")
        namesakes = self.by_qualname[qualname]
        if len(namesakes) != int(count):
            raise LookupError(label)
        return namesakes[int(number)]

    @cached_property
    def _with_classes(self) -> frozenset[int]:
        found: set[int] = set()
        for index, definition in enumerate(self.definitions):
            if definition[DEF_KIND] == "class":
                while index >= 0 and index not in found:
                    found.add(index)
                    index = self.definitions[index][DEF_PARENT]
        return frozenset(found)

    def methods_of(self, index: int) -> list[int]:
        """The functions that stand in a class, and in classes that stand in it."""
        classes = {index}
        found = []
        for inner in range(index + 1, len(self.definitions)):
            record = self.definitions[inner]
            if record[DEF_PARENT] in classes:
                if record[DEF_KIND] == "class":
                    classes.add(inner)
                elif record[DEF_KIND] == "def":
                    found.append(inner)
            elif record[DEF_PARENT] < index:
                break
        return found

    def holds_class(self, index: int) -> bool:
        """Whether a definition is a class, or has one in it."""
        return index in self._with_classes

    @cached_property
    def stored_names(self) -> frozenset[str]:
        """Module-level names with an attribute that is stored somewhere in the file."""
        return frozenset(
            reference.partition(".")[0] for reference in self.stores if "[]" not in reference
        )

    @cached_property
    def rebound_names(self) -> frozenset[str]:
        """Module-level names that a function of the file binds by a `global` statement."""
        return frozenset(
            name
            for name, bindings in self.names.items()
            if any(kind == OTHER and index < 0 for kind, _, index in bindings)
        )

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Facts:
        """Facts from a record; raises `ValueError` if it is none."""
        if not isinstance(record, dict) or _FIELDS - record.keys():
            raise ValueError("not a record of facts")
        return cls(record)


_FIELDS = {"defs", "names", "stars", "all", "top", "steps", "stores", "whole", "note"}


def definitions_of(code: CodeType, facts: Facts, line: int = 0) -> list[int]:
    """The definitions whose code this may be; for a comprehension, the innermost one around it.

    Args:
        line: its first line in the file, if it is not that of the code (see `source.cells`).
    """
    line, name = line or code.co_firstlineno, code.co_name
    exact = [
        index
        for index, record in enumerate(facts.definitions)
        if record[DEF_FIRST] == line and record[DEF_QUALNAME].rpartition(".")[2] == name
    ]
    return exact or definition_around(line, facts)


def definition_around(line: int, facts: Facts) -> list[int]:
    """The innermost function or class that a line stands in, if it does in one."""
    around = [
        index
        for index, record in enumerate(facts.definitions)
        if record[DEF_FIRST] <= line <= record[DEF_LAST] and record[DEF_KIND] != "lambda"
    ]
    return around[-1:]


def facts_of(text: str) -> Facts:
    """The facts of a file. Never raises: what cannot be analysed counts as a whole, with a note."""
    return facts_of_all([text])[0]


def facts_of_all(texts: list[str]) -> list[Facts]:
    """The facts of several files, on several cores if they are many; never raises."""
    found: list[Facts] = []

    def look() -> None:
        from ddsimport.analysis.workers import spread

        found.extend(map(Facts, spread(texts)))

    apart(look)
    return found


def apart(function: Callable[[], None]) -> None:
    """Call `function` in a thread of its own, whose stack is empty: how deep the caller is must not
    decide what can be analysed."""
    import contextvars
    import threading

    context = contextvars.copy_context()
    thread = threading.Thread(
        target=context.run, args=(function,), name="ddsimport-analysis", daemon=True
    )
    try:
        thread.start()
    except RuntimeError:  # no thread can be started (at exit, or a limit of the system)
        function()
    else:
        thread.join()


def record_of(text: str) -> dict[str, Any]:
    """The record of the facts of a file, made here and now."""
    from ddsimport.analysis.positions import UnanalysableError
    from ddsimport.analysis.survey import survey, whole

    if "\r" in text:  # Python reads them so, in strings too
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        return survey(text)
    except UnanalysableError as error:
        return whole(text, str(error))
    except Exception as error:  # a defect of ours must not stop the program
        return whole(text, f"{type(error).__name__}: {error}")


def _tag() -> str:
    """Hash of the analyzer's own source: facts made by another analyzer are not looked at."""
    here = os.path.dirname(os.path.abspath(__file__))
    hasher = blake3()
    try:
        for name in sorted(os.listdir(here)):
            if name.endswith(".py"):
                with open(os.path.join(here, name), "rb") as file:
                    content = file.read()
                hasher.update(b"%s %d " % (name.encode(), len(content)) + content)
    except OSError:  # imported from an archive: the version stands for the text
        from ddsimport._version import __version__

        hasher.update(__version__.encode())
    return hasher.hexdigest(length=8)


FACTS_TAG = _tag()


class FactsCache:
    """Facts on disk, one file each, named by the hash of the text and `FACTS_TAG`.

    What cannot be read, or is damaged, is not there; what cannot be written is not kept.

    Args:
        directory: where to keep them; made when the first facts are put.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def get(self, text_hash: str) -> Facts | None:
        """The facts of the text with this hash (hexadecimal), None if they are not kept."""
        for name in (text_hash, _versioned(text_hash)):
            try:
                return Facts.from_record(sealed.read(self._path(name)))
            except ValueError:
                continue
        return None

    def put(self, text_hash: str, facts: Facts) -> None:
        """Keep the facts of the text with this hash."""
        # Whether a text can be analysed depends on this Python; what is found in it does not.
        sealed.write(self._path(_versioned(text_hash) if facts.whole else text_hash), facts.record)

    def _path(self, name: str) -> str:
        return os.path.join(self._directory, name[:2], f"{name[2:]}-{FACTS_TAG}{sealed.SUFFIX}")


def _versioned(text_hash: str) -> str:
    return f"{text_hash}-{sys.version_info[0]}.{sys.version_info[1]}"
