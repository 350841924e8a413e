"""What `push` and `pull` share: their remote, a bar while they work, how they answer."""

from __future__ import annotations

import sys
from _thread import allocate_lock
from time import monotonic

from ddsimport.commands import common
from ddsimport.errors import ConfigurationError
from ddsimport.store.remote import Remote, open_remote

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from ddsimport.store.exchange import Exchanged
    from ddsimport.store.transfer import Moved

_REFRESH = 0.2  # seconds


def remote_of(options: argparse.Namespace) -> Remote:
    """The remote that `pyproject.toml` names.

    Raises:
        ConfigurationError: it names none.
        RemoteError: it cannot be used.
    """
    configured = common.configured(options)
    if not configured.remote:
        raise ConfigurationError(
            "there is no remote; name one in pyproject.toml: "
            '[tool.ddsimport] remote = "s3://BUCKET/PREFIX"'
        )
    return open_remote(configured.remote)


class Telling:
    """Says each thing once, on standard error; from any thread."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def say(self, key: str, sentence: str) -> None:
        if key not in self._said:
            self._said.add(key)
            sys.stderr.write(f"ddsimport: {sentence}\n")


def told(options: argparse.Namespace, done: Exchanged, doing: str, failing: str) -> int:
    """Answer what was done; returns the exit code."""
    text = f"{_counted(done.moved)} {doing} ({common.size_of(done.size)}), {done.known} known"
    if done.left:
        text += f", {done.left} {failing}"
    common.answer(options, done.as_dict(), text)
    return common.FOUND if done.left else common.DONE


def _counted(number: int) -> str:
    return "1 value" if number == 1 else f"{number} values"


class Progress:
    """How far bytes have come, on standard error if that is a terminal: a bar of `rich` if that is
    installed, else a line."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._shown = sys.stderr.isatty()
        self._total = self._done = 0
        self._lock = allocate_lock()
        self._written = 0.0
        self._bar: Any = None
        self._task: Any = None

    def expect(self, total: int) -> Moved:
        """So many bytes are to come; returns what is to be told as they do."""
        self._total = total
        if self._shown and total:
            self._bar = _bar_of_rich()
            if self._bar is not None:
                self._bar.start()
                self._task = self._bar.add_task(self._doing, total=total)
        return self._moved

    def _moved(self, size: int) -> None:
        if not self._shown:
            return
        with self._lock:
            self._done += size
            if self._bar is not None:
                self._bar.update(self._task, completed=self._done)
            elif monotonic() - self._written > _REFRESH:
                self._written = monotonic()
                done, total = common.size_of(self._done), common.size_of(self._total)
                sys.stderr.write(f"\r{self._doing}: {done} of {total}\x1b[K")
                sys.stderr.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif self._written:
            sys.stderr.write("\r\x1b[K")


def _bar_of_rich() -> Any:
    try:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TransferSpeedColumn,
        )
    except ImportError:
        return None
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
