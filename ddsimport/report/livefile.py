"""What a run that is under way tells those who watch: its events as they happen.

A run leaves its events to the index when it ends. To see it before, somebody has to ask: while
`ddsimport ui` is open it touches `live/asked` in the store every few seconds. A run looks there
when it begins to evaluate a step, and when it has evaluated one (a `stat`, 2 µs against an
evaluation and the keeping of its value); asked within the last half minute, it writes all events so
far to a file of its own, `live/<pid>-<random>`, and from then on each event as it comes. So a run
of hits does nothing of this, a run that nobody watches writes nothing, and a page that is opened
later sees all from the beginning. The file is locked as long as the run lives, by which a watcher
knows those of killed runs; it is removed at the end, when the index has the run.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress

from ddsimport.store.atomic import make_folder
from ddsimport.store.flock import try_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.report.events import Event, Run

_LASTS = 30.0
"""Seconds that asking holds."""

_MOST = 10_000
"""Lines of a run; a watcher needs no more, and a loop may make millions."""


class Live:
    """What one run tells. Nothing here raises.

    Args:
        root: the store's folder.
        run: whose events they are.
        head: facts of the run, for the first line.
    """

    def __init__(self, root: str, run: Run, head: dict[str, Any]) -> None:
        self._folder = f"{root}/live"
        self._run = run
        self._head = head
        self._pid = os.getpid()
        self._descriptor = -1
        self._file = ""
        self._left = _MOST

    @property
    def is_watched(self) -> bool:
        """Whether a file is being written."""
        return self._descriptor >= 0

    def begins(self, path: str, module: str, line: int) -> None:
        """A step is about to be evaluated."""
        if self._is_asked():
            told = {"path": path, "module": module, "line": line, "since": time.time()}
            self._write([{"begins": told}])

    def ends(self, event: Event) -> None:
        """A step has ended."""
        if self.is_watched or (event.status != "hit" and self._is_asked(told=event)):
            self._write([event.as_dict()])

    def close(self) -> None:
        """The run has ended."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0 and os.getpid() == self._pid:
            with suppress(OSError):
                os.unlink(self._file)
            with suppress(OSError):
                os.close(descriptor)

    def _is_asked(self, told: Event | None = None) -> bool:
        """Whether somebody watches; then what happened so far, but for `told`, is in the file."""
        if self._descriptor >= 0:
            return True
        try:
            asked = os.stat(f"{self._folder}/asked").st_mtime
        except OSError:
            return False
        if time.time() - asked > _LASTS or os.getpid() != self._pid:
            return False
        self._file = f"{self._folder}/{self._pid}-{os.urandom(4).hex()}"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
        try:
            self._descriptor = os.open(self._file, flags, 0o600)
        except OSError:
            return False
        try_lock(self._descriptor)
        before = [event.as_dict() for event in self._run.events if event is not told]
        self._write([self._head, *before])
        return True

    def _write(self, records: list[dict[str, Any]]) -> None:
        if self._left <= 0 or os.getpid() != self._pid:
            return
        self._left -= len(records)
        lines = "".join(json.dumps(record) + "\n" for record in records)
        with suppress(OSError):
            os.write(self._descriptor, lines.encode())


def ask(root: str) -> None:
    """Have runs of this store tell what they do for the next half minute. Raises OSError."""
    make_folder(f"{root}/live")
    with open(f"{root}/live/asked", "ab"):
        pass
    os.utime(f"{root}/live/asked")
