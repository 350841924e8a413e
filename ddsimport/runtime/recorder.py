"""What one evaluation reads and does besides its inputs: files opened or left, text printed.

An audit hook (PEP 578) sees every `open` of the interpreter, whoever calls it. It is added at the
first miss of the process and does nothing while no evaluation is being recorded, so a run whose
steps all hit pays nothing. What is printed is seen in `output`, what is asked without an audit
event in `asked`, what runs in `witness`.

Not seen, and so not replayed or verified: reads by native code that raises no audit event, files
opened relative to an open folder, bytes written to the file descriptor directly, the clock, child
processes; and what `asked` says.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock  # `threading` takes a millisecond to import
from contextvars import ContextVar
from types import FrameType

from ddsimport.runtime import asked, output
from ddsimport.source.hook import is_tracked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ddsimport.runtime.witness import Seen
    from ddsimport.store.trace import Candidate

OUTPUT_LIMIT = 1 << 20
"""Characters of printed text a trace may hold; a step that prints more is not kept."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
HERE = "./"
"""What the name of a read begins with if it is relative to the working directory."""

_NOT_FILES = ("/dev/", "/proc/", "/sys/")

_current: ContextVar[Recording | None] = ContextVar("ddsimport-recording", default=None)
_active: list[Recording] = []
_lock = RLock()
_hooked = False


class Recording:
    """What has been seen of one evaluation so far; nested evaluations report to the outer ones.

    Attributes:
        reads: path -> `os.stat` triple (mtime_ns, size, inode) when it was first opened to be read,
            or None if it did not exist. Absolute, or relative to the working directory with `HERE`
            before it.
        listings: folder -> the names in it when it was first listed, None if there was none.
        writes: absolute path opened for writing, created or renamed to -> whether it was there.
        removals: absolute paths removed or renamed away that this evaluation had not made.
        streams: what were standard output and error when it began, by identity; what is printed
            while they are redirected is no output of the program.
        output: (stream, text) in the order printed; neighbours of one stream are joined.
        loads: artifact path -> blob hash, for each `ddsimport.load`.
        conditions: label -> token, as in `Trace.variables`, of what was asked (see `asked`), and of
            what ran unforeseen in steps that were hits inside this evaluation.
        effects: what was done to this process that a hit would not do, in words.
        notes: sentences for the user (a network connection, a child process).
        seen: what ran, if `witness` watches.
        hits: what the store gave for the steps inside this evaluation.
    """

    __slots__ = (
        "conditions", "effects", "hits", "listings", "loads", "notes", "outer", "output", "printed",
        "reads", "removals", "seen", "streams", "writes",
    )  # fmt: skip

    def __init__(self, outer: Recording | None) -> None:
        self.outer = outer
        self.reads: dict[str, tuple[int, int, int] | None] = {}
        self.listings: dict[str, tuple[str, ...] | None] = {}
        self.writes: dict[str, bool] = {}
        self.removals: dict[str, None] = {}
        self.streams: dict[int, str] = {}
        self.output: list[tuple[str, str]] = []
        self.printed = 0
        self.loads: dict[str, str] = {}
        self.conditions: dict[str, str] = {}
        self.effects: dict[str, None] = {}
        self.notes: dict[str, None] = {}
        self.seen: Seen | None = None
        self.hits: list[Candidate] = []

    def chain(self) -> Iterator[Recording]:
        """This recording and all that enclose it, innermost first."""
        recording: Recording | None = self
        while recording is not None:
            yield recording
            recording = recording.outer

    def add_text(self, stream: str, text: str) -> None:
        self.printed += len(text)
        if self.printed > OUTPUT_LIMIT:
            self.output.clear()
        elif self.output and self.output[-1][0] == stream:
            self.output[-1] = (stream, self.output[-1][1] + text)
        else:
            self.output.append((stream, text))


def current() -> Recording | None:
    """The innermost recording of this thread or task, if an evaluation is under way in it."""
    return _current.get()


def begin() -> Recording:
    """Start recording what this thread or task does; `end` must follow."""
    global _hooked
    recording = Recording(_current.get())
    with _lock:
        if not _hooked:
            sys.addaudithook(_audit)
            asked.watch_variables(_on_variable)
            _hooked = True
        asked.watch_paths(_on_test)  # pathlib may have been imported since
        recording.streams = output.tap(_on_print)
        _active.append(recording)
    _current.set(recording)
    return recording


def end(recording: Recording) -> None:
    """Stop `recording`; safe to call twice, and from a finalizer."""
    with _lock:
        if recording not in _active:
            return
        _active.remove(recording)
        if not _active:
            output.untap()
            asked.unwatch_paths()
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


