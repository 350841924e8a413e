"""Values from the store that are not loaded until something but a step looks at them.

While a hit's value waits, a `Deferred` stands in the namespace of its module, under names that
nothing in the module's own text but steps at module level reads (`source.unread`). A step that
takes it counts its digest, which the store knows. Whoever else may come by a name of a module,
comes by the module: by an attribute, by `from module import name`, by its `__dict__`. So as long as
values wait in it, the module is of a class of its own, on which descriptors of these names have
them loaded; nothing else of it is touched, and no frame of ours is on the way of anything else.
(`importlib.util.LazyLoader` changes the class of its modules, too.) When the last value is there,
the module is as it was.

What remains is code that gets at a namespace without asking the module. So nothing waits where
somebody may have the namespace from before (a module that is loaded again, `runpy`), nor once code
was loaded whose text speaks of frames, of the globals of functions, of the class of modules, or
which is the debugger: what waits by then is loaded before that runs.
"""

from __future__ import annotations

import importlib
import os
import sys
from _thread import get_ident
from _weakref import ref
from types import ModuleType

from ddsimport import forks
from ddsimport.runtime import carried, installed, recorder
from ddsimport.source import tracked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType
    from typing import Any

    from ddsimport.report.events import Waiting

_RUNNER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "runner.py")
_IMPORTLIB = "<frozen importlib._bootstrap>"
_ABSENT: Any = object()

