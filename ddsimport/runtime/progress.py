"""The live line: which step is in progress, for how long, and how long it took before.

Drawn on the line below the cursor, which goes back to where the program left it: what the program
has begun to print there stays. It appears after a second and is gone before anything else is
written: streams that are tapped say so first (`output.make_way`), and so do texts of ours. Where
nobody would tell us, nothing is drawn: where a child may write to the terminal, in a pipeline,
where another program rules the terminal (an editor, a pager, `readline`) or we are in the
background. What native code writes to the terminal meanwhile is not foreseen: it may then meet a
rest of the line.

The clock is a thread that no registry of Python knows (`threading.enumerate`, `active_count`, what
is joined at exit). It takes no signals, and is gone before the process forks: a fork of a process
with several threads is a warning from Python 3.12 on.
"""

from __future__ import annotations

import os
import stat as modes
import sys
from _thread import RLock, allocate_lock, get_native_id, start_new_thread
from contextlib import suppress
from time import perf_counter, sleep

from ddsimport.errors import StoreError
from ddsimport.report.terminal import duration
from ddsimport.runtime import output, recorder
from ddsimport.store.history import History  # now, and not by the clock amid the step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType
    from typing import Any

    from ddsimport.runtime.session import Session

_QUICK = 1.0
"""Seconds of a step of which nothing is said; and after which the line comes back once the program
has printed something."""
_TICK = 0.5
_IDLE = 10
"""Ticks without a step after which the clock stops."""

# Make room below the cursor, remember it, write there, go back. And the same to clear it.
_DRAWN = b"\x1bD\x1b[A\x1b7\x1b[B\r%b\x1b[K\x1b8"
_ERASED = b"\x1b7\x1b[B\r\x1b[2K\x1b8"
_STEPPED_ON = b"\r\x1b[2K"
"""Clears the line where the cursor is, since the user has pressed Enter meanwhile."""

_Place = tuple[str, int]


class InProgress:
    """A step in progress.

    Attributes:
        expected: seconds that it took before; None while that is not known, 0.0 if nobody knows.
    """

    __slots__ = ("expected", "history", "path", "place", "started")

    def __init__(self, path: str, place: _Place, history: History | None) -> None:
        self.path = path
        self.place = place
        self.history = history
        self.started = perf_counter()
        self.expected: float | None = None


_lock = RLock()  # reentrant: the garbage collector may end an evaluation anywhere
_steps: list[InProgress] = []
_took: dict[_Place, float] = {}
"""Where a step stands -> seconds of its last evaluation in this process: of one in a loop, whose
path is another each time."""
_descriptor: int | None = None
"""Of the terminal; None if nothing is shown in this process."""
_keyboard: int | None = None
"""The descriptor of standard input, if that is the same terminal."""
_typed_before = 0
_asked = False
_drawn = b""
"""What is on the terminal now."""
_not_before = 0.0
_begun = 0
"""How many letters of a line the program has begun, as far as that is known."""
_stands_aside = False
_stopping: LockType | None = None
"""Released to stop the clock; None if there is none."""
_thread_of_clock = 0


def begin(session: Session, path: str, module: str, line: int) -> InProgress | None:
    """A step is evaluated from now on. Never raises."""
    global _asked, _descriptor
    try:
        if not _asked:
            _asked = True
            run = session.run
            if not (run.quiet or run.verbose or run.in_child):
                _descriptor = _terminal()
            if _descriptor is not None:
                _take_part()
                run.at_end.append(stop)
        if (
            _descriptor is None
            or sys.stdout is not sys.__stdout__  # whose texts nobody would tell us of
            or sys.stderr is not sys.__stderr__
        ):
            return None
        store = session.store
        history = store.history if store is not None and store.on_disk else None
        shown = InProgress(path, (module, line), history)
        with _lock:
            _steps.append(shown)
            if _stopping is None and not _stands_aside:
                _start()
    except Exception:
        return None
    return shown


