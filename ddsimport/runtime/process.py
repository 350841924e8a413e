"""The settings of this process that a step may change, which a hit would not do.

Compared before and after an evaluation: what the interpreter keeps, and what widely used libraries
keep for all of the program. Not what is called at exit: a temporary folder asks for that, too.
"""

from __future__ import annotations

import os
import sys

from ddsimport.runtime import installed, recorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Settings = dict[str, Any]


def settings() -> Settings:
    """What is set now, by what it is called to the user. Libraries that are not loaded are left
    out."""
    found: Settings = {
        "the umask": umask(),
        "the recursion limit": sys.getrecursionlimit(),
        "sys.stdin, sys.stdout or sys.stderr": [id(sys.stdin), id(sys.stdout), id(sys.stderr)],
    }
    for name, ask in _ASKING.items():
        module: Any = sys.modules.get(name)
        if module is not None:
            try:
                found[_CALLED[name]] = ask(module)
            except Exception:  # half imported, or another version
                continue
    return found


def umask() -> int:
    """The present one. Where the system tells, without setting another: that would be seen by files
    that other threads make at that moment."""
    mask = recorder.told_by_linux("status", b"Umask:", 8)
    if mask is None:
        mask = os.umask(0o077)
        os.umask(mask)
    return mask


def changed(before: Settings, after: Settings) -> list[str]:
    """What differs between the two."""
    return [name for name, value in before.items() if name in after and after[name] != value]


def _signals(signal: Any) -> object:
    return [(number, signal.getsignal(number)) for number in signal.valid_signals()]


def _rc(matplotlib: Any) -> object:
    found = dict.copy(matplotlib.rcParams)
    found.pop("backend", None)  # chosen when the first figure is made
    return found


_ASKING = {
    "decimal": installed.decimal_context,
    "locale": lambda locale: locale.setlocale(locale.LC_ALL),
    "matplotlib": _rc,
    "numpy": lambda numpy: (numpy.geterr(), numpy.get_printoptions()),
    "signal": _signals,
}
_CALLED = {
    "decimal": "the context of `decimal`",
    "locale": "the locale",
    "matplotlib": "`matplotlib.rcParams`",
    "numpy": "how numpy treats errors, or prints",
    "signal": "what handles signals",
}
