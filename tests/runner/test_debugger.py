"""A session of pdb under ddsimport is the session without it, key by key."""

from __future__ import annotations

import pytest

STOPPED_INSIDE = """
def f(a):
    breakpoint()
    b = a + 1
    return b

x = f(1)  # dds: /x
y = 2
print(x, y)
"""

STOPPED_BEFORE = """
def f(a):
    b = a + 1
    return b
breakpoint()
x = f(1)  # dds: /x
y = f(2)  # dds: /y
def g(n):  # dds: /g/{n}
    return n
g(4)
g(5)
print(x, y)
"""

SESSIONS = {
    "next out of the step": (STOPPED_INSIDE, "n n n n n c"),
    "step out of the step": (STOPPED_INSIDE, "s s s s s s c"),
    "return": (STOPPED_INSIDE, "r n n c"),
    "up and where": (STOPPED_INSIDE, "u u w n c"),
    "down": (STOPPED_INSIDE, "w u p~x d d c"),
    "next over steps": (STOPPED_BEFORE, "n n n n n n n c"),
    "step into steps": (STOPPED_BEFORE, "s " * 20 + "c"),
    "a breakpoint in what a step calls": (STOPPED_BEFORE, "b~3 c r s s s s s c c"),
}


@pytest.mark.parametrize("session", SESSIONS)
@pytest.mark.parametrize("way", ["file", "module"])
def test_a_session_of_pdb(project, session, way):
    program, commands = SESSIONS[session]
    project.write(main=program)
    keys = "\n".join(commands.split()).replace("~", " ") + "\n"
    arguments = ("main.py",) if way == "file" else ("-m", "main")
    under = project.same(*arguments, input=keys)  # on a miss
    assert "(Pdb)" in under.stdout
    if program is STOPPED_BEFORE:
        # On a hit, what the step would have called is not there to be stepped into.
        project.run(*arguments, input="c\n")
        again = project.run(*arguments, input=keys)
        assert "ddsimport" not in again.stdout


def test_a_breakpoint_in_our_own_files_holds(project):
    project.write(main=STOPPED_BEFORE)
    keys = "import ddsimport.runtime.step as s\nb s.recall\nc\nw\nc\nc\nc\nc\nc\n"
    assert "ddsimport/runtime/step.py" in project.run("main.py", input=keys).stdout
