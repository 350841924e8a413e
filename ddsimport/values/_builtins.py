"""Built-in scalars and containers: the encodings that nearly every value is made of."""

from __future__ import annotations

import os
import types
from array import array
from struct import Struct, error, pack
from sys import byteorder

from ddsimport.values._columns import items
from ddsimport.values._encoder import BODIES, INLINE, LEAVES, Encoder, named, write_frame
from ddsimport.values._remembered import LARGE, encoding_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_RANGE = named("range")
_SLICE = named("slice")
_MEMORYVIEW = named("memoryview")
_ARRAY = named("array.array")
_MAPPING_PROXY = named("mappingproxy")
_NAMESPACE = named("namespace")
_CONSTANTS: dict[type, bytes] = {
    type(None): b"N",
    type(...): named("Ellipsis"),
    type(NotImplemented): named("NotImplemented"),
}
_VIEWS: dict[type, bytes] = {
    type({}.keys()): named("dict_keys"),
    type({}.values()): named("dict_values"),
    type({}.items()): named("dict_items"),
}


def _bool(out: bytearray, value: bool) -> None:
    out += b"T" if value else b"F"


# Twice as fast as `struct.pack`, which looks its format up each time.
_pack_int = Struct("<cq").pack
_pack_float = Struct("<cd").pack
_pack_size = Struct("<cQ").pack


def _int(out: bytearray, value: int) -> None:
    try:
        out += _pack_int(b"i", value)
    except error:
        out += b"I"
        write_frame(out, value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True))


def _float(out: bytearray, value: float) -> None:
    out += _pack_float(b"f", value)  # bits: -0.0 is not 0.0, and each NaN is itself


def _complex(out: bytearray, value: complex) -> None:
    out += pack("<cdd", b"c", value.real, value.imag)


def _str(out: bytearray, value: str) -> None:
    if len(value) >= LARGE:
        out += encoding_of(value, _large)
        return
    data = value.encode("utf-8", "surrogatepass")
    if len(data) <= INLINE:  # written here, not in two calls: names are the commonest leaves
        out += _pack_size(b"s", len(data))
        out += data
    else:
        out += b"s"
        write_frame(out, data)


def _large(value: str | bytes) -> bytes:
    out = bytearray(b"s" if isinstance(value, str) else b"b")
    write_frame(out, value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value)
    return bytes(out)


def _bytes(out: bytearray, value: bytes) -> None:
    if len(value) >= LARGE:
        out += encoding_of(value, _large)
        return
    out += b"b"
    write_frame(out, value)


def _bytearray(out: bytearray, value: bytearray) -> None:
    out += b"B"
    write_frame(out, value)


def _range(out: bytearray, value: range) -> None:
    out += _RANGE
    _int(out, value.start)
    _int(out, value.stop)
    _int(out, value.step)


def _array(out: bytearray, value: array[Any]) -> None:
    if byteorder == "big" and value.itemsize > 1:
        value = array(value.typecode, value)
        value.byteswap()
    out += _ARRAY
    _str(out, value.typecode)
    _int(out, value.itemsize)  # "l" has 4 bytes on some machines
    with memoryview(value) as view:
        write_frame(out, view.cast("B") if len(value) else b"")


def _memoryview(out: bytearray, value: memoryview) -> None:
    out += _MEMORYVIEW
    _str(out, value.format)
    out += pack("<Q", value.ndim)
    for size in value.shape or ():
        _int(out, size)
    write_frame(out, value.tobytes())


def _list(encoder: Encoder, value: list[object]) -> None:
    encoder.out += b"["
    items(encoder, value)


def _tuple(encoder: Encoder, value: tuple[object, ...]) -> None:
    encoder.out += b"("
    items(encoder, value)


def _dict(encoder: Encoder, value: dict[object, object]) -> None:
    # In order of insertion: programs can see it (column order, keyword arguments).
    encoder.out += b"{"
    mapping_items(encoder, value)


def mapping_items(encoder: Encoder, value: dict[Any, Any]) -> None:
    """Append keys, then values, of a dict (or an instance of a subclass, past its own methods)."""
    items(encoder, list(dict.keys(value)))
    items(encoder, list(dict.values(value)))


def _set(encoder: Encoder, value: set[object]) -> None:
    encoder.out += b"<"
    set_items(encoder, value)


def _frozenset(encoder: Encoder, value: frozenset[object]) -> None:
    encoder.out += b">"
    set_items(encoder, value)


_SEED_IS_FIXED = os.environ.get("PYTHONHASHSEED", "random") != "random"
_HASHED_ALIKE = {int, float, complex, bool}
"""Types whose hash is the same in every process: sets of others are iterated over in an order that
is another in each, unless the seed of hashes is fixed."""


def set_items(encoder: Encoder, value: set[Any] | frozenset[Any]) -> None:
    """Append the elements of a set, independent of its order and so of the hash seed."""
    kinds = set(map(type, value))
    if encoder.setting is not None and (_SEED_IS_FIXED or kinds <= _HASHED_ALIKE):
        encoder.setting.unordered = True
        if encoder.setting.in_order:
            items(encoder, list(value))
            return
    # Among themselves, these have a total order that every run sees alike.
    if kinds == {str} or kinds == {int} or kinds == {bytes}:
        encoder.out += b"="
        items(encoder, sorted(value))
    else:
        encoder.out += b"~"
        encoder.unordered(value)


def _slice(encoder: Encoder, value: slice) -> None:
    encoder.out += _SLICE
    encoder.encode(value.start)
    encoder.encode(value.stop)
    encoder.encode(value.step)


def _mapping_proxy(encoder: Encoder, value: types.MappingProxyType[Any, Any]) -> None:
    encoder.out += _MAPPING_PROXY
    items(encoder, list(value.keys()))
    items(encoder, list(value.values()))


def _namespace(encoder: Encoder, value: types.SimpleNamespace) -> None:
    encoder.out += _NAMESPACE
    attributes(encoder, vars(value))


def attributes(encoder: Encoder, state: dict[str, Any]) -> None:
    """Append an attribute dict. Its order is that of assignment, not part of the value: sorted."""
    names = sorted(state)
    items(encoder, names)
    items(encoder, [state[name] for name in names])


def _dict_view(encoder: Encoder, value: Any) -> None:
    encoder.out += _VIEWS[type(value)]
    items(encoder, list(value))


def _constant(out: bytearray, value: object) -> None:
    out += _CONSTANTS[type(value)]


LEAVES.update(dict.fromkeys(_CONSTANTS, _constant))
LEAVES.update(
    {
        bool: _bool,
        int: _int,
        float: _float,
        complex: _complex,
        str: _str,
        bytes: _bytes,
        bytearray: _bytearray,
        range: _range,
        array: _array,
        memoryview: _memoryview,
    }
)
BODIES.update(dict.fromkeys(_VIEWS, _dict_view))
BODIES.update(
    {
        list: _list,
        tuple: _tuple,
        dict: _dict,
        set: _set,
        frozenset: _frozenset,
        slice: _slice,
        types.MappingProxyType: _mapping_proxy,
        types.SimpleNamespace: _namespace,
    }
)
