"""Questions about single nodes of libcst's tree that need no walk."""

from __future__ import annotations

from ddsimport.analysis.literals import string_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAIN_GUARD, TYPE_CHECKING_GUARD = 1, 2
"""Kinds of a top-level `if` whose body does not run when the module is imported."""


def flat(nodes: Any) -> list[Any]:
    """Statements one by one: `a; b` on a line are two."""
    flat: list[Any] = []
    for node in nodes:
        if type(node).__name__ in ("SimpleStatementLine", "SimpleStatementSuite"):
            flat += node.body
        else:
            flat.append(node)
    return flat


def is_idle(node: Any) -> bool:
    """True for what does nothing at run time: `pass`, a docstring, a string used as a comment."""
    return type(node).__name__ == "Pass" or string(node) is not None


def string(node: Any) -> str | None:
    """The value of a statement that is nothing but a string, else None."""
    if type(node).__name__ != "Expr":
        return None
    tokens = []
    node = node.value
    while type(node).__name__ == "ConcatenatedString":
        tokens.append(node.left)
        node = node.right
    tokens.append(node)
    value = ""
    for token in tokens:
        if type(token).__name__ != "SimpleString":
            return None
        is_bytes, part = string_value(token.value)
        if is_bytes:
            return None
        value += part
    return value


def guard(node: Any) -> int:
    """Whether a top-level `if` keeps its body from running when the module is imported."""
    if type(node).__name__ != "If" or node.orelse is not None:
        return 0
    test = node.test
    if type(test).__name__ == "Attribute":
        test = test.attr
    if type(test).__name__ == "Name" and test.value == "TYPE_CHECKING":
        return TYPE_CHECKING_GUARD
    if type(test).__name__ == "Comparison" and len(test.comparisons) == 1:
        sides = (test.left, test.comparisons[0].comparator)
        names = [side.value for side in sides if type(side).__name__ == "Name"]
        if names == ["__name__"] and type(test.comparisons[0].operator).__name__ == "Equal":
            return MAIN_GUARD
    return 0


def dotted(node: Any) -> str:
    parts: list[str] = []
    while type(node).__name__ == "Attribute":
        parts.append(node.attr.value)
        node = node.value
    parts.append(node.value)
    return ".".join(reversed(parts))


def names_in(node: Any) -> list[str] | None:
    """The strings of a literal list or tuple, or of a sum of these; None for anything else."""
    if type(node).__name__ == "BinaryOperation" and type(node.operator).__name__ == "Add":
        left, right = names_in(node.left), names_in(node.right)
        return None if left is None or right is None else left + right
    if type(node).__name__ not in ("List", "Tuple"):
        return None
    names = []
    for element in node.elements:
        value = element.value
        if type(element).__name__ != "Element" or type(value).__name__ != "SimpleString":
            return None
        names.append(string_value(value.value)[1])
    return names


def closed_literal(node: Any) -> str:
    """A "#" if the value is a literal that can neither change nor depend on anything, else ""."""
    stack = [node]
    while stack:
        top = stack.pop()
        kind = type(top).__name__
        if kind == "Tuple":
            stack += [element.value for element in top.elements]
            if any(type(element).__name__ != "Element" for element in top.elements):
                return ""
        elif kind == "UnaryOperation":
            stack.append(top.expression)
        elif kind == "ConcatenatedString":
            stack += (top.left, top.right)
        elif kind == "Name":
            if top.value not in ("True", "False", "None"):
                return ""
        elif kind not in ("Integer", "Float", "Imaginary", "SimpleString"):
            return ""
    return "#"
