"""What depends on what: the steps of a run, and the inputs, files and code that they rest on.

Made from what runs recorded (see `past`), as plain values that others draw. Which step gave an
input is told by names in the text (see `flow`), and by values where no name tells (an input that
counts as what a step gave).
"""

from __future__ import annotations

from typing import Literal

from ddsimport.errors import PragmaError
from ddsimport.records import Record
from ddsimport.report.code import Code
from ddsimport.report.flow import origins
from ddsimport.store import labels

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddsimport.report.events import Event
    from ddsimport.report.past import Past, PastRun
    from ddsimport.store.provenance import Provenance

NodeKind = Literal["step", "input", "file", "code"]
EdgeKind = Literal["data", "plain", "load", "nested", "input", "file", "code"]
"""Why one depends on another: its value is an input; the same by way of plain code; it is read by
`ddsimport.load`; it is a step inside; and what a step rests on besides steps."""

_TELLING = 40
"""Bytes from which two values that are the same are likely to be one."""


class Node(Record):
    """A thing in the graph.

    Attributes:
        id: its name, unique in the graph: `step:/wine/model`, `file:wine.csv`, `code:fit.py:fit`,
            `input:/wine/model:depth`.
        kind: what it is.
        label: what is written in it.
        detail: more about it, in a line.
        event: what became of a step.
    """

    id: str
    kind: NodeKind
    label: str
    detail: str = ""
    event: Event | None = None


class Edge(Record):
    """`target` depends on `source`, because of a name or a path."""

    source: str
    target: str
    kind: EdgeKind
    name: str = ""


class Graph(Record):
    """The graph of a run.

    Attributes:
        program: the run's.
        ended: when the run ended.
        nodes: steps in the order they ran, then all else.
        edges: from what is depended on to what depends on it.
    """

    program: str
    ended: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def only_steps(self) -> Graph:
        """The same without inputs, files and code."""
        nodes = tuple(node for node in self.nodes if node.kind == "step")
        kept = {node.id for node in nodes}
        edges = tuple(e for e in self.edges if e.source in kept and e.target in kept)
        return self.replace(nodes=nodes, edges=edges)


def graph_of(past: Past, run: PastRun) -> Graph:
    """The graph of the steps of a run."""
    made = _Made(past, run)
    for event in run.latest.values():
        made.add(event)
    return Graph(run.program, run.ended, tuple(made.nodes.values()), tuple(made.edges))


class _Made:
    def __init__(self, past: Past, run: PastRun) -> None:
        self.nodes: dict[str, Node] = {}
        self.edges: dict[Edge, None] = {}
        self._past = past
        self._code = Code(past)
        self._steps = list(run.latest.values())
        for event in self._steps:
            node = Node(f"step:{event.path}", "step", event.path, event.reason, event)
            self.nodes[node.id] = node

    def add(self, event: Event) -> None:
        """Draw what a step rests on."""
        here = f"step:{event.path}"
        provenance = self._past.provenance(event.signature)
        if provenance is None:
            return
        for path in provenance.inside:
            if f"step:{path}" in self.nodes:
                self._join(f"step:{path}", here, "nested")
        given = self._givers(event, provenance)
        for quantity in provenance.inputs:
            sources = given.get(quantity.name, {})
            for path, kind in sources.items():
                self._join(f"step:{path}", here, kind, quantity.name)
            if not sources:
                self._put(
                    Node(f"input:{event.path}:{quantity.name}", "input", quantity.name,
                         quantity.summary), here
                )  # fmt: skip
        for quantity in provenance.variables:
            self._put(
                Node(f"input:{quantity.name}", "input", quantity.name, quantity.summary), here
            )
        for piece in self._code.pieces(provenance).values():
            if not piece.name.startswith("the step "):
                self._put(
                    Node(f"code:{piece.file}:{piece.name}", "code", piece.name, piece.file), here
                )
        for candidate in self._past.candidates(event.signature)[:1]:
            for read in candidate.trace.files:
                self._put(Node(f"file:{read.path}", "file", read.path), here)
            for label, _ in candidate.trace.variables:
                if label.startswith(labels.LOAD):
                    self._load(label[len(labels.LOAD) :], here)
                elif label.startswith(labels.VARIABLE):
                    name = label[len(labels.VARIABLE) :]
                    self._put(Node(f"input:${name}", "input", f"${name}", "environment"), here)

    def _load(self, path: str, here: str) -> None:
        if f"step:{path}" not in self.nodes:
            self.nodes[f"step:{path}"] = Node(f"step:{path}", "step", path, "of another run")
        self._join(f"step:{path}", here, "load", path)

    def _put(self, node: Node, here: str) -> None:
        self.nodes.setdefault(node.id, node)
        self._join(node.id, here, node.kind)  # type: ignore[arg-type]  # these kinds are of both

    def _join(self, source: str, target: str, kind: EdgeKind, name: str = "") -> None:
        if source != target:
            self.edges[Edge(source, target, kind, name)] = None

    def _givers(self, event: Event, provenance: Provenance) -> dict[str, dict[str, EdgeKind]]:
        """Input -> the paths of the steps that it comes from, and how."""
        found: dict[str, dict[str, EdgeKind]] = {}
        text = self._past.text(provenance)
        marked = _marked(text, provenance.file) if text is not None else {}
        for quantity in provenance.inputs:
            sources: dict[str, EdgeKind] = {}
            if text is not None:
                lines = frozenset(marked)
                for origin in origins(text, provenance.line, (quantity.name,), lines):
                    for path in self._paths_of(provenance, marked[origin.line]):
                        sources.setdefault(path, "plain" if origin.through else "data")
            if not sources:
                sources = dict.fromkeys(self._equal(event, quantity.digest), "data")
            sources.pop(event.path, None)
            if sources:
                found[quantity.name] = sources
        return found

    def _paths_of(self, reader: Provenance, target: str) -> Iterable[str]:
        """The paths of the steps with this target in the same file."""
        for event in self._steps:
            other = self._past.provenance(event.signature)
            if other is None:
                if event.module == reader.module and event.path.rpartition("/")[2] == target:
                    yield event.path
            elif other.file == reader.file and other.target == target:
                yield event.path

    def _equal(self, event: Event, digest: str) -> list[str]:
        """The nearest step before that gave a value which counts the same."""
        for other in reversed(self._steps[: self._steps.index(event)]):
            candidates = self._past.candidates(other.signature)
            tells = bool(candidates) and candidates[0].size >= _TELLING
            if tells and digest in self._past.digests(other).values():
                return [other.path]
        return []


def _marked(text: str, file: str) -> dict[int, str]:
    """First line -> target of the marked statements of a file."""
    import ast

    from ddsimport.source.pragma import pragmas_of
    from ddsimport.source.steps import sites_of

    try:
        steps = sites_of(ast.parse(text), pragmas_of(text, file), file, text)
    except (PragmaError, SyntaxError, ValueError, RecursionError):
        return {}
    return {step.site.line: step.site.target for step in steps}
