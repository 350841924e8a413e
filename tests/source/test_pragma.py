"""What a `# dds:` comment says, and how each mistake in one is shown."""

from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from ddsimport.errors import PragmaError
from ddsimport.source.grammar import FORMATS
from ddsimport.source.pragma import NEEDLE, holds_pragma, pragmas_of


def one(comment: str) -> tuple[str | None, dict[str, str], bool]:
    (pragma,) = pragmas_of(f"x = f()  {comment}\n", "m.py")
    return pragma.path, dict(pragma.options), pragma.ignore


@pytest.mark.parametrize(
    ("comment", "path", "options"),
    [
        ("# dds: /wine/raw", "/wine/raw", {}),
        ("#dds: /a", "/a", {}),
        ("#  dds:   /a  ", "/a", {}),
        ("#\tdds:\t/a", "/a", {}),
        ("# dds:/a", "/a", {}),
        ("# dds:", None, {}),
        ("# dds: format=json", None, {"format": "json"}),
        (
            "# dds: /stats.json  format=json version=2",
            "/stats.json",
            {"format": "json", "version": "2"},
        ),
        ("# dds: /a ignore=verbose,n_jobs", "/a", {"ignore": "verbose,n_jobs"}),
        ("# dds: /loop/{i}", "/loop/{i}", {}),
        ("# dds: /a/{i!r:>4}-{j:.2f}", "/a/{i!r:>4}-{j:.2f}", {}),
        ("# dds: '/my data/{day:%Y %m}'", "/my data/{day:%Y %m}", {}),
        ('# dds: "/my data"', "/my data", {}),
        ("# dds: /a version='new one'", "/a", {"version": "new one"}),
        ('# dds: /a version="it\'s \\" new"', "/a", {"version": "it's \" new"}),
        ("# dds: /a version=a\\ b", "/a", {"version": "a b"}),
        ("# dds: /a version=a=b", "/a", {"version": "a=b"}),
        ("# dds: /a{{b}}", "/a{{b}}", {}),
        ("# dds: /a#1", "/a#1", {}),
        ("# dds: /a  # noqa: E501", "/a", {}),
        ("# dds: # noqa", None, {}),
        ("# noqa: E501  # dds: /a", "/a", {}),
        ("# type: ignore[arg-type]  # dds: /a", "/a", {}),
        ("# pragma: no cover # noqa # dds: /a", "/a", {}),
        ("# dds: /été/{n}", "/été/{n}", {}),
        ("# dds: /" + "a" * 200, "/" + "a" * 200, {}),
    ],
)
def test_what_a_pragma_says(comment: str, path: str | None, options: dict[str, str]) -> None:
    assert one(comment) == (path, options, False)


def test_ignore() -> None:
    assert one("# dds: ignore") == (None, {}, True)
    assert one("#dds:ignore  # noqa") == (None, {}, True)


@pytest.mark.parametrize(
    "comment",
    [
        "# dds is great",
        "# the path of # dds: /x is its name",
        "# see dds: /x",
        "# dds",
        "# dds / libcst",
        "# dds/x",
        "# ddsimport: /x",
        "# adds: /x",
        "# DDS: the middleware",
        "# DDS textures",
        "## dds: /x",
        "#: dds: /x",
    ],
)
def test_prose_is_no_pragma(comment: str) -> None:
    assert pragmas_of(f"x = f()  {comment}\n", "m.py") == ()


def test_a_string_holds_no_pragma() -> None:
    text = (
        "x = '''\n# dds: /a\n'''\ny = f('# dds: /b') + \"# dds: /c\"\nz = f'''{1}# dds: /d\n'''\n"
    )
    assert pragmas_of(text, "m.py") == ()


def test_places() -> None:
    text = (
        "# dds: /a\nx = f(\n    1,  # dds: /b\n    # dds: /c\n)\n\n# dds: /d\n\ny = 1\n# dds: /e\n"
    )
    found = [
        (each.path, each.line, each.column, each.alone, each.above, each.first, each.last)
        for each in pragmas_of(text, "m.py")
    ]
    assert found == [
        ("/a", 1, 0, True, True, 2, 5),
        ("/b", 3, 8, False, False, 2, 5),
        ("/c", 4, 4, True, False, 2, 5),
        ("/d", 7, 0, True, True, 0, 0),
        ("/e", 10, 0, True, True, 0, 0),
    ]


