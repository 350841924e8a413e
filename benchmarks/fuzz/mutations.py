"""All one-place edits of a program that this fuzzer knows, as edits of its text.

An edit is a piece of text put in the place of another, so that comments, and the pragmas among
them, stay. Each edited file is compiled once; what Python would refuse is no mutation.
"""

from __future__ import annotations

import ast
import random
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

INERT = frozenset({"docstring", "comment", "annotation"})
"""Kinds of edits that change nothing a program could notice, unless it looks at its own text."""

_BINARY: Mapping[type[ast.operator], tuple[str, tuple[str, ...]]] = {
    ast.Add: ("+", ("-",)),
    ast.Sub: ("-", ("+",)),
    ast.Mult: ("*", ("+", "**")),
    ast.Div: ("/", ("*", "//")),
    ast.FloorDiv: ("//", ("/",)),
    ast.Mod: ("%", ("+",)),
    ast.Pow: ("**", ("*",)),
    ast.BitAnd: ("&", ("|",)),
    ast.BitOr: ("|", ("&",)),
    ast.BitXor: ("^", ("|",)),
    ast.LShift: ("<<", (">>",)),
    ast.RShift: (">>", ("<<",)),
    ast.MatMult: ("@", ("*",)),
}
_COMPARISONS: Mapping[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">")),
    ast.LtE: ("<=", ("<", ">=")),
    ast.Gt: (">", (">=", "<")),
    ast.GtE: (">=", (">", "<=")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.In: ("in", ("not in",)),
    ast.NotIn: ("not in", ("in",)),
    ast.Is: ("is", ("is not",)),
    ast.IsNot: ("is not", ("is",)),
}
_SIMPLE = (
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
    ast.Expr,
    ast.Return,
    ast.Raise,
    ast.Delete,
    ast.Assert,
    ast.Import,
    ast.ImportFrom,
    ast.Break,
    ast.Continue,
    ast.Global,
    ast.Nonlocal,
)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)


@dataclass(frozen=True, order=True)
class Mutation:
    """One edit: `text[start:end]` of a file becomes `replacement`.

    Attributes:
        line: the line of `start`, for people.
        kind: what sort of edit it is.
    """

    file: str
    start: int
    end: int
    replacement: str
    kind: str
    line: int

    def applied(self, files: Mapping[str, str]) -> dict[str, str]:
        """The files of the program with this edit."""
        text = files[self.file]
        return {**files, self.file: text[: self.start] + self.replacement + text[self.end :]}


@dataclass(frozen=True)
class Mutant:
    """A program with one edit, or two."""

    program: str
    number: int
    mutations: tuple[Mutation, ...]

    def applied(self, files: Mapping[str, str]) -> dict[str, str]:
        """The files of the mutated program."""
        edited = dict(files)
        # From the end of each file to its start: the places of the edits to come stay right.
        for mutation in sorted(self.mutations, reverse=True):
            edited = mutation.applied(edited)
        return edited

    @property
    def name(self) -> str:
        """What `--mutant` takes."""
        return f"{self.program}:{self.number}"

    def described(self, files: Mapping[str, str]) -> str:
        """For people: where it is and what it changes."""
        return "; ".join(
            f"{each.file}:{each.line} {each.kind}:"
            f" {_shortened(files[each.file][each.start : each.end])}"
            f" -> {_shortened(each.replacement)}"
            for each in self.mutations
        )


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) < 60 else f"{text[:40]} ... {text[-15:]}"


class Mutants:
    """The mutants of one program for one seed: number k is always the same.

    The one-place edits come first, each once, in random order; after the last of them, pairs.
    """

    def __init__(self, program: str, files: Mapping[str, str], seed: int) -> None:
        self.program = program
        self.files = files
        self._seed = seed
        self._single = mutations_of(files)
        random.Random(f"{seed} {program}").shuffle(self._single)

    def __len__(self) -> int:
        """How many one-place mutants there are."""
        return len(self._single)

    def __getitem__(self, number: int) -> Mutant:
        if number < len(self._single):
            return Mutant(self.program, number, (self._single[number],))
        chosen = random.Random(f"{self._seed} {self.program} {number}")
        while True:
            first, second = sorted(chosen.sample(self._single, 2))
            pair = Mutant(self.program, number, (first, second))
            apart = first.file != second.file or first.end < second.start
            if apart and all(_compiles(text) for text in pair.applied(self.files).values()):
                return pair


