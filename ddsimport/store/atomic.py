"""Files that appear whole or not at all: written aside, hashed on the way, flushed, renamed.

Invariant: whatever happens between two lines here (a full disk, a kill, a power cut), the target is
either what it was before or the complete new file, and no failure that Python can see leaves a
temporary file behind. What a killed process leaves in `tmp/` is removed by `sweep`.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from contextlib import suppress
from types import TracebackType

from ddsimport.errors import CodecError, StoreError
from ddsimport.store.flock import try_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from _typeshed import ReadableBuffer

_BUFFER = 1 << 18
_DAY = 86_400.0


def unusable(doing: str, path: str, error: OSError) -> StoreError:
    """The one shape in which a failure of the file system reaches the runtime."""
    return StoreError(f"cannot {doing} {path}: {error.strerror or error}")


class Staged:
    """One file on its way into the store. Use as a context manager; leaving it discards the file
    unless `commit` was reached.

    The writer holds an `flock` on the temporary file, so that `sweep` can tell the leftovers of
    the dead from the work of the living without trusting process ids or clocks.

    Attributes:
        file: where to write. It has no file descriptor on purpose: `numpy.ndarray.tofile` and the
            like would write past the hash.
    """

    def __init__(self, folder: str, mode: int = 0o600) -> None:
        """Raises StoreError when `folder` cannot be written."""
        self._mode = mode
        self._descriptor, self._path = _create(folder, mode)
        self._raw = _HashedWriter(self._descriptor)
        self.file: BinaryIO = io.BufferedWriter(self._raw, _BUFFER)

    @property
    def descriptor(self) -> int:
        """Of the file, for those who fill it otherwise than through `file` and know its hash."""
        return self._descriptor

    @property
    def size(self) -> int:
        return self._raw.size

    def write(self, data: bytes) -> None:
        """Write bytes of our own; `file` is for codecs. Raises StoreError."""
        try:
            self.file.write(data)
        except OSError as error:
            raise unusable("write", self._path, error) from error

    def encode(self, name: str, write: Callable[[object, BinaryIO], None], value: object) -> None:
        """Let a codec or a view format called `name` write `value`.

        The value's own code may run in there and raise anything, and a codec may wrap the error of
        the disk that was the true cause; here they are told apart.

        Raises:
            CodecError: the value cannot be written in this form.
            StoreError: the disk cannot take it.
        """
        try:
            write(value, self.file)
        except Exception as error:
            if self._raw.failure is not None:
                raise unusable("write", self._path, self._raw.failure) from error
            if isinstance(error, CodecError):
                raise
            raise CodecError(f"{name}: {type(error).__name__}: {error}") from error

    def finish(self) -> str:
        """Everything is written: flush our buffer and return the blake3 of the content, in hex.

        Raises:
            StoreError: some write failed.
        """
        try:
            self.file.flush()
        except OSError as error:
            raise unusable("write", self._path, error) from error
        if self._raw.failure is not None:
            raise unusable("write", self._path, self._raw.failure)
        return self._raw.content()

    def commit(self, target: str) -> os.stat_result:
        """Flush to the disk and rename to `target`, replacing it; flush the folder too.

        Returns the status of the new file, taken from the open descriptor after the rename, hence
        of this very file even if somebody replaced it at once.

        Raises:
            StoreError: `target` is as it was, unless only the flush of the folder failed.
        """
        try:
            if self._mode & 0o222 == 0:
                os.fchmod(self._descriptor, self._mode)
            os.fsync(self._descriptor)
            try:
                os.replace(self._path, target)
            except FileNotFoundError:
                make_folder(os.path.dirname(target))
                os.replace(self._path, target)
            self._path = ""
            status = os.fstat(self._descriptor)
            flush_folder(os.path.dirname(target))
        except OSError as error:
            if error.errno == errno.EXDEV:
                raise StoreError(
                    f"cannot write {target}: it is on another file system than the store itself"
                ) from error
            raise unusable("write", target, error) from error
        return status

    def __enter__(self) -> Staged:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._raw.abandon()
        self.file.close()
        if self._path:
            with suppress(OSError):  # `sweep` will find it unlocked
                os.unlink(self._path)
        with suppress(OSError):  # flushed already, or discarded: there is nothing left to lose
            os.close(self._descriptor)


def _create(folder: str, mode: int) -> tuple[int, str]:
    """A new, locked, empty file of an unpredictable name in `folder`."""
    while True:
        path = f"{folder}/{os.getpid()}-{os.urandom(8).hex()}"
        try:
            # A file that is to be read-only must be writable until it is complete.
            descriptor = _open_new(path, 0o600 if mode & 0o222 == 0 else mode)
        except FileExistsError:
            continue
        except OSError as error:
            raise unusable("write in", folder, error) from error
        try:
            if _claim(descriptor):
                return descriptor, path
            os.close(descriptor)  # a sweeper saw it in the instant before it was locked
        except OSError as error:
            with suppress(OSError):
                os.unlink(path)
            with suppress(OSError):
                os.close(descriptor)
            raise unusable("write in", folder, error) from error


def _open_new(path: str, mode: int) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    try:
        return os.open(path, flags, mode)
    except FileNotFoundError:  # a store deleted under a running program comes back
        make_folder(os.path.dirname(path))
        return os.open(path, flags, mode)


def _claim(descriptor: int) -> bool:
    """Lock a new temporary file; False if a sweeper has it or has removed it already."""
    locked = try_lock(descriptor)
    if locked is None:  # no locks on this file system: `sweep` goes by age there
        return True
    return locked and os.fstat(descriptor).st_nlink > 0


class _HashedWriter(io.RawIOBase):
    """Writes to a descriptor and hashes what it writes.

    After the first failure it swallows the rest: a codec may catch the error, and the buffer
    above flushes once more when it is closed. `Staged.finish` is where the failure surfaces.
    """

    def __init__(self, descriptor: int) -> None:
        from blake3 import blake3

        super().__init__()
        self._descriptor = descriptor
        self._hasher = blake3()
        self.size = 0
        self.failure: OSError | None = None

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.size

    def write(self, data: ReadableBuffer, /) -> int:
        block = memoryview(data).cast("B")
        if self.failure is not None:
            return len(block)
        written = 0
        try:
            while written < len(block):
                written += os.write(self._descriptor, block[written:])
        except OSError as error:
            self.failure = error
            raise
        self._hasher.update(block)
        self.size += written
        return written

    def abandon(self) -> None:
        if self.failure is None:
            self.failure = OSError(errno.ECANCELED, "abandoned")

    def content(self) -> str:
        return self._hasher.hexdigest()


def make_folder(path: str) -> None:
    """Create a folder of the store and the missing ones above it, durably.

    A new name is only as lasting as its parent folder, so every parent that got one is flushed.
    Raises OSError.
    """
    if not path or os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    make_folder(parent)
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return
    flush_folder(parent)


def flush_folder(path: str) -> None:
    """Make the names in a folder last through a power cut. Raises OSError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    except PermissionError:
        if os.name == "nt":  # folders cannot be opened there
            return
        raise
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise  # those three: this file system does not flush folders
    finally:
        os.close(descriptor)


