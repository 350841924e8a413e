"""What is told after each cell: its steps, on the shell's standard error."""

from __future__ import annotations

import sys
from io import StringIO

from ddsimport.report import terminal
from ddsimport.report.events import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.source.cells import Cells


SHOWN_STEPS = 3
"""How many steps of one cell are told one by one."""


class Telling:
    """Listens to a shell.

    Args:
        run: collects what happens.
        session: is told when a cell ends.
    """

    def __init__(self, run: Run, session: Cells) -> None:
        self.run = run
        self._session = session
        # Where people look; in a cell with `%%capture` that is known when the next one begins.
        self._stream = None if isinstance(sys.stderr, StringIO) else sys.stderr
        self._depth = 0  # a magic may run a cell inside a cell
        self._before = _State(run)

    def listen(self, events: Any) -> None:
        """Be told of each cell, and have all that is said go to the shell's own stream."""
        events.register("pre_run_cell", self._on_begin)
        events.register("post_run_cell", self._on_end)
        terminal.stream = self._stream

    def leave(self, events: Any) -> None:
        """Undo `listen`."""
        events.unregister("pre_run_cell", self._on_begin)
        events.unregister("post_run_cell", self._on_end)
        terminal.stream = None

    def _on_begin(self, info: Any) -> None:
        self._depth += 1
        if self._depth == 1:
            self._before = _State(self.run)
            if self._stream is None:
                self._stream = terminal.stream = sys.stderr

    def _on_end(self, result: Any) -> None:
        # The cell that loads us was begun before; an empty one is not begun, but ended.
        self._depth = max(0, self._depth - 1)
        self._session.end(getattr(result, "success", True))
        if self._depth == 0:
            self.run.told = True  # nothing is left for the end of the session
            if not self.run.quiet and not self.run.verbose:
                terminal.write(self._summary())
            self._before = _State(self.run)

    def _summary(self) -> str:
        """A line for each of a few steps, else one for all."""
        part = self._before.since(self.run)
        events = self.run.events[self._before.events :]
        if len(events) == sum(part.counts.values()) <= SHOWN_STEPS:
            return "".join(terminal.line_of(event) for event in events)
        return terminal.summary(part)


class _State:
    """What a run had counted at some moment."""

    def __init__(self, run: Run) -> None:
        self.events = len(run.events)
        self.counts = dict(run.counts)
        self.seconds = run.seconds
        self.saved_seconds = run.saved_seconds
        self.problems = dict(run.problems)

    def since(self, run: Run) -> Run:
        """What has happened since then, as a run of its own."""
        part = Run()
        part.counts = {status: run.counts[status] - self.counts[status] for status in run.counts}
        part.seconds = run.seconds - self.seconds
        part.saved_seconds = run.saved_seconds - self.saved_seconds
        part.problems = {
            problem: more
            for problem, times in run.problems.items()
            if (more := times - self.problems.get(problem, 0))
        }
        return part
