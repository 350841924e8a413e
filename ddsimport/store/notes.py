"""A folder of small records by name, which can be made again or done without.

They are not flushed to the disk, and one that does not fit its seal is as good as none.
"""

from __future__ import annotations

import os
from contextlib import suppress

from ddsimport.store.atomic import make_folder
from ddsimport.store.seals import DamagedError, read_small, sealed, unsealed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Notes:
    """A folder of small records by name.

    Args:
        root: the store's folder.
        folder: its name below that.
        writable: whether anything may be written there.
    """

    def __init__(self, root: str, folder: str, writable: bool) -> None:
        self._folder = f"{root}/{folder}/"
        self._writable = writable

    def read_record(self, name: str) -> dict[str, Any]:
        """The record of a name; empty if there is none."""
        try:
            return unsealed(read_small(self.path_of(name))[0])
        except (OSError, DamagedError):
            return {}

    def write_record(self, name: str, record: dict[str, Any]) -> None:
        """Make it the record of a name, if it can be written."""
        if not self._writable:
            return
        path = self.path_of(name)
        aside = f"{path}.{os.getpid()}-{os.urandom(4).hex()}"
        with suppress(OSError):
            make_folder(os.path.dirname(path))
            try:
                with open(aside, "xb") as file:
                    file.write(sealed(record))
                os.replace(aside, path)
            except OSError:
                with suppress(OSError):
                    os.unlink(aside)

    def path_of(self, name: str) -> str:
        """The file of a name."""
        return f"{self._folder}{name[:2]}/{name}"
