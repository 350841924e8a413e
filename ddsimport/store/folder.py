"""A folder as a remote: on a disk that several people mount, or for trying things out.

Others write there, too, and may put symbolic links where folders are expected. So every step of the
way down from the root is opened by itself and without following links, and what is read must be an
ordinary file.

A file is written aside and gets its name when it is whole. What is no disk but looks like one
(Databricks mounts `/Volumes` and `/dbfs` so; other mounts of buckets are like them) knows neither
rename nor link, and takes a file from its first byte to its last only. There it is written under
its own name. Who reads it too early, or after its writer was killed, finds that it does not have
the hash that it is named by, or the size; who pushes again, writes it again.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress

from ddsimport.store.remote import MOST, AbsentError, Remote, RemoteError, checked, is_ours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_READ = os.O_RDONLY | _NO_LINK | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_AGAIN = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _NO_LINK | getattr(os, "O_CLOEXEC", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK | getattr(os, "O_CLOEXEC", 0)

_CANNOT = frozenset({errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM, errno.EINVAL})
"""What a file system answers that does not know a call."""

_MOUNTED = ("/Volumes", "/dbfs")
"""Where Databricks mounts what `dbfs:/` names; `dbfs:/Volumes/…` is `/Volumes/…`."""


def as_url(place: str) -> str:
    """The URL of a folder that is written otherwise: `/Volumes/…`, `dbfs:/…`, `file:/…`. What is
    none is given back."""
    scheme, _, path = place.partition(":")
    if scheme == "dbfs" and path.startswith("/"):
        path = "/" + path.lstrip("/")
        return f"file://{path}" if path.startswith("/Volumes/") else f"file:///dbfs{path}"
    if scheme == "file" and path.startswith("/") and not path.startswith("//"):
        return f"file://{path}"
    return f"file://{place}" if place.startswith("/") else place


class Folder(Remote):
    """See the module. The root itself may be reached through links: the user named it."""

    def __init__(self, url: str) -> None:
        path = url.partition("://")[2]
        if not path.startswith("/"):
            raise RemoteError(f"the remote {url!r} must name an absolute path: file:///…")
        if os.open not in os.supports_dir_fd:
            raise RemoteError("this system has no safe way to share a folder; use another remote")
        self.url = url
        self._root = path.rstrip("/") or "/"
        mount = next((each for each in _MOUNTED if path.startswith(f"{each}/")), None)
        if mount is not None and not os.path.isdir(mount):
            raise RemoteError(f"cannot reach {url}: nothing is mounted at {mount} on this machine")
        # Whether it was seen to know no way to give a whole file its name.
        self._only_whole = {"rename": False, "link": False}

    def size(self, key: str) -> int | None:
        try:
            with self._opened(key) as descriptor:
                return os.fstat(descriptor).st_size
        except AbsentError:
            return None

    def get(self, key: str) -> bytes:
        with self._opened(key) as descriptor:
            if os.fstat(descriptor).st_size > MOST:
                raise RemoteError(f"{key} in the remote is larger than anything of ours")
            return _read(descriptor, MOST)

    def put(self, key: str, content: bytes) -> None:
        self._write(key, content, replace=True)

    def create(self, key: str, content: bytes) -> bool:
        return self._write(key, content, replace=False)

    def listed(self, prefix: str) -> Iterator[tuple[str, int]]:
        try:
            with self._telling("list"), self._folder(checked(prefix).split("/")) as descriptor:
                found = sorted(_statuses(descriptor, prefix))
        except AbsentError:
            return
        for key, mode, size in found:
            if stat.S_ISDIR(mode):
                yield from self.listed(key)
            elif stat.S_ISREG(mode):
                yield key, size

    def _write(self, key: str, content: bytes, replace: bool) -> bool:
        *folders, name = checked(key).split("/")
        with self._telling("write"), self._folder(folders, make=True) as folder:
            if not self._only_whole["rename" if replace else "link"]:
                done = self._write_aside(folder, name, content, replace)
                if done is not None:
                    return done
            return _write_whole(folder, name, content, replace)

    def _write_aside(self, folder: int, name: str, content: bytes, replace: bool) -> bool | None:
        """Whether the file was made; None if this file system has no way to do it so."""
        aside = f".{name[:100]}.{os.urandom(8).hex()}"
        descriptor = os.open(aside, _NEW, 0o666, dir_fd=folder)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                _flush(descriptor)
            if replace:
                os.rename(aside, name, src_dir_fd=folder, dst_dir_fd=folder)
                return True
            os.link(aside, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
            return True
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
            self._only_whole["rename" if replace else "link"] = True
            return None
        finally:
            with suppress(OSError):  # it has its name; or it lies about, where nothing looks
                os.unlink(aside, dir_fd=folder)

    @contextmanager
    def _opened(self, key: str) -> Iterator[int]:
        *folders, name = checked(key).split("/")
        with self._telling("read"), self._folder(folders) as folder:
            descriptor = os.open(name, _READ, dir_fd=folder)
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise RemoteError(f"{self.url}/{key} is not a file")
                yield descriptor
            finally:
                os.close(descriptor)

    @contextmanager
    def _folder(self, names: list[str], make: bool = False) -> Iterator[int]:
        if make:
            os.makedirs(self._root, exist_ok=True)
        descriptor = os.open(self._root, _FOLDER)
        try:
            for name in names:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(name, dir_fd=descriptor)
                below = os.open(name, _FOLDER | _NO_LINK, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = below
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _telling(self, doing: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise AbsentError(f"there is nothing of that name in {self.url}") from error
        except OSError as error:
            reason = error.strerror or str(error)
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                reason = "there is a symbolic link in it, or a file in place of a folder"
            raise RemoteError(f"cannot {doing} {self.url}: {reason}") from error


def _statuses(folder: int, prefix: str) -> Iterator[tuple[str, int, int]]:
    """(key, mode, size) of what is in a folder and has a key of ours."""
    with os.scandir(folder) as entries:
        for entry in entries:
            key = f"{prefix}/{entry.name}"
            if is_ours(key):
                with suppress(FileNotFoundError):  # removed meanwhile
                    status = entry.stat(follow_symlinks=False)
                    yield key, status.st_mode, status.st_size


def _write_whole(folder: int, name: str, content: bytes, replace: bool) -> bool:
    """Write a file under its own name, from the first byte to the last; whether it was made."""
    try:
        descriptor = os.open(name, _AGAIN if replace else _NEW, 0o666, dir_fd=folder)
    except FileExistsError:
        return False
    try:
        with open(descriptor, "wb") as file:  # it is uploaded when it is closed
            file.write(content)
            file.flush()
            _flush(descriptor)
    except BaseException:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise
    return True


def _flush(descriptor: int) -> None:
    """Have it on the disk, where that can be asked for."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise


def _read(descriptor: int, most: int) -> bytes:
    pieces = []
    while most and (piece := os.read(descriptor, min(most, 1 << 20))):
        pieces.append(piece)
        most -= len(piece)
    return b"".join(pieces)
