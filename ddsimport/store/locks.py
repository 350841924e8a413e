"""One evaluates, the others wait: locks of the operating system, freed by death.

A lock is `flock` on a file of its own, `locks/<name>`. One file per signature, not a fixed number
shared by many: steps nest, so a thread holds several locks at once, and two unrelated signatures
that share a file could then wait for each other for ever. The holder removes the file before it
unlocks, so the folder holds no more files than there are steps under way (and leftovers of killed
processes, which `atomic.sweep` removes).

Invariants:
    - Whoever holds the lock holds it on the file that `locks/<name>` names now: after every
      successful `flock` the two are compared, since the holder before us has removed its file.
    - A lock is never needed to be right, only to evaluate once. So wherever waiting is impossible
      or might never end, `acquire` gives up: no `flock` on this file system, a folder that cannot
      be written, the holder is this very thread (an `async` step that is suspended) or an ancestor
      of this process (which may wait for us), or holders that wait for each other in a circle.
"""

from __future__ import annotations

import os
from _thread import get_ident
from contextlib import suppress
from time import monotonic, sleep

from ddsimport.store.atomic import make_folder, same_file
from ddsimport.store.flock import try_lock, unlock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds. `flock` has no timeout, so we ask again; at 20 ms a waiter costs no measurable CPU.
_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 0.02
_PATIENCE = 1.0

_LONGEST_CIRCLE = 64
_LONGEST_ANCESTRY = 64

_open: set[SignatureLock] = set()
"""All locks of this process that have an open file, held or awaited."""


class SignatureLock:
    """The right to evaluate one signature. Not to be acquired twice; `release` may be called any
    number of times, from any thread."""

    def __init__(self, folder: str, name: str) -> None:
        self._path = f"{folder}/{name}"
        self._folder = folder
        self._name = name
        self._descriptor = -1
        self._thread = 0
        self._held = False
        self._locks_nowhere = False  # this file system has no `flock`

    @property
    def held(self) -> bool:
        return self._held

    @property
    def holder(self) -> int | None:
        """Process id of whoever holds the lock now, as far as can be told."""
        note = _note(self._path)
        return note[0] if note else None

    def acquire(
        self, timeout: float | None = None, on_wait: Callable[[], None] | None = None
    ) -> bool:
        """Wait for the lock; True if it is ours now, False if we go on without it.

        After True, look the entry up again: it may have been written between the miss and now.

        Args:
            timeout: seconds to wait at most; 0 tries once, None waits as long as it makes sense.
            on_wait: called once, when the wait has lasted a second.
        """
        if self._held_by_this_thread():
            return False
        started = monotonic()
        pause = _FIRST_PAUSE
        next_look = _PATIENCE
        try:
            while not self._try():
                if self._locks_nowhere:
                    return False
                waited = monotonic() - started
                if timeout is not None and waited >= timeout:
                    return False
                if waited >= next_look:
                    if on_wait is not None:
                        on_wait()
                        on_wait = None
                    if self._may_never_end():
                        return False
                    next_look = waited + _PATIENCE
                sleep(pause if timeout is None else min(pause, timeout - waited))
                pause = min(2 * pause, _LONGEST_PAUSE)
            return True
        except OSError:
            return False  # the folder cannot be written
        finally:
            if not self._held:
                self._close()
            if next_look > _PATIENCE:
                self._note_wait("")

    def release(self) -> None:
        """Let the next one have it. Does nothing where this process does not hold it."""
        descriptor = self._descriptor
        if not self._held or descriptor < 0:
            return
        self._held = False
        try:
            if same_file(descriptor, self._path):
                os.unlink(self._path)
            unlock(descriptor)
        except OSError:
            pass  # closing is the best that is left
        self._close()

    def _try(self) -> bool:
        """One attempt; False if somebody else has the lock. Raises OSError."""
        while True:
            if self._descriptor < 0:
                self._open_file()
            locked = try_lock(self._descriptor)
            if not locked:
                self._locks_nowhere = locked is None
                return False
            if same_file(self._descriptor, self._path):
                break
            self._close()  # locked a file that its last holder had removed
        self._thread = get_ident()
        self._held = True
        self._write_note("")
        return True

    def _open_file(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        try:
            self._descriptor = os.open(self._path, flags, 0o600)
        except FileNotFoundError:
            make_folder(self._folder)
            self._descriptor = os.open(self._path, flags, 0o600)
        _open.add(self)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        _open.discard(self)
        if descriptor >= 0:
            with suppress(OSError):
                os.close(descriptor)

    def _held_by_this_thread(self) -> bool:
        return any(lock._path == self._path for lock in _held_by(get_ident()))

    def _may_never_end(self) -> bool:
        """Whether the one we wait for may be waiting for us.

        Called now and then while waiting. What each holder waits for is noted in the files of the
        locks it holds. Notes are hints, read without any lock: a wrong one costs an evaluation.
        """
        self._note_wait(self._name)
        mine = {lock._name for lock in _held_by(get_ident())}
        name = self._name
        for _ in range(_LONGEST_CIRCLE):
            note = _note(f"{self._folder}/{name}")
            if note is None:
                return False
            process, awaited = note
            if process != os.getpid() and process in _ancestors():
                return True
            if not awaited:
                return False
            if awaited in mine:
                return True
            name = awaited
        return True

    def _note_wait(self, name: str) -> None:
        """Say in the files of all locks of this thread what it waits for; empty for nothing."""
        for lock in _held_by(get_ident()):
            lock._write_note(name)

    def _write_note(self, awaited: str) -> None:
        text = f"{os.getpid()} {awaited}\n".encode()
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, text, 0)
        except OSError:
            pass  # a full disk: the lock holds all the same

    def _drop(self) -> None:
        """In a forked child: close our copy of the file, which leaves the parent's lock alone."""
        self._held = False
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with suppress(OSError):  # closed already, as by a daemon that closes all files
                os.close(descriptor)


def _held_by(thread: int) -> list[SignatureLock]:
    return [lock for lock in list(_open) if lock._held and lock._thread == thread]


def _note(path: str) -> tuple[int, str] | None:
    """(process id of the holder, name it waits for or empty) from a lock file."""
    try:
        with open(path, encoding="ascii") as file:
            process, _, awaited = file.readline().rstrip("\n").partition(" ")
        return int(process), awaited
    except (OSError, ValueError):
        return None


def _ancestors() -> set[int]:
    """Process ids above ours: all of them where /proc tells, else the parent's."""
    found = {os.getppid()}
    process = os.getppid()
    for _ in range(_LONGEST_ANCESTRY):
        try:
            with open(f"/proc/{process}/stat", "rb") as file:
                # "pid (name) state ppid …", and the name may hold spaces and parentheses
                process = int(file.read().rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            break
        if process <= 1:
            break
        found.add(process)
    return found


def _after_fork_in_child() -> None:
    for lock in list(_open):
        lock._drop()
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
