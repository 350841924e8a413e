"""What a step's code reaches, as one hash and a list of names whose live value counts.

From a root (a step's right-hand side, a function, a class) the graph of references is walked
breadth first, each node's references in the order of its text. That order numbers the nodes, and
the hash is over the sequence: each node's normal form, then for each of its references the label as
written and the number of the node it leads to. Two roots have one hash exactly if their graphs are
the same, node by node and edge by edge: cycles need no special care, no order of discovery and no
place on disk enters, and helpers that swap names or bodies are told apart by label and number.
(A Merkle hash over strongly connected components with colour refinement, as in Unison, tells the
same; but the list of references has to be gathered from each root anyway, and this needs no more.)
"""

from __future__ import annotations

import sys

from blake3 import blake3

from ddsimport.analysis.facts import TOP_ACTS, TOP_GUARD, TOP_LINE, Facts
from ddsimport.analysis.graph import (
    READS_EXTRAS,
    READS_LINES,
    READS_MODULES,
    Edge,
    Key,
    Node,
    Reference,
)
from ddsimport.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ddsimport.analysis.narrowed import Narrowed
    from ddsimport.analysis.nodes import Nodes

    Dotted = tuple[str, tuple[str, ...], tuple[str, ...]]
    """A full dotted name, with the files and modules that were looked at to find it."""

_STATEFUL = ("random.", "os.environ", "os.putenv", "locale.", "decimal.", "sys.set")
"""Of the standard library, what may set something for code elsewhere; of other code, all may."""


class Reach(Record):
    """What a piece of code reaches, by its text.

    Attributes:
        hash: 32 bytes that stand for the text of all of it.
        references: the names it refers to, in the order of the walk: that order depends on what is
            hashed only, so digests of their values can be combined by position.
        distributions: top-level import names of third-party code it uses, sorted.
        files: every source file that was looked at, sorted.
        notes: sentences on what could not be seen, each once.
        direct: how many of the first references are those of the root's own text.
        reflects: what it reads of other code besides its normal form (`graph.READS_…`).
        rebound: (module, name) of the globals that functions of the reached modules may bind.
        nodes: keys of all that is reached (see `graph`).
        untracked: top-level import names of all untracked code used, standard library included.
        ambiguous: several definitions share the place that was asked for (lambdas on one line): the
            caller must add what tells them apart, such as the bytecode.
    """

    hash: bytes
    references: tuple[Reference, ...]
    distributions: tuple[str, ...]
    files: tuple[str, ...]
    notes: tuple[str, ...]
    ambiguous: bool = False
    direct: int = 0
    reflects: int = 0
    rebound: tuple[tuple[str, str], ...] = ()
    nodes: Iterable[Key] = ()
    untracked: tuple[str, ...] = ()


