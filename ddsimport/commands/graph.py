"""`python -m ddsimport graph [script.py]`: draw what depends on what."""

from __future__ import annotations

import argparse
import os
import sys

from ddsimport.commands import common
from ddsimport.drawing import FORMATS, Drawing, format_of, run_of
from ddsimport.errors import StoreError
from ddsimport.report.draw import DrawingError
from ddsimport.report.past import Past

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddsimport.store.store import Store

_TEXTS = ("dot", "mermaid", "json")


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    parser = common.parser_of(
        "graph",
        "Draw the steps of a script's last run, with the inputs, files and code that they rest on, "
        "and which of them would run now. Without options, a page to open in a browser; `dot`, "
        "`mermaid` and `json` go to standard output.",
    )
    parser.add_argument(
        "script", metavar="SCRIPT", nargs="?", help="default: whatever ran last in this store"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="where to; its suffix says the format; - is stdout"
    )
    parser.add_argument("--format", choices=list(dict.fromkeys(FORMATS.values())))
    parser.add_argument("--steps-only", action="store_true", help="no inputs, files and code")
    parser.add_argument(
        "--of", metavar="PATH", help="only this step, what it rests on and what rests on it"
    )
    return common.run(parser, arguments, _draw)


def _draw(options: argparse.Namespace, store: Store) -> int:
    past = Past(store, common.configured(options).project)
    run = run_of(past, options.script)
    drawing = Drawing(past, run, common.stale(options, past, run))
    try:
        if options.of:
            drawing = drawing.connected(options.of)
        if options.steps_only:
            drawing = drawing.only_steps()
        form = _format(options)
        content = drawing.encoded(form)
    except (DrawingError, LookupError, ValueError) as error:
        raise StoreError(str(error)) from error
    if options.output == "-" or (options.output is None and form in _TEXTS):
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        return common.DONE
    file = options.output or _name_for(run.program, form)
    with open(file, "wb") as opened:
        opened.write(content)
    sys.stdout.write(f"{file}\n")
    return common.DONE


def _format(options: argparse.Namespace) -> str:
    """Raises ValueError: the file's suffix says none."""
    if options.format:
        return str(options.format)
    if options.json:
        return "json"
    return format_of(options.output) if options.output and options.output != "-" else "html"


def _name_for(program: str, form: str) -> str:
    stem = os.path.splitext(os.path.basename(program))[0]
    return f"{stem}-graph.{form}" if stem else f"graph.{form}"
