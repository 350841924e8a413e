"""Instances whose classes tell pickle what to keep: that, taken apart and encoded."""

from __future__ import annotations

import copyreg
import os
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
    write_reduced(encoder, value, lazy_names(type(value)))


def write_reduced(encoder: Encoder, value: Any, left_out: frozenset[str]) -> None:
    """Append what a class tells pickle to keep of an instance, without some attributes."""
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
    write_state(encoder, _without(state, left_out) if left_out else state)
    if state is None and reducer is None and (dropped := _dropped_by(kind, value)):
        out += _DROPPED
        _builtins.attributes(encoder, dropped)
    items(encoder, [] if listed is None else list(listed))
    pairs = [] if mapped is None else list(mapped)
    items(encoder, [pair[0] for pair in pairs])
    items(encoder, [pair[1] for pair in pairs])


def _dropped_by(kind: type, value: Any) -> dict[str, Any]:
    """The attributes of an instance that its pickle drops without a word: those of a subclass of a
    class that has none (`Decimal`, `date`), and says how it is pickled."""
    if not kind.__dictoffset__:
        return {}
    for base in kind.__mro__:
        if not _TELL_STATE.isdisjoint(vars(base)):
            return {}
        if "__dict__" in vars(base):  # from here on down there are attributes
            break
    attributes = getattr(value, "__dict__", None)
    return attributes if type(attributes) is dict else {}


_TELL_STATE = frozenset({"__getstate__", "__reduce__", "__reduce_ex__"})
_DROPPED = named("dropped attributes")


def _without(state: Any, names: frozenset[str]) -> Any:
    """A state without some attributes, in whichever of its usual shapes."""
    if type(state) is tuple:  # (attributes, slots), from copyreg
        return tuple(_without(part, names) for part in state)
    if type(state) is not dict:
        return state
    kept = {name: item for name, item in state.items() if name not in names}
    if "__dict__" in kept:  # pydantic keeps the attributes one level down
        kept["__dict__"] = _without(kept["__dict__"], names)
    return kept


def exception(encoder: Encoder, value: BaseException) -> None:
    """Append an exception: with what it arose from and where, which pickle drops without a word.

    A traceback is kept by no format, so an exception that was raised equals none that comes back;
    as an input it counts by what `traceback` prints of it, but the text of the lines.
    """
    reduced(encoder, value)
    encoder.encode(value.__cause__)
    encoder.encode(value.__context__)
    encoder.encode(value.__suppress_context__)
    places: list[tuple[str, str, int]] = []
    step = value.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        places.append((os.path.basename(code.co_filename), code.co_name, step.tb_lineno))
        step = step.tb_next
    encoder.encode(places)


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
