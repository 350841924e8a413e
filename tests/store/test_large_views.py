"""Views that are the same file as their blob, and what is remembered of large blobs."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from store_helpers import flip, keep, run_python, signature

from ddsimport.errors import StoreError
from ddsimport.store import blobs as blobs_room
from ddsimport.store import view_files
from ddsimport.store.store import Store


def publish(store: Store, path: str, value: Any, format: str | None = None) -> Any:
    candidate = keep(store, signature(value.tobytes()), value, path=path, digest="")
    store.publish(path, candidate, value, format)
    return candidate


def array(seed: int = 0) -> Any:
    return np.random.default_rng(seed).random(200_000)


def blob_of(root: Path, candidate: Any) -> Path:
    return root / "blobs/v1" / candidate.blob[:2] / candidate.blob


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The sizes of all that was hashed to see whether it is right."""
    sizes: list[int] = []
    real = blobs_room.blake3

    def count(content: Any) -> Any:
        sizes.append(len(content))
        return real(content)

    monkeypatch.setattr(blobs_room, "blake3", count)
    yield sizes


@pytest.fixture
def linking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that may be a link is large enough to be one, and cannot be cloned."""
    monkeypatch.setattr(view_files, "LINKED", 1 << 20)
    monkeypatch.setattr(view_files, "_clone", lambda source, target: False)


def test_a_large_view_is_copied_from_its_blob(store: Store, root: Path) -> None:
    value = array()
    candidate = publish(store, "/a.npy", value)
    view = root / "data/a.npy"
    assert view.read_bytes() == blob_of(root, candidate).read_bytes()
    assert view.stat().st_ino != blob_of(root, candidate).stat().st_ino
    assert stat.S_IMODE(view.stat().st_mode) & 0o200, "its owner may write to it"
    record = store.current("/a.npy")
    assert record is not None and record.content == candidate.blob
    assert Store.open(str(root)).shows("/a.npy", candidate)
    view.write_bytes(b"scribbled on")
    np.testing.assert_array_equal(store.value(candidate), value)
    assert not store.shows("/a.npy", candidate)


@pytest.mark.parametrize("absent", [None, "copy_file_range"])
def test_copying_needs_no_help_of_the_system(
    store: Store, root: Path, monkeypatch: pytest.MonkeyPatch, absent: str | None
) -> None:
    monkeypatch.setattr(view_files, "_clone", lambda source, target: False)
    if absent:
        monkeypatch.delattr(os, absent, raising=False)
    elif hasattr(os, "copy_file_range"):

        def refuse(*arguments: Any) -> int:
            raise OSError(18, "another file system")

        monkeypatch.setattr(os, "copy_file_range", refuse)
    publish(store, "/a.npy", array())
    np.testing.assert_array_equal(np.load(root / "data/a.npy"), array())


def test_another_format_is_written(store: Store, root: Path) -> None:
    publish(store, "/a.pkl", array())
    record = store.current("/a.pkl")
    assert record is not None and record.format == "pickle" and record.content != record.blob


def test_a_damaged_blob_does_not_become_a_view(store: Store, root: Path) -> None:
    candidate = keep(store, signature(1), array(), digest="")
    flip(blob_of(root, candidate), 500_000)
    with pytest.raises(StoreError, match="damaged"):
        store.publish("/a.npy", candidate, array())
    assert not (root / "data/a.npy").exists()


@pytest.mark.usefixtures("linking")
class TestLinks:
    def test_a_link_is_read_only(self, store: Store, root: Path) -> None:
        candidate = publish(store, "/a.npy", array())
        view = root / "data/a.npy"
        assert view.stat().st_ino == blob_of(root, candidate).stat().st_ino
        assert not view.is_symlink() and stat.S_IMODE(view.stat().st_mode) == 0o444
        np.testing.assert_array_equal(np.load(view), array())
        assert os.listdir(root / "tmp") == []

    def test_it_is_made_once_and_hashes_nothing(
        self, store: Store, root: Path, hashed: list[int]
    ) -> None:
        candidate = publish(store, "/a.npy", array())
        again = publish(store, "/b.npy", array())  # an equal value: the same blob, linked again
        assert again.blob == candidate.blob
        for user in (store, Store.open(str(root))):
            for path in ("/a.npy", "/b.npy"):
                np.testing.assert_array_equal(user.value(candidate), array())
                assert user.shows(path, candidate)
                user.publish(path, candidate, array())
        assert hashed == []
        assert blob_of(root, candidate).stat().st_nlink == 3
        assert os.listdir(root / "tmp") == []

    def test_who_links_what_another_found_right_leaves_it_right(
        self, store: Store, root: Path, hashed: list[int]
    ) -> None:
        candidate = keep(store, signature(1), array(), digest="")
        Store.open(str(root)).publish("/a.npy", candidate, array())
        assert blob_of(root, candidate).stat().st_nlink == 2
        np.testing.assert_array_equal(Store.open(str(root)).value(candidate), array())
        assert hashed == []

    def test_one_that_replaces_the_view_leaves_the_blob_alone(
        self, store: Store, root: Path
    ) -> None:
        candidate = publish(store, "/a.npy", array())
        other = root / "other"
        other.write_bytes(b"mine")
        os.replace(other, root / "data/a.npy")
        np.testing.assert_array_equal(store.value(candidate), array())
        assert not store.shows("/a.npy", candidate)
        store.publish("/a.npy", candidate, array())
        np.testing.assert_array_equal(np.load(root / "data/a.npy"), array())

    @pytest.mark.parametrize("fresh", [False, True])
    def test_one_that_writes_through_it_is_noticed(
        self, store: Store, root: Path, fresh: bool
    ) -> None:
        candidate = publish(store, "/a.npy", array())
        flip(root / "data/a.npy", 700_000)
        user = Store.open(str(root)) if fresh else store
        assert not user.shows("/a.npy", candidate)
        with pytest.raises(StoreError, match=r"damaged|missing"):
            user.value(candidate)
        user.publish("/a.npy", publish(user, "/b.npy", array()), array())
        np.testing.assert_array_equal(np.load(root / "data/a.npy"), array())

    def test_another_value_takes_its_place(self, store: Store, root: Path) -> None:
        first = publish(store, "/a.npy", array(1))
        publish(store, "/a.npy", array(2))
        np.testing.assert_array_equal(np.load(root / "data/a.npy"), array(2))
        np.testing.assert_array_equal(store.value(first), array(1))

    def test_without_links_it_is_copied(
        self, store: Store, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*arguments: Any, **options: Any) -> None:
            raise OSError(1, "not permitted")

        monkeypatch.setattr(os, "link", refuse)
        candidate = publish(store, "/a.npy", array())
        assert (root / "data/a.npy").stat().st_ino != blob_of(root, candidate).stat().st_ino
        np.testing.assert_array_equal(np.load(root / "data/a.npy"), array())

    def test_a_folder_in_the_way_is_a_store_error(self, store: Store, root: Path) -> None:
        publish(store, "/a.npy/b.npy", array())
        with pytest.raises(StoreError, match="lies below it"):
            publish(store, "/a.npy", array())
        assert os.listdir(root / "tmp") == []


def test_content_is_checked_once_for_all_processes(
    store: Store, root: Path, hashed: list[int]
) -> None:
    candidate = keep(store, signature(1), array(), digest="")
    for _ in range(3):
        Store.open(str(root)).value(candidate)
    assert hashed == [], "who wrote it knows that it is right"
    os.utime(blob_of(root, candidate), (1, 1))
    for _ in range(3):
        Store.open(str(root)).value(candidate)
    assert hashed == [candidate.size], "a status that moved is looked into, once"


def test_no_process_loads_a_pickle_that_it_has_not_seen(
    store: Store, root: Path, hashed: list[int]
) -> None:
    candidate = keep(store, signature(1), (array(), 1), digest="")
    assert candidate.codec == "pickle" and candidate.size > blobs_room._LARGE
    store.value(candidate)
    assert hashed == []
    user = Store.open(str(root))
    user.value(candidate)
    user.value(candidate)
    assert hashed == [candidate.size]


@pytest.mark.parametrize("damage", ["torn", "foreign", "another's"])
def test_a_stamp_that_is_not_whole_is_as_good_as_none(
    store: Store, root: Path, hashed: list[int], damage: str
) -> None:
    candidate, other = (keep(store, signature(n), array(n), digest="") for n in (1, 2))
    stamp, second = (root / "checked/v1" / c.blob[:2] / c.blob for c in (candidate, other))
    if damage == "torn":
        stamp.write_bytes(stamp.read_bytes()[:-20])
    elif damage == "foreign":
        stamp.write_bytes(b"\0\1\2")
    else:
        stamp.write_bytes(second.read_bytes())
    user = Store.open(str(root))
    np.testing.assert_array_equal(user.value(candidate), array(1))
    assert hashed == [candidate.size]
    assert user.damages == []


def test_a_copied_store_is_checked_again(store: Store, root: Path, hashed: list[int]) -> None:
    import shutil

    candidate = keep(store, signature(1), array(), digest="")
    shutil.copytree(root, root.parent / "copy")
    Store.open(str(root.parent / "copy")).value(candidate)
    assert hashed == [candidate.size]


def test_bytes_that_no_longer_load_say_what_has_moved(store: Store) -> None:
    from ddsimport.errors import CodecError

    candidate = keep(store, signature(1), array(), digest="")
    assert candidate.versions["numpy"] in (np.__version__, "2.1")
    old = candidate.replace(codec="sparse", python="3.9.1", versions={"numpy": "numpy==1.0"})
    with pytest.raises(CodecError, match=r"Python 3\.9\.1, now .*; numpy numpy==1\.0, now 2"):
        store.value(old)
    with pytest.raises(CodecError) as caught:
        store.value(candidate.replace(codec="sparse", versions={}))
    assert "kept under" not in str(caught.value)


def test_a_registered_codec_that_loses_something_gives_way_to_pickle(
    store: Store, root: Path
) -> None:
    output = run_python(
        """
import sys
import ddsimport
from ddsimport.store.store import Store
from store_helpers import keep, signature
class Pair:
    def __init__(self, a, b): self.a, self.b = a, b
ddsimport.register_codec(Pair, ".pair", lambda p, f: f.write(bytes([p.a])),
                         lambda f: Pair(f.read()[0], 0))
store = Store.open(sys.argv[1])
for value in (Pair(1, 0), Pair(1, 2)):
    same = lambda back: vars(back) == vars(value)
    candidate = keep(store, signature(vars(value)), value, digest="", comes_back=same)
    print(candidate.codec.partition("@")[0], vars(store.value(candidate)) == vars(value))
""",
        root,
    )
    assert output == "__main__.Pair.pair True\npickle True\n"
