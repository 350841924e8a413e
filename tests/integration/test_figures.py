"""pyplot's figures are a state of the program: after a hit they are what the step leaves."""

from __future__ import annotations

import pytest

pytest.importorskip("matplotlib")

_END = """
for number in plt.get_fignums():
    plt.figure(number).savefig(f"{number}.svg", metadata={"Date": None})
"""


def _program(body):
    begin = "import matplotlib.pyplot as plt\nplt.rcParams['svg.hashsalt'] = 'x'\n"
    return begin + body + "\nprint(plt.get_fignums(), plt.gcf().number)\n" + _END


PROGRAMS = {
    "a figure and its axes": (
        "fig, ax = plt.subplots()  # dds: /x\nax.plot([1, 2])",
        None,
    ),
    "a figure": (
        "def draw(n):\n    fig, ax = plt.subplots()\n    ax.plot(range(n))\n    return fig\n"
        "fig = draw(3)  # dds: /x.pkl\nfig.suptitle('later')",
        "",
    ),
    "a second figure": (
        "a = plt.figure()\ndef draw(n):\n    fig = plt.figure()\n    fig.gca().plot(range(n))\n"
        "    return fig\nb = draw(3)  # dds: /x.pkl\nplt.title('on the second')",
        "",
    ),
    "draws on a figure that is there": (
        "fig, ax = plt.subplots()\ndef draw(n):\n    plt.plot(range(n))\n    return n\n"
        "x = draw(3)  # dds: /x",
        "drew on figure 1 of pyplot, which was there before",
    ),
    "gives a part of a figure that is there": (
        "plt.plot([1, 2])\nax = plt.gca()  # dds: /x\nax.set_title('t')",
        "gave a part of figure 1 of pyplot, which was there before",
    ),
    "leaves a figure open": (
        "def draw(n):\n    plt.plot(range(n))\n    return n\nx = draw(3)  # dds: /x",
        "left figures of pyplot open",
    ),
    "closes what it made": (
        "def draw(n):\n    fig = plt.figure()\n    plt.plot(range(n))\n    plt.close(fig)\n"
        "    return n\nx = draw(3)  # dds: /x",
        "",
    ),
    "chooses another": (
        "plt.figure()\nplt.figure()\ndef choose():\n    plt.figure(1)\n    return 1\n"
        "x = choose()  # dds: /x",
        "closed figures of pyplot, or chose another",
    ),
    "chooses a number": (
        "def draw(n):\n    fig = plt.figure(7)\n    return fig\nfig = draw(3)  # dds: /x.pkl",
        "chose the number 7",
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_the_step_leaves_them(project, name):
    body, fault = PROGRAMS[name]
    project.write(main=_program(body))
    environment = {"MPLBACKEND": "agg"}
    plain = project.plain(environment=environment)
    expected = project.tree()
    assert plain.code == 0, plain.stderr
    for _ in range(2):
        ended = project.run(environment=environment)
        assert (ended.stdout, ended.stderr, ended.code) == (plain.stdout, plain.stderr, 0)
        tree = project.tree()
        assert tree == expected
    if fault == "":
        assert ended.evaluated() == set()
    elif fault is not None:
        assert fault in ended.steps[0]["reason"]
