from __future__ import annotations

import os
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ddsimport.errors import StoreError
from ddsimport.store.paths import LONGEST_PART, artifact_parts, checked_path, quote_part

texts = st.text(st.characters(exclude_categories=[]), max_size=80)


@pytest.mark.parametrize(
    "path, parts",
    [
        ("/a", ("a",)),
        ("/wine/stats.json", ("wine", "stats.json")),
        ("/.hidden/x y", (".hidden", "x y")),
        ("/module/Model.fit.<locals>.r", ("module", "Model.fit.<locals>.r")),
        ("/" + "x" * LONGEST_PART, ("x" * LONGEST_PART,)),
        ("/cafe\u0301", ("caf\u00e9",)),
        ("/console/null", ("console", "null")),
    ],
)
def test_good_paths(path: str, parts: tuple[str, ...]) -> None:
    assert artifact_parts(path) == parts
    assert checked_path(path) == "/" + "/".join(parts)


@pytest.mark.parametrize(
    "path",
    [
        *["", "a", "a/b", "/", "//a", "/a//b", "/a/", "/.", "/..", "/a/../b", "/a/./b", "/a/.."],
        *["/~", "/~root/x", "/a\\b", "/C:/x", "/a\0b", "/a\nb", "/a\x7f", "/a\x85", "/\ud800"],
        *["/a.", "/a ", "/a./b", "/../../etc/x", "/con", "/a/NUL", "/Com1", "/aux.txt"],
        *["/lpt9.tar.gz", "/com¹", "/prn .x"],
        *["/" + "x" * (LONGEST_PART + 1), "/" + "é" * (LONGEST_PART // 2 + 1)],
    ],
)
def test_bad_paths(path: str) -> None:
    with pytest.raises(StoreError) as caught:
        artifact_parts(path)
    assert isinstance(caught.value, ValueError)
    assert repr(path) in str(caught.value)


@given(texts)
def test_a_path_is_refused_or_stays_below_its_root(path: str) -> None:
    try:
        parts = artifact_parts(path)
    except StoreError:
        return
    joined = os.path.join("/root", *parts)
    assert os.path.normpath(joined) == joined
    assert joined.startswith("/root/")
    assert artifact_parts("/" + "/".join(parts)) == parts


@given(texts)
@example("")
@example(".")
@example("..")
@example("../../etc/passwd")
@example("con")
@example("NUL.txt")
@example("~")
@example("\ud800")
@example("x" * 10_000)
@example("e\u0301" * 100)
def test_quoted_text_is_one_good_component(text: str) -> None:
    quoted = quote_part(text)
    assert artifact_parts("/" + quoted) == (quoted,)
    assert artifact_parts("/run-" + quoted + "-x") == ("run-" + quoted + "-x",)


@given(texts, texts)
@example("a b", "a%20b")
@example("\u00e9", "e\u0301")
@example("\u212b", "\u00c5")
@example("", "%")
@example("x" * 200 + "a", "x" * 200 + "b")
def test_different_texts_stay_different(one: str, other: str) -> None:
    paths = {artifact_parts("/" + quote_part(text)) for text in (one, other)}
    assert len(paths) == len({one, other})


@given(texts)
@example("e\u0301")
def test_different_normal_forms_stay_different(text: str) -> None:
    other = unicodedata.normalize("NFD", text)
    assert (quote_part(text) == quote_part(other)) == (text == other)


def test_plain_text_stays_readable() -> None:
    assert quote_part("2024-01-31_v1.5") == "2024-01-31_v1.5"
    assert quote_part("Zürich") == "Zürich"
    assert quote_part("東京") == "東京"
    assert quote_part("a/b c") == "a%2Fb%20c"
