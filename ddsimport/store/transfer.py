"""Blobs and candidates on their way to a remote and back; what breaks off is taken up again.

A large blob is several objects in the remote, its parts. It comes part by part into a file in
`partial/`, named by its hash: a transfer that broke off goes on where it was, in whatever process,
and only what has the right hash in the end gets its name in `blobs/`. On the way out, parts that
are there are passed over; blobs go first and the candidate that names them last, so that no
candidate in a remote names a blob that is not there.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, suppress
from time import time
from uuid import uuid4

from blake3 import blake3

from ddsimport.store.atomic import Staged, flush_folder, make_folder, same_file, unusable
from ddsimport.store.blobs import blob_file
from ddsimport.store.files import hash_of
from ddsimport.store.flock import try_lock
from ddsimport.store.remote import MOST, AbsentError, Remote, RemoteError
from ddsimport.store.sharing import DESCRIPTION, FORMAT, Offer, blob_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Moved = Callable[[int], object]
    """Told how many more bytes have been moved."""

_WEEK = 7 * 86_400.0


def nothing(_: int) -> None:
    """For who need not know."""


class Unsound(RemoteError):  # noqa: N818 - what it is, not what happened
    """What a remote has under a blob's name is something else."""


# --- from there -----------------------------------------------------------------------------------


def fetch_blob(remote: Remote, root: str, name: str, size: int, moved: Moved = nothing) -> None:
    """Bring a blob into the store at `root`.

    Raises:
        AbsentError: the remote has none of that name.
        Unsound: its bytes are not those that the name says.
        RemoteError: it cannot be reached; what was fetched so far is kept for the next time.
        StoreError: the disk cannot take it.
    """
    target = blob_file(root, name)
    if size <= MOST:
        content = remote.get(blob_key(name))
        if len(content) != size or blake3(content).hexdigest() != name:
            raise Unsound(f"{remote.url} has something else under the name of the blob {name}")
        with Staged(f"{root}/tmp", 0o444) as staged:
            staged.write(content)
            staged.finish()
            staged.commit(target)
        moved(size)
        return
    with _partial(root, name) as (descriptor, path):
        _fill(remote, descriptor, name, size, moved)
        if hash_of(path) != name:
            os.ftruncate(descriptor, 0)
            raise Unsound(f"{remote.url} has something else under the name of the blob {name}")
        os.fchmod(descriptor, 0o444)
        os.fsync(descriptor)
        make_folder(os.path.dirname(target))
        os.replace(path, target)
        flush_folder(os.path.dirname(target))


def _parts(name: str, size: int) -> list[tuple[str, int]]:
    """(key, size in bytes) of each object that a blob is in a remote, in order."""
    if size <= MOST:
        return [(blob_key(name), size)]
    starts = range(0, size, MOST)
    return [
        (f"{blob_key(name)}.{number}", min(MOST, size - start))
        for number, start in enumerate(starts)
    ]


def _fill(remote: Remote, descriptor: int, name: str, size: int, moved: Moved) -> None:
    """Add the parts that are missing. What is of the wrong size shows in the hash."""
    whole = os.lseek(descriptor, 0, os.SEEK_END) // MOST
    parts = _parts(name, size)
    if whole > len(parts):
        whole = 0
    os.ftruncate(descriptor, whole * MOST)
    os.lseek(descriptor, 0, os.SEEK_END)
    moved(whole * MOST)
    for key, length in parts[whole:]:
        content = remote.get(key)
        if len(content) != length:
            return
        with memoryview(content) as view:
            done = 0
            while done < length:
                done += os.write(descriptor, view[done:])
        moved(length)


