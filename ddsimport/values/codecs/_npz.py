"""npz: several arrays in one file, as `numpy.savez` writes it, and each where it can be mapped.

The members of the archive are not compressed, and the extra field of each is as long as it takes
for its elements to be aligned.
"""

from __future__ import annotations

import io
from struct import pack, unpack_from

from ddsimport.values.codecs import _npy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ddsimport.values.codecs._base import Writable

_ALIGN = 64
_HEAD = 30  # bytes of a member's header before its name
_PADDING = 0xD935  # the extra field by which Android's tools align too
_OLDEST = (1980, 1, 1, 0, 0, 0)  # equal values are equal files, whatever the time


def write(arrays: Mapping[str, Any], file: Writable) -> None:
    """Write arrays without objects in them."""
    from zipfile import ZipFile, ZipInfo

    sink = _Sink(file)
    with ZipFile(sink, "w", allowZip64=True) as archive:
        for name, array in arrays.items():
            member = ZipInfo(f"{name}.npy", _OLDEST)
            start = sink.tell() + _HEAD + len(member.filename.encode()) + 4
            # numpy makes its header a multiple of 64 long; zipfile adds 20 bytes for long members.
            padding = -(start + 20) % _ALIGN
            member.extra = pack("<HH", _PADDING, padding) + bytes(padding)
            with archive.open(member, "w", force_zip64=True) as part:
                _npy.write(array, part)


def read(data: memoryview) -> dict[str, Any]:
    """The arrays, over the memory they are in.

    Raises:
        ValueError: it is no such file.
    """
    from zipfile import BadZipFile, ZipFile

    arrays = {}
    try:
        with ZipFile(_Source(data)) as archive:
            for member in archive.infolist():
                at = member.header_offset
                if member.compress_type or bytes(data[at : at + 4]) != b"PK\3\4":
                    raise ValueError("a member is not as we write it")
                name, extra = unpack_from("<HH", data, at + 26)
                start = at + _HEAD + name + extra
                arrays[member.filename.removesuffix(".npy")] = _npy.over(
                    data[start : start + member.file_size]
                )
    except (BadZipFile, EOFError, IndexError, OSError, SyntaxError) as error:
        raise ValueError(str(error)) from error
    return arrays


class _Sink(io.RawIOBase):
    """What zipfile wants of a file, over one that can only be written to."""

    def __init__(self, file: Writable) -> None:
        super().__init__()
        self._file = file
        self._size = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._size

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self._file.write(data)
        self._size += size
        return size


class _Source(io.RawIOBase):
    """What zipfile wants of a file, over memory that is not copied."""

    def __init__(self, data: memoryview) -> None:
        super().__init__()
        self._data = data
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = (0, self._at, len(self._data))[whence] + offset
        if self._at < 0:
            raise OSError("before the beginning")
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        piece = self._data[self._at : self._at + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
