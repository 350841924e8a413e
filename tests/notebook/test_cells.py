"""The text that is put together from the cells of a session, and its facts."""

from __future__ import annotations

import ast
import os
from types import CodeType, ModuleType

import pytest

from ddsimport.analysis.facts import Facts, record_of
from ddsimport.analysis.joined import joined
from ddsimport.source import cells
from ddsimport.source.cells import Cells
from ddsimport.source.chunks import Cell


class Shell:
    """Runs cells as a shell does: a statement is compiled when it is about to run."""

    def __init__(self) -> None:
        self.main = ModuleType("__main__")
        self.cells = Cells(self.main, "/nowhere/a.ipynb", "a")
        self.number = 0

    def run(self, text: str, name: str | None = None, fails_at: int | None = None) -> Cell:
        self.number += 1
        tree = ast.parse(text)
        cell = Cell(name or f"<cell {self.number}>", f"In [{self.number}]", text, tree)
        self.cells.add(cell)
        for position, node in enumerate(tree.body):
            self.cells.begin(c for c in cell.chunks if c.first <= node.lineno <= c.last)
            if position == fails_at:
                break
            code = compile(ast.Module([node], []), name or f"<cell {self.number}>", "exec")
            if not cell.name:
                self.cells.claim(code, cell)
            exec(code, vars(self.main))
        self.cells.end(fails_at is None)
        return cell

    @property
    def text(self) -> str:
        return self.cells.text_of(self.cells.file) or ""

    def line_at(self, code: CodeType) -> str:
        """The line that the text of the session has where a code object begins."""
        cell = self.cells.cell_of(code)
        assert cell is not None
        file, line = self.cells.place_in(cell, code.co_firstlineno)
        return (self.cells.text_of(file) or "").split("\n")[line - 1]


@pytest.fixture
def shell() -> Shell:
    return Shell()


def test_a_later_binding_takes_the_place_of_the_former(shell: Shell) -> None:
    shell.run("x = 1\ndef f():\n    return 1\nprint(x)")
    shell.run("def f():\n    return 2")
    shell.run("x = 2")
    assert shell.text == "print(x)\ndef f():\n    return 2\nx = 2\n"


def test_what_reads_its_name_or_may_not_run_leaves_the_former(shell: Shell) -> None:
    first = "def f():\n    return 1\n"
    for after in ("f = list([f])", "if x:\n    f = 2", "f: int", "import f.g", "x, y = f, 2"):
        shell = Shell()
        shell.main.x = shell.main.f = 0  # type: ignore[attr-defined]
        shell.run(first)
        if "import" in after:
            with pytest.raises(ImportError):
                shell.run(after)
        else:
            shell.run(after)
        assert shell.text == first + after + "\n"


def test_of_several_names_the_last_counts(shell: Shell) -> None:
    shell.run("a, b = 1, 2")
    shell.run("a = 3")
    assert shell.text == "a, b = 1, 2\na = 3\n"
    shell.run("del b")
    assert shell.text == "a = 3\ndel b\n"


def test_the_same_statement_counts_once_and_where_it_ran_last(shell: Shell) -> None:
    shell.run("import os\nprint(1)")
    shell.run("print(2)")
    shell.run("# again\nprint(1)")
    assert shell.text == "import os\nprint(2)\n# again\nprint(1)\n"


def test_of_a_cell_that_fails_both_count(shell: Shell) -> None:
    shell.run("def f():\n    return 1")
    shell.run("x = 1\ndef f():\n    return 2\ny = 2", fails_at=1)
    assert shell.text == "def f():\n    return 1\nx = 1\ndef f():\n    return 2\n"
    before = shell.text
    shell.cells.end(False)  # a cell that is no Python
    assert shell.text == before


def test_magics_do_not_count_but_what_they_give_does(shell: Shell) -> None:
    shell.main.get_ipython = lambda: shell  # type: ignore[attr-defined]
    shell.run("get_ipython().number\nx = get_ipython().number")
    assert shell.text == "x = get_ipython().number\n"


