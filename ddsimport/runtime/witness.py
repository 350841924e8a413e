"""What ran while a step was evaluated, seen from the interpreter: code, imports, unpickled classes.

The analysis says what a step's code reaches; a witness says what did run, so that `unforeseen` can
tell the difference. What is seen:

- On Python 3.12 and later, every tracked code object that starts or is resumed (`sys.monitoring`,
  PEP 669). Each reports once per evaluation and costs nothing from then on.
- On 3.10 and 3.11, the same by `sys.setprofile`, which makes calls in pure Python several times
  slower; so to the end only while a step is evaluated that the analysis cannot see through
  (`is_blind`), and else for the first `profile.BUDGET` calls of a step.
- On all of them, what the step imports by a computed name, whether it is there or not, and which
  classes and functions it unpickles.

If somebody else holds what we need (a profiler, the tools of `sys.monitoring`) or takes it away, or
threads are there that cannot be watched, the witness says that it is not whole; then all that is
loaded counts.

Code that another thread or task runs belongs to the evaluation that started it. That of a thread
which was there before may do the step's work (a pool), and belongs to every evaluation under way.
What a worker process runs is not seen; the step says that it started one.
"""

from __future__ import annotations

import importlib
import sys
import threading
from opcode import opmap

from ddsimport import forks
from ddsimport.runtime import recorder
from ddsimport.runtime.profile import Profile
from ddsimport.source import cells, debugger, hook
from ddsimport.source.tracked import is_tracked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType
    from typing import Any

    from ddsimport.runtime.recorder import Recording

_WAITS = 0x80  # inspect.CO_COROUTINE
_MODULE = "<module>"
_OURS = __file__.rpartition("runtime")[0]
_IMPORT_STATEMENT = opmap["IMPORT_NAME"]
_IMPORT_MODULE = importlib.import_module.__code__

_watching: list[Recording] = []
_generation = 0
"""How many evaluations have begun."""

_lock = forks.lock()


class Seen:
    """What was seen of one evaluation.

    Attributes:
        code: identity of each tracked code object that ran -> it, and the name of its module.
            (Of two files, code objects with the same text on the same line are equal.)
        modules: (name, file) of each tracked module whose code ran otherwise than by an `import`
            statement of tracked code.
        sought: names of modules that were looked for, by whatever way, and were not loaded.
        asked: names of modules that were looked for by a computed name -> by tracked code.
        imported: (name, file) of each tracked module that was imported meanwhile.
        importing: as `code`, of what ran because a module was imported.
        unpickled: (module, qualified name) of what was unpickled.
        whole: False if code may have run unseen that no text foresaw.
        exact: False if any code may have run unseen: what was not seen may have run.
        around: the code of the frames that were there when it began; that they go on (an `await`)
            is nothing new.
        waits: other tasks of this thread may run in between.
    """

    __slots__ = (
        "around", "asked", "code", "exact", "imported", "importing", "modules", "sought",
        "thread", "unpickled", "waits", "whole",
    )  # fmt: skip

    def __init__(self, frame: FrameType | None) -> None:
        self.code: dict[int, tuple[CodeType, str]] = {}
        self.modules: dict[tuple[str, str], None] = {}
        self.imported: dict[tuple[str, str], None] = {}
        self.importing: dict[int, tuple[CodeType, str]] = {}
        self.sought: dict[str, None] = {}
        self.asked: dict[str, bool] = {}
        self.unpickled: dict[tuple[str, str], None] = {}
        self.whole = True
        self.exact = True
        self.thread = threading.get_ident()
        self.waits = frame is not None and bool(frame.f_code.co_flags & _WAITS)
        self.around: dict[int, CodeType] = {}
        while frame is not None:
            self.around[id(frame.f_code)] = frame.f_code
            frame = frame.f_back


