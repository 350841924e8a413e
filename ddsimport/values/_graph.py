"""Values that contain themselves, or are nested too deep to walk: taken as a graph of containers.

Each container is encoded once, with holes where other containers go. A container that is on no
cycle gets its label (a hash) from those of its children. Those on cycles get theirs together, by
colour refinement (as in partition refinement for automata and in the Weisfeiler-Leman test): all
start alike, each round hashes the labels of the children in, until no round tells more apart. So
labels follow from what a program would see walking along, and neither from where one starts nor
from the order of a set. That costs a few passes and never more: walking a graph of mutual friends
along all its paths would not end.

Two cycles that unfold alike but are tied differently (`a = [a]`, and `[a]` around it) may differ:
a needless evaluation, never a stale result.
"""

from __future__ import annotations

from blake3 import blake3

from ddsimport.values._encoder import BODIES, FORMAT, Encoder, RefusalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ddsimport.values._encoder import CodeOf
    from ddsimport.values._setting import Setting

_HOLE = b"@"
_START = bytes(32)


class _Template:
    """An encoding with holes: literal pieces between containers, or groups whose order is free."""

    __slots__ = ("holes", "text")

    def __init__(self, text: bytes, holes: list[tuple[int, _Hole]]) -> None:
        self.text = text
        self.holes = holes

    def children(self) -> Iterator[int]:
        for _, hole in self.holes:
            if isinstance(hole, int):
                yield hole
            else:
                for template in hole:
                    yield from template.children()

    def fill(self, labels: dict[int, bytes]) -> bytes:
        pieces = []
        start = 0
        for place, hole in self.holes:
            pieces.append(self.text[start:place])
            start = place
            if isinstance(hole, int):
                pieces += (_HOLE, labels.get(hole, _START))
            else:
                pieces += sorted(template.fill(labels) for template in hole)
        pieces.append(self.text[start:])
        return b"".join(pieces)


_Hole = int | list[_Template]  # the identity of a container, or the elements of a set


class _GraphEncoder(Encoder):
    """Encodes one container at a time, and notes those it holds instead of going into them."""

    __slots__ = ("_holder", "_holders", "holes", "met")

    def __init__(self, code_of: CodeOf | None, setting: Setting | None) -> None:
        super().__init__(code_of, setting)
        self.met: list[object] = []  # every container once; held, so that identities stay theirs
        self.holes: list[tuple[int, _Hole]] = []
        self._holders: dict[int, object] = {}
        self._holder: object = None

    def node(self, value: object, kind: type) -> None:
        if id(value) not in self._holders:
            self._holders[id(value)] = self._holder
            self.met.append(value)
        self.holes.append((len(self.out), id(value)))

    def seal(self, start: int) -> None:
        """Leave the buffer as it is: it has holes."""

    def unordered(self, values: Iterable[object]) -> None:
        outer_holes, outer_out = self.holes, self.out
        group = []
        for value in values:
            self.holes, self.out = [], bytearray()
            self.encode(value)
            group.append(_Template(bytes(self.out), self.holes))
        self.holes, self.out = outer_holes, outer_out
        self.out += len(group).to_bytes(8, "little")
        self.holes.append((len(self.out), group))

    def template(self, value: object) -> _Template:
        """The encoding of one container."""
        self.holes, self.out = [], bytearray()
        self.depth = 0
        self._holder = value
        kind = type(value)
        try:
            (BODIES.get(kind) or self.body_of(kind))(self, value)
        except RefusalError as refusal:
            self.holes = []
            if not self.left_out(refusal, value, 0):
                self._trace(value, refusal)
                raise
        return _Template(bytes(self.out), self.holes)

    def _trace(self, value: object, refusal: RefusalError) -> None:
        from ddsimport.values._where import part

        if refusal.culprit is not value:
            refusal.parts.append(part(value, refusal.culprit))
        holder = self._holders[id(value)]
        while holder is not None:
            refusal.parts.append(part(holder, value))
            value = holder
            holder = self._holders[id(value)]


def graph_digest(value: object, code_of: CodeOf | None, setting: Setting | None) -> bytes:
    """The digest of a container that holds itself, or is nested deeper than `DEPTH`."""
    encoder = _GraphEncoder(code_of, setting)
    encoder.node(value, type(value))
    templates: dict[int, _Template] = {}
    # `met` grows while it is walked.
    for container in encoder.met:
        templates[id(container)] = encoder.template(container)
    labels: dict[int, bytes] = {}
    for component in _components(id(value), templates):
        (first, *others) = component
        if not others and first not in set(templates[first].children()):
            labels[first] = blake3(templates[first].fill(labels)).digest()
        else:
            _refine(component, templates, labels)
    return blake3(FORMAT + b"graph" + labels[id(value)]).digest()


def _refine(
    component: list[int], templates: dict[int, _Template], labels: dict[int, bytes]
) -> None:
    """Label the containers of a strongly connected component."""
    colours = 1
    for member in component:
        labels[member] = _START
    while True:
        new = {member: blake3(templates[member].fill(labels)).digest() for member in component}
        told_apart = len(set(new.values()))
        if told_apart == colours:
            break
        colours = told_apart
        labels.update(new)
    # What each colour is made of, in terms of colours, is the whole cycle: without it, two cycles
    # that differ only further on than the last round looked would be taken for one.
    rules = sorted({labels[member] + new[member] for member in component})
    cycle = blake3(b"".join(rules)).digest()
    for member in component:
        labels[member] = blake3(b"cycle" + new[member] + cycle).digest()


def _components(root: int, templates: dict[int, _Template]) -> Iterator[list[int]]:
    """Strongly connected components, those reached before those that reach (Tarjan, iterative)."""
    index: dict[int, int] = {root: 0}
    low: dict[int, int] = {root: 0}
    stack = [root]
    on_stack = {root}
    work = [(root, templates[root].children())]
    while work:
        node, children = work[-1]
        for child in children:
            if child not in index:
                index[child] = low[child] = len(index)
                stack.append(child)
                on_stack.add(child)
                work.append((child, templates[child].children()))
                break
            if child in on_stack:
                low[node] = min(low[node], index[child])
        else:
            work.pop()
            if work:
                parent = work[-1][0]
                low[parent] = min(low[parent], low[node])
            if low[node] == index[node]:
                component = []
                while True:
                    member = stack.pop()
                    on_stack.discard(member)
                    component.append(member)
                    if member == node:
                        break
                yield component
