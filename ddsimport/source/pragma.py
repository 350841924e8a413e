"""Comments to pragmas: where `# dds: ...` stands in a file and what it says.

Only `tokenize` knows which `#` begins a comment; what follows it is read here, word by word, with
columns, so that every mistake is shown where it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from ddsimport.errors import PragmaError
from ddsimport.source.grammar import OPTIONS, Source, said, source_of, words_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from re import Match
    from tokenize import TokenInfo

NEEDLE = b"dds:"
"""Bytes that every file with a pragma holds (one with a near miss, such as `# DDS:`, may not)."""

# Comments of other tools that may stand before a pragma in the same comment token.
_OTHER_TOOLS = r"(?:noqa|type|pyright|mypy|pylint|pragma|nosec|fmt|isort|ruff|yapf|noinspection)\b"
_MARK = rf"(?:\#\s*{_OTHER_TOOLS}[^#]*)*(?P<mark>\#\s*(?P<word>dds)(?P<gap>\s*)(?P<colon>:?))"


@dataclass(frozen=True, slots=True)
class Pragma:
    """One `# dds: ...` comment.

    Attributes:
        path: the template of the artifact's path, or None where the pragma names none.
        options: the options as written, in order.
        ignore: whether it is `# dds: ignore`.
        line: the comment's line, from 1.
        column: the column of its `#` in characters, from 0.
        alone: whether nothing but white space stands before it on its line.
        text: the pragma as written, from its `#`.
        first: the first line of the logical line it belongs to: the one around it or, for a
            comment between two logical lines, the one that begins right below; 0 if none does.
        last: the last line of that logical line.
        above: whether it stands between two logical lines, hence above its own.
    """

    path: str | None
    options: tuple[tuple[str, str], ...]
    ignore: bool
    line: int
    column: int
    alone: bool
    text: str
    first: int
    last: int
    above: bool


def pragmas_of(text: str, filename: str) -> tuple[Pragma, ...]:
    """The pragmas of a file, in order.

    Args:
        text: the decoded source.
        filename: for messages.

    Raises:
        PragmaError: a comment means to be a pragma and is malformed.
        SyntaxError: the text is not Python to the tokenizer.
    """
    source = source_of(text, filename)
    return tuple(
        pragma
        for token, first, last, above in _comments(text)
        if (pragma := _pragma(token, first, last, above, source)) is not None
    )


def holds_pragma(text: str, filename: str) -> bool:
    """Whether a file has a pragma, malformed ones included; False if it is not Python at all."""
    try:
        return bool(pragmas_of(text, filename))
    except PragmaError:
        return True
    except SyntaxError:
        return False


def _comments(text: str) -> Iterator[tuple[TokenInfo, int, int, bool]]:
    """Every comment token with the first and last line of its logical line; see `Pragma`."""
    import token as kinds
    import tokenize
    from io import StringIO

    # Strings with replacement fields are several tokens from 3.12 on, and may hold comments:
    # those are inside a string, and no pragmas.
    opening = {getattr(kinds, name, -1) for name in ("FSTRING_START", "TSTRING_START")} - {-1}
    closing = {getattr(kinds, name, -1) for name in ("FSTRING_END", "TSTRING_END")} - {-1}
    silent = (tokenize.NL, tokenize.INDENT, tokenize.DEDENT)
    depth = 0
    first = 0  # first line of the logical line being read, 0 between two
    above: list[TokenInfo] = []
    inside: list[TokenInfo] = []
    try:
        for token in tokenize.generate_tokens(StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                if depth == 0:
                    (inside if first else above).append(token)
            elif token.type in (tokenize.NEWLINE, tokenize.ENDMARKER):
                last = token.start[0]
                for comment in above:
                    touches = first == comment.start[0] + 1
                    yield (comment, first, last, True) if touches else (comment, 0, 0, True)
                for comment in inside:
                    yield comment, first, last, False
                first, above, inside = 0, [], []
            elif token.type not in silent:
                depth += (token.type in opening) - (token.type in closing)
                first = first or token.start[0]
    except tokenize.TokenError as error:
        message, (line, _) = error.args
        raise SyntaxError(f"{message} (line {line})") from None


def _pragma(token: TokenInfo, first: int, last: int, above: bool, source: Source) -> Pragma | None:
    """What one comment says; None if it is not for us."""
    import re

    match = re.match(_MARK, token.string, re.IGNORECASE)
    if match is None:
        return None
    line, base = token.start
    body = token.string[match.end() :]
    if not _spelled_right(match):
        if _means_us(match, body):
            right = f"# dds: {body.strip()}".rstrip()
            mark = match["mark"].rstrip()
            start = base + match.start("mark")
            end = start + len(mark)
            raise source.error(
                f"`{mark}` is not how a pragma begins; did you mean `{right}`?",
                line,
                start,
                end,
            )
        return None
    words, length = words_of(body, base + match.end(), line, source)
    start = base + match.start("mark")
    text = token.string[match.start("mark") : match.end() + length].rstrip()
    path, options, ignore = said(words, line, source)
    alone = not source.lines[line - 1][:base].strip()
    return Pragma(path, options, ignore, line, start, alone, text, first, last, above)


def _spelled_right(match: Match[str]) -> bool:
    return match["word"] == "dds" and match["gap"] == "" and match["colon"] == ":"


def _means_us(match: Match[str], body: str) -> bool:
    """Whether a near miss (`# DDS: /x`, `# dds /x`, `# dds : ignore`) means to be a pragma.

    Prose must stay prose: "# dds is great", "# DDS: the middleware".
    """
    words = body.split()
    if not match["colon"]:
        return bool(match["gap"]) and bool(words) and len(words[0]) > 1 and words[0][0] == "/"
    if not words:
        return True
    known = OPTIONS
    return words[0][0] == "/" or words == ["ignore"] or words[0].partition("=")[0] in known
