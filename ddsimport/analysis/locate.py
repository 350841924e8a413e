"""Module name -> source file, without executing anything.

What is loaded is asked first, then the finders of `sys.meta_path`, with the parent package's search
path, which is itself found without importing the parent.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import BuiltinImporter, FileFinder, FrozenImporter, PathFinder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_STANDARD = (BuiltinImporter, FrozenImporter, PathFinder)


def locate(name: str) -> str | None:
    """The file of the module `name`; None if it is built in, a namespace, or not to be found."""
    return Locator()(name)


def locate_anew(name: str) -> str | None:
    """As `locate`, had the module not been loaded."""
    return Locator().anew(name)


class Locator:
    """A `locate` for many questions: it remembers where packages lie that are not loaded, and the
    names in folders where modules were looked for."""

    def __init__(self) -> None:
        self._paths: dict[str, Sequence[str] | None] = {}
        self._stems: dict[str, frozenset[str]] = {}
        self._finders: list[Any] = []
        self._others: list[tuple[Any, bool]] = []

    def __call__(self, name: str) -> str | None:
        module = sys.modules.get(name)
        if module is not None:
            file = getattr(module, "__file__", None)
            if isinstance(file, str):
                return file
            return _origin(getattr(module, "__spec__", None))
        return self.anew(name)

    def anew(self, name: str) -> str | None:
        """What an import would find."""
        return _origin(self._spec(name))

    def _spec(self, name: str) -> Any:
        parent, _, last = name.rpartition(".")
        path: Sequence[str] | None = None
        if parent:
            path = self._path_of(parent)
            if path is None:
                return None
        may_be_there = path is None or self._may_be_in(path, last)
        for finder, looks_in_folders in self._asked():
            if looks_in_folders and not may_be_there:
                continue
            try:
                spec = finder.find_spec(name, path, None)
            except Exception:  # a finder of somebody else's that cannot answer now
                continue
            if spec is not None:
                return spec
        return None

    def _asked(self) -> list[tuple[Any, bool]]:
        """The finders; and whether, of what is in a package, each finds only what lies in the
        package's folders: no built-in or frozen module is in a package that lies in one."""
        if sys.meta_path != self._finders:
            self._finders = list(sys.meta_path)
            self._others = [
                (finder, finder in _STANDARD)
                for finder in self._finders
                # Our own only asks the others, and notes what it saw: this is no import.
                if type(finder).__module__.partition(".")[0] != "ddsimport"
            ]
        return self._others

    def _path_of(self, package: str) -> Sequence[str] | None:
        loaded = sys.modules.get(package)
        if loaded is not None:
            return getattr(loaded, "__path__", None)
        if package not in self._paths:
            spec = self._spec(package)
            self._paths[package] = getattr(spec, "submodule_search_locations", None)
        return self._paths[package]

    def _may_be_in(self, path: Sequence[str], name: str) -> bool:
        """Whether some folder of `path` holds anything of this name: most names that are looked for
        in a package are none of its modules, and the standard finder takes long to say so."""
        for folder in path:
            if not isinstance(sys.path_importer_cache.get(folder), FileFinder):
                return True
            stems = self._stems.get(folder)
            if stems is None:
                try:
                    names = os.listdir(folder)
                except OSError:
                    return True
                stems = frozenset(each.partition(".")[0].casefold() for each in names)
                self._stems[folder] = stems
            if name.casefold() in stems:
                return True
        return False


def package_of(module: str, file: str) -> str:
    """The package against which the relative imports of `module` are resolved."""
    if module == "__main__":
        main = sys.modules.get(module)
        spec = getattr(main, "__spec__", None)
        return getattr(main, "__package__", None) or getattr(spec, "parent", None) or ""
    if is_package(file):
        return module
    return module.rpartition(".")[0]


def absolute(module: str, file: str, level: int, base: str) -> str:
    """The module that `from <level dots><base> import …` names in `module`."""
    if not level:
        return base
    package = package_of(module, file)
    for _ in range(level - 1):
        package = package.rpartition(".")[0]
    return f"{package}.{base}" if base and package else package or base


def is_package(file: str) -> bool:
    """True if `file` is a package's own module."""
    name = file.replace("\\", "/").rpartition("/")[2]
    return name.partition(".")[0] == "__init__"


def _origin(spec: Any) -> str | None:
    if spec is None or not getattr(spec, "has_location", False):
        return None
    origin = spec.origin
    return origin if isinstance(origin, str) else None
