"""How messages of `logging` are shown, before a step and after it.

What a step printed by it holds while messages are shown as they were when it began. A step that
changes that leaves it to the rest of the program, which a hit would not; but for the handler that
`logging.warning` adds by itself where there is none: the next such call does that again.
"""

from __future__ import annotations

import sys

from blake3 import blake3

from ddsimport.source import cells

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Shown = list[tuple[Any, ...]]
    """Of each handler that shows something, the name of its logger, and how it does."""


_OF_SESSIONS = frozenset(
    {"IPKernelApp", "IPython", "TerminalIPythonApp", "ipykernel", "tornado", "traitlets"}
)
"""Loggers of the shell around a session: a script that is exported from it has none of them."""


def shown() -> Shown:
    """The levels and formats of all handlers now."""
    logging = sys.modules.get("logging")
    if logging is None:
        return []
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    others = _OF_SESSIONS if cells.current is not None else ()
    return [
        (
            logger.name,
            getattr(logger, "propagate", True),
            type(handler).__qualname__,
            handler.level,
            getattr(handler.formatter, "_fmt", None),
            getattr(handler.formatter, "datefmt", None),
            type(handler.formatter).__qualname__,
        )
        for logger in loggers
        for handler in getattr(logger, "handlers", ())
        if logger.name.partition(".")[0] not in others and type(handler) is not logging.NullHandler
    ]


def token(shown: Shown) -> str:
    """What stands for that in a trace."""
    return blake3(repr(shown).encode()).hexdigest(length=16)


def is_as_before(before: Shown, loaded: frozenset[str]) -> bool:
    """Whether messages are shown as they were, or will be by the next one.

    Args:
        loaded: the modules that were loaded then. Those that have been since may show their own.
    """
    now = shown()
    if now == before:
        return True
    imported = {name.partition(".")[0] for name in sys.modules.keys() - loaded}
    imported -= {name.partition(".")[0] for name in loaded}
    now = [each for each in now if each in before or each[0].partition(".")[0] not in imported]
    if now == before:
        return True
    logging: Any = sys.modules["logging"]
    added = ("root", True, "StreamHandler", 0, logging.BASIC_FORMAT, None, "Formatter")
    return now == [added, *before] and all(each[0] != "root" for each in before)
