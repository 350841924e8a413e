"""The modules of the project that a step is the first to import, and importing them on a hit.

What a module does when it is imported (it registers its classes, say) is there for the rest of the
program, whoever asked for it first. So a hit imports what the evaluation imported. What such a
module prints then is silenced: the text is part of what the step printed. Installed modules are not
imported: they take long, and leave nothing that a program would miss.
"""

from __future__ import annotations

import importlib
import sys

from ddsimport.analysis.locate import locate_anew
from ddsimport.runtime import output
from ddsimport.source.tracked import is_tracked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

KIND = "import"
"""The kind of these effects of a trace; their text is the name of the module."""


def imported_since(before: Container[str]) -> tuple[tuple[str, str], ...]:
    """(KIND, name) of the project's modules that were not loaded `before`, in the order in which
    they were begun."""
    return tuple(
        (KIND, name)
        for name, module in list(sys.modules.items())
        if name not in before and _is_found_again(name, module)
    )


def _is_found_again(name: str, module: object) -> bool:
    """Whether importing a module by its name would find this one."""
    spec = getattr(module, "__spec__", None)
    file = getattr(module, "__file__", None)
    if type(file) is not str or not is_tracked(file) or getattr(spec, "name", None) != name:
        return False
    return locate_anew(name) == file


def repeat(effects: tuple[tuple[str, str], ...]) -> None:
    """Import what is not there yet."""
    names = [name for kind, name in effects if kind == KIND and name not in sys.modules]
    if names:
        with output.silenced():
            for name in names:
                importlib.import_module(name)
