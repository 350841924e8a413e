"""Signature → entry: the only truth of what is kept.

One small sealed JSON file per signature, replaced whole, written after the blobs it names. Reading
one is the way of every hit (about 20 µs), so it goes through bare system calls.
"""

from __future__ import annotations

import os
from contextlib import suppress
from time import monotonic

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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Candidate", "Entries", "Entry", "FileRead", "Trace"]

# One signature with ever new traces (a file that changes on each run) must not grow for ever.
MOST_CANDIDATES = 16

_MOST_KNOWN = 4096
_USE_RESOLUTION = 60.0  # seconds


def ignored(path: str, status: os.stat_result, fault: str) -> None:
    """For who looks at all of a store: what is damaged is said by who uses it, and by `verify`."""


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
        self._known: dict[str, Entry] = {}
        self._touched: dict[str, float] = {}

    def known(self, signature: str) -> Entry | None:
        """The entry as this process last read or wrote it, without a look at the disk.

        What it lacks is newer candidates; those it has still hold under their traces.
        """
        return self._known.get(signature)

    def read(self, signature: str) -> Entry | None:
        """The entry of a signature; None if there is none, or a damaged one (which is reported).

        Raises:
            StoreError: it cannot be read for another reason than that it does not exist.
        """
        entry = self._read(signature)
        if entry is None:
            self._known.pop(signature, None)
        else:
            self._remember(entry)
        return entry

    def _remember(self, entry: Entry) -> None:
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[entry.signature] = entry

    def _read(self, signature: str) -> Entry | None:
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
        self.write(Entry(signature, (candidate, *kept)))

    def write(self, entry: Entry) -> None:
        """Make this the entry of its signature, without what goes beyond `MOST_CANDIDATES`.

        Raises:
            StoreError: nothing has changed.
        """
        entry = Entry(entry.signature, entry.candidates[:MOST_CANDIDATES])
        self._write(entry)
        self._remember(entry)

    def _write(self, entry: Entry) -> None:
        """Raises StoreError."""
        data = sealed(entry_to_json(entry))
        with Staged(self._tmp) as staged:
            staged.write(data)
            staged.finish()
            staged.commit(self._path(entry.signature))

    def replace(
        self, signature: str, candidates: tuple[Candidate, ...], status: os.stat_result
    ) -> None:
        """Leave these candidates and no others; the time of last use stays that of `status`.

        The caller holds the signature's lock.

        Raises:
            StoreError: nothing has changed.
        """
        path = self._path(signature)
        self._known.pop(signature, None)
        try:
            if not candidates:
                os.unlink(path)
                return
            self._write(Entry(signature, candidates))
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        except OSError as error:
            raise unusable("write", path, error) from error

    def touch(self, signature: str) -> None:
        """Note that the entry was of use now: its modification time is the time of its last use,
        to the minute."""
        now = monotonic()
        if now - self._touched.get(signature, -_USE_RESOLUTION) < _USE_RESOLUTION:
            return
        if len(self._touched) >= _MOST_KNOWN:
            self._touched.clear()
        self._touched[signature] = now
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
