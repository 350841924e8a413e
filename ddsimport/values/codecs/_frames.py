"""Frames and series of pandas as one Arrow record batch, in the blocks that they are made of.

pandas lays columns of one dtype into a block of two dimensions, and sums over a block may round
otherwise than sums over single columns: so the blocks come back too, and the columns of the file
are in the order of the blocks. Numbers then lie in the file as in a block, and are used from there,
copied on write. Only pandas 3 and newer can be given its blocks.

Missing values are nulls in the file, for other readers; here the bytes under them count, which are
kept as they are (NaT, the code -1 of a category).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DATES = "Mm"
_MASKED = ("IntegerArray", "FloatingArray", "BooleanArray")
_INDEX = "__index_level_0__"  # as other readers of pandas' metadata know it


def restores(value: Any) -> bool:
    """Whether an Arrow file gives this very frame or series."""
    import pandas

    try:
        from pandas.api.internals import create_dataframe_from_blocks  # noqa: F401 - is it there?
    except ImportError:
        return False
    kind = type(value)
    if kind is not pandas.DataFrame and kind is not pandas.Series:
        return False
    if value.attrs or not value.flags.allows_duplicate_labels or not _is_index(value.index):
        return False
    if any(name[0] != "_" for name in vars(value)):  # `frame.unit = "m"`
        return False
    if kind is pandas.Series:
        return _is_label(value.name) and _is_block(value._mgr.blocks[0].values)
    columns = value.columns
    return (
        type(columns) is pandas.Index
        and len(columns) > 0
        and columns.is_unique
        and str(columns.dtype) in ("str", "object")
        and _is_label(columns.name)
        and all(type(label) is str and label != _INDEX and _is_text(label) for label in columns)
        and all(_is_block(block.values) for block in value._mgr.blocks)
    )


def extent(value: Any) -> tuple[int, int]:
    """How many bytes of data there are, and how many columns."""
    blocks = value._mgr.blocks
    return sum(block.values.nbytes for block in blocks), sum(
        len(block.mgr_locs) for block in blocks
    )


def _is_text(label: str) -> bool:
    return label.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in label)


def _is_label(label: object) -> bool:
    return label is None or (type(label) is str and _is_text(label))


def _is_index(index: Any) -> bool:
    import pandas

    if not _is_label(index.name):
        return False
    if type(index) is pandas.RangeIndex:
        return True
    if type(index) is pandas.DatetimeIndex:
        return index.freq is None and _is_column(index.array)
    return type(index) is pandas.Index and index.dtype.kind != "b" and _is_column(index.array)


def _is_block(values: Any) -> bool:
    import numpy

    if isinstance(values, numpy.ndarray):
        return bool(_is_array(values) and values.flags.writeable)
    if values.ndim == 2:
        array = values._ndarray
        return array.flags.c_contiguous and array.flags.writeable and _is_column(values[0])
    return _is_column(values)


def _is_array(array: Any) -> bool:
    dtype = array.dtype
    return (
        type(dtype).__module__.startswith("numpy")
        and dtype.kind in "biufMm"
        and dtype.char not in "gG"
        and dtype.isnative
        and dtype.metadata is None
        and array.flags.c_contiguous
    )


def _is_column(values: Any) -> bool:
    """Whether one column's values, an extension array, are of a kind that Arrow has."""
    import pandas

    kind = type(values)
    dtype = values.dtype
    if kind is pandas.arrays.NumpyExtensionArray:
        array = values.to_numpy()
        return array.ndim == 1 and _is_array(array)
    if kind in (pandas.arrays.DatetimeArray, pandas.arrays.TimedeltaArray):
        if getattr(values, "freq", None) is not None:
            return False
        zone = getattr(dtype, "tz", None)
        if zone is None:
            return True
        # Of a zone only its name is kept: does Arrow know it, and does it lead back to this one?
        if str(zone) != "UTC" and not hasattr(zone, "key"):
            return False
        try:
            again = pandas.DatetimeTZDtype(dtype.unit, str(zone)).tz
        except Exception:  # no such zone: pandas and zoneinfo raise several families
            return False
        return type(again) is type(zone) and again == zone
    if kind is pandas.Categorical:
        categories = values.categories
        return (
            type(categories) is pandas.Index
            and categories.name is None
            and (str(categories.dtype) == "str" or categories.dtype.kind in "iu")
            and _is_column(categories.array)
        )
    if str(dtype) == "str":
        return getattr(dtype, "storage", "") == "pyarrow" and hasattr(values, "_pa_array")
    return kind.__name__ in _MASKED and getattr(pandas.arrays, kind.__name__) is kind


