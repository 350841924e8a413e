"""Instances: which encoding a class gets, and the state of those that know nothing of digests.

An instance is its class and its state. Its class counts by the code that stands for it; its state
is what pickle would keep, taken apart and encoded piece by piece (the bytes of a pickle depend on
the identity of strings, on the hash seed and on the version of Python).
"""

from __future__ import annotations

import copyreg
import types
from operator import attrgetter, itemgetter
from weakref import WeakKeyDictionary

from ddsimport.values import _builtins, _code, _registry
from ddsimport.values._columns import items
from ddsimport.values._encoder import BODIES, LEAVES, Encoder, RefusalError, named
from ddsimport.values._reduced import exception, lazy_names, pickle_buffer, reduced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ddsimport.values._encoder import Body

_ENUM = named("enum")

# Modules (by the first part of the name) whose classes have encodings of ours, imported when the
# first value of theirs is met: before that, theirs need not even be installed.
_LIBRARIES = {
    "_io": "_refused",
    "_pydatetime": "_stdlib",
    "_pydecimal": "_stdlib",
    "_struct": "_stdlib",
    "_thread": "_refused",
    "_zoneinfo": "_stdlib",
    "asyncio": "_refused",
    "_contextvars": "_stdlib",
    "collections": "_stdlib",
    "concurrent": "_refused",
    "datetime": "_stdlib",
    "decimal": "_stdlib",
    "fractions": "_stdlib",
    "functools": "_code",
    "io": "_refused",
    "itertools": "_refused",
    "logging": "_stdlib",
    "matplotlib": "_plots",
    "numpy": "_numpy",
    "pandas": "_pandas",
    "pathlib": "_stdlib",
    "polars": "_polars",
    "py4j": "_spark",
    "pyarrow": "_arrow",
    "pyspark": "_spark",
    "re": "_stdlib",
    "scipy": "_models",
    "sklearn": "_models",
    "socket": "_refused",
    "_socket": "_refused",
    "threading": "_refused",
    "torch": "_torch",
    "uuid": "_stdlib",
    "weakref": "_refused",
    "xarray": "_xarray",
    "zoneinfo": "_stdlib",
}
_BUILTIN_CONTENT: dict[type, Callable[[Encoder, Any], None]] = {
    dict: _builtins.mapping_items,
    set: _builtins.set_items,
    frozenset: _builtins.set_items,
    list: lambda encoder, value: items(encoder, list.__getitem__(value, slice(None))),
    tuple: lambda encoder, value: items(encoder, tuple.__getitem__(value, slice(None))),
    int: lambda encoder, value: LEAVES[int](encoder.out, int.__int__(value)),
    float: lambda encoder, value: LEAVES[float](encoder.out, float.__float__(value)),
    complex: lambda encoder, value: LEAVES[complex](
        encoder.out, complex(complex.real.__get__(value), complex.imag.__get__(value))
    ),
    str: lambda encoder, value: LEAVES[str](encoder.out, str.__str__(value)),
    bytes: lambda encoder, value: LEAVES[bytes](encoder.out, bytes.__getitem__(value, slice(None))),
    bytearray: lambda encoder, value: LEAVES[bytearray](encoder.out, value),
}
# Methods of built-in classes, compared by identity.
_DEFAULT_REDUCE: set[Any] = {
    object.__reduce__,
    set.__reduce__,
    frozenset.__reduce__,
    bytearray.__reduce__,
}
_DEFAULT_REDUCE_EX: set[Any] = {object.__reduce_ex__, bytearray.__reduce_ex__}
_OBJECT_GETSTATE = getattr(object, "__getstate__", None)  # Python 3.11 gave it one


class _Shape:
    """What a class says of its instances, whoever digests them.

    Attributes:
        slots: what gives the value of each slot, by name (private names as the compiler has them).
        lazy: names of cached properties.
        content: encodes what an instance holds as a list, a dict or the like; None for others.
    """

    __slots__ = ("content", "lazy", "slots")

    def __init__(self, kind: type) -> None:
        self.slots = _slots(kind)
        self.lazy = lazy_names(kind)
        self.content = _builtin_base(kind)


