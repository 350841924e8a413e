"""`python -m ddsimport key`: this user's key, and the keys whose values may run code here."""

from __future__ import annotations

import argparse
import json
import sys

from ddsimport.commands import common
from ddsimport.store import keys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_DESCRIPTION = """\
Values that came from a remote and may run code when they are loaded (pickles, say) are used only if
they are signed by a key that you trust. Keys are yours, not a project's; they are in a folder that
DDSIMPORT_KEYS names, by default the one for your configuration files.
"""


def main(arguments: Sequence[str]) -> int:
    """0 if it was done, 2 if it could not be."""
    options = _parser().parse_args(arguments)
    return int(options.do(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ddsimport key",
        description=_DESCRIPTION,
        epilog="exit codes: 0 it was done; 2 it could not be",
    )
    below = parser.add_subparsers(metavar="COMMAND", required=True)
    create = below.add_parser("create", help="make yourself a key, which then signs what you push")
    create.set_defaults(do=_create)
    show = below.add_parser("show", help="your public key, for those who are to trust you")
    show.set_defaults(do=_show)
    trust = below.add_parser("trust", help="let what the holder of a key made run code here")
    trust.add_argument("key", metavar="KEY", help="a public key, 64 hexadecimal digits")
    trust.add_argument("--name", default="", help="what you call its holder")
    trust.set_defaults(do=_trust)
    distrust = below.add_parser("distrust", help="take that back")
    distrust.add_argument("key", metavar="KEY", help="a public key, or what you call its holder")
    distrust.set_defaults(do=_distrust)
    listed = below.add_parser("list", help="the keys that you trust")
    listed.set_defaults(do=_list)
    for command in (create, show, trust, distrust, listed):
        command.add_argument(
            "--json", action="store_true", help="answer in JSON, an object on each line"
        )
    return parser


def _create(options: argparse.Namespace) -> int:
    key = keys.create()
    common.answer(options, {"key": key, "name": "", "own": True}, key)
    return common.DONE


def _show(options: argparse.Namespace) -> int:
    own = keys.own()
    if own is None:
        raise keys.KeysError("you have no key; make one: python -m ddsimport key create")
    common.answer(options, {"key": own, "name": "", "own": True}, own)
    return common.DONE


def _trust(options: argparse.Namespace) -> int:
    key = options.key.strip().lower()
    keys.trust(key, options.name)
    if options.json:
        common.answer(options, {"key": key, "name": options.name, "own": False}, "")
    return common.DONE


def _distrust(options: argparse.Namespace) -> int:
    named = [key for key, name in keys.trusted().items() if name and name == options.key]
    if len(named) > 1:
        raise keys.KeysError(f"several keys are called {options.key}; name one by its digits")
    key = named[0] if named else options.key.strip().lower()
    keys.distrust(key)
    if options.json:
        common.answer(options, {"key": key}, "")
    return common.DONE


def _list(options: argparse.Namespace) -> int:
    own = keys.own()
    found = {**({own: "(your own)"} if own else {}), **keys.trusted()}
    if options.json:
        for key, name in found.items():
            facts = {"key": key, "name": "" if key == own else name, "own": key == own}
            sys.stdout.write(json.dumps(facts) + "\n")
    else:
        sys.stdout.write("".join(f"{key} {name}".rstrip() + "\n" for key, name in found.items()))
    return common.DONE
