"""Whose doing it is what a thread does: that of the evaluation which the thread was started in.

A thread that was there before may work for an evaluation, too. If it runs code of the project, the
evaluation's code must have given it that to do (by a pool, a queue): whether it can reach a means
to is told by the names in it. If it runs a library's alone, any call of the library may have (zarr
and fsspec have a thread for what they read and write, from when they are first used).
"""

from __future__ import annotations

import sys
from _thread import get_ident
from _weakref import ref  # `weakref` imports more
from importlib import import_module
from types import FrameType

from ddsimport.source.tracked import is_tracked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ddsimport.runtime.live import Live
    from ddsimport.runtime.recorder import Recording

_started: dict[int, tuple[ref[Any], Recording]] = {}
"""Identity of a `threading.Thread` -> it, and what it was started in, while anything is recorded.
(By identity: a program's own class may compare its threads as it likes.)"""


PERHAPS = "may have had another thread or task print or write something, as one did meanwhile"
"""Why a step is not kept."""


def note_start(function: Any, recording: Recording | None) -> None:
    """A thread is about to be started.

    Args:
        function: what it will call; of a `threading.Thread`, a method of that.
        recording: what it is started in, if in anything.
    """
    thread = getattr(function, "__self__", None)
    if thread is not None and recording is not None:
        _started[id(thread)] = ref(thread), recording


def watch(tell: Callable[[Any], None]) -> None:
    """Something is recorded from now on, which has started none yet.

    Args:
        tell: is called with the function of each thread that is about to be started where there is
            no audit event for that (before Python 3.12), until `unwatch`.
    """
    _started.clear()
    if sys.version_info < (3, 12):
        threading: Any = import_module("threading")
        start = threading._start_new_thread

        def told_start(function: Any, *arguments: Any) -> Any:
            tell(function)
            return start(function, *arguments)

        threading._start_new_thread = told_start
        _watched.append((start, told_start))


def unwatch() -> None:
    """Nothing is recorded any more."""
    while _watched:
        start, told_start = _watched.pop()
        threading: Any = sys.modules["threading"]
        if threading._start_new_thread is told_start:  # else the program has patched it since
            threading._start_new_thread = start


_watched: list[tuple[Any, Any]] = []


def started_in(thread: Any) -> Recording | None:
    """What a `threading.Thread` was started in."""
    known = _started.get(id(thread))
    return known[1] if known is not None and known[0]() is thread else None


def current() -> Any:
    """The `threading.Thread` that this is; None if it was started in some other way."""
    threading: Any = sys.modules.get("threading")
    thread = None if threading is None else threading._active.get(get_ident())
    return None if thread is None or isinstance(thread, threading._DummyThread) else thread


def runs_own_code() -> bool:
    """Whether it is code of the project that this thread, or the task in it, is running."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if is_tracked(code.co_filename):
            return True
        if code.co_name == "_run" and frame.f_globals.get("__name__") == "asyncio.events":
            return False  # below it, the loop runs, and whoever runs that
        frame = frame.f_back
    return False


def may_ask_others(live: Live) -> bool:
    """Whether code may have threads or tasks do something for it that were there before."""
    if live.uncounted or any(reach.notes for reach in live.reaches.values()):
        return True  # a pool in a global is no value; and whatever runs where nobody can look
    return any(
        name.rpartition(".")[2] in _MEANS or name.partition(".")[0] in _LIBRARIES
        for name in live.installed()
    )


_MEANS = frozenset(
    {"Barrier", "BoundedSemaphore", "Condition", "Event", "Executor", "Future", "LifoQueue", "Pool",
     "PriorityQueue", "Queue", "Semaphore", "SimpleQueue", "ThreadPool", "ThreadPoolExecutor",
     "call_soon_threadsafe", "current_task", "get_event_loop", "get_running_loop", "all_tasks",
     "run_coroutine_threadsafe", "socketpair", "pipe"}
)  # fmt: skip
"""By what threads and tasks are asked and answered: a pool or queue that code reaches is made
somewhere in its reach."""

_LIBRARIES = frozenset(
    {"anyio", "celery", "dask", "distributed", "eventlet", "gevent", "ray", "tornado", "trio",
     "twisted"}
)  # fmt: skip
"""What keeps threads or tasks of its own, and has them call what it is given."""