def end(shown: InProgress | None) -> None:
    """The step has ended. Never raises."""
    global _stands_aside
    if shown is None:
        return
    with suppress(Exception), _lock:
        _took[shown.place] = perf_counter() - shown.started
        if shown in _steps:
            _steps.remove(shown)
        _erase()
        if not _steps:
            _stands_aside = False


def _make_way(written: Any = "") -> None:
    """Something is about to be written; of a text of ours, only that it is."""
    global _not_before, _begun
    if _steps:
        with suppress(Exception), _lock:
            _erase()
            _not_before = perf_counter() + _QUICK
            text = written if isinstance(written, str) else bytes(written).decode("latin-1")
            begun = max(text.rfind("\n"), text.rfind("\r"))
            _begun = len(text) - begun - 1 + (_begun if begun < 0 else 0)


def _stand_aside() -> None:
    """A child is about to be started, which may write to the terminal at any time: nothing is drawn
    before the steps in progress have ended."""
    global _stands_aside
    if _steps:
        with suppress(Exception), _lock:
            _erase()
            _stands_aside = True


# --- the terminal ---------------------------------------------------------------------------------


def _terminal() -> int | None:
    """The descriptor of standard error, if a line may come and go there."""
    error, out = sys.__stderr__, sys.__stdout__
    if os.name != "posix" or error is None or out is None:
        return None
    if os.environ.get("TERM", "dumb") == "dumb" or not error.isatty():
        return None
    kind = os.fstat(out.fileno()).st_mode
    # Who reads a pipe may write to the terminal whenever it likes: `python … | sort`.
    if not (out.isatty() or modes.S_ISREG(kind) or _is_null(out.fileno())):
        return None
    import fcntl  # noqa: F401  # now, and not by the clock amid the step
    import termios  # noqa: F401

    global _keyboard
    with suppress(OSError, ValueError):
        if sys.__stdin__ is not None and sys.__stdin__.isatty():
            _keyboard = sys.__stdin__.fileno()
            if os.fstat(_keyboard).st_rdev != os.fstat(error.fileno()).st_rdev:
                _keyboard = None
    return error.fileno()


def _is_null(descriptor: int) -> bool:
    return os.path.samestat(os.fstat(descriptor), os.stat(os.devnull))


def _take_part() -> None:
    """Be told of what is written, and of forks."""
    output.make_way = _make_way
    output.stand_aside = _stand_aside
    os.register_at_fork(before=_before_fork, after_in_child=_forget)


def _is_free(descriptor: int) -> bool:
    """Whether the terminal is in the state in which programs print, and is ours."""
    import termios

    if not termios.tcgetattr(descriptor)[3] & termios.ICANON:
        return False
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:  # not the terminal that we are controlled from
        return True


def _has_children() -> bool:
    """Whether children of earlier on may write to the terminal; of new ones `_stand_aside` is
    told."""
    try:
        task = f"/proc/self/task/{os.getpid()}/children"
        with open(task) as file:
            children = file.read().split()
    except OSError:
        return False
    return any(map(_may_write, children))


def _may_write(child: str) -> bool:
    """Whether a child has the terminal as its standard output or error."""
    with suppress(OSError):
        with open(f"/proc/{child}/cmdline", "rb") as file:
            if b"resource_tracker" in file.read():  # of multiprocessing; it is there to the end
                return False
        ours = os.fstat(_descriptor or 2)
        for descriptor in (1, 2):
            with suppress(OSError):
                if os.path.samestat(os.stat(f"/proc/{child}/fd/{descriptor}"), ours):
                    return True
    return False


def _typed() -> int:
    """How many bytes of whole lines have been typed and wait to be read."""
    if _keyboard is None:
        return 0
    import fcntl
    import termios

    try:
        answer = fcntl.ioctl(_keyboard, termios.FIONREAD, bytes(4))
    except OSError:
        return 0
    return int.from_bytes(answer, sys.byteorder)


def _erase() -> None:
    global _drawn
    if _drawn and _descriptor is not None:
        _drawn = b""
        if _is_free(_descriptor):
            os.write(_descriptor, _STEPPED_ON if _typed() > _typed_before else _ERASED)


