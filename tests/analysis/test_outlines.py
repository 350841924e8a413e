"""The outline of a definition: what can be seen of it while nothing of it runs."""

from __future__ import annotations

from textwrap import dedent

import pytest
from analysis_project import codebook as codebook_of
from analysis_project import position_of

from ddsimport.analysis.facts import (
    DEF_DIGEST,
    DEF_OUTER,
    DEF_OUTLINE,
    DEF_QUALNAME,
    Facts,
    facts_of,
)

CLASS = """
    class C(Base):
        size = 3
        @property
        def told(self):
            return self.size
        def go(self, n, *, power=2):
            x = n
            return helper(x)
        class Inner:
            def stay(self):
                return 1
    """
FUNCTION = """
    @decorated(1)
    def f(a, b=2, *c, d, **e):
        def inner():
            yield 3
        return inner
    """

UNSEEN = [
    (CLASS, "return self.size", "return 7"),
    (CLASS, "x = n", "x = n  # a remark"),
    (CLASS, "x = n", "x = n + 1"),
    (CLASS, "helper(x)", "other(x)"),
    (CLASS, "return 1", "return 2"),
    (FUNCTION, "yield 3", "yield 4"),
    (FUNCTION, "yield 3", "return 4"),
    (FUNCTION, "return inner", "return inner()"),
    (FUNCTION, "(a, b=2", "(a: int, b=2"),
]
SEEN = [
    (CLASS, "size = 3", "size = 4"),
    (CLASS, "(Base)", "(Base, Other)"),
    (CLASS, "class C", "class D"),
    (CLASS, "@property", "@staticmethod"),
    (CLASS, "def told", "def tell"),
    (CLASS, "n, *, power", "n, power"),
    (CLASS, "power=2", "power=3"),
    (CLASS, "power", "force"),
    (CLASS, "return helper(x)", "yield helper(x)"),
    (CLASS, "return helper(x)", "return (yield helper(x))"),
    (CLASS, "def go", "async def go"),
    (CLASS, "def stay(self)", "def stay(self, n=1)"),
    (CLASS, "class Inner", "class Inside"),
    (FUNCTION, "decorated(1)", "decorated(2)"),
    (FUNCTION, "*c, ", "*, "),
    (FUNCTION, "return inner", "yield inner"),
    (FUNCTION, "def f", "async def f"),
]


def _first(text: str) -> list[object]:
    return facts_of(dedent(text)).definitions[0]


@pytest.mark.parametrize(("text", "before", "after"), UNSEEN)
def test_what_only_running_it_would_show(text: str, before: str, after: str) -> None:
    assert before in text
    old, new = _first(text), _first(text.replace(before, after))
    assert old[DEF_OUTLINE] == new[DEF_OUTLINE]


@pytest.mark.parametrize(("text", "before", "after"), SEEN)
def test_what_can_be_seen(text: str, before: str, after: str) -> None:
    assert before in text
    old, new = _first(text), _first(text.replace(before, after))
    assert old[DEF_OUTLINE] != new[DEF_OUTLINE]
    assert old[DEF_DIGEST] != new[DEF_DIGEST]


def test_ignored_methods_are_not_seen() -> None:
    text = "class C:\n    # dds: ignore\n    def f(self, a):\n        return 1\n    x = 1\n"
    assert _first(text)[DEF_OUTLINE] == _first(text.replace("a):", "b):"))[DEF_OUTLINE]
    assert _first(text)[DEF_OUTLINE] != _first(text.replace("x = 1", "x = 2"))[DEF_OUTLINE]


def test_labels_tell_namesakes_apart_and_notice_another() -> None:
    text = dedent(
        """
        class C:
            @property
            def x(self):
                return 1
            @x.setter
            def x(self, value):
                pass
        """
    )
    facts = facts_of(text)
    labels = [facts.label_of(index) for index in range(3)]
    assert labels == ["C#0/1", "C.x#0/2", "C.x#1/2"]
    assert [facts.labelled(label) for label in labels] == [0, 1, 2]
    fewer: Facts = facts_of(text.replace("@x.setter", "").replace("def x(self, value)", "def y()"))
    with pytest.raises(LookupError):
        fewer.labelled("C.x#0/2")
    with pytest.raises(LookupError):
        fewer.labelled("C.z#0/1")


def test_what_is_referred_to_outside_of_bodies() -> None:
    text = dedent(
        """
        class C(Base, option=OPTION):
            size = SIZE
            @decorated(1)
            def go(self, n=DEFAULT):
                return hidden(n)
            class Inner(Other):
                def stay(self):
                    return unseen
            last = ending(lambda: seen)
        @decorated(2)
        def f(n=DEFAULT):
            return hidden(n)
        """
    )
    outer = {record[DEF_QUALNAME]: record[DEF_OUTER] for record in facts_of(text).definitions}
    assert outer["C"] == [
        "Base", "OPTION", "SIZE", "decorated", "DEFAULT", "Other", "ending", "seen",
    ]  # fmt: skip
    assert outer["C.Inner"] == ["Other"]
    assert outer["C.go"] == outer["f"] == ["decorated", "DEFAULT"]


NARROWED = """
class C:
    def ran(self):
        return helper(SIZE)
    def idle(self):
        return other(self)
def helper(n):
    return n
def other(n):
    return DEEP
SIZE = 1
DEEP = 2
y = C().ran() if SIZE else other(1)  # dds: /y
"""


def _narrowed_hash(text: str, *whole: str) -> bytes:
    codebook = codebook_of({"main.py": text}, "/p")
    facts = codebook.facts("/p/main.py")
    places = frozenset(("/p/main.py", facts.by_qualname[name][0]) for name in whole)
    line, column = position_of(text, "y =")
    return codebook.narrowed(places).step("main", "/p/main.py", line, column).hash


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ("return helper(SIZE)", "return helper(SIZE) + 1", True),
        ("return other(self)", "return other(self) + 1", False),
        ("    return n\n", "    return -n\n", True),
        ("return DEEP", "return -DEEP", False),
        ("def idle(self)", "def idle(self, n)", True),
        ("def idle", "@property\n    def idle", True),
        ("def idle", "def lazy", True),
        ("def other(n)", "def other(n, m=SIZE)", True),
        ("def other(n):", "async def other(n):", True),
        ("class C:", "class C:\n    more = 1", True),
    ],
)
def test_a_narrowed_reach_is_the_text_of_what_ran_and_the_outlines_of_the_rest(
    before: str, after: str, changes: bool
) -> None:
    assert NARROWED.count(before) == 1
    edited = NARROWED.replace(before, after)
    ran = ("C.ran", "helper")
    assert (_narrowed_hash(NARROWED, *ran) != _narrowed_hash(edited, *ran)) is changes


def test_the_whole_reach_is_not_narrowed() -> None:
    codebook = codebook_of({"main.py": NARROWED}, "/p")
    line, column = position_of(NARROWED, "y =")
    asked = ("main", "/p/main.py", line, column)
    before = codebook.step(*asked)
    narrowed = codebook.narrowed(frozenset())
    assert narrowed is codebook.narrowed(frozenset())
    assert narrowed.step(*asked).hash != before.hash
    assert codebook.step(*asked) is before
    assert len(narrowed.step(*asked).nodes) < len(before.nodes)
