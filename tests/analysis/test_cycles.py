"""Cycles have one hash, whatever the order of discovery, of definitions, of imports, and the names
of files; and helpers of one shape are told apart."""

from __future__ import annotations

import random

from analysis_project import codebook
from hypothesis import given, settings
from hypothesis import strategies as st

MODULES = 3
FUNCTIONS = 6
"""`f0` … `f5`; `f<n>` lies in module n % 3. Any may call any, itself included."""

graphs = st.lists(
    st.tuples(
        st.lists(st.integers(0, FUNCTIONS - 1), max_size=4),  # whom it calls, in order
        st.integers(0, 2),  # what it adds: many are alike
    ),
    min_size=FUNCTIONS,
    max_size=FUNCTIONS,
)
Graph = list[tuple[list[int], int]]


def _files(graph: Graph, names: list[str], shuffle: random.Random | None) -> dict[str, str]:
    files = {}
    for module in range(MODULES):
        mine = [number for number in range(FUNCTIONS) if number % MODULES == module]
        definitions, imports = [], set()
        for number in mine:
            calls, constant = graph[number]
            imports |= {call for call in calls if call not in mine}
            body = " + ".join([*(f"f{call}(v)" for call in calls), str(constant)])
            definitions.append(f"def f{number}(v):\n    return {body}\n")
        lines = [f"from {names[call % MODULES]} import f{call}\n" for call in sorted(imports)]
        if shuffle is not None:
            shuffle.shuffle(definitions)
            shuffle.shuffle(lines)
        files[f"{names[module]}.py"] = "".join(lines + definitions)
    return files


def _hash(graph: Graph, names: list[str], root: int, shuffle: random.Random | None = None) -> bytes:
    files = _files(graph, names, shuffle)
    file = f"{names[root % MODULES]}.py"
    line = files[file][: files[file].index(f"def f{root}(")].count("\n") + 1
    book = codebook(files, "/proj")
    if shuffle is not None:  # ask for another one first
        other = shuffle.choice([n for n in range(FUNCTIONS) if n % MODULES == root % MODULES])
        place = files[file][: files[file].index(f"def f{other}(")].count("\n") + 1
        book.function(names[root % MODULES], f"/proj/{file}", f"f{other}", place)
    return book.function(names[root % MODULES], f"/proj/{file}", f"f{root}", line).hash


@settings(max_examples=60, deadline=None)
@given(graphs, st.integers(0, FUNCTIONS - 1), st.permutations(["a", "b", "c"]), st.randoms())
def test_names_of_files_and_orders_do_not_count(
    graph: Graph, root: int, names: list[str], shuffle: random.Random
) -> None:
    assert _hash(graph, ["m0", "m1", "m2"], root) == _hash(graph, names, root, shuffle)


def _value(graph: Graph, number: int, depth: int) -> object:
    """What a function says and calls, down to a depth: two that differ in it are not alike."""
    if depth == 0:
        return ()
    calls, constant = graph[number]
    return (constant, tuple((call, _value(graph, call, depth - 1)) for call in calls))


@settings(max_examples=60, deadline=None)
@given(graphs, st.integers(0, FUNCTIONS - 1), st.permutations(range(FUNCTIONS)))
def test_bodies_that_change_places_count(graph: Graph, root: int, places: list[int]) -> None:
    # The body of each function becomes that of another; calls stay calls of the same names.
    moved = [graph[place] for place in places]
    names = ["m0", "m1", "m2"]
    same = _value(graph, root, FUNCTIONS + 1) == _value(moved, root, FUNCTIONS + 1)
    assert (_hash(graph, names, root) == _hash(moved, names, root)) is same


def test_two_helpers_of_one_shape_that_swap_bodies() -> None:
    graph: Graph = [([1, 2], 0), ([1], 1), ([2], 2), ([], 0), ([], 0), ([], 0)]
    swapped: Graph = [graph[0], ([1], 2), ([2], 1), *graph[3:]]
    names = ["m0", "m1", "m2"]
    assert _hash(graph, names, 0) != _hash(swapped, names, 0)
