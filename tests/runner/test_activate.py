"""`import ddsimport.activate`: the script's own steps too, or a warning; never silence."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

import ddsimport

FIRST = {
    "alone": "import ddsimport.activate\n",
    "under a docstring": '"""What it does."""\nimport ddsimport.activate\n',
    "under comments": "#!/usr/bin/python3\n# coding: utf-8\n\n# why\nimport ddsimport.activate\n",
    "under a future": (
        '"""Doc."""\nfrom __future__ import annotations\nimport ddsimport.activate\n'
    ),
    "from the package": "from ddsimport import activate\n",
    "renamed": "import ddsimport.activate as _\n",
    "with others": "import ddsimport.activate, os\n",
    "on two lines": "from ddsimport import (\n    activate,\n)\n",
    "before another": "import ddsimport.activate; import os\n",
}

BODY = """
import json, sys
def f(n):  # dds: /f/{n}
    return n + 1
x = f(1)
print(json.dumps({
    "handled": "__dds__" in f.__code__.co_names,
    "argv": sys.argv,
    "first": sys.path[0],
    "name": __name__,
    "flags": [sys.flags.optimize, sys.dont_write_bytecode, sys.flags.utf8_mode, sys.warnoptions],
    "excepthook": sys.excepthook is sys.__excepthook__,
}))
"""


def said(ended):
    assert ended.stdout, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def quietly(ended):
    """What the program said, after a run that warned of nothing."""
    assert "Warning" not in ended.stderr
    assert ended.returncode == 0, ended.stderr
    return said(ended)


def warned(ended, *phrases):
    """What the program said, after a run that warned, once, of its own steps."""
    assert ended.stderr.count("DdsimportWarning") == 1, ended.stderr
    for phrase in phrases:
        assert phrase in ended.stderr
    seen = said(ended)
    assert not seen["handled"]
    return seen


@pytest.mark.parametrize("form", FIRST)
def test_the_first_statement(project, form):
    project.write(main=FIRST[form] + BODY)
    seen = quietly(project.python("main.py", "a", "-b", "--", "-m"))
    assert seen["handled"]
    assert seen["argv"] == ["main.py", "a", "-b", "--", "-m"]
    assert seen["first"] == str(project.root)
    assert seen["name"] == "__main__"
    assert seen["excepthook"]


@pytest.mark.parametrize(
    "words",
    [
        ("-m", "main", "-m", "main"),
        ("-mmain", "a"),
        ("-um", "main"),
        ("-W", "ignore", "main.py", "-W", "error"),
        ("-Wignore", "-O", "-X", "utf8", "main.py"),
        ("-BOW", "ignore", "-Xutf8", "main.py", "main.py"),
        ("--check-hash-based-pycs", "always", "main.py"),
        ("--", "main.py", "--", "x"),
        ("./main.py",),
        ("../project/main.py",),
        ("-m", "package.inner", "b"),
        ("-m", "package", "b"),
        ("package/inner.py",),
        ("demo",),
    ],
    ids=" ".join,
)
def test_every_command_line(project, words):
    """The interpreter's options, the script and its arguments all come through the new start."""
    text = "import ddsimport.activate\n" + BODY
    project.write(main=text)
    project.write(
        **{"package/__init__": "", "package/inner": text, "package/__main__": text, "demo": text}
    )
    (project.root / "demo.py").rename(project.root / "demo")
    plainly = project.root / "plain"
    plainly.mkdir()
    before = said(project.python(*words, environment={"PYTHONPATH": str(_inert(plainly))}))
    after = quietly(project.python(*words))
    assert not before.pop("handled")
    assert after.pop("handled")
    assert after == before


def _inert(folder):
    """A `ddsimport.activate` that does nothing: the oracle."""
    package = folder / "ddsimport"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "activate.py").touch()
    return folder


def test_an_interpreter_that_keeps_to_safe_paths(project):
    if sys.version_info < (3, 11):
        pytest.skip("-P came with Python 3.11")
    project.write(main="import ddsimport.activate\n" + BODY)
    seen = quietly(project.python("-P", "main.py"))
    assert seen["handled"]
    assert seen["first"] not in (str(project.root), str(Path(ddsimport.__file__).parent))


def test_far_away_from_an_uninstalled_ddsimport(project, tmp_path):
    """What is found beside the script need not be found from the working directory."""
    project.write(main="import ddsimport.activate\n" + BODY)
    (project.root / "ddsimport").symlink_to(Path(ddsimport.__file__).parent)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "dataclasses.py").write_text("raise SystemError('shadowed')")
    seen = quietly(
        project.python(str(project.root / "main.py"), cwd=elsewhere, environment={"PYTHONPATH": ""})
    )
    assert seen["handled"]


