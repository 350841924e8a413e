"""The walk over expressions: their normal form, and the names they use, in one pass.

Comments, layout, parentheses, quotes, number bases and trailing commas do not enter the normal
form; methods are named after libcst's nodes.
"""

from __future__ import annotations

from ddsimport.analysis.literals import (
    float_value,
    integer_value,
    string_value,
    unescaped,
    unquoted,
)
from ddsimport.analysis.names import Names
from ddsimport.analysis.normal import CLASS_MADE, FIELDS, REFLECTION, word
from ddsimport.source.quoted import names_in, with_gaps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


class Expressions(Names):
    """Walks expressions.

    Args:
        lambdas: the first lines of the file's lambdas, in the order of the text.
    """

    def __init__(self, lambdas: tuple[int, ...]) -> None:
        super().__init__()
        self._lambdas = lambdas
        self._lambda = 0
        self._formatted = 0
        methods: dict[str, Callable[[Any], None]] = {}
        for name in dir(self):
            if name.startswith("visit_"):
                kind = "".join(part.title() for part in name[6:].split("_"))
                methods[kind] = getattr(self, name)
        self._methods = methods

    # --- the walk ---------------------------------------------------------------------------------

    def expression(self, node: Any) -> None:
        method = self._methods.get(type(node).__name__)
        if method is not None:
            method(node)
        else:
            self.shape(node)

    def shape(self, node: Any) -> None:
        kind = type(node).__name__
        fields = FIELDS[kind]
        self.out.append(f"({kind}")
        for field in fields:
            part = getattr(node, field)
            if part is None:
                self.out.append("-")
            elif isinstance(part, (tuple, list)):
                self.sequence(part)
            else:
                self.expression(part)

    def sequence(self, nodes: Sequence[Any]) -> None:
        self.out.append(f"[{len(nodes)}")
        for node in nodes:
            self.expression(node)

    def optional(self, node: Any) -> None:
        if node is None:
            self.out.append("-")
        else:
            self.expression(node)

    def visit_name(self, node: Any) -> None:
        name = node.value  # every third node is a name: what `word` and `reflect` do, without calls
        self.out.append(f"N{len(name)}:{name}")
        if name in REFLECTION:
            self.reflect(name)
        self.use(name)

    def visit_attribute(self, node: Any) -> None:
        chain = self.chain(node)
        if chain is None:
            self.reflect(node.attr.value)
            self.out.append("(Attribute" + word(node.attr.value))
            self.expression(node.value)
            return
        name, rest = chain
        self.spell(name, rest)
        self.use(name, rest)

    def visit_call(self, node: Any) -> None:
        self.out.append("(Call")
        args = node.args
        called = node.func.value if type(node.func).__name__ == "Name" else ""
        if called in ("exec", "eval") and _has_namespace(args):
            # What it runs sees the names in that, and whoever filled it named what they stand for.
            self.out.append("N" + word(called))
            self.use(called, more="=")
        else:
            self.expression(node.func)
        self.out.append(f"[{len(args)}")
        if called in ("getattr", "hasattr", "setattr", "delattr") and len(args) > 1:
            args = self.attribute_by_name(called, args)
        elif called in ("vars", "locals", "dir") and not args and self.at_top():
            self.use("globals")
        elif called == "type" and len(args) > 1:
            self.reflections += CLASS_MADE
        for arg in args:
            self.visit_arg(arg)
        target = _imported(node)
        if target:
            level = len(target) - len(target.lstrip("."))
            self.uses.append((self.scope, f"{level}|{target[level:]}|", "", ""))
        elif target is not None:
            self.uses.append((self.scope, "!import", "", ""))

    def attribute_by_name(self, called: str, args: Sequence[Any]) -> Sequence[Any]:
        """`getattr(module, "name")` reads `module.name`, and not the whole module."""
        chain = self.chain(args[0].value)
        name = _literal(args[1].value)
        if chain is None or not name.isidentifier() or args[0].star or args[1].star:
            return args
        self.out.append("(Arg-")
        self.spell(*chain)
        self.reflect(name)
        self.use(*chain, more="." + name)
        if called in ("setattr", "delattr"):
            self.stored(chain[0], f"{chain[1]}.{name}")
        return args[1:]

    def visit_arg(self, node: Any) -> None:
        self.out.append("(Arg" + (word(node.keyword.value) if node.keyword else "-") + node.star)
        self.expression(node.value)

    def visit_yield(self, node: Any) -> None:
        self.yielding.add(self.scope.number)
        self.shape(node)

    def visit_subscript(self, node: Any) -> None:
        elements = node.slice
        if self.chain(node.value) == ("sys", ".modules") and len(elements) == 1:
            name = _literal(getattr(elements[0].slice, "value", None))
            if name:
                self.uses.append((self.scope, f"0|{name}|", "", ""))
        self.out.append("(Subscript")
        self.expression(node.value)
        only = elements[0] if len(elements) == 1 else None
        starred = only is not None and getattr(only.slice, "star", None)
        if only is not None and not starred and type(only.comma).__name__ != "Comma":
            self.item(only.slice)
            return
        self.out += ["(Tuple", f"[{len(elements)}"]  # `x[1,]` is `x[(1,)]`
        for element in elements:
            starred = getattr(element.slice, "star", None)
            self.out.append("(StarredElement" if starred else "(Element")
            self.item(element.slice)

    def item(self, node: Any) -> None:
        self.expression(node.value if type(node).__name__ == "Index" else node)

    def visit_binary_operation(self, node: Any) -> None:
        spine: list[Any] = []  # of `a + b + c + …`, walked without recursion
        while type(node).__name__ == "BinaryOperation":
            spine.append(node)
            node = node.left
        self.out += [f"(Binary{type(step.operator).__name__}" for step in spine]
        self.expression(node)
        for step in reversed(spine):
            self.expression(step.right)

    def visit_boolean_operation(self, node: Any) -> None:
        kind = type(node.operator).__name__
        operands: list[Any] = []
        stack = [node]
        while stack:
            top = stack.pop()
            if type(top).__name__ == "BooleanOperation" and type(top.operator).__name__ == kind:
                stack += (top.right, top.left)
            else:
                operands.append(top)
        self.out.append(f"(Boolean{kind}")
        self.sequence(operands)

    def visit_unary_operation(self, node: Any) -> None:
        self.out.append("(Unary" + type(node.operator).__name__)
        self.expression(node.expression)

    def visit_comparison(self, node: Any) -> None:
        self.out.append(f"(Compare{len(node.comparisons)}")
        self.expression(node.left)
        for part in node.comparisons:
            self.out.append(type(part.operator).__name__)
            self.expression(part.comparator)

    def visit_ellipsis(self, node: Any) -> None:
        self.out.append("Ellipsis")

    def visit_integer(self, node: Any) -> None:
        self.out.append("I" + integer_value(node.value))

    def visit_float(self, node: Any) -> None:
        self.out.append("F" + float_value(node.value))

    def visit_imaginary(self, node: Any) -> None:
        self.out.append("J" + float_value(node.value[:-1]))

    # --- strings ----------------------------------------------------------------------------------

    def visit_simple_string(self, node: Any) -> None:
        is_bytes, value = string_value(node.value)
        if value.startswith("__"):  # for `attrgetter`, or a `getattr` elsewhere
            self.reflect(value.partition(".")[0])
        self.out.append(("B" if is_bytes else "S") + word(value))
        self.quoted(value)

    def visit_concatenated_string(self, node: Any) -> None:
        tokens: list[Any] = []
        while type(node).__name__ == "ConcatenatedString":
            tokens.append(node.left)
            node = node.right
        tokens.append(node)
        self.joined(tokens)

    def visit_formatted_string(self, node: Any) -> None:
        self.joined([node])

    def visit_templated_string(self, node: Any) -> None:
        self.out.append("(Template")
        self.joined([node])

    def joined(self, tokens: list[Any]) -> None:
        """Adjacent literals and f-strings, as one: a plain string if nothing is formatted."""
        parts: list[Any] = [""]
        is_bytes = False
        for token in tokens:
            if type(token).__name__ == "SimpleString":
                is_bytes, value = string_value(token.value)
                parts[-1] += value
            else:
                _, raw, _ = unquoted(token.start + token.end)
                _merge(parts, token.parts, raw)
        self.quoted(with_gaps(parts))
        if len(parts) == 1:
            self.out.append(("B" if is_bytes else "S") + word(parts[0]))
        else:
            self.pieces(parts)

    def quoted(self, text: str) -> None:
        """Use the names that a string reads in the frame that it is given in."""
        for dotted in names_in(text):
            name, dot, rest = dotted.partition(".")
            self.use(name, dot + rest)

    def pieces(self, parts: list[Any]) -> None:
        self._formatted += 1
        self.out.append(f"(Format{len(parts)}")
        for part in parts:
            if isinstance(part, str):
                self.out.append("S" + word(part))
            else:
                self.replacement(*part)
        self._formatted -= 1

    def replacement(self, node: Any, raw: bool) -> None:
        """One `{expression!r:spec}`."""
        conversion = node.conversion
        if node.equal is not None and conversion is None and node.format_spec is None:
            conversion = "r"
        self.out.append(f"(Replacement{conversion or '-'}")
        self.expression(node.expression)
        if node.format_spec is None:
            self.out.append("-")
        else:
            parts: list[Any] = [""]
            _merge(parts, node.format_spec, raw)
            self.pieces(parts)

    # --- scopes inside expressions ----------------------------------------------------------------

    def visit_lambda(self, node: Any) -> None:
        line = 0
        if not self._formatted:
            line = self._lambdas[self._lambda]
            self._lambda += 1
        close = self.open_lambda(line)
        self.out.append("(Lambda")
        names = self.parameters(node.params)
        before = self.push("function")
        for name in names:
            self.bind(name)
        self.expression(node.body)
        self.scope = before
        close()

    def parameters(self, node: Any) -> list[str]:
        """The normal form of a parameter list; defaults belong to the scope around it."""
        names: list[str] = []
        groups = (("p", node.posonly_params), ("a", node.params), ("*", [node.star_arg]),
                  ("k", node.kwonly_params), ("**", [node.star_kwarg]))  # fmt: skip
        for kind, group in groups:
            for param in group:
                if type(param).__name__ == "Param":
                    names.append(param.name.value)
                    self.out.append(kind + word(param.name.value))
                    self.annotation(param.annotation, param.name.value)
                    self.optional(param.default)
                elif type(param).__name__ == "ParamStar":
                    self.out.append("*")
        self.out.append(")")
        return names

    def visit_generator_exp(self, node: Any) -> None:
        self.comprehension(node, (node.elt,))

    visit_list_comp = visit_generator_exp
    visit_set_comp = visit_generator_exp

    def visit_dict_comp(self, node: Any) -> None:
        self.comprehension(node, (node.key, node.value))

    def comprehension(self, node: Any, results: tuple[Any, ...]) -> None:
        self.out.append("(" + type(node).__name__)
        before = self.push("comprehension")
        inner = self.scope
        for result in results:
            self.expression(result)
        loop, first = node.for_in, True
        while loop is not None:
            self.out.append("(For" + ("async" if loop.asynchronous else "-") + f"{len(loop.ifs)}")
            self.target(loop.target)
            # The first iterable is evaluated outside, before the comprehension's own names exist.
            self.scope = before if first else inner
            self.expression(loop.iter)
            self.scope = inner
            for condition in loop.ifs:
                self.expression(condition.test)
            loop, first = loop.inner_for_in, False
        self.out.append(")")
        self.scope = before

    def visit_named_expr(self, node: Any) -> None:
        self.out.append("(Named" + word(node.target.value))
        inner = self.scope
        while self.scope.kind == "comprehension" and self.scope.parent is not None:
            self.scope = self.scope.parent
        self.bind(node.target.value)
        self.scope = inner
        self.expression(node.value)

    # --- targets ----------------------------------------------------------------------------------

    def target(self, node: Any) -> None:
        """The normal form of what is assigned to, deleted or looped over."""
        kind = type(node).__name__
        if kind == "Name":
            self.out.append("N" + word(node.value))
            self.bind(node.value)
        elif kind in ("Tuple", "List"):
            self.out.append(f"(Targets{len(node.elements)}")
            for element in node.elements:
                self.target(element)
        elif kind in ("Element", "StarredElement"):
            self.out.append("*" if kind == "StarredElement" else "-")
            self.target(node.value)
        else:
            self.mutated(node)
            self.expression(node)

    def mutated(self, node: Any) -> None:
        """Note the name at the root of `X.a = …`, `X[k] = …`, `X.a[k].b = …`."""
        inside = ""
        while type(node).__name__ in ("Attribute", "Subscript"):
            chain = self.chain(node)
            if chain is not None:
                self.stored(chain[0], chain[1] + inside)
                return
            inside = "[]"
            node = node.value
        if type(node).__name__ == "Name":
            self.stored(node.value, inside)


