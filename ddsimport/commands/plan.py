"""`python -m ddsimport plan script.py`: what a run would do, without running anything."""

from __future__ import annotations

import argparse
import json
import sys

from ddsimport.commands import common
from ddsimport.forecast.planner import Forecast, Plan, plan_of
from ddsimport.report.table import indented_diff
from ddsimport.report.terminal import duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_IN_WORDS = {"hit": "hit", "run": "will run", "unknown": "unknown"}


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    parser = common.parser_of(
        "plan",
        "What a run of the program would do, without running anything: each step as a hit, will "
        "run, or unknown until another step has run, and why. What plain code computes is taken to "
        "be what it was.",
        found="--check was given, and something would run, or may",
    )
    parser.add_argument("-m", dest="is_module", action="store_true", help="PROGRAM is a module")
    parser.add_argument("program", metavar="PROGRAM", help="a script")
    parser.add_argument(
        "arguments", metavar="...", nargs=argparse.REMAINDER, help="what it would be given"
    )
    parser.add_argument(
        "--check", action="store_true", help="exit with 1 if anything would run, or may"
    )
    parser.add_argument("--no-diff", action="store_true", help="say what changed, but not how")
    options = parser.parse_args(arguments)
    common.no_notebooks(parser, [options.program])
    chosen = {"store": options.store, "namespace": options.namespace}
    flags = {key: value for key, value in chosen.items() if value is not None}
    given = tuple(options.arguments)
    plan = plan_of(options.program, given, is_module=options.is_module, flags=flags)
    _tell(options, plan)
    runs = any(each.outlook != "hit" for each in plan.steps)
    return common.FOUND if options.check and runs else common.DONE


def _tell(options: argparse.Namespace, plan: Plan) -> None:
    if options.json:
        steps = [
            {**each.as_dict(), "differences": [one.as_dict() for one in each.differences]}
            for each in plan.steps
        ]
        facts = {**plan.as_dict(), "steps": steps, "seconds": plan.seconds}
        sys.stdout.write(json.dumps(facts) + "\n")
        return
    for each in plan.steps:
        sys.stdout.write(_line(each))
        if not options.no_diff and each.outlook != "hit":
            for one in each.differences:
                sys.stdout.write(indented_diff(one.diff))
    counts = {outlook: sum(each.outlook == outlook for each in plan.steps) for outlook in _IN_WORDS}
    told = ", ".join(f"{count} {_IN_WORDS[name]}" for name, count in counts.items() if count)
    if not plan.steps:
        told = "no steps"
    based = f"as of the run of {plan.based_on}" if plan.based_on else "it has never run here"
    spent = f"; about {duration(plan.seconds)}" if plan.seconds else ""
    sys.stdout.write(f"{plan.program}: {told}{spent} ({based})\n")


def _line(each: Forecast) -> str:
    if each.outlook == "hit":
        time = f"{duration(each.saved_seconds)} saved"
    else:
        time = "?" if each.seconds is None else f"about {duration(each.seconds)}"
    reason = f": {each.reason}" if each.reason else ""
    return f"{_IN_WORDS[each.outlook]:<9} {each.path} ({each.place}), {time}{reason}\n"
