"""Edits to one project: each moves what the step's reach tells, or must not.

The numbers in the names are those of the list in the analysis notes. Edits to data do not move the
hash: the name is a variable reference, and its live value counts (`VALUE`). Every variant is also
computed by another process with another hash seed in another folder, so that a hash that is merely
unstable cannot pass for one that noticed an edit.
"""

# ruff: noqa: E501 - the texts under test stay on one line, as a table

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

import analysis_project as project
import pytest

import ddsimport

Change = tuple[str, str, str]

M = "main.py"
ROOT = os.path.dirname(os.path.dirname(ddsimport.__file__))
MOVES: dict[str, list[Change]] = {
    "the step's expression": [(M, "await root(X)", "await root(X, 1)")],
    "the step's await": [(M, "result = await root", "result = root")],
    "s1 constant in a helper": [(M, "y=10, *", "y=11, *")],
    "s1 constant in a body": [(M, "total > 3", "total > 4")],
    "s2 default to another type": [(M, "y=10, *", "y=10.0, *")],
    "s3 keyword-only default": [(M, "= 0.5)", "= 0.25)")],
    "s4 body of a decorator": [(M, "f(*a) + 1", "f(*a) + 2")],
    "s4 body of an inert-looking decorator": [(M, "def plain(f):\n    return f", "def plain(f):\n    return None")],
    "s5 decorator removed": [(M, "@deco\n", "")],
    "s5 inert decorator removed": [(M, "@functools.lru_cache(maxsize=8)\n", "")],
    "argument of an inert decorator": [(M, "maxsize=8", "maxsize=9")],
    "body below lru_cache (t23)": [(M, "x * 11", "x * 12")],
    "s13 partner in a recursion": [("pkg/cycle.py", "n != 0", "n != 1")],
    "s14 lazily imported function": [("pkg/later.py", "x + LATE", "x - LATE")],
    "s15 constant of a lazily imported module": [("pkg/later.py", "LATE = 1", "LATE = 2")],
    "lazily imported module's attribute": [("pkg/elsewhere.py", "LIMIT = 9", "LIMIT = 10")],
    "lazily imported module's function": [("pkg/elsewhere.py", "return LIMIT", "return -LIMIT")],
    "lazy import retargeted": [(M, "from pkg.later import later", "from pkg.slow import fast as later")],
    "s16 re-exported function": [("pkg/impl.py", "* FACTOR", "/ FACTOR")],
    "s17 helper of a re-exported function": [("pkg/util.py", "x - 1", "x - 2")],
    "s22 star-imported function": [("pkg/more.py", "x * SCALE", "x + SCALE")],
    "s22 helper of a star-imported function": [("pkg/more.py", "return 2", "return 3")],
    "s24 re-export points elsewhere": [("pkg/__init__.py", "import reexported", "import other as reexported")],
    "s27 seed at import, in the step's module": [(M, "seed(0)", "seed(1)")],
    "s28 method overridden in a subclass": [("pkg/models.py", "    def helper(self):\n        return 1", "    def inherited(self):\n        return 1")],
    "method of the class": [("pkg/models.py", "return 1", "return 2")],
    "s29 inherited method": [("pkg/base.py", "self.rate * 2", "self.rate * 3")],
    "s30 attribute of a base": [("pkg/base.py", "rate = 0.1", "rate = 0.2")],
    "property of a base": [("pkg/base.py", "return 5", "return 6")],
    "s31 attribute of a mixin": [("pkg/mixin.py", "mixed = 4", "mixed = 5")],
    "s32 order of bases": [("pkg/models.py", "Model(Mixin, Base)", "Model(Base, Mixin)")],
    "s33 metaclass body": [("pkg/base.py", "type.__new__(m, *a)", "type.__new__(m, *a) or 1")],
    "metaclass removed": [("pkg/base.py", "(metaclass=Meta)", "")],
    "annotation of a class attribute": [("pkg/models.py", "depth: int", "depth: float")],
    "s35 enum value": [("pkg/shapes.py", "RED = 1", "RED = 2")],
    "s36 dataclass default": [("pkg/shapes.py", "r: float = 1.0", "r: float = 2.0")],
    "s37 dataclass field order": [("pkg/shapes.py", "    r: float = 1.0\n    s: int = 2\n", "    s: int = 2\n    r: float = 1.0\n")],
    "dataclass decorator removed": [("pkg/shapes.py", "@dataclasses.dataclass\n", "")],
    "t19 class of a match pattern": [("pkg/shapes.py", "side = 1", "side = 2")],
    "t24 class in a class": [("pkg/shapes.py", "depth = 2", "depth = 3")],
    "s43 target of getattr with a computed name": [("pkg/handlers.py", "    return x\n", "    return x + 1\n")],
    "s43 another function of that module": [("pkg/handlers.py", "return -x", "return -x - 1")],
    "getattr with a literal name": [("pkg/tools.py", "return x * 2", "return x * 3")],
    "s44 import alias retargeted": [(M, "import Circle as Round", "import Square as Round")],
    "s45 builtin shadowed": [(M, "def len(x):\n    return 7", "def len(x):\n    return 8")],
    "s45 shadow removed": [(M, "def len(x):\n    return 7\n", "")],
    "s46 later re-definition": [(M, "x + 100", "x + 101")],
    "s46 earlier definition of a rebound name": [(M, "def rebound(x):\n    return x\n\n", "def rebound(x):\n    return 0\n\n")],
    "s47 parameter renamed": [("pkg/later.py", "def later(x)", "def later(y)")],
    "s25 function with a stored attribute": [("pkg/tools.py", "third.weight", "third.mass")],
    "s74 same-named helpers swapped": [("pkg/swap1.py", "x * 2", "x * 3"), ("pkg/swap2.py", "x * 3", "x * 2")],
    "s75 same-named recursions swapped": [("pkg/swap1.py", ") + 1", ") + 2"), ("pkg/swap2.py", ") + 2", ") + 1")],
    "t5 module imported by a literal name": [("pkg/named.py", "return x", "return -x")],
    "t6 text that eval is given": [("pkg/dynamic.py", "'1 + 1'", "'1 + 2'")],
    "t6 module of an eval": [("pkg/dynamic.py", "return 0", "return 1")],
    "t18 fallback of an import": [("pkg/slow.py", "return x", "return x + 1")],
    "t18 the module that was missing appears": [("pkg/absent.py", "", "def fast(x):\n    return 5\n")],
    "async": [(M, "async def root", "def root")],
    "async with": [(M, "    with open", "    async with open")],
    "order of arguments": [(M, "helper(v) for v", "helper(x, v) for v")],
    "operator": [(M, "0x10) + 1_0", "0x10) - 1_0")],
    "condition": [(M, "elif x:", "elif not x:")],
    "statement deleted": [(M, "        total += (i * 0x10) + 1_0\n", "        pass\n")],
    "statements swapped": [(M, "    total: int = 0\n    text = 'quoted' \"joined\"\n", "    text = 'quoted' \"joined\"\n    total: int = 0\n")],
    "string against bytes": [(M, "'quoted' \"joined\"", "b'quoted' b\"joined\"")],
    "integer against float": [(M, "0x10", "16.0")],
    "integer against bool": [(M, "in range(3)", "in range(True)")],
    "f-string conversion": [(M, "{x!r:", "{x!s:")],
    "f-string specification": [(M, "!r:>{y}", "!r:<{y}")],
    "comprehension condition": [(M, "(w := v)", "(w := x)")],
    "match capture": [(M, "Square(side=s)", "Square(other=s)")],
    "return value dropped": [(M, "        return total\n", "        total\n")],
    "label of a module attribute": [(M, "swap1.h(1) - swap2.h(2)", "swap2.h(1) - swap1.h(2)")],
    "attribute renamed": [("pkg/models.py", "self.mixed", "self.mixes")],
    "t16 keyword argument": [(M, "from pkg.later import later", "from pkg.later import later as later")],
    "distribution no longer used": [(M, "np.mean(values)", "sum(values)")],
}  # fmt: skip
del MOVES["t16 keyword argument"]  # the same import: see STAYS

