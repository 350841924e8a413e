"""Shortest and all ways."""

import heapq
from functools import cached_property, lru_cache
from math import inf


class PathFinder:
    penalty = 0

    def __init__(self, graph):
        self.graph = graph

    @cached_property
    def lightest(self):
        return min(weight for ends in self.graph.values() for weight in ends.values())

    def shortest(self, start, goal):
        best = {start: (0, None)}
        heap = [(0, start)]
        while heap:
            cost, node = heapq.heappop(heap)
            if node == goal:
                return self._back(best, goal), cost
            for other, weight in self.graph[node].items():
                total = cost + weight + self.penalty
                if total < best.get(other, (inf,))[0]:
                    best[other] = (total, node)
                    heapq.heappush(heap, (total, other))
        return None, inf

    def _back(self, best, node):
        way = [node]
        while best[node][1] is not None:
            node = best[node][1]
            way.append(node)
        return way[::-1]


def ways(graph, start, goal):
    @lru_cache(maxsize=None)
    def count(node):
        if node == goal:
            return 1
        return sum(count(other) for other in graph[node])

    return count(start)
