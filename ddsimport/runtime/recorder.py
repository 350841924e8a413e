"""What one evaluation reads and does besides its inputs: files opened or left, text printed.

An audit hook (PEP 578) is added at the first miss of the process and does nothing while no
evaluation is being recorded, so a run whose steps all hit pays nothing. What its events mean is
told by `audited`, what is printed by `output`, what is asked without an audit event by `asked`,
what runs by `witness`, what native code opens by `native`.

Not seen, and so not replayed or verified: bytes written to a file descriptor directly, the clock,
child processes; and what those modules say.
"""

from __future__ import annotations

import os
import stat as modes
import sys
from contextvars import ContextVar
from types import FrameType

from ddsimport import forks
from ddsimport.records import Record
from ddsimport.runtime import asked, output, threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from ddsimport.runtime.witness import Seen
    from ddsimport.store.trace import Candidate

    Shown = tuple[str, str, str | None] | None

OUTPUT_LIMIT = 1 << 20
"""Characters of printed text a trace may hold; a step that prints more is not kept, unless the user
asks for the rest to be lost."""

_stat = os.stat
"""The real one, whatever `asked` has put in its place for others to see."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
"""Flags of `open` that say that a file may be written to."""

_current: ContextVar[Recording | None] = ContextVar("ddsimport-recording", default=None)
_active: list[Recording] = []
lock = forks.lock()
"""Held while a recording begins or ends; and while a stream that `descriptors` follows is written
to or looked at: whoever looks must not take for a stranger's what another thread writes just then.
(One lock for both: the garbage collector may end a recording amid a write.)"""
_hooked = False


class Written(Record):
    """A path that an evaluation has written to or made.

    Attributes:
        existed: whether something was there before.
        key: its name, as in `Recording.reads`.
        moded: its mode is what the evaluation made it, also if it existed.
        moved: it was renamed to this name, and took the place of what was there.
    """

    existed: bool
    key: str
    moded: bool = False
    moved: bool = False


class Recording:
    """What has been seen of one evaluation so far; nested evaluations report to the outer ones.

    Attributes:
        opened: names of files as they were opened to be read: once is enough.
        reads: path -> `os.stat` triple (mtime_ns, size, inode) when it was first opened to be read,
            or None if it did not exist. Absolute, or relative to the working directory with
            `labels.HERE` before it.
        listings: folder -> the names in it when it was first listed, None if there was none.
        writes: absolute path opened for writing, created or renamed to -> what is known of it.
        removals: absolute path removed or renamed away that was there before -> its name, as in
            `reads`.
        before: name of a file, as in `reads` -> the digest of its content before this evaluation
            changed it, where the content counts.
        streams: what were standard output and error when it began, by identity; what is printed
            while they are redirected is no output of the program.
        output: (stream, text) in the order printed; neighbours of one stream are joined. An empty
            text is a flush; one between neighbours is left out.
        flushed: the stream of the last output has been flushed since.
        loads: artifact path -> blob hash, for each `ddsimport.load`.
        conditions: label -> token, as in `Trace.variables`, of what was asked (see `asked`), and of
            what ran unforeseen in steps that were hits inside this evaluation.
        children: what was started with the program's own standard output -> how many bytes this
            process and children that ended had written till then, if the system tells.
        incidental: labels among these of paths that installed code tested -> absolute path. If the
            evaluation goes on to write that file as a whole, the test was but a precaution.
        effects: what was done to this process that a hit would not do, in words.
        unshown: what was shown in an interactive session and cannot be shown again, in words.
        notes: sentences for the user (a child process).
        connections: what the network was asked, as text.
        until: seconds since 1970 after which a step inside asks to be evaluated again (`ttl=`).
        seen: what ran, if `witness` watches.
        hits: what the store gave for the steps inside this evaluation.
        shown: artifact path -> what a step inside this evaluation made it show last: signature,
            blob and `format=`, or None where its value was not kept.
        inside: the paths of the steps right inside this evaluation.
        asks_others: whether other threads and tasks may do something for it (see `threads`).
        doubtful: identities of threads that printed or wrote something meanwhile, for it or for
            another, unless they end before it does.
    """

    __slots__ = (
        "asks_others", "before", "children", "conditions", "connections", "doubtful", "effects",
        "flushed", "hits", "incidental", "inside", "listings", "loads", "notes", "opened", "outer",
        "output", "printed", "reads", "removals", "seen", "shown", "streams", "unshown", "until",
        "writes",
    )  # fmt: skip

    def __init__(self, outer: Recording | None) -> None:
        self.outer = outer
        self.opened: set[object] = set()
        self.reads: dict[str, tuple[int, int, int] | None] = {}
        self.listings: dict[str, tuple[str, ...] | None] = {}
        self.writes: dict[str, Written] = {}
        self.removals: dict[str, str] = {}
        self.before: dict[str, str | None] = {}
        self.streams: dict[int, str] = {}
        self.output: list[tuple[str, str]] = []
        self.flushed = False
        self.printed = 0
        self.loads: dict[str, str] = {}
        self.conditions: dict[str, str] = {}
        self.incidental: dict[str, str] = {}
        self.children: dict[str, int | None] = {}
        self.effects: dict[str, None] = {}
        self.unshown: dict[str, None] = {}
        self.notes: dict[str, None] = {}
        self.connections: dict[str, None] = {}
        self.until: float | None = None
        self.seen: Seen | None = None
        self.hits: list[Candidate] = []
        self.shown: dict[str, Shown] = {}
        self.inside: dict[str, None] = {}
        self.asks_others: Callable[[], bool] = bool
        self.doubtful: set[int] = set()

    def chain(self) -> Iterator[Recording]:
        """This recording and all that enclose it, innermost first."""
        recording: Recording | None = self
        while recording is not None:
            yield recording
            recording = recording.outer

    def note_read(self, key: str, name: str) -> None:
        """A file counts as read, if the evaluation has not written it.

        Args:
            name: its absolute name.
        """
        if key in self.reads or name in self.writes:
            return
        try:
            found = _stat(name)
        except OSError:
            self.reads[key] = None
            return
        if not modes.S_ISDIR(found.st_mode):
            self.reads[key] = (found.st_mtime_ns, found.st_size, found.st_ino)

    def note_before(self, key: str, name: str) -> None:
        """The content of a file counts, and is about to change."""
        from ddsimport.runtime import contents  # a run of hits needs it not

        stat = stat_of(name)
        for read in (key, name):
            if self.reads.pop(read, stat) != stat:
                self.effects[f"read {name} while it changed"] = None
        with unrecorded():
            self.before.setdefault(key, contents.digest_of(name, stat))

    def note_left(self, key: str, *, removed: bool = False) -> None:
        """A file is left or removed by what no event tells of: native code, or a hit inside."""
        name = os.path.abspath(key)
        if name in self.writes:
            if removed and self.writes.pop(name).existed:
                self.removals[name] = key
            return
        if key in self.reads or name in self.reads:
            self.note_before(key, name)
        if removed:
            self.removals[name] = key
        else:
            self.writes[name] = Written(os.path.lexists(name), key)

    def note_shown(self, path: str, found: Shown) -> None:
        """A step inside has made `path` show this; see `shown`."""
        for recording in self.chain():
            recording.shown[path] = found

    def note_load(self, path: str, blob: str) -> None:
        """An artifact was loaded; who has just made it itself does not depend on it."""
        for recording in self.chain():
            if path not in recording.shown:
                recording.loads.setdefault(path, blob)

    def forget_precautions(self) -> None:
        """Drop the tests by libraries of files that the evaluation then wrote as a whole."""
        for label, name in self.incidental.items():
            written = self.writes.get(name)
            if written is not None and written.key not in self.before:
                self.conditions.pop(label, None)

    def speaking(self) -> str | None:
        """A child that may have printed something, which nobody has seen."""
        for child, before in self.children.items():
            if before is None or bytes_written() != before:
                return child
        return None

    def follow(self, files: Iterable[object]) -> None:
        """Be told if one of these is written to, that were open before the evaluation."""
        for file in files:
            self.streams.setdefault(id(file), output.follow(file, _on_print))

    def expire(self, until: float | None) -> None:
        """What a step inside gave holds until then."""
        if until is not None and (self.until is None or until < self.until):
            self.until = until

    def add_text(self, stream: str, text: str) -> None:
        size = len(text)
        text = text[: max(0, OUTPUT_LIMIT - self.printed)]
        self.printed += size
        if not text:
            return
        if self.output and self.output[-1][0] == stream and self.output[-1][1] != output.FLUSH:
            self.output[-1] = (stream, self.output[-1][1] + text)
        else:
            self.settle_flush()
            self.output.append((stream, text))
        self.flushed = False

    def add_flush(self, stream: str) -> None:
        if self.output and self.output[-1][0] == stream:
            self.flushed = self.output[-1][1] != output.FLUSH
        else:  # of what was printed before others printed, or before the evaluation
            self.settle_flush()
            self.output.append((stream, output.FLUSH))

    def settle_flush(self) -> None:
        """Write down that the last output was flushed: what follows is of another stream."""
        if self.flushed:
            self.flushed = False
            self.output.append((self.output[-1][0], output.FLUSH))


def current() -> Recording | None:
    """The innermost recording of this thread or task, if an evaluation is under way in it."""
    return _current.get()


def begin() -> Recording:
    """Start recording what this thread or task does; `end` must follow."""
    from ddsimport.runtime import descriptors  # a run of hits needs it not

    global _hooked
    recording = Recording(_current.get())
    with lock:
        if not _hooked:
            sys.addaudithook(_audit)
            asked.watch_variables(_on_variable)
            _hooked = True
        asked.watch_paths(_on_path)  # pathlib may have been imported since
        recording.streams = output.tap(_on_print)
        if _active:
            descriptors.look()  # what was written till now is of those around
        else:
            threads.watch(_on_thread)
            descriptors.begin(_on_native_print)
        _active.append(recording)
    descriptors.settle()
    _current.set(recording)
    return recording


def end(recording: Recording) -> None:
    """Stop `recording`; safe to call twice, and from a finalizer."""
    from ddsimport.runtime import descriptors

    with lock:
        if recording not in _active:
            return
        descriptors.look()
        _active.remove(recording)
        if not _active:
            descriptors.end()
            output.untap()
            asked.unwatch_paths()
            threads.unwatch()
    if _current.get() is recording:
        _current.set(recording.outer)


class unrecorded:  # noqa: N801 - used as `with unrecorded():`, on the way of every hit
    """Our own reads and prints belong to no step, and a profiler of ours (see `witness`) need not
    look at our own calls."""

    __slots__ = ("_before", "_profiler")

    def __enter__(self) -> None:
        self._before = _current.get()
        _current.set(_NOBODY)
        self._profiler = profiler
        if profiler is not None:
            if sys.getprofile() is profiler:
                sys.setprofile(None)
            else:
                self._profiler = None

    def __exit__(self, *_: object) -> None:
        _current.set(self._before)
        if self._profiler is not None and self._profiler is profiler:
            sys.setprofile(self._profiler)


profiler: Callable[[FrameType, str, Any], None] | None = None
"""What `witness` has set by `sys.setprofile`, while it has."""

_NOBODY = Recording(None)


def recordings() -> list[Recording]:
    """Who is told of what is read now in this thread.

    What other threads read than those of the steps is told to every recording under way, so that a
    step's thread pool is seen (at worst another step gains a dependency it does not need).
    """
    found = _around()
    return list(_active) if found is None else found


def doers() -> list[Recording]:
    """Whose doing it is what happens now in this thread: text that is printed, files that are
    written. A hit does it again, so nothing of another thread's may be in it, and nothing of its
    own may be missing: where nobody can tell, the step is not kept."""
    found = _around()
    if found is not None:
        return found
    thread = threads.current()
    if thread is None or not threads.runs_own_code():
        return list(_active)  # a thread of native code or a library: of nobody knows whom
    own = _around_start_of(thread)
    for recording in list(_active):
        # By a connection, it may have asked a server that the program itself runs.
        if recording in own or not (recording.connections or recording.asks_others()):
            continue
        if own:  # nor of which of these, unless it is of a pool that ends with one of them
            for each in (recording, *own):
                each.doubtful.add(id(thread))
        else:
            recording.effects[threads.PERHAPS] = None
    return own


def starter() -> Recording | None:
    """What a thread is started in that this one starts."""
    found = _around()
    if found is None:
        found = _around_start_of(threads.current())
    return found[0] if found else None


def _around() -> list[Recording] | None:
    """The recordings that this thread or task is in, innermost first; None if in none."""
    recording = _current.get()
    if recording is None:
        return None
    if recording is _NOBODY:
        return []
    return [recording] if recording.outer is None else list(recording.chain())


def _around_start_of(thread: object) -> list[Recording]:
    """Those that are still under way of the recordings that a thread was started in."""
    recording = threads.started_in(thread)
    return [] if recording is None else [each for each in recording.chain() if each in _active]


def _on_print(stream: object, text: str | None) -> None:
    for recording in doers():
        name = recording.streams.get(id(stream))
        if name is None:
            continue
        if name.startswith(output.ONCE):
            recording.effects[name[len(output.ONCE) :]] = None
        elif text is None:
            recording.add_flush(name)
        else:
            recording.add_text(name, text)


def _on_native_print(name: str, text: str | None) -> None:
    told = recordings() or list(_active)  # noticed by what we print ourselves
    if text is None or len(told) < len(_active):
        for recording in _active:
            recording.effects["printed past Python's streams"] = None
        return
    for recording in told:
        recording.add_text(name, text)


# --- events ---------------------------------------------------------------------------------------


PATH, VARIABLE, THREAD = "a path is tested", "a variable is read", "_thread.start_new_thread"
"""Events besides those of `sys.audit`; their arguments are those of `asked.TellPath` and
`asked.TellVariable`, and those that the audit event has since 3.12."""

_watchers: dict[str, Callable[..., None]] = {}


def watch(event: str, watcher: Callable[..., None]) -> None:
    """Call `watcher` with the arguments of this event while something is recorded."""
    _watchers[event] = watcher


def _on_path(*arguments: Any) -> None:
    _audit(PATH, arguments)


def _on_variable(*arguments: Any) -> None:
    _audit(VARIABLE, arguments)


def _on_thread(*arguments: Any) -> None:
    _audit(THREAD, arguments)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _active:
        return
    if event == "open":  # by far the commonest, and most files are opened again and again
        recording, path = _current.get(), arguments[0]
        if (
            recording is not None
            and not arguments[2] & WRITING
            and (recording is _NOBODY or (type(path) is str and path in recording.opened))
            and not asked.folders
        ):
            return
    watcher = _watchers.get(event)
    if watcher is not None:
        try:
            watcher(*arguments)
        except Exception:
            # An audit hook that raises makes the user's call fail; a path we cannot read the name
            # of (odd objects with __fspath__) is one we do not follow.
            return


def stat_of(name: str) -> tuple[int, int, int] | None:
    """(mtime in ns, size in bytes, inode) of the file, None if there is none."""
    try:
        found = _stat(name)
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def bytes_written() -> int | None:
    """By this process and its children that have ended, to whatever; None where nobody tells."""
    return told_by_linux("io", b"wchar:", 10)


def told_by_linux(file: str, field: bytes, base: int) -> int | None:
    """A number in a file of `/proc/self`; None where there is none."""
    try:
        with unrecorded(), open(f"/proc/self/{file}", "rb") as opened:
            for line in opened:
                if line.startswith(field):
                    return int(line.split()[1], base)
    except (OSError, ValueError):
        pass
    return None


def names_in(folder: str) -> tuple[str, ...] | None:
    """The names in a folder, sorted, those of folders with a slash; None if it cannot be listed."""
    try:
        with unrecorded(), os.scandir(folder) as entries:
            return tuple(sorted(each.name + "/" * each.is_dir() for each in entries))
    except OSError:
        return None
