"""The cost of knowing what a step reaches: cold, warm, after one edit, and against project size.

The measure of the cold analysis is `libcst.parse_module` of the same files, in this process, one
after the other. Everything is measured in turns, several times; medians and ratios count.
"""

from __future__ import annotations

import argparse
import ast
import math
import os
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks import synthetic
from benchmarks.packages import Package, packages
from ddsimport.analysis import workers
from ddsimport.analysis.codehash import Codebook
from ddsimport.analysis.facts import facts_of_all, record_of

MOST_COLD = 1.3
PER_STEP, PER_FILE = 1e-3, 20e-6

_AT_REST = 2.1
"""Seconds until the state of a file that was written is relied on."""

_SIZES = (3_125, 6_250, 12_500, 25_000, 50_000, 100_000, 200_000)


def main(options: Sequence[str] = ()) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks analysis")
    parser.add_argument("--packages", metavar="FOLDER", help="where they are, or shall be unpacked")
    parser.add_argument("--lines", type=int, default=40_000, help="of each package at most")
    parser.add_argument("--largest", type=int, default=_SIZES[-1], help="project, in lines")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--plot", metavar="FILE.png", help="cost against project size, as a picture"
    )
    arguments = parser.parse_args(options)
    import libcst  # what importing it costs is not what is measured

    load = os.getloadavg()[0]
    print(
        f"\nanalysis: libcst {version(libcst.__name__)}, {_cores()} cores, load {load:.1f}; medians"
    )
    with packages(["requests", "networkx", "sympy"], arguments.packages) as found:
        print("cold: all texts of a package (per thousand lines; ratio to libcst.parse_module);")
        print("  wall clock, and CPU of the busiest process: what a machine without others takes")
        for package in found:
            _cold(package, arguments.lines, arguments.rounds)
        print(f"warm: steps in files that are known (at most {PER_STEP * 1e3:.0f} ms and "
              f"{PER_FILE * 1e6:.0f} us per file)")  # fmt: skip
        for package in found[:2]:
            _warm(package, arguments.rounds)
    _against_size([size for size in _SIZES if size <= arguments.largest], arguments.plot)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_turns(
    contestants: Mapping[str, Callable[[], object]], rounds: int
) -> dict[str, tuple[float, float]]:
    """Of each, the median seconds: wall clock, and of CPU in the process that used most.

    On a machine that others use too, the second is what the first would be on one that they do not.
    """
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, call in contestants.items():
            children = _children()
            wall, own = time.perf_counter(), time.process_time()
            call()
            wall, own = time.perf_counter() - wall, time.process_time() - own
            taken[name].append((wall, max(own, (_children() - children) / max(1, _cores() - 1))))
    return {
        name: (
            statistics.median(wall for wall, _ in times),
            statistics.median(cpu for _, cpu in times),
        )
        for name, times in taken.items()
    }


def _children() -> float:
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime


# --- cold -----------------------------------------------------------------------------------------


def _cold(package: Package, most: int, rounds: int) -> None:
    import libcst

    texts = _some(package.texts(), most)
    lines = sum(text.count("\n") for text in texts)
    seconds = _in_turns(
        {
            "libcst.parse_module": lambda: [libcst.parse_module(text) and None for text in texts],
            "ast.parse": lambda: [ast.parse(text) and None for text in texts],
            "ours, one core": lambda: [record_of(text) and None for text in texts],
            "ours, all cores": lambda: facts_of_all(texts),
        },
        rounds,
    )
    used = workers.how_many(texts)
    print(
        f"  {package.name}: {len(texts)} files, {lines} lines, {used} workers beside this process"
    )
    parse = seconds["libcst.parse_module"]
    for name, (wall, cpu) in seconds.items():
        ratios = wall / parse[0], cpu / parse[1]
        kept = ""
        if name == "ours, all cores":
            kept = "ok" if ratios[1] <= MOST_COLD else f"MISSED (at most {MOST_COLD})"
        print(
            f"    {name:<24}{wall / lines * 1e6:>9.1f} ms{ratios[0]:>7.2f} x"
            f"{cpu / lines * 1e6:>9.1f} ms CPU{ratios[1]:>7.2f} x  {kept}"
        )


def _some(texts: list[str], most: int) -> list[str]:
    """All texts, or every n-th of them by size."""
    lines = sum(text.count("\n") for text in texts)
    return sorted(texts, key=len)[:: max(1, math.ceil(lines / most))]


