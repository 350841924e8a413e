"""What the names that a step reaches are bound to now: what text alone cannot tell.

The analysis says which names the code of a step refers to and what their text defines. What a name
is bound to when the step runs decides: a module variable counts by its value, a function or class
that is no longer the one its text defines (rebound, patched, wrapped) counts as what it now is.

One `Live` answers for one computation of one signature; what may be remembered between two of them
is kept in the `slots.Slot` of each reference, guarded by identity.
"""

from __future__ import annotations

import os
import sys
from types import FunctionType, ModuleType

from blake3 import blake3

from ddsimport.analysis.graph import (
    READS_EXTRAS,
    READS_LINES,
    READS_MODULES,
    READS_SUBCLASSES,
)
from ddsimport.errors import UndigestibleError
from ddsimport.runtime import in_session, installed, written
from ddsimport.runtime.deferred import namespace_of
from ddsimport.runtime.slots import MISSING, Slot, held
from ddsimport.runtime.uncached import UncachedError
from ddsimport.source import cells
from ddsimport.source.hook import is_tracked
from ddsimport.values._setting import Setting
from ddsimport.values._where import part
from ddsimport.values.digest import digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ddsimport.analysis.codehash import Codebook, Reach, Reference

_TOLD_BY_TEXT = READS_EXTRAS | READS_MODULES | READS_LINES
_UNBOUND = b"unbound"
_AS_WRITTEN = b""


