"""`python -m ddsimport doctor`: what is configured, what is not seen here, what needs attention."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Literal

from ddsimport import config
from ddsimport.commands import checks, common
from ddsimport.errors import ConfigurationError, StoreError
from ddsimport.records import Record
from ddsimport.report import table
from ddsimport.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COLOURS = {"ok": "", "note": table.STRONG, "problem": table.BAD}


class Line(Record):
    """One thing that was looked at.

    Attributes:
        about: the chapter.
        name: what.
        state: `problem` where something needs attention, `note` where something is worth knowing.
        said: how it is.
        remedy: what to do about it.
    """

    about: str
    name: str
    state: Literal["ok", "note", "problem"]
    said: str
    remedy: str = ""


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    parser = common.parser_of(
        "doctor",
        "What is configured and where, what cannot be seen on this system, what of the code does "
        "not count by its text, which steps are evaluated each time, and what is wrong with the "
        "store.",
        found="something needs attention",
    )
    options = parser.parse_args(arguments)
    lines = list(_examined(options))
    if options.json:
        sys.stdout.write("".join(json.dumps(line.as_dict()) + "\n" for line in lines))
    else:
        _tell(lines)
    return common.FOUND if any(line.state == "problem" for line in lines) else common.DONE


def _tell(lines: list[Line]) -> None:
    about = ""
    marks = {"ok": " ", "note": "·", "problem": "!"}
    for line in lines:
        if line.about != about:
            title = table.coloured(line.about, table.STRONG, sys.stdout)
            sys.stdout.write(("\n" if about else "") + f"{title}\n")
            about = line.about
        text = f"{marks[line.state]} {line.name}: {line.said}"
        sys.stdout.write(table.coloured(text, _COLOURS[line.state], sys.stdout) + "\n")
        if line.remedy:
            sys.stdout.write(f"    {line.remedy}\n")
    count = sum(line.state == "problem" for line in lines)
    told = {0: "nothing needs", 1: "1 thing needs"}.get(count, f"{count} things need")
    sys.stdout.write(f"\n{told} attention\n")


def _examined(options: argparse.Namespace) -> Iterator[Line]:
    for name, state, said, remedy in checks.versions():
        yield Line("versions", name, state, said, remedy)
    given = {"store": options.store, "namespace": options.namespace}
    flags = {key: value for key, value in given.items() if value is not None}
    try:
        configured = config.resolve(os.getcwd(), flags, os.environ)
        origins = config.origins(os.getcwd(), flags, os.environ)
    except ConfigurationError as error:
        yield Line("configuration", "error", "problem", str(error), "mend it: no run starts so")
        return
    yield from _configuration(configured, origins)
    for name, state, said, remedy in checks.system():
        yield Line("what is seen here", name, state, said, remedy)
    for name, state, said, remedy in checks.code(configured.project):
        yield Line("code", name, state, said, remedy)
    if not os.path.exists(configured.store):
        said = f"there is none at {configured.store} yet"
        yield Line("store", "store", "note", said, "run a pipeline, or name one: --store DIR")
        return
    try:
        store = Store.open(configured.store, configured.namespace, pickles=configured.pickle)
    except StoreError as error:
        yield Line("store", "store", "problem", str(error), "nothing is kept before that is mended")
        return
    for name, state, said, remedy in checks.store(store, configured):
        yield Line("store", name, state, said, remedy)
    for name, state, said, remedy in checks.steps(store, configured.project):
        yield Line("steps of the last runs", name, state, said, remedy)


def _configuration(configured: config.Config, origins: dict[str, str]) -> Iterator[Line]:
    yield Line("configuration", "project", "ok", configured.project)
    for note in configured.notes:
        yield Line("configuration", "note", "problem", note, "mend the file")
    for key, value in configured.as_dict().items():
        if key in ("project", "notes"):
            continue
        said = "-" if value in (None, "", ()) else str(value)
        if key == "budget" and value is not None:
            said = common.size_of(value)
        origin = origins.get(key)
        yield Line("configuration", key, "ok", f"{said} ({origin or 'default'})")
