"""`python -m ddsimport ls`: what artifact paths there are, and what they show."""

from __future__ import annotations

import argparse
import json
import sys

from ddsimport.commands import common
from ddsimport.errors import StoreError
from ddsimport.report import table
from ddsimport.report.terminal import duration
from ddsimport.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_SCREENFUL = 500
"""Rows of one table on a terminal: there may be a million paths."""


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    parser = common.parser_of(
        "ls", "What artifact paths there are: size and codec of the value, when it was shown first."
    )
    parser.add_argument(
        "prefix", metavar="PREFIX", nargs="?", default="/", help="only paths that begin with it"
    )
    return common.run(parser, arguments, _list)


def _list(options: argparse.Namespace, store: Store) -> int:
    rows: list[tuple[str, ...]] = []
    drawn = table.is_terminal(sys.stdout) and not options.json
    for path in store.paths():  # one at a time: there may be a million
        if not path.startswith(options.prefix):
            continue
        try:
            record = store.current(path)
        except StoreError as error:
            common.complain(str(error))
            continue
        if record is None:
            continue
        version = next(store.history.versions(path), None)
        shown = version.shown if version is not None else ""
        size = common.size_of(record.blob_size)
        if options.json:
            facts = {
                "path": path,
                "blob": record.blob,
                "size": record.blob_size,
                "codec": record.codec,
                "signature": record.signature,
                "format": record.format,
                "exact": record.exact,
                "shown": shown,
                "seconds": version.seconds if version is not None else None,
            }
            sys.stdout.write(json.dumps(facts) + "\n")
        elif drawn:
            seconds = duration(version.seconds) if version is not None else "-"
            view = record.format or "no file"
            when = shown.replace("T", " ").partition(".")[0].removesuffix("Z") or "-"
            rows.append((path, size, record.codec, view, seconds, when))
            if len(rows) == _SCREENFUL:
                _draw(rows)
        else:
            sys.stdout.write(f"{size:>8}  {record.codec:<12}  {shown or '-':<24}  {path}\n")
    if rows:
        _draw(rows)
    return common.DONE


def _draw(rows: list[tuple[str, ...]]) -> None:
    head = ("path", "size", "codec", "file", "took", "shown since (UTC)")
    sys.stdout.write(table.shown(head, rows, right=(1, 4)) + "\n")
    rows.clear()