VALUE: dict[str, tuple[str, list[Change]]] = {
    "s6 global number": ("COUNT", [(M, "COUNT = 3", "COUNT = make()")]),
    "s7 global list": ("TABLE", [("pkg/tools.py", "TABLE = [1, 2]", "TABLE = [1, 5]")]),
    "s8 mutated after its definition": ("TABLE", [("pkg/tools.py", "append(3)", "append(4)")]),
    "s9 lambda at module level": ("HANDLERS", [(M, "x: x * x", "x: x * x * x")]),
    "s10 entry of a dispatch table": ("HANDLERS", [(M, '"a": tools.first', '"a": tools.fourth')]),
    "s11 argument of a closure factory": ("add5", [(M, "outer(5)", "outer(6)")]),
    "s12 inner function of a factory": ("add5", [(M, "return x + n", "return x - n")]),
    "s18 constant in a third module": ("FACTOR", [("pkg/impl.py", "FACTOR = 2", "FACTOR = g()")]),
    "s19 augmented constant": ("STEP", [("pkg/tools.py", "STEP += 1", "STEP += 2")]),
    "s23 global of a star-imported function": ("SCALE", [("pkg/more.py", "SCALE = 5", "SCALE = 6")]),
    "s38 registered function": ("RUN", [("pkg/registry.py", "return show(1)", "return show(2)")]),
    "s39 key of a registry": ("RUN", [("pkg/registry.py", "('x')", "('y')")]),
    "s40 body of register": ("RUN", [("pkg/registry.py", "RUN[name] = f", "RUN[name] = None")]),
    "s26 rebound by the module": ("target", [("pkg/patched.py", "target = target", "target = None")]),
    "t8 attribute of a function": ("third", [("pkg/tools.py", "weight = 3", "weight = 4")]),
    "name that nothing in sight binds": ("ambient", [(M, "COUNT = 3\n", "COUNT = 3\nOTHER = 1\n")]),
    "decorated function's closure": ("decorated", []),
    "choice between two imports": ("fast", []),
}  # fmt: skip

