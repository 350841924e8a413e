"""The walk's idea of what is global, against CPython's own: the compiler and `symtable`."""

# ruff: noqa: E501 - the texts under test stay on one line, as a table

from __future__ import annotations

import ast
import dis
import glob
import os
import symtable
import warnings
from collections.abc import Iterator
from types import CodeType

import pytest
from quoted_names import quoted_names

from ddsimport.analysis.facts import DEF_LAST, DEF_REFERENCES, facts_of

LIBRARY = os.path.dirname(os.__file__)
FILES = sorted(glob.glob(f"{LIBRARY}/*.py"))[::2] + sorted(glob.glob(f"{LIBRARY}/asyncio/*.py"))

CONSTRUCTS = """
import os.path as where
from re import compile as build
LIMIT = 3

def params(a, /, b, *c, d=LIMIT, **e): return a, b, c, d, e, f

def assigned():
    x = 1
    (y, [z, *w]) = v
    for i, j in k: pass
    with l as m, n as (o, p): pass
    try: q
    except r as s: s
    import t.u
    from t import v2 as v3
    del gone
    return x, y, z, w, i, j, m, o, p, t, v3, s

def nested(x):
    def inner():
        nonlocal x
        x = y
        global g
        g = 1
        def innermost(): return x, g, z
    z = 1
    return inner

def comprehensions(rows):
    a = [x for x in rows for y in x if y if outer1]
    b = {k: v for k, v in items(rows)}
    c = (lambda x: x + free)(x for x in first)
    if (w := a): return w, [last := q for q in a], last
    return x

def matched(v):
    match v:
        case P(b=[c, *d], e=(1 | 2) as f) if guard: return c, d, f, v
        case {"k": c, **g}: return g
        case Q.R: return h

class Outer(Base, metaclass=Meta):
    LIMIT = LIMIT
    own = 1
    listed = [own for _ in range(own)]
    def method(self, x=own): return own, __private, self.__hidden, __class__, super()
    class Inner(own): y = own
    def decorated(self): pass
    decorated = wrapper(decorated)

def forward():
    return later()
def later(): pass

async def awaiting(a):
    async for b in a: await c
    async with d as e: yield e, f

def strings(x): return f"{x!r:>{width}} {(lambda: name)()}"
"""


def _loaded(code: CodeType) -> set[str]:
    """The globals that a function's bytecode loads, nested functions included."""
    found = {i.argval for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL"}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= _loaded(constant)
    return found


def _known(table: symtable.SymbolTable) -> set[str]:
    """The names that the symbol table has as global (`x += 1` reads them too)."""
    found = {s.get_name() for s in table.get_symbols() if s.is_global()}
    if table.get_type() == "class":  # read before the class binds it
        found |= {s.get_name() for s in table.get_symbols() if s.is_referenced()}
    for child in table.get_children():
        found |= _known(child)
    return found


def _functions(code: CodeType, prefix: str = "") -> Iterator[tuple[str, CodeType]]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            name = prefix + constant.co_name
            is_function = constant.co_flags & 2
            if is_function and (constant.co_name[0] != "<" or constant.co_name == "<lambda>"):
                yield name, constant
            yield from _functions(constant, name + (".<locals>." if is_function else "."))


def _tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _tables(child)


def _headers(tree: ast.Module) -> dict[int, set[str]]:
    """Names in decorators, defaults and annotations: those of the block around a function."""
    names: dict[int, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            parts: list[ast.AST] = list(getattr(node, "decorator_list", []))
            if not isinstance(node, ast.ClassDef):
                parts += [d for d in (*node.args.defaults, *node.args.kw_defaults) if d]
            found = {n.id for part in parts for n in ast.walk(part) if isinstance(n, ast.Name)}
            names.setdefault(node.lineno, set()).update(found)
    return names


def _annotated(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            part = getattr(node, field, None)
            if isinstance(part, ast.AST):
                found |= {n.id for n in ast.walk(part) if isinstance(n, ast.Name)}
    return found


def compare(text: str) -> int:
    """Check every function of a text; gives how many there were."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree, code = ast.parse(text), compile(text, "<text>", "exec")
        tables = list(_tables(symtable.symtable(text, "<text>", "exec")))
    facts = facts_of(text)
    assert not facts.whole, facts.note
    headers, annotated, quoted = _headers(tree), _annotated(tree), quoted_names(tree)
    count = 0
    for name, function in _functions(code):
        first = function.co_firstlineno
        indices = facts.by_place.get((name, first))
        if indices is None and "<lambda>" in name:
            continue  # in an f-string: no position
        assert indices, (name, first)
        found = {
            reference.partition(".")[0].removeprefix("=")
            for index in indices
            for reference in facts.definitions[index][DEF_REFERENCES]
            if reference[0] not in "~^!?"
        }
        last = facts.definitions[indices[0]][DEF_LAST]
        loaded = _loaded(function) - {"__class__"} - annotated
        assert loaded <= found, (name, loaded - found)
        allowed = {
            n for table in tables if first <= table.get_lineno() <= last for n in _known(table)
        }
        for line, names in headers.items():
            if first <= line <= last:
                allowed |= names
        assert found <= allowed | quoted, (name, found - allowed)
        count += 1
    return count


def test_every_construct() -> None:
    assert compare(CONSTRUCTS) >= 14


def test_the_standard_library() -> None:
    functions = files = 0
    for path in FILES:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if len(text) > 40_000:
            continue
        functions += compare(text)
        files += 1
    assert files >= 60
    assert functions > 1000


@pytest.mark.parametrize(
    ("body", "references"),
    [
        ("return x", ["x"]),
        ("x = 1; return x", []),
        ("import a.b; return a.b.c", ["~0|a||b.c"]),
        ("import a.b as c; return c.d", ["~0|a.b||d"]),
        ("from .a import b as c; return c.d", ["~1|a|b|d"]),
        ("from a import b\n    def g(): return b.c\n    return g", ["~0|a|b|c"]),
        ("return getattr(x, 'y')", ["getattr", "x.y"]),
        ("return getattr(x, y)", ["getattr", "x", "y"]),
        ("import importlib; importlib.import_module('a.b')", ["~0|importlib||import_module", "~0|a.b||"]),
        ("import importlib; importlib.import_module(n)", ["~0|importlib||import_module", "n", "!import"]),
        ("return locals()", ["locals"]),
        ("x.y.z = 1", ["x.y.z"]),
        ("x[k].z += 1", ["x", "k"]),
        ("return f(a).b.c", ["f", "a"]),
        ("global x; x = 1", []),
    ],
)  # fmt: skip
def test_references_of_a_body(body: str, references: list[str]) -> None:
    assert facts_of(f"def f0():\n    {body}\n").definitions[0][DEF_REFERENCES] == references


def test_an_import_around_a_function_has_run_when_it_does() -> None:
    facts = facts_of("def f():\n    import a\n    def g(): return a.b\n    return g\n")
    assert [d[DEF_REFERENCES] for d in facts.definitions] == [["~0|a||b"], ["^0|a||b"]]


def test_new_syntax_of_type_parameters() -> None:
    if not hasattr(ast, "TypeAlias"):
        pytest.skip("syntax of 3.12")
    facts = facts_of(
        "def f[T: B](x: T): return T, y\nclass C[T](G[T]):\n    def m(self): return T\ntype A[U] = D[U]\n"
    )
    assert facts.definitions[0][DEF_REFERENCES] == ["B", "y"]
    assert facts.definitions[1][DEF_REFERENCES] == ["G"]
    assert facts.top[0][1] == ["D"]
