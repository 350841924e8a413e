"""Which functions may have run outside of the steps, and have left what nobody recorded.

A function that a step can reach and did not run need not matter to its value, unless it has run
before, outside of what was recorded, and left something that no digest shows: an option of a
library, a filter of a logger, a result in a cache (see `commands`). Whether it has cannot be seen
afterwards, so it is taken from the text: from the names that the code outside of steps mentions, by
the functions of those names, whatever they belong to, to the names that those mention ("name-based
resolution": Tip and Palsberg, Scalable propagation-based call graph construction algorithms,
OOPSLA 2000).
Widened where a name is no guide: special methods, and methods of classes that derive from installed
ones, may be called by anything.

Not seen: a function that code outside of steps finds by a computed name and lets a library call.
"""

from __future__ import annotations

import builtins
import os
import re

from ddsimport.analysis import sealed
from ddsimport.analysis.commands import COMMAND, LEAVES, ON_SELF
from ddsimport.analysis.facts import FACTS_TAG
from ddsimport.analysis.mentions import CALLS_UNKNOWN, mentions_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_RUNS_ANYTHING = frozenset({"eval", "exec", "methodcaller", "run_module", "run_path"})
_READS_ANYTHING = frozenset(
    {"__dict__", "attrgetter", "dir", "getattr", "getmembers", "globals", "locals", "vars"}
)
"""What finds things by computed names. It is asked to call them where something unknown is called;
a property runs when it is found."""

_SPECIAL = re.compile(r"_\w*_")
"""Methods that anything may call: `__repr__`, and `_missing_` of an enum."""

_HIDES_STATE = frozenset({"__getstate__", "__reduce__", "__reduce_ex__"})
"""Methods by which a class says what its state is: what its instances hold may be more."""

_CALLS_NOBODY = frozenset(
    {
        "ABC", "ABCMeta", "Callable", "Collection", "Container", "Enum", "EnumMeta", "Flag",
        "Generic", "Hashable", "IntEnum", "IntFlag", "Iterable", "Iterator", "Mapping",
        "NamedTuple", "Protocol", "Sequence", "Sized", "StrEnum", "TypedDict",
        *(name for name, value in vars(builtins).items() if isinstance(value, type)),
    }
)  # fmt: skip
"""Installed classes that call special methods only."""

_OPEN_TEXT = {
    "functions": [], "imported": "eval", "main": "", "tables": {}, "aliases": {}, "classes": {},
    "steps": [],
}  # fmt: skip
"""Stands for a text that cannot be parsed: it may run anything."""


class Mentions:
    """The records of `mentions_of`, kept on disk by the hash of the text.

    Args:
        directory: where to keep them, None to keep none.
    """

    def __init__(self, directory: str | None) -> None:
        self._directory = directory

    def of(self, text: str, text_hash: str) -> dict[str, Any]:
        path = None
        if self._directory is not None:
            name = f"{text_hash[2:]}-{FACTS_TAG}-mentions.json"
            path = os.path.join(self._directory, text_hash[:2], name)
            known = sealed.read(path)
            if isinstance(known, dict):
                return known
        try:
            record = mentions_of(text)
        except (SyntaxError, ValueError, RecursionError):
            return _OPEN_TEXT
        if path is not None:
            sealed.write(path, record)
        return record


