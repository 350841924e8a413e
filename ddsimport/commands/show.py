"""`python -m ddsimport show PATH`: what an artifact holds, as people look at it."""

from __future__ import annotations

import argparse
import json
import os
import sys

from ddsimport.commands import common
from ddsimport.report import table
from ddsimport.report.preview import Preview, as_text, preview_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ddsimport.commands.common import Artifact
    from ddsimport.store.store import Store


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    parser = common.parser_of(
        "show",
        "What an artifact holds: the head of a table, an array in numbers, a text, a picture (on "
        "terminals that show pictures: kitty, iTerm2, sixels; else in coloured blocks).",
        found="the value cannot be loaded or shown here",
    )
    parser.add_argument(
        "path", metavar="PATH", help="such as /wine/model, /wine/model@8bfbe639, /wine/model@-1"
    )
    return common.run(parser, arguments, _show)


def _show(options: argparse.Namespace, store: Store) -> int:
    common.find_modules_here()
    artifact = common.artifact(store, options.path)
    shown = preview_of(store, artifact.path, artifact.version)
    facts = _facts(store, artifact)
    if options.json:
        told = {key: value for key, value in shown.as_dict().items() if key != "image"}
        told["head"] = [list(each) for each in shown.head]
        sys.stdout.write(json.dumps({**facts, "preview": told}) + "\n")
    else:
        said = [f"{facts['codec']}, {common.size_of(artifact.size)}"]
        said += [f"evaluated {facts['created']}"] if facts["created"] else []
        said += [f"by {facts['place']}"] if facts["place"] else []
        name = table.coloured(artifact.name, table.STRONG, sys.stdout)
        sys.stdout.write(f"{name}  {', '.join(said)}\n")
        _draw(shown, facts["view"])
    return common.FOUND if shown.kind == "none" else common.DONE


def _facts(store: Store, artifact: Artifact) -> dict[str, Any]:
    provenance = store.provenances.read(artifact.signature)
    version = next(
        (each for each in store.history.versions(artifact.path) if each.blob == artifact.blob), None
    )
    view = store.view_file(artifact.path) if artifact.version is None else None
    return {
        "path": artifact.path,
        "blob": artifact.blob,
        "size": artifact.size,
        "codec": artifact.codec,
        "signature": artifact.signature,
        "shown": version.shown if version is not None else "",
        "created": version.created if version is not None else "",
        "seconds": version.seconds if version is not None else None,
        "place": f"{provenance.file}:{provenance.line}" if provenance is not None else "",
        "view": view if view is not None and os.path.exists(view) else "",
    }


def _draw(shown: Preview, view: str) -> None:
    sys.stdout.write(as_text(shown, table.width_of(sys.stdout)) + "\n")
    if shown.kind == "image":
        sys.stdout.flush()
        drawn = None
        if table.is_coloured(sys.stdout):
            from ddsimport.report.pictures import on_terminal

            drawn = on_terminal(shown.image)
        if drawn:
            sys.stdout.write(drawn)
    if view and shown.kind in ("image", "none"):
        sys.stdout.write(f"its file: {view}\n")