# Found out once per class. (A class whose pickling is changed later on keeps its first rule: its
# instances are still told apart by their attributes.)
_rules: WeakKeyDictionary[type, Body | _Shape] = WeakKeyDictionary()


def body_of(encoder: Encoder, kind: type) -> Body:
    """What encodes the instances of a class."""
    registered = _registry.body_of(kind)
    if registered is not None:
        return registered
    rule = _rules.get(kind)
    if rule is None:
        rule = _rules[kind] = _rule(kind)
    if not isinstance(rule, _Shape):
        return rule
    return reduced if kind in copyreg.dispatch_table else PlainState(encoder, kind, rule)


def _rule(kind: type) -> Body | _Shape:
    """The first that fits."""
    # Not `hasattr`: some metaclasses have whatever they are asked for.
    if any("__dds_digest__" in base.__dict__ for base in kind.__mro__):
        return _registry.own_word
    if _is_enum(kind):  # before the libraries: socket and re have enums, too
        return _enum
    for base in kind.__mro__[:-1]:
        library = _LIBRARIES.get(base.__module__.partition(".")[0])
        if library is not None:
            body: Body | None = _import(library).body_of(kind)
            if body is not None:
                return body
    if issubclass(kind, BaseException):
        return exception
    if issubclass(kind, type):
        return _code.encode_class
    if kind.__module__ == "builtins" and kind.__name__ in _CANNOT:
        return _refuse(_CANNOT[kind.__name__])
    if _is_plain(kind):
        shape = _Shape(kind)
        if shape.content is not None or not _hides_state(kind, shape.slots):
            return shape
    if kind.__name__ == "PickleBuffer":
        return pickle_buffer
    return reduced


_CANNOT = {
    "generator": "a generator can be consumed only once",
    "coroutine": "a coroutine can be awaited only once",
    "async_generator": "an asynchronous generator can be consumed only once",
    "frame": "a frame is a running program, not a value",
    "traceback": "a traceback is a running program, not a value",
    "code": "a code object has no digest; pass the function",
    "cell": "a closure cell has no digest of its own",
}


def _refuse(why: str) -> Body:
    def refuse(encoder: Encoder, value: object) -> None:
        raise RefusalError(value, why)

    return refuse


def _import(library: str) -> Any:
    from importlib import import_module

    module: Any = import_module(f"ddsimport.values.{library}")
    return module


def _is_enum(kind: type) -> bool:
    import sys

    enum = sys.modules.get("enum")
    return enum is not None and issubclass(kind, enum.Enum)


def _builtin_base(kind: type) -> Callable[[Encoder, Any], None] | None:
    for base in kind.__mro__:
        content = _BUILTIN_CONTENT.get(base)
        if content is not None:
            return content
    return None


def _is_plain(kind: type) -> bool:
    """Whether pickle would keep just content, `__dict__` and slots: no rule of the class's own."""
    if kind.__reduce_ex__ not in _DEFAULT_REDUCE_EX or kind.__reduce__ not in _DEFAULT_REDUCE:
        return False
    for name in ("__getnewargs_ex__", "__getnewargs__"):
        if not _inert(kind, name):
            return False
    getstate = getattr(kind, "__getstate__", None)
    # dataclasses(slots=True) make one whose result differs between versions of Python.
    return getstate is _OBJECT_GETSTATE or getattr(getstate, "__module__", "") == "dataclasses"


def _inert(kind: type, name: str) -> bool:
    """Whether a method is missing or is that of a built-in class or of a named tuple."""
    for base in kind.__mro__:
        if name in base.__dict__:
            return base in _BUILTIN_CONTENT or (base.__base__ is tuple and hasattr(base, "_fields"))
    return True


def _hides_state(kind: type, slots: dict[str, Any]) -> bool:
    """Whether instances are larger than what attributes take: then they have a state in C.

    As `object.__reduce_ex__` finds it out, which refuses such classes; digests of two of them that
    saw attributes only would be equal.
    """
    pointer = tuple.__itemsize__
    size = object.__basicsize__ + pointer * len(slots)
    size += pointer * (kind.__dictoffset__ > 0) + pointer * (kind.__weakrefoffset__ > 0)
    return kind.__basicsize__ > size


