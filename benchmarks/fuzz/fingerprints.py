"""What a value is, as text: to compare values of two processes.

Made without ddsimport's own digest on purpose: what is wrong there must not be believed here.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import sys
import types
from collections.abc import Callable
from typing import Any

_PLAIN = (bool, int, float, complex, str, bytes, bytearray, type(None), type(...), range)
_HIDDEN = frozenset(
    f"__{name}__"
    for name in (
        *("dict", "doc", "firstlineno", "module", "qualname", "slotnames", "static_attributes"),
        *("subclasshook", "weakref"),
    )
)


def fingerprint(value: object) -> str:
    """Equal for equal values, functions in it included, whatever process made them."""
    return _hashed(_Shape().of(value))


def binding_fingerprint(value: object) -> str:
    """What a name that code reads is bound to: `f` is still `f` when its body is edited.

    As `fingerprint`, but the code of functions by their names only, and with what the classes of
    instances are: bases, attributes, names of methods.
    """
    return _hashed(_Shape(code=False, classes=True).of(value))


def deep_fingerprint(value: object) -> str:
    """As `fingerprint`, but with the classes of instances, the code of their methods included."""
    return _hashed(_Shape(classes=True).of(value))


def _hashed(shape: Any) -> str:
    return hashlib.sha256(repr(shape).encode()).hexdigest()[:16]


class _Shape:
    """Values as nested tuples of strings; a second sight of an object is its number."""

    def __init__(self, *, code: bool = True, classes: bool = False) -> None:
        self._code = code
        self._classes = classes
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
                return self._kind(value), shape(self, value)
        return self._kind(value), self._state(value)

    def _kind(self, value: object) -> Any:
        kind = type(value)
        return self.of(kind) if self._classes else (kind.__module__, kind.__qualname__)

    def inside(self, value: object) -> Any:
        """Something in a container: there, the code of functions is part of the value."""
        if not isinstance(value, types.FunctionType):
            return self.of(value)
        outer, self._code = self._code, True
        try:
            return self.of(value)
        finally:
            self._code = outer

    def _class(self, value: type) -> Any:
        if not _is_of_program(value):
            return "class", value.__module__, value.__qualname__
        own = {
            name: self.of(each)
            for name, each in vars(value).items()
            if name not in _HIDDEN and not name.startswith(("_abc", "__dataclass_"))
        }
        bases = [self.of(base) for base in value.__bases__]
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


def _is_of_program(kind: type) -> bool:
    file = getattr(sys.modules.get(kind.__module__), "__file__", None) or ""
    return bool(file) and "site-packages" not in file and not file.startswith(sys.base_prefix)


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
