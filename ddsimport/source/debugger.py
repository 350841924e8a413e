"""Keep pdb, and whatever else is made of `bdb`, where the program is: our frames are none of its.

`step` would go into the code that looks a step up, `next` at a step's last line stop in the code
that keeps its value, and `where` begin with the frames that run the program. bdb has no setting for
that but `skip`, which each debugger is given when it is made. A breakpoint set in our files holds.
"""

from __future__ import annotations

import functools
import os
import sys
from importlib.machinery import SourceFileLoader

from ddsimport.source.tracked import is_tracked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, ModuleType
    from typing import Any

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep

_RUN_THE_PROGRAM = tuple(
    _OURS + os.path.join(*place) for place in (("runner.py",), ("runtime", "plain.py"))
)
"""Their frames call the program's code."""


class DebuggerLoader(SourceFileLoader):
    """Loads `bdb`."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        keep_out(module)


def keep_out(bdb: Any) -> None:
    """Have the debuggers of the module `bdb` pass over our frames."""
    stop_here, get_stack, set_trace = bdb.Bdb.stop_here, bdb.Bdb.get_stack, bdb.Bdb.set_trace
    if hasattr(stop_here, "__wrapped__"):
        return

    @functools.wraps(stop_here)
    def stop_here_but_in_ours(self: Any, frame: FrameType) -> Any:
        return stop_here(self, frame) and not _works_for_us(frame)

    @functools.wraps(get_stack)
    def get_stack_of_program(self: Any, frame: Any, traceback: Any) -> Any:
        stack, current = get_stack(self, frame, traceback)
        first = _first_of_program([each for each, _ in stack])
        if first == len(stack):
            return stack, current  # stopped in ours, by a breakpoint there
        return stack[first:], max(current - first, 0)

    @functools.wraps(set_trace)
    def set_trace_alone(self: Any, frame: Any = None, *arguments: Any, **options: Any) -> Any:
        for make_way in _told:
            make_way()
        return set_trace(self, frame or sys._getframe(1), *arguments, **options)

    bdb.Bdb.set_trace = set_trace_alone
    bdb.Bdb.stop_here = stop_here_but_in_ours
    bdb.Bdb.get_stack = get_stack_of_program


_told: list[Callable[[], None]] = []


def tell(make_way: Callable[[], None]) -> None:
    """Call `make_way` before a debugger begins to trace.

    In Python 3.13, one that begins at `breakpoint()` stops a line late if a tool of
    `sys.monitoring` is told of the start of functions.
    """
    if make_way not in _told:
        _told.append(make_way)


def _first_of_program(frames: list[FrameType]) -> int:
    """How many frames stand below the program's: those that run it."""
    first = 0
    for at, frame in enumerate(frames):
        if _is_ours(frame):
            first = at + 1
        elif frame.f_globals.get("__name__") != "runpy":
            break
    return first


def _works_for_us(frame: FrameType) -> bool:
    """Whether it is our frame, one of the standard library that a frame of ours called, or of what
    runs us and, at the end, waits for our threads."""
    if _is_ours(frame):
        return True
    caller: FrameType | None = frame
    while caller is not None and not _is_ours(caller):
        file = caller.f_code.co_filename
        if is_tracked(file) and not file.startswith("<"):  # <frozen posixpath>, made by exec
            return False
        caller = caller.f_back
    if caller is None:
        return frame.f_globals.get("__name__") in ("runpy", "threading")
    return not caller.f_code.co_filename.endswith(_RUN_THE_PROGRAM)


def _is_ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_OURS)
