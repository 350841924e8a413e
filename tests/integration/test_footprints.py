"""Values are also found by the code that ran for them."""

from __future__ import annotations

import pytest
from projects import ROOT, programs

from benchmarks.soundness.cases import cases

_CASES = ROOT / "benchmarks/soundness/cases/must/seen_without_running.txt"


@pytest.mark.parametrize("program", programs("not_run.txt"))
def test_code_that_does_not_run_need_not_matter(project, program):
    project.write_files(program.files)
    project.same()
    project.edit(*program.edit)
    (step,) = project.same().steps
    assert step["status"] == "hit"
    assert step["reason"] == "its code has changed, but nothing that it runs"
    (step,) = project.same().steps
    assert (step["status"], step["reason"]) == ("hit", "")


@pytest.mark.parametrize("case", cases(_CASES), ids=lambda case: case.name.replace(" ", "-"))
def test_what_is_seen_without_running_matters(project, case):
    project.write_files(case.before.files)
    project.same()
    project.same()
    project.write_files(
        {n: t for n, t in case.after.files.items() if case.before.files.get(n) != t}
    )
    project.same()


def test_a_lazily_read_file_counts_after_an_edit_that_did_not_matter(project):
    project.write(
        main="""
        import settings
        from a import run
        x = run()  # dds: /x
        print(x)
        """,
        settings="""
        import json
        CONF = json.load(open("conf.json"))
        """,
        a="""
        def run():
            from settings import CONF
            return CONF["n"] if CONF["n"] < 100 else rare(CONF)
        def rare(c):
            return -1
        """,
    )
    project.write_files({"conf.json": '{"n": 1}'})
    project.same()
    project.edit("a.py", "return -1", "return -2")
    assert project.same().evaluated() == set()
    project.write_files({"conf.json": '{"n": 5}'})
    assert project.same().evaluated() == {"/x"}


def test_without_it_all_that_a_step_can_reach_counts(project):
    project.write_files({"pyproject.toml": "[tool.ddsimport]\nfootprints = false\n"})
    project.write(
        main="""
        from a import C
        x = C().go()  # dds: /x
        print(x)
        """,
        a="""
        class C:
            def go(self):
                return 1
            def stay(self):
                return 2
        """,
    )
    project.same()
    project.edit("a.py", "return 2", "return 3")
    assert project.same().evaluated() == {"/x"}


@pytest.mark.parametrize("hides", ["profile", "thread"])
def test_code_that_runs_while_nobody_can_watch_counts(project, hides):
    project.write(
        main=f"""
        from a import {hides} as run
        x = run()  # dds: /x
        print(x)
        """,
        a="""
        import sys, _thread
        def profile():
            ours = sys.getprofile()
            sys.setprofile(None)
            found = helper()
            sys.setprofile(ours)
            return found
        def thread():
            found, lock = [], _thread.allocate_lock()
            lock.acquire()
            def work():
                found.append(helper())
                lock.release()
            _thread.start_new_thread(work, ())
            lock.acquire()
            return found[0]
        def helper():
            return 1
        """,
    )
    project.same()
    project.edit("a.py", "return 1", "return 2")
    project.same()
