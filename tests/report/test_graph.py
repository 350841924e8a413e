"""Which step depends on which, on programs as users write them."""

from __future__ import annotations

import os

import pytest

from ddsimport.report.details import Details
from ddsimport.report.graph import MOST_ALIKE, graph_of
from ddsimport.report.past import Past
from ddsimport.store.store import Store


def drawn(project):
    """The graph of the project's last run."""
    store = Store.open(str(project.root / ".dds"))
    past = Past(store, str(project.root))
    return graph_of(past, past.runs[0])


def between_steps(graph):
    """{(source, target): kind} between steps, by path."""
    steps = graph.only_steps()
    return {
        (edge.source.removeprefix("step:"), edge.target.removeprefix("step:")): edge.kind
        for edge in steps.edges
    }


def edges_of(project, **files):
    project.write(**files)
    ended = project.run()
    assert ended.code == 0, ended.stderr
    cold = between_steps(drawn(project))
    assert project.run().evaluated() == set(), "it is not the same graph, warm"
    assert between_steps(drawn(project)) == cold
    return cold


def test_a_chain_and_what_is_independent(project):
    assert edges_of(
        project,
        main="""
        def make(n):
            return list(range(n))

        a = make(3)  # dds: /a
        b = make(4)  # dds: /b
        c = a + b  # dds: /c
        d = make(5)  # dds: /d
        """,
    ) == {("/a", "/c"): "data", ("/b", "/c"): "data"}


def test_by_way_of_plain_code(project):
    assert edges_of(
        project,
        main="""
        a = [1, 2]  # dds: /a
        n = len(a)
        rows = []
        rows.append(n)
        b = sum(rows)  # dds: /b
        """,
    ) == {("/a", "/b"): "plain"}


# The cases that dds_py's guide draws: functions that are kept, called in one another, with the
# value of one as an argument of another, and read by `load`.
SEED = """
import ddsimport as dds

@dds.data_function("/f1")
def f1():
    return 2

@dds.data_function("/f2")
def f2():
    return 2 + f1()

@dds.data_function("/f3")
def f3(i):
    return 1 + f2() + i

@dds.data_function("/f4")
def f4():
    return 1

@dds.data_function("/f5")
def f5(i):
    return 1 + i

@dds.data_function("/f6")
def f6():
    return dds.load("/f5")

def f():
    f1()
    x = f4()
    f3(x)
    f5(x * 2)
    f6()

dds.eval(f)
"""


def test_functions_in_one_another_and_values_handed_on(project):
    project.write(main=SEED)
    project.run()
    found = between_steps(drawn(project))
    assert found == {
        ("/f1", "/f2"): "nested",
        ("/f2", "/f3"): "nested",
        ("/f4", "/f3"): "plain",
        ("/f4", "/f5"): "plain",
        ("/f5", "/f6"): "load",
    }


def test_steps_inside_of_a_hit_are_drawn_too(project):
    project.write(
        main="""
        def inner(n):  # dds: /inner/{n}
            return n * 2

        outer = inner(3) + inner(4)  # dds: /outer
        """
    )
    project.run()
    wanted = {("/inner/3", "/outer"): "nested", ("/inner/4", "/outer"): "nested"}
    assert between_steps(drawn(project)) == wanted
    project.run()
    graph = drawn(project)
    assert between_steps(graph) == wanted
    [inner] = [node for node in graph.nodes if node.label == "/inner/3"]
    assert (inner.event, inner.detail) == (None, "inside a hit")


def test_steps_in_functions_and_methods(project):
    assert edges_of(
        project,
        main="""
        from helper import Model, prepare

        raw = prepare(5)
        model = Model(raw).fit()
        score = model.score(2)
        total = score + len(raw)  # dds: /total
        """,
        helper="""
        def prepare(n):
            first = list(range(n))  # dds: /first
            second = [each * 2 for each in first]  # dds: /second
            return second

        class Model:
            def __init__(self, rows):
                self.rows = rows

            def fit(self):
                self.weights = sum(self.rows)  # dds: /weights
                return self

            def score(self, extra):
                value = self.weights + extra  # dds: /score
                return value
        """,
    ) == {
        ("/first", "/second"): "data",
        ("/second", "/weights"): "plain",
        ("/weights", "/score"): "data",
        ("/score", "/total"): "plain",
        ("/second", "/total"): "plain",
    }


