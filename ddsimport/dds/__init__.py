"""dds_py's functions on our engine: `import ddsimport.dds as dds`.

A program written for dds_py 0.13 runs with that import: its names are here, with their meaning.
What they count is what every step counts: values, and the code that can be reached, not lines of
source. So what dds_py overlooks is evaluated again (a module that was not accepted, a base class, a
file), what it evaluates again for a comment is not, and most of what it refuses is done (recursion,
methods, data frames as arguments, data functions with arguments, `eval` inside `eval`).

As there, and other than for `ddsimport.keep`, a hit gives the value and does nothing else: what a
function prints says that it was evaluated.
"""

from __future__ import annotations

import functools
import os
import sys
import warnings
from contextlib import contextmanager

from ddsimport import shell
from ddsimport._version import __version__
from ddsimport.dds import _options
from ddsimport.dds import store as stores
from ddsimport.dds._modules import accept_module
from ddsimport.dds._options import get_option, reset_option, set_option
from ddsimport.dds.store import Store
from ddsimport.dds.structures import (
    DDSErrorCode,
    DDSException,
    DDSPath,
    ProcessingStage,
    path_of,
)
from ddsimport.errors import CodecError, StoreError
from ddsimport.runtime import plain
from ddsimport.runtime.session import session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import PurePath
    from types import ModuleType
    from typing import Any, TypeVar

    from ddsimport.report.events import Event

    T = TypeVar("T")
    F = TypeVar("F", bound=Callable[..., Any])

# As there, `load` is not among them: `from json import load` stays what it is.
__all__ = [
    "DDSException",
    "DDSPath",
    "__version__",
    "accept_module",
    "data_function",
    "dds_function",
    "eval",
    "get_option",
    "keep",
    "reset_option",
    "set_option",
    "set_store",
    "whitelist_module",
]

_AS_THERE = plain.Manner(replay="off", always=True, shows=True, format="=")
"""The last one is `values.codecs.views.AS_IT_IS`."""

shell.follow()  # before a store is set: the session that asks it is that of the notebook
_store: Store = stores.ProjectStore()


