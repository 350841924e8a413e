"""Views: files that plain tools read, and what is said where a format cannot hold a value."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import io
import json
import pickle
import threading
from typing import Any

import numpy as np
import pandas as pd
import pytest
import traps
from digest_table import Colour, Plain, Point
from hypothesis import given
from hypothesis import strategies as st

from ddsimport.errors import CodecError
from ddsimport.values.codecs import codec_for, view_for
from ddsimport.values.digest import digest

pytestmark = pytest.mark.filterwarnings("ignore:the matrix subclass")


class _Pipe:
    """A file that can only be written to, like the store's."""

    def __init__(self) -> None:
        self.content = b""

    def write(self, data: Any) -> int:
        self.content += bytes(data)
        return len(bytes(data))


def shown(value: object, suffix: str = "", format: str | None = None) -> tuple[str, bool, bytes]:
    view = view_for(value, suffix, format)
    pipe = _Pipe()
    view.write(value, pipe)
    return view.name, view.exact, pipe.content


def test_the_type_decides() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})
    assert shown("a\r\n") == ("text", True, b"a\r\n")
    assert shown(b"\x00") == ("bytes", True, b"\x00")
    assert shown({"a": [1, 2.5, None]}) == (
        "json",
        True,
        b'{\n  "a": [\n    1,\n    2.5,\n    null\n  ]\n}\n',
    )
    assert shown(3) == ("json", True, b"3\n")
    assert shown(np.arange(3))[:2] == ("npy", True)
    assert shown(frame)[:2] == ("parquet", True)
    assert shown(frame["a"])[:2] == ("parquet", False)
    assert shown(Plain(a=1))[:2] == ("pickle", True)
    assert shown([10**5000])[:2] == ("pickle", True)


def test_the_suffix_decides_if_it_names_a_format() -> None:
    frame = pd.DataFrame({"a": [1, 2]})
    assert view_for(frame, ".csv").name == "csv"
    assert view_for(frame, ".JSON").name == "json"
    assert view_for(frame, ".pkl").name == "pickle"
    assert view_for(frame, ".v2").name == "parquet"
    assert view_for("a", ".md").name == "text"
    assert view_for(frame, ".csv", "pickle").name == "pickle"


def test_bytes_and_text_are_their_file_whatever_its_suffix() -> None:
    assert shown(b"\x89PNG", ".png") == ("bytes", True, b"\x89PNG")
    assert shown("a,b\n1,2\n", ".csv") == ("text", True, b"a,b\n1,2\n")
    assert shown("<p>", ".html") == ("text", True, b"<p>")


def test_unknown_formats_name_the_nearest() -> None:
    with pytest.raises(CodecError, match=r"'parkuet'; did you mean 'parquet'\? there are parquet,"):
        view_for(1, "", "parkuet")
    with pytest.raises(CodecError, match="no view format is named 'qqq'; there are"):
        view_for(1, "", "qqq")


