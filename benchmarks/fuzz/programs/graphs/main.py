"""Roads between towns: ways, components, orders and matrices."""

from algorithms import components, is_even, is_odd, reachable, toposort
from maps import GRAPHS, Graph, load
from matrices import Matrix, identity, power
from paths import PathFinder, ways
import render

town_map = load("towns")  # dds: /graph/map
print(town_map.nodes)
groups = [sorted(group) for group in components(town_map)]  # dds: /graph/components
print(groups)
finder = PathFinder(town_map)
for goal in ("delta", "echo", "golf"):
    route = finder.shortest("alpha", goal)  # dds: /graph/route/{goal}
    print(goal, route)
tasks = load("tasks", directed=True)  # dds: /graph/tasks
order = list(toposort(tasks))  # dds: /graph/order
print(" ".join(order))
count = ways(tasks, "start", "ship")  # dds: /graph/ways
print(count, "ways", "(even)" if is_even(count) else "(odd)" if is_odd(count) else "?")
adjacency = Matrix.of(tasks)  # dds: /graph/matrix
walks = power(adjacency, 3)  # dds: /graph/walks
print(walks)
near = {node: len(reachable(tasks, node, 2)) for node in tasks.nodes}  # dds: /graph/near
print(near)
bigger = Graph({**tasks.edges, "extra": {"start": 1}}, directed=True)
check = (identity(2) @ identity(2)).trace(), sorted(GRAPHS), len(bigger)  # dds: /graph/check
print(check)
picture = render.table(near, order)  # dds: /graph/picture
print(picture)
try:
    print(list(toposort(town_map)))
except ValueError as error:
    print("error:", error)
