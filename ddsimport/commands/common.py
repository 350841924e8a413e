"""What all subcommands share: their options, the store they speak of, how they answer."""

from __future__ import annotations

import argparse
import json
import os
import sys

from ddsimport import config
from ddsimport.commands.ending import DONE as DONE
from ddsimport.commands.ending import FOUND as FOUND
from ddsimport.commands.ending import complain as complain
from ddsimport.errors import CannotRunError, ConfigurationError, StoreError
from ddsimport.records import Record
from ddsimport.store.paths import checked_path
from ddsimport.store.store import AbsentArtifactError, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ddsimport.report.outlook import Outlook
    from ddsimport.report.past import Past, PastRun

    Command = Callable[[argparse.Namespace, Store], int]


class _Formatter(argparse.HelpFormatter):
    """Lines of what has several stay as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" not in text.strip():
            return super()._fill_text(text, width, indent)
        return "".join(indent + line for line in text.splitlines(keepends=True))


def parser_of(
    name: str, description: str, *, found: str = "", more: str = ""
) -> argparse.ArgumentParser:
    """A parser with the options of every subcommand.

    Args:
        found: when it exits with `FOUND`; empty if it never does.
        more: what else the help says, below the options.
    """
    codes = "exit codes: 0 it was done" + (f"; 1 {found}" if found else "") + "; 2 it could not be"
    parser = argparse.ArgumentParser(
        prog=f"ddsimport {name}",
        description=description,
        epilog="\n\n".join(filter(None, (more, codes))),
        formatter_class=_Formatter,
    )
    parser.add_argument(
        "--store", metavar="DIR", help="the store (default: as for a run from here)"
    )
    parser.add_argument("--namespace", metavar="NAME", help="whose paths (default: likewise)")
    parser.add_argument(
        "--json", action="store_true", help="answer in JSON, an object on each line"
    )
    return parser


def no_notebooks(parser: argparse.ArgumentParser, programs: Sequence[str]) -> None:
    """Refuse notebooks: as Python, their text is a dictionary without any step."""
    for each in programs:
        if each.endswith(".ipynb"):
            parser.error(f"{each} is a notebook: give the script that is exported from it")


def run(
    parser: argparse.ArgumentParser,
    arguments: Sequence[str],
    command: Command,
    *,
    make: bool = False,
) -> int:
    """Parse, open the store that there is, and do it.

    Args:
        make: a store is made if there is none.

    Raises:
        ConfigurationError, StoreError: see `opened`.
    """
    options = parser.parse_args(arguments)
    return command(options, opened(options, make=make))


def opened(options: argparse.Namespace, *, make: bool = False) -> Store:
    """The store that the options, the environment and `pyproject.toml` name.

    Args:
        make: it is made if there is none.

    Raises:
        ConfigurationError: they mean nothing.
        StoreError: there is none, or it cannot be used.
    """
    chosen = configured(options)
    if not make and not os.path.exists(chosen.store):
        raise StoreError(
            f"there is no store at {chosen.store}; run a pipeline first, or name it: --store DIR"
        )
    return Store.open(chosen.store, chosen.namespace, pickles=chosen.pickle)


def configured(options: argparse.Namespace) -> config.Config:
    """Raises ConfigurationError."""
    given = {"store": options.store, "namespace": options.namespace}
    flags = {key: value for key, value in given.items() if value is not None}
    return config.resolve(os.getcwd(), flags, os.environ)


def stale(options: argparse.Namespace, past: Past, run: PastRun) -> dict[str, Outlook]:
    """Path -> what would become of its step now, where that is not a hit; empty where there is no
    plan for a run."""
    from ddsimport.forecast.planner import plan_of
    from ddsimport.report.outlook import Outlook

    given = {"store": options.store, "namespace": options.namespace}
    flags: dict[str, str | bool] = {key: each for key, each in given.items() if each is not None}
    script = past.absolute(run.program)
    if not os.path.isfile(script):
        return {}
    try:
        plan = plan_of(script, run.arguments, is_module=False, flags=flags)
    except (ConfigurationError, StoreError, CannotRunError, OSError, SyntaxError, ValueError):
        return {}  # it is drawn as it was
    return {
        each.path: Outlook("stale" if each.outlook == "run" else each.outlook, each.reason)
        for each in plan.steps
        if each.outlook != "hit"
    }


def answer(options: argparse.Namespace, found: Any, text: str) -> None:
    """Print what was found: as JSON if that was asked for, else as text."""
    sys.stdout.write(json.dumps(found) + "\n" if options.json else f"{text}\n")


def say_doing(what: str) -> None:
    """On a terminal, what is being done, in place of what was said before; "" clears it."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{what} …" if what else "\r\x1b[K")
        sys.stderr.flush()


def count(text: str) -> int:
    """A number of things, as an argument."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no count")
    return int(text)


def size_of(count: float) -> str:
    """A number of bytes for people: `1.5 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


class Artifact(Record):
    """An artifact as the user named it: `/path`, `/path@8bfbe639`, `/path@-1`.

    Attributes:
        path: the artifact path.
        version: as `Store.load` takes it; None for what it shows now.
        blob, size, codec, signature: of the value.
    """

    path: str
    version: str | int | None
    blob: str
    size: int
    codec: str
    signature: str

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.path}@{self.blob[:8]}"


def artifact(store: Store, text: str) -> Artifact:
    """Raises StoreError: there is none, or no such version of it."""
    path, at, said = text.rpartition("@")
    record = store.current(checked_path(text))
    if not at or record is not None:  # a path may hold an `@`
        if record is None:
            store.load(text)  # raises, and tells the nearest one
            raise AbsentArtifactError(f"there is no artifact at {text}")
        return Artifact(
            record.path, None, record.blob, record.blob_size, record.codec, record.signature
        )
    version: str | int = said
    if said.removeprefix("-").isdecimal() and len(said) < 4:
        version = int(said)
    past = store.past(path, version)
    return Artifact(past.path, version, past.blob, past.size, past.codec, past.signature)


def find_modules_here() -> None:
    """Let what is unpickled find its classes as `python -m` does: from the working directory."""
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, "")