MISTAKES = [
    # comment, what is underlined, what the message holds
    ("# dds: wine/raw", "wine/raw", "did you mean `# dds: /wine/raw`?"),
    ("# dds: wine", "wine", "did you mean `# dds: /wine`?"),
    ("# dds: ignored", "ignored", "did you mean `# dds: ignore`?"),
    ("# dds: Ignore", "Ignore", "did you mean `# dds: ignore`?"),
    ("# dds: ignore x", "x", "`# dds: ignore=x`"),
    ("# dds: /a//b", "/a//b", "a part is empty; did you mean `/a/b`?"),
    ("# dds: /a/", "/a/", "did you mean `/a`?"),
    ("# dds: /", "/", "a part is empty"),
    ("# dds: //", "//", "a part is empty"),
    ("# dds: /a/../b", "/a/../b", "`..` is no part of a path"),
    ("# dds: /./a", "/./a", "did you mean `/a`?"),
    ("# dds: /a\\b", "/a\\b", "did you mean `/a/b`?"),
    ("# dds: /a\x07b", "/a\x07b", "not printable; did you mean `/ab`?"),
    ("# dds: /a\u200bb", "/a\u200bb", "not printable; did you mean `/ab`?"),
    ("# dds: /a/" + "b" * 201, "/a/" + "b" * 201, "a part has 201 bytes, the longest may have 200"),
    ("# dds: /" + "é" * 101, "/" + "é" * 101, "202 bytes"),
    ("# dds: /a /b", "/b", "a step has one path, here it is `/a`"),
    ("# dds: /my data", "data", "means nothing here"),
    ("# dds: format=json /a", "/a", "did you mean `# dds: /a format=json`?"),
    ("# dds: /a{}", "/a{}", "such as `{n}`"),
    ("# dds: /a{0}", "/a{0}", "`{0}` is no name of an input"),
    ("# dds: ignore /a", "/a", "did you mean `# dds: /a`?"),
    ("# dds: ignore a", "a", "did you mean `# dds: ignore=a`?"),
    ("# dds: /a/{b", "/a/{b", "did you mean `/a/{b}`?"),
    ("# dds: /a/b}/c", "/a/b}/c", "did you mean `/a/{b}/c`?"),
    ("# dds: /a,format=json", "/a,format=json", "did you mean `/a format=json`?"),
    ("# dds: /a{b.c}", "/a{b.c}", "did you mean `{b}`?"),
    ("# dds: /a{b[0]}", "/a{b[0]}", "did you mean `{b}`?"),
    ("# dds: /a{b", "/a{b", "expected '}'"),
    ("# dds: /a}", "/a}", "Single '}'"),
    ("# dds: /a{b!x}", "/a{b!x}", "`!r`, `!s` or `!a`"),
    ("# dds: /a{b:{c}}", "/a{b:{c}}", "cannot hold another field"),
    ("# dds: /a{ b }", "/a{", "Single '{'"),
    ("# dds: /a fromat=json", "fromat=json", "did you mean `format=json`?"),
    ("# dds: /a Version=2", "Version=2", "did you mean `version=2`?"),
    ("# dds: /a ignores=a", "ignores=a", "did you mean `ignore=a`?"),
    ("# dds: /a zzz=1", "zzz=1", "the options are `format=`, `ignore=`, `version=`"),
    ("# dds: /a =1", "=1", "an option is written `key=value`"),
    ("# dds: /a format=jsn", "format=jsn", "did you mean `format=json`?"),
    ("# dds: /a: format=json", "/a:", "did you mean `/a`?"),
    ("# dds: /a, format=json", "/a,", "did you mean `/a`?"),
    ("# dds: /a*/b", "/a*/b", "cannot stand there"),
    ("# dds: /a format=", "format=", "`format=` has no value"),
    ("# dds: /a format = json", "format", "did you mean `format=json`?"),
    ("# dds: /a format =json", "format", "did you mean `format=json`?"),
    ("# dds: /a version=1 version=2", "version=2", "`version=` is given twice"),
    ("# dds: /a ignore=a,,b", "ignore=a,,b", "did you mean `ignore=a,b`?"),
    ("# dds: /a ignore='a, b'", "ignore='a, b'", "did you mean `ignore=a,b`?"),
    ("# dds: /a ignore=1", "ignore=1", "'1' is none"),
    ("# dds: /a verison", "verison", "did you mean `version=value`?"),
    ("# dds: /a 'b", "'b", "the quote ' is not closed; did you mean `'b'`?"),
    ('# dds: "/a', '"/a', 'the quote " is not closed'),
    ("# dds: /a version=b\\", "\\", "cannot end in a backslash"),
    ("# DDS: /a", "# DDS:", "did you mean `# dds: /a`?"),
    ("# Dds: ignore", "# Dds:", "did you mean `# dds: ignore`?"),
    ("# DDS:", "# DDS:", "did you mean `# dds:`?"),
    ("# DDS: format=json", "# DDS:", "did you mean `# dds: format=json`?"),
    ("# dds /a", "# dds", "did you mean `# dds: /a`?"),
    ("# dds : /a", "# dds :", "did you mean `# dds: /a`?"),
    ("# dds: /a ttl=5", "ttl=5", "written as `90s`, `30m`, `12h`, `1d` or `2w`"),
    ("# dds: /a ttl=0d", "ttl=0d", "written as `90s`, `30m`, `12h`, `1d` or `2w`"),
    ("# dds: /a ttl=1.2.3h", "ttl=1.2.3h", "written as `90s`, `30m`, `12h`, `1d` or `2w`"),
    ("# dds: /a cache=on", "cache=on", "it takes `off`"),
    ("# dds: /a replay=no", "replay=no", "it takes `off` or `truncated`"),
    ("# dds: /a files=a.csv,", "files=a.csv,", "did you mean `files=a.csv`?"),
    ("# dds: /a env='A, B'", "env='A, B'", "did you mean `env=A,B`?"),
    ("# dds: /a env=A=1", "env=A=1", "the names of variables, not their values"),
    ("# dds: /a tll=1d", "tll=1d", "did you mean `ttl=1d`?"),
]


