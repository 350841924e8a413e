"""`python -m ddsimport ui [script.py]`: the graph in a browser, while runs go on."""

from __future__ import annotations

import argparse
import json
import os
import sys

from ddsimport.commands import common
from ddsimport.report.past import Past
from ddsimport.ui import Server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddsimport.report.outlook import Outlook
    from ddsimport.report.past import PastRun
    from ddsimport.store.store import Store


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    parser = common.parser_of(
        "ui",
        "Show the graph in a browser, and what runs do as they do it. Read-only, for this machine "
        "only, and for those who know the address that is printed. Ctrl-C ends it.",
    )
    parser.add_argument(
        "script", metavar="SCRIPT", nargs="?", help="default: whatever runs, or ran last"
    )
    parser.add_argument(
        "--port", type=_port, default=0, metavar="N", help="default: any that is free"
    )
    parser.add_argument("--open", action="store_true", help="open it in the browser, too")
    # There may be no run yet: the page waits for the first.
    return common.run(parser, arguments, _serve, make=True)


def _port(text: str) -> int:
    number = common.count(text)
    if number > 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port: these end at 65535")
    return number


def _serve(options: argparse.Namespace, store: Store) -> int:
    chosen = common.configured(options)
    program = None
    if options.script is not None:
        if not os.path.exists(options.script):
            raise FileNotFoundError(f"there is no file {options.script}")
        program = Past(store, chosen.project).named(options.script)

    def stale(past: Past, run: PastRun) -> dict[str, Outlook]:
        return common.stale(options, past, run)

    try:
        server = Server(store, chosen.project, program, options.port, stale)
    except OSError as error:
        raise OSError(f"port {options.port} cannot be listened on: {error.strerror}") from error
    with server:
        try:
            told = json.dumps({"url": server.url}) if options.json else server.url
            sys.stdout.write(f"{told}\n")
            sys.stdout.flush()
            if options.open:
                import webbrowser

                webbrowser.open(server.url)
            server.serve()
        except KeyboardInterrupt:
            sys.stdout.write("\n")
    return common.DONE
