"""Global random states: a program with hits draws what it would without them."""

from __future__ import annotations

import pytest

PYTHON = {
    "draw": "random.random()",
    "set": "random.seed({})",
    "import": "import random",
}
NUMPY = {
    "draw": "float(np.random.rand())",
    "set": "np.random.seed({})",
    "import": "import numpy as np",
}
LIBRARIES = {"random": PYTHON, "numpy": NUMPY}


def program(library, seed, body):
    lines = LIBRARIES[library]
    draw = lines["draw"]
    return f"{lines['import']}\n{seed}\ndef f():\n    return {draw}\n{body}".replace("DRAW", draw)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", ["at the top", "in a function", "in another module"])
def test_what_is_drawn_after_a_hit(project, library, way):
    lines = LIBRARIES[library]
    at_one = lines["set"].format(1)
    seeds = {
        "at the top": at_one,
        "in a function": f"def start(n):\n    {lines['set'].format('n')}\nstart(1)",
        "in another module": "import seeding\nseeding.start(1)",
    }
    body = "x = f()  # dds: /x\ny = f()  # dds: /y\nprint(x, y, DRAW)\n"
    project.write(
        main=program(library, seeds[way], body),
        seeding=f"{lines['import']}\ndef start(n):\n    {lines['set'].format('n')}\n",
    )
    assert project.same().statuses == {"/x": "computed", "/y": "computed"}
    again = project.same(environment={"PYTHONHASHSEED": "5"})
    assert again.statuses == {"/x": "hit", "/y": "hit"}
    project.edit("main.py", "(1)", "(2)")
    assert project.same().evaluated() == {"/x", "/y"}
    project.edit("main.py", "(2)", "(1)")
    assert project.same().evaluated() == set()


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_step_that_seeds_itself(project, library):
    lines = LIBRARIES[library]
    project.write(
        main=f"""
        {lines["import"]}
        def f(n):
            {lines["set"].format("n")}
            return {lines["draw"]}
        x = f(3)  # dds: /x
        print(x, {lines["draw"]})
        """
    )
    assert project.same().statuses == {"/x": "computed"}
    assert project.same().statuses == {"/x": "hit"}


@pytest.mark.parametrize("library", LIBRARIES)
def test_unseeded_it_is_kept_and_said(project, library):
    project.write(main=program(library, "", "x = f()  # dds: /x\nprint(x)\n"))
    first = project.run()
    assert "not" not in first.stdout
    assert "random numbers" in first.steps[0]["reason"]
    again = project.run()
    assert again.statuses == {"/x": "hit"}
    assert again.stdout == first.stdout


def test_a_program_that_begins_to_seed(project):
    project.write(
        main="""
        import random, helper
        helper.start()
        def f():
            return random.random()
        x = f()  # dds: /x
        """,
        helper="import random\ndef start():\n    pass\n",
    )
    project.run()
    assert project.run().statuses == {"/x": "hit"}
    project.edit("helper.py", "pass", "random.seed(1)")
    assert project.same().statuses == {"/x": "computed"}


def test_a_hit_inside_a_step(project):
    project.write(
        main="""
        import random
        random.seed(1)
        def inner(n):  # dds: /inner/{n}
            return random.random()
        def outer():
            return inner(1) + random.random()
        inner(1)
        x = outer()  # dds: /x
        print(x, random.random())
        """
    )
    project.same()
    assert project.same().evaluated() == set()
    project.edit("main.py", "+ random", "- random")
    project.same()
    project.same()


def test_seeding_is_what_it_was(project):
    project.write(
        main="""
        import random
        before = random.seed
        def f():
            random.seed(1)
            return random.seed.__name__, callable(random.seed)
        x = f()  # dds: /x
        print(x, random.seed is before)
        """
    )
    project.same()
    project.same()
