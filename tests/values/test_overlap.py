"""Arrays inside one value that lie over the same memory, against what numpy says of each pair."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddsimport.values.overlap import overlapping

_STEPS = st.integers(-3, 3).filter(bool)
_BOUNDS = st.none() | st.integers(-13, 13)
_SLICES = st.builds(slice, _BOUNDS, _BOUNDS, _STEPS)


class Holder:
    def __init__(self, array: Any) -> None:
        self.array = array


def _mine(kind: type) -> bool:
    return kind is Holder


@given(st.lists(st.tuples(_SLICES, st.booleans()), max_size=5))
def test_finds_what_numpy_finds(views: list[tuple[slice, bool]]) -> None:
    base = np.arange(12)
    arrays = []
    for piece, writeable in views:
        array = base[piece]
        array.flags.writeable = writeable
        arrays.append(array)
    meet = any(
        np.shares_memory(one, other) and (one.flags.writeable or other.flags.writeable)
        for one, other in combinations(arrays, 2)
    )
    assert (overlapping(arrays, _mine) is not None) == meet
    assert (overlapping({"a": [Holder(array) for array in arrays]}, _mine) is not None) == meet


@pytest.mark.parametrize(
    "make",
    [
        lambda a: [a, a],  # one array, and so it comes back
        lambda a: [a[:, 0], a[:, 1]],
        lambda a: list(a),
        lambda a: np.split(a, 2),
        lambda a: [a, a.copy(), a + 1],
        lambda a: [a[:0], a],
        lambda a: [np.broadcast_to(a, (3, *a.shape)), a + 1],
    ],
)
def test_what_only_lies_side_by_side(make: Any) -> None:
    assert overlapping(make(np.arange(12.0).reshape(4, 3)), _mine) is None


def test_the_insides_of_libraries_are_theirs() -> None:
    array = np.arange(4)
    held = Holder([array, array[1:]])
    assert overlapping(held, _mine) == (".array[0]", ".array[1]")
    assert overlapping(held, lambda kind: False) is None


def test_tensors() -> None:
    torch: Any = pytest.importorskip("torch")
    tensor = torch.arange(12).reshape(3, 4)
    assert overlapping({"a": tensor, "b": tensor.T}, _mine) == ("['a']", "['b']")
    assert overlapping([tensor[:1], tensor[1:]], _mine) is None
    assert overlapping([tensor, tensor, tensor.clone()], _mine) is None
    assert overlapping([tensor.to_sparse(), tensor], _mine) is None
