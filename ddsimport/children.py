"""Worker processes of the program: they get the import hook and the configuration too.

A forked child has them already. One that is spawned (`spawn`, `forkserver`, joblib's `loky`) starts
as a bare interpreter, reads a pickled description of its parent, and runs the main program again
under the name `__mp_main__`. We add one item to that description: a stowaway that, when it is
unpickled, installs the hook in the child before anything of the program runs there. The idea is
coverage.py's. Nothing is put into the environment, which the program and its other children see.

The modules that write the description cost 20 ms to import, so each is changed when the program
imports it, by a finder of ours in `sys.meta_path`.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from typing import Any

_WRITERS = (
    "multiprocessing.spawn",
    "joblib.externals.loky.backend.spawn",
    "loky.backend.spawn",
)
"""Modules whose function `get_preparation_data` describes this process to a child."""

_BOARDING = "<ddsimport boards a child>"
"""The name under which this very file is run in a child, which cannot import it by name yet."""

_script: str | None = None
"""The file that children run as `__mp_main__`; None if the main program is a module."""


def accompany(script: str | None) -> None:
    """From now on, children of this process get the hook and the configuration.

    Args:
        script: the file of the main program, absolute and normalized, if its steps are handled;
            None leaves what was said before.
    """
    global _script
    _script = script or _script
    for name in _WRITERS:
        if name in sys.modules:
            _add_stowaway(sys.modules[name])
    if not any(isinstance(finder, _Watcher) for finder in sys.meta_path):
        from ddsimport.source import hook

        # Behind the finder of marked modules: it would take itself for overtaken.
        sys.meta_path.insert(int(isinstance(sys.meta_path[0], hook.Finder)), _Watcher())


class _Watcher:
    """Finds the modules that describe this process to a child, and changes them once loaded."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in _WRITERS:
            return None
        from importlib.machinery import PathFinder

        spec = PathFinder.find_spec(name, path, target)
        loader: Any = spec and spec.loader
        if loader is not None:
            execute = loader.exec_module

            def execute_and_change(module: ModuleType) -> None:
                execute(module)
                _add_stowaway(module)

            loader.exec_module = execute_and_change
        return spec


def _add_stowaway(writer: ModuleType) -> None:
    """Wrap the module's `get_preparation_data`, once."""
    describe = writer.get_preparation_data
    if hasattr(describe, "__wrapped__"):
        return

    def get_preparation_data(*args: Any, **kwargs: Any) -> dict[str, Any]:
        description: dict[str, Any] = describe(*args, **kwargs)
        audited: Any = sys.modules.get("ddsimport.runtime.audited")
        if audited is not None:
            audited.note_worker()  # started without `os.fork`, which it sees itself
        if sys._getframe(1).f_globals.get("__name__") == "multiprocessing.forkserver":
            # From 3.13.2 on, the fork server imports the main program before there is a child that
            # could unpickle anything; without its path, each child runs it itself, as before.
            description.pop("init_main_from_path", None)
            return description
        description["ddsimport"] = _Stowaway()
        return description

    get_preparation_data.__wrapped__ = describe  # type: ignore[attr-defined]  # as functools does
    writer.get_preparation_data = get_preparation_data  # type: ignore[attr-defined]  # it has it


class _Stowaway:
    """Unpickled in a child, it runs this file there; the child throws away what comes of that."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        import runpy

        from ddsimport import config

        baggage = {"config": config.current().as_dict(), "script": _script}
        return runpy.run_path, (__file__, {"_baggage": baggage}, _BOARDING)


def board(config: dict[str, Any], script: str | None) -> None:
    """Be a child: what `accompany` prepared in the parent, done here.

    A child that cannot be helped runs as plain Python, and says so.
    """
    try:
        _board(config, script)
    except Exception as error:
        if sys.stderr is not None:
            sys.stderr.write(f"ddsimport: a child process runs without steps: {error!r}\n")


def _board(config: dict[str, Any], script: str | None) -> None:
    from ddsimport import config as configuration
    from ddsimport import report
    from ddsimport.source import hook

    configuration.use(configuration.Config(**config))
    report.enter_child()
    hook.install()
    if script is not None:
        hook.install_path_hook(script)
    accompany(script)


if __name__ == _BOARDING:
    try:
        from ddsimport import children
    except ImportError:  # not installed: the parent found it in a folder that this child lacks
        sys.path.insert(0, os.path.dirname(os.path.dirname(__file__)))
        try:
            from ddsimport import children
        finally:
            del sys.path[0]
    children.board(**globals()["_baggage"])
