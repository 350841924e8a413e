"""Marked statements to steps: their names, inputs and paths.

`Input` and `Site` live in `site.py`, which a warm run can import without `ast`.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from ddsimport.source.grammar import fields_of, nearest, source_of
from ddsimport.source.placement import (
    Function,
    Place,
    Scope,
    decorators_of,
    marked_by,
    refuse,
)
from ddsimport.source.reads import inputs_of, mangled, parameters
from ddsimport.source.site import Access, Input, Site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ddsimport.source.grammar import Source
    from ddsimport.source.pragma import Pragma

__all__ = ["Access", "Input", "Site", "Step", "ignored_of", "sites_of"]

_Marked = ast.Assign | ast.AnnAssign | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Step:
    """A marked statement: its site and the node to rewrite."""

    site: Site
    node: _Marked


def sites_of(
    tree: ast.Module, pragmas: Sequence[Pragma], filename: str, text: str
) -> tuple[Step, ...]:
    """The steps of a file, in the order of its pragmas.

    Args:
        tree: the file's tree, as `ast.parse` gives it.
        pragmas: its pragmas.
        filename: for messages.
        text: the source.

    Raises:
        PragmaError: a pragma marks nothing, or nothing that can be a step; a path names what is no
            input; two steps have one path, or one path lies under another.
    """
    source = source_of(text, filename)
    steps: list[tuple[Pragma, Step]] = []
    for pragma, place in marked_by(tree, pragmas, source):
        if not pragma.ignore:
            steps.append((pragma, _step(pragma, place, source)))
    _check_paths(steps, source)
    return tuple(step for _, step in steps)


def ignored_of(
    tree: ast.Module, pragmas: Sequence[Pragma], filename: str, text: str
) -> tuple[tuple[int, int], ...]:
    """First and last line of every statement that `# dds: ignore` marks, decorators included.

    Raises:
        PragmaError: as `sites_of`.
    """
    source = source_of(text, filename)
    return tuple(
        (
            min([place.node.lineno, *(each.lineno for each in decorators_of(place.node))]),
            place.node.end_lineno or place.node.lineno,
        )
        for pragma, place in marked_by(tree, pragmas, source)
        if pragma.ignore
    )


def _step(pragma: Pragma, place: Place, source: Source) -> Step:
    node, scope = place.node, place.scope
    assert isinstance(node, _Marked)  # _check_statement has refused all others
    wanted = fields_of(pragma.path) if pragma.path else ()
    if isinstance(node, Function):
        target = scope.prefix + node.name
        inputs = tuple(Input(mangled(each.arg, scope.class_name)) for each in parameters(node.args))
    else:
        assert node.value is not None  # _check_statement has refused those without
        target = _target(node, scope)
        # What a path shows of a name is all of it.
        whole = [mangled(name, scope.class_name) for name in wanted]
        inputs = inputs_of(node.value, scope.class_name, _first_parameter(scope), whole)
    inputs = _without_ignored(pragma, inputs, scope, source)
    names = {each.name for each in inputs}
    for name in wanted:
        if mangled(name, scope.class_name) not in names:
            near = nearest(name, sorted(names))
            meant = f"did you mean `{{{near}}}`? " if near else ""
            refuse(
                pragma,
                f"`{{{name}}}` is no input of this step; {meant}{_inputs_in_words(names)}",
                source,
                f"{{{name}",
            )
    site = Site(
        kind="function" if isinstance(node, Function) else "assignment",
        line=node.lineno,
        column=node.col_offset,
        target=target,
        path=_with_mangled_fields(pragma.path, scope.class_name),
        options=pragma.options,
        inputs=inputs,
    )
    if site.path is None:
        _check_bare(pragma, target, source)
    return Step(site, node)


def _first_parameter(scope: Scope) -> str | None:
    """What a bare `super()` reads: the frame's first positional parameter."""
    if scope.function is None:
        return None
    arguments = scope.function.args
    positional = (*arguments.posonlyargs, *arguments.args)
    return positional[0].arg if positional else None


def _target(node: ast.Assign | ast.AnnAssign, scope: Scope) -> str:
    """The qualified name of what is assigned; of `a = b = f()`, that of `a`."""
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    own = _first_parameter(scope) if scope.in_method else None
    if (
        own
        and isinstance(target, ast.Attribute)
        and isinstance(target.value, ast.Name)
        and target.value.id == own
    ):
        # `self.r = ...` in Model.fit is Model.fit.r: an attribute, not a local variable.
        return f"{scope.prefix.removesuffix('<locals>.')}{target.attr}"
    return scope.prefix + _written(target)


def _written(target: ast.expr) -> str:
    if isinstance(target, ast.Tuple | ast.List):
        return ",".join(_written(each) for each in target.elts)
    if isinstance(target, ast.Starred):
        return _written(target.value)
    return ast.unparse(target)


def _without_ignored(
    pragma: Pragma, inputs: tuple[Input, ...], scope: Scope, source: Source
) -> tuple[Input, ...]:
    """The inputs that the option `ignore=` leaves.

    Raises:
        PragmaError: it names what is no input.
    """
    ignored = dict(pragma.options).get("ignore")
    if ignored is None:
        return inputs
    names = {each.name for each in inputs}
    gone = set()
    for name in ignored.split(","):
        if mangled(name, scope.class_name) not in names:
            near = nearest(name, sorted(names))
            advice = f"did you mean `{near}`? " if near else ""
            refuse(
                pragma,
                f"`ignore={name}`: no such input; {advice}{_inputs_in_words(names)}",
                source,
                name,
            )
        gone.add(mangled(name, scope.class_name))
    return tuple(each for each in inputs if each.name not in gone)


def _inputs_in_words(names: Iterable[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in sorted(names))
    return f"its inputs are {listed}" if listed else "it has no inputs"


def _with_mangled_fields(path: str | None, class_name: str | None) -> str | None:
    """`path` with its fields named as the inputs are: `{__n}` in class A is `{_A__n}`."""
    for name in fields_of(path) if path else ():
        other = mangled(name, class_name)
        if path and other != name:
            for end in "}!:":
                path = path.replace(f"{{{name}{end}", f"{{{other}{end}")
    return path


def _check_bare(pragma: Pragma, target: str, source: Source) -> None:
    if not target.isprintable() or any(letter in target for letter in "/\\{}"):
        refuse(pragma, f"`{target}` is no name for a path; write one: `# dds: /name`", source)


def _check_paths(steps: Sequence[tuple[Pragma, Step]], source: Source) -> None:
    """
    Raises:
        PragmaError: two steps have the same path, or one path lies under another.
    """
    taken: dict[str, Pragma] = {}
    for pragma, step in steps:
        path = step.site.path
        # The path of a bare pragma is made of the module's name, which the text does not know.
        shown = path if path is not None else f"of {step.site.target}"
        if shown in taken:
            if path is None:
                why = f"another step is named `{step.site.target}`"
            else:
                why = f"the path `{path}` is taken"
            refuse(
                pragma,
                f"{why}, on line {taken[shown].line}; give it one of its own: `# dds: /name`"
                if path is None
                else f"{why}, on line {taken[shown].line}; did you mean `{path}_2`?",
                source,
            )
        if path is not None:
            for other, first in taken.items():
                if path.startswith(f"{other}/") or other.startswith(f"{path}/"):
                    upper, lower = sorted((path, other), key=len)
                    refuse(
                        pragma,
                        f"`{lower}` lies under `{upper}` (line {first.line}): a path is a value or"
                        f" a folder, not both; did you mean `{upper}_{lower[len(upper) + 1 :]}`?",
                        source,
                    )
        taken[shown] = pragma
