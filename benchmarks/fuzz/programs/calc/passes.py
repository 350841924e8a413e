"""Functions over the tree, one implementation per kind of node."""

from copy import deepcopy
from dataclasses import replace
from functools import singledispatch

import nodes as n
from interpreter import OPERATIONS


@singledispatch
def shown(node):
    raise TypeError(type(node).__name__)


@shown.register
def _(node: n.Number):
    return f"{node.value:g}"


@shown.register(n.Name)
def _(node):
    return node.name


@shown.register(n.Binary)
def _(node):
    return f"({shown(node.left)} {node.sign} {shown(node.right)})"


@shown.register(n.Choice)
def _(node):
    return f"[{shown(node.test)} ? {shown(node.yes)} : {shown(node.no)}]"


@shown.register(n.Call)
def _(node):
    return f"{node.name}({shown(node.argument)})"


shown.register(n.Let, lambda node: f"{node.name} = {shown(node.value)}")
shown.register(n.Print, lambda node: f"print {shown(node.value)}")
shown.register(n.Function, lambda node: f"{node.name}: {node.parameter} -> {shown(node.body)}")


def size(node):
    return 1 + sum(map(size, node.children()))


@singledispatch
def folded(node):
    return deepcopy(node)


@folded.register(n.Let)
@folded.register(n.Print)
def _(node):
    return replace(node, value=folded(node.value))


@folded.register(n.Binary)
def _(node):
    left, right = folded(node.left), folded(node.right)
    if isinstance(left, n.Number) and isinstance(right, n.Number):
        return n.Number(OPERATIONS[node.sign](left.value, right.value))
    return replace(node, left=left, right=right)


def compiled(tree):
    code = []
    for statement in tree:
        _emit(statement, code)
    return code


def _emit(node, code):
    if isinstance(node, n.Number):
        code.append(("push", node.value))
    elif isinstance(node, n.Name):
        code.append(("load", node.name))
    elif isinstance(node, n.Binary):
        _emit(node.left, code)
        _emit(node.right, code)
        code.append(("apply", node.sign))
    elif isinstance(node, n.Choice):
        for child in (node.no, node.yes, node.test):
            _emit(child, code)
        code.append(("choose",))
    elif isinstance(node, n.Call):
        _emit(node.argument, code)
        code.append(("call", node.name))
    elif isinstance(node, n.Function):
        body = []
        _emit(node.body, body)
        code.append(("define", node.name, node.parameter, body))
    else:
        _emit(node.value, code)
        code.append(("store", node.name) if isinstance(node, n.Let) else ("print",))