@pytest.mark.parametrize(("comment", "shown", "said"), MISTAKES)
def test_a_mistake_is_shown_where_it_is(comment: str, shown: str, said: str) -> None:
    text = f"y = 1\néé = f()  {comment}\n"
    with pytest.raises(PragmaError) as caught:
        pragmas_of(text, "m.py")
    error = caught.value
    assert said in error.msg
    assert (error.filename, error.lineno, error.end_lineno) == ("m.py", 2, 2)
    assert error.text == text.split("\n")[1]
    assert error.offset is not None and error.end_offset is not None
    assert error.text[error.offset - 1 : error.end_offset - 1] == shown
    assert holds_pragma(text, "m.py")


def test_suggestions_are_valid() -> None:
    """What a message proposes is no mistake itself."""
    for comment, _, _ in MISTAKES:
        with pytest.raises(PragmaError) as caught:
            pragmas_of(f"x = f()  {comment}\n", "m.py")
        for proposed in re.findall(r"did you mean `(# dds:[^`]*)`", caught.value.msg):
            pragmas_of(f"x = f()  {proposed}\n", "m.py")
        for proposed in re.findall(r"did you mean `(/[^`]*|[a-z]+=[^`]*)`", caught.value.msg):
            pragmas_of(f"x = f()  # dds: {proposed}\n", "m.py")


def test_what_is_not_python() -> None:
    for text in ("x = (\n", "x = '''\n", "if x:\n  y\n z\n"):
        with pytest.raises(SyntaxError):
            pragmas_of(text + "# dds: /a", "m.py")
        assert not holds_pragma(text, "m.py")


LINE = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\n\r\f\0"))


@given(LINE)
@example("dds: '")
@example("dds: \\")
@example("dds: /{")
@example("dds: /{a!}")
@example("dds: /{a!r")
def test_any_comment_is_read_or_refused(comment: str) -> None:
    for text in (f"x = 1  # {comment}\n", f"x = 1  # dds: {comment}\n", f"# dds:{comment}\nx = 1"):
        try:
            pragmas = pragmas_of(text, "m.py")
        except PragmaError as error:
            assert error.text is not None and error.offset is not None
            assert 1 <= error.offset <= len(error.text) + 1
            assert error.offset < (error.end_offset or 0)
        else:
            assert len(pragmas) <= 1
            for pragma in pragmas:
                assert pragma.text.startswith("#") and pragma.text in text


PART = st.text(
    st.characters(blacklist_categories=["C", "Z"], blacklist_characters='/\\{}:*?"<>|'), min_size=1
).filter(lambda part: part[0] != "~" and part[-1] not in ".," and len(part.encode()) <= 200)
FIELD = st.sampled_from(["{a}", "{b!r}", "{c:>4}", "{d!s:.2f}", "x{e}y", "{{a}}"])
VALUE = st.text(st.characters(blacklist_categories=["C", "Zl", "Zp"]), min_size=1)


@given(
    st.lists(PART | FIELD, max_size=4),
    st.fixed_dictionaries({}, optional={"format": st.sampled_from(FORMATS), "version": VALUE}),
    st.lists(st.sampled_from(["a", "n_jobs", "é"]), max_size=3),
)
def test_what_is_written_is_read(
    parts: list[str], options: dict[str, str], names: list[str]
) -> None:
    path = "".join(f"/{part}" for part in parts) or None
    if names:
        options = {**options, "ignore": ",".join(names)}
    words = [path] if path else []
    words += [f"{key}={value}" for key, value in options.items()]
    comment = " ".join(map(shlex.quote, words))
    assert one(f"# dds: {comment}") == (path, options, False)


@given(LINE)
def test_words_are_those_of_a_shell(words: str) -> None:
    """The oracle of the quoting is `shlex`, but for `#`."""
    assume("#" not in words and "\\" not in words)
    assume(not any(letter.isspace() and letter not in " \t" for letter in words))
    from ddsimport.source.grammar import source_of, words_of

    try:
        expected = shlex.split(words)
    except ValueError:
        with pytest.raises(PragmaError):
            words_of(words, 0, 1, source_of(words, "m.py"))
    else:
        found, _ = words_of(words, 0, 1, source_of(words, "m.py"))
        assert [word.value for word in found] == expected


def test_the_needle_is_in_every_pragma() -> None:
    for comment in ("# dds: /a", "#dds:", "#  dds: ignore"):
        assert NEEDLE in comment.encode()
