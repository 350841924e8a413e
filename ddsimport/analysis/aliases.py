"""Variables of functions that are another name for a dotted one: `m = package.module`.

Without them, one such line would count all of the module, as any module does that is used as a
value. Where the variable is bound once, and nothing but attributes is ever read of it, what is used
is `package.module.attribute`, wherever `m.attribute` stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddsimport.analysis.names import Use
    from ddsimport.analysis.regions import Regions
    from ddsimport.analysis.scopes import Scope

    Alias = tuple[Scope, str, str]

_LONGEST = 8
"""An alias of an alias of an alias …: more than this many are no pattern, but a circle."""


def aliases_of(walk: Regions) -> dict[tuple[Scope | None, str], Alias]:
    """(scope, variable) -> where, and of which name, it is an alias, with the attributes read."""
    found: dict[tuple[Scope | None, str], Alias] = {}
    for scope, name, rest, more in walk.uses:
        if more.startswith("@"):
            found[scope, more[1:]] = (scope, name, rest)
    if not found:
        return found
    names = {name for _, name in found}
    read: set[tuple[Scope | None, str]] = set()
    for use in (*walk.uses, *walk.note_uses):
        if use[1] in names and (place := (use[0].meaning(use[1])[1], use[1])) in found:
            if _is_whole(use):
                found.pop(place)
            else:
                read.add(place)
    return {
        place: alias
        for place, alias in found.items()
        if place in read and _is_bound_once(walk, place) and _ends(found, alias)
    }


def _is_whole(use: Use) -> bool:
    """Whether more is made of the name than reading an attribute of it."""
    _, _, rest, more = use
    return not rest and not more.startswith(".")


def _is_bound_once(walk: Regions, place: tuple[Scope | None, str]) -> bool:
    scope, name = place
    return scope is not None and scope.bindings.get(name) == 1 and name not in walk.rebound_outside


def _ends(found: dict[tuple[Scope | None, str], Alias], alias: Alias) -> bool:
    for _ in range(_LONGEST):
        scope, name, _ = alias
        following = found.get((scope.meaning(name)[1], name))
        if following is None:
            return True
        alias = following
    return False
