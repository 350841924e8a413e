"""`python -m ddsimport why [PATH]`: what changed since the last value."""

from __future__ import annotations

import argparse
import json
import sys

from ddsimport.commands import common
from ddsimport.errors import StoreError
from ddsimport.report.past import Past
from ddsimport.report.why import Explanation, Why

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ddsimport.report.events import Event
    from ddsimport.report.past import PastRun
    from ddsimport.store.store import Store


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    parser = common.parser_of(
        "why",
        "Why steps ran: what changed since their last values. Without PATH, every step of the last "
        "run; with one, the last run of that step.",
    )
    parser.add_argument(
        "what",
        metavar="PATH",
        nargs="?",
        help="an artifact path, or FILE:LINE of a step, or a script (its last run)",
    )
    parser.add_argument("--no-diff", action="store_true", help="say what changed, but not how")
    return common.run(parser, arguments, _tell)


def _tell(options: argparse.Namespace, store: Store) -> int:
    past = Past(store, common.configured(options).project)
    whole = options.what is None or options.what.endswith(".py")
    found = list(_explained(past, options.what))
    if options.json:
        for each in found:
            facts = {**each.as_dict(), "causes": [cause.as_dict() for cause in each.causes]}
            sys.stdout.write(json.dumps(facts) + "\n")
        return common.DONE
    if whole:
        hits = [each for each in found if each.status == "hit"]
        found = [each for each in found if each.status != "hit"]
        if hits:
            sys.stdout.write(f"{len(hits)} of {len(hits) + len(found)} steps were hits\n")
    for each in found:
        sys.stdout.write(_text(each, with_diff=not options.no_diff))
    return common.DONE


def _explained(past: Past, what: str | None) -> Iterator[Explanation]:
    """Raises StoreError: there is nothing to explain."""
    if not past.runs:
        raise StoreError("no run is on record; run a pipeline first")
    if what is None:
        yield from Why(past, past.runs[0]).all()
        return
    if what.endswith(".py"):
        runs = past.runs_of(common.relative(what, past.project))
        if not runs:
            raise StoreError(f"no run of {what} is on record")
        yield from Why(past, runs[0]).all()
        return
    run, event = _event_of(past, what)
    yield Why(past, run).of(event)


def _event_of(past: Past, what: str) -> tuple[PastRun, Event]:
    """The latest event of a step. Raises StoreError: there is none."""
    file, _, line = what.rpartition(":")
    if file.endswith(".py") and line.isdigit():
        name = common.relative(file, past.project)
        for run in past.runs:
            for event in run.latest.values():
                provenance = past.provenance(event.signature)
                there = provenance.file if provenance is not None else run.program
                if event.line == int(line) and there == name:
                    return run, event
        raise StoreError(f"no run on record has a step at {what}")
    found = next(past.evaluations(what), None)
    if found is None:
        import difflib

        paths = list(dict.fromkeys(path for run in past.runs for path in run.latest))
        near = difflib.get_close_matches(what, paths, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise StoreError(f"no run on record has a step at {what}{hint}")
    return found


def _text(each: Explanation, *, with_diff: bool) -> str:
    lines = [f"{each.path}  {each.status}  ({each.place}, {each.run})", f"  {each.said}"]
    if len(each.chain) > 1:
        lines.append(f"  {' <- '.join(each.chain)}")
    for cause in each.causes:
        lines.append(f"  - {cause.said}" + (f"  (from {cause.step})" if cause.step else ""))
        lines += [f"    {line}" for line in cause.details]
        if with_diff and cause.diff:
            lines += [f"    {line}" for line in cause.diff.splitlines()]
    return "\n".join(lines) + "\n"
