"""Tables as parquet, CSV, Arrow and Excel files."""

from __future__ import annotations

import sys

from ddsimport.errors import CodecError
from ddsimport.values.codecs._arrow import ARROW, Sink
from ddsimport.values.codecs._polars import POLARS
from ddsimport.values.codecs._polars import write as write_polars

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
    return _library(value) is not None


def _library(value: object) -> str | None:
    """Whose table a value is."""
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, (pandas.DataFrame, pandas.Series)):
        return "pandas"
    polars = sys.modules.get("polars")
    if polars is not None and isinstance(value, polars.DataFrame):
        return "polars"
    pyarrow = sys.modules.get("pyarrow")
    if pyarrow is not None and isinstance(value, (pyarrow.Table, pyarrow.RecordBatch)):
        return "pyarrow"
    return None


_NO_TABLE = "only frames and series of pandas, and tables of polars and pyarrow, are tables"


def refuses_parquet(value: Any) -> str | None:
    """Why parquet cannot hold a value, or None."""
    library = _library(value)
    if library is None:
        return _NO_TABLE
    if library == "polars":
        return None
    if library == "pandas":
        return _refuses_frame(value, "pyarrow.parquet")
    import pyarrow

    try:
        write_parquet(value.slice(0, 0), _Nowhere())
    except pyarrow.ArrowException as error:
        return str(error)
    return None


class _Nowhere:
    """A file that forgets."""

    def write(self, data: Any) -> None:
        pass


def _refuses_frame(value: Any, needs: str) -> str | None:
    """Why Arrow cannot hold a frame or series of pandas, or None."""
    from importlib import import_module

    try:
        import_module(needs)
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
    """Whether reading the parquet file gives this very frame."""
    if _library(value) != "pandas":
        return POLARS.restores(value)
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
    """Write a frame or table; a series is a frame of one column."""
    if _library(value) == "polars":
        from io import BytesIO

        content = BytesIO()
        value.write_parquet(content)
        file.write(content.getbuffer())
        return
    import pyarrow.parquet

    pyarrow.parquet.write_table(_as_arrow(value), Sink(file), compression="zstd")


def refuses_csv(value: Any) -> str | None:
    """Why CSV cannot hold a value, or None."""
    return None if is_table(value) else _NO_TABLE


def write_csv(value: Any, file: Writable) -> None:
    """Write a frame, series or table; an index too, unless it only counts the rows."""
    library = _library(value)
    if library == "polars":
        file.write(value.write_csv().encode("utf-8"))
        return
    if library == "pyarrow":
        import pyarrow.csv

        pyarrow.csv.write_csv(value, Sink(file))
        return
    text = _as_frame(value).to_csv(index=not _only_counts(value.index), lineterminator="\n")
    file.write(text.encode("utf-8", "surrogatepass"))


def _only_counts(index: Any) -> bool:
    import pandas

    return type(index) is pandas.RangeIndex and index.name is None


def is_blob(value: Any) -> bool:
    """Whether the Arrow file of a table is that of its blob, and has its columns in their order."""
    if not ARROW.restores(value) or _library(value) is None:
        return False
    if type(value).__name__ != "DataFrame":
        return True
    places = [int(place) for block in value._mgr.blocks for place in block.mgr_locs]
    return places == sorted(places)


def refuses_arrow(value: Any) -> str | None:
    """Why an Arrow file cannot hold a value, or None."""
    library = _library(value)
    if library == "pandas":
        return _refuses_frame(value, "pyarrow")
    return None if library is not None else _NO_TABLE


def write_arrow(value: Any, file: Writable) -> None:
    """Write a frame, series or table as an Arrow file, which is also Feather 2."""
    if _library(value) == "polars":
        write_polars(value, file)
        return
    if is_blob(value):
        ARROW.encode(value, file)
        return
    import pyarrow

    table = _as_arrow(value)
    with pyarrow.ipc.new_file(Sink(file), table.schema) as writer:
        writer.write_table(table)


def refuses_xlsx(value: Any) -> str | None:
    """Why a sheet of Excel cannot hold a value, or None."""
    library = _library(value)
    if library is None:
        return _NO_TABLE
    if len(value) >= 1_048_576:
        return "a sheet has 1,048,576 rows at most"
    from importlib.util import find_spec

    writers = ("xlsxwriter",) if library == "polars" else ("openpyxl", "xlsxwriter")
    if not any(map(find_spec, writers)):
        return f"{writers[0]} is not installed"
    return None


def write_xlsx(value: Any, file: Writable) -> None:
    """Write a table as one sheet."""
    from io import BytesIO

    content = BytesIO()
    library = _library(value)
    if library == "polars":
        value.write_excel(content)
    else:
        frame = value.to_pandas() if library == "pyarrow" else _as_frame(value)
        frame.to_excel(content, index=not _only_counts(frame.index))
    file.write(content.getbuffer())


def _as_arrow(value: Any) -> Any:
    """The table of a frame or series of pandas, or of a batch."""
    import pyarrow

    if isinstance(value, pyarrow.Table):
        return value
    if isinstance(value, pyarrow.RecordBatch):
        return pyarrow.Table.from_batches([value])
    return _arrow_table(_as_frame(value))


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
