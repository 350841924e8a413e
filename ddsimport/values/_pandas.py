"""pandas: frames by logical column, never by the blocks that happen to hold them.

How columns lie in blocks depends on how a frame was made and changes when it is sliced or pickled;
names, order, dtypes, the kind of index, `attrs` and flags are what programs see.
"""

from __future__ import annotations

from struct import pack

import numpy as np
import pandas as pd

from ddsimport.values._builtins import attributes
from ddsimport.values._columns import items
from ddsimport.values._encoder import Encoder, named, write_text
from ddsimport.values._numpy import write_array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.values._encoder import Body

_FRAME = named("pandas.DataFrame")
_SERIES = named("pandas.Series")
_INDEX = named("pandas.Index")
_ARRAY = named("pandas array")
_TIMESTAMP = named("pandas.Timestamp")
_TIMEDELTA = named("pandas.Timedelta")
_PERIOD = named("pandas.Period")
_MISSING = named("pandas missing")
_OWN = named("pandas own attributes")


def body_of(kind: type) -> Body | None:
    """What encodes a type of pandas, or a frame or series of a user's own class."""
    if issubclass(kind, pd.DataFrame):
        return _frame
    if issubclass(kind, pd.Series):
        return _series
    if issubclass(kind, pd.Index):
        return _index
    if issubclass(kind, pd.api.extensions.ExtensionArray) and _is_ours(kind):
        return _extension
    if kind is pd.Timestamp:
        return _timestamp
    if kind is pd.Timedelta:
        return _timedelta
    if kind is pd.Period:
        return _period
    if kind is type(pd.NaT) or kind is type(pd.NA):
        return _missing
    return None


def _is_ours(kind: type) -> bool:
    return kind.__module__.partition(".")[0] == "pandas"


def _class(encoder: Encoder, value: Any, exact: type) -> None:
    """The class of a subclass, and the attributes it declares."""
    kind = type(value)
    if kind is exact:
        encoder.out += b"="
        return
    encoder.out += b"<"
    encoder.out += encoder.class_token(kind)
    names = [name for name in value._metadata if name != "name"]
    encoder.encode(names)
    for name in names:
        encoder.encode(getattr(value, name, None))


def own_attributes(value: Any) -> dict[str, Any]:
    """What a program has set on a frame or series (`frame.unit = "m"`), and pandas knows nothing
    of."""
    return {name: item for name, item in vars(value).items() if name[0] != "_"}


def _labels(encoder: Encoder, value: Any) -> None:
    if own := own_attributes(value):
        encoder.out += _OWN
        attributes(encoder, own)
    encoder.encode(value.attrs)
    encoder.encode(value.flags.allows_duplicate_labels)


def _frame(encoder: Encoder, value: Any) -> None:
    out = encoder.out
    out += _FRAME
    _class(encoder, value, pd.DataFrame)
    _labels(encoder, value)
    write_index(encoder, value.columns)
    write_index(encoder, value.index)
    # The only way to all columns without making a Series of each (10 us a column).
    for column in value._iter_column_arrays():
        write_values(encoder, column)


def _series(encoder: Encoder, value: Any) -> None:
    encoder.out += _SERIES
    _class(encoder, value, pd.Series)
    _labels(encoder, value)
    encoder.encode(value.name)
    write_index(encoder, value.index)
    write_values(encoder, value.array)


def _index(encoder: Encoder, value: Any) -> None:
    write_index(encoder, value)


def write_index(encoder: Encoder, value: Any) -> None:
    """Append an index of any kind."""
    out = encoder.out
    out += _INDEX
    if _is_ours(type(value)):
        write_text(out, type(value).__name__)
    else:
        out += encoder.class_token(type(value))
    encoder.encode(tuple(value.names))
    if isinstance(value, pd.MultiIndex):
        # Levels as they are: a slice keeps levels it no longer uses, and programs can see them.
        out += pack("<Q", value.nlevels)
        for level, codes in zip(value.levels, value.codes, strict=True):
            write_index(encoder, level)
            write_array(encoder, np.asarray(codes))
    elif isinstance(value, pd.RangeIndex):
        encoder.encode((value.start, value.stop, value.step))
    else:
        encoder.encode(getattr(value, "freqstr", None))
        write_values(encoder, value.array)


def write_values(encoder: Encoder, values: Any) -> None:
    """Append the values of a column: a numpy array or any extension array."""
    if type(values) is pd.arrays.NumpyExtensionArray:  # StringArray is a subclass of it
        values = values.to_numpy()
    if isinstance(values, np.ndarray):
        encoder.out += b"n"
        write_array(encoder, values)
    elif _is_ours(type(values)):
        encoder.out += b"e"
        _extension(encoder, values)
    else:
        encoder.out += b"o"
        encoder.encode(values)


def _extension(encoder: Encoder, values: Any) -> None:
    out = encoder.out
    out += _ARRAY
    write_text(out, type(values).__name__)
    dtype = values.dtype
    write_text(out, str(dtype))
    if isinstance(dtype, pd.CategoricalDtype):
        write_index(encoder, values.categories)
        encoder.encode(bool(values.ordered))
        write_array(encoder, values.codes)
    elif isinstance(dtype, pd.DatetimeTZDtype):
        encoder.encode(type(dtype.tz).__name__)
        write_array(encoder, values._ndarray)
    elif isinstance(dtype, pd.IntervalDtype):
        write_index(encoder, values.left)
        write_index(encoder, values.right)
    elif isinstance(dtype, pd.SparseDtype):
        encoder.encode(values.fill_value)
        encoder.encode(values.kind)
        encoder.encode(len(values))
        write_array(encoder, values.sp_index.to_int_index().indices)
        write_values(encoder, values.sp_values)
    elif hasattr(values, "_pa_array"):
        from ddsimport.values._arrow import write_column

        encoder.encode(getattr(dtype, "na_value", None))
        write_column(encoder, values._pa_array)
    elif hasattr(values, "_mask"):
        # What lies under the mask is left over from before.
        data = values._data
        if values._mask.any():
            data = data.copy()
            data[values._mask] = data.dtype.type(0)
        write_array(encoder, values._mask)
        write_array(encoder, data)
    elif hasattr(values, "_ndarray"):
        if isinstance(dtype, pd.StringDtype):
            encoder.encode(dtype.storage)
            encoder.encode(dtype.na_value)
        write_array(encoder, values._ndarray)
    else:
        items(encoder, list(values))


def _zone(encoder: Encoder, zone: Any) -> None:
    encoder.encode(None if zone is None else f"{type(zone).__name__}:{zone}")


def _timestamp(encoder: Encoder, value: Any) -> None:
    encoder.out += _TIMESTAMP
    write_array(encoder, np.asarray(value.asm8))
    _zone(encoder, value.tz)
    encoder.encode(value.fold)


def _timedelta(encoder: Encoder, value: Any) -> None:
    encoder.out += _TIMEDELTA
    write_array(encoder, np.asarray(value.asm8))


def _period(encoder: Encoder, value: Any) -> None:
    encoder.out += _PERIOD
    encoder.encode(value.ordinal)
    encoder.encode(value.freqstr)


def _missing(encoder: Encoder, value: object) -> None:
    encoder.out += _MISSING
    write_text(encoder.out, type(value).__name__)
