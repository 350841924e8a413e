"""Which statement each pragma marks, and whether it may.

A pragma belongs to a logical line, as `tokenize` sees it; formatters may move a comment about
inside one, and it still means the same. Of the statements that begin in that line it marks the last
one before the comment, or, from the line above, the one that begins the line.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from ddsimport.source.reads import first_of, own_nodes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import NoReturn

    from ddsimport.source.grammar import Source
    from ddsimport.source.pragma import Pragma

Function = ast.FunctionDef | ast.AsyncFunctionDef

_IGNORABLE = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
    ast.Import,
    ast.ImportFrom,
)
# Statements that others may be inside of.
_COMPOUND = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
)
# How messages call a statement, and what to do instead of marking it.
_REFUSED = {
    "AugAssign": ("an augmented assignment", "its target is an input too: write `x = x + ...`"),
    "Expr": ("an expression without a target", "assign its value to a name"),
    "Return": ("a `return`", "assign the value first, or mark the `def`"),
    "Assert": ("an `assert` statement", ""),
    "Delete": ("a `del`", ""),
    "Import": ("an import", "only `# dds: ignore` may mark it"),
    "ImportFrom": ("an import", "only `# dds: ignore` may mark it"),
    "ClassDef": ("a class", "only `# dds: ignore` may mark it"),
    "Global": ("a `global`", ""),
    "Nonlocal": ("a `nonlocal`", ""),
    "TypeAlias": ("a `type`", ""),
    "If": ("an `if` header", "mark the statement inside"),
    "For": ("a `for` header", "assign what it loops over to a name first"),
    "AsyncFor": ("an `async for` header", "assign what it loops over to a name first"),
    "While": ("a `while` header", "mark the statement inside"),
    "With": ("a `with` header", "mark the statement inside"),
    "AsyncWith": ("an `async with` header", "mark the statement inside"),
    "Try": ("a `try` header", "mark the statement inside"),
    "TryStar": ("a `try` header", "mark the statement inside"),
    "Match": ("a `match` header", "assign its subject to a name first"),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What surrounds a statement.

    Attributes:
        prefix: what its qualified name begins with, such as "Model.fit.<locals>.".
        class_name: the innermost class, for private names.
        function: the innermost function whose frame it runs in; None in a class body.
    """

    prefix: str = ""
    class_name: str | None = None
    function: Function | None = None
    in_method: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A statement, where it begins (line, column in characters), and what is around it."""

    line: int
    column: int
    node: ast.stmt
    scope: Scope
    parent: ast.AST


def marked_by(
    tree: ast.Module, pragmas: Sequence[Pragma], source: Source
) -> Iterator[tuple[Pragma, Place]]:
    """Each pragma with its statement, which may be marked so."""
    lines: dict[int, list[Place]] = {}
    for place in _places(tree, source):
        lines.setdefault(place.line, []).append(place)
    taken: dict[ast.stmt, Pragma] = {}
    for pragma in pragmas:
        place = _place_of(pragma, lines, source)
        _check_statement(pragma, place.node, source)
        first = taken.setdefault(place.node, pragma)
        if first is not pragma:
            refuse(pragma, f"the statement has a pragma already, on line {first.line}", source)
        yield pragma, place


def _places(tree: ast.Module, source: Source) -> Iterator[Place]:
    """Every statement of the file, once for each logical line of its header."""
    stack: list[tuple[ast.AST, Scope]] = [(tree, Scope())]
    while stack:
        parent, scope = stack.pop()
        for node in ast.iter_child_nodes(parent):
            if isinstance(node, ast.stmt):
                starts = [(each.lineno, each.col_offset) for each in decorators_of(node)]
                for line, column in (*starts, (node.lineno, node.col_offset)):
                    yield Place(line, character_column(source, line, column), node, scope, parent)
                stack.append((node, _inside(node, scope)))
            elif isinstance(node, ast.excepthandler | ast.match_case):
                stack.append((node, scope))


def _inside(node: ast.stmt, scope: Scope) -> Scope:
    """The scope of the statements in a statement's own blocks."""
    if isinstance(node, ast.ClassDef):
        return Scope(f"{scope.prefix}{node.name}.", node.name)
    if isinstance(node, Function):
        is_method = scope.function is None and scope.class_name is not None
        prefix = f"{scope.prefix}{node.name}.<locals>."
        return replace(scope, prefix=prefix, function=node, in_method=is_method)
    return scope