@pytest.mark.parametrize(
    ("value", "format", "why"),
    [
        (3, "png", "only matplotlib figures and PIL images"),
        ("a", "npy", "only arrays"),
        (np.array([None]), "npy", "Python objects"),
        (np.ma.array([1]), "npy", "mask would be lost"),
        (1, "parquet", "only frames and series of pandas"),
        (pd.DataFrame({"a": [1, "x", object()]}), "parquet", "Arrow"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "parquet", "one name"),
        ({"a": [Plain()]}, "json", r"\['a'\]\[0\] is of type Plain"),
        ("\ud800", "text", "lone surrogate"),
        (1, "text", "only a str"),
        (1, "bytes", "only bytes"),
        ([1, 10**5000], "json", r"\[1\] has more digits"),
        ({10**5000: 1}, "json", "it has more digits"),
        ([], "csv", "only frames and series of pandas"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_the_reason(
    value: object, format: str, why: str
) -> None:
    with pytest.raises(CodecError, match=why):
        view_for(value, "", format)


def test_json_of_what_is_not_quite_json() -> None:
    @dataclasses.dataclass
    class Result:
        score: Any
        when: Any

    value = {
        "result": Result(np.float64(0.5), datetime.date(2024, 1, 2)),
        "point": Point(1, 2.0),
        "pair": (1, 2),
        "set": {3, 1},
        "array": np.arange(4).reshape(2, 2),
        "missing": [float("nan"), pd.NaT, pd.NA, np.inf],
        "decimal": decimal.Decimal("1.50"),
        "enum": Colour.RED,
        1: np.int8(2),
        "series": pd.Series([1, 2], index=["x", "y"]),
        "frame": pd.DataFrame({"a": [1, 2]}),
        "moment": pd.Timestamp("2024-01-02"),
    }
    name, exact, content = shown(value)
    assert (name, exact) == ("json", False)
    assert content.endswith(b"}\n")
    assert json.loads(content) == {
        "result": {"score": 0.5, "when": "2024-01-02"},
        "point": {"x": 1, "y": 2.0},
        "pair": [1, 2],
        "set": [1, 3],
        "array": [[0, 1], [2, 3]],
        "missing": [None] * 4,
        "decimal": "1.50",
        "enum": "RED",
        "1": 2,
        "series": {"x": 1, "y": 2},
        "frame": [{"a": 1}, {"a": 2}],
        "moment": "2024-01-02T00:00:00",
    }


def test_json_of_frames_loses_no_column_and_no_row() -> None:
    with pytest.raises(CodecError, match="two columns of it have one name"):
        view_for(pd.DataFrame([[1, 2]], columns=["a", "a"]), ".json")
    assert json.loads(shown(pd.Series([1, 2], index=["a", "a"]), ".json")[2]) == [1, 2]


def test_json_that_holds_itself_ends() -> None:
    knot: list[Any] = []
    knot.append(knot)
    with pytest.raises(CodecError, match="too deep"):
        view_for(knot, ".json")
    assert view_for(knot).name == "pickle"


def test_a_lot_of_data_is_shown_as_json_only_when_asked() -> None:
    assert view_for([0] * 200_000).name == "pickle"
    assert view_for([0] * 200_000, ".json").name == "json"


@pytest.mark.parametrize("name", traps.ARRAYS)
def test_arrays_are_read_by_numpy(name: str) -> None:
    value = traps.ARRAYS[name]()
    form, exact, content = shown(value)
    if form == "npy":
        back = np.load(io.BytesIO(content), allow_pickle=False)
        np.testing.assert_array_equal(back, np.asarray(value))
        if exact:
            assert digest(back) == digest(value)


@pytest.mark.parametrize("name", traps.FRAMES)
def test_frames_are_read_by_pandas(name: str) -> None:
    value = traps.FRAMES[name]()
    form, exact, content = shown(value)
    if form == "parquet":
        back = pd.read_parquet(io.BytesIO(content))
        assert len(back) == len(value)
        if exact:
            assert digest(back) == digest(value)
    elif form == "pickle":
        assert digest(pickle.loads(content)) == digest(value)


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), max_size=3),
        st.sampled_from(
            [
                pd.Series([1, 2], dtype="int16"),
                pd.Series([1.5, -0.0]),
                pd.Series([True, False]),
                pd.Series(["a", ""]),
                pd.Series(["a", None]),
                pd.Series([1, None], dtype="Int32"),
                pd.Series([True, None], dtype="boolean"),
                pd.Series(pd.to_datetime(["2024-01-01", None])),
                pd.Series([1, 2], dtype=object),
                pd.Series([1, None], dtype="Float64"),
                pd.Series(["a", "b"], dtype="category"),
            ]
        ),
        max_size=5,
    )
)
def test_a_parquet_view_that_says_exact_is(columns: dict[str, Any]) -> None:
    frame = pd.DataFrame(columns)
    view = view_for(frame)
    if view.exact and view.name == "parquet":
        assert digest(pd.read_parquet(io.BytesIO(shown(frame)[2]))) == digest(frame)


