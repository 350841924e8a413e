"""The statements of one cell of an interactive session: what each binds, and its text.

See `cells` for what they are put together to.
"""

from __future__ import annotations

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Chunk:
    """One top-level statement of a cell, or several that share a line.

    Attributes:
        key: its text without what stands above it; equal keys, equal code.
        text: with the comments above it, which may be a pragma; ends with a line break.
        first: the line of `key` in the cell, from 1.
        last: the last line in the cell.
        above: how many lines of `text` stand before `key`.
        names: what it binds in the module.
        settles: those names that it binds whatever happens, without reading what they were.
    """

    def __init__(self, lines: Sequence[str], nodes: Sequence[ast.stmt], after: int) -> None:
        self.first = min(map(_first_line, nodes))
        self.last = max(node.end_lineno or node.lineno for node in nodes)
        self.key = "\n".join(lines[self.first - 1 : self.last]).rstrip()
        self.text = "\n".join(lines[after : self.last]) + "\n"
        self.above = self.first - 1 - after
        self.names = frozenset(name for node in nodes for name in _bound(node))
        read = {name for node in nodes for name in _read(node)}
        definite = {name for node in nodes if _is_definite(node) for name in _bound(node)}
        self.settles = definite - read
        self.is_ipython = all(map(_is_ipython, nodes))


class Cell:
    """The text of one cell, and its statements.

    Attributes:
        name: the file name of its code objects; "" if it shares that with others.
        title: what people call it, such as `In [3]`.
        has_steps: whether any of its statements is one.
    """

    def __init__(self, name: str, title: str, text: str, tree: ast.Module) -> None:
        self.name = name
        self.title = title
        self.text = text
        self.has_steps = False
        lines = text.split("\n")
        self.chunks: list[Chunk] = []
        after = 0
        for nodes in _sharing_lines(tree.body):
            chunk = Chunk(lines, nodes, after)
            after = chunk.last
            self.chunks.append(chunk)

    def chunk_at(self, line: int) -> Chunk | None:
        """The statement that a line is part of."""
        for chunk in self.chunks:
            if chunk.first <= line <= chunk.last:
                return chunk
        return None


# --- statements -----------------------------------------------------------------------------------


def _first_line(node: ast.stmt) -> int:
    decorators = node.decorator_list if isinstance(node, _DEFINITIONS) else []
    return min([node.lineno, *(each.lineno for each in decorators)])


def _sharing_lines(body: Sequence[ast.stmt]) -> Iterator[list[ast.stmt]]:
    group: list[ast.stmt] = []
    for node in body:
        if group and _first_line(node) > (group[-1].end_lineno or group[-1].lineno):
            yield group
            group = []
        group.append(node)
    if group:
        yield group


def _is_ipython(node: ast.stmt) -> bool:
    """Whether a statement is a magic or a command of the shell, whose text says nothing."""
    value = node.value if isinstance(node, ast.Expr) else None
    while isinstance(value, (ast.Call, ast.Attribute)):
        value = value.func if isinstance(value, ast.Call) else value.value
    return isinstance(value, ast.Name) and value.id == "get_ipython"


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a top-level statement binds in its module, or deletes."""
    for node in _in_own_scope(statement):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, _DEFINITIONS):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                if alias.name != "*":
                    yield alias.asname or alias.name.partition(".")[0]
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            yield node.name
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.rest


def _is_definite(node: ast.stmt) -> bool:
    """Whether a statement binds its names whatever happens, and leaves nothing of what they were
    (`import a.c` leaves `a.b`)."""
    if isinstance(node, ast.Import):
        return not any("." in alias.name and not alias.asname for alias in node.names)
    if isinstance(node, ast.AnnAssign):
        return node.value is not None
    return isinstance(node, (ast.Assign, ast.ImportFrom, ast.Delete, *_DEFINITIONS))


def _in_own_scope(statement: ast.stmt) -> Iterator[ast.AST]:
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, (*_DEFINITIONS, ast.Lambda)):
            continue
        for child in ast.iter_child_nodes(node):
            # The variables of a comprehension are its own (a walrus in it is not).
            if not isinstance(child, ast.comprehension):
                stack.append(child)


def _read(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement reads when it runs, or may: those in bodies of functions only
    count once these are called."""
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            stack += [*node.decorator_list, node.args]
        else:
            stack += ast.iter_child_nodes(node)