def _recordings() -> list[Recording]:
    """Who is told of what happens now in this thread.

    A thread that the step itself started has a fresh context: what it does is told to every
    recording under way, so that a step's thread pool is seen (at worst another step gains a
    dependency it does not need).
    """
    recording = _current.get()
    if recording is _NOBODY:
        return []
    return list(recording.chain()) if recording is not None else list(_active)


def _on_print(stream: object, text: str) -> None:
    for recording in _recordings():
        name = recording.streams.get(id(stream))
        if name is not None:
            recording.add_text(name, text)


# --- files ----------------------------------------------------------------------------------------


def watch(event: str, watcher: Callable[..., None]) -> None:
    """Call `watcher` with the arguments of this audit event while something is recorded."""
    _WATCHERS[event] = watcher


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _active:
        return
    watcher = _WATCHERS.get(event)
    if watcher is not None:
        try:
            watcher(*arguments)
        except Exception:
            # An audit hook that raises makes the user's call fail; a path we cannot read the name
            # of (odd objects with __fspath__) is one we do not follow.
            return


def _on_open(path: Any, mode: Any, flags: int) -> None:
    name = _absolute(path)
    if name is None or _is_ours_or_the_systems(name):
        return
    if os.path.isdir(name):
        return  # `tempfile` opens a folder by name, and a file in it by an opener of its own
    writing = bool(flags & _WRITING)
    key = _key(path, name)
    for recording in _recordings():
        if writing:
            recording.writes.setdefault(name, os.path.exists(name))
        elif name not in recording.writes and key not in recording.reads:
            recording.reads[key] = stat_of(name)


def _on_list(path: Any = None, *_: Any) -> None:
    if path is None:
        path = "."
    name = _absolute(path)
    if name is None or _is_ours_or_the_systems(name) or _is_importing():
        return
    key = _key(path, name)
    for recording in _recordings():
        if key not in recording.listings and name not in recording.writes:
            recording.listings[key] = names_in(name)


def _on_test(path: str, depth: str) -> None:
    name = _absolute(path)
    if name is None or _is_ours_or_the_systems(name):
        return
    label = f"{asked.PATH}{depth}:{_key(path, name)}"
    for recording in _recordings():
        made = (name, *_folders_above(name))
        if label not in recording.conditions and not any(each in recording.writes for each in made):
            recording.conditions[label] = asked.token_of_path(name, depth)


def _folders_above(name: str) -> Iterator[str]:
    while (above := os.path.dirname(name)) != name:
        yield above
        name = above


def _on_variable(name: str | None) -> None:
    if not _active or _caller().startswith(_OURS):
        return
    label = asked.NAMES if name is None else asked.VARIABLE + name
    for recording in _recordings():
        if label not in recording.conditions:
            token = asked.token_of_names() if name is None else asked.token_of_variable(name)
            recording.conditions[label] = token


def _on_database(database: Any, *_: Any) -> None:
    if database != ":memory:":
        _on_open(database, None, 0)


def _on_rename(source: Any, target: Any, source_folder: Any = -1, folder: Any = -1) -> None:
    _on_remove(source, source_folder)
    _on_make(target, folder)


def _on_make(path: Any, *others: Any) -> None:
    name = _absolute(path, others[-1] if others else -1)
    if name is not None and not _is_ours_or_the_systems(name):
        for recording in _recordings():
            recording.writes.setdefault(name, os.path.exists(name))


def _on_remove(path: Any, folder: Any = -1) -> None:
    name = _absolute(path, folder)
    if name is not None and not _is_ours_or_the_systems(name):
        for recording in _recordings():
            if recording.writes.pop(name, True):
                recording.removals[name] = None


def _on_change(path: Any, *_: Any) -> None:
    name = _absolute(path)
    if name is not None and not _is_ours_or_the_systems(name):
        for recording in _recordings():
            if name not in recording.writes:
                recording.effects[f"changed the mode, owner or times of {name}"] = None


def _on_chdir(*_: Any) -> None:
    for recording in _recordings():
        recording.effects["changed the working directory"] = None


def _on_input(*_: Any) -> None:
    for recording in _recordings():
        recording.effects["read standard input"] = None


def _on_putenv(name: Any, *_: Any) -> None:
    # Installed libraries set variables of their own when they are imported (OPENBLAS_MAIN_FREE).
    if not is_tracked(_caller()):
        return
    for recording in _recordings():
        recording.effects[f"changed the environment variable {os.fsdecode(name)}"] = None


