"""`python -m ddsimport why [PATH]`: what changed since the last value."""

from __future__ import annotations

import argparse
import json
import sys

from ddsimport.commands import common
from ddsimport.report.past import Past
from ddsimport.report.table import coloured_diff
from ddsimport.report.told import explained, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddsimport.store.store import Store


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    parser = common.parser_of(
        "why",
        "Why steps ran: what changed since their last values. Without PATH, every step of the last "
        "run; with one, the last run of that step.",
    )
    parser.add_argument(
        "what",
        metavar="PATH",
        nargs="?",
        help="an artifact path, or FILE:LINE of a step, or a script (its last run)",
    )
    parser.add_argument("--no-diff", action="store_true", help="say what changed, but not how")
    return common.run(parser, arguments, _tell)


def _tell(options: argparse.Namespace, store: Store) -> int:
    past = Past(store, common.configured(options).project)
    given = options.what or ""
    what: str | None = given or None
    program = ""
    file, _, line = given.rpartition(":")
    if given.endswith(".py"):
        what, program = None, past.named(given)
    elif file.endswith(".py"):
        what = f"{past.named(file)}:{line}"
    found = list(explained(past, what, program))
    if options.json:
        for each in found:
            facts = {**each.as_dict(), "causes": [cause.as_dict() for cause in each.causes]}
            sys.stdout.write(json.dumps(facts) + "\n")
        return common.DONE
    if what is None:
        ran = [each for each in found if each.status != "hit"]
        if len(ran) < len(found):
            sys.stdout.write(f"{len(found) - len(ran)} of {len(found)} steps were hits\n")
        found = ran
    for each in found:
        sys.stdout.write(text_of(each, with_diff=not options.no_diff, painted=coloured_diff))
    return common.DONE
