"""Where the nodes of a graph are drawn: in columns from left to right, what is depended on first.

The usual four steps (Sugiyama, Tagawa and Toda 1981): columns by the longest way from the sources,
edges across several columns bent at a place of their own in each, an order within the columns with
few crossings by medians, and heights as near to the neighbours' as the order allows. Parts that are
not connected lie below one another.

Of our own since the page must draw without anything installed, and what the registry has is either
under the GPL or only for some Pythons.
"""

from __future__ import annotations

from itertools import pairwise

from ddsimport.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COLUMN_GAP = 56.0
ROW_GAP = 18.0
PART_GAP = 34.0
_SWEEPS = 12
_ALONE_PER_ROW = 4  # or as many as all else is wide
_BEND = 8.0  # the height that an edge takes where it passes a column


class Layout(Record):
    """See the module.

    Attributes:
        places: node -> the left upper corner.
        routes: for each edge, in the order given, the points that it passes, from the right side
            of its source to the left side of its target.
        width, height: of all.
    """

    places: dict[str, tuple[float, float]]
    routes: tuple[tuple[tuple[float, float], ...], ...]
    width: float
    height: float


def layout_of(sizes: dict[str, tuple[float, float]], edges: Sequence[tuple[str, str]]) -> Layout:
    """Lay out a graph.

    Args:
        sizes: node -> width and height; the order of nodes is kept where nothing speaks against it.
        edges: from what is depended on to what depends on it.
    """
    places: dict[str, tuple[float, float]] = {}
    routes: dict[int, tuple[tuple[float, float], ...]] = {}
    width = height = 0.0
    parts = _parts(list(sizes), edges)
    for nodes in (part for part in parts if len(part) > 1):
        inside = set(nodes)
        own = {
            number: edge
            for number, edge in enumerate(edges)
            if edge[0] in inside and edge[0] != edge[1]
        }
        part = _Part({node: sizes[node] for node in nodes}, own)
        top = height + (PART_GAP if height else 0.0)
        for node, (x, y) in part.places.items():
            places[node] = x, y + top
        for number, points in part.routes.items():
            routes[number] = tuple((x, y + top) for x, y in points)
        width, height = max(width, part.width), top + part.height
    alone = [part[0] for part in parts if len(part) == 1]
    widest = max((sizes[node][0] for node in alone), default=0.0) + COLUMN_GAP
    per_row = max(_ALONE_PER_ROW, int((width + COLUMN_GAP) / widest)) if alone else 1
    for start in range(0, len(alone), per_row):
        top, left = height + (PART_GAP if height else 0.0), 0.0
        for node in alone[start : start + per_row]:
            places[node] = left, top
            left += sizes[node][0] + COLUMN_GAP
            height = max(height, top + sizes[node][1])
        width = max(width, left - COLUMN_GAP)
    return Layout(places, tuple(routes.get(n, ()) for n in range(len(edges))), width, height)


