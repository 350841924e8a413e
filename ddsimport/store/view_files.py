"""The files of views: room for them under `data/`, and how one comes to hold what a blob holds.

A view that is the same file as its blob is not written again. It gets an inode of its own where the
file system shares the bytes of two files until one is changed (reflink), or where it is small
enough to copy; else it is a link to the blob, which is read-only: a program that opens the view for
writing is refused, and one that replaces it leaves the blob alone.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from ddsimport.errors import StoreError
from ddsimport.store.atomic import Staged, flush_folder, make_folder, unusable

# Bytes from which a view is a link. Copying so many takes some 50 ms, which a run would notice.
LINKED = 64 << 20

_FICLONE = 0x40049409  # Linux; the same on all machines but a few old ones, which refuse it


def copied(staged: Staged, blob: str, whole: bool = False) -> bool:
    """Whether `staged` now holds the bytes of a blob: cloned, or copied if there are few.

    Args:
        whole: copy them however many there are.

    Raises:
        StoreError: they cannot be read or written.
    """
    try:
        descriptor = os.open(blob, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        try:
            size = os.fstat(descriptor).st_size
            if _clone(descriptor, staged.descriptor):
                return True
            if size >= LINKED and not whole:
                return False
            _copy(descriptor, staged.descriptor, size)
            return True
        finally:
            os.close(descriptor)
    except OSError as error:
        raise unusable("copy", blob, error) from error


def _clone(source: int, target: int) -> bool:
    try:
        from fcntl import ioctl

        ioctl(target, _FICLONE, source)
    except (ImportError, OSError):
        return False
    return True


def _copy(source: int, target: int, size: int) -> None:
    done = 0
    if hasattr(os, "copy_file_range"):
        with suppress(OSError):  # not on this file system: the loop below goes on from here
            while done < size:
                count = os.copy_file_range(source, target, size - done, done, done)
                if not count:
                    break
                done += count
    os.lseek(target, done, os.SEEK_SET)
    while done < size:
        piece = os.pread(source, 1 << 20, done)
        if not piece:
            raise OSError(0, "it is shorter than it was")
        while piece:
            count = os.write(target, piece)
            done += count
            piece = piece[count:]


def link(blob: str, aside: str, target: str) -> os.stat_result | None:
    """Make `target` another name of a blob; None if this file system has no such names.

    Args:
        aside: a name that nothing has, on the same file system.

    Raises:
        StoreError: `target` cannot be written.
    """
    try:
        os.link(blob, aside)
    except OSError:
        return None
    try:
        os.replace(aside, target)
        # If both are names of one file already, that did nothing at all.
        with suppress(FileNotFoundError):
            os.unlink(aside)
        status = os.lstat(target)
        flush_folder(os.path.dirname(target))
    except OSError as error:
        with suppress(OSError):
            os.unlink(aside)
        raise unusable("write", target, error) from error
    return status


def make_way(data: str, parts: tuple[str, ...], other: str | None) -> None:
    """Create the folders of a view, and refuse what is in the way of them or of the file.

    Args:
        data: the folder of all views.
        other: the path in the record that is there for this view, if one is.

    Raises:
        StoreError: a symbolic link, which could lead out of the store; another artifact's file
            where a folder is needed, or the reverse; or an artifact whose path differs only in
            a way that this file system ignores.
    """
    name = "/" + "/".join(parts)
    if other is not None and other != name:
        raise StoreError(f"{name} and {other} are the same file on this file system; rename one")
    folder = data
    for depth in range(len(parts)):
        _need_folder(folder, name, "/" + "/".join(parts[:depth]))
        folder = f"{folder}/{parts[depth]}"
    _need_no_folder(folder, name)


def _need_folder(folder: str, name: str, artifact: str) -> None:
    try:
        mode = os.lstat(folder).st_mode
    except FileNotFoundError:
        try:
            make_folder(folder)
        except OSError as error:
            raise unusable("create", folder, error) from error
        return
    except OSError as error:
        raise unusable("read", folder, error) from error
    if stat.S_ISLNK(mode):
        raise StoreError(f"{folder} is a symbolic link; views are not written through one")
    if not stat.S_ISDIR(mode):
        raise StoreError(
            f"{artifact} is an artifact, so {name} cannot lie below it; rename one of them, or "
            f"remove {folder} if it is not used any more"
        )


def _need_no_folder(folder: str, name: str) -> None:
    try:
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            return
        os.rmdir(folder)  # left empty by artifacts of other names
    except FileNotFoundError:
        return
    except OSError as error:
        other = name + _first_below(folder)
        raise StoreError(
            f"{name} cannot be an artifact, since {other} lies below it; rename one of them, "
            f"or remove {folder} if it is not used any more"
        ) from error


def _first_below(folder: str) -> str:
    """The first file below a folder, relative to it, with a leading `/`."""
    for place, _, names in os.walk(folder):
        if names:
            return f"{place[len(folder) :]}/{min(names)}"
    return "/…"
