"""The text of source bytes, against what `tokenize.open` reads."""

from __future__ import annotations

import io
import tokenize

from hypothesis import given
from hypothesis import strategies as st

from ddsimport.source.loader import decoded

_COOKIES = (b"# coding: latin-1", b"# -*- coding: utf-8 -*-", b"#coding", b"\xef\xbb\xbf")
_OTHERS = (b"x = 1", b"\n", b"\r", b"\r\n", b"\xe9", "é\u2028".encode(), b"\x0c", b" ")
_PIECES = st.sampled_from((*_COOKIES, *_OTHERS))


def _expected(data: bytes) -> str | None:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return io.TextIOWrapper(io.BytesIO(data), encoding).read()
    except (SyntaxError, UnicodeDecodeError):
        return None


@given(st.lists(_PIECES, max_size=8).map(b"".join) | st.binary(max_size=40))
def test_as_tokenize_reads_it(data: bytes) -> None:
    try:
        text: str | None = decoded(data)
    except (SyntaxError, UnicodeDecodeError):
        text = None
    assert text == _expected(data)
