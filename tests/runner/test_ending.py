"""How commands end, whatever their streams are: with an exit code, and without a traceback."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ddsimport import cli
from tests.projects import ROOT, Project

if not os.path.exists("/dev/full"):
    pytest.skip("no disk that is always full", allow_module_level=True)

COMMANDS = {
    "--help": 0,
    "--version": 0,
    "--show main.py": 0,
    "--completion bash": 0,
    "--nonsense": 2,
    "plan main.py --check": 0,
    "plan --help": 0,
    "plan nowhere.py": 2,
    "ls": 0,
    "ls --store nowhere": 2,
    "show /größe": 0,
    "lint main.py": 1,
    "doctor": 0,
    "why": 0,
    "key list": 0,
}


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """Tests do not change its store."""
    project = Project(tmp_path_factory.mktemp("used") / "project")
    project.write(main="grün = 'ü' * 3  # dds: /größe\n")
    project.run("main.py")
    ended(project, "key create")
    return project


def ended(project, words, out="", err="", runner=("-m", "ddsimport"), **variables):
    """(exit code, what it wrote) of a command.

    Args:
        out, err: what these streams are: `gone` (a pipe that nobody reads), `closed` or `full`.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DDSIMPORT_KEYS": f"{project.root}/keys"}
    environment.pop("PYTHONUNBUFFERED", None)

    def close():
        for descriptor, kind in ((1, out), (2, err)):
            if kind == "closed":
                os.close(descriptor)

    reader, nobody = os.pipe()
    os.close(reader)
    with open("/dev/full", "wb") as full, open(os.devnull, "wb") as null:
        streams = {"gone": nobody, "full": full, "closed": null, "": subprocess.PIPE}
        process = subprocess.run(
            [sys.executable, *runner, *words.split()],
            cwd=project.root,
            env={**environment, **variables},
            stdout=streams[out],
            stderr=streams[err],
            preexec_fn=close,
            timeout=120,
            check=False,
        )
    os.close(nobody)
    return process.returncode, ((process.stdout or b"") + (process.stderr or b"")).decode()


UNBUFFERED = {"PYTHONUNBUFFERED": "1"}


@pytest.mark.parametrize("words", COMMANDS)
def test_nobody_reads(used, words):
    """Nothing is said of it; a text that was cut short is no failure."""
    code, written = ended(used, words, "gone")
    assert code == COMMANDS[words] and ("error" in written or "can't" in written) == (code == 2)
    assert "Traceback" not in written and "BrokenPipe" not in written
    code, written = ended(used, words, "gone", **UNBUFFERED)
    assert code in (0, COMMANDS[words])
    assert "Traceback" not in written and "BrokenPipe" not in written
    assert ended(used, words, "gone", "gone")[0] in (0, COMMANDS[words])


@pytest.mark.parametrize("words", COMMANDS)
def test_closed_streams(used, words):
    for out, err in (("closed", ""), ("", "closed"), ("closed", "closed")):
        code, written = ended(used, words, out, err)
        assert code == COMMANDS[words]
        assert "Traceback" not in written


@pytest.mark.parametrize("words", [words for words, code in COMMANDS.items() if code < 2])
@pytest.mark.parametrize("buffered", [True, False])
def test_a_full_disk(used, words, buffered):
    if words.endswith(" --help") and not buffered:
        pytest.skip("argparse keeps that to itself")
    said = "ddsimport: error: [Errno 28] No space left on device\n"
    assert ended(used, words, "full", **({} if buffered else UNBUFFERED)) == (2, said)


@pytest.mark.parametrize("words", COMMANDS)
def test_letters_that_a_stream_does_not_take(used, words):
    code, written = ended(used, words, PYTHONIOENCODING="ascii")
    assert code == COMMANDS[words]
    assert "Traceback" not in written
    if words == "show /größe":
        assert r"\xfc\xfc\xfc" in written


def test_interrupted(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("ddsimport.commands.ls.main", interrupt)
    assert cli.main(["ls"]) == 130


@pytest.mark.parametrize("variables", [{}, UNBUFFERED, {"PYTHONIOENCODING": "ascii"}])
@pytest.mark.parametrize("out", ["", "gone", "closed", "full"])
@pytest.mark.parametrize("err", ["", "gone", "closed"])
def test_the_streams_of_a_program_are_its_own(project, variables, out, err):
    """What is done for our commands must not be done for it: the oracle is plain Python."""
    project.write(main="import sys\nx = 'ü' * 3  # dds: /x\nprint(x, sys.stdout, sys.stderr)\n")
    plainly = ended(project, "main.py", out, err, runner=(), **variables)
    for _ in range(2):
        under = ended(project, "-q main.py", out, err, **variables)
        assert under == plainly
