"""What is printed while something is recorded, and printing it again.

Text is seen by shadowing `write` on the very objects that `sys.stdout` and `sys.stderr` are: their
identity and type stay, and so do references to them that the program took earlier (logging
handlers, `print(file=…)`). So are the files that handlers of `logging` write to. Flushes are seen
likewise, for they decide what stands first where two streams share a file, and so are bytes written
to `sys.stdout.buffer`. What goes past all these objects is told by `descriptors`.
"""

from __future__ import annotations

import sys
from _thread import allocate_lock, get_ident

from ddsimport.source.tracked import is_tracked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Tell = Callable[[object, str | None], None]

_STREAMS = ("stdout", "stderr")
_BYTES = ".buffer"
"""The end of the names of the layers of bytes below these; their bytes are told as latin-1."""
ONCE = "once only: "
"""What the names begin with of what cannot be done again; what was done follows, in words."""
_ROTATING = f"{ONCE}wrote to a log that rotates"
_OPENED = f"{ONCE}wrote to a file that the program opened before"
_HANDLED = f"{ONCE}logged to a handler that does more than to write"
_LOG = "log:"
"""What the names of the files of logging handlers begin with: which of the handlers of a logger it
is, and the logger's name follow."""
_DESCRIPTOR = "descriptor:"
"""What the names of descriptors begin with that were written to directly."""
FLUSH = ""
"""The text in an output that stands for a flush."""


class _Layer:
    """Stands in for a method of one stream object. Layers of several threads may lie upon each
    other, and are taken off in any order.

    Attributes:
        original: what is below: another layer, what the program has put there, or the method.
    """

    __slots__ = ("_covers", "method", "original", "stream")

    def __init__(self, stream: Any, method: str) -> None:
        """Raises AttributeError: the stream has `__slots__`."""
        self.stream = stream
        self.method = method
        with _layering:
            self.original = getattr(stream, method)
            self._covers = method in stream.__dict__
            setattr(stream, method, self)

    def __call__(self, *arguments: Any) -> Any:
        raise NotImplementedError

    def take_off(self) -> None:
        with _layering:
            above = self.stream.__dict__.get(self.method)
            if above is self:
                if self._covers:
                    setattr(self.stream, self.method, self.original)
                else:
                    delattr(self.stream, self.method)
            while isinstance(above, _Layer):
                if above.original is self:
                    above.original, above._covers = self.original, self._covers
                above = above.original


_layering = allocate_lock()


class _Tap(_Layer):
    """Tells what is written while something is recorded."""

    __slots__ = ("tell",)

    def __init__(self, stream: Any, method: str, tell: Tell) -> None:
        self.tell = tell
        super().__init__(stream, method)

    def __call__(self, *arguments: Any) -> Any:
        thread = get_ident()
        # A layer or a stream of the program's passes on what it is given; the silent are not heard.
        if thread in _writing or thread in _silent:
            return self.original(*arguments)
        _writing.add(thread)
        try:
            make_way(*arguments)
            before_write()
            result = self.original(*arguments)
        finally:
            _writing.discard(thread)
        self.tell(self.stream, _text_of(arguments[0]) if self.method == "write" else None)
        return result


_taps: list[_Tap] = []
_writing: set[int] = set()
"""Threads in the middle of a write to a stream that is tapped."""


def nothing(*_: object) -> None:
    """Do nothing."""


before_write: Callable[[], None] = nothing
"""Called before each write or flush (see `descriptors`)."""

make_way: Callable[..., None] = nothing
"""Called before each write or flush, too, with what is written: a line of ours may be on the
terminal (`progress`)."""

stand_aside: Callable[[], None] = nothing
"""Called before a child is started, which may write to the terminal at any time (`progress`)."""


def is_writing() -> bool:
    """Whether something is being written to a stream that is tapped."""
    return bool(_writing)


def _text_of(written: Any) -> str:
    return written if isinstance(written, str) else bytes(written).decode("latin-1")


def tap(tell: Tell) -> dict[int, str]:
    """Tap what are standard output and error now, and the files of logging handlers.

    Args:
        tell: told each stream and text that is written to it, until `untap`; None is a flush.

    Returns:
        {identity of the stream: its name}.
    """
    streams: dict[int, str] = {}
    for handler in _handlers_that_act():
        streams[id(handler)] = f"{_HANDLED} ({type(handler).__name__})"
        _tap(handler, "emit", tell)
    for name, stream in _streams():
        streams.setdefault(id(stream), name)
        for method in ("write",) if name not in _TAPPED_WHOLE else ("write", "flush"):
            _tap(stream, method, tell)
    return streams


