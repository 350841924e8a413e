"""What may stand after `# dds:`: a path template, options, `ignore`; and how mistakes are shown.

pragma  := [path] option* | "ignore"
path    := ("/" part)+              {name}, {name!r}, {name:spec} as in str.format
option  := key "=" value            words are quoted as a shell would
"""

from __future__ import annotations

from dataclasses import dataclass

from ddsimport import plugins
from ddsimport.errors import PragmaError
from ddsimport.source.options import fault_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

OPTIONS = ("format", "ignore", "version", "files", "env", "ttl", "cache", "replay")
FORMATS = (
    "parquet", "csv", "arrow", "xlsx", "json", "npy", "npz", "safetensors", "text", "bytes",
    "png", "jpeg", "svg", "pdf", "pickle",
)  # fmt: skip
"""What `format=` takes: the names of `values.codecs`, which this room may not import; and those
that others have registered."""

LONGEST_PART = 200
"""Bytes of one part of a path: file systems allow 255, and views and versions add suffixes."""

_NEVER = '\\:*?"<>|'  # in no file name on some system

_FIELD = "\0"  # stands for a {name} in a path's skeleton: cannot occur in source text


@dataclass(frozen=True, slots=True)
class Source:
    """A file's name and lines, to show mistakes in."""

    filename: str
    lines: Sequence[str]

    def error(self, message: str, line: int, start: int, end: int) -> PragmaError:
        """The `PragmaError` for the characters `start` to `end` (columns from 0) of `line`."""
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        return PragmaError(
            message, (self.filename, line, start + 1, text, line, max(end, start + 1) + 1)
        )


