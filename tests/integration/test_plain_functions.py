"""`keep`, `eval`, `data_function` and `load`: steps without a pragma, under plain `python`."""

from __future__ import annotations

import pytest

PROGRAM = """
    import ddsimport
    from helpers import double

    @ddsimport.data_function("/numbers")
    def numbers():
        print("numbers")
        return [1, 2, 3]

    def total(xs, factor=1):
        print("total")
        return sum(double(x) for x in xs) * factor

    def pipeline():
        return ddsimport.keep("/total", total, numbers(), factor=2)

    print(ddsimport.eval(pipeline), ddsimport.load("/total"))
"""


@pytest.fixture
def program(project):
    project.write(main=PROGRAM, helpers="def double(x):\n    return x * 2\n")
    return project


def _evaluated(project):
    ended = project.plain("main.py", environment={"DDSIMPORT_REPORT": str(project.root / "r.json")})
    assert ended.code == 0, ended.stderr
    import json

    steps = json.loads((project.root / "r.json").read_text())["steps"]
    return ended.stdout, {step["path"] for step in steps if step["status"] != "hit"}


def test_they_are_steps(program):
    assert _evaluated(program) == ("numbers\ntotal\n24 24\n", {"/numbers", "/total"})
    assert _evaluated(program) == ("numbers\ntotal\n24 24\n", set())


def test_the_code_they_reach_and_their_arguments_count(program):
    _evaluated(program)
    program.edit("helpers.py", "x * 2", "x * 3")
    assert _evaluated(program) == ("numbers\ntotal\n36 36\n", {"/total"})
    program.edit("main.py", "factor=2", "factor=3")
    assert _evaluated(program) == ("numbers\ntotal\n54 54\n", {"/total"})


def test_a_step_that_loads_depends_on_what_it_loads(project):
    project.write(
        first="import ddsimport, sys\nddsimport.keep('/first', lambda: int(sys.argv[1]))\n",
        main="""
        import ddsimport
        def f():
            return ddsimport.load("/first") + 1
        x = f()  # dds: /x
        print(x)
        """,
    )
    project.write(first="import ddsimport\nddsimport.keep('/first', lambda: 1)\n")
    project.plain("first.py")
    assert project.run().stdout == "2\n"
    assert project.run().evaluated() == set()
    project.edit("first.py", "1)", "5)")
    project.plain("first.py")
    again = project.run()
    assert (again.stdout, again.evaluated()) == ("6\n", {"/x"})


def test_what_is_wrong_is_said(project):
    project.write(
        main="""
        import ddsimport
        for wrong in ("relative", "/a/../b", "/"):
            try:
                ddsimport.keep(wrong, int)
            except ValueError as error:
                print(error)
        ddsimport.keep("/right", int)
        try:
            ddsimport.load("/rigth")
        except LookupError as error:
            print(error)
        """
    )
    said = project.plain().stdout.splitlines()
    assert len(said) == 4
    assert "/right" in said[-1]


def test_what_a_function_raises_names_no_error_of_ours(project):
    project.write(
        main="""
        import ddsimport

        def first(file):
            raise ValueError(file.readline())

        try:
            ddsimport.keep("/first", first, open(__file__))
        except ValueError as error:
            print(error.__context__)
        """
    )
    ended = project.plain("main.py")
    assert (ended.code, ended.stdout) == (0, "None\n"), ended.stderr


def test_a_function_of_no_file(project):
    ended = project.python("-c", "import ddsimport\nprint(ddsimport.keep('/x', lambda: 1))")
    assert (ended.returncode, ended.stdout) == (0, "1\n"), ended.stderr
    assert "its code is in no file" in ended.stderr


@pytest.mark.parametrize("first", [True, False], ids=["ours first", "the helper first"])
@pytest.mark.parametrize("imported", ["from {} import keep", "import {} as dds"])
@pytest.mark.parametrize("module", ["ddsimport", "ddsimport.dds"])
def test_a_file_edited_while_the_program_runs(project, module, imported, first):
    """The code that runs is the old one; its value must not be kept under the new text."""
    imports = [imported.format(module), "import helper"]
    call = "keep" if "keep" in imported else "dds.keep"
    project.write(
        main=f"""
        import pathlib, sys, time

        def write(number):
            text = f"def g():\\n    return {{number}}\\n"
            pathlib.Path(__file__).with_name("helper.py").write_text(text)

        write(sys.argv[1])
        {"; ".join(imports if first else imports[::-1])}
        time.sleep(0.05)
        write(sys.argv[2])
        print({call}("/x", helper.g))
        """,
    )
    for before, after in (("1", "22"), ("22", "22"), ("1", "22")):
        assert project.plain("main.py", before, after).stdout == f"{before}\n"
