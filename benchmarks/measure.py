"""Timing that can be trusted on a noisy machine: rounds in turn, medians, ratios."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def rounds(
    contestants: Mapping[str, Callable[[], object]], calls: int, repetitions: int = 7
) -> dict[str, float]:
    """Median seconds per call of each contestant.

    They take turns (A B C, A B C, …), so that a machine that slows down slows all of them. The
    first round warms up and does not count.
    """
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for repetition in range(repetitions + 1):
        for name, call in contestants.items():
            started = time.perf_counter()
            for _ in range(calls):
                call()
            if repetition:
                taken[name].append((time.perf_counter() - started) / calls)
    return {name: statistics.median(times) for name, times in taken.items()}


def table(title: str, seconds: Mapping[str, float], unit: str = "us", note: str = "") -> None:
    """Print one line per contestant: median, and its ratio to the first."""
    scale = {"us": 1e6, "ms": 1e3, "s": 1.0}[unit]
    print(f"\n{title}")
    first = next(iter(seconds.values()))
    for name, value in seconds.items():
        print(f"  {name:<34}{value * scale:>12,.1f} {unit}{value / first:>10.2f} x")
    if note:
        print(f"  {note}")
