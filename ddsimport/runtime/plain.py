"""The plain functions `keep`, `eval`, `data_function`, `load`: steps without a pragma.

Names and meaning are those of the project's origin, dds_py; what they count is what every step
counts: the code that the function reaches, its arguments by value, the files it reads.
"""

from __future__ import annotations

import functools
import sys
from types import FunctionType

from ddsimport import shell
from ddsimport.analysis.codehash import Reach
from ddsimport.errors import StoreError
from ddsimport.records import Record
from ddsimport.runtime import recorder
from ddsimport.runtime.lookup import Hit, look_up
from ddsimport.runtime.session import session
from ddsimport.runtime.signature import Step
from ddsimport.runtime.step import up_to_date
from ddsimport.runtime.uncached import report_uncached
from ddsimport.source import cells, hook
from ddsimport.source.options import options_of
from ddsimport.source.site import Site
from ddsimport.store.paths import checked_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType
    from typing import Any, TypeVar

    from ddsimport.runtime.evaluation import Evaluation
    from ddsimport.runtime.session import Session

    T = TypeVar("T")


_NOTHING = Reach(hash=b"", references=(), distributions=(), files=(), notes=())
"""The reach of a step without a text of its own: its function is counted as an input."""
_GATHERS = 0x4 | 0x8  # inspect.CO_VARARGS, CO_VARKEYWORDS
_PLAIN = (int, bool, str, bytes)
"""Types whose equal values are the same."""


