"""The shell's compiler, which sees each cell as text and tree, and each statement before it runs.

IPython parses all code by `shell.compile.ast_parse` (also the bodies of `%%time`), and compiles
statement after statement by calling `shell.compile`, each when it is about to run. So the class of
that object is swapped for one that is made of it and does what follows besides. `%run` compiles a
script by the function `compile`, so there that name is given to one of ours.
"""

from __future__ import annotations

import ast
import linecache
import os
import sys
from importlib import import_module

from ddsimport.errors import PragmaError
from ddsimport.runtime.installed import note_cell
from ddsimport.source import tracked
from ddsimport.source.chunks import Cell
from ddsimport.source.loader import decoded, may_hold_pragma, warn_unmarked
from ddsimport.source.rewrite import RUNTIME, rewrite, rewrite_cell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ddsimport.source.cells import Cells

_CELL = "_ddsimport_cell"
"""The attribute of a parsed statement that says which cell it is from."""

_NOT_RUN = frozenset({"timeit"})
"""Magics that parse code to run it somewhere else, over and over: what they measure is the code."""


def follow(shell: Any, session: Cells) -> None:
    """Have the cells of a shell prepared from now on."""
    kind = type(shell.compile)
    following: Any = type(kind.__name__, (_Following, kind), {"_session": session, "_kind": kind})
    shell.compile.__class__ = following
    shell.compiler_class = following  # for code that must not see this one's `__future__` imports
    for module in _running_scripts():
        module.compile = _compile


def leave(shell: Any) -> None:
    """Give the shell its own compiler back."""
    kind = getattr(type(shell.compile), "_kind", None)
    if kind is not None:
        shell.compile.__class__ = kind
        shell.compiler_class = kind
    for module in _running_scripts():
        vars(module).pop("compile", None)


def _running_scripts() -> Iterator[Any]:
    """The modules of IPython that run a script: one up to version 9.10 or so, another since."""
    for name in ("IPython.core.interactiveshell", "IPython.utils.py3compat"):
        if name in sys.modules:
            yield sys.modules[name]


def _compile(source: Any, filename: Any, mode: str, *rest: Any, **more: Any) -> Any:
    """The function `compile`, which prepares the steps of scripts.

    Raises:
        PragmaError: a pragma is malformed or misplaced.
    """
    prepared = _of_script(source, filename) if mode == "exec" else source
    return compile(prepared, filename, mode, *rest, **more)


def cells_before(shell: Any) -> Iterator[Cell]:
    """The cells that a shell has run already, in order; nobody knows how they ended."""
    numbers: dict[str, int] = shell.compile._filename_map
    for name, number in sorted(numbers.items(), key=lambda pair: pair[1]):
        if number == shell.execution_count:
            continue  # it runs now
        text = "".join(linecache.getlines(name))
        try:
            tree = ast.parse(text)
        except SyntaxError:
            continue
        yield Cell(name, f"In [{number}]", text, tree)
        note_cell(text.encode("utf-8", "surrogatepass"))


def take_over(shell: Any, session: Cells) -> None:
    """Handle the rest of the cell that runs now, which was parsed before its compiler was ours: its
    statements are compiled one by one, and are still to come.

    Raises:
        PragmaError: see `source.rewrite.rewrite`.
    """
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != "run_ast_nodes":
        frame = frame.f_back
    if frame is None or frame.f_locals.get("compiler") is not shell.compile:
        return  # at the start of the shell
    nodes, name = frame.f_locals["nodelist"], frame.f_locals["cell_name"]
    tree = ast.Module(list(nodes), [])
    shell.compile._prepare(tree, "".join(linecache.getlines(name)), name)


