"""Code that runs although no text says so: plugins, pickles, callbacks, registries.

Each program of `unforeseen.txt` runs code that its step's text does not lead to. An edit there must
evaluate the step again; an unchanged run in another process, folder and hash seed must hit.
"""

from __future__ import annotations

import json
import shutil
import sys

import pytest
from projects import Project, programs

_STEP = "/x"


@pytest.mark.parametrize("program", programs("unforeseen.txt"))
def test_must_evaluate_again(project, tmp_path, program):
    project.write_files(program.files)
    assert _STEP in project.same().evaluated()
    assert project.same(environment={"PYTHONHASHSEED": "7"}).evaluated() == set()
    elsewhere = Project(tmp_path / "elsewhere" / "copy")
    shutil.copytree(project.root, elsewhere.root, dirs_exist_ok=True)
    assert elsewhere.same(environment={"PYTHONHASHSEED": "8"}).evaluated() == set()
    file, before, after = program.edit
    if before:
        project.edit(file, before, after)
    else:
        project.write_files({file: after + "\n"})
    assert _STEP in project.same().evaluated()
    assert project.same().evaluated() == set()


@pytest.mark.parametrize("program", programs("foreseen.txt"))
def test_must_not_evaluate_again(project, program):
    project.write_files(program.files)
    project.same()
    assert project.same(environment={"PYTHONHASHSEED": "7"}).evaluated() == set()
    project.edit(*program.edit)
    assert project.same().evaluated() == set()


def test_what_a_hit_inside_a_step_ran_counts_for_the_step(project):
    project.write(
        main="""
        from a import outer
        x = outer(1)  # dds: /x
        print(x)
        """,
        a="""
        import importlib
        def outer(v):
            y = inner(v)  # dds: /y
            return y + 1
        def inner(v):
            return importlib.import_module("plug").run(v)
        """,
        plug="""
        def run(v):
            return v
        """,
    )
    project.same()
    project.edit("a.py", "y + 1", "y + 2")
    assert project.same().evaluated() == {"/x"}, "the inner step is a hit"
    project.edit("plug.py", "return v", "return -v")
    assert project.same().evaluated() == {"/x", "/y"}


def test_steps_of_two_threads_count_what_each_of_them_ran(project):
    project.write(
        main="""
        import importlib, threading
        barrier = threading.Barrier(2)
        def f(name):
            barrier_of()
            return importlib.import_module(name).run()
        def barrier_of():
            return None
        def one():
            barrier.wait()
            a = f("plug_a")  # dds: /a
        def two():
            barrier.wait()
            b = f("plug_b")  # dds: /b
        threads = [threading.Thread(target=each) for each in (one, two)]
        for each in threads: each.start()
        for each in threads: each.join()
        """,
        plug_a="""
        import time
        def run():
            time.sleep(0.2)
            return common()
        def common():
            return 1
        """,
        plug_b="""
        import time
        def run():
            time.sleep(0.2)
            return 2
        """,
    )
    project.same()
    assert project.same().evaluated() == set()
    # Before 3.12, the thread that was there first cannot be watched: all that is loaded counts.
    more = set() if sys.version_info >= (3, 12) else {"/a", "/b"}
    project.edit("plug_a.py", "return 1", "return 3")
    assert {"/a"} <= project.same().evaluated() <= {"/a"} | more
    project.edit("plug_b.py", "return 2", "return 4")
    assert {"/b"} <= project.same().evaluated() <= {"/b"} | more


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_worker_processes_are_named(project, method):
    project.write(
        main="""
        import multiprocessing
        def work(n):
            return n + 1
        def f(n):
            with multiprocessing.get_context(METHOD).Pool(1) as pool:
                return pool.map(work, range(n))
        METHOD = "fork"
        if __name__ == "__main__":
            x = f(2)  # dds: /x
            print(x)
        """
    )
    project.edit("main.py", '"fork"', f'"{method}"')
    (step,) = project.same().steps
    assert "worker process" in step["reason"]


def test_places_where_the_text_does_not_tell_are_named_once(project):
    project.write(
        main="""
        import importlib
        import sys
        def f(name):
            return importlib.import_module(name).LIMIT
        def g(name):
            return sys.modules[name].LIMIT
        x = f("a")  # dds: /x
        y = f("a") + 1  # dds: /y
        z = g("a")  # dds: /z
        """,
        a="LIMIT = 1",
    )
    told = project.python("-m", "ddsimport", "main.py").stderr
    assert told.count("main.py:3: imports a module whose name is computed") == 1
    assert told.count("main.py:5: sys.modules can lead to code that the text does not name") == 1


