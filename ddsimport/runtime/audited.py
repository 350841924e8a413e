"""What audit events (PEP 578) tell of an evaluation: files, folders, the environment, children.

What is asked without an audit event (`asked`) comes here, too. Each watcher is called from inside
the program's own call, before it has its effect; see `recorder`.

Not seen: native code that raises no audit event (see `native`).
"""

from __future__ import annotations

import os
import sys
from _thread import get_ident
from types import FrameType

from ddsimport.runtime import asked, databases, descriptors, output, recorder, threads
from ddsimport.runtime.recorder import Recording, Written
from ddsimport.source.hook import is_tracked
from ddsimport.store import labels

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_STANDARD_INPUT = ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
_NOT_FILES = ("/dev/", "/proc/", "/sys/")
_IN_MEMORY = "/dev/shm/"
_caches: tuple[str, ...] = ()
"""What `_library_folders` were when the last evaluation began."""
_here = ""
"""The working directory when the last evaluation began; empty once it has changed."""


def install() -> None:
    """Be told of events while something is recorded; before each recording."""
    global _caches, _here
    _caches = _library_folders()
    _here = _working_directory()
    for event, watcher in _WATCHERS.items():
        recorder.watch(event, watcher)


def _on_open(path: Any, mode: Any, flags: int) -> None:
    name, key = _names(path)
    if name is None:
        if path == 0:
            _on_input()
        return  # a file that is open already
    if flags & recorder.WRITING:
        # `tempfile` opens a folder by name, and a file in it by an opener of its own.
        if not _is_ours_or_the_systems(name) and not os.path.isdir(name):
            _on_open_to_write(key, name, flags)
        return
    if _is_ours_or_the_systems(name):
        if name in _STANDARD_INPUT:
            _on_input()
        return  # not for ever: whoever opens it next may not be the import system, or a library
    for recording in recorder.recordings():
        recording.note_read(key, name)
        if type(path) is str and not asked.folders:
            recording.opened.add(path)


def _on_open_to_write(key: str, name: str, flags: int) -> None:
    if _caller() == _LOGGING:
        for recording in recorder.doers():
            recording.effects[f"opened the log {name}"] = None
    else:
        new = bool(flags & os.O_EXCL)
        _on_write(name, key, afresh=bool(flags & os.O_TRUNC), new=new)


def _on_write(name: str, key: str, *, afresh: bool = False, new: bool = False) -> None:
    """A file is about to be written to.

    Args:
        afresh: all that it holds is what is written now.
        new: there must be none before.
    """
    existed = os.path.lexists(name)
    random = new and os.path.basename(_caller()) == "tempfile.py"  # such names are nobody's
    for recording in recorder.doers():
        if name in recording.writes:
            continue
        if not afresh and not new:
            recording.note_before(key, name)  # also that there is none yet, to add to
        elif existed and (key in recording.reads or name in recording.reads):
            recording.note_before(key, name)
        if new and not random:
            _count_kind(recording, key, name)
        recording.writes[name] = Written(existed, key)


def _count_kind(recording: Recording, key: str, name: str) -> None:
    """Whether there is something of that name, and what, counts."""
    token = asked.token_of_path(name, asked.KIND)
    recording.conditions.setdefault(asked.label_of_kind(key), token)


def _on_list(path: Any = None, *_: Any) -> None:
    if path is None:
        path = "."
    elif type(path) is int:
        path = asked.name_of_open(path)
        if path is None:
            return
    name = _absolute(path)
    if name is None or _is_ours_or_the_systems(name) or _is_importing():
        return
    key = _key(path, name)
    for recording in recorder.recordings():
        if key not in recording.listings and not _is_made(recording, name):
            recording.listings[key] = recorder.names_in(name)


def _on_scan(path: Any = None, *_: Any) -> None:
    _on_list(path)
    # The entries are given to the program itself, which may ask each for its status.
    if is_tracked(sys._getframe(2).f_code.co_filename) and not isinstance(path, int):
        folder = os.fsdecode(path) if path is not None else "."
        for name in recorder.names_in(folder) or ():
            _on_path(os.path.join(folder, name.rstrip("/")), asked.TIME, True)


def _on_path(path: str, depth: str, by_program: bool) -> None:
    name = _absolute(path)
    if name is None or _is_ours_or_the_systems(name):
        return
    label = f"{labels.PATH}{depth}:{_key(path, name)}"
    for recording in recorder.recordings():
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
    if _caller().startswith(_OURS):
        return
    label = labels.NAMES if name is None else labels.VARIABLE + name
    for recording in recorder.recordings():
        if label not in recording.conditions:
            token = asked.token_of_names() if name is None else asked.token_of_variable(name)
            recording.conditions[label] = token


def _on_database(database: Any, *_: Any) -> None:
    if isinstance(database, str) and database.startswith("file:"):
        database = database[len("file:") :].partition("?")[0]
    if database != ":memory:":
        _on_open(database, None, 0)
        _on_open(databases.journal_of(os.fsdecode(database)), None, 0)


