"""One file's text -> the names that its code mentions, told apart by when that code runs.

For `outside`, which asks what may have run outside of the steps. All loaded files of a project are
looked at for that, whether or not a step reaches them, so this is a quick look by `ast`: no scopes
are resolved, and an attribute counts like a name. What the right-hand side of a marked assignment
or the body of a marked function mentions is kept apart.
"""

from __future__ import annotations

import ast

from ddsimport.analysis.commands import (
    FUNCTIONS,
    assigned,
    commands_of,
    commands_of_statement,
    fresh_in,
    imports_in,
)
from ddsimport.errors import PragmaError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

CALLS_UNKNOWN = "("
"""Stands beside the names of code that calls what no name tells: an item of a table, a variable."""

AS_VALUE, TAKEN = 1, 2
"""Decorators: of a property, and any that may keep the function to call it later."""

_AS_VALUE = frozenset({"cached_property", "deleter", "getter", "property", "setter"})
_PLAIN = frozenset(
    {"abstractmethod", "classmethod", "final", "overload", "override", "staticmethod", "wraps"}
)

_BY_NAME = frozenset({"getattr", "hasattr", "setattr", "delattr"})


def mentions_of(text: str) -> dict[str, Any]:
    """A record that JSON can hold. Names stand in one string, with blanks between them.

    - "functions": [name, names of its body and `commands`, how it is decorated (`AS_VALUE`, `TAKEN`
      or 0), the class that it stands in or ""] of each def outside of other functions;
    - "imported": names of each statement that runs when the module is imported; "main": of those
      that run only if it is the script; "made": names of what makes classes;
    - "sources": variable of the module -> names of the statements that bind it; "step_sources": the
      same of steps;
    - "tables": variable -> the names that it holds, where nothing is called to bind it;
    - "aliases": name -> what it is an import of;
    - "classes": name -> its bases and its metaclass, "?" for one that is no name;
    - "steps": [line, names] of the marked statements.

    Raises:
        SyntaxError, ValueError, RecursionError: it cannot be parsed.
    """
    tree = ast.parse(text)
    look = _Look(tree, _marked(tree, text))
    look.module(tree)
    return look.record()


def _marked(tree: ast.Module, text: str) -> dict[ast.AST, int]:
    """The part of each marked statement that only the step runs -> its line."""
    if "dds:" not in text:
        return {}
    from ddsimport.source.pragma import pragmas_of
    from ddsimport.source.steps import sites_of

    try:
        steps = sites_of(tree, pragmas_of(text, "<text>"), "<text>", text)
    except PragmaError:
        return {}
    found: dict[ast.AST, int] = {}
    for step in steps:
        if isinstance(step.node, FUNCTIONS):
            found[step.node] = step.site.line
        elif step.node.value is not None:
            found[step.node.value] = step.site.line
    return found


