"""Keeping and loading a gigabyte: an array, and a frame of mixed columns; beside peers, in one run.

The gigabytes lie in a temporary folder, and are removed after each table. Every write is flushed to
the disk or none is: ddsimport flushes what it keeps, so the others are flushed here too.
"""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.measure import rounds, table

_ELEMENTS = 125_000_000  # of 8 bytes
_ROWS = 9_000_000  # of about 110 bytes
_REPETITIONS = 3


def main() -> None:
    """Print a table per kind of work."""
    import numpy

    array = numpy.random.default_rng(0).random(_ELEMENTS)
    with _folder() as folder:
        _keep(array, folder)
    with _folder() as folder:
        _hit(array, folder)
    del array
    with _folder() as folder:
        _memory(folder)
    with _folder() as folder:
        _frame(folder)


@contextmanager
def _folder() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="ddsimport-values-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _keep(array: Any, folder: str) -> None:
    """The bar: at most 1.3 times `numpy.save` and blake3."""
    import numpy
    from blake3 import blake3

    from ddsimport.store.store import Store

    store = Store.open(os.path.join(folder, "dds"))
    turn = 0

    def by_hand() -> None:
        numpy.save(os.path.join(folder, "array.npy"), array)
        _flush(os.path.join(folder, "array.npy"))
        blake3(array.view(numpy.uint8)).hexdigest()
        os.unlink(os.path.join(folder, "array.npy"))

    def keep() -> None:
        nonlocal turn
        turn += 1
        array[0] = turn  # another value: equal ones are one blob, which is not written twice
        candidate = _kept(store, turn, array)
        store.publish(f"/bench/array{turn}", candidate, array)
        shutil.rmtree(os.path.join(store.root, "blobs"))
        shutil.rmtree(os.path.join(store.root, "data"))

    table(
        "keep an array of 1 GB, blob and view, flushed to the disk (bar: 1.3 of the first)",
        rounds(
            {"numpy.save and blake3": by_hand, "ddsimport": keep},
            calls=1,
            repetitions=_REPETITIONS,
        ),
        unit="ms",
    )


def _kept(store: Any, number: int, value: object) -> Any:
    from blake3 import blake3

    from ddsimport.store.trace import Trace
    from ddsimport.values.digest import digest

    signature = blake3(str(number).encode()).hexdigest()
    return store.keep(
        signature,
        value,
        trace=Trace(),
        digest=digest(value).hex(),
        seconds=1.0,
        path="/bench",
        code=signature,
        inputs=(),
        versions={},
    )


def _flush(path: str) -> None:
    descriptor = os.open(path, os.O_RDWR)
    os.fsync(descriptor)
    os.close(descriptor)


_STEPS = """
import numpy


def make(seed):
    return numpy.random.default_rng(seed).random({elements})


def hit(seed):
    array = make(seed)  # dds: /bench/array
    return array[1000]
"""


def _hit(array: Any, folder: str) -> None:
    """The bar: under 5 ms."""
    import importlib

    with open(os.path.join(folder, "bench_array.py"), "w") as file:
        file.write(_STEPS.format(elements=_ELEMENTS))
    sys.path.insert(0, folder)
    os.environ["DDSIMPORT_STORE"] = os.path.join(folder, "dds")
    os.environ["DDSIMPORT_QUIET"] = "1"
    from ddsimport import report
    from ddsimport.source import hook

    hook.install()
    bench: Any = importlib.import_module("bench_array")
    contestants: dict[str, Callable[[], object]] = {"ddsimport": lambda: bench.hit(0)}
    try:
        contestants["joblib.Memory, mapped"] = _joblib(bench.make, folder, "r")
        contestants["joblib.Memory"] = _joblib(bench.make, folder, None)
        contestants["dds_py 0.13.1"] = _dds_py(bench, folder)
    except ImportError as error:
        print(f"  a peer is not installed: {error}")
    assert len({call() for call in contestants.values()}) == 1
    table(
        "hit on an array of 1 GB, touched in one place, in process (bar: 5 ms)",
        rounds(contestants, calls=1, repetitions=_REPETITIONS),
        unit="ms",
        note="an array that joblib maps cannot be changed, ddsimport's is copied on write",
    )
    sys.path.remove(folder)
    report.current().at_end.clear()  # else the run is noted in a store that is gone by then


def _joblib(make: Callable[[int], Any], folder: str, mmap_mode: str | None) -> Callable[[], object]:
    import joblib

    place = os.path.join(folder, f"joblib{mmap_mode}")
    cached = joblib.Memory(place, verbose=0, mmap_mode=mmap_mode).cache(make)
    return lambda: cached(0)[1000]


