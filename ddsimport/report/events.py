"""Events, and the run that collects them.

Everything here may be called from any thread, from a finalizer in the middle of anything, and in
a process whose standard error is closed: nothing here raises, and nothing waits.
"""

from __future__ import annotations

import sys
from _thread import RLock

from ddsimport.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from ddsimport.report.livefile import Live

    Status = Literal["hit", "computed", "failed", "uncached"]


KEPT_WITHOUT_REPORT = 10_000
"""Events that are kept one by one where no report was asked for; a loop over a marked function may
make millions, and what the summary needs of them is counted as they come."""

FORCED = "asked for by --force"
EXPIRED = "its value was older than its `ttl=`"
LOST = "its value could not be loaded: "
"""What the reasons begin with of steps that were evaluated though there was a value."""


class Event(Record):
    """What became of one step, once.

    Attributes:
        path: the artifact's path, such as `/wine/model`.
        module: the module's name as the program knows it, such as `__main__`.
        line: the step's line in the module's file.
        status: `hit` (came from the store), `computed` (evaluated and kept), `failed` (raised) or
            `uncached` (evaluated and not kept).
        signature: hexadecimal; empty if there is none.
        seconds: what the step took in this run.
        saved_seconds: what a hit saved, against its evaluation.
        reason: for people: why it is uncached or failed, or what else is worth saying.
    """

    path: str
    module: str
    line: int
    status: Status
    signature: str
    seconds: float
    saved_seconds: float
    reason: str


class Waiting:
    """A value that is loaded when something but a step reads it.

    Attributes:
        loaded: whether that has happened.
    """

    __slots__ = ("loaded",)

    def __init__(self) -> None:
        self.loaded = False


class Run:
    """What happened in this process so far.

    Attributes:
        events: in order of their ends; all of them if a report was asked for.
        counts: how often each status occurred.
        seconds: spent in all steps but hits.
        saved_seconds: saved by all hits.
        problems: uncached and failed steps, each (path, module, line, status, reason) with how
            often it occurred.
        waiting: hits whose values are not loaded before something but a step reads them.
        at_end: called when the program has ended, before the summary; what they raise is dropped.
        live: tells those who watch; made when a step is first evaluated.
        in_child: this is a worker process: it keeps silent unless `verbose`, and writes no report.
        told: what happened was told as it went; no summary is left for the end.
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        verbose: bool = False,
        report: str | None = None,
        in_child: bool = False,
    ) -> None:
        # The interpreter's own -q: "don't print messages on startup"; those who give it want peace.
        self.quiet = quiet or bool(sys.flags.quiet)
        self.verbose = verbose and not self.quiet
        self.report = report
        self.in_child = in_child
        self.told = False
        self.events: list[Event] = []
        self.counts: dict[Status, int] = {"hit": 0, "computed": 0, "failed": 0, "uncached": 0}
        self.seconds = 0.0
        self.saved_seconds = 0.0
        self.problems: dict[tuple[str, str, int, Status, str], int] = {}
        self.waiting: list[tuple[Event, Waiting]] = []
        self.at_end: list[Callable[[], object]] = []
        self.live: Live | None = None
        self._said: set[str] = set()
        # Reentrant: a finalizer that the garbage collector runs inside `add` may add an event. Not
        # by way of `threading`, which once imported takes part in how the interpreter shuts down.
        self._lock = RLock()

    def add(self, event: Event, waiting: Waiting | None = None) -> None:
        """A step has ended; of a value that is not loaded, `waiting` will say whether it is."""
        with self._lock:
            self.counts[event.status] += 1
            if event.status == "hit":
                self.saved_seconds += event.saved_seconds
            else:
                self.seconds += event.seconds
            if event.status in ("failed", "uncached"):
                problem = (event.path, event.module, event.line, event.status, event.reason)
                self.problems[problem] = self.problems.get(problem, 0) + 1
            if self.report is not None or len(self.events) < KEPT_WITHOUT_REPORT:
                self.events.append(event)
                if waiting is not None:
                    self.waiting.append((event, waiting))
            if self.live is not None:
                self.live.ends(event)
        if self.verbose:
            from ddsimport.report.terminal import line_of, write

            write(line_of(event, loaded=waiting is None))

    def say(self, key: str, message: str) -> None:
        """Tell the user something, at once; only the first message of each `key` is told.

        Args:
            key: what the message is about.
            message: one sentence with the step and the remedy.
        """
        with self._lock:
            if key in self._said:
                return
            self._said.add(key)
        if self.quiet or (self.in_child and not self.verbose):
            return
        from ddsimport.report.terminal import write

        write(f"ddsimport: {message}\n")

    def end(self) -> None:
        """The program has ended: close what waits for it, tell the summary, write the report."""
        for closing in self.at_end:
            try:
                closing()
            except Exception as error:
                self.say(f"end {closing!r}", f"the run was not closed well: {error!r}")
        if self.in_child:
            return
        from ddsimport.report.terminal import summary, table_of, write, write_report

        if self.report is not None:
            try:
                write_report(self, self.report)
            except OSError as error:
                reason = error.strerror or str(error)
                self.say("report", f"the report cannot be written: {self.report}: {reason}")
            except Exception as error:  # the program may have patched what we write it with
                self.say("report", f"the report cannot be written: {self.report}: {error!r}")
        if not self.quiet and not self.told:
            _flush_standard_output()
            write(table_of(self) + summary(self))


def _flush_standard_output() -> None:
    """Let what the program printed come before the summary where both go to one place.

    The interpreter does the same a moment later; what fails here stays in the buffer, and fails
    there as it would have failed anyway.
    """
    try:
        sys.stdout.flush()
    except Exception:
        return
