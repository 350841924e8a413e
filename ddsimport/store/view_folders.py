"""Views that are folders: a table of Spark is many files, which must change all at once.

No portable call replaces a folder by another, and a name that is gone for an instant is what a
reader meets sooner or later. So each such view is a folder of its own under `folders/`, complete
before anything leads to it, and `data/<path>` is a symbolic link, which a rename replaces. (The
seed removed and linked anew: a reader beside it failed every other time.)

The folder before is left for a while: whoever has listed it may not have opened all its files.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from ddsimport.store.atomic import flush_folder, make_folder, unusable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GRACE = 3600.0
"""Seconds for which a folder that nothing leads to is left alone."""

_LEFT = ".left"
"""After the name of a folder: the name of an empty file that says when nothing led to it any
more."""


def _remove(place: str) -> None:
    import shutil  # 2 ms, which a run of hits can do without

    shutil.rmtree(place, ignore_errors=True)


def _is_old(path: str) -> bool:
    """Raises OSError."""
    from time import time

    return time() - os.lstat(path).st_mtime > GRACE


def made(root: str, write: Callable[[str], None]) -> str:
    """A new folder of views that is complete, and on the disk.

    Args:
        write: makes a folder of the name it is given, and fills it.

    Raises:
        StoreError: the disk cannot take it. Nothing is left behind.
    """
    name = f"{os.getpid()}-{os.urandom(8).hex()}"
    place = f"{root}/folders/{name}"
    try:
        make_folder(f"{root}/folders")
        write(place)
        flush_folder(place)
        flush_folder(f"{root}/folders")
    except OSError as error:
        _remove(place)
        raise unusable("write", place, error) from error
    except BaseException:
        _remove(place)
        raise
    return place


def lead(link: str, place: str, aside: str) -> os.stat_result:
    """Make `link` lead to a folder, whatever it was before; returns the folder's status.

    Args:
        aside: a name that nothing has, on the same file system.

    Raises:
        StoreError: it cannot be written.
    """
    try:
        os.symlink(os.path.relpath(place, os.path.dirname(link)), aside)
        try:
            os.replace(aside, link)
        except BaseException:
            with suppress(OSError):
                os.unlink(aside)
            raise
        flush_folder(os.path.dirname(link))
        return os.stat(place)
    except OSError as error:
        raise unusable("write", link, error) from error


def place_of(root: str, link: str) -> str | None:
    """The folder of ours that a view leads to; None if it is a file, or nothing."""
    try:
        place = os.path.normpath(os.path.join(os.path.dirname(link), os.readlink(link)))
    except OSError:
        return None
    return place if os.path.dirname(place) == f"{root}/folders" else None


def leave(place: str | None) -> None:
    """Note that a view does not lead to a folder any more. Never raises: a collection finds it."""
    if place is not None:
        with suppress(OSError), open(place + _LEFT, "ab"):
            pass


def sweep(root: str) -> None:
    """Remove the folders that were left a while ago. Never raises."""
    with suppress(OSError):
        for name in os.listdir(f"{root}/folders"):
            note = f"{root}/folders/{name}"
            with suppress(OSError):
                if name.endswith(_LEFT) and _is_old(note):
                    _remove(note[: -len(_LEFT)])
                    os.unlink(note)


def unled(root: str, led: set[str]) -> Iterator[str]:
    """The folders that no view leads to: those left, and what killed processes made. Younger ones
    are spared.

    Args:
        led: those that a view leads to.
    """
    try:
        names = os.listdir(f"{root}/folders")
    except OSError:
        return
    for name in names:
        place = f"{root}/folders/{name}"
        with suppress(OSError):
            if place not in led and _is_old(place):
                yield place


def content_of(place: str) -> str:
    """What a folder of files holds, as blake3 in hex; empty if there is more in it than files.
    Raises OSError."""
    from blake3 import blake3

    from ddsimport.store.files import hash_of  # a run of hits needs neither

    hasher = blake3()
    for name in sorted(os.listdir(place)):
        path = f"{place}/{name}"
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return ""
        hasher.update(f"{len(name)} {name} {hash_of(path)}".encode("utf-8", "surrogateescape"))
    return str(hasher.hexdigest())
