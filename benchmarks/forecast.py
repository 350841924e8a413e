"""How often `plan` is right: its forecast for each edit of the suite, held against the next run.

    python -m benchmarks forecast [--sample N] [--case NAME] [-j N]

A forecast of a hit that is then evaluated is wrong; a forecast of a run that then hits is cautious;
"unknown" promises nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

from benchmarks.soundness.__main__ import _FOLDER, _KINDS
from benchmarks.soundness.cases import Case, cases
from benchmarks.soundness.judge import write
from benchmarks.soundness.tools import _ROOT, python

_WORDS = ("right", "unknown", "cautious", "wrong", "error")


def main(arguments: list[str]) -> None:
    """Try the forecasts, print the counts and what was wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks forecast", description=__doc__)
    parser.add_argument("--case", metavar="NAME", action="append")
    parser.add_argument("--sample", metavar="N", type=int, default=1)
    parser.add_argument("-j", dest="jobs", metavar="N", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    suite = [
        case
        for kind in _KINDS
        for file in sorted((_FOLDER / kind).glob("*.txt"))
        for case in cases(file)
        if not options.case or any(part in case.name for part in options.case)
    ][:: options.sample]
    counts: Counter[str] = Counter()
    with ThreadPoolExecutor(options.jobs) as pool:
        for case, (word, why) in zip(suite, pool.map(_tried, suite), strict=True):
            counts[word] += 1
            if word in ("wrong", "cautious", "error"):
                print(f"{word}: {case.name}: {why}", flush=True)
    print(", ".join(f"{counts[word]} {word}" for word in _WORDS), f"of {len(suite)}")


def _tried(case: Case) -> tuple[str, str]:
    if sys.version_info < case.python or not all(find_spec(module) for module in case.needs):
        return "skipped", ""
    if case.is_moved:
        return "skipped", ""
    with tempfile.TemporaryDirectory(prefix="forecast-") as scratch:
        folder = Path(scratch, "project")
        before = {**case.before.files, "pyproject.toml": ""}
        write(before, folder)
        environment = {"PYTHONPATH": str(_ROOT), "PYTHONHASHSEED": "1"}
        python(["-m", "ddsimport", "-q"], case.before, folder, environment)
        write({**case.after.files, "pyproject.toml": ""}, folder, before)
        planned = python(
            ["-m", "ddsimport", "plan", "--json"],
            case.after,
            folder,
            environment,
        )
        report = Path(scratch, "report.json")
        python(["-m", "ddsimport", "-q", "--report", str(report)], case.after, folder, environment)
        try:
            steps = {each["path"]: each for each in json.loads(planned.stdout)["steps"]}
            ran = json.loads(report.read_text())["steps"]
        except (ValueError, OSError):
            return "error", planned.stderr.strip()[-300:]
    words = []
    for step in ran:
        forecast = steps.get(step["path"])
        if forecast is None:
            return "error", f"no forecast for {step['path']}"
        hit = step["status"] == "hit"
        if forecast["outlook"] == "unknown":
            words.append(("unknown", forecast["reason"]))
        elif forecast["outlook"] == "hit":
            words.append(("right" if hit else "wrong", "a hit was foreseen"))
        else:
            words.append(("cautious" if hit else "right", forecast["reason"]))
    return max(words, key=lambda word: _WORDS.index(word[0]), default=("error", "no steps"))
