"""How a command of ours ends, whatever happens: with an exit code, and without a traceback.

Not for programs that are run: what these raise, and what their streams are, is theirs.
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

from ddsimport.errors import CannotRunError, ConfigurationError, StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

DONE, FOUND, UNUSABLE = 0, 1, 2
"""Exit codes: all is well; something is not as it should be; nothing could be done."""
_INTERRUPTED = 130
"""As shells have it."""


def settled(command: Callable[[], int]) -> int:
    """Run a command to its end; returns its exit code, or that of what went wrong."""
    _make_streams_usable()
    code = DONE
    try:
        code = _told(command)
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:  # `ddsimport ls | head`: who reads has seen enough
        _discard_the_rest()
    except OSError as error:  # `ddsimport ls > file`, and the disk is full
        _discard_the_rest()
        if code != UNUSABLE:
            complain(str(error))
        code = UNUSABLE
    return code


def complain(message: str) -> None:
    """One line on standard error."""
    sys.stderr.write(f"ddsimport: error: {message.rstrip()}\n")


def _told(command: Callable[[], int]) -> int:
    """Errors that a user may mend become a line."""
    try:
        return command()
    except SystemExit as ended:  # of argparse, which has said why
        return int(ended.code or DONE)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        raise
    except (ConfigurationError, StoreError, OSError) as error:
        complain(str(error))
    except CannotRunError as error:
        sys.stderr.write(f"{error}\n")
    except SyntaxError as error:  # PragmaError, too
        import traceback

        sys.stderr.write("".join(traceback.format_exception_only(error)))
    return UNUSABLE


def _make_streams_usable() -> None:
    """One that the shell has closed is None; and a letter that one does not take (`LC_ALL=C`) is
    no reason to end."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # to the end
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # likewise
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _discard_the_rest() -> None:
    """What a stream still holds must not fail again when the interpreter flushes it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