def decorators_of(node: ast.stmt) -> list[ast.expr]:
    return node.decorator_list if isinstance(node, Function | ast.ClassDef) else []


def character_column(source: Source, line: int, column: int) -> int:
    """A column of `ast` (bytes of UTF-8) in characters."""
    text = source.lines[line - 1]
    return column if text.isascii() else len(text.encode()[:column].decode(errors="replace"))


def _place_of(pragma: Pragma, lines: dict[int, list[Place]], source: Source) -> Place:
    """The statement that a pragma marks.

    Raises:
        PragmaError: there is none, or more than one could be meant.
    """
    found = [
        place
        for line in (range(pragma.first, pragma.last + 1) if pragma.first else ())
        for place in lines.get(line, ())
    ]
    if pragma.above:
        if not pragma.first:
            refuse(
                pragma,
                "no statement begins right below it; a pragma stands at the end of its statement"
                " or alone on the line right above",
                source,
            )
        found.sort(key=_position)
        if len(found) > 1 and not isinstance(found[0].node, _COMPOUND):
            refuse(
                pragma,
                "several statements stand on the line below; put it at the end of one of them",
                source,
            )
        if found:
            return found[0]
    found = [place for place in found if _position(place) < (pragma.line, pragma.column)]
    if not found:
        text = source.lines[(pragma.first or pragma.line) - 1].strip().partition("#")[0].strip()
        refuse(
            pragma,
            f"no statement begins on its line (`{text}`); mark an assignment or a `def`",
            source,
        )
    last = max(found, key=_position)
    if (
        not isinstance(last.node, ast.Assign | ast.AnnAssign)
        and isinstance(last.parent, Function)
        and any(place.node is last.parent for place in found)
    ):
        # A formatter would part `def f(x): return g(x)  # dds: /f` and leave it on the `return`.
        refuse(pragma, "a `def` on one line is marked from the line above", source)
    return last


def _position(place: Place) -> tuple[int, int]:
    return place.line, place.column


def refuse(pragma: Pragma, why: str, source: Source, word: str = "") -> NoReturn:
    """
    Raises:
        PragmaError: always; it points at `word` inside the pragma, else at all of it.
    """
    at = pragma.text.find(word) if word else 0
    start = pragma.column + max(at, 0)
    length = len(word) if word and at >= 0 else len(pragma.text)
    raise source.error(f"`{pragma.text}`: {why}", pragma.line, start, start + length)


def _check_statement(pragma: Pragma, node: ast.stmt, source: Source) -> None:
    """
    Raises:
        PragmaError: the statement cannot be marked so.
    """
    if pragma.ignore:
        if not isinstance(node, _IGNORABLE):
            what, _ = _REFUSED.get(type(node).__name__, ("this statement", ""))
            refuse(
                pragma,
                f"{what} cannot be ignored; `# dds: ignore` marks a `def`, a `class`, an"
                " assignment or an import",
                source,
            )
        return
    if isinstance(node, ast.Assign | ast.AnnAssign):
        if node.value is None:
            refuse(pragma, "an annotation without a value is nothing to keep", source)
        if first_of(node.value, ast.NamedExpr) is not None:
            refuse(
                pragma,
                "a right-hand side that assigns (`:=`) cannot be a step: it would not assign when"
                " the value comes from the store; assign that name on a line of its own",
                source,
            )
        if first_of(node.value, ast.Yield, ast.YieldFrom) is not None:
            refuse(
                pragma,
                "a right-hand side with `yield` cannot be a step: what the generator's caller sees"
                " cannot be replayed",
                source,
            )
    elif isinstance(node, Function):
        if any(isinstance(each, ast.Yield | ast.YieldFrom) for each in own_nodes(node)):
            kind = "an async generator" if isinstance(node, ast.AsyncFunctionDef) else "a generator"
            refuse(
                pragma,
                f"{kind} cannot be a step: it has no one value; mark a function that returns a"
                " list of what it yields",
                source,
            )
    else:
        what, remedy = _REFUSED.get(
            type(node).__name__, (f"a `{type(node).__name__.lower()}` statement", "")
        )
        advice = f"; {remedy}" if remedy else "; mark an assignment or a `def`"
        refuse(pragma, f"{what} cannot be a step{advice}", source)