def keep(path: str | PurePath, fun: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """`fun(*args, **kwargs)`, evaluated only if its code or its arguments changed; the value is
    then kept at `path`.

    Raises:
        DDSException: `path` is none, or another one is in its way.
    """
    return _keep(path_of(path), fun, args, kwargs, plain.place_of_call(sys._getframe(1)))


def data_function(path: str | PurePath) -> Callable[[F], F]:
    """Decorator: a call of the function is `keep(path, function, …)`.

    Raises:
        DDSException: `path` is none.
    """
    checked = path_of(path)

    def decorate(function: F) -> F:
        # What it closes over counts for those who call it: no more than must.
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            return _keep(checked, function, args, kwargs, plain.place_of(function))

        return call  # type: ignore[return-value]  # the same to call

    return decorate


def dds_function(path: str | PurePath) -> Callable[[F], F]:
    """`data_function` by its older name."""
    warnings.warn("dds_function is now called data_function", DeprecationWarning, stacklevel=2)
    return data_function(path)


def eval(
    fun: Callable[..., T],
    *args: Any,
    dds_export_graph: str | PurePath | None = None,
    dds_extra_debug: bool | None = None,
    dds_stages: list[str | ProcessingStage] | None = None,
    **kwargs: Any,
) -> T | None:
    """`fun(*args, **kwargs)`: what it keeps is kept, the call itself is not.

    Args:
        dds_export_graph: the file that takes a drawing of what is kept and what that depends on.
        dds_extra_debug: log what became of each step (`logging`, level DEBUG, as `ddsimport.dds`);
            by default what the option `extra_debug` says.
        dds_stages: the first of `ProcessingStage`, and no others: without "eval" nothing is
            evaluated, and None returned; without "path_commit" values are kept, and paths show what
            they showed.

    Raises:
        DDSException: the stages are not the first ones, or the graph cannot be drawn.
    """
    stages = _stages(dds_stages)
    drawn = ""
    if dds_export_graph is not None:
        from ddsimport.dds import _graphs

        drawn = _graphs.checked(dds_export_graph)
    events: list[Event] | None = None
    value: T | None = None
    if ProcessingStage.EVAL in stages:
        first = len(session().run.events)
        with _paths_as_they_are(ProcessingStage.PATH_COMMIT not in stages):
            value = fun(*args, **kwargs)
        events = session().run.events[first:]
        extra = dds_extra_debug if dds_extra_debug is not None else False
        if extra or get_option(_options.EXTRA_DEBUG):
            _log(events)
    if drawn:
        _graphs.export(drawn, events)
    return value


def load(path: str | PurePath) -> Any:
    """The value that is kept at `path`; inside a function that is kept, it counts as an input.

    Raises:
        DDSException: there is none, or the store cannot give it.
    """
    checked = path_of(path)
    try:
        return plain.load(checked)
    except LookupError as error:
        raise DDSException(str(error), DDSErrorCode.OBJECT_PATH_NOT_FOUND) from error
    except (StoreError, CodecError) as error:
        raise DDSException(str(error)) from error


def set_store(
    store: str | Store,
    internal_dir: str | os.PathLike[str] | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    dbutils: Any = None,
    commit_type: str | None = None,
    cache_objects: bool | int | None = None,
) -> None:
    """Ask another store from now on, for all steps of the program.

    Args:
        store: "local"; "memory", which ends with the process and leaves nothing on the disk;
            "noop", with which everything is evaluated; or an object of `ddsimport.dds.store`.
        internal_dir: where "local" keeps values; by default in the project's store.
        data_dir: where it shows paths, as files; by default in the store. Stores over one
            `internal_dir` share all values.
        dbutils, commit_type: of "dbfs" only, which is not offered.
        cache_objects: how many values that were read stay in memory, as bytes: True for some, a
            negative number for all. (Small ones always do.)

    Raises:
        DDSException: there is no such store, or it cannot be used.
    """
    chosen = store
    if isinstance(chosen, str):
        chosen = stores.store_called(chosen, internal_dir, data_dir, cache_objects)
    elif not isinstance(chosen, stores.OURS):
        raise DDSException(
            f"{chosen!r} is no store: give 'local', 'memory' or 'noop', or an object of "
            "ddsimport.dds.store"
        )
    elif cache_objects is not None:
        raise DDSException("cache_objects belongs to a store that is given by its name")
    global _store
    stores.use(chosen)
    _store = chosen


def whitelist_module(module: str | ModuleType) -> None:
    """`accept_module` by its older name."""
    warnings.warn("whitelist_module is now called accept_module", DeprecationWarning, stacklevel=2)
    accept_module(module)


def _keep(
    path: str,
    function: Callable[..., T],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    place: plain.Place,
) -> T:
    _store.claim(path)
    return plain.kept(path, function, args, kwargs, place, _AS_THERE)


def _stages(given: list[str | ProcessingStage] | None) -> list[ProcessingStage]:
    """Raises DDSException."""
    every = ProcessingStage.all_phases()
    if given is None:
        return every
    names = ", ".join(stage.value for stage in every)
    found = []
    for asked, expected in zip(given, every, strict=False):
        name = asked.value if isinstance(asked, ProcessingStage) else str(asked).lower()
        if name != expected.value:
            raise DDSException(
                f"dds_stages must be the first of {names}: {expected.value!r} is due where "
                f"{name!r} stands"
            )
        found.append(expected)
    return found


@contextmanager
def _paths_as_they_are(wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    shared = session()
    before, shared.publishes = shared.publishes, False
    try:
        yield
    finally:
        shared.publishes = before


def _log(events: list[Event]) -> None:
    logging = sys.modules.get("logging")  # without it, nobody listens
    if logging is not None:
        logger = logging.getLogger(__name__)
        for event in events:
            logger.debug(
                "%s: %s in %.3f s%s",
                event.path,
                event.status,
                event.seconds,
                f" ({event.reason})" if event.reason else "",
            )
