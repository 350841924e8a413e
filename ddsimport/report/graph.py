"""What depends on what: the steps of a run, and the inputs, files and code that they rest on.

Made from what runs recorded (see `past`), as plain values that others draw. Which step gave an
input is told by names in the text (see `givers`), among several evaluations of one step by their
values, and by values alone where no name tells (an input that counts as what a step gave).
"""

from __future__ import annotations

import posixpath
from typing import Literal

from ddsimport.records import Record
from ddsimport.report.code import Code
from ddsimport.report.givers import Flow
from ddsimport.report.rests import files_of, loads_of, variables_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ddsimport.report.events import Event
    from ddsimport.report.givers import Origin
    from ddsimport.report.past import Past, PastRun
    from ddsimport.report.texts import Step
    from ddsimport.store.provenance import Provenance, Quantity

NodeKind = Literal["step", "input", "file", "code"]
EdgeKind = Literal["data", "plain", "load", "nested", "input", "file", "code"]
"""Why one depends on another: its value is an input; the same by way of plain code; it is read by
`ddsimport.load`; it is a step inside; and what a step rests on besides steps."""

MOST_ALIKE = 8
"""Evaluations of one step (in a loop, of a marked function) that are drawn one by one."""

_DIGITS = "0123456789"
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
        event: what became of a step; None if it had nothing to do in the run.
        members: of a node that stands for many evaluations of a step, what became of each.
    """

    id: str
    kind: NodeKind
    label: str
    detail: str = ""
    event: Event | None = None
    members: tuple[Event, ...] = ()

    @property
    def events(self) -> tuple[Event, ...]:
        """What the node stands for."""
        return self.members or ((self.event,) if self.event is not None else ())


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
        ended: when the run ended; empty if it has not.
        nodes: steps in the order they ran, then all else.
        edges: from what is depended on to what depends on it.
    """

    program: str
    ended: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def only_steps(self) -> Graph:
        """The same without inputs, files and code."""
        return self._only(lambda node: node.kind == "step")

    def connected(self, path: str) -> Graph:
        """The same, but only the step at `path` and all that it rests on or that rests on it."""
        here = {f"step:{path}"}
        kept = here | _reached(here, [(e.target, e.source) for e in self.edges])
        kept |= _reached(here, [(e.source, e.target) for e in self.edges])
        return self._only(lambda node: node.id in kept)

    def together(self, most: int = MOST_ALIKE) -> Graph:
        """The same, but evaluations of one step, if more than `most`, are one node."""
        alike: dict[tuple[str, int, str], list[Node]] = {}
        for node in self.nodes:
            if node.event is not None:
                folder = node.label.rpartition("/")[0]
                key = (node.event.module, node.event.line, folder)
                alike.setdefault(key, []).append(node)
        renamed: dict[str, Node] = {}
        taken: set[str] = set()
        for (module, line, folder), nodes in alike.items():
            if len(nodes) > most:
                name = f"step:{folder}/*"
                if name in taken:  # of another step, whose paths lie in the same folder
                    name += f" {module}:{line}"
                taken.add(name)
                events = tuple(node.event for node in nodes if node.event is not None)
                label = _label_of_all([node.label for node in nodes])
                merged = Node(name, "step", label, f"{len(nodes)} values", members=events)
                renamed.update({node.id: merged for node in nodes})
        moved = {
            f"input:{event.path}:": node.id.removeprefix("step:")
            for node in dict.fromkeys(renamed.values())
            for event in node.members
        }
        for node in self.nodes:  # each of them has inputs of its own, such as `i`
            owner = node.id[: node.id.rfind(":") + 1]
            if owner in moved:
                renamed[node.id] = Node(
                    f"input:{moved[owner]}:{node.label}", "input", node.label, "several values"
                )
        if not renamed:
            return self
        kept_nodes = dict.fromkeys(renamed.get(node.id, node) for node in self.nodes)
        names = {old: new.id for old, new in renamed.items()}
        edges = dict.fromkeys(
            edge.replace(
                source=names.get(edge.source, edge.source),
                target=names.get(edge.target, edge.target),
                name=edge.name,
            )
            for edge in self.edges
        )
        kept = tuple(edge for edge in edges if edge.source != edge.target)
        return self.replace(nodes=tuple(kept_nodes), edges=kept)

    def _only(self, wanted: Callable[[Node], bool]) -> Graph:
        nodes = tuple(node for node in self.nodes if wanted(node))
        kept = {node.id for node in nodes}
        edges = tuple(e for e in self.edges if e.source in kept and e.target in kept)
        return self.replace(nodes=nodes, edges=edges)


