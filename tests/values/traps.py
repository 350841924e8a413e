"""Values that fool file formats: arrays, JSON values and frames, silently changed by others."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd


class Point(NamedTuple):
    x: int
    y: int


class Level(enum.IntEnum):
    LOW = 1


class Text(str):
    pass


class Frame(pd.DataFrame):
    """A subclass with an attribute of its own."""

    _metadata = ["unit"]  # noqa: RUF012 - pandas wants it so
    unit: str | None = None

    @property
    def _constructor(self) -> type[Frame]:
        return Frame


def _with_unit() -> Frame:
    frame = Frame({"a": [1, 2]})
    object.__setattr__(frame, "unit", "mm")
    return frame


def _frozen(array: Any) -> Any:
    array.flags.writeable = False
    return array


_pairs = np.dtype([("a", "i1"), ("b", "f8")])

ARRAYS: dict[str, Callable[[], Any]] = {
    "floats": lambda: np.arange(12.0),
    "ints": lambda: np.arange(12, dtype="i2"),
    "bools": lambda: np.array([True, False]),
    "complex": lambda: np.array([1j, complex(-0.0, 2)], dtype="c8"),
    "half": lambda: np.arange(3, dtype="f2"),
    "nan": lambda: np.array([np.nan, -np.nan, -0.0, 0.0, np.inf]),
    "empty": lambda: np.empty((0, 3)),
    "no dimension": lambda: np.array(3.0),
    "fortran": lambda: np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "c": lambda: np.arange(12.0).reshape(3, 4),
    "strided": lambda: np.arange(24.0)[::2],
    "turned": lambda: np.arange(12.0)[::-1],
    "permuted": lambda: np.arange(24.0).reshape(2, 3, 4).transpose(1, 0, 2),
    "broadcast": lambda: np.broadcast_to(np.arange(3.0), (4, 3)),
    "big endian": lambda: np.arange(4, dtype=">i4"),
    "datetime": lambda: np.array(["2024-01-01", "NaT"], dtype="M8[D]"),
    "timedelta": lambda: np.array([1, 2], dtype="m8[ms]"),
    "text": lambda: np.array(["a", "bcd"]),
    "bytestrings": lambda: np.array([b"a", b"bc"]),
    "objects": lambda: np.array([1, "a", None, 2.5], dtype=object),
    "structured": lambda: np.array([(1, 2.0), (3, 4.0)], dtype=_pairs),
    "aligned": lambda: np.zeros(3, dtype=np.dtype(_pairs.descr, align=True)),
    "nested struct": lambda: np.zeros(2, dtype=[("p", _pairs, (2,)), ("o", object)]),
    "record": lambda: np.rec.array([(1, 2.0)], dtype=_pairs),
    "matrix": lambda: np.asmatrix(np.arange(4.0).reshape(2, 2)),
    "metadata": lambda: np.zeros(2, dtype=np.dtype("f8", metadata={"unit": "mm"})),
    "masked": lambda: np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False]),
    "masked by nothing": lambda: np.ma.array([1.0, 2.0]),
    "masked struct": lambda: np.ma.array(np.zeros(2, _pairs), mask=[(True, False), (False, True)]),
    "read-only": lambda: _frozen(np.arange(3.0)),
    "long double": lambda: np.array([1, 2], dtype="g"),
    "scalar": lambda: np.float64(1.5),
    "int scalar": lambda: np.int8(1),
    "date scalar": lambda: np.datetime64("2024-01-01", "s"),
    "void scalar": lambda: np.array([(1, 2.0)], dtype=_pairs)[0],
    "generator": lambda: np.random.default_rng(1),
    "random state": lambda: np.random.RandomState(1),
    "bits": lambda: np.random.PCG64(1),
    "dtype": lambda: np.dtype("f4"),
    "ufunc": lambda: np.add,
    "large": lambda: np.arange(100_000.0),
    "large fortran": lambda: np.asfortranarray(np.arange(100_000.0).reshape(100, 1000)),
    "in a dict": lambda: {"small": np.arange(3), "large": np.arange(100_000), "text": "a"},
}

JSON: dict[str, Callable[[], Any]] = {
    "object": lambda: {"a": 1, "b": [True, None, 1.5, "x"]},
    "empty object": dict,
    "empty list": list,
    "none": lambda: None,
    "true": lambda: True,
    "int": lambda: 1,
    "big int": lambda: 2**70,
    "huge int": lambda: 10**5000,
    "float": lambda: 0.1,
    "float like int": lambda: 1.0,
    "minus zero": lambda: -0.0,
    "nan": lambda: [float("nan")],
    "infinite": lambda: {"a": float("inf")},
    "tuple": lambda: (1, 2),
    "tuple inside": lambda: {"a": (1, 2)},
    "int keys": lambda: {1: "a"},
    "none key": lambda: {None: "a"},
    "true key": lambda: {True: "a"},
    "ordered dict": lambda: collections.OrderedDict(a=1),
    "default dict": lambda: collections.defaultdict(list, a=[1]),
    "named tuple": lambda: Point(1, 2),
    "int enum": lambda: [Level.LOW],
    "numpy float": lambda: [np.float64(1.5)],
    "str subclass": lambda: [Text("a")],
    "str subclass key": lambda: {Text("a"): 1},
    "set": lambda: {1, 2},
    "bytes": lambda: [b"a"],
    "surrogate": lambda: ["\ud800"],
    "surrogate pair": lambda: ["\ud83d\ude00"],
    "surrogate key": lambda: {"\udc00": 1},
    "unicode": lambda: ["\u00e4", "\U0001f600", "\x00", "\u2028"],
    "date": lambda: [datetime.date(2024, 1, 1)],
    "decimal": lambda: [decimal.Decimal("1.0")],
    "deep": lambda: [[[[[[[[[[[[1]]]]]]]]]]]],
    "str": lambda: "a\r\nb",
    "str surrogate": lambda: "\ud800",
    "top bytes": lambda: b"\x00\xff",
    "bytearray": lambda: bytearray(b"a"),
}

_days = pd.date_range("2024-01-01", periods=3)
_multi = pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["x", "y"])

FRAMES: dict[str, Callable[[], Any]] = {
    "plain": lambda: pd.DataFrame({"a": [1, 2], "b": [1.5, 2.5], "c": ["x", "y"]}),
    "no columns": lambda: pd.DataFrame(index=[1, 2]),
    "nothing": lambda: pd.DataFrame(),
    "no rows": lambda: pd.DataFrame({"a": pd.Series([], dtype="i4")}),
    "object texts": lambda: pd.DataFrame({"a": pd.Series(["x", None, "y"], dtype=object)}),
    "none and nan": lambda: pd.DataFrame(
        {"a": pd.Series([None, np.nan, pd.NA, pd.NaT], dtype=object)}
    ),
    "object ints": lambda: pd.DataFrame({"a": pd.Series([1, 2], dtype=object)}),
    "object tuples": lambda: pd.DataFrame({"a": [(1,), (2, 3)]}),
    "object lists": lambda: pd.DataFrame({"a": [[1], [2, 3]]}),
    "object sets": lambda: pd.DataFrame({"a": [{1}, {"b"}]}),
    "object dicts": lambda: pd.DataFrame({"a": [{"x": 1}, {"y": 2}]}),
    "decimals": lambda: pd.DataFrame({"a": [decimal.Decimal("1.0"), decimal.Decimal("1.00")]}),
    "mixed": lambda: pd.DataFrame({"a": pd.Series([1, "x", None, b"y"], dtype=object)}),
    "nullable": lambda: pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}),
    "nullable float": lambda: pd.DataFrame({"a": pd.array([1.5, None], dtype="Float64")}),
    "nullable bool": lambda: pd.DataFrame({"a": pd.array([True, None], dtype="boolean")}),
    "arrow ints": lambda: pd.DataFrame({"a": pd.array([1, None], dtype="int64[pyarrow]")}),
    "arrow texts": lambda: pd.DataFrame({"a": pd.array(["x", None], dtype="string[pyarrow]")}),
    "arrow lists": lambda: pd.Series(pd.array([[1], None, [2, 3]], dtype=_list_of_ints())),
    "python texts": lambda: pd.DataFrame({"a": pd.array(["x", None], dtype="string[python]")}),
    "category": lambda: pd.DataFrame({"a": pd.Categorical(["x", "y", "x", None])}),
    "ordered": lambda: pd.DataFrame({"a": pd.Categorical(["x", "y"], ["y", "x"], ordered=True)}),
    "int categories": lambda: pd.DataFrame({"a": pd.Categorical([3, 1, 3])}),
    "date categories": lambda: pd.DataFrame({"a": pd.Categorical(_days)}),
    "seconds": lambda: pd.DataFrame({"a": _days.as_unit("s")}),
    "zone": lambda: pd.DataFrame({"a": _days.tz_localize("Europe/Paris")}),
    "fixed offset": lambda: pd.DataFrame({"a": _days.tz_localize("+01:00")}),
    "timedeltas": lambda: pd.DataFrame({"a": pd.to_timedelta([1, 2], unit="s")}),
    "periods": lambda: pd.DataFrame({"a": pd.period_range("2024", periods=2, freq="M")}),
    "intervals": lambda: pd.DataFrame({"a": pd.interval_range(0, 2)}),
    "sparse": lambda: pd.DataFrame({"a": pd.arrays.SparseArray([0, 0, 1])}),
    "complex": lambda: pd.DataFrame({"a": [1j, 2]}),
    "big endian": lambda: pd.DataFrame({"a": np.arange(2, dtype=">i4")}),
    "date index": lambda: pd.DataFrame({"a": [1, 2, 3]}, index=_days),
    "date index no freq": lambda: pd.DataFrame(
        {"a": [1, 2, 3]}, index=pd.DatetimeIndex(list(_days))
    ),
    "multi index": lambda: pd.DataFrame({"a": range(4)}, index=_multi),
    "multi columns": lambda: pd.DataFrame(np.zeros((2, 4)), columns=_multi),
    "part of multi": lambda: pd.DataFrame({"a": range(4)}, index=_multi)[1:3],
    "int columns": lambda: pd.DataFrame({1: [1], 2: [2]}),
    "mixed columns": lambda: pd.DataFrame([[1, 2]], columns=[1, "a"]),
    "date columns": lambda: pd.DataFrame([[1, 2, 3]], columns=_days),
    "twin columns": lambda: pd.DataFrame([[1, 2]], columns=["a", "a"]),
    "named columns": lambda: pd.DataFrame({"a": [1]}).rename_axis(columns="n"),
    "named index": lambda: pd.DataFrame({"a": [1]}).rename_axis(index="n"),
    "range index": lambda: pd.DataFrame({"a": [1, 2]}, index=pd.RangeIndex(2, 6, 2)),
    "int index": lambda: pd.DataFrame({"a": [1, 2]}, index=pd.Index([2, 4])),
    "mixed index": lambda: pd.DataFrame({"a": [1, 2]}, index=[1, "a"]),
    "surrogates": lambda: pd.DataFrame({"a": pd.Series(["\ud800"], dtype=object)}),
    "attrs": lambda: _attrs(pd.DataFrame({"a": [1]})),
    "flags": lambda: pd.DataFrame({"a": [1]}).set_flags(allows_duplicate_labels=False),
    "subclass": _with_unit,
    "series": lambda: pd.Series([1.5, 2.5], name="s"),
    "nameless series": lambda: pd.Series([1.5, 2.5]),
    "index": lambda: pd.Index(["a", "b"], name="n"),
    "category index": lambda: pd.CategoricalIndex(["a", "b"]),
    "timestamp": lambda: pd.Timestamp("2024-01-01", tz="UTC"),
    "timestamp ns": lambda: pd.Timestamp("2024-01-01 00:00:00.000000001"),
    "timedelta": lambda: pd.Timedelta(seconds=1),
    "period": lambda: pd.Period("2024-01", freq="M"),
    "interval": lambda: pd.Interval(0, 1),
    "offset": lambda: pd.offsets.MonthEnd(2),
    "nat": lambda: pd.NaT,
    "na": lambda: pd.NA,
    "categorical": lambda: pd.Categorical(["a", "b"]),
    "category dtype": lambda: pd.CategoricalDtype(["a", "b"]),
    "slice": lambda: _mixed_frame()[3:9],
    "filtered": lambda: _mixed_frame()[lambda frame: frame.a % 3 == 1],
    "every second": lambda: _mixed_frame().iloc[::2, ::-1],
    "grouped": lambda: _mixed_frame().groupby("c", observed=True).a.mean(),
    "pivoted": lambda: _mixed_frame().pivot_table(index="c", values="a", observed=True),
    "from one array": lambda: pd.DataFrame(np.arange(12.0).reshape(4, 3), columns=list("xyz")),
    "large": lambda: pd.DataFrame({"a": np.arange(100_000), "b": np.arange(100_000.0), "c": "x"}),
}


def _list_of_ints() -> Any:
    import pyarrow

    return pd.ArrowDtype(pyarrow.list_(pyarrow.int64()))


def _attrs(frame: pd.DataFrame) -> pd.DataFrame:
    frame.attrs["source"] = "a"
    return frame


def _mixed_frame() -> Any:
    return pd.DataFrame(
        {
            "a": range(20),
            "b": [f"s{n}" for n in range(20)],
            "c": pd.Categorical(list("abcd") * 5),
            "d": pd.date_range("2024", periods=20, freq="h"),
            "e": pd.array([1, None] * 10, dtype="Int64"),
        }
    )


def _image(mode: str) -> Callable[[], Any]:
    def make() -> Any:
        from PIL import Image

        image = Image.new(mode, (4, 3))
        if mode == "P":
            image.putpalette([level for level in range(256) for _ in range(3)])
        image.putpixel((1, 2), _PIXELS[mode])
        image.info["dpi"] = (72, 72)
        return image

    return make


_PIXELS: dict[str, Any] = {
    "1": 1, "L": 7, "P": 7, "RGB": (1, 2, 3), "RGBA": (1, 2, 3, 4), "CMYK": (1, 2, 3, 4),
    "YCbCr": (1, 2, 3), "LAB": (1, 2, 3), "HSV": (1, 2, 3), "I": 70_000, "F": 1.5, "LA": (1, 2),
    "I;16": 7000,
}  # fmt: skip
IMAGES: dict[str, Callable[[], Any]] = {mode: _image(mode) for mode in _PIXELS}
