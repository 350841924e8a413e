"""Artifact path → the file that shows it to other programs, and the record of what it shows.

`data/<path>` is an ordinary file with an inode of its own, replaced as a whole; the program itself
never reads it back. `views/v1/<path>.json` says which blob it shows and what the file was like when
it was written, so that a hit can tell by one `stat` that nothing is to be done.

The record is written after the file. Killed in between, the file shows the new value and the record
describes the old one: the next run sees that they do not fit and writes both again.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress

from ddsimport.errors import StoreError
from ddsimport.records import Record
from ddsimport.store.atomic import Staged, make_folder, unusable
from ddsimport.store.locks import SignatureLock
from ddsimport.store.paths import artifact_parts
from ddsimport.store.seals import DamagedError, read_small, sealed, unsealed
from ddsimport.store.trace import Candidate, is_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

# Seconds to wait for another process that is replacing the same view. The lock only keeps file and
# record together, which the next run would mend as well, so a stopped process must not stop us.
_PATIENCE = 10.0


class ViewRecord(Record):
    """What `data/<path>` shows.

    Attributes:
        path: the artifact path.
        signature: of the step that made the value.
        blob, blob_size, codec: where the value is, exactly.
        asked: the `format=` of the pragma, None if it has none.
        format: name of the view's format.
        exact: whether the view holds all of the value.
        content: blake3 of the file, in hex; with `size`, `mtime_ns`, `ctime_ns` and `ino`, its
            status when it was written.
    """

    path: str
    signature: str
    blob: str
    blob_size: int
    codec: str
    asked: str | None
    format: str
    exact: bool
    content: str
    size: int
    mtime_ns: int
    ctime_ns: int
    ino: int


NO_VIEW = ""
"""The format of a record whose value has no view."""


class Views:
    """The folders `data/` and `views/v1/`.

    Args:
        root: the store's folder.
        writable: whether records may be brought up to date.
        damaged: called with the path of a damaged file, its status when read, and what is wrong.
    """

    def __init__(
        self, root: str, writable: bool, damaged: Callable[[str, os.stat_result, str], None]
    ) -> None:
        self._root = root
        self._data = f"{root}/data"
        self._records = f"{root}/views/v1"
        self._tmp = f"{root}/tmp"
        self._locks = f"{root}/locks"
        self._writable = writable
        self._damaged = damaged
        self._known: dict[str, ViewRecord] = {}

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
                if _fits(known, os.lstat(self._data + known.path)):
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
        parts = artifact_parts(path)
        name = _joined(parts)
        with Staged(self._tmp, 0o666) as staged:
            write(staged)
            content = staged.finish()
            lock = SignatureLock(self._locks, _lock_name(name))
            lock.acquire(timeout=_PATIENCE)
            try:
                self._make_way(parts)
                status = staged.commit(self._data + name)
                record = _record_of(name, candidate, asked).replace(
                    format=format_name,
                    exact=exact,
                    content=content,
                    size=status.st_size,
                    mtime_ns=status.st_mtime_ns,
                    ctime_ns=status.st_ctime_ns,
                    ino=status.st_ino,
                )
                self._write(parts, record)
            finally:
                lock.release()
        self._known[path] = record

    def withdraw(self, path: str, candidate: Candidate, asked: str | None) -> None:
        """Note `candidate` as the current value, which no file can show: an older one must not.

        Raises:
            StoreError: as for `publish`.
        """
        parts = artifact_parts(path)
        name = _joined(parts)
        lock = SignatureLock(self._locks, _lock_name(name))
        lock.acquire(timeout=_PATIENCE)
        try:
            self._make_way(parts)
            with suppress(FileNotFoundError):
                os.unlink(self._data + name)
            record = _record_of(name, candidate, asked)
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
        """
        try:
            names = sorted(os.listdir(self._records + below))
        except OSError:
            return
        for name in names:
            place = f"{below}/{name}"
            if os.path.isdir(self._records + place):
                yield from self.paths(place)
            elif name.endswith(".json"):
                *folders, last = place[1:].split("/")
                yield "/" + "/".join([*map(_unmarked, folders), last[: -len(".json")]])

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
            status = os.lstat(file)
            if not _fits(record, status):
                # Perhaps only moved: the store was copied, or the file was linked or touched.
                if not _holds(file, record):
                    return False
                record = _with_status(record, status)
                if self._writable:
                    with suppress(StoreError):  # else it is compared again next time
                        self._write(parts, record)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise unusable("read", file, error) from error
        self._known[path] = record
        return True

    def _read(self, parts: tuple[str, ...]) -> ViewRecord | None:
        path = self._record_path(parts)
        try:
            data, status = read_small(path)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise unusable("read", path, error) from error
        try:
            return _record_from_json(unsealed(data))
        except DamagedError as error:
            self._damaged(path, status, f"the record of a view is damaged: {error}")
            return None

    def _write(self, parts: tuple[str, ...], record: ViewRecord) -> None:
        with Staged(self._tmp) as staged:
            staged.write(sealed({"version": 1, **record.as_dict()}))
            staged.finish()
            staged.commit(self._record_path(parts))

    def _record_path(self, parts: tuple[str, ...]) -> str:
        folders = "".join(f"/{_marked(part)}" for part in parts[:-1])
        return f"{self._records}{folders}/{parts[-1]}.json"

    def _make_way(self, parts: tuple[str, ...]) -> None:
        """Create the folders of a view, and refuse what is in the way of them or of the file.

        Raises:
            StoreError: a symbolic link, which could lead out of the store; another artifact's file
                where a folder is needed, or the reverse; or an artifact whose path differs only in
                a way that this file system ignores.
        """
        name = _joined(parts)
        other = self._read(parts)
        if other is not None and other.path != name:
            raise StoreError(
                f"{name} and {other.path} are the same file on this file system; rename one"
            )
        folder = self._data
        for depth in range(len(parts)):
            self._need_folder(folder, name, "/" + "/".join(parts[:depth]))
            folder = f"{folder}/{parts[depth]}"
        self._need_no_folder(folder, name)

    def _need_folder(self, folder: str, name: str, artifact: str) -> None:
        try:
            mode = os.lstat(folder).st_mode
        except FileNotFoundError:
            try:
                make_folder(folder)
            except OSError as error:
                raise unusable("create", folder, error) from error
            return
        except OSError as error:
            raise unusable("read", folder, error) from error
        if stat.S_ISLNK(mode):
            raise StoreError(f"{folder} is a symbolic link; views are not written through one")
        if not stat.S_ISDIR(mode):
            raise StoreError(
                f"{artifact} is an artifact, so {name} cannot lie below it; rename one of them, or "
                f"remove {folder} if it is not used any more"
            )

    def _need_no_folder(self, folder: str, name: str) -> None:
        try:
            if not stat.S_ISDIR(os.lstat(folder).st_mode):
                return
            os.rmdir(folder)  # left empty by artifacts of other names
        except FileNotFoundError:
            return
        except OSError as error:
            other = name + _first_below(folder)
            raise StoreError(
                f"{name} cannot be an artifact, since {other} lies below it; rename one of them, "
                f"or remove {folder} if it is not used any more"
            ) from error


