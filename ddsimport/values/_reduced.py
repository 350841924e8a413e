"""Instances whose classes tell pickle what to keep: that, taken apart and encoded."""

from __future__ import annotations

import copyreg
import types
from struct import pack

from ddsimport.values import _builtins
from ddsimport.values._columns import items
from ddsimport.values._encoder import Encoder, RefusalError, name_token, named, write_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PICKLE_BUFFER = named("PickleBuffer")


def reduced(encoder: Encoder, value: Any) -> None:
    """Append an instance by what its class tells pickle to keep."""
    kind = type(value)
    out = encoder.out
    reducer = copyreg.dispatch_table.get(kind)
    try:
        parts = reducer(value) if reducer is not None else value.__reduce_ex__(5)
    except RecursionError:
        raise
    except Exception as error:
        raise RefusalError(value, _why(kind, error)) from None
    out += b"r"
    out += encoder.class_token(kind)
    if isinstance(parts, str):
        out += b"g"
        write_text(out, parts)
        return
    make, arguments, *rest = parts
    state, listed, mapped = (*rest, None, None, None)[:3]
    out += b"m"
    _write_constructor(encoder, make)
    out += pack("<Q", len(arguments))
    for argument in arguments:
        if isinstance(argument, type):
            out += encoder.class_token(argument)
        else:
            encoder.encode(argument)
    lazy = lazy_names(kind)
    if lazy and type(state) is dict:
        state = {name: item for name, item in state.items() if name not in lazy}
    write_state(encoder, state)
    items(encoder, [] if listed is None else list(listed))
    pairs = [] if mapped is None else list(mapped)
    items(encoder, [pair[0] for pair in pairs])
    items(encoder, [pair[1] for pair in pairs])


def _write_constructor(encoder: Encoder, make: Any) -> None:
    if isinstance(make, type):
        encoder.out += encoder.class_token(make)
    elif isinstance(make, types.MethodType):  # a class method, mostly
        encoder.out += b"M"
        _write_constructor(encoder, make.__func__)
        if isinstance(make.__self__, type):
            encoder.out += encoder.class_token(make.__self__)
        else:
            encoder.encode(make.__self__)
    elif isinstance(make, types.FunctionType) and encoder.code_of and make.__module__ != "copyreg":
        encoder.out += encoder.code_token(make)
    else:
        encoder.out += name_token(make)


def _why(kind: type, error: Exception) -> str:
    text = str(error).strip()
    what = f"{kind.__module__}.{kind.__qualname__}"
    return f"{what} cannot be reduced to its state ({text or type(error).__name__})"


def write_state(encoder: Encoder, state: object) -> None:
    """Append what `__getstate__` gives: an attribute dict, sorted by name, or whatever it is."""
    if type(state) is dict and all(type(name) is str for name in state):
        encoder.out += b"a"
        _builtins.attributes(encoder, state)
    elif type(state) is dict:
        encoder.out += b"d"
        _builtins.mapping_items(encoder, state)
    elif type(state) is tuple:
        encoder.out += pack("<cQ", b"t", len(state))
        for part in state:  # (attributes, slots) from copyreg; each a dict
            write_state(encoder, part)
    else:
        encoder.out += b"v"
        encoder.encode(state)


def lazy_names(kind: type) -> frozenset[str]:
    """Names of cached properties: in the state of an instance only once somebody has asked."""
    import sys

    functools = sys.modules.get("functools")
    if functools is None:
        return frozenset()
    return frozenset(
        name
        for base in kind.__mro__
        for name, value in base.__dict__.items()
        if isinstance(value, functools.cached_property)
    )


def pickle_buffer(encoder: Encoder, value: Any) -> None:
    """Append the bytes that a class hands to pickle out of band."""
    encoder.out += _PICKLE_BUFFER
    with value.raw() as raw:
        encoder.encode(raw)
