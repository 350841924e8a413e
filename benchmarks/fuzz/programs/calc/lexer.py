"""Text to tokens."""

import re
from enum import Enum, auto
from typing import NamedTuple


class Kind(Enum):
    NUMBER = auto()
    NAME = auto()
    WORD = auto()
    SIGN = auto()
    END = auto()


WORDS = {"let", "print", "fun", "if", "then", "else"}
PATTERN = re.compile(r"(?P<NUMBER>\d+)|(?P<NAME>[a-z]+)|(?P<SIGN>[-+*/%()=<>])|(?P<END>\n)|[ \t]+")


class Token(NamedTuple):
    kind: Kind
    text: str
    line: int = 1


class LexerError(ValueError):
    pass


def tokens_of(text):
    return list(_tokens(text))


def _tokens(text):
    position, line = 0, 1
    while position < len(text):
        match = PATTERN.match(text, position)
        if match is None:
            raise LexerError(f"line {line}: {text[position]!r}")
        position = match.end()
        if match.lastgroup is None:
            continue
        kind = Kind[match.lastgroup]
        if kind is Kind.NAME and match.group() in WORDS:
            kind = Kind.WORD
        yield Token(kind, match.group(), line)
        line += kind is Kind.END
