"""Locks in programs that fork: a child has none of the other threads, but all that they held."""

from __future__ import annotations

import os
from _thread import RLock  # `threading` takes a millisecond to import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def lock() -> Any:
    """A reentrant lock that is free in every child process, whoever held it. For the lifetime of
    the process, which is told of it."""
    made: Any = RLock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=made._at_fork_reinit)
    return made
