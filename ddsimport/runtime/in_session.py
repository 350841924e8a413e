"""What is true of code in an interactive session only: its text is that of cells (`source.cells`).

Everywhere else, nothing here has anything to say.
"""

from __future__ import annotations

import sys
from types import FunctionType, ModuleType

from ddsimport.runtime.deferred import namespace_of
from ddsimport.runtime.uncached import UncachedError
from ddsimport.source import cells

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.analysis.codehash import Reference


def check_reference(reference: Reference) -> None:
    """
    Raises:
        UncachedError: it is to the shell itself.
    """
    if reference.chain[0] == "get_ipython" and cells.current is not None:
        raise UncachedError(
            "its code runs a magic, or a command of the shell, which may read any variable; do "
            "that outside of the step"
        )


def check_function(function: FunctionType, module: str) -> None:
    """
    Raises:
        UncachedError: a function of an interactive session's main module of which nobody knows the
            text, or the globals: those of a program that `%run` ran are not the session's.
    """
    if cells.current is None or module != "__main__":
        return
    if cells.is_lost(function.__code__):
        raise UncachedError(
            f"its code uses {function.__qualname__}, whose text is not known: run the cell that "
            "defines it again, with ddsimport loaded"
        )
    if function.__globals__ is not namespace_of(sys.modules[module]):
        raise UncachedError(
            f"its code uses {function.__qualname__} of {function.__code__.co_filename}, which "
            "another program than the session ran; import it"
        )


def check_class(cls: type) -> None:
    """
    Raises:
        LookupError: a class of an interactive session that was defined anew: the text says what the
            new one is.
    """
    if cells.current is None or cls.__module__ != "__main__" or "<locals>" in cls.__qualname__:
        return
    found: Any = cells.current.main
    for name in cls.__qualname__.split("."):
        found = vars(found).get(name) if isinstance(found, (type, ModuleType)) else None
    if found is not cls:
        raise LookupError(cls.__qualname__)