def _parts(nodes: list[str], edges: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The nodes that are connected with one another, in the order of the first of each."""
    above = {node: node for node in nodes}

    def head(node: str) -> str:
        while above[node] != node:
            above[node] = above[above[node]]
            node = above[node]
        return node

    for source, target in edges:
        above[head(target)] = head(source)
    found: dict[str, list[str]] = {}
    for node in nodes:
        found.setdefault(head(node), []).append(node)
    return list(found.values())


class _Part:
    """One connected part, laid out when made."""

    def __init__(
        self, sizes: dict[str, tuple[float, float]], edges: dict[int, tuple[str, str]]
    ) -> None:
        self._sizes = sizes
        self._edges = edges
        self._order = {node: place for place, node in enumerate(sizes)}
        column = self._columns()
        self._chains = self._bent(column)
        self._rows = self._first_order(column)
        self._reorder()
        tops = self._heights()
        self._finish(column, tops)

    # --- columns --------------------------------------------------------------------------------

    def _columns(self) -> dict[str, int]:
        """Node -> its column; edges that close a circle count the other way round."""
        after: dict[str, list[str]] = {node: [] for node in self._sizes}
        before: dict[str, list[str]] = {node: [] for node in self._sizes}
        for source, target in self._without_circles():
            after[source].append(target)
            before[target].append(source)
        column: dict[str, int] = {}
        waiting = {node: len(each) for node, each in before.items()}
        queue = [node for node, count in waiting.items() if not count]
        for node in queue:
            column[node] = max((column[each] + 1 for each in before[node]), default=0)
            for each in after[node]:
                waiting[each] -= 1
                if not waiting[each]:
                    queue.append(each)
        # What more rests on than it rests on stands right before that: shorter edges.
        for node in reversed(queue):
            if after[node] and len(after[node]) >= len(before[node]):
                column[node] = min(column[each] for each in after[node]) - 1
        return column

    def _without_circles(self) -> list[tuple[str, str]]:
        after: dict[str, list[str]] = {node: [] for node in self._sizes}
        for source, target in dict.fromkeys(self._edges.values()):
            after[source].append(target)
        state: dict[str, int] = {}
        found: list[tuple[str, str]] = []
        for root in self._sizes:
            if root in state:
                continue
            state[root] = 1
            stack = [(root, iter(after[root]))]
            while stack:
                node, targets = stack[-1]
                target = next(targets, "")
                if not target:
                    state[node] = 2
                    stack.pop()
                elif state.get(target) == 1:
                    found.append((target, node))
                else:
                    found.append((node, target))
                    if target not in state:
                        state[target] = 1
                        stack.append((target, iter(after[target])))
        return found

    def _bent(self, column: dict[str, int]) -> dict[tuple[str, str], list[str]]:
        """Edge -> its source, its place in each column between, its target, from left to right.

        Edges from one source share their places as long as they go the same way.
        """
        self._column = dict(column)
        found: dict[tuple[str, str], list[str]] = {}
        for source, target in dict.fromkeys(self._edges.values()):
            left, right = sorted((source, target), key=column.__getitem__)
            chain = [left]
            for between in range(column[left] + 1, column[right]):
                bend = f"\0{left}\0{between}"  # no node is called so
                self._column[bend] = between
                chain.append(bend)
            found[source, target] = [*chain, right]
        return found

    # --- the order within columns ---------------------------------------------------------------

    def _first_order(self, column: dict[str, int]) -> list[list[str]]:
        self._left: dict[str, list[str]] = {node: [] for node in self._column}
        self._right: dict[str, list[str]] = {node: [] for node in self._column}
        for chain in self._chains.values():
            for one, other in pairwise(chain):
                if other not in self._right[one]:
                    self._right[one].append(other)
                    self._left[other].append(one)
        rows: list[list[str]] = [[] for _ in range(max(column.values()) + 1)]
        seen: set[str] = set()
        for root in sorted(self._sizes, key=lambda node: (column[node], self._order[node])):
            stack = [root]
            while stack:
                node = stack.pop()
                if node not in seen:
                    seen.add(node)
                    rows[self._column[node]].append(node)
                    stack += reversed(self._right[node])
        return rows

    def _reorder(self) -> None:
        best, fewest = [list(row) for row in self._rows], self._crossings()
        for sweep in range(_SWEEPS):
            if not fewest:
                break
            forth = sweep % 2 == 0
            columns = range(1, len(self._rows)) if forth else range(len(self._rows) - 2, -1, -1)
            for number in columns:
                beside = self._rows[number - 1 if forth else number + 1]
                place = {node: index for index, node in enumerate(beside)}
                neighbours = self._left if forth else self._right
                self._sort(self._rows[number], place, neighbours)
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(row) for row in self._rows], crossings
        self._rows = best

    @staticmethod
    def _sort(row: list[str], place: dict[str, int], neighbours: dict[str, list[str]]) -> None:
        """By the mean place of the neighbours; what has none stays where it is."""
        wanted = {}
        for node in row:
            beside = [place[each] for each in neighbours[node] if each in place]
            if beside:
                wanted[node] = sum(beside) / len(beside)
        ordered = iter(sorted(wanted, key=wanted.__getitem__))
        row[:] = [next(ordered) if node in wanted else node for node in row]

    def _crossings(self) -> int:
        total = 0
        for left, right in pairwise(self._rows):
            place = {node: index for index, node in enumerate(right)}
            tree = [0] * (len(right) + 1)
            seen = 0
            for node in left:
                ends = sorted(place[each] for each in self._right[node] if each in place)
                for end in ends:
                    below, index = 0, end + 1
                    while index:
                        below += tree[index]
                        index -= index & -index
                    total += seen - below
                for end in ends:
                    seen += 1
                    index = end + 1
                    while index < len(tree):
                        tree[index] += 1
                        index += index & -index
        return total

    # --- heights --------------------------------------------------------------------------------

    def _height(self, node: str) -> float:
        return self._sizes[node][1] if node in self._sizes else _BEND

    def _heights(self) -> dict[str, float]:
        """Node -> the height of its middle."""
        middle: dict[str, float] = {}
        for row in self._rows:
            y = 0.0
            for node in row:
                middle[node] = y + self._height(node) / 2
                y += self._height(node) + ROW_GAP
        for sweep in range(_SWEEPS):
            forth = sweep % 2 == 0
            for row in self._rows if forth else reversed(self._rows):
                wanted = []
                for node in row:
                    near = (self._left if forth else self._right)[node]
                    near = near or (self._right if forth else self._left)[node]
                    wanted.append(_median([middle[each] for each in near]))
                self._settle(row, wanted, middle)
        return middle

    def _settle(self, row: list[str], wanted: list[float], middle: dict[str, float]) -> None:
        """As near as possible to what is wanted (least squares), in this order, without overlap.

        With the distances that there must be taken off, that is an isotonic regression: neighbours
        that are in each other's way are merged and share a mean.
        """
        offset, offsets = 0.0, []
        for above, node in zip([None, *row], row, strict=False):
            if above is not None:
                gap = ROW_GAP if above in self._sizes or node in self._sizes else ROW_GAP / 2
                offset += (self._height(above) + self._height(node)) / 2 + gap
            offsets.append(offset)
        blocks: list[tuple[float, float, int]] = []  # sum, weight, how many
        for node, want, taken in zip(row, wanted, offsets, strict=True):
            weight = 1.0 if node in self._sizes else 3.0  # long edges are straight
            blocks.append(((want - taken) * weight, weight, 1))
            while len(blocks) > 1 and _mean(blocks[-2]) >= _mean(blocks[-1]):
                last, before = blocks.pop(), blocks.pop()
                blocks.append((before[0] + last[0], before[1] + last[1], before[2] + last[2]))
        places = iter(zip(row, offsets, strict=True))
        for block in blocks:
            for _ in range(block[2]):
                node, taken = next(places)
                middle[node] = _mean(block) + taken

    # --- all together ---------------------------------------------------------------------------

    def _finish(self, column: dict[str, int], middle: dict[str, float]) -> None:
        top = min(middle[node] - self._height(node) / 2 for node in middle)
        widths = [
            max((self._sizes[n][0] for n in row if n in self._sizes), default=0.0)
            for row in self._rows
        ]
        lefts = [sum(widths[:place]) + place * COLUMN_GAP for place in range(len(widths))]
        self.width = lefts[-1] + widths[-1]
        self.height = max(middle[node] + self._height(node) / 2 for node in middle) - top
        self.places = {
            node: (lefts[column[node]], middle[node] - self._height(node) / 2 - top)
            for node in self._sizes
        }
        self.routes: dict[int, tuple[tuple[float, float], ...]] = {}
        for number, edge in self._edges.items():
            chain = self._chains[edge]
            points: list[tuple[float, float]] = []
            for node in chain:
                y, left = middle[node] - top, lefts[self._column[node]]
                right = left + widths[self._column[node]]
                if node not in self._sizes:
                    points += [(left, y), (right, y)]
                elif points:
                    points.append((left, y))
                else:
                    points.append((left + self._sizes[node][0], y))
                    if points[0][0] < right:  # straight on, not behind wider ones of the column
                        points.append((right, y))
            self.routes[number] = tuple(points if chain[0] == edge[0] else reversed(points))


def _mean(block: tuple[float, float, int]) -> float:
    return block[0] / block[1]


def _median(values: list[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
