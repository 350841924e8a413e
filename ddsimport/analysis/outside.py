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
from ddsimport.analysis.mentions import AS_VALUE, CALLS_UNKNOWN, TAKEN, mentions_of

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

_HIDES_STATE = frozenset(
    {"__dds_digest__", "__getstate__", "__reduce__", "__reduce_ex__", "register_digest"}
)
"""By which a class says what its state is: what its instances hold may be more."""

_MAKE_CLASSES = (
    "ABCMeta", "Enum", "EnumMeta", "EnumType", "Flag", "IntEnum", "IntFlag", "StrEnum", "type",
)  # fmt: skip
_HOOKS = ("__init_subclass__", "__prepare__", "__set_name__")
"""What runs while a class is made: which methods it has, and what its members are, follows from
that."""

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
    "functions": [], "imported": ["eval"], "made": "", "main": [], "sources": {}, "tables": {},
    "aliases": {}, "classes": {}, "steps": [],
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
        self._decorated: dict[int, set[str]] = {0: set(), AS_VALUE: set(), TAKEN: set()}
        self._sources: dict[str, set[str]] = {}
        runs: list[set[str]] = []
        special: set[str] = set()
        makes: set[str] = set()
        bases: dict[str, set[str]] = {}
        methods: list[tuple[str, str]] = []
        for record in records:
            runs += [set(names.split()) for names in record["imported"]]
            for name, names in record["sources"].items():
                self._sources.setdefault(name, set()).update(names.split())
            makes.update(record["made"].split())
            for name, names, decorated, class_name in record["functions"]:
                self._functions.add(name)
                self._mention(name, names.split())
                self._decorated[decorated].add(name)
                if class_name:
                    methods.append((class_name, name))
                if _SPECIAL.fullmatch(name):
                    special.add(name)
                    self._mention(class_name, names.split())
            for name, names in record["tables"].items():
                self._mention(name, names.split())
            for name, others in record["aliases"].items():
                self._mention(name, others)
            for name, names in record["classes"].items():
                bases.setdefault(name, set()).update(names.split())
        if script is not None:
            runs += [set(names.split()) for names in script["main"]]
        for line, record in plain:
            for at, names in record["steps"]:
                if at == line:
                    runs.append(set(names.split()))
        known = bases.keys() | _CALLS_NOBODY
        open_ = _derived(bases, {name for name, names in bases.items() if not names <= known})
        called = {name for class_name, name in methods if class_name in open_}
        makers = _derived(bases, _MAKE_CLASSES)
        makes.update(
            name
            for class_name, name in methods
            if _SPECIAL.fullmatch(name) and (name in _HOOKS or class_name in makers)
        )
        self._mentioned_by: dict[str, list[str]] = {}
        for name, words in self._mentioned.items():
            for word in words:
                self._mentioned_by.setdefault(word, []).append(name)
        self._runs_anything = self._leading_to(_RUNS_ANYTHING)
        self._reads_anything = self._leading_to(_READS_ANYTHING)
        self._calls_unknown = self._leading_to({CALLS_UNKNOWN})
        runs += [{name} for name in special | called | makes]
        ran = self._ran(runs)
        named = self._functions.union(self._mentioned_by, *runs)
        hides = not _HIDES_STATE.isdisjoint(named)
        leaving = self._that_leave({"", ".", *own}, set(bases), hides)
        left = self.closure(makes | (leaving if ran is None else leaving & ran))
        if left is not None and CALLS_UNKNOWN in left:  # what it was given
            left = None if ran is None else left | ran
        self._left = left

    def _mention(self, name: str, words: Iterable[str]) -> None:
        self._mentioned.setdefault(name, set()).update(words)

    def may_have_left(self, qualname: str) -> bool:
        """Whether a function may have run outside of the steps, and what it did may be in something
        that is left: it may leave something itself, or is called where that is done, or made a
        class what it is."""
        return self._left is None or _outermost(qualname) in self._left

    def keeps(self, names: Iterable[str]) -> frozenset[str] | None:
        """The names of the functions whose results may be kept by those that have `names`; None for
        any."""
        found = self.closure(names)
        return None if found is not None and CALLS_UNKNOWN in found else found

    def _ran(self, statements: Iterable[set[str]]) -> frozenset[str] | None:
        """The names of the functions that these statements may run; None for any."""
        start: set[str] = set()
        for names in statements:
            if not self._runs_anything.isdisjoint(names):
                return None
            calls, reads = not self._calls_unknown.isdisjoint(names), names
            if calls:  # it may come from where the variables do that the statement reads
                reads = names.union(*(self._sources.get(name, ()) for name in names))
            finds = not self._reads_anything.isdisjoint(reads)
            if calls and finds:
                return None
            if calls:
                start |= self._decorated[TAKEN]
            if finds:
                start |= self._decorated[AS_VALUE]
            start |= names
        return frozenset(self._mentions(start))

    def _leading_to(self, names: Iterable[str]) -> set[str]:
        """These names, and those of the functions that mention one that leads to them."""
        found: set[str] = set()
        queue = list(names)
        while queue:
            name = queue.pop()
            if name not in found:
                found.add(name)
                queue += self._mentioned_by.get(name, ())
        return found

    def _mentions(self, names: Iterable[str]) -> set[str]:
        """These names, and those that the functions of these names lead to."""
        found: set[str] = set()
        queue = list(names)
        while queue:
            name = queue.pop()
            if name not in found:
                found.add(name)
                queue += self._mentioned.get(name, ())
        return found

    def closure(self, names: Iterable[str]) -> frozenset[str] | None:
        """The names of the functions that code may run which mentions `names`; None for any."""
        return self._ran([set(names)])

    def _that_leave(self, own: set[str], classes: set[str], hides: bool) -> set[str]:
        """The names of functions that may leave something, themselves or by what they mention.

        Args:
            own: the modules of the program.
            hides: whether instances may hold what no digest shows.
        """
        known = self._functions | classes
        leaves = {LEAVES, ON_SELF} if hides else {LEAVES}

        def is_one(mentioned: set[str]) -> bool:
            return (
                not leaves.isdisjoint(mentioned)
                or _may_run_anything(mentioned)
                or any(_is_installed(each, own, known) for each in mentioned)
            )

        ones = {name for name, mentioned in self._mentioned.items() if is_one(mentioned)}
        found = self._leading_to(ones)
        if not found.isdisjoint(self._decorated[TAKEN]):
            found = self._leading_to(ones | {CALLS_UNKNOWN})
        return found


def _derived(bases: dict[str, set[str]], found: Iterable[str]) -> set[str]:
    """The classes that derive from these, and these."""
    derived = set(found)
    before = -1
    while before != len(derived):
        before = len(derived)
        derived.update(name for name, names in bases.items() if not names.isdisjoint(derived))
    return derived


def _outermost(qualname: str) -> str:
    """The name of a function; of one in a function, that of the outer one."""
    return qualname.partition(".<locals>")[0].rpartition(".")[2]


def _may_run_anything(mentioned: set[str]) -> bool:
    reads = not _READS_ANYTHING.isdisjoint(mentioned)
    return not _RUNS_ANYTHING.isdisjoint(mentioned) or (reads and CALLS_UNKNOWN in mentioned)


def _is_installed(word: str, own: set[str], known: set[str]) -> bool:
    """Whether a word is a command that is not the program's own."""
    if not word.startswith(COMMAND):
        return False
    module, _, name = word[len(COMMAND) :].partition(":")
    return module not in own or name not in known
