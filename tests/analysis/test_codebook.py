"""What a codebook answers: definitions, classes, variables, lazy modules, notes, distributions."""

# ruff: noqa: E501 - the texts under test stay on one line, as a table

from __future__ import annotations

import os
import sys
import types
from pathlib import Path
from typing import Any

import analysis_project as project
import pytest

from ddsimport.analysis.codehash import Codebook, Reach, Reference
from ddsimport.analysis.locate import locate


def book(**files: str) -> Codebook:
    """A codebook over modules in memory: `pkg__init` is `pkg/__init__.py`, `a__b` is `a/b.py`."""
    texts = {
        name.replace("__init", "/__init__").replace("__", "/", 1)
        if "__init" not in name
        else name.replace("__init", "/__init__"): text
        for name, text in files.items()
    }
    return project.codebook({f"{name}.py": text for name, text in texts.items()}, "/p")


def step(text: str, start: str = "y =", module: str = "main", **files: str) -> Reach:
    if "dds:" not in text:
        text += "\n# dds:\n"  # right-hand sides are kept for marked files only
    line, column = project.position_of(text, start)
    return book(main=text, **files).step(module, "/p/main.py", line, column)


def names(reach: Reach) -> list[tuple[str, str]]:
    return [(".".join(r.chain), r.kind) for r in reach.references]


def owned(reach: Reach) -> set[tuple[str, str]]:
    return {(r.owner, r.qualname) for r in reach.references}


# --- functions, lambdas, classes ------------------------------------------------------------------

LOCAL = """\
def outer(n):
    def inner(x):
        return x + n + helper()
    return inner
def helper(): return 1
T = [lambda x: x, lambda x: x + 1]
U = (lambda x: x * 2)
class A(B):
    def m(self): return helper()
    def k(self): return 2
class B: pass
if X:
    class C: a = 1
else:
    class C: a = 2
"""


def test_a_nested_function_is_its_own_root() -> None:
    reach = book(main=LOCAL).function("main", "/p/main.py", "outer.<locals>.inner", 2)
    assert names(reach) == [("helper", "definition")]
    changed = LOCAL.replace("return inner", "return [inner]")
    other = book(main=changed).function("main", "/p/main.py", "outer.<locals>.inner", 2)
    assert other.hash == reach.hash
    changed = LOCAL.replace("+ n +", "- n +")
    other = book(main=changed).function("main", "/p/main.py", "outer.<locals>.inner", 2)
    assert other.hash != reach.hash


def test_lambdas_on_one_line_are_ambiguous() -> None:
    reach = book(main=LOCAL).function("main", "/p/main.py", "<lambda>", 6)
    assert reach.ambiguous
    assert not book(main=LOCAL).function("main", "/p/main.py", "<lambda>", 7).ambiguous
    changed = LOCAL.replace("x + 1", "x + 2")
    other = book(main=changed).function("main", "/p/main.py", "<lambda>", 6)
    assert other.hash != reach.hash


def test_what_is_not_there_is_a_lookup_error() -> None:
    with pytest.raises(LookupError):
        book(main=LOCAL).function("main", "/p/main.py", "outer", 99)
    with pytest.raises(LookupError):
        book(main=LOCAL).cls("main", "/p/main.py", "Nope")
    with pytest.raises(LookupError):
        book(main=LOCAL).step("main", "/p/main.py", 1, 1)


def test_what_reading_raises_goes_out() -> None:
    def text_of(file: str) -> str:
        raise FileNotFoundError(file)

    codebook = Codebook(locate, None, lambda file: True, text_of)
    with pytest.raises(FileNotFoundError):
        codebook.step("main", "/p/main.py", 1, 0)


def test_a_class_is_its_methods_and_bases() -> None:
    before = book(main=LOCAL).cls("main", "/p/main.py", "A")
    assert names(before) == [("B", "definition"), ("helper", "definition")]
    for old, new in (
        ("return 2", "return 3"),
        ("class B: pass", "class B: x = 1"),
        ("return 1", "return 2"),
    ):
        after = book(main=LOCAL.replace(old, new)).cls("main", "/p/main.py", "A")
        assert after.hash != before.hash


