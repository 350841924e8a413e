"""What `lint` says of programs; running them says whether it is so."""

from __future__ import annotations

import json

import pytest

NEVER_HITS = {
    "DDS101 off": "x = 1 + n  # dds: /x cache=off",
    "DDS101 ttl": "x = 1 + n  # dds: /x ttl=0.01s",
    "DDS102": "rows = [n]\nx = rows  # dds: /x",
    "DDS103": "x = (each for each in [n])  # dds: /x",
    "DDS103 function": "def gen():\n    yield n\nx = gen()  # dds: /x",
    "DDS104": "rows = (each for each in [n])\nx = list(rows)  # dds: /x",
    "DDS104 map": "rows = map(str, [n])\nx = list(rows)  # dds: /x",
    "DDS104 zip": "rows = zip([n], [n])\nx = list(rows)  # dds: /x",
    "DDS104 file": "f = open('data')\nx = f.read()  # dds: /x",
    "DDS104 with": "with open('data') as f:\n    x = f.read()  # dds: /x",
    "DDS105": "def ask():\n    return input()\nx = ask()  # dds: /x",
    "DDS106": "SEEN = []\ndef f():\n    SEEN.append(1)\n    return len(SEEN)\nx = f()  # dds: /x",
    "DDS106 global": "N = 1\ndef f():\n    global N\n    N += 1\n    return N\nx = f()  # dds: /x",
}
NOTHING = {
    "constant table": "T = {'a': 1}\ndef f():\n    return T['a']\nx = f()  # dds: /x",
    "filled before": "T = []\nT.append(n)\ndef f():\n    return T[0]\nx = f()  # dds: /x",
    "local": "T = [1]\ndef f():\n    T = []\n    T.append(1)\n    return T\nx = f()  # dds: /x",
    "list of rows": "rows = [e for e in [n]]\nx = sum(rows)  # dds: /x",
    "attribute": "class C:\n    v = 1 + n  # dds: /x\nx = C().v",
    "with": "with open('main.py') as f:\n    text = f.read()\nx = len(text)  # dds: /x",
    "sorted": "x = sorted({3, n})  # dds: /x",
    "map": "x = map(str, [n])  # dds: /x",
    "long": "x = 1 + n  # dds: /x ttl=1d",
    "seeded": "import random\nrandom.seed(1)\ndef f():\n    return random.random()\n"
    "x = f()  # dds: /x",
    "own": "import random\nx = random.Random(1).random()  # dds: /x",
    "input of its own": "def input():\n    return 3\nx = input()  # dds: /x",
}


def lint(project, *words, code):
    ended = project.python("-m", "ddsimport", "lint", "--json", *words)
    assert (ended.returncode, ended.stderr) == (code, ""), ended
    return [json.loads(line) for line in ended.stdout.splitlines()]


def program(body):
    return f"n = 3\n{body}\nprint(x)\n"


@pytest.mark.parametrize("case", NEVER_HITS)
def test_what_never_hits(project, case):
    project.write_files({"main.py": program(NEVER_HITS[case]), "data": "text"})
    found = lint(project, "main.py", code=1)
    assert [each["code"] for each in found] == [case.split()[0]]
    assert found[0]["path"] == "/x" and found[0]["remedy"]
    assert (
        project.root.joinpath("main.py")
        .read_text()
        .splitlines()[found[0]["line"] - 1]
        .endswith(NEVER_HITS[case].rpartition("  # ")[2])
    )
    for _ in range(2):
        ended = project.run("main.py", input="typed\n")
        assert ended.code == 0
    assert ended.statuses["/x"] != "hit"


@pytest.mark.parametrize("case", NOTHING)
def test_what_hits(project, case):
    project.write(main=program(NOTHING[case]))
    assert lint(project, "main.py", code=0) == []
    for _ in range(2):
        ended = project.run("main.py")
    assert ended.statuses["/x"] == "hit"


def test_what_is_not_reproducible(project):
    project.write(
        main="""
        import random, time, uuid
        from helper import noise
        def now():
            return time.time(), uuid.uuid4().hex
        x = noise()  # dds: /x
        y = now()  # dds: /y
        z = random.Random().random()  # dds: /z
        print(x, y, z)
        """,
        helper="""
        import random
        def noise():
            return random.gauss(0, 1)
        """,
    )
    found = lint(project, "main.py", code=1)
    assert [(each["path"], each["code"]) for each in found] == [
        ("/x", "DDS201"), ("/y", "DDS202"), ("/y", "DDS202"), ("/z", "DDS201")
    ]  # fmt: skip
    assert "random.gauss" in found[0]["said"] and "main.py:7" in found[3]["said"]
    # The run says the same of the same steps.
    told = project.python("-m", "ddsimport", "main.py").stderr
    assert "global random numbers of random" in told and "reads the clock (time.time)" in told
    project.edit("helper.py", "import random", "import random\nrandom.seed(1)")
    assert [each["path"] for each in lint(project, "main.py", code=1)] == ["/y", "/y", "/z"]
    assert lint(project, "main.py", "--ignore", "DDS2, DDS3", code=0) == []


