"""pyarrow: columns by content, whatever chunks and offsets they are stored in.

Slots under a null hold whatever was there before, and do not count.
"""

from __future__ import annotations

from struct import pack

import pyarrow as pa
import pyarrow.compute as pc

from ddsimport.values._columns import items
from ddsimport.values._encoder import Encoder, hasher, named, write_frame, write_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.values._encoder import Body

_COLUMN = named("pyarrow column")
_TABLE = named("pyarrow table")
_SCHEMA = named("pyarrow schema")
_TYPE = named("pyarrow type")
_SCALAR = named("pyarrow scalar")


def body_of(kind: type) -> Body | None:
    """What encodes a type of pyarrow."""
    if issubclass(kind, (pa.Array, pa.ChunkedArray)):
        return _column
    if issubclass(kind, (pa.Table, pa.RecordBatch)):
        return _table
    if issubclass(kind, pa.Schema):
        return _schema
    if issubclass(kind, (pa.DataType, pa.Field)):
        return _type
    if issubclass(kind, pa.Scalar):
        return _scalar
    return None


def _column(encoder: Encoder, value: Any) -> None:
    encoder.out += _COLUMN
    encoder.out += b"c" if isinstance(value, pa.ChunkedArray) else b"a"
    write_column(encoder, value)


def _table(encoder: Encoder, value: Any) -> None:
    encoder.out += _TABLE
    write_text(encoder.out, type(value).__name__)
    _schema(encoder, value.schema)
    for column in value.columns:
        write_column(encoder, column)


def _schema(encoder: Encoder, value: Any) -> None:
    encoder.out += _SCHEMA
    write_frame(encoder.out, value.serialize().to_pybytes())


def _type(encoder: Encoder, value: Any) -> None:
    encoder.out += _TYPE
    field = value if isinstance(value, pa.Field) else pa.field("", value)
    encoder.out += b"f" if isinstance(value, pa.Field) else b"t"
    write_frame(encoder.out, pa.schema([field]).serialize().to_pybytes())


def _scalar(encoder: Encoder, value: Any) -> None:
    encoder.out += _SCALAR
    write_column(encoder, pa.array([value.as_py()], type=value.type))


def write_column(encoder: Encoder, value: Any) -> None:
    """Append an Array or ChunkedArray: type, length, which are null, and the values."""
    out = encoder.out
    write_text(out, str(value.type))
    chunks = value.chunks if isinstance(value, pa.ChunkedArray) else [value]
    chunks = [chunk for chunk in chunks if len(chunk)]
    out += pack("<Q", sum(map(len, chunks)))
    _chunks(encoder, value.type, chunks)


def _chunks(encoder: Encoder, kind: Any, chunks: list[Any]) -> None:
    types = pa.types
    if types.is_dictionary(kind):
        # Which value has which code can be seen, so it counts; chunks may each have their own.
        if len(chunks) > 1:
            chunks = [pa.chunked_array(chunks).unify_dictionaries().combine_chunks()]
            chunks = chunks[0].chunks if isinstance(chunks[0], pa.ChunkedArray) else chunks
        write_column(encoder, chunks[0].dictionary if chunks else pa.array([], kind.value_type))
        _chunks(encoder, kind.index_type, [chunk.indices for chunk in chunks])
        return
    _validity(encoder, chunks)
    if types.is_string(kind) or types.is_binary(kind):
        _texts(encoder, kind, chunks, "i4")
    elif types.is_large_string(kind) or types.is_large_binary(kind):
        _texts(encoder, kind, chunks, "i8")
    elif types.is_boolean(kind):
        _booleans(encoder, chunks)
    elif _is_fixed(kind):
        _fixed(encoder, kind, chunks)
    else:
        items(encoder, [item for chunk in chunks for item in chunk.to_pylist()])


def _is_fixed(kind: Any) -> bool:
    types = pa.types
    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_date(kind)
        or types.is_time(kind)
        or types.is_timestamp(kind)
        or types.is_duration(kind)
        or types.is_decimal(kind)
    )


def _validity(encoder: Encoder, chunks: list[Any]) -> None:
    import numpy as np

    nulls = sum(chunk.null_count for chunk in chunks)
    encoder.out += pack("<Q", nulls)
    if nulls:
        valid = [chunk.is_valid().to_numpy(zero_copy_only=False) for chunk in chunks]
        write_frame(encoder.out, np.packbits(np.concatenate(valid)).tobytes())


def _texts(encoder: Encoder, kind: Any, chunks: list[Any], offset_type: str) -> None:
    """The lengths of all, then the text of all: so chunks leave no trace."""
    import numpy as np

    empty = pa.scalar("" if pa.types.is_string(kind) or pa.types.is_large_string(kind) else b"")
    lengths = []
    texts = []
    for chunk in chunks:
        if chunk.null_count:
            chunk = pc.fill_null(chunk, empty.cast(kind))
        _, offsets, data = chunk.buffers()
        width = np.dtype(offset_type).itemsize
        ends = np.frombuffer(offsets, offset_type, len(chunk) + 1, chunk.offset * width)
        lengths.append(np.diff(ends).astype("<i8"))
        texts.append(memoryview(data or b"")[int(ends[0]) : int(ends[-1])])
    _joined(encoder, [part.data for part in lengths])
    _joined(encoder, texts)


def _booleans(encoder: Encoder, chunks: list[Any]) -> None:
    import numpy as np

    parts = [pc.fill_null(chunk, False).to_numpy(zero_copy_only=False) for chunk in chunks]
    write_frame(encoder.out, np.packbits(np.concatenate(parts)).tobytes() if parts else b"")


def _fixed(encoder: Encoder, kind: Any, chunks: list[Any]) -> None:
    width = kind.bit_width // 8
    parts = []
    for chunk in chunks:
        if chunk.null_count:
            chunk = _zeroed(chunk, width)
        data = chunk.buffers()[1]
        start = chunk.offset * width
        parts.append(memoryview(data)[start : start + len(chunk) * width])
    _joined(encoder, parts)


def _zeroed(chunk: Any, width: int) -> Any:
    """The chunk with zeros under its nulls, as an array of plain bytes of the same width."""
    import numpy as np

    start = chunk.offset * width
    data = np.frombuffer(chunk.buffers()[1], np.uint8, len(chunk) * width, start)
    data = data.reshape(len(chunk), width).copy()
    data[~chunk.is_valid().to_numpy(zero_copy_only=False)] = 0
    return pa.Array.from_buffers(pa.binary(width), len(chunk), [None, pa.py_buffer(data)])


def _joined(encoder: Encoder, parts: list[memoryview]) -> None:
    """Append several buffers as one, without joining them."""
    parts = [part.cast("B") if part.nbytes else memoryview(b"") for part in parts]
    size = sum(part.nbytes for part in parts)
    encoder.out += pack("<Q", size)
    state = hasher(size)
    for part in parts:
        state.update(part)
    encoder.out += state.digest()
