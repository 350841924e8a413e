"""Which steps the values that a step reads come from, by the texts of the files around.

For people only, to draw and to explain: signatures go by values. So it is enough to follow names
through the statements above (plain code between two steps), through calls to what functions return,
and from parameters to what callers give, without the rules for what may happen to a value
meanwhile.
"""

from __future__ import annotations

import ast

from ddsimport.records import Record
from ddsimport.report.texts import (
    FUNCTIONS,
    Scope,
    Statement,
    Step,
    Text,
    base_of,
    heads,
    targets,
    text_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_DEEPEST = 12
"""Calls and parameters that are followed into one another."""


class Origin(Record):
    """A step that a value comes from.

    Attributes:
        file, line: of the step.
        plain: there is plain code between the two.
        each: all evaluations of the step may have given something, not just the last.
    """

    file: str
    line: int
    plain: bool
    each: bool


class Flow:
    """Follows values through files.

    Args:
        texts: file with steps, relative to the project -> its source text.
        others: files without, which are read when something is imported from them.
        read: the text of one of them.
    """

    def __init__(
        self,
        texts: Mapping[str, str],
        others: Iterable[str] = (),
        read: Callable[[str], str | None] = lambda file: None,
    ) -> None:
        self._texts = {file: text_of(file, text) for file, text in texts.items()}
        self._others = [file for file in others if file not in texts]
        self._read = read
        self._calls: dict[str, list[tuple[str, Statement, Scope, ast.Call]]] | None = None

    def step(self, file: str, line: int, target: str, path: str) -> Step | None:
        """The step of a file that an event is of, by its line, or by its target where the text has
        moved since."""
        text = self._texts.get(file)
        if text is None:
            return None
        found = [
            each
            for each in text.steps.values()
            if (each.path is None and (not target or each.target == target))
            or (each.path is not None and each.path.fullmatch(path))
        ]
        return next((each for each in found if each.line == line), next(iter(found), None))

    def origins(self, file: str, step: Step, name: str) -> list[Origin]:
        """The steps that an input of a step may come from."""
        chase = _Chase(self)
        text = self._texts[file]
        if step.function is not None:
            scope = text.scope_of(step.function)
            if scope is not None:
                chase.parameter(file, scope, _parameter(scope, name), plain=False)
        elif step.path is not None:
            given = self._given(file, step, name)
            if given is not None:
                chase.expression(file, text.scope_at(step.line), step.line, given, plain=False)
        else:
            chase.name(file, text.scope_at(step.line), step.line, name, plain=False)
        return list(dict.fromkeys(chase.found))

    def _given(self, file: str, step: Step, name: str) -> ast.expr | None:
        """What a call of `keep` gives as an input: it is named as the function's parameter is."""
        if name in step.arguments:
            return step.arguments[name]
        for each in (file, *self._texts, *self._others):
            for scope in self.text(each).scopes[1:]:
                if getattr(scope.node, "name", "") == step.target and name in scope.parameters:
                    return step.arguments.get(f"argument {scope.parameters.index(name) + 1}")
        return None

    def text(self, file: str) -> Text:
        """One of the files."""
        if file not in self._texts:
            self._texts[file] = text_of(file, self._read(file) or "")
        return self._texts[file]

    def texts(self) -> Iterator[tuple[str, Text]]:
        """Those with steps, and those that were read."""
        yield from list(self._texts.items())

    def module(self, name: str) -> str:
        """The file of a module, as an import names it; empty if it is none of these."""
        tail = name.lstrip(".").replace(".", "/")
        for file in (*self._texts, *self._others):
            stem = file.removesuffix(".py").removesuffix("/__init__")
            if tail and (stem == tail or stem.endswith("/" + tail)):
                return file
        return ""

    def calls(self, name: str) -> list[tuple[str, Statement, Scope, ast.Call]]:
        """All calls of something by this name: where they stand, and the call."""
        if self._calls is None:
            self._calls = {}
            for file, text in self._texts.items():
                for scope in text.scopes:
                    for statement in scope.statements:
                        for part in heads(statement.node):
                            for node in ast.walk(part):
                                if isinstance(node, ast.Call):
                                    called = _called(node)
                                    self._calls.setdefault(called, []).append(
                                        (file, statement, scope, node)
                                    )
        return self._calls.get(name, [])


class _Chase:
    """One search; each place is looked at once."""

    def __init__(self, flow: Flow) -> None:
        self.found: list[Origin] = []
        self._flow = flow
        self._seen: set[tuple[object, ...]] = set()
        self._results: dict[tuple[object, ...], bool] = {}
        self._depth = 0
        self._each = False

    def name(self, file: str, scope: Scope, line: int, name: str, *, plain: bool) -> None:
        """What may have bound a name that is read at a line."""
        base = base_of(name)
        if "." in name and self._attribute(file, scope, name, plain=plain):
            return
        if not self._enter(file, id(scope.node), line, base):
            return
        here: Scope | None = scope
        at: int | None = line
        while here is not None:
            if self._bindings(file, here, at, base, plain=plain):
                break
            if base in here.parameters:
                self.parameter(file, here, base, plain=plain)
                break
            here, at = here.outer, None
        self._depth -= 1

    def expression(
        self, file: str, scope: Scope, line: int, node: ast.AST, *, plain: bool, also: str = ""
    ) -> None:
        """What the names in an expression come from, and what the functions called in it return."""
        queue: list[ast.AST] = [node]
        names = {also} if also else set()
        for each in queue:
            if isinstance(each, ast.Call) and self._result(file, scope, line, each, plain=plain):
                continue  # what it was given is what that step was given, not what comes out
            queue += ast.iter_child_nodes(each)
            name = _name(each)
            if name:
                names.add(name)
        for name in names:
            self.name(file, scope, line, name, plain=plain)

    def _result(self, file: str, scope: Scope, line: int, call: ast.Call, *, plain: bool) -> bool:
        """Follow what a function that is called returns; False: that leads to no step."""
        place = (file, line, call.col_offset, call.lineno)
        if place not in self._results:
            count = len(self.found)
            self._results[place] = False
            if isinstance(call.func, ast.Name):
                self.name(file, scope, line, call.func.id, plain=plain)
            elif isinstance(call.func, ast.Attribute):
                self._method(file, call.func, plain=plain)
            self._results[place] = len(self.found) > count
        return self._results[place]

    def parameter(self, file: str, scope: Scope, name: str, *, plain: bool) -> None:
        """What callers give as a parameter."""
        node = scope.node
        if isinstance(node, ast.Module) or name not in scope.parameters:
            return
        place = scope.parameters.index(name) - (1 if scope.owner else 0)
        if place < 0 or not self._enter(file, id(node), "parameter", name):
            return
        called = scope.owner if node.name == "__init__" else node.name
        for where, statement, around, call in self._flow.calls(called):
            given = _argument(call, place, name)
            if given is not None and statement.node is not node:
                line = statement.node.lineno
                self.expression(where, around, line, given, plain=plain)
        self._depth -= 1

    def _enter(self, *place: object) -> bool:
        if place in self._seen or self._depth >= _DEEPEST:
            return False
        self._seen.add(place)
        self._depth += 1
        return True

    def _bindings(
        self, file: str, scope: Scope, line: int | None, name: str, *, plain: bool
    ) -> bool:
        """Follow the statements of a scope that bind a name; False: there are none.

        Args:
            line: of the reader, if it stands in this scope; all statements count otherwise.
        """
        reader = scope.statement_at(line)
        loops = reader.loops if reader is not None else ()
        blocks = reader.blocks if reader is not None else ()
        concerning = scope.concerning(name)
        any_found = done = False
        for statement, binds in reversed(concerning):
            if line is not None and statement.node.lineno >= line:
                continue
            any_found = True
            self._follow(file, scope, statement, name, loops, line is None, plain=plain)
            rebinds = binds and not isinstance(statement.node, ast.AugAssign)
            if rebinds and line is not None and statement.blocks == blocks[: len(statement.blocks)]:
                done = statement.loops == loops
                break
        if loops and not done:  # what the turn before of a loop around has left
            for statement, binds in concerning:
                after = statement.node.lineno > (line or 0)
                if binds and after and set(statement.loops) & set(loops):
                    any_found = True
                    self._follow(file, scope, statement, name, loops, False, plain=plain)
        return any_found

    def _follow(
        self,
        file: str,
        scope: Scope,
        statement: Statement,
        name: str,
        loops: tuple[int, ...],
        elsewhere: bool,
        *,
        plain: bool,
    ) -> None:
        node = statement.node
        text = self._flow.text(file)
        own = (*statement.loops, node.lineno) if isinstance(node, ast.For) else statement.loops
        each = self._each or elsewhere or statement.repeats or bool(set(own) - set(loops))
        step = text.step_of(node)
        if step is not None:
            each = each or step.function is not None
            self.found.append(Origin(file, step.line, plain, each))
            return
        before, self._each = self._each, each
        if isinstance(node, FUNCTIONS):
            self._returned(file, node, plain=plain)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            self._imported(node, name, plain=plain)
        elif not isinstance(node, ast.ClassDef):
            also = name if isinstance(node, ast.AugAssign) else ""
            for part in heads(node):
                self.expression(file, scope, node.lineno, part, plain=True, also=also)
        self._each = before

    def _returned(self, file: str, function: ast.stmt, *, plain: bool) -> None:
        """What a function that is called returns."""
        scope = self._flow.text(file).scope_of(function)
        if scope is None or not self._enter(file, id(function), "returned"):
            return
        for statement in scope.statements:
            node = statement.node
            given = node.value if isinstance(node, ast.Return) else None
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield | ast.YieldFrom):
                given = node.value
            if given is not None:
                self.expression(file, scope, node.lineno, given, plain=plain)
        self._depth -= 1

    def _imported(self, node: ast.Import | ast.ImportFrom, name: str, *, plain: bool) -> None:
        if isinstance(node, ast.Import):
            return  # `module.function()` is looked for as a method would be
        file = self._flow.module(node.module or "")
        for each in node.names if file else ():
            if (each.asname or each.name) == name:
                scope = self._flow.text(file).scopes[0]
                self._bindings(file, scope, None, each.name, plain=plain)

    def _method(self, file: str, node: ast.Attribute, *, plain: bool) -> None:
        """What `thing.name()` returns: of any method called so, or of a module's function."""
        for where, text in self._flow.texts():
            for method in text.methods.get(node.attr, ()):
                step = text.step_of(method.node) if isinstance(method.node, FUNCTIONS) else None
                if step is not None:
                    self.found.append(Origin(where, step.line, plain, True))
                elif isinstance(method.node, FUNCTIONS):
                    self._returned(where, method.node, plain=plain)
        if isinstance(node.value, ast.Name):
            module = self._flow.module(node.value.id)
            if module and module != file:
                inside = self._flow.text(module).scopes[0]
                self._bindings(module, inside, None, node.attr, plain=plain)

    def _attribute(self, file: str, scope: Scope, name: str, *, plain: bool) -> bool:
        """Follow what a class's methods set as an attribute of `self`; False: none does."""
        base, _, attribute = name.partition(".")
        attribute = base_of(attribute)
        owner = scope.owner if scope.parameters[:1] == [base] else ""
        found = False
        for where, text in self._flow.texts():
            for method in text.scopes:
                if not method.owner or (owner and (where != file or method.owner != owner)):
                    continue
                for statement in method.statements:
                    if _sets(statement.node, method.parameters[:1], attribute) and self._enter(
                        where, statement.node.lineno, "attribute", attribute
                    ):
                        found = True
                        self._follow(where, method, statement, base, (), True, plain=plain)
                        self._depth -= 1
        return found


# --- statements -----------------------------------------------------------------------------------


def _called(call: ast.Call) -> str:
    return (
        call.func.attr
        if isinstance(call.func, ast.Attribute)
        else call.func.id
        if isinstance(call.func, ast.Name)
        else ""
    )


def _argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[place] if place < len(call.args) else None


def _name(node: ast.AST) -> str:
    """The name that a node reads, or an attribute of it; else empty."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return ""


def _parameter(scope: Scope, name: str) -> str:
    """The parameter that `keep` calls `argument 1`, or the name as it is."""
    number = name.removeprefix("argument ")
    if number != name and number.isdigit() and 0 < int(number) <= len(scope.parameters):
        return scope.parameters[int(number) - 1]
    return base_of(name)


def _sets(statement: ast.stmt, owner: list[str], attribute: str) -> bool:
    """`self.attribute = …`"""
    return any(
        isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and node.attr == attribute
        and isinstance(node.value, ast.Name)
        and [node.value.id] == owner
        for target in targets(statement)
        for node in ast.walk(target)
    )
