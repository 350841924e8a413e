"""Arrays from the store carry their digest until somebody writes to them."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from ddsimport.runtime import carried
from ddsimport.store.store import Store
from ddsimport.store.trace import Trace
from ddsimport.values.digest import digest

numpy = pytest.importorskip("numpy")
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux")

SIZE = 300_000  # elements of 8 bytes


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """Loads the same array from a store, each time into memory of its own."""
    root = str(tmp_path_factory.mktemp("store"))
    store = Store.open(root)
    value = numpy.arange(SIZE, dtype=float)
    candidate = store.keep(
        "ab" * 32,
        value,
        trace=Trace(),
        digest=digest(value).hex(),
        seconds=0.0,
        path="/a",
        code="",
        inputs=(),
        versions={},
    )

    def load():
        array = store.value(candidate)
        carried.note(array, digest(value))
        return array

    return load


def test_an_array_that_is_only_read_carries_its_digest(load):
    array = load()
    assert carried.digest_of(array) == digest(array)
    assert array.sum() > 0
    assert (array + 1).sum() > 0
    array.reshape(3, -1).T.copy()
    assert carried.digest_of(array) == digest(array)


@settings(max_examples=40, deadline=None)
@given(some.integers(0, SIZE - 1))
def test_one_element_that_is_written_is_noticed(load, index):
    array = load()
    array[index] = array[index]
    assert carried.digest_of(array) is None


WRITES = {
    "all": lambda array: array.fill(0),
    "a view": lambda array: array[7:9].__setitem__(0, 1),
    "a view of a view": lambda array: array.reshape(-1, 2).T[1].__iadd__(1),
    "sorted": lambda array: array.sort(),
    "out": lambda array: numpy.add(array, 1, out=array),
    "as bytes": lambda array: memoryview(array).cast("B").__setitem__(99, 1),
    "copyto": lambda array: numpy.copyto(array[-1:], 5),
    "shuffled": lambda array: numpy.random.default_rng(0).shuffle(array),
    "its shape": lambda array: setattr(array, "shape", (2, -1)),
    "its dtype": lambda array: setattr(array, "dtype", numpy.int64),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_whoever_writes_is_noticed(load, write):
    array = load()
    write(array)
    assert carried.digest_of(array) is None


def test_only_the_array_itself_carries_it(load):
    array = load()
    assert carried.digest_of(array[:]) is None
    assert carried.digest_of(array.copy()) is None
    assert carried.digest_of(numpy.arange(SIZE, dtype=float)) is None
    assert carried.digest_of("text") is None


def test_arrays_of_other_memory_carry_none():
    array = numpy.arange(SIZE, dtype=float)
    carried.note(array, b"d" * 32)
    assert carried.digest_of(array) is None


def test_nothing_is_held(load):
    before = len(carried._known)
    array = load()
    assert len(carried._known) == before + 1
    del array
    assert len(carried._known) == before


def test_a_forked_child_asks_for_itself(load):
    array = load()
    child = os.fork()
    if not child:
        good = carried.digest_of(array) is not None
        array[5] = 7
        os._exit(0 if good and carried.digest_of(array) is None else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert carried.digest_of(array) == digest(array)


def test_where_the_kernel_does_not_tell_nothing_is_carried(load, monkeypatch):
    array = load()
    monkeypatch.setattr(carried, "_PAGEMAP", "/nowhere")
    assert carried.digest_of(array) is None
    assert not carried._try_out()


def test_steps_see_what_was_written(project):
    project.write(
        main="""
        from work import make, total
        def main(place):
            x = make(400_000)  # dds: /x
            first = total(x)  # dds: /first
            if place is not None:
                x[place] = -1.0
            second = total(x)  # dds: /second/{place}
            y = x
            y[3] += 1
            third = total(y)  # dds: /third/{place}
            print(first, second, third)
        for place in (None, 0, 7, 399_999):
            main(place)
        """.replace("/{place}", ""),
        work="""
        import numpy
        def make(n): return numpy.arange(n, dtype=float)
        def total(x): return float(x.sum())
        def push(x):
            x[0] = 5
            return 1
        """,
    )
    project.same()
    assert project.same().evaluated() == set()
    project.edit("main.py", "y[3] += 1", "y[3] += 2")
    project.same()
    project.edit("main.py", "first = total(x)", "first = push(x)")
    project.edit("main.py", "import make, total", "import make, total, push")
    assert "/first" in project.same().evaluated()
    assert "/first" in project.same().evaluated()