def test_classes_in_branches_all_count() -> None:
    before = book(main=LOCAL).cls("main", "/p/main.py", "C")
    for old, new in (("a = 1", "a = 3"), ("a = 2", "a = 3")):
        assert book(main=LOCAL.replace(old, new)).cls("main", "/p/main.py", "C").hash != before.hash


def test_a_class_moves_with_its_name_but_a_function_may_move_anywhere() -> None:
    inside = "class A:\n    class N: x = 1\n"
    outside = "class N: x = 1\n"
    assert (
        book(main=inside).cls("main", "/p/main.py", "A.N").hash
        != book(main=outside).cls("main", "/p/main.py", "N").hash
    )


# --- references -----------------------------------------------------------------------------------


def test_a_definition_says_where_it_is() -> None:
    reach = step(
        "import m\ny = m.f(1)  # dds:\n",
        m="import os\n\n@functools.lru_cache\ndef f(x): return x\nimport functools\n",
    )
    assert reach.references == (
        Reference("main", ("m", "f"), "definition", "m", "/p/m.py", "f", 3),
        Reference("m", ("functools", "lru_cache"), "installed", "functools.lru_cache", "", ""),
    )


def test_a_variable_says_where_it_is_defined() -> None:
    reach = step("from a import T as S\ny = S  # dds:\n", a="from b import T\n", b="T = g()\n")
    assert reach.references == (Reference("main", ("S",), "variable", "b", "/p/b.py", "T"),)


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("T = 3", True), ("T = -1.5", True), ("T = ('a', 1, None)", True), ("T = 'a' 'b'", True),
        ("T = [1]", False), ("T = (1, g())", False), ("T = 3\nT = 4", False), ("T = S", False),
        ("T = 3\nT += 1", False), ("T = 3\ndef h():\n    global T\n    T = 4", False),
        ("if x: T = 3", False), ("for T in x: pass", False),
    ],
)  # fmt: skip
def test_only_a_closed_literal_bound_once_is_one(text: str, literal: bool) -> None:
    (reference, *_) = step("from b import T\ny = T  # dds:\n", b=text + "\n").references
    assert reference.kind == "variable"
    assert (reference.literal is not None) is literal


def test_literals_tell_their_values_apart() -> None:
    found = set()
    for value in ("1", "1.0", "True", "'1'", "b'1'", "(1,)", "-1"):
        reach = step("from b import T\ny = T  # dds:\n", b=f"T = {value}\n")
        found.add(reach.references[0].literal)
    assert len(found) == 7


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("def f(): pass", "definition"),
        ("@deco\ndef f(): pass", "variable"),
        ("@deco()\ndef f(): pass", "variable"),
        ("from functools import lru_cache as c\n@c\ndef f(): pass", "definition"),
        ("import functools as ft\n@ft.lru_cache(maxsize=1)\ndef f(): pass", "definition"),
        ("from functools import *\n@lru_cache\ndef f(): pass", "variable"),
        ("lru_cache = 3\n@lru_cache\ndef f(): pass", "variable"),
        ("from functools import singledispatch\n@singledispatch\ndef f(): pass", "variable"),
        ("def f(): pass\nf = g(f)", "variable"),
        ("def f(): pass\nf.x = 1", "variable"),
        ("def f(): pass\ndef g():\n    f.x = 1", "variable"),
        ("def f(): pass\nsetattr(f, 'x', 1)", "variable"),
        ("def f(): pass\ndef g():\n    global f\n    f = 1", "variable"),
        ("if x:\n    def f(): pass\nelse:\n    def f(): pass", "variable"),
        ("try:\n    from os import f\nexcept ImportError:\n    f = None", "variable"),
        ("from dataclasses import dataclass\n@dataclass(frozen=True)\nclass f: pass", "definition"),
        ("class f(x): pass\nf.y = 1", "variable"),
        ("f = g", "variable"),
        ("f = lambda: 1", "variable"),
    ],
)
def test_definition_or_variable(text: str, kind: str) -> None:
    reach = step("from b import f\ny = f()  # dds:\n", b=text + "\n")
    assert reach.references[0].kind == kind
    moved = step("from b import f\ny = f()  # dds:\n", b=text.replace("pass", "return 5", 1) + "\n")
    if "pass" in text:
        assert moved.hash != reach.hash


