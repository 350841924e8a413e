"""How much code one function reaches: over random functions of real packages.

The fewer lines a step reaches, the fewer edits make it run again. Each package is looked at as if
it were a user's project. The size of what a function reaches is the number of distinct lines of the
definitions (a class is one), top-level statements and whole modules that its hash counts; "code" is
those lines without blank ones, comments and docstrings, which do not count in a hash. A function
hits a whole-module rule if some module counts as a whole.
"""

from __future__ import annotations

import argparse
import ast
import io
import random
import statistics
import tokenize
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from benchmarks.packages import Package, packages
from ddsimport.analysis.codehash import Codebook
from ddsimport.analysis.facts import DEF_FIRST, DEF_KIND, DEF_LAST, DEF_QUALNAME, TOP_LINE
from ddsimport.analysis.graph import Key, Node

MOST_LINES = 250
MOST_WHOLE = 1 / 3

_Places = set[tuple[str, int]]


class Reached:
    """What one function reaches.

    Attributes:
        name: the function's.
        lines: all of it; `code`: those that are neither blank, nor comments, nor docstrings.
        whole: why modules count as a whole, in words.
        files: how many were looked at.
        largest: the definition with the most lines.
    """

    def __init__(self, book: Codebook, function: tuple[str, str, str, int]) -> None:
        module, file, qualname, line = function
        self.name = f"{module}.{qualname}"
        nodes = book.nodes_of(("function", module, file, f"{line}:{qualname}", 0))
        places: _Places = set()
        self.largest, most = "", 0
        for key in nodes:
            name, found = _lines_of(book, key)
            places |= found
            if len(found) > most:
                self.largest, most = f"{name} ({len(found)} lines)", len(found)
        self.lines = len(places)
        self.code = sum(line in _code_lines(file) for file, line in places)
        self.whole = _why_whole(book, nodes)
        self.files = len({file for node in nodes.values() for file in node.consulted})


def _lines_of(book: Codebook, key: Key) -> tuple[str, _Places]:
    kind, module, file, what = key
    if kind == "d" and isinstance(what, int):
        definition = book.facts(file).definitions[what]
        lines = range(definition[DEF_FIRST], definition[DEF_LAST] + 1)
        return f"{definition[DEF_KIND]} {module}.{definition[DEF_QUALNAME]}", {
            (file, line) for line in lines
        }
    if kind == "t" and isinstance(what, int):
        first = book.facts(file).top[what][TOP_LINE]
        lines = range(first, _ends(file).get(first, first) + 1)
        return f"{module}:{first}", {(file, line) for line in lines}
    if kind in ("w", "e"):
        return f"module {module}", {(file, line) for line in _code_lines(file)}
    return module, set()


@cache
def _ends(file: str) -> dict[int, int]:
    """First line -> last line of the top-level statements of a file."""
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    return {node.lineno: node.end_lineno or node.lineno for node in tree.body}


@cache
def _code_lines(file: str) -> frozenset[int]:
    """The lines that hold something besides blanks, comments and docstrings."""
    text = Path(file).read_text(encoding="utf-8")
    idle = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in idle and token.type != tokenize.ENDMARKER:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        value = node.value if isinstance(node, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            lines -= set(range(value.lineno, (value.end_lineno or value.lineno) + 1))
    return frozenset(lines)


def _why_whole(book: Codebook, nodes: dict[Key, Node]) -> list[str]:
    """Which references lead from something that does not count as a whole to a module that does."""
    found = []
    for key, node in nodes.items():
        if key[0] in ("w", "e"):
            continue
        for edge in node.edges:
            for item in edge.items:
                if item.node is not None and item.node[0] in ("w", "e"):
                    label = edge.label.decode()
                    found.append(f"{item.node[1]} by {label!r} in {_lines_of(book, key)[0]}")
    return found


def main(options: Sequence[str] = ()) -> None:
    """Print a table for each package."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks precision")
    parser.add_argument("--packages", metavar="FOLDER", help="where they are, or shall be unpacked")
    parser.add_argument("--functions", type=int, default=200, help="of each package")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args(options)
    print("\nprecision: what a random function reaches")
    print(f"  {'':<12}{'functions':>10}{'median':>16}{'mean':>8}{'most':>8}{'whole modules':>16}")
    with packages(["requests", "redun", "networkx"], arguments.packages) as found:
        for package in found:
            _report(package, arguments.functions, arguments.seed)


def _report(package: Package, number: int, seed: int) -> None:
    with package.loaded():
        book = package.codebook()
        functions = package.functions(book)
        random.Random(seed).shuffle(functions)
        reached = [Reached(book, function) for function in functions[:number]]
    code = [each.code for each in reached]
    median = statistics.median(code)
    whole = sum(bool(each.whole) for each in reached) / len(reached)
    kept = median <= MOST_LINES and whole <= MOST_WHOLE
    print(
        f"  {package.name:<12}{len(reached):>10}{median:>10.0f} code "
        f"{statistics.mean(code):>8.0f}{max(code):>8}{whole:>15.0%}  "
        f"{'ok' if kept else 'MISSED'} (at most {MOST_LINES} and a third)"
    )
    lines = [each.lines for each in reached]
    print(f"  {'':<22}{statistics.median(lines):>10.0f} with comments and docstrings")
    why = Counter(reason for each in reached for reason in set(each.whole))
    for reason, times in why.most_common(4):
        print(f"    {times} x whole module {reason}")
    for each in sorted(reached, key=lambda each: each.code, reverse=True)[:3]:
        print(f"    {each.code} lines, {each.files} files: {each.name}, with {each.largest}")