def sweep(folder: str) -> int:
    """Remove temporary and lock files that no living process holds; returns how many.

    Each is removed while we hold its lock, so that its owner, if there is one after all, either
    has the lock (and the file stays) or finds out that the file is gone and makes another.
    Errors are not raised: another sweep may be at it, or the store may be read-only.
    """
    removed = 0
    try:
        names = os.listdir(folder)
    except OSError:
        return 0
    for name in names:
        path = f"{folder}/{name}"
        try:
            if not stat.S_ISREG(os.lstat(path).st_mode):
                continue
            removed += _remove_if_orphan(path)
        except OSError:
            continue
    return removed


def _remove_if_orphan(path: str) -> bool:
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags)
    try:
        if not _orphaned(descriptor) or not same_file(descriptor, path):
            return False
        os.unlink(path)
        return True
    finally:
        os.close(descriptor)


def _orphaned(descriptor: int) -> bool:
    locked = try_lock(descriptor)
    if locked is not None:
        return locked
    import time  # no locks on this file system: only age can tell

    return time.time() - os.fstat(descriptor).st_mtime > _DAY


def same_file(descriptor: int, path: str) -> bool:
    """Whether `path` still names the open file: it may have been removed or replaced since."""
    try:
        named = os.stat(path, follow_symlinks=False)
    except OSError:
        return False
    opened = os.fstat(descriptor)
    return (named.st_ino, named.st_dev) == (opened.st_ino, opened.st_dev)
