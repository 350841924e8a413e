"""The shell of IPython or Jupyter, if this process runs one."""

from __future__ import annotations

import sys

from ddsimport.source import cells

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def current() -> Any:
    """The shell; None if there is none."""
    get_ipython: Any = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return get_ipython() if get_ipython is not None else None


def follow() -> None:
    """Have the cells of the shell handled, as `%load_ext ddsimport` does, unless they are: nobody
    else knows the text of the functions in them, which plain `keep` is given.

    Raises:
        ConfigurationError, PragmaError: as `notebook.load`.
    """
    shell = current() if cells.current is None else None
    if shell is not None:
        shell.extension_manager.load_extension("ddsimport")
