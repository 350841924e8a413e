"""The runner's acceptance test: every program ends, prints and fails as under plain `python`."""

from __future__ import annotations

import json
import os
import re
import sys
from textwrap import dedent

import pytest
from programs import COMPANIONS, PROGRAMS
from worlds import WORLD


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_script(project, name):
    project.write(main=PROGRAMS[name], **COMPANIONS)
    if "latin" in name:
        (project.root / "main.py").write_text(PROGRAMS[name], encoding="latin-1")
    project.same("main.py", "one", "-q", "--", "two words")


WITH_A_STEP = (
    "an exception in a thread",
    "asyncio",
    "an excepthook that fails",
    "chained",
    "destructors at the end",
    "exit with a message",
    "interrupted",
    "interrupted by a signal",
    "a forked child",
    "own excepthook",
    "pickled by reference",
    "recursion as deep as it may",
    "recursion without an end",
    "standard error replaced",
    "terminated",
    "tracing",
    "types looked up in main",
    "uncaught in a multi-line expression",
    "warnings",
)


@pytest.mark.parametrize("name", WITH_A_STEP)
def test_a_script_with_a_step(project, name):
    """The same with our runtime at work, on a miss and on a hit, in the lines above and below."""
    text = dedent(PROGRAMS[name])
    future = "from __future__ import annotations\n"
    text = future * text.startswith("\n" + future) + "import math\n" + text.replace(future, "")
    text = text.replace("import math\n", "import math\nstep = [math.pi]  # dds: /step\n")
    project.write(main=text, **COMPANIONS)
    assert project.same().statuses in ({"/step": "computed"}, {})
    assert project.same().statuses in ({"/step": "hit"}, {})


def test_what_the_program_holds_ends_with_it(project):
    """What is remembered of its functions, or waits in its modules, keeps none of it alive."""
    project.write(
        main="""
        class Thing:
            def __init__(self, name):
                self.name = name
            def __del__(self):
                print("gone", self.name)
        def work(n):
            return [n + 1]
        def other():
            return one.name
        value = work(1)  # dds: /value
        more = work(value[0])  # dds: /more
        one = Thing("one")
        two = [Thing("two")]
        two.append(two)
        """
    )
    assert project.same().evaluated() == {"/value", "/more"}
    assert not any(step["loaded"] for step in project.same().steps[1:])


AS_MODULES = (
    "arguments",
    "at exit",
    "at exit after an exception",
    "chained",
    "destructors at the end",
    "exit code",
    "exit with a message",
    "import error",
    "interrupted by a signal",
    "main imported",
    "own excepthook",
    "pickled by reference",
    "recursion as deep as it may",
    "recursion without an end",
    "syntax error",
    "terminated",
    "uncaught deep inside",
    "warnings",
)


@pytest.mark.parametrize("name", ["wrong", "wrong_marked", "failing", "failing_marked"])
def test_a_module_that_is_wrong(project, name):
    project.write(**COMPANIONS)
    project.same("-m", name)


@pytest.mark.parametrize("name", AS_MODULES)
def test_a_module(project, name):
    project.write(main=PROGRAMS[name], **COMPANIONS)
    project.same("-m", "main", "one", "-m", "two words")


# --- what a program sees of its start ------------------------------------------------------------


def worlds_agree(project, *arguments, interpreter=(), **options):
    """Compare field by field, so that a failure says which."""
    plainly = project.python(*interpreter, *arguments, **options)
    under = project.python(*interpreter, "-m", "ddsimport", "-q", *arguments, **options)
    assert plainly.returncode == 0, plainly.stderr
    assert (under.stderr, under.returncode) == (plainly.stderr, 0)
    assert json.loads(under.stdout) == json.loads(plainly.stdout)


