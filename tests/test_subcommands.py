"""`gc`, `log`, `ls` and `verify`, namespaces and `pickle = false`, as a user meets them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from ddsimport import cli

_PROGRAM = """
import sys
def make(n):
    return bytes([n]) * 2_000_000
n = int(sys.argv[1])
x = make(n)  # dds: /x
print(len(x), x[0])
"""


@pytest.fixture
def used(project):
    """A project that was run with three inputs."""
    project.write(main=_PROGRAM)
    for number in "123":
        project.run("main.py", number)
    return project


def command(project, *words, code=0):
    ended = project.python("-m", "ddsimport", *words)
    assert (ended.returncode, ended.stderr) == (code, "") or (code == 2 and ended.stderr), ended
    return ended.stdout or ended.stderr


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_log_and_past_versions(used):
    versions = lines(command(used, "log", "/x", "--json"))
    assert [each["current"] for each in versions] == [True, False, False]
    assert all(each["kept"] for each in versions)
    text = command(used, "log", "/x").splitlines()
    assert [line[0] for line in text] == ["*", " ", " "]
    assert [versions[place]["blob"][:12] in text[place] for place in range(3)] == [True] * 3
    assert len(command(used, "log", "/x", "-n", "1").splitlines()) == 1
    used.write(
        past=f"""
        import ddsimport
        print(ddsimport.load("/x")[0], ddsimport.load("/x", version={versions[2]["blob"][:8]!r})[0])
        print(ddsimport.load("/x", version=-1)[0])
        """
    )
    assert used.python("past.py").stdout == "3 1\n2\n"
    assert "has shown nothing" in command(used, "log", "/y", code=2)


def test_a_past_version_inside_a_step(used):
    used.write(
        past="""
        import ddsimport
        def named():
            return ddsimport.load("/x", version=NAME)[0]
        def placed():
            return ddsimport.load("/x", version=-1)[0]
        NAME = open("name").read()
        y = named()  # dds: /y
        z = placed()  # dds: /z
        print(y, z)
        """
    )
    name = lines(command(used, "log", "/x", "--json"))[2]["blob"]
    (used.root / "name").write_text(name)
    for expected in ("1 2\n", "1 2\n"):
        ended = used.run("past.py")
        assert ended.stdout == expected
    assert ended.statuses == {"/y": "hit", "/z": "uncached"}
    used.run("main.py", "7")
    assert used.run("past.py").stdout == "1 3\n"


def test_ls(used):
    used.write(other="x = 1 + 1  # dds: /deep/er/x\n")
    used.run("other.py")
    assert [each["path"] for each in lines(command(used, "ls", "--json"))] == ["/deep/er/x", "/x"]
    assert command(used, "ls", "/de").split()[-1] == "/deep/er/x"
    assert "2 MB" in command(used, "ls", "/x")
    assert command(used, "ls", "/nothing") == ""


def test_a_reader_that_has_seen_enough(used):
    history = used.root / ".dds/history/v1/x.json"
    history.write_bytes(history.read_bytes() * 300)  # more than a pipe holds
    command = f"{sys.executable} -m ddsimport log /x --json | head -n 1"
    ended = used.python("-c", f"import subprocess; subprocess.run({command!r}, shell=True)")
    assert ended.stdout.count("\n") == 1
    assert ended.stderr == ""


def test_gc(used):
    would = json.loads(command(used, "gc", "-n", "--budget", "5 MB", "--json"))
    assert would["dry_run"] and would["candidates"] > 0
    assert "removed" in command(used, "gc", "--budget", "5MB")
    assert [each["kept"] for each in lines(command(used, "log", "/x", "--json"))] == [
        True,
        False,
        False,
    ]
    assert used.run("main.py", "3").evaluated() == set()
    assert used.run("main.py", "1").evaluated() == {"/x"}
    assert "stay" in command(used, "gc", "--budget", "1")
    command(used, "gc", "--budget", "1", "--current")
    assert not used.view("/x").exists()
    assert used.run("main.py", "1").evaluated() == {"/x"}
    assert "no size" in command(used, "gc", "--budget", "much", code=2)
    for words in (("gc", "--files"), ("log", "/x", "-n"), ("status", "-n")):
        assert "'-1' is no count" in command(used, *words, "-1", code=2)
    assert command(used, "log", "/x", "-n", "0") == ""


def test_a_run_keeps_within_the_budget(used):
    used.write_files({"pyproject.toml": "[tool.ddsimport]\nbudget = '9 MB'\n"})
    for number in range(10, 20):
        used.run("main.py", str(number))
    kept = [each["kept"] for each in lines(command(used, "log", "/x", "--json"))]
    assert kept[0] and kept.count(True) < 5
    used.write_files({"pyproject.toml": "[tool.ddsimport]\nbudget = '1 MB'\n"})
    ended = used.python("-m", "ddsimport", "main.py", "30")
    assert "more than its budget of 0.001 GB" in ended.stderr
    used.write_files({"pyproject.toml": "[tool.ddsimport]\nbudget = 'a lot'\n"})
    assert used.python("-m", "ddsimport", "main.py", "30").returncode == 2


def test_verify(used):
    assert command(used, "verify") == "nothing is damaged\n"
    entry = next((used.root / ".dds/entries/v1").glob("*/*"))
    entry.write_bytes(entry.read_bytes()[:-5])
    assert "the entry is damaged" in command(used, "verify", "-n", code=1)
    assert lines(command(used, "verify", "--json", code=1))[0]["mended"]
    assert command(used, "verify") == "nothing is damaged\n"


def test_without_a_store(project):
    for words in (["gc"], ["log", "/x"], ["verify"]):
        assert "there is no store at" in command(project, *words, code=2)
    assert not (project.root / ".dds").exists()


def test_namespaces_have_paths_of_their_own_over_the_same_blobs(used):
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(used.root)]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    used.write_files({"pyproject.toml": "[tool.ddsimport]\nnamespace = 'git'\n"})
    used.run("main.py", "1")
    subprocess.run([*git, "checkout", "-q", "-b", "feature/trees"], check=True)
    assert used.run("main.py", "2").evaluated() == set()
    shown = {
        name: (used.root / ".dds" / name / "data/x").read_bytes()[0]
        for name in (".", "namespaces/main", "namespaces/feature~trees")
    }
    assert shown == {".": 3, "namespaces/main": 1, "namespaces/feature~trees": 2}
    used.write(show="import ddsimport\nprint(ddsimport.load('/x')[0])\n")
    assert used.python("show.py").stdout == "2\n"
    assert len(lines(command(used, "log", "/x", "--json"))) == 1
    assert len(lines(command(used, "log", "/x", "--json", "--namespace", "main"))) == 1
    assert len(lines(command(used, "--namespace", "main", "log", "/x", "--json"))) == 1
    assert used.run("--namespace", "other", "main.py", "3").evaluated() == set()
    for wrong in ("../up", "a/../b", "nul", "a\0b"[:1] + ":"):
        ended = used.python("-m", "ddsimport", "--namespace", wrong, "main.py", "1")
        assert ended.returncode == 2 and "namespace" in ended.stderr


def test_nothing_is_pickled_if_so_asked(project):
    project.write(
        main="""
        def plain():
            return [1, 2]
        def odd():
            return {1, 2}
        x = plain()  # dds: /x
        y = odd()  # dds: /y
        print(x, y)
        """
    )
    project.same()
    assert project.same().evaluated() == set()
    project.write_files({"pyproject.toml": "[tool.ddsimport]\npickle = false\n"})
    for _ in range(2):  # also what is there as a pickle is not read
        ended = project.same()
        assert ended.statuses == {"/x": "hit", "/y": "uncached"}
        reason = next(step["reason"] for step in ended.steps if step["path"] == "/y")
        assert "`pickle = false` rules it out" in reason


@pytest.mark.parametrize("name", cli._SUBCOMMANDS)
def test_every_command_takes_json_and_says_its_exit_codes(project, name):
    said = command(project, name, "--help")
    if name == "key":  # has commands of its own
        said += command(project, name, "list", "--help")
    assert "--json" in said and "exit codes: 0 " in said


def test_the_demo_in_json(project):
    for needed in ("matplotlib", "pandas", "pyarrow", "sklearn"):
        pytest.importorskip(needed)
    first, *runs, last = lines(command(project, "demo", "--json", "wine"))
    assert first == {"folder": str(project.root / "wine")}
    assert [run["exit_code"] for run in runs] == [0] * 5
    ran = [sum(step["status"] != "hit" for step in run["steps"]) for run in runs]
    assert ran[0] == len(runs[0]["steps"]) and ran[1:3] == [0, 0] and 0 < ran[3] < ran[0]
    assert len(last["paths"]) >= ran[0]
    assert "is not empty" in command(project, "demo", "wine", code=2)
