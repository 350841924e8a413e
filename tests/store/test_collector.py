"""Garbage collection: what goes first, what stays, and what happens to those at work meanwhile."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_helpers import all_files, keep, signature

from ddsimport.store import collector
from ddsimport.store.collector import Budget, collect
from ddsimport.store.store import Store
from ddsimport.store.trace import Candidate, Trace

MB = 1_000_000
PLENTY = Budget(bytes=10**12, files=10**9)


def kept(store: Store, name: str, size: int = MB, *, age: float = 0, **fields: object) -> Candidate:
    """Keep a value that was last of use so many seconds ago."""
    candidate = keep(store, signature(name), name.encode() * (size // len(name)), **fields)
    used(store, name, age)
    past = time.time() - age
    os.utime(store._blobs.path(candidate.blob), (past, past))
    return candidate


def used(store: Store, name: str, ago: float) -> None:
    now = time.time() - ago
    os.utime(store._entries._path(signature(name)), (now, now))


def names(store: Store, among: str) -> str:
    """Which of these values are still there, blob and all."""
    fresh = Store.open(store.root)
    found = []
    for name in among:
        entry = fresh.entry(signature(name))
        if entry is not None:
            assert fresh.value(entry.candidates[0]) == name.encode() * MB
            found.append(name)
    return "".join(found)


def room_for(store: Store, megabytes: float) -> Budget:
    """A budget for so much besides what a store without values takes."""
    return Budget(bytes=int(megabytes * MB) + 500_000, files=10**9)


def test_least_recently_used_first(store: Store) -> None:
    for age, name in enumerate("fedcba"):
        kept(store, name, age=(age + 1) * 100)
    used(store, "a", 5)  # a hit
    found = collect(store.root, room_for(store, 3))
    assert names(store, "abcdef") == "aef"
    assert found.candidates == 3
    assert 3 * MB < found.removed_bytes < 3.1 * MB
    assert found.bytes - found.removed_bytes <= room_for(store, 3).bytes


def test_a_dry_run_says_the_same_and_removes_nothing(store: Store) -> None:
    for age, name in enumerate("abcd"):
        kept(store, name, age=age * 100)
    before = all_files(store.root)
    would = collect(store.root, room_for(store, 2), dry_run=True)
    assert all_files(store.root) == before
    assert collect(store.root, room_for(store, 2)) == would
    assert names(store, "abcd") == "ab"


def test_what_a_path_shows_stays_unless_asked(store: Store) -> None:
    shown = kept(store, "a", age=900)
    store.publish("/a", shown, b"a" * MB)
    left = store.keep_file(__file__)[0]
    effects = (("left:file", f'{{"path":"x","blob":"{left}","size":9}}'),)
    kept(store, "b", age=800, trace=Trace(effects=effects))
    store.publish("/b", store.entry(signature("b")).candidates[0], b"b" * MB)  # type: ignore[union-attr]
    kept(store, "c", age=10)
    found = collect(store.root, Budget(bytes=0, files=10**9))
    assert names(store, "abc") == "ab"
    assert os.path.exists(store._blobs.path(left))
    assert found.shown > 2 * MB
    assert collect(store.root, Budget(bytes=0, files=10**9), current=True).candidates == 2
    assert names(store, "abc") == ""
    assert list(Store.open(store.root).paths()) == []
    assert all_files(Path(store.root) / "data") == []


def test_what_a_path_of_a_namespace_shows_stays(store: Store) -> None:
    branch = Store.open(store.root, "feature")
    branch.publish("/a", kept(branch, "a", age=900), b"a" * MB)
    assert Store.open(store.root).current("/a") is None
    collect(store.root, Budget(bytes=0, files=10**9))
    assert branch.load("/a") == b"a" * MB


def test_an_entry_in_use_stays(store: Store) -> None:
    kept(store, "a", age=900)
    kept(store, "b", age=900)
    lock = Store.open(store.root).lock(signature("a"))
    assert lock.acquire()
    collect(store.root, Budget(bytes=0, files=10**9))
    lock.release()
    assert names(store, "ab") == "a"


def test_files_are_bounded_too(store: Store) -> None:
    for age, name in enumerate("abcdef"):
        kept(store, name, age=age * 100)
    files = collect(store.root, PLENTY, dry_run=True).files
    before = len(all_files(store.root))
    found = collect(store.root, Budget(bytes=10**12, files=files - 3))
    assert names(store, "abcdef") == "abcd"
    assert found.removed_files == 4 == before - len(all_files(store.root))


def test_many_entries_of_one_value_are_bounded(store: Store) -> None:
    for number in range(50):
        keep(store, signature(number), "the same")
        now = time.time() - number
        os.utime(store._entries._path(signature(number)), (now, now))
    shown = store.entry(signature(49))
    assert shown is not None
    store.publish("/shown", shown.candidates[0], "the same")
    files = collect(store.root, PLENTY, dry_run=True).files
    assert collect(store.root, Budget(bytes=10**12, files=files - 20)).removed_files == 20
    assert collect(store.root, PLENTY, dry_run=True).files == files - 20
    assert Store.open(store.root).entry(signature(49)) == shown


def test_a_young_blob_without_an_entry_may_be_on_its_way(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob, _ = store.keep_file(__file__)
    collect(store.root, Budget(bytes=0, files=0))
    assert os.path.exists(store._blobs.path(blob))
    monkeypatch.setattr(collector, "GRACE", -1.0)
    past = time.time() - 10
    os.utime(store._blobs.path(blob), (past, past))
    assert collect(store.root, PLENTY).removed_files == 1
    assert not os.path.exists(store._blobs.path(blob))


def test_a_blob_found_in_place_while_it_goes_is_put_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(store, "a", age=900)
    rename = os.rename

    def use_meanwhile(source: str, target: str) -> None:
        monkeypatch.setattr(os, "rename", rename)
        kept(store, "a")
        rename(source, target)

    monkeypatch.setattr(os, "rename", use_meanwhile)
    collect(store.root, Budget(bytes=0, files=10**9))
    assert names(store, "a") == "a"


def test_a_blob_that_went_meanwhile_is_written_anew(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(store, "a", age=900)
    is_right = store._blobs._is_right

    def goes_then(name: str, size: int) -> bool:
        found = is_right(name, size)
        os.unlink(store._blobs.path(name))
        return found

    monkeypatch.setattr(store._blobs, "_is_right", goes_then)
    kept(store, "a")
    assert names(store, "a") == "a"


def test_a_view_that_is_a_link_to_its_blob_counts_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ddsimport.store.view_files.LINKED", MB)
    store.publish("/a", kept(store, "a", 2 * MB), b"a" * (2 * MB))
    assert os.stat(f"{store.root}/data/a").st_nlink == 2
    assert 2 * MB < collect(store.root, PLENTY, dry_run=True).bytes < 2.2 * MB


def test_leftovers_and_old_facts_go(store: Store) -> None:
    root = Path(store.root)
    (root / "tmp/1-abc").write_text("left by a killed process")
    facts = root / "facts/aa"
    facts.mkdir(parents=True)
    for name in ("old", "new"):
        (facts / name).write_text("facts")
    long_ago = time.time() - 40 * 86_400
    os.utime(facts / "old", (long_ago, long_ago))
    assert collect(store.root, PLENTY).leftovers == 1
    assert all_files(root / "facts") == ["aa/new"]
    assert all_files(root / "tmp") == []


def test_it_is_due_when_the_store_has_grown(store: Store) -> None:
    budget = Budget(bytes=20 * MB, files=1000)
    due = [collector.collect_if_due(store.root, MB // 2, 2, budget) is not None for _ in range(6)]
    assert due == [False, False, True, False, False, True]
    assert collector.collect_if_due(store.root, 0, 51, budget) is not None


@settings(max_examples=25, deadline=None)
@given(
    ages=st.lists(st.integers(1, 10**6), min_size=1, max_size=6, unique=True),
    room=st.integers(0, 7),
)
def test_as_many_as_fit_stay(
    tmp_path_factory: pytest.TempPathFactory, ages: list[int], room: int
) -> None:
    store = Store.open(str(tmp_path_factory.mktemp("store") / ".dds"))
    values = {chr(97 + number): age for number, age in enumerate(ages)}
    for name, age in values.items():
        kept(store, name, age=age)
    collect(store.root, room_for(store, room))
    newest = sorted(values, key=values.__getitem__)[:room]
    assert names(store, "".join(values)) == "".join(sorted(newest))