# --- warm -----------------------------------------------------------------------------------------


def _warm(package: Package, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder, package.loaded():
        book = package.codebook(Path(folder))
        functions = package.functions(book)
        random.Random(1).shuffle(functions)
        functions = functions[:100]
        files = [len(book.function(*function).files) for function in functions]
        _come_to_rest(package.codebook(Path(folder)), functions)

        def ask(function: tuple[str, str, str, int]) -> float:
            book = package.codebook(Path(folder))
            started = time.process_time()
            book.function(*function)
            return time.process_time() - started

        taken = [
            statistics.median(ask(function) for _ in range(rounds + 2)) for function in functions
        ]
        shares = [
            seconds / (PER_STEP + PER_FILE * number)
            for seconds, number in zip(taken, files, strict=True)
        ]
        cold = package.codebook()
        for function in functions:
            assert book.function(*function) == cold.function(*function)
    print(
        f"  {package.name}: {len(files)} steps, each in a fresh codebook; median "
        f"{statistics.median(taken) * 1e3:.2f} ms for {statistics.median(files):.0f} files, "
        f"most {max(taken) * 1e3:.2f} ms; of what is allowed: "
        f"median {statistics.median(shares):.0%}, "
        f"90 % below {sorted(shares)[len(shares) * 9 // 10]:.0%}, most {max(shares):.0%}"
    )


def _come_to_rest(book: Codebook, functions: Sequence[tuple[str, str, str, int]]) -> None:
    """Ask again once the files are old enough for their state to be relied on."""
    time.sleep(_AT_REST)
    for function in functions:
        book.function(*function)


# --- against size ---------------------------------------------------------------------------------


def _against_size(sizes: list[int], plot: str | None) -> None:
    print("against size: a made-up project; seconds of CPU until it is known what its step reaches")
    print(f"  {'lines':>9}{'files':>8}{'cold':>10}{'one edit':>10}{'warm':>10}{'allowed':>10}")
    costs: dict[str, list[float]] = {"cold": [], "one edit": [], "warm": []}
    lines = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "source"
            main, files = synthetic.write(root, size)
            lines.append(sum(file.read_text().count("\n") for file in files))
            found = _costs(root, main, files)
        for name, seconds in found.items():
            costs[name].append(seconds)
        allowed = PER_STEP + PER_FILE * len(files)
        print(f"  {lines[-1]:>9}{len(files):>8}{found['cold']:>10.3f}{found['one edit']:>10.3f}"
              f"{found['warm']:>10.4f}{allowed:>10.4f}")  # fmt: skip
    for name, values in costs.items():
        print(f"  {name}: grows with lines to the power {_slope(lines, values):.2f}")
    if plot:
        _draw(plot, lines, costs)


def _costs(root: Path, main: Path, files: list[Path]) -> dict[str, float]:
    project = Package("project", root)
    store = root.parent / "store"

    def answer() -> float:
        book = project.codebook(store)
        started, children = time.process_time(), _children()
        reach = book.step("main", str(main), 2, 0)
        taken = time.process_time() - started + _children() - children
        assert set(reach.files) >= {str(file) for file in files}
        return taken

    with project.loaded():
        cold = answer()
        time.sleep(_AT_REST)
        answer()
        warm = statistics.median(answer() for _ in range(5))
        edited = []
        for number in range(3):
            with files[-1].open("a") as file:
                file.write(f"EDITED_{number} = {number}\n")
            edited.append(answer())
    return {"cold": cold, "one edit": statistics.median(edited), "warm": warm}


def _slope(sizes: list[int], seconds: list[float]) -> float:
    """Of the straight line through the logarithms, over the upper half of the sizes."""
    half = len(sizes) // 2
    points = [(math.log(x), math.log(y)) for x, y in zip(sizes, seconds, strict=True)][half:]
    if len(points) < 2:
        return math.nan
    return statistics.linear_regression(*zip(*points, strict=True)).slope


def _draw(path: str, lines: list[int], costs: dict[str, list[float]]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    for name, seconds in costs.items():
        axes.loglog(lines, seconds, marker="o", label=name)
    axes.set(xlabel="lines of the project, all of them reached", ylabel="seconds of CPU")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=150)
    print(f"  drawn to {path}")