def test_a_hit_looks_at_text_only(project):
    """Neither the plugin nor what watches or analyses is imported."""
    project.write(
        main="""
        import importlib
        def f(name):
            return importlib.import_module(name).run(1)
        x = f("plug")  # dds: /x
        print(x)
        """,
        plug="def run(v): return v",
    )
    assert project.same().evaluated() == {"/x"}
    ended = project.python("-X", "importtime", "-m", "ddsimport", "-v", "main.py")
    assert "1 hit" in ended.stderr
    loaded = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert "ddsimport.runtime.unforeseen" in loaded
    assert not loaded & {"plug", "libcst", "ddsimport.runtime.witness"}


def test_the_same_process_hits(project):
    project.write(
        main="""
        import importlib
        def f(name):
            return importlib.import_module(name).run(1)
        for _ in range(3):
            x = f("plug")  # dds: /x
        print(x)
        """,
        plug="""
        TABLE = {}
        def run(v):
            return TABLE.get(v, len(TABLE))
        """,
    )
    assert [step["status"] for step in project.same().steps] == ["computed", "hit", "hit"]
    assert project.same().evaluated() == set()


def test_values_of_a_loaded_module_count(project):
    project.write(
        main="""
        import sys
        import plug
        plug.LIMIT = 1
        def f(name):
            return sys.modules[name].run()
        x = f("plug")  # dds: /x
        print(x)
        """,
        plug="""
        LIMIT = 0
        def run():
            return LIMIT
        """,
    )
    project.same()
    assert project.same().evaluated() == set()
    project.edit("main.py", "plug.LIMIT = 1", "plug.LIMIT = 2")
    assert project.same().evaluated() == {"/x"}


def test_code_that_the_text_leads_to_is_no_part_of_a_trace(project):
    """Or each edit near it, in what the step does not reach, would evaluate the step again."""
    project.write(
        main="""
        import things
        from lib import Base
        class Manager:
            def __enter__(self):
                return things.helper(1)
            def __exit__(self, *_):
                return None
        def managed():
            with Manager() as value:
                return value
        a = things.TABLE["k"](1)  # dds: /a
        b = [each().go() for each in Base.__subclasses__()]  # dds: /b
        c = managed()  # dds: /c
        d = sum(things.numbers(3))  # dds: /d
        e = max(things.Point(1), things.Point(2)).v  # dds: /e
        f = f"{things.Point(4)!r:>5}"  # dds: /f
        g = {things.Point(1): 1}[things.Point(1)]  # dds: /g
        def main():
            h = sorted([2, 1], key=lambda v: (
                -v))  # dds: /h
            i = [*(v + 1 for v in h)]  # dds: /i
            print(a, b, c, d, e, f, g, h, i)
        main()
        """,
        lib="""
        class Base:
            def go(self):
                return "base"
        """,
        things="""
        import functools
        from lib import Base
        class Sub(Base):
            def go(self):
                return "sub"
        def helper(n):
            return [k for k in range(n)]
        def decorated(f):
            @functools.wraps(f)
            def wrapper(*a):
                return f(*a) + extra()
            return wrapper
        def extra():
            return 1
        @decorated
        def entry(n):
            return n
        TABLE = {"k": entry}
        def numbers(n):
            def inner():
                for i in range(n):
                    yield from helper(i)
            yield from inner()
        @functools.total_ordering
        class Point:
            def __init__(self, v):
                self.v = v
            def __lt__(self, other):
                return self.v < other.v
            def __eq__(self, other):
                return self.v == other.v
            def __hash__(self):
                return hash(self.v)
            def __repr__(self):
                return shown(self.v)
        def shown(v):
            return f"P{v}"
        """,
    )
    assert len(project.same("./main.py").evaluated()) == 9
    entries = [path for path in (project.root / ".dds/entries").rglob("*") if path.is_file()]
    told = [
        candidate
        for path in entries
        for candidate in json.loads(path.read_text())["candidates"]
        if candidate["stem"] != path.name  # else it is kept by what ran
    ]
    assert len(told) == 9
    for candidate in told:
        assert candidate["variables"] == [], candidate["path"]