def _dds_py(bench: Any, folder: str) -> Callable[[], object]:
    import dds

    dds.accept_module(bench)
    dds.set_store(
        "local",
        internal_dir=os.path.join(folder, "dds_py"),
        data_dir=os.path.join(folder, "dds_py_data"),
    )
    return lambda: dds.keep("/bench/array", bench.make, 0)[1000]


_MEASURED = """
import os, resource, sys
import numpy
from benchmarks.values import _kept
from ddsimport.store.store import Store

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024

store = Store.open(sys.argv[1])
array = numpy.zeros({elements})
array += 1.0
before = peak()
_kept(store, 1, array)
print((peak() - before) / array.nbytes)
"""


def _memory(folder: str) -> None:
    """Peak memory of keeping, beyond the value itself."""
    if not os.path.exists("/proc/self/status"):
        return
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED.format(elements=_ELEMENTS), os.path.join(folder, "dds")],
        capture_output=True,
        text=True,
        check=True,
    )
    share = float(done.stdout)
    print(f"\npeak memory while keeping an array of 1 GB: {1 + share:.3f} of the array's own")


def _mixed_frame() -> Any:
    import numpy
    import pandas

    generator = numpy.random.default_rng(0)
    names = numpy.array([f"name {n:05d}" for n in range(5000)], dtype=object)
    return pandas.DataFrame(
        {
            "price": generator.random(_ROWS),
            "count": generator.integers(0, 1000, _ROWS),
            "name": pandas.array(names[generator.integers(0, 5000, _ROWS)], dtype="str"),
            "weight": generator.random(_ROWS),
            "when": pandas.Timestamp("2024").as_unit("ns") + pandas.to_timedelta(
                generator.integers(0, 10**9, _ROWS), unit="s"
            ).as_unit("ns"),
            "kind": pandas.Categorical.from_codes(
                generator.integers(0, 4, _ROWS), ["north", "east", "south", "west"]
            ),
            "small": generator.integers(0, 100, _ROWS).astype("int32"),
            "real": generator.random(_ROWS).astype("float32"),
            "flag": generator.random(_ROWS) < 0.5,
            "a": generator.random(_ROWS),
            "b": generator.integers(0, 1 << 40, _ROWS),
            "c": generator.random(_ROWS),
            "d": generator.integers(0, 1 << 40, _ROWS),
            "e": generator.random(_ROWS),
        }
    )  # fmt: skip


def _frame(folder: str) -> None:
    """The bar: at most 1.2 times the fastest of the others, and under half a second."""
    import pandas
    import pyarrow

    from ddsimport.store.store import Store

    frame = _mixed_frame()
    size = frame.memory_usage(deep=True).sum() / 1e9
    store = Store.open(os.path.join(folder, "dds"))
    candidate = _kept(store, 1, frame)
    arrow, parquet, pickled = (
        os.path.join(folder, name) for name in ("arrow", "parquet", "pickle")
    )
    whole = pyarrow.Table.from_pandas(frame)
    with pyarrow.ipc.new_file(arrow, whole.schema) as writer:
        writer.write_table(whole)
    frame.to_parquet(parquet)
    with open(pickled, "wb") as file:
        pickle.dump(frame, file, protocol=5)

    def from_arrow() -> Any:
        with pyarrow.memory_map(arrow) as source:
            return pyarrow.ipc.open_file(source).read_all().to_pandas()

    def from_pickle() -> Any:
        with open(pickled, "rb") as file:
            return pickle.load(file)

    contestants: dict[str, Callable[[], Any]] = {
        "Arrow IPC, mapped": from_arrow,
        "parquet": lambda: pandas.read_parquet(parquet),
        "pickle 5": from_pickle,
        f"ddsimport ({candidate.codec})": lambda: store.value(candidate),
        "the same, by a new process": lambda: Store.open(store.root).value(candidate),
    }
    for name, load in contestants.items():
        back = load()
        assert back["b"].iloc[-1] == frame["b"].iloc[-1] and back.shape == frame.shape, name
    pandas.testing.assert_frame_equal(store.value(candidate), frame)
    table(
        f"load a mixed frame of {size:.1f} GB (bar: 1.2 of the fastest of the first three)",
        rounds(contestants, calls=1, repetitions=_REPETITIONS),
        unit="ms",
    )

    def summed(load: Callable[[], Any]) -> Callable[[], object]:
        return lambda: float(load()["price"].sum())

    table(
        "the same, and the sum of one column",
        rounds(
            {name: summed(load) for name, load in contestants.items()},
            calls=1,
            repetitions=_REPETITIONS,
        ),
        unit="ms",
    )