def test_values_that_nothing_reads(project):
    project.write(
        main="""
        import helper
        read = helper.f()  # dds: /read
        unread = 1 + read  # dds: /unread
        report = str(read)  # dds: /report.txt
        shown = str(read)  # dds: /shown format=text
        loaded = 3 + read  # dds: /loaded
        queried = [read]  # dds: /queried
        a, b = read, read + 1  # dds: /pair
        print(b, "select * from queried")
        """,
        helper="""
        import ddsimport
        value = 1 + 1  # dds: /of/a/module
        def f():
            local = 2 + 2  # dds: /local
            used = 3 + 3  # dds: /used
            return used
        def g():
            return ddsimport.load("/loaded")
        """,
    )
    found = lint(project, "main.py", code=1)
    assert {each["path"]: each["code"] for each in found} == {
        "/unread": "DDS301", "/local": "DDS301"
    }  # fmt: skip
    assert {each["file"] for each in found} == {"main.py", "helper.py"}


def test_globals_that_are_changed_elsewhere(project):
    project.write(
        main="""
        import helper
        x = helper.size()  # dds: /x
        helper.put(1)
        print(x)
        """,
        helper="""
        ITEMS = []
        LEVEL = 1
        def size():
            return len(ITEMS) + LEVEL
        def put(item):
            ITEMS.append(item)
        def louder():
            global LEVEL
            LEVEL = 2
        """,
    )
    found = lint(project, "main.py", code=1)
    assert [each["code"] for each in found] == ["DDS302"] * 2
    assert "helper.py:6" in found[0]["said"] + found[1]["said"]


def test_pragmas_that_mean_nothing_and_scripts_that_are_none(project):
    project.write(main="x = 1  # dds: /x chache=off\n", other="def (:\n")
    found = lint(project, "main.py", "other.py", code=1)
    assert [each["code"] for each in found] == ["DDS001", "DDS001"]
    assert "chache" in found[0]["said"]
    ended = project.python("-m", "ddsimport", "lint", "none.py")
    assert ended.returncode == 2 and "none.py" in ended.stderr
    ended = project.python("-m", "ddsimport", "lint", "main.py", "--ignore", "DDS9")
    assert ended.returncode == 2 and "no code DDS9" in ended.stderr


def test_packages_of_what_is_imported_are_looked_at(project):
    project.write_files(
        {
            "main.py": "from a.b.c import c\nprint(c)\n",
            "a/__init__.py": "top = 1 + 1  # dds: /top cache=off\n",
            "a/b/__init__.py": "inner = 1 + 2  # dds: /inner cache=off\n",
            "a/b/c.py": "c = 1 + 3\n",
        }
    )
    assert [each["path"] for each in lint(project, "main.py", code=1)] == ["/top", "/inner"]


def test_a_script_is_what_can_be_run(project):
    project.write_files({"script": "x = 1 + 1  # dds: /x cache=off\nprint(x)\n"})
    assert [each["path"] for each in lint(project, "script", code=1)] == ["/x"]
    (project.root / "folder").mkdir()
    ended = project.python("-m", "ddsimport", "lint", "folder")
    assert ended.returncode == 2 and "is a folder" in ended.stderr


def test_for_people(project):
    project.write(main="x = 1 + 1  # dds: /x cache=off\nprint(x)\n")
    ended = project.python("-m", "ddsimport", "lint", "main.py")
    assert ended.stdout.startswith("main.py:1: DDS101 /x: `cache=off`")
    project.edit("main.py", " cache=off", "")
    assert project.python("-m", "ddsimport", "lint", "main.py").stdout == "nothing to say\n"
    assert not (project.root / ".dds").exists()


def test_the_demo_has_nothing_to_be_told(project):
    import shutil

    from tests.projects import ROOT

    shutil.copytree(ROOT / "ddsimport/demo/project", project.root, dirs_exist_ok=True)
    assert lint(project, "pipeline.py", code=0) == []
