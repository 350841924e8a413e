"""What a step leaves to the rest of the program that no value and no file holds: threads of its own
that go on, what is to be called at exit, warnings that the program collects, and text in files that
it had opened before. A hit would not leave it."""

from __future__ import annotations

import sys

from ddsimport.runtime import threads
from ddsimport.source.tracked import is_tracked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ddsimport.runtime.live import Live
    from ddsimport.runtime.recorder import Recording


class Outliving:
    """What there was of all that when an evaluation began.

    Args:
        live: what the step reaches.
    """

    def __init__(self, live: Live, recording: Recording) -> None:
        self._live = live
        self._recording = recording
        self._threads = _threads()
        self._at_exit = _called_at_exit()
        self._collected = _collected_warnings()
        self._count = len(self._collected or ())
        recording.follow(live.open_files)

    def effects(self) -> Iterator[str]:
        """What the evaluation did of all that, in words."""
        for thread in _threads():
            if any(thread is other for other in self._threads) or not _runs_own_code(thread):
                continue
            begun = threads.started_in(thread)
            ours = begun is not None and self._recording in begun.chain()
            if ours or self._recording.asks_others():
                yield f"started the thread {thread.name!r}, which goes on"
        if any(id(thread) in self._recording.doubtful for thread in _threads()):
            yield threads.PERHAPS
        if _called_at_exit() != self._at_exit and "atexit.register" in self._live.installed():
            yield "registered something to be called at exit"
        if self._collected is not None and len(self._collected) != self._count:
            yield "warned while the program collects warnings"


def _threads() -> list[Any]:
    threading = sys.modules.get("threading")
    return [] if threading is None else threading.enumerate()


def _runs_own_code(thread: Any) -> bool:
    """Whether a thread runs a function of the project: libraries keep threads for later."""
    target = getattr(thread, "_target", None)
    run = type(thread).run if target is None else getattr(target, "__func__", target)
    code = getattr(run, "__code__", None)
    return code is not None and is_tracked(code.co_filename)


def _called_at_exit() -> int:
    import atexit

    return atexit._ncallbacks()


def _collected_warnings() -> list[Any] | None:
    """The list that `warnings.catch_warnings(record=True)` fills, if one does."""
    warnings = sys.modules.get("warnings")
    sink = getattr(getattr(warnings, "_showwarnmsg_impl", None), "__self__", None)
    return sink if isinstance(sink, list) else None
