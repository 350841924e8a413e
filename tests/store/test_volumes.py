"""A remote on a file system that takes whole files only, as Databricks mounts its volumes."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
import volumes
from blake3 import blake3
from projects import Project
from store_helpers import keep, signature

from ddsimport.store import exchange, transfer
from ddsimport.store.folder import Folder, as_url
from ddsimport.store.remote import AbsentError, RemoteError, open_remote
from ddsimport.store.sharing import DESCRIPTION, blob_key
from ddsimport.store.store import Store
from ddsimport.store.transfer import Unsound, describe, fetch_blob, send_blob

needs_mount = pytest.mark.skipif(not volumes.can_mount(), reason="mounting takes root and FUSE")


@pytest.fixture(scope="module")
def volume(tmp_path_factory) -> Iterator[Path]:
    with volumes.mounted(tmp_path_factory.mktemp("volume")) as folder:
        yield folder


@needs_mount
def test_the_file_system_refuses_what_volumes_refuse(volume):
    file = volume / "file"
    file.write_bytes(b"one")
    refused = {
        "rename": lambda: os.rename(file, volume / "other"),
        "link": lambda: os.link(file, volume / "other"),
        "symlink": lambda: os.symlink(file, volume / "other"),
        "append": lambda: os.open(file, os.O_WRONLY | os.O_APPEND),
        "change": lambda: os.open(file, os.O_RDWR),
        "cut": lambda: os.truncate(file, 1),
        "flush": lambda: _flush(volume / "flushed"),
        "write anywhere": lambda: _write_anywhere(volume / "anywhere"),
    }
    for what, call in refused.items():
        with pytest.raises(OSError) as raised:
            call()
        assert raised.value.errno in (errno.ENOSYS, errno.ENOTSUP, errno.EPERM), what
    assert file.read_bytes() == b"one"


def _flush(path: Path) -> None:
    with open(path, "wb") as file:
        os.fsync(file.fileno())


def _write_anywhere(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        os.pwrite(descriptor, b"here", 7)
    finally:
        os.close(descriptor)


@needs_mount
def test_a_volume_does_what_every_remote_does(volume):
    remote = Folder(f"file://{volume}/verbs")
    assert remote.size("a/none") is None
    with pytest.raises(AbsentError):
        remote.get("a/none")
    remote.put("a/b", b"one")
    remote.put("a/b", b"two!")
    assert (remote.get("a/b"), remote.size("a/b")) == (b"two!", 4)
    assert remote.create("a/deep/er/c", b"new")
    assert not remote.create("a/deep/er/c", b"newer")
    assert remote.get("a/deep/er/c") == b"new"
    assert sorted(remote.listed("a")) == [("a/b", 4), ("a/deep/er/c", 3)]
    files = [name for _, _, names in os.walk(volume / "verbs") for name in names]
    assert sorted(files) == ["b", "c"]  # and nothing aside


@needs_mount
def test_values_go_there_and_come_back_large_ones_in_parts(volume, tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "MOST", 1 << 16)
    mine = Store.open(str(tmp_path / "mine"))
    value = os.urandom(200_000).hex()
    keep(mine, signature(1), value)
    remote = open_remote(f"{volume}/values")
    assert exchange.push(mine, remote, [signature(1)], print).moved == 1
    assert exchange.push(mine, remote, [signature(1)], print).known == 1
    theirs = Store.open(str(tmp_path / "theirs"))
    assert exchange.pull(theirs, open_remote(f"file://{volume}/values"), (), print).moved == 1
    entry = theirs.entry(signature(1))
    assert entry is not None
    assert theirs.value(entry.candidates[0]) == value


@needs_mount
def test_a_file_that_is_half_there_is_not_taken_and_is_written_again(volume, tmp_path):
    content = os.urandom(5000)
    name = blake3(content).hexdigest()
    (tmp_path / "blob").write_bytes(content)
    remote = Folder(f"file://{volume}/half")
    file = volume / "half" / blob_key(name)
    store = Store.open(str(tmp_path / "store"))
    file.parent.mkdir(parents=True)
    for there in (b"", content[:2000]):
        file.write_bytes(there)
        with pytest.raises(Unsound):
            fetch_blob(remote, store.root, name, len(content))
        assert not store.has(name)
        assert send_blob(remote, str(tmp_path / "blob"), name, len(content), anew=False) == 5000
        fetch_blob(remote, store.root, name, len(content))
        os.unlink(store.blob_path(name, len(content)))


@needs_mount
def test_a_description_whose_writer_was_killed_is_written_again(volume):
    remote = Folder(f"file://{volume}/described")
    identity = describe(remote)
    whole = remote.get(DESCRIPTION)
    assert describe(remote) == identity
    for size in (0, 5, len(whole) // 2, len(whole) - 3):
        remote.put(DESCRIPTION, whole[:size])
        again = describe(remote)
        assert describe(remote) == again
    remote.put(DESCRIPTION, b'{"name": "of somebody else"}')
    with pytest.raises(RemoteError, match="not the description"):
        describe(remote)
    assert remote.get(DESCRIPTION) == b'{"name": "of somebody else"}'


@needs_mount
def test_two_users_share_a_volume(volume, tmp_path):
    pushed = f'[tool.ddsimport]\nremote = "{volume}/shared"\nremote_push = true\n'
    users = [Project(tmp_path / name) for name in ("ann", "bob")]
    for user in users:
        user.write(
            main="""
            def work(n):
                return {"n": [n] * 3}
            x = work(4)  # dds: /x
            print(x)
            """
        )
        (user.root / "pyproject.toml").write_text(pushed)
    ann, bob = users
    assert ann.same().evaluated() == {"/x"}
    hit = bob.same()
    assert (hit.evaluated(), hit.stderr) == (set(), "")
    bob.edit("main.py", "work(4)", "work(5)")
    assert bob.same().evaluated() == {"/x"}
    ann.edit("main.py", "work(4)", "work(5)")
    assert ann.same().evaluated() == set()


@pytest.mark.parametrize("gone", [".a.part", "b"])
def test_what_vanishes_while_it_is_listed_hides_nothing_else(tmp_path, monkeypatch, gone):
    """A writer beside us gave its file the name that it was written for; a volume told a name
    before, or after, there was a file."""
    remote = Folder(f"file://{tmp_path}")
    remote.put("x/a", b"1")
    remote.put("x/b", b"2")
    remote.put("x/y/c", b"3")
    (tmp_path / "x/.a.part").write_bytes(b"1")
    listing = os.scandir

    def listing_late(folder):
        with listing(folder) as entries:
            found = list(entries)
        if any(entry.name == gone for entry in found):
            os.unlink(tmp_path / "x" / gone)
        return nullcontext(found)

    monkeypatch.setattr(os, "scandir", listing_late)
    there = {"x/a": 1, "x/b": 1, "x/y/c": 1}
    there.pop(f"x/{gone}", None)
    assert dict(remote.listed("x")) == there


@pytest.mark.parametrize(
    ("written", "url"),
    {
        "/Volumes/main/data/team/dds": "file:///Volumes/main/data/team/dds",
        "dbfs:/Volumes/main/data/team": "file:///Volumes/main/data/team",
        "dbfs:/team/dds": "file:///dbfs/team/dds",
        "dbfs:///team/dds": "file:///dbfs/team/dds",
        "/dbfs/team/dds": "file:///dbfs/team/dds",
        "file:/mnt/share": "file:///mnt/share",
        "file:///mnt/share": "file:///mnt/share",
        "s3://bucket/x": "s3://bucket/x",
        "team/dds": "team/dds",
    }.items(),
)
def test_a_folder_may_be_written_as_users_do(written, url):
    assert as_url(written) == url


@pytest.mark.parametrize("written", ["dbfs:/no/such", "/dbfs/x", "file:///dbfs/x"])
def test_a_mount_that_is_not_there_is_not_made(written):
    if os.path.isdir("/dbfs"):
        pytest.skip("this is Databricks")
    with pytest.raises(RemoteError, match="nothing is mounted at /dbfs"):
        open_remote(written)
    assert not os.path.exists("/dbfs")


@pytest.mark.parametrize("written", ["dbfs:x", "dbfs:/a/../b", "team/dds", "/a?b"])
def test_what_is_no_place_is_refused(written):
    with pytest.raises(RemoteError):
        open_remote(written)