class _Look:
    def __init__(self, tree: ast.Module, marked: dict[ast.AST, int]) -> None:
        self._imported: list[set[str]] = []
        self._made: set[str] = set()
        self._main: list[set[str]] = []
        self._sources: dict[str, set[str]] = {}
        self._step_sources: dict[str, set[str]] = {}
        self._functions: list[tuple[str, set[str], int, str]] = []
        self._tables: dict[str, set[str]] = {}
        self._aliases: dict[str, list[str]] = {}
        self._classes: dict[str, set[str]] = {}
        self._class_around = ""
        self._steps: list[tuple[int, set[str]]] = []
        self._marked = marked
        self._variables = _variables([tree])
        self._locals: set[str] = set()
        self._imports = imports_in(tree)
        self._fresh = fresh_in(tree)

    def record(self) -> dict[str, Any]:
        return {
            "functions": [[name, _joined(names), *rest] for name, names, *rest in self._functions],
            "imported": [_joined(names) for names in self._imported if names],
            "made": _joined(self._made),
            "main": [_joined(names) for names in self._main if names],
            "sources": {name: _joined(names) for name, names in self._sources.items()},
            "step_sources": {name: _joined(names) for name, names in self._step_sources.items()},
            "tables": {name: _joined(names) for name, names in self._tables.items()},
            "aliases": self._aliases,
            "classes": {name: _joined(names) for name, names in self._classes.items()},
            "steps": [[line, _joined(names)] for line, names in self._steps],
        }

    def module(self, tree: ast.Module) -> None:
        """Look at all of a file."""
        for statement in tree.body:
            if isinstance(statement, ast.If) and _is_main_guard(statement.test):
                for each in statement.body:
                    self._top(each, self._main)
                for each in statement.orelse:
                    self._top(each, self._imported)
            else:
                self._top(statement, self._imported)

    def _top(self, statement: ast.stmt, roots: list[set[str]]) -> None:
        names = commands_of_statement(statement, self._fresh, self._imports)
        roots.append(names)
        steps = len(self._steps)
        self._block([statement], names)
        by_steps = set().union(*(step for _, step in self._steps[steps:]))
        for name in _variables([statement]):
            self._sources.setdefault(name, set()).update(names)
            if by_steps:
                self._step_sources.setdefault(name, set()).update(by_steps)

    def _block(self, statements: Iterable[ast.stmt], into: set[str]) -> None:
        """Statements that run when the module is imported, those of classes included."""
        for statement in statements:
            if isinstance(statement, FUNCTIONS):
                self._function(statement, into)
            elif isinstance(statement, ast.ClassDef):
                self._class(statement)
            elif getattr(statement, "value", None) not in self._marked and (
                tables := _tables_of(statement)
            ):
                for name in tables:
                    self._collect([statement], self._tables.setdefault(name, set()))
            else:
                self._statement(statement, into)

    def _statement(self, statement: ast.stmt, into: set[str]) -> None:
        for child in ast.iter_child_nodes(statement):
            if isinstance(child, ast.stmt):
                self._block([child], into)
            elif isinstance(child, (ast.ExceptHandler, ast.match_case)):
                self._block(child.body, into)
                inside = set(map(id, child.body))
                self._collect(
                    [each for each in ast.iter_child_nodes(child) if id(each) not in inside], into
                )
            else:
                self._collect([child], into)
        if isinstance(statement, ast.ImportFrom):
            self._import(statement)

    def _class(self, node: ast.ClassDef) -> None:
        bases = self._classes.setdefault(node.name, set())
        bases.update(map(_base, node.bases))
        bases.update(_base(each.value) for each in node.keywords if each.arg == "metaclass")
        self._collect([*node.bases, *node.keywords, *node.decorator_list], self._made)
        around, self._class_around = self._class_around, node.name
        self._block(node.body, self._made)
        self._class_around = around

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, into: set[str]) -> None:
        self._collect([*node.decorator_list, node.args], into)
        if node.returns is not None:
            self._collect([node.returns], into)
        names = commands_of(node, self._imports)
        decorated = max(map(_decoration, node.decorator_list), default=0)
        self._functions.append((node.name, names, decorated, self._class_around))
        if node in self._marked:
            names = set()
            self._steps.append((self._marked[node], names))
        self._locals = _variables([node])
        self._collect(node.body, names)
        self._locals = set()

    def _import(self, node: ast.ImportFrom) -> None:
        for each in node.names:
            if each.asname is not None:
                self._aliases.setdefault(each.asname, []).append(each.name)

    def _collect(self, nodes: Iterable[ast.AST], into: set[str]) -> None:
        """Add what code mentions; what only a step in it runs is kept apart."""
        stack = [(node, into) for node in nodes]
        while stack:
            node, names = stack.pop()
            if node in self._marked and not isinstance(node, FUNCTIONS):
                names = set()
                self._steps.append((self._marked[node], names))
            inside: Iterable[ast.AST] = ast.iter_child_nodes(node)
            if isinstance(node, ast.Name):
                if node.id not in self._locals:  # a variable is no function; one is called below
                    names.add(node.id)
            elif isinstance(node, ast.Attribute):
                names.add(node.attr)
            elif isinstance(node, ast.MatchClass):
                names.update(node.kwd_attrs)
            elif isinstance(node, ast.ImportFrom):
                self._import(node)
            elif isinstance(node, ast.Call):
                name = _read_by_name(node)
                if name is not None:
                    names.add(name)
                    inside = node.args
                else:
                    if self._is_unknown(node.func):
                        names.add(CALLS_UNKNOWN)
                    if isinstance(node.func, ast.Name):
                        names.add(node.func.id)
            stack += [(each, names) for each in inside]

    def _is_unknown(self, called: ast.expr) -> bool:
        if isinstance(called, ast.Name):
            return called.id in self._variables
        return not isinstance(called, ast.Attribute)


def _decoration(node: ast.expr) -> int:
    while isinstance(node, ast.Call):
        node = node.func
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return 0 if name in _PLAIN else AS_VALUE if name in _AS_VALUE else TAKEN


def _base(node: ast.expr) -> str:
    while isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else "?"


def _variables(nodes: Iterable[ast.AST]) -> set[str]:
    """The names that some code binds by more than an import or a definition."""
    return {
        each.id if isinstance(each, ast.Name) else each.arg
        for node in nodes
        for each in ast.walk(node)
        if isinstance(each, ast.arg)
        or (isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load))
    }


def _tables_of(statement: ast.stmt) -> list[str]:
    """The variables that a statement binds, if it does nothing else and calls nothing."""
    targets, _ = assigned(statement)
    calls = (ast.Call, ast.Await, ast.Lambda)
    if any(isinstance(each, calls) for each in ast.walk(statement)):
        return []
    names = [each.id for each in targets if isinstance(each, ast.Name)]
    return names if len(names) == len(targets) else []


def _is_main_guard(test: ast.expr) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "__name__" for each in ast.walk(test))


def _read_by_name(call: ast.Call) -> str | None:
    """The name that `getattr(thing, "name")` reads."""
    if not (isinstance(call.func, ast.Name) and call.func.id in _BY_NAME and len(call.args) > 1):
        return None
    name = call.args[1]
    return name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else None


def _joined(names: Iterable[str]) -> str:
    return " ".join(sorted(names))
