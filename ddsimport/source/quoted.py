"""Names in strings: of the languages that look them up in the frame that calls.

pandas' `query` and `eval` read `@limit`, the formulas of patsy, statsmodels and formulaic
(`y ~ scale(x)`) call what is named so, and duckdb finds the frame `t` for `select a from t`. No
name in Python's own sense is read there: the text of the string alone tells.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_DOTTED = r"[^\W\d]\w*(?:\s*\.\s*[^\W\d]\w*)*"
_NAMED = re.compile(_DOTTED)
_LOCAL = re.compile(rf"(?<!\w)@\s*({_DOTTED})")

_FORMULA = re.compile(r"~(?![/\\])")  # `~/data` is a folder
_PROSE = re.compile(r"\w\s+\w")  # "takes ~5 minutes": no formula has two words side by side

_SQL = re.compile(
    r"\s*\(?\s*(?:select|with|from|create|insert|copy|describe|summarize|pivot|unpivot|explain)\b",
    re.IGNORECASE,
)
_TABLE = re.compile(rf"\b(?:from|join|into|describe|summarize|pivot)\s+({_DOTTED})", re.IGNORECASE)
_NEXT_TABLE = re.compile(rf"(?:\s+(?:as\s+)?[^\W\d]\w*)?\s*,\s*({_DOTTED})", re.IGNORECASE)


def names_in(text: str) -> list[str]:
    """The dotted names that a string reads if it is such a text, in its order, each once.

    Most of them are columns, and bound to nothing: such count for nothing.
    """
    found: list[str] = []
    if "@" in text:
        found += _LOCAL.findall(text)
    if "~" in text and _FORMULA.search(text) and not _PROSE.search(text):
        found += _NAMED.findall(text)
    if _SQL.match(text):
        for table in _TABLE.finditer(text):
            found.append(table[1])
            at = table.end()
            while (following := _NEXT_TABLE.match(text, at)) is not None:
                found.append(following[1])
                at = following.end()
    return list(dict.fromkeys("".join(name.split()) for name in found))


def with_gaps(parts: Iterable[object]) -> str:
    """The text of an f-string; where a value stands, a number: no name."""
    return "".join(part if isinstance(part, str) else "0" for part in parts)
