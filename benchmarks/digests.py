"""Digests of large inputs and of small ones, against raw blake3 and joblib.hash."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.measure import rounds, table


@dataclass
class Inner:
    number: int
    text: str


@dataclass
class Outer:
    number: int
    ratio: float
    inner: Inner
    members: list[int]


def main() -> None:
    """Print a table per kind of value."""
    _array()
    _memory()
    _frame()
    _objects()
    _small()


def _array() -> None:
    import numpy as np

    from ddsimport.values.digest import digest

    array = np.random.default_rng(0).random(1 << 27)
    _compare(
        "array, 1 GiB of float64",
        {
            "ddsimport digest": lambda: digest(array),
            "raw blake3, all threads": lambda: _blake3(array.view(np.uint8)),
        },
        array,
        note="the bar: 0.9 of raw blake3, so at least 0.90 x in its line",
    )


_PEAK = """
import resource, sys
import numpy as np
from ddsimport.values.digest import digest
digest(np.arange(1000))  # what the first digest imports
array = np.zeros(1 << 27)
array += 1
if sys.argv[1] == "turned":
    array = array.reshape(1 << 13, -1)[:, ::2]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
digest(array)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print((after - before) * 1024 / array.nbytes)
"""


def _memory() -> None:
    """How far a digest raises the peak of a process, as a share of the value's own size."""
    print("\npeak memory of a digest, over the value's own size (the bar: 1.05)")
    for name in ("contiguous", "turned"):
        done = subprocess.run(
            [sys.executable, "-c", _PEAK, name], check=True, capture_output=True, text=True
        )
        print(f"  {name + ' array, 1 GiB':<34}{1 + float(done.stdout):>12.3f}")


def _frame() -> None:
    import numpy as np
    import pandas as pd

    generator = np.random.default_rng(0)
    rows = 1_000_000
    texts = [f"name {n}" for n in range(rows)]
    frame = pd.DataFrame(
        {
            "number": generator.random(rows),
            "count": generator.integers(0, 1000, rows),
            "object": pd.Series(texts, dtype=object),
            "arrow": pd.Series(texts, dtype="string[pyarrow]"),
            "category": pd.Categorical(generator.choice(["a", "b", "c"], rows)),
            "date": pd.date_range("2024", periods=rows, freq="s"),
        }
    )
    _against_joblib("frame, a million rows of six kinds", frame, bar=5)
    gaps = frame[["object"]].where(frame["count"] % 7 > 0, None)
    _against_joblib("column of texts with gaps, a million rows", gaps, bar=5)


def _objects() -> None:
    rows = 200_000
    numbers = list(range(1_000_000))
    _against_joblib("list of a million ints", numbers, bar=20)
    named = {f"key {n}": n for n in range(rows)}
    _against_joblib("dict of 200,000 texts to ints", named, bar=20)
    pairs = {f"key {n}": (n, str(n)) for n in range(rows)}
    _against_joblib("dict of 200,000 texts to pairs", pairs, bar=20)
    nested = [Outer(n, float(n), Inner(n, str(n)), [n, n + 1]) for n in range(50_000)]
    _against_joblib("50,000 nested dataclasses", nested, bar=20)


def _small() -> None:
    import joblib
    import numpy as np
    import pandas as pd

    from ddsimport.values.digest import digest

    values = {
        "int": 3,
        "str": "three",
        "tuple": (3, "three", 1.5),
        "dict": {"a": 1, "b": [1, 2]},
        "array of ten": np.arange(10.0),
        "frame of ten rows": pd.DataFrame(
            {"a": range(10), "b": np.arange(10.0), "c": [*"abcdefghij"]}
        ),
    }
    for name, value in values.items():
        contestants: dict[str, Callable[[], object]] = {
            "ddsimport digest": lambda value=value: digest(value),  # type: ignore[misc]
            "joblib.hash": lambda value=value: joblib.hash(value),  # type: ignore[misc]
        }
        table(f"small: {name}", rounds(contestants, calls=200), unit="us")


def _against_joblib(title: str, value: object, bar: int) -> None:
    from ddsimport.values.digest import digest

    _compare(title, {"ddsimport digest": lambda: digest(value)}, value, f"the bar: {bar} x")


def _compare(
    title: str, contestants: dict[str, Callable[[], object]], value: object, note: str
) -> None:
    import joblib

    contestants["joblib.hash"] = lambda: joblib.hash(value)
    table(title, rounds(contestants, calls=1, repetitions=5), unit="ms", note=note)


def _blake3(data: object) -> bytes:
    from blake3 import blake3

    result: bytes = blake3(data, max_threads=blake3.AUTO).digest()  # type: ignore[arg-type]  # a buffer
    return result
