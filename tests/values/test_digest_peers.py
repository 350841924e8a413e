"""What other tools take for equal, or for different, and is not: `notes/analysis.md`, part 4.3."""

from __future__ import annotations

import collections
import copy
import dataclasses
import datetime
import functools
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import digest_table
import numpy as np
import pandas as pd
import pytest
from digest_table import Plain, code_of

from ddsimport.errors import UndigestibleError
from ddsimport.values.digest import digest


class P:
    def __init__(self, n: int) -> None:
        self.n = n


class Q(P):
    pass


def _deep(leaf: object, depth: int) -> Any:
    value: Any = leaf
    for _ in range(depth):
        value = {"a": [value]}
    return value


def _changed(values: Any, place: int) -> Any:
    values = values.copy()
    values[place] = np.nextafter(values[place], 1)
    return values


_ten = np.arange(10.0)
_matrix = np.arange(4.0).reshape(2, 2)
_many = np.zeros(2_000_000)
_frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
_rows = pd.DataFrame({"a": np.zeros(200_000), "b": "x"})
_two_lambdas = (lambda x: x + 1), (lambda x: x + 2)
_joined = "".join(digest(part).hex() for part in ("a", "b"))


def _lambda_code(thing: Any) -> bytes:
    return bytes(thing.__code__.co_code) + repr(thing.__code__.co_consts).encode()


DIFFERENT: dict[str, tuple[Any, Any]] = {
    # checkpointer
    "two parts of one array": (_ten[:5], _ten[5:]),
    "series of text": (pd.Series(["x"]), pd.Series(["y"])),
    "column renamed": (_frame, _frame.rename(columns={"a": "c"})),
    "mask": (np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 2], mask=[1, 0])),
    # marimo
    "turned matrix": (_matrix, _matrix.T),
    "turned copy": (_matrix, _matrix.T.copy()),
    "dtype of zeros": (np.zeros(3, "i8"), np.zeros(3, "f8")),
    "True and 1": (True, 1),
    # Hamilton
    "shape of zeros": (np.zeros((2, 3)), np.zeros((3, 2))),
    "1 and its text": (1, "1"),
    "list and tuple": ([1], (1,)),
    "instances of two classes": (P(1), Q(1)),
    "deeper than six": (_deep(1, 7), _deep(2, 7)),
    "deeper than sixty": (_deep(1, 60), _deep(2, 60)),
    # streamlit
    "one element of two million": (_many, _changed(_many, 1_234_567)),
    "one row of 200,000": (_rows, _rows.assign(a=_changed(_rows["a"], 123_456))),
    "texts and a text that looks like them": (["a", "b"], ["astr:b"]),
    "equal members of other types": ([(1,), (1,)], [(1,), (True,)]),
    # dds_py
    "a text and the hashes of its parts": (["a", "b"], _joined),
    "date and its repr": (datetime.date(2024, 1, 1), repr(datetime.date(2024, 1, 1))),
    "empty defaults": (functools.partial(int, base=0), functools.partial(int)),
    "false things": ((0, "", None), ("", None, 0)),
    "keywords": (functools.partial(dict, a=1), functools.partial(dict, a=2)),
    "large ints": (2**31, 2**31 + 1),
    "larger ints": (2**64, -(2**64)),
    # joblib, datasets, checkpointer, Hamilton, marimo
    "order of a dict": ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    "order of an ordered dict": (
        collections.OrderedDict(a=1, b=2),
        collections.OrderedDict(b=2, a=1),
    ),
    # pandas.util.hash_array
    "widths": (pd.Series([1], dtype="i1"), pd.Series([1], dtype="i8")),
    "signs of zero": (pd.Series([0.0]), pd.Series([-0.0])),
    "None and NaN": (pd.Series([None], dtype=object), pd.Series([float("nan")], dtype=object)),
    "objects 1 and '1'": (pd.Series([1], dtype=object), pd.Series(["1"], dtype=object)),
    # the rest
    "payloads of NaN": (
        np.array([0x7FF8000000000001], "u8").view("f8"),
        np.array([0x7FF8000000000002], "u8").view("f8"),
    ),
    "bytes and bytearray": (b"a", bytearray(b"a")),
    "C and Fortran order": (_matrix, np.asfortranarray(_matrix)),
    "a scalar and its number": (np.float64(1), 1.0),
    "a type and its instance": (int, 0),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_different(name: str) -> None:
    one, other = DIFFERENT[name]
    assert digest(one) != digest(other)
    assert digest([one] * 20) != digest([*[one] * 19, other])
    assert digest({"a": one}) != digest({"a": other})


def test_two_lambdas_of_one_line_differ() -> None:
    one, other = _two_lambdas
    assert digest(one, _lambda_code) != digest(other, _lambda_code)


def test_a_generator_is_not_consumed() -> None:
    numbers = (n for n in [1, 2])
    with pytest.raises(UndigestibleError, match="consumed"):
        digest(numbers)
    assert list(numbers) == [1, 2]


# --- equal, whatever way it came about ----------------------------------------------------------