_lock = forks.lock()

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
        names: what the value, or each of its parts, will be bound to.
        digests: of the value, or of each of its parts.
        classes: see `Candidate.classes`.
        waiting: is told when it has been loaded.

    Attributes:
        loading: the thread that loads it, 0 if none does.
    """

    def __init__(
        self,
        load: Callable[[], Any],
        names: list[str],
        digests: list[bytes],
        classes: tuple[str, ...],
        waiting: Waiting,
    ) -> None:
        self._load = load
        self._names = names
        self._parts = [Deferred(digest, classes, self) for digest in digests]
        self._waiting = waiting
        self.loading = 0

    def wait_in(self, namespace: dict[str, Any]) -> Deferred | list[Deferred]:
        """What stands for it, to be bound at once in a namespace that it may wait in."""
        for part, name in zip(self._parts, self._names, strict=True):
            part.wait_as(name, namespace)
        return list(self._parts) if len(self._names) > 1 else self._parts[0]

    def load(self) -> None:
        """Bind it wherever it waits. Raises what loading it raises."""
        self.loading = get_ident()
        try:
            with recorder.unrecorded():  # not under the lock: it may import
                value = self._load()
        finally:
            self.loading = 0
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
        if self.waits():
            self._value.load()
        return self._actual

    def waits(self) -> bool:
        """Whether it has not been loaded."""
        return self._actual is _ABSENT

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
            if not issubclass(type(module), _Watched):
                _CLASS.__set__(module, type(ModuleType.__name__, (_Watched,), _NAMED))
            setattr(type(module), name, _Name(name))
            tracked.on_load = _about_to_load

    def arrive(self, value: Any) -> None:
        """Bind what it stands for in its place."""
        self._actual = value
        carried.note(value, self.digest)
        for place, name in self._places:
            module = place()
            if module is not None:
                _settle(module, name)

    def __repr__(self) -> str:
        """That of the value: whoever shows the variables of a frame comes by no module."""
        return repr(self.actual())


def may_wait_in(frame: FrameType) -> bool:
    """Whether values may wait in the namespace of a module whose code runs in `frame`."""
    namespace = frame.f_globals
    module = sys.modules.get(namespace["__name__"])
    return (
        frame.f_locals is namespace
        and (type(module) is ModuleType or issubclass(type(module), _Watched))
        and namespace_of(module) is namespace
        and _runs_first(frame)
        and sys.gettrace() is None
        and not sys.flags.inspect
        and not hasattr(sys, "ps1")
        and "bdb" not in sys.modules
        and not installed.modules_are_looked_into()
    )


def _runs_first(frame: FrameType) -> bool:
    """Whether nobody can have got hold of the namespace before the code of the module ran in it."""
    if getattr(frame.f_globals.get("__spec__"), "_initializing", False):
        return True
    caller = frame.f_back
    if frame.f_globals["__name__"] != "__main__" or caller is None:
        return False
    if caller.f_code.co_filename == _RUNNER:
        return True
    starter = caller.f_back  # `-m`: by way of `runpy`
    return starter is not None and starter.f_code.co_name == "_run_module_as_main"


def _about_to_load(path: str) -> None:
    """Have everything loaded before a file is that may look into modules."""
    if not _waiting:
        return
    try:
        with open(path, "rb") as file:
            text = file.read()
    except OSError:
        return
    if installed.looks_into_modules(text):
        for identity in list(_waiting):
            _load_all_in(identity)


def actual(thing: Any) -> Any:
    """`thing`, or what it stands for."""
    return thing.actual() if type(thing) is Deferred else thing


def load_all(namespace: dict[str, Any]) -> None:
    """Load all that waits in a namespace."""
    _load_all_in(id(namespace))


def _load_all_in(identity: int) -> None:
    for each in list(_waiting.get(identity, {}).values()):
        if not each.arrives():
            each.actual()


def _settle(module: ModuleType, name: str) -> Any:
    """What `name` is bound to, now without a stand-in if that has been loaded; `_ABSENT` if it is
    bound to nothing."""
    namespace = namespace_of(module)
    found = namespace.get(name, _ABSENT)
    if type(found) is Deferred and not found.waits():
        found = namespace[name] = found.actual()
        waiting = _waiting.get(id(namespace), {})
        waiting.pop(name, None)
        if not waiting:
            _waiting.pop(id(namespace), None)
            _CLASS.__set__(module, ModuleType)
    return found


def namespace_of(module: Any) -> dict[str, Any]:
    """The `__dict__` of a module, for us, who know what may stand in it."""
    watched = issubclass(type(module), _Watched)
    namespace: dict[str, Any] = _DICT.__get__(module) if watched else module.__dict__
    return namespace


def let_wait(code: CodeType, names: dict[str, str]) -> None:
    """Note what the code of a module imports for its steps only: {name there: name here}."""
    _imported[id(code)] = code, names


def _may_pass(deferred: Deferred, name: str) -> bool:
    """Whether an attribute of a module is asked for by an import that binds it for steps only; it
    waits there too, then."""
    try:
        asking = sys._getframe(2)
    except ValueError:  # nobody's frame: a thread, or the interpreter's end, calls `getattr`
        return False
    code = asking.f_code
    if code.co_name == "_handle_fromlist" and code.co_filename == _IMPORTLIB:
        return True  # asks whether there is one, and looks no further
    _, names = _imported.get(id(code), (None, {}))
    if name not in names or not may_wait_in(asking):
        return False
    from opcode import opmap  # few runs come here

    if code.co_code[asking.f_lasti] != opmap["IMPORT_FROM"]:
        return False
    deferred.wait_as(names[name], asking.f_globals)
    return True


class _Name:
    """On the class of a watched module: one of the names under which values wait in it."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, module: Any, kind: type) -> Any:
        if module is None:
            return self
        found = _settle(module, self._name)
        if found is _ABSENT:
            raise AttributeError(self._name)  # modules say it in words of their own
        if type(found) is Deferred and not _may_pass(found, self._name):
            return found.actual()
        return found

    def __set__(self, module: Any, value: Any) -> None:
        namespace_of(module)[self._name] = value

    def __delete__(self, module: Any) -> None:
        try:
            del namespace_of(module)[self._name]
        except KeyError:
            raise AttributeError(self._name) from None


_CLASS: Any = vars(object)["__class__"]
_DICT: Any = vars(ModuleType)["__dict__"]
_NAMED = {"__module__": ModuleType.__module__}


def _dict(module: ModuleType) -> dict[str, Any]:
    load_all(namespace_of(module))
    return namespace_of(module)


def _set_class(module: ModuleType, kind: type) -> None:
    load_all(namespace_of(module))
    _CLASS.__set__(module, kind)


class _Watched(ModuleType):
    """The class of a module while values wait in it, but for their names."""

    __dict__ = property(_dict)
    __class__ = property(lambda module: ModuleType, _set_class)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """As of a module, which is not pickled. Those that pickle one by its exact type, as
        cloudpickle does, ask a subclass."""
        load_all(namespace_of(self))
        if "cloudpickle" in sys.modules or "dill" in sys.modules:
            return importlib.import_module, (self.__name__,)
        return ModuleType.__reduce_ex__(self, protocol)
