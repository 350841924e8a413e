"""Content → bytes: immutable files named by the blake3 of what they hold.

Invariant: a name under `blobs/v1/` appears only by renaming a complete, flushed file whose hash is
that name. What is read is checked against the name before a codec sees it.
"""

from __future__ import annotations

import os
import sys

from blake3 import blake3

from ddsimport.errors import CodecError, StoreError
from ddsimport.store.atomic import Staged, flush_folder, unusable
from ddsimport.store.stamps import Stamps, status_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from mmap import mmap
    from typing import Any

    from ddsimport.values.codecs import Codec

# Below this a blob is read, and hashed each time (0.2 ms at most). From here on it is mapped, and
# hashed once as long as its status does not change: else hashing a gigabyte on every hit would cost
# a thousand times the mapping of it.
_LARGE = 1 << 20

# Bytes up to which a blob's content stays in memory once it was read, and how many such blobs do.
_SMALL = 4096
_MOST_SMALL = 2048

# Before Python 3.13 a mapping keeps its file open, and a program may hold thousands of arrays. The
# system hands out the lowest free descriptor: one this high says that many files are open already.
_MANY_OPEN = 128


def blob_file(root: str, name: str) -> str:
    """Where a blob lies in the store in the folder `root`."""
    return f"{root}/blobs/v1/{name[:2]}/{name}"


