"""A file system that takes whole files and nothing else, as Databricks mounts `/Volumes` and
`/dbfs`: no rename, no link, no append, no write but after the last one, no flush to the disk.

It speaks the kernel's own protocol (`linux/fuse.h`) on `/dev/fuse`, so that it needs no library; it
is mounted by root, and holds everything in memory. What is written appears when the file is closed.
Run as a program: `python volumes.py FOLDER`; it says `ready`, and ends when it is unmounted.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_HEADER = struct.Struct("<IIQQIIII")
_ATTRIBUTES = struct.Struct("<6Q10I")
_MOST = 1 << 17  # bytes of one write


class _Refused(Exception):  # noqa: N818 - what it is
    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _Node:
    def __init__(self, number: int, folder: bool) -> None:
        self.number = number
        self.names: dict[bytes, int] | None = {} if folder else None
        self.content = b""
        self.changed = time.time_ns()

    def attributes(self) -> bytes:
        seconds, rest = divmod(self.changed, 10**9)
        mode = stat.S_IFDIR | 0o777 if self.names is not None else stat.S_IFREG | 0o666
        size = len(self.content)
        return _ATTRIBUTES.pack(
            self.number, size, (size + 511) // 512, seconds, seconds, seconds, rest, rest, rest,
            mode, 1, 0, 0, 0, 4096, 0,
        )  # fmt: skip


class WholeFiles:
    """The file system; see the module."""

    def __init__(self) -> None:
        self._nodes = {1: _Node(1, folder=True)}
        self._last = 1
        self._writing: dict[int, tuple[int, bytearray]] = {}

    def serve(self, descriptor: int) -> None:
        """Answer until it is unmounted."""
        while True:
            try:
                request = os.read(descriptor, _MOST + 4096)
            except OSError as error:
                if error.errno in (errno.ENODEV, errno.ENOENT):
                    if error.errno == errno.ENODEV:
                        return
                    continue
                raise
            _, opcode, unique, node, *_ = _HEADER.unpack_from(request)
            body = request[_HEADER.size :]
            number = 0
            try:
                answer = self._answer(opcode, node, body)
            except _Refused as refused:
                number, answer = -refused.number, b""
            if answer is not None:
                head = struct.pack("<IiQ", 16 + len(answer), number, unique)
                os.write(descriptor, head + answer)

    def _answer(self, opcode: int, node: int, body: bytes) -> bytes | None:
        does: Any = _OPERATIONS.get(opcode)
        if does is None:
            raise _Refused(errno.ENOSYS)
        return does(self, node, body)

    def _start(self, node: int, body: bytes) -> bytes:
        major, _, readahead, _ = struct.unpack_from("<4I", body)
        return struct.pack(
            "<4I2H2I2HI", major, 31, readahead, 0, 16, 12, _MOST, 1, _MOST // 4096, 0, 0
        ).ljust(64, b"\0")

    def _forget(self, node: int, body: bytes) -> None:
        return None

    def _child(self, node: int, name: bytes) -> _Node:
        names = self._nodes[node].names
        if names is None:
            raise _Refused(errno.ENOTDIR)
        if name not in names:
            raise _Refused(errno.ENOENT)
        return self._nodes[names[name]]

    def _made(self, node: int, name: bytes, folder: bool) -> _Node:
        names = self._nodes[node].names
        if names is None or name in names:
            raise _Refused(errno.EEXIST if names is not None else errno.ENOTDIR)
        self._last += 1
        names[name] = self._last
        made = self._nodes[self._last] = _Node(self._last, folder)
        return made

    @staticmethod
    def _entry(node: _Node) -> bytes:
        return struct.pack("<4Q2I", node.number, 0, 0, 0, 0, 0) + node.attributes()

    def _look_up(self, node: int, body: bytes) -> bytes:
        return self._entry(self._child(node, body.rstrip(b"\0")))

    def _attributes_of(self, node: int, body: bytes) -> bytes:
        return struct.pack("<Q2I", 0, 0, 0) + self._nodes[node].attributes()

    def _set(self, node: int, body: bytes) -> bytes:
        valid, _, _, size = struct.unpack_from("<2I2Q", body)
        if valid & 8:  # the size
            if size:
                raise _Refused(errno.ENOTSUP)
            self._nodes[node].content = b""
        return self._attributes_of(node, body)

    def _make_folder(self, node: int, body: bytes) -> bytes:
        return self._entry(self._made(node, body[8:].rstrip(b"\0"), folder=True))

    def _remove(self, node: int, body: bytes) -> bytes:
        name = body.rstrip(b"\0")
        if self._child(node, name).names:
            raise _Refused(errno.ENOTEMPTY)
        names = self._nodes[node].names
        assert names is not None
        del names[name]
        return b""

    def _create(self, node: int, body: bytes) -> bytes:
        flags, *_ = struct.unpack_from("<4I", body)
        made = self._made(node, body[16:].rstrip(b"\0"), folder=False)
        return self._entry(made) + self._opened(made.number, flags)

    def _open(self, node: int, body: bytes) -> bytes:
        return self._opened(node, struct.unpack_from("<I", body)[0])

    def _opened(self, node: int, flags: int) -> bytes:
        if flags & os.O_APPEND or flags & os.O_ACCMODE == os.O_RDWR:
            raise _Refused(errno.ENOTSUP)
        handle = 0
        if flags & os.O_ACCMODE == os.O_WRONLY:
            handle = len(self._writing) + 1
            self._writing[handle] = node, bytearray()
        return struct.pack("<Q2I", handle, 1, 0)  # past the kernel's own cache

    def _open_folder(self, node: int, body: bytes) -> bytes:
        return struct.pack("<Q2I", 0, 0, 0)

    def _read(self, node: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<2QI", body)
        return self._nodes[node].content[offset : offset + size]

    def _write(self, node: int, body: bytes) -> bytes:
        handle, offset, size = struct.unpack_from("<2QI", body)
        _, written = self._writing[handle]
        if offset != len(written):
            raise _Refused(errno.ENOTSUP)
        written += body[40 : 40 + size]
        return struct.pack("<2I", size, 0)

    def _close(self, node: int, body: bytes) -> bytes:
        handle = struct.unpack_from("<Q", body)[0]
        if handle:
            number, written = self._writing[handle]
            self._nodes[number].content = bytes(written)
        return b""

    def _list(self, node: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<2QI", body)
        names = self._nodes[node].names or {}
        found = b""
        for place, (name, number) in enumerate(list(names.items())[offset:], offset + 1):
            kind = 4 if self._nodes[number].names is not None else 8
            entry = struct.pack("<2Q2I", number, place, len(name), kind) + name
            entry = entry.ljust((len(entry) + 7) // 8 * 8, b"\0")
            if len(found) + len(entry) > size:
                break
            found += entry
        return found

    def _room(self, node: int, body: bytes) -> bytes:
        return struct.pack("<5Q4I", 1 << 30, 1 << 30, 1 << 30, 1 << 20, 1 << 20, 4096, 255, 4096, 0
        ).ljust(80, b"\0")  # fmt: skip

    def _refuse(self, node: int, body: bytes) -> bytes:
        raise _Refused(errno.ENOTSUP)

    def _allow(self, node: int, body: bytes) -> bytes:
        return b""


_OPERATIONS = {
    1: WholeFiles._look_up, 2: WholeFiles._forget, 3: WholeFiles._attributes_of,
    4: WholeFiles._set, 9: WholeFiles._make_folder, 10: WholeFiles._remove,
    11: WholeFiles._remove, 14: WholeFiles._open, 15: WholeFiles._read, 16: WholeFiles._write,
    17: WholeFiles._room, 18: WholeFiles._allow, 20: WholeFiles._refuse, 25: WholeFiles._close,
    26: WholeFiles._start, 27: WholeFiles._open_folder, 28: WholeFiles._list,
    29: WholeFiles._allow, 30: WholeFiles._refuse, 35: WholeFiles._create,
    36: WholeFiles._forget, 42: WholeFiles._forget,
}  # fmt: skip
"""What is not among them (to rename, to link, to lock) is not implemented, says the kernel then."""

_LIBC = ctypes.CDLL(None, use_errno=True)
_NO_DEVICES, _NO_SETUID, _LAZILY = 4, 2, 2


def can_mount() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0 and os.access("/dev/fuse", os.R_OK)


@contextmanager
def mounted(folder: Path) -> Iterator[Path]:
    """The file system in a folder, served by a process of its own. Raises OSError: it cannot be
    mounted here."""
    folder.mkdir(parents=True, exist_ok=True)
    server = subprocess.Popen(
        [sys.executable, __file__, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    try:
        if server.stdout.readline() != "ready\n":
            raise OSError("no FUSE here")
        yield folder
    finally:
        _LIBC.umount2(os.fsencode(folder), _LAZILY)
        server.kill()
        server.wait()
        server.stdout.close()


def _main(folder: str) -> None:
    descriptor = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={descriptor},rootmode=40000,user_id=0,group_id=0"
    flags = _NO_DEVICES | _NO_SETUID
    if _LIBC.mount(b"volume", os.fsencode(folder), b"fuse", flags, options.encode()):
        raise OSError(ctypes.get_errno(), "cannot mount")
    print("ready", flush=True)
    WholeFiles().serve(descriptor)


if __name__ == "__main__":
    _main(sys.argv[1])
