"""What the names that a step reaches are bound to now: what text alone cannot tell.

The analysis says which names the code of a step refers to and what their text defines. What a name
is bound to when the step runs decides: a module variable counts by its value, a function or class
that is no longer the one its text defines (rebound, patched, wrapped) counts as what it now is.

One `Live` answers for one computation of one signature; what may be remembered between two of them
is kept in the `_Slot` of each reference, guarded by identity.
"""

from __future__ import annotations

import sys
from types import FunctionType, ModuleType

from blake3 import blake3

from ddsimport.errors import UndigestibleError
from ddsimport.runtime import written
from ddsimport.runtime.uncached import UncachedError
from ddsimport.source.hook import is_tracked
from ddsimport.values.digest import digest, is_immutable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ddsimport.analysis.codehash import Codebook, Reach, Reference

_UNBOUND = b"unbound"
_AS_WRITTEN = b""
_MISSING: Any = object()


class Live:
    """The live tokens of one computation of a signature.

    Attributes:
        distributions: top-level import names of third-party code met, whose versions count.
        reaches: every `Reach` that was consulted, by identity.
        uncounted: sentences on globals that have no digest and count by their text.
    """

    def __init__(self, codebook: Codebook) -> None:
        self._codebook = codebook
        self._tokens: dict[int, bytes] = {}
        self._kept: list[object] = []
        self._active: dict[int, int] = {}
        self._deepest = sys.maxsize
        self._with_subclasses = False
        self.distributions: set[str] = set()
        self.reaches: dict[int, Reach] = {}
        self.uncounted: dict[str, None] = {}

    # --- what analysis reached --------------------------------------------------------------------

    def reach(self, reach: Reach, skipped: frozenset[int] = frozenset()) -> bytes:
        """32 bytes that stand for everything `reach` names, as text and as it is now.

        Args:
            skipped: positions of references that the caller counts otherwise: as inputs.
        """
        self.reaches[id(reach)] = reach
        self.distributions.update(reach.distributions)
        if reach.subclasses and not self._with_subclasses:
            self._with_subclasses = True
            self._tokens.clear()  # classes met before count differently from now on
        held = _held(reach, skipped)
        if held.digest is not None and held.is_unchanged():
            return held.digest
        hasher = blake3(reach.hash)
        for slot in held.slots:
            token = self._reference(slot)
            hasher.update(len(token).to_bytes(4, "little") + token)
        digest_now = hasher.digest()
        held.digest = digest_now
        return digest_now

    def lazy(self, reach: Reach) -> Iterable[tuple[str, bytes]]:
        """(label, token) of the references whose module is imported only when a function runs.

        They cannot be part of a signature: whether such a module is loaded depends on what ran
        before, and on a run of hits nothing runs. They are verified as part of the trace instead;
        a module that is not loaded is taken to define what its text (which is hashed) defines.
        """
        for position, slot in enumerate(_held(reach).lazy):
            if slot.loaded():
                yield f"{position}", self._reference(slot)

    def _reference(self, slot: _Slot) -> bytes:
        thing = slot.fetch()
        if thing is _MISSING:
            return _UNBOUND if slot.loaded() else self._text(slot.reference)
        if slot.remembers(thing):
            return slot.token
        before = self._deepest
        self._deepest = sys.maxsize
        token = self._token(slot.reference, thing)
        if self._deepest == sys.maxsize:
            slot.remember(thing, token)
        self._deepest = min(self._deepest, before)
        return token

    def _token(self, reference: Reference, thing: object) -> bytes:
        if reference.kind == "definition" and written.is_as_written(reference, thing):
            if isinstance(thing, type):
                return self.code_of(thing)
            added = written.additions(thing)
            if added is None:
                return _AS_WRITTEN
            thing = added
        thing = written.registered(thing) or thing
        try:
            return digest(thing, self.code_of)
        except UndigestibleError as error:
            name = ".".join((reference.module, *reference.chain))
            if not _counts_by_text(thing):
                raise UncachedError(
                    f"its code reads the global {name}, which has no digest "
                    f"({error.where or name}: {error.why}); pass what it needs as an argument, or "
                    "put `# dds: ignore` on the assignment of the global"
                ) from error
            self.uncounted[f"{name}{error.where} is not counted by value: {error.why}"] = None
            return self._text(reference)

    def _text(self, reference: Reference) -> bytes:
        """What stands for a name that has no value to digest: the text that binds it."""
        return self.reach(
            self._codebook.variable(reference.owner, reference.file, reference.qualname)
        )

    def globals(self) -> Iterator[tuple[str, object]]:
        """(dotted name, value) of the module variables that were looked at, code left out."""
        for reach in list(self.reaches.values()):
            for slot in _held(reach).slots:
                thing = slot.fetch()
                if thing is not _MISSING and slot.reference.kind == "variable":
                    yield ".".join((slot.reference.module, *slot.reference.chain)), thing

    def bindings(self) -> dict[tuple[str, str], object]:
        """What the globals that reached code may bind are bound to now."""
        return {
            (module, name): sys.modules[module].__dict__.get(name, _MISSING)
            for reach in list(self.reaches.values())
            for module, name in reach.rebound
            if module in sys.modules
        }

    # --- functions and classes --------------------------------------------------------------------

    def code_of(self, thing: Any) -> bytes:
        """The bytes that stand for the code of a live function, class or module (see
        `values.digest`)."""
        known = self._tokens.get(id(thing))
        if known is not None:
            return known
        depth = self._active.get(id(thing))
        if depth is not None:
            # A cycle through live objects: stands for "the one at this depth", so what is computed
            # below it must not be remembered on its own.
            self._deepest = min(self._deepest, depth)
            return b"cycle%d" % (len(self._active) - depth)
        depth = len(self._active)
        self._active[id(thing)] = depth
        before, self._deepest = self._deepest, sys.maxsize
        try:
            if isinstance(thing, type):
                token = self._class(thing)
            elif isinstance(thing, ModuleType):
                token = self._module(thing)
            else:
                token = self._function(thing)
        finally:
            del self._active[id(thing)]
        if self._deepest >= depth:
            self._tokens[id(thing)] = token
            self._kept.append(thing)
            self._deepest = before
        else:
            self._deepest = min(self._deepest, before)
        return token

    def _function(self, thing: Any) -> bytes:
        if not isinstance(thing, FunctionType):
            return self._installed(getattr(thing, "__module__", None) or "", thing)
        code = thing.__code__
        module = thing.__globals__.get("__name__") or thing.__module__
        if not is_tracked(code.co_filename):
            return self._installed(module, thing)
        try:
            reach = self._codebook.function(
                module, code.co_filename, thing.__qualname__, code.co_firstlineno
            )
        except (LookupError, OSError):
            return _bytecode(code)
        token = self.reach(reach)
        return token + _bytecode(code) if reach.ambiguous else token

    def _module(self, module: ModuleType) -> bytes:
        file = getattr(module, "__file__", None)
        if file is None or not is_tracked(file) or not file.endswith(".py"):
            return self._installed(module.__name__, module)
        return self.reach(self._codebook.module(module.__name__, file))

    def _class(self, cls: type) -> bytes:
        hasher = blake3(f"{cls.__qualname__}".encode())
        for base in cls.__mro__:
            file = written.file_of(base)
            if file is None:
                hasher.update(self._installed(base.__module__, base))
                continue
            try:
                reach = self._codebook.cls(base.__module__, file, base.__qualname__)
                hasher.update(self.reach(reach))
                differences = written.as_it_is(base, file)
            except (LookupError, OSError):
                differences = dict(vars(base))
            hasher.update(self._attributes(base, differences))
        if self._with_subclasses:
            derived: list[type] = type.__subclasses__(cls)
            derived.sort(key=lambda each: each.__qualname__)
            for each in derived:
                hasher.update(self.code_of(each))
        metaclass = type(cls)
        if metaclass is not type:
            hasher.update(self.code_of(metaclass))
        return hasher.digest()

    def _attributes(self, cls: type, attributes: dict[str, object]) -> bytes:
        counted: list[tuple[str, bytes]] = []
        for name, value in sorted(attributes.items()):
            if name in written.MACHINERY:
                continue
            try:
                counted.append((name, digest(value, self.code_of)))
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


