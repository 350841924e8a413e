"""When and where a whole program's run is told: last, on standard error, by one process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import ddsimport

ADD = """
from ddsimport import report
from ddsimport.report import Event
def step(status="computed", path="/x"):
    report.current().add(Event(path, "main", 1, status, "", 0.5, 0.0, "why"))
"""
LINE = "ddsimport: 1 step: 1 computed; 500 ms spent"


def run(project, text, *options, **more):
    project.write(main=text, steps=ADD)
    return project.python(
        *more.pop("interpreter", ()), "-m", "ddsimport", *options, "main.py", **more
    )


LAST = {
    "a program": "print('out')",
    "an atexit function": "import atexit, sys; atexit.register(print, 'late', file=sys.stderr)",
    "a traceback": "1 / 0",
    "sys.exit": "import sys; sys.exit('message')",
    "an interrupt": "raise KeyboardInterrupt",
    "an own hook": "import sys; sys.excepthook = lambda *_: print('mine', file=sys.stderr)\n1 / 0",
    "a thread": (
        "import sys, threading, time\n"
        "def f():\n    time.sleep(0.1); print('late', file=sys.stderr)\n"
        "threading.Thread(target=f).start()"
    ),
}


@pytest.mark.parametrize("name", LAST)
def test_the_summary_comes_last(project, name):
    text = f"from steps import step\nstep()\n{LAST[name]}\n"
    ended = run(project, text)
    plainly = project.python("main.py", environment={"PYTHONPATH": str(_without_words(project))})
    assert ended.stdout == plainly.stdout
    assert ended.stderr == plainly.stderr + LINE + "\n"
    assert ended.returncode == plainly.returncode


def _without_words(project):
    """A `steps` module that says nothing, found before the real one is not: the oracle."""
    (project.root / "steps.py").write_text("def step(*_): pass\n")
    return project.root


def test_the_summary_comes_after_what_standard_output_still_holds(project):
    project.write(main="from steps import step\nstep()\nprint('out')\n", steps=ADD)
    both = subprocess.run(
        [sys.executable, "-m", "ddsimport", "main.py"],
        cwd=project.root,
        env={"PYTHONPATH": str(Path(ddsimport.__file__).parent.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert both.stdout == f"out\n{LINE}\n"


@pytest.mark.parametrize(
    ("options", "interpreter"), [(("-q",), ()), (("--quiet",), ()), ((), ("-q",))]
)
def test_quiet(project, options, interpreter):
    ended = run(project, "from steps import step\nstep()", *options, interpreter=interpreter)
    assert (ended.stdout, ended.stderr) == ("", "")


def test_no_step_no_word(project):
    ended = run(project, "print(1)", "-v")
    assert (ended.stdout, ended.stderr) == ("1\n", "")


def test_verbose(project):
    text = (
        "import sys\nfrom steps import step\nstep()\nprint('between', file=sys.stderr)\nstep('hit')"
    )
    lines = run(project, text, "-v").stderr.splitlines()
    assert [line.split()[1] for line in lines if "ddsimport" in line] == ["computed", "hit", "2"]
    assert lines[1] == "between"


@pytest.mark.parametrize("how", ["flag", "variable", "file"])
def test_the_report(project, how):
    options, environment = (), {}
    if how == "flag":
        options = ("--report", "out/report.json")
    elif how == "variable":
        environment = {"DDSIMPORT_REPORT": "out/report.json"}
    else:
        (project.root / "pyproject.toml").write_text(
            "[tool.ddsimport]\nreport = 'out/report.json'\nquiet = true"
        )
    (project.root / "out").mkdir()
    text = "import os\nfrom steps import step\nstep()\nos.chdir('/')\nstep('failed', '/y')\n1 / 0"
    ended = run(project, text, *options, environment=environment)
    assert ended.returncode == 1
    assert bool(ended.stderr.count("2 steps")) == (how != "file")
    read = json.loads((project.root / "out" / "report.json").read_text())
    assert [(step["path"], step["status"]) for step in read["steps"]] == [
        ("/x", "computed"),
        ("/y", "failed"),
    ]


def test_an_interrupt_stays_one(project):
    """Running any text at the end makes the interpreter forget that the program was interrupted."""
    text = """
        from ddsimport import report
        report.current().at_end.append(lambda: exec("import collections"))
        raise KeyboardInterrupt
    """
    ended = run(project, text)
    assert ended.returncode == project.python("main.py").returncode != 1


@pytest.mark.parametrize("way", ["os.fork", "multiprocessing"])
def test_only_the_process_that_began_tells(project, way):
    child = {
        "os.fork": """
            child = os.fork()
            if child == 0:
                step()
                sys.exit(0)
            os.waitpid(child, 0)
        """,
        "multiprocessing": """
            process = multiprocessing.get_context("fork").Process(target=step)
            process.start()
            process.join()
        """,
    }[way]
    text = f"""
            import multiprocessing, os, sys
            from ddsimport import report
            from steps import step
            step()
            report.current().at_end.append(lambda: print("closed", flush=True))
            {child}
    """
    ended = run(project, text, "--report", "report.json")
    assert ended.stderr == LINE + "\n"
    assert ended.stdout == "closed\n"
    assert len(json.loads((project.root / "report.json").read_text())["steps"]) == 1


@pytest.mark.parametrize(
    ("shell", "code"),
    [("2>&-", 3), ("2>/dev/full", 3), ("2> >(exec 0<&-; sleep 1)", 3), ("1>&- 2>&-", 3)],
    ids=["closed", "full", "broken pipe", "both closed"],
)
def test_standard_error_that_takes_nothing(project, shell, code):
    """Neither an exception nor another exit code: the interpreter's last flush finds nothing."""
    project.write(
        main="import sys, time\nfrom steps import step\nstep()\ntime.sleep(0.3)\nsys.exit(3)",
        steps=ADD,
    )
    for options in ("", "-v"):
        command = f"exec {sys.executable} -m ddsimport {options} main.py {shell}"
        ended = subprocess.run(
            ["bash", "-c", command],
            cwd=project.root,
            env={
                "PYTHONPATH": str(Path(ddsimport.__file__).parent.parent),
                "PATH": "/usr/bin:/bin",
            },
            capture_output=True,
            text=True,
        )
        assert (ended.stdout, ended.stderr, ended.returncode) == ("", "", code)


def test_the_programs_own_standard_error_is_not_ours(project):
    """What a program collects there is what it would collect without us."""
    text = """
        import contextlib, io, sys
        from steps import step
        with contextlib.redirect_stderr(io.StringIO()) as caught:
            step()
        print(repr(caught.getvalue()))
        sys.stderr = io.StringIO()
    """
    ended = run(project, text, "-v")
    assert ended.stdout == "''\n"
    assert ended.stderr.count("ddsimport:") == 2


def test_without_a_runner_the_run_is_told_too(project):
    project.write(main="from steps import step\nstep()\nprint('out')", steps=ADD)
    ended = project.python("main.py")
    assert (ended.stdout, ended.stderr) == ("out\n", LINE + "\n")


def test_notes_of_the_configuration_are_said_once(project):
    (project.root / "pyproject.toml").write_text("[tool.ddsimport\n")
    ended = run(project, "from steps import step\nstep()")
    assert ended.stderr.count("not valid TOML") == 1
    assert ended.stderr.count("\n") == 2
    assert "TOML" not in run(project, "from steps import step\nstep()", "-q").stderr
