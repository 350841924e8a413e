"""Many texts -> the records of their facts, on all cores.

Parsing holds the interpreter's lock, so the other cores take processes: bare interpreters that run
`worker`, started for one call and gone when it ends. A worker knows nothing of the program and the
program nothing of it. It has no descriptor of ours but its two pipes, says nothing to anybody else,
belongs to another process group (the terminal's Ctrl-C is not for it), and ends when its pipe does.
`os.posix_spawn` starts it: `fork` would be unsafe in a program with threads, and a program that
replaces or counts calls of `subprocess` would see ours.

This process goes on from the small end of the pile while workers start and take from the large one.
Whatever a worker does not deliver is done here.
"""

from __future__ import annotations

import contextvars
import json
import os
import signal
import sys
import threading
from typing import Any

from ddsimport.analysis.facts import FACTS_TAG, record_of

_WORTH_A_WORKER = 100_000
"""Characters: what takes about as long as starting a worker (0.2 s to import libcst)."""

_MOST = 16
_PATIENCE = 30.0
"""Seconds without a reply, once nothing else is left to do, before a worker is given up."""

_LONGEST = 1 << 30  # bytes: a message that says it is longer is none of ours
_LENGTH = 8  # bytes before each message that say how long it is


def spread(texts: list[str]) -> list[dict[str, Any]]:
    """The records of the facts of `texts`, in their order."""
    pile = _Pile(texts)
    workers = [_Worker(pile) for _ in range(how_many(texts))]
    try:
        while (index := pile.smallest()) is not None:
            pile.done(index, record_of(texts[index]))
    finally:
        for worker in workers:
            worker.end()
    return [record_of(text) if found is None else found for text, found in pile.all()]


