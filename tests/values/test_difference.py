"""How two values differ, as a user reads it; and that no code of the user's is run for it."""

from __future__ import annotations

import datetime

import pytest

from ddsimport.values.difference import MOST, difference

TEXT = "\n".join(f"line number {i} of this text" for i in range(50))


@pytest.mark.parametrize(
    "old, new, lines",
    [
        (5, 6, ["5 -> 6"]),
        (1, True, ["1 -> True (int -> bool)"]),
        (float("nan"), float("nan"), []),
        ("a", "b", ["'a' -> 'b'"]),
        (TEXT, TEXT.replace("number 7 ", "number 8 "), [
            "line 8: 'line number 7 of this text' -> 'line number 8 of this text'"
        ]),
        (TEXT, TEXT + "\nmore", ["50 lines -> 51", "line 51: the end -> 'more'"]),
        ("x" * 90 + "a", "x" * 90 + "b", [
            f"text: …'{'x' * 20}a' -> …'{'x' * 20}b'"
        ]),
        ({"a": 1, "b": 2}, {"b": 3, "c": 4}, ["['a']: gone (it was 1)", "['c']: new (4)",
                                              "['b']: 2 -> 3"]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, ["the same keys in another order"]),
        ([1, [2, 3]], [1, [2, 4], 5], ["2 items -> 3", "[1][1]: 3 -> 4"]),
        ({1, 2, 3}, {1, 2, 4}, ["gone: 3", "new: 4"]),
        ((1,), [1], ["(1,) -> [1] (tuple -> list)"]),
        (datetime.date(2026, 1, 1), datetime.date(2026, 1, 2), [
            "date datetime.date(2026, 1, 1) -> date datetime.date(2026, 1, 2)"
        ]),
    ],
)  # fmt: skip
def test_plain_values(old, new, lines):
    assert difference(old, new) == lines
    assert difference(old, old) == []


class Model:
    def __init__(self, depth, weights=()):
        self.depth = depth
        self.weights = weights

    def __eq__(self, other):
        raise AssertionError("code of the user's")

    __hash__ = __repr__ = __bool__ = __len__ = __getattr__ = __eq__


def test_instances_by_their_attributes_and_without_their_code():
    assert difference(Model(3), Model(4)) == [".depth: 3 -> 4"]
    assert difference([Model(3, [1])], [Model(3, [2])]) == ["[0].weights[0]: 1 -> 2"]
    assert difference({"a": Model(1)}, {"a": Model(1)}) == []


class Key:
    def __init__(self, name):
        self.name = name

    def __eq__(self, other):
        raise AssertionError("code of the user's")

    def __hash__(self):
        return 1


def test_keys_of_the_users_are_not_compared():
    assert difference({Key("a"): 1, "b": 1}, {Key("a"): 1, "b": 2}) == ["['b']: 1 -> 2"]
    assert difference({Key("a")}, {Key("b")}) == []


def test_values_that_hold_themselves_and_many_differences():
    old, new = [1], [1]
    old.append(old)
    new.append(new)
    assert difference(old, new) == []
    new.append(3)
    assert difference(old, new) == ["2 items -> 3"]
    many = difference({i: i for i in range(100)}, {i: i + 1 for i in range(100)})
    assert len(many) == MOST


def test_arrays():
    np = pytest.importorskip("numpy")
    old = np.arange(12.0).reshape(3, 4)
    new = old.copy()
    new[1, 2] = 60
    assert difference(old, new) == ["[1, 2]: 6.0 -> 60.0"]
    new[2, 3] = np.nan
    assert difference(old, new)[1] == "2 of 12 values differ, by 54 at most"
    assert difference(new, new.copy()) == []
    assert difference(old, old.astype("f4")) == ["dtype float64 -> float32"]
    assert difference(old, old.T) == ["shape (3, 4) -> (4, 3)"]
    records = np.array([(1, "a"), (2, "b")], dtype=[("n", "i4"), ("s", "U1")])
    other = records.copy()
    other["s"][1] = "c"
    assert "(2, 'b') -> (2, 'c')" in difference(records, other)[0]
    objects = np.array([None, "a", Key(1)], dtype=object)
    others = np.array([None, "b", Key(2)], dtype=object)
    assert difference(objects, others)[0] == "[1]: 'a' -> 'b'"
    assert difference(np.float64(1), np.float64(2)) == [
        "float64 np.float64(1.0) -> float64 np.float64(2.0)"
    ]