WAYS = {
    "script": ("main.py", "a", "-b"),
    "script here": ("./main.py",),
    "script by a detour": (".//package/..//main.py",),
    "script in a package": ("package/inner.py",),
    "script above": ("../project/main.py",),
    "script through a link": ("link.py",),
    "script without a suffix": ("program",),
    "script called demo": ("./demo",),
    "module": ("-m", "main", "a", "-b"),
    "joined module": ("-mmain", "a"),
    "module in a package": ("-m", "package.inner", "a"),
    "package": ("-m", "package", "a"),
    "package without a file": ("-m", "space.inner"),
}


@pytest.fixture
def world(project):
    project.write(main=WORLD)
    files = ("package/__init__", "package/__main__", "package/inner", "space/inner")
    project.write(**dict.fromkeys(files, WORLD))
    (project.root / "package" / "__init__.py").write_text("import sys; first = list(sys.argv)")
    (project.root / "link.py").symlink_to("package/inner.py")
    for name in ("program", "demo"):
        (project.root / name).write_text(WORLD)
    return project


@pytest.mark.parametrize("way", WAYS)
def test_the_world(world, way):
    worlds_agree(world, *WAYS[way])


def test_the_world_of_a_script_far_away(world, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    worlds_agree(world, str(world.root / "main.py"), cwd=elsewhere)


@pytest.mark.parametrize(
    "options",
    [
        ("-O", "-W", "error", "-Wignore::UserWarning", "-u"),
        ("-OOBbs", "-X", "dev", "-Xutf8"),
        ("-q",),
        pytest.param(
            ("-P",),
            marks=pytest.mark.skipif(sys.version_info < (3, 11), reason="-P came with Python 3.11"),
        ),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("way", ["script", "module in a package"])
def test_options_of_the_interpreter(world, options, way):
    if options == ("-P",) and way != "script":
        pytest.skip("-P leaves no folder to find the module in")
    worlds_agree(world, *WAYS[way], interpreter=options)


def test_variables_of_the_interpreter(world):
    environment = {"PYTHONOPTIMIZE": "1", "PYTHONWARNINGS": "error", "PYTHONUTF8": "1"}
    if sys.version_info >= (3, 11):
        environment["PYTHONSAFEPATH"] = "1"
    worlds_agree(world, "main.py", environment=environment)


# --- other ways for a run to end or begin --------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("missing.py",),
        ("package/missing.py", "a"),
        ("./é.py",),
        ("-m", "missing"),
        ("-m", "missing.inner"),
        ("-m", "package.missing"),
        ("-m", "main.py"),
        ("-m", ".main"),
        ("-m", "package.folder"),
    ],
    ids=" ".join,
)
def test_a_program_that_is_not_there(project, arguments):
    project.write(main="print(1)", **{"package/__init__": "", "package/folder/inner": ""})
    project.same(*arguments)


def test_a_script_that_may_not_be_read(project):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    project.write(main="print(1)")
    (project.root / "main.py").chmod(0)
    project.same("main.py")


@pytest.mark.parametrize("name", ["hello", "uncaught", "exit code", "syntax error"])
def test_interactive_afterwards(project, name):
    project.write(main=PROGRAMS[name] + "\nx = 41\n")
    typed = "print('x' in globals(), __name__, '__file__' in globals())\nimport sys\n"
    typed += "getattr(sys, 'last_traceback', 'none')\nimport traceback\n"
    typed += "traceback.print_last() if hasattr(sys, 'last_type') else None\n"
    plainly = project.python("-i", "-q", "main.py", input=typed)
    under = project.python("-i", "-q", "-m", "ddsimport", "main.py", input=typed)
    assert _without_addresses(under.stdout) == _without_addresses(plainly.stdout)
    assert under.stderr == plainly.stderr
    assert under.returncode == plainly.returncode


def _without_addresses(text):
    return re.sub(r"0x[0-9a-f]+", "0x", text)


def test_a_script_from_a_pipe(project):
    """`python <(command)`: what can be read only once is read once."""
    text = "import sys; print(sys.argv, __file__)"
    plainly = project.python("/dev/stdin", input=text)
    under = project.python("-m", "ddsimport", "-q", "/dev/stdin", input=text)
    assert (under.stdout, under.stderr) == (plainly.stdout, plainly.stderr)