def begin(recording: Recording, blind: Callable[[], bool], exact: bool = True) -> None:
    """Watch what runs until `end`.

    Args:
        blind: tells whether the analysis cannot see all that the step's code may run; asked where
            watching is dear.
        exact: somebody will ask for all that ran, although the text foresees it.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    recording.seen = Seen(frame)
    global _generation
    with _lock:
        _watching.append(recording)
        _generation += 1
        hook.listen(_on_question)
        recorder.watch("pickle.find_class", _on_unpickling)
        _hooks.begin(recording.seen, blind, exact)


def end(recording: Recording) -> None:
    """Stop; safe to call twice."""
    with _lock:
        if recording not in _watching or recording.seen is None:
            return
        _watching.remove(recording)
        _hooks.end(recording.seen)


# --- whose it is ----------------------------------------------------------------------------------


def _told() -> list[Recording]:
    """The evaluations that what happens now in this thread belongs to."""
    recording = recorder.current()
    if recording is not None:
        # Of our own work, nobody is told: that recording was never begun.
        return [each for each in recording.chain() if each.seen is not None]
    here = threading.get_ident()
    told = []
    for each in tuple(_watching):
        if each.seen is None:
            continue
        if each.seen.waits and each.seen.thread == here:
            # In the thread of a coroutine that waits, a context without the step is another task;
            # but the step may wait for that one.
            each.seen.exact = False
        else:
            told.append(each)
    return told


# --- code -----------------------------------------------------------------------------------------


def _tell(code: CodeType, frame: FrameType, resumed: bool) -> bool:
    """Note that `code` runs; True if every evaluation under way knows it now."""
    begun = _generation
    told = _told()
    known = len(told) == len(_watching)
    for recording in told:
        seen = recording.seen
        if seen is None or id(code) in seen.code or (resumed and id(code) in seen.around):
            continue
        if code is _IMPORT_MODULE:
            _on_import_module(frame, seen)
            known = False
        elif code.co_name == _MODULE and not resumed:
            _on_module(frame, seen)
        elif _is_import(frame, seen):
            seen.importing[id(code)] = (code, frame.f_globals.get("__name__") or "")
            known = False
        else:
            seen.code[id(code)] = (code, frame.f_globals.get("__name__") or "")
    # Last: an evaluation that began in another thread meanwhile has not been told.
    return known and begun == _generation


def _is_import(frame: FrameType | None, seen: Seen) -> bool:
    """Whether code runs because a module is imported. What a module does when it is imported counts
    by what it leaves: as it would if it had been imported before."""
    while frame is not None and id(frame.f_code) not in seen.around:
        if frame.f_code.co_name == _MODULE:
            return True
        frame = frame.f_back
    return False


def _on_module(frame: FrameType, seen: Seen) -> None:
    name = frame.f_globals.get("__name__") or ""
    seen.imported[name, frame.f_code.co_filename] = None
    importer = _importer(frame.f_back)
    if importer is None or not (_is_statement(importer) or _is_package_around(name, importer)):
        seen.modules[name, frame.f_code.co_filename] = None


def _on_import_module(frame: FrameType, seen: Seen) -> None:
    name = _named(frame)
    if name:
        importer = frame.f_back
        tracked = importer is not None and is_tracked(importer.f_code.co_filename)
        seen.asked[name] = tracked or seen.asked.get(name, False)


def _named(frame: FrameType) -> str:
    """The full name that a call of `importlib.import_module` is given."""
    name, package = frame.f_locals.get("name"), frame.f_locals.get("package")
    if type(name) is not str:
        return ""
    below = name.lstrip(".")
    if below == name:
        return name
    parts = package.split(".") if type(package) is str else []
    above = len(name) - len(below) - 1
    return ".".join([*parts[: len(parts) - above], below])


def _is_package_around(name: str, importer: FrameType) -> bool:
    """Whether `importer` asks for a module inside the package `name`, and gets only that."""
    return importer.f_code is _IMPORT_MODULE and _named(importer).startswith(f"{name}.")


def _importer(frame: FrameType | None) -> FrameType | None:
    """The frame that asks for an import, below those of the import system and of ourselves."""
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith(("<frozen importlib", _OURS)):
            return frame
        frame = frame.f_back
    return None


def _is_statement(frame: FrameType) -> bool:
    """Whether `frame` is at an `import` statement of tracked code, which the analysis reads."""
    code = frame.f_code
    if not is_tracked(code.co_filename) or _is_generated(code):
        return False
    return code.co_code[frame.f_lasti] == _IMPORT_STATEMENT


# --- imports and pickles --------------------------------------------------------------------------


def _on_question(name: str) -> None:
    """A module is looked for that is not loaded. Nothing here may import: it would ask again."""
    told = _told() if _watching else []
    if not told:
        return
    for recording in told:
        if recording.seen is not None:
            recording.seen.sought[name] = None
    importer = _importer(sys._getframe(1))
    if importer is None or _is_statement(importer) or _is_package_around(name, importer):
        return
    while importer is not None and importer.f_code.co_filename.endswith(_IMPORTLIB):
        importer = importer.f_back
    if importer is None or not is_tracked(importer.f_code.co_filename):
        return  # libraries look for much, and what they find of the project is seen otherwise
    for recording in told:
        if recording.seen is not None:
            recording.seen.asked[name] = True


_IMPORTLIB = ("importlib/__init__.py", "importlib/util.py")


def _on_unpickling(module: Any, name: Any) -> None:
    if type(module) is str and type(name) is str:
        for recording in _told():
            if recording.seen is not None:
                recording.seen.unpickled[module, name] = None


# --- the interpreter's hooks ----------------------------------------------------------------------


class _Monitoring:
    """`sys.monitoring`: one tool for all evaluations under way."""

    def __init__(self) -> None:
        self._tool = -1
        self._under_way = 0

    def begin(self, seen: Seen, blind: Callable[[], bool], exact: bool) -> None:
        self._under_way += 1
        if self._under_way == 1:
            if sys.version_info >= (3, 13):
                debugger.tell(self.make_way)
            self._tool = self._taken()
        if self._tool < 0:
            seen.whole = seen.exact = False
        else:
            # What has been seen reports no more; for this evaluation, it must once again.
            _monitoring.restart_events()

    def end(self, seen: Seen) -> None:
        self._under_way -= 1
        held = self._tool >= 0 and _monitoring.get_tool(self._tool) == _TOOL
        if self._under_way == 0 and held:
            self._give_back()
        if not held:
            seen.whole = seen.exact = False

    def make_way(self) -> None:
        """Give the tool back at once; the evaluations under way are not seen whole."""
        if self._tool >= 0 and _monitoring.get_tool(self._tool) == _TOOL:
            self._give_back()

    def _give_back(self) -> None:
        _monitoring.set_events(self._tool, 0)
        for event in self._callbacks():
            _monitoring.register_callback(self._tool, event, None)
        _monitoring.free_tool_id(self._tool)

    def _taken(self) -> int:
        """The number of a tool that was free, -1 if there is none."""
        for tool in _TOOLS:
            try:
                _monitoring.use_tool_id(tool, _TOOL)
            except ValueError:
                continue
            for event, callback in self._callbacks().items():
                _monitoring.register_callback(tool, event, callback)
            _monitoring.set_events(tool, sum(self._callbacks()))
            return tool
        return -1

    @staticmethod
    def _callbacks() -> dict[int, Callable[..., Any]]:
        events = _monitoring.events
        return {
            events.PY_START: _on_start,
            events.PY_RESUME: _on_resume,
            events.PY_THROW: _on_throw,
        }


_monitoring: Any = getattr(sys, "monitoring", None)
_DISABLE = _monitoring.DISABLE if _monitoring else None
_TOOL = "ddsimport"
_TOOLS = (4, 3, 5)
"""Numbers that are nobody's: 0 is that of debuggers, 1 of coverage, 2 of profilers."""


def _on_start(code: CodeType, _: int) -> Any:
    return _saw(code, False)


def _on_resume(code: CodeType, _: int) -> Any:
    return _saw(code, True)


def _on_throw(code: CodeType, *_: object) -> None:
    _saw(code, True)  # this event cannot be disabled


def _saw(code: CodeType, resumed: bool) -> Any:
    """What the interpreter is told: whether this place need not report again."""
    return _DISABLE if _is_settled(code, sys._getframe(2), resumed) else None


def _is_settled(code: CodeType, frame: FrameType, resumed: bool) -> bool:
    """Look at code that runs; True if it need not be looked at again by those who watch now."""
    try:
        name = code.co_filename
        if code is not _IMPORT_MODULE and (_is_generated(code) or not is_tracked(name)):
            return True
        return _tell(code, frame, resumed)
    except Exception:
        return False  # an exception here would be raised in the program


def _is_generated(code: CodeType) -> bool:
    """Whether code is from no file and no cell, but was made from a text."""
    return code.co_filename[0:1] == "<" and (
        cells.current is None or cells.current.cell_of(code) is None
    )


_hooks: _Monitoring | Profile = _Monitoring() if _monitoring else Profile(_is_settled)
