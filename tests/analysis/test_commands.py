"""Whether the text of a function may leave something behind that no digest shows."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from ddsimport.analysis.commands import LEAVES, commands_of, imports_in


def left_by(text: str) -> set[str]:
    """What the last function of a text may leave."""
    tree = ast.parse(dedent(text))
    node = tree.body[-1]
    assert isinstance(node, ast.FunctionDef)
    return commands_of(node, imports_in(tree))


@pytest.mark.parametrize(
    "body",
    [
        "return np.mean(x)",
        "y = sorted(x)\n    return y[0]",
        "found = []\n    for each in x:\n        found.append(each)\n    return found",
        "found: dict[str, int] = {}\n    found['a'] = 1\n    found.update(x)\n    return found",
        "seen = set()\n    seen.add(x)\n    del found\n    return seen",
        "print(x)\n    log.info('%s', x)\n    logging.warning('odd')",
        "'''Documented.'''\n    yield x\n    yield from x",
        "with suppress(ValueError):\n        return int(x)",
        "return [y for y in x if y.ok()] or set(x)",
        "raise ValueError(x)",
    ],
)
def test_what_only_gives_a_value_leaves_nothing(body):
    assert left_by(f"import numpy as np\ndef f(x, log):\n    {body}") == set()


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("pd.set_option('display.precision', x)", "!:pandas:set_option:pd"),
        ("_ = pd.set_option('display.precision', x)", "!:pandas:set_option:pd"),
        ("return pd.set_option('display.precision', x)", "!:pandas:set_option:pd"),
        ("await_ = seed(x)", "!:numpy:seed:seed"),
        ("host.show(x)", "!:host:show:host"),
        ("near(x)", "!:.:near:near"),
        ("x.start()", "!::start:x"),
        ("x.append(1)", "!::append:x"),
        ("rows = load()\n    rows.append(x)", "!::append:rows"),
        ("rows = []\n    rows = TABLE\n    rows.append(x)", "!::append:rows"),
        ("x()", "!::x:x"),
        ("x and x.start()", LEAVES),
        ("[each.start() for each in x]", LEAVES),
        ("TABLE['a']()", LEAVES),
        ("make()()", LEAVES),
        ("pd.options.display.width = x", LEAVES),
        ("x.width = 3", LEAVES),
        ("x[0] = 3", LEAVES),
        ("rows = {}\n    rows.width = 3", LEAVES),
        ("for x.i in range(3): pass", LEAVES),
        ("del x.width", LEAVES),
        ("x.a.append(3)", "!::append:x"),
        ("rows = [x]\n    rows[0].filters.append(3)", "!::append:rows"),
        ("global TABLE\n    TABLE = x", LEAVES),
        ("def g():\n        nonlocal x\n        x = 1", LEAVES),
        ("import seaborn", LEAVES),
    ],
)
def test_what_is_done_for_its_effect(body, left):
    text = """
        import pandas as pd, host
        from numpy.random import seed
        from .near import near
        def f(x):
            {}
        """
    assert left_by(dedent(text).format(body)) == {left}
