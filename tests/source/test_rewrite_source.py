"""Source in, source out: the rewritten form, in full."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from ddsimport.source.pragma import pragmas_of
from ddsimport.source.rewrite import show
from ddsimport.source.steps import sites_of
from ddsimport.source.unread import unread


def shown(text: str) -> str:
    """The rewritten text, with S0, S1, ... for the sites."""
    text = dedent(text).lstrip("\n")
    rewritten = show(text, "m.py")
    tree = ast.parse(text)
    steps, _ = unread(tree, sites_of(tree, pragmas_of(text, "m.py"), "m.py", text))
    for index, step in enumerate(steps):
        rewritten = rewritten.replace(repr(step.site.constant()), f"S{index}")
    return rewritten + "\n"


IMPORT = "import ddsimport.runtime.step as __dds__"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "x = f(1)  # dds: /a",
            f"""
            {IMPORT}
            x = (__dds__.recall(S0) or __dds__.evaluate(S0)(f(1)))[0]
            """,
        ),
        (
            """
            '''Text.'''
            from __future__ import annotations
            from __future__ import division
            import os
            x: int = f(1)  # dds:
            a, *b = c = g(), 2  # dds: /b
            """,
            f"""
            '''Text.'''
            from __future__ import annotations
            from __future__ import division
            {IMPORT}
            import os
            x: int = (__dds__.recall(S0) or __dds__.evaluate(S0)(f(1)))[0]
            a, *b = c = (__dds__.recall(S1) or __dds__.evaluate(S1)((g(), 2)))[0]
            """,
        ),
        (
            """
            @same
            def f(a, *b):  # dds: /f
                'Text.'
                if a:
                    return
                def g():
                    return 1
                return g() + len(b)
            """,
            f"""
            {IMPORT}

            @same
            def f(a, *b):
                'Text.'
                __dds_hit__ = __dds__.recall(S0)
                if __dds_hit__:
                    return __dds_hit__[0]
                del __dds_hit__
                try:
                    if a:
                        return __dds__.finish(S0, None)

                    def g():
                        return 1
                    return __dds__.finish(S0, g() + len(b))
                except:
                    __dds__.fail(S0)
                    raise
                finally:
                    __dds__.leave(S0)
            """,
        ),
        (
            """
            class A:
                async def f(self):  # dds: /f
                    self.x = await g()  # dds: /g
            """,
            f"""
            {IMPORT}

            class A:

                async def f(self):
                    __dds_hit__ = __dds__.recall(S0)
                    if __dds_hit__:
                        return __dds_hit__[0]
                    del __dds_hit__
                    try:
                        self.x = (__dds__.recall(S1) or __dds__.evaluate(S1)(await g()))[0]
                        return __dds__.finish(S0, None)
                    except:
                        __dds__.fail(S0)
                        raise
                    finally:
                        __dds__.leave(S0)
            """,
        ),
        (
            """
            def f():  # dds: /f
                'Text.'
            """,
            f"""
            {IMPORT}

            def f():
                'Text.'
                __dds_hit__ = __dds__.recall(S0)
                if __dds_hit__:
                    return __dds_hit__[0]
                del __dds_hit__
                try:
                    return __dds__.finish(S0, None)
                except:
                    __dds__.fail(S0)
                    raise
                finally:
                    __dds__.leave(S0)
            """,
        ),
        (
            """
            def f(a):  # dds: /f
                raise ValueError(a)
            """,
            f"""
            {IMPORT}

            def f(a):
                __dds_hit__ = __dds__.recall(S0)
                if __dds_hit__:
                    return __dds_hit__[0]
                del __dds_hit__
                try:
                    raise ValueError(a)
                except:
                    __dds__.fail(S0)
                    raise
                finally:
                    __dds__.leave(S0)
            """,
        ),
        (
            """
            from a import raw, other as b, shown
            x = f(raw, b.c, shown)  # dds: /x
            print(shown)
            """,
            f"""
            {IMPORT}
            __dds__.let_wait((('raw', 'raw'),))
            from a import raw, other as b, shown
            x = (__dds__.recall(S0) or __dds__.evaluate(S0)(f(raw, b.c, shown)))[0]
            print(shown)
            """,
        ),
        ("import os  # dds: ignore", "import os"),
        ("x = 1  # no pragma", "x = 1"),
        ("", ""),
    ],
)
def test_source_in_source_out(before: str, after: str) -> None:
    expected = dedent(after).strip("\n") + "\n"
    assert shown(before) == ast.unparse(ast.parse(expected)) + "\n"


def test_the_site_is_one_constant_of_the_code() -> None:
    """Both calls give the same object: it may be known by its identity."""
    text = "def g(n):\n    x = f(n)  # dds: /a\n"
    code = compile(show(text, "m.py"), "m.py", "exec")
    (inner,) = (each for each in code.co_consts if hasattr(each, "co_consts"))
    assert sum(isinstance(each, tuple) and "assignment" in each for each in inner.co_consts) == 1


def test_rewriting_is_deterministic() -> None:
    text = "x = f(a, b['k'])  # dds: /x\ndef g(q):  # dds: /g\n    return q\n"
    assert show(text, "m.py") == show(text, "elsewhere.py")
