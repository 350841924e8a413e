"""Signature → entry: the only truth of what is kept.

One small sealed JSON file per signature, replaced whole, written after the blobs it names. Reading
one is the way of every hit (about 20 µs), so it goes through bare system calls.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress

from ddsimport.errors import StoreError
from ddsimport.store.atomic import Staged, unusable
from ddsimport.store.seals import DamagedError, read_small, sealed, unsealed
from ddsimport.store.trace import (
    Candidate,
    Entry,
    FileRead,
    Trace,
    entry_from_json,
    entry_to_json,
    is_name,
)

__all__ = ["Candidate", "Entries", "Entry", "FileRead", "Trace"]

# One signature with ever new traces (a file that changes on each run) must not grow for ever.
MOST_CANDIDATES = 16


class Entries:
    """The folder `entries/v1/`.

    Args:
        root: the store's folder.
        damaged: called with the path of a damaged file, its status when read, and what is wrong.
    """

    def __init__(self, root: str, damaged: Callable[[str, os.stat_result, str], None]) -> None:
        self._folder = f"{root}/entries/v1/"
        self._tmp = f"{root}/tmp"
        self._damaged = damaged

    def read(self, signature: str) -> Entry | None:
        """The entry of a signature; None if there is none, or a damaged one (which is reported).

        Raises:
            StoreError: it cannot be read for another reason than that it does not exist.
        """
        if not is_name(signature):
            return None
        path = self._path(signature)
        try:
            data, status = read_small(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise unusable("read", path, error) from error
        try:
            return entry_from_json(unsealed(data), signature)
        except DamagedError as error:
            self._damaged(path, status, f"the entry is damaged: {error}")
            return None

    def add(self, signature: str, candidate: Candidate) -> None:
        """Put a candidate first, in place of one under the same conditions.

        Two writers that do not hold the signature's lock may lose each other's candidate: it is
        then evaluated once more, never wrong.

        Raises:
            StoreError: nothing has changed.
        """
        if not is_name(signature):
            raise StoreError(f"not a signature: {signature!r}")
        present = self.read(signature)
        conditions = candidate.trace.conditions
        others = [] if present is None else present.candidates
        kept = [other for other in others if other.trace.conditions != conditions]
        entry = Entry(signature, (candidate, *kept)[:MOST_CANDIDATES])
        data = sealed(entry_to_json(entry))
        with Staged(self._tmp) as staged:
            staged.write(data)
            staged.finish()
            staged.commit(self._path(signature))

    def touch(self, signature: str) -> None:
        """Note that the entry was of use now: its modification time is the time of its last use."""
        with suppress(OSError):  # read-only, or gone meanwhile: only the order of gc suffers
            os.utime(self._path(signature))

    def signatures(self, group: str | None = None) -> Iterator[str]:
        """All signatures that have a file, in no order.

        Args:
            group: only those that begin with these two digits.
        """
        for folder in [group] if group is not None else _listed(self._folder):
            for name in _listed(self._folder + folder):
                if is_name(name):
                    yield name

    def _path(self, signature: str) -> str:
        return f"{self._folder}{signature[:2]}/{signature}"


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
