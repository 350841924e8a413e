"""A terminal for programs: a real pseudo-terminal, and an emulator that shows what a user sees."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
from pathlib import Path

import pyte

from tests.projects import ROOT

ROWS, COLUMNS = 24, 80


@dataclass(frozen=True)
class Session:
    """What a program did on a terminal.

    Attributes:
        written: all bytes that the terminal was sent.
        piped: what went to standard output, where that was not the terminal.
        code: exit code.
    """

    written: bytes
    piped: bytes
    code: int

    @property
    def screen(self) -> list[str]:
        """The lines that are left to be seen, those scrolled away included."""
        return seen(self.written)


def seen(written: bytes) -> list[str]:
    screen = pyte.HistoryScreen(COLUMNS, ROWS, history=5000)
    stream = pyte.ByteStream(screen)
    stream.feed(written)
    above = ["".join(line[c].data for c in range(COLUMNS)) for line in screen.history.top]
    lines = [line.rstrip() for line in (*above, *screen.display)]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def on_terminal(
    folder: Path,
    *command: str,
    stdout: str = "terminal",
    type_at: bytes = b"",
    typed: bytes = b"\x03",
    environment: dict[str, str] | None = None,
    timeout: float = 60,
) -> Session:
    """Run this Python with a terminal of its own.

    Args:
        stdout: "terminal", or "pipe" to have it apart.
        type_at: a second after this was to be seen, the user types `typed` (Ctrl-C).
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def own_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    variables = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DDSIMPORT_", "COV_", "COVERAGE_")) and name != "NO_COLOR"
    }
    variables.update({"PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}, **(environment or {}))
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env=variables,
        stdin=slave,
        stdout=subprocess.PIPE if stdout == "pipe" else slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=own_terminal,
    )
    os.close(slave)
    started, chunks, piped = time.monotonic(), [], b""
    os.set_blocking(master, False)
    try:
        while True:
            elapsed = time.monotonic() - started
            if type_at and type_at in b"".join(chunks):
                time.sleep(1)
                os.write(master, typed)
                type_at = b""
            try:
                chunk = os.read(master, 65536)
            except BlockingIOError:
                if elapsed > timeout:
                    raise TimeoutError(b"".join(chunks)) from None
                time.sleep(0.01)
                continue
            except OSError:  # EIO: nobody has the other end any more
                break
            if not chunk:
                break
            chunks.append(chunk)
        if process.stdout is not None:
            piped = process.stdout.read()
        return Session(b"".join(chunks), piped, process.wait(timeout))
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
        os.close(master)