class Outside:
    """What code outside of steps may run that may leave something.

    Args:
        records: those of all loaded files.
        script: that of the script.
        plain: (line, record) of the steps that ran as plain code.
        own: the top-level modules of the program.

    Attributes:
        names: of the functions that it may run; None for any function.
    """

    def __init__(
        self,
        records: Iterable[dict[str, Any]],
        script: dict[str, Any] | None,
        plain: Iterable[tuple[int, dict[str, Any]]],
        own: Iterable[str],
    ) -> None:
        self._mentioned: dict[str, set[str]] = {}
        self._functions: set[str] = set()
        self._decorated: set[str] = set()
        self._open: set[str] = set()
        start: set[str] = set()
        bases: dict[str, set[str]] = {}
        methods: list[tuple[str, str]] = []
        for record in records:
            start.update(record["imported"].split())
            for name, names, is_decorated, class_name in record["functions"]:
                words = names.split()
                self._mention(name, words)
                self._functions.add(name)
                methods.append((class_name, name))
                if is_decorated:
                    self._decorated.add(name)
                if _SPECIAL.fullmatch(name):
                    start.add(name)
                    self._mention(class_name, words)
            for name, names in record["tables"].items():
                self._mention(name, names.split())
            for name, others in record["aliases"].items():
                self._mention(name, others)
            for name, names in record["classes"].items():
                bases.setdefault(name, set()).update(names.split())
        if script is not None:
            start.update(script["main"].split())
        for line, record in plain:
            for at, names in record["steps"]:
                if at == line:
                    start.update(names.split())
        self._add_open(bases)
        start.update(name for class_name, name in methods if class_name in self._open)
        self._leaving = self._that_leave({"", ".", *own}, set(bases))
        self.names = self.closure(start)

    def _mention(self, name: str, words: Iterable[str]) -> None:
        self._mentioned.setdefault(name, set()).update(words)

    def _add_open(self, bases: dict[str, set[str]]) -> None:
        """The classes that installed code may call: those that derive from such a one."""
        known = bases.keys() | _CALLS_NOBODY
        before = -1
        while before != len(self._open):
            before = len(self._open)
            self._open.update(
                name
                for name, names in bases.items()
                if not names <= known or not names.isdisjoint(self._open)
            )

    def may_have_left(self, qualname: str) -> bool:
        """Whether a function may have run outside of the steps, and left something."""
        *around, name = _outermost(qualname)
        if name not in self._leaving:
            return False
        return (
            self.names is None
            or name in self.names
            or _SPECIAL.fullmatch(name) is not None
            or not self._open.isdisjoint(around)
        )

    def closure(self, names: Iterable[str]) -> frozenset[str] | None:
        """The names of the functions that code may run which mentions `names`; None for any."""
        found: set[str] = set()
        queue = list(names)
        while queue:
            name = queue.pop()
            if name in found:
                continue
            found.add(name)
            queue += self._mentioned.get(name, ())
            if not queue:
                if _may_run_anything(found):
                    return None
                if CALLS_UNKNOWN in found or not _READS_ANYTHING.isdisjoint(found):
                    queue += self._decorated - found
        return frozenset(found)

    def _that_leave(self, own: set[str], classes: set[str]) -> set[str]:
        """The names of functions that may leave something, themselves or by what they mention."""
        known = self._functions | classes
        leaves = {LEAVES} if _HIDES_STATE.isdisjoint(known) else {LEAVES, ON_SELF}

        def is_one(mentioned: set[str]) -> bool:
            return (
                not leaves.isdisjoint(mentioned)
                or _may_run_anything(mentioned)
                or any(_is_installed(each, own, known) for each in mentioned)
            )

        found = {name for name, mentioned in self._mentioned.items() if is_one(mentioned)}
        before = -1
        while before != len(found):
            before = len(found)
            if not found.isdisjoint(self._decorated):
                found.add(CALLS_UNKNOWN)
            found.update(
                name
                for name, mentioned in self._mentioned.items()
                if not found.isdisjoint(mentioned)
            )
        return found


def _outermost(qualname: str) -> list[str]:
    """The classes around a function, and its name; of one in a function, those of that."""
    return qualname.partition(".<locals>")[0].split(".")


def _may_run_anything(mentioned: set[str]) -> bool:
    reads = not _READS_ANYTHING.isdisjoint(mentioned)
    return not _RUNS_ANYTHING.isdisjoint(mentioned) or (reads and CALLS_UNKNOWN in mentioned)


def _is_installed(word: str, own: set[str], known: set[str]) -> bool:
    """Whether a word is a command that is not the program's own."""
    if not word.startswith(COMMAND):
        return False
    module, _, name = word[len(COMMAND) :].partition(":")
    return module not in own or name not in known
