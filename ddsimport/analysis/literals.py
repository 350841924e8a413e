"""The value that a literal's spelling stands for, whatever quotes, prefix or base it is written in.

Of our own, rather than `ast.literal_eval`, so that no `SyntaxWarning` about an escape reaches a
user who never asked for this file to be looked at, and so that no Python version has its own view.
"""

from __future__ import annotations

import re

_ESCAPE = re.compile(
    r"\\(?:\n|([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|N\{([^}]+)\}|(.))",
    re.DOTALL,
)
_SIMPLE = {
    "\\": "\\", "'": "'", '"': '"', "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r",
    "t": "\t", "v": "\v",
}  # fmt: skip


def unquoted(token: str) -> tuple[bool, bool, str]:
    """Split a string token into (is bytes, is raw, the text between its quotes)."""
    quote = min(at for at in (token.find("'"), token.find('"')) if at >= 0)
    prefix = token[:quote].lower()
    width = 3 if token[quote : quote + 3] in ('"""', "'''") else 1
    return "b" in prefix, "r" in prefix, token[quote + width : len(token) - width]


def string_value(token: str) -> tuple[bool, str]:
    """The (is bytes, value) of a string token; bytes as the text of their Latin-1 decoding."""
    is_bytes, raw, body = unquoted(token)
    return is_bytes, body if raw else unescaped(body, is_bytes)


def unescaped(body: str, is_bytes: bool = False) -> str:
    """`body` with its escapes replaced as Python does; unknown ones stay as they are written."""
    if "\r" in body:
        body = body.replace("\r\n", "\n").replace("\r", "\n")
    if "\\" not in body:
        return body

    def replaced(match: re.Match[str]) -> str:
        octal, byte, short, long, name, other = match.groups()
        if octal:
            code = int(octal, 8)
            return chr(code & 0xFF if is_bytes else code)
        if byte:
            return chr(int(byte, 16))
        if is_bytes and (short or long or name):
            return match.group()
        if short or long:
            code = int(short or long, 16)
            return chr(code) if code <= 0x10FFFF else match.group()
        if name:
            return _character(name) or match.group()
        if other:
            return _SIMPLE.get(other, match.group())
        return ""

    return _ESCAPE.sub(replaced, body)


def _character(name: str) -> str:
    import unicodedata

    try:
        return unicodedata.lookup(name)
    except KeyError:  # this Python's table is older than the file
        return ""


def integer_value(token: str) -> str:
    """The value of an integer token in hexadecimal, which has no limit on its number of digits."""
    digits = token.replace("_", "").lower()
    base = {"0x": 16, "0o": 8, "0b": 2}.get(digits[:2])
    try:
        return hex(int(digits[2:], base) if base else int(digits))
    except ValueError:  # longer than sys.get_int_max_str_digits()
        return digits


def float_value(token: str) -> str:
    """The value of a float token, exactly."""
    return float(token.replace("_", "")).hex()
