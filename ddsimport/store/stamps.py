"""Large file → the status it had when some process last hashed it: of blobs, and of files that
steps read.

Hashing a gigabyte takes 0.2 s or more, mapping it less than a millisecond: so a new process takes
the word of an earlier one, as long as the file's inode, size and times are what they were. Nothing
is lost with a stamp: the file is hashed again. So stamps are not flushed to the disk, and one that
does not fit its seal is as good as none.
"""

from __future__ import annotations

import os
from contextlib import suppress

from blake3 import blake3

from ddsimport.store.notes import Notes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Stamps(Notes):
    """Of blobs: the folder `checked/v1/`."""

    def __init__(self, root: str, writable: bool) -> None:
        super().__init__(root, "checked/v1", writable)

    def read(self, name: str) -> tuple[int, ...] | None:
        """The status noted for a blob, None if there is none."""
        record = self.read_record(name)
        return _status_in(record) if record.get("blob") == name else None

    def write(self, name: str, key: tuple[int, int, int, int]) -> None:
        """Note the status of a blob that was just found right."""
        self.write_record(name, {"blob": name, "status": key})

    def forget(self, name: str) -> None:
        """Whatever is noted of a blob is not so any more."""
        with suppress(OSError):
            os.unlink(self.path_of(name))


class Digests(Notes):
    """Of files anywhere: the folder `checked/files/`."""

    def __init__(self, root: str, writable: bool) -> None:
        super().__init__(root, "checked/files", writable)

    def read_digest(self, path: str, status: os.stat_result) -> str | None:
        """The hash in hex of the content of a file in this status, if it is noted."""
        record = self.read_record(_name_of(path))
        digest = record.get("digest")
        fits = record.get("path") == path and _status_in(record) == status_key(status)
        return digest if fits and type(digest) is str else None

    def write_digest(self, path: str, status: os.stat_result, digest: str) -> None:
        """Note it."""
        record = {"path": path, "status": status_key(status), "digest": digest}
        self.write_record(_name_of(path), record)


def _name_of(path: str) -> str:
    name: str = blake3(path.encode("utf-8", "surrogateescape")).hexdigest()
    return name


def _status_in(record: dict[str, Any]) -> tuple[int, ...] | None:
    status = record.get("status")
    return tuple(status) if type(status) is list else None


def status_key(status: os.stat_result) -> tuple[int, int, int, int]:
    """What changes when a file does."""
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class Costs(Notes):
    """The folder `checked/costs/`: signatures whose values were too dear to keep."""

    def __init__(self, root: str, writable: bool) -> None:
        super().__init__(root, "checked/costs", writable)

    def read(self, signature: str) -> float | None:
        """The seconds that keeping the value took; None if that was not noted."""
        seconds = self.read_record(signature).get("seconds")
        return seconds if type(seconds) is float else None

    def write(self, signature: str, seconds: float) -> None:
        self.write_record(signature, {"seconds": float(seconds)})
