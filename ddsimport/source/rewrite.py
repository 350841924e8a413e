"""The rewritten form of a marked module: its tree with every step in place.

An assignment's right-hand side becomes one expression, a function's body one `try`:

    x = (__dds__.recall(SITE) or __dds__.evaluate(SITE)(VALUE))[0]

    __dds__.let_wait((("model", "model"),))  # if only steps read what `from … import model` binds

    def f(...):
        __dds_hit__ = __dds__.recall(SITE)
        if __dds_hit__:
            return __dds_hit__[0]
        del __dds_hit__
        try:
            BODY, with `return X` as `return __dds__.finish(SITE, X)`
        except:
            __dds__.fail(SITE)
            raise
        finally:
            __dds__.leave(SITE)

A `return` is not the end: a `finally` or `with` around it may still raise or return otherwise. So
`finish` only notes the value, and `leave` has it kept.

Nothing else of the tree changes. Every node added carries a position such that line events,
tracebacks, coverage and breakpoints of a miss are those of the module as it was written: what runs
before the value is on the line that runs first anyway, what runs after it on the line of the store
that follows. (`ast.fix_missing_locations` would hide a node whose position was forgotten.)
"""

from __future__ import annotations

import ast
from copy import copy
from dataclasses import dataclass
from typing import TypedDict

from ddsimport.source import REWRITER_TAG
from ddsimport.source.pragma import pragmas_of
from ddsimport.source.reads import own_nodes
from ddsimport.source.steps import Site, sites_of
from ddsimport.source.unread import unread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddsimport.source.steps import Step

__all__ = ["REWRITER_TAG", "RUNTIME", "rewrite", "rewrite_cell", "show"]

RUNTIME = "ddsimport.runtime.step"
_MODULE = "__dds__"
_HIT = "__dds_hit__"

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_DISPLAYS = (
    ast.Constant,
    ast.Tuple,
    ast.List,
    ast.Set,
    ast.ListComp,
    ast.SetComp,
    ast.GeneratorExp,
    ast.JoinedStr,
    ast.FormattedValue,
)


class _Position(TypedDict):
    lineno: int
    col_offset: int
    end_lineno: int
    end_col_offset: int


_NOWHERE: _Position = {"lineno": -1, "col_offset": -1, "end_lineno": -1, "end_col_offset": -1}
"""The position of what leaves a function where plain Python has nothing: the return at the end of
its body, which is on the line of whatever came before it, and the way of an exception through it.
The compiler takes it as it takes its own instructions without a line."""


@dataclass(frozen=True, slots=True)
class _Build:
    """Makes nodes that all stand at one place: on one line, as wide as what they stand for."""

    at: _Position

    def name(self, name: str, context: type[ast.expr_context] = ast.Load) -> ast.Name:
        return ast.Name(name, context(), **self.at)

    def constant(self, value: object) -> ast.Constant:
        return ast.Constant(value, **self.at)  # type: ignore[arg-type]  # tuples are constants too

    def call(self, function: str, *arguments: ast.expr) -> ast.Call:
        callee = ast.Attribute(self.name(_MODULE), function, ast.Load(), **self.at)
        return ast.Call(callee, list(arguments), [], **self.at)


def rewrite(text: str, filename: str) -> ast.Module:
    """The tree of a module, rewritten; as it is parsed where no pragma asks for more.

    Args:
        text: the decoded source.
        filename: for messages.

    Raises:
        PragmaError: a pragma is malformed or misplaced.
        SyntaxError: the text is not Python.
    """
    tree = ast.parse(text, filename)
    steps = sites_of(tree, pragmas_of(text, filename), filename, text)
    lines = text.split("\n")
    if steps:
        # First: the order of execution is asked of statements as they were written.
        steps, imported = unread(tree, steps)
        _insert_import(tree, lines, imported)
    _rewrite_all(steps, lines)
    return tree


