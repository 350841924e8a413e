"""What an expression reads, and what a function's own body holds: walks over `ast`.

No walk here is recursive: the compiler takes expressions that are nested deeper than Python's
recursion limit (`1 + 1 + ...`, long method chains).
"""

from __future__ import annotations

import ast

from ddsimport.source.quoted import names_in, with_gaps
from ddsimport.source.site import Access, Input

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def mangled(name: str, class_name: str | None) -> str:
    """`name` as the compiler stores it inside the class `class_name` (None: in no class).

    Python reference, "Identifiers (Names)": private names.
    """
    stem = (class_name or "").lstrip("_")
    if not stem or not name.startswith("__") or name.endswith("__") or "." in name:
        return name
    return f"_{stem}{name}"


def inputs_of(
    expression: ast.expr, class_name: str | None, first_parameter: str | None, whole: Iterable[str]
) -> tuple[Input, ...]:
    """The names that `expression` reads and does not itself bind, with what it reads of them.

    Args:
        class_name: the class around it, for private names.
        first_parameter: that of the function around it, which a bare `super()` reads.
        whole: names (mangled) of which all counts wherever they are read.
    """
    found: dict[str, dict[Access, None]] = {}  # dict for its order: that of the text
    for name, access in _reads(expression, first_parameter):
        of_name = found.setdefault(mangled(name, class_name), {})
        of_name[
            tuple(
                (kind, mangled(key, class_name) if kind == "." and isinstance(key, str) else key)
                for kind, key in access
            )
        ] = None
    whole = set(whole)
    return tuple(
        Input(name, access)
        for name, accesses in found.items()
        for access in ([()] if name in whole else _widest(accesses))
    )


def _widest(accesses: Iterable[Access]) -> list[Access]:
    """Those accesses that no other one holds: of `cfg`, `cfg.a` and `cfg.b`, only `cfg`."""
    every = list(accesses)
    present = set(every)
    return [
        access
        for access in every
        if not any(access[:length] in present for length in range(len(access)))
    ]


def _reads(expression: ast.expr, first_parameter: str | None) -> Iterator[tuple[str, Access]]:
    """Every free name use, with the access around it."""
    stack: list[tuple[ast.AST, frozenset[str]]] = [(expression, frozenset())]
    while stack:
        node, bound = stack.pop()
        inner: list[tuple[ast.AST | None, frozenset[str]]] = []
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            root, access = _access(node)
            if isinstance(root, ast.Name):
                if isinstance(root.ctx, ast.Load) and root.id not in bound:
                    yield root.id, access
            elif root is not node:
                inner.append((root, bound))
            else:
                inner.extend((child, bound) for child in ast.iter_child_nodes(node))
        elif isinstance(node, ast.Call):
            callee: ast.expr = node.func
            if isinstance(callee, ast.Attribute):
                # A method sees its whole object, not just what its name says.
                callee = callee.value
            elif (
                isinstance(callee, ast.Name)
                and callee.id == "super"
                and not node.args
                and first_parameter is not None
            ):
                yield first_parameter, ()
            inner.append((callee, bound))
            inner.extend((child, bound) for child in (*node.args, *node.keywords))
        elif (text := text_of(node)) is not None:
            for name in names_in(text):
                first = name.partition(".")[0]
                if first not in bound:
                    yield first, ()
            inner.extend(
                (child, bound)
                for child in ast.iter_child_nodes(node)
                if not isinstance(child, ast.Constant)
            )
        elif isinstance(node, ast.Lambda):
            defaults = (*node.args.defaults, *node.args.kw_defaults)
            inner.extend((default, bound) for default in defaults)
            names = {*(arg.arg for arg in parameters(node.args)), *_walrus_targets(node.body)}
            inner.append((node.body, bound | names))
        elif isinstance(node, _COMPREHENSIONS):
            # Only the first iterable is evaluated outside the comprehension's own scope.
            own = bound | {name for each in node.generators for name in _stored(each.target)}
            inner.append((node.generators[0].iter, bound))
            for index, each in enumerate(node.generators):
                if index:
                    inner.append((each.iter, own))
                inner.extend((part, own) for part in (each.target, *each.ifs))
            results = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
            inner.extend((result, own) for result in results)
        else:
            inner.extend((child, bound) for child in ast.iter_child_nodes(node))
        stack.extend((child, names) for child, names in reversed(inner) if child is not None)


def text_of(node: ast.AST) -> str | None:
    """The text of a string, f-strings included; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return with_gaps(getattr(part, "value", None) for part in node.values)
    return None


def _access(node: ast.expr) -> tuple[ast.expr, Access]:
    """The innermost object of a chain of attributes and constant items, and the chain."""
    parts: list[tuple[str, object]] = []
    while True:
        if isinstance(node, ast.Attribute):
            parts.append((".", node.attr))
        elif isinstance(node, ast.Subscript) and (key := _constant_key(node.slice)) is not None:
            parts.append(("[]", key))
        else:
            return node, tuple(reversed(parts))
        node = node.value


def _constant_key(node: ast.expr) -> str | int | None:
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node, sign = node.operand, -1
    if isinstance(node, ast.Constant):
        # The exact type: True is an int, and no key that anyone writes.
        if type(node.value) is int:
            return sign * node.value
        if type(node.value) is str and sign == 1:
            return node.value
    return None


def _stored(target: ast.expr) -> Iterator[str]:
    for node in ast.walk(target):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _walrus_targets(body: ast.expr) -> Iterator[str]:
    for node in _outside_lambdas(body):
        if isinstance(node, ast.NamedExpr):
            yield node.target.id


def _outside_lambdas(expression: ast.expr) -> Iterator[ast.AST]:
    """The nodes that run when `expression` does: not the bodies of its lambdas."""
    stack: list[ast.AST] = [expression]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, ast.Lambda):
            defaults = (*node.args.defaults, *node.args.kw_defaults)
            stack.extend(default for default in defaults if default is not None)
        else:
            stack.extend(ast.iter_child_nodes(node))


def parameters(arguments: ast.arguments) -> tuple[ast.arg, ...]:
    """All parameters, in the order in which a signature shows them."""
    several = [arguments.vararg] if arguments.vararg else []
    named = [arguments.kwarg] if arguments.kwarg else []
    return (
        *arguments.posonlyargs,
        *arguments.args,
        *several,
        *arguments.kwonlyargs,
        *named,
    )


def first_of(expression: ast.expr, *kinds: type[ast.expr]) -> ast.expr | None:
    """A node of one of `kinds` that runs in the frame of `expression`, None if there is none."""
    for node in _outside_lambdas(expression):
        if isinstance(node, kinds):
            return node
    return None


def own_nodes(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """The nodes that run in the function's own frame.

    The bodies of functions, lambdas and classes inside it are not among them; their decorators,
    defaults and bases are.
    """
    stack: list[ast.AST] = list(reversed(function.body))
    while stack:
        node = stack.pop()
        yield node
        outer: Iterable[ast.AST | None]
        if isinstance(node, (*_FUNCTIONS, ast.Lambda)):
            decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
            outer = (*decorators, *node.args.defaults, *node.args.kw_defaults)
        elif isinstance(node, ast.ClassDef):
            outer = (*node.decorator_list, *node.bases, *node.keywords)
        else:
            outer = ast.iter_child_nodes(node)
        stack.extend(child for child in reversed(list(outer)) if child is not None)