def test_frames_of_pandas():
    pd = pytest.importorskip("pandas")
    old = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None], "c": [0.5, None, 1.5]})
    new = old.copy()
    new.loc[1, "b"] = "z"
    assert difference(old, new) == ["['b'][1]: 'y' -> 'z'"]
    new.loc[[0, 2], "c"] = 7.0
    assert difference(old, new)[-1] == "2 columns have other values"
    assert difference(old, old.copy()) == []
    told = difference(old, old.rename(columns={"a": "d"}).assign(c=[1, 2, 3]).iloc[:2])
    assert told[:3] == ["shape 3 x 3 -> 2 x 3", "column gone: 'a'", "column new: 'd'"]
    assert told[3].startswith("['c']: dtype float64 -> int64")
    assert difference(old, old[["c", "a", "b"]]) == ["columns in another order"]
    moved = old.set_index(pd.Index([0, 1, 5]))
    assert difference(old, moved) == [".index[2]: 2 -> 5"]
    doubled = old.set_axis(["a", "a", "c"], axis=1)
    assert difference(doubled, doubled.copy()) == []
    times = pd.Series(pd.to_datetime(["2026-01-01", None]), name="t")
    assert difference(times, times.copy()) == []
    assert "Timestamp" in difference(times, times + pd.Timedelta("1D"))[0]
    nullable = pd.Series([1, None], dtype="Int64")
    assert difference(nullable, pd.Series([2, None], dtype="Int64")) == ["[0]: 1 -> 2"]
    kinds = pd.Series(["a", "b"], dtype="category")
    assert difference(kinds, pd.Series(["a", "a"], dtype="category"))[-1] == "[1]: 'b' -> 'a'"


def test_tables_of_polars_and_arrow():
    pl = pytest.importorskip("polars")
    old = pl.DataFrame({"a": [1, None, 3], "b": [["x"], ["y"], []]})
    new = old.with_columns(pl.Series("b", [["x"], ["z"], []]))
    assert difference(old, new) == ["['b'][1][0]: 'y' -> 'z'"]
    assert difference(old, old.clone()) == []
    assert difference(old, old.head(2)) == ["shape 3 x 2 -> 2 x 2"]
    assert difference(old["a"], new["a"] + 1) == ["[0]: 1 -> 2"]
    pytest.importorskip("pyarrow")
    assert difference(old.to_arrow(), new.to_arrow()) == ["['b'][1][0]: 'y' -> 'z'"]
    assert difference(old.to_arrow(), old.to_arrow()) == []


def test_matrices_images_and_labelled_arrays():
    sparse = pytest.importorskip("scipy.sparse")
    np = pytest.importorskip("numpy")
    old = sparse.csr_matrix(np.eye(3))
    new = old.copy()
    new[2, 2] = 5
    assert difference(old, new) == ["[2, 2]: 1.0 -> 5.0"]
    assert difference(old, old.copy()) == []
    image = pytest.importorskip("PIL.Image").new("RGB", (8, 8))
    other = image.copy()
    other.putpixel((3, 4), (1, 2, 3))
    assert difference(image, other) == ["pixels differ, in the box (3, 4, 4, 5)"]
    assert difference(image, image.resize((4, 4))) == ["size (8, 8) -> (4, 4)"]
    xarray = pytest.importorskip("xarray")
    array = xarray.DataArray(np.arange(3.0), dims="t", coords={"t": [1, 2, 3]})
    assert difference(array, array + 1)[0] == "[0]: 0.0 -> 1.0"
    assert difference(array, array.assign_coords(t=[1, 2, 4])) == [".coords['t'][2]: 3 -> 4"]


def test_it_never_raises():
    pd = pytest.importorskip("pandas")

    class Frame(pd.DataFrame):
        @property
        def shape(self):
            raise RuntimeError

    assert isinstance(difference(Frame({"a": [1]}), Frame({"a": [2]})), list)
    old = pd.DataFrame({("a", 1): [1], "b": [object()]})
    assert difference(old, old.copy()) == []
