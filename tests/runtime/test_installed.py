"""What the program's files store to in installed code is found by their text."""

from __future__ import annotations

import math

import pytest

from ddsimport.runtime.installed import stores_in, token


@pytest.mark.parametrize(
    ("text", "stores"),
    [
        ("math.pi = 3", {("math", "pi")}),
        ("    math.pi: float = 3", {("math", "pi")}),
        ("if x: pd.DataFrame.share = share", {("pd.DataFrame", "share")}),
        ("a = 1; math.pi += 3", {("math", "pi")}),
        ("a.b, c.d = 1, 2", {("a", "b"), ("c", "d")}),
        ("setattr(json, 'dumps', mine)", {("json", "dumps")}),
        ("self.x = 1\ncls.y = 2\nx = 3\n# a.b = 1\nf(a.b)[0] = 1", set()),
    ],
)
def test_stores(text: str, stores: set[tuple[str, str]]) -> None:
    assert stores_in(text.encode()) == stores


def test_code_of_the_project_has_no_token_of_its_own() -> None:
    assert token(test_stores) is None
    assert token(math.floor) == b"math:floor"
    assert token(math) == b""
    assert token("/usr/bin/python") == b""
    assert token(math.pi) is None
