from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest
from store_helpers import all_files, flip, keep, run_python, signature

from ddsimport.errors import CodecError, StoreError
from ddsimport.store import blobs as blobs_room
from ddsimport.store.store import Store

VALUES = [None, 0, "", "text", b"", b"bytes", [1, {"a": None}], (1, 2.5), {1, 2}, 1e308]


def blob_files(root: Path) -> list[Path]:
    return [path for path in (root / "blobs").rglob("*") if path.is_file()]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back(store: Store, value: object) -> None:
    candidate = keep(store, signature(1), value)
    assert store.value(candidate) == value
    assert type(store.value(candidate)) is type(value)


def test_a_large_array_comes_back_and_is_our_own(store: Store, root: Path) -> None:
    array = np.arange(500_000, dtype=np.float64)
    candidate = keep(store, signature(1), array)
    for _ in range(2):
        loaded = store.value(candidate)
        np.testing.assert_array_equal(loaded, array)
        loaded[:] = -1
    np.testing.assert_array_equal(store.value(candidate), array)
    np.testing.assert_array_equal(Store.open(str(root)).value(candidate), array)


def test_blobs_are_immutable_and_named_by_content(store: Store, root: Path) -> None:
    from blake3 import blake3

    keep(store, signature(1), "text")
    (path,) = blob_files(root)
    assert path.name == blake3(path.read_bytes()).hexdigest()
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert path.parent.name == path.name[:2]


def test_equal_values_share_a_blob(store: Store, root: Path) -> None:
    first = keep(store, signature(1), "text")
    (path,) = blob_files(root)
    inode = path.stat().st_ino
    os.utime(path, (1, 1))
    second = keep(store, signature(2), "text")
    assert first.blob == second.blob
    assert blob_files(root) == [path]
    assert path.stat().st_ino == inode
    assert path.stat().st_mtime > 1, "a collector must see that it is of use again"


# A small one stays in the memory of a process that has read it: only another one can notice.
@pytest.mark.parametrize(("size", "fresh"), [(10, True), (3_000_000, False), (3_000_000, True)])
def test_a_damaged_blob_is_noticed_and_written_again(
    store: Store, root: Path, size: int, fresh: bool
) -> None:
    value = os.urandom(size)
    candidate = keep(store, signature(1), value)
    assert store.value(candidate) == value
    (path,) = blob_files(root)
    os.utime(path, (1, 1))
    flip(path, size // 2)
    reader = Store.open(str(root)) if fresh else store
    with pytest.raises(StoreError, match="damaged"):
        reader.value(candidate)
    assert len(reader.damages) == 1
    assert not path.exists()
    assert len(list((root / "quarantine").iterdir())) == 1
    with pytest.raises(StoreError, match="missing"):
        reader.value(candidate)
    assert reader.value(keep(reader, signature(1), value)) == value


def test_a_small_value_that_was_read_once_needs_no_file(store: Store, root: Path) -> None:
    """And each reader gets a value of its own."""
    candidate = keep(store, signature(1), {"a": [1]})
    store.value(candidate)["a"].append(2)
    (path,) = blob_files(root)
    path.unlink()
    assert store.value(candidate) == {"a": [1]}


def test_a_damaged_blob_is_not_reused(store: Store, root: Path) -> None:
    keep(store, signature(1), "text")
    (path,) = blob_files(root)
    flip(path, 0)
    assert store.value(keep(store, signature(2), "text")) == "text"


@pytest.mark.parametrize("length", [0, 9, 11])
def test_a_blob_of_another_length_is_damaged(store: Store, root: Path, length: int) -> None:
    candidate = keep(store, signature(1), b"0123456789")
    (path,) = blob_files(root)
    path.chmod(0o600)
    path.write_bytes((b"0123456789" * 2)[:length])
    with pytest.raises(StoreError, match="damaged"):
        store.value(candidate)


class Unpicklable:
    def __reduce__(self) -> str:
        raise RuntimeError("not me")


class Hostile:
    """Its own code runs while it is written, and it raises what the disk would."""

    def __reduce__(self) -> str:
        raise OSError(28, "no space left, it says")


@pytest.mark.parametrize("value", [Unpicklable(), Hostile(), [lambda: 0, Unpicklable()]])
def test_what_cannot_be_written_leaves_nothing(store: Store, root: Path, value: object) -> None:
    before = all_files(root)
    with pytest.raises(CodecError):
        keep(store, signature(1), value)
    assert all_files(root) == before


class ForgetsItsClass:
    name = "pickle"

    def encode(self, value: object, file: object) -> None:
        raise KeyError("broken codec")


def test_a_broken_codec_is_a_codec_error(store: Store) -> None:
    with pytest.raises(CodecError, match="KeyError"):
        keep(store, signature(1), "x", codec=ForgetsItsClass())


def test_a_blob_that_does_not_decode_is_a_codec_error(store: Store) -> None:
    candidate = keep(store, signature(1), b"no pickle")
    with pytest.raises(CodecError):
        store.value(candidate.replace(codec="pickle"))
    with pytest.raises(CodecError):
        store.value(candidate.replace(codec="os.system"))


def test_nothing_is_decoded_before_it_was_checked(
    store: Store, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = keep(store, signature(1), (1, 2))
    assert candidate.codec == "pickle"
    (path,) = blob_files(root)
    flip(path, 0)

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("unpickled")

    monkeypatch.setattr("pickle.loads", refuse)
    with pytest.raises(StoreError, match="damaged"):
        store.value(candidate)


def test_thousands_of_arrays_do_not_use_up_the_descriptors(store: Store, root: Path) -> None:
    candidate = keep(store, signature(1), np.zeros(1 << 18))
    assert candidate.size > blobs_room._LARGE
    output = run_python(
        """
import resource, sys
from ddsimport.store.store import Store
from store_helpers import signature
resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
store = Store.open(sys.argv[1])
(candidate,) = store.entry(signature(1)).candidates
values = [store.value(candidate) for _ in range(300)]
open("/dev/null").close()
print(len(values))
""",
        root,
    )
    assert output == "300\n"


def test_a_forked_child_can_hash_what_its_parent_hashed(root: Path) -> None:
    """blake3 with its own pool of threads waits for ever in a forked child."""
    output = run_python(
        """
import os, signal, sys
from ddsimport.store.store import Store
from store_helpers import keep, signature
store = Store.open(sys.argv[1])
data = bytes(5_000_000)
keep(store, signature(1), data)
child = os.fork()
if child == 0:
    signal.alarm(20)
    assert Store.open(sys.argv[1]).value(keep(store, signature(2), data)) == data
    os._exit(0)
print(os.waitpid(child, 0)[1])
""",
        root,
    )
    assert output == "0\n"
