"""The Nth system call fails, for every N: nothing torn, nothing left, the old value still there."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from store_helpers import all_files, flip, keep, signature

from ddsimport.errors import CodecError, StoreError
from ddsimport.store.atomic import Staged, sweep
from ddsimport.store.collector import Budget, collect
from ddsimport.store.store import Store
from ddsimport.store.verifier import verify

CALLS = ["open", "write", "fsync", "replace", "rename", "mkdir", "fchmod", "close", "unlink"]
CALLS += ["fstat", "stat", "lstat", "utime", "readv", "read", "link"]


class Fault:
    """Makes the Nth of all calls of `os` that matter fail.

    Invariant: it fails after the call was made for `close` (whose descriptor is gone in any case)
    and instead of it for all others.
    """

    def __init__(self, patch: pytest.MonkeyPatch, at: int, number: int) -> None:
        self.left = at
        self.number = number
        self.hit = ""
        for name in CALLS:
            patch.setattr(os, name, self._failing(name, getattr(os, name)))

    def _failing(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                self.hit = name
                if name == "close":
                    real(*arguments, **options)
                raise OSError(self.number, os.strerror(self.number))
            return real(*arguments, **options)

        return call


def state(root: Path) -> dict[str, bytes]:
    """All that counts. Quarantined files and locks may come and go."""
    places = ("entries/", "blobs/", "data/", "views/")
    return {name: (root / name).read_bytes() for name in all_files(root) if name.startswith(places)}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS])
def test_keeping_and_publishing_while_a_call_fails(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    store = Store.open(str(root))
    store.publish("/a/b", keep(store, signature(1), "old"), "old")
    met = set()
    for at in range(1, 1000):
        user = Store.open(str(root))
        value = f"value {at}"
        with monkeypatch.context() as patch:
            fault = Fault(patch, at, number)
            kept = published = False
            with suppress(StoreError, CodecError):
                candidate = keep(user, signature(1), value)
                kept = True
                user.publish("/a/b", candidate, value)
                published = True
        met.add(fault.hit)
        reader = Store.open(str(root))
        entry = reader.entry(signature(1))
        assert entry is not None, f"call {at}, {fault.hit}: the old entry is lost"
        shown = reader.value(entry.candidates[0])
        assert shown == value or not kept, f"call {at}, {fault.hit}: acknowledged but lost"
        view = (root / "data/a/b").read_text()
        assert view.startswith("value ") or view == "old"
        assert view == value or not published
        loaded = reader.load("/a/b")
        assert loaded == value or not published
        assert not reader.damages, f"call {at}, {fault.hit}"
        if fault.hit != "unlink":
            assert os.listdir(root / "tmp") == [], f"call {at}, {fault.hit}: left behind"
        reader.sweep()
        assert os.listdir(root / "tmp") == []
        if not fault.hit:
            break
    else:
        raise AssertionError("it never came through")
    assert {"open", "write", "fsync", "replace", "mkdir", "fchmod", "close"} <= met
    assert published


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES])
def test_reading_while_a_call_fails(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    value = os.urandom(2_000_000)
    writer = Store.open(str(root))
    writer.publish("/a", keep(writer, signature(1), value), value)
    before = state(root)
    for at in range(1, 200):
        store = Store.open(str(root))
        with monkeypatch.context() as patch:
            fault = Fault(patch, at, number)
            try:
                entry = store.entry(signature(1))
                assert entry is not None
                assert store.value(entry.candidates[0]) == value
                assert store.load("/a") == value
                store.touch(signature(1))
                store.publish("/a", entry.candidates[0], value)
            except StoreError as error:
                assert os.strerror(number) in str(error)
        assert store.damages == []
        assert state(root).keys() == before.keys()
        if not fault.hit:
            break
    else:
        raise AssertionError("it never came through")


def test_creating_a_store_while_a_call_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / ".dds"
    for at in range(1, 500):
        with monkeypatch.context() as patch:
            fault = Fault(patch, at, errno.EIO)
            try:
                Store.open(str(root))
            except StoreError as error:
                assert "Input/output error" in str(error)
        store = Store.open(str(root))
        assert store.value(keep(store, signature(at), "text")) == "text"
        assert os.listdir(root / "tmp") == [] or store.sweep()
        assert os.listdir(root / "tmp") == []
        for name in ("store.json", ".gitignore"):
            (root / name).unlink()
        if not fault.hit:
            break
    else:
        raise AssertionError("it never came through")


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES])
@pytest.mark.parametrize("what", ["collect", "verify"])
def test_tidying_while_a_call_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, number: int
) -> None:
    """It may do less, but what is left is right, and what paths show is left."""
    for at in range(1, 2000):
        root = tmp_path / str(at)
        store = Store.open(str(root))
        for name in ("one", "two", "three"):
            store.publish("/a", keep(store, signature(name), name), name)
        if what == "verify":
            damaged = store.entry(signature("one"))
            assert damaged is not None
            flip(store._blobs.path(damaged.candidates[0].blob), 0)
        with monkeypatch.context() as patch:
            fault = Fault(patch, at, number)
            with suppress(OSError, StoreError):
                if what == "collect":
                    collect(str(root), Budget(bytes=0, files=0))
                else:
                    list(verify(str(root)))
        reader = Store.open(str(root))
        for name in ("one", "two", "three"):
            entry = reader.entry(signature(name))
            if entry is None:
                continue
            with suppress(StoreError):  # its blob went first: a miss
                assert reader.value(entry.candidates[0]) == name
        # A failing read of its record or blob may cost a path its entry when the store is verified.
        if what == "collect":
            assert reader.load("/a") == "three", f"call {at}, {fault.hit}"
        assert (root / "data/a").read_text() == "three"
        list(verify(str(root)))
        assert list(verify(str(root))) == [], f"call {at}, {fault.hit}"
        if not fault.hit:
            break
    else:
        raise AssertionError("it never came through")


def test_what_is_not_committed_never_appears(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("old")
    tmp = tmp_path / "tmp"
    with pytest.raises(ZeroDivisionError), Staged(str(tmp)) as staged:
        staged.write(b"new")
        staged.finish()
        raise ZeroDivisionError
    assert target.read_text() == "old" and os.listdir(tmp) == []
    with Staged(str(tmp)) as staged:
        staged.write(b"new")
        staged.finish()
        staged.commit(str(target))
    assert target.read_text() == "new" and os.listdir(tmp) == []


def test_what_is_being_written_is_not_swept(tmp_path: Path) -> None:
    with Staged(str(tmp_path)) as staged:
        staged.write(b"new")
        staged.finish()
        (tmp_path / "left by the dead").write_text("x")
        os.mkdir(tmp_path / "folder")
        assert sweep(str(tmp_path)) == 1
        staged.commit(str(tmp_path / "target"))
    assert sorted(os.listdir(tmp_path)) == ["folder", "target"]


def test_where_files_cannot_be_locked_only_old_ones_are_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ddsimport.store.atomic.try_lock", lambda descriptor: None)
    with Staged(str(tmp_path)) as staged:
        staged.write(b"new")
        (tmp_path / "old").write_text("")
        os.utime(tmp_path / "old", (1, 1))
        assert sweep(str(tmp_path)) == 1
        staged.finish()
        staged.commit(str(tmp_path / "target"))
    assert os.listdir(tmp_path) == ["target"]


def test_a_file_swept_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([False, True])
    monkeypatch.setattr("ddsimport.store.atomic.try_lock", lambda descriptor: next(answers))
    with Staged(str(tmp_path)) as staged:
        staged.write(b"new")
        staged.finish()
        staged.commit(str(tmp_path / "target"))
    assert (tmp_path / "target").read_text() == "new"


def test_another_file_system_is_named(
    store: Store, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = keep(store, signature(1), "text")
    monkeypatch.setattr(os, "replace", Failing(errno.EXDEV))
    with pytest.raises(StoreError, match="another file system"):
        store.publish("/a", candidate, "text")
    assert os.listdir(root / "tmp") == []


class Failing:
    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self, *arguments: object) -> None:
        raise OSError(self.number, os.strerror(self.number))
