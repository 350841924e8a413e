"""Where a use counts for less than the whole module: only if nothing else can be reached by it."""

from __future__ import annotations

import pytest

from ddsimport.analysis.facts import DEF_QUALNAME, DEF_REFERENCES, facts_of


def references(body: str, around: str = "") -> list[str]:
    """What the function `f` with this body refers to."""
    text = f"{around}\ndef f(x):\n" + "".join(f"    {line}\n" for line in body.splitlines())
    facts = facts_of(text)
    assert not facts.whole, facts.note
    found: list[str] = {d[DEF_QUALNAME]: d for d in facts.definitions}["f"][DEF_REFERENCES]
    return found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("m = pkg.mod\nreturn m.a(x) + m.b.c", ["pkg.mod.a", "pkg.mod.b.c"]),
        ("m = pkg\nn = m.mod\nreturn n.a", ["pkg.mod.a"]),
        ("m = pkg.mod\nreturn getattr(m, 'a')(x)", ["getattr", "pkg.mod.a"]),
        ("m = pkg.mod\nreturn lambda: m.a", ["pkg.mod.a"]),
        ("m = pkg.mod\nreturn [m.a for _ in x]", ["pkg.mod.a"]),
        ("import late\nm = late.mod\nreturn m.a", ["~0|late||mod.a"]),
    ],
)
def test_only_attributes_are_read(body: str, expected: list[str]) -> None:
    assert references(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        "m = pkg.mod\nreturn m",
        "m = pkg.mod\nreturn m.a(m)",
        "m = pkg.mod\nreturn getattr(m, x)",
        "m = pkg.mod\nm = x\nreturn m.a",
        "m = x\nm = pkg.mod\nreturn m.a",
        "m = pkg.mod\nfor m in x: pass\nreturn m.a",
        "m = pkg.mod\ndef g():\n    nonlocal m\n    m = x\nreturn m.a",
        "m = pkg.mod\ndef g(): return m\nreturn m.a",
        "m = pkg.mod\ndef g(y: m = 1): pass\nreturn m.a",
        "m = pkg.mod\nm += 1\nreturn m.a",
        "m = pkg.mod\ndel m\nreturn m.a",
        "m = n = pkg.mod\nreturn m.a",
        "m = pkg.mod\n",
        "m = pkg.mod\nx[m] = 1\nreturn m.a",
        "m: object = pkg.mod\nreturn m.a",
        "global m\nm = pkg.mod\nreturn m.a",
    ],
)
def test_more_than_attributes(body: str) -> None:
    assert "pkg.mod" in references(body)


def test_a_constant_is_no_alias_of_the_use_before_it() -> None:
    assert references("y = g(pkg.mod)\nm = None\nreturn m.a") == ["g", "pkg.mod"]


def test_a_circle_of_aliases_ends() -> None:
    assert references("m = n.a\nn = m.b\nreturn m.c, n.d") == []


def test_a_function_inside_reads_what_the_alias_is_for() -> None:
    text = "def f():\n    m = pkg.mod\n    def g(): return m.a\n    return g\n"
    found = {d[DEF_QUALNAME]: d[DEF_REFERENCES] for d in facts_of(text).definitions}
    assert found == {"f": ["pkg.mod.a"], "f.<locals>.g": ["pkg.mod.a"]}


def test_what_is_stored_by_an_alias_is_stored_in_the_module() -> None:
    assert "pkg.mod.a" in facts_of("def f():\n    m = pkg.mod\n    m.a = 1\n").stores
