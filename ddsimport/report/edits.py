"""What of a program's text has changed since a run, and whether it may have a part in a step.

The code that a step reaches is compared by its hash; this is about all other code of the project,
which runs before the step and may give its inputs, rebind what it calls, or leave something that it
reads. Whether it does cannot be known without running it, so names decide: an edit concerns a step
if it mentions what the step mentions. That is enough for a forecast, and for nothing else.
"""

from __future__ import annotations

import ast
from collections import Counter
from functools import cached_property

from ddsimport.analysis.outside import closed
from ddsimport.errors import PragmaError
from ddsimport.records import Record
from ddsimport.report.texts import acts_on, base_of, bound_by, names_read, text_of
from ddsimport.source.pragma import pragmas_of
from ddsimport.source.steps import sites_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ddsimport.report.texts import Scope

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_FINDS_CODE = frozenset(
    {"__import__", "eval", "exec", "exec_module", "globals", "import_module", "run_module",
     "run_path", "spec_from_file_location"}
)  # fmt: skip
"""What leads to code that no name tells."""
_SAYS = frozenset({"print", "display"})
"""What a statement that does nothing else calls."""


class Edit(Record):
    """One difference.

    Attributes:
        file: relative to the project.
        scope: the qualified name of the function with steps that it is in; empty for the module.
        line: where it is now; of what is gone, where the next statement is.
        what: how it is called in messages.
        names: what it mentions, before or after.
        imports: it imports something.
        function: the name of the function or class that it changes; empty for other statements.
        registers: what the decorators and bases of that mention.
    """

    file: str
    scope: str
    line: int
    what: str
    names: frozenset[str]
    imports: bool = False
    function: str = ""
    registers: frozenset[str] = frozenset()


