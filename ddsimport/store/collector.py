"""Garbage collection: keep the store within its budget, least recently used first.

What is in use decides by the modification time of entries, which every hit renews (to the minute).
Never removed, unless asked for: what an artifact path shows now.

Order of removal is the reverse of that of writing: candidates leave their entries, then blobs that
no entry names go. A kill in between leaves blobs without an entry, which the next collection takes.

Against writers that are at work:
    - An entry is changed under the lock of its signature; one that is locked is in use, and stays
      as it is with all it names.
    - A blob is put aside by a rename and looked at again: a writer that found it there and uses it
      renews its time first (`Blobs`), and then it is put back; one that comes later finds none and
      writes it anew.
    - Blobs younger than `GRACE` are spared: their entry may be on its way.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import suppress
from heapq import nsmallest

from ddsimport.errors import StoreError
from ddsimport.records import Record
from ddsimport.store import view_folders
from ddsimport.store.atomic import make_folder, sweep, unusable
from ddsimport.store.blobs import Blobs
from ddsimport.store.entries import Entries, ignored
from ddsimport.store.files import files_below
from ddsimport.store.locks import SignatureLock
from ddsimport.store.namespaces import namespaces
from ddsimport.store.seals import read_small
from ddsimport.store.trace import blobs_of, is_name
from ddsimport.store.views import Views

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

GRACE = 3600.0
"""Seconds for which a blob that no entry names is left alone."""

_LASTING = 30 * 86_400.0
"""Seconds without use after which facts, stamps and quarantined files go: the first two can be made
again."""

_DERIVED = {
    "facts": _LASTING, "checked": _LASTING, "quarantine": _LASTING,
    "provenance": 12 * _LASTING, "sources": 12 * _LASTING,
}  # fmt: skip
_BLOB = re.compile(rb'"blob\\?": ?\\?"([0-9a-f]{64})')
"""The names of blobs in an entry, also those in a text inside it (what a step left)."""


class Budget(Record):
    """What a store may take.

    Attributes:
        bytes: on the disk.
        files: how many.
    """

    bytes: int
    files: int


class Collected(Record):
    """What a collection found and removed.

    Attributes:
        bytes, files: of the whole store before.
        removed_bytes, removed_files: of that.
        candidates: how many kept values went.
        leftovers: temporary files and locks of killed processes that went.
        shown: bytes of blobs that paths show, which had to stay.
    """

    bytes: int
    files: int
    removed_bytes: int
    removed_files: int
    candidates: int
    leftovers: int
    shown: int

    @property
    def left_bytes(self) -> int:
        """What the store takes now."""
        return self.bytes - self.removed_bytes


def budget_of(root: str, size: int | None = None) -> Budget:
    """20 GB or a tenth of the disk, whichever is less; a million files or a tenth of the inodes.

    Args:
        size: the bytes that the user allows instead.
    """
    disk = shutil.disk_usage(root).total
    files = os.statvfs(root).f_files if hasattr(os, "statvfs") else 0
    return Budget(
        bytes=min(20_000_000_000, disk // 10) if size is None else size,
        files=min(1_000_000, files // 10) if files else 1_000_000,
    )


def collect_if_due(root: str, kept_bytes: int, kept_files: int, budget: Budget) -> Collected | None:
    """Collect once the store has grown by a twentieth of its budget since it was last looked at.

    Looking at all of a store takes seconds where it is large, so a run only adds up what it kept.

    Args:
        kept_bytes, kept_files: what this run has added.
    """
    note = f"{root}/index/grown"
    grown = Budget(bytes=kept_bytes, files=kept_files)
    with suppress(OSError, ValueError, TypeError):
        with open(note, encoding="ascii") as file:
            size, files = map(int, file.read().split())
        grown = Budget(bytes=size + kept_bytes, files=files + kept_files)
    due = grown.bytes * 20 > budget.bytes or grown.files * 20 > budget.files
    with suppress(OSError):
        make_folder(os.path.dirname(note))
        with open(note, "w", encoding="ascii") as file:  # only a hint: it need not be whole
            file.write("0 0" if due else f"{grown.bytes} {grown.files}")
    return collect(root, budget) if due else None


def collect(
    root: str,
    budget: Budget,
    *,
    dry_run: bool = False,
    current: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Collected:
    """Bring the store in the folder `root` within `budget`, as far as it can be.

    Args:
        dry_run: remove nothing; the numbers are those of what would go.
        current: also what paths show may go.
        progress: told what is being done.

    Raises:
        StoreError: something could not be read. What it names must not go, so nothing more does.
    """
    try:
        return _Collection(root, dry_run, progress).run(budget, current)
    except OSError as error:
        raise unusable("collect", root, error) from error


class _Usage:
    """Files, and their bytes on the disk: once where a large view is another name of its blob."""

    def __init__(self) -> None:
        self.bytes = 0
        self.files = 0
        self._linked: set[int] = set()

    def add(self, status: os.stat_result) -> None:
        self.files += 1
        if status.st_nlink > 1:
            if status.st_ino in self._linked:
                return
            self._linked.add(status.st_ino)
        self.bytes += _size(status)


class _Collection:
    def __init__(self, root: str, dry_run: bool, progress: Callable[[str], None]) -> None:
        self._root = root
        self._dry_run = dry_run
        self._progress = progress
        self._started = time.time()
        self._removed = _Usage()
        self._candidates = 0
        self._renewed: dict[bytes, int] = {}
        """When each blob that may go was written, or found in place, as last seen."""
        self._entries = Entries(root, ignored)
        self._blobs = Blobs(root, False, ignored)

    def run(self, budget: Budget, current: bool) -> Collected:
        leftovers = 0
        if not self._dry_run:
            leftovers = sweep(f"{self._root}/tmp") + sweep(f"{self._root}/locks")
        total = _Usage()
        for folder in ("data", "views", "namespaces", "history", "index", "folders"):
            for _, status in files_below(f"{self._root}/{folder}"):
                total.add(status)
        self._drop_derived(total)
        self._drop_folders()
        self._progress("reading entries")
        used = self._uses(total)
        shown, behind = (set(), set()) if current else self._shown()
        self._progress("reading blobs")
        blobs = []
        shown_bytes = 0
        for path, status in files_below(f"{self._root}/blobs"):
            total.add(status)
            if not is_name(_name_of(path)):
                continue
            name = bytes.fromhex(_name_of(path))
            if name in shown:
                shown_bytes += _size(status)
                continue
            if name in used:  # a blob is renewed where a writer finds it in place
                last_use = max(used[name], status.st_mtime)
            elif self._started - status.st_mtime < GRACE:
                continue
            else:
                last_use = 0.0
            blobs.append((last_use, name, _size(status)))
            self._renewed[name] = status.st_mtime_ns
        goes = self._chosen(blobs, total, budget)
        self._progress("removing")
        if goes:
            goes -= self._leave_entries(goes)
            self._remove_blobs(goes)
        self._bound_entries(total.files - self._removed.files - budget.files, behind)
        if current:
            self._forget_paths(goes)
        return Collected(
            bytes=total.bytes,
            files=total.files,
            removed_bytes=self._removed.bytes,
            removed_files=self._removed.files,
            candidates=self._candidates,
            leftovers=leftovers,
            shown=shown_bytes,
        )

    def _uses(self, total: _Usage) -> dict[bytes, float]:
        """When each blob that an entry names was last of use. 32 bytes a blob are in memory, not
        the entries."""
        found: dict[bytes, float] = {}
        for path, status in files_below(f"{self._root}/entries"):
            total.add(status)
            for name in _named_in(path):
                if status.st_mtime > found.get(name, -1.0):
                    found[name] = status.st_mtime
        return found

    def _shown(self) -> tuple[set[bytes], set[str]]:
        """The blobs that paths show with the files that the steps behind them left; and the
        signatures of these steps."""
        found: set[bytes] = set()
        behind: set[str] = set()
        for namespace in namespaces(self._root):
            views = Views(self._root, self._blobs, False, ignored, namespace)
            for record in views.records():
                found.add(bytes.fromhex(record.blob))
                behind.add(record.signature)
                entry = self._entries.read(record.signature)
                for candidate in entry.candidates if entry is not None else ():
                    if candidate.blob == record.blob:
                        found.update(map(bytes.fromhex, blobs_of(candidate)))
        return found, behind

    def _chosen(
        self, blobs: list[tuple[float, bytes, int]], total: _Usage, budget: Budget
    ) -> set[bytes]:
        """What nobody names, and of the rest the least recently used until it fits."""
        blobs.sort()
        over_bytes = total.bytes - self._removed.bytes - budget.bytes
        over_files = total.files - self._removed.files - budget.files
        goes = set()
        for last_use, name, size in blobs:
            if last_use and over_bytes <= 0 and over_files <= 0:
                break
            goes.add(name)
            over_bytes -= size
            over_files -= 2  # the entry goes, too
        return goes

    def _leave_entries(self, goes: set[bytes]) -> set[bytes]:
        """Drop the candidates that name one of these blobs; returns those that must stay."""
        stay: set[bytes] = set()
        for path, status in files_below(f"{self._root}/entries"):
            named = _named_in(path)
            if goes.isdisjoint(named):
                continue
            if not self._leave(path, status, goes):
                stay.update(named)
        return stay

    def _leave(self, path: str, status: os.stat_result, goes: set[bytes]) -> bool:
        """Whether the entry names none of these blobs any more."""
        signature = _name_of(path)
        lock = SignatureLock(f"{self._root}/locks", signature)
        # Where nothing can be locked, it has no holder.
        if not self._dry_run and not lock.acquire(timeout=0) and lock.holder is not None:
            return False
        try:
            if os.stat(path).st_mtime_ns != status.st_mtime_ns:
                return False  # of use since it was looked at
            entry = self._entries.read(signature)
            kept = []
            for candidate in entry.candidates if entry is not None else ():
                if goes.isdisjoint(map(bytes.fromhex, blobs_of(candidate))):
                    kept.append(candidate)
                else:
                    self._candidates += 1
            if not kept:
                self._removed.add(status)
            if not self._dry_run:
                self._entries.replace(signature, tuple(kept), status)
        except (OSError, StoreError):
            return False
        finally:
            lock.release()
        return True

    def _remove_blobs(self, names: set[bytes]) -> None:
        for each in names:
            path = self._blobs.path(each.hex())
            with suppress(OSError):
                if self._dry_run:
                    self._removed.add(os.stat(path))
                elif (status := self._removed_blob(path, self._renewed[each])) is not None:
                    self._removed.add(status)

    def _removed_blob(self, path: str, renewed: int) -> os.stat_result | None:
        """The status of a blob that is gone now; None if it was put back. Raises OSError."""
        aside = f"{self._root}/tmp/{os.getpid()}-{os.urandom(8).hex()}"
        os.rename(path, aside)
        status = os.stat(aside)
        if status.st_mtime_ns != renewed:
            os.rename(aside, path)
            return None
        os.unlink(aside)
        return status

    def _drop_derived(self, total: _Usage) -> None:
        for folder, lasting in _DERIVED.items():
            for path, status in files_below(f"{self._root}/{folder}"):
                total.add(status)
                if self._started - status.st_mtime > lasting:
                    with suppress(OSError):
                        if not self._dry_run:
                            os.unlink(path)
                        self._removed.add(status)

    def _drop_folders(self) -> None:
        """Of the folders that are views, those that no path leads to."""
        led = set()
        for namespace in namespaces(self._root):
            views = Views(self._root, self._blobs, False, ignored, namespace)
            for path in views.paths():
                with suppress(StoreError):
                    led.add(view_folders.place_of(self._root, views.file_of(path)) or "")
        for place in view_folders.unled(self._root, led):
            for path, status in files_below(place):
                with suppress(OSError):
                    if not self._dry_run:
                        os.unlink(path)
                    self._removed.add(status)
            if not self._dry_run:
                with suppress(OSError):
                    os.rmdir(place) if os.path.isdir(place) else os.unlink(place)

    def _forget_paths(self, gone: set[bytes]) -> None:
        """A path whose value is gone shows nothing."""
        for namespace in namespaces(self._root):
            views = Views(self._root, self._blobs, True, ignored, namespace)
            for record in list(views.records()):
                if bytes.fromhex(record.blob) not in gone:
                    continue
                with suppress(OSError, StoreError):
                    self._removed.add(os.lstat(views.file_of(record.path)))
                    if not self._dry_run:
                        views.forget(record.path)

    def _bound_entries(self, over: int, behind: set[str]) -> None:
        """Entries whose blobs must stay (many may name one) are bounded in number, too."""
        if over <= 0:
            return
        oldest = nsmallest(
            over,
            (
                (status.st_mtime, path)
                for path, status in files_below(f"{self._root}/entries")
                if _name_of(path) not in behind
            ),
        )
        for _, path in oldest:
            with suppress(OSError):
                self._leave(path, os.stat(path), _named_in(path))


def _named_in(path: str) -> set[bytes]:
    """The blobs that an entry names; none if it is gone. Raises OSError."""
    try:
        data, _ = read_small(path)
    except FileNotFoundError:
        return set()
    return {bytes.fromhex(name.decode()) for name in _BLOB.findall(data)}


def _name_of(path: str) -> str:
    return path.rpartition("/")[2]


def _size(status: os.stat_result) -> int:
    blocks = getattr(status, "st_blocks", None)
    return status.st_size if blocks is None else blocks * 512
