"""`why`, as a user asks: what changed since the last value, and where that began."""

from __future__ import annotations

import json
import shutil
import time

import pytest

_HELPERS = """
import os
LIMIT = 3

def clean(rows):
    return [row for row in rows if row < LIMIT]

def settings():
    return os.environ.get("MODE", "plain")
"""

_MAIN = """
from helpers import clean, settings

def read(name):
    return [int(line) for line in open(name)]

raw = read("rows.txt")  # dds: /p/raw
good = clean(raw)  # dds: /p/good
total = sum(good)
final = [total, len(raw), "x" * 60]  # dds: /p/final
mode = settings()  # dds: /p/mode
print(final[:2], mode)
"""


@pytest.fixture
def run_once(project):
    project.write(main=_MAIN, helpers=_HELPERS)
    (project.root / "rows.txt").write_text("1\n2\n3\n4\n")
    project.same()
    return project


def why(project, *words, code=0):
    ended = project.python("-m", "ddsimport", "why", "--json", *words)
    assert ended.returncode == code, ended
    if code:
        return ended.stderr
    return {each["path"]: each for each in map(json.loads, ended.stdout.splitlines())}


def kinds(explanation):
    return [(cause["kind"], cause["name"]) for cause in explanation["causes"]]


def test_the_first_value(run_once):
    told = why(run_once)
    assert list(told) == ["/p/raw", "/p/good", "/p/final", "/p/mode"]
    assert {each["said"] for each in told.values()} == {"this is its first value in this store"}
    assert told["/p/good"]["place"] == "main.py:7"


def test_a_function_that_changed_and_what_follows(run_once):
    run_once.edit("helpers.py", "row < LIMIT", "row <= LIMIT")
    run_once.same()
    told = why(run_once)
    assert kinds(told["/p/good"]) == [("code", "clean")]
    diff = told["/p/good"]["causes"][0]["diff"].splitlines()
    assert diff[:2] == ["--- a/helpers.py", "+++ b/helpers.py"]
    assert "-    return [row for row in rows if row < LIMIT]" in diff
    assert "+    return [row for row in rows if row <= LIMIT]" in diff
    assert diff[2] == "@@ -4,2 +4,2 @@"
    assert kinds(told["/p/final"]) == [("input", "total")]
    assert told["/p/final"]["causes"][0]["step"] == "/p/good"
    assert told["/p/final"]["causes"][0]["said"] == "input total: 3 -> 6"
    assert told["/p/final"]["chain"] == ["/p/final", "/p/good"]
    assert "began at /p/good (code clean)" in told["/p/final"]["said"]
    assert told["/p/raw"]["said"].startswith("a hit: nothing that counts differs")
    assert told["/p/raw"]["causes"] == []


def test_a_constant_that_changed(run_once):
    run_once.edit("helpers.py", "LIMIT = 3", "LIMIT = 2")
    run_once.same()
    (cause,) = why(run_once, "/p/good")["/p/good"]["causes"]
    assert (cause["kind"], cause["said"]) == ("variable", "variable helpers.LIMIT: 3 -> 2")


def test_a_file_that_changed(run_once):
    (run_once.root / "rows.txt").write_text("1\n2\n2\n9\n")
    run_once.same()
    told = why(run_once)
    assert kinds(told["/p/raw"]) == [("file", "rows.txt")]
    assert told["/p/raw"]["causes"][0]["said"] == "rows.txt has other content"
    assert told["/p/good"]["chain"] == ["/p/good", "/p/raw"]


def test_a_variable_of_the_environment(run_once):
    run_once.same(environment={"MODE": "fast"})
    told = why(run_once, "/p/mode")
    assert kinds(told["/p/mode"]) == [("environment", "MODE")]


def test_the_step_s_own_text_and_its_options(run_once):
    run_once.edit("main.py", "good = clean(raw)", "good = clean(raw[1:])")
    run_once.edit("main.py", "# dds: /p/raw", "# dds: /p/raw version=2")
    run_once.same()
    told = why(run_once)
    assert kinds(told["/p/good"]) == [("code", "the step `good`")]
    assert kinds(told["/p/raw"]) == [("option", "version=")]


def test_a_comment_is_no_cause(run_once):
    run_once.edit("helpers.py", "def clean(rows):", "def clean(rows):  # of what is large")
    assert set(run_once.same().statuses.values()) == {"hit"}
    assert all(each["status"] == "hit" for each in why(run_once).values())


def test_a_value_that_was_lost(run_once):
    for blob in (run_once.root / ".dds/blobs").rglob("*"):
        if blob.is_file():
            blob.unlink()
    run_once.same()
    assert kinds(why(run_once, "/p/raw")["/p/raw"]) == [("lost", "/p/raw")]


def test_a_step_that_is_never_kept_and_one_that_raises(project):
    project.write(
        main="""
        import sys
        rows = []
        def add(row):
            rows.append(row)
            return len(rows)
        def fail(row):
            raise ValueError(row)
        n = add(1)  # dds: /n
        m = fail(1)  # dds: /m
        """
    )
    project.same()
    told = why(project)
    assert told["/n"]["said"].startswith("it is evaluated each time: it changed")
    assert told["/m"]["said"].startswith("it raised")


