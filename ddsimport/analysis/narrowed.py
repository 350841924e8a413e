"""The graph of code of which a part did not run: functions as they are seen from outside."""

from __future__ import annotations

from ddsimport.analysis.facts import (
    DEF_KIND,
    DEF_OUTER,
    DEF_OUTLINE,
    DEF_QUALNAME,
)
from ddsimport.analysis.nodes import home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from ddsimport.analysis.facts import Facts
    from ddsimport.analysis.graph import Key, Node
    from ddsimport.analysis.nodes import Nodes


class Narrowed:
    """Nodes of which the functions are only what can be seen while they do not run.

    Args:
        nodes: the whole ones.
        facts: file -> its facts.
        whole: the functions that count as ever: a file, and an index in its facts.
    """

    def __init__(
        self,
        nodes: Nodes,
        facts: Callable[[str], Facts],
        whole: frozenset[tuple[str, int]],
    ) -> None:
        self._nodes = nodes
        self._facts = facts
        self._whole = whole
        self._outlines: dict[Key, Node] = {}
        self.located = nodes.located

    def __getitem__(self, key: Key) -> Node:
        node = self._nodes[key]
        if key[0] != "d":
            return node
        outline = self._outlines.get(key)
        if outline is None:
            outline = self._outlines[key] = self._outline(key, node)
        return outline

    def forget_one(self, key: Key) -> None:
        """As `Nodes.forget_one`."""
        self._outlines.pop(key, None)
        self._nodes.forget_one(key)

    def forget(self, files: Container[str]) -> None:
        """As `Nodes.forget`."""
        self._outlines.clear()
        self._nodes.forget(files)

    def _outline(self, key: Key, node: Node) -> Node:
        _, module, file, what = key
        index = int(what)
        facts = self._facts(file)
        record = facts.definitions[index] if not facts.whole else None
        if record is None or record[DEF_KIND] == "lambda":
            return node
        if record[DEF_KIND] == "def" and (file, index) in self._whole:
            return node
        own = b"outline" + bytes.fromhex(record[DEF_OUTLINE]) + record[DEF_QUALNAME].encode()
        if facts.holds_class(index):
            own += home(module)
        edges = tuple(
            self._nodes.edge(module, file, written, 0, []) for written in record[DEF_OUTER]
        )
        reflects = 0
        if record[DEF_KIND] == "class":
            reflects = node.reflects
            for method in facts.methods_of(index):
                if (file, method) in self._whole:
                    ran = self._nodes["d", module, file, method]
                    own += ran.own
                    edges += ran.edges
        return node.replace(own=own, edges=edges, reflects=reflects, notes=())
