"""Which functions may have run outside of the steps: what they left behind, nobody recorded.

A function that a step can reach and did not run need not matter to its value, unless it has run
before, outside of what was recorded, and left something that no digest shows: an option of a
library, a filter of a logger, a result in a cache. Whether it has cannot be seen afterwards, so it
is taken from the text: from the names that the code outside of steps mentions, by the functions of
those names, whatever they belong to, to the names that those mention ("name-based call graph":
Tip and Palsberg, Scalable propagation-based call graph construction algorithms, OOPSLA 2000).
Widened where a name is no guide: special methods, and methods of classes that derive from installed
ones, may be called by anything.

Not seen: a function that code outside of steps finds by a computed name and lets a library call.
"""

from __future__ import annotations

import builtins
import os
import re

from ddsimport.analysis import sealed
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
    """What code outside of steps may run.

    Args:
        records: those of all loaded files.
        script: that of the script.
        plain: (line, record) of the steps that ran as plain code.
    """

    def __init__(
        self,
        records: Iterable[dict[str, Any]],
        script: dict[str, Any] | None,
        plain: Iterable[tuple[int, dict[str, Any]]] = (),
    ) -> None:
        self._bodies: dict[str, list[str]] = {}
        self._decorated: set[str] = set()
        self._tables: dict[str, list[str]] = {}
        self._open: set[str] = set()
        start: list[str] = []
        bases: dict[str, str] = {}
        methods: list[tuple[str, str]] = []
        for record in records:
            start.append(record["imported"])
            for name, names, is_decorated, class_name in record["functions"]:
                methods.append((class_name, name))
                self._bodies.setdefault(name, []).append(names)
                if is_decorated:
                    self._decorated.add(name)
                if _SPECIAL.fullmatch(name):
                    start.append(name)
            for name, names in record["tables"].items():
                self._tables.setdefault(name, []).append(names)
            for name, others in record["aliases"].items():
                self._tables.setdefault(name, []).extend(others)
            for name, names in record["classes"].items():
                bases[name] = f"{bases.get(name, '')} {names}"
        if script is not None:
            start.append(script["main"])
        start += [names for line, record in plain for at, names in record["steps"] if at == line]
        self._add_open(bases)
        start += [name for class_name, name in methods if class_name in self._open]
        self.names = self.closure(start)

    def _add_open(self, bases: dict[str, str]) -> None:
        """The classes that installed code may call: those that derive from such a one."""
        before = -1
        while before != len(self._open):
            before = len(self._open)
            for name, names in bases.items():
                if any(
                    base in self._open or (base not in bases and base not in _CALLS_NOBODY)
                    for base in names.split()
                ):
                    self._open.add(name)

    def may_run(self, qualname: str, names: frozenset[str] | None) -> bool:
        """Whether a function may be one of those that have `names`, or be called by anything.

        Args:
            names: as `closure` gives them.
        """
        *around, name = qualname.partition(".<locals>")[0].split(".")
        return (
            names is None
            or name in names
            or _SPECIAL.fullmatch(name) is not None
            or not self._open.isdisjoint(around)
        )

    def closure(self, texts: Iterable[str]) -> frozenset[str] | None:
        """The names of the functions that code may run which mentions the names in `texts`; None
        for any function."""
        found: set[str] = set()
        queue = [name for names in texts for name in names.split()]
        while queue:
            name = queue.pop()
            if name in found:
                continue
            found.add(name)
            for names in (*self._bodies.get(name, ()), *self._tables.get(name, ())):
                queue += names.split()
            if not queue:
                reads = not _READS_ANYTHING.isdisjoint(found)
                unknown = CALLS_UNKNOWN in found
                if not _RUNS_ANYTHING.isdisjoint(found) or (reads and unknown):
                    return None
                if reads or unknown:
                    queue += self._decorated - found
        return frozenset(found)
