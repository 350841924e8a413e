"""The fuzzer finds nothing, and finds what there is: `python -m benchmarks.fuzz` in small."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.fuzz import cases, summary
from benchmarks.fuzz.campaign import Wanted, WorkerProcess
from benchmarks.fuzz.mutations import Mutants, mutations_of
from benchmarks.fuzz.runs import NO_FOOTPRINTS
from benchmarks.fuzz.trial import PROGRAMS, files_of, names_of_programs

SEED = 7
MUTANTS = 30
"""Of each program; all of them take a minute and a half of one core."""

BY_UNIT = {"aio": 1.25, "plugins": 2.2}
"""Program -> how many steps may be evaluated without footprints for one that had to be, by default
1.1. The host of `plugins` takes classes out of modules by computed names: all that it may take
counts. `aio` patches a function, and the text of the one that is not called any more counts all the
same."""

BY_FUNCTION = {"aio": 1.3, "plugins": 1.6}
"""The same with footprints, per step that ran edited code. In `aio` steps wait beside other tasks,
so nobody can say which code is theirs: all that they can reach counts. In `plugins` the first use
of a module counts all that runs when it is imported."""


@pytest.mark.parametrize("program", names_of_programs())
@pytest.mark.parametrize("footprints", [False, True])
def test_nobody_can_tell_and_little_is_needless(program, footprints, monkeypatch):
    if not footprints:
        monkeypatch.setenv(NO_FOOTPRINTS, "1")
    with WorkerProcess(SEED) as worker:
        verdicts = [worker.judged(Wanted(program, number)) for number in range(MUTANTS)]
    report = "\n".join(summary.lines(verdicts, worst=MUTANTS))
    assert not any(each.failed for each in verdicts), report
    assert any(each.evaluated for each in verdicts), report
    inert = [each for each in verdicts if {*each.kinds} <= {"comment", "docstring"}]
    assert not any(each.affected or each.evaluated for each in inert), report
    evaluated = sum(each.evaluated for each in verdicts)
    needed = sum(each.affected if footprints else each.by_unit for each in verdicts)
    most = BY_FUNCTION if footprints else BY_UNIT
    # One or two of thirty mutants weigh too much to be held against a share.
    assert evaluated <= most.get(program, 1.1) * needed + 2, report


@pytest.mark.parametrize("case", cases.kept_cases(), ids=lambda path: path.stem)
def test_what_was_found_once_is_not_found_again(case):
    with WorkerProcess(SEED) as worker:
        assert not any(worker.ask(case=str(case))["failures"])


STALE_ON_PURPOSE = {
    "main.py": """\
from helper import double

x = double(4)  # dds: /x
y = double(x)  # dds: /y
print(x, y)
""",
    "helper.py": """\
def double(v):  # dds: ignore
    return v * 2


def unused(v):
    return v - 1
""",
}


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with one program, whose helper ddsimport is told not to look at."""
    for name, text in STALE_ON_PURPOSE.items():
        (tmp_path / "small").mkdir(exist_ok=True)
        (tmp_path / "small" / name).write_text(text)
    return tmp_path


@pytest.fixture
def worker(programs: Path) -> Iterator[WorkerProcess]:
    with WorkerProcess(SEED, programs=programs) as process:
        yield process


def numbers(programs: Path, file: str, line: int, kind: str) -> list[int]:
    """The mutants that are such edits of the one program."""
    mutants = Mutants("small", files_of(programs / "small"), SEED)
    wanted = (file, line, kind)
    return [
        number
        for number in range(len(mutants))
        if [(each.file, each.line, each.kind) for each in mutants[number].mutations] == [wanted]
    ]


def test_a_stale_result_is_seen(programs, worker):
    (number,) = numbers(programs, "helper.py", 2, "constant")[:1]
    verdict = worker.judged(Wanted("small", number, processes=True))
    assert verdict.status == "different"
    said = "\n".join(verdict.differences)
    for what in ("standard output", "artifact /x (hit)", "shared store:", "process:"):
        assert what in said
    assert "plain fork and process" not in said
    assert (verdict.evaluated, verdict.affected, verdict.spared) == (0, 2, {"/x": 1, "/y": 1})


def test_a_failure_is_made_small_and_kept(programs, worker, tmp_path, monkeypatch):
    (number,) = numbers(programs, "helper.py", 2, "constant")[:1]
    worker.judged(Wanted("small", number))
    small = worker.ask(minimise=["small", number], seconds=60, found=str(tmp_path / "found"))
    before, after = cases.read(Path(small["case"]))
    lines = [line for line in before["main.py"].splitlines() if line]
    assert lines == ["from helper import double", "x = double(4)  # dds: /x"]
    assert "unused" not in before["helper.py"]
    assert before["helper.py"] != after["helper.py"]
    assert any(worker.ask(case=small["case"])["failures"])


def test_what_executed_mutated_code_is_counted(programs, worker):
    (number,) = numbers(programs, "main.py", 3, "constant")[:1]
    verdict = worker.judged(Wanted("small", number))
    assert (verdict.evaluated, verdict.affected, verdict.needless) == (2, 2, {})
    (number,) = numbers(programs, "main.py", 5, "deleted")
    verdict = worker.judged(Wanted("small", number))
    assert (verdict.evaluated, verdict.affected, verdict.status) == (0, 0, "same")


def test_a_program_that_is_not_all_hits_is_unfit(programs):
    (programs / "small" / "main.py").write_text(
        "cache = []\nx = cache.append(1)  # dds: /x\nprint(x)\n"
    )
    with WorkerProcess(SEED, programs=programs) as worker:
        verdict = worker.judged(Wanted("small", 0))
    assert verdict.status == "unfit"
    assert "not all hits" in verdict.differences[0]


def test_mutants_are_always_the_same():
    files = files_of(PROGRAMS / "etl")
    one, other, seeded = (Mutants("etl", files, seed) for seed in (SEED, SEED, SEED + 1))
    for number in (0, len(one) - 1, len(one), len(one) + 5):
        assert one[number] == other[number]
        assert one[number].applied(files) != files
    assert len(one[len(one)].mutations) == 2
    assert [seeded[each] for each in range(9)] != [one[each] for each in range(9)]


def test_kinds_of_edits():
    kinds = {
        each.kind
        for program in names_of_programs()
        for each in mutations_of(files_of(PROGRAMS / program))
    }
    assert kinds == {
        "annotation", "arguments", "attribute", "base class", "callee", "comment", "comparison",
        "condition", "constant", "decorator", "default", "deleted", "docstring", "element",
        "exception", "import", "loop", "operator", "order", "overridden", "patched", "rebound",
        "returned value", "shadowed", "table",
    }  # fmt: skip
