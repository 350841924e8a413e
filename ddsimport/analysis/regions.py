"""The regions of a file that count as one: definitions, steps, top-level statements, and bindings.

A `Region` is the digest of a normal form and the stretch of the list of uses that it covers. Names
are resolved once the whole file has been walked.
"""

from __future__ import annotations

from ddsimport.analysis.expressions import Expressions
from ddsimport.analysis.normal import digest_of, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ddsimport.analysis.names import Use
    from ddsimport.analysis.positions import Positions

IMPORT, DEFINITION, ASSIGNMENT, OTHER = range(4)
"""How a module-level name is bound; `OTHER` is what only running the module can tell."""


class Region:
    """A stretch of the text: its digest and what it covers in the lists of the walk.

    Attributes:
        start, end: of the uses; note_start, note_end: of the uses in annotations.
        scopes: the number of the first scope that opens inside.
        digest: of the normal form; extras: of its docstrings and annotations, "" if it has none.
        reflects: of the names in it, what `REFLECTION` says, added up.
    """

    __slots__ = ("digest", "end", "extras", "note_end", "note_start", "reflects", "scopes", "start")

    def __init__(self, start: int, note_start: int, scopes: int, reflects: int) -> None:
        self.start = self.end = start
        self.note_start = self.note_end = note_start
        self.scopes = scopes
        self.reflects = reflects
        self.digest = ""
        self.extras = ""


Opened = tuple[Region, list[str], int]


class Definition:
    """A def, class or lambda as the walk meets it.

    Attributes:
        outline: of a def or class, the digest of what can be seen of it while nothing of it runs:
            its normal form without the bodies of functions.
        elided: (position in a class's normal form, what stands there in its outline).
        body: where the uses in the body of a def begin, in the list of the walk.
        bases: of a class, those that are dotted names.
    """

    __slots__ = (
        "bases", "body", "decorators", "elided", "first_line", "kind", "last_line", "opened",
        "outline", "parent", "qualname", "region",
    )  # fmt: skip

    def __init__(
        self, qualname: str, kind: str, lines: tuple[int, int], parent: int, opened: Opened
    ) -> None:
        self.qualname = qualname
        self.kind = kind
        self.first_line, self.last_line = lines
        self.parent = parent
        self.opened = opened
        self.region = opened[0]
        self.decorators: list[Use | None] = []
        self.outline = ""
        self.elided: list[tuple[int, str]] = []
        self.body = self.region.end
        self.bases: list[Use] = []


