"""`accept`: an edit that does not change the result; `--force` and `--refresh`: evaluate all the
same."""

from __future__ import annotations

import json

import pytest

_MAIN = """
import helpers
from helpers import clean

LIMIT = 3
raw = list(range(9))  # dds: /raw
good = clean(raw, LIMIT)  # dds: /good
size = len(good)  # dds: /size
print(good, size)
"""

_HELPERS = """
FACTOR = 1

def clean(rows, limit):
    return [row * FACTOR for row in rows if row < limit]
"""


@pytest.fixture
def edited(project):
    project.write(main=_MAIN, helpers=_HELPERS)
    project.same()
    project.edit("helpers.py", "if row < limit", "if not row >= limit")
    return project


def accept(project, *words, code=0):
    ended = project.python(
        "-m", "ddsimport", "accept", "/good", "--reason", "the same", "--by", "Ada", *words
    )
    assert ended.returncode == code, ended
    return ended.stdout or ended.stderr


def test_the_next_run_takes_the_value_of_before(edited):
    said = accept(edited)
    assert "+    return [row * FACTOR for row in rows if not row >= limit]" in said
    first = edited.same()
    assert set(first.statuses.values()) == {"hit"}
    reason = next(step["reason"] for step in first.steps if step["path"] == "/good")
    assert reason.startswith("its code has changed; accepted by Ada on ")
    assert reason.endswith(": the same")
    again = edited.same()
    assert set(again.statuses.values()) == {"hit"}
    assert not any(step["reason"] for step in again.steps)


def test_log_shows_it_with_author_date_and_difference(edited):
    accept(edited)
    log = edited.python("-m", "ddsimport", "log", "/good").stdout
    assert log.startswith("~ accepted      20")
    assert "by Ada: the same" in log and "+    return [row * FACTOR" in log
    lines = edited.python("-m", "ddsimport", "log", "--json", "/good").stdout.splitlines()
    word = json.loads(lines[0])["accepted"]
    assert (word["by"], word["reason"], word["template"]) == ("Ada", "the same", "/good")
    assert "accepted" not in edited.python("-m", "ddsimport", "log", "/raw").stdout


def test_log_lets_nobody_command_the_terminal(edited):
    edited.python("-m", "ddsimport", "accept", "/good", "--reason", "a\x1b[31m", "--by", "\x1b]0;b")
    log = edited.python("-m", "ddsimport", "log", "/good").stdout
    assert "\\x1b]0;b: a\\x1b[31m" in log and "\x1b" not in log


def test_without_it_the_step_is_evaluated(edited):
    assert edited.same().evaluated() == {"/good"}


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("main.py", "LIMIT = 3", "LIMIT = 4"),
        ("helpers.py", "FACTOR = 1", "FACTOR = 2"),
        ("main.py", "range(9)", "range(2)"),
        ("helpers.py", "if not row >= limit", "if not row >= limit - 1"),
        ("main.py", "# dds: /good", "# dds: /good version=2"),
        ("main.py", "import helpers\n", "import helpers\nhelpers.FACTOR = 5\n"),
        ("main.py", "LIMIT = 3", "LIMIT = 3\nclean = lambda rows, limit: [7]"),
    ],
    ids=["input", "global", "upstream", "edited-again", "version", "patched", "rebound"],
)
def test_it_holds_for_that_edit_only(edited, file, before, after):
    accept(edited)
    edited.edit(file, before, after)
    assert "/good" in edited.same().evaluated()


def test_what_cannot_be_accepted(edited):
    edited.edit("helpers.py", "if not row >= limit", "if row < limit")
    assert "nothing has changed in the code of /good" in accept(edited, code=2)
    ended = edited.python("-m", "ddsimport", "accept", "/none", "--reason", "x")
    assert ended.returncode == 2 and "no run on record has a step at /none" in ended.stderr
    ended = edited.python("-m", "ddsimport", "accept", "/good", "--reason", " ")
    assert ended.returncode == 2 and "--reason is empty" in ended.stderr
    assert edited.python("-m", "ddsimport", "accept", "/good").returncode == 2


def test_plan_knows(edited):
    accept(edited)
    ended = edited.python("-m", "ddsimport", "plan", "--check", "main.py")
    assert ended.returncode == 0 and "accepted by Ada" in ended.stdout


def test_a_templated_step_is_accepted_for_all_its_paths(project):
    project.write(
        main="""
        def square(n):  # dds: /square/{n}
            return [n * n]
        print(square(2), square(3))
        """
    )
    project.same()
    project.edit("main.py", "[n * n]", "[n ** 2]")
    ended = project.python("-m", "ddsimport", "accept", "/square/2", "--reason", "algebra")
    assert ended.returncode == 0, ended
    assert set(project.same().statuses.values()) == {"hit"}


# --- force and refresh ----------------------------------------------------------------------------


def test_forced_steps_are_evaluated_and_what_follows_hits_if_the_value_is_the_same(edited):
    edited.same()
    ended = edited.run("--force", "/good", "main.py")
    assert ended.evaluated() == {"/good"}
    assert edited.run("--refresh", "main.py").evaluated() == {"/raw", "/good", "/size"}
    assert edited.run("main.py").evaluated() == set()


def test_force_replaces_a_value_that_rests_on_what_is_not_seen(project):
    project.write(
        main="""
        import uuid
        def look():
            return uuid.uuid4().hex
        x = look()  # dds: /a/x
        print(x)
        """
    )
    first = project.run().stdout
    assert project.run().stdout == first
    second = project.run("--force", "/a", "main.py").stdout
    assert second != first
    assert project.run().stdout == second


def test_a_forced_step_in_a_loop_is_evaluated_once_for_each_input(project):
    project.write(
        main="""
        def f(n):  # dds: /f/{n}
            print("run", n)
            return n
        print([f(n) for n in (1, 2, 1, 2)])
        """
    )
    project.same()
    statuses = [step["status"] for step in project.run("--refresh", "main.py").steps]
    assert statuses == ["computed", "computed", "hit", "hit"]


def test_a_path_that_no_step_has_is_said(edited):
    ended = edited.python("-m", "ddsimport", "--force", "/nope", "main.py")
    assert "--force /nope: no step of this run has that path" in ended.stderr
    ended = edited.python(
        "-m", "ddsimport", "main.py", environment={"DDSIMPORT_FORCE": "/raw, /good"}
    )
    assert "2 computed" in ended.stderr and "--force" not in ended.stderr
