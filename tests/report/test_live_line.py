"""The live line on a real pseudo-terminal: there while a step runs, gone without a trace.

A terminal emulator tells what a user sees in the end; plain Python on the same terminal is the
oracle.
"""

from __future__ import annotations

import sys
import textwrap

import pytest

from tests.projects import ROOT

if sys.platform == "win32":
    pytest.skip("no pseudo-terminals", allow_module_level=True)
pytest.importorskip("pyte")

from tests.terminals import COLUMNS, ROWS, on_terminal, seen

# The same, with a line that appears sooner, so that the tests need not wait.
_HURRIED = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import ddsimport.runtime.progress as progress
progress._QUICK, progress._TICK = 0.1, 0.02
from ddsimport.cli import main
sys.path[0] = ""
sys.exit(main(sys.argv[1:]))
"""
LINE = b"ddsimport: /x (__main__:"


def both(tmp_path, program, *options, words=(), **how):
    """(plainly, under ddsimport) on a terminal, in a folder of their own each."""
    found = []
    for name, command in (("plain", ()), ("ours", ("-c", _HURRIED, *options))):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "pyproject.toml").touch()
        (folder / "main.py").write_text(textwrap.dedent(program))
        found.append(on_terminal(folder, *words, *command, "main.py", **how))
    return found


def without_summary(lines):
    """Nothing of ours but the summary may be left, and that comes last."""
    place = next(i for i, line in enumerate(lines) if line.startswith("ddsimport: 1 step"))
    return lines[:place]


def same(plain, ours):
    assert without_summary(ours.screen) == plain.screen
    assert ours.code == plain.code


PRINTING = """
import sys, time
def slow():
    time.sleep(0.25)
    print("a line")
    print("begun ... ", end="", flush=True)
    time.sleep(0.25)
    print("done")
    print("5 %", end="\\r", flush=True)
    time.sleep(0.25)
    print("an error", file=sys.stderr)
    for number in range(30):
        print("number", number)
    time.sleep(0.25)
    sys.stderr.write("half")
    sys.stderr.flush()
    time.sleep(0.25)
    sys.stdout.buffer.write(b" bytes\\n")
    sys.stdout.flush()
    time.sleep(0.25)
    return 1
print("before ", end="", flush=True)
x = slow()  # dds: /x
print("after", x)
"""


def test_what_is_left_on_the_screen_is_what_plain_python_leaves(tmp_path):
    plain, ours = both(tmp_path, PRINTING)
    same(plain, ours)
    assert ours.written.count(LINE) >= 5
    # It was really there, below what the program had begun to print; and gone at once.
    place = ours.written.index(LINE)
    shown = seen(ours.written[: ours.written.index(b"\x1b8", place) + 2])
    assert shown[0] == "before" and shown[1].startswith("ddsimport: /x (__main__:")
    gone = seen(ours.written[: ours.written.index(b"a line")])
    assert gone == ["before"]


def test_at_the_bottom_of_the_screen(tmp_path):
    above = f"for number in range({ROWS * 2}): print(number)\nprint('x' * 70, end='', flush=True)\n"
    plain, ours = both(tmp_path, above + PRINTING.replace("before ", "before" * 4))
    same(plain, ours)
    assert LINE in ours.written


def test_a_line_that_has_begun_and_is_just_full(tmp_path):
    program = f"""
    import time
    def slow():
        print()
        print("x" * {COLUMNS}, end="", flush=True)
        time.sleep(0.4)
        print("y")
        time.sleep(0.4)
        return 1
    x = slow()  # dds: /x
    """
    plain, ours = both(tmp_path, program)
    assert plain.screen[2] == "y"
    same(plain, ours)
    assert LINE in ours.written


@pytest.mark.parametrize("path", ["/x", "/größe", "/" + 20 * "größe"])
def test_it_tells_how_long_it_took_before(tmp_path, path):
    """However long the path is, and though a letter may take two columns of the 80."""
    program = """
    import time
    def slow():
        time.sleep(1.6)
        return N
    N = 1
    x = slow()  # dds: /x
    """
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    file = folder / "main.py"
    for number in ("1", "22"):
        text = textwrap.dedent(program).replace("N = 1", f"N = {number}").replace("/x", path)
        file.write_text(text, encoding="utf-8")
        ours = on_terminal(folder, "-c", _HURRIED, "main.py")
    assert b", about 1 s left\x1b[K" in ours.written


BRIEF = """
import time
def slow():
    time.sleep(0.4)
    return 1