def graph_of(past: Past, run: PastRun) -> Graph:
    """The graph of the steps of a run."""
    made = _Made(past, run)
    for event in run.latest.values():
        made.add(event)
    return Graph(run.program, run.ended, tuple(made.nodes.values()), tuple(made.edges))


def _label_of_all(paths: list[str]) -> str:
    """`/part/a…` for `/part/a1` and `/part/a20`, `/part/….json` for `/part/1.json` and more: what
    they have in common, but for digits that numbers happen to share."""
    start = posixpath.commonprefix(paths).rstrip(_DIGITS)
    ends = [path[len(start) :][::-1] for path in paths]
    return f"{start}…{posixpath.commonprefix(ends)[::-1].lstrip(_DIGITS)}"


def _reached(here: set[str], pairs: list[tuple[str, str]]) -> set[str]:
    after: dict[str, list[str]] = {}
    for source, target in pairs:
        after.setdefault(source, []).append(target)
    found: set[str] = set()
    queue = list(here)
    while queue:
        for each in after.get(queue.pop(), ()):
            if each not in found:
                found.add(each)
                queue.append(each)
    return found


class _Made:
    def __init__(self, past: Past, run: PastRun) -> None:
        self.nodes: dict[str, Node] = {}
        self.edges: dict[Edge, None] = {}
        self._past = past
        self._run = run
        self._code = Code(past)
        self._steps = list(run.latest.values())
        self._first = {path: place for place, path in enumerate(run.latest)}
        for event in self._steps:
            node = Node(f"step:{event.path}", "step", event.path, event.reason, event)
            self.nodes[node.id] = node
        files = {event.module: past.file_of(run, event) for event in self._steps}
        self._files = {module: file for module, file in files.items() if file}
        # A run under way has not told its files yet; those of the one before are likely the same.
        others = run.files or next((each.files for each in past.runs_of(run.program)), {})
        self._flow = Flow(self._texts(), others, lambda file: past.text_loaded(run, file))
        self._at: dict[str, tuple[str, Step] | None] = {
            event.path: self._place(event) for event in self._steps
        }
        self._given: dict[tuple[str, int], list[Event]] = {}
        for event in self._steps:
            place = self._at[event.path]
            if place is not None:
                self._given.setdefault((place[0], place[1].line), []).append(event)

    def add(self, event: Event) -> None:
        """Draw what a step rests on."""
        here = f"step:{event.path}"
        provenance = self._past.provenance(event.signature)
        place = self._at.get(event.path)
        if provenance is None:  # nothing is noted of what was not kept: the text tells its names
            for name in _names_of(place[1]) if place is not None else ():
                for path, kind in self._givers(event, name, "").items():
                    self._join(f"step:{path}", here, kind, name)
            return
        self._add_inside(provenance, here)
        # Of a call of `keep`, which has no text of its own, the first input is the function: it is
        # drawn with the code.
        for quantity in provenance.inputs if provenance.reach else provenance.inputs[1:]:
            sources = self._givers(event, quantity.name, quantity.digest)
            for path, kind in sources.items():
                self._join(f"step:{path}", here, kind, quantity.name)
            if not sources:
                self._put_input(event.path, quantity, here)
        for quantity in provenance.variables:
            self._put(
                Node(f"input:{quantity.name}", "input", quantity.name, quantity.summary), here
            )
        pieces = self._code.pieces(provenance).values()
        for piece in pieces:
            if not piece.name.startswith("the step "):
                self._put(
                    Node(f"code:{piece.file}:{piece.name}", "code", piece.name, piece.file), here
                )
        for candidate in self._past.candidates(event.signature)[:1]:
            for file in files_of(candidate.trace):
                self._put(Node(f"file:{file}", "file", file), here)
            for name in variables_of(candidate.trace, pieces):
                self._put(Node(f"input:${name}", "input", f"${name}"), here)
            for path in loads_of(candidate.trace):
                self._load(path, here)

    def _add_inside(self, provenance: Provenance, here: str) -> None:
        """The steps inside a step; where that was a hit, they had nothing to do in this run."""
        for path in provenance.inside:
            if f"step:{path}" not in self.nodes:
                self.nodes[f"step:{path}"] = Node(f"step:{path}", "step", path, "inside a hit")
                earlier = next(self._past.evaluations(path), None)
                if earlier is not None:
                    self.add(earlier[1])
            self._join(f"step:{path}", here, "nested")

    def _load(self, path: str, here: str) -> None:
        if f"step:{path}" not in self.nodes:
            self.nodes[f"step:{path}"] = Node(f"step:{path}", "step", path, "of another run")
        self._join(f"step:{path}", here, "load", path)

    def _put_input(self, path: str, quantity: Quantity, here: str) -> None:
        node = Node(f"input:{path}:{quantity.name}", "input", quantity.name, quantity.summary)
        self._put(node, here)

    def _put(self, node: Node, here: str) -> None:
        self.nodes.setdefault(node.id, node)
        self._join(node.id, here, node.kind)  # type: ignore[arg-type]  # these kinds are of both

    def _join(self, source: str, target: str, kind: EdgeKind, name: str = "") -> None:
        if source != target:
            self.edges[Edge(source, target, kind, name)] = None

    # --- which step gave an input ---------------------------------------------------------------

    def _texts(self) -> dict[str, str]:
        """The text of each file with steps: as it is now if the steps of the run stand there, else
        as it was when the value of one was made."""
        found: dict[str, str] = {}
        for file in dict.fromkeys(self._files.values()):
            events = [event for event in self._steps if self._files.get(event.module) == file]
            for text in self._known_texts(file, events):
                found.setdefault(file, text)
                flow = Flow({file: text})
                if all(self._stands(flow, file, event) for event in events):
                    found[file] = text
                    break
        return found

    def _known_texts(self, file: str, events: list[Event]) -> list[str]:
        texts: dict[str, None] = {}
        try:
            with open(self._past.absolute(file), encoding="utf-8") as source:
                texts[source.read()] = None
        except (OSError, ValueError):
            pass
        noted: dict[str, int] = {}
        for event in reversed(events):  # the last text of a session holds all cells so far
            provenance = self._past.provenance(event.signature)
            text = self._past.text(provenance) if provenance is not None else None
            if text is not None:
                noted[text] = noted.get(text, 0) + 1
        texts.update(dict.fromkeys(sorted(noted, key=lambda each: -noted[each])))
        return list(texts)

    def _stands(self, flow: Flow, file: str, event: Event) -> bool:
        step = self._step_in(flow, file, event)
        return step is not None and step.line == self._line_of(event)

    def _step_in(self, flow: Flow, file: str, event: Event) -> Step | None:
        provenance = self._past.provenance(event.signature)
        target = provenance.target if provenance is not None else ""
        return flow.step(file, self._line_of(event), target, event.path)

    def _line_of(self, event: Event) -> int:
        """The line of a step in the text that is noted; an event of a session tells that of its
        cell."""
        provenance = self._past.provenance(event.signature)
        in_session = provenance is not None and provenance.file.startswith("<")
        return provenance.line if provenance is not None and in_session else event.line

    def _place(self, event: Event) -> tuple[str, Step] | None:
        file = self._files.get(event.module, "")
        step = self._step_in(self._flow, file, event) if file else None
        return (file, step) if step is not None else None

    def _givers(self, event: Event, name: str, digest: str) -> dict[str, EdgeKind]:
        """The paths of the steps that an input comes from, and how."""
        found: dict[str, EdgeKind] = {}
        place = self._at.get(event.path)
        for origin in self._flow.origins(*place, name) if place is not None else ():
            for path in self._paths_of(origin, event, digest):
                if path != event.path and found.get(path) != "data":
                    found[path] = "plain" if origin.plain else "data"
        if not found and digest:
            found = dict.fromkeys(self._equal(event, digest), "data")
        return found

    def _paths_of(self, origin: Origin, reader: Event, digest: str) -> list[str]:
        """Those of the evaluations of a step before the reader that may have given its input."""
        own = self._first.get(reader.path, len(self._first))
        before = [
            event
            for event in self._given.get((origin.file, origin.line), ())
            if self._first[event.path] < own
        ]
        if len(before) > 1 and digest:
            same = [e for e in before if digest in self._past.digests(e).values()]
            if same:
                return [event.path for event in same[-1:]]
        return [event.path for event in (before if origin.each else before[-1:])]

    def _equal(self, event: Event, digest: str) -> list[str]:
        """The nearest step before that gave a value which counts the same."""
        for other in reversed(self._steps[: self._first.get(event.path, 0)]):
            candidates = self._past.candidates(other.signature)
            tells = bool(candidates) and candidates[0].size >= _TELLING
            if tells and digest in self._past.digests(other).values():
                return [other.path]
        return []


def _names_of(step: Step) -> list[str]:
    if step.function is not None:
        given = step.function.args
        return [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return [*step.names, *step.arguments]


__all__ = ["Edge", "EdgeKind", "Graph", "Node", "NodeKind", "graph_of"]
