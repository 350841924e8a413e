"""Cells under ddsimport do what they do in plain IPython, cold and warm, and hit where they may."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from ipython_sessions import Session, Sessions


class Case(NamedTuple):
    """Cells, and what becomes of their steps in the first session; in the second, all that were
    computed are hits.

    Attributes:
        cells: texts; a dictionary is files that are written then.
        statuses: one letter for each step: computed, hit, failed, uncached.
    """

    cells: list[str | dict[str, str]]
    statuses: str


_STEP = "x = f(1)  # dds: /x\nx"

CASES = {
    "a constant and a function that are edited, and put back": Case(
        [
            "K = 1",
            "def f(n):\n    print('f', n)\n    return n + K",
            _STEP,
            "K = 2",
            _STEP,
            "def f(n):\n    return 100",
            _STEP,
            "def f(n):\n    print('f', n)\n    return n + K",
            _STEP,
        ],
        "ccch",
    ),
    "a helper three cells away": Case(
        [
            "def deep():\n    return 1",
            "def middle():\n    return deep()",
            "def f(n):\n    return middle() + n",
            _STEP,
            "def deep():\n    return 2",
            _STEP,
            "# a comment\ndef deep():\n    return  2",
            _STEP,
        ],
        "cch",
    ),
    "an instance of a class that was defined anew": Case(
        [
            "class A:\n    k = 1\n    def m(self):\n        return self.k",
            "a = A()",
            "x = a.m()  # dds: /x\nx",
            "class A:\n    k = 2\n    def m(self):\n        return self.k + 1",
            "x = a.m()  # dds: /x\nx",
            "x = A().m()  # dds: /x\nx",
            "def g():\n    return A().m()",
            "x = g()  # dds: /x\nx",
        ],
        "cccc",
    ),
    "an instance of a class whose method alone was edited": Case(
        [
            "class A:\n    def m(self):\n        return 1",
            "a = A()",
            "class A:\n    def m(self):\n        return 2",
            "x = a.m()  # dds: /x\nx",
            "x = A().m()  # dds: /x\nx",
        ],
        "cc",
    ),
    "an instance of a class of which only what was generated was edited": Case(
        [
            "from dataclasses import dataclass\n@dataclass\nclass P:\n    a: int = 1",
            "p = P()",
            "@dataclass(repr=False)\nclass P:\n    a: int = 1",
            "x = repr(p)[0]  # dds: /x\nx",
            "p = P()",
            "x = repr(p)[0]  # dds: /x\nx",
        ],
        "cc",
    ),
    "another name for a function that was defined anew": Case(
        [
            "def h():\n    return 1",
            "def f():\n    return h()",
            "g = f",
            "def f():\n    return 2",
            "x = g() + f()  # dds: /x\nx",
            "def h():\n    return 7",
            "x = g() + f()  # dds: /x\nx",
            "g = f",
            "x = g() + f()  # dds: /x\nx",
        ],
        "ccc",
    ),
    "a cell that fails half way": Case(
        [
            "def f(n):\n    return 1",
            "def boom():\n    raise ValueError",
            "def f(n):\n    return 2\nboom()\ndef f(n):\n    return 3",
            _STEP,
            "def refuse(function):\n    raise ValueError",
            "@refuse\ndef f(n):\n    return 4",
            _STEP,
        ],
        "cc",
    ),
    "a definition that did not run": Case(
        [
            "def f(n):\n    return 1",
            "if False:\n    def f(n):\n        return 2",
            _STEP,
            "if True:\n    def f(n):\n        return 3",
            _STEP,
        ],
        "cc",
    ),
    "a name that is deleted": Case(
        ["def f(n):\n    return 1", _STEP, "del f", _STEP, "def f(n):\n    return 5", _STEP],
        "cfc",
    ),
    "a function that is wrapped, and once more": Case(
        [
            "def f(n):\n    return 1",
            "def wrapped(g):\n    return lambda n: g(n) + 1",
            "f = wrapped(f)",
            _STEP,
            "f = wrapped(f)",
            _STEP,
        ],
        "cc",
    ),
    "a builtin that is hidden without a statement": Case(
        [
            "def f(n):\n    return sum([n, 2])",
            _STEP,
            "globals()['sum'] = max",
            _STEP,
            "del globals()['sum']",
            _STEP,
        ],
        "cch",
    ),
    "installed code that a cell patches": Case(
        [
            "import textwrap",
            "def f(n):\n    return textwrap.shorten('a b c', 30)",
            _STEP,
            "textwrap.shorten = lambda *a: 'patched'",
            _STEP,
        ],
        "cc",
    ),
    "a file that is read": Case(
        [
            {"d.txt": "one"},
            "def f(n):\n    with open('d.txt') as file:\n        return file.read()",
            _STEP,
            {"d.txt": "two"},
            _STEP,
        ],
        "cc",
    ),
    "what is displayed, also captured": Case(
        [
            "from IPython.display import HTML, clear_output, display",
            "def f(n):\n    display(HTML('<b>x</b>'))\n    clear_output()\n"
            "    display({'text/plain': 'abc', 'image/png': b'123'}, raw=True)\n    return 3",
            _STEP,
            "_",
            "%%capture shown\nx = f(1)  # dds: /x",
            "len(shown.outputs), shown.outputs[-1].data",
        ],
        "ch",
    ),
    "%%capture": Case(
        [
            "%%capture shown\ndef f(n):\n    print('hi')\n    return n + 1\nx = f(1)  # dds: /x",
            "shown.stdout, shown.stderr, x",
            "%%capture shown\nx = f(1)  # dds: /x",
            "shown.stdout, shown.stderr, x",
        ],
        "ch",
    ),
    "%%time and %time": Case(
        [
            "%%time\ndef f(n):\n    return n + 1\nx = f(1)  # dds: /x\nx",
            "%time y = f(2)  # dds: /y",
            "x, y",
            "%%time\ndef f(n):\n    return n + 2\nx = f(1)  # dds: /x\nx",
            "z = f(1)  # dds: /z\nz",
        ],
        "ccch",
    ),
    "%timeit measures the code": Case(
        [
            "calls = []\ndef f(n):\n    calls.append(n)\n    return n",
            "%timeit -n2 -r1 -q x = f(1)  # dds: /x",
            "calls",
        ],
        "",
    ),
    "%reset": Case(
        ["def f(n):\n    return 1", _STEP, "%reset -f", "def f(n):\n    return 1", _STEP], "ch"
    ),
    "%run": Case(
        [
            {"s.py": "G = 3\ndef f(n):\n    return n * G\ny = f(1)  # dds: /s/y\nprint(y)\n"},
            "%run s.py",
            _STEP,
            "y + 1",
            {"s.py": "G = 4\ndef f(n):\n    return n * G\ny = f(1)  # dds: /s/y\nprint(y)\n"},
            "%run s.py",
            "y",
        ],
        "cuc",
    ),
    "%run -i": Case(
        [
            {"s.py": "y = Q + 1  # dds: /s/y\nprint(y)\n"},
            "Q = 5",
            "%run -i s.py",
            "x = y + 1  # dds: /x\nx",
        ],
        "cc",
    ),
    "await": Case(
        [
            "import asyncio",
            "async def a(n):\n    await asyncio.sleep(0)\n    print('a')\n    return n",
            "x = await a(3)  # dds: /x\nx",
            "async def a(n):\n    return n + 1",
            "x = await a(3)  # dds: /x\nx",
            "# dds: /m/{n}\nasync def m(n):\n    await asyncio.sleep(0)\n    return n * 2",
            "await m(3), await m(3)",
            "[await m(i) for i in range(2)]",
        ],
        "ccchcc",
    ),
    "functions that are marked": Case(
        [
            "# dds: /m/{n}\ndef m(n):\n    print('m', n)\n    return n * FACTOR",
            "FACTOR = 2",
            "[m(i) for i in (1, 2, 1)]",
            "FACTOR = 3",
            "m(1)",
            "class A:\n    def __init__(self, k):\n        self.k = k\n"
            "    def fit(self):\n        self.r = m(self.k)  # dds:\n        return self",
            "A(2).fit().r",
        ],
        "cchccc",
    ),
    "a closure is no value that can be kept": Case(
        [
            "def make(k):\n    def inner(n):\n        return n + k\n    return inner",
            "f = make(3)  # dds: /f",
            _STEP,
            "list(map(f, [1, 2]))",
        ],
        "uc",
    ),
    "dataclasses": Case(
        [
            "from dataclasses import dataclass\n@dataclass\nclass P:\n    a: int = 1\n"
            "    def m(self):\n        return self.a",
            "p = P(3)  # dds: /p\np",
            "x = p.m()  # dds: /x\nx",
            "type(p) is P, p == P(3)",
        ],
        "cc",
    ),
    "seeded random numbers": Case(
        [
            "import random",
            "random.seed(3)",
            "x = random.random()  # dds: /x\nx",
            "random.random()",
        ],
        "c",
    ),
    "what IPython remembers": Case(
        [
            "def f(n):\n    return n",
            "x = f(1)  # dds: /x",
            "x",
            "_, __, ___",
            "y = f(2)  # dds: /y\ny + 1",
            "_ + Out[5], In[2], _i",
            "x;",
            "files = !echo hi\nfiles",
        ],
        "cc",
    ),
    "errors": Case(
        [
            "def f(n):\n    return 1 / n",
            "x = f(0)  # dds: /x",
            "x = (f(1) +\n  f(0))  # dds: /x",
            "def g():\n    x = f(0)  # dds: /gx\ng()",
            "import no_module_of_this_name",
            "x = = 3  # dds: /x",
            "  x = 1  # dds: /x\n y = 2",
            "await f(1)  \nx = 1/0  # dds: /x",
        ],
        "fff",
    ),
    "a star import of a module that is reloaded": Case(
        [
            {"m.py": "def f(n):\n    return 1\n"},
            "from m import *",
            _STEP,
            {"m.py": "def f(n):\n    return 2\n"},
            "import importlib, m\nm = importlib.reload(m)\nfrom m import *",
            _STEP,
        ],
        "cc",
    ),
    "%autoreload 2": Case(
        [
            {"m.py": "def h():\n    return 1\ndef f(n):\n    v = h()  # dds: /v\n    return v\n"},
            "%load_ext autoreload\n%autoreload 2",
            "import m\nfrom m import f",
            "x = m.f(1)  # dds: /x\nx",
            {"m.py": "def h():\n    return 3\ndef f(n):\n    v = h()  # dds: /v\n    return v\n"},
            "x = m.f(1)  # dds: /x\nx",
            _STEP,
            {"m.py": "\ndef new():\n    return 9\n\n\ndef f(n):\n    return new()\n"},
            "x = m.f(1)  # dds: /x\nx",
            _STEP,
        ],
        "cccchccc",
    ),
    "commands and magics in a function may read any variable": Case(
        [
            "word = 'one'",
            "def f(n):\n    said = !echo {word}\n    return said[0]",
            _STEP,
            "word = 'two'",
            _STEP,
            "def f(n):\n    %time y = word\n    return n",
            "def g(n):\n    get_ipython().run_line_magic('env', 'A')\n    return n",
            "x = g(1)  # dds: /x\nx",
        ],
        "uuu",
    ),
    "several statements on a line, comments above": Case(
        [
            "a = 1; b = 2  # dds: /b",
            "# dds: /c\nc = (\n    a +\n    b\n)",
            "# dds: ignore\ndef log(n):\n    return None",
            "def f(n):\n    log(n)\n    return n",
            "x = f(1); y = x  # dds: /y\nx, y, a, b, c",
            "# dds: ignore\ndef log(n):\n    return n",
            "x = f(1); y = f(x)  # dds: /y\ny",
        ],
        "cccc",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_like_plain(name: str, sessions: Sessions, folder: Path) -> None:
    case = CASES[name]
    plain = sessions.run(case.cells, folder, load=False)
    cold = sessions.run(case.cells, folder)
    warm = sessions.run(case.cells, folder)
    for ours in (cold, warm):
        assert _shown(ours) == _shown(plain)
        assert ours.names == plain.names
    assert "".join(status[0] for _, status in cold.statuses) == case.statuses
    again = "".join(status[0] for _, status in warm.statuses)
    assert again.replace("c", "h") == again == case.statuses.replace("c", "h") or (
        # A step inside a step that hits does not run.
        len(again) < len(case.statuses) and "c" not in again
    )


def _shown(session: Session) -> list[list[str]]:
    """What the cells showed, without the times of `%time` and the places of objects."""
    return [
        [re.sub(r"CPU times.*\n|Wall time.*\n|0x[0-9a-f]+", "", text) for text in cell]
        for cell in session.shown
    ]