x = slow()  # dds: /x
"""


@pytest.mark.parametrize("options", [("-q",), ("-v",)])
def test_not_when_quiet_or_verbose(tmp_path, options):
    _, ours = both(tmp_path, BRIEF, *options)
    assert LINE not in ours.written


def test_not_where_others_may_write_to_the_terminal(tmp_path):
    _, ours = both(tmp_path, BRIEF, stdout="pipe")
    assert LINE not in ours.written
    child = """
    import subprocess, time
    def slow():
        time.sleep(0.4)
        child = subprocess.Popen("echo one; sleep 0.5; echo two; sleep 0.4; echo three", shell=True)
        time.sleep(0.6)
        child.wait()
        time.sleep(0.4)
        return 1
    x = slow()  # dds: /x
    """
    plain, ours = both(tmp_path / "child", child) if (tmp_path / "child").mkdir() is None else ()
    same(plain, ours)
    assert LINE in ours.written[: ours.written.index(b"one")]
    assert LINE not in ours.written[ours.written.index(b"one") :]


def test_not_while_another_program_rules_the_terminal(tmp_path):
    program = """
    import time, tty
    tty.setcbreak(0)
    def slow():
        time.sleep(0.6)
        return 1
    x = slow()  # dds: /x
    """
    plain, ours = both(tmp_path, program)
    same(plain, ours)
    assert LINE not in ours.written


def test_standard_output_in_a_file_has_the_bytes_of_plain_python(tmp_path):
    program = "import os; os.dup2(os.open('out', os.O_WRONLY | os.O_CREAT), 1)\n" + PRINTING
    _, ours = both(tmp_path, program)
    assert LINE in ours.written
    plain = (tmp_path / "plain/out").read_bytes()
    assert plain and (tmp_path / "ours/out").read_bytes() == plain


def test_no_thread_is_to_be_seen(tmp_path):
    program = """
    import atexit, sys, threading, time
    def slow():
        time.sleep(0.4)
        print(threading.active_count(), [each.name for each in threading.enumerate()])
        print(threading._shutdown.__module__, atexit._ncallbacks() < 10)
        return 1
    x = slow()  # dds: /x
    print(threading.active_count(), [each.name for each in threading.enumerate()])
    """
    plain, ours = both(tmp_path, program)
    same(plain, ours)
    assert LINE in ours.written


FORK = """
import os, time
def slow():
    time.sleep(0.4)
    child = os.fork()
    if child == 0:
        time.sleep(0.3)
        print("child")
        os._exit(0)
    os.waitpid(child, 0)
    time.sleep(0.3)
    print("parent")
    return 1
x = slow()  # dds: /x
if os.fork() == 0:
    print("another child")
    os._exit(0)
os.wait()
"""


def test_a_fork_meets_one_thread(tmp_path):
    """From Python 3.12 on, a fork with several is a warning."""
    plain, ours = both(tmp_path, FORK, words=("-W", "always"))
    assert plain.screen == ["child", "parent", "another child"]
    same(plain, ours)
    assert LINE in ours.written
    assert ours.written.rindex(LINE) < ours.written.index(b"child")


def test_an_interrupt_is_noticed_at_once(tmp_path):
    program = """
    import time
    def slow():
        print("ready")
        try:
            time.sleep(50)
        finally:
            print("interrupted")
    try:
        x = slow()  # dds: /x
    except KeyboardInterrupt:
        print("yes")
    """
    plain, ours = both(tmp_path, program, type_at=b"ready", timeout=40)
    assert plain.screen == ["ready", "^Cinterrupted", "yes"]
    same(plain, ours)
    assert LINE in ours.written


def test_a_user_who_types_meanwhile(tmp_path):
    """Enter moves the cursor on to the line."""
    program = """
    import time
    def slow():
        print("ready")
        time.sleep(2)
        print("hello")
        time.sleep(0.4)
        return 1
    x = slow()  # dds: /x
    """
    plain, ours = both(tmp_path, program, type_at=b"ready", typed=b"a\n")
    assert plain.screen == ["ready", "a", "hello"]
    same(plain, ours)
    place = ours.written.rindex(b"hello")
    assert ours.written[:place].count(LINE) >= 2


def test_a_step_that_raises(tmp_path):
    program = """
    import time
    def slow():
        time.sleep(0.4)
        raise SystemExit("no")
    x = slow()  # dds: /x
    """
    plain, ours = both(tmp_path, program)
    assert plain.screen == ["no"]
    same(plain, ours)
    assert LINE in ours.written


def test_steps_in_threads_and_in_steps(tmp_path):
    program = """
    import time
    from concurrent.futures import ThreadPoolExecutor
    def inner(n):  # dds: /inner/{n}
        time.sleep(0.4)
        print("inner", n)
        return n
    def outer():
        with ThreadPoolExecutor() as pool:
            list(pool.map(inner, [1]))
        time.sleep(0.4)
        return inner(2)
    x = outer()  # dds: /x
    """
    plain, ours = both(tmp_path, program)
    place = next(i for i, line in enumerate(ours.screen) if line.strip().startswith("path"))
    assert ours.screen[:place] == plain.screen
    assert b"/inner/2" in ours.written and LINE in ours.written


def test_quick_steps_cost_no_line(tmp_path):
    program = """
    for i in range(20):
        x = i + 1  # dds: /x/{i}
    """
    _, ours = both(tmp_path, program)
    assert b"\x1b7" not in ours.written
