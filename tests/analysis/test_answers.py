"""Answers kept on disk: they are those of an analysis from scratch, whatever was edited between."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from analysis_project import FILES, position_of

from ddsimport.analysis import codehash, sealed, texts
from ddsimport.analysis.answers import Answers
from ddsimport.analysis.codehash import Codebook, Reach
from ddsimport.analysis.facts import Facts, FactsCache, facts_of_all

INSTALLED = ("numpy", "json", "functools", "enum", "dataclasses", "abc", "importlib")


class World:
    """A project on disk, and codebooks that look at it as new processes would."""

    def __init__(self, root: Path) -> None:
        self.root = root / "project"
        self.store = root / "store"
        self.analysed: list[str] = []
        self.read: list[str] = []
        self.tracked_elsewhere = ""

    def write(self, files: Mapping[str, str]) -> World:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return self

    def locate(self, name: str) -> str | None:
        stem = self.root / name.replace(".", "/")
        if name == "__main__":
            return str(self.root / "main.py")
        for path in (f"{stem}.so", f"{stem}.py", f"{stem}/__init__.py"):
            if os.path.exists(path):
                return path
        if name.partition(".")[0] in INSTALLED:
            return f"/lib/site-packages/{name.replace('.', '/')}.py"
        return None

    def text_of(self, file: str) -> str:
        self.read.append(os.path.basename(file))
        return Path(file).read_text()

    def book(self, kept: bool = True, imported: dict[str, int] | None = None) -> Codebook:
        def is_as_imported(file: str, state: os.stat_result) -> bool:
            return (imported or {}).get(file, state.st_size) == state.st_size

        return Codebook(
            locate=self.locate,
            cache=FactsCache(str(self.store / "facts")) if kept else None,
            tracked=lambda file: file.startswith((str(self.root), self.tracked_elsewhere or "?")),
            text_of=self.text_of,
            answers=Answers(str(self.store / "answers")) if kept else None,
            is_as_imported=is_as_imported,
        )

    def step(self, book: Codebook, start: str = "y =") -> Reach:
        file = self.root / "main.py"
        line, column = position_of(file.read_text(), start)
        return book.step("__main__", str(file), line, column)

    def asked(self) -> Reach:
        """What a new process answers, with what is kept; it must be what is found from scratch."""
        self.read.clear()
        self.analysed.clear()
        answer = self.step(self.book())
        analysed, read = list(self.analysed), list(self.read)
        assert answer == self.step(self.book(kept=False))
        self.analysed, self.read = analysed, read
        return answer


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path)

    def analyse(many: list[str]) -> list[Facts]:
        world.analysed += many
        return facts_of_all(many)

    monkeypatch.setattr(codehash, "facts_of_all", analyse)
    # What the test has written a moment ago counts as long at rest, unless it says otherwise.
    monkeypatch.setattr(texts, "_AT_REST", 0)
    return world


SMALL = {
    "main.py": "from pkg import f\ny = f(1)  # dds:\n",
    "pkg/__init__.py": "from pkg.a import f\n",
    "pkg/a.py": "from pkg import b\ndef f(x): return b.g(x)\n",
    "pkg/b.py": "def g(x): return x\ndef other(): return 0\n",
}


def test_a_warm_answer_reads_no_text_and_no_facts(world: World) -> None:
    world.write(SMALL)
    cold = world.asked()
    assert len(world.analysed) == 4
    for path in (world.store / "facts").rglob(f"*{sealed.SUFFIX}"):
        path.unlink()
    assert world.asked() == cold
    assert world.read == world.analysed == []


def test_an_edited_file_is_analysed_alone(world: World) -> None:
    world.write(SMALL)
    cold = world.asked()
    kept = {path: path.read_bytes() for path in (world.store / "facts").rglob(f"*{sealed.SUFFIX}")}
    edited = SMALL["pkg/b.py"].replace("return x", "return x + 1")
    world.write({"pkg/b.py": edited})
    assert world.asked().hash != cold.hash
    assert world.analysed == [edited]
    now = {path: path.read_bytes() for path in (world.store / "facts").rglob(f"*{sealed.SUFFIX}")}
    assert len(now) == len(kept) + 1
    assert all(now[path] == content for path, content in kept.items())


def test_a_file_that_was_only_touched_is_read_once_more(world: World) -> None:
    world.write(SMALL)
    cold = world.asked()
    os.utime(world.root / "pkg" / "a.py", (1, 1))
    assert world.asked() == cold
    assert world.read == ["a.py"]
    assert world.asked() == cold
    assert world.read == world.analysed == []


def test_an_edit_that_hides_its_time_and_size_is_seen(world: World) -> None:
    world.write(SMALL)
    cold = world.asked()
    path = world.root / "pkg" / "b.py"
    before = path.stat()
    path.write_text(SMALL["pkg/b.py"].replace("return x", "return 1"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert world.asked().hash != cold.hash


def test_the_state_of_a_file_that_was_just_written_is_not_relied_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "_AT_REST", 10**12)
    world.write(SMALL)
    cold = world.asked()
    assert world.asked() == cold
    assert sorted(world.read) == ["__init__.py", "a.py", "b.py", "main.py"]
    monkeypatch.setattr(texts, "_AT_REST", 0)
    for expected in (4, 0):  # they came to rest since: noted, and relied on the next time
        assert world.asked() == cold
        assert len(world.read) == expected


def test_code_from_an_older_text_is_not_answered_for(world: World) -> None:
    world.write(SMALL)
    world.asked()
    world.read.clear()
    world.step(world.book(imported={str(world.root / "pkg" / "b.py"): 1}))
    assert "b.py" in world.read  # `text_of` is asked, and it is who refuses


EDITS = {
    "a module appears that shadows a name": {"pkg/late.py": "def h(): return 2\n"},
    "a module becomes a package": {"plain/__init__.py": "def k(): return 5\n"},
    "a missing module appears": {"absent.py": "from pkg.a import f as fast\n"},
    "a module of the project takes the name of an installed one": {
        "json.py": "def dumps(x): ...\n"
    },
}


@pytest.mark.parametrize("name", EDITS)
def test_what_led_nowhere_may_lead_somewhere(world: World, name: str) -> None:
    main = (
        "import json\nimport pkg.a, plain\nfrom pkg import late\n"
        "try:\n    from absent import fast\nexcept ImportError:\n    fast = None\n"
        "def run(x):\n    import lazily\n    return lazily.z, json.dumps(x), late, plain.k, fast\n"
        "y = run(1)  # dds:\n"
    )
    world.write({**SMALL, "main.py": main, "plain.py": "def k(): return 4\n"})
    cold = world.asked()
    assert world.asked() == cold
    world.write(EDITS[name])
    if "package" in name:
        (world.root / "plain.py").unlink()
    assert world.asked() != cold


def test_a_file_that_is_gone(world: World) -> None:
    world.write(SMALL)
    cold = world.asked()
    (world.root / "pkg" / "b.py").unlink()
    assert world.asked() != cold


def test_a_compiled_module_counts_by_its_content(world: World) -> None:
    world.write(SMALL)
    compiled = world.root / "pkg" / "b.so"
    compiled.write_bytes(b"\x7fELF 1")
    cold = world.asked()
    assert world.asked() == cold
    compiled.write_bytes(b"\x7fELF 2")
    assert world.asked().hash != cold.hash


def test_code_that_is_tracked_from_now_on(world: World) -> None:
    world.write({**SMALL, "main.py": "import numpy\ny = numpy.sum(1)  # dds:\n"})
    cold = world.asked()
    world.tracked_elsewhere = "/lib/site-packages/numpy.so"
    world.locate = lambda name: {  # type: ignore[method-assign]
        "numpy": str(world.root / "pkg" / "b.py"),
        "__main__": str(world.root / "main.py"),
    }.get(name)
    assert world.asked().hash != cold.hash


def test_the_modules_that_a_step_reads_are_kept(world: World) -> None:
    text = "def run(x):\n    import pkg.a as lazily\n    y = lazily.f(x)  # dds:\n    return y\n"
    world.write({**SMALL, "main.py": text})
    file = str(world.root / "main.py")
    cold, warm = (world.book().modules_of_step("__main__", file, 3, 4) for _ in range(2))
    assert cold == warm == {"pkg.a", "pkg.a.f"}
    assert world.book(kept=False).modules_of_step("__main__", file, 3, 4) == cold


@pytest.mark.parametrize("damage", [b"", b"{}", b"\0" * 40])
def test_a_damaged_answer_is_looked_up_again(world: World, damage: bytes) -> None:
    world.write(SMALL)
    cold = world.asked()
    paths = list((world.store / "answers").rglob(f"*{sealed.SUFFIX}"))
    assert paths
    for path in paths:
        path.write_bytes(damage or path.read_bytes()[:-1])
    assert world.asked() == cold
    assert world.read
    assert world.asked() == cold
    assert world.read == []


def test_no_more_than_some_answers_are_kept_about_one_file(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ddsimport.analysis.answers._MOST", 8)
    for lines in range(30):
        world.write({**SMALL, "main.py": "\n" * lines + SMALL["main.py"]})
        world.asked()
    assert 1 <= len(list((world.store / "answers").rglob(f"*{sealed.SUFFIX}"))) <= 8


@pytest.mark.parametrize("seed", range(4))
def test_random_edits_of_a_large_project(world: World, seed: int) -> None:
    world.write(FILES)
    chance = random.Random(seed)
    seen = set()
    for _ in range(12):
        name = chance.choice(sorted(FILES))
        path = world.root / name
        if name != "main.py" and chance.random() < 0.1:
            path.unlink(missing_ok=True)
        else:
            text = FILES[name]
            lines = text.split("\n")
            at = chance.randrange(len(lines))
            lines[at] = lines[at].replace("return x", "return x + 2").replace("= 1", "= 7")
            path.write_text("\n".join(lines) + "# comment\n" * chance.randrange(2))
        world.read.clear()
        book, scratch = world.book(), world.book(kept=False)
        for start in ("result =",):
            assert world.step(book, start) == world.step(scratch, start)
        main = str(world.root / "main.py")
        for name in ("helper", "root", "decorated"):
            line = position_of((world.root / "main.py").read_text(), "@deco")[0]
            first = line if name == "decorated" else _line_of(world.root / "main.py", name)
            assert book.function("__main__", main, name, first) == scratch.function(
                "__main__", main, name, first
            )
        assert book.variable("__main__", main, "HANDLERS") == scratch.variable(
            "__main__", main, "HANDLERS"
        )
        seen.add(world.step(book, "result =").hash)
    assert len(seen) > 1


def _line_of(path: Path, name: str) -> int:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith((f"def {name}(", f"async def {name}(")):
            return number
    raise LookupError(name)


PROGRAM = """
import sys, pathlib
sys.path.insert(0, sys.argv[1])
import test_answers
world = test_answers.World(pathlib.Path(sys.argv[2]))
print({world.step(world.book()).hash.hex() for _ in range(int(sys.argv[3]))})
"""


def test_a_warm_process_imports_no_parser(world: World, tmp_path: Path) -> None:
    world.write(SMALL)
    program = PROGRAM + "print('libcst' in sys.modules, 'json' in sys.modules)"
    command = [sys.executable, "-c", program, os.path.dirname(__file__), str(tmp_path), "1"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    cold, warm, edited = "True True", "False True", "True True"
    for expected in (cold, warm, edited):
        outcome = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert outcome.stdout.splitlines()[1:] == [expected], outcome.stderr
        if expected == warm:
            world.write({"pkg/b.py": "def g(x): return 9\n"})


def test_many_processes_answer_at_once(world: World, tmp_path: Path) -> None:
    world.write(SMALL)
    here = os.path.dirname(__file__)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PROGRAM, here, str(tmp_path), "20"]
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    said = {process.communicate()[0].strip() for process in running}
    assert said == {str({world.asked().hash.hex()})}
    assert [path for path in world.store.rglob("*") if path.suffix == ".tmp"] == []
    for path in world.store.rglob(f"*{sealed.SUFFIX}"):
        assert sealed.read(str(path)) is not None
