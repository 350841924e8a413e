"""Walks over graphs."""

from collections import deque


def components(graph):
    left = set(graph)
    while left:
        group = reachable(graph, min(left))
        yield group
        left -= group


def reachable(graph, start, depth=None):
    seen = {start: 0}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        if depth is not None and seen[node] >= depth:
            continue
        for other in graph[node]:
            if other not in seen:
                seen[other] = seen[node] + 1
                queue.append(other)
    return set(seen)


def toposort(graph):
    done, active = set(), set()

    def visit(node):
        if node in done:
            return
        if node in active:
            raise ValueError(f"a circle through {node}")
        active.add(node)
        for other in sorted(graph[node]):
            yield from visit(other)
        active.remove(node)
        done.add(node)
        yield node

    order = []
    for node in graph.nodes:
        order.extend(visit(node))
    return reversed(order)


def is_even(number):
    return True if number == 0 else is_odd(number - 1)


def is_odd(number):
    return False if number == 0 else is_even(number - 1)
