"""One file's text -> its facts: parse, walk, resolve each use to what it names in this file.

Only files whose facts are not in the cache come here, so libcst is imported here and nowhere else.
"""

from __future__ import annotations

from ddsimport.analysis.aliases import aliases_of
from ddsimport.analysis.blocks import Blocks
from ddsimport.analysis.normal import digest_of, reflects, word
from ddsimport.analysis.positions import Positions, UnanalysableError, parsed, positions_of
from ddsimport.analysis.regions import OTHER
from ddsimport.analysis.scopes import GLOBAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.analysis.names import Use
    from ddsimport.analysis.regions import Definition, Region


def survey(text: str) -> dict[str, Any]:
    """The JSON-able record of the facts of `text` (see `facts.Facts`).

    Raises:
        UnanalysableError: the text cannot be parsed, or is nested too deeply.
    """
    import libcst

    positions = positions_of(text)
    try:
        tree = libcst.parse_module(text)
    except (libcst.ParserSyntaxError, ValueError, RecursionError) as error:
        raise UnanalysableError(f"libcst: {str(error).splitlines()[0]}") from None
    walk = Blocks(positions, _ignored(text, positions), with_steps="dds:" in text)
    try:
        walk.module(tree)
    except RecursionError:
        raise UnanalysableError("nested too deeply") from None
    except (IndexError, KeyError, AttributeError) as error:
        # Syntax that is newer than this walk, which knows no node of that kind.
        raise UnanalysableError(f"unknown syntax ({error})") from None
    if not walk.complete():
        raise UnanalysableError("its statements could not be matched with their positions")
    return _Record(walk).record()


def _ignored(text: str, positions: Positions) -> frozenset[int]:
    """The indices of the statements that a `# dds: ignore` stands on, or right above."""
    if "dds:" not in text or "ignore" not in text:
        return frozenset()
    from ddsimport.errors import PragmaError
    from ddsimport.source.pragma import pragmas_of

    try:
        pragmas = [pragma for pragma in pragmas_of(text, "<facts>") if pragma.ignore]
    except PragmaError:
        return frozenset()  # this file cannot be imported
    found = set()
    for pragma in pragmas:
        line = pragma.line + 1 if pragma.alone else pragma.line
        for index, statement in enumerate(positions.statements):
            edges = {statement.first_line, statement.line}
            if not pragma.alone:
                edges.add(statement.header_line)
            if line in edges:
                found.add(index)
                if not pragma.alone:
                    continue
                break
    return frozenset(found)


