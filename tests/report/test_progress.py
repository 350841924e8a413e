"""How `push` and `pull` show how far they have come."""

from __future__ import annotations

import io
import sys

import pytest

from ddsimport.commands import sharing


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _shown(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    with sharing.Progress("pushing") as progress:
        moved = progress.expect(4_000_000)
        for _ in range(4):
            moved(1_000_000)
    return stream.getvalue()


def test_a_terminal_gets_a_line_that_goes_away(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.setattr(sharing, "_REFRESH", 0.0)
    shown = _shown(monkeypatch, Terminal())
    assert "\rpushing: 2 MB of 4 MB" in shown
    assert shown.endswith("\r\x1b[K")


def test_anything_else_gets_nothing(monkeypatch):
    assert _shown(monkeypatch, io.StringIO()) == ""


def test_nothing_to_move_shows_nothing(monkeypatch):
    monkeypatch.setattr(sys, "stderr", stream := Terminal())
    with sharing.Progress("pulling") as progress:
        progress.expect(0)
    assert stream.getvalue() == ""


def test_rich_is_used_where_it_is_installed(monkeypatch):
    pytest.importorskip("rich")
    assert "pushing" in _shown(monkeypatch, Terminal())
