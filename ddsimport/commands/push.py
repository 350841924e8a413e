"""`python -m ddsimport push`: what was evaluated here goes to the remote."""

from __future__ import annotations

from ddsimport.commands import common, sharing

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ddsimport.store.store import Store

_DESCRIPTION = """\
Send what was evaluated here to the remote that [tool.ddsimport] names; what it has already is not
sent again. Values are signed with your key, if you have one: python -m ddsimport key create
"""


def main(arguments: Sequence[str]) -> int:
    """0 if all is there now, 1 if something could not be pushed, 2 if nothing could be done."""
    parser = common.parser_of("push", _DESCRIPTION, found="something could not be pushed")
    parser.add_argument(
        "--all",
        action="store_true",
        help="past values, too (default: what the artifact paths show now)",
    )
    return common.run(parser, arguments, _push)


def _push(options: argparse.Namespace, store: Store) -> int:
    """Raises ConfigurationError, StoreError."""
    from time import time

    from ddsimport.store.behind import Outbox
    from ddsimport.store.exchange import push, signatures_shown

    remote = sharing.remote_of(options)
    outbox = Outbox(store.root)
    started = time()
    waiting = outbox.signatures()
    signatures = store.signatures() if options.all else signatures_shown(store)
    with sharing.Progress("pushing") as progress:
        done = push(
            store, remote, [*signatures, *waiting], sharing.Telling().say, expect=progress.expect
        )
    for signature in waiting:
        outbox.done(signature, started)
    return sharing.told(options, done, f"pushed to {remote.url}", "not pushed")