STAYS: dict[str, list[Change]] = {
    "s48 comment edited": [(M, "# a comment", "# another")],
    "s49 comment added": [("pkg/impl.py", "def reexported", "# why\ndef reexported")],
    "s50 blank lines": [(M, "def outer(n):\n", "\n\n\ndef outer(n):\n\n")],
    "s51 call over several lines": [("pkg/impl.py", "util.under(x) * FACTOR", "(\n        util.under(\n            x,\n        )\n        * FACTOR\n    )")],
    "s52 quotes": [(M, "'quoted' \"joined\"", "\"quoted\" 'joined'")],
    "implicit concatenation": [(M, "'quoted' \"joined\"", "'quotedjoined'")],
    "string prefix": [(M, "'quoted'", "u'quoted'"), (M, '"joined"', 'R"joined"')],
    "escape spelled out": [(M, "'quoted'", "'\\x71uoted'")],
    "s53 redundant parentheses": [(M, "(i * 0x10) + 1_0", "i * 0x10 + (1_0)")],
    "s54 base of a number": [(M, "0x10) + 1_0", "16) + 10")],
    "spelling of a float": [(M, "= 0.5)", "= 5e-1)")],
    "s55 docstring of a function": [(M, '"""Helps."""', '"""Helps a lot."""')],
    "docstring removed": [(M, '    """Helps."""\n', "")],
    "s56 docstring of a class": [("pkg/models.py", "    depth: int", '    """A model."""\n    depth: int')],
    "s57 docstring of a module": [(M, '"""A pipeline."""', '"""The pipeline."""')],
    "s58 annotation of a parameter": [(M, "x: int, y", "x: float, y")],
    "s59 annotation of the result": [(M, ") -> float:", ") -> int:")],
    "annotation of a local variable": [(M, "total: int = 0", "total: float = 0")],
    "annotation of a local variable removed": [(M, "total: int = 0", "total = 0")],
    "s60 unrelated function edited": [(M, "def unrelated():\n    return 1", "def unrelated():\n    return 2")],
    "s61 unrelated function added": [(M, "def unrelated", "def added():\n    pass\n\n\ndef unrelated")],
    "s62 unrelated function in another module": [("pkg/util.py", "return 0", "return 1")],
    "s63 unused constant": [(M, "UNUSED = 4", "UNUSED = 5")],
    "s64 module that is not imported": [("pkg/nowhere.py", "", "x = 1\n")],
    "unused class in a reached file": [("pkg/models.py", "    x = 1", "    x = 2")],
    "unused function of a reached file": [("pkg/impl.py", "def other(x):\n    return x", "def other(x):\n    return 0")],
    "s66 imports reordered": [(M, "import functools\nimport json\n", "import json\nimport functools\n")],
    "s67 unused import added": [(M, "import json\n", "import json\nimport os\n")],
    "unused import removed": [(M, "import unused_one\n", "")],
    "import split in two": [(M, "from pkg import reexported, Model", "from pkg import Model\nfrom pkg import reexported")],
    "import through another way": [(M, "from pkg import reexported, Model", "from pkg.impl import reexported\nfrom pkg.models import Model")],
    "s68 function moved within its file": [("pkg/cycle.py", project.FILES["pkg/cycle.py"], "def odd(n):\n    return n != 0 and even(n - 1)\ndef even(n):\n    return n == 0 or odd(n - 1)\n")],
    "s69 import for type checking": [(M, "import Any", "import Any, Callable")],
    "s70 block of __main__": [(M, "    main(1)", "    main(2)")],
    "s71 trailing comment": [(M, "return total\n", "return total  # done\n")],
    "s72 redundant pass": [(M, "        return total\n", "        return total\n        pass\n")],
    "pass removed": [(M, "        pass\n        return", "        return")],
    "else that does nothing": [(M, "    for i in range(3):\n        total += (i * 0x10) + 1_0\n", "    for i in range(3):\n        total += (i * 0x10) + 1_0\n    else:\n        pass\n")],
    "elif as else with if": [(M, "    elif x:\n        return getattr(tools, \"second\")(y)\n    else:\n        return f\"{x!r:>{y}}\" + text\n", "    else:\n        if x:\n            return getattr(tools, 'second')(y)\n        else:\n            return f'{x!r:>{y}}' + text\n")],
    "trailing comma": [(M, "root(X)", "root(X,)")],
    "statements on one line": [(M, "    for i in range(3):\n        total += (i * 0x10) + 1_0\n", "    for i in range(3): total += (i * 0x10) + 1_0\n")],
    "string used as a comment": [(M, "    total: int = 0\n", "    total: int = 0\n    'remark'\n")],
    "pragma's path": [(M, "# dds: /result", "# dds: /renamed")],
    "t31 unused logger": [(M, "UNUSED = 4", "UNUSED = 4\nlog = logging.getLogger(__name__)")],
    "t21 type alias in annotations only": [("pkg/later.py", "LATE = 1\n", "LATE = 1\nAlias = list[int]\n")],
    "f-string without fields": [(M, "'quoted' \"joined\"", "f'quoted' \"joined\"")],
    "after the step": [(M, "    main(1)\n", "    main(1)\nnp.random.seed(5)\n")],
}  # fmt: skip


