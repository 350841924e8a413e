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
import stat as modes
import sys
from _thread import RLock  # `threading` takes a millisecond to import
from contextvars import ContextVar
from types import FrameType

from ddsimport.records import Record
from ddsimport.runtime import asked, contents, output
from ddsimport.source.hook import is_tracked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ddsimport.runtime.witness import Seen
    from ddsimport.store.trace import Candidate

OUTPUT_LIMIT = 1 << 20
"""Characters of printed text a trace may hold; a step that prints more is not kept, unless the user
asks for the rest to be lost."""

_stat = os.stat
"""The real one, whatever `asked` has put in its place for others to see."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
HERE = "./"
"""What the name of a read begins with if it is relative to the working directory."""

_NOT_FILES = ("/dev/", "/proc/", "/sys/")
_not_files: tuple[str, ...] = _NOT_FILES
"""These, and what `_library_folders` were when the last recording began."""

_current: ContextVar[Recording | None] = ContextVar("ddsimport-recording", default=None)
_active: list[Recording] = []
_lock = RLock()
_hooked = False


class Written(Record):
    """A path that an evaluation has written to or made.

    Attributes:
        existed: whether something was there before.
        key: its name, as in `Recording.reads`.
        moded: its mode is what the evaluation made it, also if it existed.
    """

    existed: bool
    key: str
    moded: bool = False


class Recording:
    """What has been seen of one evaluation so far; nested evaluations report to the outer ones.

    Attributes:
        opened: names of files as they were opened to be read: once is enough.
        reads: path -> `os.stat` triple (mtime_ns, size, inode) when it was first opened to be read,
            or None if it did not exist. Absolute, or relative to the working directory with `HERE`
            before it.
        listings: folder -> the names in it when it was first listed, None if there was none.
        writes: absolute path opened for writing, created or renamed to -> what is known of it.
        removals: absolute path removed or renamed away that was there before -> its name, as in
            `reads`.
        before: name of a file, as in `reads` -> the digest of its content before this evaluation
            changed it, where the content counts.
        streams: what were standard output and error when it began, by identity; what is printed
            while they are redirected is no output of the program.
        output: (stream, text) in the order printed; neighbours of one stream are joined.
        loads: artifact path -> blob hash, for each `ddsimport.load`.
        conditions: label -> token, as in `Trace.variables`, of what was asked (see `asked`), and of
            what ran unforeseen in steps that were hits inside this evaluation.
        incidental: labels among these of paths that installed code tested -> absolute path. If the
            evaluation goes on to write that file as a whole, the test was but a precaution.
        effects: what was done to this process that a hit would not do, in words.
        notes: sentences for the user (a child process).
        connections: what the network was asked, as text.
        until: seconds since 1970 after which a step inside asks to be evaluated again (`ttl=`).
        seen: what ran, if `witness` watches.
        hits: what the store gave for the steps inside this evaluation.
    """

    __slots__ = (
        "before", "conditions", "connections", "effects", "hits", "incidental", "listings", "loads",
        "notes", "opened", "outer", "output", "printed", "reads", "removals", "seen", "streams",
        "until", "writes",
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
        self.printed = 0
        self.loads: dict[str, str] = {}
        self.conditions: dict[str, str] = {}
        self.incidental: dict[str, str] = {}
        self.effects: dict[str, None] = {}
        self.notes: dict[str, None] = {}
        self.connections: dict[str, None] = {}
        self.until: float | None = None
        self.seen: Seen | None = None
        self.hits: list[Candidate] = []

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

    def forget_precautions(self) -> None:
        """Drop the tests by libraries of files that the evaluation then wrote as a whole."""
        for label, name in self.incidental.items():
            written = self.writes.get(name)
            if written is not None and written.key not in self.before:
                self.conditions.pop(label, None)

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
        if self.output and self.output[-1][0] == stream:
            self.output[-1] = (stream, self.output[-1][1] + text)
        else:
            self.output.append((stream, text))


def current() -> Recording | None:
    """The innermost recording of this thread or task, if an evaluation is under way in it."""
    return _current.get()


def begin() -> Recording:
    """Start recording what this thread or task does; `end` must follow."""
    global _hooked, _not_files
    _not_files = (*_NOT_FILES, *_library_folders())
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
    if event == "open":  # by far the commonest, and most files are opened again and again
        recording, path = _current.get(), arguments[0]
        if (
            recording is not None
            and not arguments[2] & _WRITING
            and (recording is _NOBODY or (type(path) is str and path in recording.opened))
        ):
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
    if name is None:
        return
    if flags & _WRITING:
        # `tempfile` opens a folder by name, and a file in it by an opener of its own.
        if not _is_ours_or_the_systems(name) and not os.path.isdir(name):
            _on_open_to_write(path, name, flags)
        return
    if not _is_ours_or_the_systems(name):
        key = _key(path, name)
        for recording in _recordings():
            recording.note_read(key, name)
    elif name.endswith(".py"):
        return  # whoever opens it next may not be the import system
    if type(path) is str:
        for recording in _recordings():
            recording.opened.add(path)


def _on_open_to_write(path: Any, name: str, flags: int) -> None:
    if _caller() == _LOGGING:
        for recording in _recordings():
            recording.effects[f"opened the log {name}"] = None
    else:
        new = bool(flags & os.O_EXCL)
        _on_write(name, _key(path, name), afresh=bool(flags & os.O_TRUNC), new=new)


def _on_write(name: str, key: str, *, afresh: bool = False, new: bool = False) -> None:
    """A file is about to be written to.

    Args:
        afresh: all that it holds is what is written now.
        new: there must be none before.
    """
    existed = os.path.lexists(name)
    random = new and os.path.basename(_caller()) == "tempfile.py"  # such names are nobody's
    for recording in _recordings():
        if name in recording.writes:
            continue
        if existed and (not afresh or key in recording.reads or name in recording.reads):
            _keep_before(recording, name, key)
        if new and not random:
            recording.conditions.setdefault(
                label_of_kind(key), asked.token_of_path(name, asked.KIND)
            )
        recording.writes[name] = Written(existed, key)


def _keep_before(recording: Recording, name: str, key: str) -> None:
    """The content of a file counts, and is about to change."""
    stat = stat_of(name)
    for read in (key, name):
        if recording.reads.pop(read, stat) != stat:
            recording.effects[f"read {name} while it changed"] = None
    with unrecorded():
        recording.before.setdefault(key, contents.digest_of(name, stat))


def label_of_kind(key: str) -> str:
    """The label of the condition that there is, or is not, something of that name."""
    return f"{asked.PATH}{asked.KIND}:{key}"


def _on_list(path: Any = None, *_: Any) -> None:
    if path is None:
        path = "."
    name = _absolute(path)
    if name is None or _is_ours_or_the_systems(name) or _is_importing():
        return
    key = _key(path, name)
    for recording in _recordings():
        if key not in recording.listings and not _is_made(recording, name):
            recording.listings[key] = names_in(name)


def _on_test(path: str, depth: str, by_program: bool) -> None:
    name = _absolute(path)
    if name is None or _is_ours_or_the_systems(name):
        return
    label = f"{asked.PATH}{depth}:{_key(path, name)}"
    for recording in _recordings():
        if (
            label not in recording.conditions
            and name not in recording.writes
            and not _is_made(recording, name)
        ):
            recording.conditions[label] = asked.token_of_path(name, depth)
            if not by_program:
                recording.incidental[label] = name


def _is_made(recording: Recording, name: str) -> bool:
    """Whether the evaluation made this path or a folder above, which was not there before."""
    while True:
        written = recording.writes.get(name)
        if written is not None and not written.existed:
            return True
        above = os.path.dirname(name)
        if above == name:
            return False
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
    old, new = _absolute(source, source_folder), _absolute(target, folder)
    if old is None or new is None:
        return
    old_key, key = _key(source, old, source_folder), _key(target, new, folder)
    for recording in _recordings():
        if not _is_ours_or_the_systems(old):
            made = recording.writes.pop(old, None)
            if made is None and os.path.isdir(old):
                recording.effects[f"renamed the folder {old}"] = None
            elif made is None:
                _keep_before(recording, old, old_key)
            if made is None or made.existed:
                recording.removals[old] = old_key
        if not _is_ours_or_the_systems(new):
            existed = os.path.lexists(new)
            if os.path.isdir(old):  # which fails where there is a folder with something in it
                recording.conditions.setdefault(
                    label_of_kind(key), asked.token_of_path(new, asked.KIND)
                )
            recording.writes[new] = recording.writes.get(new, Written(existed, key)).replace(
                moded=True
            )
            for below in [each for each in recording.writes if each.startswith(old + os.sep)]:
                inner = recording.writes.pop(below)
                rest = below[len(old) :]
                recording.writes[new + rest] = inner.replace(key=key + rest)


def _on_make_folder(path: Any, _: Any = None, folder: Any = -1) -> None:
    name = _absolute(path, folder)
    if name is None or _is_ours_or_the_systems(name):
        return
    key = _key(path, name, folder)
    before = asked.token_of_path(name, asked.KIND)
    random = os.path.basename(_caller()) == "tempfile.py"
    free = not random and not asked.is_made_if_missing(sys._getframe(1))
    for recording in _recordings():
        if free and name not in recording.writes:
            recording.conditions.setdefault(label_of_kind(key), before)
        if before == "none" or not free:
            recording.writes.setdefault(name, Written(before != "none", key))


def _on_make_link(_: Any, path: Any, folder: Any = -1) -> None:
    name = _absolute(path, folder)
    if name is not None and not _is_ours_or_the_systems(name):
        _on_write(name, _key(path, name, folder), new=True)


def _on_truncate(path: Any, _: Any = None) -> None:
    name = _absolute(path)
    if name is not None and not _is_ours_or_the_systems(name):
        _on_write(name, _key(path, name))


def _on_remove(path: Any, folder: Any = -1) -> None:
    name = _absolute(path, folder)
    if name is None or _is_ours_or_the_systems(name):
        return
    key = _key(path, name, folder)
    for recording in _recordings():
        made = recording.writes.pop(name, None)
        if made is None:
            if key in recording.reads or name in recording.reads:
                _keep_before(recording, name, key)
            recording.conditions.setdefault(
                label_of_kind(key), asked.token_of_path(name, asked.KIND)
            )
        if made is None or made.existed:
            recording.removals[name] = key


def _on_change(path: Any, *_: Any) -> None:
    name = _absolute(path)
    if name is not None and not _is_ours_or_the_systems(name):
        for recording in _recordings():
            if name in recording.writes:
                recording.writes[name] = recording.writes[name].replace(moded=True)
            else:
                recording.effects[f"changed the mode, owner or times of {name}"] = None


def _on_link() -> None:
    for recording in _recordings():
        recording.effects["made a hard link"] = None


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
        recording.connections[repr(address)] = None


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


def note_left(recording: Recording, key: str, *, removed: bool = False) -> None:
    """A hit inside an evaluation is about to leave a file, or to remove it."""
    name = os.path.abspath(key)
    if name in recording.writes:
        if removed and recording.writes.pop(name).existed:
            recording.removals[name] = key
        return
    if key in recording.reads or name in recording.reads:
        _keep_before(recording, name, key)
    if removed:
        recording.removals[name] = key
    else:
        recording.writes[name] = Written(os.path.lexists(name), key)


def note_worker() -> None:
    """A worker process is started, by whatever way."""
    for recording in _recordings():
        recording.notes["it started a worker process: what only that runs or reads is not seen"] = (
            None
        )


_WATCHERS: dict[str, Callable[..., None]] = {
    "open": _on_open,
    "os.rename": _on_rename,
    "os.mkdir": _on_make_folder,
    "os.link": lambda *_: _on_link(),
    "os.symlink": _on_make_link,
    "os.remove": _on_remove,
    "os.rmdir": _on_remove,
    "os.truncate": _on_truncate,
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
    if folder == -1 and _is_plain(name):  # a third of the time of `abspath`
        return name if name[0] == "/" else f"{os.getcwd()}/{name}"
    if type(folder) is int and folder >= 0:
        try:
            name = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), name)
        except OSError:
            return None
    return os.path.abspath(name)


def _is_plain(name: str) -> bool:
    """Whether nothing in a name is to be left out (`.`, `..`, `//`)."""
    return (
        os.sep == "/"
        and name[:1] not in ("", ".")
        and "/." not in name
        and "//" not in name
        and name[-1] != "/"
    )


def _key(path: Any, name: str, folder: Any = -1) -> str:
    """How a read is named: relative paths stay relative, they mean another file elsewhere."""
    given = os.fsdecode(path)
    below = type(folder) is int and folder >= 0
    return name if below or os.path.isabs(given) else HERE + given


def _is_ours_or_the_systems(name: str) -> bool:
    """Files that are no inputs: devices, installed code (counted by version), bytecode, caches.

    A first-party `.py` read by the import system is code, which the code hash counts; the same
    file read by the program as data is a file like any other.
    """
    if name.startswith(_not_files) or not is_tracked(name):
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
_LOGGING = os.path.join(os.path.dirname(os.__file__), "logging", "__init__.py")
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
        found = _stat(name)
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
