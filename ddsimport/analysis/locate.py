"""Module name -> source file, without executing anything.

What is loaded is asked first, then the finders of `sys.meta_path`, with the parent package's search
path, which is itself found without importing the parent.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def locate(name: str) -> str | None:
    """The file of the module `name`; None if it is built in, a namespace, or not to be found."""
    module = sys.modules.get(name)
    if module is not None:
        file = getattr(module, "__file__", None)
        if isinstance(file, str):
            return file
        return _origin(getattr(module, "__spec__", None))
    return _origin(_spec(name))


def package_of(module: str, file: str) -> str:
    """The package against which the relative imports of `module` are resolved."""
    if module == "__main__":
        main = sys.modules.get(module)
        spec = getattr(main, "__spec__", None)
        return getattr(main, "__package__", None) or getattr(spec, "parent", None) or ""
    if is_package(file):
        return module
    return module.rpartition(".")[0]


def is_package(file: str) -> bool:
    """True if `file` is a package's own module."""
    name = file.replace("\\", "/").rpartition("/")[2]
    return name.partition(".")[0] == "__init__"


def _origin(spec: Any) -> str | None:
    if spec is None or not getattr(spec, "has_location", False):
        return None
    origin = spec.origin
    return origin if isinstance(origin, str) else None


def _spec(name: str) -> Any:
    parent, _, _ = name.rpartition(".")
    path: Sequence[str] | None = None
    if parent:
        loaded = sys.modules.get(parent)
        if loaded is not None:
            path = getattr(loaded, "__path__", None)
        else:
            path = getattr(_spec(parent), "submodule_search_locations", None)
        if path is None:
            return None
    for finder in tuple(sys.meta_path):
        # Our own finder only asks the others, and notes what it saw: this is no import.
        if type(finder).__module__.partition(".")[0] == "ddsimport":
            continue
        find = getattr(finder, "find_spec", None)
        if find is None:
            continue
        try:
            spec = find(name, path, None)
        except Exception:  # a finder of somebody else's that cannot answer now
            continue
        if spec is not None:
            return spec
    return None