class _Record:
    """Turns what a walk has found into the record that is kept."""

    def __init__(self, walk: Blocks) -> None:
        self._walk = walk
        self._aliases = aliases_of(walk)
        self._of_classes: dict[str, None] = {}

    def record(self) -> dict[str, Any]:
        walk = self._walk
        return {
            "defs": [
                [
                    definition.qualname,
                    definition.kind,
                    definition.first_line,
                    definition.last_line,
                    definition.parent,
                    definition.region.digest,
                    self._references(definition.region),
                    [self._decorator(use) for use in definition.decorators],
                    definition.region.extras,
                    self._noted(definition.region),
                    reflects(definition.region.reflects),
                    definition.outline,
                    self._outer(index, definition),
                    self._unique(definition.bases),
                ]
                for index, definition in enumerate(walk.definitions)
            ],
            "names": walk.names,
            "stars": walk.stars,
            "all": walk.exports,
            "top": [
                [
                    region.digest,
                    self._references(region),
                    line,
                    guard,
                    self._unique(acts),
                    reflects(region.reflects),
                ]
                for region, line, guard, acts in walk.top
            ],
            "steps": {
                key: step
                if isinstance(step, int)
                else [step.digest, self._references(step), reflects(step.reflects)]
                for key, step in walk.steps.items()
            },
            "stores": self._unique(walk.stores),
            "whole": "",
            "note": "",
            "alone": self._alone(),
        }

    def _alone(self) -> list[str] | None:
        """See `Facts.alone`: to be asked last."""
        walk = self._walk
        if walk.stars or walk.exports is not None or walk.rebound_outside:
            return None
        return None if "getattr" in walk.names else list(self._of_classes)

    # --- uses -> references -----------------------------------------------------------------------

    def _references(self, region: Region) -> list[str]:
        return self._references_in(region, region.start, region.end)

    def _references_in(self, region: Region, start: int, end: int) -> list[str]:
        found: dict[str, None] = {}
        for use in self._walk.uses[start:end]:
            for reference in self._named(use, region.scopes):
                found[reference] = None
        return list(found)

    def _outer(self, index: int, definition: Definition) -> list[str]:
        """The references outside of the bodies of functions."""
        region = definition.region
        if definition.kind != "class":
            return self._references_in(region, region.start, min(definition.body, region.end))
        found: dict[str, None] = {}
        start = region.start
        classes = {index}
        for number in range(index + 1, len(self._walk.definitions)):
            inner = self._walk.definitions[number]
            if inner.region.start >= region.end:
                break
            if inner.parent in classes and inner.kind == "class":
                classes.add(number)
            elif inner.parent in classes and inner.kind == "def" and inner.body < inner.region.end:
                found.update(dict.fromkeys(self._references_in(region, start, inner.body)))
                start = inner.region.end
        found.update(dict.fromkeys(self._references_in(region, start, region.end)))
        return list(found)

    def _noted(self, region: Region) -> list[str]:
        found: dict[str, None] = {}
        for use in self._walk.note_uses[region.note_start : region.note_end]:
            for reference in self._named(use, region.scopes):
                found[reference] = None
        return list(found)

    def _unique(self, uses: list[Use]) -> list[str]:
        found: dict[str, None] = {}
        for use in uses:
            for reference in self._named(use, 0):
                found[reference] = None
        return list(found)

    def _decorator(self, use: Use | None) -> str:
        """The reference of a decorator, "" if it is not a dotted name or not a global one."""
        if use is None:
            return ""
        named = self._named(use, 0)
        if not named and use[2] in (".setter", ".getter", ".deleter"):
            return "property"
        return named[0] if len(named) == 1 else ""

    def _named(self, use: Use, scopes: int) -> list[str]:
        """What a use names outside of its functions: [] if it is local to one.

        Args:
            scopes: number of the first scope of the region that asks. An import in a function of
                that region runs when the function does ("~"); one around the region has run ("^").
        """
        scope, name, rest, more = use
        if "|" in name:
            return [f"~{name}|{rest[1:]}"]
        if more:
            return self._named_specially(use, scopes)
        meaning, binder = scope.meaning(name)
        if meaning == GLOBAL or binder is None:
            return [] if name == "__class__" else [name + rest]
        if self._aliases and (alias := self._aliases.get((binder, name))) is not None:
            around, base, chain = alias
            return self._named((around, base, chain + rest, ""), scopes)
        mark = "~" if binder.number >= scopes else "^"
        found = [f"{mark}{spec}|{rest[1:]}" for spec in binder.bound[name]]
        if binder is scope and scope.kind == "class":
            self._of_classes[name] = None
            if name in self._walk.names:
                found.append(name + rest)  # read before the class binds it: `f = f`
        return found

    def _named_specially(self, use: Use, scopes: int) -> list[str]:
        """The same for a use with something more to it."""
        scope, name, rest, more = use
        plain = (scope, name, rest, "")
        if more == "&":
            return ["&" + named for named in self._named(plain, scopes)]
        if more == "=":
            return ["=" + named for named in self._named(plain, scopes)]
        if more[0] == "@":  # of an alias, what is read of the variable is what is used
            return [] if (scope, more[1:]) in self._aliases else self._named(plain, scopes)
        if "getattr" in self._walk.names:
            return self._named(plain, scopes)
        certain = self._named((scope, name, rest + more, ""), scopes)
        if not self._walk.stars:
            return certain
        # Should a star import bind `getattr`, all of the object is passed to it.
        return certain + ["?" + named for named in self._named(plain, scopes)]


def whole(text: str, why: str) -> dict[str, Any]:
    """The record of a file that cannot be analysed: its whole text, and all that it imports."""
    imports, names = _outline(text)
    return {
        "defs": [],
        "names": {name: [[OTHER, "", -1]] for name in names},
        "stars": [],
        "all": None,
        "top": [],
        "steps": {},
        "stores": [],
        "whole": digest_of(["whole", word(text)]),
        "imports": imports,
        "note": why,
    }


def _outline(text: str) -> tuple[list[str], list[str]]:
    """The imports, as references, and the module-level names of a text that `ast` can parse."""
    import ast

    try:
        tree = parsed(text)
    except UnanalysableError:
        return [], []
    imports: dict[str, None] = {}
    names: dict[str, None] = {}
    stack: list[tuple[ast.AST, bool]] = [(tree, True)]
    while stack:
        node, outermost = stack.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                imports[f"^0|{alias.name}||"] = None
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = "" if alias.name == "*" else alias.name
                imports[f"^{node.level}|{node.module or ''}|{name}|"] = None
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and outermost:
            names[node.id] = None
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            outermost = False
        stack += [(child, outermost) for child in ast.iter_child_nodes(node)]
    return sorted(imports), sorted(names)
