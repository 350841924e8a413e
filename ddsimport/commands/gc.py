"""`python -m ddsimport gc`: bring the store within its budget."""

from __future__ import annotations

import argparse

from ddsimport import config
from ddsimport.commands import common
from ddsimport.store import collector
from ddsimport.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    parser = common.parser_of(
        "gc",
        "Bring the store within its budget: what was not used for longest goes first, what a path "
        "shows stays. Also removes what killed processes have left.",
    )
    parser.add_argument(
        "-n", "--dry-run", action="store_true", help="remove nothing, say what would go"
    )
    parser.add_argument(
        "--budget",
        type=_size,
        metavar="SIZE",
        help="such as `5 GB` (default: `budget` in pyproject.toml, else 20 GB or a tenth of the "
        "disk, whichever is less)",
    )
    parser.add_argument(
        "--files",
        type=common.count,
        metavar="N",
        help="how many files there may be (default: a million)",
    )
    parser.add_argument("--current", action="store_true", help="what paths show now may go, too")
    return common.run(parser, arguments, _collect)


def _size(text: str) -> int:
    size = config.bytes_of(text)
    if size is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as `20 GB`")
    return size


def _collect(options: argparse.Namespace, store: Store) -> int:
    asked = options.budget if options.budget is not None else common.configured(options).budget
    budget = collector.budget_of(store.root, asked)
    if options.files is not None:
        budget = budget.replace(files=options.files)
    found = collector.collect(
        store.root,
        budget,
        dry_run=options.dry_run,
        current=options.current,
        progress=common.say_doing,
    )
    common.say_doing("")
    goes = "would go" if options.dry_run else "removed"
    lines = [
        f"{common.size_of(found.bytes)} in {found.files:,} files; the budget is "
        f"{common.size_of(budget.bytes)} in {budget.files:,} files",
        f"{goes}: {common.size_of(found.removed_bytes)} in {found.removed_files:,} files, "
        f"{found.candidates:,} kept values",
    ]
    if found.leftovers:
        lines.append(f"removed: {found.leftovers} files that killed processes had left")
    if found.left_bytes > budget.bytes and not options.current:
        lines.append(
            f"{common.size_of(found.left_bytes)} stay, of which {common.size_of(found.shown)} are "
            "what paths show now: --current removes them, too"
        )
    common.answer(options, {**found.as_dict(), "dry_run": options.dry_run}, "\n".join(lines))
    return common.DONE