@contextmanager
def _partial(root: str, name: str) -> Iterator[tuple[int, str]]:
    """The file that a blob is gathered in, and ours alone. Raises StoreError."""
    folder = f"{root}/partial"
    try:
        make_folder(folder)
        _sweep(folder)
        path = f"{folder}/{name}"
        descriptor = _open(path)
        if try_lock(descriptor) is False or not same_file(descriptor, path):
            os.close(descriptor)  # another process is at it: gather it once more, from the start
            path = f"{path}.{os.getpid()}-{os.urandom(4).hex()}"
            descriptor = _open(path)
            try_lock(descriptor)
    except OSError as error:
        raise unusable("write in", folder, error) from error
    try:
        yield descriptor, path
    except OSError as error:
        raise unusable("write", path, error) from error
    finally:
        if "." in os.path.basename(path):
            with suppress(OSError):
                os.unlink(path)
        os.close(descriptor)


def _open(path: str) -> int:
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    return os.open(path, flags, 0o600)


def _sweep(folder: str) -> None:
    """What nobody has gone on with for a week is given up."""
    for name in os.listdir(folder):
        with suppress(OSError):
            if time() - os.stat(f"{folder}/{name}").st_mtime > _WEEK:
                os.unlink(f"{folder}/{name}")


# --- to there -------------------------------------------------------------------------------------


def describe(remote: Remote) -> str:
    """The id of a remote, which gets one if it has none.

    Raises:
        RemoteError: it is of a format that is not ours.
    """
    there: bytes | None = None
    with suppress(AbsentError):
        there = remote.get(DESCRIPTION)
    new = {"format": FORMAT, "id": str(uuid4()), "hash": "blake3"}
    content = json.dumps(new).encode() + b"\n"
    if there is None:
        remote.create(DESCRIPTION, content)
    elif _is_broken_off(there, content):
        remote.put(DESCRIPTION, content)  # whoever began it was killed (see `folder`)
    else:
        return _identity(remote, there)
    return _identity(remote, remote.get(DESCRIPTION))  # perhaps another was faster


def _is_broken_off(there: bytes, whole: bytes) -> bool:
    """Whether a description has only the beginning of one: as long as ours, with another id."""
    start = whole.partition(b'"id": "')[0]
    return len(there) < len(whole) and (there.startswith(start) or start.startswith(there))


def _identity(remote: Remote, content: bytes) -> str:
    try:
        description: Any = json.loads(content)
    except (ValueError, RecursionError):
        description = None
    if type(description) is not dict or type(description.get("id")) is not str:
        raise RemoteError(f"{remote.url}/{DESCRIPTION} is not the description of a store")
    if description.get("format") != FORMAT or description.get("hash") != "blake3":
        raise RemoteError(f"{remote.url} has a format that this version of ddsimport does not know")
    return str(description["id"])


def send_blob(
    remote: Remote, path: str, name: str, size: int, *, anew: bool, moved: Moved = nothing
) -> int:
    """Have a sound blob in the remote; how many bytes had to be sent.

    Args:
        path: of the local file, whose content was just found to fit the name.
        anew: what is there is known to be damaged.

    Raises:
        RemoteError: it cannot be sent.
        StoreError: it cannot be read.
    """
    sent = 0
    try:
        with open(path, "rb") as file:
            for key, length in _parts(name, size):
                if anew or remote.size(key) != length:
                    remote.put(key, file.read(length))
                    sent += length
                else:
                    file.seek(length, os.SEEK_CUR)
                moved(length)
    except OSError as error:
        raise unusable("read", path, error) from error
    return sent


def send_offer(remote: Remote, offer: Offer, conditional: bool) -> bool:
    """Have a candidate in the remote, as its blobs are by now; whether it had to be sent.

    A server may answer that the object is there where our own first try, whose answer was lost, has
    put it there. Its name says its content, so that is as good.

    Raises:
        RemoteError: it cannot be sent.
    """
    if remote.size(offer.key) == len(offer.content):
        return False
    if not conditional or not remote.create(offer.key, offer.content):
        # Nothing of the right size was there a moment ago: what is, is damaged, or the same.
        remote.put(offer.key, offer.content)
    return True
