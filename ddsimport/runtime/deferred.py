"""Values from the store that are not loaded until something but a step looks at them.

While a hit's value waits, a `Deferred` stands in the namespace of its module, under names that
nothing in the module's own text but steps reads (`source.unread`). A step that takes it counts its
digest, which the store knows. Whoever else may come by a name of a module, comes by the module: by
an attribute, by `from module import name`, by its `__dict__`. So as long as values wait in it, the
module is of a class that has them loaded when they are asked for (as `importlib.util.LazyLoader`
makes its modules), and `__class__` says what it always does. When the last one is there, the module
is as it was.

What remains are frames and functions of the module in the hands of installed code that reads their
globals by itself: debuggers. So nothing waits while a trace function is set or the interpreter is
to be interactive.
"""

from __future__ import annotations

import importlib
import sys
from _thread import RLock, get_ident
from _weakref import ref
from types import ModuleType

from ddsimport.runtime import carried, recorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType
    from typing import Any

    from ddsimport.report.events import Waiting

_IMPORTLIB = "<frozen importlib._bootstrap>"
_ABSENT: Any = object()

_lock = RLock()

_waiting: dict[int, dict[str, Deferred]] = {}
"""Identity of a module's namespace -> what waits in it, by name. Nothing here holds the module: it
must end when it would have ended."""


_imported: dict[int, tuple[CodeType, dict[str, str]]] = {}
"""Identity of the code of a module -> that code, and what it imports for its steps only: the name
there, and here."""


class Value:
    """A value that waits, in one part or several: loaded once, in whole.

    Args:
        load: gives the value.
        digests: of the value, or of each of its parts.
        classes: see `Candidate.classes`.
        waiting: is told when it has been loaded.

    Attributes:
        loading: the thread that loads it, 0 if none does.
    """

    def __init__(
        self,
        load: Callable[[], Any],
        digests: list[bytes],
        classes: tuple[str, ...],
        waiting: Waiting,
    ) -> None:
        self._load = load
        self._parts = [Deferred(digest, classes, self) for digest in digests]
        self._waiting = waiting
        self.loading = 0

    def wait_as(self, names: list[str], namespace: dict[str, Any]) -> Deferred | list[Deferred]:
        """What stands for it, to be bound at once to `names` in a namespace that it may wait in."""
        for part, name in zip(self._parts, names, strict=True):
            part.wait_as(name, namespace)
        return list(self._parts) if len(names) > 1 else self._parts[0]

    def load(self) -> None:
        """Bind it wherever it waits. Raises what loading it raises."""
        self.loading = get_ident()
        with recorder.unrecorded():  # not under the lock: it may import
            value = self._load()
        with _lock:
            if self._waiting.loaded:
                return  # another thread was faster
            self._waiting.loaded = True
            values = list(value) if len(self._parts) > 1 else [value]
            for part, each in zip(self._parts, values, strict=True):
                part.arrive(each)
            self._parts.clear()