def test_csv_is_read_by_pandas() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "\u00e4,\n"]})
    name, exact, content = shown(frame, ".csv")
    assert (name, exact) == ("csv", False)
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(content)), frame)
    assert shown(frame.set_index("b"), ".csv")[2].startswith(b"b,a\n")
    assert shown(frame["a"], ".csv")[2] == b"a\n1\n2\n"


def test_pickled_views_are_read_by_pickle() -> None:
    value = {"a": np.arange(100_000), "b": Plain(c=1)}
    name, exact, content = shown(value)
    assert (name, exact) == ("pickle", True)
    assert digest(pickle.loads(content)) == digest(value)
    with pytest.raises(CodecError, match=r"\['a'\]: cannot pickle"):
        shown({"a": threading.Lock()})


def test_pictures() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib.figure import Figure

    image = pytest.importorskip("PIL.Image")
    figure = Figure()
    figure.add_subplot().plot([1, 2])
    name, exact, content = shown(figure)
    assert (name, exact) == ("png", False)
    assert content == shown(figure, ".png")[2]
    assert image.open(io.BytesIO(content)).format == "PNG"
    assert shown(image.new("RGB", (3, 3)))[0] == "png"
    assert shown(image.new("CMYK", (3, 3)))[0] == "pickle"
    assert shown(image.new("RGB", (0, 3)))[0] == "pickle"
    with pytest.raises(CodecError, match="PNG has no CMYK"):
        view_for(image.new("CMYK", (3, 3)), ".png")
    with pytest.raises(CodecError, match="no pixels"):
        view_for(image.new("RGB", (0, 3)), ".png")


def test_structured_arrays_with_any_names_are_npy() -> None:
    for name in ("a", "\u00e4", "\u4f60" * 30_000):
        array = np.zeros(2, dtype=[(name, "i4")])
        content = shown(array)[2]
        assert np.load(io.BytesIO(content), max_header_size=10**6).dtype == array.dtype
    marked = np.zeros(2, dtype=[("a", np.dtype("f8", metadata={"unit": "mm"}))])
    assert view_for(marked).name == "pickle"


def test_pragmas_know_the_formats_there_are() -> None:
    from ddsimport.source.grammar import FORMATS
    from ddsimport.values.codecs import _formats

    assert tuple(_formats.FORMATS) == FORMATS


@pytest.mark.parametrize("mode", traps.IMAGES)
def test_images_that_fool_png(mode: str) -> None:
    """The blob keeps all of them, with what PNG has no place for; the view what PNG can show."""
    image = pytest.importorskip("PIL.Image")
    value = traps.IMAGES[mode]()
    codec = codec_for(value)
    assert codec.name == "pickle"
    file = io.BytesIO()
    codec.encode(value, file)
    back: Any = codec.decode_bytes(file.getvalue())
    assert (back.mode, back.tobytes(), back.info) == (mode, value.tobytes(), value.info)
    name, exact, content = shown(value)
    if name == "png":
        assert not exact
        with image.open(io.BytesIO(content)) as picture:
            if mode == "P":  # colours are numbered anew
                picture, value = picture.convert("RGB"), value.convert("RGB")
            assert picture.mode == value.mode and picture.tobytes() == value.tobytes()
    else:
        assert name == "pickle" and pickle.loads(content).tobytes() == value.tobytes()


def test_figures_by_suffix_are_equal_files() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib.figure import Figure

    def figure() -> Any:
        made = Figure()
        made.add_subplot().plot([1, 2])
        return made

    for suffix, start in (
        (".svg", b"<?xml"),
        (".pdf", b"%PDF"),
        (".jpg", b"\xff\xd8"),
        (".png", b"\x89PNG"),
    ):
        name, exact, content = shown(figure(), suffix)
        assert content.startswith(start) and not exact, name
        assert content == shown(figure(), suffix)[2], name
    with pytest.raises(CodecError, match="only matplotlib figures are drawings"):
        view_for(1, ".svg")


