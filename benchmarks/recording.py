"""What recording an evaluation costs, and what verifying a trace does.

The same step is timed inside the program: plainly, under ddsimport while nothing is kept yet, and
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
import sys
from time import perf_counter
started = perf_counter()
x = {call}{pragma}
print(perf_counter() - started)
"""
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
        "plain python": (["plain.py"], _TIMED.format(call="work(ARGUMENT)", pragma="")),
        "ddsimport, a miss": (
            [*_OURS, "ours.py"],
            _TIMED.format(call="work(ARGUMENT)", pragma="  # dds: /x"),
        ),
    }
    if find_spec("rote") is not None:
        contestants["rote, a miss"] = (
            ["peer.py"],
            _ROTE.format(store=str(root / "peer"))
            + _TIMED.format(call="rote.cache(work)(ARGUMENT)", pragma=""),
        )
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    inside = taken["ddsimport, of that the evaluation"] = []
    for _ in range(7):
        for name, (command, program) in contestants.items():
            (root / command[-1]).write_text(text + program)
            _forget(root)
            taken[name].append(_run(root, command))
            if name == "ddsimport, a miss":
                inside.append(json.loads((root / "report").read_text())["steps"][0]["seconds"])
    table(title, {name: statistics.median(times) for name, times in taken.items()}, unit="ms")


def _verifying(root: Path) -> None:
    """A hit whose trace has a thousand files, against one that has none."""
    found = {}
    for name, opened in (("a hit, no file", 0), ("a hit, 1,000 files (bar: 15 ms more)", 1000)):
        text = f"{_OPENING}ARGUMENT = {opened}\n"
        (root / "ours.py").write_text(
            text + _TIMED.format(call="work(ARGUMENT)", pragma="  # dds: /x")
        )
        _forget(root)
        command = [*_OURS, "ours.py"]
        _run(root, command)
        found[name] = statistics.median(_run(root, command) for _ in range(9))
    none, thousand = found.values()
    table("verifying a trace", found, unit="ms", note=f"{(thousand - none) * 1e3:.1f} ms more")


def _run(root: Path, command: list[str]) -> float:
    """The seconds that the program says its step took."""
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
    return float(ended.stdout.split()[-1])


def _forget(root: Path) -> None:
    """Nothing is kept; what was analysed is: a first analysis is measured elsewhere."""
    import shutil

    for name in ("store/entries", "peer"):
        shutil.rmtree(root / name, ignore_errors=True)
