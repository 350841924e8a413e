"""`ddsimport.dds`: what dds_py refuses and we can do, its stores on our engine, what is said."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

HEAD = """\
import ddsimport.dds as dds
import os
FOLDER = os.path.dirname(os.path.abspath(__file__))
"""


@pytest.fixture
def run(project):
    def run(text: str, *arguments: str, **options):
        from textwrap import dedent

        project.write(main=HEAD + dedent(text).lstrip("\n"))
        return again(*arguments, **options)

    def again(*arguments: str, **options):
        ended = project.plain("main.py", *arguments, **options)
        assert ended.code == 0, ended.stderr
        return ended.stdout

    run.again = again
    return run


def test_what_dds_py_refuses_is_done(run):
    text = """
        import pandas as pd

        class Scale:
            def __init__(self, by):
                self.by = by

            def apply(self, x):
                print("apply")
                return x * self.by

        def factorial(n):
            return 1 if n < 2 else n * factorial(n - 1)

        @dds.data_function("/named")
        def named(name, *, mark="!"):
            print("named")
            return name + mark

        def total(frame, **options):
            print("total")
            return int(frame["x"].sum()) + len(options)

        def inner():
            return dds.keep("/inner", lambda: dds.eval(factorial, 4))

        print(dds.keep("/factorial", factorial, 5), dds.keep("/scaled", Scale(2).apply, 3))
        print(named("a"), named("b", mark="?"), dds.eval(inner))
        print(dds.keep("/total", total, pd.DataFrame({"x": [1, 2]}), deep=True))
        """
    assert run(text) == "apply\n120 6\nnamed\nnamed\na! b? 24\ntotal\n4\n"
    assert run.again() == "120 6\na! b? 24\n4\n"


@pytest.mark.parametrize("module", ["ddsimport", "ddsimport.dds"])
def test_what_stands_beside_a_data_function_is_nothing_to_its_callers(project, module):
    project.write(
        main=f"""
        import os, threading, time
        import {module} as dds

        # No profiler of ours can see what it runs: who needs one counts all that is loaded.
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        unrelated = 1

        @dds.data_function("/inner")
        def inner():
            return 1

        @dds.data_function("/outer")
        def outer():
            return inner() + 1

        print(outer())
        """
    )
    report = project.root / "report.json"

    def evaluated():
        ended = project.plain("main.py", environment={"DDSIMPORT_REPORT": str(report)})
        assert (ended.code, ended.stdout) == (0, "2\n"), ended.stderr
        assert "not counted" not in ended.stderr
        assert "cannot be seen" not in ended.stderr
        steps = json.loads(report.read_text())["steps"]
        return {step["path"] for step in steps if step["status"] != "hit"}

    assert evaluated() == {"/inner", "/outer"}
    project.edit("main.py", "unrelated = 1", "unrelated = 2\nanother = []\n# and lines")
    assert evaluated() == set()
    project.edit("main.py", "    return 1", "    return 0 + 1")
    assert evaluated() == {"/inner", "/outer"}


def test_what_is_loaded_deep_inside_counts(run, project):
    text = """
        def first():
            return 1

        def read():
            return dds.load("/first") + 1

        def second():
            print("second")
            return read() * 10

        dds.keep("/first", first)
        print(dds.keep("/second", second))
        """
    assert run(text) == "second\n20\n"
    assert run.again() == "20\n"
    project.edit("main.py", "return 1", "return 5")
    assert run.again() == "second\n60\n"


def test_a_value_that_no_hit_gives_can_be_loaded(run):
    text = """
        import threading

        def held(lock):
            print("held")
            return "value"

        def outer():
            print("outer")
            dds.keep("/held", held, threading.Lock())
            return 1

        dds.keep("/outer", outer)
        print(dds.load("/held"))
        dds.keep("/held", held, threading.Lock())
        print(dds.load("/held"))
        """
    assert run(text) == "outer\nheld\nvalue\nheld\nvalue\n"
    assert run.again() == "value\nheld\nvalue\n"


def test_a_hit_does_nothing_but_give_the_value(run, project):
    text = """
        def write():
            print("write")
            open(FOLDER + "/left.txt", "w").write("left")
            return 1

        print(dds.keep("/write", write))
        """
    assert run(text) == "write\n1\n"
    (project.root / "left.txt").unlink()
    assert run.again() == "1\n"
    assert not (project.root / "left.txt").exists()


def test_paths_of_all_kinds_are_different_files(run):
    text = """
        paths = ["/a:b", "/a%3Ab", "/c/d", "/e//f/", "/with space/ü"]
        for number, path in enumerate(paths):
            dds.keep(path, lambda: number)
        print([dds.load(path) for path in paths])
        for wrong in ("/", "/a/../b", "a", 3):
            try:
                dds.load(wrong)
            except dds.DDSException as error:
                print(error)
        """
    printed = run(text).splitlines()
    assert printed[0] == "[0, 1, 2, 3, 4]"
    assert len(printed) == 5


def test_paths_are_left_as_they_are_without_the_last_stage(run):
    text = """
        number = 1

        def f():
            return number

        def pipeline():
            return dds.keep("/f", f)

        dds.eval(pipeline)
        number = 2
        stages = ["analysis", "store_inspect", "eval", "store_commit"]
        print(dds.eval(pipeline, dds_stages=stages), dds.load("/f"))
        print(dds.eval(pipeline), dds.load("/f"))
        try:
            dds.eval(pipeline, dds_stages=["eval"])
        except dds.DDSException as error:
            print(error)
        """
    printed = run(text).splitlines()
    assert printed[:2] == ["2 1", "2 2"]
    assert "analysis" in printed[2]


def test_what_became_of_each_step_is_logged(run):
    text = """
        import logging, sys
        logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(name)s %(message)s")

        def f():
            return 1

        dds.set_option("extra_debug", False)
        dds.eval(dds.keep, "/quiet", f)
        dds.eval(dds.keep, "/f", f, dds_extra_debug=True)
        """
    (line,) = run(text).splitlines()
    assert line.startswith("ddsimport.dds /f: ")


def test_a_store_in_memory_leaves_nothing(run, project):
    text = """
        import random

        dds.set_store("memory")

        @dds.data_function("/all")
        def everything():
            print("evaluated")
            open(FOLDER + "/main.py").read()
            return [b"x" * 5000, {"a": [1]}, "text", None, random.Random(1)]

        first = everything()
        first.append("changed")
        print(len(everything()), everything() is everything(), len(dds.load("/all")))
        """
    before = set(project.root.iterdir())
    assert run(text) == "evaluated\n5 False 5\n"
    assert {each.name for each in set(project.root.iterdir()) - before} == {"main.py"}


def test_stores_take_turns(run):
    text = """
        from ddsimport.dds.store import LocalFileStore, MemoryStore, NoOpStore

        def f(x):
            print("f", x)
            return x

        memory = MemoryStore()
        here, there = LocalFileStore(FOLDER + "/a"), LocalFileStore(FOLDER + "/b")
        for store in (memory, here, there, memory, here, NoOpStore(), there):
            dds.set_store(store)
            dds.keep("/f", f, repr(store)[:5])
        dds.set_store("local")
        dds.keep("/f", f, 1)
        dds.set_store(memory)
        print(dds.load("/f"))
        """
    assert run(text) == "f Memor\nf Local\nf Local\nf NoOpS\nf 1\nMemor\n"


def test_a_step_that_changes_the_store_is_evaluated_each_time(run):
    text = """
        def switch():
            print("switch")
            dds.set_store("memory")
            return 1

        def pipeline():
            return dds.keep("/switch", switch)

        pipeline()
        """
    assert run(text) == "switch\n"
    assert run.again() == "switch\n"


def test_steps_with_a_pragma_ask_the_same_store(project):
    project.write(
        main="""
        import ddsimport.dds as dds
        import os

        dds.set_store("local", internal_dir="internal", data_dir="data")
        x = sum([1, 2])  # dds: /x
        print(x, dds.load("/x"), open("data/x").read().strip(), os.path.exists(".dds"))
        """
    )
    assert project.run().stdout == "3 3 3 False\n"
    again = project.run()
    assert (again.stdout, again.statuses) == ("3 3 3 False\n", {"/x": "hit"})


@pytest.mark.parametrize(("asked", "again"), [("2", "large 1\n"), ("-1", ""), ("0", None)])
def test_values_that_were_read_stay_in_memory_if_asked_for(run, asked, again):
    text = f"""
        import shutil

        def large(n):
            print("large", n)
            return str(n) * 10_000

        dds.set_store("local", internal_dir=FOLDER + "/in", cache_objects={asked})
        for n in (1, 2, 3, 1, 2, 3):
            dds.keep("/large", large, n)
        shutil.rmtree(FOLDER + "/in/ddsimport/blobs")
        for n in (3, 2, 1):
            dds.keep("/large", large, n)
        """
    first = "large 1\nlarge 2\nlarge 3\n"
    assert run(text) == first + ("large 3\nlarge 2\nlarge 1\n" if again is None else again)


def test_what_cannot_be_meant_is_said(run):
    text = """
        from ddsimport.dds.store import Store

        class Own(Store):
            pass

        for arguments in (
            dict(store="dbfs", internal_dir="dbfs:/a", data_dir="dbfs:/b"),
            dict(store="nowhere"),
            dict(store=3),
            dict(store=Own()),
            dict(store="local", cache_objects="many"),
        ):
            try:
                dds.set_store(**arguments)
            except dds.DDSException as error:
                print(error)
        """
    printed = run(text).splitlines()
    assert len(printed) == 5
    assert "remote" in printed[0]


def test_options_that_say_what_not_to_look_at_are_answered(project):
    project.write(main=HEAD + 'dds.set_option("accept_list", False)\n')
    said = project.plain("main.py").stderr
    assert "lists always count" in said
    assert "ignore" in said


def test_older_names_warn(run):
    text = """
        import warnings

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            dds.dds_function("/f")
            dds.whitelist_module("main")
        print([each.category.__name__ for each in caught], caught[0].filename == __file__)
        """
    assert run(text) == "['DeprecationWarning', 'DeprecationWarning'] True\n"


@pytest.mark.parametrize("accepted", [False, True])
def test_an_installed_package_counts_by_its_text_if_it_is_accepted(project, accepted):
    package = project.root / "site-packages" / "tools"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "halves.py").write_text("def half(x):\n    return x // 2\n")
    project.write(
        main=HEAD.replace("import os\n", "import os, sys\n")
        + "sys.path.insert(0, FOLDER + '/site-packages')\n"
        + ("dds.accept_module('tools')\n" if accepted else "")
        + "from tools.halves import half\n"
        "def f():\n    print('f')\n    return half(8)\n"
        "print(dds.keep('/f', f))\n"
    )
    assert project.plain("main.py").stdout == "f\n4\n"
    assert project.plain("main.py").stdout == "4\n"
    project.edit("site-packages/tools/halves.py", "x // 2", "x / 2.")
    assert project.plain("main.py").stdout == ("f\n4.0\n" if accepted else "4\n")


def test_folders_on_two_file_systems(run):
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == Path.cwd().stat().st_dev:
        pytest.skip("there is one file system only")
    place = memory / f"ddsimport-{os.getpid()}"
    text = f"""
        dds.set_store("local", internal_dir=FOLDER + "/in", data_dir={str(place)!r})
        dds.keep("/a/b", lambda: "text")
        print(open({str(place / "a" / "b")!r}).read())
        """
    try:
        assert run(text) == "text\n"
    finally:
        import shutil

        shutil.rmtree(place)


def test_gc_and_verify_know_the_folders(run, project):
    text = """
        dds.set_store("local", internal_dir=FOLDER + "/in", data_dir=FOLDER + "/data")
        dds.keep("/a", lambda: "text")
        """
    run(text)
    store = str(project.root / "in" / "ddsimport")
    checked = project.python("-m", "ddsimport", "verify", "--store", store)
    assert (checked.returncode, checked.stdout.strip()) == (0, checked.stdout.strip())
    (project.root / "data" / "a").write_text("other")
    found = project.python("-m", "ddsimport", "verify", "--store", store)
    assert str(project.root / "data" / "a") in found.stdout + found.stderr
    collected = project.python("-m", "ddsimport", "gc", "--store", store)
    assert collected.returncode == 0, collected.stderr
    report = {"DDSIMPORT_REPORT": str(project.root / "report.json")}
    project.plain("main.py", environment=report)
    (step,) = json.loads((project.root / "report.json").read_text())["steps"]
    assert step["status"] == "hit"
    assert (project.root / "data" / "a").read_text() == "text"


# --- graphs ---------------------------------------------------------------------------------------

_DRAWN = """
import sys
import ddsimport.dds as dds

