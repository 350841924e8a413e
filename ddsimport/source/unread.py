"""Which names of a module nothing but its steps reads, by its text.

A value that came from the store need not be loaded while only other steps take it. Here is told
where nobody else can: what other modules may ask for is watched when the program runs
(`runtime.deferred`), so only the module's own text counts. In doubt a name is read.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from ddsimport.source.grammar import fields_of
from ddsimport.source.quoted import names_in
from ddsimport.source.reads import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ddsimport.source.steps import Step

_SEE_ALL = frozenset({"__builtins__", "breakpoint", "eval", "exec", "globals", "locals", "vars"})
"""Names that may lead to all names of the module that reads them."""

_LEAD_TO_ALL = frozenset(
    {"__dict__", "__globals__", "embed", "f_globals", "f_locals", "interact", "set_trace"}
)  # fmt: skip
"""Attributes that may."""

_READ_CALLER = frozenset({"eval", "execute", "from_formula", "query", "sql"})
"""Methods that look up what a text names where they are called: of pandas, duckdb, polars and
statsmodels. What a literal names is told (`quoted`)."""

_MATRICES = frozenset({"dmatrices", "dmatrix", "model_matrix"})
"""The same of patsy and formulaic, under whatever name they are called."""

_OF_LIBRARIES = frozenset({"formulaic", "ne", "numexpr", "patsy", "smf"})
"""Names under which whole modules of such functions are imported (`smf.ols`, `ne.evaluate`)."""

_DEBUGGERS = frozenset({"IPython", "bdb", "code", "ipdb", "pdb", "pudb"})

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

_LATER = (ast.Lambda, ast.GeneratorExp)
"""What may look a name up when the step is long over."""


def unread(
    tree: ast.Module, steps: Sequence[Step]
) -> tuple[tuple[Step, ...], tuple[tuple[str, str], ...]]:
    """The steps, those `lazy` whose targets are names of the module that nothing but other steps
    reads; and what it imports for steps only.

    Args:
        tree: as it is parsed, before any step is rewritten.

    Returns:
        The steps, and (name there, name here) of each such import.
    """
    read = _read(tree, steps)
    if read is None:
        return tuple(steps), ()
    marked = tuple(
        replace(step, site=step.site.replace(lazy=True))
        if (names := _names(step)) and read.isdisjoint(names)
        else step
        for step in steps
    )
    return marked, _imports(tree, steps, read)


def _imports(
    tree: ast.Module, steps: Sequence[Step], read: set[str]
) -> tuple[tuple[str, str], ...]:
    """What `from … import …` at module level binds for steps only; names that two modules have are
    left out."""
    found: list[tuple[str, str]] = []
    for node in _at_module_level(tree):
        if isinstance(node, ast.ImportFrom):
            found += [(alias.name, alias.asname or alias.name) for alias in node.names]
    taken = {each.name for step in steps for each in step.site.inputs if not each.access} - read
    theirs = [there for there, _ in found]
    return tuple(
        (there, here) for there, here in found if here in taken and theirs.count(there) == 1
    )


def _at_module_level(tree: ast.Module) -> Iterator[ast.AST]:
    """The statements that run in the frame of the module."""
    stack: list[ast.AST] = list(reversed(tree.body))
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case) and not isinstance(
            node, _SCOPES
        ):
            stack.extend(reversed(list(ast.iter_child_nodes(node))))


def _names(step: Step) -> list[str]:
    """The names that an assignment at module level binds: one, or those of a tuple."""
    node = step.node
    if isinstance(node, ast.AnnAssign):
        target: ast.expr = node.target
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
    else:
        return []
    parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
    names = [part.id for part in parts if isinstance(part, ast.Name)]
    several = isinstance(target, ast.Tuple | ast.List)
    if len(names) != len(parts) or (several and len(set(names)) < 2):
        return []
    # A step that stands in a function or class is called after it.
    return names if step.site.target == ",".join(names) else []


def _read(tree: ast.Module, steps: Sequence[Step]) -> set[str] | None:
    """The names that anything but a step reads; None if that cannot be told."""
    # Not of steps in functions: those are sent to other processes with the globals that they read.
    outer = {id(node) for node in _at_module_level(tree)}
    taken = {
        id(step.node.value)
        for step in steps
        if id(step.node) in outer and isinstance(step.node, ast.Assign | ast.AnnAssign)
    }
    found: set[str] = set()
    for step in steps:
        found.update(fields_of(step.site.path) if step.site.path else ())
        found.update(dict(step.site.options).get("ignore", "").split(","))
    for node, by_step in _walk(tree, taken):
        if isinstance(node, ast.Name):
            if node.id in _SEE_ALL:
                return None
            if not isinstance(node.ctx, ast.Store) and not by_step:
                found.add(node.id)
        elif isinstance(node, ast.Attribute):
            if node.attr in _LEAD_TO_ALL:
                return None
        elif isinstance(node, ast.Import | ast.ImportFrom):
            module = node.module if isinstance(node, ast.ImportFrom) else None
            names = {alias.name.partition(".")[0] for alias in node.names}
            if (
                names & (_LEAD_TO_ALL | _DEBUGGERS)
                or (module or "").partition(".")[0] in _DEBUGGERS
            ):
                return None
        elif isinstance(node, ast.Call):
            if _reads_caller(node):
                return None
        elif isinstance(node, ast.AugAssign):
            if isinstance(node.target, ast.Name):
                found.add(node.target.id)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            found.update(node.names)
        elif not by_step and (text := text_of(node)) is not None:
            found.update(name.partition(".")[0] for name in names_in(text))
    return found


def _reads_caller(node: ast.Call) -> bool:
    """Whether a call may look up names here that nobody can tell from the text."""
    function = node.func
    if isinstance(function, ast.Attribute):
        base = function.value
        library = isinstance(base, ast.Name) and base.id in _OF_LIBRARIES
        if not library and function.attr not in _READ_CALLER | _MATRICES:
            return False
    elif not isinstance(function, ast.Name) or function.id not in _MATRICES:
        return False
    text = node.args[0] if node.args else None
    return not (isinstance(text, ast.Constant) and isinstance(text.value, str))


def _walk(tree: ast.Module, taken: set[int]) -> Iterator[tuple[ast.AST, bool]]:
    """Every node, and whether only the evaluation of a step looks at it."""
    stack: list[tuple[ast.AST, bool]] = [(tree, False)]
    while stack:
        node, by_step = stack.pop()
        by_step = (by_step or id(node) in taken) and not isinstance(node, _LATER)
        yield node, by_step
        stack.extend((child, by_step) for child in ast.iter_child_nodes(node))
