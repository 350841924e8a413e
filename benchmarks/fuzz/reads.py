"""What code reads of modules: taken from its bytecode, looked up as it would be now."""

from __future__ import annotations

import builtins
import dis
import sys
import types
from collections.abc import Iterator
from importlib.util import resolve_name
from typing import Any

UNBOUND = "unbound"
"""In place of a value: the name is bound to nothing."""


def variables_read(code: types.CodeType, namespace: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The variables that a code object names: its module's or built in, and `module.name`."""
    module: types.ModuleType | None = None  # what the attribute to come is one of
    level = 0
    for each in _instructions(code):
        if each.argval == "__fuzz__":
            continue  # put there by `wrapping`
        if each.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            value = namespace.get(each.argval, getattr(builtins, each.argval, UNBOUND))
            module = value if isinstance(value, types.ModuleType) else None
            if module is None:
                yield f"{namespace['__name__']}.{each.argval}", value
        elif each.opname == "LOAD_CONST" and isinstance(each.argval, int):
            level = each.argval
        elif each.opname == "IMPORT_NAME":
            name = "." * level + each.argval
            package = namespace.get("__package__") or ""
            module = sys.modules.get(resolve_name(name, package) if level else name)
        elif each.opname in ("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM") and module is not None:
            value = getattr(module, each.argval, None)
            if isinstance(value, types.ModuleType):
                module = value
                continue
            yield f"{module.__name__}.{each.argval}", value
            if each.opname != "IMPORT_FROM":
                module = None
        elif each.opname not in ("CACHE", "STORE_FAST", "PUSH_NULL", "RESUME", "LOAD_CONST"):
            module = None


_dissected: dict[types.CodeType, list[dis.Instruction]] = {}


def _instructions(code: types.CodeType) -> list[dis.Instruction]:
    if code not in _dissected:
        _dissected[code] = list(dis.get_instructions(code))
    return _dissected[code]
