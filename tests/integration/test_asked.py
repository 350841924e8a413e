"""Environment variables that a step reads and paths that it tests are inputs."""

from __future__ import annotations

import pytest

READING = {
    "item": "os.environ['DDS_T']",
    "get": "os.environ.get('DDS_T')",
    "get_missing": "os.environ.get('DDS_T', 'nothing')",
    "getenv": "os.getenv('DDS_T')",
    "bytes": "os.environb.get(b'DDS_T')",
    "contains": "'DDS_T' in os.environ",
    "copied": "os.environ.copy().get('DDS_T')",
    "dict": "dict(os.environ).get('DDS_T')",
    "items": "[v for k, v in os.environ.items() if k == 'DDS_T']",
    "repr": "'DDS_T' in repr(os.environ) and os.environ.get('DDS_T')",
    "expandvars": "os.path.expandvars('$DDS_T')",
    "in a thread": "list(ThreadPoolExecutor(1).map(os.getenv, ['DDS_T']))",
}


@pytest.mark.parametrize("way", READING)
def test_a_variable_read_in_a_step(project, way):
    project.write(
        main=f"""
        import os
        from concurrent.futures import ThreadPoolExecutor
        def read():
            return {READING[way]}
        x = read()  # dds: /x
        print(x)
        """
    )
    first = {"DDS_T": "1", "DDS_OTHER": "1"}
    assert project.same(environment=first).statuses == {"/x": "computed"}
    assert project.same(environment=first).statuses == {"/x": "hit"}
    if way not in ("copied", "dict", "items", "repr", "expandvars"):  # those look at every one
        other = {**first, "DDS_OTHER": "2", "DDS_MORE": "1"}
        assert project.same(environment=other).statuses == {"/x": "hit"}
    if way != "contains":
        changed = project.same(environment={**first, "DDS_T": "2"})
        assert changed.statuses == {"/x": "computed"}
    if way not in ("item",):
        assert project.same(environment={"DDS_OTHER": "1"}).statuses == {"/x": "computed"}
    assert project.same(environment=first).statuses == {"/x": "hit"}


def test_a_missing_variable_raises_as_ever(project):
    project.write(
        main="""
        import os
        def read():
            return os.environ['DDS_T']
        x = read()  # dds: /x
        """
    )
    project.same()


def test_no_value_of_a_variable_is_kept(project):
    project.write(main="import os\nx = len(os.environ['DDS_T'])  # dds: /x\n")
    project.run(environment={"DDS_T": "secret-of-mine"})
    for file in (project.root / ".dds").rglob("*"):
        if file.is_file():
            assert b"secret-of-mine" not in file.read_bytes(), file


TESTING = {
    "exists": "os.path.exists('data/t')",
    "isfile": "os.path.isfile('data/t')",
    "isdir": "os.path.isdir('data/t')",
    "lexists": "os.path.lexists('data/t')",
    "absolute": "os.path.exists(os.path.abspath('data/t'))",
    "getsize": "os.path.exists('data/t') and os.path.getsize('data/t')",
    "os.stat": "os.path.exists('data/t') and os.stat('data/t').st_size",
    "os.access": "os.access('data/t', os.R_OK)",
    "Path.exists": "Path('data/t').exists()",
    "Path.is_file": "Path('data/t').is_file()",
    "Path.stat": "Path('data/t').exists() and Path('data/t').stat().st_size",
}


@pytest.mark.parametrize("way", TESTING)
def test_a_path_tested_in_a_step(project, way):
    project.write(
        main=f"""
        import os
        from pathlib import Path
        def test():
            return {TESTING[way]}
        x = test()  # dds: /x
        print(x)
        """
    )
    assert project.same().statuses == {"/x": "computed"}
    assert project.same(environment={"PYTHONHASHSEED": "3"}).statuses == {"/x": "hit"}
    folder = project.root / "data"
    folder.mkdir()
    assert project.same().statuses == {"/x": "hit"}
    (folder / "t").write_text("one")
    assert project.same().statuses == {"/x": "computed"}
    assert project.same().statuses == {"/x": "hit"}
    (folder / "t").write_text("more")
    grown = project.same()
    assert (grown.statuses == {"/x": "hit"}) == (way not in ("getsize", "os.stat", "Path.stat"))
    (folder / "t").unlink()
    assert project.same().statuses == {"/x": "hit"}  # what it was at first


def test_a_tested_path_moves_with_the_project(project, tmp_path):
    project.write(
        main="""
        import os
        def test(name):
            return os.path.exists(os.path.abspath(name))
        x = test("here")  # dds: /x
        print(x)
        """
    )
    (project.root / "here").touch()
    project.same()
    project.root.rename(tmp_path / "moved")
    project.root = tmp_path / "moved"
    assert project.same().statuses == {"/x": "hit"}


def test_what_a_hit_inside_a_step_once_asked(project):
    project.write(
        main="""
        import os
        def inner(n):  # dds: /inner/{n}
            return os.environ.get("DDS_T"), os.path.exists("t")
        inner(1)
        def outer():
            return inner(1)
        x = outer()  # dds: /x
        print(x)
        """
    )
    first = {"DDS_T": "1"}
    project.same(environment=first)
    assert project.same(environment=first).statuses["/x"] == "hit"
    assert project.same(environment={"DDS_T": "2"}).statuses["/x"] == "computed"
    (project.root / "t").touch()
    assert project.same(environment=first).statuses["/x"] == "computed"


def test_a_missing_path_raises_as_ever(project):
    project.write(
        main="""
        import os
        def size():
            return os.path.getsize("missing")
        x = size()  # dds: /x
        """
    )
    project.same()


def test_what_a_step_made_itself_is_no_input(project):
    project.write(
        main="""
        import os, tempfile
        def work():
            with tempfile.TemporaryDirectory() as folder:
                name = os.path.join(folder, "t")
                before = os.path.exists(name)
                open(name, "w").close()
                return before, os.path.exists(name), os.path.isdir(folder)
        x = work()  # dds: /x
        print(x)
        """
    )
    assert project.same().statuses == {"/x": "computed"}
    assert project.same().statuses == {"/x": "hit"}


def test_os_is_what_it_was(project):
    project.write(
        main="""
        import os, shutil, types
        def look():
            return os.stat in os.supports_fd, callable(os.stat), type(os).__name__, repr(os.stat)
        x = look()  # dds: /x
        print(x, type(os) is types.ModuleType, os.stat is os.__dict__["stat"])
        """
    )
    project.same()
    project.same()


CHILDREN = {
    "script": "run([sys.executable, 'child.py'], capture_output=True, text=True).stdout",
    "argument": "run(['cat', 'in.txt'], capture_output=True, text=True).stdout",
    "folder": "run(['cat', 'in.txt'], cwd='.', capture_output=True, text=True).stdout",
    "option": "run(['dd', 'status=none', 'if=in.txt'], capture_output=True, text=True).stdout",
    "shell": "run('cat in.txt | cat', shell=True, capture_output=True, text=True).stdout",
}


@pytest.mark.parametrize("way", CHILDREN)
def test_files_that_the_command_of_a_child_names(project, way):
    project.write(
        main=f"""
        import sys
        from subprocess import run
        def start():
            return {CHILDREN[way]}
        x = start()  # dds: /x
        print(x)
        """,
        child="print(1)\n",
    )
    (project.root / "in.txt").write_text("one")
    assert project.same().statuses == {"/x": "computed"}
    assert project.same().statuses == {"/x": "hit"}
    project.edit("child.py", "1", "2")
    (project.root / "in.txt").write_text("two")
    assert project.same().statuses == {"/x": "computed"}
