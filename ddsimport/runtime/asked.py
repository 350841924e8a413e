"""What an evaluation asks its surroundings for without an audit event: variables and paths.

Python raises no audit event when a program reads an environment variable or tests whether a path
exists. At the first miss, the dictionary inside `os.environ` is replaced by one that tells who
reads it; `os.environ` stays what it is. While something is recorded, `os.path` and `pathlib` know
by the name `os` an object that tells of each `os.stat` before it hands out the real one. Nothing is
called in place of anything else, so no frame of ours stands in a traceback.

`os.stat` and its like called by the program itself are handed out as functions that tell of the
path: the one place where a frame of ours may stand in a traceback, if they raise. So is `os.open`,
whose audit event does not tell of `dir_fd`. A program that has taken one of them before (`from os
import stat`) has the real one, which tells nobody; see `replayable`.

Not seen: what native code asks (getenv, stat).
"""

from __future__ import annotations

import os
import stat as modes
import sys
from _thread import get_ident
from types import ModuleType

from blake3 import blake3

from ddsimport.source.tracked import is_tracked
from ddsimport.store import labels

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import Any

    TellVariable = Callable[[str | None], None]
    TellPath = Callable[[str, str, bool], None]

KIND, MODE, SIZE, TIME = "kind", "mode", "size", "time"
"""How much of a path's status is looked at."""

_KIND_ONLY = ("exists", "lexists", "isfile", "isdir", "islink", "ismount", "is_file", "is_dir")
_TIMES = ("getmtime", "getatime", "getctime", "stat", "lstat")
_OURS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
_GO_BETWEENS = (
    "os", "ddsimport.runtime.recorder", "ddsimport.runtime.asked", "ddsimport.runtime.audited"
)  # fmt: skip
_ASKING = ("genericpath", "posixpath", "pathlib", "pathlib._abc", "pathlib._local")
_WHICH = "shutil"
"""It asks by `os.access`, in `which`; all else that it does with files raises audit events."""
_SHALLOW = ("access", "readlink")

HANDED_OUT = ("stat", "lstat", "access", "readlink")
"""Functions of `os` that tell of a path where the program looks them up in `os`."""


def watch_variables(tell: TellVariable) -> None:
    """From now on call `tell` before a variable is read: its name, or None for all names."""
    watched = _Variables(_raw())
    watched.tell = tell
    environs: list[Any] = [os.environ, os.environb]
    for environ in environs:
        environ._data = watched


class _Variables(dict):  # type: ignore[type-arg]
    """What `os.environ` and `os.environb` hold: encoded names and values."""

    tell: TellVariable

    def __getitem__(self, key: Any) -> Any:
        self.tell(os.fsdecode(key))
        return super().__getitem__(key)

    def __iter__(self) -> Iterator[Any]:
        self.tell(None)
        return super().__iter__()

    def __len__(self) -> int:
        self.tell(None)
        return super().__len__()

    def items(self) -> Any:
        self.tell(None)
        for key in super().__iter__():
            self.tell(os.fsdecode(key))
        return super().items()


def token_of_variable(name: str) -> str:
    """What stands for the value of a variable, which itself is never kept; empty if unset."""
    value = dict.get(_raw(), os.environ.encodekey(name))
    return "" if value is None else blake3(os.fsencode(value)).hexdigest()


def token_of_names() -> str:
    names = sorted(os.fsencode(name) for name in dict.keys(_raw()))
    return blake3(b"\0".join(names)).hexdigest()


def _raw() -> dict[Any, Any]:
    data: dict[Any, Any] = os.environ._data  # type: ignore[attr-defined]
    return data


class _Os:
    """What `os.path`, `pathlib` and `shutil` take for the module `os`."""

    def __init__(self, tell: TellPath, *watched: str) -> None:
        # All but these is looked up as fast as ever (`os.fspath` in each `os.path.join`).
        self.__dict__.update(vars(os))
        for name in watched:
            del self.__dict__[name]
        self._watched = watched
        self._tell = tell

    def __getattr__(self, name: str) -> Any:
        if name in self._watched:
            # Asked for in order to be called at once with what the asking function was given.
            self._tell_of(sys._getframe(1))
        return getattr(os, name)

    def __get__(self, _: Any, owner: type | None = None) -> Any:
        """`stat` of what pathlib of Python 3.10 calls the functions of `os` by."""
        self._tell_of(sys._getframe(1))
        return os.stat

    def _tell_of(self, frame: FrameType) -> None:
        code = frame.f_code
        depth = TIME if code.co_name in _TIMES else SIZE
        if frame.f_globals.get("__name__") == _WHICH:
            depth = MODE
        if is_made_if_missing(frame):
            return
        program: FrameType | None = frame
        while program is not None and program.f_globals.get("__name__") in _ASKING:
            if program.f_code.co_name in _KIND_ONLY:
                depth = KIND
            program = program.f_back
        if program is None or program.f_code.co_filename.startswith(_OURS):
            return
        for given in code.co_varnames[: code.co_argcount]:
            path = frame.f_locals.get(given)
            if isinstance(path, (str, bytes, os.PathLike)):
                by_program = is_tracked(program.f_code.co_filename)
                self._tell(os.fsdecode(path), depth, by_program)


