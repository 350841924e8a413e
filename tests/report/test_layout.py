"""Where nodes are drawn."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from ddsimport.report.layout import layout_of

SIZE = (100.0, 40.0)


def laid_out(edges, alone=()):
    nodes = dict.fromkeys([*(each for edge in edges for each in edge), *alone], SIZE)
    return layout_of(nodes, edges)


def overlaps(layout):
    for (one, (x, y)), (other, (u, v)) in combinations(layout.places.items(), 2):
        if abs(x - u) < SIZE[0] - 0.01 and abs(y - v) < SIZE[1] - 0.01:
            yield one, other


def test_a_chain_is_a_straight_line():
    layout = laid_out([("a", "b"), ("b", "c"), ("c", "d")])
    xs, ys = zip(*(layout.places[node] for node in "abcd"), strict=True)
    assert list(xs) == sorted(set(xs))
    assert len(set(ys)) == 1
    assert layout.routes[0] == ((100.0, 20.0), (xs[1], 20.0))


def test_edges_that_need_not_cross_do_not():
    layout = laid_out([("a", "z"), ("b", "y"), ("c", "x"), ("a", "y")])
    height = {node: y for node, (_, y) in layout.places.items()}
    assert height["a"] < height["b"] < height["c"] or height["a"] > height["b"] > height["c"]
    order = sorted("xyz", key=height.__getitem__)
    assert order in (["z", "y", "x"], ["x", "y", "z"])


def test_a_long_edge_passes_no_node():
    layout = laid_out([("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")])
    route = layout.routes[3]
    for node in "bc":
        x, y = layout.places[node]
        inside = [py for px, py in route if x <= px <= x + SIZE[0] and y < py < y + SIZE[1]]
        assert not inside


def test_an_edge_of_a_narrow_node_passes_behind_no_wide_one():
    sizes = {"narrow": (60.0, 26.0), "wide": (200.0, 46.0), "one": SIZE, "other": SIZE}
    edges = [("wide", "one"), ("narrow", "one"), ("wide", "other"), ("narrow", "other")]
    layout = layout_of(sizes, edges)
    right = layout.places["wide"][0] + 200
    for number, start in enumerate(("wide", "narrow", "wide", "narrow")):
        height = layout.places[start][1] + sizes[start][1] / 2
        route = layout.routes[number]
        assert [y for x, y in route if x <= right] == [height] * (2 if start == "narrow" else 1)
        assert route[-2] == (right, height)


def test_parts_and_what_is_alone_lie_apart():
    layout = laid_out([("a", "b"), ("c", "d")], alone="uvwxyz")
    assert not list(overlaps(layout))
    assert layout.places["c"][1] > layout.places["a"][1]
    assert layout.places["u"][1] > layout.places["c"][1]


def test_a_circle_and_a_loop_are_drawn():
    layout = laid_out([("a", "b"), ("b", "c"), ("c", "a"), ("b", "b")])
    assert set(layout.places) == {"a", "b", "c"}
    assert [len(route) >= 2 for route in layout.routes] == [True, True, True, False]


def test_nothing():
    assert layout_of({}, []).places == {}


@given(
    st.lists(st.tuples(st.integers(0, 25), st.integers(0, 25)), max_size=60),
    st.integers(0, 5),
)
def test_any_graph(pairs, more):
    edges = [(str(min(pair)), str(max(pair))) for pair in pairs]
    layout = laid_out(edges, [f"alone {n}" for n in range(more)])
    assert not list(overlaps(layout))
    for (source, target), route in zip(edges, layout.routes, strict=True):
        if source == target:
            continue
        assert layout.places[source][0] < layout.places[target][0]
        left, right = layout.places[source], layout.places[target]
        assert abs(route[0][0] - left[0] - SIZE[0]) < 0.01
        assert abs(route[0][1] - left[1] - SIZE[1] / 2) < 0.01
        assert abs(route[-1][0] - right[0]) < 0.01
        assert abs(route[-1][1] - right[1] - SIZE[1] / 2) < 0.01
    assert all(x >= 0 and y >= -0.01 for x, y in layout.places.values())
    assert all(x + SIZE[0] <= layout.width + 0.01 for x, _ in layout.places.values())
    assert all(y + SIZE[1] <= layout.height + 0.01 for _, y in layout.places.values())
