"""Writers, readers and collectors on one store, killed at random moments, again and again."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest
from store_helpers import all_files, signature, start_python

from ddsimport.store.store import Store

# Some minutes in all; the interpreter makes no difference, so most of them on one.
ROUNDS = 500 if sys.version_info[:2] == (3, 11) else 60
KEYS = 12

# Forks its workers, so that a round costs no start of an interpreter. Each worker notes what was
# acknowledged to it by one small write to a pipe, which a kill cannot tear.
KENNEL = """
import os, random, struct, sys
from ddsimport.errors import StoreError
from ddsimport.store import collector
from ddsimport.store.store import Store
from store_helpers import keep, signature

ROOT, KEYS, BUDGET = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

def value_of(key):
    return f"{key}|" * (10 if key % 3 else 20_000)

def write(seed, notes):
    chance = random.Random(seed)
    store = Store.open(ROOT)
    while True:
        # Some are kept once and must stay; some are fought over, and forgotten now and then.
        once = chance.random() < 0.3
        key = chance.randrange(KEYS, 1 << 31) if once else chance.randrange(KEYS)
        sig = signature(key)
        lock = store.lock(sig)
        assert lock.acquire(timeout=20), "a lock is stuck"
        if not once and chance.random() < 0.3:
            try:
                os.unlink(store._entries._path(sig))
            except FileNotFoundError:
                pass
        candidate = keep(store, sig, value_of(key), path=f"/k/{key}")
        os.write(notes, struct.pack("<I", key))
        lock.release()
        store.publish(f"/k/{key}", candidate, value_of(key))
        store.publish("/shared", candidate, value_of(key))

def read(seed, notes):
    chance = random.Random(seed)
    while True:
        store = Store.open(ROOT)
        key = chance.randrange(KEYS)
        entry = store.entry(signature(key))
        if entry is not None:
            try:
                assert store.value(entry.candidates[0]) == value_of(key), "wrong"
            except StoreError as error:  # collected since: a miss, where there is little room
                assert BUDGET < 10**9 and str(error).endswith("is missing"), error
        try:
            text = open(f"{ROOT}/data/k/{key}").read()
        except FileNotFoundError:
            pass
        else:
            assert text == value_of(key), "torn"
        store.sweep()
        assert store.damages == [], store.damages

def collect(seed, notes):
    collector.GRACE = 2.0  # what lies between writing a blob and its entry is milliseconds
    while True:
        collector.collect(ROOT, collector.Budget(bytes=BUDGET, files=10**9))

print("ready", flush=True)
seed = 0
for line in sys.stdin:
    into, out = os.pipe()
    pids = []
    for work in (write, write, write, read, collect):
        seed += 1
        pid = os.fork()
        if pid == 0:
            os.close(into)
            try:
                work(seed, out)
            except BaseException as error:
                print("FAILED", repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        pids.append(pid)
    os.close(out)
    print(into, *pids, flush=True)
    sys.stdin.readline()
    statuses = [os.waitpid(pid, 0)[1] for pid in pids]
    noted = b""
    while piece := os.read(into, 65536):
        noted += piece
    os.close(into)
    print(*statuses, *(key for key, in struct.iter_unpack("<I", noted)), flush=True)
"""


def value_of(key: int) -> str:
    return f"{key}|" * (10 if key % 3 else 20_000)


def check(root: Path) -> None:
    """Everything that is there is right."""
    store = Store.open(str(root))
    for key in range(KEYS):
        entry = store.entry(signature(key))
        if entry is None:
            continue
        assert store.value(entry.candidates[0]) == value_of(key)
        view = root / f"data/k/{key}"
        if view.exists():
            assert view.read_text() == value_of(key)
        if store.current(f"/k/{key}") is not None:
            assert store.load(f"/k/{key}") == value_of(key)
    shown = root / "data/shared"
    if shown.exists():
        text = shown.read_text()
        assert text == value_of(int(text.partition("|")[0]))
    assert store.damages == []


@pytest.mark.parametrize("budget, most", [(10**12, ROUNDS), (400_000, ROUNDS // 5)])
def test_killed_at_any_moment_the_store_is_whole(root: Path, budget: int, most: int) -> None:
    """With much room nothing that was acknowledged is lost; with little, nothing is ever wrong."""
    chance = random.Random(7)
    Store.open(str(root))
    kennel = start_python(KENNEL, root, KEYS, budget)
    assert kennel.stdin is not None and kennel.stdout is not None
    leftovers = rounds = 0
    fought_over: set[int] = set()
    once: set[int] = set()
    try:
        assert kennel.stdout.readline() == "ready\n"
        # On a busy machine, go on until enough was written and broken off to prove anything.
        while rounds < most or not (len(fought_over) == KEYS and len(once) > 9 and leftovers):
            rounds += 1
            assert rounds < 10 * most
            kennel.stdin.write("go\n")
            kennel.stdin.flush()
            _, *pids = map(int, kennel.stdout.readline().split())
            time.sleep(chance.uniform(0.002, 0.12))
            for pid in chance.sample(pids, len(pids)):
                os.kill(pid, signal.SIGKILL)
            kennel.stdin.write("count\n")
            kennel.stdin.flush()
            line = list(map(int, kennel.stdout.readline().split()))
            statuses, noted = line[: len(pids)], line[len(pids) :]
            assert statuses == [signal.SIGKILL] * len(pids), "a worker failed before it was killed"
            fought_over.update(key for key in noted if key < KEYS)
            once.update(key for key in noted if key >= KEYS)
            check(root)
            leftovers += len(os.listdir(root / "tmp")) + len(os.listdir(root / "locks"))
        output, errors = kennel.communicate(timeout=20)
        assert (output, errors, kennel.returncode) == ("", "", 0)
    finally:
        kennel.kill()
        kennel.wait()
    store = Store.open(str(root))
    lost = 0
    for key in once:
        entry = store.entry(signature(key))
        if entry is None:
            lost += 1
            continue
        assert store.value(entry.candidates[0]) == value_of(key)
    assert (lost == 0) == (budget > 10**9), "acknowledged, and lost"
    store.sweep()
    assert os.listdir(root / "tmp") == [] and os.listdir(root / "locks") == []
    assert not [name for name in all_files(root) if name.startswith("quarantine")]