class _Slot:
    """One reference of one `Reach`, with what its name was bound to when it was last looked at."""

    __slots__ = ("_code", "_parts", "_thing", "reference", "token")

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.token = b""
        self._thing: object = _MISSING
        self._parts: tuple[object, ...] = ()
        self._code: object = None

    def loaded(self) -> bool:
        return self.reference.module in sys.modules

    def fetch(self) -> Any:
        """The object the name is bound to, without running user code; `_MISSING` if unbound."""
        module = sys.modules.get(self.reference.module)
        thing: Any = _MISSING
        if module is not None:
            chain = self.reference.chain
            thing = module.__dict__.get(chain[0], _MISSING)
            for part in chain[1:]:
                if not isinstance(thing, ModuleType):
                    break
                thing = thing.__dict__.get(part, _MISSING)
        return thing

    def remembers(self, thing: Any) -> bool:
        """True if `token` still stands for `thing`: same object, and nothing in it can differ."""
        if thing is not self._thing:
            return False
        if type(thing) is FunctionType:
            return self._code is thing.__code__ and self._parts == _parts(thing)
        return True

    def remember(self, thing: Any, token: bytes) -> None:
        """Keep `token` for next time if identity alone can tell that it still holds."""
        if type(thing) is FunctionType:
            if (
                thing.__closure__
                or thing.__dict__
                or not written.is_as_written(self.reference, thing)
            ):
                return
            if not is_immutable(thing.__defaults__) or thing.__kwdefaults__:
                return
            self._code, self._parts = thing.__code__, _parts(thing)
        elif not is_immutable(thing):
            return
        self._thing, self.token = thing, token


