"""What runs while a step is evaluated, seen by `sys.setprofile`: for Python 3.10 and 3.11.

A profiler is called at each call and return, and makes calls in pure Python several times slower.
So a step whose code the analysis can see through is watched for its first `BUDGET` events only;
from then on nobody can say exactly what it runs, and need not know.
"""

from __future__ import annotations

import sys
import threading

from ddsimport.runtime import recorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType
    from typing import Any

    from ddsimport.runtime.witness import Seen

BUDGET = 10_000
"""Calls and returns, of built-in functions too: some 6 ms."""
QUIET = 3_000
"""How many of these in a row may be of code that was seen before: a loop that is under way goes on,
most of the time."""

_OURS = __file__.rpartition("runtime")[0]
_RESUMED = 0x20 | 0x80 | 0x200  # inspect's flags of generators, coroutines, asynchronous generators


def _may_run_ours(thread: threading.Thread) -> bool:
    """Whether a thread besides this one may run code of the project: not those that pyspark keeps,
    which wait for what the JVM tells."""
    if thread.ident == threading.get_ident():
        return False
    target = getattr(thread, "_target", None)
    holder = type(getattr(target, "__self__", thread))
    return holder.__module__.partition(".")[0] not in ("py4j", "pyspark")


def _is_resumed(code: CodeType, frame: FrameType) -> bool:
    """Whether a generator or coroutine goes on: it has come further than its first instructions."""
    return bool(code.co_flags & _RESUMED) and frame.f_lasti > _FIRST


_FIRST = -1 if sys.version_info < (3, 11) else 4
"""Where the last instruction of a generator is that begins: none has run, or RETURN_GENERATOR and
RESUME have."""


class Profile:
    """Watches the thread of a step and those that it starts.

    Args:
        is_settled: told code that runs, its frame, and whether it may be resumed; says whether it
            need not be told of it again.
    """

    def __init__(self, is_settled: Callable[[CodeType, FrameType, bool], bool]) -> None:
        self._is_settled = is_settled
        self._under_way: dict[int, tuple[Seen, bool]] = {}
        self._settled: dict[int, CodeType] = {}  # by identity; kept alive
        self._before: Any = None
        self._left = 0  # of QUIET
        self._later = 0  # of BUDGET, besides
        self._hook = self._on_event  # one object, known by its identity
        recorder.watch("sys.setprofile", self._on_set)

    def begin(self, seen: Seen, blind: Callable[[], bool], exact: bool) -> None:
        """Watch for `seen`: to the end if `blind()`, for a while if what runs must be known
        exactly, else not at all."""
        is_blind = blind()
        if not is_blind and not exact:
            seen.exact = False
            return
        present = sys.getprofile()
        if present is not None and present is not self._hook:
            seen.whole, seen.exact = not is_blind, False
            return
        self._settled.clear()
        if not self._under_way:
            self._before = threading.getprofile()
            threading.setprofile(self._hook)
        self._under_way[id(seen)] = (seen, is_blind)
        self._left, self._later = 0, BUDGET
        self._refill()
        recorder.profiler = self._hook
        sys.setprofile(self._hook)
        # A thread that is there already may do the step's work, and cannot be watched from here.
        if any(map(_may_run_ours, threading.enumerate())):
            seen.whole, seen.exact = not is_blind, False

    def end(self, seen: Seen) -> None:
        """Stop watching for `seen`."""
        watched = self._under_way.pop(id(seen), None)
        if watched is None:
            return
        lost = seen.thread == threading.get_ident() and sys.getprofile() is not self._hook
        if threading.getprofile() is not self._hook:
            seen.exact = False
        if not lost and all(each.thread != seen.thread for each, _ in self._under_way.values()):
            sys.setprofile(None)
        if not self._under_way:
            self._settled.clear()
            threading.setprofile(self._before)
            recorder.profiler = None
        if lost:
            seen.exact = False
            seen.whole = seen.whole and not watched[1]

    def _refill(self) -> None:
        """Something new was seen."""
        self._later += self._left
        self._left = min(QUIET, self._later)
        self._later -= self._left

    def _give_up(self) -> None:
        """The budget is spent: go on only for steps that cannot be seen through."""
        self._left, self._later = sys.maxsize, 0
        for seen, _ in self._under_way.values():
            seen.exact = False
        if not any(is_blind for _, is_blind in self._under_way.values()):
            sys.setprofile(None)
            threading.setprofile(self._before)
            recorder.profiler = None

    def _on_set(self) -> None:
        """Somebody sets a profiler: what runs until they give it back is not seen."""
        if not sys._getframe(2).f_code.co_filename.startswith(_OURS):  # below it, the audit hook
            for seen, _ in self._under_way.values():
                seen.exact = False

    def _on_event(self, frame: FrameType, event: str, _: object) -> None:
        # On the way of every call and return of the program's: nothing is looked up in vain.
        self._left -= 1
        if event != "call":
            if self._left < 0:
                self._give_up()
            return
        code = frame.f_code
        if id(code) in self._settled:
            return
        if self._is_settled(code, frame, _is_resumed(code, frame)):
            self._settled[id(code)] = code
            self._refill()
