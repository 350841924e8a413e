"""What the options of a pragma mean."""

from __future__ import annotations

import pytest

from ddsimport.source.options import Options, options_of, seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("1.5h", 5400), ("1d", 86400), ("2w", 1209600)],
)
def test_times(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "d", "1", "1y", "-1d", "1 d", "1e3s", "٣d", ".d", "1..2s"])
def test_no_times(text: str) -> None:
    assert seconds_of(text) is None


def test_options() -> None:
    assert options_of(()) == Options()
    assert options_of([("version", "2"), ("format", "json")]) == Options(salt="2")
    full = options_of(
        [("ttl", "1d"), ("cache", "off"), ("replay", "off"), ("files", "a,b"), ("env", "C")]
    )
    assert (full.ttl, full.cached, full.replay) == (86400, False, "off")
    assert (full.files, full.env) == (("a", "b"), ("C",))
    assert full.salt != options_of([("files", "a,b")]).salt != ""