def mutations_of(files: Mapping[str, str]) -> list[Mutation]:
    """Every edit that leaves a program Python can compile, each result once, in a fixed order."""
    found: list[Mutation] = []
    for file in sorted(files):
        seen = {files[file]}
        for mutation in sorted(_File(file, files).mutations()):
            edited = mutation.applied(files)[file]
            if edited not in seen and _compiles(edited):
                seen.add(edited)
                found.append(mutation)
    return found


def _compiles(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<mutant>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


class _File:
    """One file of a program; `files` are all of them, by name."""

    def __init__(self, name: str, files: Mapping[str, str]) -> None:
        self.name = name
        self.text = files[name]
        assert self.text.isascii(), f"{name}: columns are counted in bytes"
        self.files = files
        self.tree = ast.parse(self.text)
        self._lines = [0]
        for line in self.text.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))
        # Places inside an f-string are wrong before Python 3.12; the mutants of a seed must be
        # the same ones everywhere.
        hidden = {
            id(inner)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.JoinedStr)
            for inner in ast.walk(node)
        }
        self.nodes = [node for node in ast.walk(self.tree) if id(node) not in hidden]
        self.attributes = sorted(
            {node.attr for node in self.nodes if isinstance(node, ast.Attribute)}
        )
        self.docstrings = {id(each) for each in _docstrings(self.tree)}

    @cached_property
    def functions(self) -> list[str]:
        """The functions at the top of the file."""
        return [node.name for node in self.tree.body if isinstance(node, _FUNCTIONS)]

    def mutations(self) -> Iterator[Mutation]:
        for node in self.nodes:
            for kind, start, end, replacement in self._of(node):
                line = self.text.count("\n", 0, start) + 1
                yield Mutation(self.name, start, end, replacement, kind, line)

    def _of(self, node: ast.AST) -> Iterator[tuple[str, int, int, str]]:
        if isinstance(node, ast.expr):
            yield from self._of_expression(node)
        elif isinstance(node, ast.stmt):
            yield from self._of_statement(node)
        elif isinstance(node, ast.comprehension):
            for test in node.ifs:
                yield from self._negated(test)
        elif isinstance(node, ast.ExceptHandler) and node.type is not None:
            yield ("exception", *self._span(node.type), "ZeroDivisionError")
        elif isinstance(node, ast.arguments):
            yield from self._of_defaults(node)
        if isinstance(getattr(node, "body", None), list):
            yield from self._swapped_statements(node)

    # Expressions ---------------------------------------------------------------------------------

    def _of_expression(self, node: ast.expr) -> Iterator[tuple[str, int, int, str]]:
        if isinstance(node, ast.Constant) and id(node) not in self.docstrings:
            for replacement in _other_constants(node.value):
                yield ("constant", *self._span(node), replacement)
        elif isinstance(node, ast.BinOp):
            yield from self._operator(node.left, node.right, _BINARY[type(node.op)], "operator")
        elif isinstance(node, ast.BoolOp):
            words = ("and", ("or",)) if isinstance(node.op, ast.And) else ("or", ("and",))
            yield from self._operator(node.values[0], node.values[1], words, "condition")
        elif isinstance(node, ast.Compare):
            for left, operator, right in zip(
                [node.left, *node.comparators], node.ops, node.comparators, strict=False
            ):
                yield from self._operator(left, right, _COMPARISONS[type(operator)], "comparison")
        elif isinstance(node, ast.UnaryOp):
            yield ("operator", *self._span(node), f"({self._source(node.operand)})")
        elif isinstance(node, ast.IfExp):
            yield from self._negated(node.test)
        elif isinstance(node, ast.Call):
            yield from self._of_call(node)
        elif isinstance(node, ast.Attribute):
            end = self._span(node)[1]
            at = self.attributes.index(node.attr)
            for other in {
                self.attributes[(at + 1) % len(self.attributes)],
                f"{node.attr}_",
            } - {node.attr}:
                yield "attribute", end - len(node.attr), end, other
        elif isinstance(node, ast.Dict):
            yield from self._of_table(node)
        elif isinstance(node, ast.List | ast.Tuple | ast.Set) and len(node.elts) > 1:
            yield from self._without(node.elts, 0, "element")
            yield from self._without(node.elts, len(node.elts) - 1, "element")
        elif isinstance(node, ast.Yield) and node.value is not None:
            yield ("returned value", *self._span(node.value), "None")

    def _operator(
        self, left: ast.expr, right: ast.expr, words: tuple[str, tuple[str, ...]], kind: str
    ) -> Iterator[tuple[str, int, int, str]]:
        word, others = words
        start, end = self._span(left)[1], self._span(right)[0]
        at = self.text.find(word, start, end)
        if at >= 0:
            for other in others:
                yield kind, at, at + len(word), other

    def _negated(self, test: ast.expr) -> Iterator[tuple[str, int, int, str]]:
        yield ("condition", *self._span(test), f"(not ({self._source(test)}))")

    def _of_call(self, node: ast.Call) -> Iterator[tuple[str, int, int, str]]:
        plain = [each for each in node.args if not isinstance(each, ast.Starred)]
        if len(plain) > 1:
            first, second = plain[:2]
            start, end = self._span(first)[0], self._span(second)[1]
            between = self.text[self._span(first)[1] : self._span(second)[0]]
            swapped = self._source(second) + between + self._source(first)
            yield "arguments", start, end, swapped
        everything = [*node.args, *node.keywords]
        for position, each in enumerate(everything):
            if isinstance(each, ast.keyword):
                yield from self._without(everything, position, "arguments")
        if isinstance(node.func, ast.Name) and node.func.id in self.functions:
            at = self.functions.index(node.func.id)
            yield (
                "callee",
                *self._span(node.func),
                self.functions[(at + 1) % len(self.functions)],
            )

    def _of_table(self, node: ast.Dict) -> Iterator[tuple[str, int, int, str]]:
        pairs = [
            (self._span(key)[0], self._span(value)[1])
            for key, value in zip(node.keys, node.values, strict=True)
            if key is not None
        ]
        if len(pairs) != len(node.values):
            return
        for position, (start, end) in enumerate(pairs):
            if position + 1 < len(pairs):
                yield "table", start, pairs[position + 1][0], ""
                one, other = node.values[position], node.values[position + 1]
                between = self.text[self._span(one)[1] : self._span(other)[0]]
                yield (
                    "table",
                    self._span(one)[0],
                    self._span(other)[1],
                    self._source(other) + between + self._source(one),
                )
            else:
                yield "table", start, end, ""

    def _without(
        self, nodes: list[ast.expr] | list[ast.expr | ast.keyword], position: int, kind: str
    ) -> Iterator[tuple[str, int, int, str]]:
        """Take one of several that are separated by commas away, with one of the commas."""
        start, end = self._span(nodes[position])
        if position + 1 < len(nodes):
            yield kind, start, self._span(nodes[position + 1])[0], ""
        elif position > 0:
            yield kind, self._span(nodes[position - 1])[1], end, ""
        else:
            yield kind, start, end, ""

    # Statements ----------------------------------------------------------------------------------

    def _of_statement(self, node: ast.stmt) -> Iterator[tuple[str, int, int, str]]:
        yield from self._deleted(node)
        if isinstance(node, ast.If | ast.While):
            yield from self._negated(node.test)
        elif isinstance(node, ast.For | ast.AsyncFor):
            if isinstance(node, ast.For):
                yield ("loop", *self._span(node.iter), f"list({self._source(node.iter)})[::-1]")
        elif isinstance(node, ast.AugAssign):
            word, others = _BINARY[type(node.op)]
            yield from self._operator(
                node.target, node.value, (f"{word}=", (f"{others[0]}=",)), "operator"
            )
        elif isinstance(node, ast.Return) and node.value is not None:
            yield ("returned value", *self._span(node.value), "None")
            yield ("returned value", *self._span(node.value), f"[{self._source(node.value)}]")
        elif isinstance(node, ast.Break):
            yield ("loop", *self._span(node), "continue")
        elif isinstance(node, ast.ClassDef):
            yield from self._of_bases(node)
        elif isinstance(node, ast.ImportFrom):
            yield from self._of_import(node)
        elif isinstance(node, ast.AnnAssign):
            yield ("annotation", *self._span(node.annotation), '"other"')
        if isinstance(node, _DEFINITIONS):
            yield from self._of_definition(node)

    def _deleted(self, node: ast.stmt) -> Iterator[tuple[str, int, int, str]]:
        if id(node) in self.docstrings or isinstance(node, ast.Pass):
            return
        start, end = self._span(node)
        if isinstance(node, _DEFINITIONS):
            start = min([start, *(self._span(each)[0] - 1 for each in node.decorator_list)])
        elif not isinstance(node, (*_SIMPLE, ast.If, ast.For, ast.With, ast.While)):
            return
        line_end = self.text.find("\n", end)
        line_end = len(self.text) if line_end < 0 else line_end
        if "# dds:" in self.text[end:line_end]:
            end = line_end  # its pragma goes with it: alone, it would mark what comes next
        above = self.text.rfind("\n", 0, self._lines[node.lineno - 1] - 1) + 1
        if not self.text[above:].lstrip().startswith("# dds:"):
            yield "deleted", start, end, "pass"

    def _of_bases(self, node: ast.ClassDef) -> Iterator[tuple[str, int, int, str]]:
        heads: list[ast.expr | ast.keyword] = [*node.bases, *node.keywords]
        for position in range(len(heads)):
            yield from self._without(heads, position, "base class")
        if len(node.bases) > 1:
            first, second = node.bases[:2]
            yield (
                "base class",
                self._span(first)[0],
                self._span(second)[1],
                f"{self._source(second)}, {self._source(first)}",
            )

    def _of_import(self, node: ast.ImportFrom) -> Iterator[tuple[str, int, int, str]]:
        """Another function or class of the same module, under the name of the first."""
        module = (node.module or "").split(".")[-1]
        others = [
            each
            for file, text in sorted(self.files.items())
            if file.split("/")[-1].removesuffix(".py") == module
            for each in ast.parse(text).body
            if isinstance(each, _DEFINITIONS)
        ]
        kinds = {each.name: isinstance(each, ast.ClassDef) for each in others}
        for alias in node.names:
            alike = [name for name in kinds if kinds[name] == kinds.get(alias.name)]
            if alias.name in alike and len(alike) > 1:
                other = alike[(alike.index(alias.name) + 1) % len(alike)]
                start, end = self._span(alias)
                yield "import", start, end, f"{other} as {alias.asname or alias.name}"

    def _of_definition(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    ) -> Iterator[tuple[str, int, int, str]]:
        for decorator in node.decorator_list:
            start = self.text.rfind("@", 0, self._span(decorator)[0])
            line_end = self.text.find("\n", self._span(decorator)[1])
            yield "decorator", start, line_end, ""
        if len(node.decorator_list) > 1:
            first, second = node.decorator_list[:2]
            between = self.text[self._span(first)[1] : self._span(second)[0]]
            yield (
                "decorator",
                self._span(first)[0],
                self._span(second)[1],
                self._source(second) + between + self._source(first),
            )
        body = node.body[0]
        if isinstance(body, ast.Expr) and id(body) in self.docstrings:
            yield "docstring", self._span(body)[1] - 3, self._span(body)[1] - 3, " In other words."
        line = self._lines[node.lineno - 1]
        yield "comment", line, line, f"{' ' * node.col_offset}# Another remark.\n\n"
        if not isinstance(node, ast.ClassDef):
            if node.returns is not None:
                yield ("annotation", *self._span(node.returns), '"other"')
            for argument in (*node.args.args, *node.args.kwonlyargs):
                if argument.annotation is not None:
                    yield ("annotation", *self._span(argument.annotation), '"other"')

    def _of_defaults(self, node: ast.arguments) -> Iterator[tuple[str, int, int, str]]:
        for default in (*node.defaults, *node.kw_defaults):
            if default is not None:
                yield ("default", *self._span(default), "None")

    def _swapped_statements(self, node: ast.AST) -> Iterator[tuple[str, int, int, str]]:
        body: list[ast.stmt] = node.body  # type: ignore[attr-defined]  # the caller has looked
        for first, second in zip(body, body[1:], strict=False):
            simple = isinstance(first, _SIMPLE) and isinstance(second, _SIMPLE)
            if simple and not {id(first), id(second)} & self.docstrings:
                start, end = self._span(first)[0], self._span(second)[1]
                line_end = self.text.find("\n", end)
                if "# dds:" in self.text[start:line_end]:
                    continue
                between = self.text[self._span(first)[1] : self._span(second)[0]]
                swapped = self._source(second) + between + self._source(first)
                yield "order", start, end, swapped

    # Places --------------------------------------------------------------------------------------

    def _span(self, node: ast.expr | ast.stmt | ast.keyword | ast.alias) -> tuple[int, int]:
        assert node.end_lineno is not None and node.end_col_offset is not None
        start = self._lines[node.lineno - 1] + node.col_offset
        return start, self._lines[node.end_lineno - 1] + node.end_col_offset

    def _source(self, node: ast.expr) -> str:
        start, end = self._span(node)
        return self.text[start:end]


def _other_constants(value: object) -> tuple[str, ...]:
    if isinstance(value, bool):
        return (repr(not value),)
    if isinstance(value, int):
        return (repr(value + 1), "0") if value != 0 else ("1",)
    if isinstance(value, float):
        return (repr(value + 0.5),)
    if isinstance(value, str):
        return (repr(f"{value}x"),)
    if value is None:
        return ("0",)
    return ()


def _docstrings(tree: ast.AST) -> Iterator[ast.AST]:
    """The statements and the constants that are docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, (*_DEFINITIONS, ast.Module)) and node.body:
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                yield first
                yield first.value
