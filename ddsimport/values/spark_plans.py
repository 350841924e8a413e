"""What a plan of Spark reads: asked of the JVM, node by node."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def leaves(plan: Any) -> list[Any]:
    """The leaves of a plan, and of the plans in its expressions (`x in (select …)`)."""
    return [leaf for each in _with_subqueries(plan) for leaf in items(each.collectLeaves())]


def nodes(plan: Any, name: str) -> list[Any]:
    """The nodes of a plan, and of the plans in its expressions, that are of a class."""
    found = []
    waiting = _with_subqueries(plan)
    while waiting:
        node = waiting.pop()
        if str(node.getClass().getSimpleName()) == name:
            found.append(node)
        waiting += items(node.children())
    return found


def _with_subqueries(plan: Any) -> list[Any]:
    return [plan, *items(plan.subqueriesAll())]


def items(sequence: Any) -> list[Any]:
    """Those of a sequence of Scala, which Python knows no way through."""
    return [sequence.apply(number) for number in range(sequence.size())]


def files_of(leaf: Any) -> list[str] | None:
    """The files that a leaf of a plan reads, and the folders that it found them in, as Spark names
    them; None if it reads something else."""
    relation = leaf.relation()
    if str(relation.getClass().getSimpleName()) != "HadoopFsRelation":
        return None
    roots = items(relation.location().rootPaths())
    return [*map(str, relation.inputFiles()), *(str(root.toString()) for root in roots)]
