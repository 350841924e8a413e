"""What every codec is."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from typing_extensions import Buffer

    class Writable(Protocol):
        """All that is asked of a file: it may be a pipe, or hash what it is given."""

        def write(self, data: Buffer, /) -> object: ...


# Bytes from which a file is mapped and not read. Mapping costs a descriptor and a page fault each
# 4 KiB; reading costs a copy.
_MAPPED = 256 * 1024


class Codec:
    """A way to turn some values into a file and back, exactly.

    Attributes:
        name: under which entries remember it.
        suffix: what files of this format are called, with the dot.
        proves: whether `restores` is a proof. If not, what is kept must be read back and compared.
        libraries: import names of those whose version decides whether the bytes still load.
        harmless: whether bytes that an enemy wrote can do no more here than fail to load. Not so of
            what runs code (pickles, the codecs of others), nor of native readers that take offsets
            on trust (Arrow, sparse matrices).
    """

    __slots__ = ()
    name: str
    suffix: str
    proves: bool = True
    harmless: bool = False
    libraries: tuple[str, ...] = ()

    def restores(self, value: object) -> bool:
        """Whether this very value is known to come back the same. Cheap; never raises."""
        raise NotImplementedError

    def suits(self, value: object) -> bool:
        """Whether this codec is a good choice for a value that it restores. Cheap; never raises."""
        return True

    def encode(self, value: object, file: Writable) -> None:
        """Write the value.

        Raises:
            CodecError: if the value cannot be written. Part of it may have been, by then.
        """
        raise NotImplementedError

    def decode(self, path: str) -> object:
        """Read the value from a file.

        Large files are mapped copy-on-write: the program may change what it gets, the file stays as
        it is; but whoever truncates the file takes the value away.

        Raises:
            CodecError: if the bytes are not what `encode` writes, or no longer load.
            OSError: if the file cannot be read.
        """
        return self.decode_bytes(_content(path))

    def decode_bytes(self, data: Buffer) -> object:
        """Read the value from memory.

        Args:
            data: memory that can be written to is used as it is, without a copy, so it must be the
                caller's to give away; other memory is copied.

        Raises:
            CodecError: as `decode`.
        """
        raise NotImplementedError


def _content(path: str) -> Buffer:
    """The bytes of a file, in memory whose changes do not reach it."""
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        if size >= _MAPPED:
            from mmap import ACCESS_COPY, mmap

            return mmap(file.fileno(), size, access=ACCESS_COPY)
        file.seek(0)
        content = bytearray(size)
        del content[file.readinto(content) :]
        return content


def owned(data: Buffer) -> memoryview:
    """The same bytes in memory that may be written to: a copy only where that given may not."""
    view = memoryview(data).cast("B")
    return memoryview(bytearray(view)) if view.readonly else view


class ViewFormat:
    """A file, or a folder of files, that other programs read, of one value.

    Attributes:
        name: of the format.
        suffix: what such files are called, with the dot.
        exact: whether all of the value can be read back from it; if not, it is a rendering.
        codec: name of the codec whose blob of this value would be the same file, empty if none
            would; the view of a blob of that codec is exact.
        folder: whether it is a folder, which `fill` makes, and no file.
    """

    __slots__ = ("_fill", "_write", "codec", "exact", "name", "suffix")

    def __init__(
        self,
        name: str,
        suffix: str,
        exact: bool,
        write: Callable[[Any, Writable], None],
        codec: str = "",
        fill: Callable[[Any, str], None] | None = None,
    ) -> None:
        self.name = name
        self.suffix = suffix
        self.exact = exact
        self.codec = codec
        self._write = write
        self._fill = fill

    @property
    def folder(self) -> bool:
        return self._fill is not None

    def fill(self, value: object, place: str) -> None:
        """Make a new folder of the value that this view was made for, where it is a folder.

        Raises:
            CodecError: if it turns out that the format cannot hold it.
            OSError: the disk cannot take it.
        """
        assert self._fill is not None
        self._fill(value, place)

    def write(self, value: object, file: Writable) -> None:
        """Write the value that this view was made for.

        Raises:
            CodecError: if it turns out that the format cannot hold it.
        """
        self._write(value, file)