@dds.data_function("/numbers")
def numbers():
    return list(range(50))

def total(xs):
    return sum(xs) + len(str(dds.load("/numbers")))

def pipeline():
    numbers()
    return dds.keep("/total", total, numbers())

print(dds.eval(pipeline, dds_export_graph=sys.argv[1], dds_stages=sys.argv[2:] or None))
"""


def test_the_graph_of_an_eval_is_drawn(project):
    project.write(main=_DRAWN)
    drawn = project.root / "graph.json"
    for _ in range(2):  # evaluated, then hits
        drawn.unlink(missing_ok=True)
        ended = project.python("main.py", "graph.json")
        assert ended.returncode == 0, ended
        graph = json.loads(drawn.read_text())
        assert {"step:/numbers", "step:/total"} <= {node["id"] for node in graph["nodes"]}
        edges = {(edge["source"], edge["target"]) for edge in graph["edges"]}
        assert ("step:/numbers", "step:/total") in edges
    assert project.python("main.py", "graph.svg").returncode == 0
    assert "/total" in (project.root / "graph.svg").read_text()
    drawn.unlink()
    assert project.python("main.py", "graph.json", "analysis").stdout == "None\n"
    assert drawn.exists()


def test_a_graph_that_cannot_be_drawn(project):
    project.write(main=_DRAWN)
    ended = project.python("main.py", "graph.json", "analysis")
    assert "DDSException" in ended.stderr and "evaluate it once" in ended.stderr
    ended = project.python("main.py", "graph.xyz")
    assert "DDSException" in ended.stderr and "no suffix" in ended.stderr
    assert not (project.root / ".dds/data/total").exists()  # said before, not after hours
