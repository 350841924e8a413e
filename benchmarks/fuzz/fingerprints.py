"""What a value is, as text: to compare values of two processes.

Made without ddsimport's own digest on purpose: what is wrong there must not be believed here.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import types
from collections.abc import Callable
from typing import Any

_PLAIN = (bool, int, float, complex, str, bytes, bytearray, type(None), type(...), range)
_HIDDEN = frozenset({"__dict__", "__weakref__", "__doc__", "__module__", "__qualname__"})


def fingerprint(value: object) -> str:
    """Equal for equal values, functions in it included, whatever process made them."""
    return hashlib.sha256(repr(_Shape().of(value)).encode()).hexdigest()[:16]


def binding_fingerprint(value: object) -> str:
    """As `fingerprint`, but the code of a function or class by its name only.

    That is what a name which code reads is bound to: `f` is still `f` when its body is edited.
    """
    return hashlib.sha256(repr(_Shape(code=False).of(value)).encode()).hexdigest()[:16]


class _Shape:
    """Values as nested tuples of strings; a second sight of an object is its number."""

    def __init__(self, *, code: bool = True) -> None:
        self._code = code
        self._seen: dict[int, int] = {}
        self._alive: list[object] = []

    def of(self, value: object) -> Any:
        if type(value) in _PLAIN:
            return type(value).__name__, repr(value)
        if id(value) in self._seen:
            return "again", self._seen[id(value)]
        self._seen[id(value)] = len(self._seen)
        self._alive.append(value)
        if isinstance(value, types.ModuleType):
            return "module", value.__name__
        if isinstance(value, type):
            return self._class(value)
        for kind, shape in _KINDS:
            if isinstance(value, kind):
                return type(value).__qualname__, shape(self, value)
        return type(value).__module__, type(value).__qualname__, self._state(value)

    def inside(self, value: object) -> Any:
        """Something in a container: there, the code of functions is part of the value."""
        outer, self._code = self._code, True
        try:
            return self.of(value)
        finally:
            self._code = outer

    def _class(self, value: type) -> Any:
        own = {
            name: self.of(each)
            for name, each in vars(value).items()
            if name not in _HIDDEN and not name.startswith(("_abc", "__dataclass", "__annot"))
            if name not in ("__static_attributes__", "__firstlineno__", "__subclasshook__")
        }
        bases = [base.__qualname__ for base in value.__bases__]
        if value.__module__ == "builtins":
            return "class", value.__qualname__
        return "class", value.__module__, value.__qualname__, bases, sorted(own.items())

    def function(self, value: types.FunctionType) -> Any:
        cells = []
        for cell in value.__closure__ or ():
            try:
                cells.append(self.of(cell.cell_contents))
            except ValueError:
                cells.append("empty")
        return (
            value.__module__,
            value.__qualname__,
            self.of(value.__defaults__),
            self.of(value.__kwdefaults__),
            cells,
            code_shape(value.__code__) if self._code else None,
        )

    def _state(self, value: object) -> Any:
        state: list[Any] = []
        if hasattr(value, "__dict__"):
            state.append(sorted((name, self.inside(each)) for name, each in vars(value).items()))
        for kind in type(value).__mro__:
            slots = vars(kind).get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else tuple(slots):
                if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                    state.append((name, self.inside(getattr(value, name))))
        if isinstance(value, BaseException):
            state.append(self.inside(value.args))
        return state


def code_shape(code: types.CodeType) -> Any:
    """What a code object does, without its place and its docstring."""
    constants = [
        code_shape(each) if isinstance(each, types.CodeType) else repr(each)
        for each in code.co_consts
    ]
    return code.co_name, code.co_code.hex(), constants, code.co_names, code.co_varnames


def _numpy_array(shape: _Shape, value: Any) -> Any:
    if value.dtype.hasobject:
        return value.shape, [shape.inside(each) for each in value.ravel().tolist()]
    return str(value.dtype), value.shape, value.tobytes().hex()


def _kinds() -> list[tuple[Any, Callable[[_Shape, Any], Any]]]:
    kinds: list[tuple[Any, Callable[[_Shape, Any], Any]]] = [
        (types.FunctionType, _Shape.function),
        (types.BuiltinFunctionType, lambda shape, it: (it.__module__, it.__qualname__)),
        (types.MethodType, lambda shape, it: (shape.of(it.__func__), shape.inside(it.__self__))),
        (property, lambda shape, it: [shape.of(each) for each in (it.fget, it.fset)]),
        ((classmethod, staticmethod), lambda shape, it: shape.of(it.__func__)),
        (
            functools.partial,
            lambda shape, it: [shape.inside(each) for each in (it.func, it.args, it.keywords)],
        ),
        (enum.Enum, lambda shape, it: (it.name, shape.inside(it.value))),
        (
            (dict, types.MappingProxyType),
            lambda shape, it: (
                [(shape.inside(key), shape.inside(each)) for key, each in it.items()],
                [] if type(it) in (dict, types.MappingProxyType) else shape._state(it),
            ),
        ),
        (
            (list, tuple),
            lambda shape, it: (
                [shape.inside(each) for each in it],
                [] if type(it) in (list, tuple) else shape._state(it),
            ),
        ),
        ((set, frozenset), lambda shape, it: sorted(repr(_Shape().of(each)) for each in it)),
        (
            (int, float, str, bytes),
            lambda shape, it: (repr(it), shape._state(it)),
        ),
    ]
    try:
        import numpy
    except ImportError:
        return kinds
    kinds.append((numpy.ndarray, _numpy_array))
    kinds.append((numpy.generic, lambda shape, it: (str(it.dtype), it.tobytes().hex())))
    return kinds


_KINDS = _kinds()