def test_tables_as_sheets() -> None:
    pytest.importorskip("openpyxl")
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    name, exact, content = shown(frame, ".xlsx")
    assert (name, exact) == ("xlsx", False)
    pd.testing.assert_frame_equal(pd.read_excel(io.BytesIO(content)), frame)
    with pytest.raises(CodecError, match="are tables"):
        view_for(1, ".xlsx")


def test_a_sheet_without_a_writer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CodecError, match="openpyxl is not installed"):
        view_for(pd.DataFrame({"a": [1]}), ".xlsx")


@pytest.mark.parametrize("suffix", [".h5", ".yaml", ".pt", ".HDF5", ".xls", ".tsv", ".zip"])
def test_suffixes_of_others_get_no_file_of_ours(suffix: str) -> None:
    for value in (pd.DataFrame({"a": [1]}), {"a": 1}, Plain(a=1), np.arange(3)):
        with pytest.raises(CodecError, match="nothing here writes such files"):
            view_for(value, suffix)
    assert shown(b"PK", suffix) == ("bytes", True, b"PK")
    assert shown("a: 1", suffix) == ("text", True, b"a: 1")
    assert view_for({"a": 1}, suffix, "json").name == "json"


def test_arrow_views_are_feather() -> None:
    pytest.importorskip("pyarrow")
    plain = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    mixed = pd.DataFrame({"a": [1, 2], "b": [1.5, 2.5], "c": [3, 4]})  # its blocks: a, c and b
    odd = pd.DataFrame({"a": [1, 2]}, index=pd.MultiIndex.from_tuples([(1, "x"), (2, "y")]))
    for frame in (plain, mixed, odd):
        name, exact, content = shown(frame, ".feather")
        back = pd.read_feather(io.BytesIO(content))
        assert name == "arrow"
        assert list(back.columns) == list(frame.columns), "in the order of the frame"
        pd.testing.assert_frame_equal(back, frame)
        if exact:
            assert digest(back) == digest(frame)
    with pytest.raises(CodecError, match="one name"):
        view_for(pd.DataFrame([[1, 2]], columns=["a", "a"]), ".arrow")


def test_tables_of_others() -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pa.table({"a": [1, None], "b": ["x", "y"]})
    assert shown(table)[0] == "parquet"
    assert parquet.read_table(pa.BufferReader(shown(table)[2])).equals(table)
    assert shown(table, ".csv")[2].startswith(b'"a","b"\n1,"x"')
    assert pa.ipc.open_file(shown(table, ".arrow")[2]).read_all().equals(table)
    assert view_for(table.to_batches()[0]).name == "parquet"
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [1, None], "b": ["x", "y"]})
    name, exact, content = shown(frame)
    assert (name, exact) == ("parquet", True)
    assert pl.read_parquet(content).equals(frame)
    assert shown(frame, ".csv")[2] == b"a,b\n1,x\n,y\n"
    assert pl.read_ipc(shown(frame, ".feather")[2]).equals(frame)


@pytest.mark.parametrize("name", [*traps.ARRAYS, *traps.JSON, *traps.FRAMES])
@pytest.mark.parametrize("suffix", ["", ".npy", ".npz", ".json", ".txt", ".arrow", ".safetensors"])
def test_a_view_that_is_its_blob_has_the_same_bytes(name: str, suffix: str) -> None:
    value = {**traps.ARRAYS, **traps.JSON, **traps.FRAMES}[name]()
    try:
        view = view_for(value, suffix)
    except CodecError:
        return
    codec = codec_for(value)
    if view.codec == codec.name:
        file, blob = io.BytesIO(), io.BytesIO()
        view.write(value, file)
        codec.encode(value, blob)
        assert file.getvalue() == blob.getvalue()
