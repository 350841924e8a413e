"""What is said of a campaign."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from benchmarks.fuzz.verdicts import Verdict


def ratio(verdicts: Sequence[Verdict]) -> float:
    """Steps evaluated over steps that executed mutated code."""
    needed = sum(each.affected for each in verdicts)
    return sum(each.evaluated for each in verdicts) / needed if needed else 1.0


def needless_share(verdicts: Sequence[Verdict]) -> float:
    """Needless evaluations over steps that executed mutated code: what no spared step makes up."""
    needed = sum(each.affected for each in verdicts)
    return sum(sum(each.needless.values()) for each in verdicts) / needed if needed else 0.0


def lines(verdicts: Sequence[Verdict], worst: int) -> Iterator[str]:
    """The report, line by line."""
    counts = Counter(each.status for each in verdicts)
    yield (
        f"{len(verdicts)} mutants: {counts['same']} same, {counts['different']} DIFFERENT,"
        f" {counts['skipped']} skipped, {counts['unfit']} of UNFIT programs"
    )
    yield ""
    yield f"{'program':14}{'mutants':>8}{'different':>10}{'evaluated':>10}{'needed':>8}" + (
        f"{'efficiency':>11}{'needless':>9}{'spared':>8}{'by unit':>9}{'by stmt':>9}"
    )
    for program in sorted({each.mutant.partition(":")[0] for each in verdicts}):
        yield _row(program, [v for v in verdicts if v.mutant.partition(":")[0] == program])
    yield _row("all", verdicts)
    yield ""
    yield "by kind of edit:"
    for kind in sorted({kind for each in verdicts for kind in each.kinds}):
        yield _row(f"  {kind}", [each for each in verdicts if each.kinds == (kind,)])
    wasteful = sorted(
        (each for each in verdicts if each.needless), key=lambda each: -sum(each.needless.values())
    )
    if wasteful:
        yield ""
        yield f"needless in {len(wasteful)} mutants, the worst:"
    for each in wasteful[:worst]:
        yield f"  {each.mutant} {each.described}: {', '.join(each.needless)}"
    told = set()
    for each in verdicts:
        if each.failed and (each.status, *each.differences) not in told:
            told.add((each.status, *each.differences))
            yield ""
            yield failure(each)


def failure(verdict: Verdict) -> str:
    """What is said of a mutant that failed."""
    said = [f"{verdict.status.upper()} {verdict.mutant} {verdict.described}"]
    said += [f"  {each}" for each in verdict.differences]
    if verdict.case:
        said.append(f"  kept: {verdict.case}")
    return "\n".join(said)


def _row(name: str, verdicts: Sequence[Verdict]) -> str:
    evaluated = sum(each.evaluated for each in verdicts)
    return (
        f"{name:18}{len(verdicts):4}{sum(v.status == 'different' for v in verdicts):10}"
        f"{evaluated:10}{sum(v.affected for v in verdicts):8}"
        f"{_over(evaluated, sum(v.affected for v in verdicts)):>11}"
        f"{sum(sum(v.needless.values()) for v in verdicts):9}"
        f"{sum(sum(v.spared.values()) for v in verdicts):8}"
        f"{_over(evaluated, sum(v.by_unit for v in verdicts)):>9}"
        f"{_over(evaluated, sum(v.by_statement for v in verdicts)):>9}"
    )


def _over(evaluated: int, needed: int) -> str:
    return f"{evaluated / needed:.3f}" if needed else "-"
