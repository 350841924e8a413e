"""Remotes: the same verbs on every kind of server, and what others may have put there."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import servers
from blake3 import blake3
from store_helpers import keep, signature

from ddsimport.store import exchange, transfer
from ddsimport.store.behind import Behind, Outbox
from ddsimport.store.folder import Folder
from ddsimport.store.remote import AbsentError, Remote, RemoteError, checked, open_remote
from ddsimport.store.sharing import blob_key
from ddsimport.store.store import Store
from ddsimport.store.transfer import Unsound, fetch_blob, send_blob

pytest.importorskip("obstore")

KINDS = {"folder": True, "ssh": True, "seaweedfs": True, "rclone": False, "azurite": True}
"""Whether they refuse to create what is there."""


@pytest.fixture(scope="module", params=KINDS)
def kind(request) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def remote(kind, request, tmp_path_factory) -> Iterator[Remote]:
    folder = tmp_path_factory.mktemp(kind)
    if kind == "folder":
        yield Folder(f"file://{folder}/shared")
    elif kind == "ssh":
        from sftp import serving

        with serving(folder) as url:
            yield open_remote(url)
    else:
        more = [request.config.cache.mkdir("azurite")] if kind == "azurite" else []
        with (
            getattr(servers, kind)(folder, *more) as server,
            servers.known_to_this_process(server),
        ):
            yield open_remote(server.url)


def test_every_kind_does_the_same(remote):
    assert remote.size("a/none") is None
    with pytest.raises(AbsentError):
        remote.get("a/none")
    remote.put("a/b", b"one")
    remote.put("a/b", b"two!")
    assert (remote.get("a/b"), remote.size("a/b")) == (b"two!", 4)
    assert remote.create("a/deep/er/c", b"new")
    assert remote.get("a/deep/er/c") == b"new"
    assert sorted(remote.listed("a")) == [("a/b", 4), ("a/deep/er/c", 3)]
    assert list(remote.listed("b")) == []


def test_a_large_blob_goes_in_parts_and_a_push_that_broke_off_goes_on(
    remote, tmp_path, monkeypatch
):
    monkeypatch.setattr(transfer, "MOST", 1 << 16)
    content = os.urandom(3 * (1 << 16) + 5)
    name = blake3(content).hexdigest()
    (tmp_path / "blob").write_bytes(content)
    put, puts = type(remote).put, []

    def breaking(self: Remote, key: str, content: bytes) -> None:
        if len(puts) == 2:
            raise RemoteError("the line is dead")
        puts.append(key)
        put(self, key, content)

    monkeypatch.setattr(type(remote), "put", breaking)
    with pytest.raises(RemoteError, match="dead"):
        send_blob(remote, str(tmp_path / "blob"), name, len(content), anew=False)
    monkeypatch.setattr(type(remote), "put", put)
    moved: list[int] = []
    sent = send_blob(
        remote, str(tmp_path / "blob"), name, len(content), anew=False, moved=moved.append
    )
    assert sent == (1 << 16) + 5
    assert sum(moved) == len(content)
    assert send_blob(remote, str(tmp_path / "blob"), name, len(content), anew=False) == 0
    store = Store.open(str(tmp_path / "store"))
    fetch_blob(remote, store.root, name, len(content))
    assert Path(store.blob_path(name, len(content))).read_bytes() == content


def test_conditions_are_probed_once_and_a_server_without_them_is_used_all_the_same(
    remote, kind, tmp_path, monkeypatch
):
    store = Store.open(str(tmp_path / "mine"))
    kept = keep(store, signature(1), {"a": 1})
    done = exchange.push(store, remote, [signature(1)], print)
    assert (done.moved, done.left) == (1, 0)
    (note,) = (Path(store.root) / "remotes").iterdir()
    assert (note.read_text() == "conditional\n") == KINDS[kind]
    monkeypatch.setattr(remote, "create", None)  # would be called if it were probed again
    assert exchange.push(store, remote, [signature(1)], print).known == 1
    theirs = Store.open(str(tmp_path / "theirs"))
    assert exchange.pull(theirs, remote, (), print).moved == 1
    entry = theirs.entry(signature(1))
    assert theirs.value(entry.candidates[0]) == {"a": 1}
    assert entry.candidates[0].blob == kept.blob


@pytest.mark.parametrize(
    "key",
    ["../a", "a/../b", "/a", "a//b", "a/", "", ".", "a\0b", "a\nb", "a\\b", "a/.b", "~/a", "A/b",
     "a" * 201, "/".join(["a" * 150] * 5), "a%2e", "ä"],
)  # fmt: skip
def test_no_key_leaves_the_root(key, tmp_path):
    (tmp_path / "a").write_bytes(b"outside")
    remote = Folder(f"file://{tmp_path}/root")
    with pytest.raises(RemoteError, match="not a key"):
        checked(key)
    for verb in (
        remote.get,
        remote.size,
        lambda key: remote.put(key, b"x"),
        lambda key: remote.create(key, b"x"),
        lambda key: list(remote.listed(key)),
    ):
        with pytest.raises(RemoteError):
            verb(key)
    assert (tmp_path / "a").read_bytes() == b"outside"


def test_links_in_a_shared_folder_lead_nowhere(tmp_path):
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (root / "blobs").mkdir(parents=True)
    (root / "blobs" / "secret").symlink_to(outside / "secret")
    (root / "entries").symlink_to(outside)
    os.mkfifo(root / "blobs" / "pipe")
    remote = Folder(f"file://{root}")
    for key in ("blobs/secret", "entries/secret", "blobs/pipe"):
        with pytest.raises(RemoteError):
            remote.get(key)
    for verb in (remote.put, remote.create):
        with pytest.raises(RemoteError):
            verb("entries/new", b"x")
    assert list(remote.listed("blobs")) == []
    with pytest.raises(RemoteError):
        list(remote.listed("entries"))
    remote.put("blobs/secret", b"ours")  # in place of the link, not through it
    assert (outside / "secret").read_bytes() == b"secret"
    assert os.listdir(outside) == ["secret"]


def test_what_a_broken_write_leaves_is_nothing(tmp_path, monkeypatch):
    def full(_: int) -> None:
        raise OSError("no more")

    remote = Folder(f"file://{tmp_path}/root")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RemoteError):
        remote.put("a/b", b"content")
    assert os.listdir(tmp_path / "root" / "a") == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://a/b", "there are: s3://"),
        ("s3://", "no URL"),
        ("a/folder", "is no URL"),
        ("file://here", "absolute path"),
        ("s3://bucket/a/../b", "not a plain URL"),
        ("s3://bucket/a?x=1", "not a plain URL"),
        ("s3://bucket/\x1b[31m", "not a plain URL"),
        ("s3://KEY:hunter2@bucket/a", "names credentials"),
        ("ssh://me:hunter2@host/a", "names a password"),
        ("ssh://host", "a host and a path"),
    ],
)
def test_urls_that_mean_nothing_are_refused_and_secrets_not_repeated(url, said):
    with pytest.raises(RemoteError, match=said) as caught:
        open_remote(url)
    assert "hunter2" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_server_that_is_not_there_is_given_up_soon(tmp_path, monkeypatch):
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
        said: list[tuple[str, str]] = []
        behind = Behind(str(tmp_path), "s3://b/p", lambda *each: said.append(each), outbox=False)
        assert behind.candidates(signature(1)) == ()
        assert not behind.fetch(signature(2), 3)
        assert behind.candidates(signature(3)) == ()
    ((_, sentence),) = said
    assert "left out of this run" in sentence
    assert "hunter2" not in sentence


# --- blobs ----------------------------------------------------------------------------------------


PART = 1 << 16


class Counting(Folder):
    """A folder that breaks off after some objects, and counts those that it gave."""

    breaks_after = 1 << 30
    given = 0

    def get(self, key: str) -> bytes:
        if self.given == self.breaks_after:
            raise RemoteError("the line is dead")
        self.given += 1
        return super().get(key)


@pytest.fixture
def large(tmp_path, monkeypatch) -> tuple[Counting, str, int]:
    monkeypatch.setattr(transfer, "MOST", PART)
    content = os.urandom(3 * PART + 5)
    name = blake3(content).hexdigest()
    remote = Counting(f"file://{tmp_path}/remote")
    (tmp_path / "blob").write_bytes(content)
    send_blob(remote, str(tmp_path / "blob"), name, len(content), anew=False)
    return remote, name, len(content)


def test_a_transfer_that_broke_off_is_taken_up_again(store, large):
    remote, name, size = large
    remote.breaks_after = 2
    with pytest.raises(RemoteError, match="dead"):
        fetch_blob(remote, store.root, name, size)
    assert not store.has(name)
    store.sweep()  # as any process does that keeps something
    remote.breaks_after = 1 << 30
    moved: list[int] = []
    fetch_blob(remote, store.root, name, size, moved.append)
    assert remote.given == 4
    assert moved == [2 * PART, PART, 5]
    path = Path(store.blob_path(name, size))
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert os.listdir(f"{store.root}/partial") == []


def test_what_was_gathered_and_is_wrong_is_gathered_anew(store, large):
    remote, name, size = large
    partial = Path(store.root) / "partial"
    partial.mkdir()
    (partial / name).write_bytes(b"x" * PART)
    with pytest.raises(Unsound):
        fetch_blob(remote, store.root, name, size)
    assert not store.has(name)
    fetch_blob(remote, store.root, name, size)
    assert store.has(name)


def test_two_processes_that_gather_one_blob_do_not_mix(store, large):
    import fcntl

    remote, name, size = large
    partial = Path(store.root) / "partial"
    partial.mkdir()
    with (partial / name).open("wb") as other:
        other.write(b"of the other")
        other.flush()
        fcntl.flock(other, fcntl.LOCK_EX)
        fetch_blob(remote, store.root, name, size)
    assert store.has(name)
    assert os.listdir(partial) == [name]


@pytest.mark.parametrize("change", ["flip", "cut", "more", "other"])
@pytest.mark.parametrize("size", [100, 2 * PART + 100])
def test_a_blob_that_was_changed_is_not_taken(store, tmp_path, size, change, monkeypatch):
    monkeypatch.setattr(transfer, "MOST", PART)
    content = os.urandom(size)
    name = blake3(content).hexdigest()
    (tmp_path / "blob").write_bytes(content)
    remote = Folder(f"file://{tmp_path}/remote")
    send_blob(remote, str(tmp_path / "blob"), name, size, anew=False)
    key = max(key for key, _ in remote.listed("blobs"))
    part = bytearray(remote.get(key))
    if change == "flip":
        part[len(part) // 2] ^= 1
    elif change == "cut":
        del part[-10:]
    elif change == "more":
        part += b"more"
    else:
        part[:] = b"something else"
    remote.put(key, bytes(part))
    said: list[tuple[str, str]] = []
    behind = Behind(store.root, remote.url, lambda *each: said.append(each), outbox=False)
    assert not behind.fetch(name, size)
    assert not store.has(name)
    assert "something else under the name" in said[0][1]
    assert Outbox(store.root).damaged() == {name}


def test_a_damaged_blob_in_the_remote_is_mended_by_who_has_it(store, tmp_path):
    remote = Folder(f"file://{tmp_path}/remote")
    kept = keep(store, signature(1), {"a": [1, 2]})
    exchange.push(store, remote, [signature(1)], print)
    sound = remote.get(blob_key(kept.blob))
    remote.put(blob_key(kept.blob), b"x" * len(sound))
    mine = Path(store.blob_path(kept.blob, kept.size))
    mine.unlink()
    behind = Behind(store.root, remote.url, lambda *_: None, outbox=False)
    assert not behind.fetch(kept.blob, kept.size)
    keep(store, signature(1), {"a": [1, 2]})  # evaluated anew
    exchange.push(store, remote, [signature(1)], print)
    assert remote.get(blob_key(kept.blob)) == sound
    assert Outbox(store.root).damaged() == set()


def test_a_remote_of_another_format_is_left_alone(store, tmp_path):
    remote = Folder(f"file://{tmp_path}/remote")
    keep(store, signature(1), 1)
    remote.put("store.json", b'{"format": 2, "id": "x", "hash": "blake3"}')
    with pytest.raises(RemoteError, match="format"):
        exchange.push(store, remote, [signature(1)], print)
    remote.put("store.json", b"[]")
    with pytest.raises(RemoteError, match="not the description"):
        exchange.push(store, remote, [signature(1)], print)
    assert [key for key, _ in remote.listed("blobs")] == []


def test_a_candidate_never_precedes_its_blobs(store, tmp_path, monkeypatch):
    remote = Folder(f"file://{tmp_path}/remote")
    keep(store, signature(1), "text")

    def refuse(*_: object, **__: object) -> bool:
        raise RemoteError("the line is dead")

    monkeypatch.setattr(transfer, "send_blob", refuse)
    with pytest.raises(RemoteError):
        exchange.push(store, remote, [signature(1)], print)
    assert list(remote.listed("entries")) == []


def test_nothing_is_pushed_whose_blob_is_damaged_here(store, tmp_path):
    remote = Folder(f"file://{tmp_path}/remote")
    kept = keep(store, signature(1), "a text")
    keep(store, signature(2), "another")
    path = Path(store.blob_path(kept.blob, kept.size))
    path.chmod(0o600)
    path.write_bytes(b"A text")
    said: list[str] = []
    done = exchange.push(
        store, remote, [signature(1), signature(2)], lambda _, sentence: said.append(sentence)
    )
    assert (done.moved, done.left) == (1, 1)
    assert "damaged" in said[0]
    assert len(list(remote.listed("blobs"))) == 1