def _parts(function: FunctionType) -> tuple[object, ...]:
    return (function.__defaults__, function.__kwdefaults__)


class _Held:
    """The slots of one `Reach`, and the token it last had.

    `digest` stands while every slot's name is bound to what it was bound to, and that cannot have
    changed in itself; a slot whose thing can (a list, an instance) never counts as unchanged.
    """

    __slots__ = ("digest", "lazy", "reach", "slots")

    def __init__(self, reach: Reach, skipped: frozenset[int]) -> None:
        self.reach = reach  # kept alive, so that no identity is used twice in `_HELD`
        self.slots = [
            _Slot(reference)
            for position, reference in enumerate(reach.references)
            if not reference.lazy and position not in skipped
        ]
        self.lazy = [_Slot(reference) for reference in reach.references if reference.lazy]
        self.digest: bytes | None = None

    def is_unchanged(self) -> bool:
        return all(slot.remembers(slot.fetch()) for slot in self.slots)


def _held(reach: Reach, skipped: frozenset[int] = frozenset()) -> _Held:
    held = _HELD.get((id(reach), skipped))
    if held is None:
        held = _HELD[id(reach), skipped] = _Held(reach, skipped)
    return held


_HELD: dict[tuple[int, frozenset[int]], _Held] = {}


def _counts_by_text(thing: Any) -> bool:
    """Whether a global without a digest may count by the text that binds it: what is called (its
    code is in the text), locks, loggers, connections and standard streams. Anything else (an
    iterator, a queue, an object with a lock inside) has state that the text cannot tell."""
    kind = type(thing)
    return (
        any("__call__" in vars(base) for base in kind.__mro__)
        or kind.__module__.partition(".")[0] in _UNCOUNTED_LIBRARIES
        or any(thing is stream for stream in (sys.stdin, sys.stdout, sys.stderr))
    )


_UNCOUNTED_LIBRARIES = frozenset({"_socket", "_thread", "logging", "socket", "sqlite3", "ssl"})


def _bytecode(code: Any) -> bytes:
    """What stands for code whose text cannot be found (`exec`): its instructions and constants."""
    constants = tuple(
        _bytecode(constant) if hasattr(constant, "co_code") else repr(constant)
        for constant in code.co_consts
    )
    return digest((code.co_name, code.co_code, constants, code.co_names, code.co_varnames))
