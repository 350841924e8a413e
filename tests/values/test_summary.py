"""Values in a few words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddsimport.values.summary import LONGEST, summary

_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
)


@given(_PLAIN)
def test_plain_values_say_what_they_are_or_how_large(value):
    said = summary(value)
    assert len(said) <= LONGEST
    assert said == repr(value) or said.startswith(f"{type(value).__name__} of ") or "int" in said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (5, "5"),
        ("x" * 1000, "str of 1,000"),
        (list(range(50)), "list of 50"),
        ({"a": [1, 2]}, "{'a': [1, 2]}"),
        (10**2000, "builtins.int"),
        (ValueError("x"), "builtins.ValueError"),
    ],
)
def test_examples(value, said):
    assert summary(value) == said


def test_values_that_hold_themselves_and_deep_ones():
    loop: list[object] = []
    loop.append(loop)
    assert summary(loop) == "list of 1"
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    assert summary(deep) == "list of 1"


def test_no_code_of_the_program_is_run():
    class Odd:
        def __repr__(self):
            raise AssertionError

        __len__ = __getattr__ = __class_getitem__ = __str__ = __repr__

    assert summary(Odd()).endswith("Odd")
    assert summary([Odd()]) == "list of 1"


def test_libraries():
    numpy = pytest.importorskip("numpy")
    pandas = pytest.importorskip("pandas")
    assert summary(numpy.zeros((3, 4))) == "float64 (3, 4)"
    assert summary(pandas.DataFrame({"a": [1, 2]})) == "DataFrame 2 x 1"
    assert summary(pandas.Series([1, 2, 3])) == "Series 3"
