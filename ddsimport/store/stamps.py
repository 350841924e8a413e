"""Large blob → the status that its file had when some process last found its content right.

Hashing a gigabyte takes 0.2 s or more, mapping it less than a millisecond: so a new process takes
the word of an earlier one, as long as the file's inode, size and times are what they were. Nothing
is lost with a stamp: the blob is hashed again. So stamps are not flushed to the disk, and one that
does not fit its seal is as good as none.
"""

from __future__ import annotations

import os
from contextlib import suppress

from ddsimport.store.atomic import make_folder
from ddsimport.store.seals import DamagedError, read_small, sealed, unsealed


class Stamps:
    """The folder `checked/v1/`.

    Args:
        root: the store's folder.
        writable: whether anything may be written there.
    """

    def __init__(self, root: str, writable: bool) -> None:
        self._folder = f"{root}/checked/v1/"
        self._writable = writable

    def read(self, name: str) -> tuple[int, ...] | None:
        """The status noted for a blob, None if there is none."""
        try:
            record = unsealed(read_small(self._path(name))[0])
            return tuple(record["status"]) if record["blob"] == name else None
        except (OSError, DamagedError, KeyError, TypeError):
            return None

    def write(self, name: str, key: tuple[int, int, int, int]) -> None:
        """Note the status of a blob that was just found right."""
        if not self._writable:
            return
        path = self._path(name)
        aside = f"{path}.{os.getpid()}-{os.urandom(4).hex()}"
        with suppress(OSError):
            make_folder(os.path.dirname(path))
            try:
                with open(aside, "xb") as file:
                    file.write(sealed({"blob": name, "status": key}))
                os.replace(aside, path)
            except OSError:
                with suppress(OSError):
                    os.unlink(aside)

    def forget(self, name: str) -> None:
        """Whatever is noted of a blob is not so any more."""
        with suppress(OSError):
            os.unlink(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._folder}{name[:2]}/{name}"


def status_key(status: os.stat_result) -> tuple[int, int, int, int]:
    """What changes when a file does."""
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
