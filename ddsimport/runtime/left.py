"""What a step leaves on the disk: files written, folders made, names removed; kept, and put back.

A step that writes `report.html` besides giving its value has not been stood in for until the file
is there. So the content of each file that an evaluation leaves is kept as a blob, and a hit puts it
back where it is missing or differs.

What the step found before it counts as an input (`recorder`): the content of a file that it appends
to or renames, that a name was free where it asked for that (`open(…, "x")`, `os.mkdir`), that there
was something to remove.
"""

from __future__ import annotations

import json
import os
import stat as modes
from contextlib import suppress

from blake3 import blake3

from ddsimport.runtime.uncached import UncachedError
from ddsimport.store.trace import LEFT_FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.runtime.recorder import Recording, Written
    from ddsimport.runtime.session import Session

    Effects = tuple[tuple[str, str], ...]

KIND = "left:"
"""What the kinds of these effects begin with."""

_FILE, _FOLDER, _LINK, _REMOVED = LEFT_FILE, KIND + "folder", KIND + "link", KIND + "removed"

MOST = 4 << 30
"""Bytes of files that one step may leave."""

_LARGE = 1 << 20
"""Bytes from which a file's size and time stand for its content."""


def effects(recording: Recording, session: Session) -> Effects:
    """(kind, text) of all that an evaluation left, in the order in which it did.

    Raises:
        UncachedError: something is left that cannot be kept.
        StoreError: the store cannot take it.
    """
    found = []
    size = sum(os.lstat(name).st_size for name in recording.writes if os.path.isfile(name))
    if size > MOST:
        raise UncachedError(
            f"it left {size >> 20:,} MiB of files, of which {MOST >> 20:,} would be kept; write "
            "less, or put `replay=off` in its pragma: a hit then leaves the files alone"
        )
    for name, key in recording.removals.items():
        if not os.path.lexists(name):
            found.append((_REMOVED, _text(path=session.relative(key))))
    for name, written in recording.writes.items():
        with suppress(FileNotFoundError):
            found.append(_left(name, written, session))
    return tuple(found)


def _left(name: str, written: Written, session: Session) -> tuple[str, str]:
    path = session.relative(written.key)
    status = os.lstat(name)
    if modes.S_ISLNK(status.st_mode):
        return _LINK, _text(path=path, target=os.readlink(name))
    if modes.S_ISDIR(status.st_mode):
        return _FOLDER, _text(path=path, mode=_mode(status, 0o777))
    if not modes.S_ISREG(status.st_mode):
        raise UncachedError(
            f"it left {session.relative(name)}, which is no ordinary file; make it outside the step"
        )
    blob, size = session.writable_store().keep_file(name)
    return _FILE, _text(
        path=path,
        blob=blob,
        size=size,
        mode=modes.S_IMODE(status.st_mode) if written.moded else _mode(status, 0o666),
        moded=written.moded,
        moved=written.moved,
        mtime=status.st_mtime_ns,
    )


def _mode(status: os.stat_result, usual: int) -> int | None:
    """The mode of something new; None if it is the usual one under the present umask, which may be
    another next time."""
    from ddsimport.runtime.process import umask  # a run of hits needs it not

    mode = modes.S_IMODE(status.st_mode)
    return None if mode == usual & ~umask() else mode


def _text(**fields: Any) -> str:
    return json.dumps(fields, separators=(",", ":"))


def put_back(left: Effects, session: Session) -> None:
    """Leave on the disk what the evaluation did, where it is not there already.

    Raises:
        OSError, StoreError: it cannot be; then the step itself must tell.
    """
    mine = [pair for pair in left if pair[0].startswith(KIND)]
    # What is removed comes last: if something cannot be put back, the step must find it.
    for kind, text in sorted(mine, key=lambda pair: pair[0] == _REMOVED):
        fields = json.loads(text)
        name = session.absolute(fields["path"])
        if kind == _FILE:
            if not _is_there(name, fields):
                _restore(name, fields, session)
        elif kind == _FOLDER:
            if not os.path.isdir(name):
                os.mkdir(name)
                if fields["mode"] is not None:
                    os.chmod(name, fields["mode"])
        elif kind == _LINK:
            if not os.path.islink(name) or os.readlink(name) != fields["target"]:
                with suppress(FileNotFoundError):
                    os.unlink(name)
                os.symlink(fields["target"], name)
        elif os.path.isdir(name) and not os.path.islink(name):
            os.rmdir(name)
        elif os.path.lexists(name):
            os.unlink(name)


def names_of(left: Effects, session: Session) -> tuple[list[str], list[str]]:
    """The names, as a recording has them, of what is left and of what is removed."""
    written: list[str] = []
    removed: list[str] = []
    for kind, text in left:
        if kind.startswith(KIND):
            (removed if kind == _REMOVED else written).append(
                session.absolute(json.loads(text)["path"])
            )
    return written, removed


def _is_there(name: str, fields: dict[str, Any]) -> bool:
    try:
        status = os.lstat(name) if fields["moved"] else os.stat(name)
    except FileNotFoundError:
        return False
    if fields["moved"] and status.st_nlink > 1:
        return False  # what is written to the other name would show here
    if not modes.S_ISREG(status.st_mode) or status.st_size != fields["size"]:
        return False
    if fields["moded"] and modes.S_IMODE(status.st_mode) != fields["mode"]:
        return False
    if status.st_size >= _LARGE and status.st_mtime_ns == fields["mtime"]:
        return True
    return bool(blake3().update_mmap(name).hexdigest() == fields["blob"])


def _restore(name: str, fields: dict[str, Any], session: Session) -> None:
    """In place, as the step does: a link stays a link, and who holds the file open sees it. But for
    what was renamed to this name, which is another file than the one that had it."""
    assert session.store is not None
    content = session.store.file_content(fields["blob"], fields["size"])
    if fields["moved"]:
        if os.path.isdir(name) and not os.path.islink(name):
            raise IsADirectoryError(name)
        with suppress(FileNotFoundError):
            os.unlink(name)
    moded = fields["moded"] or (not os.path.exists(name) and fields["mode"] is not None)
    with open(name, "wb") as file:
        file.write(content)
    if moded and modes.S_IMODE(os.stat(name).st_mode) != fields["mode"]:
        os.chmod(name, fields["mode"])
    os.utime(name, ns=(fields["mtime"], fields["mtime"]))