def _merge(parts: list[Any], pieces: Sequence[Any], raw: bool) -> None:
    """Append the pieces of an f-string to `parts`: text, then (expression, raw), then text, …"""
    for piece in pieces:
        if type(piece).__name__.endswith("Text"):
            text = piece.value.replace("{{", "{").replace("}}", "}")
            parts[-1] += text if raw else unescaped(text)
        else:
            if piece.equal is not None:
                parts[-1] += _shown(piece)
            parts += ((piece, raw), "")


def _shown(node: Any) -> str:
    """What `{x = }` prints before the value: its own source text, up to the value."""
    import libcst

    blank = libcst.Module([])
    parts = (node.whitespace_before_expression, node.expression, node.equal)
    return "".join(blank.code_for_node(part) for part in parts)


def _literal(node: Any) -> str:
    """The value of a plain string literal, else ""."""
    if type(node).__name__ != "SimpleString":
        return ""
    is_bytes, value = string_value(node.value)
    return "" if is_bytes else value


def _has_namespace(args: Sequence[Any]) -> bool:
    """Whether `exec` or `eval` is given the names that the text may use, and not those here."""
    if len(args) < 2 or any(arg.star or arg.keyword is not None for arg in args[:2]):
        return False
    given = args[1].value
    return not (type(given).__name__ == "Name" and given.value == "None")


def _imported(node: Any) -> str | None:
    """What a call imports: its name if literal, "" if computed, None for any other expression."""
    if type(node).__name__ != "Call":
        return None
    function = node.func
    if type(function).__name__ == "Attribute":
        function = function.attr
    if type(function).__name__ != "Name" or function.value not in ("import_module", "__import__"):
        return None
    return _literal(node.args[0].value) if node.args and not node.args[0].star else ""
