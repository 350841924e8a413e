"""A store with a million records beside an empty one; and stores under contention, beside peers.

`python -m benchmarks scale [--records N] [--folder DIR]`. Records are written without flushing, or
a million would take half an hour; each is a file of some 700 bytes, so 5 GB of disk are needed.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.measure import table

_HITS = 2_000
_ROUNDS = 9


def main(arguments: Sequence[str]) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks scale", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--folder", help="where to put the stores (default: a temporary folder)")
    options = parser.parse_args(arguments)
    print(f"Python {sys.version.split()[0]}; medians, and ratios to the first line of each table")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        _contention(Path(folder))
        small = _filled(Path(folder, "small"), _HITS)
        large = _filled(Path(folder, "large"), options.records)
        _hits(small, large, options.records)
        _commands(large, options.records)


def _signature(number: int) -> str:
    from blake3 import blake3

    return blake3(str(number).encode()).hexdigest()


def _filled(root: Path, records: int) -> Path:
    """A store with so many entries, of one small value, a thousand paths and a long history."""
    from ddsimport.store.seals import sealed
    from ddsimport.store.store import Store
    from ddsimport.store.trace import Entry, Trace, entry_to_json

    store = Store.open(str(root))
    first = store.keep(
        _signature(0),
        "value",
        trace=Trace(),
        digest="",
        seconds=1.0,
        path="/a/0",
        code="0" * 64,
        inputs=(("x", "0" * 64),),
        versions={},
    )
    started = time.perf_counter()
    for number in range(1, records):
        signature = _signature(number)
        data = sealed(entry_to_json(Entry(signature, (first,))))
        path = f"{root}/entries/v1/{signature[:2]}"
        os.makedirs(path, exist_ok=True)
        with open(f"{path}/{signature}", "wb") as file:
            file.write(data)
    for number in range(1000):
        store.publish(f"/a/{number}", first.replace(signature=_signature(number)), "value")
    line = next(store.history.versions("/a/0")).as_dict()
    with open(f"{root}/history/v1/a/0.json", "ab") as file:
        for number in range(min(records, 100_000)):
            file.write(sealed({**line, "blob": _signature(number)}))
    print(f"\n{records:,} records were written in {time.perf_counter() - started:.0f} s")
    return root


_HITTING = """
import random, sys, time
from blake3 import blake3
from ddsimport.store.store import Store
root, records, hits = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
started = time.perf_counter()
store = Store.open(root)
opened = time.perf_counter() - started
chance = random.Random(5)
names = [blake3(str(chance.randrange(records)).encode()).hexdigest() for _ in range(hits)]
for name in names:  # the disk's cache is warm, that of the process is not
    open(f"{root}/entries/v1/{name[:2]}/{name}", "rb").close()
started = time.perf_counter()
for name in names:
    assert store.value(store.entry(name).candidates[0]) == "value"
    store.touch(name)
print(opened, (time.perf_counter() - started) / hits)
"""


def _hits(small: Path, large: Path, records: int) -> None:
    taken: dict[str, list[tuple[float, ...]]] = {}
    for _ in range(_ROUNDS):
        for name, root, count in (("small", small, _HITS), ("large", large, records)):
            command = [sys.executable, "-c", _HITTING, str(root), str(count), str(_HITS)]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            taken.setdefault(name, []).append(tuple(map(float, output.split())))
    opened = {name: statistics.median(each[0] for each in rows) for name, rows in taken.items()}
    hit = {name: statistics.median(each[1] for each in rows) for name, rows in taken.items()}
    titles = {"small": f"{_HITS:,} records", "large": f"{records:,} records"}
    table(
        "opening the store (bar: 10 ms)",
        {titles[name]: seconds for name, seconds in opened.items()},
        unit="ms",
    )
    table("a hit (bar: 1.2)", {titles[name]: seconds for name, seconds in hit.items()})


def _commands(root: Path, records: int) -> None:
    """The time to the first line, to the last, and the memory, of what looks at all of it."""
    print(f"\ncommands on {records:,} records")
    for words in (["ls"], ["log", "/a/0"], ["gc", "-n"], ["gc", "--files", str(records // 2)]):
        started = time.perf_counter()
        command = [sys.executable, "-m", "ddsimport", *words, "--store", str(root)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            child.stdout.readline()
            first = time.perf_counter() - started
            lines = 1 + sum(1 for _ in child.stdout)
        whole = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(
            f"  {' '.join(words):<24}{first:>9.2f} s to the first of {lines:,} lines, "
            f"{whole:.2f} s in all, at most {peak:,.0f} MB so far"
        )


# --- contention -----------------------------------------------------------------------------------

_OURS = """
from ddsimport.store.store import Store
from ddsimport.store.trace import Trace
store = Store.open(root)
def put(key):
    store.keep(key, "value " + key, trace=Trace(), digest="", seconds=1.0, path="/a", code="",
               inputs=(), versions={})