def keep(path: str, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    """`function(*args, **kwargs)`, evaluated only if its code or its arguments changed.

    The artifact at `path` then holds the value.

    Raises:
        ValueError: `path` is no artifact path.
    """
    checked_path(path)
    return kept(path, function, args, kwargs, place_of_call(sys._getframe(1)))


def eval(function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    """`function(*args, **kwargs)`: the steps in it are steps, the call itself is none."""
    return function(*args, **kwargs)


def data_function(path: str) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Decorator: each call of the function is `keep(path, function, …)`."""
    checked_path(path)

    def decorate(function: Callable[..., T]) -> Callable[..., T]:
        # What it closes over counts for those who call it: no more than must.
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> T:
            return kept(path, function, args, kwargs, place_of(function))

        return call

    return decorate


def load(path: str, *, version: str | int | None = None) -> Any:
    """The current value of the artifact at `path`, or a past one.

    Inside a step the current one is a dependency: the step is evaluated again when it changes.

    Args:
        version: the first digits of a past version's name, as `python -m ddsimport log` prints it;
            or how many before the newest: -1 is the one before.

    Raises:
        LookupError: there is no such artifact or version.
        StoreError: the store cannot be used, or a past value is no longer in it.
    """
    shared = session()
    if shared.store is None:
        raise StoreError(f"{path} cannot be loaded: {shared.absence}")
    recording = recorder.current()
    with recorder.unrecorded():
        value = shared.store.load(path, version)
        blob = shared.blob_at(path) if version is None else None
    if recording is not None and isinstance(version, int):  # a name means the same for ever
        for enclosing in recording.chain():
            enclosing.effects[f"loaded a version of {path} by its place; name it instead"] = None
    if recording is not None and blob is not None:
        recording.note_load(path, blob)
    return value


class Manner(Record):
    """How a call of a function is kept.

    Attributes:
        replay: `source.options.Options.replay`; None: as the project's configuration says.
        always: also where it is much dearer to keep the value than to evaluate it.
        shows: where no hit can give the value, its path shows it all the same.
        format: as in a pragma.
    """

    replay: str | None = None
    always: bool = False
    shows: bool = False
    format: str | None = None


_AS_STEPS = Manner()

hook.watch()  # a helper that is edited while the program runs is not what its functions are from


class Place(Record):
    """Where a step is told to be.

    Attributes:
        namespace: the globals of the module.
        code: what stands there, if that is Python.
        line: in the text that it is from.
    """

    namespace: dict[str, Any]
    code: CodeType | None
    line: int


def place_of_call(frame: FrameType) -> Place:
    """Where a frame is now."""
    return Place(frame.f_globals, frame.f_code, frame.f_lineno)


def place_of(function: Callable[..., Any]) -> Place:
    """Where a function is defined."""
    code = getattr(function, "__code__", None)
    line = code.co_firstlineno if code is not None else 0
    return Place(getattr(function, "__globals__", {}), code, line)


def kept(
    path: str,
    function: Callable[..., T],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    place: Place,
    manner: Manner = _AS_STEPS,
) -> T:
    """`function(*args, **kwargs)`, or what is kept for it."""
    shell.follow()
    shared = up_to_date()
    step = _step(path, function, place, shared, manner)
    inputs = [(step.site.target, function), *_arguments(function, args, kwargs)]
    outer = recorder.current()
    evaluation: Evaluation | None = None
    try:
        with recorder.unrecorded():
            found = look_up(shared, step, path, inputs)
        if isinstance(found, Hit):
            value: T = found.stand_in(outer)
            return value
        evaluation = found
    except Exception as error:  # as in `step.recall`: a failure of ours never stops the program
        report_uncached(path, step.home, place.line, error)
    # From here on no error of ours is being handled: one that the function raises would name it.
    if evaluation is not None:
        evaluation.begin(place_of(function).code)
    try:
        result = function(*args, **kwargs)
    except BaseException:
        if evaluation is not None:
            evaluation.fail()
        raise
    if evaluation is not None:
        evaluation(result)
    if manner.shows and (evaluation is None or evaluation.kept is None):
        _show(step, result, shared, outer)
    return result


def _step(
    path: str,
    function: Callable[..., Any],
    place: Place,
    shared: Session,
    manner: Manner,
) -> Step:
    options = () if manner.format is None else (("format", manner.format),)
    target = getattr(function, "__qualname__", "")
    site = Site("function", place.line, 0, target, path, options, ())
    replay = shared.config.replay if manner.replay is None else manner.replay
    module = place.namespace.get("__name__", "")
    file, line, home = place.namespace.get("__file__", "<unknown>"), place.line, module
    called = f"{file}:{line}"
    in_cell = None if place.code is None else cells.place_of_line(place.code, line)
    if place.code is not None and in_cell is not None:
        file, line = in_cell
        home = cells.title_of(place.code)
        called = f"{home}:{place.line}"
    return Step(
        site=site,
        namespace=place.namespace,
        module=module,
        file=file,
        line=line,
        home=home,
        place=called,
        reach=_NOTHING,
        inputs=(),
        globals=frozenset(),
        modules=frozenset(),
        skipped=frozenset(),
        locals=frozenset(),
        path=path,
        templated=False,
        options=options_of((("cache", "always"),) if manner.always else (), replay),
        answered={},
    )


def _show(step: Step, value: object, shared: Session, outer: recorder.Recording | None) -> None:
    from ddsimport.runtime import shown

    path = step.path
    try:
        with recorder.unrecorded():
            shown.once(path, value, step.format, shared, outer)
    except Exception as error:  # a failure of ours never stops the program
        shared.run.say(f"view {path}", f"{path} shows no value: {type(error).__name__}: {error}")


def _arguments(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[tuple[str, object]]:
    """The arguments by the names of their parameters, where these can be told: `f(1)` and `f(x=1)`
    are one call. So is `f()`, if that is the default: defaults count in the function's code."""
    found: list[tuple[str, object]] = []
    if type(function) is FunctionType and not function.__code__.co_flags & _GATHERS:
        code = function.__code__
        names = code.co_varnames[: code.co_argcount]
        only = code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount]
        if len(args) <= len(names) and kwargs.keys() <= {*names[len(args) :], *only}:
            values = function.__defaults__ or ()
            defaults = dict(zip(names[len(names) - len(values) :], values, strict=True))
            defaults.update(function.__kwdefaults__ or {})
            given = {**dict(zip(names, args, strict=False)), **kwargs}
            for name, value in sorted(given.items()):
                if name not in defaults or not _is_same(value, defaults[name]):
                    found.append((name, value))
            return found
    found += [(f"argument {position}", value) for position, value in enumerate(args, 1)]
    return found + sorted(kwargs.items())


def _is_same(value: object, default: object) -> bool:
    kind = type(value)
    return value is default or (kind is type(default) and kind in _PLAIN and value == default)


__all__ = ["data_function", "eval", "keep", "load"]
