"""A source file as drawings and forecasts need it: scopes, their statements in order, and steps."""

from __future__ import annotations

import ast
import builtins
import re
from functools import cached_property, lru_cache

from ddsimport.errors import PragmaError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Function = ast.FunctionDef | ast.AsyncFunctionDef

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
LOOPS = (ast.For, ast.AsyncFor, ast.While)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_DECORATORS = ("data_function", "dds_function")  # the second is what dds_py calls it


class Step:
    """What is marked: an assignment, a function, or a call of `keep`.

    Attributes:
        line: of the text, as events name it.
        target: as `Site.target`; the name of the function that `keep` is given.
        names: what it reads, as an assignment's text names it.
        arguments: of a call of `keep`: name of the input -> the expression given.
        function: the definition, if it is one.
        path: what the paths of its events match.
    """

    def __init__(
        self,
        line: int,
        target: str,
        names: tuple[str, ...] = (),
        arguments: dict[str, ast.expr] | None = None,
        function: Function | None = None,
        path: re.Pattern[str] | None = None,
    ) -> None:
        self.line = line
        self.target = target
        self.names = names
        self.arguments = arguments or {}
        self.function = function
        self.path = path


class Statement:
    """A statement in its scope.

    Attributes:
        node: as parsed.
        blocks: the blocks around it inside its scope, the outermost first.
        loops: those of them that are loops.
    """

    def __init__(self, node: ast.stmt, blocks: tuple[tuple[int, str], ...], loops: _Loops) -> None:
        self.node = node
        self.blocks = blocks
        self.loops = loops

    @property
    def repeats(self) -> bool:
        """Whether an expression in it is evaluated several times."""
        return any(isinstance(node, _COMPREHENSIONS) for node in ast.walk(self.node))


class Scope:
    """A module or a function.

    Attributes:
        node: as parsed.
        outer: the scope around it; None for a module.
        owner: the class that it is a method of, else "".
        statements: in the order of the text, those in branches and loops too.
        parameters: names, in order.
    """

    def __init__(self, node: ast.Module | Function, outer: Scope | None, owner: str) -> None:
        self.node = node
        self.outer = outer
        self.owner = owner
        self.statements: list[Statement] = []
        self.parameters: list[str] = []
        if not isinstance(node, ast.Module):
            given = node.args
            self.parameters = [
                each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)
            ]

    def concerning(self, name: str) -> list[tuple[Statement, bool]]:
        """The statements that bind a name or act on its value, and whether they bind it."""
        return self._concerning.get(name, [])

    def statement_at(self, line: int | None) -> Statement | None:
        """The first statement that begins at a line."""
        return self._at.get(line or 0)

    @cached_property
    def _at(self) -> dict[int, Statement]:
        return {each.node.lineno: each for each in reversed(self.statements)}

    @cached_property
    def _concerning(self) -> dict[str, list[tuple[Statement, bool]]]:
        found: dict[str, list[tuple[Statement, bool]]] = {}
        for statement in self.statements:
            bound = bound_by(statement.node)
            for name in bound | acted_on(statement.node):
                found.setdefault(name, []).append((statement, name in bound))
        return found


