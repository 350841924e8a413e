"""The walk over statements that hold others: branches, loops, `with`, `try` and `match`."""

from __future__ import annotations

from ddsimport.analysis.normal import word
from ddsimport.analysis.statements import Statements

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Blocks(Statements):
    """The whole walk: `Blocks(positions, ignored, with_steps).module(tree)`."""

    def visit_if(self, node: Any) -> None:
        branches = 0
        while True:  # `elif` by `elif`, without recursion
            self.expression(node.test)
            self.block(node.body)
            orelse = node.orelse
            if type(orelse).__name__ != "If":
                break
            # The same form as `else:` with an `if` inside.
            self.out += ["{", "(If"]
            self._at += 1
            branches += 1
            node = orelse
        self.optional_block(orelse)
        self.out += ["}"] * branches

    def visit_while(self, node: Any) -> None:
        self.expression(node.test)
        self.block(node.body)
        self.optional_block(node.orelse)

    def visit_for(self, node: Any) -> None:
        self.out.append("async" if node.asynchronous else "-")
        self.target(node.target)
        self.expression(node.iter)
        self.block(node.body)
        self.optional_block(node.orelse)

    def visit_with(self, node: Any) -> None:
        self.out.append(("async" if node.asynchronous else "-") + str(len(node.items)))
        for item in node.items:
            self.expression(item.item)
            if item.asname is None:
                self.out.append("-")
            else:
                self.target(item.asname.name)
        self.block(node.body)

    def visit_try(self, node: Any) -> None:
        self.block(node.body)
        self.out.append(f"[{len(node.handlers)}")
        for handler in node.handlers:
            self.optional(handler.type)
            if handler.name is None:
                self.out.append("-")
            else:
                self.target(handler.name.name)
            self.block(handler.body)
        self.optional_block(node.orelse)
        self.optional_block(node.finalbody)

    visit_try_star = visit_try

    # --- match ------------------------------------------------------------------------------------

    def visit_match(self, node: Any) -> None:
        self.expression(node.subject)
        self.out.append(f"[{len(node.cases)}")
        for case in node.cases:
            self.expression(case.pattern)
            self.optional(case.guard)
            self.block(case.body)

    def visit_match_singleton(self, node: Any) -> None:
        self.out.append("(Singleton" + word(node.value.value))

    def visit_match_list(self, node: Any) -> None:
        self.out.append("(MatchSequence")
        self.sequence(node.patterns)

    visit_match_tuple = visit_match_list

    def visit_match_star(self, node: Any) -> None:
        self.out.append("(MatchStar")
        self.captured(node.name)

    def visit_match_mapping(self, node: Any) -> None:
        self.out.append("(MatchMapping")
        self.sequence(node.elements)
        self.captured(node.rest)

    def visit_match_class(self, node: Any) -> None:
        self.out.append("(MatchClass")
        self.expression(node.cls)
        self.sequence(node.patterns)
        self.out.append(f"[{len(node.kwds)}")
        for keyword in node.kwds:
            self.out.append(word(keyword.key.value))
            self.expression(keyword.pattern)

    def visit_match_as(self, node: Any) -> None:
        self.out.append("(MatchAs")
        self.optional(node.pattern)
        self.captured(node.name)

    def captured(self, name: Any) -> None:
        if name is None:
            self.out.append("-")
        else:
            self.target(name)
