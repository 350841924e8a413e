"""Digests of numpy, pandas and pyarrow: layout does not count, everything a program sees does."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import traps
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ddsimport.values.codecs._pickle import PICKLE
from ddsimport.values.digest import digest

_dtypes = (
    hnp.boolean_dtypes()
    | hnp.integer_dtypes(endianness="?")
    | hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64))
    | hnp.complex_number_dtypes(sizes=(64, 128))
    | hnp.datetime64_dtypes()
    | hnp.unicode_string_dtypes(max_len=4)
    | hnp.array_dtypes(max_size=3, allow_subarrays=True)
)
_arrays = _dtypes.flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(max_dims=3, min_side=0)))

pytestmark = pytest.mark.filterwarnings("ignore:the matrix subclass")
_TRAPS = {**traps.ARRAYS, **traps.FRAMES, **traps.JSON}


@pytest.mark.parametrize("name", _TRAPS)
def test_pickled_values_have_the_digest_they_had(name: str) -> None:
    value = _TRAPS[name]()
    expected = digest(value)
    assert digest(_TRAPS[name]()) == expected
    assert digest(pickle.loads(pickle.dumps(value, 5))) == expected
    assert digest(value) == expected


def test_no_two_traps_have_one_digest() -> None:
    # The same values on purpose: the digest is of what any program can see.
    twins = {"read-only": "floats"}
    for table in (traps.ARRAYS, traps.FRAMES, traps.JSON):
        names: dict[bytes, str] = {}
        for name, make in table.items():
            other = names.setdefault(digest(make()), name)
            assert other == name or twins.get(name) == other


def _pickled(value: object) -> Any:
    file = io.BytesIO()
    PICKLE.encode(value, file)
    return PICKLE.decode_bytes(file.getvalue())


@given(_arrays, st.data())
def test_views_equal_their_contiguous_copies(array: Any, data: st.DataObject) -> None:
    expected = digest(array)
    assert digest(array.copy(order="C" if array.flags.c_contiguous else "F")) == expected
    wide = np.repeat(array, 2, axis=0) if array.ndim else array
    view = wide[::2] if array.ndim else array
    assert digest(view) == digest(np.ascontiguousarray(view))
    assert digest(_pickled(view)) == digest(view)
    if array.size and array.dtype.itemsize and array.dtype.names is None:
        changed = array.copy()
        place = data.draw(st.integers(0, array.nbytes - 1))
        raw = changed.reshape(-1).view(np.uint8) if changed.flags.c_contiguous else None
        if raw is not None:
            raw[place] ^= 1
            assert digest(changed) != expected


@given(_arrays)
def test_shape_order_dtype_and_class_count(array: Any) -> None:
    expected = digest(array)
    assert digest(array.reshape(1, *array.shape)) != expected
    assert digest(array.tolist()) != expected
    if array.ndim > 1 and array.flags.c_contiguous != array.flags.f_contiguous:
        assert digest(array.T) != expected
        assert digest(np.asfortranarray(array)) != expected
    if array.dtype.names is None and array.dtype.kind not in "MU":
        assert digest(array.view(f"V{array.dtype.itemsize}")) != expected


def test_large_views_are_read_in_slabs() -> None:
    cube = np.arange(3_000_000).reshape(3, 1000, 1000)
    for view in (cube[:, ::2], cube[:, :, ::2], cube.transpose(1, 0, 2), cube[::-1], cube[1:2, 5:]):
        assert digest(view) == digest(np.ascontiguousarray(view))
    narrow = np.arange(2_000_000).reshape(2, 1_000_000)[:, ::2]
    assert digest(narrow) == digest(narrow.copy())
    assert digest(cube[:2]) != digest(cube[1:])


def test_one_element_of_a_large_array_counts() -> None:
    array = np.zeros(5_000_000)
    before = digest(array)
    array[3_141_592] = np.nextafter(0.0, 1.0)
    assert digest(array) != before


def test_bytes_that_nobody_can_read_do_not_count() -> None:
    padded = np.dtype([("a", "i1"), ("b", "f8")], align=True)
    one, other = (np.frombuffer(bytearray([fill]) * 32, padded) for fill in (0, 255))
    one["a"] = other["a"] = 1
    one["b"] = other["b"] = 2.0
    assert one.tobytes() != other.tobytes()
    assert digest(one) == digest(other)
    assert digest(list(one)) == digest(list(other))

    def long_doubles(fill: int) -> Any:
        raw = np.full((2, np.dtype("g").itemsize), fill, np.uint8)
        raw[:, :10] = np.array([1, 2], "g").view(np.uint8).reshape(2, -1)[:, :10]
        return raw.reshape(-1).view("g")

    assert digest(long_doubles(0)) == digest(long_doubles(255))


def test_metadata_and_byte_order_count() -> None:
    plain = np.zeros(3)
    found = {
        digest(plain),
        digest(plain.astype(np.dtype("f8", metadata={"unit": "mm"}))),
        digest(plain.astype(np.dtype("f8", metadata={"unit": "m"}))),
        digest(plain.astype(">f8")),
        digest(np.zeros(3, "M8[s]")),
        digest(np.zeros(3, "M8[ms]")),
        digest(np.zeros(3, "i8")),
        digest(list(plain)),
        digest(plain.tolist()),
        digest(np.float64(0.0)),
        digest(0.0),
        digest(np.array(0.0)),
    }
    assert len(found) == 12


def test_scalars_are_packed_like_they_are_encoded() -> None:
    floats = [np.float64(n) for n in range(30)]
    assert digest(floats) == digest(copy.deepcopy(floats))
    assert digest(floats) != digest([float(n) for n in range(30)])
    assert digest(floats) != digest([np.float32(n) for n in range(30)])
    assert digest(floats) != digest([*floats[:-1], np.float64(-0.0)])
    units = [np.timedelta64(1, "s")] * 20
    assert digest(units) != digest([*units[:-1], np.timedelta64(1, "ms")])


def test_random_generators_count_by_where_they_stand() -> None:
    one, other = np.random.default_rng(1), np.random.default_rng(1)
    assert digest(one) == digest(other)
    one.random()
    assert digest(one) != digest(other)
    other.random()
    assert digest(one) == digest(other)
    one.spawn(1)  # its next child will be another
    assert digest(one) != digest(other)


def test_how_a_mask_is_kept_does_not_count() -> None:
    assert digest(np.ma.array([1, 2])) == digest(np.ma.array([1, 2], mask=[False, False]))
    assert digest(np.ma.array([1, 2])) != digest(np.ma.array([1, 2], mask=[False, True]))
    assert digest(np.ma.array([1, 2])) != digest(np.ma.array([1, 2], fill_value=7))
    assert digest(np.ma.array([1, 2])) != digest(np.ma.array([1, 2], hard_mask=True))


def test_blocks_do_not_count() -> None:
    whole = pd.DataFrame(np.arange(12.0).reshape(4, 3), columns=list("abc"))
    parts = pd.DataFrame({name: whole[name].copy() for name in whole})
    added = pd.DataFrame(index=whole.index)
    for name in whole:
        added.insert(len(added.columns), name, whole[name].to_numpy())
    assert digest(whole) == digest(parts) == digest(added)
    assert digest(whole[["a", "b"]]) == digest(parts[["a", "b"]].copy())


def _changes(frame: pd.DataFrame) -> dict[str, Any]:
    other = frame.copy()
    other.attrs["a"] = 1
    return {
        "column name": frame.rename(columns={"a": "z"}),
        "column order": frame[frame.columns[::-1]],
        "index name": frame.rename_axis(index="n"),
        "columns name": frame.rename_axis(columns="n"),
        "index kind": frame.set_axis(pd.Index(range(len(frame))), axis="index").set_axis(
            pd.Index(list(range(len(frame))), dtype="int64"), axis="index"
        ),
        "row order": frame[::-1],
        "a row less": frame[:-1],
        "dtype": frame.astype({"a": "int32"}),
        "attrs": other,
        "flags": frame.set_flags(allows_duplicate_labels=False),
        "string": frame.astype({"b": "string"}),
        "cell": frame.assign(b=[*frame["b"][:-1], "changed"]),
        "missing": frame.assign(b=[*frame["b"][:-1], None]),
        "category": frame.astype({"c": "str"}),
        "order of categories": frame.assign(c=frame["c"].cat.reorder_categories(["b", "a"])),
        "ordered categories": frame.assign(c=frame["c"].cat.as_ordered()),
        "more categories": frame.assign(c=frame["c"].cat.add_categories(["z"])),
        "series": frame["a"],
        "subclass": traps.Frame(frame),
    }


def test_everything_one_sees_of_a_frame_counts() -> None:
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"], "c": pd.Categorical(list("aba"))})
    found = {"frame": digest(frame)}
    found |= {name: digest(changed) for name, changed in _changes(frame).items()}
    assert len(set(found.values())) == len(found)


def test_metadata_of_subclasses_counts() -> None:
    one, other = traps.FRAMES["subclass"](), traps.FRAMES["subclass"]()
    assert digest(one) == digest(other)
    object.__setattr__(other, "unit", "m")
    assert digest(one) != digest(other)


def test_missing_values_differ() -> None:
    missing = [None, float("nan"), pd.NaT, pd.NA, decimal_nan()]
    assert len({digest(pd.Series([value], dtype=object)) for value in missing}) == len(missing)


def decimal_nan() -> object:
    import decimal

    return decimal.Decimal("NaN")


def test_dtypes_of_text_differ() -> None:
    dtypes = [object, "string[python]", "string[pyarrow]", pd.ArrowDtype(pa.string()), "category"]
    for wrap in (
        pd.Series,
        pd.Index,
        lambda values, dtype: pd.DataFrame({"a": values}, dtype=dtype),
    ):
        made = [wrap(["x", "y"], dtype=dtype) for dtype in dtypes]
        assert len(set(map(digest, made))) == len(dtypes)


def test_what_lies_under_a_mask_does_not_count() -> None:
    for dtype in ("Int64", "Float64", "boolean"):
        one = pd.array([1, 1, None], dtype=dtype)
        other = pd.array([1, 1, 0], dtype=dtype)
        other[2] = pd.NA
        assert digest(one) == digest(other)


@pytest.mark.parametrize(
    "kind",
    [
        "string",
        "large_string",
        "binary",
        "int32",
        "float64",
        "bool_",
        "date32",
        "timestamp",
        "dictionary",
    ],
)
def test_chunks_and_offsets_do_not_count(kind: str) -> None:
    values: list[Any] = ["a", None, "bcd", "", "a", "e"]
    if kind == "dictionary":
        whole = pa.chunked_array([pa.array(values).dictionary_encode()])
        rest = pa.array(values[2:]).dictionary_encode()
    else:
        if kind not in ("string", "large_string", "binary"):
            values = [1, None, 0, 1, 1, 0]
        kind_of = pa.timestamp("s", "UTC") if kind == "timestamp" else getattr(pa, kind)()
        if kind in ("date32", "timestamp"):
            values = [None if n is None else pd.Timestamp(n, unit="D", tz="UTC") for n in values]
        if kind == "bool_":
            values = [None if n is None else bool(n) for n in values]
        if kind == "float64":
            values = [None if n is None else float(n) for n in values]
        whole = pa.chunked_array([pa.array(values, kind_of)])
        rest = pa.array(values[2:], kind_of)
    chunked = pa.chunked_array([whole.chunk(0)[:2], whole.chunk(0)[2:2], whole.chunk(0)[2:]])
    assert digest(chunked) == digest(whole)
    assert digest(chunked[1:4]) == digest(whole[1:4])
    assert digest(whole[1:]) != digest(whole[:-1])
    # A slice of codes keeps the whole dictionary, and programs can see it.
    assert (digest(whole.chunk(0)[2:]) == digest(rest)) == (kind != "dictionary")
    assert digest(pa.table({"a": chunked})) == digest(pa.table({"a": whole}))


def test_what_lies_under_an_arrow_null_does_not_count() -> None:
    one = pa.array([1, 2, 3], mask=np.array([False, True, False]))
    valid = one.buffers()[0]
    other = pa.Array.from_buffers(pa.int64(), 3, [valid, pa.array([1, 99, 3]).buffers()[1]])
    assert one.equals(other)
    assert digest(one) == digest(other)


@given(st.lists(st.none() | st.text(max_size=5), max_size=40), st.integers(0, 40))
def test_strings_in_frames_are_independent_of_chunks(texts: list[str | None], place: int) -> None:
    # No lone surrogates in Arrow.
    texts = [None if text is None else text.encode("utf-8", "replace").decode() for text in texts]
    whole = pd.Series(texts, dtype="string[pyarrow]")
    parts = pd.concat([whole[:place], whole[place:]])
    assert digest(parts) == digest(whole)
    assert digest(pd.Series(texts, dtype="string[python]")) != digest(whole)
    assert digest(
        pd.Series(["new", *texts], dtype="string[pyarrow]")[1:].reset_index(drop=True)
    ) == digest(whole)


def test_fitted_models() -> None:
    ensemble = pytest.importorskip("sklearn.ensemble")
    pipeline = pytest.importorskip("sklearn.pipeline")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    rows, labels = np.random.default_rng(1).random((40, 3)), [0, 1] * 20
    models = []
    for seed in (1, 1, 2):
        forest = ensemble.RandomForestClassifier(5, random_state=seed)
        models.append(
            pipeline.make_pipeline(preprocessing.StandardScaler(), forest).fit(rows, labels)
        )
    same, again, other = models
    expected = digest(same)
    assert digest(again) == expected
    assert digest(pickle.loads(pickle.dumps(same))) == expected
    same.predict(rows)
    assert digest(same) == expected
    assert digest(other) != expected


@given(st.integers(1, 6), st.data())
def test_chunks_of_nested_arrow_types_do_not_count(place: int, data: st.DataObject) -> None:
    struct = pa.struct([("a", pa.list_(pa.int8())), ("b", pa.string())])
    row = st.none() | st.fixed_dictionaries(
        {
            "a": st.none() | st.lists(st.none() | st.integers(-9, 9), max_size=3),
            "b": st.none() | st.text(st.characters(codec="utf-8"), max_size=3),
        }
    )
    kinds = {
        pa.list_(struct): st.lists(row, max_size=3),
        pa.large_list(pa.float64()): st.lists(st.none() | st.floats(), max_size=3),
        pa.list_(pa.string(), 2): st.lists(st.sampled_from("abc"), min_size=2, max_size=2),
        pa.map_(pa.string(), pa.int64()): st.lists(
            st.tuples(st.sampled_from("abc"), st.integers(-9, 9)), max_size=3
        ),
        struct: row,
        pa.list_(pa.dictionary(pa.int8(), pa.string())): st.lists(st.just("a"), max_size=2),
    }
    kind = data.draw(st.sampled_from(sorted(kinds, key=str)))
    values = data.draw(st.lists(st.none() | kinds[kind], min_size=6, max_size=8))
    whole = pa.array(values, kind)
    expected = digest(pa.chunked_array([whole]))
    parts = [whole[:place], whole[place:place], whole[place:]]
    assert digest(pa.chunked_array(parts)) == expected
    apart = [pa.array(values[:place], kind), pa.array(values[place:], kind)]
    if "dictionary" not in str(kind):
        assert digest(pa.chunked_array(apart)) == expected
        assert digest(pa.array(["a", *values][1:], kind)) == digest(whole)
    other = data.draw(st.lists(st.none() | kinds[kind], min_size=6, max_size=8))
    assert (digest(pa.array(other, kind)) == digest(whole)) == (repr(other) == repr(values))