def parts(value: Any) -> tuple[Any, list[Any], dict[str, Any]]:
    """The schema, the one record batch, and what to know to join them again."""
    import pandas
    import pyarrow

    index = value.index
    notes: dict[str, Any] = {"of": f"pandas.{type(value).__name__}", "rows": len(value)}
    if isinstance(value, pandas.Series):
        frame = value.to_frame("value" if value.name is None else value.name)
        notes["name"] = value.name
        names, arrays = [frame.columns[0]], [_column(value.array)]
        notes["blocks"] = [[_kind(value.array), [0]]]
    else:
        frame = value
        notes["columns"] = [str(value.columns.dtype), value.columns.name]
        notes["blocks"] = []
        names, arrays = [], []
        for block in value._mgr.blocks:
            places = [int(place) for place in block.mgr_locs]
            notes["blocks"].append([_kind(block.values), places])
            names += [value.columns[place] for place in places]
            rows = block.values if getattr(block.values, "ndim", 1) == 2 else [block.values]
            arrays += [_column(rows[n]) for n in range(len(places))]
    if type(index) is pandas.RangeIndex:
        notes["index"] = ["range", index.name, index.start, index.stop, index.step]
    else:
        notes["index"] = [_kind(index.array), index.name]
        names.append(_INDEX)
        arrays.append(_column(index.array))
    fields = [pyarrow.field(name, array.type) for name, array in zip(names, arrays, strict=True)]
    schema = pyarrow.schema(fields, metadata={b"pandas": _metadata(frame)})
    return schema, [pyarrow.RecordBatch.from_arrays(arrays, schema=schema)], notes


def _metadata(frame: Any) -> bytes:
    """What pyarrow writes for other readers: names, dtypes, and which column is the index."""
    import json

    import pandas
    import pyarrow

    known: bytes = pyarrow.Schema.from_pandas(frame.iloc[:0].rename_axis(index=None)).metadata[
        b"pandas"
    ]
    metadata = json.loads(known)
    index = frame.index
    if type(index) is pandas.RangeIndex:
        metadata["index_columns"] = [
            {
                "kind": "range",
                "name": index.name,
                "start": index.start,
                "stop": index.stop,
                "step": index.step,
            }
        ]
    elif index.name is not None:
        for column in metadata["columns"]:
            if column["field_name"] == _INDEX:
                column["name"] = index.name
    return json.dumps(metadata).encode()


def _kind(values: Any) -> list[Any]:
    """How to make the values of a block, or of one column, from what Arrow gives."""
    import numpy
    import pandas

    kind = type(values)
    if kind is pandas.arrays.NumpyExtensionArray:
        values = values.to_numpy()
    if isinstance(values, numpy.ndarray):
        return ["numpy", values.dtype.str]
    if kind in (pandas.arrays.DatetimeArray, pandas.arrays.TimedeltaArray):
        zone = getattr(values.dtype, "tz", None)
        return ["dates", values._ndarray.dtype.str, None if zone is None else str(zone)]
    if kind is pandas.Categorical:
        inner = _kind(values.categories.array)
        return ["category", values.codes.dtype.str, bool(values.ordered), inner]
    if hasattr(values, "_pa_array"):
        return ["str"]
    return ["masked", kind.__name__, values._data.dtype.str]


def _column(values: Any) -> Any:
    """One column as an Arrow array, without a copy where that can be."""
    import numpy
    import pandas
    import pyarrow

    kind = type(values)
    if kind is pandas.Categorical:
        codes = values.codes
        missing = codes == -1
        return pyarrow.DictionaryArray.from_arrays(
            pyarrow.array(codes, mask=missing if missing.any() else None),
            _column(values.categories.array),
            ordered=bool(values.ordered),
        )
    if hasattr(values, "_pa_array"):
        chunked = values._pa_array
        whole = chunked.combine_chunks()
        return whole.chunk(0) if isinstance(whole, pyarrow.ChunkedArray) else whole
    if hasattr(values, "_mask"):
        mask = values._mask
        return pyarrow.array(values._data, mask=mask if mask.any() else None)
    array = values if isinstance(values, numpy.ndarray) else getattr(values, "_ndarray", None)
    if array is None:
        raise TypeError(f"no column of {kind.__name__}")
    if array.dtype.kind in _DATES:
        unit = numpy.datetime_data(array.dtype)[0]
        if array.dtype.kind == "m":
            return pyarrow.array(array, pyarrow.duration(unit))
        zone = getattr(values.dtype, "tz", None)
        plain = pyarrow.array(array, pyarrow.timestamp(unit))
        return plain if zone is None else plain.cast(pyarrow.timestamp(unit, str(zone)))
    return pyarrow.array(array)