class Walk:
    """One walk from its roots.

    Attributes:
        files: those that were looked at.
        modules: those that were looked for.
    """

    def __init__(
        self,
        nodes: Nodes | Narrowed,
        facts: Callable[[str], Facts],
        dotted: Callable[[str, str, str], Dotted],
        text_hash: Callable[[str], bytes],
        reflects: int,
    ) -> None:
        self.files: set[str] = set()
        self.modules: set[str] = set()
        self._nodes = nodes
        self._facts = facts
        self._dotted = dotted
        self._text_hash = text_hash
        self._reflects = reflects
        self._numbers: dict[Key, int] = {}
        self._order: list[Key] = []
        self._hashed: list[bytes] = []
        self._references: list[Reference] = []
        self._untracked: dict[str, None] = {}
        self._eager: set[str] = set()

    def of(self, roots: tuple[Key, ...], loaded: bool = True) -> Reach:
        """What `roots` reach.

        Args:
            loaded: whether their modules are loaded, and with them all that these import.
        """
        before = None
        while before != self._reflects:  # what is read of all may be found late
            before = self._reflects
            self._survey(roots)
        if not loaded:
            self._eager.clear()
        for root in roots:
            self._number(root)
        for root in roots:
            self._write(root)
        direct = len(self._references)
        done = len(roots)
        acted: set[Key] = set()
        while done < len(self._order):
            while done < len(self._order):
                self._write(self._order[done])
                done += 1
            for key in self._acts(roots, acted):
                self._number(key)
        files = self.files
        notes: dict[str, None] = {}
        for key in self._order:
            node = self._nodes[key]
            files.update(node.consulted)
            self.modules.update(self._nodes.located(key))
            notes.update(dict.fromkeys(node.notes))
        rebound = {
            (module, name)
            for _, module, file, _ in self._order
            if file in files
            for name in self._facts(file).rebound_names
        }
        hasher = blake3(b"ddsimport reach %d" % len(roots))
        for part in self._hashed:
            hasher.update(b"%d:" % len(part) + part)
        return Reach(
            hasher.digest(),
            tuple(self._references),
            tuple(sorted(set(self._untracked) - sys.stdlib_module_names)),
            tuple(sorted(files)),
            tuple(notes),
            ambiguous=len(roots) > 1,
            direct=direct,
            reflects=self._reflects,
            rebound=tuple(sorted(rebound)),
            nodes=tuple(self._order),
            untracked=tuple(self._untracked),
        )

    def _survey(self, roots: Iterable[Key]) -> None:
        """Which modules are reached without an import inside a function, and what the code that is
        reached reads of other code besides its normal form."""
        seen = set(roots)
        queue = [(root, True) for root in roots]
        eager: set[Key] = set(seen)
        for key, now in queue:
            node = self._nodes[key]
            if now:
                self._eager.add(key[1])
            self._reflects |= node.reflects
            for edge in self._edges(node):
                then = now and not edge.lazy
                for item in edge.items:
                    reached = item.node
                    if then and item.reference is not None:
                        self._eager.add(item.reference.module)
                        self._eager.add(item.reference.owner)
                    if reached is None or (reached in seen and not (then and reached not in eager)):
                        continue
                    seen.add(reached)
                    if then:
                        eager.add(reached)
                    queue.append((reached, then))

    def _number(self, key: Key) -> int:
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._order)
            self._order.append(key)
        return number

    def _edges(self, node: Node) -> tuple[Edge, ...]:
        if node.extra_edges and (node.counts_extras or self._reflects & READS_EXTRAS):
            return node.edges + node.extra_edges
        return node.edges

    def _write(self, key: Key) -> None:
        hashed = self._hashed
        node = self._nodes[key]
        hashed.append(b"node" + node.own)
        if node.extras and (node.counts_extras or self._reflects & READS_EXTRAS):
            hashed.append(b"extras" + node.extras)
        if self._reflects & READS_MODULES:
            hashed.append(b"module" + key[1].encode())
        if self._reflects & READS_LINES and key[0] != "f":
            hashed.append(b"text" + self._text_hash(node.file))
        for edge in self._edges(node):
            hashed.append(b"label" + edge.label)
            for item in edge.items:
                if item.node is not None:
                    hashed.append(b"to %d" % self._number(item.node))
                if item.untracked:
                    self._untracked[item.untracked] = None
                    hashed.append(b"untracked " + item.untracked.encode())
                if item.reference is not None:
                    self._refer(item.reference, edge.lazy)

    def _refer(self, reference: Reference, imported: bool) -> None:
        self._hashed.append(reference.kind.encode())
        loaded = reference.owner in self._eager
        if reference.module in self._eager and (loaded or not imported):
            self._references.append(reference)
            return
        self._references.append(reference.replace(lazy=True))
        if reference.kind != "variable":
            return
        if loaded:
            # Bound lazily, but to what a loaded module holds already: its value is known.
            self._references.append(reference.at_owner())
        elif reference.file:
            key: Key = ("v", reference.owner, reference.file, reference.qualname)
            self._hashed.append(b"text %d" % self._number(key))

    def _acts(self, roots: tuple[Key, ...], acted: set[Key]) -> list[Key]:
        """Top-level statements of reached modules that set something in code that is used.

        `np.random.seed(0)` and `pd.set_option(…)` count for whatever uses numpy and pandas; of the
        step's own module, only what stands above the step.
        """
        found: list[Key] = []
        places = dict.fromkeys((key[1], key[2]) for key in self._order if key[0] != "f")
        root = roots[0]
        before = int(str(root[3]).partition(":")[0]) if root[0] == "s" else sys.maxsize
        for module, file in places:
            for index, top in enumerate(self._facts(file).top):
                key: Key = ("t", module, file, index)
                if not top[TOP_ACTS] or top[TOP_GUARD] or key in acted:
                    continue
                if module == root[1] and top[TOP_LINE] >= before:
                    continue
                if any(self._sets(module, file, act) for act in top[TOP_ACTS]):
                    acted.add(key)
                    found.append(key)
        return found

    def _sets(self, module: str, file: str, act: str) -> bool:
        if act.startswith("&"):
            return False
        dotted, files, modules = self._dotted(module, file, act.removesuffix("[]"))
        self.files.update(files)
        self.modules.update(modules)
        top = dotted.partition(".")[0]
        if not dotted or top not in self._untracked:
            return False
        return top not in sys.stdlib_module_names or dotted.startswith(_STATEFUL)
