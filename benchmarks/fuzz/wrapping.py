"""The text of a program with its marked statements wrapped, for the run that is observed."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from typing import Any

from ddsimport.source.pragma import pragmas_of
from ddsimport.source.site import Site
from ddsimport.source.steps import sites_of

Lines = tuple[int, int]
"""The first and the last line of something."""


@dataclass(frozen=True)
class Marked:
    """A marked statement: its site, and where it is, with its decorators."""

    site: Site
    file: str
    lines: Lines


@dataclass(frozen=True)
class Wrapped:
    """A file's tree, to be compiled, with what is to be known of its text.

    Attributes:
        marked: its marked statements; they are numbered on from a given number.
        units: the lines of each statement at its top.
        functions: (first line, name) of each function -> its lines.
    """

    tree: ast.Module
    marked: list[Marked]
    units: list[Lines]
    functions: dict[tuple[int, str], Lines]


def wrapped(text: str, file: str, first_number: int) -> Wrapped:
    """Wrap the marked statements of a file: each calls `__fuzz__.begin(n)`, `.value(n, ...)` and
    `.end(n)`. Its lines stay what they are.

    Raises:
        PragmaError: a pragma means nothing.
    """
    tree = ast.parse(text)
    units = [_lines(each) for each in tree.body]
    functions = {
        (_lines(node)[0], node.name): _lines(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    numbers: dict[ast.stmt, int] = {}
    marked: list[Marked] = []
    if "# dds" in text:
        for step in sites_of(tree, pragmas_of(text, file), file, text):
            numbers[step.node] = first_number + len(marked)
            marked.append(Marked(step.site, file, _lines(step.node)))
    _Wrapper(numbers).visit(tree)
    return Wrapped(ast.fix_missing_locations(tree), marked, units, functions)


def _lines(node: ast.stmt) -> Lines:
    decorators = [each.lineno for each in getattr(node, "decorator_list", ())]
    return min([node.lineno, *decorators]), node.end_lineno or node.lineno


class _Wrapper(ast.NodeTransformer):
    """Wraps the marked statements; `return` in a marked function notes its value."""

    def __init__(self, wrapping: dict[ast.stmt, int]) -> None:
        self._wrapping = wrapping
        self._function: int | None = None

    def visit_Assign(self, node: Any) -> Any:
        number = self._wrapping.get(node)
        if number is None:
            return node
        node.value = _call("value", number, node, node.value)
        return self._wrapped(number, node, [node])

    visit_AnnAssign = visit_Assign  # noqa: N815 - as `ast` names them

    def visit_FunctionDef(self, node: Any) -> Any:
        outer, self._function = self._function, self._wrapping.get(node)
        self.generic_visit(node)
        if self._function is not None:
            docstring = node.body[:1] if ast.get_docstring(node) is not None else []
            node.body = [*docstring, *self._wrapped(self._function, node, node.body)]
        self._function = outer
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> Any:
        return node

    def visit_Return(self, node: ast.Return) -> Any:
        if self._function is not None:
            value = node.value or ast.copy_location(ast.Constant(None), node)
            node.value = _call("value", self._function, node, value)
        return node

    def _wrapped(self, number: int, node: ast.stmt, body: list[ast.stmt]) -> list[ast.stmt]:
        begin = ast.Expr(_call("begin", number, node))
        end = ast.Expr(_call("end", number, node))
        tried = ast.Try(body=body, handlers=[], orelse=[], finalbody=[end])
        return [ast.copy_location(each, node) for each in (begin, tried)]


def _call(name: str, number: int, at: ast.stmt, *arguments: ast.expr) -> ast.expr:
    observer = ast.Attribute(ast.Name("__fuzz__", ast.Load()), name, ast.Load())
    call = ast.Call(observer, [ast.Constant(number), *arguments], [])
    for node in (call, observer, observer.value, call.args[0]):
        ast.copy_location(node, at)
    return call


class Finder:
    """Loads the modules of a folder with their steps wrapped.

    Args:
        folder: with a separator at its end.
        code_of: what gives the code of a file.
    """

    def __init__(self, folder: str, code_of: Callable[[str], types.CodeType]) -> None:
        self._folder = folder
        self._code_of = code_of

    def find_spec(
        self, name: str, path: Any = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and (spec.origin or "").startswith(self._folder):
            spec.loader = _Loader(name, spec.origin or "", self._code_of)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, code_of: Callable[[str], types.CodeType]) -> None:
        super().__init__(name, path)
        self._code_of = code_of

    def get_code(self, fullname: str) -> types.CodeType:
        return self._code_of(self.path)
