"""`plan`: what is foreseen is held against what the next run does."""

from __future__ import annotations

import json

import pytest

_HELPERS = '''
LIMIT = 3

def clean(rows):
    """Rows."""
    return [row for row in rows if row < LIMIT]

def total_of(rows):
    return sum(rows)

def unused():
    return 1
'''

_MAIN = """
from helpers import clean, total_of

def read(name):
    return [int(line) for line in open(name)]

raw = read("rows.txt")  # dds: /p/raw
good = clean(raw)  # dds: /p/good
total = total_of(good)
final = [total, len(raw), "x" * 60]  # dds: /p/final
print(final[:2])
alone = list(range(5))  # dds: /p/alone
"""


@pytest.fixture
def run_once(project):
    project.write(main=_MAIN, helpers=_HELPERS)
    (project.root / "rows.txt").write_text("1\n2\n3\n4\n")
    project.same()
    return project


def plan(project, *words, code=0):
    ended = project.python("-m", "ddsimport", "plan", "--json", *words, "main.py")
    assert ended.returncode == code, ended
    return {each["path"]: each for each in json.loads(ended.stdout)["steps"]}


def outlooks(project):
    return {path: each["outlook"] for path, each in plan(project).items()}


def test_nothing_changed(run_once):
    assert outlooks(run_once) == dict.fromkeys(["/p/raw", "/p/good", "/p/final", "/p/alone"], "hit")
    plan(run_once, "--check")
    for _ in range(2):  # a plan runs nothing, and is no run
        assert set(run_once.same().statuses.values()) == {"hit"}
    assert plan(run_once)["/p/raw"]["saved_seconds"] > 0


def test_before_the_first_run(project):
    project.write(main=_MAIN, helpers=_HELPERS)
    assert set(outlooks(project).values()) == {"run"}
    assert "no run" in plan(project, "--check", code=1)["/p/raw"]["reason"]