def _on_rename(source: Any, target: Any, source_folder: Any = -1, folder: Any = -1) -> None:
    old, new = _absolute(source, source_folder), _absolute(target, folder)
    if old is None or new is None:
        return
    old_key, key = _key(source, old, source_folder), _key(target, new, folder)
    for recording in recorder.doers():
        if not _is_ours_or_the_systems(old):
            made = recording.writes.pop(old, None)
            if made is None and os.path.isdir(old):
                recording.effects[f"renamed the folder {old}"] = None
            elif made is None:
                recording.note_before(old_key, old)
            if made is None or made.existed:
                recording.removals[old] = old_key
        if not _is_ours_or_the_systems(new):
            existed = os.path.lexists(new)
            if os.path.isdir(old):  # which fails where there is a folder with something in it
                _count_kind(recording, key, new)
            recording.writes[new] = recording.writes.get(new, Written(existed, key)).replace(
                moded=True, moved=True
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
    if_missing = asked.is_made_if_missing(sys._getframe(1))
    for recording in recorder.doers():
        if name in recording.writes:
            continue
        if not random and not if_missing:
            recording.conditions.setdefault(asked.label_of_kind(key), before)
        if before == "none" or if_missing:
            # One that is made where it is missing is as good as there: what is in it counts.
            recording.writes[name] = Written(before != "none" or if_missing, key)


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
    for recording in recorder.doers():
        made = recording.writes.pop(name, None)
        if made is None:
            if key in recording.reads or name in recording.reads:
                recording.note_before(key, name)
            _count_kind(recording, key, name)
        if made is None or made.existed:
            recording.removals[name] = key


def _on_change(path: Any, *_: Any) -> None:
    name = _absolute(path)
    if name is not None and not _is_ours_or_the_systems(name):
        for recording in recorder.doers():
            if name in recording.writes:
                recording.writes[name] = recording.writes[name].replace(moded=True)
            else:
                recording.effects[f"changed the mode, owner or times of {name}"] = None


def _on_copy_mode(path: Any, *_: Any) -> None:
    _on_path(os.fsdecode(path), asked.MODE, is_tracked(_caller()))


def _on_link() -> None:
    for recording in recorder.doers():
        recording.effects["made a hard link"] = None


def _on_chdir(*_: Any) -> None:
    global _here
    _here = ""
    for recording in recorder.recordings():
        recording.effects["changed the working directory"] = None


def _on_input(*_: Any) -> None:
    for recording in recorder.doers():
        recording.effects["read standard input"] = None


def _on_putenv(name: Any, *_: Any) -> None:
    # Installed libraries set variables of their own when they are imported (OPENBLAS_MAIN_FREE).
    if not is_tracked(_caller()):
        return
    for recording in recorder.recordings():
        recording.effects[f"changed the environment variable {os.fsdecode(name)}"] = None


def _on_connect(_: Any, address: Any) -> None:
    if _is_own_jvm(address):
        return
    for recording in recorder.recordings():
        recording.connections[repr(address)] = None


def _is_own_jvm(address: Any) -> bool:
    """Whether an address is that of the JVM that pyspark has started here: what it says is what
    Spark computes, and what that reads is told elsewhere (see `plans`)."""
    if "py4j" not in sys.modules or type(address) is not tuple:
        return False
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith(("py4j.", "pyspark.")):
            return address[0] in ("127.0.0.1", "localhost", "::1")
        frame = frame.f_back
    return False


def _on_child(executable: Any, arguments: Any = (), folder: Any = None, *_: Any) -> None:
    if output.stand_aside is not output.nothing and (
        _inherits_output() or _inherits_output("errwrite", 2)
    ):
        output.stand_aside()
    for recording in recorder.doers():
        recording.notes[
            f"it started {executable!r}: what a child process reads, prints or writes is not seen, "
            "but for data files that its code names"
        ] = None
    if not descriptors.follows(1) and _inherits_output():
        for recording in recorder.doers():
            recording.children.setdefault(os.fsdecode(executable), recorder.bytes_written())
    # But the files that its command names are: the script that it runs, the table that it sorts.
    below = os.fsdecode(folder) if folder is not None else ""
    for word in _words_of(arguments):
        path = os.path.join(below, word)
        if os.path.isfile(path):
            _on_open(path, None, 0)


def _on_shell(command: Any) -> None:
    _on_child("sh", command)


def _inherits_output(name: str = "c2pwrite", descriptor: int = 1) -> bool:
    """Whether the child that is about to be started prints where this program prints.

    Args:
        name: what `subprocess` calls the child's descriptor.
        descriptor: this program's.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename in _GO_BETWEENS:
        frame = frame.f_back
    if frame is None or frame.f_code.co_name != "_execute_child":
        return True  # os.system
    given = frame.f_locals.get(name, -1)
    try:
        return given == -1 or os.path.sameopenfile(given, descriptor)
    except OSError:
        return False


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
    output.stand_aside()
    for recording in recorder.doers():
        recording.notes["it started a worker process: what only that runs or reads is not seen"] = (
            None
        )


def _on_thread(function: Any, *_: Any) -> None:
    threads.note_start(function, recorder.starter())


_WATCHERS: dict[str, Callable[..., None]] = {
    recorder.PATH: _on_path,
    recorder.VARIABLE: _on_variable,
    "open": _on_open,
    "os.rename": _on_rename,
    "os.mkdir": _on_make_folder,
    "os.link": lambda *_: _on_link(),
    "os.symlink": _on_make_link,
    "os.remove": _on_remove,
    "os.rmdir": _on_remove,
    "os.truncate": _on_truncate,
    "os.listdir": _on_list,
    "os.scandir": _on_scan,
    "shutil.copymode": _on_copy_mode,
    "shutil.copystat": _on_copy_mode,
    "sqlite3.connect": _on_database,
    "os.chmod": _on_change,
    "os.chown": _on_change,
    "os.utime": _on_change,
    "os.chdir": _on_chdir,
    "builtins.input": _on_input,
    "os.putenv": _on_putenv,
    "os.unsetenv": _on_putenv,
    "socket.connect": _on_connect,
    recorder.THREAD: _on_thread,
    "_thread.start_joinable_thread": _on_thread,
    "subprocess.Popen": _on_child,
    "os.system": _on_shell,
    "os.fork": note_worker,
    "os.forkpty": lambda *_: output.stand_aside(),
    "os.posix_spawn": lambda *_: output.stand_aside(),
    "os.exec": lambda *_: output.stand_aside(),
}


def _names(path: Any) -> tuple[str | None, str]:
    """The absolute name of what is opened, None if it is open already, and the key of a read."""
    folder = -1
    if asked.folders:
        folder = asked.folders.get(get_ident(), -1)
    elif type(path) is str and _is_plain(path):  # a file of a thousand; half of the time
        return _from_here(path), path if path[0] == "/" else labels.HERE + path
    name = _absolute(path, folder)
    return name, "" if name is None else _key(path, name, folder)


def _absolute(path: Any, folder: Any = -1) -> str | None:
    """The absolute name of what an audit event names, relative to an open folder if it says so."""
    if isinstance(path, int):
        return None
    name = os.fsdecode(path)
    if folder == -1 and _is_plain(name):  # a third of the time of `abspath`
        return _from_here(name)
    if type(folder) is int and folder >= 0:
        above = asked.name_of_open(folder)
        if above is None:
            return None
        name = os.path.join(above, name)
    if ".." in name.split(os.sep):
        # The folder above a link is not the one above its name.
        above, below = os.path.split(name)
        name = os.path.join(os.path.realpath(above), below)
    return os.path.abspath(name)


def _from_here(name: str) -> str:
    """The absolute name of a plain one."""
    return name if name[0] == "/" else f"{_here or os.getcwd()}/{name}"


def _is_plain(name: str) -> bool:
    """Whether nothing in a name is to be left out (`.`, `..`, `//`)."""
    return (
        _SLASHES
        and name[:1] not in ("", ".")
        and "/." not in name
        and "//" not in name
        and name[-1] != "/"
    )


_SLASHES = os.sep == "/"


def _key(path: Any, name: str, folder: Any = -1) -> str:
    """How a read is named: relative paths stay relative, they mean another file elsewhere."""
    given = os.fsdecode(path)
    below = type(folder) is int and folder >= 0
    return name if below or os.path.isabs(given) else labels.HERE + given


def _is_ours_or_the_systems(name: str) -> bool:
    """Files that are no inputs: devices, installed code (counted by version), bytecode, caches.

    A first-party `.py` read by the import system is code, which the code hash counts; the same
    file read by the program as data is a file like any other.
    """
    if name.startswith(_NOT_FILES) and not name.startswith(_IN_MEMORY):
        return True
    if not is_tracked(name) or f"{os.sep}__pycache__" in name:
        return True
    if name.startswith(_caches) and not is_tracked(_caller()):
        return True
    return name.endswith((".py", ".pyc", ".so", ".pyd")) and _is_importing()


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
    {__file__, recorder.__file__, asked.__file__, os.__file__, os.path.realpath(os.__file__),
     "<frozen os>", "<frozen _collections_abc>",
     *(os.path.join(os.path.dirname(os.__file__), name)
       for name in ("pathlib.py", "pathlib/__init__.py", "pathlib/_local.py", "pathlib/_abc.py"))}
)  # fmt: skip
_LOGGING = os.path.join(os.path.dirname(os.__file__), "logging", "__init__.py")
_OURS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")
_IMPORTERS = ("<frozen importlib", _OURS)
"""The import system, and our part of it: what it opens is code."""


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # removed
        return ""


def _library_folders() -> tuple[str, ...]:
    """Where libraries keep what they can make again (matplotlib's fonts): no step's output."""
    with recorder.unrecorded():
        home = os.path.expanduser("~")
        caches = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
        settings = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    return (os.path.join(caches, ""), os.path.join(settings, ""))
