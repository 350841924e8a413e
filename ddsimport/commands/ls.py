"""`python -m ddsimport ls`: what artifact paths there are, and what they show."""

from __future__ import annotations

import argparse
import json
import sys

from ddsimport.commands import common
from ddsimport.errors import StoreError
from ddsimport.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


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
        if options.json:
            facts = {
                "path": path,
                "blob": record.blob,
                "size": record.blob_size,
                "codec": record.codec,
                "format": record.format,
                "exact": record.exact,
                "shown": shown,
            }
            sys.stdout.write(json.dumps(facts) + "\n")
        else:
            size = common.size_of(record.blob_size)
            sys.stdout.write(f"{size:>8}  {record.codec:<12}  {shown or '-':<24}  {path}\n")
    return common.DONE
