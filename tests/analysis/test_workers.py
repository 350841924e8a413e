"""Facts made by worker processes: the same, without a trace, whatever befalls them."""

from __future__ import annotations

import glob
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from analysis_project import FILES
from test_facts import ODD

from ddsimport.analysis import workers
from ddsimport.analysis.facts import facts_of, facts_of_all

pytestmark = pytest.mark.skipif(
    signal.getsignal(signal.SIGCHLD) is not signal.SIG_DFL, reason="no workers in this process"
)

TEXTS = [
    *FILES.values(),
    "x = '\ud800'\r\ny = 'é'\r",
    "x = " + "9" * 5_000 + "\n",
    *("\n".join(f"def f{i}_{j}(x): return g{j}(x) + {i}" for j in range(40)) for i in range(10)),
]


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> list[workers._Worker]:
    """Two workers, however few the cores; the list of those that were started."""
    made: list[workers._Worker] = []

    class Watched(workers._Worker):
        def __init__(self, pile: workers._Pile) -> None:
            super().__init__(pile)
            made.append(self)

    class Patient(workers._Pile):
        def smallest(self) -> int | None:
            # However busy the machine: this process takes nothing before a worker has answered.
            while made and not any(each._replies or each._ended.is_set() for each in made):
                made[0]._ended.wait(0.01)
            return super().smallest()

    monkeypatch.setattr(workers, "how_many", lambda texts: 2 if len(texts) > 1 else 0)
    monkeypatch.setattr(workers, "_Worker", Watched)
    monkeypatch.setattr(workers, "_Pile", Patient)
    return made


def replies(made: list[workers._Worker]) -> int:
    return sum(worker._replies for worker in made)


def alone(texts: list[str]) -> list[object]:
    return [facts_of(text).record for text in texts]


def together(texts: list[str]) -> list[object]:
    return [facts.record for facts in facts_of_all(texts)]


def test_they_find_what_this_process_finds(two: list[workers._Worker]) -> None:
    texts = [*TEXTS, *ODD.values()]
    assert together(texts * 2) == alone(texts) * 2
    assert replies(two)


def test_they_find_it_in_a_real_library(two: list[workers._Worker]) -> None:
    paths = sorted(glob.glob(f"{os.path.dirname(os.__file__)}/[ab]*.py"))
    texts = [Path(path).read_text(encoding="utf-8") for path in paths]
    assert together(texts) == alone(texts)
    assert replies(two)


def test_what_is_nested_too_deeply_here_is_so_there(two: list[workers._Worker]) -> None:
    # The limit of this process may be any: what is deep is told by it, and by the same stack.
    nested = ["x = " + "f(" * depth + ")" * depth + "\n" for depth in range(40, 560, 20)]
    before = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(700)
        found = together(nested)
        assert found == alone(nested)
        assert len({bool(record["whole"]) for record in found}) == 2  # type: ignore[index]
    finally:
        sys.setrecursionlimit(before)
    assert replies(two)


def test_nothing_is_left_of_them(two: list[workers._Worker]) -> None:
    together(TEXTS)  # what is imported at first use stays
    descriptors = sorted(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else []
    together(TEXTS)
    assert replies(two)
    if descriptors:
        assert sorted(os.listdir("/proc/self/fd")) == descriptors
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


BROKEN = {
    "it is not there": None,
    "it ends at once": "exit 1",
    "it is another program": "echo hello, this is another program; cat > /dev/null",
    "it ends after the greeting": "head -c {greeting} {answers}",
    "it sends half an answer": "cat {answers}; head -c 20 > /dev/null",
    "it kills itself": "kill -9 $$",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_worker_that_fails_is_done_without(
    name: str, two: list[workers._Worker], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    script = BROKEN[name]
    if script is not None:
        greeting = workers.framed(json.dumps(workers.GREETING, separators=(",", ":")).encode())
        (tmp_path / "answers").write_bytes(greeting + (1000).to_bytes(8, "little") + b'{"defs":')
        script = script.format(greeting=len(greeting), answers=tmp_path / "answers")
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    assert together(TEXTS) == alone(TEXTS)
    assert replies(two) == 0


@pytest.mark.parametrize("says", ["", "cat {answers}; "])
def test_a_worker_that_never_answers_is_given_up(
    says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    greeting = workers.framed(json.dumps(workers.GREETING, separators=(",", ":")).encode())
    (tmp_path / "answers").write_bytes(greeting)
    program.write_text(f"#!/bin/sh\n{says.format(answers=tmp_path / 'answers')}exec sleep 1000\n")
    program.chmod(0o755)
    monkeypatch.setattr(workers, "how_many", lambda texts: 2 if len(texts) > 1 else 0)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(workers, "_PATIENCE", 0.2)
    assert together(TEXTS) == alone(TEXTS)


def test_few_texts_and_programs_that_watch_their_children_get_none() -> None:
    long = "x = 1\n" * 100_000
    assert workers.how_many([long]) == workers.how_many(["x = 1"] * 30) == 0
    before = signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        assert workers.how_many([long] * 9) == 0
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_the_program_hears_nothing_of_them(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import sys
        sys.path = [folder for folder in sys.path if folder not in ("", sys.argv[1])]
        import os, subprocess, threading
        os.chdir(sys.argv[1])
        events = []
        sys.addaudithook(lambda event, _: events.append(event))
        def refused(*_, **__): raise AssertionError("the program's own")
        subprocess.Popen = os.fork = refused
        from ddsimport.analysis import facts, workers
        workers.how_many = lambda texts: 2
        made = facts.facts_of_all([f"x{i} = f({i})\\n" * 200 for i in range(50)])
        assert not any(each.whole for each in made)
        assert "os.posix_spawn" in events
        assert "subprocess.Popen" not in events and "os.fork" not in events
        print(len(made), threading.active_count())
        """
    )
    # Modules that a program's folder, or its environment, puts before the library's.
    for name in ("json", "signal", "ast", "libcst"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')\n")
    outcome = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True,
        text=True,
    )
    assert (outcome.stdout, outcome.stderr) == ("50 1\n", "")
