"""What is printed while something is recorded, and printing it again.

Text is seen by shadowing `write` on the very objects that `sys.stdout` and `sys.stderr` are: their
identity and type stay, and so do references to them that the program took earlier (logging
handlers, `print(file=…)`). So are the files that handlers of `logging` write to.
"""

from __future__ import annotations

import sys
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_STREAMS = ("stdout", "stderr")
ROTATING = "a log that rotates"
"""The name of the file of such a handler: writing to it again does more than that."""
_LOG = "log:"
"""What the names of the files of logging handlers begin with: which of the handlers of a logger it
is, and the logger's name follow."""


class _Tap:
    """Stands in for `write` on one stream object while something is recorded."""

    __slots__ = ("original", "stream", "tell")

    def __init__(self, stream: Any, tell: Callable[[object, str], None]) -> None:
        self.stream = stream
        self.original = stream.write
        self.tell = tell

    def __call__(self, text: str) -> Any:
        thread = get_ident()
        if thread in _writing:  # by a stream of the program's that passes on what it is given
            return self.original(text)
        _writing.add(thread)
        try:
            written = self.original(text)
        finally:
            _writing.discard(thread)
        self.tell(self.stream, text)
        return written


_taps: list[_Tap] = []
_writing: set[int] = set()
"""Threads in the middle of a write to a stream that is tapped."""


def tap(tell: Callable[[object, str], None]) -> dict[int, str]:
    """Tap what are standard output and error now, and the files of logging handlers.

    Args:
        tell: told each stream and text that is written to it, until `untap`.

    Returns:
        {identity of the stream: its name}.
    """
    streams: dict[int, str] = {}
    for name, stream in _streams():
        streams.setdefault(id(stream), name)
        if not any(known.stream is stream for known in _taps):
            new = _Tap(stream, tell)
            try:
                stream.write = new
            except AttributeError:
                continue  # a stream with __slots__: its text is not seen, and a hit prints nothing
            _taps.append(new)
    return streams


def _streams() -> Iterator[tuple[str, Any]]:
    """Each stream with the name that a trace has for it."""
    for name in _STREAMS:
        stream = getattr(sys, name, None)
        if stream is not None:
            yield name, stream
    logging = sys.modules.get("logging")
    if logging is None or not hasattr(logging, "root"):
        return
    for logger in [logging.root, *logging.root.manager.loggerDict.values()]:
        for place, handler in enumerate(getattr(logger, "handlers", ())):
            stream = getattr(handler, "stream", None)
            if stream is not None and stream not in (sys.__stdout__, sys.__stderr__):
                rotates = hasattr(handler, "shouldRollover")
                yield ROTATING if rotates else f"{_LOG}{place}:{logger.name}", stream


def untap() -> None:
    """Give the streams their own `write` back."""
    for known in _taps:
        if known.stream.__dict__.get("write") is known:
            del known.stream.write
    _taps.clear()


class silenced:  # noqa: N801 - used as `with silenced():`
    """What is written to standard output and error goes nowhere; the streams stay what they are."""

    def __enter__(self) -> None:
        self._before: list[tuple[Any, Any]] = []
        for name in _STREAMS:
            stream: Any = getattr(sys, name, None)
            own = getattr(stream, "__dict__", None)
            if own is not None:
                self._before.append((stream, own.get("write")))
                stream.write = _nowhere

    def __exit__(self, *_: object) -> None:
        for stream, write in self._before:
            if write is None:
                del stream.write
            else:
                stream.write = write


def _nowhere(text: str) -> int:
    return len(text)


def replay(output: tuple[tuple[str, str], ...]) -> None:
    """Print again what the step printed when it was evaluated."""
    streams: dict[str, Any] = {}
    for name, text in output:
        if name in _STREAMS:
            stream = getattr(sys, name, None)
        else:
            streams = streams or dict(_streams())
            stream = streams.get(name)
        if stream is not None:
            stream.write(text)
            if name.startswith(_LOG):
                stream.flush()  # as handlers do
