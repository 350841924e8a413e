"""What a walk knows about names: the scope it is in, and every use of a name, in order."""

from __future__ import annotations

from ddsimport.analysis.normal import REFLECTION, word
from ddsimport.analysis.scopes import Scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ddsimport.analysis.scopes import Kind

Use = tuple[Scope, str, str, str]
"""(where, name, the attributes read of it as ".a.b", more). More is ".c" if `getattr` reads one
more, "&" for an act on what is passed as an argument, "=" for an `exec` in a namespace that it is
given, and "@m" for the value of the variable `m`."""

_CONSTANTS = frozenset({"True", "False", "None", "__debug__"})


class Names:
    """Keeps scopes and uses; the walks over expressions and statements build on it.

    Attributes:
        out: the tokens of the normal form that is being written.
        uses: in the order of the text.
        scope: the current one; `scopes` counts those opened so far.
        reflections: of the names so far, what `REFLECTION` says, added up.
        yielding: the numbers of the scopes that are generators.
        rebound_outside: names declared `nonlocal` anywhere.
    """

    def __init__(self) -> None:
        self.out: list[str] = []
        self.uses: list[Use] = []
        self.scope = Scope("module", None, 0, "")
        self.scopes = 1
        self.reflections = 0
        self.rebound_outside: set[str] = set()
        self.yielding: set[int] = set()

    # --- what the walk over statements adds -------------------------------------------------------

    def bind(self, name: str, spec: str = "", kind: int = 3, about: Any = "") -> None:
        raise NotImplementedError

    def stored(self, name: str, rest: str) -> None:
        raise NotImplementedError

    def open_lambda(self, line: int) -> Callable[[], None]:
        raise NotImplementedError

    def annotation(self, node: Any, name: str) -> None:
        raise NotImplementedError

    # --- names ------------------------------------------------------------------------------------

    def use(self, name: str, rest: str = "", more: str = "") -> None:
        if name not in _CONSTANTS:
            scope = self.scope
            self.uses.append((scope, scope.mangled(name) if name[0] == "_" else name, rest, more))

    def push(self, kind: Kind, class_name: str | None = None) -> Scope:
        before = self.scope
        name = before.class_name if class_name is None else class_name
        self.scope = Scope(kind, before, self.scopes, name)
        self.scopes += 1
        return before

    def at_top(self) -> bool:
        """True where `locals()` are the module's or a class's names."""
        return self.scope.kind in ("module", "class")

    def chain(self, node: Any) -> tuple[str, str] | None:
        """(name, ".a.b") of a dotted name, None for any other expression."""
        parts: list[str] = []
        while type(node).__name__ == "Attribute":
            parts.append(self.scope.mangled(node.attr.value))
            node = node.value
        if type(node).__name__ != "Name":
            return None
        parts.append("")
        return node.value, ".".join(reversed(parts))

    def spell(self, name: str, rest: str) -> None:
        """The normal form of a dotted name."""
        parts = rest.split(".")[1:]
        for part in (name, *parts):
            self.reflect(part)
        self.out += ["(Attribute" + word(part) for part in reversed(parts)]
        self.out.append("N" + word(name))

    def reflect(self, name: str) -> None:
        """Note code that reads more of other code than its normal form tells."""
        self.reflections += REFLECTION.get(name, 0)