def _joined(parts: tuple[str, ...]) -> str:
    return "/" + "/".join(parts)


def _marked(part: str) -> str:
    """The folder of records for a component: `/a` has the record `a.json`, so `/a.json/b` must not
    need a folder of that name."""
    return part + "~" if re.search(r"\.json~*$", part) else part


def _unmarked(part: str) -> str:
    return part[:-1] if re.search(r"\.json~+$", part) else part


def _lock_name(path: str) -> str:
    from blake3 import blake3

    return "view-" + blake3(path.encode()).hexdigest()


def _record_of(name: str, candidate: Candidate, asked: str | None) -> ViewRecord:
    """The record of an artifact that no file shows (yet)."""
    return ViewRecord(
        path=name,
        signature=candidate.signature,
        blob=candidate.blob,
        blob_size=candidate.size,
        codec=candidate.codec,
        asked=asked,
        format=NO_VIEW,
        exact=False,
        content="",
        size=0,
        mtime_ns=0,
        ctime_ns=0,
        ino=0,
    )


def _fits(record: ViewRecord, status: os.stat_result) -> bool:
    return (
        status.st_mtime_ns == record.mtime_ns
        and status.st_ctime_ns == record.ctime_ns
        and status.st_size == record.size
        and status.st_ino == record.ino
    )


def _holds(file: str, record: ViewRecord) -> bool:
    """Whether a file has the content of the record. Raises OSError."""
    from blake3 import blake3

    status = os.lstat(file)
    if not stat.S_ISREG(status.st_mode) or status.st_size != record.size:
        return False
    hasher = blake3()
    with open(file, "rb", buffering=0) as content:
        while piece := content.read(1 << 20):
            hasher.update(piece)
    return bool(hasher.hexdigest() == record.content)


def _with_status(record: ViewRecord, status: os.stat_result) -> ViewRecord:
    return record.replace(
        mtime_ns=status.st_mtime_ns, ctime_ns=status.st_ctime_ns, ino=status.st_ino
    )


def _record_from_json(fields: dict[str, Any]) -> ViewRecord:
    """Raises DamagedError."""
    try:
        del fields["seal"]
        if fields.pop("version") != 1:
            raise DamagedError("it has another version")
        record = ViewRecord(**fields)
    except (KeyError, TypeError) as error:
        raise DamagedError(str(error)) from error
    numbers = (record.blob_size, record.size, record.mtime_ns, record.ctime_ns, record.ino)
    texts = (record.path, record.codec, record.signature, record.format, record.content)
    if (
        is_name(record.blob)
        and all(type(number) is int for number in numbers)
        and all(type(text) is str for text in texts)
        and type(record.exact) is bool
        and (record.asked is None or type(record.asked) is str)
    ):
        return record
    raise DamagedError("a field has a wrong type")


def _first_below(folder: str) -> str:
    """The first file below a folder, relative to it, with a leading `/`."""
    for place, _, names in os.walk(folder):
        if names:
            return f"{place[len(folder) :]}/{min(names)}"
    return "/…"