def test_code_is_found_in_the_text(shell: Shell) -> None:
    shell.run("import os\n\n# of f\ndef f():\n    return 1")
    f = shell.main.f
    assert shell.line_at(f.__code__) == "def f():"
    shell.run("@staticmethod\ndef g():\n    return 1\n\n\ndef h(): return lambda: 3")
    assert shell.line_at(shell.main.g.__wrapped__.__code__) == "@staticmethod"
    assert shell.line_at(shell.main.h().__code__) == "def h(): return lambda: 3"
    shell.run("def f():\n    return 2")
    assert shell.line_at(shell.main.f.__code__) == "def f():"
    assert shell.cells.file != shell.cells.place_in(shell.cells.cell_of(f.__code__), 4)[0]  # type: ignore[arg-type]
    assert shell.line_at(f.__code__) == "def f():"  # the old one, in the text of its cell
    shell.run("import os\n\n# of f\ndef f():\n    return 1", "<once more>")
    here = shell.cells.place_in(shell.cells.cell_of(f.__code__), 4)  # type: ignore[arg-type]
    assert here[0] == shell.cells.file  # its text is in force again


def test_two_cells_of_one_name_are_told_apart(shell: Shell) -> None:
    shell.run("def f():\n    return 1", "<cell>")
    shell.run("x = 1\n\ndef g():\n    return 1", "<cell>")
    assert shell.line_at(shell.main.f.__code__) == "def f():"
    assert shell.line_at(shell.main.g.__code__) == "def g():"


def test_equal_texts_have_equal_names_and_many_are_not_kept(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.run("x = 1")
    first = shell.cells.file
    other = Shell()
    other.run("x = 1")
    assert other.cells.file == first
    monkeypatch.setattr(cells, "_MOST_TEXTS", 4)
    for number in range(10):
        shell.run(f"x = {number}")
        assert shell.text == f"x = {number}\n"
    assert shell.cells.text_of(first) is None


def test_builtins_that_are_hidden_without_a_statement(shell: Shell) -> None:
    shell.run("x = 1")
    shell.main.sum = max  # type: ignore[attr-defined]
    shell.main.open = open  # type: ignore[attr-defined]  # IPython's own
    assert shell.text == "sum = sum\nx = 1\n"
    shell.run("sum = 3")
    assert shell.text == "x = 1\nsum = 3\n"


# --- facts ----------------------------------------------------------------------------------------

_FILES = ("abc", "bisect", "contextlib", "dataclasses", "fnmatch", "functools", "sched", "types")


@pytest.mark.parametrize("name", _FILES)
def test_the_facts_of_statements_are_those_of_the_file(name: str) -> None:
    with open(f"{os.path.dirname(os.__file__)}/{name}.py", encoding="utf-8") as file:
        text = file.read()
    cell = Cell("", "", text, ast.parse(text))
    chunks = [chunk for chunk in cell.chunks if "__all__" not in chunk.key]
    parts, lines = [], 0
    for chunk in chunks[1:]:  # without the docstring, which is one at the beginning only
        parts.append((lines, chunk.text))
        lines += chunk.text.count("\n")
    whole = Facts(record_of("".join(part for _, part in parts)))
    made = joined([(before, Facts(record_of(part))) for before, part in parts])
    if whole.alone is None:  # `nonlocal`, `from m import *`
        assert made is None
    else:
        assert made is not None
        assert {**made.record, "alone": 0} == {**whole.record, "alone": 0}


@pytest.mark.parametrize(
    "statements",
    [
        ["from m import *\n", "def f(x):\n    return getattr(x, 'a')\n"],
        ["__all__ = ['f']\n", "def f():\n    return 1\n"],
        ["def getattr(x, y):\n    return x\n", "def f(x):\n    return getattr(x, 'a')\n"],
        ["k = 1\n", "class C:\n    k = k\n"],
        ["def f():\n    m = g.h\n    def i():\n        nonlocal m\n    return m.a\n"],
    ],
)
def test_where_statements_take_from_others_the_text_is_analysed_whole(
    statements: list[str],
) -> None:
    parts = []
    for number, text in enumerate(statements):
        parts.append((number, Facts(record_of(text))))
    assert joined(parts) is None
