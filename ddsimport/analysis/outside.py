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

Names are a weak guide, and what leaves something is told by its look; so this is not relied on by
itself: `runtime.hidden` sees that there is nothing to leave something in that values do not show.
"""

from __future__ import annotations

import builtins
import os
import re

from ddsimport.analysis import sealed
from ddsimport.analysis.commands import COMMAND, LEAVES
from ddsimport.analysis.facts import FACTS_TAG
from ddsimport.analysis.mentions import AS_VALUE, CALLS_UNKNOWN, TAKEN, mentions_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
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

_OPEN_TEXT = {**mentions_of(""), "imported": ["eval"]}
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
            name = f"{text_hash[2:]}-{FACTS_TAG}-mentions{sealed.SUFFIX}"
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


class _Graph:
    """Which name leads to which: functions to what they mention, tables to what they hold, classes
    to what their special methods mention.

    Attributes:
        functions: their names.
        methods: (name of a class, name of a method).
        bases: name of a class -> those of its bases.
        decorated: how -> names of functions.
        sources: name of a module variable -> what the statements mention that bind it.
        step_sources: the same of steps.
    """

    def __init__(self, records: Iterable[dict[str, Any]]) -> None:
        self.functions: set[str] = set()
        self.methods: list[tuple[str, str]] = []
        self.bases: dict[str, set[str]] = {}
        self.decorated: dict[int, set[str]] = {0: set(), AS_VALUE: set(), TAKEN: set()}
        self.sources: dict[str, set[str]] = {}
        self.step_sources: dict[str, set[str]] = {}
        self.mentioned: dict[str, set[str]] = {}
        self._mentioned_by: dict[str, list[str]] = {}
        for record in records:
            self._add(record)
        for name, words in self.mentioned.items():
            for word in words:
                self._mentioned_by.setdefault(word, []).append(name)

    def _add(self, record: dict[str, Any]) -> None:
        for name, names, decorated, class_name in record["functions"]:
            self.functions.add(name)
            self.decorated[decorated].add(name)
            self.methods.append((class_name, name))
            _put(self.mentioned, name, names)
            if _SPECIAL.fullmatch(name):
                _put(self.mentioned, class_name, names)
        for name, names in record["tables"].items():
            _put(self.mentioned, name, names)
        for name, others in record["aliases"].items():
            self.mentioned.setdefault(name, set()).update(others)
        for name, names in record["sources"].items():
            _put(self.sources, name, names)
        for name, names in record["step_sources"].items():
            _put(self.step_sources, name, names)
        for name, names in record["classes"].items():
            _put(self.bases, name, names)

    def reached_from(self, names: Iterable[str]) -> set[str]:
        """These names, and all that they lead to."""
        return closed(names, self.mentioned)

    def leading_to(self, names: Iterable[str]) -> set[str]:
        """These names, and all that lead to them."""
        return closed(names, self._mentioned_by)

    def derived(self, classes: set[str]) -> set[str]:
        """The classes that derive from these, and these."""
        below: dict[str, list[str]] = {}
        for name, names in self.bases.items():
            for base in names:
                below.setdefault(base, []).append(name)
        return closed(classes, below)


class Outside:
    """What code outside of steps may have left.

    Args:
        records: those of all loaded files.
        script: that of the script.
        plain: (line, record) of the steps that ran as plain code.
        own: the top-level modules of the program.
    """

    def __init__(
        self,
        records: list[dict[str, Any]],
        script: dict[str, Any] | None,
        plain: Iterable[tuple[int, dict[str, Any]]],
        own: Iterable[str],
    ) -> None:
        graph = self._graph = _Graph(records)
        self._runs_anything = graph.leading_to(_RUNS_ANYTHING)
        self._reads_anything = graph.leading_to(_READS_ANYTHING)
        self._calls_unknown = graph.leading_to({CALLS_UNKNOWN})
        self._own = {"", ".", *own}
        self._names = graph.functions | graph.bases.keys()

        texts = [text for record in records for text in (*record["imported"], record["made"])]
        texts += script["main"] if script is not None else ()
        texts += [names for line, record in plain for at, names in record["steps"] if at == line]
        statements = [set(text.split()) for text in texts]
        unasked = {name for name in graph.functions if _SPECIAL.fullmatch(name)} | self._open()
        ran = self._run_by([*statements, *({name} for name in unasked)])
        leaving = self._leaving()
        start = leaving if ran is None else leaving & ran
        for names in statements:
            if not leaving.isdisjoint(names) or self._leaves(names):
                start |= closed(names, graph.sources)
        left = self._run_by([start])
        if left is not None and CALLS_UNKNOWN in left:  # what it was given
            left = None if ran is None else left | ran
        self._left = left

    def may_have_left(self, qualname: str) -> bool:
        """Whether a function may have run outside of the steps, and what it did may be in something
        that is left: it may leave something itself, or is called where that is done."""
        return self._left is None or _outermost(qualname) in self._left

    def _run_by(self, statements: Iterable[set[str]]) -> frozenset[str] | None:
        """The names of the functions that these statements may run, as far as they mention what
        they call; None for any."""
        start: set[str] = set()
        for names in statements:
            if not self._runs_anything.isdisjoint(names):
                return None
            calls, reads = not self._calls_unknown.isdisjoint(names), names
            if calls:  # it may come from where the variables do that the statement reads
                reads = closed(names, self._graph.sources)
                reads |= closed(names, self._graph.step_sources)
            finds = not self._reads_anything.isdisjoint(reads)
            if calls and finds:
                return None
            if calls:
                start |= self._graph.decorated[TAKEN]
            if finds:
                start |= self._graph.decorated[AS_VALUE]
            start |= names
        return frozenset(self._graph.reached_from(start))

    def _open(self) -> set[str]:
        """The methods that installed code may call: those of classes that derive from its own."""
        bases = self._graph.bases
        known = bases.keys() | _CALLS_NOBODY
        classes = self._graph.derived({name for name in bases if not bases[name] <= known})
        return {name for class_name, name in self._graph.methods if class_name in classes}

    def _leaving(self) -> set[str]:
        """The names of functions that may leave something, themselves or by what they mention."""
        ones = {name for name, words in self._graph.mentioned.items() if self._leaves(words)}
        found = self._graph.leading_to(ones)
        if not found.isdisjoint(self._graph.decorated[TAKEN]):
            found = self._graph.leading_to(ones | {CALLS_UNKNOWN})
        return found

    def _leaves(self, words: set[str]) -> bool:
        """Whether code that mentions these may leave something by what it says itself."""
        reads = CALLS_UNKNOWN in words and not _READS_ANYTHING.isdisjoint(words)
        return (
            reads
            or LEAVES in words
            or not _RUNS_ANYTHING.isdisjoint(words)
            or any(self._is_installed(word) for word in words if word.startswith(COMMAND))
        )

    def _is_installed(self, command: str) -> bool:
        """Whether a command is not the program's own."""
        module, name, root = command[len(COMMAND) :].split(":")
        # `registered.register(f)` of a function or class of the program's own is seen by its value.
        return module not in self._own or not (name in self._names or root in self._names)


def _put(where: dict[str, set[str]], name: str, names: str) -> None:
    where.setdefault(name, set()).update(names.split())


def closed(names: Iterable[str], graph: Mapping[str, Iterable[str]]) -> set[str]:
    """These names, and all that a graph leads to from them."""
    found: set[str] = set()
    queue = list(names)
    while queue:
        name = queue.pop()
        if name not in found:
            found.add(name)
            queue += graph.get(name, ())
    return found


def _outermost(qualname: str) -> str:
    """The name of a function; of one in a function, that of the outer one."""
    return qualname.partition(".<locals>")[0].rpartition(".")[2]
