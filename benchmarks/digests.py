"""Throughput of `digest` on large inputs, against raw blake3 and joblib.hash."""

from __future__ import annotations

import pickle
from collections.abc import Callable

from benchmarks.measure import rounds, table


def main() -> None:
    """Print a table per kind of value."""
    import numpy as np
    import pandas as pd

    generator = np.random.default_rng(0)
    array = generator.random(500_000_000 // 8)
    _compare("array, 500 MB of float64", array, lambda: array.view(np.uint8))
    numbers = [int(n) for n in generator.integers(0, 1 << 40, 1_000_000)]
    packed = pickle.dumps(numbers, protocol=5)
    _compare("list of a million ints", numbers, lambda: packed)
    frame = pd.DataFrame(
        {
            "number": generator.random(1_000_000),
            "count": generator.integers(0, 1000, 1_000_000),
            "name": [f"name {n % 5000}" for n in range(1_000_000)],
            "kind": pd.Categorical(generator.choice(["a", "b", "c"], 1_000_000)),
        }
    )
    content = pickle.dumps(frame, protocol=5)
    _compare("frame, a million rows with strings", frame, lambda: content)


def _compare(title: str, value: object, raw: Callable[[], object]) -> None:
    from blake3 import blake3

    from ddsimport.values.digest import digest

    contestants: dict[str, Callable[[], object]] = {
        "ddsimport digest": lambda: digest(value),
        "raw blake3 of its bytes": lambda: blake3(raw(), max_threads=blake3.AUTO).digest(),  # type: ignore[arg-type]  # a buffer
    }
    try:
        import joblib
    except ImportError as error:
        print(f"  joblib is not installed: {error}")
    else:
        contestants["joblib.hash"] = lambda: joblib.hash(value)
    table(title, rounds(contestants, calls=1, repetitions=3), unit="ms")
