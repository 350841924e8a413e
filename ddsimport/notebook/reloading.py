"""`%autoreload`: modules of the program are loaded again as a whole.

From version 9 on, IPython compiles just the functions that were edited, by itself, from their text
without comments: past the import system, so that steps in them would be none, with the line numbers
of no file, and new functions over a copy of the module's globals. For files of the program it is
told that this does not work; then it reloads the module, as it did before version 9 and does with
`%autoreload --full`. What is installed is reloaded as ever.
"""

from __future__ import annotations

from ddsimport.source.tracked import is_tracked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

_METHOD = "maybe_reload_module"
_own: dict[type, Any] = {}  # the class -> its own method


def keep_whole() -> None:
    """Have modules of the program reloaded as a whole."""
    try:
        from IPython.extensions.deduperreload.deduperreload import DeduperReloader
    except ImportError:  # before version 9
        return
    own = getattr(DeduperReloader, _METHOD, None)
    if own is None or DeduperReloader in _own:
        return

    def maybe_reload_module(self: Any, module: ModuleType) -> Any:
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and is_tracked(file):
            return False
        return own(self, module)

    _own[DeduperReloader] = own
    setattr(DeduperReloader, _METHOD, maybe_reload_module)


def as_before() -> None:
    """Let IPython reload as it likes."""
    for kind, own in _own.items():
        setattr(kind, _METHOD, own)
    _own.clear()