def source_of(text: str, filename: str) -> Source:
    """`text` by lines as Python counts them (`str.splitlines` also cuts at form feeds)."""
    return Source(filename, text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a pragma: as written, without its quotes, and its columns (from 0)."""

    raw: str
    value: str
    start: int
    end: int


def words_of(body: str, base: int, line: int, source: Source) -> tuple[list[Word], int]:
    """The words of a pragma, and how much of `body` they are in.

    Quotes and backslashes mean what they mean to a shell. A `#` that begins a word ends the
    pragma: `x = f()  # dds: /x  # noqa`. (`shlex` gives no columns, and cuts words at any `#`.)

    Args:
        body: the comment after its `dds:`.
        base: the column of its first character.

    Raises:
        PragmaError: a quote is not closed, or the last character is a backslash.
    """
    words: list[Word] = []
    at = 0
    while True:
        while at < len(body) and body[at].isspace():
            at += 1
        if at == len(body) or body[at] == "#":
            return words, at
        start, value, quote = at, "", ""
        while at < len(body) and (quote or not body[at].isspace()):
            letter = body[at]
            if letter == "\\" and (
                quote == "" or (quote == '"' and body[at + 1 : at + 2] in '"\\')
            ):
                at += 1
                value += body[at : at + 1]
                if at == len(body):
                    raise source.error(
                        "a pragma cannot end in a backslash", line, base + at - 1, base + at
                    )
            elif quote == letter:
                quote = ""
            elif not quote and letter in "'\"":
                quote = letter
            else:
                value += letter
            at += 1
        if quote:
            raise source.error(
                f"the quote {quote} is not closed; did you mean `{body[start:].rstrip()}{quote}`?",
                line,
                base + start,
                base + at,
            )
        words.append(Word(body[start:at], value, base + start, base + at))


def said(
    words: Sequence[Word], line: int, source: Source
) -> tuple[str | None, tuple[tuple[str, str], ...], bool]:
    """The path template (None if there is none), the options, and whether it is `ignore`.

    Raises:
        PragmaError: one of the words cannot mean anything there.
    """
    if words and words[0].value == "ignore":
        if len(words) > 1:
            rest = " ".join(word.raw for word in words[1:])
            meant = rest if words[1].value.startswith("/") else f"ignore={rest}"
            message = f"`# dds: ignore` stands alone; did you mean `# dds: {meant}`?"
            raise _error(words[1], message, line, source)
        return None, (), True
    path: str | None = None
    options: dict[str, str] = {}
    for index, word in enumerate(words):
        if word.value.startswith("/"):
            if index:
                raise _error(word, _misplaced_path(words, word), line, source)
            _check_path(word, line, source)
            path = word.value
        else:
            key, value = _option(word, index, words, line, source)
            if key in options:
                raise _error(word, f"`{key}=` is given twice", line, source)
            options[key] = value
    return path, tuple(options.items()), False


def fields_of(path: str) -> tuple[str, ...]:
    """The names that a path template takes, in order."""
    from string import Formatter

    return tuple(name for _, name, _, _ in Formatter().parse(path) if name is not None)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The valid spelling next to `word`, None if none is near."""
    from difflib import get_close_matches

    matches = get_close_matches(word, list(known), n=1, cutoff=0.65)
    return matches[0] if matches else None


def _is_registered(format: str) -> bool:
    """Whether somebody registered views of this name: so far, or once installed packages could."""
    if format not in plugins.formats:
        plugins.load_installed()
    return format in plugins.formats


def _error(word: Word, message: str, line: int, source: Source) -> PragmaError:
    return source.error(message, line, word.start, word.end)


def _misplaced_path(words: Sequence[Word], word: Word) -> str:
    if words[0].value.startswith("/"):
        return (
            f"`{word.raw}`: a step has one path, here it is `{words[0].raw}`;"
            " a path with spaces is put in quotes"
        )
    rest = " ".join(other.raw for other in words if other is not word)
    return f"`{word.raw}`: the path comes first; did you mean `# dds: {word.raw} {rest}`?"


def _option(
    word: Word, index: int, words: Sequence[Word], line: int, source: Source
) -> tuple[str, str]:
    key, equals, value = word.value.partition("=")
    if not equals:
        raise _error(word, _no_option(word, index, words), line, source)
    if key not in OPTIONS:
        if not key:
            advice = "an option is written `key=value`, without spaces"
        elif (near := nearest(key, OPTIONS)) is not None:
            advice = f"did you mean `{near}={word.raw.partition('=')[2]}`?"
        else:
            advice = f"the options are {_list(OPTIONS)}"
        raise _error(word, f"`{word.raw}` is no option; {advice}", line, source)
    if not value:
        raise _error(
            word, f"`{key}=` has no value; an option is written `{key}=value`", line, source
        )
    if key == "format" and value not in FORMATS and not _is_registered(value):
        close = nearest(value.lower().lstrip("."), (*FORMATS, *plugins.formats))
        advice = f"did you mean `format={close}`?" if close else f"they are {', '.join(FORMATS)}"
        raise _error(word, f"`{word.raw}`: there is no such format; {advice}", line, source)
    if (fault := fault_in(key, value)) is not None:
        raise _error(word, f"`{word.raw}`: {fault}", line, source)
    if key == "ignore":
        for name in value.split(","):
            if not name.isidentifier():
                tidy = ",".join(
                    part.strip() for part in value.split(",") if part.strip().isidentifier()
                )
                raise _error(
                    word,
                    f"`ignore=` takes names parted by commas, and {name!r} is none;"
                    f" did you mean `ignore={tidy or 'name'}`?",
                    line,
                    source,
                )
    return key, value


def _no_option(word: Word, index: int, words: Sequence[Word]) -> str:
    """What to say of a word that is neither a path nor an option."""
    value = word.value
    following = words[index + 1].raw if index + 1 < len(words) else ""
    if following.startswith("=") and value in OPTIONS:
        after = words[index + 2].raw if index + 2 < len(words) else "value"
        joined = value + (following if len(following) > 1 else f"={after}")
        return f"`{word.raw}` has no value; did you mean `{joined}`? (without spaces)"
    if index == 0 and nearest(value.lower(), ("ignore",)) and "/" not in value:
        return f"`{word.raw}` is neither a path nor an option; did you mean `# dds: ignore`?"
    if index == 0:
        absolute = "/" + _tidy(value)
        return f"`{word.raw}`: a path begins with a slash; did you mean `# dds: {absolute}`?"
    near = nearest(value, OPTIONS)
    advice = f"did you mean `{near}=value`?" if near else "an option is written `key=value`"
    return f"`{word.raw}` means nothing here; {advice}"


def _list(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}=`" for name in names)


def _tidy(path: str) -> str:
    """`path` without what makes it invalid, as a suggestion: no leading slash."""
    import re

    letters = (letter for letter in path if letter.isprintable() and letter not in _NEVER[1:])
    parts = (part.strip("~,. ") for part in re.split(r"[/\\]+", "".join(letters)))
    return "/".join(part for part in parts if part) or "name"


def _check_path(word: Word, line: int, source: Source) -> None:
    """
    Raises:
        PragmaError: `word` is no path template.
    """

    def refuse(why: str, instead: str | None = None) -> PragmaError:
        advice = f"; did you mean `{instead}`?" if instead else ""
        return _error(word, f"path `{word.raw}`: {why}{advice}", line, source)

    if "\\" in word.raw:
        raise refuse("parts are parted by `/`, a backslash has no place", "/" + _tidy(word.raw))
    for option in OPTIONS:
        if f",{option}=" in word.value:
            raise refuse(
                "options are parted by spaces", word.raw.replace(f",{option}=", f" {option}=")
            )
    try:
        skeleton = _skeleton(word.value)
    except ValueError as error:
        raise refuse(f"{error}", _with_braces_closed(word.raw)) from None
    parts = skeleton.split("/")[1:]
    plain = "/" + _tidy(word.value)
    if any(letter != _FIELD and not letter.isprintable() for letter in skeleton):
        raise refuse("a character is not printable", plain)
    if "" in parts:
        raise refuse("a part is empty", plain)
    for part in parts:
        if part in (".", ".."):
            raise refuse(f"`{part}` is no part of a path, it is the same from everywhere", plain)
        wrong = next((letter for letter in part if letter in _NEVER), None)
        if wrong is not None or part[-1] in ". ," or part[0] == "~":
            what = f"`{wrong}`" if wrong else f"`{part[0] if part[0] == '~' else part[-1]}`"
            raise refuse(f"{what} cannot stand there in a file name on every system", plain)
        length = len(part.replace(_FIELD, "").encode("utf-8", "surrogatepass"))
        if length > LONGEST_PART:
            raise refuse(f"a part has {length} bytes, the longest may have {LONGEST_PART}")


def _with_braces_closed(path: str) -> str | None:
    """`path` with the brace that a part lacks; None if it lacks none, or that does not mend it."""
    parts = []
    for part in path.split("/"):
        more = part.count("{") - part.count("}")
        parts.append("{" * -more + part + "}" * more)
    mended = "/".join(parts)
    try:
        _skeleton(mended)
    except ValueError:
        return None
    return mended if mended != path else None


def _skeleton(path: str) -> str:
    """`path` with `_FIELD` for every `{name}`.

    Raises:
        ValueError: a field is not a plain name with an optional conversion and format.
    """
    from string import Formatter

    skeleton = ""
    for literal, field, spec, conversion in Formatter().parse(path):
        skeleton += literal
        if field is None:
            continue
        skeleton += _FIELD
        if not field:
            raise ValueError("`{}` takes the name of an input, such as `{n}`")
        if not field.isidentifier():
            name = field.replace("[", ".").partition(".")[0]
            if name.isidentifier():
                raise ValueError(
                    f"`{{{field}}}` is no name of an input: attributes and items are not looked up"
                    f" in a path; did you mean `{{{name}}}`?"
                )
            raise ValueError(f"`{{{field}}}` is no name of an input")
        if conversion is not None and conversion not in ("r", "s", "a"):
            raise ValueError(f"`!{conversion}` is no conversion; it is `!r`, `!s` or `!a`")
        if spec and ("{" in spec or "}" in spec):
            raise ValueError(f"the format of `{{{field}}}` cannot hold another field")
    return skeleton
