"""Functions, methods and classes as values: what stands for their code is the caller's to say."""

from __future__ import annotations

import types

from ddsimport.values._builtins import attributes
from ddsimport.values._columns import items
from ddsimport.values._encoder import (
    Encoder,
    name_token,
    named,
    write_text,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ddsimport.values._encoder import Body

_FUNCTION = named("function")
_CLASS = named("class")
_METHOD = named("method")
_BUILTIN = named("builtin")
_DESCRIPTOR = named("descriptor")
_MODULE = named("module")
_PARTIAL = named("partial")
_PROPERTY = named("property")
_CACHED = named("lru_cache")
_CACHED_PROPERTY = named("cached_property")
_EMPTY_CELL = named("empty cell")
_WRAPPED = named("wrapped")
_DISPATCHER = named("singledispatch")


def _never(code: types.CodeType) -> bool:
    return False


is_homeless: Callable[[types.CodeType], bool] = _never
"""Whether code has no file by whose name it is found again: it is of a cell of an interactive
session, which puts its own answer here."""


def encode_class(encoder: Encoder, value: type) -> None:
    """Append a class that is a value: `dtype=MyInt`, a registry of classes."""
    encoder.out += _CLASS
    if value.__module__ == "builtins":
        encoder.out += name_token(value)
    else:
        encoder.out += encoder.code_token(value)


def _function(encoder: Encoder, value: types.FunctionType) -> None:
    out = encoder.out
    registry = vars(value).get("registry")
    if type(registry) is types.MappingProxyType:
        # `functools.singledispatch`: its closure also holds a cache, of weak references.
        out += _DISPATCHER
        items(encoder, list(registry.keys()))
        items(encoder, list(registry.values()))
        return
    out += _FUNCTION
    out += encoder.code_token(value)
    # The text says how defaults, cells and attributes were made, not what they are by now.
    items(encoder, value.__defaults__ or ())
    attributes(encoder, value.__kwdefaults__ or {})
    for cell in value.__closure__ or ():
        try:
            content = cell.cell_contents
        except ValueError:
            out += _EMPTY_CELL
        else:
            encoder.encode(content)
    attributes(encoder, vars(value))


def _method(encoder: Encoder, value: types.MethodType) -> None:
    encoder.out += _METHOD
    encoder.encode(value.__func__)
    encoder.encode(value.__self__)


def _builtin(encoder: Encoder, value: types.BuiltinFunctionType) -> None:
    out = encoder.out
    out += _BUILTIN
    write_text(out, f"{value.__module__}:{value.__qualname__}")
    owner = value.__self__
    if isinstance(owner, types.ModuleType):
        owner = None
    if isinstance(owner, type):
        out += encoder.class_token(owner)  # a class method, such as dict.fromkeys
    else:
        encoder.encode(owner)


def _method_wrapper(encoder: Encoder, value: types.MethodWrapperType) -> None:
    encoder.out += _BUILTIN
    write_text(encoder.out, value.__qualname__)
    encoder.encode(value.__self__)


def _descriptor(encoder: Encoder, value: Any) -> None:
    encoder.out += _DESCRIPTOR
    encoder.out += encoder.class_token(value.__objclass__)
    write_text(encoder.out, value.__name__)


def _module(encoder: Encoder, value: types.ModuleType) -> None:
    # Whoever holds a module may use all of it.
    encoder.out += _MODULE
    if encoder.code_of is None:
        write_text(encoder.out, value.__name__)
    else:
        encoder.out += encoder.code_token(value)


def _wrapped(encoder: Encoder, value: Any) -> None:
    encoder.out += _WRAPPED
    encoder.out += name_token(type(value))
    encoder.encode(value.__func__)


def _property(encoder: Encoder, value: property) -> None:
    encoder.out += _PROPERTY
    items(encoder, (value.fget, value.fset, value.fdel, value.__doc__))


def _partial(encoder: Encoder, value: Any) -> None:
    encoder.out += _PARTIAL
    encoder.encode(value.func)
    items(encoder, value.args)
    items(encoder, list(value.keywords))
    items(encoder, list(value.keywords.values()))
    attributes(encoder, vars(value))


def _dispatching_method(encoder: Encoder, value: Any) -> None:
    encoder.out += _WRAPPED
    encoder.encode(value.dispatcher)
    encoder.encode(value.func)


def _cached(encoder: Encoder, value: Any) -> None:
    # What such a function remembers is no part of it; but it may give that without running.
    encoder.out += _CACHED
    encoder.out += encoder.code_token(value)
    encoder.encode(value.__wrapped__)


def _cached_property(encoder: Encoder, value: Any) -> None:
    # Before Python 3.12 it has a lock, too.
    encoder.out += _CACHED_PROPERTY
    encoder.encode(value.func)
    encoder.encode(value.attrname)


FUNCTIONS: dict[type, Body] = {
    type: encode_class,
    types.FunctionType: _function,
    types.MethodType: _method,
    types.BuiltinFunctionType: _builtin,
    types.MethodWrapperType: _method_wrapper,
    types.WrapperDescriptorType: _descriptor,
    types.MethodDescriptorType: _descriptor,
    types.ClassMethodDescriptorType: _descriptor,
    types.GetSetDescriptorType: _descriptor,
    types.MemberDescriptorType: _descriptor,
    types.ModuleType: _module,
    property: _property,
    staticmethod: _wrapped,
    classmethod: _wrapped,
}


def body_of(kind: type) -> Body | None:
    """What encodes the callables of `functools`."""
    if kind.__module__ != "functools":
        return None
    return _FUNCTOOLS.get(kind.__qualname__)


_FUNCTOOLS: dict[str, Body] = {
    "_lru_cache_wrapper": _cached,
    "cached_property": _cached_property,
    "partial": _partial,
    "singledispatchmethod": _dispatching_method,
}
