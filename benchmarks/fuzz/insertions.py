"""What can be put into a program that was not there: rebound names, patches, overrides.

The text of what a step reaches may stay as it is, and yet something else runs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from itertools import pairwise

SCRIPT = "main.py"

_SHADOWS = {
    "abs": "int",
    "all": "any",
    "any": "all",
    "dict": "list",
    "int": "float",
    "len": "bool",
    "list": "tuple",
    "max": "min",
    "min": "max",
    "round": "int",
    "set": "list",
    "sorted": "list",
    "str": "repr",
    "sum": "max",
}
"""Builtins, and what a module may take them for."""


def insertions_into(file: str, files: Mapping[str, str]) -> Iterator[tuple[str, int, str]]:
    """What can be put into a file of a program: (kind, line before which it goes, text)."""
    tree = ast.parse(files[file])
    after_imports = _first_line_after_imports(tree)
    yield from _rebound(tree, files[file])
    yield from _shadowed(tree, after_imports)
    yield from _overridden(tree, files)
    if file == SCRIPT:
        yield from _patched(files, after_imports)


def _rebound(tree: ast.Module, text: str) -> Iterator[tuple[str, int, str]]:
    """One function of a module under the name of the one before, at its end."""
    names = _functions(tree)
    for name, other in pairwise(names):
        yield "rebound", text.count("\n") + 1, f"{name} = {other}\n"


def _shadowed(tree: ast.Module, line: int) -> Iterator[tuple[str, int, str]]:
    """A builtin that the module uses is another one there."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for name in sorted(used & set(_SHADOWS)):
        yield "shadowed", line, f"{name} = {_SHADOWS[name]}\n"


def _patched(files: Mapping[str, str], line: int) -> Iterator[tuple[str, int, str]]:
    """The script puts one function of a module in the place of the next, or of a method."""
    for file, text in sorted(files.items()):
        if file == SCRIPT or not file.endswith(".py"):
            continue
        module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        tree = ast.parse(text)
        places = _functions(tree)
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                places += [f"{node.name}.{name}" for name in _functions(node)]
        for place, other in zip(places, [*places[1:], *places[:1]], strict=True):
            if place != other:
                yield (
                    "patched",
                    line,
                    f"import {module} as _patched\n_patched.{place} = _patched.{other}\n",
                )


def _overridden(tree: ast.Module, files: Mapping[str, str]) -> Iterator[tuple[str, int, str]]:
    """A class gets a method that it has inherited so far."""
    methods = {
        node.name: _functions(node)
        for text in files.values()
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef)
    }
    for node in tree.body:
        if not isinstance(node, ast.ClassDef) or not node.end_lineno:
            continue
        for base in node.bases:
            if isinstance(base, ast.Name):
                for name in methods.get(base.id, ()):
                    if name not in _functions(node) and not name.startswith("__"):
                        yield (
                            "overridden",
                            node.end_lineno + 1,
                            f"\n    def {name}(self, *args, **kwargs):\n"
                            f"        return [super().{name}(*args, **kwargs)]\n",
                        )


def _functions(node: ast.Module | ast.ClassDef) -> list[str]:
    return [each.name for each in node.body if isinstance(each, ast.FunctionDef)]


def _first_line_after_imports(tree: ast.Module) -> int:
    line = 1
    for position, node in enumerate(tree.body):
        is_docstring = position == 0 and isinstance(node, ast.Expr)
        if not is_docstring and not isinstance(node, ast.Import | ast.ImportFrom):
            break
        line = (node.end_lineno or node.lineno) + 1
    return line