def get(key):
    return store.value(store.entry(key).candidates[0])
"""
_PEERS = {
    "ddsimport (flushed)": _OURS,
    "diskcache": """
import diskcache
cache = diskcache.Cache(root, eviction_policy="none")
def put(key): cache.set(key, "value " + key)
def get(key): return cache[key]
""",
    "joblib": """
import joblib
memory = joblib.Memory(root, verbose=0)
@memory.cache
def value(key): return "value " + key
put = get = value
""",
    "dds_py": """
from dds.store import LocalFileStore
import dds
store = LocalFileStore(root + "/internal", root + "/data")
def put(key): store.store_blob(key, "value " + key, None)
def get(key): return store.fetch_blob(key)
""",
}
_WORKER = """
import sys, time
from blake3 import blake3
root, worker, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
SETUP
keys = [blake3(f"{worker}-{number}".encode()).hexdigest() for number in range(count)]
put(blake3(f"{worker} warms up".encode()).hexdigest())
print("ready", flush=True)
sys.stdin.readline()
started = time.perf_counter()
for key in keys: put(key)
kept = time.perf_counter()
print("kept", flush=True)
sys.stdin.readline()
again = time.perf_counter()
for _ in range(5):
    for key in keys: get(key)
print(kept - started, time.perf_counter() - again, flush=True)
"""
_COUNT = 150


def _contention(folder: Path) -> None:
    """Values kept and read per second by so many processes together, each with its own keys."""
    needed = {"diskcache": "diskcache", "joblib": "joblib", "dds_py": "dds"}
    print("\ncontention: kept per second / read per second, by 1, 2, 4 and 8 processes")
    for name, setup in _PEERS.items():
        if find_spec(needed.get(name, "ddsimport")) is None:
            continue
        cells = []
        for processes in (1, 2, 4, 8):
            root = folder / f"contention-{random.getrandbits(32):x}"
            root.mkdir(mode=0o700)
            if name == "dds_py":  # its processes trip over each other when they make these
                (root / "internal/blobs").mkdir(parents=True)
                (root / "data").mkdir()
            rates = _together(root, setup, processes)
            shutil.rmtree(root)
            cells.append(f"{rates[0]:>7,.0f} /{rates[1]:>8,.0f}")
        print(f"  {name:<22}" + "   ".join(cells))


def _together(root: Path, setup: str, processes: int) -> tuple[float, float]:
    code = _WORKER.replace("SETUP", setup)
    workers: list[subprocess.Popen[Any]] = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(root), str(number), str(_COUNT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for number in range(processes)
    ]
    times: list[tuple[float, float]] = []
    for step in ("ready", "kept", ""):
        for worker in workers:
            assert worker.stdin is not None and worker.stdout is not None
            line = worker.stdout.readline()
            if step:
                assert line == f"{step}\n", line
            else:
                kept, read = map(float, line.split())
                times.append((kept, read))
        if step:
            for worker in workers:
                assert worker.stdin is not None
                worker.stdin.write("go\n")
                worker.stdin.flush()
    for worker in workers:
        worker.communicate()
    slowest = max(kept for kept, _ in times), max(read for _, read in times)
    return processes * _COUNT / slowest[0], processes * _COUNT * 5 / slowest[1]