def owners_and_files(told: list[Any]) -> Any:
    """What is told but for the modules that define things: those change when a function moves."""
    code, references, distributions = told
    return [code, [[*r[:2], *r[3:]] for r in references], distributions]


@cache
def here(name: str) -> list[Any]:
    return project.told(project.reach_of(project.edited(*_changes(name)), "/proj"))


def _changes(name: str) -> list[Change]:
    if name in VALUE:
        return VALUE[name][1]
    return MOVES.get(name) or STAYS.get(name) or []


@pytest.fixture(scope="module")
def elsewhere() -> dict[str, list[Any]]:
    """The same from another process, with another hash seed, in another folder."""
    names = [*MOVES, *VALUE, *STAYS, "unchanged"]
    variants = [project.edited(*_changes(name)) for name in names]
    done = subprocess.run(
        [sys.executable, project.__file__],
        input=json.dumps([variants, "/another/place"]),
        env={**os.environ, "PYTHONHASHSEED": "4242", "PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(names, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("name", MOVES)
def test_an_edit_to_reached_code_moves_the_hash(name: str, elsewhere: dict[str, list[Any]]) -> None:
    assert here(name)[0] != here("unchanged")[0]
    assert here(name) == elsewhere[name]


@pytest.mark.parametrize("name", VALUE)
def test_the_value_of_a_variable_counts(name: str, elsewhere: dict[str, list[Any]]) -> None:
    variable = VALUE[name][0]
    for told in (here("unchanged"), here(name)):
        assert any(
            chain[-1] == variable and kind == "variable" and not lazy
            for chain, kind, _, _, lazy, _ in told[1]
        )
    assert here(name) == elsewhere[name]


def test_data_is_left_to_its_value() -> None:
    """Early cutoff: a table that is built another way but comes out the same is no change."""
    for name in (
        "s7 global list",
        "s8 mutated after its definition",
        "s10 entry of a dispatch table",
    ):
        assert here(name)[0] == here("unchanged")[0]


@pytest.mark.parametrize("name", STAYS)
def test_an_edit_that_changes_nothing_moves_nothing(
    name: str, elsewhere: dict[str, list[Any]]
) -> None:
    assert owners_and_files(here(name)) == owners_and_files(here("unchanged"))
    assert here(name) == elsewhere[name]


def test_enough_edits() -> None:
    assert len(MOVES) + len(VALUE) + len(STAYS) >= 120


# --- moves ----------------------------------------------------------------------------------------


def test_a_function_moved_to_another_file_keeps_the_hash() -> None:  # s73
    moved = project.edited(
        ("pkg/util.py", "def under(x):\n    return x - 1\n", ""),
        ("pkg/impl.py", "from . import util\n", "from . import fresh as util\n"),
        ("pkg/fresh.py", "", "def under(x):\n    return x - 1\n"),
    )
    told = project.told(project.reach_of(moved, "/proj"))
    assert owners_and_files(told) == owners_and_files(here("unchanged"))


def test_a_recursive_pair_moved_to_another_file_keeps_the_hash() -> None:  # s73
    files = project.edited((project.STEP[0], "cycle, swap1", "round as cycle, swap1"))
    files["pkg/round.py"] = files.pop("pkg/cycle.py")
    told = project.told(project.reach_of(files, "/proj"))
    assert owners_and_files(told) == owners_and_files(here("unchanged"))


def test_a_step_moved_down_its_file_keeps_the_hash() -> None:
    files = dict(project.FILES)
    files["main.py"] = "import os\n\n\n" + files["main.py"]
    told = project.told(project.reach_of(files, "/proj"))
    assert told == here("unchanged")
