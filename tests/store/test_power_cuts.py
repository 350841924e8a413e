"""Power cuts: the disk as it is at a random instant, mounted anew. What was acknowledged is there.

The store lies on an ext4 image, which lies on XFS, whose reflinks copy a file as it is at one
instant. What the kernel still had in memory is not in the copy, as after a cut. The same loop
without flushing must lose something, or it would prove nothing.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from store_helpers import signature, started

from ddsimport.errors import StoreError
from ddsimport.store.store import Store

CUTS = 50

WRITER = """
import os, sys
from ddsimport.store.store import Store
from store_helpers import keep, signature

root, flushed = sys.argv[1], sys.argv[2] == "True"
if not flushed:
    os.fsync = lambda descriptor: None
store = Store.open(root)
number = 0
while True:
    value = f"{number}|" * (20 if number % 7 else 20_000)
    candidate = keep(store, signature(number), value, path=f"/k/{number % 5}")
    store.publish(f"/k/{number % 5}", candidate, value)
    print(number, flush=True)
    number += 1
"""


def value_of(number: int) -> str:
    return f"{number}|" * (20 if number % 7 else 20_000)


@contextmanager
def mounted(image: Path, folder: Path, *options: str) -> Iterator[Path]:
    folder.mkdir(exist_ok=True)
    subprocess.run(
        ["mount", "-o", ",".join(["loop", *options]), str(image), str(folder)],
        check=True,
        capture_output=True,
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def formatted(image: Path, size: str, *command: str) -> Path:
    subprocess.run(["truncate", "-s", size, str(image)], check=True)
    subprocess.run([*command, str(image)], check=True, capture_output=True)
    return image


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[Path]:
    """A folder on XFS."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("mkfs.xfs", "mkfs.ext4", "mount"))):
        pytest.skip("needs root, mkfs.xfs and mkfs.ext4")
    image = formatted(tmp_path / "xfs.img", "1G", "mkfs.xfs", "-q", "-m", "reflink=1")
    try:
        with mounted(image, tmp_path / "xfs") as folder:
            yield folder
    except subprocess.CalledProcessError as error:
        pytest.skip(f"cannot mount an image here: {error.stderr!r}")


def lost_in(disks: Path, *, flushed: bool, cuts: int) -> tuple[int, int]:
    """How many values were acknowledged before a cut, and how many were not there after it. What
    is there is right, or the test fails."""
    image = formatted(disks / "disk.img", "256M", "mkfs.ext4", "-q", "-F")
    acknowledged = lost = 0
    chance = random.Random(11)
    with (
        mounted(image, disks / "disk", "commit=30") as disk,
        started(WRITER, disk / "store", flushed) as writer,
    ):
        done: list[int] = []
        assert writer.stdout is not None
        reader = threading.Thread(target=lambda: done.extend(map(int, writer.stdout)), daemon=True)  # type: ignore[arg-type]
        reader.start()
        deadline = time.monotonic() + 20
        while not done and time.monotonic() < deadline:
            time.sleep(0.01)
        assert done, "the writer writes nothing"
        seen = 0
        for number in range(cuts):
            time.sleep(chance.uniform(0.0, 0.08))
            known = done[seen:]
            seen += len(known)
            cut = disks / f"cut-{number}.img"
            subprocess.run(["cp", "--reflink=always", image, cut], check=True)
            acknowledged += len(known)
            try:
                lost += after(cut, disks / "cut", known)
            except (AssertionError, OSError, StoreError, ValueError):
                if flushed:
                    raise
                lost += len(known)  # torn, or worse
            cut.unlink()
        assert writer.poll() is None, "the writer has died"
    return acknowledged, lost


def after(image: Path, folder: Path, known: list[int]) -> int:
    """How many of these are gone after a cut."""
    with mounted(image, folder) as disk:
        store = Store.open(str(disk / "store"))
        lost = 0
        for number in known:
            entry = store.entry(signature(number))
            if entry is None:
                lost += 1
                continue
            assert store.value(entry.candidates[0]) == value_of(number)
        for path in store.paths():
            text = (disk / f"store/data{path}").read_text()
            assert text == value_of(int(text.partition("|")[0]))
        assert store.damages == []
        return lost


def test_what_was_acknowledged_outlives_a_power_cut(disks: Path) -> None:
    acknowledged, lost = lost_in(disks, flushed=True, cuts=CUTS)
    assert acknowledged > CUTS // 2
    assert lost == 0


def test_without_flushing_something_is_lost(disks: Path) -> None:
    acknowledged, lost = lost_in(disks, flushed=False, cuts=5)
    assert acknowledged > 5
    assert lost > 0
