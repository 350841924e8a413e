"""Large texts and byte strings are hashed once, and kept alive no longer than need be."""

from __future__ import annotations

import sys

import pytest

from ddsimport.values import _remembered
from ddsimport.values.digest import digest


@pytest.fixture(autouse=True)
def _afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_remembered, "_known", {})


def _text(letter: str, size: int = 1 << 17) -> str:
    return letter * size


def test_a_large_text_is_hashed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    text, data = _text("a"), bytes(1 << 17)
    before = digest(text), digest(data), digest([text, data])
    monkeypatch.setattr("ddsimport.values._builtins._large", None)  # hashing again would fail
    assert (digest(text), digest(data), digest([text, data])) == before
    with pytest.raises(Exception, match="not callable"):
        digest(_text("b"))


def test_what_is_remembered_equals_what_is_not() -> None:
    for one, other in ((_text("a"), _text("b")), (bytes(1 << 17), bytes((1 << 17) + 1))):
        assert digest(one) == digest(one) == digest(type(one)(one[:5] + one[5:]))
        assert digest(one) != digest(other)
    assert digest(_text("a")) != digest(_text("a").encode())


def test_what_nobody_else_holds_is_let_go() -> None:
    digest(_text("a"))
    kept = _text("b")
    digest(kept)
    digest(_text("c"))
    assert [value[:1] for value, _ in _remembered._known.values()] == ["b", "c"]


def test_there_is_room_for_so_much_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_remembered, "_ROOM", 3 * sys.getsizeof(_text("a")))
    texts = [_text(letter) for letter in "abcde"]
    for text in texts:
        digest(text)
    assert [value[:1] for value, _ in _remembered._known.values()] == ["c", "d", "e"]
    digest(_text("f", 1 << 20))  # has no room at all
    assert len(_remembered._known) == 3