def is_made_if_missing(frame: FrameType | None) -> bool:
    """Whether what asks is `os.makedirs(…, exist_ok=True)` or its like in pathlib: it leaves the
    same, whether the folder was there or not."""
    while frame is not None and frame.f_globals.get("__name__") in (*_ASKING, *_GO_BETWEENS):
        if frame.f_code.co_name in ("makedirs", "mkdir") and frame.f_locals.get("exist_ok"):
            return True
        frame = frame.f_back
    return False


class _Telling:
    """`os.stat` and its like as the program sees them; equal to the real one (`os.supports_fd`)."""

    def __init__(self, function: Any) -> None:
        self._function = function
        self.__name__ = self.__qualname__ = function.__name__
        self.__doc__ = function.__doc__

    def __call__(self, path: Any, *arguments: Any, **options: Any) -> Any:
        if _tell is not None and isinstance(path, (str, bytes, os.PathLike)):
            name, folder = os.fsdecode(path), options.get("dir_fd")
            if isinstance(folder, int):
                name = os.path.join(name_of_open(folder) or "", name)
            _tell(name, MODE if self.__name__ in _SHALLOW else TIME, True)
        return self._function(path, *arguments, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)

    def __eq__(self, other: object) -> bool:
        return other is self._function or (
            isinstance(other, _Telling) and other._function is self._function
        )

    def __hash__(self) -> int:
        return hash(self._function)

    def __repr__(self) -> str:
        return repr(self._function)


folders: dict[int, int] = {}
"""Thread -> the open folder that the path it opens now is relative to (`dir_fd`)."""


class _Opening(_Telling):
    """`os.open` likewise, which raises an audit event of its own; but that says not of `dir_fd`."""

    def __call__(self, path: Any, *arguments: Any, **options: Any) -> Any:
        folder = options.get("dir_fd")
        if not isinstance(folder, int):
            return self._function(path, *arguments, **options)
        thread = get_ident()
        folders[thread] = folder
        try:
            return self._function(path, *arguments, **options)
        finally:
            del folders[thread]


class _HandedOut:
    """An attribute of the module `os`: what the program gets of it tells of the paths it is given.

    A data descriptor, so that all other attributes are looked up as fast as ever.
    """

    def __init__(self, name: str, kind: type[_Telling] = _Telling) -> None:
        self._name = name
        self._kind = kind

    def __get__(self, module: Any, _: type | None = None) -> Any:
        try:
            found = module.__dict__[self._name]
        except KeyError:
            raise AttributeError(self._name) from None
        return self._kind(found) if is_tracked(sys._getframe(1).f_code.co_filename) else found

    def __set__(self, module: Any, value: Any) -> None:
        module.__dict__[self._name] = value

    def __delete__(self, module: Any) -> None:
        del module.__dict__[self._name]


class _Module(ModuleType):
    """What the module `os` is while paths are watched."""

    open = _HandedOut("open", _Opening)
    stat = _HandedOut("stat")
    lstat = _HandedOut("lstat")
    access = _HandedOut("access")
    readlink = _HandedOut("readlink")


_Module.__name__ = _Module.__qualname__ = ModuleType.__name__


_tell: TellPath | None = None


def watch_paths(tell: TellPath) -> None:
    """Call `tell` with each path that is tested, how much of its status, and whether it is the
    program's own code that asks, until `unwatch`."""
    global _tell
    _tell = tell
    os.__class__ = _Module
    watching, which = _Os(tell, "stat", "lstat"), _Os(tell, "access")
    for name in (*_ASKING, _WHICH):
        module: Any = sys.modules.get(name)
        if module is not None and getattr(module, "os", None) is os:
            module.os = watching if name != _WHICH else which
            _watched.append(module)
            if hasattr(module, "_NormalAccessor"):
                module._NormalAccessor.stat = watching


def unwatch_paths() -> None:
    os.__class__ = ModuleType
    for module in _watched:
        module.os = os
        if hasattr(module, "_NormalAccessor"):
            module._NormalAccessor.stat = os.stat
    _watched.clear()


_watched: list[Any] = []


def name_of_open(descriptor: int) -> str | None:
    """The absolute name of what is open, where the system tells (Linux)."""
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return None


def label_of_kind(key: str) -> str:
    """The label of the condition that there is, or is not, something of that name."""
    return f"{labels.PATH}{KIND}:{key}"


def token_of_path(path: str, depth: str) -> str:
    """What stands for the status of a path."""
    try:
        own = os.lstat(path)
    except (OSError, ValueError):
        return "none"
    link = " link" if modes.S_ISLNK(own.st_mode) else ""
    try:
        found = os.stat(path)
    except OSError:
        return "link to nothing"
    kind = {modes.S_IFREG: "file", modes.S_IFDIR: "folder"}.get(
        modes.S_IFMT(found.st_mode), "other"
    )
    if depth == KIND:
        return kind + link
    token = f"{kind} link to {os.readlink(path)}" if link else kind
    if depth != SIZE:  # which another checkout has in common; the mode depends on the umask there
        token += f" {found.st_mode:o}"
    # The size and time of a folder change with what is in it, which is told where it is listed.
    if depth == MODE or kind == "folder":
        return token
    token += f" {found.st_size}"
    return token if depth == SIZE else f"{token} {found.st_mtime_ns}"
