"""`accept_module`: what counts by its text.

All code of the project does so anyway. An installed package counts by its version; a program that
accepts it has it count as if it were of the project.
"""

from __future__ import annotations

import os
from importlib.machinery import PathFinder
from types import ModuleType

from ddsimport.source import tracked


def accept_module(module: str | ModuleType) -> None:
    """Let the text of a module count, and that of all modules in it.

    A name does not have it imported. One that leads nowhere yet is taken as it is: it may be that
    of code of the project.
    """
    if isinstance(module, ModuleType):
        file = getattr(module, "__file__", None)
        folders = list(getattr(module, "__path__", None) or ())
    elif isinstance(module, str):
        spec = _spec_of(module)
        file = getattr(spec, "origin", None)
        folders = list(getattr(spec, "submodule_search_locations", None) or ())
    else:
        raise TypeError(f"a module or its name is accepted, not {module!r}")
    places = [os.path.join(folder, "") for folder in folders] if folders else [file]
    tracked.accept(tuple(each for each in places if isinstance(each, str) and _is_installed(each)))


def _spec_of(name: str) -> object:
    """What an import would find; the packages around it are not imported."""
    path = None
    spec = None
    parts = name.split(".")
    for depth in range(len(parts)):
        try:
            spec = PathFinder.find_spec(".".join(parts[: depth + 1]), path)
        except (ImportError, ValueError):
            return None
        if spec is None:
            return None
        path = spec.submodule_search_locations
        if path is None and depth < len(parts) - 1:
            return None
    return spec


def _is_installed(place: str) -> bool:
    """Whether it is in neither the project nor the standard library (which comes with Python's
    version) nor here."""
    return not tracked.is_tracked(place) and not place.startswith(tracked.untracked_prefixes())
