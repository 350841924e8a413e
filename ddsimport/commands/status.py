"""`python -m ddsimport status`: the store, the last runs, what they saved."""

from __future__ import annotations

import argparse
import json
import os
import sys

from ddsimport.commands import common
from ddsimport.report import table
from ddsimport.report.past import Past
from ddsimport.report.terminal import duration
from ddsimport.store import collector
from ddsimport.store.index import Index
from ddsimport.store.namespaces import namespaces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ddsimport.report.past import PastRun
    from ddsimport.store.store import Store

_RUNS, _LARGEST = 5, 5


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    parser = common.parser_of(
        "status",
        "The project and its store: sizes and budget, the last runs, how often steps were hits and "
        "what that saved.",
    )
    parser.add_argument(
        "-n", type=common.count, metavar="N", default=_RUNS, help="how many runs are listed"
    )
    return common.run(parser, arguments, _tell)


def _tell(options: argparse.Namespace, store: Store) -> int:
    configured = common.configured(options)
    past = Past(store, configured.project)
    sizes = Index(store.root).sizes()
    hits = sum(run.counts.get("hit", 0) for run in past.runs)
    steps = sum(sum(run.counts.values()) for run in past.runs)
    facts: dict[str, Any] = {
        "project": configured.project,
        "store": store.root,
        "writable": store.writable,
        "namespace": store.namespace,
        "namespaces": [name for name in namespaces(store.root) if name],
        "paths": sum(1 for _ in store.paths()),
        "size": sum(sizes.values()),
        "sizes": sizes,
        "budget": collector.budget_of(store.root, configured.budget).bytes,
        "remote": configured.remote,
        "waiting": _waiting(store.root),
        "runs": len(past.runs),
        "steps": steps,
        "hits": hits,
        "saved_seconds": sum(run.saved_seconds for run in past.runs),
        "last_runs": [_of_run(run) for run in past.runs[: options.n]],
    }
    if options.json:
        sys.stdout.write(json.dumps(facts) + "\n")
    else:
        sys.stdout.write(_text(facts))
    return common.DONE


def _waiting(root: str) -> int:
    """How many values are to be pushed."""
    from ddsimport.store.behind import Outbox

    return len(Outbox(root).signatures()) if os.path.isdir(f"{root}/outbox") else 0


def _of_run(run: PastRun) -> dict[str, Any]:
    return {
        "ended": run.ended,
        "program": run.program,
        "arguments": list(run.arguments),
        "counts": run.counts,
        "seconds": run.seconds,
        "saved_seconds": run.saved_seconds,
    }


def _text(facts: dict[str, Any]) -> str:
    namespace = f", namespace {facts['namespace']}" if facts["namespace"] else ""
    others = ", ".join(facts["namespaces"])
    lines = [
        ("project", facts["project"]),
        ("store", facts["store"] + namespace + ("" if facts["writable"] else " (read-only)")),
        ("values", f"{facts['paths']:,} paths, {common.size_of(facts['size'])} with past values; "
                   f"the budget is {common.size_of(facts['budget'])}"),
    ]  # fmt: skip
    if others:
        lines.append(("namespaces", others))
    if facts["remote"]:
        waiting = f", {facts['waiting']} values to be pushed" if facts["waiting"] else ""
        lines.append(("remote", facts["remote"] + waiting))
    if facts["steps"]:
        rate = 100 * facts["hits"] / facts["steps"]
        lines.append(
            ("runs", f"{facts['runs']:,} on record, {rate:.0f} % of {facts['steps']:,} steps were "
                     f"hits; {duration(facts['saved_seconds'])} saved in all")
        )  # fmt: skip
    else:
        lines.append(("runs", "none on record"))
    text = "".join(f"{name + ':':<12}{said}\n" for name, said in lines)
    rows = [
        (
            run["ended"],
            " ".join([run["program"] or "-", *run["arguments"]]),
            ", ".join(f"{count} {status}" for status, count in run["counts"].items() if count),
            duration(run["seconds"]),
            duration(run["saved_seconds"]),
        )
        for run in facts["last_runs"]
    ]
    if rows:
        head = ("ended", "program", "steps", "spent", "saved")
        text += "\n" + table.shown(head, rows, right=(3, 4)) + "\n"
    largest = sorted(facts["sizes"].items(), key=lambda item: -item[1])[:_LARGEST]
    if largest:
        named = [(path, common.size_of(size)) for path, size in largest]
        text += "\n" + table.shown(("largest", "size"), named, right=(1,)) + "\n"
    return text
