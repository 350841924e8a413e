"""`python -m ddsimport verify`: look for damage in the store, and mend it."""

from __future__ import annotations

import argparse
import json
import sys

from ddsimport.commands import common
from ddsimport.store.store import Store
from ddsimport.store.verifier import verify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    parser = common.parser_of(
        "verify",
        "Look at every byte of the store, name what is damaged, and mend it: damaged files go to "
        "`quarantine/`, and the next run evaluates what they held.",
        found="something is damaged",
    )
    parser.add_argument(
        "-n", "--dry-run", action="store_true", help="change nothing, say what is damaged"
    )
    return common.run(parser, arguments, _verify)


def _verify(options: argparse.Namespace, store: Store) -> int:
    count = 0
    mend = not options.dry_run and store.writable
    for finding in verify(store.root, mend=mend, progress=common.say_doing):
        count += 1
        common.say_doing("")
        if options.json:
            text = json.dumps(finding.as_dict())
        else:
            text = f"{finding.path}: {finding.fault}"
            text += f" ({finding.mended})" if finding.mended else ""
        sys.stdout.write(f"{text}\n")
    common.say_doing("")
    if not count and not options.json:
        sys.stdout.write("nothing is damaged\n")
    return common.FOUND if count else common.DONE
