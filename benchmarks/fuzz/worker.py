"""A process that runs mutants for the one that asked for them: a line of JSON in, a line out.

Started as `python -m benchmarks.fuzz.worker SEED STORES PROGRAMS`. Requests:

- `{"mutant": [program, number], "processes": bool}`: a verdict;
- `{"minimise": [program, number], "seconds": n}`: where a small case of it is kept;
- `{"case": file}`: what fails in a kept case, per version.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.fuzz import cases
from benchmarks.fuzz.forks import preload
from benchmarks.fuzz.minimise import minimised, size
from benchmarks.fuzz.mutations import Mutants
from benchmarks.fuzz.trial import BadProgramError, Trial, files_of
from benchmarks.fuzz.verdicts import Verdict


class Worker:
    """Trials of all programs asked for so far, in a folder that goes with this process."""

    def __init__(self, seed: int, stores: str, programs: Path) -> None:
        self._seed = seed
        self._programs = programs
        self._stores = stores
        memory = "/dev/shm"  # a store flushes what it writes, which costs nothing in memory
        self.root = tempfile.mkdtemp(
            prefix="fuzz-", dir=memory if os.access(memory, os.W_OK) else None
        )
        self._trials: dict[str, Trial] = {}
        self._unfit: dict[str, str] = {}
        self._mutants: dict[str, Mutants] = {}
        self._done: dict[str, list[int]] = {}

    def judged(self, program: str, number: int, *, processes: bool = False) -> Verdict:
        """Run one mutant."""
        mutant = self.mutants(program)[number]
        try:
            trial = self._trial(program)
        except BadProgramError as error:
            return Verdict(mutant.name, "", (), status="unfit", differences=[str(error)])
        verdict = trial.judged(mutant, processes=processes)
        self._done.setdefault(program, []).append(number)
        return verdict

    def _trial(self, program: str) -> Trial:
        """
        Raises:
            BadProgramError: see there.
        """
        if program in self._unfit:
            raise BadProgramError(self._unfit[program])
        if program not in self._trials:
            folder = os.path.join(self.root, program)
            try:
                self._trials[program] = Trial(self._files(program), folder, self._stores)
            except BadProgramError as error:
                self._unfit[program] = str(error)
                raise
        return self._trials[program]

    def mutants(self, program: str) -> Mutants:
        """The mutants of a program."""
        if program not in self._mutants:
            self._mutants[program] = Mutants(program, self._files(program), self._seed)
        return self._mutants[program]

    def minimise(self, program: str, number: int, seconds: float, found: Path) -> dict[str, Any]:
        """Keep a small case of a mutant that fails, in the folder `found`.

        If it fails only where other mutants have left their entries in the store, one of them that
        is enough is looked for.
        """
        files = self._files(program)
        mutants = self.mutants(program)
        mutant = mutants[number]
        versions = [files, mutant.applied(files)]
        kinds = self._kinds(versions)
        if not kinds:
            for earlier in reversed(self._done.get(program, [])[:-1]):
                between = mutants[earlier].applied(files)
                versions = [files, between, mutant.applied(files)]
                kinds = self._kinds(versions)
                if kinds:
                    break
            else:
                return {"case": "", "versions": 0, "lines": 0}
        small = minimised(versions, lambda each: bool(self._kinds(each) & kinds), seconds)
        remark = f"Mutant {mutant.name} of seed {self._seed}: {mutant.described(files)}\n"
        remark += "".join(f"{each}\n" for each in self._failures(small)[-1])
        path = cases.keep(found / f"{program}-{self._seed}-{number}.txt", small, remark)
        return {"case": str(path), "versions": len(small), "lines": size(small[0])}

    def _files(self, program: str) -> dict[str, str]:
        return files_of(self._programs / program)

    def _failures(self, versions: cases.Versions) -> list[list[str]]:
        return cases.failures(versions, os.path.join(self.root, "case"))

    def _kinds(self, versions: cases.Versions) -> set[str]:
        """What sort of things differ in the last version; nothing if an earlier one differs."""
        *before, last = self._failures(versions)
        if any(before) or len(before) + 1 < len(versions):
            return set()
        return {each.split()[0] for each in last}

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.root, ignore_errors=True)


def main(arguments: list[str]) -> None:
    """Answer requests until there are no more."""
    seed, stores, programs = arguments
    preload()
    worker = Worker(int(seed), stores, Path(programs))
    # What the programs' runs print goes to files; this is for answers only.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        for line in sys.stdin:
            request = json.loads(line)
            answers.write(json.dumps(_answer(worker, request)) + "\n")
            answers.flush()
    finally:
        worker.close()


def _answer(worker: Worker, request: dict[str, Any]) -> dict[str, Any]:
    if "case" in request:
        versions = cases.read(Path(request["case"]))
        return {"failures": cases.failures(versions, os.path.join(worker.root, "case"))}
    if "minimise" in request:
        program, number = request["minimise"]
        found = Path(request.get("found", cases.FOUND))
        return worker.minimise(program, number, request["seconds"], found)
    program, number = request["mutant"]
    return asdict(worker.judged(program, number, processes=request["processes"]))


if __name__ == "__main__":
    main(sys.argv[1:])
