"""Artifact path → the file that shows it to other programs, and the record of what it shows.

`data/<path>` is an ordinary file, or leads to a folder of files (see `view_folders`), replaced as a
whole; the program itself never reads it back.
`views/v1/<path>.json` says which blob it shows and what the file was like when it was written, so
that a hit can tell by one `stat` that nothing is to be done.

The record is written after the file. Killed in between, the file shows the new value and the record
describes the old one: the next run sees that they do not fit and writes both again.
"""

from __future__ import annotations

import os
from contextlib import suppress

from ddsimport.errors import StoreError
from ddsimport.store import view_files, view_folders
from ddsimport.store.atomic import Staged, sweep, unusable
from ddsimport.store.locks import SignatureLock
from ddsimport.store.namespaces import data_of, folder_of
from ddsimport.store.paths import artifact_parts, record_file, unmarked
from ddsimport.store.seals import DamagedError, read_small, sealed, unsealed
from ddsimport.store.view_records import (
    NO_VIEW,
    ViewRecord,
    fits,
    holds,
    record_from_json,
    record_of,
    status_of,
    with_status,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ddsimport.store.blobs import Blobs
    from ddsimport.store.trace import Candidate

# Seconds to wait for another process that is replacing the same view. The lock only keeps file and
# record together, which the next run would mend as well, so a stopped process must not stop us.
_PATIENCE = 10.0


_STAGING = ".ddsimport"
"""Where files are written in a place of the user that is on another file system than the store."""


class Views:
    """The folders `data/` and `views/v1/`.

    Args:
        root: the store's folder.
        blobs: of the same store.
        writable: whether records may be brought up to date.
        damaged: called with the path of a damaged file, its status when read, and what is wrong.
        namespace: whose paths; each has its own over the same blobs.
    """

    def __init__(
        self,
        root: str,
        blobs: Blobs,
        writable: bool,
        damaged: Callable[[str, os.stat_result, str], None],
        namespace: str = "",
    ) -> None:
        self._blobs = blobs
        self._namespace = namespace
        folder = folder_of(root, namespace)
        self._root = root
        self._data = data_of(root, namespace)
        self._records = f"{folder}/views/v1"
        self._tmp = f"{root}/tmp"
        self._staging = self._tmp
        if self._data != f"{folder}/data" and _device(self._data) != _device(root):
            self._staging = f"{self._data}/{_STAGING}"
        self._locks = f"{root}/locks"
        self._writable = writable
        self._damaged = damaged
        self._known: dict[str, ViewRecord] = {}

    def sweep(self) -> None:
        """Remove what killed processes left behind outside of the store."""
        if self._staging != self._tmp:
            sweep(self._staging)

    def record(self, path: str) -> ViewRecord | None:
        """What the artifact path shows; None if nothing, or if the record is damaged.

        Raises:
            StoreError: not an artifact path, or the record cannot be read.
        """
        parts = artifact_parts(path)
        record = self._read(parts)
        return record if record is not None and record.path == _joined(parts) else None

    def shows(self, path: str, candidate: Candidate, asked: str | None) -> bool:
        """Whether the view shows this value in this format and nobody has changed it since.

        This is on the way of every hit: one `stat`, once the record is known.

        Raises:
            StoreError: as for `record`.
        """
        known = self._known.get(path)
        if known is not None and known.blob == candidate.blob and known.asked == asked:
            if known.format == NO_VIEW:
                return True
            try:
                if fits(known, status_of(self._data + known.path, known)):
                    return True
            except OSError:
                pass  # looked at again below, where it is reported
        return self._shows(path, candidate, asked)

    def publish(
        self,
        path: str,
        candidate: Candidate,
        asked: str | None,
        format_name: str,
        exact: bool,
        write: Callable[[Staged], None],
    ) -> None:
        """Make the view show `candidate`; `write` puts the bytes into the staged file.

        Raises:
            StoreError: it cannot be written, or another artifact is in the way; the view is then as
                it was.
            CodecError: from `write`.
        """
        with Staged(self._staging, 0o666) as staged:
            write(staged)
            content = staged.finish()
            self._replace(path, candidate, asked, (format_name, exact, content), staged.commit)

    def publish_blob(
        self, path: str, candidate: Candidate, asked: str | None, format_name: str, exact: bool
    ) -> None:
        """As `publish`, for a view whose file is the very blob of `candidate`.

        Raises:
            StoreError: as for `publish`; or the blob is missing or damaged.
        """
        blob = self._blobs.sound(candidate.blob, candidate.size)
        shown = (format_name, exact, candidate.blob)
        with Staged(self._staging, 0o666) as staged:
            if view_files.copied(staged, blob):
                self._replace(path, candidate, asked, shown, staged.commit)
                return

            def put(target: str) -> os.stat_result:
                aside = f"{self._staging}/{os.getpid()}-{os.urandom(8).hex()}"
                status = view_files.link(blob, aside, target)
                if status is None:
                    view_files.copied(staged, blob, whole=True)
                    return staged.commit(target)
                self._blobs.relinked(candidate.blob)
                return status

            self._replace(path, candidate, asked, shown, put)

    def publish_folder(
        self,
        path: str,
        candidate: Candidate,
        asked: str | None,
        format_name: str,
        exact: bool,
        write: Callable[[str], None],
    ) -> None:
        """As `publish`, for a view that is a folder; `write` makes it where it is told to."""
        place = view_folders.made(self._root, write)
        try:
            shown = (format_name, exact, view_folders.content_of(place))

            def put(target: str) -> os.stat_result:
                aside = f"{self._staging}/{os.getpid()}-{os.urandom(8).hex()}"
                return view_folders.lead(target, place, aside)

            self._replace(path, candidate, asked, shown, put, folder=True)
        except (OSError, StoreError) as error:
            view_folders.leave(place)
            if isinstance(error, OSError):
                raise unusable("write", place, error) from error
            raise
        view_folders.sweep(self._root)

    def _replace(
        self,
        path: str,
        candidate: Candidate,
        asked: str | None,
        shown: tuple[str, bool, str],
        put: Callable[[str], os.stat_result],
        *,
        folder: bool = False,
    ) -> None:
        """Let `put` write the file, and note what it shows: format, exact or not, content."""
        parts = artifact_parts(path)
        name = _joined(parts)
        lock = SignatureLock(self._locks, self._lock_name(name))
        lock.acquire(timeout=_PATIENCE)
        try:
            self._make_way(parts)
            before = view_folders.place_of(self._root, self._data + name)
            status = put(self._data + name)
            view_folders.leave(before)
            record = record_of(name, candidate, asked).replace(
                format=shown[0],
                exact=shown[1],
                content=shown[2],
                size=status.st_size,
                folder=folder,
            )
            record = with_status(record, status)
            self._write(parts, record)
        finally:
            lock.release()
        self._known[path] = record

    def _make_way(self, parts: tuple[str, ...]) -> None:
        other = self._read(parts)
        view_files.make_way(self._data, parts, None if other is None else other.path)

    def withdraw(self, path: str, candidate: Candidate, asked: str | None) -> None:
        """Note `candidate` as the current value, which no file can show: an older one must not.

        Raises:
            StoreError: as for `publish`.
        """
        parts = artifact_parts(path)
        name = _joined(parts)
        lock = SignatureLock(self._locks, self._lock_name(name))
        lock.acquire(timeout=_PATIENCE)
        try:
            self._make_way(parts)
            view_folders.leave(view_folders.place_of(self._root, self._data + name))
            with suppress(FileNotFoundError):
                os.unlink(self._data + name)
            record = record_of(name, candidate, asked)
            self._write(parts, record)
        except OSError as error:
            raise unusable("remove", self._data + name, error) from error
        finally:
            lock.release()
        self._known[path] = record

    def forget(self, path: str) -> None:
        """Remove a view and its record; nothing happens if there is none. Raises StoreError."""
        parts = artifact_parts(path)
        self._known.pop(path, None)
        view_folders.leave(view_folders.place_of(self._root, self._data + _joined(parts)))
        for file in (self._data + _joined(parts), self._record_path(parts)):
            try:
                os.unlink(file)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                continue
            except OSError as error:
                raise unusable("remove", file, error) from error

    def paths(self, below: str = "") -> Iterator[str]:
        """All artifact paths that have a record, in order.

        Args:
            below: only those under this folder of records; for the recursion.

        Raises:
            StoreError: they cannot be read.
        """
        try:
            with os.scandir(self._records + below) as entries:
                found = sorted((entry.name, entry.is_dir()) for entry in entries)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise unusable("read", self._records + below, error) from error
        for name, is_folder in found:
            place = f"{below}/{name}"
            if is_folder:
                yield from self.paths(place)
            elif name.endswith(".json"):
                *folders, last = place[1:].split("/")
                yield "/" + "/".join([*map(unmarked, folders), last[: -len(".json")]])

    def file_of(self, path: str) -> str:
        """The file that shows an artifact path. Raises StoreError: it is none."""
        return self._data + _joined(artifact_parts(path))

    def records(self) -> Iterator[ViewRecord]:
        """What each of these paths shows, as far as its record is not damaged.

        Raises:
            StoreError: one cannot be read.
        """
        for path in self.paths():
            record = self.record(path)
            if record is not None:
                yield record

    def _shows(self, path: str, candidate: Candidate, asked: str | None) -> bool:
        parts = artifact_parts(path)
        name = _joined(parts)
        record = self._read(parts)
        if record is None or (record.path, record.blob, record.asked) != (
            name,
            candidate.blob,
            asked,
        ):
            return False
        if record.format == NO_VIEW:
            self._known[path] = record
            return True
        file = self._data + name
        try:
            status = status_of(file, record)
            if not fits(record, status):
                # Perhaps only moved: the store was copied, or the file was linked or touched.
                if not self._is_blob(record, status) and not holds(file, record):
                    return False
                record = with_status(record, status)
                if self._writable:
                    with suppress(StoreError):  # else it is compared again next time
                        self._write(parts, record)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise unusable("read", file, error) from error
        self._known[path] = record
        return True

    def _is_blob(self, record: ViewRecord, status: os.stat_result) -> bool:
        """Whether the file is another name of its blob, and the blob is sound."""
        if record.content != record.blob:
            return False
        try:
            blob = self._blobs.sound(record.blob, record.blob_size)
            return os.lstat(blob).st_ino == status.st_ino
        except (OSError, StoreError):
            return False

    def _read(self, parts: tuple[str, ...]) -> ViewRecord | None:
        path = self._record_path(parts)
        try:
            data, status = read_small(path)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise unusable("read", path, error) from error
        try:
            return record_from_json(unsealed(data))
        except DamagedError as error:
            self._damaged(path, status, f"the record of a view is damaged: {error}")
            return None

    def _write(self, parts: tuple[str, ...], record: ViewRecord) -> None:
        with Staged(self._tmp) as staged:
            staged.write(sealed({"version": 1, **record.as_dict()}))
            staged.finish()
            staged.commit(self._record_path(parts))

    def _lock_name(self, path: str) -> str:
        from blake3 import blake3

        return "view-" + blake3(f"{self._namespace}{path}".encode()).hexdigest()

    def _record_path(self, parts: tuple[str, ...]) -> str:
        return record_file(self._records, parts)


def _device(folder: str) -> int:
    """The number of the file system that a folder is on, or will be."""
    while True:
        try:
            return os.stat(folder).st_dev
        except OSError:
            above = os.path.dirname(folder)
            if above == folder:
                return 0
            folder = above


def _joined(parts: tuple[str, ...]) -> str:
    return "/" + "/".join(parts)
