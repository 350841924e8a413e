"""The files that audit events name: their absolute names, how a trace names them, and who asks."""

from __future__ import annotations

import os
import sys
from _thread import get_ident
from types import FrameType

from ddsimport.runtime import asked, recorder
from ddsimport.source.hook import is_tracked
from ddsimport.store import labels

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NOT_FILES = ("/dev/", "/proc/", "/sys/")
_IN_MEMORY = "/dev/shm/"
_caches: tuple[str, ...] = ()
"""What `_library_folders` were when the last evaluation began."""
_here = ""
"""The working directory when the last evaluation began; empty once it has changed."""


def begin() -> None:
    """An evaluation begins."""
    global _caches, _here
    _caches = _library_folders()
    _here = _working_directory()


def forget_here() -> None:
    """The working directory is about to change."""
    global _here
    _here = ""


def names_of(path: Any) -> tuple[str | None, str]:
    """The absolute name of what is opened, None if it is open already, and the key of a read."""
    folder = -1
    if asked.folders:
        folder = asked.folders.get(get_ident(), -1)
    elif type(path) is str and _is_plain(path):  # a file of a thousand; half of the time
        return _from_here(path), path if path[0] == "/" else labels.HERE + path
    name = absolute(path, folder)
    return name, "" if name is None else key_of(path, name, folder)


def absolute(path: Any, folder: Any = -1) -> str | None:
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


def key_of(path: Any, name: str, folder: Any = -1) -> str:
    """How a read is named: relative paths stay relative, they mean another file elsewhere."""
    given = os.fsdecode(path)
    below = type(folder) is int and folder >= 0
    return name if below or os.path.isabs(given) else labels.HERE + given


def followed(path: Any, folder: Any = -1) -> str | None:
    """The absolute name, as of `absolute`; None also of a file that is no input (see below)."""
    name = absolute(path, folder)
    return None if name is None or is_ours_or_the_systems(name) else name


def is_ours_or_the_systems(name: str) -> bool:
    """Files that are no inputs: devices, installed code (counted by version), bytecode, caches.

    A first-party `.py` read by the import system is code, which the code hash counts; the same
    file read by the program as data is a file like any other.
    """
    if name.startswith(_NOT_FILES) and not name.startswith(_IN_MEMORY):
        return True
    if not is_tracked(name) or f"{os.sep}__pycache__" in name:
        return True
    if name.startswith(_caches) and not is_tracked(caller()):
        return True
    return name.endswith((".py", ".pyc", ".so", ".pyd")) and is_importing()


def is_importing() -> bool:
    """Whether it is the import system that opens or lists something now."""
    return caller().startswith(_IMPORTERS)


def caller() -> str:
    """The file of the code that caused the audit event; that of `os` counts as its caller's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename in GO_BETWEENS:
        frame = frame.f_back
    return frame.f_code.co_filename if frame is not None else ""


_HERE = os.path.dirname(__file__)
_STANDARD = os.path.dirname(os.__file__)
GO_BETWEENS = frozenset(
    {
        *(os.path.join(_HERE, f"{name}.py")
          for name in ("asked", "audited", "changes", "names", "recorder")),
        *(os.path.join(_STANDARD, f"pathlib{name}.py")
          for name in ("", "/__init__", "/_local", "/_abc")),
        os.__file__, os.path.realpath(os.__file__), "<frozen os>", "<frozen _collections_abc>",
    }
)  # fmt: skip
"""The files whose code only hands on what somebody else asks."""
LOGGING = os.path.join(_STANDARD, "logging", "__init__.py")
OURS = os.path.join(os.path.dirname(_HERE), "")
_IMPORTERS = ("<frozen importlib", OURS)
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
