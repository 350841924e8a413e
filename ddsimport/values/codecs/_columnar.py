"""Tables, batches and arrays of pyarrow as record batches, with the chunks they are in.

Extension types, unions, views and dictionaries inside other types are not taken: how they come back
depends on what is registered, or on the reader.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KEY = b"ddsimport"
"""Under which the schema's metadata says what a file is of."""

_NAME = ""  # of the column that an array without a name becomes


def restores(value: Any) -> bool:
    """Whether an Arrow file gives this very table or array."""
    import pyarrow

    kind = type(value)
    metadata = value.schema.metadata if hasattr(value, "schema") else None
    if metadata is not None and (not metadata or KEY in metadata):
        return False  # a file of ours, read by the program itself; or none, which is not nothing
    if kind is pyarrow.Table:
        chunks = [[len(chunk) for chunk in column.chunks] for column in value.columns]
        return (
            value.num_columns > 0
            and all(lengths == chunks[0] for lengths in chunks)
            and 0 not in chunks[0]
            and all(_is_kept(column.type, len(chunks[0])) for column in value.columns)
        )
    if kind is pyarrow.RecordBatch:
        return value.num_columns > 0 and all(_is_kept(kind, 1) for kind in value.schema.types)
    if kind is pyarrow.ChunkedArray:
        return _is_kept(value.type, value.num_chunks) and all(map(len, value.chunks))
    return isinstance(value, pyarrow.Array) and _is_kept(value.type, 1)


def _is_kept(kind: Any, chunks: int) -> bool:
    from pyarrow import types

    if types.is_dictionary(kind):
        # A file has one dictionary per column; chunks may each have their own.
        return chunks == 1 and _is_plain(kind.value_type)
    return _is_plain(kind)


def _is_plain(kind: Any) -> bool:
    from pyarrow import types

    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _is_plain(kind.value_type)
    if types.is_struct(kind):
        return all(_is_plain(kind.field(n).type) for n in range(kind.num_fields))
    return bool(
        types.is_boolean(kind)
        or types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_date(kind)
        or types.is_time(kind)
        or types.is_timestamp(kind)
        or types.is_duration(kind)
        or types.is_decimal128(kind)
    )


def parts(value: Any) -> tuple[Any, list[Any], dict[str, Any]]:
    """The schema, the record batches, and what to know to join them again."""
    import pyarrow

    kind = type(value)
    if kind is pyarrow.Table:
        return value.schema, value.to_batches(), {"of": "pyarrow.Table"}
    if kind is pyarrow.RecordBatch:
        return value.schema, [value], {"of": "pyarrow.RecordBatch"}
    schema = pyarrow.schema([pyarrow.field(_NAME, value.type)])
    chunked = kind is pyarrow.ChunkedArray
    batches = [
        pyarrow.RecordBatch.from_arrays([chunk], schema=schema)
        for chunk in (value.chunks if chunked else [value])
    ]
    return schema, batches, {"of": "pyarrow.ChunkedArray" if chunked else "pyarrow.Array"}


def joined(schema: Any, batches: list[Any], notes: dict[str, Any]) -> Any:
    """The value that `parts` took apart."""
    import pyarrow

    of = notes["of"]
    batches = [batch.replace_schema_metadata(schema.metadata) for batch in batches]
    if of == "pyarrow.Table":
        return pyarrow.Table.from_batches(batches, schema=schema)
    if of == "pyarrow.RecordBatch":
        return batches[0]
    arrays = [batch.column(0) for batch in batches]
    if of == "pyarrow.ChunkedArray":
        return pyarrow.chunked_array(arrays, type=schema.field(0).type)
    return arrays[0]
