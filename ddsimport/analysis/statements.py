"""The walk over statements: their normal form, in which what does nothing does not appear."""

from __future__ import annotations

from ddsimport.analysis.normal import digest_of, word
from ddsimport.analysis.regions import ASSIGNMENT, DEFINITION, IMPORT, Region, Regions
from ddsimport.analysis.shapes import (
    closed_literal,
    dotted,
    flat,
    guard,
    is_idle,
    names_in,
    string,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.analysis.names import Use
    from ddsimport.analysis.positions import Positions, Statement


class Statements(Regions):
    """Walks a module.

    Attributes:
        top: each top-level statement but definitions and imports: its region, line, guard, acts.
        steps: "line:column" -> the region of a right-hand side, or the index of a def.
        stars: the modules of `from m import *`, as import specs.
        exports: the names of a literal `__all__`, None without one, "?" if it is computed.
    """

    def __init__(self, positions: Positions, ignored: frozenset[int], with_steps: bool) -> None:
        super().__init__(positions)
        self.top: list[tuple[Region, int, int, list[Use]]] = []
        self.steps: dict[str, Region | int] = {}
        self.stars: list[str] = []
        self.exports: list[str] | str | None = None
        self._statements = positions.statements
        self._at = 0
        self._ignored = ignored
        self._with_steps = with_steps
        self._depth = 0

    def complete(self) -> bool:
        """True if every statement and lambda that `ast` counts was met."""
        return self._at == len(self._statements) and self._lambda == len(self._lambdas)

    # --- blocks -----------------------------------------------------------------------------------

    def module(self, tree: Any) -> None:
        """Walk a `libcst.Module`."""
        nodes = flat(tree.body)
        documentation = string(nodes[0]) if nodes else None
        if documentation is not None:
            self.notes.append("doc" + word(documentation))
        for node in nodes:
            self.out, self.acts = [], []
            if type(node).__name__ in ("FunctionDef", "ClassDef", "Import", "ImportFrom"):
                self.current = -1
                self.statement(node)
                continue
            self.current = len(self.top)
            line = self._statements[self._at].line
            opened = self.open()
            self.top.append((opened[0], line, guard(node), self.acts))
            self.statement(node)
            self.close(opened)
            if node is nodes[0] and documentation is not None:
                self.top.pop()

    def block(self, suite: Any, documented: bool = False) -> None:
        nodes = flat(suite.body)
        if documented and nodes and (documentation := string(nodes[0])) is not None:
            self.notes.append("doc" + word(documentation))
        self.out.append("{")
        self._depth += 1
        for node in nodes:
            self.statement(node)
        self._depth -= 1
        self.out.append("}")

    def optional_block(self, part: Any) -> None:
        """The block of an `else:`; one that does nothing is the same as none."""
        nodes = [] if part is None else flat(part.body.body)
        if all(is_idle(node) for node in nodes):
            self._at += len(nodes)
            self.out.append("-")
        else:
            self.block(part.body)

    def statement(self, node: Any) -> None:
        place = self._statements[self._at]
        ignored = self._at in self._ignored
        self._at += 1
        kind = type(node).__name__
        if kind in ("FunctionDef", "ClassDef"):
            self.definition(node, place, ignored)
        elif ignored:
            opened, since = self.open(), len(self.definitions)
            self.ignoring = True
            if not is_idle(node):
                self.plain(node, place)
            self.ignoring = False
            self.forget(self.close(opened), "ignored", since)
        elif not is_idle(node):
            self.plain(node, place)

    def plain(self, node: Any, place: Statement) -> None:
        kind = type(node).__name__
        if kind in ("Assign", "AnnAssign"):
            region = self.assignment(node) if kind == "Assign" else self.annotated(node)
            if region is not None and self._with_steps:
                self.steps[f"{place.line}:{place.column}"] = region
        else:
            self.out.append("(" + kind)
            self._methods[kind](node)

    # --- definitions ------------------------------------------------------------------------------

    def definition(self, node: Any, place: Statement, ignored: bool) -> None:
        """A def or class: its decorators, defaults and bases belong to the scope around it."""
        name, is_class = node.name.value, type(node).__name__ == "ClassDef"
        before = self.scope
        index = self.define(
            "class" if is_class else "def", name, (place.first_line, place.last_line)
        )
        self.bind(name, kind=DEFINITION, about=index)
        definition = self.definitions[index]
        self.decorators(node.decorators, definition.decorators)
        self.type_parameters(node.type_parameters)
        if is_class:
            # A class counts with its qualified name: pickles, reprs and registries show it.
            self.out.append("(Class" + word(definition.qualname))
            for base in node.bases:
                chain = self.chain(base.value)
                if chain is not None:
                    scope = self.scope
                    definition.bases.append((scope, scope.mangled(chain[0]), chain[1], ""))
            self.sequence([*node.bases, *node.keywords])
            parameters = []
        else:
            self.out.append(("(Async" if node.asynchronous else "(Def") + word(name))
            parameters = self.parameters(node.params)
            self.annotation(node.returns, "return")
        outside = self.enter(index)
        head = list(self.out)
        definition.body = len(self.uses)
        self.push("class", name) if is_class else self.push("function")
        scope = self.scope
        for parameter in parameters:
            self.bind(parameter)
        self.block(node.body, documented=True)
        self.scope = before
        if not is_class:
            # A call that nobody iterates over or awaits runs nothing, and so does one that fails.
            yields = "yields" if scope.number in self.yielding else "-"
            definition.outline = digest_of(["outline", yields, *head])
        self.leave(index, outside)
        if ignored:
            self.forget(definition.region, "ignored" + word(name), index)
        elif self._with_steps and not is_class:
            for line in (place.line, place.first_line):
                self.steps[f"{line}:{place.column}"] = index

    def decorators(self, nodes: Any, decorators: list[Use | None]) -> None:
        self.out.append(f"@{len(nodes)}")
        for node in nodes:
            expression = node.decorator
            called = type(expression).__name__ == "Call"
            chain = self.chain(expression.func if called else expression)
            use = (self.scope, self.scope.mangled(chain[0]), chain[1], "") if chain else None
            decorators.append(use)
            self.expression(expression)

    def type_parameters(self, node: Any) -> None:
        """PEP 695: opens a block of names around the definition's own; the caller leaves it."""
        if node is None:
            self.out.append("-")
            return
        self.push("type")
        self.out.append(f"[{len(node.params)}")
        for parameter in node.params:
            self.out.append(type(parameter.param).__name__ + word(parameter.param.name.value))
            self.bind(parameter.param.name.value)
            self.optional(getattr(parameter.param, "bound", None))
            self.out.append(parameter.star or "-")
            self.optional(parameter.default)

    # --- simple statements ------------------------------------------------------------------------

    def right_hand_side(self, node: Any) -> Region:
        opened = self.open()
        self.expression(node)
        return self.close(opened)

    def assignment(self, node: Any) -> Region:
        self.out.append("(Assign")
        region = self.right_hand_side(node.value)
        if len(node.targets) == 1 and region.end - region.start == 1:
            self.alias(node.targets[0].target, node.value)
        self.out.append(f"[{len(node.targets)}")
        for target in node.targets:
            self.assigned(target.target, node.value)
        return region

    def alias(self, target: Any, value: Any) -> None:
        """Note `m = package.module` in a function: the use that was just met is what `m` is for."""
        if type(target).__name__ == "Name" and self.chain(value) is not None:
            scope, name, rest, _ = self.uses[-1]
            if scope.kind == "function":
                self.uses[-1] = scope, name, rest, "@" + scope.mangled(target.value)

    def annotated(self, node: Any) -> Region | None:
        """An annotation counts in a class, where dataclasses and pydantic read it as a field."""
        if self.scope.kind == "class":
            self.out.append("(Annotated")
            self.expression(node.annotation.annotation)
        else:
            self.annotation(node.annotation, "=")
        if node.value is None:
            self.out.append("(Declared")
            if self.scope.kind != "module":  # in a function, `x: int` makes `x` local
                self.assigned(node.target, None)
            return None
        self.out.append("(Assign")
        region = self.right_hand_side(node.value)
        self.out.append("[1")
        self.assigned(node.target, node.value)
        return region

    def assigned(self, target: Any, value: Any) -> None:
        """One target; at top level, a name also notes what simple thing it is bound to."""
        if type(target).__name__ == "Name" and target.value == "__all__" and self._depth:
            self.exports = "?"
        if type(target).__name__ != "Name" or self._depth:
            self.target(target)
            return
        self.out.append("N" + word(target.value))
        alias = self.chain(value) if value is not None else None
        about = "=" + alias[0] + alias[1] if alias else closed_literal(value)
        self.bind(target.value, kind=ASSIGNMENT, about=about)
        if target.value == "__all__":
            names = names_in(value)
            self.exports = "?" if names is None or self.exports is not None else names

    def visit_aug_assign(self, node: Any) -> None:
        self.out.append(type(node.operator).__name__)
        if type(node.target).__name__ == "Name":
            self.use(node.target.value)
            if node.target.value == "__all__":
                self.export(names_in(node.value) if self._depth == 0 else None)
        self.target(node.target)
        self.expression(node.value)

    def export(self, more: list[str] | None) -> None:
        """`__all__` is made longer, by names that the text tells or not."""
        known = isinstance(self.exports, list) and more is not None
        self.exports = [*self.exports, *more] if known else "?"  # type: ignore[misc]

    def visit_expr(self, node: Any) -> None:
        value = node.value
        if self.scope.kind == "module" and type(value).__name__ == "Call":
            # `TABLE.append(x)`, `register(TABLE)`, `np.random.seed(0)`
            parts = [(value.func, ""), *((argument.value, "&") for argument in value.args)]
            for part, passed in parts:
                chain = self.chain(part)
                if chain is not None:
                    self.acts.append((self.scope, chain[0], chain[1], passed))
            if (chain := self.chain(value.func)) and chain[0] == "__all__":
                more = None
                if chain[1] == ".extend" and len(value.args) == 1 and self._depth == 0:
                    more = names_in(value.args[0].value)
                self.export(more)
        self.expression(value)

    def visit_import(self, node: Any) -> None:
        self.out.append(f"[{len(node.names)}")
        for alias in node.names:
            module = dotted(alias.name)
            asname = alias.asname.name.value if alias.asname else ""
            self.out.append(word(module) + word(asname))
            if asname:
                self.bind(asname, f"0|{module}|", IMPORT)
            else:
                top = module.partition(".")[0]
                self.bind(top, f"0|{top}|", IMPORT)

    def visit_import_from(self, node: Any) -> None:
        base = f"{len(node.relative)}|{dotted(node.module) if node.module else ''}|"
        self.out.append(word(base))
        if type(node.names).__name__ == "ImportStar":
            self.stars.append(base)
            self.out.append("*")
            return
        self.out.append(f"[{len(node.names)}")
        for alias in node.names:
            name = alias.name.value
            asname = alias.asname.name.value if alias.asname else ""
            self.out.append(word(name) + word(asname))
            self.bind(asname or name, base + name, IMPORT)

    def visit_global(self, node: Any) -> None:
        names = [item.name.value for item in node.names]
        self.out += [str(len(names)), *map(word, names)]
        self.scope.globals.update(map(self.scope.mangled, names))

    def visit_nonlocal(self, node: Any) -> None:
        names = [item.name.value for item in node.names]
        self.out += [str(len(names)), *map(word, names)]
        self.scope.nonlocals.update(map(self.scope.mangled, names))
        self.rebound_outside.update(names)

    def visit_return(self, node: Any) -> None:
        self.optional(node.value)

    def visit_raise(self, node: Any) -> None:
        self.optional(node.exc)
        self.optional(node.cause.item if node.cause else None)

    def visit_assert(self, node: Any) -> None:
        self.expression(node.test)
        self.optional(node.msg)

    def visit_del(self, node: Any) -> None:
        self.target(node.target)

    def visit_break(self, node: Any) -> None:
        pass

    visit_continue = visit_break

    def visit_type_alias(self, node: Any) -> None:
        self.out.append(word(node.name.value))
        self.bind(node.name.value)
        before = self.scope
        self.type_parameters(node.type_parameters)
        self.expression(node.value)
        self.scope = before
