"""What stands for code of which only a part runs.

Where a signature counts everything that a name can lead to, an `Outline` counts what can be seen of
it without running it: of a function its decorators, parameters and defaults; of a class its text
without the bodies of its methods, its bases, its attributes as they are. What did run is counted
beside it, function by function (see `footprint`).
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from types import FunctionType

from blake3 import blake3

from ddsimport.analysis.facts import (
    DEF_DECORATORS,
    DEF_DIGEST,
    DEF_FIRST,
    DEF_KIND,
    DEF_OUTLINE,
    DEF_PARENT,
    DEF_QUALNAME,
    IMPORT,
    TOP_GUARD,
)
from ddsimport.runtime.live import Live
from ddsimport.runtime.slots import Slot, held
from ddsimport.runtime.uncached import UncachedError
from ddsimport.source.tracked import is_tracked
from ddsimport.values.digest import is_immutable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ddsimport.analysis.codehash import Reach, Reference
    from ddsimport.analysis.graph import Item, Key
    from ddsimport.runtime.session import Session
    from ddsimport.runtime.signature import Inquiry


class UnseenError(Exception):
    """Nobody can say which code was used."""


class Outline(Live):
    """The tokens of what was used: as `Live`, but for code that only running it would use.

    Args:
        late: names of modules that are not loaded when the step begins, and are imported by it.
            What they hold follows from their text, and from what runs when they are imported.
    """

    def __init__(
        self, inquiry: Inquiry, session: Session, late: frozenset[str] = frozenset()
    ) -> None:
        super().__init__(session.codebook, session.folders)
        self._inquiry = inquiry
        self._session = session
        self._late = late
        self._whole = Live(session.codebook, session.folders)
        self._whole.reflects = inquiry.live.reflects
        self._units: dict[Key, bytes] = {}
        self._references: dict[Reference, bytes] = {}
        self._outlines: dict[tuple[str, str, str], bytes] = {}
        self._open: set[Key] = set()
        self._is_cyclic = False

    def importing(self, modules: Iterable[str]) -> Outline:
        """This outline, for a step that imports these modules first."""
        other = Outline(self._inquiry, self._session, frozenset(modules))
        other._references.update(self._references)
        return other

    def note_what_may_change(self) -> None:
        """Look at the variables that the step can reach, before it runs: what it imports may fill
        registries, and a hit will import that, too."""
        for reach in tuple(self._inquiry.live.reaches.values()):
            known = held(reach, frozenset(), self._whole.reflects)
            for reference in (slot.reference for slot in (*known.slots, *known.lazy)):
                if reference.module not in sys.modules:
                    reference = reference.at_owner()
                slot = Slot(reference)
                if slot.loaded() and not is_immutable(slot.fetch()):
                    with suppress(UncachedError):
                        self._token_of(reference.replace(lazy=False))

    def reach(self, reach: Reach, skipped: frozenset[int] = frozenset()) -> bytes:
        """All that code reaches, as in a signature: for what is no plain function or class."""
        return self._whole.reach(reach, skipped)

    def acts(self, inquiry: Inquiry) -> Iterable[bytes]:
        """Statements that set something in installed code, such as `np.random.seed(0)`."""
        keys = {
            key
            for reach in inquiry.live.reaches.values()
            for key in reach.nodes
            if key[0] == "t" and key[1] in sys.modules
        }
        return sorted(
            self.reach(self._codebook.statement(module, file, int(index)))
            for _, module, file, index in keys
        )

    def unit(self, key: Key, given: frozenset[str] = frozenset()) -> bytes:
        """What stands for one piece of code that ran, and for what its own text names.

        Args:
            given: module variables that count otherwise, or not at all.
        """
        known = self._units.get(key)
        if known is None:
            known = self._units[key] = self._unit(key, given)
        return known

    def _unit(self, key: Key, given: frozenset[str]) -> bytes:
        parts = [self._codebook.node(key).own, *self._named(key, given)]
        if key[0] == "d":
            parts += self._classes_around(key)
        return blake3(framed(parts)).digest()

    def _named(self, key: Key, given: frozenset[str] = frozenset()) -> Iterable[bytes]:
        """All that the text of a node names, name by name."""
        node = self._codebook.node(key)
        if node.notes:
            raise UnseenError(node.notes[0])
        edges = node.edges
        if node.counts_extras:
            yield node.extras
            edges += node.extra_edges
        for edge in edges:
            yield edge.label
            for item in edge.items:
                reference = item.reference
                if reference is None or not (
                    reference.kind == "variable"
                    and len(reference.chain) == 1
                    and reference.chain[0] in given
                ):
                    yield from self._item(item)

    def _classes_around(self, key: Key) -> Iterable[bytes]:
        _, module, file, index = key
        definitions = self._codebook.facts(file).definitions
        around = definitions[int(index)][DEF_PARENT]
        while around >= 0:
            if definitions[around][DEF_KIND] == "class":
                yield self._outline(module, file, definitions[around][DEF_QUALNAME])
            around = definitions[around][DEF_PARENT]

    def _item(self, item: Item) -> Iterable[bytes]:
        if item.untracked:
            yield item.untracked.encode()
        if item.node is not None:
            yield self._referred(item.node)
        reference = item.reference
        if reference is None:
            return
        if reference.module in self._late and reference.kind != "installed":
            # Bound by the import, but to what another module holds: that is known.
            reference = reference.at_owner()
        if reference.module in self._late or reference.owner in self._late:
            yield f"late {reference.owner}:{reference.qualname}".encode()
        elif self._is_absent(reference.module):
            yield f"absent {reference.module}".encode()
        else:
            yield self._token_of(reference)

    def _is_absent(self, module: str) -> bool:
        """Whether a module is not loaded, and the step does not import it: so it uses nothing of
        it, whatever code that ran says of it."""
        return module not in sys.modules and module not in self._late

    def _token_of(self, reference: Reference) -> bytes:
        token = self._references.get(reference)
        if token is None:
            token = self._inquiry.live.plain.get(reference)
            if token is None:
                token = self._apart(lambda: self._reference(Slot(reference)))
            self._references[reference] = token
        return token

    def token_of_input(self, value: object) -> bytes:
        """The digest of a value, with the outlines of its classes."""
        return self._apart(lambda: self.digest(value))

    def _apart(self, look: Callable[[], bytes]) -> bytes:
        """A token as if nothing else had been looked at: the order differs from one time to the
        next. Where nothing led back to itself, what was met meanwhile may be remembered."""
        self._is_cyclic = False
        try:
            return look()
        finally:
            if self._is_cyclic:
                self._tokens.clear()

    def _again(self, thing: Any) -> bytes:
        self._is_cyclic = True
        return super()._again(thing)

    def _referred(self, key: Key) -> bytes:
        """What is referred to, and may not have run."""
        kind, module, file, index = key
        if self._is_absent(module):
            return f"absent {module}".encode()
        if kind == "f":
            return self._codebook.node(key).own
        if kind == "w":
            return self._module_outline(key)
        if kind != "d":
            raise UnseenError(f"{file}: anything may have run")
        facts = self._codebook.facts(file)
        parts = [self._place(module, file, int(index))]
        record = facts.definitions[int(index)]
        if record[DEF_KIND] == "class":
            parts.append(self._outline(module, file, record[DEF_QUALNAME]))
        else:
            parts.append(bytes.fromhex(record[DEF_OUTLINE]))
        if self._codebook.keeps_results(module, file, int(index)):
            parts.append(self._all_of(module, file, int(index)))
        return framed(parts)

    def _module_outline(self, key: Key) -> bytes:
        """A module as a value: whatever is read of it, all that its names stand for."""
        _, module, file, _ = key
        if module in self._late or key in self._open:
            return f"module {module}".encode()
        node = self._codebook.node(key)
        if node.notes:
            raise UnseenError(node.notes[0])
        self._open.add(key)
        try:
            parts = [self._session.relative(os.path.abspath(file)).encode(), node.own]
            for edge in node.edges:
                parts.append(edge.label)
                for item in edge.items:
                    parts += self._item(item)
        finally:
            self._open.discard(key)
        return blake3(framed(parts)).digest()

    def import_of(self, module: str, file: str) -> bytes:
        """What stands for a module that the step is the first to import: its statements, the
        outlines of its definitions, and what they name; the functions that they call ran."""
        facts = self._codebook.facts(file)
        if facts.whole:
            raise UnseenError(f"{file}: {facts.note}")
        bound = sorted((name, kind, spec) for name, all_ in facts.names.items()
                       for kind, spec, _ in all_ if kind == IMPORT)  # fmt: skip
        parts = [repr((bound, facts.stars)).encode()]
        for index, top in enumerate(facts.top):
            if top[TOP_GUARD] == 0:
                parts.append(self.unit(("t", module, file, index)))
        for index, record in enumerate(facts.definitions):
            if record[DEF_PARENT] < 0 and record[DEF_KIND] != "lambda":
                key = ("d", module, file, index)
                parts.append(self._referred(key))
                if record[DEF_KIND] == "class" or record[DEF_DECORATORS]:
                    parts += self._named(key)
        return blake3(framed(parts)).digest()

    def _place(self, module: str, file: str, index: int) -> bytes:
        """Which definition it is: the one whose text counts where it runs."""
        label = self._codebook.facts(file).label_of(index)
        return f"{module}:{self._session.relative(os.path.abspath(file))}:{label}".encode()

    def _all_of(self, module: str, file: str, index: int) -> bytes:
        record = self._codebook.facts(file).definitions[index]
        name = record[DEF_QUALNAME]
        if record[DEF_KIND] == "class":
            return self.reach(self._codebook.cls(module, file, name))
        return self.reach(self._codebook.function(module, file, name, record[DEF_FIRST]))

    def _outline(self, module: str, file: str, qualname: str) -> bytes:
        """The text of a class without the bodies of its methods; with all that those reach that may
        give what they gave before."""
        known = self._outlines.get((module, file, qualname))
        if known is not None:
            return known
        facts = self._codebook.facts(file)
        classes = facts.classes.get(qualname, [])
        if not classes:
            raise LookupError(f"{file}: no class {qualname}")
        parts = [self._place(module, file, index) for index in classes]
        parts += [bytes.fromhex(facts.definitions[index][DEF_OUTLINE]) for index in classes]
        for index, record in enumerate(facts.definitions):
            is_method = record[DEF_PARENT] in classes and record[DEF_KIND] == "def"
            if is_method and self._codebook.keeps_results(module, file, index):
                parts.append(self._all_of(module, file, index))
        known = self._outlines[module, file, qualname] = framed(parts)
        return known

    # --- things, as they are now ------------------------------------------------------------------

    def _class_text(self, cls: type, file: str) -> bytes:
        return self._outline(cls.__module__, file, cls.__qualname__)

    def _function(self, thing: Any) -> bytes:
        if type(thing).__qualname__ == "_lru_cache_wrapper":
            return self._whole.code_of(thing)
        if not isinstance(thing, FunctionType) or not is_tracked(thing.__code__.co_filename):
            return super()._function(thing)
        code = thing.__code__
        try:
            facts = self._codebook.facts(code.co_filename)
            found = facts.by_place.get((thing.__qualname__, code.co_firstlineno), [])
        except OSError:
            found = []
        if len(found) != 1:
            return self._whole.code_of(thing)
        module = thing.__globals__.get("__name__") or thing.__module__
        if self._codebook.keeps_results(module, code.co_filename, found[0]):
            return self._whole.code_of(thing)
        place = self._place(module, code.co_filename, found[0])
        return framed([place, bytes.fromhex(facts.definitions[found[0]][DEF_DIGEST])])


def framed(parts: Iterable[bytes]) -> bytes:
    """Parts one after the other, each with its length."""
    return b"".join(len(part).to_bytes(4, "little") + part for part in parts)