class Text:
    """A parsed file.

    Attributes:
        scopes: the module, then its functions in the order of the text.
        steps: by line.
        methods: name -> the methods of any class that are called so.
    """

    def __init__(self, file: str, text: str) -> None:
        self.scopes: list[Scope] = []
        self.steps: dict[int, Step] = {}
        self.methods: dict[str, list[Scope]] = {}
        self._of_function: dict[int, Scope] = {}
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):  # of another Python
            tree = ast.Module([], [])
        self._take(tree, None, "")
        for step in (*_pragmas(file, tree, text), *_plain(tree)):
            self.steps.setdefault(step.line, step)

    def scope_at(self, line: int) -> Scope:
        """The innermost scope with the statement at a line; a `def` lies in the one around it."""
        found = self.scopes[0]
        for scope in self.scopes[1:]:
            node = scope.node
            assert not isinstance(node, ast.Module)
            if node.body[0].lineno <= line <= (node.end_lineno or 0):
                found = scope
        return found

    def scope_of(self, function: ast.stmt) -> Scope | None:
        """The scope that a definition makes."""
        return self._of_function.get(id(function))

    def step_of(self, statement: ast.stmt) -> Step | None:
        """The step that a statement is, or that stands in it as a call of `keep`."""
        if isinstance(statement, FUNCTIONS):
            first = min([statement.lineno, *(each.lineno for each in statement.decorator_list)])
            return next(
                (
                    step
                    for line in (statement.lineno, first)
                    if (step := self.steps.get(line)) is not None and step.function is not None
                ),
                None,
            )
        step = self.steps.get(statement.lineno)
        if step is None and isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr):
            inside = range(statement.lineno, (statement.end_lineno or 0) + 1)
            step = next((self.steps[line] for line in inside if line in self.steps), None)
        return step

    def _take(self, node: ast.Module | Function, outer: Scope | None, owner: str) -> None:
        scope = Scope(node, outer, owner)
        self.scopes.append(scope)
        self._of_function[id(node)] = scope
        if owner and not isinstance(node, ast.Module):
            self.methods.setdefault(node.name, []).append(scope)
        self._walk(node.body, scope, (), ())

    def _walk(self, body: list[ast.stmt], scope: Scope, blocks: _Blocks, loops: _Loops) -> None:
        for node in body:
            scope.statements.append(Statement(node, blocks, loops))
            if isinstance(node, FUNCTIONS):
                self._take(node, scope, "")
            elif isinstance(node, ast.ClassDef):
                for each in node.body:
                    if isinstance(each, FUNCTIONS):
                        self._take(each, scope, node.name)
            else:
                inside = (*loops, node.lineno) if isinstance(node, LOOPS) else loops
                for field, inner in _bodies(node):
                    # What stands under `with` or `try:` runs as what stands before it.
                    plain = isinstance(node, ast.With | ast.AsyncWith) or field == "body-of-try"
                    here = blocks if plain else (*blocks, (node.lineno, field))
                    self._walk(inner, scope, here, inside)


@lru_cache(maxsize=256)
def text_of(file: str, text: str) -> Text:
    """Each text is parsed once."""
    return Text(file, text)


def _bodies(node: ast.stmt) -> Iterator[tuple[str, list[ast.stmt]]]:
    for field in ("body", "orelse", "finalbody"):
        inner = getattr(node, field, None)
        if inner:
            yield ("body-of-try" if field == "body" and isinstance(node, ast.Try) else field), inner
    for number, handler in enumerate(getattr(node, "handlers", [])):
        yield f"handler {number}", handler.body
    for number, case in enumerate(getattr(node, "cases", [])):
        yield f"case {number}", case.body


# --- statements --------------------------------------------------------------------------------


def targets(statement: ast.stmt) -> list[ast.expr]:
    """What it assigns to."""
    if isinstance(statement, ast.Assign):
        return statement.targets
    if isinstance(statement, ast.AnnAssign | ast.AugAssign | ast.For | ast.AsyncFor):
        return [statement.target]
    if isinstance(statement, ast.With | ast.AsyncWith):
        return [each.optional_vars for each in statement.items if each.optional_vars]
    return []


