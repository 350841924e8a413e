"""Which names are local where: Python's scoping rules, applied to what the walk of a file binds.

A name is used before all of its bindings are known (a function may read what the module binds
below it), so the walk only notes uses, each with its scope, and asks `meaning` at the end.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Literal

    Kind = Literal["module", "function", "class", "comprehension", "type"]


GLOBAL: Final = "global"
LOCAL: Final = "local"


class Scope:
    """One block of names.

    Attributes:
        kind: "type" is the block of a definition's type parameters (PEP 695).
        parent: the block around it, None for the module.
        number: position among the file's scopes, in the order in which they open.
        bound: name -> the imports that bind it (see `facts.ImportSpec`), empty for other bindings.
        globals: names declared `global` here.
        nonlocals: names declared `nonlocal` here.
        bindings: name -> how often it is bound here.
        class_name: the class whose private names (`__x`) are mangled here, "" outside of one.
    """

    __slots__ = (
        "_meanings", "bindings", "bound", "class_name", "globals", "kind",
        "nonlocals", "number", "parent",
    )  # fmt: skip

    def __init__(self, kind: Kind, parent: Scope | None, number: int, class_name: str) -> None:
        self.kind: Kind = kind
        self.parent = parent
        self.number = number
        self.bound: dict[str, list[str]] = {}
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.bindings: dict[str, int] = {}
        self.class_name = class_name
        self._meanings: dict[str, tuple[str, Scope | None]] = {}

    def mangled(self, name: str) -> str:
        """`name` as the compiler spells it: `__x` inside `class A` is `_A__x`."""
        if self.class_name and name.startswith("__") and not name.endswith("__"):
            stripped = self.class_name.lstrip("_")
            if stripped:
                return f"_{stripped}{name}"
        return name

    def meaning(self, name: str) -> tuple[str, Scope | None]:
        """GLOBAL or LOCAL, and the scope that binds a local name. Valid once the walk is over."""
        known = self._meanings.get(name)
        if known is None:
            known = self._meanings[name] = self._look_up(name)
        return known

    def _look_up(self, name: str) -> tuple[str, Scope | None]:
        scope: Scope | None = self
        while scope is not None and scope.kind != "module":
            # A class's names are seen by its own statements, and by the type parameters and bounds
            # written directly in it, but not by its functions.
            visible = scope.kind != "class" or scope is self or self._sees_class(scope)
            if visible:
                if name in scope.globals:
                    return GLOBAL, None
                if name in scope.bound and name not in scope.nonlocals:
                    return LOCAL, scope
            scope = scope.parent
        return GLOBAL, None

    def _sees_class(self, scope: Scope) -> bool:
        return self.kind == "type" and self.parent is scope