def test_exit_code_input_and_process_number_come_through(project):
    project.write(
        main="""
        import ddsimport.activate
        import os, sys
        x = 1  # dds: /x
        print(os.getppid() == int(os.environ["PARENT"]), sys.stdin.read())
        sys.exit(7)
        """
    )
    ended = project.python("main.py", input="typed", environment={"PARENT": str(os.getpid())})
    assert (ended.stdout, ended.returncode) == ("True typed\n", 7)


def test_nothing_is_left_in_the_environment(project):
    project.write(
        main="""
        import ddsimport.activate
        import os
        x = 1  # dds: /x
        print(sorted(os.environ))
        """,
        other="import os\nprint(sorted(os.environ))",
    )
    assert project.python("main.py").stdout == project.python("other.py").stdout


def test_children_that_activate_start_anew_themselves(project):
    """A guard in the environment would have kept them from it."""
    project.write(
        main="""
        import ddsimport.activate
        import subprocess, sys
        x = 1  # dds: /x
        print(subprocess.run([sys.executable, "child.py"], capture_output=True, text=True).stdout)
        """,
        child="import ddsimport.activate\n" + BODY,
    )
    assert json.loads(project.python("main.py").stdout)["handled"]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers(project, method):
    project.write(
        main="""
        import ddsimport.activate
        import multiprocessing, sys
        import helper
        def square(n):  # dds: /square/{n}
            return n * n
        def seen(_):
            return ["__dds__" in f.__code__.co_names for f in (square, helper.cube)]
        if __name__ == "__main__":
            with multiprocessing.get_context(sys.argv[1]).Pool(1) as pool:
                print(pool.map(seen, [0]), pool.map(square, [2]))
        """,
        helper="def cube(n):  # dds: /cube/{n}\n    return n ** 3\n",
    )
    ended = project.python("main.py", method)
    assert ended.stdout == "[[True, True]] [4]\n", ended.stderr


def test_workers_of_a_script_without_steps(project):
    """Without a new start; activation under the main guard, which workers do not run."""
    project.write(
        main="""
        import multiprocessing, sys
        def seen(_):
            import helper
            return "__dds__" in helper.cube.__code__.co_names
        if __name__ == "__main__":
            import ddsimport.activate
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.map(seen, [0]))
        """,
        helper="def cube(n):  # dds: /cube/{n}\n    return n ** 3\n",
    )
    ended = project.python("main.py")
    assert (ended.stdout, ended.returncode) == ("[True]\n", 0), ended.stderr


# --- where nothing is to be done -----------------------------------------------------------------

MODULE = "def cube(n):  # dds: /cube/{n}\n    return n ** 3\n"
USES_MODULE = "import helper\nprint('__dds__' in helper.cube.__code__.co_names, helper.cube(2))\n"


def test_a_script_without_steps_is_not_started_anew(project):
    project.write(
        main="import ddsimport.activate, sys\nprint(len(sys.orig_argv))\n" + USES_MODULE,
        helper=MODULE,
    )
    ended = project.python("main.py")
    assert ended.stdout == "2\nTrue 8\n", ended.stderr
    assert "Warning" not in ended.stderr


def test_a_pragma_in_a_string_is_none(project):
    project.write(
        main="import ddsimport.activate, sys\ntext = '''\n# dds: /x\n'''\nprint(sys.orig_argv)"
    )
    ended = project.python("main.py")
    assert ended.stdout == f"{[sys.executable, 'main.py']}\n"
    assert ended.stderr == ""


def test_code_without_a_file_only_gets_the_hook(project):
    project.write(helper=MODULE)
    text = "import ddsimport.activate\n" + USES_MODULE
    for ended in (
        project.python("-c", text),
        project.python(input=text),
        project.python("-", input=text),
    ):
        assert ended.stdout == "True 8\n", ended.stderr
        assert "Warning" not in ended.stderr


def test_under_the_runner_there_is_nothing_left_to_do(project):
    project.write(main="import sys\n" + BODY + "\nimport ddsimport.activate\n")
    assert quietly(project.python("-m", "ddsimport", "main.py"))["handled"]


# --- where it would not be sound -----------------------------------------------------------------


