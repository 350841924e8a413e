"""What recording an evaluation costs, and what verifying a trace does.

The step is timed between two plain calls of the same function in the same process, because the
clock of a machine may change by half within seconds: under ddsimport while nothing is kept yet, and
under rote where that is installed (Python 3.12 and later). Of a miss under ddsimport, what the
evaluation took by itself is recorded code; the rest is start-up of the recording (once in a
process) and keeping the value. The bars are for the evaluation.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from benchmarks.measure import table

_OPENING = """
def work(n):
    total = 0
    for number in range(n):
        with open(f"files/{number % 1000}.txt") as file:
            total += len(file.read().split())
    return total
"""
_STEPS = {
    "compute-bound (bar: 1.03)": """
import hashlib
def work(n):
    data = bytes(1 << 20)
    for _ in range(n):
        data = hashlib.sha512(data).digest() * (1 << 14)
    return len(data)
ARGUMENT = 600
""",
    "a million Python calls (bar: 1.1)": """
def one(n):
    return n + 1
def work(n):
    total = 0
    for _ in range(n):
        total = one(total)
    return total
ARGUMENT = 1_000_000
""",
    "opens 1,000 files ten times (bar: 1.1)": _OPENING + "ARGUMENT = 10_000\n",
    "opens 1,000 files once (bar: 1.1)": _OPENING + "ARGUMENT = 1_000\n",
}
_OURS = ["-m", "ddsimport", "-q", "--store", "store", "--report", "report"]
_TIMED = """
from time import perf_counter
def plainly():
    started = perf_counter()
    work(ARGUMENT)
    return perf_counter() - started
plainly()
before = plainly()
started = perf_counter()
x = {call}{pragma}
taken = perf_counter() - started
print(before, taken, plainly())
"""
_PEER = "rote, a miss"
_ROUNDS = 15
_ROUNDS_OF_PEER = 3
"""It is slow enough to be told from ours by three."""
_ROTE = "import rote\nrote.configure(cache_dir={store!r}, min_duration_s=0.0)\n"


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "files").mkdir()
        for number in range(1000):
            (root / "files" / f"{number}.txt").write_text("some,words,1.5\n" * 1500)
        for title, text in _STEPS.items():
            _recording(root, title, text)
        _verifying(root)


def _recording(root: Path, title: str, text: str) -> None:
    contestants = {
        "ddsimport, a miss": [*_OURS, "ours.py"],
        _PEER: ["peer.py"],
    }
    (root / "ours.py").write_text(text + _timed("work(ARGUMENT)", "  # dds: /x"))
    (root / "peer.py").write_text(
        text + _ROTE.format(store=str(root / "peer")) + _timed("rote.cache(work)(ARGUMENT)")
    )
    if find_spec("rote") is None:
        del contestants[_PEER]
    ratios: dict[str, list[float]] = {name: [] for name in contestants}
    evaluated = ratios["ddsimport, of that the evaluation"] = []
    plain: list[float] = []
    for turn in range(_ROUNDS):
        for name, command in contestants.items():
            if name == _PEER and turn >= _ROUNDS_OF_PEER:
                continue
            _forget(root)
            before, taken, after = _run(root, command)
            around = (before + after) / 2
            plain.append(around)
            ratios[name].append(taken / around)
            if name != _PEER:
                seconds = json.loads((root / "report").read_text())["steps"][0]["seconds"]
                evaluated.append(seconds / around)
    usual = statistics.median(plain)
    found = {name: usual * statistics.median(each) for name, each in ratios.items()}
    table(title, {"plain python": usual, **found}, unit="ms")


def _timed(call: str, pragma: str = "") -> str:
    return _TIMED.format(call=call, pragma=pragma)


def _verifying(root: Path) -> None:
    """A hit whose trace has a thousand files, against one that has none."""
    found = {}
    for name, opened in (("a hit, no file", 0), ("a hit, 1,000 files (bar: 15 ms more)", 1000)):
        text = f"{_OPENING}ARGUMENT = {opened}\n"
        (root / "ours.py").write_text(text + _timed("work(ARGUMENT)", "  # dds: /x"))
        _forget(root)
        command = [*_OURS, "ours.py"]
        _run(root, command)
        found[name] = statistics.median(_run(root, command)[1] for _ in range(9))
    none, thousand = found.values()
    table("verifying a trace", found, unit="ms", note=f"{(thousand - none) * 1e3:.1f} ms more")


def _run(root: Path, command: list[str]) -> list[float]:
    """The seconds that the program says it took: plainly, with its step, plainly again."""
    environment = {
        **{key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"},
        "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
    }
    ended = subprocess.run(
        [sys.executable, *command],
        cwd=root,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return [float(word) for word in ended.stdout.split()]


def _forget(root: Path) -> None:
    """Nothing is kept; what was analysed is: a first analysis is measured elsewhere."""
    import shutil

    for name in ("store/entries", "peer"):
        shutil.rmtree(root / name, ignore_errors=True)
