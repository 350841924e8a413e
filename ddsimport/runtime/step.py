"""What rewritten code calls. Rewritten modules know this module as `__dds__`.

    x = (__dds__.recall(SITE) or __dds__.evaluate(SITE)(EXPR))[0]

`recall` answers `(value,)` on a hit and `()` on a miss; `evaluate` then starts the recording and
gives back what takes the value. A marked function asks `recall` first; each `return` notes its
value with `finish`, an exception out of it calls `fail`, and `leave` comes last. SITE is a constant
of the code object, so its identity names the step.

Invariant: nothing here raises. Whatever goes wrong on our side, the program goes on as plain Python
and the user is told once.
"""

from __future__ import annotations

import sys
from types import FrameType

from ddsimport.runtime import deferred, recorder
from ddsimport.runtime.lookup import Hit, look_up
from ddsimport.runtime.session import Session, session
from ddsimport.runtime.signature import (
    Step,
    closed_over,
    inputs_of,
    names_local_to,
    variables_read,
    written,
)
from ddsimport.runtime.uncached import UncachedError, report_uncached
from ddsimport.source import cells
from ddsimport.source.options import options_of
from ddsimport.source.site import Site
from ddsimport.store.paths import quote_part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ddsimport.runtime.evaluation import Evaluation

_steps: dict[int, tuple[tuple[Any, ...], Step]] = {}
"""Identity of the SITE constant -> (the constant, kept alive so that no identity is used twice; its
step)."""

_COROUTINE = 0x80  # inspect.CO_COROUTINE, without importing inspect

_pending: dict[int, Evaluation] = {}
"""Identity of a frame -> the evaluation of an assignment that `recall` prepared in it and that
`evaluate` takes out at once; the calls of one frame follow one another, whatever other threads,
tasks and signal handlers do in between."""

_calls: dict[int, Evaluation] = {}
"""Identity of a marked function's frame -> its evaluation, until `leave` or `fail` takes it out.
Other steps may stand in the function's body: in the same frame."""


def recall(constant: tuple[Any, ...]) -> tuple[Any, ...]:
    """`(value,)` if the store has the value of the step, else `()`."""
    frame = sys._getframe(1)
    before = recorder.current()
    try:
        with recorder.unrecorded():
            found = _recall(constant, frame)
    except Exception as error:
        _say_uncached(constant, frame, error)
        deferred.load_all(frame.f_globals)
        return ()
    if not isinstance(found, Hit):
        if found.step.site.kind == "function":
            found.closed_over = closed_over(frame)
            found.begin(frame.f_code)
            _calls[id(frame)] = found
        else:
            _pending[id(frame)] = found
        return ()
    try:
        value = found.stand_in(before)
        if type(value) is deferred.Value:
            # Last of all: what else a hit does may ask for names of this module.
            value = value.wait_in(frame.f_globals)
        return (value,)
    except Exception as error:  # a module that was imported then cannot be now: let the step tell
        _say_uncached(constant, frame, error)
        deferred.load_all(frame.f_globals)
        return ()


def let_wait(names: tuple[tuple[str, str], ...]) -> None:
    """Note what the module of this frame imports for its steps only: (name there, name here)."""
    frame = sys._getframe(1)
    if frame.f_locals is frame.f_globals:
        deferred.let_wait(frame.f_code, dict(names))


def evaluate(constant: tuple[Any, ...]) -> Callable[[Any], tuple[Any]]:
    """Start the evaluation that `recall` prepared; call the result with the value."""
    frame = sys._getframe(1)
    evaluation = _pending.pop(id(frame), None)
    if evaluation is None:
        return _plain
    evaluation.begin(frame.f_code)
    return evaluation


def finish(constant: tuple[Any, ...], value: Any) -> Any:
    """What the marked function of this frame, which is about to return `value`, is to return."""
    evaluation = _calls.get(id(sys._getframe(1)))
    if evaluation is not None:
        value = evaluation.settled(value)
        evaluation.outcome = (value,)
    return value


def leave(constant: tuple[Any, ...]) -> None:
    """The marked function of this frame is left, with the value that it noted last."""
    frame = sys._getframe(1)
    evaluation = _calls.pop(id(frame), None)
    if evaluation is not None and evaluation.outcome is not None:
        evaluation.closed_over_after = closed_over(frame)
        evaluation(*evaluation.outcome)