def follow(file: Any, tell: Tell) -> str:
    """Tap a file that is open, of which a hit does not know by what name to find it.

    Returns:
        The name to give it.
    """
    _tap(file, "write", tell)
    return _OPENED


def _tap(stream: Any, method: str, tell: Tell) -> None:
    if any(known.stream is stream and known.method == method for known in _taps):
        return
    try:
        _taps.append(_Tap(stream, method, tell))
    except AttributeError:
        return  # a stream with __slots__: its text is not seen, and a hit prints nothing


_TAPPED_WHOLE = (*_STREAMS, *(name + _BYTES for name in _STREAMS))


def _streams() -> Iterator[tuple[str, Any]]:
    """Each stream with the name that a trace has for it."""
    for name in _STREAMS:
        stream = getattr(sys, name, None)
        if stream is not None:
            yield name, stream
            below = getattr(stream, "buffer", None)
            if below is not None:
                yield name + _BYTES, below
    for logger, place, handler in _handlers():
        stream = getattr(handler, "stream", None)
        if stream is not None and stream not in (sys.__stdout__, sys.__stderr__):
            rotates = hasattr(handler, "shouldRollover")
            yield _ROTATING if rotates else f"{_LOG}{place}:{logger}", stream


def _handlers() -> Iterator[tuple[str, int, Any]]:
    """(name of a logger, which of its handlers, the handler)."""
    logging: Any = sys.modules.get("logging")
    if logging is not None and hasattr(logging, "root"):
        for logger in [logging.root, *logging.root.manager.loggerDict.values()]:
            for place, handler in enumerate(getattr(logger, "handlers", ())):
                yield logger.name, place, handler


def _handlers_that_act() -> Iterator[Any]:
    """Handlers of the program's own, and those that keep records or pass them on. (What other
    libraries' handlers write to a stream is seen there.)"""
    for _, _, handler in _handlers():
        if hasattr(handler, "stream"):
            continue
        module = type(handler).__module__
        emit = getattr(type(handler).emit, "__code__", None)
        if module == "logging.handlers" or (emit is not None and is_tracked(emit.co_filename)):
            yield handler


def untap() -> None:
    """Give the streams their own `write` back."""
    for known in _taps:
        known.take_off()
    _taps.clear()


class silenced:  # noqa: N801 - used as `with silenced():`
    """What this thread writes to standard output and error goes nowhere; the streams stay what they
    are."""

    def __enter__(self) -> None:
        _silent.append(get_ident())
        self._layers = []
        for name in _STREAMS:
            stream: Any = getattr(sys, name, None)
            if hasattr(stream, "__dict__"):
                self._layers.append(_Silence(stream, "write"))

    def __exit__(self, *_: object) -> None:
        for layer in self._layers:
            layer.take_off()
        _silent.remove(get_ident())


class _Silence(_Layer):
    """Lets through what other threads write."""

    __slots__ = ()

    def __call__(self, *arguments: Any) -> Any:
        if get_ident() in _silent:
            return len(arguments[0])
        return self.original(*arguments)


_silent: list[int] = []
"""Threads whose text goes nowhere, each as often as that was asked for."""


DISPLAY = "display"
"""The name of what was shown by IPython's `display`, as lines that `show` takes."""
show: Callable[[str], None] | None = None
"""Shows that again; None where this is no session of IPython."""


def can_replay(output: tuple[tuple[str, str], ...]) -> bool:
    """Whether this process can print, and show, what a step printed and showed."""
    return show is not None or all(name != DISPLAY for name, _ in output)


def replay(output: tuple[tuple[str, str], ...]) -> None:
    """Print again what the step printed when it was evaluated."""
    streams: dict[str, Any] = {}
    for name, text in output:
        if name == DISPLAY and show is not None:
            show(text)
            continue
        if name in _STREAMS:
            stream = getattr(sys, name, None)
        elif name.startswith(_DESCRIPTOR):
            _write_to(int(name[len(_DESCRIPTOR) :]), text.encode("latin-1"))
            continue
        else:
            streams = streams or dict(_streams())
            stream = streams.get(name)
        if stream is None:
            continue
        if text != FLUSH:
            stream.write(text.encode("latin-1") if name.endswith(_BYTES) else text)
        if text == FLUSH or name.startswith(_LOG):  # as handlers do
            stream.flush()


def name_of_descriptor(descriptor: int) -> str:
    """What an output calls the descriptor of a process."""
    return f"{_DESCRIPTOR}{descriptor}"


def _write_to(descriptor: int, content: bytes) -> None:
    import os

    while content:
        content = content[os.write(descriptor, content) :]
