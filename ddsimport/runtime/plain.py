"""The plain functions `keep`, `eval`, `data_function`, `load`: steps without a pragma.

Names and meaning are those of the project's origin, dds_py; what they count is what every step
counts: the code that the function reaches, its arguments by value, the files it reads.
"""

from __future__ import annotations

import functools
import sys

from ddsimport.analysis.codehash import Reach
from ddsimport.errors import StoreError
from ddsimport.runtime import recorder
from ddsimport.runtime.lookup import Hit, look_up
from ddsimport.runtime.session import session
from ddsimport.runtime.signature import Step
from ddsimport.runtime.uncached import report_uncached
from ddsimport.source.options import options_of
from ddsimport.source.site import Site
from ddsimport.store.paths import checked_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    T = TypeVar("T")


_NOTHING = Reach(hash=b"", references=(), distributions=(), files=(), notes=())
"""The reach of a step without a text of its own: its function is counted as an input."""


def keep(path: str, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    """`function(*args, **kwargs)`, evaluated only if its code or its arguments changed.

    The artifact at `path` then holds the value.

    Raises:
        ValueError: `path` is no artifact path.
    """
    checked_path(path)
    caller = sys._getframe(1)
    return _keep(path, function, args, kwargs, caller.f_globals, caller.f_lineno)


def eval(function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    """`function(*args, **kwargs)`: the steps in it are steps, the call itself is none."""
    return function(*args, **kwargs)


def data_function(path: str) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Decorator: each call of the function is `keep(path, function, …)`."""
    checked_path(path)

    def decorate(function: Callable[..., T]) -> Callable[..., T]:
        line = function.__code__.co_firstlineno

        @functools.wraps(function)
        def kept(*args: Any, **kwargs: Any) -> T:
            return _keep(path, function, args, kwargs, function.__globals__, line)

        return kept

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
        raise StoreError(f"the store {shared.config.store} cannot be used")
    recording = recorder.current()
    with recorder.unrecorded():
        value = shared.store.load(path, version)
        blob = shared.blob_at(path) if version is None else None
    if recording is not None and isinstance(version, int):  # a name means the same for ever
        for enclosing in recording.chain():
            enclosing.effects[f"loaded a version of {path} by its place; name it instead"] = None
    if recording is not None and blob is not None:
        for enclosing in recording.chain():
            enclosing.loads[path] = blob
    return value


def _keep(
    path: str,
    function: Callable[..., T],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    namespace: dict[str, Any],
    line: int,
) -> T:
    module = namespace.get("__name__", "")
    site = Site("function", line, 0, getattr(function, "__qualname__", ""), path, (), ())
    step = Step(
        site=site,
        namespace=namespace,
        module=module,
        file=namespace.get("__file__", "<unknown>"),
        line=line,
        shown=module,
        place=f"{namespace.get('__file__', '<unknown>')}:{line}",
        reach=_NOTHING,
        inputs=(),
        globals=frozenset(),
        modules=frozenset(),
        skipped=frozenset(),
        locals=frozenset(),
        path=path,
        templated=False,
        options=options_of((), session().config.replay),
        answered={},
    )
    inputs: list[tuple[str, object]] = [(site.target, function)]
    inputs += [(f"argument {position}", value) for position, value in enumerate(args, 1)]
    inputs += sorted(kwargs.items())
    outer = recorder.current()
    try:
        with recorder.unrecorded():
            found = look_up(session(), step, path, inputs)
    except Exception as error:  # as in `step.recall`: a failure of ours never stops the program
        report_uncached(path, module, line, error)
        return function(*args, **kwargs)
    if isinstance(found, Hit):
        try:
            value: T = found.stand_in(outer)
            return value
        except Exception as error:  # as in `step.recall`: let the function tell
            report_uncached(path, module, line, error)
            return function(*args, **kwargs)
    found.begin(getattr(function, "__code__", None))
    try:
        result = function(*args, **kwargs)
    except BaseException:
        found.fail()
        raise
    found(result)
    return result


__all__ = ["data_function", "eval", "keep", "load"]