def rewrite_cell(tree: ast.Module, text: str, filename: str) -> bool:
    """Rewrite the tree of a cell of an interactive session, in place; whether it has steps.

    Other cells may read whatever it binds, so none of its values waits. The runtime is not
    imported: whoever runs the cell puts it into the namespace, which may be emptied in between.

    Raises:
        PragmaError: a pragma is malformed or misplaced.
    """
    steps = sites_of(tree, pragmas_of(text, filename), filename, text)
    _rewrite_all(steps, text.split("\n"))
    return bool(steps)


def _rewrite_all(steps: Sequence[Step], lines: Sequence[str]) -> None:
    for step in steps:
        if isinstance(step.node, _Function):
            _rewrite_function(step.node, step.site, lines)
        else:
            _rewrite_assignment(step.node, step.site, lines)


def show(text: str, filename: str) -> str:
    """The rewritten module as source, for people to read.

    Raises:
        PragmaError, SyntaxError: as `rewrite`.
    """
    return ast.unparse(rewrite(text, filename))


def _rewrite_assignment(node: ast.Assign | ast.AnnAssign, site: Site, lines: Sequence[str]) -> None:
    value = node.value
    assert value is not None  # steps.py refuses an annotation without a value
    before = _Build(_on_line(_first_line(value), value, lines))
    # A miss goes on from the value to the target, on the statement's first line.
    after = _Build(_on_line(node.lineno, node, lines))
    constant = before.constant(site.constant())
    evaluation = before.call("evaluate", constant)
    outcome = ast.BoolOp(
        ast.Or(),
        [
            before.call("recall", constant),
            ast.Call(evaluation, [value], [], **after.at),
        ],
        **before.at,
    )
    node.value = ast.Subscript(outcome, after.constant(0), ast.Load(), **after.at)


def _rewrite_function(node: _Function, site: Site, lines: Sequence[str]) -> None:
    has_docstring = ast.get_docstring(node, clean=False) is not None
    docstring, body = node.body[:has_docstring], node.body[has_docstring:]
    running = [each for each in body if not _does_nothing(each)]
    if running:
        line = _first_line(running[0])
    else:
        # Python puts what a function without statements does, to return None, on its first line.
        line = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    build = _Build(_on_line(line, running[0] if running else node, lines))
    constant = build.constant(site.constant())
    for each in own_nodes(node):
        if isinstance(each, ast.Return):
            _finish(each, site, lines)
    out = _Build(_NOWHERE)
    if not body or not isinstance(body[-1], ast.Return | ast.Raise):
        finish = out.call("finish", out.constant(site.constant()), out.constant(None))
        body = [*body, ast.Return(finish, **out.at)]
    fail = ast.Expr(out.call("fail", out.constant(site.constant())), **out.at)
    handler = ast.ExceptHandler(None, None, [fail, ast.Raise(None, None, **out.at)], **out.at)
    leave = ast.Expr(out.call("leave", out.constant(site.constant())), **out.at)
    hit = ast.Subscript(build.name(_HIT), build.constant(0), ast.Load(), **build.at)
    node.body = [
        *docstring,
        ast.Assign([build.name(_HIT, ast.Store)], build.call("recall", constant), **build.at),
        ast.If(build.name(_HIT), [ast.Return(hit, **build.at)], [], **build.at),
        ast.Delete([build.name(_HIT, ast.Del)], **build.at),
        ast.Try(body, [handler], [], [leave], **build.at),
    ]


def _does_nothing(node: ast.stmt) -> bool:
    """Whether Python makes no code of a function's statement."""
    return isinstance(node, ast.Global | ast.Nonlocal) or (
        isinstance(node, ast.AnnAssign) and node.value is None and bool(node.simple)
    )


def _finish(node: ast.Return, site: Site, lines: Sequence[str]) -> None:
    """Have a `return` hand its value to the runtime on its way out."""
    after = _Build(_on_line(node.lineno, node, lines))
    if node.value is None:
        value: ast.expr = after.constant(None)
        before = after
    else:
        value = node.value
        before = _Build(_on_line(_first_line(value), value, lines))
    call = before.call("finish", before.constant(site.constant()), value)
    node.value = ast.Call(call.func, call.args, [], **after.at)


