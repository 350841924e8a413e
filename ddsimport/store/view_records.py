"""What is noted of a view: which blob it shows, and what its file was like when it was written."""

from __future__ import annotations

import os
import stat

from ddsimport.records import Record
from ddsimport.store.seals import DamagedError
from ddsimport.store.trace import Candidate, is_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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
        folder: whether the view is a folder (see `view_folders`); all this is told of it, then.
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
    folder: bool = False


NO_VIEW = ""
"""The format of a record whose value has no view."""


def record_of(name: str, candidate: Candidate, asked: str | None) -> ViewRecord:
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


def status_of(file: str, record: ViewRecord) -> os.stat_result:
    """The status that tells whether a view is as it was written. Raises OSError."""
    return os.stat(file) if record.folder else os.lstat(file)


def fits(record: ViewRecord, status: os.stat_result) -> bool:
    return (
        status.st_mtime_ns == record.mtime_ns
        and status.st_ctime_ns == record.ctime_ns
        and status.st_size == record.size
        and status.st_ino == record.ino
    )


def with_status(record: ViewRecord, status: os.stat_result) -> ViewRecord:
    return record.replace(
        mtime_ns=status.st_mtime_ns, ctime_ns=status.st_ctime_ns, ino=status.st_ino
    )


def holds(file: str, record: ViewRecord) -> bool:
    """Whether a file has the content of the record. Raises OSError."""
    from ddsimport.store import view_folders
    from ddsimport.store.files import hash_of  # a run of hits needs neither

    if record.folder:
        return os.path.isdir(file) and view_folders.content_of(file) == record.content
    status = os.lstat(file)
    if not stat.S_ISREG(status.st_mode) or status.st_size != record.size:
        return False
    return hash_of(file) == record.content


def record_from_json(fields: dict[str, Any]) -> ViewRecord:
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
        and type(record.folder) is bool
        and (record.asked is None or type(record.asked) is str)
    ):
        return record
    raise DamagedError("a field has a wrong type")