def fail(constant: tuple[Any, ...]) -> None:
    """The marked function of this frame raises."""
    evaluation = _calls.pop(id(sys._getframe(1)), None)
    if evaluation is not None:
        evaluation.fail()


def _plain(value: Any) -> tuple[Any]:
    return (value,)


def _recall(constant: tuple[Any, ...], frame: FrameType) -> Hit | Evaluation:
    shared = up_to_date()
    step = _step(constant, frame, shared)
    # A coroutine that waited for a lock would stop its whole event loop.
    patience = 0.0 if frame.f_code.co_flags & _COROUTINE else None
    may_wait = step.site.lazy and deferred.may_wait_in(frame)
    return look_up(shared, step, _path(step, frame), inputs_of(step, frame), patience, may_wait)


def up_to_date() -> Session:
    """The session; nothing is left of what was known of code that has been loaded again since."""
    shared = session()
    if shared.has_reloaded():
        _steps.clear()
    return shared


def _step(constant: tuple[Any, ...], frame: FrameType, shared: Session) -> Step:
    known = _steps.get(id(constant))
    place = None if cells.current is None else cells.place_of_line(frame.f_code, constant[1])
    if (
        known is not None
        and known[1].namespace is frame.f_globals
        and (place is None or place == (known[1].file, known[1].line))
    ):
        return known[1]
    site = Site.from_constant(constant)
    module = frame.f_globals["__name__"]
    file, line, home = frame.f_code.co_filename, site.line, module
    called = f"{file}:{line}"
    if place is not None:
        file, line = place
        home = cells.title_of(frame.f_code)
        called = f"{home}:{site.line}"
    path = site.path or f"/{_display_name(module, file)}/{site.target.replace('.<locals>', '')}"
    at_module_level = frame.f_locals is frame.f_globals
    reach = shared.codebook.step(module, file, line, site.column)
    names, positions = variables_read(site, reach, frame.f_globals)
    step = Step(
        site=site,
        namespace=frame.f_globals,
        module=module,
        file=file,
        line=line,
        place=called,
        home=home,
        reach=reach,
        inputs=tuple((source, written(source)) for source in site.inputs),
        globals=names,
        modules=shared.codebook.modules_of_step(module, file, line, site.column),
        skipped=positions,
        locals=frozenset() if at_module_level else names_local_to(frame.f_code),
        path=path,
        templated="{" in path,
        options=options_of(site.options, shared.config.replay),
        answered={},
    )
    for note in map(cells.in_words, reach.notes):
        shared.run.say(note, note)
    _steps[id(constant)] = (constant, step)
    return step


def _display_name(module: str, file: str) -> str:
    """A script is called after its file, so that running and importing it share their paths."""
    if module not in ("__main__", "__mp_main__"):
        return module
    if cells.text_of(file) is not None:
        return cells.title()
    return file.rpartition("/")[2].rpartition(".")[0]


class _Field:
    """An input in a path template: formatted as `str.format` would, then made safe for a path."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __format__(self, specification: str) -> str:
        return quote_part(format(self._value, specification))

    def __repr__(self) -> str:
        return quote_part(repr(self._value))

    def __str__(self) -> str:
        return quote_part(str(self._value))


class _Fields(dict[str, _Field]):
    def __init__(self, frame: FrameType) -> None:
        self._frame = frame

    def __missing__(self, name: str) -> _Field:
        bound = self._frame.f_locals
        return _Field(bound[name] if name in bound else self._frame.f_globals[name])


def _path(step: Step, frame: FrameType) -> str:
    if not step.templated:
        return step.path
    try:
        return step.path.format_map(_Fields(frame))
    except Exception as error:
        raise UncachedError(f"its path {step.path} cannot be formatted: {error!r}") from error


def _say_uncached(constant: tuple[Any, ...], frame: FrameType, error: Exception) -> None:
    try:
        site = Site.from_constant(constant)
        module = frame.f_globals.get("__name__", "")
        if cells.place_of_line(frame.f_code, site.line) is not None:
            module = cells.title_of(frame.f_code)
        report_uncached(site.path or site.target, module, site.line, error)
    except Exception:
        # Even the report is broken: the program still goes on.
        return