def bound_by(statement: ast.stmt) -> set[str]:
    """The names that a statement itself binds."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(each.asname or each.name).partition(".")[0] for each in statement.names}
    return {
        node.id
        for target in targets(statement)
        for node in ast.walk(target)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def heads(statement: ast.stmt) -> list[ast.AST]:
    """What a statement itself evaluates: of a loop or a branch only its head."""
    if isinstance(statement, ast.For | ast.AsyncFor):
        return [statement.iter]
    if isinstance(statement, ast.If | ast.While):
        return [statement.test]
    if isinstance(statement, ast.Match):
        return [statement.subject]
    if isinstance(statement, ast.With | ast.AsyncWith):
        return [each.context_expr for each in statement.items]
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return list(statement.decorator_list)
    if isinstance(statement, ast.Try):
        return []
    return [statement]


def acted_on(statement: ast.stmt) -> set[str]:
    """The names whose values it may change: `x.append(1)`, `x["a"] = 1`, `x.n += 1`."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        changed: list[ast.expr] = [statement.value.func]
    elif isinstance(statement, ast.Assign | ast.AugAssign):
        changed = targets(statement)
    else:
        return set()
    found: set[str] = set()
    for target in changed:
        node = target
        while isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        if node is not target and isinstance(node, ast.Name):
            found.add(node.id)
    return found


def acts_on(statement: ast.stmt, name: str) -> bool:
    """Whether it may change the value of a name, also by giving it to a function: `fill(x)`."""
    if name in acted_on(statement):
        return True
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call):
        return False
    of_python = isinstance(call.func, ast.Name) and hasattr(builtins, call.func.id)
    given = (each.id for each in call.args if isinstance(each, ast.Name))
    return not of_python and name in given


def names_read(statement: ast.stmt) -> set[str]:
    """The names that a statement itself reads."""
    return {
        node.id
        for head in heads(statement)
        for node in ast.walk(head)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def base_of(name: str) -> str:
    """The name in what an expression reads of it: `self.n`, `cfg['a']`."""
    return name.partition(".")[0].partition("[")[0]


# --- steps ----------------------------------------------------------------------------------------


def _pragmas(file: str, tree: ast.Module, text: str) -> Iterator[Step]:
    from ddsimport.source.pragma import pragmas_of
    from ddsimport.source.steps import sites_of

    functions = {node.lineno: node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)}
    try:
        found = sites_of(tree, pragmas_of(text, file), file, text)
    except (PragmaError, SyntaxError, ValueError, RecursionError):
        return
    for each in found:
        site = each.site
        yield Step(
            site.line,
            site.target,
            tuple(_written(given.name, given.access) for given in site.inputs),
            function=functions.get(site.line) if site.kind == "function" else None,
        )


def _written(name: str, access: tuple[tuple[str, object], ...]) -> str:
    return name + "".join(f".{key}" if kind == "." else f"[{key!r}]" for kind, key in access)


def _plain(tree: ast.Module) -> Iterator[Step]:
    """Calls of `keep` and functions with `data_function`, whatever module they were taken from."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _last_name(node.func) == "keep" and len(node.args) > 1:
            path = _pattern(node.args[0])
            if path is not None:
                arguments = {f"argument {n}": each for n, each in enumerate(node.args[2:], 1)}
                arguments.update({each.arg: each.value for each in node.keywords if each.arg})
                yield Step(node.lineno, _last_name(node.args[1]), arguments=arguments, path=path)
        elif isinstance(node, FUNCTIONS):
            for each in node.decorator_list:
                if isinstance(each, ast.Call) and _last_name(each.func) in _DECORATORS:
                    path = _pattern(each.args[0]) if each.args else None
                    first = node.decorator_list[0].lineno
                    yield Step(first, node.name, function=node, path=path)


def _last_name(node: ast.expr) -> str:
    return (
        node.attr
        if isinstance(node, ast.Attribute)
        else node.id
        if isinstance(node, ast.Name)
        else ""
    )


def _pattern(node: ast.expr) -> re.Pattern[str] | None:
    """What paths an expression may give; None: it is not that of a path."""
    if isinstance(node, ast.Constant):
        return re.compile(re.escape(node.value)) if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        parts = [
            re.escape(str(each.value)) if isinstance(each, ast.Constant) else "[^/]*"
            for each in node.values
        ]
        return re.compile("".join(parts))
    return re.compile(".*")


if TYPE_CHECKING:
    _Blocks = tuple[tuple[int, str], ...]
    _Loops = tuple[int, ...]
