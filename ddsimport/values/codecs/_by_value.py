"""Pickling by value what has no name to be found under: cloudpickle, with two restraints."""

from __future__ import annotations

import sys
import types

import cloudpickle

from ddsimport.errors import CodecError
from ddsimport.values import _code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class ByValuePickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
    """cloudpickle, but by name wherever a name leads back to the same object.

    cloudpickle takes classes and functions of `__main__` by value always: an instance of a class of
    the script would come back as an instance of another class, and `isinstance` would say no.
    """

    def __init__(self, file: Any, **options: Any) -> None:
        super().__init__(file, **options)
        self._cells: set[int] = set()  # whose content is kept with their functions
        self._homes: dict[str | None, str] = {}  # file of a function -> its module

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, type):
            if _is_found(obj):
                return NotImplemented
            if obj.__module__ == "builtins":  # the type of code objects, cells ...
                return super().reducer_override(obj)
            raise CodecError(
                f"class {obj.__qualname__} is not found under its name in {obj.__module__}, so its "
                "instances would come back as those of another class; define it at module level"
            )
        if isinstance(obj, types.FunctionType):
            if _is_found(obj):
                return NotImplemented
            home = sys.modules.get(obj.__module__ or "")
            if home is not None and obj.__globals__ is vars(home):
                self._cells.update(map(id, obj.__closure__ or ()))
                self._homes[getattr(home, "__file__", None)] = home.__name__
                return _function_at_home(obj)
        if isinstance(obj, types.CodeType):
            if _code.is_homeless(obj):
                raise CodecError(
                    f"{obj.co_name} is a function of a cell that is not found under its name, and"
                    " cells have no lasting ones; define it at the top level of a cell or a module"
                )
            # From 3.1.3 on, cloudpickle forgets the file; tracebacks show it, and it tells us whose
            # the code is.
            make, arguments = self.dispatch_table[types.CodeType](obj)
            module = self._homes.get(obj.co_filename, "")
            return restore_code, (make, arguments, module, "" if module else obj.co_filename)
        if isinstance(obj, types.CellType) and id(obj) in self._cells:
            return types.CellType, ()
        if isinstance(obj, memoryview):  # cloudpickle would make it bytes
            raise CodecError(
                "cannot pickle a memoryview: it is a hold on the memory of another value"
            )
        return super().reducer_override(obj)


def _is_found(thing: Any) -> bool:
    """Whether pickle would find this very object by module and qualified name."""
    found: Any = sys.modules.get(thing.__module__ or "")
    for name in thing.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is thing


def _function_at_home(function: types.FunctionType) -> Any:
    """A function as its code, and the module whose globals it goes on to use.

    cloudpickle would give it a copy of the globals that it names; then it would no longer see what
    the program assigns to them.
    """
    cells = function.__closure__ or ()
    state = {
        "cells": [(cell, _content(cell)) for cell in cells],
        "__defaults__": function.__defaults__,
        "__kwdefaults__": function.__kwdefaults__,
        "__qualname__": function.__qualname__,
        "__doc__": function.__doc__,
        "__annotations__": function.__annotations__,
        "__dict__": function.__dict__,
    }
    make = (function.__code__, function.__module__, function.__name__, cells)
    return restore_function, make, state, None, None, restore_attributes


def _content(cell: types.CellType) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # not assigned yet
        return ()


def restore_code(make: Any, arguments: tuple[Any, ...], module: str, file: str) -> types.CodeType:
    """Called by pickles: a code object of a module, wherever its file is by now, or of a file."""
    code: types.CodeType = make(*arguments)
    return code.replace(co_filename=_home(module).__file__ if module else file)


def _home(module: str) -> Any:
    from importlib import import_module

    return sys.modules.get(module) or import_module(module)


def restore_function(
    code: types.CodeType, module: str, name: str, cells: tuple[types.CellType, ...]
) -> types.FunctionType:
    """Called by pickles: the function, in the module it was defined in."""
    return types.FunctionType(code, vars(_home(module)), name, None, cells or None)


def restore_attributes(function: types.FunctionType, state: dict[str, Any]) -> None:
    """Called by pickles, once the function exists: its cells and defaults may refer to it."""
    for cell, content in state.pop("cells"):
        if content:
            (cell.cell_contents,) = content
    for name, value in state.items():
        if name == "__dict__":
            function.__dict__.update(value)
        else:
            setattr(function, name, value)
