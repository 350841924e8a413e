"""What happened: the run of this process, and what is said of it.

`current()` is the one run of this process. The runtime adds an event per step; when the process
ends, after everything else that the program prints, the summary goes to standard error and the
report, if one was asked for, to its file.
"""

from __future__ import annotations

import atexit
import os
import sys

from ddsimport import config as configuration
from ddsimport.report.events import Event, Run

__all__ = ["Event", "Run", "current"]

_run: Run | None = None
_in_child = False


def current() -> Run:
    """The run of this process, made when first asked for.

    Whoever wants the summary to come last asks before the program registers its own `atexit`
    functions, which run in the opposite order.
    """
    global _run
    if _run is None:
        config = configuration.current()
        run = Run(
            quiet=config.quiet,
            verbose=config.verbose,
            report=config.report,
            in_child=_in_child,
        )
        _run = run
        for note in config.notes:
            run.say(note, note)
        if not _in_child:
            atexit.register(_end, run)
    return _run


def enter_child() -> None:
    """This process is a worker of the run's process: it tells its own steps only with `-v`."""
    global _run, _in_child
    _run = None
    _in_child = True


def _end(run: Run) -> None:
    if run is _run:  # a fork inherits the registration, not the run
        try:
            run.end()
        finally:
            _end_by_interrupt_as_before()


def _end_by_interrupt_as_before() -> None:
    """Let a program that an uncaught KeyboardInterrupt has ended die of SIGINT, as it would have.

    The interpreter remembers that by a flag which each run of a text resets; to import a module
    that makes a `namedtuple` is enough. A text that raises the interrupt again sets it again.
    """
    if getattr(sys, "last_type", None) is KeyboardInterrupt:
        try:
            exec("raise KeyboardInterrupt")
        except KeyboardInterrupt:
            return


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=enter_child)
