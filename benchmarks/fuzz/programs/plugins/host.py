"""Finds plugins, runs them, and knows what they say of themselves."""

import importlib
from types import MappingProxyType

from base import Plugin

_MODULES = {"fill": "addons.drawing", "noise": "addons.drawing", "blur": "addons.smoothing"}
_MODULES["mirror"] = "addons.geometry"
MODULES = MappingProxyType(_MODULES)


class NoSuchPluginError(LookupError):
    pass


def blank(size, value=0):
    return [[value] * size for _ in range(size)]


def find(name):
    if name == "threshold":
        from addons.levels import Threshold

        return Threshold
    if name not in MODULES:
        raise NoSuchPluginError(f"no plugin {name!r}")
    if MODULES[name] == "addons.smoothing":
        import addons.smoothing as module
    elif MODULES[name] == "addons.geometry":
        module = importlib.import_module("addons.geometry")
    else:
        import addons.drawing

        module = addons.drawing
    return getattr(module, name.capitalize())


def apply(name, grid, settings):
    plugin = find(name)(settings)
    return plugin.run([list(row) for row in grid])


def discover():
    for name in [*MODULES, "threshold"]:
        find(name)


def catalogue():
    return {kind.title() for kind in Plugin.known.values()}


def checksum(grid):
    total = 0
    for number, row in enumerate(grid, 1):
        total += number * sum(int(cell) * (column + 1) for column, cell in enumerate(row))
    return total % 9973


def show(grid, shades=" .:*#"):
    for row in grid:
        print("".join(shades[min(int(cell) // 25, len(shades) - 1)] for cell in row))


def legend(names):
    from addons import DESCRIPTIONS

    return "; ".join(f"{name}: {DESCRIPTIONS.get(name, '?')}" for name in names)
