"""`python -m ddsimport pull`: what others evaluated comes from the remote."""

from __future__ import annotations

from ddsimport.commands import common, sharing

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ddsimport.store.store import Store

_DESCRIPTION = """\
Fetch what others evaluated from the remote that [tool.ddsimport] names, so that runs find it here,
also without a network. Values that may run code are taken only from those whose key you trust:
python -m ddsimport key trust KEY
"""


def main(arguments: Sequence[str]) -> int:
    """0 if all is here now, 1 if something was not taken, 2 if nothing could be done."""
    parser = common.parser_of("pull", _DESCRIPTION, found="something was not taken")
    parser.add_argument(
        "paths", metavar="PATH", nargs="*", help="an artifact path; those below it come along"
    )
    return common.run(parser, arguments, _pull, make=True)


def _pull(options: argparse.Namespace, store: Store) -> int:
    """Raises ConfigurationError, StoreError."""
    from ddsimport.errors import StoreError
    from ddsimport.store.exchange import pull
    from ddsimport.store.paths import checked_path

    paths = [checked_path(path) for path in options.paths]
    if not store.writable:
        raise StoreError(f"the store {store.root} is read-only")
    remote = sharing.remote_of(options)
    with sharing.Progress("pulling") as progress:
        done = pull(store, remote, paths, sharing.Telling().say, expect=progress.expect)
    return sharing.told(options, done, f"pulled from {remote.url}", "not taken")
