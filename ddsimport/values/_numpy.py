"""numpy: arrays by type, shape, order and bytes, read in place.

Order: an array in Fortran order differs from its equal in C order (it comes back so from pickle,
and sums may round differently); any other view equals its contiguous copy, which is all that any
file format gives back. Bytes that no program can read (padding of structs, of long doubles) do not
count.
"""

from __future__ import annotations

from struct import pack

import numpy as np

from ddsimport.values._builtins import attributes
from ddsimport.values._columns import items
from ddsimport.values._encoder import (
    INLINE,
    Encoder,
    RefusalError,
    hasher,
    named,
    write_frame,
    write_text,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ddsimport.values._encoder import Body

    Array = np.ndarray[Any, Any]

_DTYPE = named("numpy.dtype")
_ARRAY = named("numpy.ndarray")
_SCALAR = named("numpy.generic")
_SUBCLASS = named("subclass of numpy.ndarray")
_MAPPED = named("numpy.memmap")
_MASKED = named("numpy.ma")
_UFUNC = named("numpy.ufunc")
_GENERATOR = named("numpy.random")
_SLAB = 4 << 20  # bytes copied at a time where an array cannot be read in place


def body_of(kind: type) -> Body | None:
    """What encodes a type of numpy, or an array of a user's own class."""
    if kind is np.ndarray:
        return _array
    if issubclass(kind, np.ma.MaskedArray):
        return _masked
    if kind is np.memmap:
        return _mapped
    if issubclass(kind, np.ndarray):
        return _subclass if kind.__reduce__ is np.ndarray.__reduce__ else None
    if issubclass(kind, np.generic):
        return _Scalars()
    if issubclass(kind, np.dtype):
        return _dtype
    if kind is np.ufunc:
        return _ufunc
    if issubclass(kind, (np.random.Generator, np.random.RandomState, np.random.BitGenerator)):
        return _generator
    if kind is np.flatiter or kind is np.nditer:
        return _iterator
    return None


def _array(encoder: Encoder, value: Array) -> None:
    encoder.out += _ARRAY
    write_array(encoder, value)


def write_array(encoder: Encoder, value: Array) -> None:
    """Append an array of whatever dtype, as if it were an exact ndarray."""
    out = encoder.out
    dtype = value.dtype
    write_dtype(encoder, dtype)
    fortran = value.flags.f_contiguous and not value.flags.c_contiguous
    out += pack("<cQ", b"F" if fortran else b"C", value.ndim)
    for size in value.shape:
        out += pack("<Q", size)
    if type(value) is not np.ndarray:
        value = value.view(np.ndarray)
    if dtype.names is not None:
        _fields(encoder, value)
    elif dtype.hasobject or dtype.kind == "T":
        items(encoder, value.ravel(order="F" if fortran else "C").tolist())
    elif dtype.char in "gG":
        _long_doubles(encoder, value)
    else:
        write_bytes(out, value.T if fortran else value)


def write_dtype(encoder: Encoder, dtype: Any) -> None:
    """Append a dtype: byte order, unit, fields and their places, metadata."""
    out = encoder.out
    if dtype.names is not None:
        out += pack("<cQQ?", b"s", len(dtype.names), dtype.itemsize, dtype.isalignedstruct)
        write_text(out, dtype.type.__name__)  # void or record
        for name in dtype.names:
            field, offset, *title = dtype.fields[name]
            write_text(out, name)
            encoder.encode(title[0] if title else None)
            out += pack("<Q", offset)
            write_dtype(encoder, field)
    elif dtype.subdtype is not None:
        base, shape = dtype.subdtype
        out += b"a"
        encoder.encode(shape)
        write_dtype(encoder, base)
    else:
        out += b"d"
        write_text(out, dtype.str)
        if dtype.kind == "T":
            encoder.encode(getattr(dtype, "na_object", None))
            encoder.encode(dtype.coerce)
    encoder.encode(dict(dtype.metadata) if dtype.metadata else None)


def _fields(encoder: Encoder, value: Array) -> None:
    """Structured arrays, field by field, past the padding between the fields."""
    for name in value.dtype.names or ():
        field = value[name]
        if field.dtype.names is not None:
            _fields(encoder, field)
        elif field.dtype.hasobject:
            items(encoder, field.ravel().tolist())
        elif field.dtype.char in "gG":
            _long_doubles(encoder, field)
        else:
            write_bytes(encoder.out, field)


def _long_doubles(encoder: Encoder, value: Array) -> None:
    """Without the bytes that pad an 80-bit number to 16, which hold whatever was there before."""
    flat = np.ascontiguousarray(value).reshape(-1).view(np.longdouble)
    if np.finfo(np.longdouble).nmant == 63:
        size = flat.dtype.itemsize
        write_bytes(encoder.out, flat.view(np.uint8).reshape(-1, size)[:, :10])
    else:
        write_bytes(encoder.out, flat)


def write_bytes(out: bytearray, value: Array) -> None:
    """Append the bytes of an array in C order, framed, without its dtype and shape."""
    size = value.nbytes
    if value.flags.c_contiguous:
        write_frame(out, _bytes_of(value))
    elif size <= INLINE:
        write_frame(out, _bytes_of(np.ascontiguousarray(value)))
    else:
        out += pack("<Q", size)
        state = hasher(size)
        _slabs(state, value)
        out += state.digest()


def _bytes_of(value: Array) -> memoryview:
    if value.nbytes == 0:
        return memoryview(b"")
    return value.reshape(-1).view(np.uint8).data


def _slabs(state: Any, value: Array) -> None:
    """Feed the bytes of an array in C order, copying little at a time."""
    if value.nbytes <= _SLAB or value.ndim == 0:
        state.update(_bytes_of(np.ascontiguousarray(value)))
    elif value.nbytes // value.shape[0] > _SLAB:
        for part in value:
            _slabs(state, part)
    else:
        rows = max(1, _SLAB // max(1, value.nbytes // value.shape[0]))
        for first in range(0, value.shape[0], rows):
            state.update(_bytes_of(np.ascontiguousarray(value[first : first + rows])))


def _mapped(encoder: Encoder, value: Any) -> None:
    """An array in a file: by its content, wherever the file is, and that there is one."""
    encoder.out += _MAPPED
    encoder.out += b"?" if getattr(value, "_mmap", None) is None else b"!"
    write_array(encoder, value)


def _subclass(encoder: Encoder, value: Array) -> None:
    encoder.out += _SUBCLASS
    encoder.out += encoder.class_token(type(value))
    write_array(encoder, value)
    # Pickle leaves the attributes of such an array behind unless its class says otherwise; they are
    # part of the value all the same.
    attributes(encoder, getattr(value, "__dict__", {}))


def _masked(encoder: Encoder, value: Any) -> None:
    out = encoder.out
    out += _MASKED
    if value is np.ma.masked:  # there is one, and it refuses to be asked for its fill value
        out += b"!"
        return
    if type(value) is not np.ma.MaskedArray:
        out += encoder.class_token(type(value))
    write_array(encoder, np.asarray(value.data))
    write_array(encoder, np.ma.getmaskarray(value))  # no mask reads as a mask of nothing
    encoder.encode(value.fill_value)
    encoder.encode(bool(value.hardmask))


class _Scalars:
    """Encodes numpy's scalars, which are not the numbers of Python that they equal."""

    __slots__ = ()

    def __call__(self, encoder: Encoder, value: Any) -> None:
        encoder.out += _SCALAR
        encoder.out += encoder.class_token(type(value)) if _is_foreign(type(value)) else b"="
        write_array(encoder, np.asarray(value))

    def column(self, encoder: Encoder, values: Sequence[Any], level: int) -> bool:
        """Append many numbers of one type at once."""
        kind = type(values[0])
        # Others have a size or a unit each.
        if _is_foreign(kind) or np.dtype(kind).kind not in "biufc":
            return False
        encoder.out += _SCALAR
        write_array(encoder, np.array(values, dtype=kind))
        return True


def _is_foreign(kind: type) -> bool:
    return kind.__module__.partition(".")[0] != "numpy"


def _dtype(encoder: Encoder, value: Any) -> None:
    encoder.out += _DTYPE
    write_dtype(encoder, value)


def _ufunc(encoder: Encoder, value: Any) -> None:
    encoder.out += _UFUNC
    write_text(encoder.out, value.__name__)
    encoder.encode(value.signature)


def _generator(encoder: Encoder, value: Any) -> None:
    """A source of random numbers: its kind, where it stands, and the seed its children get."""
    out = encoder.out
    out += _GENERATOR
    out += encoder.class_token(type(value)) if _is_foreign(type(value)) else b"="
    write_text(out, type(value).__name__)
    if isinstance(value, np.random.RandomState):
        encoder.encode(value.get_state(legacy=False))
        return
    bits = value.bit_generator if isinstance(value, np.random.Generator) else value
    encoder.encode(bits.state)
    seed = getattr(bits, "seed_seq", None)
    if isinstance(seed, np.random.SeedSequence):
        encoder.encode((seed.entropy, seed.spawn_key, seed.pool_size, seed.n_children_spawned))
    else:
        encoder.encode(None)


def _iterator(encoder: Encoder, value: object) -> None:
    raise RefusalError(value, "an iterator over an array can be consumed only once")
