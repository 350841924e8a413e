"""Look at every byte of the store, name what is damaged, and mend it.

Mending never makes up a value: what is damaged goes to `quarantine/`, what named it lets go of it,
and the next run evaluates the step again. A blob is restored where a view is the very same file.
"""

from __future__ import annotations

import os
from contextlib import closing, suppress

from ddsimport.errors import StoreError
from ddsimport.records import Record
from ddsimport.store.atomic import Staged, sweep
from ddsimport.store.blobs import blob_file
from ddsimport.store.entries import Entries, ignored
from ddsimport.store.files import files_below, hash_of, put_aside
from ddsimport.store.index import Index
from ddsimport.store.locks import SignatureLock
from ddsimport.store.namespaces import data_of, folder_of, namespaces
from ddsimport.store.seals import DamagedError, read_small, unsealed
from ddsimport.store.stamps import Stamps
from ddsimport.store.trace import blobs_of, entry_from_json, is_name
from ddsimport.store.view_records import NO_VIEW, ViewRecord, holds, record_from_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ddsimport.store.trace import Candidate, Entry

_PIECE = 1 << 20


class Finding(Record):
    """One damage.

    Attributes:
        path: the file, or the artifact path.
        fault: what is wrong with it.
        mended: what was done about it; empty if nothing was.
    """

    path: str
    fault: str
    mended: str = ""


def verify(
    root: str, *, mend: bool = True, progress: Callable[[str], None] = lambda _: None
) -> Iterator[Finding]:
    """Each damage of the store in the folder `root`, mended by the time it is told of.

    Args:
        mend: whether anything may be changed.
        progress: told what is looked at.
    """
    verifier = _Verifier(root, mend)
    progress("reading blobs")
    yield from verifier.blobs()
    progress("reading entries")
    yield from verifier.entries()
    progress("reading paths")
    for namespace in namespaces(root):
        yield from verifier.views(namespace)
        yield from verifier.histories(namespace)
    progress("reading the index")
    yield from verifier.index()
    if mend:
        for folder in ("tmp", "locks"):
            for _ in range(sweep(f"{root}/{folder}")):
                yield Finding(f"{root}/{folder}", "a killed process had left a file", "removed")


