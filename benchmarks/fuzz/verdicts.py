"""What two runs of a mutant tell: whether anybody could tell them apart, and what was needless.

**Steps that must be evaluated.** Of each step the plain run of a mutant notes what it took, ran,
read, gave and printed (`observed.py`), and so did that of the program as it was. A step *executed
mutated code* if, between its begin and its end,

- a function ran whose text (decorators and defaults included) holds a mutation, or the step's own
  statement does: **ran**;
- a function ran that names a module variable, or is a method of a class, which is not what it was
  in the program as it was: **read**. This is how mutated code counts that runs when a module is
  imported: constants, tables, class bodies, decorators, imports. Functions and classes that are
  bound to names count by what they are called, close over and default to, their code only if it
  runs; functions in tables count with their code, since the table is another one then;
- a name in its expression is bound to another value than it was: **input**;
- its value or what it printed is not what it was, or it was not reached before: **result**.

Efficiency is the number of steps evaluated under ddsimport over the number of these: 1.0 is
perfect. Steps that raise are left out of both: they are never kept.

Two figures stand beside it. *By unit*: ran and input are taken by top-level statements, of which a
class is one, as ddsimport takes them: any method of a mutated class ran, or an instance of it came
as input. *By statement*: the mutated statement itself ran, not just the function around it;
ddsimport does not try to tell the branches of a function apart.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from benchmarks.fuzz.runs import Kept, Outcome

Steps = list[dict[str, Any]]


@dataclass
class Verdict:
    """What became of one mutant.

    Attributes:
        status: `same`, `different`, `skipped` (it hangs, or differs from itself) or `unfit` (it was
            not run: the program itself differs, or its second run evaluates steps).
        differences: what differs, in words.
        evaluated: steps evaluated under ddsimport.
        affected: steps that executed mutated code in the plain run.
        by_unit, by_statement: the same, see above.
        needless: paths evaluated more often than affected, with why ddsimport says it did.
        spared: paths affected more often than evaluated.
    """

    mutant: str
    described: str
    kinds: tuple[str, ...]
    status: str = "same"
    differences: list[str] = field(default_factory=list)
    evaluated: int = 0
    affected: int = 0
    by_unit: int = 0
    by_statement: int = 0
    needless: dict[str, int] = field(default_factory=dict)
    spared: dict[str, int] = field(default_factory=dict)
    steps: int = 0
    seconds: float = 0.0
    case: str = ""

    @property
    def failed(self) -> bool:
        """Whether something is wrong with ddsimport, or with the fuzzer."""
        return self.status in ("different", "unfit")


def differences(plain: Outcome, under: Outcome) -> list[str]:
    """What the world could see of the difference between two runs."""
    found = []
    if plain.stdout != under.stdout:
        found.append(f"standard output: {_first_difference(plain.stdout, under.stdout)}")
    if plain.error != under.error:
        found.append(f"exception: plainly {plain.error or 'none'}, else {under.error or 'none'}")
    if plain.code != under.code:
        found.append(f"exit code: plainly {plain.code}, else {under.code}")
    for name in sorted({*plain.files, *under.files}):
        if plain.files.get(name) != under.files.get(name):
            found.append(f"file {name}")
    return found


def artifact_differences(plain: Steps, events: list[Kept], artifacts: dict[str, str]) -> list[str]:
    """Paths whose artifact is not what the plain run's last evaluation gave."""
    given = {step["path"]: step["value"] for step in plain}
    last = {event.path: event.status for event in events}
    return [
        f"artifact {path} ({status})"
        for path, status in last.items()
        if status in ("hit", "computed") and artifacts.get(path) != given.get(path)
    ]


def _first_difference(one: str, other: str) -> str:
    ones, others = one.splitlines(), other.splitlines()
    for number, (left, right) in enumerate(zip(ones, others, strict=False), 1):
        if left != right:
            return f"line {number}: plainly {left[:80]!r}, else {right[:80]!r}"
    return f"{len(ones)} lines plainly, else {len(others)}"


def reasons(step: dict[str, Any], before: dict[str, Any] | None, by: str) -> set[str]:
    """Why a step of a mutant's plain run had to be evaluated; empty if it had not.

    Args:
        before: the same step in the program as it was, None if there is none.
        by: `function`, `unit` or `statement`.
    """
    found = set()
    if step[f"ran_{by}"]:
        found.add("ran")
    if before is None:
        found.add("result")
        return found
    kinds = ["reads", "inputs"]
    if by == "unit":
        kinds += ["unit_reads", "unit_inputs"]
    for what in kinds:
        if any(before[what].get(name, now) != now for name, now in step[what].items()):
            found.add(what)
    if (step["value"], step["printed"]) != (before["value"], before["printed"]):
        found.add("result")
    return found


def affected(steps: Steps, baseline: Steps, by: str = "function") -> Counter[str]:
    """Path -> how many evaluations of it executed mutated code."""
    before = dict(_numbered(baseline))
    return Counter(
        step["path"]
        for key, step in _numbered(steps)
        if step["value"] and reasons(step, before.get(key), by)
    )


def _numbered(steps: Steps) -> list[tuple[tuple[str, int], dict[str, Any]]]:
    seen: Counter[str] = Counter()
    numbered = []
    for step in steps:
        numbered.append(((step["path"], seen[step["path"]]), step))
        seen[step["path"]] += 1
    return numbered