def test_a_loop_joins_each_turn_with_its_own_steps_and_the_last(project):
    found = edges_of(
        project,
        main="""
        state = [0]
        parts = []
        for i in range(3):
            made = state + [i]  # dds: /made/{i}
            grown = made * 2 + [i]  # dds: /grown/{i}
            state = grown
            parts.append(grown)
        whole = sum(parts, [])  # dds: /whole
        """,
    )
    turns = {(f"/made/{i}", f"/grown/{i}"): "data" for i in range(3)}
    before = {(f"/grown/{i - 1}", f"/made/{i}"): "plain" for i in (1, 2)}
    assert found == {
        **turns,
        **before,
        **{(f"/grown/{i}", "/whole"): "plain" for i in range(3)},
    }


def test_the_branch_that_may_have_bound_it(project):
    assert edges_of(
        project,
        main="""
        import sys
        base = [1, 2, 3]  # dds: /base
        if len(sys.argv) > 5:
            chosen = base[:1]  # dds: /few
        else:
            chosen = base[1:]  # dds: /many
        out = chosen + [1]  # dds: /out
        """,
    ) == {("/base", "/many"): "data", ("/many", "/out"): "data"}


def test_rebinding_the_same_name(project):
    assert edges_of(
        project,
        main="""
        x = [1]  # dds: /one
        x = x + [2]  # dds: /two
        x = x + [3]  # dds: /three
        """,
    ) == {("/one", "/two"): "data", ("/two", "/three"): "data"}


def test_keep_takes_values_of_steps(project):
    assert edges_of(
        project,
        main="""
        import ddsimport

        rows = ddsimport.keep("/rows", list, range(30))
        count = ddsimport.keep("/count", len, rows)
        for name in "ab":
            ddsimport.keep(f"/each/{name}", str.upper, name)
        out = count + 1  # dds: /out
        """,
    ) == {("/rows", "/count"): "data", ("/count", "/out"): "data"}


def test_keep_names_its_inputs_as_the_function_does(project):
    """Small values are no sign of where they come from: `1` may come from anywhere."""
    assert edges_of(
        project,
        helpers="""
        def shifted(by, number):
            return number + by
        """,
        main="""
        import helpers
        import ddsimport
        from helpers import shifted

        @ddsimport.data_function("/one")
        def one():
            return 1

        def twice(number, *, more=0):
            return number * 2 + more

        def main():
            two = ddsimport.keep("/two", twice, one())
            three = ddsimport.keep("/three", shifted, two, 1)
            ddsimport.keep("/four", helpers.shifted, number=three, by=1)
            ddsimport.keep("/five", twice, 2, more=two)

        main()
        """,
    ) == {
        ("/one", "/two"): "data",
        ("/two", "/three"): "data",
        ("/three", "/four"): "data",
        ("/two", "/five"): "data",
    }


def test_values_that_come_through_a_module_without_steps(project):
    assert edges_of(
        project,
        steps="""
        def raw():  # dds: /raw
            return 1
        """,
        loaders="""
        from steps import raw

        def loaded():
            return raw()
        """,
        main="""
        import loaders
        from loaders import loaded

        one = loaded()
        a = one + 1  # dds: /a
        other = loaders.loaded()
        b = other + 1  # dds: /b
        """,
    ) == {("/raw", "/a"): "plain", ("/raw", "/b"): "plain"}


def test_moved_lines_and_an_unkept_step(project):
    project.write(
        main="""
        import threading

        a = [1, 2]  # dds: /a
        lock = (threading.Lock(), a)  # dds: /lock
        b = len(a)  # dds: /b
        """
    )
    project.run()
    assert between_steps(drawn(project)) == {("/a", "/lock"): "data", ("/a", "/b"): "data"}
    project.edit("main.py", "import threading", "import threading\n\n# more\n\n")
    project.run()
    assert between_steps(drawn(project)) == {("/a", "/lock"): "data", ("/a", "/b"): "data"}


def test_inputs_files_code_and_environment(project):
    project.write(
        main="""
        import os
        LIMIT = 3
        def read(name):
            with open(name) as file:
                return file.read()[:LIMIT] + os.environ["WINE"]
        depth = 7
        text = read("data.txt") * depth  # dds: /text
        """
    )
    (project.root / "data.txt").write_text("hello")
    project.run(environment={"WINE": "red"})
    graph = drawn(project)
    assert {edge.source for edge in graph.edges if edge.target == "step:/text"} == {
        "input:/text:depth",
        "input:main.LIMIT"
        if "input:main.LIMIT" in {n.id for n in graph.nodes}
        else "input:__main__.LIMIT",
        "input:$WINE",
        "file:data.txt",
        "code:main.py:read",
    }
    labels = {node.id: (node.label, node.detail) for node in graph.nodes}
    assert labels["input:/text:depth"] == ("depth", "7")
    assert labels["input:$WINE"] == ("$WINE", ""), "drawn as `$WINE`, not as `$WINE = …`"


