"""What a recording leaves for later runs, and whether it still holds: verifying traces.

A signature says what a step was *given*; its trace says what it went and looked at. A kept value is
a hit only if every file is what it was and every lazily imported global has the value it had
("Build Systems à la Carte", Mokhov, Mitchell, Peyton Jones, ICFP 2018: verifying traces).
Files inside the project are named relative to it, so that a copied project hits.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from blake3 import blake3

from ddsimport.runtime import recorder
from ddsimport.runtime.uncached import UncachedError
from ddsimport.store.trace import FileRead, Trace

if TYPE_CHECKING:
    from ddsimport.runtime.live import Live
    from ddsimport.runtime.session import Session

_LOAD = "load:"

_CLOCK_RESOLUTION = 2_000_000_000
"""ns. A file written this recently may be written again under the same mtime (FAT keeps two
seconds, ext4 the kernel's tick), so its stat is not kept and the next lookup compares content."""


def trace_of(recording: recorder.Recording, live: Live, session: Session) -> Trace:
    """The trace of an evaluation that has just ended.

    Raises:
        UncachedError: a file changed while the step was evaluated, so nobody knows which content
            it saw.
    """
    files = []
    for name, seen in recording.reads.items():
        stat = recorder.stat_of(name)
        if stat != seen:
            raise UncachedError(f"{session.relative(name)} changed while the step read it")
        if stat is None:
            files.append(FileRead(session.relative(name), None, 0, 0, 0))
        elif os.path.isfile(name):
            mtime_ns, size, inode = stat
            settled = time.time_ns() - mtime_ns > _CLOCK_RESOLUTION
            content = _file_digest(name)
            files.append(
                FileRead(session.relative(name), content, size, mtime_ns if settled else 0, inode)
            )
    variables = [
        (f"{reach.hash.hex()}:{label}", token.hex())
        for reach in list(live.reaches.values())
        for label, token in live.lazy(reach)
    ]
    variables += [(_LOAD + path, blob) for path, blob in recording.loads.items()]
    return Trace(files=tuple(files), variables=tuple(variables), output=tuple(recording.output))


def holds(trace: Trace, live: Live, session: Session) -> bool:
    """True if the world is, for this step, what it was when `trace` was recorded."""
    return all(_unchanged(read, session) for read in trace.files) and (
        not trace.variables or _variables_hold(trace, live, session)
    )


def _unchanged(read: FileRead, session: Session) -> bool:
    name = session.absolute(read.path)
    stat = recorder.stat_of(name)
    if stat is None or read.digest is None:
        return stat is None and read.digest is None
    mtime_ns, size, inode = stat
    if size != read.size:
        return False
    if (mtime_ns, inode) == (read.mtime_ns, read.ino):
        return True
    return _file_digest(name) == read.digest


def _variables_hold(trace: Trace, live: Live, session: Session) -> bool:
    recorded = dict(trace.variables)
    for path, blob in trace.variables:
        if path.startswith(_LOAD) and session.blob_at(path[len(_LOAD) :]) != blob:
            return False
    for reach in list(live.reaches.values()):
        for label, token in live.lazy(reach):
            before = recorded.get(f"{reach.hash.hex()}:{label}")
            if before is not None and before != token.hex():
                return False
    return True


def absorb(trace: Trace, into: recorder.Recording, session: Session) -> None:
    """A hit inside an evaluation: what the inner step once read, the outer one depends on too."""
    for recording in into.chain():
        for read in trace.files:
            name = session.absolute(read.path)
            recording.reads.setdefault(name, recorder.stat_of(name))
        for label, blob in trace.variables:
            if label.startswith(_LOAD):
                recording.loads.setdefault(label[len(_LOAD) :], blob)


_digests: dict[tuple[str, tuple[int, int, int] | None], str] = {}
"""Content digests by path and stat: a file read by ten steps is hashed once."""


def _file_digest(name: str) -> str:
    place = (name, recorder.stat_of(name))
    known = _digests.get(place)
    if known is None:
        known = blake3().update_mmap(name).hexdigest()
        _digests[place] = known
    return known
