"""Which source files are first-party code, and what they were when they were loaded."""

from __future__ import annotations

import os
import sys
import time

from ddsimport import _began

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

source_stats: dict[str, tuple[int, int, int]] = {}
"""Path -> (mtime in ns, size, inode) of every tracked source file, noted before it was loaded: a
file that differs now was edited after its code came into this process."""

_COMPILING = 100_000_000  # ns

reloads = 0
"""How often a file was loaded again after it had changed (`importlib.reload`)."""

on_load: Callable[[str], object] | None = None
"""Called with the path of each source file that is about to be loaded, and of the debugger's."""

loaded_as: dict[str, str] = {}  # path -> the module for which `source_stats` noted it


_accepted: tuple[str, ...] = ()
"""Installed modules whose text counts all the same: files, and folders that end in a separator."""


def accept(places: tuple[str, ...]) -> None:
    """Let the text of these installed files and folders count from now on (see `_accepted`)."""
    global _accepted, reloads
    new = tuple(place for place in places if place not in _accepted)
    if new:
        _accepted += new
        reloads += 1  # what is known of code rests on what counted till now


def _folders_of_others() -> tuple[str, ...]:
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    folders = {os.path.dirname(os.__file__), os.path.dirname(os.path.dirname(__file__))}
    for base in (sys.base_prefix, sys.base_exec_prefix):
        folders.update(os.path.join(base, name, version) for name in ("lib", sys.platlibdir))
    # A file is found under the name that `sys.path` has for it, which may be a link.
    folders |= {os.path.realpath(folder) for folder in folders}
    # Modules that are built into the interpreter (`<frozen os>`) have no file.
    return ("<frozen ", *sorted(folder + os.sep for folder in folders))


_PREFIXES = _folders_of_others()
_INSTALLED = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))


def untracked_prefixes() -> tuple[str, ...]:
    """The folders, each with a separator at its end, whose files are not tracked.

    They are the standard library's and our own. Besides them, no file inside a folder named
    site-packages or dist-packages is tracked.
    """
    return _PREFIXES


def is_tracked(path: str) -> bool:
    """Whether a source file is first-party code, by its path alone."""
    if path.startswith(_PREFIXES):
        return False
    if _INSTALLED[0] not in path and _INSTALLED[1] not in path:
        return True
    return bool(_accepted) and path.startswith(_accepted)


def note(path: str, name: str, *, loads_again: bool) -> None:
    """Note the state of a file that is about to be loaded as the module `name`.

    A question that no load follows (`importlib.util.find_spec`) must not make an edited file look
    like the one that was loaded; nor must its load under a second name.

    Args:
        loads_again: whether a load follows even if the module is loaded (`importlib.reload`).
    """
    before = loaded_as.get(path)
    if before in sys.modules and not (loads_again and before == name):
        return
    try:
        stat = os.stat(path)
    except OSError:
        return
    if on_load is not None:
        on_load(path)
    global reloads
    found = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    if source_stats.get(path, found) != found:
        reloads += 1
    source_stats[path] = found
    loaded_as[path] = name


NO_STATE = (-1, -1, -1)
"""Stands in `source_stats` for a file that could not be loaded again: some of the code that is
loaded is of its text, some of an older one."""


def note_failure(path: str) -> None:
    """Note that a file could not be loaded again."""
    global reloads
    if path in source_stats:
        source_stats[path] = NO_STATE
        reloads += 1


def is_as_loaded(path: str, state: tuple[int, int, int] | None) -> bool:
    """Whether a file in this state has the text that the loaded code is from. Of a file that was
    loaded before anybody noted its state, whether it has not been edited since."""
    known = source_stats.get(path)
    if known is not None:
        return known == state
    if state is None or not _began < state[0] <= time.time_ns():
        return True
    modules = list(sys.modules.values())
    return all(getattr(module, "__file__", None) != path for module in modules)


def may_be_stale(bytecode: str, path: str) -> bool:
    """Whether a bytecode file may have been made from an older text of its source.

    It may where the source is the newer file, or nearly: reading the source and writing what was
    compiled takes time, and the clocks of file systems are coarse.
    """
    try:
        return os.stat(path).st_mtime_ns > os.stat(bytecode).st_mtime_ns - _COMPILING
    except OSError:
        return False  # no bytecode, or nothing to run