def _slots(kind: type) -> dict[str, Any]:
    """The slots of a class and its bases; where two have one name, the one that programs see."""
    found: dict[str, Any] = {}
    for base in kind.__mro__:
        if "__slots__" in base.__dict__:
            for name, slot in base.__dict__.items():
                if type(slot) is types.MemberDescriptorType:
                    found.setdefault(name, slot)
    return found


_attributes = attrgetter("__dict__")


class PlainState:
    """Encodes the instances of a class whose state is their attributes, and perhaps a content.

    Attributes:
        token: what stands for the class.
    """

    __slots__ = (
        "_content",
        "_dict_is_all",
        "_heads",
        "_lazy",
        "_slots",
        "_slots_are_all",
        "token",
    )

    def __init__(self, encoder: Encoder, kind: type, shape: _Shape) -> None:
        self.token = encoder.class_token(kind)
        self._slots = shape.slots
        self._lazy = shape.lazy
        self._content = shape.content
        self._slots_are_all = kind.__dictoffset__ == 0 and bool(shape.slots)
        self._dict_is_all = kind.__dictoffset__ != 0 and not shape.slots and not shape.lazy
        # By the names of attributes in the order in which they were set: the names in order, and
        # the encoding of class and names. Most instances of a class share one.
        self._heads: dict[tuple[str, ...], tuple[list[str], bytes]] = {}

    def state(self, value: object) -> dict[str, Any]:
        """The attributes that are part of the value."""
        state: dict[str, Any] = getattr(value, "__dict__", None) or {}
        if self._slots:
            state = dict(state)
            for name, slot in self._slots.items():
                try:
                    state[name] = slot.__get__(value)
                except AttributeError:
                    continue  # never assigned
        if self._lazy and not self._lazy.isdisjoint(state):
            state = {name: item for name, item in state.items() if name not in self._lazy}
        return state

    def __call__(self, encoder: Encoder, value: object) -> None:
        state = self.state(value)
        order = tuple(state)
        head = self._heads.get(order)
        if head is None:
            head = self._heads[order] = self._head(encoder, state)
        names, encoding = head
        encoder.out += encoding
        if self._content is not None:
            self._content(encoder, value)
        items(encoder, [state[name] for name in names])

    def _head(self, encoder: Encoder, state: dict[str, Any]) -> tuple[list[str], bytes]:
        out = encoder.out
        start = len(out)
        out += b"o" if self._content is None else b"O"
        out += self.token
        names = sorted(state)
        items(encoder, names)
        encoding = bytes(out[start:])
        del out[start:]
        return names, encoding

    def column(self, encoder: Encoder, values: Sequence[Any], level: int) -> bool:
        """Append many instances at once, attribute by attribute, if all have the same."""
        if self._content is not None:
            return False
        columns = self._slot_columns(values) if self._slots_are_all else self._columns(values)
        if columns is None:
            return False
        encoder.out += self.token
        items(encoder, list(columns))
        for column in columns.values():
            items(encoder, column, level)
        return True

    def _columns(self, values: Sequence[Any]) -> dict[str, list[Any]] | None:
        """The attributes of all, by name, sorted; None if not all have the same."""
        states = list(map(_attributes if self._dict_is_all else self.state, values))
        names = sorted(states[0])
        # The order in which attributes were set may differ from one to the next: it is no part of
        # a value.
        if set(map(len, states)) != {len(names)}:
            return None
        try:
            return {name: list(map(itemgetter(name), states)) for name in names}
        except KeyError:  # as many attributes, but others
            return None

    def _slot_columns(self, values: Sequence[Any]) -> dict[str, list[Any]] | None:
        try:
            return {
                name: list(map(self._slots[name].__get__, values)) for name in sorted(self._slots)
            }
        except AttributeError:  # a slot that was never assigned
            return None


def _enum(encoder: Encoder, value: Any) -> None:
    encoder.out += _ENUM
    encoder.out += encoder.class_token(type(value))
    # Several flags together have a name of their own in some versions of Python.
    name = value._name_
    encoder.encode(name if name in type(value).__members__ else None)
    encoder.encode(value._value_)


BODIES.update(_code.FUNCTIONS)