def _draw(descriptor: int) -> None:
    """Draw the line, if there is one to draw; the caller holds the lock."""
    global _drawn, _typed_before
    if _drawn and _typed() > _typed_before:
        _erase()
    now = perf_counter()
    shown = next((each for each in reversed(_steps) if now - each.started >= _QUICK), None)
    if shown is None or _stands_aside or now < _not_before or output.is_writing():
        return
    if not _is_free(descriptor) or _has_children():
        _erase()
        return
    columns = os.get_terminal_size(descriptor).columns
    if columns < 2 or (_begun and _begun % columns == 0):
        return  # a cursor behind the last column would not come back there
    data = _text(shown, now - shown.started, columns - 1).encode(
        getattr(sys.__stderr__, "encoding", "ascii"), "replace"
    )
    if data != _drawn:
        os.write(descriptor, _DRAWN % data)
        _drawn, _typed_before = data, _typed()


def _text(shown: InProgress, elapsed: float, columns: int) -> str:
    """The line; where it does not fit, less of the step's name: the times are why one looks."""
    if shown.expected is None:
        shown.expected = _took.get(shown.place, 0.0)
        if shown.history is not None:
            with suppress(StoreError):
                before = next(shown.history.versions(shown.path), None)
                shown.expected = before.seconds if before is not None else shown.expected
    name = f"ddsimport: {shown.path} ({shown.place[0]}:{shown.place[1]})"
    times = f": {_rough(elapsed)}"
    if shown.expected >= _QUICK:
        left = shown.expected - elapsed
        times += f", about {_rough(left)} left" if left >= 1 else ""
        times += f"; it took {_rough(shown.expected)} before" if left <= -1 else ""
    name = "".join(letter if letter.isprintable() else "?" for letter in name)
    return _cut(_cut(name, columns - len(times)) + times, columns)


def _cut(text: str, columns: int) -> str:
    """As much of a text as fits for certain: of other scripts a letter may take two columns."""
    for end, letter in enumerate(text):
        columns -= 1 if letter.isascii() else 2
        if columns < 0:
            return text[:end]
    return text


def _rough(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 59.5 else duration(seconds)


# --- the clock ------------------------------------------------------------------------------------


def _start() -> None:
    """Start the clock; the caller holds the lock."""
    global _stopping
    stopping = allocate_lock()
    stopping.acquire()
    with recorder.unrecorded():
        start_new_thread(_run, (stopping,))
    _stopping = stopping


def _run(stopping: LockType) -> None:
    global _thread_of_clock, _stopping
    _thread_of_clock = get_native_id()
    idle = 0
    with suppress(Exception), recorder.unrecorded():
        _take_no_signals()
        while not stopping.acquire(timeout=_TICK):
            with _lock:
                idle = 0 if _steps else idle + 1
                if _stopping is not stopping or _descriptor is None or idle > _IDLE:
                    break
                with suppress(OSError):
                    _draw(_descriptor)
    with _lock:
        if _stopping is stopping:
            _stopping = None


def _take_no_signals() -> None:
    """They are for the program's own threads: a call that waits there would not be interrupted."""
    signals: Any = __import__("_signal")  # what `signal` wraps in enumerations, for 3 ms
    signals.pthread_sigmask(signals.SIG_BLOCK, signals.valid_signals())


def stop() -> None:
    """Stop the clock, and wait until the thread is gone."""
    global _stopping
    with _lock:
        stopping, _stopping = _stopping, None
        _erase()
    if stopping is None:
        return
    stopping.release()
    for _ in range(200):  # a tenth of a second at most
        if not _is_there(_thread_of_clock):
            return
        sleep(0.0005)


def _is_there(thread: int) -> bool:
    if sys.platform != "linux":
        return False
    with recorder.unrecorded():
        return os.path.exists(f"/proc/self/task/{thread}")


def _before_fork() -> None:
    _stand_aside()
    with suppress(Exception):
        stop()


def _forget() -> None:
    """This process is a child: the line is its parent's."""
    global _lock, _descriptor, _drawn, _stopping
    _lock = RLock()
    _descriptor, _stopping, _drawn = None, None, b""
    _steps.clear()
    output.make_way = output.stand_aside = output.nothing
