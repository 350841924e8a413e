"""A run, told to people on standard error and to machines in a file."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import nullcontext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Any

    from ddsimport.report.events import Event, Run

REPORT_VERSION = 1
SHOWN_PATHS = 20
"""Paths in the table: those that took or saved most."""
_WORTH_RICH = 2.0
"""Seconds that steps took, after which nobody minds the tenth that `rich` takes to import."""
SHOWN_PROBLEMS = 10
"""Problems that the summary lists; the others are counted and are in the report."""


def summary(run: Run) -> str:
    """A short text for standard error; empty when no step ran."""
    counts = run.counts
    total = sum(counts.values())
    if not total:
        return ""
    parts = [_counted(counts["hit"], "hit")] if counts["hit"] else []
    parts += [
        f"{counts[status]} {status}"
        for status in ("computed", "uncached", "failed")
        if counts[status]
    ]
    times = []
    if counts["hit"]:
        times.append(f"{duration(run.saved_seconds)} saved")
    if counts["hit"] != total:
        times.append(f"{duration(run.seconds)} spent")
    lines = [f"ddsimport: {_counted(total, 'step')}: {', '.join(parts)}; {', '.join(times)}"]
    for problem, times_seen in list(run.problems.items())[:SHOWN_PROBLEMS]:
        path, module, line, status, reason = problem
        again = f" ({times_seen} times)" if times_seen > 1 else ""
        lines.append(f"  {status} {path} ({module}:{line}){again}: {reason}")
    if run.verbose:
        waiting = [event.path for event, value in run.waiting if not value.loaded]
        if waiting:
            lines.append(f"  never loaded: {', '.join(waiting)}")
    hidden = len(run.problems) - SHOWN_PROBLEMS
    if hidden > 0:
        lines.append(f"  and {hidden} more: --report FILE has them all")
    return "\n".join(lines) + "\n"


def table_of(run: Run) -> str:
    """What became of each path, where people look: on a terminal, if there are several."""
    stream = sys.__stderr__
    if run.verbose or stream is None or stream.closed or not stream.isatty():
        return ""
    from ddsimport.report import table

    rows = _rows(run)
    if len(rows) < 2 or not table.is_terminal(stream):
        return ""
    # A warm run is over before `rich` is imported.
    quickly = run.seconds < _WORTH_RICH
    left_out = len(rows) - SHOWN_PATHS
    dear = sorted(rows, key=lambda path: -max(rows[path][1:]))[:SHOWN_PATHS]
    shown = [path for path in rows if path in set(dear)]
    colours = {"hit": table.GOOD, "failed": table.BAD, "uncached": table.STRONG}
    cells = [
        (path, what, duration(took) if took else "", duration(saved) if saved else "")
        for path in shown
        for what, took, saved in [rows[path]]
    ]
    drawn = table.shown(
        ("path", "", "took", "saved"),
        cells,
        right=(2, 3),
        colours=[colours.get(rows[path][0].partition(" ")[0], "") for path in shown],
        stream=stream,
        quickly=quickly,
    )
    return f"{drawn}\n" + (f"and {left_out} more paths\n" if left_out > 0 else "")


def _rows(run: Run) -> dict[str, tuple[str, float, float]]:
    """Path -> what happened, the seconds it took, the seconds it saved."""
    rows: dict[str, tuple[str, float, float]] = {}
    counts: dict[str, dict[str, int]] = {}
    for event in run.events:
        _, took, saved = rows.get(event.path, ("", 0.0, 0.0))
        count = counts.setdefault(event.path, {})
        count[event.status] = count.get(event.status, 0) + 1
        what = ", ".join(
            status if count == {status: 1} else f"{status} {times}x"
            for status, times in count.items()
        )
        if event.status == "hit":
            saved += event.saved_seconds
        else:
            took += event.seconds
        rows[event.path] = what, took, saved
    return rows


def line_of(event: Event, *, loaded: bool = True) -> str:
    """One step in one line, for `-v`; a hit may wait to be loaded."""
    if event.status == "hit":
        time = f"{duration(event.saved_seconds)} saved"
    else:
        time = duration(event.seconds)
    if not loaded:
        time += ", not loaded yet"
    reason = f": {event.reason}" if event.reason else ""
    return (
        f"ddsimport: {event.status:<8} {event.path} ({event.module}:{event.line}), {time}{reason}\n"
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(seconds: float) -> str:
    """`seconds` as a person would say it, such as `3.2 ms`, `4.7 s`, `12 min 5 s`, `2 h 8 min`."""
    if seconds < 0.9995:
        return f"{round(seconds * 1000, 3):.3g} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


aside: Callable[[], AbstractContextManager[None]] = nullcontext
"""Made and entered around each text of ours: whoever records what the program prints (see
`runtime.descriptors`) puts a context here in which it does not count."""


stream: Any = None
"""Where all text goes in an interactive session, whose standard error is no descriptor."""


def write(text: str) -> None:
    """Send text to standard error, or nowhere if that is closed or broken.

    To the stream that the process was started with, also where the program has put its own in the
    place of `sys.stderr`: what it collects there must be what it would collect without us. And past
    that stream's buffer: text that cannot be delivered must not stay there, or the interpreter's
    last flush fails and the program ends with exit code 120.
    """
    if stream is not None and text:
        _write_to_session(text)
        return
    own = sys.__stderr__
    if not text or own is None:
        return
    try:
        data = text.encode(own.encoding or "utf-8", "backslashreplace")
        with aside():
            own.flush()
            descriptor = own.fileno()
            while data:
                data = data[os.write(descriptor, data) :]
    except (OSError, ValueError):  # ValueError: the stream is closed
        return


def _write_to_session(text: str) -> None:
    try:
        with aside():
            stream.write(text)
            stream.flush()
    except (OSError, ValueError):  # the session has ended
        return


def write_report(run: Run, file: str) -> None:
    """Write the run as JSON: `{"version": 1, "steps": [...]}`, in order of execution.

    A reader sees the old report or the new one, never a part. What is no ordinary file
    (`/dev/stdout`, a named pipe) is written to as it is.

    Raises:
        OSError: the file cannot be written.
    """
    text = report_of(run)
    file = os.path.realpath(file)
    if os.path.exists(file) and not stat.S_ISREG(os.stat(file).st_mode):
        with open(file, "w", encoding="utf-8") as target:
            target.write(text)
        return
    temporary = f"{file}.{os.getpid()}.tmp"
    try:
        with open(temporary, "w", encoding="utf-8") as target:
            target.write(text)
        os.replace(temporary, file)
    except BaseException:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise


def report_of(run: Run) -> str:
    """The report's text: one line per step."""
    import json

    unloaded = {id(event) for event, value in run.waiting if not value.loaded}
    steps = [
        json.dumps({**event.as_dict(), "loaded": id(event) not in unloaded}) for event in run.events
    ]
    listed = "[\n" + ",\n".join(steps) + "\n]" if steps else "[]"
    return f'{{"version": {REPORT_VERSION}, "steps": {listed}}}\n'