def _insert_import(
    tree: ast.Module, lines: Sequence[str], unread: tuple[tuple[str, str], ...]
) -> None:
    """Import the runtime, after what must stay first: the docstring and `__future__` imports.

    Args:
        unread: what the module imports for its steps only; the runtime is told, if it is anything.
    """
    index = int(ast.get_docstring(tree, clean=False) is not None)
    while index < len(tree.body) and _is_future_import(tree.body[index]):
        index += 1
    following = tree.body[index]  # there is one: a step
    at = _on_line(_first_line(following), following, lines)
    build = _Build(at)
    told = ast.Expr(build.call("let_wait", build.constant(unread)), **at)
    tree.body[index:index] = [
        ast.Import([ast.alias(RUNTIME, _MODULE, **at)], **at),
        *([told] if unread else []),
    ]


def _is_future_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__" and not node.level


def _on_line(line: int, node: ast.expr | ast.stmt, lines: Sequence[str]) -> _Position:
    """A position on one line: that of what `node` has there.

    It is never empty: an empty one makes Python print an empty line of carets.
    """
    text = lines[line - 1].encode() if lines else b""
    start = len(text) - len(text.lstrip())
    end = len(text.rstrip())
    if line == node.lineno:
        start = node.col_offset
    if line == node.end_lineno and node.end_col_offset is not None:
        end = node.end_col_offset
    return {
        "lineno": line,
        "col_offset": start,
        "end_lineno": line,
        "end_col_offset": max(end, start + 1),
    }


def _first_line(node: ast.expr | ast.stmt) -> int:
    """The line of the first instruction that Python compiles a node to.

    It is not always the node's own: of a list that begins with a line break, the first element
    runs first. The order is the compiler's and changes with its version: so the compiler is asked.
    """
    if isinstance(node, ast.stmt) and not isinstance(node, _DEFINITIONS):
        first = _first_expression(node)
        return node.lineno if first is None else _first_line(first)
    start = node.lineno
    question: ast.Expression | ast.Module
    if isinstance(node, ast.expr):
        question = ast.Expression(node)
    else:
        start = min([start, *(each.lineno for each in node.decorator_list)])
        node = copy(node)
        node.body = [ast.Pass(**_on_line(node.lineno, node, []))]
        question = ast.Module([node], [])
    if start == node.end_lineno or _may_warn(question):
        return start
    mode = "eval" if isinstance(node, ast.expr) else "exec"
    try:
        # `await` may stand in the expression, wherever that stands.
        code = compile(question, "", mode, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, RecursionError):
        return start  # what is wrong with it is said when the module is compiled
    line: int | None
    for _, _, line in code.co_lines():
        # Lines before the node's are those of the code object's own prologue.
        if line is not None and line >= start:
            return line
    return start


def _first_expression(node: ast.stmt) -> ast.expr | None:
    """What a statement evaluates first, where it evaluates something."""
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.Return | ast.Expr):
        return node.value
    if isinstance(node, ast.For | ast.AsyncFor):
        return node.iter
    if isinstance(node, ast.If | ast.While | ast.Assert):
        return node.test
    if isinstance(node, ast.With | ast.AsyncWith):
        return node.items[0].context_expr
    if isinstance(node, ast.Match):
        return node.subject
    return None


def _may_warn(question: ast.AST) -> bool:
    """Whether compiling a tree may print a `SyntaxWarning`, which its module will print anyway.

    Those are `check_compare`, `check_caller`, `check_subscripter` and `check_index` in compile.c.
    """
    for node in ast.walk(question):
        if isinstance(node, ast.Compare):
            if any(isinstance(operator, ast.Is | ast.IsNot) for operator in node.ops) and any(
                isinstance(side, ast.Constant) and side.value not in (None, True, False, ...)
                for side in (node.left, *node.comparators)
            ):
                return True
        elif isinstance(node, ast.Call):
            if isinstance(node.func, (*_DISPLAYS, ast.Dict, ast.DictComp)):
                return True
        elif isinstance(node, ast.Subscript) and isinstance(node.value, (*_DISPLAYS, ast.Lambda)):
            return True
    return False
