"""`python -m benchmarks.fuzz`: run mutants of the programs plainly and under ddsimport.

The exit code is 1 if any of them, or any kept case, differs.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from benchmarks.fuzz import campaign, cases, summary
from benchmarks.fuzz.runs import NO_FOOTPRINTS
from benchmarks.fuzz.trial import STORES, names_of_programs
from benchmarks.fuzz.verdicts import Verdict


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    if options.no_footprints:
        os.environ[NO_FOOTPRINTS] = "1"
    programs = options.programs.split(",") if options.programs else names_of_programs()
    if options.mutant:
        program, _, number = options.mutant.partition(":")
        wanted = [campaign.Wanted(program, int(number), processes=True)]
    else:
        wanted = campaign.plan(programs, options.mutants, options.first, options.process_share)
    started = time.perf_counter()
    verdicts: list[Verdict] = []

    def tell(verdict: Verdict) -> None:
        verdicts.append(verdict)
        if verdict.status == "different" or options.mutant or options.verbose:
            print(_told(verdict), flush=True)
        if len(verdicts) % 250 == 0:
            print(f"... {len(verdicts)} mutants, {time.perf_counter() - started:.0f} s", flush=True)

    differing = [] if options.mutant else _differing_cases(options.seed)
    try:
        campaign.run(
            wanted,
            seed=options.seed,
            stores=options.stores,
            jobs=min(options.jobs, len(wanted)),
            minimise_seconds=options.minimise,
            tell=tell,
        )
    except KeyboardInterrupt:
        print(f"interrupted: what follows is about {len(verdicts)} of {len(wanted)} mutants")
    if not options.mutant:
        print(f"\nPython {sys.version.split()[0]}, seed {options.seed}, stores: {options.stores},")
        print(f"{sum(each.processes for each in wanted)} of the mutants also in real processes,")
        print(f"{time.perf_counter() - started:.0f} s with {options.jobs} workers")
        for line in summary.lines(verdicts, options.worst):
            print(line)
    return int(bool(differing) or any(each.failed for each in verdicts))


def _told(verdict: Verdict) -> str:
    if verdict.status == "different":
        return summary.failure(verdict)
    return (
        f"{verdict.status} {verdict.mutant} {verdict.described}"
        f" {'; '.join(verdict.differences)}\n  {verdict.steps} steps in the plain run,"
        f" {verdict.affected} executed mutated code, {verdict.evaluated} evaluated;"
        f" needless {verdict.needless}, spared {verdict.spared}, {verdict.seconds:.2f} s"
    )


def _differing_cases(seed: int) -> list[str]:
    """The kept cases that still differ, each told."""
    found = []
    with campaign.WorkerProcess(seed, "fresh") as worker:
        for path in cases.kept_cases():
            failures = worker.ask(case=str(path))["failures"]
            if any(failures):
                found.append(path.stem)
                print(f"kept case {path.stem}: {failures}", flush=True)
    print(f"{len(cases.kept_cases())} kept cases, {len(found)} differ", flush=True)
    return found


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--mutants", type=int, default=300, help="how many (default: 300)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("-j", "--jobs", type=int, default=2, help="worker processes")
    parser.add_argument("--first", type=int, default=0, help="the first number in each program")
    parser.add_argument(
        "--no-footprints", action="store_true", help="with `footprints = false` in pyproject.toml"
    )
    parser.add_argument("--programs", help="names, joined by commas (default: all)")
    parser.add_argument("--mutant", help="run one, PROGRAM:NUMBER, and tell all of it")
    parser.add_argument("--stores", choices=STORES, default="both", help="see trial.py")
    parser.add_argument(
        "--process-share",
        type=float,
        default=0.03,
        help="share of mutants that are also run in processes of their own",
    )
    parser.add_argument(
        "--minimise", type=float, default=60, help="seconds to make a failure small; 0: keep none"
    )
    parser.add_argument("--worst", type=int, default=15, help="how many wasteful mutants to list")
    parser.add_argument("-v", "--verbose", action="store_true", help="a line per mutant")
    return parser


if __name__ == "__main__":
    sys.exit(main())