def how_many(texts: list[str]) -> int:
    """How many workers are of use beside this process: none for a few files, one more for each
    core as long as there is enough to do."""
    total = sum(map(len, texts))
    if len(texts) < 2 or total < 2 * _WORTH_A_WORKER:
        return 0
    if not sys.executable or not hasattr(os, "posix_spawn"):
        return 0
    if signal.getsignal(signal.SIGCHLD) is not signal.SIG_DFL:
        return 0  # the program wants to hear of its children, and we are not to be heard
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return min(cores - 1, len(texts) - 1, total // _WORTH_A_WORKER - 1, _MOST)


class _Pile:
    """The texts that nobody has taken yet, by size, and what was found for the others."""

    def __init__(self, texts: list[str]) -> None:
        self._texts = texts
        self._found: list[dict[str, Any] | None] = [None] * len(texts)
        self._order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        self._left = sum(map(len, texts))
        self._lock = threading.Lock()

    def smallest(self) -> int | None:
        """Take the smallest text, None if there is none left."""
        with self._lock:
            if not self._order:
                return None
            index = self._order.pop(0)
            self._left -= len(self._texts[index])
            return index

    def largest(self, share: int) -> list[int]:
        """Take the largest texts: in all, one part in `share` of what is left."""
        taken: list[int] = []
        with self._lock:
            wanted = self._left // share
            while self._order and (not taken or wanted > 0):
                index = self._order.pop()
                self._left -= len(self._texts[index])
                wanted -= len(self._texts[index])
                taken.append(index)
        return taken

    def text(self, index: int) -> str:
        return self._texts[index]

    def done(self, index: int, record: dict[str, Any]) -> None:
        self._found[index] = record

    def all(self) -> list[tuple[str, dict[str, Any] | None]]:
        return list(zip(self._texts, self._found, strict=True))


class _Worker:
    """A process, and the thread that feeds it."""

    def __init__(self, pile: _Pile) -> None:
        self._pile = pile
        self._pid = 0
        self._lock = threading.Lock()
        self._holds: list[int] = []
        self._replies = 0
        self._dismissed = False
        self._ended = threading.Event()
        context = contextvars.copy_context()
        self._thread = threading.Thread(
            target=context.run, args=(self._run,), name="ddsimport-analysis", daemon=True
        )
        try:
            self._thread.start()
        except RuntimeError:  # no thread can be started
            self._ended.set()

    def end(self) -> None:
        """Wait for what was given to the worker, and let it go."""
        replies = -1
        while self._holds and replies != self._replies:
            replies = self._replies
            self._ended.wait(_PATIENCE)
        self._dismissed = True
        self._kill()
        self._ended.wait(_PATIENCE)

    def _kill(self) -> None:
        with self._lock:  # once: as long as it is not reaped, its number is nobody else's
            pid, self._pid = self._pid, 0
            if pid:
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    return

    def _run(self) -> None:
        try:
            if not self._dismissed:
                pid, requests, replies = _started()
                self._pid = pid
                self._serve(pid, requests, replies)
        except Exception:  # whatever befell it: the rest is done in this process
            return
        finally:
            self._ended.set()

    def _serve(self, pid: int, requests: int, replies: int) -> None:
        try:
            with open(requests, "wb") as writer, open(replies, "rb") as reader:
                if not self._dismissed and json.loads(received(reader)) == GREETING:
                    while taken := self._pile.largest(share=4):
                        self._ask(taken, writer, reader)
        finally:
            self._kill()  # it has nothing to put in order
            _reap(pid)

    def _ask(self, taken: list[int], writer: Any, reader: Any) -> None:
        self._holds = taken
        # All that is asked, then all that is answered: neither side waits for the other to read.
        asked = [self._pile.text(index).encode("utf-8", "surrogatepass") for index in taken]
        writer.write(framed(b"%d" % len(asked)))
        for text in asked:
            writer.write(framed(text))
        writer.flush()
        for index in taken:
            record = json.loads(received(reader))
            if isinstance(record, dict):
                self._pile.done(index, record)
            self._replies += 1
        self._holds = []


GREETING = [sys.version, FACTS_TAG]
"""A worker that says anything else is not the same Python, or not the same analyzer."""


def _started() -> tuple[int, int, int]:
    """(process, descriptor to write requests to, descriptor to read replies from)."""
    import posix

    descriptors = [*os.pipe(), *os.pipe()]
    request_reader, request_writer, reply_reader, reply_writer = descriptors
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM, repr((_folders(), _limits()))]
    try:
        if min(descriptors) < 3:
            raise OSError("the program has closed its standard streams")
        pid = os.posix_spawn(
            sys.executable,
            command,
            posix.environ,  # as it was at the start: looking at `os.environ` is seen
            file_actions=[
                (os.POSIX_SPAWN_DUP2, request_reader, 0),
                (os.POSIX_SPAWN_DUP2, reply_writer, 1),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
            setpgroup=0,
            setsigmask=(),
            setsigdef=(signal.SIGINT, signal.SIGTERM, signal.SIGPIPE),
        )
    except BaseException:
        for descriptor in descriptors:
            os.close(descriptor)
        raise
    os.close(request_reader)
    os.close(reply_writer)
    return pid, request_writer, reply_reader


_PROGRAM = (
    "import os, sys; os.closerange(3, 65536)\n"
    "folders, limits = __import__('ast').literal_eval(sys.argv[1])\n"
    "sys.path += folders\n"
    "from ddsimport.analysis.worker import work\n"
    "work(*limits)"
)


def _folders() -> list[str]:
    """Where a bare interpreter finds us and what we need, and as little else as can be."""
    from importlib.util import find_spec  # importing libcst takes as long as starting a worker

    specs = [find_spec(name) for name in ("ddsimport", "libcst", "blake3")]
    files = [spec.origin for spec in specs if spec is not None and spec.origin is not None]
    folders = [os.path.dirname(os.path.dirname(os.path.abspath(file))) for file in files]
    return list(dict.fromkeys(folders))


def _limits() -> tuple[int]:
    """What decides, besides the text, which files are nested too deeply."""
    return (sys.getrecursionlimit(),)


def framed(message: bytes) -> bytes:
    """A message after its own length."""
    return len(message).to_bytes(_LENGTH, "little") + message


def received(reader: Any) -> bytes:
    """The next message; raises `ValueError` if there is none."""
    length = int.from_bytes(reader.read(_LENGTH).ljust(_LENGTH, b"\xff"), "little")
    message: bytes = reader.read(length) if length < _LONGEST else b""
    if len(message) != length or not message:
        raise ValueError("the worker is gone")
    return message


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, 0)
    except OSError:  # the program has waited for any child, and got ours
        return
