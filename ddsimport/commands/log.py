"""`python -m ddsimport log PATH`: what an artifact path has shown."""

from __future__ import annotations

import argparse
import json
import sys

from ddsimport.commands import common
from ddsimport.report import table
from ddsimport.store.store import AbsentArtifactError, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddsimport.store.acceptances import Acceptance
    from ddsimport.store.history import Version


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    parser = common.parser_of(
        "log",
        "What an artifact path has shown, the newest first. `ddsimport.load(PATH, version=NAME)` "
        "gives a past value whose name stands in the first column, while the store has it.",
    )
    parser.add_argument("path", metavar="PATH", help="such as /wine/model")
    parser.add_argument("-n", type=common.count, metavar="N", help="only the newest N")
    return common.run(parser, arguments, _tell)


def _tell(options: argparse.Namespace, store: Store) -> int:
    current = store.current(options.path)
    shown = current.blob if current is not None else None
    count = 0
    words = _accepted(store, options.path)
    for version in store.history.versions(options.path):
        if count == options.n:
            return common.DONE
        count += 1
        while words and words[-1].when > version.shown:
            _say(options, words.pop())
        there = store.has(version.blob)
        if options.json:  # an object per line, so that a long history need not be in memory
            facts = {**version.as_dict(), "current": version.blob == shown, "kept": there}
            sys.stdout.write(json.dumps(facts) + "\n")
        else:
            sys.stdout.write(_line(version, current=version.blob == shown, there=there) + "\n")
        if version.blob == shown:
            shown = None
    for word in reversed(words):
        _say(options, word)
    if not count:
        raise AbsentArtifactError(f"{options.path} has shown nothing")
    return common.DONE


def _accepted(store: Store, path: str) -> list[Acceptance]:
    """The edits that were accepted of a step at this path, the oldest first."""
    templates = {path}
    for version in store.history.versions(path):
        provenance = store.provenances.read(version.signature)
        if provenance is not None:
            templates.add(provenance.template)
            break
    return [each for each in store.acceptances.all() if each.template in templates]


def _say(options: argparse.Namespace, word: Acceptance) -> None:
    if options.json:
        sys.stdout.write(json.dumps({"accepted": word.as_dict()}) + "\n")
        return
    said = table.harmless(f"by {word.by}: {word.reason}")  # a store may have them from anybody
    sys.stdout.write(f"~ accepted      {word.when}  {said}\n")
    sys.stdout.write(table.indented_diff(word.diff))


def _line(version: Version, *, current: bool, there: bool) -> str:
    mark = "*" if current else " " if there else "-"
    inputs = ", ".join(f"{name}={digest[:8]}" for name, digest in version.inputs)
    return (
        f"{mark} {version.blob[:12]}  {version.shown}  {version.seconds:>8.3g} s  "
        f"{common.size_of(version.size):>8}  code {version.code[:8]}  {inputs}".rstrip()
        + ("" if there else "  (no longer in the store)")
    )
