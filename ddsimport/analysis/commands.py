"""Whether the text of a function may leave something behind that no digest shows.

What hides from digests is the state of installed code: an option of a library, a filter of a
logger, a connection, a cache. It is set by commands, calls that are made for what they do: their
value is not used ("command-query separation": Meyer, Object-Oriented Software Construction, 1988).
Names are not resolved here: a command is named, and `outside` says whether it is the program's own
function, of which the text tells more.

Not seen: a call for its effect whose value is used, unless its name says so (`set_option`).
"""

from __future__ import annotations

import ast
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LEAVES = "!"
"""It may leave something."""

COMMAND = "!:"
"""What a command begins with; then the module that its name is imported from, its name, and what
stands before the first dot."""

_CONTAINERS = frozenset(
    {"Counter", "OrderedDict", "bytearray", "defaultdict", "deque", "dict", "list", "set"}
)
_FILLS = frozenset(
    {"add", "append", "appendleft", "clear", "difference_update", "discard", "extend",
     "extendleft", "insert", "intersection_update", "pop", "popitem", "popleft", "remove",
     "reverse", "rotate", "setdefault", "sort", "subtract", "symmetric_difference_update", "update"}
)  # fmt: skip
"""Methods of those."""

_SHOWS = frozenset(
    {"critical", "debug", "dump", "error", "exception", "exit", "info", "log", "makedirs", "mkdir",
     "print", "savefig", "savetxt", "savez", "savez_compressed", "to_csv", "to_excel", "to_feather",
     "to_json", "to_parquet", "to_pickle", "warning", "write_bytes", "write_text", "writelines",
     "writerow", "writerows"}
)  # fmt: skip
"""What only prints, or writes files, of which a step that reads them sees the content."""

_SOUNDS_LIKE_ONE = re.compile(
    r"(?:add|attach|config|connect|disable|enable|figure|filter|freeze|hook|init|install|lock|"
    r"manual_seed|monkeypatch|patch|push|put|register|reset|seed|simple|start|subplots|unregister|"
    r"use)(?:_|[A-Z]|$)|set(?:_|[A-Z])|basicConfig"
)
"""Calls that may do something although their value is used."""

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def commands_of(
    node: ast.FunctionDef | ast.AsyncFunctionDef, imports: Mapping[str, str]
) -> set[str]:
    """What a function may leave: `LEAVES`, commands.

    Args:
        imports: name -> the top-level module that it is imported from ("." for this package).
    """
    look = _Commands(fresh_in(node), imports)
    for each in _inside(node):
        look.at(each)
        if LEAVES in look.found:
            return {LEAVES}
    return look.found


def commands_of_statement(node: ast.stmt, fresh: set[str], imports: Mapping[str, str]) -> set[str]:
    """The same of a statement at the top level of a module; of a class, of its body, and not of the
    functions in it.

    Args:
        fresh: what `fresh_in` says of the module.
    """
    look = _Commands(fresh, imports)
    stack: list[ast.AST] = [node]
    while stack:
        each = stack.pop()
        if not isinstance(each, (*FUNCTIONS, ast.Lambda)):
            if not isinstance(each, (ast.ClassDef, ast.Import, ast.ImportFrom)):
                look.at(each)
            stack += ast.iter_child_nodes(each)
    return look.found


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        yield from ast.walk(child)


def fresh_in(node: ast.AST) -> set[str]:
    """The variables that are only ever bound to containers made here."""
    fresh: set[str] = set()
    other: set[str] = set()
    simple: dict[int, bool] = {}
    for each in _inside(node):
        targets, value = assigned(each)
        for target in targets:
            if isinstance(target, ast.Name):
                simple[id(target)] = value is not None and _is_new_container(value)
    for each in _inside(node):
        if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load):
            (fresh if simple.get(id(each)) else other).add(each.id)
        elif isinstance(each, ast.arg):
            other.add(each.arg)
    return fresh - other


def assigned(node: ast.AST) -> tuple[list[ast.expr], ast.expr | None]:
    """What an assignment binds, and to what; nothing for any other statement."""
    if isinstance(node, ast.Assign):
        return node.targets, node.value
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        return [node.target], node.value
    return [], None


def _is_new_container(value: ast.expr) -> bool:
    if isinstance(value, (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)):
        return True
    return isinstance(value, ast.Call) and _last(value.func) in _CONTAINERS


class _Commands:
    def __init__(self, fresh: set[str], imports: Mapping[str, str]) -> None:
        self.found: set[str] = set()
        self._fresh = fresh
        self._imports = imports

    def at(self, node: ast.AST) -> None:
        """Look at one node of the function."""
        if isinstance(node, (ast.Global, ast.Nonlocal, ast.Import, ast.ImportFrom, ast.ClassDef)):
            self.found.add(LEAVES)
        elif isinstance(node, ast.Expr):
            self._discarded(node.value)
        elif isinstance(node, ast.Assign):
            if [_last(each) for each in node.targets] == ["_"]:
                self._discarded(node.value)
        elif isinstance(node, (ast.Attribute, ast.Subscript)):
            if not isinstance(node.ctx, ast.Load):
                self._stored(node)
        elif isinstance(node, ast.Call):
            name = _last(node.func)
            if name is not None and _SOUNDS_LIKE_ONE.match(name):
                self._command(node)

    def _discarded(self, value: ast.expr) -> None:
        while isinstance(value, ast.Await):
            value = value.value
        if isinstance(value, ast.Call):
            self._command(value)
        elif not isinstance(value, (ast.Constant, ast.Yield, ast.YieldFrom)) and any(
            isinstance(each, ast.Call) for each in ast.walk(value)
        ):
            self.found.add(LEAVES)

    def _command(self, call: ast.Call) -> None:
        name = _last(call.func)
        if name in _SHOWS:
            return
        if name is None:
            self.found.add(LEAVES)
            return
        root, depth = _root(call.func)
        if name in _FILLS and root in self._fresh and depth == 1:
            return
        self.found.add(f"{COMMAND}{self._imports.get(root, '')}:{name}:{root}")

    def _stored(self, node: ast.Attribute | ast.Subscript) -> None:
        root, depth = _root(node)
        if root not in self._fresh or depth:
            self.found.add(LEAVES)


def _last(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _root(node: ast.expr) -> tuple[str, int]:
    """The name that attributes and items are read of, "" if it is no name, and how many
    attributes."""
    depth = 0
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        depth += isinstance(node, ast.Attribute)
        node = node.value
    return (node.id if isinstance(node, ast.Name) else ""), depth


def imports_in(tree: ast.AST) -> dict[str, str]:
    """Name -> the top-level module that it is imported from, "." for this package, anywhere in a
    file."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                top = each.name.partition(".")[0]
                found[each.asname or top] = top
        elif isinstance(node, ast.ImportFrom):
            top = "." if node.level else (node.module or "").partition(".")[0]
            found.update((each.asname or each.name, top) for each in node.names)
    return found