class Text:
    """A text of a file, parsed.

    Attributes:
        text: the text.
        tree: None if it cannot be parsed.
        marked: first line -> target of its marked statements.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree: ast.Module | None = None
        self.marked: dict[int, str] = {}
        try:
            self.tree = ast.parse(text)
            steps = sites_of(self.tree, pragmas_of(text, ""), "", text)
            self.marked = {step.site.line: step.site.target for step in steps}
        except (PragmaError, SyntaxError, ValueError, RecursionError):
            return

    def line_of(self, target: str) -> int:
        """The line of the step with this target; 0 if there is none."""
        return next((line for line, each in self.marked.items() if each == target), 0)

    @cached_property
    def scopes(self) -> dict[str, list[ast.stmt]]:
        """Scope -> its statements: of the module, and of each function with marked statements;
        branches and loops with marked statements are taken apart."""
        if self.tree is None:
            return {}
        found: dict[str, list[ast.stmt]] = {"": []}
        self._collect(self.tree.body, "", "", found)
        return found

    def _collect(
        self, body: list[ast.stmt], scope: str, prefix: str, found: dict[str, list[ast.stmt]]
    ) -> None:
        for statement in body:
            if isinstance(statement, _Function) and self._has_marks(statement):
                name = f"{prefix}{statement.name}"
                found[name] = []
                self._collect(statement.body, name, f"{name}.<locals>.", found)
                continue
            if isinstance(statement, ast.ClassDef) and self._has_marks(statement):
                self._collect(statement.body, scope, f"{prefix}{statement.name}.", found)
                continue
            blocks = [each for each in _blocks(statement) if any(map(self._has_marks, each))]
            if blocks and statement.lineno not in self.marked:
                found[scope] += _head(statement)
                for block in _blocks(statement):
                    self._collect(block, scope, prefix, found)
                continue
            found[scope].append(statement)

    def _has_marks(self, statement: ast.stmt) -> bool:
        last = statement.end_lineno or statement.lineno
        return any(statement.lineno <= line <= last for line in self.marked)

    def scope_of(self, line: int) -> str:
        """The scope that a step stands in."""
        found, size = "", 1 << 30
        if self.tree is None:
            return ""
        for name, node in _functions(self.tree.body, ""):
            last = node.end_lineno or node.lineno
            if node.lineno < line <= last and last - node.lineno < size:
                found, size = name, last - node.lineno
        return found

    def in_loop(self, line: int) -> bool:
        """Whether the statement at a line is in a loop: what stands below may run before it."""
        nodes = ast.walk(self.tree) if self.tree is not None else ()
        return any(
            isinstance(node, _LOOPS) and node.lineno < line <= (node.end_lineno or 0)
            for node in nodes
        )


def edits_between(file: str, old: Text, new: Text) -> list[Edit]:
    """The differences of two texts of a file, but for those of marked statements, comments, layout
    and docstrings."""
    if old.tree is None or new.tree is None:
        if old.text == new.text:
            return []
        what = f"{file} has changed" if old.tree is None else f"{file} is no Python any more"
        return [Edit(file, "", 0, what, frozenset(), imports=True)]
    found: list[Edit] = []
    for scope in {**old.scopes, **new.scopes}:
        before = [each for each in old.scopes.get(scope, []) if not _is_marked(each, old)]
        after = [each for each in new.scopes.get(scope, []) if not _is_marked(each, new)]
        known = Counter(_normal(each) for each in before)
        for statement in after:
            key = _normal(statement)
            if known[key]:
                known[key] -= 1
            else:
                found.append(_edit(file, scope, statement.lineno, statement))
        for statement in reversed(before):
            key = _normal(statement)
            if known[key]:
                known[key] -= 1
                line = _next_line(before[before.index(statement) :], after)
                found.append(_edit(file, scope, line, statement))
    return [each for each in found if each.names or each.imports]


def concerned(
    edits: Iterable[Edit],
    names: frozenset[str],
    place: tuple[str, Text, int],
    bindings: Bindings,
) -> str:
    """The first edit that may have a part in a step, in words; empty if none may.

    Args:
        names: what the step, and the plain code that gives its inputs, mention.
        place: the step's file, that text, and its line in it.
        bindings: of the program's plain code.
    """
    file, text, line = place
    scope, loops = text.scope_of(line), text.in_loop(line)
    edits = list(edits)
    functions = {each.function: each for each in edits if each.function}
    led = bindings.led_by_statements(names)
    for each in edits:
        if not names.isdisjoint(_FINDS_CODE):
            return each.what
        if each.function:
            if each.function in names or each.function in led or each.registers & names:
                return each.what
            continue
        if (each.file, each.scope) == (file, scope) and each.line > line and not loops:
            continue
        # What it calls that has changed may concern the step where it does not.
        called = {name for name in each.names if name in functions}
        mentioned = each.names.union(*(functions[name].names for name in called))
        if each.imports or mentioned & names:
            return each.what
    return ""


def names_around(text: Text, line: int, inputs: Iterable[str]) -> frozenset[str]:
    """The names that the plain code mentions by way of which a step gets its inputs.

    The statements above are followed upwards, to marked ones and not beyond, without the rules for
    what may happen to a name meanwhile: signatures go by values, and this is to forecast them.

    Args:
        line: of the step.
        inputs: as its expression names them (`self.n`, `cfg['a']`).
    """
    scope: Scope | None = text_of("", text.text).scope_at(line)
    above: list[ast.stmt] = []
    while scope is not None:
        above = [*(each.node for each in scope.statements if each.node.lineno < line), *above]
        scope = scope.outer
    found: set[str] = set()
    seen: set[tuple[int, str]] = set()
    queue = [(base_of(name), line) for name in inputs]
    for name, before in queue:
        for statement in reversed(above):
            if statement.lineno >= before or (statement.lineno, name) in seen:
                continue
            binds = name in bound_by(statement)
            if not binds and not acts_on(statement, name):
                continue
            seen.add((statement.lineno, name))
            if statement.lineno not in text.marked:
                found |= {name, *mentioned_by(statement)}
                queue += [(read, statement.lineno) for read in names_read(statement)]
            if binds and not isinstance(statement, ast.AugAssign):
                break
    return frozenset(found)


class Bindings:
    """Which names lead to which in the plain code of several texts: a variable to what the
    statements mention that bind it, a function or class to what it mentions."""

    def __init__(self, texts: Iterable[Text]) -> None:
        self._leads: dict[str, set[str]] = {}
        self._statements: list[frozenset[str]] = []
        for text in texts:
            for statement in text.scopes.get("", []):
                if not _is_marked(statement, text):
                    self._add(statement)

    def _add(self, statement: ast.stmt) -> None:
        if isinstance(statement, _Function | ast.ClassDef):
            bound: set[str] = {statement.name}
        else:
            bound = {
                node.id
                for node in ast.walk(statement)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            }
        mentioned = mentioned_by(statement)
        if not isinstance(statement, _Function | ast.ClassDef | ast.Import | ast.ImportFrom):
            self._statements.append(mentioned)
        for name in bound:
            self._leads.setdefault(name, set()).update(mentioned)

    def led_by_statements(self, names: frozenset[str]) -> frozenset[str]:
        """What the statements lead to that may act on something of these names."""
        found: set[str] = set()
        for mentioned in self._statements:
            led = self.closed(mentioned)
            if not led.isdisjoint(names):
                found |= led
        return frozenset(found)

    def closed(self, names: Iterable[str]) -> frozenset[str]:
        """These names, and all that they lead to."""
        return frozenset(closed(names, self._leads))


def mentioned_by(node: ast.AST) -> frozenset[str]:
    """The names and attributes in a piece of code."""
    found: set[str] = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            found.add(each.id)
        elif isinstance(each, ast.Attribute):
            found.add(each.attr)
        elif isinstance(each, ast.Global | ast.Nonlocal):
            found.update(each.names)
        elif isinstance(each, _Function | ast.ClassDef):
            found.add(each.name)
        elif isinstance(each, ast.alias):
            found.update((each.asname or each.name).split("."))
        elif isinstance(each, ast.Constant) and isinstance(each.value, str):
            found.add(each.value)  # `setattr(module, "f", g)`
    return frozenset(found)


def _edit(file: str, scope: str, line: int, statement: ast.stmt) -> Edit:
    if isinstance(statement, _Function | ast.ClassDef):
        names = mentioned_by(statement) | {statement.name}
        what = f"{statement.name} in {file} has changed"
        parts = [*statement.decorator_list, *getattr(statement, "bases", [])]
        registers = frozenset().union(*map(mentioned_by, parts))
        return Edit(file, scope, line, what, names, False, statement.name, registers)
    what = f"{file}:{line} has changed"
    imports = any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(statement))
    names = frozenset() if _only_says(statement) else mentioned_by(statement)
    return Edit(file, scope, line, what, names, imports=imports)


def _only_says(statement: ast.stmt) -> bool:
    """`print(...)`, or a text that stands for itself."""
    if not isinstance(statement, ast.Expr):
        return False
    value = statement.value
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id in _SAYS
    return isinstance(value, ast.Constant)


def _normal(statement: ast.stmt) -> str:
    """What two statements have in common that differ in comments, layout and docstrings only."""
    if not isinstance(statement, _Function | ast.ClassDef):
        return ast.dump(statement)
    parts = [type(statement).__name__, statement.name]
    for name, field in ast.iter_fields(statement):
        if name != "body":
            nodes = field if isinstance(field, list) else [field]
            parts += [ast.dump(each) for each in nodes if isinstance(each, ast.AST)]
    body = statement.body
    if ast.get_docstring(statement, clean=False) is not None:
        body = body[1:]
    return "\n".join([*parts, *map(_normal, body)])


def _is_marked(statement: ast.stmt, text: Text) -> bool:
    return statement.lineno in text.marked and not isinstance(statement, _Function)


def _next_line(gone: list[ast.stmt], after: list[ast.stmt]) -> int:
    """Where what stood next, and is still there, stands now."""
    places = {_normal(each): each.lineno for each in reversed(after)}
    return next((places[key] for each in gone if (key := _normal(each)) in places), 1 << 30)


def _head(statement: ast.stmt) -> list[ast.stmt]:
    """What a loop or a branch asks, as a statement."""
    asked = (getattr(statement, field, None) for field in ("test", "iter", "subject"))
    return [
        ast.copy_location(ast.Expr(each), statement) for each in asked if isinstance(each, ast.expr)
    ]


def _blocks(statement: ast.stmt) -> list[list[ast.stmt]]:
    blocks: list[list[ast.stmt]] = [
        block
        for field in ("body", "orelse", "finalbody")
        if (block := getattr(statement, field, []))
    ]
    blocks += [handler.body for handler in getattr(statement, "handlers", [])]
    blocks += [case.body for case in getattr(statement, "cases", [])]
    return blocks


def _functions(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, _Function]]:
    for statement in body:
        if isinstance(statement, _Function):
            name = f"{prefix}{statement.name}"
            yield name, statement
            yield from _functions(statement.body, f"{name}.<locals>.")
        elif isinstance(statement, ast.ClassDef):
            yield from _functions(statement.body, f"{prefix}{statement.name}.")
        else:
            for block in _blocks(statement):
                yield from _functions(block, prefix)