# --- modules --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("main", "files"),
    [
        ("import p.m\ny = p.m.f()", {"p__init": "", "p__m": "def f(): pass"}),
        ("import p.m as q\ny = q.f()", {"p__init": "", "p__m": "def f(): pass"}),
        ("from p import m\ny = m.f()", {"p__init": "", "p__m": "def f(): pass"}),
        ("from p.m import f\ny = f()", {"p__init": "", "p__m": "def f(): pass"}),
        ("from p import f\ny = f()", {"p__init": "from .m import f", "p__m": "def f(): pass"}),
        ("from p import *\ny = f()", {"p__init": "from .m import *", "p__m": "def f(): pass"}),
        ("from p import g\ny = g()", {"p__init": "from .m import f as g", "p__m": "def f(): pass"}),
        ("import p\ny = p.m.f()", {"p__init": "from . import m", "p__m": "def f(): pass"}),
        ("import p\ny = p.q.f()", {"p__init": "from . import m as q", "p__m": "def f(): pass"}),
        ("import p\ny = p.q.f()", {"p__init": "import p.m\nq = p.m", "p__m": "def f(): pass"}),
        ("from p import m\ny = m.f()", {"p__init": "from p import m", "p__m": "def f(): pass"}),
        ("from n import m\ny = m.f()", {"n__m": "def f(): pass"}),
        ("import n.m\ny = n.m.f()", {"n__m": "def f(): pass"}),
        ("y = __import__('m').f()", {"m": "def f(): pass"}),
        ("import importlib\ny = importlib.import_module('p.m').f()", {"p__init": "", "p__m": "def f(): pass"}),
        ("import m\ny = g(m)", {"m": "def f(): pass"}),
        ("import m\ny = getattr(m, n)", {"m": "def f(): pass"}),
        ("import m\ny = getattr(m, 'f')()", {"m": "def f(): pass"}),
        ("from m import *\ny = f()", {"m": "__all__ = make()\ndef f(): pass"}),
        ("from m import f\ny = f()", {"m": "def __getattr__(n): return g\ndef g(): pass"}),
        ("y = eval('f()')\ndef f(): pass", {}),
        ("y = globals()['f']()\ndef f(): pass", {}),
        ("y = vars()['f']()\ndef f(): pass", {}),
        ("from a import f\ny = f()", {"a": "from b import f", "b": "from a import f\ndef f(): pass"}),
    ],
)  # fmt: skip
def test_every_way_to_a_function_reaches_it(main: str, files: dict[str, str]) -> None:
    before = step(main, **files)
    changed = {name: text.replace("pass", "return 1") for name, text in files.items()}
    assert step(main.replace("pass", "return 1"), **changed).hash != before.hash


def test_a_private_name_is_not_star_imported() -> None:
    reach = step("from m import *\ny = _f()  # dds:\n", m="def _f(): pass\n")
    assert names(reach) == [("_f", "variable")]


def test_a_star_import_of_installed_code_may_shadow_a_builtin() -> None:
    reach = step("from numpy import *\ny = sum(x)  # dds:\n")
    assert reach.distributions == ("numpy",)
    assert ("sum", "variable") in names(reach)


def test_a_module_as_a_value_does_not_reach_the_modules_it_imports() -> None:
    files = {"m": "import n\ndef f(): pass\n", "n": "def g(): pass\n"}
    before = step("import m\ny = h(m)  # dds:\n", **files)
    files["n"] = "def g(): return 1\n"
    assert step("import m\ny = h(m)  # dds:\n", **files).hash == before.hash


def test_distributions_are_those_that_are_used() -> None:
    text = "import numpy as np, json, os\nimport pandas\nfrom m import f\ny = f(np.mean)  # dds:\n"
    files = {"m": "import scipy.stats, requests\ndef f(x): return scipy.stats.norm(x)\n"}
    assert step(text, **files).distributions == ("numpy", "scipy")


