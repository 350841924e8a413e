"""Loading a script that is run as `__main__`, here and in children of multiprocessing."""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec

from ddsimport.source import tracked
from ddsimport.source.loader import StepLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, ModuleType

_hooks: dict[str, Callable[[str], _ScriptFinder]] = {}  # script -> its path hook


def main_loader(path: str) -> StepLoader:
    """A loader for a script that is run as `__main__`.

    Args:
        path: the script's file, absolute.
    """
    tracked.note(path, "__main__", loads_again=True)
    return StepLoader("__main__", path)


def code_of_main(path: str) -> CodeType:
    """The code of a script that is run as `__main__`, rewritten if it is marked.

    Its bytecode is kept as that of a module would be, if it is marked: Python keeps none of a
    script.

    Raises:
        PragmaError, SyntaxError: see `StepLoader.source_to_code`.
        OSError: the file cannot be read.
    """
    code = main_loader(path).get_code("__main__")
    assert code is not None  # a source file has code
    return code


def install_path_hook(script_path: str) -> None:
    """Have `runpy.run_path(script_path)` run the script as it is rewritten.

    That is how children of multiprocessing that are not forked (spawn, forkserver) load the main
    script again, as `__mp_main__`; no finder of `sys.meta_path` is asked for a plain file.
    """
    script = os.path.abspath(script_path)
    if script in _hooks:
        return

    def hook(path: str) -> _ScriptFinder:
        if os.path.abspath(path) != script:
            raise ImportError(f"only for {script}", path=path)
        return _ScriptFinder(script, path)

    _hooks[script] = hook
    # Last: importlib's own hooks refuse a plain file, and some programs count on their place.
    sys.path_hooks.append(hook)
    # runpy may have asked for the file before, in vain.
    sys.path_importer_cache.pop(script_path, None)
    sys.path_importer_cache.pop(script, None)


def remove_path_hooks() -> None:
    """Take the hooks of `install_path_hook` out again."""
    for script, hook in _hooks.items():
        if hook in sys.path_hooks:
            sys.path_hooks.remove(hook)
        for entry, finder in list(sys.path_importer_cache.items()):
            if isinstance(finder, _ScriptFinder) and finder.script == script:
                del sys.path_importer_cache[entry]
    _hooks.clear()


class _ScriptFinder:
    """The path entry finder of one script: finds it as `__main__`, and nothing else."""

    def __init__(self, script: str, entry: str) -> None:
        self.script = script
        self._entry = entry

    def find_spec(self, name: str, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != "__main__":
            return None
        tracked.note(self.script, name, loads_again=True)
        return _ScriptSpec(_ScriptLoader(name, self.script, self._entry), self.script)


class _ScriptLoader(StepLoader):
    def __init__(self, name: str, path: str, entry: str) -> None:
        super().__init__(name, path)
        self._entry = entry

    def get_code(self, name: str) -> CodeType | None:
        # runpy has put the script itself into `sys.path` while it runs, which it does not do with
        # a plain file; it does not mind that it is gone.
        if self._entry in sys.path:
            sys.path.remove(self._entry)
        return super().get_code(name)


class _ScriptSpec(ModuleSpec):
    """A spec without a name: the main script of a child has none.

    After its name, multiprocessing tells the children of a child what to load: they would be told
    `__main__`, and load nothing.
    """

    def __init__(self, loader: _ScriptLoader, origin: str) -> None:
        super().__init__("__main__", loader, origin=origin)
        self.has_location = True
        self.name = None  # type: ignore[assignment]  # see above

    @property
    def parent(self) -> str:
        return ""
