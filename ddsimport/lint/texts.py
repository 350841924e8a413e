"""What the tree of one source file tells, without the analysis: for `lint` only."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ddsimport.report.texts import acts_on
from ddsimport.source.quoted import names_in
from ddsimport.source.steps import Step

_USED_UP = frozenset({"enumerate", "filter", "iter", "map", "open", "reversed", "zip"})
_MUTABLE = frozenset(
    {"Counter", "OrderedDict", "bytearray", "defaultdict", "deque", "dict", "list", "set"}
)
_MUTABLE_DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
_SEE_ALL = frozenset({"eval", "exec", "globals", "locals", "vars"})


@dataclass
class File:
    """A source file of the program."""

    name: str
    module: str
    tree: ast.Module
    steps: tuple[Step, ...]
    functions: list[ast.FunctionDef | ast.AsyncFunctionDef] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.functions = [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]


def used_up(file: File, value: ast.expr, *, as_value: bool = False) -> str | None:
    """What it is, if it can be iterated over but once.

    Args:
        as_value: of a step; what `map` and its like give can be kept before it is used up.
    """
    if isinstance(value, ast.GeneratorExp):
        return "a generator"
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        name = value.func.id
        if _opens(value):
            return "an open file"
        if name in _USED_UP and not as_value:
            return f"what `{name}` gives, which can be used up"
        if any(each.name == name and _yields(each) for each in file.functions):
            return f"the generator that `{name}` gives"
    return None


def _yields(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    stack: list[ast.AST] = list(function.body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            stack.extend(ast.iter_child_nodes(node))
    return False


def scope_of(file: File, line: int) -> ast.AST:
    """The innermost function around a line, else the module."""
    around = [each for each in file.functions if each.lineno < line <= (each.end_lineno or 0)]
    return max(around, key=lambda each: each.lineno, default=file.tree)


def is_in_class(file: File, line: int) -> bool:
    """Whether the innermost definition around a line is a class."""
    around = [
        each
        for each in ast.walk(file.tree)
        if isinstance(each, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and each.lineno < line <= (each.end_lineno or 0)
    ]
    return isinstance(max(around, key=lambda each: each.lineno, default=None), ast.ClassDef)


def bound_to(scope: ast.AST, name: str, before: int) -> ast.expr | None:
    """What a name was last bound to, above a line of its scope: by an assignment, or as the open
    file of a `with`."""
    found: list[ast.expr] = []
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign):
            value, targets = node.value, node.targets
        elif isinstance(node, ast.withitem) and _opens(node.context_expr):
            value, targets = node.context_expr, [node.optional_vars or node.context_expr]
        else:
            continue
        named = any(isinstance(target, ast.Name) and target.id == name for target in targets)
        if named and value.lineno < before:
            found.append(value)
    return max(found, key=lambda value: value.lineno, default=None)


def _opens(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and getattr(value.func, "id", "") == "open"


def last_name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def is_mutable(file: File, name: str) -> bool:
    """Whether a module variable is bound to a list, a dictionary or the like."""
    for node in file.tree.body:
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        if not any(isinstance(target, ast.Name) and target.id == name for target in targets):
            continue
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if isinstance(value, _MUTABLE_DISPLAYS):
            return True
        if isinstance(value, ast.Call) and last_name(value.func) in _MUTABLE:
            return True
    return False


def changes(file: File, name: str) -> Iterator[int]:
    """The lines inside of functions that change a module variable, or bind it anew."""
    for function in file.functions:
        declared = any(isinstance(n, ast.Global) and name in n.names for n in ast.walk(function))
        if not declared and _is_local(function, name):
            continue
        for node in ast.walk(function):
            if not isinstance(node, ast.stmt):
                continue
            binds = declared and any(
                isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Store)
                for each in ast.iter_child_nodes(node)
            )
            if binds or acts_on(node, name):
                yield node.lineno


def _is_local(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
    return any(each.arg == name for each in every) or any(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)
        for node in ast.walk(function)
    )


def is_read(files: Iterable[File], scope: ast.AST, name: str, path: str | None) -> bool:
    for node in ast.walk(scope):
        if isinstance(node, ast.Name):
            if node.id in _SEE_ALL or (node.id == name and not isinstance(node.ctx, ast.Store)):
                return True
        elif isinstance(node, ast.AugAssign):
            if isinstance(node.target, ast.Name) and node.target.id == name:
                return True
        elif isinstance(node, ast.Global | ast.Nonlocal):
            if name in node.names:
                return True
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and (
                node.value == name  # in `__all__`, or for `getattr`
                or name in {each.partition(".")[0] for each in names_in(node.value)}
            )
        ):
            return True
    for other in files:
        for node in ast.walk(other.tree):
            if isinstance(node, ast.Constant) and path is not None and node.value == path:
                return True
            if other.tree is not scope and isinstance(scope, ast.Module):
                if isinstance(node, ast.Attribute) and node.attr == name:
                    return True
                if isinstance(node, ast.ImportFrom) and any(
                    alias.name in (name, "*") for alias in node.names
                ):
                    return True
    return False