def test_a_missing_module_of_the_project_is_no_distribution() -> None:
    files = {"p__init": "", "m": "try:\n    from p.fast import f\nexcept ImportError:\n    from p.slow import f\n",
             "p__slow": "def f(): pass\n"}  # fmt: skip
    assert step("from m import f\ny = f()  # dds:\n", **files).distributions == ()


def test_an_import_at_the_top_of_the_step_is_not_lazy() -> None:
    files = {"m": "T = g()\ndef f(): return T\n"}
    reach = step("def main():\n    import m\n    y = m.f()  # dds:\n", **files)
    assert [r.lazy for r in reach.references] == [False, False]


def test_a_module_that_is_imported_anyway_is_not_lazy() -> None:
    files = {"m": "T = 3\ndef f(): return T\n"}
    text = "def h():\n    import m\n    return m.f()\ny = h()  # dds:\n"
    assert [r.lazy for r in step(text, **files).references] == [False, True, True]
    text = "import m\ndef h():\n    import m\n    return m.f()\ny = h() + m.f()  # dds:\n"
    assert not any(r.lazy for r in step(text, **files).references)


def test_a_lazy_module_that_reads_a_loaded_one() -> None:
    files = {"config": "X = g()\n", "late": "from config import X\ndef f(): return X\n"}
    text = "import config\ndef h():\n    import late\n    return late.f()\ny = h() + config.X  # dds:\n"
    found = {(r.module, r.chain, r.lazy) for r in step(text, **files).references}
    assert ("late", ("X",), True) in found
    assert ("config", ("X",), False) in found


# --- what something outside reads -----------------------------------------------------------------


def moves(before: str, old: str, new: str, **files: str) -> bool:
    return step(before, **files).hash != step(before.replace(old, new), **files).hash


def test_annotations_and_docstrings_count_where_they_are_read() -> None:
    text = "{0}\ndef f(x: int):\n    'doc'\n    return x\ny = {1}  # dds:\n"
    plain = text.format("", "f(1)")
    assert not moves(plain, "int", "str")
    assert not moves(plain, "'doc'", "'docs'")
    for top, expression in [
        ("", "f.__doc__"),
        ("", "f.__annotations__"),
        ("import typing", "typing.get_type_hints(f)"),
        ("from inspect import signature", "signature(f)"),
        ("", "getattr(f, '__doc__')"),
    ]:
        assert moves(text.format(top, expression), "int", "str")
        assert moves(text.format(top, expression), "'doc'", "'docs'")


def test_untracked_decorators_may_read_anything() -> None:
    text = "import click\n@click.command()\ndef f(x: int):\n    'doc'\n    return x\ny = f(1)  # dds:\n"
    assert moves(text, "int", "str")
    assert moves(text, "'doc'", "'docs'")
    inert = text.replace("click.command()", "functools.cache").replace("click", "functools")
    assert not moves(inert, "int", "str")


def test_import_time_settings_count_for_what_uses_the_package() -> None:
    files = {
        "m": "import numpy as np\nimport pandas as pd\nnp.seterr(all='raise')\npd.set_option('a', 1)\ndef f(): return np.mean(1)\n"
    }
    text = "from m import f\ny = f()  # dds:\n"
    before = step(text, **files)
    files["m"] = files["m"].replace("'raise'", "'warn'")
    assert step(text, **files).hash != before.hash
    before = step(text, **files)
    files["m"] = files["m"].replace("'a', 1", "'a', 2")
    assert step(text, **files).hash == before.hash


def test_notes_name_file_and_line_once() -> None:
    text = "import importlib\ndef f(n):\n    return importlib.import_module(n), eval(n), eval(n + '1')\ny = f(1)  # dds:\n"
    assert step(text).notes == (
        "/p/main.py:2: imports a module whose name is computed; what it finds and runs is recorded,"
        " and counts.",
        "/p/main.py:2: eval() can reach anything in its module, which counts as a whole.",
    )