_long = pd.DataFrame({"a": range(100), "b": [str(n) for n in range(100)]})
EQUAL: dict[str, Callable[[], Any]] = {
    "set of texts": lambda: {f"t{n}" for n in range(40)},
    "frozenset of texts": lambda: frozenset(f"t{n}" for n in range(40)),
    "set of frozensets": lambda: {frozenset({n, str(n)}) for n in range(20)},
    "objects that hold sets": lambda: [Plain(tags={str(n), n}) for n in range(20)],
    "sliced frame": lambda: _long[3:50],
    "filtered frame": lambda: _long[_long.a % 3 == 1],
    "grouped frame": lambda: _long.groupby(_long.a % 7).a.mean(),
    "frame with two indexes": lambda: _long.set_index(["a", "b"]),
    "part of a frame with two indexes": lambda: _long.set_index(["a", "b"])[3:7],
    "every second": lambda: np.arange(100)[::2],
    "broadcast": lambda: np.broadcast_to(np.arange(3), (4, 3)),
    "masked": lambda: np.ma.array([1, 2, 3], mask=[0, 1, 0]),
    "interned and not": lambda: ["".join(["a", "b"]), sys.intern("ab"), "ab"],
    "shared and not": lambda: [(s := [1, 2]), s, [1, 2]],
}


@pytest.mark.parametrize("name", EQUAL)
def test_equal_when_made_again_pickled_and_copied(name: str) -> None:
    value = EQUAL[name]()
    expected = digest(value)
    assert digest(EQUAL[name]()) == expected
    assert digest(pickle.loads(pickle.dumps(value, 5))) == expected
    if name != "broadcast":  # whose copy has the order of Fortran
        assert digest(copy.deepcopy(value)) == expected


def test_mapped_arrays_count_by_content(tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        np.save(tmp_path / name, np.arange(10))
        made.append(np.load(tmp_path / f"{name}.npy", mmap_mode="r+"))
    one, other = made
    assert digest(one) == digest(other) != digest(np.arange(10))
    assert digest(one[2:5]) == digest(other[2:5]) != digest(one[3:6])
    # What comes back writes to no file.
    assert digest(pickle.loads(pickle.dumps(one))) != digest(one)
    other[3] = 7
    assert digest(one) != digest(other)


def test_whatever_is_interned_or_shared() -> None:
    apart = ["".join(["a", "b"]), "".join(["a", "b"])]
    assert apart[0] is not apart[1]
    assert digest(apart) == digest(["ab", "ab"]) == digest([sys.intern("ab")] * 2)
    row = [1, 2]
    assert digest([row, row]) == digest([row, list(row)])


def test_a_class_in_main_is_the_same_under_every_hash_seed(tmp_path: Path) -> None:
    """And a function with a set in it, whose constants are a frozenset."""
    (tmp_path / "main.py").write_text(
        """
from ddsimport.errors import UndigestibleError
from ddsimport.values.digest import digest

class Mine:
    def __init__(self):
        self.tags = {"a", "b", "c"}

def function(x):
    return x in {"a", "b", "c"}

token = lambda thing: thing.__qualname__.encode()
print(digest([Mine(), Mine, function, lambda x: x in {"a", "b"}], token).hex())
"""
    )
    found = set()
    for seed in ("0", "1", "2", "4711"):
        done = subprocess.run(
            [sys.executable, str(tmp_path / "main.py")],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(done.stdout)
    assert len(found) == 1


def test_methods_of_the_class_of_an_instance_count() -> None:
    assert digest(P(1), lambda kind: b"as it was") != digest(P(1), lambda kind: b"edited")
    assert digest(Q(1), code_of) != digest(P(1), code_of)


def test_every_state_of_an_estimator_with_its_own_random_state_counts() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    one, other = (linear_model.SGDClassifier(random_state=np.random.RandomState(1)) for _ in "ab")
    assert digest(one) == digest(other)
    other.random_state.random()
    assert digest(one) != digest(other)


def test_exceptions_count_with_their_causes() -> None:
    def failed(cause: BaseException | None) -> ValueError:
        error = ValueError("a")
        if cause is not None:
            error.__cause__ = cause
        return error

    assert digest(failed(None)) == digest(failed(None))
    assert digest(failed(KeyError("a"))) == digest(failed(KeyError("a")))
    assert len({digest(failed(c)) for c in (None, KeyError("a"), KeyError("b"))}) == 3
    # No format keeps a traceback: what was raised differs from what would come back.
    try:
        raise failed(None)
    except ValueError as error:
        raised = error
    assert digest(raised) != digest(pickle.loads(pickle.dumps(raised))) == digest(failed(None))


def test_descriptors_and_structs() -> None:
    from struct import Struct

    def getter(self: object) -> int:
        return 1

    assert digest(property(getter), code_of) != digest(property(None, getter), code_of)
    assert digest(Struct("<i")) == digest(Struct("<i")) != digest(Struct("<q"))
    assert digest(digest_table.Lazy.twice, code_of) == digest(digest_table.Lazy.twice, code_of)


def test_numpy_masked_has_a_digest() -> None:
    assert digest(np.ma.masked) == digest(copy.deepcopy(np.ma.masked)) != digest(np.ma.array(0.0))


def test_kinds_of_sparse_columns_differ() -> None:
    kinds = ("integer", "block")
    one, other = (pd.arrays.SparseArray([0, 1, 0], kind=kind) for kind in kinds)
    assert digest(one) != digest(other)


def test_dataclasses_of_one_shape_differ() -> None:
    one, other = (dataclasses.make_dataclass(name, ["a"]) for name in ("One", "Other"))
    assert digest(one(1)) != digest(other(1))
