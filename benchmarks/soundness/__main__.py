"""`python -m benchmarks.soundness`: the table case x tool, and the totals."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

from benchmarks.soundness.cases import Case, cases
from benchmarks.soundness.judge import BrokenCaseError, Verdict, judge, truth
from benchmarks.soundness.tools import TOOLS, Tool

_FOLDER = Path(__file__).resolve().parent / "cases"
_WORDS = ("ok", "STALE", "needless", "error")
_KINDS = {"must": "must be noticed", "must_not": "must not matter"}

Results = dict[str, Verdict]
"""{tool: verdict}; empty if the case cannot be run here."""


def main(arguments: list[str] | None = None) -> int:
    """The command.

    Returns:
        1 if ddsimport was tried and was wrong about any case, or a case is broken.
    """
    options = _parser().parse_args(arguments)
    suite = _suite(options.case)[:: options.sample]
    if options.list:
        for kind, case in suite:
            print(f"{kind}: {case.name}")
        return 0
    tools = _tools(options.only)
    if not suite or not tools:
        print("nothing to try", file=sys.stderr)
        return 2
    print(_heading(tools), flush=True)
    broken: list[str] = []

    def tried(item: tuple[str, Case]) -> Results:
        kind, case = item
        try:
            return _tried(kind, case, tools)
        except BrokenCaseError as error:
            broken.append(f"{case.name}: {error}")
            return {}

    every: list[Results] = []
    with ThreadPoolExecutor(options.jobs) as pool:
        for (_, case), results in zip(suite, pool.map(tried, suite), strict=True):
            every.append(results)
            words = {tool.name: _word(results, tool) for tool in tools}
            print(_row(case.name, words), flush=True)
    kinds = [kind for kind, _ in suite]
    print(_totals(kinds, every, tools))
    if options.json:
        _write_json(options.json, suite, every, tools)
    return _conclusion(suite, every, tools, broken)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soundness", description=__doc__)
    parser.add_argument("--only", metavar="TOOL,...", help="the tools to try (default: all)")
    parser.add_argument(
        "--case", metavar="NAME", action="append", help="cases that --list shows with NAME in it"
    )
    parser.add_argument(
        "--sample", metavar="N", type=int, default=1, help="only every Nth of the cases"
    )
    parser.add_argument("-j", dest="jobs", metavar="N", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the table there too")
    parser.add_argument("--list", action="store_true", help="name the cases and stop")
    return parser


def _suite(wanted: list[str] | None) -> list[tuple[str, Case]]:
    return [
        (kind, case)
        for kind in _KINDS
        for file in sorted((_FOLDER / kind).glob("*.txt"))
        for case in cases(file)
        if not wanted or any(part in f"{kind}: {case.name}" for part in wanted)
    ]


def _tools(only: str | None) -> list[Tool]:
    names = only.split(",") if only else [tool.name for tool in TOOLS]
    unknown = set(names) - {tool.name for tool in TOOLS}
    if unknown:
        there = ", ".join(tool.name for tool in TOOLS)
        raise SystemExit(f"no tool {', '.join(sorted(unknown))}; there are: {there}")
    chosen = []
    for tool in TOOLS:
        if tool.name in names:
            if tool.version is None:
                print(f"{tool.name} is not installed")
            else:
                chosen.append(tool)
    return chosen


def _tried(kind: str, case: Case, tools: list[Tool]) -> Results:
    if sys.version_info < case.python or not all(find_spec(module) for module in case.needs):
        return {}
    must = kind == "must"
    true = truth(case, must=must)
    return {tool.name: judge(case, tool, true, must=must) for tool in tools}


def _word(results: Results, tool: Tool) -> str:
    return results[tool.name].word if results else "-"


def _heading(tools: list[Tool]) -> str:
    versions = ", ".join(f"{tool.name} {tool.version}" for tool in tools)
    row = _row("", {tool.name: tool.name for tool in tools})
    return f"Python {platform.python_version()}, {platform.system()}; {versions}\n\n{row}"


def _row(name: str, words: dict[str, str]) -> str:
    """A line of the table: {tool: word}."""
    return f"{name:<64.64}" + "".join(
        f"{word:>{max(len(tool), 8) + 2}}" for tool, word in words.items()
    )


def _totals(kinds: list[str], every: list[Results], tools: list[Tool]) -> str:
    lines = []
    for kind, title in _KINDS.items():
        ran = [results for of, results in zip(kinds, every, strict=True) if of == kind and results]
        counts = {tool.name: Counter(results[tool.name].word for results in ran) for tool in tools}
        names = {tool.name: tool.name for tool in tools}
        lines.append("\n" + _row(f"{len(ran)} edits that {title}", names))
        for word in _WORDS:
            lines.append(_row(word, {name: str(counts[name][word]) for name in names}))
    skipped = sum(not results for results in every)
    if skipped:
        lines.append(f"\n{skipped} not tried: they need another Python or a package")
    return "\n".join(lines)


def _write_json(
    file: Path, suite: list[tuple[str, Case]], every: list[Results], tools: list[Tool]
) -> None:
    table = {
        "python": platform.python_version(),
        "tools": {tool.name: tool.version for tool in tools},
        "cases": [
            {
                "name": case.name,
                "edit": kind,
                "verdicts": {
                    name: {"verdict": verdict.word, "why": verdict.why}
                    for name, verdict in results.items()
                },
            }
            for (kind, case), results in zip(suite, every, strict=True)
        ],
    }
    file.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def _conclusion(
    suite: list[tuple[str, Case]], every: list[Results], tools: list[Tool], broken: list[str]
) -> int:
    """Say what is wrong with the suite and with ddsimport (with the only tool, if it is one)."""
    explained = tools[0].name if len(tools) == 1 else "ddsimport"
    failed = False
    for (_, case), results in zip(suite, every, strict=True):
        verdict = results.get(explained, Verdict("ok"))
        if verdict.word != "ok":
            failed = True
            print(f"\n{explained}: {verdict.word}: {case.name}\n  {verdict.why.strip()}")
    for message in broken:
        print(f"\nbroken case: {message}")
    return int(bool(broken) or (failed and explained == "ddsimport"))


if __name__ == "__main__":
    sys.exit(main())
