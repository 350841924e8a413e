"""A run of a program in a fork of this process, as if it were a process of its own.

To start Python and to import libcst and numpy takes ten times as long as one of our programs runs;
a fork of a process that has them costs some milliseconds. What a fork could hide (modules that are
loaded already, hash seeds that are the same) is looked for by running a share of the mutants in
real processes as well.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import pickle
import pkgutil
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

PLAIN_SECONDS = 1.0
UNDER_SECONDS = 10.0
"""CPU time that one run may take; the programs themselves take some hundredths."""

_WALL_SECONDS = 20.0


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes:
        code: the exit code; negative if a signal ended it.
        timed_out: it was ended because it took too long.
        findings: what the run itself brought back; None if it did not come to its end.
    """

    code: int
    stdout: bytes
    stderr: bytes
    timed_out: bool
    findings: Any = None


def preload() -> None:
    """Import, once, what runs need; afterwards this process is ready to be forked."""
    import ddsimport

    for each in pkgutil.walk_packages(ddsimport.__path__, "ddsimport."):
        # The others do something when they are imported.
        if not each.name.startswith(("ddsimport.demo", "ddsimport.activate", "ddsimport.__main__")):
            with suppress(ImportError):  # some rooms are for packages that are not installed
                importlib.import_module(each.name)
    for name in ("asyncio", "blake3", "cloudpickle", "diskcache", "libcst", "numpy"):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # so that the collector touches no page that forks share


Run = Callable[[], None]
"""A program; what it raises ends it as it would end Python."""


def forked(
    run: Run, look_back: Callable[[], Any], folder: str, scratch: str, cpu_seconds: float
) -> Ended:
    """Call `run` in a fork whose working directory is `folder`.

    Args:
        look_back: called there when the program has ended; gives the findings.
        folder: where the program lies.
        scratch: a folder for the run's output.
        cpu_seconds: more than that, and it counts as hanging.
    """
    names = [os.path.join(scratch, name) for name in ("stdout", "stderr", "findings")]
    for name in names:
        open(name, "wb").close()
    sys.stdout.flush()
    child = os.fork()
    if not child:
        _be_child(run, look_back, folder, names, cpu_seconds)
    code, timed_out = _wait(child)
    stdout, stderr, findings = (_content(name) for name in names)
    return Ended(code, stdout, stderr, timed_out, pickle.loads(findings) if findings else None)


def _be_child(
    run: Run, look_back: Callable[[], Any], folder: str, names: list[str], cpu_seconds: float
) -> None:
    code = 70
    try:
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        os.chdir(folder)
        for number, name in enumerate(names[:2], 1):
            os.dup2(os.open(name, os.O_WRONLY), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        atexit._clear()
        for name in [name for name in sys.modules if name.startswith("benchmarks")]:
            del sys.modules[name]  # nothing of the program's, and nothing it should see
        code = _as_interpreter(run)
        data = pickle.dumps(look_back())
        with open(names[2], "wb") as file:
            file.write(data)
    finally:
        os._exit(code)


def _as_interpreter(run: Run) -> int:
    """Run to the end as the interpreter would: the exit code."""
    code = 0
    try:
        run()
    except SystemExit as exit_:
        code = _code_of(exit_)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def _code_of(exit_: SystemExit) -> int:
    if exit_.code is None:
        return 0
    if isinstance(exit_.code, int):
        return exit_.code & 0xFF
    sys.stderr.write(f"{exit_.code}\n")
    return 1


def _wait(child: int) -> tuple[int, bool]:
    """The exit code of a child, and whether it had to be ended."""
    deadline = time.monotonic() + _WALL_SECONDS
    pause = 0.0005
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return code, code == -signal.SIGPROF
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return -signal.SIGKILL, True
        select.select([], [], [], pause)
        pause = min(pause * 1.5, 0.01)


def _content(name: str) -> bytes:
    with open(name, "rb") as file:
        return file.read()