def _on_connect(_: Any, address: Any) -> None:
    for recording in _recordings():
        recording.notes[f"it connected to {address!r}: what the network said is not an input"] = (
            None
        )


def _on_child(executable: Any, arguments: Any = (), folder: Any = None, *_: Any) -> None:
    for recording in _recordings():
        recording.notes[f"it started {executable!r}: what a child process reads is not seen"] = None
    # But the files that its command names are: the script that it runs, the table that it sorts.
    below = os.fsdecode(folder) if folder is not None else ""
    for word in _words_of(arguments):
        path = os.path.join(below, word)
        if os.path.isfile(path):
            _on_open(path, None, 0)


def _words_of(arguments: Any) -> Iterator[str]:
    """The words of a command, those of a shell's (`sh -c TEXT`) and `--option=word` included."""
    given = (arguments,) if isinstance(arguments, (str, bytes, os.PathLike)) else arguments
    for argument in given:
        text = os.fsdecode(argument)
        for word in (text, *text.replace("'", " ").replace('"', " ").split()):
            yield word
            yield word.partition("=")[2]


def note_worker() -> None:
    """A worker process is started, by whatever way."""
    for recording in _recordings():
        recording.notes["it started a worker process: what only that runs or reads is not seen"] = (
            None
        )


_WATCHERS: dict[str, Callable[..., None]] = {
    "open": _on_open,
    "os.rename": _on_rename,
    "os.mkdir": _on_make,
    "os.link": lambda source, target, *_: _on_make(target),
    "os.symlink": lambda source, target, *_: _on_make(target),
    "os.remove": _on_remove,
    "os.rmdir": _on_remove,
    "os.truncate": lambda path, *_: _on_make(path),
    "os.listdir": _on_list,
    "os.scandir": _on_list,
    "sqlite3.connect": _on_database,
    "os.chmod": _on_change,
    "os.chown": _on_change,
    "os.utime": _on_change,
    "os.chdir": _on_chdir,
    "builtins.input": _on_input,
    "os.putenv": _on_putenv,
    "os.unsetenv": _on_putenv,
    "socket.connect": _on_connect,
    "subprocess.Popen": _on_child,
    "os.fork": note_worker,
}


def _absolute(path: Any, folder: Any = -1) -> str | None:
    """The absolute name of what an audit event names, relative to an open folder if it says so."""
    if isinstance(path, int):
        return None
    name = os.fsdecode(path)
    if type(folder) is int and folder >= 0:
        try:
            name = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), name)
        except OSError:
            return None
    return os.path.abspath(name)


def _key(path: Any, name: str) -> str:
    """How a read is named: relative paths stay relative, they mean another file elsewhere."""
    given = os.fsdecode(path)
    return name if os.path.isabs(given) else HERE + given


def _is_ours_or_the_systems(name: str) -> bool:
    """Files that are no inputs: devices, installed code (counted by version), bytecode, caches.

    A first-party `.py` read by the import system is code, which the code hash counts; the same
    file read by the program as data is a file like any other.
    """
    if name.startswith((*_NOT_FILES, *_library_folders())) or not is_tracked(name):
        return True
    if name.endswith((".pyc", ".so", ".pyd")) or f"{os.sep}__pycache__" in name:
        return True
    return name.endswith(".py") and _is_importing()


def _is_importing() -> bool:
    """Whether it is the import system that opens or lists something now."""
    return _caller().startswith(_IMPORTERS)


def _caller() -> str:
    """The file of the code that caused the audit event; that of `os` counts as its caller's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename in _GO_BETWEENS:
        frame = frame.f_back
    return frame.f_code.co_filename if frame is not None else ""


_GO_BETWEENS = frozenset(
    {__file__, asked.__file__, os.__file__, os.path.realpath(os.__file__), "<frozen os>",
     "<frozen _collections_abc>"}
)  # fmt: skip
_OURS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")
_IMPORTERS = ("<frozen importlib", _OURS)
"""The import system, and our part of it: what it opens is code."""


def _library_folders() -> tuple[str, ...]:
    """Where libraries keep what they can make again (matplotlib's fonts): no step's output."""
    with unrecorded():
        home = os.path.expanduser("~")
        caches = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
        settings = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    return (os.path.join(caches, ""), os.path.join(settings, ""))


def stat_of(name: str) -> tuple[int, int, int] | None:
    """(mtime in ns, size in bytes, inode) of the file, None if there is none."""
    try:
        found = os.stat(name)
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def names_in(folder: str) -> tuple[str, ...] | None:
    """The names in a folder, sorted; None if it cannot be listed."""
    try:
        with unrecorded():
            return tuple(sorted(os.listdir(folder)))
    except OSError:
        return None