def test_by_place_by_script_and_as_text(run_once):
    run_once.edit("helpers.py", "row < LIMIT", "row <= LIMIT")
    run_once.same()
    assert list(why(run_once, "main.py:7")) == ["/p/good"]
    assert len(why(run_once, "main.py")) == 4
    text = run_once.python("-m", "ddsimport", "why").stdout
    assert text.startswith("2 of 4 steps were hits\n")
    assert "  /p/final <- /p/good\n" in text
    assert "    +    return [row for row in rows if row <= LIMIT]\n" in text
    short = run_once.python("-m", "ddsimport", "why", "--no-diff").stdout
    assert "return [row" not in short and "changed: clean in helpers.py" in short


def test_what_is_not_there(run_once, tmp_path):
    assert "did you mean /p/final?" in why(run_once, "/p/finl", code=2)
    assert "no run of other.py" in why(run_once, "other.py", code=2)
    assert "has a step at main.py:1" in why(run_once, "main.py:1", code=2)


def test_a_value_that_was_not_to_be_taken(project):
    project.write(
        main="""
        import time
        def f():
            return time.monotonic() > 0
        a = f()  # dds: /a
        b = f()  # dds: /b ttl=1s
        """
    )
    project.same()
    project.run("--force", "/a", "main.py")
    told = why(project)
    assert told["/a"]["said"] == "the same code and inputs; asked for by --force"
    assert [cause["kind"] for cause in told["/a"]["causes"]] == ["forced"]
    time.sleep(1.1)
    project.same()
    told = why(project)
    assert told["/a"]["status"] == "hit"
    assert told["/b"]["said"] == "the same code and inputs; its value was older than its `ttl=`"
    for path in (project.root / ".dds/blobs").rglob("*"):
        if path.is_file():
            path.unlink()
    project.run()
    assert "; its value could not be loaded: the blob" in why(project)["/a"]["said"]
    shutil.rmtree(project.root / ".dds/entries")
    project.run()
    said = "the same code and inputs, but its value was not in the store any more"
    assert why(project)["/a"]["said"] == said


def test_before_any_run(project):
    assert "there is no store" in why(project, code=2)


def test_an_input_that_an_early_run_noted_differently_is_compared_with_the_last(run_once):
    """Compared is what ran last, not what was shown last: the same value came out in between."""
    run_once.edit("helpers.py", "row < LIMIT", "row < LIMIT + 0")
    run_once.same()  # the same value: history has no line of it
    run_once.edit("helpers.py", "row < LIMIT + 0", "row < LIMIT + 1")
    run_once.same()
    diff = why(run_once, "/p/good")["/p/good"]["causes"][0]["diff"]
    assert "-    return [row for row in rows if row < LIMIT + 0]" in diff


def test_why_inside_of_a_program_and_as_html(run_once):
    run_once.edit("helpers.py", "row < LIMIT", "row <= LIMIT")
    run_once.edit(
        "main.py",
        "print(final[:2], mode)",
        """print(final[:2], mode)
import ddsimport
(good,) = ddsimport.why("/p/good")
print([cause.name for cause in good.causes], len(ddsimport.why()))
print("began at /p/good" in repr(ddsimport.why("/p/final")))
html = ddsimport.why()._repr_html_()
print("&lt;= LIMIT" in html and "<= LIMIT" not in html)""",
    )
    assert run_once.run().stdout.splitlines()[1:] == ["['clean'] 4", "True", "True"]


def test_an_input_from_a_step_is_told_with_its_first_difference(project):
    pytest.importorskip("pandas")
    project.write(
        main="""
        import pandas as pd
        def table(n):
            return pd.DataFrame({"a": range(n), "b": [1.5] * n})
        def first(frame):
            return frame["a"].sum() + frame["b"].sum()
        frame = table(20)  # dds: /frame
        low, high = [1] * 30, [2] * 30  # dds: /pair
        x = first(frame)  # dds: /x
        y = sum(high)  # dds: /y
        print(x, y)
        """
    )
    project.same()
    project.edit("main.py", "[1.5] * n", "[1.5] * (n - 1) + [2.5]")
    project.edit("main.py", "[2] * 30", "[2] * 29 + [3]")
    project.same()
    told = why(project)
    (cause,) = told["/x"]["causes"]
    assert cause["said"] == "input frame: DataFrame 20 x 2 -> DataFrame 20 x 2"
    assert any("19" in line and "2.5" in line for line in cause["details"]), cause["details"]
    (cause,) = told["/y"]["causes"]
    assert any("29" in line and "3" in line for line in cause["details"]), cause


def test_a_docstring_beside_the_real_cause_is_none(run_once):
    run_once.edit("helpers.py", "LIMIT = 3", "LIMIT = 2")
    run_once.edit("helpers.py", "def clean(rows):", 'def clean(rows):\n    """Rows."""')
    run_once.same()
    assert kinds(why(run_once, "/p/good")["/p/good"]) == [("variable", "helpers.LIMIT")]


def test_a_docstring_that_is_read(project):
    project.write(
        main='''
        def title():
            """One."""
        def said():
            return title.__doc__ * 30
        x = said()  # dds: /x
        '''
    )
    project.same()
    project.edit("main.py", "One.", "Two.")
    project.same()
    assert kinds(why(project)["/x"]) == [("code", "title")]
