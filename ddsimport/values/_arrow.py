"""pyarrow: columns by content, whatever chunks and offsets they are stored in.

Slots under a null hold whatever was there before, and do not count.
"""

from __future__ import annotations

from struct import pack

import pyarrow as pa
import pyarrow.compute as pc

from ddsimport.values._columns import items
from ddsimport.values._encoder import INLINE, Encoder, hasher, named, write_frame, write_text

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
    encoder.encode(dict(value.metadata) if value.metadata else None)
    encoder.out += pack("<Q", len(value))
    for field in value:
        _write_field(encoder, field)


def _type(encoder: Encoder, value: Any) -> None:
    encoder.out += _TYPE
    if isinstance(value, pa.Field):
        encoder.out += b"f"
        _write_field(encoder, value)
    else:
        encoder.out += b"t"
        _write_type(encoder, value)


def _write_field(encoder: Encoder, field: Any) -> None:
    write_text(encoder.out, field.name)
    encoder.encode(field.nullable)
    encoder.encode(dict(field.metadata) if field.metadata else None)
    _write_type(encoder, field.type)


def _write_type(encoder: Encoder, kind: Any) -> None:
    """Append a type. The text of a nested one is no more than a part: names may be of any form."""
    types = pa.types
    out = encoder.out
    write_text(out, type(kind).__name__)
    if isinstance(kind, pa.BaseExtensionType):
        write_text(out, kind.extension_name)
        write_text(out, str(kind))
        _write_type(encoder, kind.storage_type)
    elif types.is_dictionary(kind):
        encoder.encode(kind.ordered)
        _write_type(encoder, kind.index_type)
        _write_type(encoder, kind.value_type)
    elif types.is_run_end_encoded(kind):
        _write_type(encoder, kind.run_end_type)
        _write_type(encoder, kind.value_type)
    elif kind.num_fields:
        if types.is_fixed_size_list(kind):
            encoder.encode(kind.list_size)
        elif types.is_map(kind):
            encoder.encode(kind.keys_sorted)
        elif types.is_union(kind):
            encoder.encode((kind.mode, kind.type_codes))
        out += pack("<Q", kind.num_fields)
        for place in range(kind.num_fields):
            _write_field(encoder, kind.field(place))
    else:
        write_text(out, str(kind))


def _scalar(encoder: Encoder, value: Any) -> None:
    encoder.out += _SCALAR
    write_column(encoder, pa.repeat(value, 1))


def write_column(encoder: Encoder, value: Any) -> None:
    """Append an Array or ChunkedArray: type, length, which are null, and the values."""
    out = encoder.out
    _write_type(encoder, value.type)
    chunks = value.chunks if isinstance(value, pa.ChunkedArray) else [value]
    chunks = [chunk for chunk in chunks if len(chunk)]
    out += pack("<Q", sum(map(len, chunks)))
    _chunks(encoder, value.type, chunks)


def _chunks(encoder: Encoder, kind: Any, chunks: list[Any]) -> None:
    types = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        _chunks(encoder, kind.storage_type, [chunk.storage for chunk in chunks])
        return
    if types.is_dictionary(kind):
        # Which value has which code can be seen, so it counts; chunks may each have their own.
        if len(chunks) > 1:
            chunks = [pa.chunked_array(chunks).unify_dictionaries().combine_chunks()]
            chunks = chunks[0].chunks if isinstance(chunks[0], pa.ChunkedArray) else chunks
        write_column(encoder, chunks[0].dictionary if chunks else pa.array([], kind.value_type))
        _chunks(encoder, kind.index_type, [chunk.indices for chunk in chunks])
        return
    if types.is_union(kind):
        codes = [chunk.type_codes for chunk in chunks]
        _chunks(encoder, pa.int8(), codes)
        items(encoder, [item for chunk in chunks for item in chunk.to_pylist()])
        return
    _validity(encoder, chunks)
    if types.is_string(kind) or types.is_binary(kind):
        _texts(encoder, kind, chunks, "i4")
    elif types.is_large_string(kind) or types.is_large_binary(kind):
        _texts(encoder, kind, chunks, "i8")
    elif str(kind) in ("string_view", "binary_view"):
        large = pa.large_string() if str(kind) == "string_view" else pa.large_binary()
        _texts(encoder, large, [chunk.cast(large) for chunk in chunks], "i8")
    elif types.is_boolean(kind):
        _booleans(encoder, chunks)
    elif _is_fixed(kind):
        _fixed(encoder, kind, chunks)
    elif types.is_struct(kind):
        for place in range(kind.num_fields):
            _members(encoder, kind.field(place).type, [chunk.flatten()[place] for chunk in chunks])
    elif types.is_map(kind):
        _lengths(encoder, [pc.list_value_length(_as_list(chunk)) for chunk in chunks])
        pairs = [pc.list_flatten(_as_list(chunk)) for chunk in chunks]
        entry = pa.struct([kind.key_field, kind.item_field])
        _members(encoder, entry, pairs)
    elif types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        _lengths(encoder, [pc.list_value_length(chunk) for chunk in chunks])
        _members(encoder, kind.value_type, [pc.list_flatten(chunk) for chunk in chunks])
    else:
        items(encoder, [item for chunk in chunks for item in chunk.to_pylist()])


def _members(encoder: Encoder, kind: Any, chunks: list[Any]) -> None:
    """Append what lies below lists or structs: those under a null are not there, or null."""
    chunks = [chunk for chunk in chunks if len(chunk)]
    encoder.out += pack("<Q", sum(map(len, chunks)))
    _chunks(encoder, kind, chunks)


def _lengths(encoder: Encoder, chunks: list[Any]) -> None:
    lengths = [pc.fill_null(chunk, 0).cast(pa.int64()) for chunk in chunks]
    _fixed(encoder, pa.int64(), lengths)


def _as_list(chunk: Any) -> Any:
    """An array of maps as one of lists of pairs."""
    return chunk.cast(pa.list_(pa.struct([chunk.type.key_field, chunk.type.item_field])))


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
        lengths.append((ends[1:] - ends[:-1]).astype("<i8"))  # np.diff takes ten times as long
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
    if size <= INLINE:
        encoder.out += b"".join(parts)
        return
    state = hasher(size)
    for part in parts:
        state.update(part)
    encoder.out += state.digest()
