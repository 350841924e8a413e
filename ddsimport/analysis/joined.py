"""The facts of a text that is put together from statements, made of the facts of these.

The text of an interactive session is another after each cell, and most of it is as it was: so each
statement is analysed once, by itself. What little the analysis of a statement takes from the rest
of a file is known (`survey.survey` says where); where a text has any of that, it is analysed whole.
"""

from __future__ import annotations

from ddsimport.analysis.facts import (
    DEF_FIRST,
    DEF_LAST,
    DEF_PARENT,
    DEFINITION,
    TOP_LINE,
    Facts,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Parts = Sequence[tuple[int, str]]
    """Each statement's text with the number of lines before it."""


def joined(parts: Sequence[tuple[int, Facts]]) -> Facts | None:
    """The facts of a text, from those of its statements; None if it must be analysed whole.

    Args:
        parts: each with the number of lines before it.
    """
    bound = {name for _, facts in parts for name in facts.names}
    if any(_takes_from_others(facts, bound) for _, facts in parts):
        return None
    record: dict[str, Any] = {
        "defs": [], "names": {}, "stars": [], "all": None, "top": [], "steps": {}, "stores": [],
        "whole": "", "note": "", "alone": [],
    }  # fmt: skip
    stores: dict[str, None] = {}
    for lines, facts in parts:
        _add(record, lines, facts)
        stores.update(dict.fromkeys(facts.stores))
    record["stores"] = list(stores)
    return Facts(record)


def _takes_from_others(facts: Facts, bound: set[str]) -> bool:
    alone = facts.alone
    return bool(facts.whole) or alone is None or not bound.isdisjoint(alone)


def _add(record: dict[str, Any], lines: int, facts: Facts) -> None:
    defined, stated = len(record["defs"]), len(record["top"])
    for definition in facts.definitions:
        moved = list(definition)
        moved[DEF_FIRST] += lines
        moved[DEF_LAST] += lines
        if moved[DEF_PARENT] >= 0:
            moved[DEF_PARENT] += defined
        record["defs"].append(moved)
    for top in facts.top:
        moved = list(top)
        moved[TOP_LINE] += lines
        record["top"].append(moved)
    for name, bindings in facts.names.items():
        record["names"].setdefault(name, []).extend(
            [
                kind,
                what + defined if kind == DEFINITION else what,
                index + stated if index >= 0 else index,
            ]
            for kind, what, index in bindings
        )
    for place, step in facts.steps.items():
        line, _, column = place.partition(":")
        moved_step = step + defined if isinstance(step, int) else step
        record["steps"][f"{int(line) + lines}:{column}"] = moved_step
