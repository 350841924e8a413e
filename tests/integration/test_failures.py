"""Failures of ours never stop the program, and are said once, with the step and the remedy."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.projects import small_disk

PROGRAM = """
    def f(v):
        return [v, v * 2]
    x = f(1)  # dds: /x
    y = f(2)  # dds: /y
    print(x, y)
"""


@pytest.fixture
def program(project):
    return project.write(main=PROGRAM)


def _is_root() -> bool:
    return os.geteuid() == 0


def _as_nobody(command):
    """Root may write anywhere: drop the privilege, as the kernel would have it for a user."""
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]


def test_a_store_of_somebody_else_is_refused_and_named(program):
    store = program.root / "foreign"
    store.mkdir(mode=0o700)
    os.chmod(store, 0o777)
    (store / "store.json").write_text("{}")
    ended = program.python("-m", "ddsimport", "--store", str(store), "main.py")
    assert ended.stdout == "[1, 2] [2, 4]\n"
    assert ended.returncode == 0
    assert ended.stderr.count("nothing is kept") == 1
    assert str(store) in ended.stderr


def test_a_store_below_a_file_is_named(program):
    (program.root / "file").write_text("")
    ended = program.python("-m", "ddsimport", "--store", "file/store", "main.py")
    assert (ended.stdout, ended.returncode) == ("[1, 2] [2, 4]\n", 0)
    assert ended.stderr.count("nothing is kept") == 1


def test_a_full_disk(program, tmp_path):
    disk = tmp_path / "disk"
    with small_disk(disk, "-o", "size=64k"):
        store = disk / "store"
        program.write(
            main="""
            def f(v):
                return bytes(range(256)) * 4096
            x = f(1)  # dds: /x
            print(len(x))
            """
        )
        for _ in range(2):
            ended = program.python("-m", "ddsimport", "--store", str(store), "main.py")
            assert (ended.stdout, ended.returncode) == ("1048576\n", 0)
            assert "/x" in ended.stderr
            assert "No space left" in ended.stderr
            assert not [name for _, _, names in os.walk(store / "tmp") for name in names]


def test_a_store_on_a_read_only_disk_gives_hits_and_says_why_and_what(program, tmp_path):
    asking = "import ddsimport; print(len(ddsimport.why()), ddsimport.graph())"
    disk = tmp_path / "disk"
    with small_disk(disk):
        at = {"DDSIMPORT_STORE": str(disk / "store")}
        program.same(environment=at)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert program.same(environment=at).evaluated() == set()
        program.write(main=(program.root / "main.py").read_text() + asking)
        ended = program.run(environment=at)
        assert ended.stdout.startswith("[1, 2] [2, 4]\n2 <ddsimport graph of "), ended


def test_a_read_only_store_still_gives_hits(program):
    program.same()
    subprocess.run(["chmod", "-R", "a-w", str(program.root / ".dds")], check=True)
    try:
        run = program.same()
        if not _is_root():
            assert run.evaluated() == set()
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(program.root / ".dds")], check=True)


@pytest.mark.parametrize("part", ["entries", "blobs", "views", "index", "facts"])
def test_damage_is_noticed_and_mended(program, part):
    program.same()
    damaged = [path for path in (program.root / ".dds" / part).rglob("*") if path.is_file()]
    assert damaged or part == "index"
    for path in damaged:
        path.chmod(0o644)
        path.write_bytes(b"\0damaged" + path.read_bytes()[8:])
    run = program.same()
    if part in ("entries", "blobs"):
        assert run.evaluated() == {"/x", "/y"}
    assert program.same().evaluated() == set()


def test_a_file_that_cannot_be_analysed_is_a_whole_dependency(project):
    deep = "+".join(["1"] * 900)
    project.write(main="import deep\nx = deep.f(1)  # dds: /x\nprint(x)")
    (project.root / "deep.py").write_text(f"def f(v):\n    return v\n\nunused = [{deep}]\n")
    plainly = project.plain()
    if plainly.code != 0:
        pytest.skip("this Python cannot compile such nesting either")
    assert project.same().statuses == {"/x": "computed"}
    assert project.same().statuses == {"/x": "hit"}
    project.edit("deep.py", "return v", "return v + 1")
    assert project.same().statuses == {"/x": "computed"}


def test_a_program_that_patches_what_we_write_with(project):
    project.write(main="import json\njson.dumps = lambda v: 1\nx = [1]  # dds: /x\nprint(x)\n")
    for _ in range(2):
        assert project.same().stdout == "[1]\n"


def test_a_module_that_another_hook_took_is_named(project):
    project.write(
        lib="def f(v: int) -> int:\n    x = v + 1  # dds: /x\n    return x\n",
        main="""
        from typeguard import install_import_hook
        install_import_hook("lib")
        import lib
        print(lib.f(1))
        """,
    )
    ended = project.python("-m", "ddsimport", "main.py")
    assert ended.stdout == "2\n"
    assert "the steps of lib were not handled" in ended.stderr
    project.edit(
        "main.py", "import lib", "from ddsimport.source import hook\nhook.install()\nimport lib"
    )
    ended = project.python("-m", "ddsimport", "main.py")
    assert "1 computed" in ended.stderr
    assert "not handled" not in ended.stderr


def test_a_module_that_is_reloaded(project):
    project.write(
        a="def f(v):\n    return v\n",
        main="""
        import importlib, os, a
        x = a.f(1)  # dds: /x
        with open(a.__file__, "w") as file:
            file.write("def f(v):\\n    return v + 100\\n")
        importlib.reload(a)
        y = a.f(1)  # dds: /y
        print(x, y)
        with open(a.__file__, "w") as file:
            file.write("def f(v):\\n    return v\\n")
        """,
    )
    assert project.run().stdout == "1 101\n"
    assert project.run().stdout == "1 101\n"


@pytest.mark.parametrize("pragma", ["", "  # dds: /inside"])
def test_a_module_that_cannot_be_loaded_again(project, pragma):
    """The code that runs is the old one, or some of it; none of it is kept as that of the text."""
    project.write(
        main=f"""
        import importlib

        def edit(first, last):
            with open("a.py", "w") as file:
                file.write(f"{{first}}\\ndef f(v):\\n    w = v{pragma}\\n    return {{last}}\\n")

        def step():
            x = a.f(1)  # dds: /x
            return x

        edit("OK = 1", "w")
        import a
        print(step())
        for first, last in ("no", "w + 1"), ("1", "w + 1"), ("", "w"), ("1", "w"):
            edit(f"OK = {{first}}", last)
            try:
                importlib.reload(a)
            except Exception as error:
                print(type(error).__name__)
            print(step())
        """,
    )
    for _ in range(2):
        assert project.run().stdout == project.python("main.py").stdout


def test_a_file_edited_while_the_program_runs(project):
    """The code that runs is the old one; its value must not be kept under the new text."""
    project.write(
        helper="def f(v):\n    return v\n",
        main="""
        import helper, os, sys
        if len(sys.argv) > 1:
            with open(helper.__file__, "w") as file:
                file.write("def f(v):\\n    return v + 100\\n")
        def g(v):
            return helper.f(v)
        x = g(1)  # dds: /x
        print(x)
        """,
    )
    edited = project.run("main.py", "edit")
    assert edited.stdout == "1\n"
    (step,) = edited.steps
    assert step["status"] == "uncached"
    assert "edited" in step["reason"]
    after = project.run()
    assert after.stdout == "101\n"