_EDITS = [
    ("comment", "helpers.py", "LIMIT = 3", "LIMIT = 3  # rows", {}),
    ("docstring", "helpers.py", '"""Rows."""', '"""Rows, cleaned."""', {}),
    ("unreached", "helpers.py", "return 1", "return 2", {}),
    ("print", "main.py", "print(final[:2])", "print(final[:1])", {}),
    ("moved", "main.py", "def read(name):", "\n\ndef read(name):", {}),
    ("helper", "helpers.py", "row < LIMIT", "row <= LIMIT",
     {"/p/good": "run", "/p/final": "unknown"}),
    ("constant", "helpers.py", "LIMIT = 3", "LIMIT = 2", {"/p/good": "run", "/p/final": "unknown"}),
    ("own text", "main.py", "len(raw)", "len(raw) + 1", {"/p/final": "run"}),
    ("first", "main.py", "int(line)", "int(line) + 1",
     {"/p/raw": "run", "/p/good": "unknown", "/p/final": "unknown"}),
    ("plain code", "main.py", "total_of(good)", "total_of(good) + 1", {"/p/final": "unknown"}),
    ("what plain code calls", "helpers.py", "sum(rows)", "sum(rows) + 1", {"/p/final": "unknown"}),
    ("version", "main.py", "# dds: /p/alone", "# dds: /p/alone version=2", {"/p/alone": "run"}),
    ("never kept", "main.py", "# dds: /p/alone", "# dds: /p/alone cache=off", {"/p/alone": "run"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "before", "after", "expected"),
    [each[1:] for each in _EDITS],
    ids=[each[0].replace(" ", "-") for each in _EDITS],
)
def test_edits(run_once, file, before, after, expected):
    run_once.edit(file, before, after)
    found = outlooks(run_once)
    assert found == {
        **dict.fromkeys(["/p/raw", "/p/good", "/p/final", "/p/alone"], "hit"),
        **expected,
    }
    plan(run_once, "--check", code=1 if expected else 0)
    evaluated = run_once.same().evaluated()
    assert {path for path, outlook in found.items() if outlook == "hit"}.isdisjoint(evaluated)
    assert {path for path, outlook in found.items() if outlook == "run"} <= evaluated


def test_reasons_are_those_of_why(run_once):
    run_once.edit("helpers.py", "row < LIMIT", "row <= LIMIT")
    found = plan(run_once)
    assert found["/p/good"]["reason"] == "code: clean"
    (difference,) = found["/p/good"]["differences"]
    assert "+    return [row for row in rows if row <= LIMIT]" in difference["diff"]
    assert found["/p/final"]["reason"] == "until /p/good has run"
    assert found["/p/good"]["seconds"] > 0
    text = run_once.python("-m", "ddsimport", "plan", "main.py").stdout
    assert "will run  /p/good (main.py:7)" in text
    assert "main.py: 2 hit, 1 will run, 1 unknown; about " in text


def test_files_and_lost_values(run_once):
    (run_once.root / "rows.txt").write_text("1\n2\n3\n5\n")
    assert plan(run_once)["/p/raw"]["reason"] == "file rows.txt"
    (run_once.root / "rows.txt").write_text("1\n2\n3\n4\n")  # as before, by content
    assert set(outlooks(run_once).values()) == {"hit"}
    for blob in (run_once.root / ".dds/blobs").rglob("*"):
        if blob.is_file():
            blob.unlink()
    assert set(outlooks(run_once).values()) == {"run"}


def test_the_environment(project):
    project.write(
        main="""
        import os
        def mode():
            return os.environ.get("MODE")
        x = mode()  # dds: /x
        """
    )
    project.same(environment={"MODE": "fast"})
    assert plan(project)["/x"]["reason"] == "the environment variable MODE has another value"
    ended = project.python(
        "-m", "ddsimport", "plan", "--check", "main.py", environment={"MODE": "fast"}
    )
    assert ended.returncode == 0, ended


def test_a_new_step_and_one_that_is_gone(run_once):
    run_once.edit("main.py", "print(final[:2])", "more = [1]  # dds: /p/more")
    run_once.edit("main.py", "alone = list(range(5))  # dds: /p/alone", "")
    assert outlooks(run_once) == {
        "/p/raw": "hit", "/p/good": "hit", "/p/final": "hit", "/p/more": "run",
    }  # fmt: skip


def test_steps_in_functions_in_modules_and_with_fields(project):
    project.write_files(
        {
            "main.py": """
            from package.parts import main
            main()
            """,
            "package/__init__.py": "",
            "package/parts.py": """
            def square(n):  # dds: /square/{n}
                return n * n

            def double(n):
                return 2 * n

            def main():
                first = double(3)  # dds: /first
                print(first, square(first), square(5))
                second = double(first)  # dds: /second
                print(second)
            """,
        }
    )
    project.same()
    paths = ["/first", "/square/6", "/square/5", "/second"]
    assert outlooks(project) == dict.fromkeys(paths, "hit")
    project.edit("package/parts.py", "n * n", "n * n + 1")
    assert outlooks(project) == {
        "/first": "hit", "/square/6": "run", "/square/5": "run", "/second": "hit",
    }  # fmt: skip
    project.same()
    project.edit("package/parts.py", "double(3)", "double(4)")
    found = outlooks(project)
    assert (found["/first"], found["/second"]) == ("run", "unknown")


def test_it_does_not_run_anything(run_once):
    run_once.edit("main.py", "print(final[:2])", 'open("left", "w").write("x")')
    plan(run_once)
    assert not (run_once.root / "left").exists()


def test_what_cannot_be_planned(run_once):
    ended = run_once.python("-m", "ddsimport", "plan", "none.py")
    assert (ended.returncode, ended.stdout) == (2, "") and "can't open file" in ended.stderr
    run_once.write(broken="x = f(1)  # dds: /x verzion=2\n")
    ended = run_once.python("-m", "ddsimport", "plan", "broken.py")
    assert ended.returncode == 2 and "PragmaError" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_module(project):
    project.write_files(
        {
            "package/__init__.py": "",
            "package/helper.py": "def f(n):\n    return [n] * 30\n",
            "package/__main__.py": """
            from .helper import f
            x = f(2)  # dds: /x
            print(x)
            """,
        }
    )
    project.same("-m", "package")
    words = ("-m", "ddsimport", "plan", "--check", "-m", "package")
    assert project.python(*words).returncode == 0
    project.edit("package/helper.py", "* 30", "* 31")
    ended = project.python(*words)
    assert ended.returncode == 1 and "code: f" in ended.stdout


def test_packages_that_only_the_value_is_of(project):
    pytest.importorskip("numpy")
    project.write(
        main="""
        import numpy
        def mean(rows):
            return sum(rows) / numpy.float64(len(rows))
        x = mean([1, 2, 3])  # dds: /x
        y = x + 1  # dds: /y
        """
    )
    project.same()
    assert set(outlooks(project).values()) == {"hit"}
    assert project.same().evaluated() == set()


@pytest.mark.parametrize("ran", ["main.py", "./main.py", "../project/main.py"])
def test_a_program_by_another_name(project, ran):
    project.write(main="def f(n):\n    return n\nx = f(1)  # dds: /x\nprint(x)\n")
    project.run(ran)
    for named in ("main.py", "./main.py", "../project/main.py", str(project.root / "main.py")):
        ended = project.python("-m", "ddsimport", "plan", "--json", named)
        (step,) = json.loads(ended.stdout)["steps"]
        assert (step["outlook"], step["place"]) == ("hit", "main.py:3")
        why = project.python("-m", "ddsimport", "why", "--json", named)
        assert json.loads(why.stdout)["path"] == "/x"
        assert project.python("-m", "ddsimport", "graph", named).returncode == 0
    project.edit("main.py", "return n", "return n + 0")
    ended = project.python("-m", "ddsimport", "accept", "/x", "--reason", "none")
    assert ended.returncode == 0


def test_packages_of_what_is_imported_run_too(project):
    """Each before what is in it, as imports run them."""
    project.write_files(
        {
            "main.py": "from a.b.c import c\nprint(c)\n",
            "a/__init__.py": "top = 1 + 1  # dds: /top\n",
            "a/b/__init__.py": "inner = 1 + 2  # dds: /inner\n",
            "a/b/c.py": "c = 1 + 3  # dds: /leaf\n",
        }
    )
    assert list(plan(project)) == list(project.same().statuses) == ["/top", "/inner", "/leaf"]


@pytest.mark.parametrize("text", [b"x = '\xff'\n", b"x = 1\0\n", b"x = = 1\n", b"# coding: no\n"])
@pytest.mark.parametrize("words", [("plan", "main.py"), ("accept", "/x", "--reason", "none")])
def test_a_text_of_no_program(project, words, text):
    project.write(main="x = 1 + 1  # dds: /x\n")
    project.run()
    (project.root / "main.py").write_bytes(text)
    ended = project.python("-m", "ddsimport", *words)
    assert (ended.stdout, ended.returncode) == ("", 2)
    assert "SyntaxError: " in ended.stderr and "Traceback" not in ended.stderr
