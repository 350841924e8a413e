"""What plain code the names that a step reads come through, by the text around (see `givers` for
the steps that they come from).

For people only, to forecast: signatures go by values. So it is enough to follow names
through the statements above (plain code between two steps), without the rules for what may happen
to a name meanwhile.
"""

from __future__ import annotations

import ast
import builtins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef


def plain(
    text: str, line: int, names: Iterable[str], marked: frozenset[int]
) -> list[tuple[ast.stmt, str]]:
    """The statements without a mark by way of which the value of these names is made, each with
    the name that it binds, or acts on.

    Args:
        text: of the file.
        line: of the step that reads them.
        names: as its expression names them (`self.n`, `cfg['a']`).
        marked: the first lines of the marked statements of the file.
    """
    return [
        (statement, name)
        for statement, name, _ in _followed(text, line, names, marked)
        if statement.lineno not in marked
    ]


def _followed(
    text: str, line: int, names: Iterable[str], marked: frozenset[int]
) -> Iterator[tuple[ast.stmt, str, tuple[int, ...]]]:
    """(statement, name that it binds or acts on, the lines of plain statements on the way there),
    from the step at `line` upwards, to marked statements and not beyond."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    above: list[ast.stmt] = []
    for scope in _scopes_around(tree, line):
        above = [*(each for each in _statements(scope) if each.lineno < line), *above]
    seen: set[tuple[int, str]] = set()
    queue: list[tuple[str, int, tuple[int, ...]]] = [(_base(name), line, ()) for name in names]
    for name, before, through in queue:
        for statement in reversed(above):
            if statement.lineno >= before or (statement.lineno, name) in seen:
                continue
            binds = name in _bound(statement)
            if not binds and not acts_on(statement, name):
                continue
            seen.add((statement.lineno, name))
            yield statement, name, through
            if statement.lineno not in marked:
                passed = (*through, statement.lineno)
                queue += [(read, statement.lineno, passed) for read in _reads(statement)]
            if binds and not isinstance(statement, ast.AugAssign):
                break


def _base(name: str) -> str:
    return name.partition(".")[0].partition("[")[0]


def _scopes_around(tree: ast.Module, line: int) -> list[_Scope]:
    """The functions around a line, the innermost first, then the module."""
    found: list[_Scope] = [tree]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.lineno < line <= (
            node.end_lineno or 0
        ):
            found.insert(0, node)
    return found


def _statements(scope: _Scope) -> Iterator[ast.stmt]:
    """The statements of a scope, in the order of the text, those in its branches and loops too."""
    queue: list[ast.stmt] = list(scope.body)
    while queue:
        statement = queue.pop(0)
        yield statement
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        inner: list[ast.stmt] = []
        for field in ("body", "orelse", "finalbody"):
            inner += getattr(statement, field, [])
        for handler in getattr(statement, "handlers", []):
            inner += handler.body
        for case in getattr(statement, "cases", []):
            inner += case.body
        queue[:0] = inner


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement itself binds."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign | ast.For | ast.AsyncFor):
        targets = [statement.target]
    elif isinstance(statement, ast.With | ast.AsyncWith):
        targets = [each.optional_vars for each in statement.items if each.optional_vars]
    return {
        node.id
        for target in targets
        for node in ast.walk(target)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def acts_on(statement: ast.stmt, name: str) -> bool:
    """`x.append(1)`, `fill(x)`, `x["a"] = 1`, `x.n += 1`."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        targets: list[ast.expr] = [call.func]
        of_python = isinstance(call.func, ast.Name) and hasattr(builtins, call.func.id)
        given = (each for each in call.args if isinstance(each, ast.Name))
        if not of_python and any(each.id == name for each in given):
            return True
    elif isinstance(statement, ast.Assign):
        targets = list(statement.targets)
    elif isinstance(statement, ast.AugAssign):
        targets = [statement.target]
    else:
        return False
    for target in targets:
        node = target
        while isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        if node is not target and isinstance(node, ast.Name) and node.id == name:
            return True
    return False


def _reads(statement: ast.stmt) -> set[str]:
    """The names that a statement itself reads: of a loop or a branch only its head."""
    parts: list[ast.AST] = [statement]
    if isinstance(statement, ast.For | ast.AsyncFor):
        parts = [statement.iter]
    elif isinstance(statement, ast.With | ast.AsyncWith):
        parts = [each.context_expr for each in statement.items]
    elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return set()
    return {
        node.id
        for part in parts
        for node in ast.walk(part)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
