"""What moves a signature and what does not: edits of whole programs, against plain Python.

Every case is a program of several modules, an edit, and whether the step must run again. After each
edit the output must be plain Python's; and an unchanged run in between must be all hits, so that a
key that is merely unstable cannot pass.
"""

from __future__ import annotations

import pytest
from projects import programs

MUST_NOT = {
    "comment": ("a.py", "return v + 1", "return v + 1  # one more"),
    "docstring": ("a.py", "def g(v):\n", 'def g(v):\n    """One more."""\n'),
    "parentheses": ("a.py", "return v + 1", "return (v + 1)"),
    "number spelling": ("a.py", "return v + 1", "return v + 0x1"),
    "annotation": ("a.py", "def g(v):", "def g(v: int) -> int:"),
    "lines moved": ("a.py", "def g(v):", "\n\n\ndef g(v):"),
    "unrelated function": ("a.py", "return -v", "return +v"),
    "unrelated constant": ("a.py", "UNUSED = 1", "UNUSED = 2"),
    "unused import": ("a.py", "UNUSED = 1", "import json\nUNUSED = 1"),
    "quotes": ("a.py", "'key'", '"key"'),
    "trailing comma": ("a.py", "('key', 2)", "('key', 2,)"),
    "new function": ("a.py", "UNUSED = 1", "UNUSED = 1\ndef new():\n    return g(3)"),
    "step moved": ("main.py", "x = f(1)", "\n\nx = f(1)"),
}
QUIET = {
    "main": """
        from a import f
        x = f(1)  # dds: /x
        print(x)
    """,
    "a": """
        UNUSED = 1

        def g(v):
            return v + 1

        def f(v):
            return g(v), ('key', 2)

        def unrelated(v):
            return -v
    """,
}


@pytest.mark.parametrize("program", programs("must_evaluate_again.txt"))
def test_must_evaluate_again(project, program):
    project.write_files(program.files)
    project.same()
    unchanged = project.same(environment={"PYTHONHASHSEED": "7"})
    assert unchanged.evaluated() == set(), unchanged.steps
    project.edit(*program.edit)
    assert project.same().evaluated() == {"/x"}
    assert project.same().evaluated() == set()


@pytest.mark.parametrize("program", programs("must_not_evaluate_again.txt"))
def test_must_not_evaluate_again_for_nothing(project, program):
    project.write_files(program.files)
    assert project.same().statuses == {"/x": "computed"}
    project.edit(*program.edit)
    assert project.same(environment={"PYTHONHASHSEED": "7"}).evaluated() == set()


@pytest.mark.parametrize("case", MUST_NOT)
def test_must_not_evaluate_again(project, case):
    project.write(**QUIET)
    project.same()
    project.edit(*MUST_NOT[case])
    assert project.same().evaluated() == set()


def test_a_pydantic_model_counts_by_its_fields_and_validators(project):
    pytest.importorskip("pydantic")
    project.write(
        main="""
        from a import M, f
        m = M(n=3)
        x = f(m)  # dds: /x
        y = M(n="4").n  # dds: /y
        print(x, y)
        """,
        a="""
        from pydantic import BaseModel, field_validator
        class M(BaseModel):
            n: int
            @field_validator("n")
            @classmethod
            def check(cls, v):
                return v + 1
        def f(m):
            return m.n
        """,
    )
    project.same()
    assert project.same(environment={"PYTHONHASHSEED": "7"}).evaluated() == set()
    project.edit("a.py", "v + 1", "v + 2")
    assert project.same().evaluated() == {"/x", "/y"}
    project.edit("a.py", "n: int", "n: float")
    assert project.same().evaluated() == {"/x", "/y"}


def test_only_what_is_read_of_a_variable_counts(project):
    project.write(
        main="""
        cfg = {"a": 1, "b": 1}
        class Options:
            def __init__(self):
                self.depth, self.verbose = 3, 0
        options = Options()
        def f(v):
            return v
        x = f(cfg["a"])  # dds: /x
        y = f(options.depth)  # dds: /y
        print(x, y, cfg, options.verbose)
        """
    )
    project.same()
    project.edit("main.py", '"b": 1', '"b": 2')
    project.edit("main.py", "= 3, 0", "= 3, 1")
    assert project.same().evaluated() == set()
    project.edit("main.py", '"a": 1', '"a": 2')
    assert project.same().evaluated() == {"/x"}


def test_ignored_inputs_do_not_count(project):
    project.write(
        main="""
        verbose = 0
        def f(v, verbose):
            return v
        x = f(1, verbose)  # dds: /x  ignore=verbose
        def main(quiet):
            y = f(2, verbose=quiet)  # dds: /y  ignore=quiet
            print(x, y)
        main(0)
        """
    )
    project.same()
    project.edit("main.py", "verbose = 0", "verbose = 1")
    project.edit("main.py", "main(0)", "main(1)")
    assert project.same().evaluated() == set()


def test_text_under_ignore_does_not_count(project):
    project.write(
        main="""
        LEVEL = 1  # dds: ignore
        def log(v):  # dds: ignore
            return None
        def f(v):
            log(v)
            return [v, LEVEL][0]
        x = f(1)  # dds: /x
        print(x)
        """
    )
    project.same()
    project.edit("main.py", "LEVEL = 1", "LEVEL = 2")
    project.edit("main.py", "return None", "return v")
    assert project.same().evaluated() == set()


def test_of_a_locally_imported_module_only_what_is_used_counts(project):
    project.write(
        main="""
        def main():
            import a
            x = a.g(1)  # dds: /x
            print(x)
        main()
        """,
        a="""
        def g(v):
            return v + 1
        def unrelated(v):
            return v + 10
        """,
    )
    project.same()
    project.edit("a.py", "v + 10", "v + 20")
    assert project.same().evaluated() == set()


def test_the_version_of_an_installed_package_counts_where_it_is_used(project):
    site = project.root / "site-packages"
    for name, version in (("used", "1.0"), ("other", "1.0")):
        (site / f"{name}-{version}.dist-info").mkdir(parents=True)
        (site / f"{name}-{version}.dist-info" / "METADATA").write_text(f"Name: {name}\n")
        (site / f"{name}-{version}.dist-info" / "RECORD").write_text(f"{name}.py,,\n")
        (site / f"{name}.py").write_text("def g(v):\n    return v + 1\n")
    project.write(
        main="""
        import sys
        sys.path.append("site-packages")
        import used, other
        def f(v):
            return used.g(v)
        x = f(1)  # dds: /x
        print(x, other.g(1))
        """
    )
    project.same()
    assert project.same().evaluated() == set()
    (site / "other-1.0.dist-info").rename(site / "other-2.0.dist-info")
    assert project.same().evaluated() == set()
    (site / "used-1.0.dist-info").rename(site / "used-2.0.dist-info")
    assert project.same().evaluated() == {"/x"}


def test_a_function_moved_to_another_file_is_the_same_function(project):
    project.write(**QUIET)
    project.same()
    project.write(
        a="from b import g\n\ndef f(v):\n    return g(v), ('key', 2)\n",
        b="def g(v):\n    return v + 1\n",
    )
    assert project.same().evaluated() == set()


def test_swapped_helpers_of_one_name(project):
    project.write(
        main="import a, b\ndef f(v):\n    return a.h(v) - b.h(v)\nx = f(1)  # dds: /x\nprint(x)",
        a="def h(v):\n    return v + 1",
        b="def h(v):\n    return v + 2",
    )
    project.same()
    project.write(a="def h(v):\n    return v + 2", b="def h(v):\n    return v + 1")
    assert project.same().evaluated() == {"/x"}