class Deferred:
    """Stands for a value, or for one part of it, wherever that is bound.

    Attributes:
        digest: of what it stands for.
        classes: see `Candidate.classes`.
    """

    __slots__ = ("_actual", "_places", "_value", "classes", "digest")

    def __init__(self, digest: bytes, classes: tuple[str, ...], value: Value) -> None:
        self.digest = digest
        self.classes = classes
        self._value = value
        self._actual: Any = _ABSENT
        self._places: list[tuple[ref[ModuleType], str]] = []

    def actual(self) -> Any:
        """What it stands for, now bound in its place. Raises what loading it raises."""
        if self._actual is _ABSENT:
            self._value.load()
        return self._actual

    def arrives(self) -> bool:
        """Whether this thread is loading it: a library that is imported for it looks at all there
        is in a module."""
        return self._value.loading == get_ident()

    def wait_as(self, name: str, namespace: dict[str, Any]) -> None:
        """Note that it is about to be bound to `name` in a namespace that it may wait in."""
        module, identity = sys.modules[namespace["__name__"]], id(namespace)
        with _lock:
            _waiting.setdefault(identity, {})[name] = self
            self._places.append((ref(module, lambda _: _waiting.pop(identity, None)), name))
            object.__setattr__(module, "__class__", _Watched)

    def arrive(self, value: Any) -> None:
        """Bind what it stands for in its place."""
        self._actual = value
        carried.note(value, self.digest)
        for place, name in self._places:
            module = place()
            if module is None:
                continue
            namespace = namespace_of(module)
            if namespace.get(name) is self:
                namespace[name] = value
            waiting = _waiting.get(id(namespace), {})
            if waiting.get(name) is self:
                del waiting[name]
            if not waiting:
                _waiting.pop(id(namespace), None)
                if type(module) is _Watched:
                    object.__setattr__(module, "__class__", ModuleType)
        self._places.clear()

    def __repr__(self) -> str:
        """That of the value: whoever shows the variables of a frame comes by no module."""
        return repr(self.actual())


def may_wait_in(namespace: dict[str, Any]) -> bool:
    """Whether values may wait in a namespace: that of a module which can be watched."""
    module = sys.modules.get(namespace["__name__"])
    return (
        type(module) in (ModuleType, _Watched)
        and namespace_of(module) is namespace
        and sys.gettrace() is None
        and not sys.flags.inspect
        and not hasattr(sys, "ps1")
    )


def actual(thing: Any) -> Any:
    """`thing`, or what it stands for."""
    return thing.actual() if type(thing) is Deferred else thing


def load_all(namespace: dict[str, Any]) -> None:
    """Load all that waits in a namespace."""
    for each in list(_waiting.get(id(namespace), {}).values()):
        if not each.arrives():
            each.actual()


def namespace_of(module: Any) -> dict[str, Any]:
    """The `__dict__` of a module, for us, who know what may stand in it."""
    namespace: dict[str, Any] = (
        object.__getattribute__(module, "__dict__") if type(module) is _Watched else module.__dict__
    )
    return namespace


def let_wait(code: CodeType, names: dict[str, str]) -> None:
    """Note what the code of a module imports for its steps only: {name there: name here}."""
    _imported[id(code)] = code, names


def _may_pass(deferred: Deferred, name: str, asking: FrameType) -> bool:
    """Whether an attribute of a module is asked for by an import that binds it for steps only; it
    waits there too, then."""
    code = asking.f_code
    if code.co_name == "_handle_fromlist" and code.co_filename == _IMPORTLIB:
        return True  # asks whether there is one, and looks no further
    _, names = _imported.get(id(code), (None, {}))
    if name not in names or not may_wait_in(asking.f_globals):
        return False
    from opcode import opmap  # few runs come here

    if code.co_code[asking.f_lasti] != opmap["IMPORT_FROM"]:
        return False
    deferred.wait_as(names[name], asking.f_globals)
    return True


class _Watched(ModuleType):
    """The class of a module while values wait in it."""

    def __getattribute__(self, name: str) -> Any:
        if name == "__dict__":
            load_all(namespace_of(self))
        elif name == "__class__":
            return ModuleType
        found = ModuleType.__getattribute__(self, name)
        if type(found) is Deferred and not _may_pass(found, name, sys._getframe(1)):
            return found.actual()
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "__class__":
            load_all(namespace_of(self))
        ModuleType.__setattr__(self, name, value)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """As of a module, which is not pickled. Those that pickle one by its exact type, as
        cloudpickle does, ask a subclass."""
        load_all(namespace_of(self))
        if "cloudpickle" in sys.modules or "dill" in sys.modules:
            return importlib.import_module, (self.__name__,)
        return ModuleType.__reduce_ex__(self, protocol)


_Watched.__name__ = _Watched.__qualname__ = ModuleType.__name__
_Watched.__module__ = ModuleType.__module__
