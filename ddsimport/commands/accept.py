"""`python -m ddsimport accept PATH --reason …`: an edit of code that does not change the result."""

from __future__ import annotations

import argparse
import os

from ddsimport.commands import common
from ddsimport.errors import StoreError
from ddsimport.forecast.planner import accepted_edit
from ddsimport.store.versions import now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddsimport.store.store import Store


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    parser = common.parser_of(
        "accept",
        "Say that the code of a step was edited in a way that does not change its result: the next "
        "run takes the value of before, as long as nothing else differs. The word is recorded with "
        "your name, the date and the difference, and `log` shows it.",
    )
    parser.add_argument("path", metavar="PATH", help="such as /wine/model")
    parser.add_argument("--reason", required=True, help="why the result is the same")
    parser.add_argument("--by", metavar="NAME", help="who says so (default: as git or the system)")
    return common.run(parser, arguments, _accept)


def _accept(options: argparse.Namespace, store: Store) -> int:
    if not options.reason.strip():
        raise StoreError("--reason is empty: say why the result is the same")
    given = {"store": options.store, "namespace": options.namespace}
    flags = {key: value for key, value in given.items() if value is not None}
    acceptance = accepted_edit(
        options.path, options.reason.strip(), options.by or _author(), now(), flags
    )
    store.acceptances.add(acceptance)
    facts = acceptance.as_dict()
    common.answer(
        options, facts, f"{acceptance.diff}\naccepted: {options.path} ({acceptance.by})".strip()
    )
    return common.DONE


def _author() -> str:
    """The user, as git knows them here, else as the system does."""
    import getpass
    import subprocess

    found = ""
    try:
        asked = ["git", "config", "user.name"]
        found = subprocess.run(asked, capture_output=True, text=True, timeout=5).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        found = ""
    try:
        return found or os.environ.get("GIT_AUTHOR_NAME") or getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