class Regions(Expressions):
    """Keeps what the walk finds; `statements.Statements` builds on it.

    Attributes:
        definitions: in the order of the text, outer before inner.
        names: module-level name -> its bindings, each [kind, what it is bound to, statement].
        stores: names with an attribute or item that is stored or deleted, anywhere in the file.
        acts: names that the current top-level statement may change.
        current: the index of the current top-level statement, -1 in definitions and imports.
        parent, prefix: the definition around, and what its name adds to qualified names.
        ignoring: inside a statement marked `# dds: ignore`.
    """

    def __init__(self, positions: Positions) -> None:
        super().__init__(positions.lambdas)
        self.definitions: list[Definition] = []
        self.names: dict[str, list[list[Any]]] = {}
        self.stores: list[Use] = []
        self.notes: list[str] = []
        self.note_uses: list[Use] = []
        self.acts: list[Use] = []
        self.current = -1
        self.parent = -1
        self.prefix = ""
        self.ignoring = False
        self._noting = False

    # --- regions ----------------------------------------------------------------------------------

    def open(self) -> Opened:
        region = Region(len(self.uses), len(self.note_uses), self.scopes, self.reflections)
        opened = (region, self.out, len(self.notes))
        self.out = []
        return opened

    def close(self, opened: Opened) -> Region:
        region, outer, notes = opened
        region.end = len(self.uses)
        region.note_end = len(self.note_uses)
        region.reflects = self.reflections - region.reflects
        region.digest = digest_of(self.out)
        if len(self.notes) > notes:
            region.extras = digest_of(self.notes[notes:])
        self.out = outer
        self.out.append("D" + region.digest)
        return region

    def forget(self, region: Region, stand_in: str, since: int) -> None:
        """`# dds: ignore`: nothing of a closed region counts but that it is there."""
        del self.uses[region.start :]
        del self.note_uses[region.note_start :]
        self.out[-1] = "D" + digest_of([stand_in])
        for inner in (region, *(definition.region for definition in self.definitions[since:])):
            inner.start = inner.end = region.start
            inner.note_start = inner.note_end = region.note_start
            inner.extras, inner.reflects = "", 0
            inner.digest = digest_of([stand_in])
        for definition in self.definitions[since:]:
            definition.outline = digest_of([stand_in])
            if self.parent >= 0 and definition.parent == self.parent:
                self.definitions[self.parent].elided.pop()

    # --- bindings ---------------------------------------------------------------------------------

    def bind(self, name: str, spec: str = "", kind: int = OTHER, about: Any = "") -> None:
        """Note that the current scope binds `name`: to an import if `spec`, else to `about`."""
        scope = self.scope
        name = scope.mangled(name)
        if self.ignoring:  # `# dds: ignore`: bound to an import of nothing
            kind, spec, about = IMPORT, "", ""
        if scope.kind == "module":
            self.names.setdefault(name, []).append([kind, spec or about, self.current])
        elif name in scope.globals:
            self.names.setdefault(name, []).append([OTHER, "", -1])
        elif name not in scope.nonlocals:
            specs = scope.bound.setdefault(name, [])
            scope.bindings[name] = scope.bindings.get(name, 0) + 1
            if spec and spec not in specs:
                specs.append(spec)

    def stored(self, name: str, rest: str) -> None:
        """Note a store to `name.rest`; a `rest` that ends in "[]" is a store to an item."""
        use = (self.scope, self.scope.mangled(name), rest, "")
        self.stores.append(use)
        if self.scope.kind == "module":
            self.acts.append(use)

    # --- definitions ------------------------------------------------------------------------------

    def define(self, kind: str, name: str, lines: tuple[int, int]) -> int:
        """Open a definition, and tell its index; its decorators and defaults are still outside."""
        definition = Definition(self.prefix + name, kind, lines, self.parent, self.open())
        if name in self.scope.globals:
            definition.qualname = name
        self.definitions.append(definition)
        return len(self.definitions) - 1

    def enter(self, index: int) -> tuple[int, str]:
        """Go into the body of a definition; gives what `leave` needs."""
        outside = self.parent, self.prefix
        definition = self.definitions[index]
        self.parent = index
        self.prefix = definition.qualname + ("." if definition.kind == "class" else ".<locals>.")
        return outside

    def leave(self, index: int, outside: tuple[int, str]) -> None:
        """Go out of the body of a definition and close it."""
        self.parent, self.prefix = outside
        definition = self.definitions[index]
        if definition.kind == "class":
            tokens = list(self.out)
            for position, outline in definition.elided:
                tokens[position] = outline
            definition.outline = digest_of(["outline", *tokens])
        self.close(definition.opened)
        if definition.outline and self.parent >= 0:
            self.definitions[self.parent].elided.append(
                (len(self.out) - 1, "O" + definition.outline)
            )

    def open_lambda(self, line: int) -> Callable[[], None]:
        if not line or self._noting:
            return lambda: None
        index = self.define("lambda", "<lambda>", (line, line))
        outside = self.enter(index)
        return lambda: self.leave(index, outside)

    def annotation(self, node: Any, name: str) -> None:
        """Annotations are kept apart: they count only where something reads them at run time."""
        if node is None:
            return
        outer, uses, noting = self.out, self.uses, self._noting
        self.notes.append(word(name))
        self.out, self.uses, self._noting = self.notes, self.note_uses, True
        self.expression(node.annotation)
        self.out, self.uses, self._noting = outer, uses, noting
