"""Which installed code a file gives code of its own to, and which may so call it back."""

from __future__ import annotations

from ddsimport.analysis.facts import DEF_DECORATORS, TOP_ACTS
from ddsimport.analysis.inert import INERT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ddsimport.analysis.facts import Facts


def receivers_of(facts: Facts, dotted: Callable[[str], str]) -> frozenset[str]:
    """Top-level import names of the untracked code that gets something by a decorator, as an
    argument of a call at module level, or by the setting of an attribute.

    Args:
        dotted: a reference of the file -> the full dotted name if it is untracked, else "".
    """
    found = {dotted(stored.removesuffix("[]")) for stored in facts.stores}
    for definition in facts.definitions:
        for decorator in definition[DEF_DECORATORS]:
            if decorator and decorator != "property":
                found.add(dotted(decorator))
    found -= INERT
    for top in facts.top:
        if any(act.startswith("&") for act in top[TOP_ACTS]):
            found.update(dotted(act) for act in top[TOP_ACTS] if not act.startswith("&"))
    return frozenset(name.partition(".")[0] for name in found if name)