class _Verifier:
    def __init__(self, root: str, mend: bool) -> None:
        self._root = root
        self._mend = mend
        self._gone: set[str] = set()
        """Damaged blobs."""

    def blobs(self) -> Iterator[Finding]:
        for path, status in files_below(f"{self._root}/blobs"):
            name = os.path.basename(path)
            try:
                fault = _fault_of_blob(path, name)
            except OSError as error:
                fault = f"it cannot be read: {error.strerror}"
            if fault:
                self._gone.add(name)
                if self._mend:
                    Stamps(self._root, True).forget(name)
                yield self._put_aside(path, fault)
            elif status.st_mode & 0o222 and self._mend:
                with suppress(OSError):  # nobody is to write to it by mistake
                    os.chmod(path, 0o444)

    def entries(self) -> Iterator[Finding]:
        for path, _ in files_below(f"{self._root}/entries"):
            signature = os.path.basename(path)
            try:
                entry = entry_from_json(unsealed(read_small(path)[0]), signature)
            except FileNotFoundError:
                continue  # removed meanwhile
            except (DamagedError, OSError) as error:
                yield self._put_aside(path, f"the entry is damaged: {error}")
                continue
            yield from self._blobs_of(path, entry)

    def _blobs_of(self, path: str, entry: Entry) -> Iterator[Finding]:
        missing = set()
        for candidate in entry.candidates:
            missing |= {blob for blob in blobs_of(candidate) if not self._is_there(blob)}
        if not missing:
            return
        kept = [each for each in entry.candidates if missing.isdisjoint(blobs_of(each))]
        mended = ""
        if self._mend:
            mended = "the value is dropped from it"
            self._replace(entry.signature, path, tuple(kept))
        yield Finding(path, f"it names the blob {min(missing)}, which is missing", mended)

    def _replace(self, signature: str, path: str, kept: tuple[Candidate, ...]) -> None:
        lock = SignatureLock(f"{self._root}/locks", signature)
        lock.acquire(timeout=1.0)  # else the holder writes it anew, and finds the same
        try:
            entries = Entries(self._root, ignored)
            entries.replace(signature, kept, os.stat(path))
        except (OSError, StoreError):
            pass  # then whoever uses it finds that the blob is missing
        finally:
            lock.release()

    def views(self, namespace: str) -> Iterator[Finding]:
        folder = folder_of(self._root, namespace)
        for path, _ in files_below(f"{folder}/views"):
            try:
                record = record_from_json(unsealed(read_small(path)[0]))
            except FileNotFoundError:
                continue
            except (DamagedError, OSError) as error:
                yield self._put_aside(path, f"the record of a path is damaged: {error}")
                continue
            file = data_of(self._root, namespace) + record.path
            yield from self._view(path, record, file)

    def _view(self, path: str, record: ViewRecord, file: str) -> Iterator[Finding]:
        fault = ""
        if record.format != NO_VIEW:
            try:
                if not holds(file, record):
                    fault = "it is not what was written there"
            except OSError as error:
                fault = f"it cannot be read: {error.strerror}"
        if not self._is_there(record.blob):
            if not fault and record.content == record.blob and self._mend:
                self._restore(file, record.blob)
                yield Finding(record.path, f"its blob {record.blob} is missing", "made from it")
                return
            yield self._forgotten(path, record.path, f"its blob {record.blob} is missing")
        elif fault:
            yield self._forgotten(path, file, fault)

    def _forgotten(self, record: str, name: str, fault: str) -> Finding:
        if not self._mend:
            return Finding(name, fault)
        with suppress(FileNotFoundError):
            os.unlink(record)
        return Finding(name, fault, "the next run writes it again")

    def _restore(self, file: str, blob: str) -> None:
        with open(file, "rb") as opened, Staged(f"{self._root}/tmp", 0o444) as staged:
            while piece := opened.read(_PIECE):
                staged.write(piece)
            if staged.finish() == blob:
                staged.commit(self._blob(blob))
                self._gone.discard(blob)

    def histories(self, namespace: str) -> Iterator[Finding]:
        for path, _ in files_below(f"{folder_of(self._root, namespace)}/history"):
            try:
                with open(path, "rb") as file:
                    lines = file.readlines()
            except OSError as error:
                yield self._put_aside(path, f"the history cannot be read: {error.strerror}")
                continue
            sound = [line for line in lines if _is_sealed(line)]
            if len(sound) == len(lines):
                continue
            if self._mend:
                with Staged(f"{self._root}/tmp") as staged:
                    staged.write(b"".join(sound))
                    staged.finish()
                    staged.commit(path)
            lost = len(lines) - len(sound)
            yield Finding(path, f"{lost} lines are damaged", "removed" if self._mend else "")

    def index(self) -> Iterator[Finding]:
        path = f"{self._root}/index/cache.db"
        fault = _fault_of_database(path)
        if fault:
            if self._mend:
                Index(self._root).drop()
            yield Finding(path, fault, "removed: it holds nothing but past runs" * self._mend)

    def _put_aside(self, path: str, fault: str) -> Finding:
        if not self._mend:
            return Finding(path, fault)
        try:
            aside = put_aside(self._root, path)
        except OSError as error:
            return Finding(path, f"{fault}; it cannot be moved: {error.strerror}")
        return Finding(path, fault, f"moved to {aside}")

    def _is_there(self, blob: str) -> bool:
        return blob not in self._gone and os.path.exists(self._blob(blob))

    def _blob(self, name: str) -> str:
        return blob_file(self._root, name)


def _fault_of_blob(path: str, name: str) -> str:
    """Raises OSError."""
    if not is_name(name):
        return "no blob is called that"
    return "" if hash_of(path) == name else "its content does not fit its name"


def _fault_of_database(path: str) -> str:
    import sqlite3

    if not os.path.exists(path):
        return ""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True)) as database:
            found = database.execute("pragma integrity_check").fetchone()[0]
    except sqlite3.Error as error:
        return "" if "locked" in str(error) else f"the index is damaged: {error}"
    return "" if found == "ok" else f"the index is damaged: {found}"


def _is_sealed(line: bytes) -> bool:
    try:
        unsealed(line)
    except DamagedError:
        return False
    return True
