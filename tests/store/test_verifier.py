"""Damage of every kind is named and mended: afterwards all that is there is right."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from store_helpers import all_files, flip, keep, signature

from ddsimport.errors import StoreError
from ddsimport.store.index import Index
from ddsimport.store.store import Store
from ddsimport.store.verifier import Finding, verify

VALUES = {"a": "text " * 100, "b": [1, 2, 3], "c": {1, 2}, "d": b"bytes" * 300_000}


@pytest.fixture
def filled(root: Path) -> Store:
    store = Store.open(str(root))
    for name, value in VALUES.items():
        candidate = keep(store, signature(name), value, path=f"/{name}", digest="")
        store.publish(f"/{name}", candidate, value)
    Index(str(root)).add_run({"program": "p"})
    assert Index(str(root)).runs()
    return store


def found(root: Path, *, mend: bool = True) -> list[Finding]:
    return list(verify(str(root), mend=mend))


def check(root: Path) -> None:
    """What is there is right, and nothing is left to be found."""
    assert found(root) == []
    store = Store.open(str(root))
    for name, value in VALUES.items():
        entry = store.entry(signature(name))
        if entry is not None:
            assert store.value(entry.candidates[0]) == value
        if store.current(f"/{name}") is not None:
            assert store.load(f"/{name}") == value
    assert store.damages == []


def test_a_sound_store(filled: Store, root: Path) -> None:
    before = all_files(root)
    assert found(root) == []
    assert all_files(root) == before
    assert len(Index(str(root)).runs()) == 1


def test_a_damaged_blob_is_put_aside_and_let_go_of(filled: Store, root: Path) -> None:
    blob = filled.entry(signature("c")).candidates[0].blob  # type: ignore[union-attr]
    flip(filled._blobs.path(blob), 3)
    said = found(root, mend=False)
    assert [each.mended for each in said] == [""] * len(said)
    first, *_ = found(root)
    assert first.fault == "its content does not fit its name"
    assert "quarantine" in first.mended
    assert Store.open(str(root)).entry(signature("c")) is None
    check(root)


def test_a_missing_blob_is_made_from_the_view_that_is_the_same_file(
    filled: Store, root: Path
) -> None:
    blob = filled.entry(signature("a")).candidates[0].blob  # type: ignore[union-attr]
    os.unlink(filled._blobs.path(blob))
    assert "made from it" in [each.mended for each in found(root)]
    assert Store.open(str(root)).load("/a") == VALUES["a"]
    check(root)


def test_a_view_that_somebody_changed_is_written_again(filled: Store, root: Path) -> None:
    (root / "data/b").write_text("edited")
    assert [each.path for each in found(root)] == [f"{root}/data/b"]
    check(root)
    store = Store.open(str(root))
    candidate = store.entry(signature("b")).candidates[0]  # type: ignore[union-attr]
    assert not store.shows("/b", candidate)


def test_the_index_goes_if_it_is_damaged(filled: Store, root: Path) -> None:
    with open(root / "index/cache.db", "r+b") as file:
        file.seek(100)
        file.write(os.urandom(2000))
    assert any("index" in each.fault for each in found(root))
    assert not (root / "index/cache.db").exists()
    check(root)


def test_what_killed_processes_left_goes(filled: Store, root: Path) -> None:
    (root / "tmp/1-ab").write_text("left")
    assert [each.mended for each in found(root)] == ["removed"]
    check(root)


@pytest.mark.parametrize("seed", range(40))
def test_any_byte_of_any_file(filled: Store, root: Path, seed: int) -> None:
    """One byte flipped, a file cut short, emptied or removed: named, mended, never wrong."""
    chance = random.Random(seed)
    files = [
        name
        for name in all_files(root)
        if name.startswith(("blobs", "entries", "views", "history", "data")) and "lock" not in name
    ]
    path = root / chance.choice(files)
    kind = chance.choice(["flip", "cut", "empty", "remove"])
    size = path.stat().st_size
    if kind == "flip":
        flip(path, chance.randrange(size), 1 << chance.randrange(8))
    elif kind == "remove":
        path.unlink()
    else:
        path.chmod(0o600)
        os.truncate(path, 0 if kind == "empty" else chance.randrange(size))
    unseen = kind == "remove" or (path.parts[-3] == "history" and kind == "empty")
    linked = os.path.basename(path) == "d" or size > 1_000_000
    said = found(root)
    assert said or unseen or (path.parts[-2] == "v1" and kind == "empty"), (path, kind, linked)
    check(root)
    store = Store.open(str(root))
    for name, value in VALUES.items():  # as a run would
        try:
            candidate = keep(store, signature(name), value, path=f"/{name}", digest="")
            store.publish(f"/{name}", candidate, value)
        except StoreError as error:
            raise AssertionError(f"after {path} {kind}") from error
    check(root)
    assert Store.open(str(root)).load("/c") == VALUES["c"]