@pytest.mark.parametrize(
    "start",
    [
        "import os\nimport ddsimport.activate\n",
        "x = 1\nimport ddsimport.activate\n",
        "if True:\n    import ddsimport.activate\n",
        "try:\n    import ddsimport.activate\nexcept ImportError:\n    pass\n",
        "import os, ddsimport.activate\n",
        "import uses_it\n",
        "def f():\n    import ddsimport.activate\nf()\n",
        "import ddsimport\nimport ddsimport.activate\n",
    ],
)
def test_not_the_first_statement(project, start):
    project.write(main=start + BODY, uses_it="import ddsimport.activate\n")
    file = str(project.root / "main.py")
    warned(project.python("main.py"), "first statement", f"python -m ddsimport {file}")


def test_the_warning_stands_at_the_import(project):
    project.write(main="import os\n\nimport ddsimport.activate\n" + BODY)
    assert f"{project.root / 'main.py'}:3: DdsimportWarning" in project.python("main.py").stderr


TOOLS = {
    "pdb": ("-m", "pdb", "-c", "continue", "-c", "quit"),
    "coverage": ("-m", "coverage", "run"),
    "profile": ("-m", "cProfile", "-o", "profile.out"),
    "trace": ("-m", "trace", "--count", "-C", "covered"),
    "runpy": (
        "-c",
        "import runpy, sys; sys.argv = ['main.py']; runpy.run_path('main.py', {}, '__main__')",
    ),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_under_a_tool_that_runs_the_script(project, tool):
    if tool == "coverage":
        pytest.importorskip("coverage")
    project.write(main="import ddsimport.activate\n" + BODY)
    words = TOOLS[tool] if tool == "runpy" else (*TOOLS[tool], "main.py")
    ended = project.python(*words, input="")
    assert "DdsimportWarning" in ended.stderr, ended.stderr
    # Some tools give the script's name as it was typed.
    named = re.search("let that run `-m ddsimport (.*)`", ended.stderr)
    assert named and project.root / named[1] == project.root / "main.py"
    assert '"handled": false' in ended.stdout


@pytest.mark.parametrize("variable", [{}, {"PYTHONINSPECT": "1"}])
def test_interactive(project, variable):
    project.write(main="import ddsimport.activate\n" + BODY)
    options = () if variable else ("-i",)
    ended = project.python(*options, "main.py", environment=variable, input="")
    warned(ended, "-i", f"python -i -m ddsimport {project.root / 'main.py'}")


def test_a_tracer_at_work(project):
    project.write(
        main="import ddsimport.activate\n" + BODY,
        sitecustomize="import sys\nsys.settrace(lambda *_: None)\n",
    )
    path = f"{project.root}:{Path(ddsimport.__file__).parent.parent}"
    warned(project.python("main.py", environment={"PYTHONPATH": path}), "debugger")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring came with Python 3.12")
def test_a_monitoring_tool_at_work(project):
    project.write(
        main="import ddsimport.activate\n" + BODY,
        sitecustomize="import sys\nsys.monitoring.use_tool_id(0, 'debugger')\n",
    )
    path = f"{project.root}:{Path(ddsimport.__file__).parent.parent}"
    warned(project.python("main.py", environment={"PYTHONPATH": path}), "debugger")


def test_a_test_suite(project):
    project.write(
        test_it="""
        import helper
        def test():
            assert "__dds__" in helper.cube.__code__.co_names
        """,
        conftest="import ddsimport.activate",
        helper=MODULE,
    )
    ended = project.python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error")
    assert ended.returncode == 0, ended.stdout


# --- what came too early -------------------------------------------------------------------------


def test_marked_modules_that_were_imported_before_are_named(project):
    project.write(
        main="import helper, other\nimport ddsimport.activate\nprint('ran')\n",
        helper=MODULE,
        other="x = 1\n",
    )
    ended = project.python("main.py")
    assert ended.stdout == "ran\n"
    assert ended.stderr.count("DdsimportWarning") == 1
    assert "helper" in ended.stderr
    assert "other" not in ended.stderr.replace("import helper, other", "")


def test_a_wrong_pragma_is_shown_as_the_runner_shows_it(project):
    project.write(main="import ddsimport.activate\nx = 1  # dds: no-slash\n")
    activated = project.python("main.py")
    run = project.python("-m", "ddsimport", "main.py")
    assert activated.stderr == run.stderr
    assert activated.returncode == run.returncode == 1
    assert "PragmaError" in run.stderr
    assert "Traceback" not in run.stderr