class Blobs:
    """The folder `blobs/v1/`.

    Args:
        root: the store's folder.
        writable: whether anything may be written there.
        damaged: called with the path of a damaged file, its status when read, and what is wrong.
    """

    def __init__(
        self, root: str, writable: bool, damaged: Callable[[str, os.stat_result, str], None]
    ) -> None:
        self._root = root
        self._tmp = f"{root}/tmp"
        self._damaged = damaged
        # Large blobs whose content is known to be right, with the status they had; and of these,
        # those that this process has hashed or written itself.
        self._checked: dict[str, tuple[int, int, int, int]] = {}
        self._seen: dict[str, tuple[int, int, int, int]] = {}
        # The first of the two, of all processes.
        self._stamps = Stamps(root, writable)
        # The content of small ones: what a name stands for never changes.
        self._small: dict[str, bytes] = {}
        # Of those that are not: the content of the last ones that were read, at most so many.
        self.most_recent = 0
        self._recent: dict[str, bytes] = {}
        # Asked for a blob that is not there, by its name and size: whether it is now.
        self.fetch: Callable[[str, int], bool] | None = None

    def write(self, value: object, codec: Codec) -> tuple[str, int]:
        """Keep a value; returns the name of its blob and its size in bytes.

        Raises:
            CodecError: the codec cannot write this value after all.
            StoreError: the disk cannot take it. Nothing is left behind.
        """
        with Staged(self._tmp, 0o444) as staged:
            staged.encode(codec.name, codec.encode, value)
            return self._committed(staged)

    def write_file(self, path: str) -> tuple[str, int]:
        """Keep the bytes of a file; returns the name of the blob and its size.

        Raises:
            StoreError: the disk cannot take it. Nothing is left behind.
            OSError: the file cannot be read.
        """
        with open(path, "rb") as file, Staged(self._tmp, 0o444) as staged:
            while piece := file.read(_LARGE):
                staged.write(piece)
            return self._committed(staged)

    def content(self, name: str, size: int) -> bytearray | mmap:
        """The bytes of a blob. Raises StoreError: it is missing or damaged."""
        return self._checked_content(name, size, stamped=True)

    def has(self, name: str) -> bool:
        """Whether a blob is there; it may be damaged."""
        return os.path.exists(self.path(name))

    def _committed(self, staged: Staged) -> tuple[str, int]:
        name = staged.finish()
        if not (self._is_right(name, staged.size) and self._reuse(name)):
            self._note(name, staged.commit(self.path(name)))
        return name, staged.size

    def value(self, name: str, size: int, codec: Codec) -> Any:
        """The value in a blob, decoded only after its content was found to fit its name.

        Raises:
            StoreError: the blob is missing or damaged; a damaged one is in quarantine then.
            CodecError: its bytes are right, but cannot be decoded here.
        """
        content: bytearray | mmap
        held = self._held(name)
        if held is not None:
            content = bytearray(held)
        else:
            # What a pickle does when it is loaded is up to its bytes: this process wants to have
            # seen them, and does not rely on what another has noted.
            content = self._checked_content(name, size, stamped=codec.proves)
            self._hold(name, content)
        return self._decoded(name, content, codec)

    def _held(self, name: str) -> bytes | None:
        """The content of a blob, if it is in memory."""
        content = self._small.get(name)
        if content is None and name in self._recent:
            content = self._recent[name] = self._recent.pop(name)  # now the last one
        return content

    def _hold(self, name: str, content: bytearray | mmap) -> None:
        if len(content) <= _SMALL:
            if len(self._small) >= _MOST_SMALL:
                self._small.clear()
            self._small[name] = bytes(content)
        elif self.most_recent:
            self._recent[name] = bytes(content)
            if len(self._recent) > self.most_recent:
                del self._recent[next(iter(self._recent))]

    def held(self, name: str, size: int, codec: Codec) -> Callable[[], Any]:
        """What gives the value in a blob later on, also if the blob is gone by then; until then
        nothing of a large one is read that another process has found right.

        Raises:
            StoreError: as `value`. What is returned may raise as `value` does.
        """
        content: bytes | bytearray | mmap | None = self._held(name)
        if content is None:
            content = self._checked_content(name, size, stamped=True)
        seen = codec.proves or size < _LARGE or self._seen.get(name) == self._checked.get(name)

        def load() -> Any:
            if not seen and blake3(content).hexdigest() != name:
                raise StoreError(f"the blob {self.path(name)} was damaged")
            return self._decoded(
                name, bytearray(content) if isinstance(content, bytes) else content, codec
            )

        return load

    def _decoded(self, name: str, content: bytearray | mmap, codec: Codec) -> Any:
        try:
            return codec.decode_bytes(content)
        except CodecError:
            raise
        except Exception as error:
            # A pickle may run anything: a class that moved, a library of another version.
            raise CodecError(
                f"the blob {self.path(name)} cannot be decoded here: "
                f"{type(error).__name__}: {error}"
            ) from error

    def sound(self, name: str, size: int) -> str:
        """The path of a blob, whose content fits its name. Raises StoreError."""
        path = self.path(name)
        try:
            if self._checked.get(name) == status_key(os.stat(path)):
                return path
        except OSError:
            pass  # looked at again below, where it is said
        self._checked_content(name, size, stamped=True)
        return path

    def relinked(self, name: str) -> None:
        """A blob just found sound has got another name, which changed its status, not its bytes."""
        try:
            status = os.stat(self.path(name))
        except OSError:
            return
        known = self._checked.get(name)
        if known is not None and known[:3] == status_key(status)[:3]:
            self._note(name, status, seen=self._seen.get(name) == known)

    def path(self, name: str) -> str:
        return blob_file(self._root, name)

    def _checked_content(self, name: str, size: int, stamped: bool) -> bytearray | mmap:
        """The bytes of a sound blob, in memory of our own: writing to it changes no file.

        A mapping outlives the removal of its file. Raises StoreError.

        Args:
            stamped: whether it is enough that another process found them right.
        """
        path = self.path(name)
        flags = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0)
        try:
            try:
                descriptor = os.open(path, flags)
            except FileNotFoundError:
                if self.fetch is None or not self.fetch(name, size):
                    raise
                descriptor = os.open(path, flags)
            try:
                status = os.fstat(descriptor)
                content = _content(descriptor, status.st_size)
                # One thread: blake3's own pool of threads (`AUTO`) is not there in a forked child,
                # where the next large hash would wait for it for ever.
                key = status_key(status)
                known = (self._checked if stamped else self._seen).get(name) == key
                if not known and stamped and size >= _LARGE and self._stamps.read(name) == key:
                    known = True
                    self._checked[name] = key
                sound = len(content) == size and (known or blake3(content).hexdigest() == name)
            finally:
                os.close(descriptor)
        except FileNotFoundError as error:
            raise StoreError(f"the blob {path} is missing") from error
        except OSError as error:
            raise unusable("read", path, error) from error
        if not sound:
            self._checked.pop(name, None)
            self._stamps.forget(name)
            fault = "its content does not fit its name"
            self._damaged(path, status, f"the blob is damaged: {fault}")
            raise StoreError(f"the blob {path} is damaged: {fault}")
        if not known:
            self._note(name, status)
        return content

    def _note(self, name: str, status: os.stat_result, *, seen: bool = True) -> None:
        if status.st_size >= _LARGE:
            key = self._checked[name] = status_key(status)
            if seen:
                self._seen[name] = key
            self._stamps.write(name, key)

    def _is_right(self, name: str, size: int) -> bool:
        """Whether a blob of this name is there and may be used instead of writing it again."""
        if not os.path.lexists(self.path(name)):
            return False  # nor is it worth fetching
        try:
            self._checked_content(name, size, stamped=True)
        except StoreError:
            return False
        return True

    def _reuse(self, name: str) -> bool:
        """Make a blob found in place as lasting and as young as if we had written it; False if it
        is gone.

        Its writer may not have flushed the folder yet, and our entry must not outlast it; and a
        collector must see that it is of use again (it puts a blob aside, then looks at its time).
        """
        path = self.path(name)
        try:
            os.utime(path)
            flush_folder(os.path.dirname(path))
            self._note(name, os.stat(path))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise unusable("write", path, error) from error
        return True


def _content(descriptor: int, size: int) -> bytearray | mmap:
    """All bytes of an open file. Raises OSError."""
    if size >= _LARGE:
        from mmap import ACCESS_COPY, mmap

        if sys.version_info >= (3, 13):
            return mmap(descriptor, size, access=ACCESS_COPY, trackfd=False)
        if _next_descriptor(descriptor) < _MANY_OPEN:
            return mmap(descriptor, size, access=ACCESS_COPY)
    content = bytearray(size)
    done = 0
    with memoryview(content) as view:
        while done < size and (count := os.readv(descriptor, [view[done:]])):
            done += count
    del content[done:]
    return content


def _next_descriptor(descriptor: int) -> int:
    """The number that a copy of `descriptor` would get now. Raises OSError."""
    copy = os.dup(descriptor)
    os.close(copy)
    return copy
