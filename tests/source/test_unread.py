"""Which names nothing but steps reads: by the text of the module alone."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from ddsimport.source.pragma import pragmas_of
from ddsimport.source.steps import sites_of
from ddsimport.source.unread import unread


def unread_in(text: str):
    tree = ast.parse(text)
    return unread(tree, sites_of(tree, pragmas_of(text, "m.py"), "m.py", text))


def lazy(text: str) -> list[str]:
    """The targets of the lazy steps."""
    text = dedent(text)
    steps, _ = unread_in(text)
    return [step.site.target for step in steps if step.site.lazy]


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("x = f()  # dds: /x", ["x"]),
        ("x: int = f()  # dds: /x", ["x"]),
        ("x, y = f()  # dds: /x", ["x,y"]),
        ("[x, y] = f()  # dds: /x", ["x,y"]),
        ("x, = f()  # dds: /x", []),
        ("x, *y = f()  # dds: /x", []),
        ("x, x = f()  # dds: /x", []),
        ("x, (y, z) = f()  # dds: /x", []),
        ("x = y = f()  # dds: /x", []),
        ("x.y = f()  # dds: /x", []),
        ("x[0] = f()  # dds: /x", []),
        ("x = f()  # dds: /x\ny = g(x)  # dds: /y", ["x", "y"]),
        ("x = f()  # dds: /x\ny = g(x)  # dds: /y\nprint(y)", ["x"]),
        ("x, y = f()  # dds: /x\nprint(y)", []),
        ("if 1:\n    for i in n:\n        x = f()  # dds: /x", ["x"]),
        ("def f():\n    x = g()  # dds: /x\n    return x", []),
        ("class C:\n    x = g()  # dds: /x", []),
        ("def f(): return x\nx = g()  # dds: /x", []),
        ("def f():  # dds: /f\n    return x\nx = g()  # dds: /x", []),
        ("x = f()  # dds: /x\ny = [x for _ in n]  # dds: /y", ["x", "y"]),
        ("x = f()  # dds: /x\ny = g(lambda: x)  # dds: /y", ["y"]),
        ("x = f()  # dds: /x\ny = g(x for _ in n)  # dds: /y", ["y"]),
        ("x = f()  # dds: /x\ny = g(x)  # dds: /y ignore=x", ["y"]),
        ("x = f()  # dds: /x\ny = g(x)  # dds: /y/{x}", ["y"]),
        ("x = f()  # dds: /x\nx += 1", []),
        ("x = f()  # dds: /x\ndel x", []),
        ("x = f()  # dds: /x\ndef g():\n    global x", []),
        ("x = f()  # dds: /x\nt.query('a > @x')", []),
        ("x = f()  # dds: /x\ny = t.query('a > @x')  # dds: /y", ["x", "y"]),
        ("x = f()  # dds: /x\nx = 3", ["x"]),
        ("x = f()  # dds: /x\nglobals()", []),
        ("x = f()  # dds: /x\neval('x')", []),
        ("x = f()  # dds: /x\nt.eval('a')", ["x"]),
        ("x = f()  # dds: /x\ng.__globals__", []),
        ("import pdb\nx = f()  # dds: /x", []),
        ("from IPython import embed\nx = f()  # dds: /x", []),
        ("x = f()  # dds: /x\nbreakpoint()", []),
        ("x = f()  # dds: /x\nt.query(text)", []),
        ("x = f()  # dds: /x\nt.query('a > 1')", ["x"]),
        ("x = f()  # dds: /x\npl.sql(read())", []),
        ("x = f()  # dds: /x\nsmf.ols(text, t)", []),
        ("x = f()  # dds: /x\nsmf.ols('y ~ x', t)", []),
        ("x = f()  # dds: /x\nsmf.ols('y ~ z', t)", ["x"]),
        ("x = f()  # dds: /x\ndmatrix(text, t)", []),
        ("x = f()  # dds: /x\ny = evaluate(x, 3)  # dds: /y\nmodel.evaluate(3)", ["x", "y"]),
    ],
)
def test_lazy_steps(text, targets):
    assert lazy(text) == targets


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("from a import x\ny = f(x)  # dds: /y", (("x", "x"),)),
        ("from a import x as z\ny = f(z)  # dds: /y", (("x", "z"),)),
        ("from . import x\ny = f(x)  # dds: /y", (("x", "x"),)),
        ("if 1:\n    from a import x\ny = f(x)  # dds: /y", (("x", "x"),)),
        ("try:\n    from a import x\nexcept E:\n    x = 1\ny = f(x)  # dds: /y", (("x", "x"),)),
        ("from a import x\ny = f(x.z)  # dds: /y", ()),
        ("from a import x\ny = f(x)  # dds: /y\nprint(x)", ()),
        ("from a import x\nfrom b import x as z\ny = f(x, z)  # dds: /y", ()),
        ("from a import *\ny = f(x)  # dds: /y", ()),
        ("def g():\n    from a import x\n    y = f(x)  # dds: /y", ()),
        ("import x\ny = f(x)  # dds: /y", ()),
    ],
)
def test_unread_imports(text, names):
    _, found = unread_in(text)
    assert dict(found).items() >= dict(names).items()
    assert set(found) - set(names) <= {("f", "f")}