def joined(batch: Any, notes: dict[str, Any], data: memoryview) -> Any:
    """The frame or series that `parts` took apart, over the memory of the file."""
    import numpy
    import pandas
    from pandas.api.internals import create_dataframe_from_blocks

    found = _Found(batch, notes["rows"], data)
    blocks = [
        (found.values(kind, len(places)), numpy.array(places, dtype=numpy.intp))
        for kind, places in notes["blocks"]
    ]
    kind, name, *numbers = notes["index"]
    if kind == "range":
        index = pandas.RangeIndex(*numbers, name=name)
    elif kind[0] == "dates":
        index = pandas.DatetimeIndex(found.values(kind, 1, flat=True), name=name, copy=False)
    else:
        index = pandas.Index(found.values(kind, 1, flat=True), name=name, copy=False)
    if notes["of"] == "pandas.Series":
        values = blocks[0][0]
        values = values[0] if values.ndim == 2 else values
        return pandas.Series(values, index=index, name=notes["name"], copy=False)
    labels: list[Any] = [None] * sum(len(places) for _, places in notes["blocks"])
    for label, place in zip(
        batch.schema.names, [at for _, places in notes["blocks"] for at in places], strict=False
    ):
        labels[place] = label
    dtype, name = notes["columns"]
    columns = pandas.Index(labels, dtype=dtype, name=name)
    return create_dataframe_from_blocks(blocks, index=index, columns=columns)


class _Found:
    """The columns of a batch, taken one after the other."""

    def __init__(self, batch: Any, rows: int, data: memoryview) -> None:
        import pyarrow

        self._columns = iter(batch.columns)
        self._rows = rows
        self._data = data
        self._start = pyarrow.py_buffer(data).address

    def values(self, kind: list[Any], count: int, flat: bool = False) -> Any:
        """The values of the next block, of `count` columns; `flat` if of one column alone."""
        import pandas
        import pyarrow

        form, *more = kind
        if form == "numpy":
            block = self._block(more[0], count)
            return block[0] if flat else block
        if form == "dates":
            dtype, zone = more
            block = self._block(dtype, count)
            if zone is not None:
                unit = pandas.DatetimeTZDtype(dtype[4:-1], zone)
                array = pandas.arrays.DatetimeArray._simple_new(block, dtype=unit)
            elif dtype[1] == "M":
                array = pandas.arrays.DatetimeArray._simple_new(block, dtype=block.dtype)
            else:
                array = pandas.arrays.TimedeltaArray._simple_new(block, dtype=block.dtype)
            return array[0] if flat else array
        column = next(self._columns)
        if form == "category":
            codes, ordered, inner = more
            inside = _Found.__new__(_Found)
            inside._columns, inside._rows = iter([column.dictionary]), len(column.dictionary)
            inside._data, inside._start = self._data, self._start
            categories = pandas.Index(inside.values(inner, 1, flat=True), copy=False)
            return pandas.Categorical.from_codes(
                self._raw(column.indices, codes),
                dtype=pandas.CategoricalDtype(categories, ordered),
                validate=False,
            )
        if form == "str":
            dtype = pandas.StringDtype("pyarrow", na_value=float("nan"))
            return type(pandas.array([], dtype=dtype))(pyarrow.chunked_array([column]), dtype=dtype)
        name, dtype = more
        if name not in _MASKED:
            raise ValueError(f"{name} is not a kind of column")
        mask = column.is_null().to_numpy(zero_copy_only=False)
        return getattr(pandas.arrays, name)(self._raw(column, dtype), mask)

    def _block(self, dtype: str, count: int) -> Any:
        import numpy

        rows = [self._raw(next(self._columns), dtype) for _ in range(count)]
        if count == 1:
            return rows[0].reshape(1, -1)
        first, size = rows[0].ctypes.data, rows[0].nbytes
        if size and all(row.ctypes.data == first + n * size for n, row in enumerate(rows)):
            start = first - self._start
            if 0 <= start <= len(self._data) - size * count:
                whole = numpy.frombuffer(self._data, dtype, count * self._rows, start)
                return whole.reshape(count, self._rows)
        return numpy.stack(rows)

    def _raw(self, column: Any, dtype: str) -> Any:
        """The bytes of a column of numbers, over the file's own memory."""
        import numpy

        if dtype == "|b1":
            import pyarrow.compute

            whole = pyarrow.compute.fill_null(column, False)
            return whole.to_numpy(zero_copy_only=False)
        if not self._rows:
            return numpy.empty(0, dtype)
        return numpy.frombuffer(
            self._data, dtype, self._rows, column.buffers()[1].address - self._start
        )
