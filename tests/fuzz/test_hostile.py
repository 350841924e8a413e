"""No bytes make a reader fail otherwise than it says: by hypothesis, and by atheris."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hostile import READERS, written
from hypothesis import example, given, settings
from hypothesis import strategies as st

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["blob", "size", "effects", "files", "path", "created", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


def mutated(name: str) -> st.SearchStrategy[bytes]:
    """Right bytes with a few of them changed, cut out or put in."""

    @st.composite
    def strategy(draw: st.DrawFn) -> bytes:
        data = bytearray(draw(st.sampled_from(written(name))))
        for _ in range(draw(st.integers(0, 4))):
            place = draw(st.integers(0, len(data)))
            length = draw(st.integers(0, 8))
            data[place : place + length] = draw(st.binary(max_size=8))
        return bytes(data)

    return strategy()


@pytest.mark.parametrize("name", READERS)
def test_by_hypothesis(name: str) -> None:
    import json

    @settings(max_examples=300, deadline=None, database=None)
    @given(data=st.binary(max_size=200) | mutated(name) | _JSON.map(json.dumps).map(str.encode))
    @example(b"")
    def attempt(data: bytes) -> None:
        READERS[name](data)

    attempt()


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed")
@pytest.mark.parametrize("name", READERS)
def test_by_atheris(name: str, tmp_path: Path) -> None:
    script = Path(__file__).with_name("hostile.py")
    ended = subprocess.run(
        [
            sys.executable,
            str(script),
            name,
            "-max_total_time=3",
            "-rss_limit_mb=4096",
            "-timeout=20",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": str(script.parents[2]), "PATH": ""},
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
