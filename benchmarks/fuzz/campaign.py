"""A campaign: many mutants, spread over worker processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.fuzz.trial import PROGRAMS
from benchmarks.fuzz.verdicts import Verdict

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Wanted:
    """One mutant to run; `processes`: also in processes of its own."""

    program: str
    number: int
    processes: bool = False


class WorkerProcess:
    """A `worker` in a process of its own."""

    def __init__(self, seed: int, stores: str = "both", programs: Path = PROGRAMS) -> None:
        variables = {
            name: value for name, value in os.environ.items() if not name.startswith("DDSIMPORT_")
        }
        variables.pop("PYTHONDONTWRITEBYTECODE", None)
        # One hash seed for all: a mutant may well print a set, or drop a `sorted`.
        variables.update(PYTHONPATH=str(_ROOT), PYTHONHASHSEED="0")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.fuzz.worker", str(seed), stores, str(programs)],
            cwd=_ROOT,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        """Have one request answered.

        Raises:
            RuntimeError: the worker has died; it has said why on standard error.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"a worker died at {request}")
        found: dict[str, Any] = json.loads(answer)
        return found

    def judged(self, wanted: Wanted) -> Verdict:
        """Have one mutant run."""
        mutant = [wanted.program, wanted.number]
        found = self.ask(mutant=mutant, processes=wanted.processes)
        return Verdict(**{**found, "kinds": tuple(found["kinds"])})

    def close(self) -> None:
        """Let it end."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def plan(programs: Sequence[str], mutants: int, first: int, process_share: float) -> list[Wanted]:
    """The mutants of a campaign: the programs in turn."""
    every = round(1 / process_share) if process_share else 0
    return [
        Wanted(
            programs[number % len(programs)],
            first + number // len(programs),
            bool(every) and number % every == every // 2,
        )
        for number in range(mutants)
    ]


def run(
    wanted: Iterable[Wanted],
    *,
    seed: int,
    stores: str,
    jobs: int,
    minimise_seconds: float,
    tell: Callable[[Verdict], None],
) -> None:
    """Run mutants; what fails is made small and kept, for some seconds each.

    Worker k of n takes every nth mutant, so that a shared store has the same history each time.
    """
    shares = [list(wanted)[job::jobs] for job in range(jobs)]
    broken: list[BaseException] = []
    lock = threading.Lock()

    def work(share: list[Wanted]) -> None:
        try:
            with WorkerProcess(seed, stores) as worker:
                for each in share:
                    verdict = worker.judged(each)
                    if verdict.status == "different" and minimise_seconds:
                        small = worker.ask(
                            minimise=[each.program, each.number], seconds=minimise_seconds
                        )
                        verdict.case = small["case"]
                    with lock:
                        tell(verdict)
        except BaseException as error:
            broken.append(error)

    threads = [threading.Thread(target=work, args=(share,), daemon=True) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broken:
        raise broken[0]