class _Following:
    """Mixed into a class of compilers (see `codeop.Compile`)."""

    _session: Cells
    _kind: type

    def ast_parse(
        self, source: Any, filename: str = "<unknown>", symbol: str = "exec"
    ) -> ast.Module:
        """The tree of a cell, with its steps.

        Raises:
            PragmaError, SyntaxError: as `source.rewrite.rewrite`.
        """
        plain: Any = super()
        tree: ast.Module = plain.ast_parse(source, filename, symbol)
        if symbol != "exec" or not isinstance(source, str):
            return tree
        if sys._getframe(1).f_code.co_name in _NOT_RUN:
            return tree
        try:
            self._prepare(tree, source, filename)
        except PragmaError as error:
            raise error.with_traceback(None) from None
        except Exception as error:  # a failure of ours: plain Python, then
            warn_unmarked(self._title(filename), error)
            tree = plain.ast_parse(source, filename, symbol)  # the other may be half rewritten
        return tree

    def __call__(self, source: Any, filename: str, *rest: Any, **more: Any) -> Any:
        """The code of a statement that is about to run.

        Raises:
            SyntaxError: it may stand in no cell.
        """
        compile_: Any = super().__call__  # type: ignore[misc]  # of the class it is mixed into
        if not isinstance(source, ast.AST):  # `ipython script.py` has bytes compiled
            return compile_(_of_script(source, filename), filename, *rest, **more)
        cell, nodes = _cell_of(source)
        code = compile_(source, filename, *rest, **more)
        if cell is not None:
            self._begin(cell, nodes, code)
        return code

    def _prepare(self, tree: ast.Module, source: str, filename: str) -> None:
        """Know a cell, and put its steps in place in its tree."""
        name = "" if filename == "<unknown>" else filename
        cell = Cell(name, self._title(filename), source, tree)
        data = source.encode("utf-8", "surrogatepass")
        if may_hold_pragma(data):
            cell.has_steps = rewrite_cell(tree, source, filename)
        self._session.add(cell)
        note_cell(data)
        for node in tree.body:
            setattr(node, _CELL, cell)
            if isinstance(node, ast.Expr):
                setattr(node.value, _CELL, cell)  # `%%time` takes the value of the last one out

    def _title(self, filename: str) -> str:
        """`In [3]`: what the shell calls the cell."""
        number = getattr(self, "_filename_map", {}).get(filename)
        return f"In [{number}]" if number is not None else "a cell"

    def _begin(self, cell: Cell, nodes: list[ast.stmt | ast.expr], code: Any) -> None:
        session = self._session
        lines = {node.lineno for node in nodes if hasattr(node, "lineno")}
        session.begin(
            chunk for chunk in cell.chunks if any(chunk.first <= at <= chunk.last for at in lines)
        )
        if not cell.name:
            session.claim(code, cell)
        if cell.has_steps:
            # Each time: `%reset` empties the namespace.
            vars(session.main)["__dds__"] = import_module(RUNTIME)


def _cell_of(tree: ast.AST) -> tuple[Cell | None, list[ast.stmt | ast.expr]]:
    """The cell that a tree about to be compiled is from, and its statements."""
    body = getattr(tree, "body", [])
    nodes = body if isinstance(body, list) else [body]
    for node in nodes:
        cell = getattr(node, _CELL, None)
        if cell is not None:
            return cell, nodes
    return None, []


def _of_script(source: Any, named: Any) -> Any:
    """What to compile for the text of a script: its tree with its steps, if it has any.

    Raises:
        PragmaError: a pragma is malformed or misplaced.
    """
    filename = os.fspath(named) if isinstance(named, os.PathLike) else named
    if not isinstance(source, bytes) or not isinstance(filename, str):
        return source
    if not tracked.is_tracked(filename) or not may_hold_pragma(source):
        return source
    tracked.note(filename, "__main__", loads_again=True)
    try:
        return rewrite(decoded(source), filename)
    except PragmaError as error:
        raise error.with_traceback(None) from None
    except SyntaxError:
        return source  # the shell's own words for it
    except Exception as error:
        warn_unmarked(filename, error)
        return source
