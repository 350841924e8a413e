"""What audit events (PEP 578) tell of an evaluation: files, folders, the environment, children.

What is asked without an audit event (`asked`) comes here, too. Each watcher is called from inside
the program's own call, before it has its effect; see `recorder`.

Not seen: native code that raises no audit event (see `native`).
"""

from __future__ import annotations

import os
import sys
from types import FrameType

from ddsimport.runtime import (
    asked,
    changes,
    databases,
    descriptors,
    names,
    output,
    recorder,
    threads,
)
from ddsimport.runtime.names import (
    GO_BETWEENS,
    OURS,
    caller,
    followed,
    is_importing,
    is_ours_or_the_systems,
    key_of,
    names_of,
)
from ddsimport.runtime.recorder import Recording
from ddsimport.source.hook import is_tracked
from ddsimport.store import labels

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_STANDARD_INPUT = ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")


def install() -> None:
    """Be told of events while something is recorded; before each recording."""
    names.begin()
    for event, watcher in _WATCHERS.items():
        recorder.watch(event, watcher)


def _on_open(path: Any, mode: Any, flags: int) -> None:
    name, key = names_of(path)
    if name is None:
        if path == 0:
            _on_input()
        return  # a file that is open already
    if flags & recorder.WRITING:
        # `tempfile` opens a folder by name, and a file in it by an opener of its own.
        if not is_ours_or_the_systems(name) and not os.path.isdir(name):
            changes.on_open_to_write(key, name, flags)
        return
    if is_ours_or_the_systems(name):
        if name in _STANDARD_INPUT:
            _on_input()
        return  # not for ever: whoever opens it next may not be the import system, or a library
    for recording in recorder.recordings():
        recording.note_read(key, name)
        if type(path) is str and not asked.folders:
            recording.opened.add(path)


def _on_list(path: Any = None, *_: Any) -> None:
    if path is None:
        path = "."
    elif type(path) is int:
        path = asked.name_of_open(path)
        if path is None:
            return
    name = followed(path)
    if name is None or is_importing():
        return
    key = key_of(path, name)
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
    name = followed(path)
    if name is None:
        return
    label = f"{labels.PATH}{depth}:{key_of(path, name)}"
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
    if caller().startswith(OURS):
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


def _on_copy_mode(path: Any, *_: Any) -> None:
    _on_path(os.fsdecode(path), asked.MODE, is_tracked(caller()))


def _on_chdir(*_: Any) -> None:
    names.forget_here()
    for recording in recorder.recordings():
        recording.effects["changed the working directory"] = None


def _on_input(*_: Any) -> None:
    for recording in recorder.doers():
        recording.effects["read standard input"] = None


def _on_putenv(name: Any, *_: Any) -> None:
    # Installed libraries set variables of their own when they are imported (OPENBLAS_MAIN_FREE).
    if not is_tracked(caller()):
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
    while frame is not None and frame.f_code.co_filename in GO_BETWEENS:
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
    "os.rename": changes.on_rename,
    "os.mkdir": changes.on_make_folder,
    "os.link": lambda *_: changes.on_link(),
    "os.symlink": changes.on_make_link,
    "os.remove": changes.on_remove,
    "os.rmdir": changes.on_remove,
    "os.truncate": changes.on_truncate,
    "os.listdir": _on_list,
    "os.scandir": _on_scan,
    "shutil.copymode": _on_copy_mode,
    "shutil.copystat": _on_copy_mode,
    "sqlite3.connect": _on_database,
    "os.chmod": changes.on_change,
    "os.chown": changes.on_change,
    "os.utime": changes.on_change,
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
