"""What goes to standard output and error past Python's streams: of native code, of children.

Where a descriptor is a file, its position says how much was written, and the file says what: what
lies between two writes by the streams is somebody else's. Nothing is put in place of a descriptor,
so nothing is lost and native code sees what it would see. The write by a stream is seen on the
stream's lowest layer.

Not seen: what is written past the streams to a pipe or a terminal. Seen but not told apart: what is
written at the end of a file that others may write to (`>>`).
"""

from __future__ import annotations

import os
import stat as modes
import sys
from contextlib import nullcontext
from io import BufferedWriter

from ddsimport.report import terminal
from ddsimport.runtime import output, recorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Tell = Callable[[str, str | None], None]

_watches: list[_Watch] = []
_shadowed: list[Any] = []
_settled = True
"""Whether nobody writes any more who began before the descriptors were followed (see `settle`)."""


class _Watch:
    """A file that one or both descriptors write to.

    Invariant: all before `position` has been told, or was written by the streams. None if nobody
    knows it any more: the program has put something else in the place of the descriptor, which may
    be a pipe or another file (as is done to capture what native code prints).
    """

    def __init__(self, descriptor: int, appends: bool, tell: Tell) -> None:
        self.descriptor = descriptor
        self.appends = appends
        self.tell = tell
        self._file = _file_of(descriptor)
        self.position = self.position_now()

    def position_now(self) -> int | None:
        try:
            if _file_of(self.descriptor) == self._file:
                return os.lseek(self.descriptor, 0, os.SEEK_CUR)
        except OSError:  # closed
            pass
        return None

    def look(self) -> None:
        """Tell what has been written since by others."""
        with recorder.lock:
            if _settled:
                self._look()

    def _look(self) -> None:
        before, now = self.position, self.position_now()
        if now == before is not None:
            return
        self.position = now
        name = output.name_of_descriptor(self.descriptor)
        if before is None or now is None or now < before or self.appends:
            self.tell(name, None)
            return
        try:
            with open(f"/proc/self/fd/{self.descriptor}", "rb") as file:
                file.seek(before)
                written = file.read(now - before)
        except OSError:
            self.tell(name, None)
        else:
            self.tell(name, written.decode("latin-1"))


class _Write:
    """Stands in for `write` of the lowest layer of a stream."""

    def __init__(self, raw: Any, watch: _Watch) -> None:
        self.original = raw.write
        self.watch = watch

    def __call__(self, *arguments: Any) -> Any:
        with recorder.lock:
            self.watch.look()
            written = self.original(*arguments)
            if self.watch.appends or not isinstance(written, int):
                self.watch.position = self.watch.position_now()
            elif self.watch.position is not None:
                self.watch.position += written
        return written


class own_text:  # noqa: N801 - used as `with own_text():`
    """What is written meanwhile is ours (see `report.terminal`), and no step's."""

    def __enter__(self) -> None:
        output.make_way()
        look()
        self._unrecorded = recorder.unrecorded()
        self._unrecorded.__enter__()

    def __exit__(self, *_: object) -> None:
        _forget_till_now()
        self._unrecorded.__exit__()


def begin(tell: Tell) -> None:
    """Follow the descriptors until `end`.

    Args:
        tell: told the name of a descriptor and what was written, as latin-1; None if nobody knows.
    """
    global _settled
    terminal.aside = own_text
    if sys.platform != "linux":
        return
    watched: dict[tuple[int, int], _Watch] = {}
    for descriptor in (1, 2):
        try:
            if not modes.S_ISREG(os.fstat(descriptor).st_mode):
                continue
            file = _file_of(descriptor)
            if file not in watched:
                watched[file] = _Watch(descriptor, _appends(descriptor), tell)
                _watches.append(watched[file])
        except OSError:  # closed
            continue
    for raw, _ in _layers():
        try:
            raw.write = _Write(raw, watched[_file_of(raw.fileno())])
        except (OSError, ValueError, AttributeError, KeyError):
            continue
        _shadowed.append(raw)
    if _watches:
        _settled = False
        output.before_write = look


def settle() -> None:
    """Wait for who has begun to write before the descriptors were followed: that is no stranger's.

    Not with `recorder.lock` held, for which each later write by a stream waits.
    """
    global _settled
    if _settled:
        return
    for raw, buffer in _layers():
        if type(buffer) is BufferedWriter and any(raw is other for other in _shadowed):
            try:
                BufferedWriter.write(buffer, b"")  # which waits for its lock, and does no more
            except (ValueError, RuntimeError):  # closed; or amid a write in this very thread
                continue
    with recorder.lock:
        if not _settled:
            _settled = True
            _forget_till_now()


def look() -> None:
    """Tell what has been written until now."""
    for watch in _watches:
        watch.look()


def _forget_till_now() -> None:
    for watch in _watches:
        watch.position = watch.position_now()


def end() -> None:
    """Give the streams their own `write` back."""
    terminal.aside = nullcontext
    output.before_write = output.nothing
    for raw in _shadowed:
        if isinstance(raw.__dict__.get("write"), _Write):
            del raw.write
    _shadowed.clear()
    _watches.clear()


def follows(descriptor: int) -> bool:
    """Whether all that is written to a descriptor is told."""
    return any(watch.descriptor == descriptor and not watch.appends for watch in _watches)


def _layers() -> Iterator[tuple[Any, Any]]:
    """The lowest layers of the streams, each once, and what lies upon it."""
    found: list[Any] = []
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        buffer: Any = getattr(stream, "buffer", None)
        layer = getattr(buffer, "raw", buffer)
        if layer is not None and not any(layer is other for other in found):
            found.append(layer)
            yield layer, buffer


def _file_of(descriptor: int) -> tuple[int, int]:
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino


def _appends(descriptor: int) -> bool:
    import fcntl

    return bool(fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_APPEND)
