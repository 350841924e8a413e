"""What can be edited in one file: constants, operators, conditions, calls, tables, definitions.

Each edit is (kind, start, end, replacement), in characters of the text.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise

Edit = tuple[str, int, int, str]

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


def edits_of(file: str, files: Mapping[str, str]) -> Iterator[Edit]:
    """Edits of a file of a program, the same ones in every version of Python."""
    edited = _File(file, files)
    for node in edited.nodes:
        yield from edited.of(node)


class _File:
    """One file of a program; `files` are all of them, by name."""

    def __init__(self, name: str, files: Mapping[str, str]) -> None:
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

    def of(self, node: ast.AST) -> Iterator[Edit]:
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

    def _of_expression(self, node: ast.expr) -> Iterator[Edit]:
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
    ) -> Iterator[Edit]:
        word, others = words
        start, end = self._span(left)[1], self._span(right)[0]
        at = self.text.find(word, start, end)
        if at >= 0:
            for other in others:
                yield kind, at, at + len(word), other

    def _negated(self, test: ast.expr) -> Iterator[Edit]:
        yield ("condition", *self._span(test), f"(not ({self._source(test)}))")

    def _of_call(self, node: ast.Call) -> Iterator[Edit]:
        plain = [each for each in node.args if not isinstance(each, ast.Starred)]
        if len(plain) > 1:
            first, second = plain[:2]
            start, end = self._span(first)[0], self._span(second)[1]
            between = self.text[self._span(first)[1] : self._span(second)[0]]
            swapped = self._source(second) + between + self._source(first)
            yield "arguments", start, end, swapped
        everything: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
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

    def _of_table(self, node: ast.Dict) -> Iterator[Edit]:
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
        self, nodes: Sequence[ast.expr | ast.keyword], position: int, kind: str
    ) -> Iterator[Edit]:
        """Take one of several that are separated by commas away, with one of the commas."""
        start, end = self._span(nodes[position])
        if position + 1 < len(nodes):
            yield kind, start, self._span(nodes[position + 1])[0], ""
        elif position > 0:
            yield kind, self._span(nodes[position - 1])[1], end, ""
        else:
            yield kind, start, end, ""

    # Statements ----------------------------------------------------------------------------------

    def _of_statement(self, node: ast.stmt) -> Iterator[Edit]:
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

    def _deleted(self, node: ast.stmt) -> Iterator[Edit]:
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

    def _of_bases(self, node: ast.ClassDef) -> Iterator[Edit]:
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

    def _of_import(self, node: ast.ImportFrom) -> Iterator[Edit]:
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
    ) -> Iterator[Edit]:
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

    def _of_defaults(self, node: ast.arguments) -> Iterator[Edit]:
        for default in (*node.defaults, *node.kw_defaults):
            if default is not None:
                yield ("default", *self._span(default), "None")

    def _swapped_statements(self, node: ast.AST) -> Iterator[Edit]:
        body: list[ast.stmt] = node.body  # type: ignore[attr-defined]  # the caller has looked
        for first, second in pairwise(body):
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

    def _source(self, node: ast.expr | ast.stmt) -> str:
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
