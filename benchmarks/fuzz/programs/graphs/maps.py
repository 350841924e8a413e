"""Graphs as dictionaries of dictionaries."""

from collections.abc import Mapping

TOWNS = {
    "alpha": {"bravo": 4, "charlie": 2},
    "bravo": {"delta": 5},
    "charlie": {"bravo": 1, "delta": 8, "echo": 10},
    "delta": {"echo": 2},
    "foxtrot": {"golf": 3},
}
TASKS = {
    "start": {"design": 1, "buy": 1},
    "design": {"build": 3},
    "buy": {"build": 1, "test": 2},
    "build": {"test": 2},
    "test": {"ship": 1},
}
GRAPHS = {"towns": TOWNS, "tasks": TASKS}


class Graph(Mapping):
    def __init__(self, edges, directed=False):
        self.directed = directed
        self.edges = {}
        for start, ends in edges.items():
            for end, weight in ends.items():
                self.connect(start, end, weight)

    def connect(self, start, end, weight=1):
        self.edges.setdefault(start, {})[end] = weight
        back = self.edges.setdefault(end, {})
        if not self.directed:
            back[start] = weight

    @property
    def nodes(self):
        return sorted(self.edges)

    def __getitem__(self, node):
        return self.edges[node]

    def __iter__(self):
        return iter(self.edges)

    def __len__(self):
        return len(self.edges)


def load(name, **options):
    return Graph(GRAPHS[name], **options)
