"""Where the statements and lambdas of a file stand, in the coordinates that code objects use.

libcst's tree has no positions (its provider costs three times the parse), so they come from `ast`,
whose statements are the same in the same order. Looking at the `ast` first also tells which files
are too deep for libcst, whose native parser ends the interpreter where Python would raise.
"""

from __future__ import annotations

import ast
import itertools
import re
from dataclasses import dataclass
from typing import NamedTuple

_DEEPEST = 600
"""Depth of a tree that is still analysed; libcst 1.9 overflows an 8 MB stack near 5,000."""


class UnanalysableError(Exception):
    """The text of a file cannot be analysed; says why in a few words."""


class Statement(NamedTuple):
    """Where one statement stands, as `ast` counts: lines from 1, columns in UTF-8 bytes from 0.

    Attributes:
        first_line: the line of the first decorator, as in `co_firstlineno`; else `line`.
        header_line: the last line of a compound statement's header; else `last_line`.
    """

    kind: str
    line: int
    column: int
    first_line: int
    header_line: int
    last_line: int


@dataclass(frozen=True, slots=True)
class Positions:
    """The statements of a file in the order of its text, and the first lines of its lambdas.

    Lambdas inside f-strings are left out: before Python 3.12 their positions are wrong.
    """

    statements: tuple[Statement, ...]
    lambdas: tuple[int, ...]


def positions_of(text: str) -> Positions:
    """The positions in `text`, whose lines end in "\\n".

    Raises:
        UnanalysableError: this Python cannot parse the text, or it is nested too deeply.
    """
    lines = text.split("\n")
    starts = [0, *itertools.accumulate(len(line) + 1 for line in lines)]
    lambdas_at_all = "lambda" in text
    statements: list[Statement] = []
    lambdas: list[tuple[int, int]] = []
    stack: list[tuple[ast.AST, int]] = [(parsed(text), 0)]
    while stack:
        node, depth = stack.pop()
        if depth > _DEEPEST:
            raise UnanalysableError("nested too deeply")
        if isinstance(node, ast.stmt):
            statement = _statement(node)
            statements.append(statement)
            # Patterns and the types of handlers stand between the statements of a block.
            split = isinstance(node, ast.Match) or hasattr(node, "handlers")
            last = statement.last_line if split else statement.header_line
            first, last = starts[statement.first_line - 1], starts[last]
            # No text is nested deeper than it is long: few statements are looked into.
            if last - first > _DEEPEST or (
                lambdas_at_all and text.find("lambda", first, last) >= 0
            ):
                lambdas += _lambdas(node, depth, lines)
        inner = [child for block in _BLOCKS for child in getattr(node, block, ())]
        stack += [(child, depth + 1) for child in reversed(inner)]
    return Positions(tuple(statements), tuple(line for line, _ in sorted(lambdas)))


_BLOCKS = ("body", "handlers", "cases", "orelse", "finalbody")
"""The fields that hold statements, or what holds statements, in the order of the text."""


def _lambdas(statement: ast.stmt, depth: int, lines: list[str]) -> list[tuple[int, int]]:
    """(line, column) of the lambdas in a statement itself, without the statements in it."""
    found: list[tuple[int, int]] = []
    stack: list[tuple[ast.AST, int, bool]] = [(statement, depth, False)]
    while stack:
        node, depth, formatted = stack.pop()
        if isinstance(node, ast.Lambda):
            if not formatted:
                found.append((node.lineno, node.col_offset))
        elif isinstance(node, (ast.Constant, ast.JoinedStr)):
            depth += _pieces(node, lines)
            formatted = formatted or isinstance(node, ast.JoinedStr)
        elif isinstance(node, ast.BoolOp):
            depth += len(node.values)
        if depth > _DEEPEST:
            raise UnanalysableError("nested too deeply")
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case)):
                stack.append((child, depth + 1, formatted))
            elif isinstance(child, ast.ExceptHandler) and child.type is not None:
                stack.append((child.type, depth + 1, formatted))
            elif isinstance(child, ast.match_case):
                stack += [
                    (part, depth + 1, formatted)
                    for part in (child.pattern, child.guard)
                    if part is not None
                ]
    return found


def parsed(text: str) -> ast.Module:
    import warnings

    with warnings.catch_warnings():
        # The compiler has told, or will tell, the user about an invalid escape: once is enough.
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except SyntaxError as error:
            raise UnanalysableError(f"line {error.lineno}: {error.msg}") from None
        except (RecursionError, MemoryError):
            raise UnanalysableError("nested too deeply") from None
        except ValueError as error:  # null bytes, on some versions
            raise UnanalysableError(str(error)) from None


def _statement(node: ast.stmt) -> Statement:
    first = node.lineno
    for decorator in getattr(node, "decorator_list", ())[:1]:
        first = decorator.lineno
    last = node.end_lineno or node.lineno
    body = getattr(node, "body", None)
    header = last
    if isinstance(node, ast.Match):
        header = node.subject.end_lineno or node.lineno
    elif body:
        inner = body[0]
        start = [inner.lineno, *(item.lineno for item in getattr(inner, "decorator_list", ()))]
        header = max(node.lineno, min(start) - 1)
    return Statement(type(node).__name__, node.lineno, node.col_offset, first, header, last)


def _pieces(node: ast.Constant | ast.JoinedStr, lines: list[str]) -> int:
    """An upper bound on the string tokens joined in `node`: libcst nests them, `ast` does not."""
    if isinstance(node, ast.Constant) and not isinstance(node.value, (str, bytes)):
        return 0
    last = node.end_lineno or node.lineno
    if last == node.lineno:
        if (node.end_col_offset or 0) - node.col_offset <= _DEEPEST:
            return 0
    elif last - node.lineno <= 100:
        return 0
    return _quotes(lines, node, last)


def _quotes(lines: list[str], node: ast.expr, last: int) -> int:
    written = "\n".join(lines[node.lineno - 1 : last]).encode(errors="surrogatepass")
    written = written[node.col_offset :]
    if last == node.lineno:
        written = written[: (node.end_col_offset or 0) - node.col_offset]
    if b'"""' in written[:5] or b"'''" in written[:5]:
        return (written.count(b'"""') + written.count(b"'''")) // 2
    return len(_JOINT.findall(written))


_JOINT = re.compile(rb"""['"](?:[\s\\]|#[^\n]*\n)*[a-zA-Z]{0,2}['"]""")
"""Where one string token may end and the next begin."""