def test_what_libraries_ask_for_is_not_drawn(project):
    """To import pandas asks for some thirty variables that nobody has set."""
    project.write(
        main="""
        import os
        def read():
            asked = [os.environ.get("_".join(["PANDAS", word])) for word in ("MODE", "SET")]
            os.listdir(os.path.dirname(os.__file__))
            return asked + [os.environ.get("WINE")]
        text = read()  # dds: /text
        """
    )
    project.run(environment={"PANDAS_SET": "1"})
    store = Store.open(str(project.root / ".dds"))
    past = Past(store, str(project.root))
    sources = {edge.source for edge in graph_of(past, past.runs[0]).edges}
    assert sources == {"input:$PANDAS_SET", "input:$WINE", "code:main.py:read"}
    told = Details(past, past.runs[0]).of("/text")
    assert sorted(told["environment"]) == ["PANDAS_SET", "WINE"]
    assert told["files"] == []


def test_many_evaluations_of_a_step_are_one_node(project):
    project.write(
        main=f"""
        parts = []
        for i in range({MOST_ALIKE + 4}):
            part = [i]  # dds: /part/{{i}}
            parts.append(part)
        for i in range(3):
            few = [i] * 2  # dds: /few/{{i}}
        whole = sum(parts, [])  # dds: /whole
        """
    )
    project.run()
    graph = drawn(project)
    together = graph.together()
    steps = {node.label: node for node in together.nodes if node.kind == "step"}
    assert set(steps) == {"/part/…", "/few/0", "/few/1", "/few/2", "/whole"}
    assert [each.path for each in steps["/part/…"].members] == [
        f"/part/{i}" for i in range(MOST_ALIKE + 4)
    ]
    assert between_steps(together) == {("/part/*", "/whole"): "plain"}
    assert len(together.edges) < len(graph.edges)
    everywhere = {node.id for node in together.nodes}
    assert all(e.source in everywhere and e.target in everywhere for e in together.edges)


def test_two_steps_of_one_loop_in_one_folder_stay_two_nodes(project):
    project.write(
        main=f"""
        whole = 0
        for i in range({MOST_ALIKE + 1}):
            one = i * 10  # dds: /part/one{{i}}
            other = one + i  # dds: /part/{{i}}.json
            third = one - i  # dds: /part/third{{i}}.json
            whole += other
        """
    )
    project.run()
    together = drawn(project).together()
    steps = [node for node in together.nodes if node.kind == "step"]
    assert [node.label for node in steps] == ["/part/one…", "/part/….json", "/part/third….json"]
    one, other, third = (node.id.removeprefix("step:") for node in steps)
    assert between_steps(together) == {(one, other): "data", (one, third): "data"}


def test_a_long_loop_does_not_hide_the_other_steps(project):
    project.write(
        main="""
        first = [0]  # dds: /first
        for i in range(400):
            part = [i]  # dds: /part/{i}
        last = first + part  # dds: /last
        """
    )
    project.run()
    found = between_steps(drawn(project))
    assert found[("/first", "/last")] == "data"
    assert found[("/part/399", "/last")] == "data"


def test_what_is_connected(project):
    project.write(
        main="""
        a = [1]  # dds: /a
        b = a + [2]  # dds: /b
        c = b + [3]  # dds: /c
        d = a + [4]  # dds: /d
        """
    )
    project.run()
    labels = {node.label for node in drawn(project).connected("/b").only_steps().nodes}
    assert labels == {"/a", "/b", "/c"}


def test_a_text_that_is_gone_is_no_error(project):
    project.write(main="a = [1]  # dds: /a\nb = a + [2]  # dds: /b\n")
    project.run()
    os.remove(project.root / "main.py")
    assert between_steps(drawn(project)) == {("/a", "/b"): "data"}
    (project.root / "main.py").write_text("def (\n")
    assert between_steps(drawn(project)) == {("/a", "/b"): "data"}


@pytest.mark.parametrize("text", ["def f(:", "x = (", "\0", "match x:\n case 1: pass\n"])
def test_texts_of_all_sorts_are_read(text):
    from ddsimport.report.givers import Flow

    flow = Flow({"a.py": text})
    assert flow.step("a.py", 1, "x", "/x") is None
    assert flow.step("other.py", 1, "x", "/x") is None
