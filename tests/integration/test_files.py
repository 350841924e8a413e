"""Files that a step reads are inputs: by the name it used, and by content."""

from __future__ import annotations

import os


def test_a_relative_name_means_another_file_elsewhere(project):
    project.write(
        main="""
        import os
        def read():
            with open("in.txt") as file:
                return file.read()
        for folder in "ab":
            os.chdir(folder)
            x = read()  # dds: /x
            print(x)
            os.chdir("..")
        """
    )
    for folder in "ab":
        (project.root / folder).mkdir()
        (project.root / folder / "in.txt").write_text(folder.upper())
    assert project.same().stdout == "A\nB\n"
    assert project.same().evaluated() == set()


def test_a_link_that_leads_elsewhere(project):
    project.write(
        main="""
        def read():
            with open("current/in.txt") as file:
                return file.read()
        x = read()  # dds: /x
        print(x)
        """
    )
    for folder in ("v1", "v2"):
        (project.root / folder).mkdir()
        (project.root / folder / "in.txt").write_text(folder)
    (project.root / "current").symlink_to("v1")
    project.same()
    (project.root / "current").unlink()
    (project.root / "current").symlink_to("v2")
    assert project.same().stdout == "v2\n"


def test_a_folder_that_was_listed(project):
    project.write(
        main="""
        import glob, os
        def read():
            return sorted(glob.glob("data/*.txt")), sorted(os.listdir("data"))
        x = read()  # dds: /x
        print(x)
        """
    )
    (project.root / "data").mkdir()
    (project.root / "data" / "a.txt").touch()
    project.same()
    assert project.same().evaluated() == set()
    (project.root / "data" / "b.txt").touch()
    assert project.same().evaluated() == {"/x"}
    (project.root / "data" / "b.txt").unlink()
    assert project.same().evaluated() == set()


def test_a_database(project):
    project.write(
        make="""
        import sqlite3, sys
        with sqlite3.connect("rows.db") as base:
            base.execute("create table if not exists rows (n)")
            base.execute("insert into rows values (?)", (int(sys.argv[1]),))
        """,
        main="""
        import sqlite3
        def read():
            return sqlite3.connect("rows.db").execute("select sum(n) from rows").fetchall()
        x = read()  # dds: /x
        print(x)
        """,
    )
    project.plain("make.py", "1")
    project.same()
    assert project.same().evaluated() == set()
    project.plain("make.py", "2")
    assert project.same().stdout == "[(3,)]\n"


def test_a_temporary_folder_leaves_nothing(project):
    project.write(
        main="""
        import os, tempfile
        def work():
            with tempfile.TemporaryDirectory() as folder:
                with open(os.path.join(folder, "scratch"), "w") as file:
                    file.write("x")
                return len(os.listdir(folder))
        x = work()  # dds: /x
        print(x)
        """
    )
    project.same()
    assert project.same().evaluated() == set()


def test_a_file_that_appears(project):
    project.write(
        main="""
        def read():
            try:
                with open("maybe.txt") as file:
                    return file.read()
            except FileNotFoundError:
                return None
        x = read()  # dds: /x
        print(x)
        """
    )
    project.same()
    assert project.same().evaluated() == set()
    (project.root / "maybe.txt").write_text("here")
    assert project.same().stdout == "here\n"


def test_a_value_without_a_view_takes_the_old_one_away(project):
    project.write(main="x = {'a': 1}  # dds: /x.json\nprint(x)")
    project.same()
    assert project.view("/x.json").exists()
    project.edit("main.py", "{'a': 1}", "{1j}")
    project.same()
    assert not os.path.exists(project.view("/x.json"))
    loaded = project.python("-c", "import ddsimport; print(ddsimport.load('/x.json'))")
    assert loaded.stdout == "{1j}\n"
    assert project.same().evaluated() == set()


def test_a_value_that_is_not_kept_takes_the_old_artifact_away(project):
    project.write(main="import threading\nx = [1]  # dds: /x\nprint(len(x))")
    project.same()
    assert project.view("/x").exists()
    project.edit("main.py", "[1]", "[threading.Lock()]")
    project.same()
    assert not project.view("/x").exists()
    loaded = project.python("-c", "import ddsimport; ddsimport.load('/x')")
    assert "there is no artifact at /x" in loaded.stderr


def test_what_libraries_do_when_they_are_imported_is_no_effect(project):
    project.write(
        main="""
        def f(n):
            import numpy
            import matplotlib.pyplot
            return int(numpy.sum([n, 1]))
        x = f(1)  # dds: /x
        print(x)
        """
    )
    home = project.root.parent / "home"
    home.mkdir()
    project.same(environment={"HOME": str(home)})
    assert project.same(environment={"HOME": str(home)}).evaluated() == set()


def test_a_child_that_prints(project):
    project.write(
        main="""
        import os, subprocess
        def captured():
            return subprocess.run(["echo", "captured"], capture_output=True, text=True).stdout
        def silent():
            return subprocess.run(["true"]).returncode, os.system("exit 0")
        def loud():
            return subprocess.run(["echo", "loud"]).returncode
        def shell():
            return os.system("echo shell")
        a = captured()  # dds: /captured
        b = silent()  # dds: /silent
        c = loud()  # dds: /loud
        d = shell()  # dds: /shell
        e = loud()  # dds: /off replay=off
        """
    )
    project.same()
    again = project.run()
    assert again.stdout == "loud\nshell\n"
    assert again.evaluated() == {"/loud", "/shell"}
    assert "capture it" in again.steps[2]["reason"]


def test_a_run_of_hits_watches_nothing(project):
    project.write(
        main="""
        import sys
        hooks = []
        sys.addaudithook(lambda event, _: event == "sys.addaudithook" and hooks.append(event))
        def f():
            return 1
        x = f()  # dds: /x
        tools = getattr(sys, "monitoring", None)
        seen = {tools.get_tool(number) for number in range(6)} if tools else {None}
        print(len(hooks), seen, sys.getprofile(), "write" in vars(sys.stdout))
        """
    )
    assert project.run().stdout == "1 {None} None False\n"
    assert project.run().stdout == "0 {None} None False\n"
