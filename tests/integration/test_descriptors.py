"""Output that does not go through `print`: bytes, flushes, and what native code writes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_NATIVE = """
import ctypes, os, sys
def say(text):
    os.write(1, text.encode())
def native(text):
    ctypes.CDLL(None).dprintf(1, b"%s", text.encode())
def native_error(text):
    ctypes.CDLL(None).dprintf(2, b"%s", text.encode())
"""
_STEPS = {
    "bytes": """
def work():
    sys.stdout.buffer.write(b"\\xc3\\xa9 one\\n")
    return 1
""",
    "bytes between texts": """
def work():
    print("one")
    sys.stdout.flush()
    sys.stdout.buffer.write(b"two\\n")
    sys.stdout.buffer.flush()
    print("three")
    return 1
""",
    "bytes before texts that wait": """
def work():
    print("one")
    sys.stdout.buffer.write(b"two\\n")
    return 1
""",
    "flushed before an error": """
def work():
    print("one", flush=True)
    print("two", file=sys.stderr)
    print("three")
    print("four", file=sys.stderr)
    return 1
""",
    "flushed what was printed before": """
print("before")
def work():
    sys.stdout.flush()
    print("two", file=sys.stderr)
    return 1
""",
    "a text layer of its own": """
import io
def work():
    with open(sys.stdout.fileno(), "w", closefd=False) as own:
        own.write("one\\n")
    layer = io.TextIOWrapper(sys.stdout.buffer, write_through=True)
    layer.write("two\\n")
    layer.detach()
    return 1
""",
    "a write to the descriptor": """
def work():
    say("one\\n")
    return 1
""",
    "native code": """
def work():
    native("one\\n")
    print("two")
    native("three\\n")
    print("four", flush=True)
    native("five\\n")
    return 1
""",
    "native code to standard error": """
def work():
    native_error("one\\n")
    print("two", file=sys.stderr)
    native_error("three\\n")
    return 1
""",
    "native code in a step inside": """
def inner():
    print("three", flush=True)
    native("four\\n")
    return 2
def work():
    native("two\\n")
    y = inner()  # dds: /y
    native("five\\n")
    return y
""",
    "a child": """
import subprocess
def work():
    print("one", flush=True)
    subprocess.run(["sh", "-c", "echo two; echo three >&2"], check=True)
    return 1
""",
}
_BYTES = [name for name in _STEPS if name.startswith(("bytes", "flushed"))]


def _printed(project, *command, how="wb", apart=False):
    """What the program leaves in the files that its output goes to."""
    out, err = project.root / "out.log", project.root / "err.log"
    if how == "wb":
        out.unlink(missing_ok=True)
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    environment.pop("PYTHONUNBUFFERED", None)
    with open(out, how) as stdout, open(err, "wb") as stderr:
        subprocess.run(
            [sys.executable, *command],
            stdout=stdout,
            stderr=stderr if apart else subprocess.STDOUT,
            cwd=project.root,
            env=environment,
            check=True,
        )
    return out.read_bytes(), err.read_bytes()


def _under(project, **options):
    printed = _printed(project, "-m", "ddsimport", "-q", "--report", "r.json", "main.py", **options)
    return printed, '"computed"' in (project.root / "r.json").read_text()


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("step", _STEPS)
def test_output_in_a_file(project, step, apart):
    project.write(main=f"{_NATIVE}{_STEPS[step]}\nx = work()  # dds: /x\nprint(x)\n")
    plainly = _printed(project, "main.py", apart=apart)
    for evaluated in (True, False):
        assert _under(project, apart=apart) == (plainly, evaluated)


@pytest.mark.parametrize("step", _BYTES)
def test_bytes_in_a_pipe(project, step):
    project.write(main=f"{_NATIVE}{_STEPS[step]}\nx = work()  # dds: /x\nprint(x)\n")
    project.same()
    assert project.same().evaluated() == set()


def test_a_file_that_is_appended_to(project):
    """Others may write to it meanwhile: what is not ours must not be printed again."""
    project.write(main=f"{_NATIVE}{_STEPS['native code']}\nx = work()  # dds: /x\nprint(x)\n")
    for how in ("wb", "ab", "ab"):
        plainly, _ = _printed(project, "main.py", how=how)
    first = plainly[: len(plainly) // 3]
    assert plainly == first * 3
    (project.root / "out.log").write_bytes(b"")
    for times in (1, 2, 3):
        assert _under(project, how="ab")[0][0] == first * times


def test_our_own_lines_are_no_output_of_the_step_around(project):
    project.write(
        main="""
        import os
        def inner(n):
            return n + 1
        def outer(n):
            os.write(2, b"before\\n")
            y = inner(n)  # dds: /y
            print("after")
            return y * 2
        x = outer(1)  # dds: /x
        print(x)
        """
    )
    said = []
    for _ in range(3):
        out, err = _printed(project, "-m", "ddsimport", "-v", "main.py", apart=True)
        assert out == b"after\n4\n"
        said.append([line for line in err.decode().splitlines() if "/y" in line])
        assert err.decode().splitlines().count("before") == 1
    assert [len(lines) for lines in said] == [1, 0, 0]


@pytest.mark.parametrize("other", ["os.pipe()", "(None, os.open('other.log', os.O_RDWR))"])
def test_a_step_that_puts_something_else_in_the_place_of_a_descriptor(project, other):
    """As is done to capture what native code prints. Where that was a pipe, its `print` raised."""
    project.write(
        main=f"""
        import os, sys
        def work():
            kept = os.dup(1)
            _, other = {other}
            sys.stdout.flush()
            os.dup2(other, 1)
            print("captured", flush=True)
            os.dup2(kept, 1)
            print("told", flush=True)
            return 1
        print("before", flush=True)
        x = work()  # dds: /x
        print(x)
        """
    )
    for _ in range(3):
        (project.root / "other.log").write_text("something that is there already")
        plainly = _printed(project, "main.py")
        (project.root / "other.log").write_text("something that is there already")
        assert _under(project)[0] == plainly
