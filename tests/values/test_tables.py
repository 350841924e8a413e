"""Frames and tables as Arrow files: what the predicate claims comes back, down to the blocks."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import traps
from hypothesis import given
from hypothesis import strategies as st

from ddsimport.errors import CodecError
from ddsimport.values.codecs import _arrow, codec_for, codec_named
from ddsimport.values.digest import digest

ARROW = codec_named("arrow")
_NEWEST = int(pd.__version__.partition(".")[0]) >= 3
needs_blocks = pytest.mark.skipif(not _NEWEST, reason="pandas before 3 takes no blocks")
# Of the frames that fool formats, those that an Arrow file holds after all.
_CLAIMED = {
    *("plain", "no rows", "nullable", "nullable float", "nullable bool", "category", "ordered"),
    *("int categories", "seconds", "zone", "timedeltas", "date index no freq", "named columns"),
    *("named index", "range index", "int index", "series", "nameless series", "slice", "filtered"),
    *("from one array", "large"),
}


def encoded(value: object) -> bytes:
    file = io.BytesIO()
    ARROW.encode(value, file)
    return file.getvalue()


def blocks(frame: Any) -> list[Any]:
    return [
        (
            block.mgr_locs.as_array.tolist(),
            block.values.shape,
            str(block.values.dtype),
            getattr(getattr(block.values, "flags", None), "c_contiguous", None),
            getattr(getattr(block.values, "flags", None), "writeable", None),
        )
        for block in frame._mgr.blocks
    ]


@needs_blocks
@pytest.mark.parametrize("name", traps.FRAMES)
def test_frames_that_fool_formats(name: str) -> None:
    value = traps.FRAMES[name]()
    assert ARROW.restores(value) == (name in _CLAIMED)
    if name in _CLAIMED:
        content = encoded(value)
        for back in (ARROW.decode_bytes(content), ARROW.decode_bytes(bytearray(content))):
            assert type(back) is type(value)
            assert digest(back) == digest(value)
            assert blocks(back) == blocks(value)


@needs_blocks
@pytest.mark.parametrize("name", sorted(_CLAIMED))
def test_others_read_the_file(name: str) -> None:
    value = traps.FRAMES[name]()
    back = pd.read_feather(io.BytesIO(encoded(value)))
    frame = value if isinstance(value, pd.DataFrame) else value.to_frame(value.name or "value")
    pd.testing.assert_frame_equal(back[list(frame.columns)], frame, check_names=False)


_texts = st.text(st.characters(codec="utf-8"), max_size=3)


def _columns(rows: int) -> list[st.SearchStrategy[Any]]:
    def of(elements: st.SearchStrategy[Any], make: Callable[[list[Any]], Any]) -> Any:
        return st.lists(elements, min_size=rows, max_size=rows).map(make)

    days = st.datetimes().map(np.datetime64) | st.just(np.datetime64("NaT", "us"))
    return [
        of(st.integers(-100, 100), lambda v: np.array(v, "i8")),
        of(st.integers(-100, 100), lambda v: np.array(v, "i2")),
        of(st.floats(), lambda v: np.array(v, "f8")),
        of(st.floats(width=16), lambda v: np.array(v, "f2")),
        of(st.booleans(), lambda v: np.array(v, "?")),
        of(days, lambda v: pd.array(np.array(v, "M8[us]"))),
        of(days, lambda v: np.array(v, "M8[s]")),
        of(days, lambda v: pd.Series(np.array(v, "M8[us]")).dt.tz_localize("UTC").array),
        of(st.integers(-9, 9), lambda v: np.array(v, "m8[ns]")),
        of(_texts | st.none(), lambda v: pd.array(v, dtype="str")),
        of(_texts | st.none(), lambda v: np.array(v, object)),
        of(_texts, lambda v: pd.Categorical(v)),
        of(st.sampled_from(["a", "b", None]), lambda v: pd.Categorical(v, ["b", "a"], True)),
        of(st.integers(0, 3) | st.none(), lambda v: pd.array(v, dtype="Int16")),
        of(st.floats() | st.none(), lambda v: pd.array(v, dtype="Float64")),
        of(st.booleans() | st.none(), lambda v: pd.array(v, dtype="boolean")),
        of(st.integers(0, 9), lambda v: pd.Categorical(v)),
    ]


@st.composite
def frames(draw: Any) -> Any:
    rows = draw(st.integers(0, 5))
    labels = draw(st.lists(_texts, min_size=1, max_size=6, unique=True))
    kinds = _columns(rows)
    columns = {label: draw(st.sampled_from(kinds).flatmap(lambda kind: kind)) for label in labels}
    if draw(st.booleans()):
        frame = pd.DataFrame(columns)
    else:  # a block of its own for each
        frame = pd.DataFrame(index=pd.RangeIndex(rows))
        for label, column in columns.items():
            frame[label] = column
    change = draw(st.integers(0, 6))
    if change == 1 and str(frame.dtypes.iloc[0]) != "float16":  # pandas has no such index
        frame = frame.set_index(labels[0])
    elif change == 2:
        frame = frame.iloc[::2, ::-1]
    elif change == 3:
        frame = frame.copy()
    elif change == 4:
        frame.index.name = draw(_texts)
    elif change == 5:
        frame = frame[frame.columns[:1]]
    elif change == 6:
        frame = frame.iloc[:, 0]
    return frame


@needs_blocks
@given(frames())
def test_what_is_claimed_comes_back(frame: Any) -> None:
    if ARROW.restores(frame):
        content = encoded(frame)
        for back in (ARROW.decode_bytes(content), ARROW.decode_bytes(bytearray(content))):
            assert type(back) is type(frame)
            assert digest(back) == digest(frame)
            assert blocks(back) == blocks(frame)


@needs_blocks
def test_small_and_wide_frames_are_pickled_which_is_faster() -> None:
    assert codec_for(traps.FRAMES["large"]()) is ARROW
    assert codec_for(traps.FRAMES["plain"]()).name == "pickle"
    labels = [f"c{n}" for n in range(2000)]
    assert codec_for(pd.DataFrame(np.zeros((100, 2000)), columns=labels)).name == "pickle"
    assert codec_for(pd.DataFrame(np.zeros((1000, 2000)), columns=labels)) is ARROW


@needs_blocks
def test_numbers_are_used_from_the_file_and_copied_on_write(tmp_path: Path) -> None:
    frame = pd.DataFrame({name: np.arange(200_000.0) + n for n, name in enumerate("abc")})
    frame["text"] = pd.array(["x"] * 200_000, dtype="str")
    path = tmp_path / "blob"
    path.write_bytes(encoded(frame))
    before = path.read_bytes()
    back: Any = ARROW.decode(str(path))
    block = back._mgr.blocks[0].values
    assert block.shape == (3, 200_000) and block.base is not None, "three columns, one block"
    back.loc[5, "b"] = -1.0
    back["a"] += 1
    back.iloc[0, 3] = "y"
    assert back.loc[5, "b"] == -1.0 and back.loc[0, "text"] == "y"
    assert path.read_bytes() == before
    path.unlink()
    pd.testing.assert_series_equal(back["c"], frame["c"])


@needs_blocks
def test_sums_round_as_they_did() -> None:
    """Which depends on how numbers lie in memory."""
    generator = np.random.default_rng(0)
    for frame in (
        pd.DataFrame(generator.random((1001, 7)), columns=list("abcdefg")),
        pd.DataFrame({name: generator.random(1001) for name in "abcdefg"}),
    ):
        assert ARROW.restores(frame)
        back: Any = ARROW.decode_bytes(encoded(frame))
        for axis in (0, 1):
            assert (back.sum(axis=axis) == frame.sum(axis=axis)).all()
            assert (back.mean(axis=axis) == frame.mean(axis=axis)).all()
        assert back.to_numpy().sum() == frame.to_numpy().sum()


TABLES: dict[str, Callable[[], Any]] = {
    "table": lambda: pa.table({"a": [1, None], "b": ["x", None]}),
    "nested": lambda: pa.table({"a": [[1], None], "b": [{"x": 1}, None]}),
    "metadata": lambda: pa.table({"a": [1]}).replace_schema_metadata({"k": "v"}),
    "field": lambda: pa.table([[1]], schema=pa.schema([pa.field("a", "i4", False, {"u": "mm"})])),
    "twin columns": lambda: pa.table([[1], [2]], names=["a", "a"]),
    "chunks": lambda: pa.concat_tables([pa.table({"a": [1]}), pa.table({"a": [2, 3]})]),
    "batch": lambda: pa.record_batch({"a": [1, 2]}),
    "array": lambda: pa.array([1.5, None]),
    "sliced": lambda: pa.array(["x", "yy", "z"])[1:],
    "chunked": lambda: pa.chunked_array([[1], [2, 3]]),
    "no chunk": lambda: pa.chunked_array([], type=pa.int8()),
    "dictionary": lambda: pa.array(["x", "y", "x", None]).dictionary_encode(),
    "decimal": lambda: pa.array([None], pa.decimal128(5, 2)),
    "moment": lambda: pa.array([1], pa.timestamp("s", "Europe/Paris")),
}
UNCLAIMED: dict[str, Callable[[], Any]] = {
    "no column": lambda: pa.table({}),
    "uneven": lambda: pa.table({"a": pa.chunked_array([[1], [2]]), "b": pa.array([1, 2])}),
    "empty chunk": lambda: pa.chunked_array([[1], pa.array([], pa.int64())]),
    "dictionaries": lambda: pa.chunked_array(
        [pa.array(["x"]).dictionary_encode(), pa.array(["y"]).dictionary_encode()]
    ),
    "union": lambda: pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])]),
    "ours": lambda: pa.table({"a": [1]}).replace_schema_metadata({"ddsimport": "{}"}),
    "no metadata": lambda: pa.table({"a": [1]}).replace_schema_metadata({}),
    "schema": lambda: pa.schema([("a", "i4")]),
    "scalar": lambda: pa.scalar(1),
    "view": lambda: pa.array(["x"], pa.string_view()),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_pyarrow(name: str) -> None:
    value = TABLES[name]()
    assert codec_for(value) is ARROW
    back: Any = ARROW.decode_bytes(bytearray(encoded(value)))
    assert type(back) is type(value)
    if hasattr(value, "schema"):
        assert back.equals(value, check_metadata=True)
        assert back.schema.equals(value.schema, check_metadata=True)
    else:
        assert back.equals(value) and back.type == value.type
    if hasattr(value, "num_chunks"):
        assert [len(chunk) for chunk in back.chunks] == [len(chunk) for chunk in value.chunks]
    if isinstance(value, pa.Table):
        lengths = [[len(chunk) for chunk in column.chunks] for column in value.columns]
        assert [[len(chunk) for chunk in column.chunks] for column in back.columns] == lengths


@pytest.mark.parametrize("name", UNCLAIMED)
def test_tables_that_are_pickled(name: str) -> None:
    value = UNCLAIMED[name]()
    assert codec_for(value).name == "pickle"


_kinds = st.sampled_from(
    [
        (pa.int16(), st.integers(-9, 9)),
        (pa.float64(), st.floats()),
        (pa.bool_(), st.booleans()),
        (pa.string(), _texts),
        (pa.large_string(), _texts),
        (pa.binary(), st.binary(max_size=3)),
        (pa.list_(pa.int8()), st.lists(st.integers(0, 9), max_size=3)),
        (pa.struct([("x", pa.string())]), st.fixed_dictionaries({"x": _texts | st.none()})),
        (pa.timestamp("us", "UTC"), st.integers(0, 9)),
        (pa.dictionary(pa.int8(), pa.string()), _texts),
    ]
)


@st.composite
def columns(draw: Any) -> Any:
    kind, elements = draw(_kinds)
    part = st.lists(elements | st.none(), max_size=4).map(lambda v: pa.array(v, kind))
    first = draw(st.integers(0, 2))
    if draw(st.booleans()):
        return draw(part)[first:]
    return pa.chunked_array(draw(st.lists(part, max_size=3)), type=kind)[first:]


@given(st.lists(columns(), min_size=1, max_size=3), st.booleans())
def test_what_is_claimed_of_pyarrow_comes_back(parts: list[Any], whole: bool) -> None:
    value = parts[0]
    if whole and len({len(part) for part in parts}) == 1:
        value = pa.table(parts, names=[f"c{n}" for n in range(len(parts))])
    if ARROW.restores(value):
        back: Any = ARROW.decode_bytes(encoded(value))
        assert type(back) is type(value)
        assert repr(back.to_pylist()) == repr(value.to_pylist())
        for one, other in zip(getattr(back, "columns", [back]), getattr(value, "columns", [value]),
                              strict=True):  # fmt: skip
            assert one.type == other.type
            if hasattr(other, "chunks"):
                assert [len(chunk) for chunk in one.chunks] == [len(c) for c in other.chunks]


def test_an_unsafe_reader_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encoded(pa.table({"a": [1]}))
    monkeypatch.setattr(pa, "__version__", "22.0.0")
    assert not _arrow.pyarrow_is_safe()
    assert codec_for(pa.table({"a": [1]})).name == "pickle"
    with pytest.raises(CodecError, match=r"pyarrow 22\.0\.0 is not safe"):
        ARROW.decode_bytes(content)


@needs_blocks
def test_damaged_files_are_codec_errors() -> None:
    content = encoded(pd.DataFrame({"a": [1, 2]}))
    foreign = io.BytesIO()
    pd.DataFrame({"a": [1]}).to_feather(foreign)
    for bad in (b"", b"ARROW1", content[:-20], foreign.getvalue(), b"\xff" * 300_000):
        with pytest.raises(CodecError):
            ARROW.decode_bytes(bytearray(bad))


def test_frames_of_polars() -> None:
    pl = pytest.importorskip("polars")
    codec = codec_named("polars")
    frame = pl.DataFrame({"a": [1, None], "b": ["x", None], "c": [1.5, float("nan")]})
    assert codec_for(frame) is codec
    file = io.BytesIO()
    codec.encode(frame, file)
    back: Any = codec.decode_bytes(file.getvalue())
    assert back.equals(frame) and back.schema == frame.schema
    assert back.n_chunks("all") == frame.n_chunks("all") == [1, 1, 1]
    assert pd.read_feather(io.BytesIO(file.getvalue()))["a"].tolist()[0] == 1
    for other in (
        pl.DataFrame(),
        frame.sort("a"),
        pl.concat([frame, frame], rechunk=False),
        pl.DataFrame({"a": [object()]}),
        pl.DataFrame({"a": [[1]]}),
        frame["a"],
        frame.lazy(),
    ):
        assert not codec.restores(other)
    with pytest.raises(CodecError):
        codec.decode_bytes(b"ARROW1")


@given(st.data())
def test_what_is_claimed_of_polars_comes_back(data: Any) -> None:
    pl = pytest.importorskip("polars")
    kinds = [
        (pl.Int16, st.integers(-9, 9)),
        (pl.Float64, st.floats()),
        (pl.Boolean, st.booleans()),
        (pl.String, _texts),
        (pl.Binary, st.binary(max_size=3)),
        (pl.Date, st.dates()),
        (pl.Datetime("us", "Europe/Paris"), st.integers(0, 9)),
        (pl.Duration("ms"), st.integers(0, 9)),
        (pl.Categorical, _texts),
        (pl.List(pl.Int8), st.lists(st.integers(0, 9), max_size=2)),
    ]
    rows = data.draw(st.integers(0, 4))
    chosen = data.draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3))
    columns = {}
    for n, (kind, elements) in enumerate(chosen):
        content = data.draw(st.lists(elements | st.none(), min_size=rows, max_size=rows))
        columns[f"c{n}"] = pl.Series(content, dtype=kind, strict=False)
    frame = pl.DataFrame(columns)
    frame = data.draw(st.sampled_from([frame, frame[1:], frame.reverse(), frame.sort("c0")]))
    codec = codec_named("polars")
    if codec.restores(frame):
        file = io.BytesIO()
        codec.encode(frame, file)
        back: Any = codec.decode_bytes(file.getvalue())
        assert back.schema == frame.schema and repr(back.rows()) == repr(frame.rows())
        assert back.n_chunks("all") == frame.n_chunks("all")
        assert [s.flags for s in back.get_columns()] == [s.flags for s in frame.get_columns()]


@pytest.mark.parametrize("kind", [pd.DataFrame, pd.Series])
@pytest.mark.filterwarnings("ignore:Pandas doesn't allow columns")
def test_what_a_program_sets_on_a_frame_counts(kind):
    made = kind({"a": range(3)})
    bare = digest(made)
    made.unit = ["m"]
    assert digest(made) != bare


@needs_blocks
@pytest.mark.filterwarnings("ignore:Pandas doesn't allow columns")
def test_what_a_program_sets_on_a_frame_is_dropped_by_no_codec():
    large = traps.FRAMES["large"]()
    assert codec_for(large) is ARROW
    large.unit = ["m"]
    assert codec_for(large) is not ARROW