class Live:
    """The live tokens of one computation of a signature.

    Attributes:
        distributions: top-level import names of third-party code met, whose versions count.
        reaches: every `Reach` that was consulted, by identity.
        reflects: what the code met so far reads of other code (`graph.READS_…`).
        setting: tells whether a path in the project was met.
        uncounted: sentences on what has no digest: globals count by their text.
        open_files: those among what is left out of the digests of globals.
        databases: connections of `sqlite3` among it; what is behind them counts.
        asked_for_code: set once a digest asked what stands for some code.
        met: the functions, classes and modules that were looked at.
    """

    def __init__(self, codebook: Codebook, folders: tuple[str, ...] = ()) -> None:
        self.setting = Setting(folders)
        self.reflects = 0
        self.asked_for_code = False
        self.met: list[object] = []  # kept alive: the tokens go by identity
        self._codebook = codebook
        self._tokens: dict[int, bytes] = {}
        self._active: dict[int, object] = {}
        self._texts: set[int] = set()
        self.distributions: set[str] = set()
        self.reaches: dict[int, Reach] = {}
        self.uncounted: dict[str, None] = {}
        self.open_files: list[object] = []
        self.databases: list[object] = []

    # --- what analysis reached --------------------------------------------------------------------

    def reach(self, reach: Reach, skipped: frozenset[int] = frozenset()) -> bytes:
        """32 bytes that stand for everything `reach` names, as text and as it is now.

        Args:
            skipped: positions of references that the caller counts otherwise: as inputs.
        """
        self.reaches[id(reach)] = reach
        self.distributions.update(reach.distributions)
        if reach.reflects & ~self.reflects:
            self.reflects |= reach.reflects
            self._tokens.clear()  # what was met before counts differently from now on
        known = held(self._codebook, reach, skipped, self.reflects)
        if known.digest is not None and known.is_unchanged():
            self.setting.placed |= known.placed
            return known.digest
        placed_before, self.setting.placed = self.setting.placed, False
        hasher = blake3(reach.hash)
        for slot in known.slots:
            token = self._reference(slot)
            hasher.update(len(token).to_bytes(4, "little") + token)
        digest_now = hasher.digest()
        known.digest, known.placed = digest_now, self.setting.placed
        self.setting.placed |= placed_before
        return digest_now

    def restart(self) -> None:
        """Forget what things stand for: more of them is read than was known when they were met."""
        self._tokens.clear()

    def lazy(self, reach: Reach) -> Iterable[tuple[str, str, bytes]]:
        """(label, name, token) of the references whose module is imported only when a function
        runs.

        They cannot be part of a signature: whether such a module is loaded depends on what ran
        before, and on a run of hits nothing runs. They are verified as part of the trace instead;
        a module that is not loaded is taken to define what its text (which is hashed) defines, and
        to be led to what loaded modules hold.
        """
        for position, slot in enumerate(
            held(self._codebook, reach, frozenset(), self.reflects).lazy
        ):
            if not slot.loaded() and slot.reference.kind != "installed":
                slot = Slot(slot.reference.at_owner())
            if slot.loaded():
                name = f"{slot.reference.owner}:{slot.reference.qualname}"
                yield f"{position}", name, self._reference(slot)

    def apart(self, reach: Reach) -> Iterable[tuple[str, bytes]]:
        """As `lazy`, each token as if nothing else had been looked at: which of the modules are
        loaded may differ next time. What has no digest is left out, and counts by its text."""
        for position, slot in enumerate(held(self._codebook, reach, frozenset(), 0).lazy):
            if slot.loaded():
                try:
                    yield f"{position}", Live(self._codebook)._reference(slot)
                except UncachedError:
                    continue

    def _reference(self, slot: Slot) -> bytes:
        thing = slot.fetch()
        if thing is MISSING:
            if slot.reference.kind == "installed":
                return _AS_WRITTEN
            return _UNBOUND if slot.loaded() else self._text(slot.reference)
        if slot.remembers(thing):
            return slot.token
        token = slot.told = self._token(slot.reference, thing)
        if not self.reflects & READS_EXTRAS:
            slot.remember(thing, token)
        return token

    def _token(self, reference: Reference, thing: object) -> bytes:
        in_session.check_reference(reference)
        if reference.kind == "installed":
            return self._installed_now(reference, thing)
        if reference.kind == "definition" and written.is_as_written(reference, thing):
            if isinstance(thing, type):
                return self.code_of(thing)
            added = written.additions(thing, bool(self.reflects & READS_EXTRAS))
            if added is None:
                return _AS_WRITTEN
            thing = added
        name = ".".join((reference.module, *reference.chain))
        try:
            return self.digest(thing, name)
        except UndigestibleError as error:
            if not _counts_by_text(thing, error):
                raise UncachedError(
                    f"its code reads the global {name}, which has no digest "
                    f"({error.where or name}: {error.why}); pass what it needs as an argument, or "
                    "put `# dds: ignore` on the assignment of the global"
                ) from error
            self.uncounted[f"{name}{error.where} is not counted by value: {error.why}"] = None
            return self._text(reference)

    def digest(self, value: object, name: str = "") -> bytes:
        """The digest of a value that the program holds now.

        Args:
            name: of a global. Locks, handlers and connections in it are named, and do not count.

        Raises:
            UndigestibleError: it has none.
            UncachedError: it holds code that nobody can tell.
        """
        if not name:
            return self._digest(value)
        outer, self.setting.left_out = self.setting.left_out, []
        try:
            token = self._digest(value)
            for hold in self.setting.left_out:
                from ddsimport.runtime import databases  # few programs hold anything

                if databases.is_connection(hold):
                    self.databases.append(hold)
                    behind = databases.content_of(hold)
                    token += digest(behind, self.code_of, self.setting)
                    continue
                where = "" if hold is value else part(value, hold)
                kind = f"{type(hold).__module__}.{type(hold).__qualname__}"
                if type(hold).__module__ == "_io" and getattr(hold, "name", "") != os.devnull:
                    self.open_files.append(hold)
                self.uncounted[f"{name}{where} is not counted: {kind} is no value"] = None
        finally:
            self.setting.left_out = outer
        return token

    def _digest(self, value: object) -> bytes:
        try:
            return digest(value, self.code_of, self.setting)
        except UndigestibleError as error:
            if isinstance(error.__cause__, UncachedError):  # `code_of` has said why, of some code
                raise error.__cause__ from None
            raise

    def _installed_now(self, reference: Reference, thing: object) -> bytes:
        token = installed.token(thing)
        if token is None:
            token = self._digest_of_patch(reference.owner, thing)
        elif installed.may_come_late(reference) and installed.is_of_its_package(
            thing, reference.owner
        ):
            token = _AS_WRITTEN  # as before it was there
        setting = installed.setting_of(reference.owner, thing)
        return token if setting is None else token + self._digest_of_patch(reference.owner, setting)

    def patches(self) -> bytes:
        """What stands for the installed code that the program has changed; empty if it has not."""
        found = installed.patched()
        return b"".join(
            dotted.encode() + self._digest_of_patch(dotted, thing) for dotted, thing in found
        )

    def _digest_of_patch(self, dotted: str, thing: object) -> bytes:
        try:
            return self.digest(thing, dotted)
        except UndigestibleError as error:
            self.uncounted[f"{dotted}{error.where} is not counted by value: {error.why}"] = None
            return _UNBOUND

    def _text(self, reference: Reference) -> bytes:
        """What stands for a name that has no value to digest: the text that binds it."""
        reach = self._codebook.variable(reference.owner, reference.file, reference.qualname)
        if id(reach) in self._texts:  # that text names it, too (`X = X or …`)
            return reach.hash
        self._texts.add(id(reach))
        try:
            return self.reach(reach)
        finally:
            self._texts.discard(id(reach))

    def globals(self) -> Iterator[tuple[str, object]]:
        """(dotted name, value) of the module variables that were looked at, code left out."""
        for reach in list(self.reaches.values()):
            for slot in held(self._codebook, reach, frozenset(), self.reflects).slots:
                thing = slot.fetch()
                if thing is not MISSING and slot.reference.kind == "variable":
                    yield ".".join((slot.reference.module, *slot.reference.chain)), thing

    def variables(self, own: Reach, skipped: frozenset[int]) -> Iterator[tuple[str, object, bytes]]:
        """(dotted name, value, token) of the module variables that counted as code.

        Args:
            own: the reach of the step itself.
            skipped: what of it did not.
        """
        for reach in list(self.reaches.values()):
            left_out = skipped if reach is own else frozenset()
            for slot in held(self._codebook, reach, left_out, self.reflects).slots:
                thing = slot.fetch()
                if thing is not MISSING and slot.reference.kind == "variable":
                    yield ".".join((slot.reference.module, *slot.reference.chain)), thing, slot.told

    def is_patched(self) -> bool:
        """Whether a function that was looked at is not what its text defines."""
        return any(
            slot.reference.kind == "definition"
            and slot.told != _AS_WRITTEN
            and not isinstance(slot.fetch(), type)
            for reach in list(self.reaches.values())
            for slot in held(self._codebook, reach, frozenset(), self.reflects).slots
        )

    def installed(self) -> Iterator[str]:
        """Full dotted names of the installed code that the code met so far names."""
        for reference in self.references():
            if reference.kind == "installed":
                yield reference.owner

    def references(self) -> Iterator[Reference]:
        """What the code met so far refers to."""
        for reach in list(self.reaches.values()):
            yield from reach.references

    def bindings(self) -> dict[tuple[str, str], object]:
        """What the globals that reached code may bind are bound to now."""
        return {
            (module, name): namespace_of(sys.modules[module]).get(name, MISSING)
            for reach in list(self.reaches.values())
            for module, name in reach.rebound
            if module in sys.modules
        }

    # --- functions and classes --------------------------------------------------------------------

    def code_of(self, thing: Any) -> bytes:
        """The bytes that stand for the code of a live function, class or module (see
        `values.digest`)."""
        self.asked_for_code = True
        known = self._tokens.get(id(thing))
        if known is not None:
            return known
        if id(thing) in self._active:
            return self._again(thing)
        self._active[id(thing)] = thing
        try:
            if isinstance(thing, type):
                token = self._class(thing)
            elif isinstance(thing, ModuleType):
                token = self._module(thing)
            else:
                token = self._function(thing)
        finally:
            del self._active[id(thing)]
        self._tokens[id(thing)] = token
        self.met.append(thing)
        return token

    def _again(self, thing: Any) -> bytes:
        """What stands for a thing that leads back to itself (a class whose attribute is a registry
        of its subclasses): its name. What it is counts where it was met first, in this signature.

        So each thing is looked at once, and its token means something beside the others of one
        computation only, in the order of that computation.
        """
        name = _name_of(thing)
        namesakes = [each for each in self._active.values() if _name_of(each) == name]
        place = next(at for at, each in enumerate(namesakes) if each is thing)
        return f"again {name} {place}".encode()

    def _function(self, thing: Any) -> bytes:
        if type(thing).__qualname__ == "_lru_cache_wrapper":
            return self.code_of(thing.__wrapped__)
        if not isinstance(thing, FunctionType):
            return self._installed(getattr(thing, "__module__", None) or "", thing)
        code = thing.__code__
        module = thing.__globals__.get("__name__") or thing.__module__
        if not is_tracked(code.co_filename):
            return self._installed(module, thing)
        in_session.check_function(thing, module)
        try:
            file, line = cells.place_of(code)
            reach = self._codebook.function(
                module, file, thing.__qualname__, line, self.reflects & _TOLD_BY_TEXT
            )
        except (LookupError, OSError):
            return _bytecode(code)
        token = self.reach(reach)
        if reach.ambiguous:
            token += _bytecode(code)
        if self.reflects & READS_MODULES:
            token += str(thing.__module__).encode()
        if self.reflects & READS_EXTRAS:
            token += digest(written.extras(thing), self.code_of)
        return token

    def _module(self, module: ModuleType) -> bytes:
        file = cells.file_of_module(module)
        if file is None or not is_tracked(file) or not file.endswith(".py"):
            return self._installed(module.__name__, module)
        reading = self.reflects & _TOLD_BY_TEXT
        return self.reach(self._codebook.module(module.__name__, file, reading))

    def _class(self, cls: type) -> bytes:
        hasher = blake3(f"{cls.__qualname__}".encode())
        extras = bool(self.reflects & READS_EXTRAS)
        for base in cls.__mro__:
            file = written.file_of(base)
            if file is None:
                hasher.update(self._installed(base.__module__, base))
                if written.is_made_by_a_call(base):
                    hasher.update(self._attributes(base, written.attributes(base)))
                    hasher.update(digest(written.fields_of(base)))
                continue
            try:
                in_session.check_class(base)
                hasher.update(self._class_text(base, file))
                differences = written.as_it_is(base, file, extras)
            except (LookupError, OSError):
                differences = written.attributes(base)
                module = base.__module__.replace("__mp_main__", "__main__")
                hasher.update(f"{module}.{base.__qualname__}".encode())
            hasher.update(self._attributes(base, differences))
            if extras:
                hasher.update(digest(written.extras(base), self.code_of))
        if self.reflects & READS_SUBCLASSES:
            derived: list[type] = type.__subclasses__(cls)
            derived.sort(key=lambda each: each.__qualname__)
            for each in derived:
                hasher.update(self.code_of(each))
        metaclass = type(cls)
        if metaclass is not type:
            hasher.update(self.code_of(metaclass))
        return hasher.digest()

    def _class_text(self, cls: type, file: str) -> bytes:
        """What stands for the text of a class, of which `file` is the source.

        Raises:
            LookupError, OSError: it cannot be found there.
        """
        reading = self.reflects & _TOLD_BY_TEXT
        reach = self._codebook.cls(cls.__module__, file, cls.__qualname__, reading)
        token = self.reach(reach)
        if reach.ambiguous:  # `if FAST: class C … else: class C …`: the text tells not which it is
            for _, value in sorted(vars(cls).items()):
                token += b"".join(_bytecode(each.__code__) for each in written.functions_in(value))
        return token

    def _attributes(self, cls: type, attributes: dict[str, object]) -> bytes:
        counted: list[tuple[str, bytes]] = []
        for name, value in sorted(attributes.items()):
            try:
                counted.append((name, self.digest(value, f"{cls.__qualname__}.{name}")))
            except UndigestibleError as error:
                self.uncounted[
                    f"{cls.__qualname__}.{name}{error.where} is not counted by value: {error.why}"
                ] = None
        return digest(tuple(counted))

    def _installed(self, module: str, thing: Any) -> bytes:
        """Installed code counts by name here, and by the version of its distribution."""
        self.distributions.add(module.partition(".")[0])
        name = getattr(thing, "__qualname__", None) or getattr(thing, "__name__", "")
        return f"{module}:{name}".encode()


def _counts_by_text(thing: Any, error: UndigestibleError) -> bool:
    """Whether a global without a digest may count by the text that binds it: what is called (its
    code is in the text) and standard streams. Anything else (a queue, or an iterator, also in what
    a function closes over) has state that the text cannot tell; so has a database's connection."""
    from ddsimport.runtime import databases

    if error.kind is not None and "__next__" in vars(error.kind):
        return False
    if databases.is_connection(thing):
        return False
    return any("__call__" in vars(base) for base in type(thing).__mro__) or any(
        thing is stream for stream in (sys.stdin, sys.stdout, sys.stderr)
    )


def _name_of(thing: Any) -> str:
    name = getattr(thing, "__qualname__", None) or getattr(thing, "__name__", "")
    return f"{getattr(thing, '__module__', '')}:{name}"


def _bytecode(code: Any) -> bytes:
    """What stands for code whose text cannot be found (`exec`): its instructions and constants."""
    constants = tuple(
        _bytecode(constant) if hasattr(constant, "co_code") else repr(constant)
        for constant in code.co_consts
    )
    return digest((code.co_name, code.co_code, constants, code.co_names, code.co_varnames))
