"""The names that reached code refers to, and what each was bound to when last looked at.

Between two computations of a signature in one process, most names are bound to what they were; a
slot knows by identity alone where that settles the matter.
"""

from __future__ import annotations

import builtins
import sys
from _thread import get_ident
from types import FunctionType, ModuleType

from ddsimport.runtime import installed, written
from ddsimport.runtime.deferred import Deferred, actual, namespace_of
from ddsimport.values.digest import is_immutable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.analysis.codehash import Codebook, Reach, Reference

_BUILTINS = vars(builtins)
MISSING: Any = object()
"""Stands for a name that is not bound."""


class Slot:
    """One reference of one `Reach`, with what its name was bound to when it was last looked at.

    Attributes:
        reference: the name.
        token: what stands for what it is bound to, while `remembers` says so.
        told: what stood for it when it was last looked at.
    """

    __slots__ = (
        "_code", "_module", "_name", "_parts", "_rest", "_thing", "reference", "token", "told",
    )  # fmt: skip

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self._module = reference.module
        self._name, *rest = reference.chain
        self._rest = tuple(rest)
        self.token = self.told = b""
        self._thing: object = MISSING
        self._parts: tuple[object, ...] = ()
        self._code: object = None

    def loaded(self) -> bool:
        module = sys.modules.get(self.reference.module)
        return module is not None and not _is_half_there(self.reference.module, module)

    def fetch(self) -> Any:
        """The object the name is bound to, without running user code; `MISSING` if unbound."""
        module = sys.modules.get(self._module)
        if module is None:
            return MISSING
        # Written out where most slots are: a hit asks each of them.
        space = module.__dict__ if type(module) is ModuleType else namespace_of(module)
        thing: Any = space.get(self._name, MISSING)
        if type(thing) is Deferred:
            thing = thing.actual()
        if thing is MISSING and self.reference.kind == "variable":
            thing = _BUILTINS.get(self._name, MISSING)  # what a program has put there
        for part in self._rest:
            if not isinstance(thing, ModuleType):
                break
            thing = actual(namespace_of(thing).get(part, MISSING))
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
        if self.reference.kind == "installed":
            if not installed.is_settled(self.reference.owner, thing):
                return
            if type(thing) is FunctionType:
                self._code, self._parts = thing.__code__, _parts(thing)
        elif type(thing) is FunctionType:
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


def _is_half_there(name: str, module: object) -> bool:
    """Whether another thread is in the middle of importing a module: the code that asks will see
    its globals as they are afterwards, for an import waits. (We must not: that thread may come to
    wait for a step which is ours.)"""
    if not getattr(getattr(module, "__spec__", None), "_initializing", False):
        return False
    reference = sys.modules["_frozen_importlib"]._module_locks.get(name)
    lock = reference() if reference is not None else None
    return lock is not None and lock.owner not in (None, get_ident())


def _parts(function: FunctionType) -> tuple[object, ...]:
    return (function.__defaults__, function.__kwdefaults__)


class Held:
    """The slots of one `Reach`, and the token it last had.

    `digest` stands while every slot's name is bound to what it was bound to, and that cannot have
    changed in itself; a slot whose thing can (a list, an instance) never counts as unchanged.
    """

    __slots__ = ("digest", "lazy", "placed", "reach", "slots")

    def __init__(self, reach: Reach, skipped: frozenset[int]) -> None:
        self.reach = reach  # kept alive, so that no identity is used twice among those
        self.slots = [
            Slot(reference)
            for position, reference in enumerate(reach.references)
            if not reference.lazy and position not in skipped
        ]
        self.lazy = [Slot(reference) for reference in reach.references if reference.lazy]
        self.digest: bytes | None = None
        self.placed = False

    def is_unchanged(self) -> bool:
        for slot in self.slots:  # noqa: SIM110 - a generator takes half as long again, in each hit
            if not slot.remembers(slot.fetch()):
                return False
        return True


def held(codebook: Codebook, reach: Reach, skipped: frozenset[int], reflects: int) -> Held:
    """What is remembered of an answer of this codebook, as long as that is."""
    known = codebook.remembered.get((id(reach), skipped, reflects))
    if known is None:
        known = codebook.remembered[id(reach), skipped, reflects] = Held(reach, skipped)
    return known
