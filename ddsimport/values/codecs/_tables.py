"""Frames as parquet and CSV."""

from __future__ import annotations

import sys

from ddsimport.errors import CodecError
from ddsimport.values.codecs._arrow import Sink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.values.codecs._base import Writable

# Dtypes (by their text) that come back from parquet as they were; found out one by one, with a
# strict comparison. Not among them, for one: object (None and NaN become one), datetime64[s].
_EXACT_DTYPES = {
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float32", "float64", "str", "boolean", "Int8", "Int16", "Int32", "Int64"),
    *("UInt8", "UInt16", "UInt32", "UInt64", "datetime64[ns]", "datetime64[us]", "datetime64[ms]"),
}


def is_table(value: object) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, (pandas.DataFrame, pandas.Series))


def refuses_parquet(value: Any) -> str | None:
    """Why parquet cannot hold a value, or None."""
    if not is_table(value):
        return "only pandas frames and series are tables"
    try:
        import pyarrow.parquet  # noqa: F401 - to see whether it is there
    except ImportError:
        return "pyarrow is not installed"
    frame = _as_frame(value)
    labels = [str(label) for label in frame.columns]
    if len(set(labels)) < len(labels):
        return "two of its columns have one name"
    # Only these may hold what Arrow has no type for.
    doubtful = [
        place for place, dtype in enumerate(frame.dtypes) if str(dtype) not in _EXACT_DTYPES
    ]
    if doubtful or type(frame.index).__name__ != "RangeIndex":
        try:
            _arrow_table(frame, doubtful)
        except CodecError as error:
            return str(error)
    return None


def is_exact(value: Any) -> bool:
    """Whether `pandas.read_parquet` gives this very frame."""
    import pandas

    return (
        type(value) is pandas.DataFrame
        and type(value.index) is pandas.RangeIndex
        and value.index.name is None
        and (value.index.start, value.index.step) == (0, 1)
        and type(value.columns) is pandas.Index
        and value.columns.name is None
        and len(value.columns) > 0
        and all(type(label) is str for label in value.columns)
        and not value.attrs
        and value.flags.allows_duplicate_labels
        and all(str(dtype) in _EXACT_DTYPES for dtype in value.dtypes)
    )


def write_parquet(value: Any, file: Writable) -> None:
    """Write a frame; a series is a frame of one column."""
    import pyarrow.parquet

    table = _arrow_table(_as_frame(value))
    pyarrow.parquet.write_table(table, Sink(file), compression="zstd")


def refuses_csv(value: Any) -> str | None:
    """Why CSV cannot hold a value, or None."""
    return None if is_table(value) else "only pandas frames and series are tables"


def write_csv(value: Any, file: Writable) -> None:
    """Write a frame or series; its index too, unless it only counts the rows."""
    import pandas

    index = value.index
    plain = type(index) is pandas.RangeIndex and index.name is None
    text = _as_frame(value).to_csv(index=not plain, lineterminator="\n")
    file.write(text.encode("utf-8", "surrogatepass"))


def _as_frame(value: Any) -> Any:
    import pandas

    if isinstance(value, pandas.Series):
        return value.to_frame("value" if value.name is None else value.name)
    return value


def _arrow_table(frame: Any, places: list[int] | None = None) -> Any:
    """The table of a frame, or of some of its columns."""
    import pandas
    import pyarrow

    columns = frame.columns
    if not all(type(label) is str for label in columns) or type(columns) is pandas.MultiIndex:
        frame = frame.set_axis([str(label) for label in columns], axis="columns")
    try:
        if places is not None:
            frame = frame.iloc[:, places]
        table = pyarrow.Table.from_pandas(frame)
    except Exception as error:  # pyarrow and pandas raise several families
        text = str(error.args[0] if error.args else error).strip()
        raise CodecError(f"{type(error).__name__}: {text}") from error
    if any("<" in str(dtype) for dtype in frame.dtypes):
        # pandas writes down the names of nested Arrow dtypes, and then cannot read them.
        return table.replace_schema_metadata(None)
    return table
