"""What each artifact path has shown so far: one line per value, the newest last.

A file of sealed JSON lines per path, appended to in one write (so that processes do not mix their
lines; a line that a kill or a full disk has cut short does not fit its seal, and is passed over).
A past value is there as long as its blob is; the line outlives it.
"""

from __future__ import annotations

import os
from contextlib import suppress

from ddsimport.records import Record
from ddsimport.store.atomic import Staged, make_folder, unusable
from ddsimport.store.paths import artifact_parts, record_file
from ddsimport.store.seals import DamagedError, sealed, unsealed
from ddsimport.store.versions import now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ddsimport.store.trace import Candidate

MOST = 1000
"""Versions of a path that are remembered."""

_LONGEST = 4 << 20  # bytes of a file, at which it is cut down to the newest `MOST` lines


class Version(Record):
    """A value that an artifact path has shown.

    Attributes:
        path: the artifact path.
        blob, size, codec: as in `Candidate`; the first digits of `blob` name the version.
        signature: of the entry.
        shown: when it came to be shown, ISO 8601 in UTC.
        created: when it was evaluated, likewise.
        seconds: how long that took.
        code: the code hash.
        inputs: (name, digest) of each input.
        python: version that evaluated it.
    """

    path: str
    blob: str
    size: int
    codec: str
    signature: str
    shown: str
    created: str
    seconds: float
    code: str
    inputs: tuple[tuple[str, str], ...]
    python: str


class History:
    """The folder `history/v1/` of a namespace.

    Args:
        folder: of the namespace.
        tmp: the store's folder for files that are being written.
    """

    def __init__(self, folder: str, tmp: str) -> None:
        self._folder = f"{folder}/history/v1"
        self._tmp = tmp

    def add(self, path: str, candidate: Candidate) -> None:
        """Note that `path` shows a candidate's value from now on, if it has not shown it last.

        Raises:
            StoreError: it cannot be written.
        """
        parts = artifact_parts(path)
        last = next(self.versions(path), None)
        if last is not None and last.blob == candidate.blob:
            return
        version = Version(
            path="/" + "/".join(parts),
            blob=candidate.blob,
            size=candidate.size,
            codec=candidate.codec,
            signature=candidate.signature,
            shown=now(),
            created=candidate.created,
            seconds=candidate.seconds,
            code=candidate.code,
            inputs=candidate.inputs,
            python=candidate.python,
        )
        file = record_file(self._folder, parts)
        try:
            if _append(file, sealed(version.as_dict())) > _LONGEST:
                self._cut(file)
        except OSError as error:
            raise unusable("write", file, error) from error

    def versions(self, path: str) -> Iterator[Version]:
        """What the artifact path has shown, the newest first.

        Raises:
            StoreError: not an artifact path, or its history cannot be read.
        """
        parts = artifact_parts(path)
        file = record_file(self._folder, parts)
        name = "/" + "/".join(parts)
        try:
            for line in _lines_backwards(file):
                version = _version_from(line)
                if version is not None and version.path == name:
                    yield version
        except FileNotFoundError:
            return
        except OSError as error:
            raise unusable("read", file, error) from error

    def _cut(self, file: str) -> None:
        lines: list[bytes] = []
        for line in _lines_backwards(file):
            if len(lines) < MOST and _version_from(line) is not None:
                lines.append(line + b"\n")
        with Staged(self._tmp) as staged:
            staged.write(b"".join(reversed(lines)))
            staged.finish()
            staged.commit(file)


def _append(file: str, line: bytes) -> int:
    """Write a line at the end of a file; returns its size then. Raises OSError."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    flags |= getattr(os, "O_CLOEXEC", 0)
    try:
        descriptor = os.open(file, flags, 0o600)
    except FileNotFoundError:
        make_folder(os.path.dirname(file))
        descriptor = os.open(file, flags, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":  # one that was cut short
            line = b"\n" + line
        os.write(descriptor, line)
        os.fsync(descriptor)
        return size + len(line)
    finally:
        os.close(descriptor)


_BLOCK = 1 << 16


def _lines_backwards(file: str) -> Iterator[bytes]:
    """The lines of a file from its end on, without their newlines. Raises OSError."""
    with open(file, "rb") as opened:
        position = opened.seek(0, os.SEEK_END)
        rest = b""
        while position > 0:
            size = min(_BLOCK, position)
            position -= size
            opened.seek(position)
            rest = opened.read(size) + rest
            rest, *lines = rest.split(b"\n")
            yield from filter(None, reversed(lines))
        if rest:
            yield rest


def _version_from(line: bytes) -> Version | None:
    """None: the line was cut short, or is damaged."""
    with suppress(DamagedError, KeyError, TypeError, ValueError):
        record: dict[str, Any] = unsealed(line + b"\n")
        del record["seal"]
        record["inputs"] = tuple((str(name), str(value)) for name, value in record["inputs"])
        return Version(**record)
    return None
