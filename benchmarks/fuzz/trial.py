"""One program under trial: its warm store, and what becomes of each of its mutants.

Two kinds of warm store. `fresh`: each mutant gets a copy of the store that the program as it was
has left; what is evaluated then is what the mutation makes necessary, and efficiency is measured
there. `shared`: all mutants use one store, where their entries lie side by side, under the same
paths: what a user has after a day of work, and the harsher test of staleness.
"""

from __future__ import annotations

import ast
import os
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from benchmarks.fuzz.mutations import INERT, Mutant
from benchmarks.fuzz.observed import Place
from benchmarks.fuzz.runs import Folder, Kept, Outcome, copied_store
from benchmarks.fuzz.verdicts import (
    Steps,
    Verdict,
    affected,
    artifact_differences,
    differences,
)

PROGRAMS = Path(__file__).parent / "programs"
STORES = ("fresh", "shared", "both")


def names_of_programs(programs: Path = PROGRAMS) -> list[str]:
    """The programs in a folder."""
    return sorted(folder.name for folder in programs.iterdir() if (folder / "main.py").exists())


def files_of(folder: Path) -> dict[str, str]:
    """The files of a program: name -> text."""
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.py"))
    }


class BadProgramError(Exception):
    """A program is not fit for this: it fails, or a run of it without an edit is not all hits."""


class Trial:
    """A program with a folder and warm stores of its own, below `root`."""

    def __init__(self, files: Mapping[str, str], root: str, stores: str = "both") -> None:
        """
        Raises:
            BadProgramError: see there.
        """
        self.files = dict(files)
        self.folder = Folder(root, files)
        self._root = root
        self._warm = os.path.join(root, "warm")
        self._shared = os.path.join(root, "shared") if stores != "fresh" else None
        self._fresh = os.path.join(root, "fresh") if stores != "shared" else None
        self.baseline = self._warm_up()
        if self._shared is not None:
            copied_store(self._warm, self._shared)

    def judged(self, mutant: Mutant, *, processes: bool = False) -> Verdict:
        """Run a mutant plainly and from warm stores.

        Args:
            processes: run it in processes of its own as well, and compare these too.
        """
        verdict = Verdict(
            mutant.name,
            mutant.described(self.files),
            tuple(sorted({each.kind for each in mutant.mutations})),
        )
        started = time.perf_counter()
        self.folder.write(mutant.applied(self.files))
        try:
            self._judge(verdict, _places(mutant, self.files), processes)
        finally:
            self.folder.write(self.files)
        verdict.seconds = time.perf_counter() - started
        return verdict

    def _judge(self, verdict: Verdict, places: list[Place], processes: bool) -> None:
        plain, steps, ended = self.folder.plain(places)
        if ended.timed_out or plain.error.endswith("PragmaError"):
            verdict.status = "skipped"
            verdict.differences.append("it hangs" if ended.timed_out else "a pragma is refused")
            return
        verdict.steps = len(steps)
        if self._fresh is not None:
            store = copied_store(self._warm, self._fresh)
            self._count(verdict, steps, self._compare(verdict, plain, steps, store))
        if self._shared is not None:
            self._compare(verdict, plain, steps, self._shared, "shared store: ")
        if processes:
            self._compare_processes(verdict, plain)
        if verdict.differences:
            verdict.status = "different"
            again, steps_again, _ = self.folder.plain(places)
            if differences(plain, again) or _values(steps) != _values(steps_again):
                verdict.status = "skipped"
                verdict.differences.insert(0, "it differs from itself")

    def _compare(
        self, verdict: Verdict, plain: Outcome, steps: Steps, store: str, label: str = ""
    ) -> list[Kept]:
        under, events, artifacts, ended = self.folder.under(store)
        found = differences(plain, under) + artifact_differences(steps, events, artifacts)
        if ended.timed_out:
            found = ["it hangs under ddsimport"]
        verdict.differences += [f"{label}{each}" for each in found]
        return events

    def _compare_processes(self, verdict: Verdict, plain: Outcome) -> None:
        plainly = self.folder.plain_process()
        store = copied_store(self._warm, os.path.join(self._root, "process"))
        under, _ = self.folder.under_process(store)
        for label, one, other in (
            ("plain fork and process: ", plain, plainly),
            ("process: ", plainly, under),
        ):
            verdict.differences += [label + each for each in differences(one, other)]

    def _count(self, verdict: Verdict, steps: Steps, events: list[Kept]) -> None:
        needed = affected(steps, self.baseline)
        raised = Counter(step["path"] for step in steps if not step["value"])
        evaluated = Counter(event.path for event in events if event.status != "hit") - raised
        verdict.affected = needed.total()
        verdict.by_unit = affected(steps, self.baseline, "unit").total()
        verdict.by_statement = affected(steps, self.baseline, "statement").total()
        verdict.evaluated = evaluated.total()
        verdict.needless = dict(evaluated - needed)
        verdict.spared = dict(needed - evaluated)

    def _warm_up(self) -> Steps:
        """Fill the store; the steps of the program as it was.

        Raises:
            BadProgramError: see there.
        """
        plain, steps, ended = self.folder.plain([])
        if ended.timed_out or ended.code:
            raise BadProgramError(f"it fails: {plain.stderr}")
        for run in ("first", "second", "third"):
            under, events, artifacts, _ = self.folder.under(self._warm)
            found = differences(plain, under) + artifact_differences(steps, events, artifacts)
            if found:
                raise BadProgramError(f"{run} run: {found}\n{under.stderr}")
        missed = [event for event in events if event.status not in ("hit", "failed")]
        if missed or not events:
            raise BadProgramError(f"a run of it without an edit is not all hits: {missed}")
        return steps


def _values(steps: Steps) -> list[tuple[str, str]]:
    return [(step["path"], step["value"]) for step in steps]


def _places(mutant: Mutant, files: Mapping[str, str]) -> list[Place]:
    """Where mutated statements are in the mutated files: the innermost statement of each edit, of a
    compound one its head. Edits that change nothing have no place."""
    places: list[Place] = []
    moved: dict[str, int] = {}  # file -> by how many characters an edit further up has moved it
    texts = mutant.applied(files)
    for mutation in sorted(mutant.mutations):
        start = mutation.start + moved.get(mutation.file, 0)
        moved[mutation.file] = (
            moved.get(mutation.file, 0)
            + len(mutation.replacement)
            - (mutation.end - mutation.start)
        )
        if mutation.kind in INERT:
            continue
        text = texts[mutation.file]
        first = text.count("\n", 0, start) + 1
        last = text.count("\n", 0, start + len(mutation.replacement)) + 1
        places.append((mutation.file, *_statement_around(text, first, last)))
    return places


def _statement_around(text: str, first: int, last: int) -> tuple[int, int]:
    """The lines of the innermost statement (of a compound one: its head) that holds some lines."""
    best = (first, last)
    size = 1 << 30
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.stmt):
            continue
        start = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
        end = node.end_lineno or start
        body = getattr(node, "body", None)
        if isinstance(body, list):
            end = max(body[0].lineno - 1, node.lineno)
        if start <= first and last <= end and end - start < size:
            best, size = (start, end), end - start
    return best