def test_a_file_that_cannot_be_analysed_counts_as_a_whole() -> None:
    deep = "1 + " * 700 + "1"
    files = {"m": f"from n import g\nX = 1\ndef f(): return {deep}\n", "n": "def g(): pass\n"}
    text = "from m import f\ny = f()  # dds:\n"
    before = step(text, **files)
    assert any("cannot be analysed" in note for note in before.notes)
    assert ("m", "X") in owned(before)
    for name in ("m", "n"):
        changed = {
            **files,
            name: files[name] + "\nZ = 2\n" if name == "m" else "def g(): return 1\n",
        }
        assert step(text, **changed).hash != before.hash


def test_ignored_code_does_not_count() -> None:
    text = "from m import log, V\ny = log(V)  # dds:\n"
    one = step(text, m="def log(x):  # dds: ignore\n    return 1\nV = 1  # dds: ignore\n")
    two = step(text, m="def log(x, y=2):  # dds: ignore\n    return 2\nV = 2  # dds: ignore\n")
    assert one.hash == two.hash
    assert names(one) == [("log", "definition")]


def test_a_variable_by_its_text() -> None:
    text = (
        "T = []\nT.append(f)\nS = 1\ndef f(): return 1\n@T.register\ndef g(): return 2\nfill(T)\n"
    )
    before = book(main=text).variable("main", "/p/main.py", "T")
    for old, new, changes in [
        ("T = []", "T = [1]", True),
        ("append(f)", "extend(f)", True),
        ("return 1", "return 3", True),
        ("return 2", "return 3", True),
        ("fill(T)", "fill(T, 1)", True),
        ("S = 1", "S = 2", False),
    ]:
        after = book(main=text.replace(old, new)).variable("main", "/p/main.py", "T")
        assert (after.hash != before.hash) is changes


def test_long_chains_do_not_overflow() -> None:
    text = "".join(f"def f{i}(x): return f{i + 1}(x)\n" for i in range(5_000))
    text += "def f5000(x): return f0(x)\ny = f0(1)  # dds:\n"
    reach = step(text)
    assert len(reach.references) == 5_002


def test_the_discovery_order_does_not_matter() -> None:
    files = project.FILES
    questions: list[Any] = [
        lambda b: b.function("pkg.cycle", "/proj/pkg/cycle.py", "even", 1),
        lambda b: b.function("pkg.cycle", "/proj/pkg/cycle.py", "odd", 3),
        lambda b: b.cls("pkg.models", "/proj/pkg/models.py", "Model"),
        lambda b: b.step(
            "__main__", "/proj/main.py", *project.position_of(files["main.py"], "result =")
        ),
        lambda b: b.variable("pkg.tools", "/proj/pkg/tools.py", "TABLE"),
    ]
    forwards, backwards = project.codebook(files, "/proj"), project.codebook(files, "/proj")
    one = [ask(forwards) for ask in questions]
    other = [ask(backwards) for ask in reversed(questions)]
    assert one == list(reversed(other))
    assert len({reach.hash for reach in one}) == len(one)


# --- locate ---------------------------------------------------------------------------------------


def test_locate_executes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "boom_pkg" / "inner"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").write_text("raise RuntimeError('executed')\n")
    (package / "leaf.py").write_text("raise RuntimeError('executed')\n")
    (tmp_path / "boom_space").mkdir()
    (tmp_path / "boom_space" / "leaf.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    assert locate("boom_pkg") == str(package.parent / "__init__.py")
    assert locate("boom_pkg.inner.leaf") == str(package / "leaf.py")
    assert locate("boom_pkg.inner.none") is None
    assert locate("boom_pkg.none.leaf") is None
    assert locate("boom_space") is None
    assert locate("boom_space.leaf") == str(tmp_path / "boom_space" / "leaf.py")
    assert locate("sys") is None
    assert locate("no_such_module.at_all") is None
    assert locate("json") == sys.modules.get("json", __import__("json")).__file__
    assert {name for name in set(sys.modules) - before if name.startswith("boom")} == set()


def test_locate_asks_what_is_loaded_first(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("made_up")
    module.__file__ = os.path.join(os.sep, "somewhere", "made_up.py")
    monkeypatch.setitem(sys.modules, "made_up", module)
    assert locate("made_up") == module.__file__
