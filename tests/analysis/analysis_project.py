"""A small project with one of everything, and what its step reaches: shared by the tests.

Run as a script, it reads a list of variants (JSON on standard input: file -> text) and a folder,
and prints what each reaches; so a test can ask another process, with another hash seed and folder.
"""

# ruff: noqa: E501 - the texts under test stay on one line, as a table

from __future__ import annotations

import json
import os
import sys
from typing import Any

from ddsimport.analysis.codehash import Codebook, Reach
from ddsimport.analysis.facts import Facts, FactsCache

MAIN = '''\
"""A pipeline."""
import functools
import json
import numpy as np
import unused_one
import pkg.tools
import pkg.tools as tools
from pkg import reexported, Model
from pkg.shapes import Circle as Round, Square
from pkg.stars import *
from pkg.fallback import fast
from pkg import plugins, registry, dynamic, patched, cycle, swap1, swap2
if TYPE_CHECKING:
    from typing import Any

np.random.seed(0)

COUNT = 3
UNUSED = 4


def deco(f):
    def wrapper(*a):
        return f(*a) + 1
    return wrapper


def plain(f):
    return f


@deco
def decorated(x):
    return x


@functools.lru_cache(maxsize=8)
def cached(x):
    return x * 11


@plain
@functools.wraps(len)
def twice(x):
    return x


def outer(n):
    def inner(x):
        return x + n
    return inner


add5 = outer(5)
square = lambda x: x * x
HANDLERS = {"a": tools.first, "b": square}


def rebound(x):
    return x


def rebound(x):
    return x + 100


def len(x):
    return 7


def lazy(x):
    from pkg.later import later
    import pkg.elsewhere as other
    return later(x) + other.LIMIT + other.go()


def helper(x: int, y=10, *, z: "float" = 0.5) -> float:
    """Helps."""
    # a comment
    total: int = 0
    text = 'quoted' "joined"
    for i in range(3):
        total += (i * 0x10) + 1_0
    if total > 3:
        pass
        return total
    elif x:
        return getattr(tools, "second")(y)
    else:
        return f"{x!r:>{y}}" + text


def unrelated():
    return 1


async def root(x):
    match x:
        case Square(side=s):
            return s
    with open(__file__) as f, Round() as c:
        values = [helper(v) for v in x if (w := v)]
    return (
        np.mean(values), decorated(1), cached(2), twice(3), add5(4), HANDLERS["a"](1),
        rebound(5), len(x), lazy(6), tools.third(7), pkg.tools.TABLE, reexported(8),
        Model().fit(), c, starred(9), fast(10), plugins.run(11), registry.RUN["x"](),
        dynamic.go(12), patched.target(13), cycle.even(14), COUNT,
        swap1.h(1) - swap2.h(2), swap1.rec(1) - swap2.rec(2), json.dumps(x), ambient,
    )


async def main(X):
    result = await root(X)  # dds: /result


if __name__ == "__main__":
    main(1)
'''

FILES = {
    "main.py": MAIN,
    "pkg/__init__.py": "from .impl import reexported\nfrom .models import Model\n",
    "pkg/impl.py": (
        "from . import util\nFACTOR = 2\n"
        "def reexported(x):\n    return util.under(x) * FACTOR\ndef other(x):\n    return x\n"
    ),
    "pkg/util.py": "def under(x):\n    return x - 1\ndef not_reached():\n    return 0\n",
    "pkg/models.py": (
        "from .base import Base\nfrom .mixin import Mixin\n"
        "class Model(Mixin, Base):\n    depth: int = 3\n"
        "    def fit(self):\n        return self.helper() + self.mixed\n"
        "    def helper(self):\n        return 1\n"
        "class Unreached:\n    x = 1\n"
    ),
    "pkg/base.py": (
        "import abc\nclass Meta(type):\n    def __new__(m, *a):\n        return type.__new__(m, *a)\n"
        "class Base(metaclass=Meta):\n    rate = 0.1\n    def inherited(self):\n"
        "        return self.rate * 2\n    @property\n    def area(self):\n        return 5\n"
    ),
    "pkg/mixin.py": "class Mixin:\n    mixed = 4\n",
    "pkg/shapes.py": (
        "import enum, dataclasses\n"
        "class Color(enum.Enum):\n    RED = 1\n"
        "@dataclasses.dataclass\nclass Circle:\n    r: float = 1.0\n    s: int = 2\n"
        "    color: Color = Color.RED\n"
        "class Square:\n    side = 1\n    class Inner:\n        depth = 2\n"
    ),
    "pkg/tools.py": (
        "TABLE = [1, 2]\nTABLE.append(3)\nSTEP = 1\nSTEP += 1\n"
        "def first(x):\n    return x\ndef second(x):\n    return x * 2\n"
        "def third(x):\n    return x * STEP * third.weight\nthird.weight = 3\n"
        "def fourth(x):\n    return x\n"
    ),
    "pkg/stars.py": "from pkg.more import *\nfrom pkg.more import SCALE\n",
    "pkg/more.py": (
        "__all__ = ['starred', 'SCALE']\nSCALE = 5\ndef starred(x):\n    return x * SCALE + hidden()\n"
        "def hidden():\n    return 2\n"
    ),
    "pkg/fallback.py": (
        "try:\n    from pkg.absent import fast\nexcept ImportError:\n    from pkg.slow import fast\n"
    ),
    "pkg/slow.py": "def fast(x):\n    return x\n",
    "pkg/later.py": "LATE = 1\ndef later(x):\n    return x + LATE\n",
    "pkg/elsewhere.py": "LIMIT = 9\ndef go():\n    return LIMIT\n",
    "pkg/plugins.py": (
        "from pkg import handlers\ndef run(x, name='on_start'):\n"
        "    return getattr(handlers, name)(x)\n"
    ),
    "pkg/handlers.py": (
        "def on_start(x):\n    return x\ndef on_stop(x):\n    return -x\nVERBOSE = load()\n"
    ),
    "pkg/registry.py": (
        "import functools\nRUN = {}\ndef register(name):\n    def into(f):\n"
        "        RUN[name] = f\n        return f\n    return into\n"
        "@functools.singledispatch\ndef show(x):\n    return 1\n"
        "@register('x')\ndef first():\n    return show(1)\n"
    ),
    "pkg/dynamic.py": (
        "import importlib\ndef go(x):\n    m = importlib.import_module('pkg.named')\n"
        "    return m.go(x) + calc('1 + 1')\ndef calc(text):\n    return eval(text)\n"
        "def beside():\n    return 0\n"
    ),
    "pkg/named.py": "def go(x):\n    return x\n",
    "pkg/patched.py": "def target(x):\n    return x\ntarget = target\n",
    "pkg/cycle.py": (
        "def even(n):\n    return n == 0 or odd(n - 1)\ndef odd(n):\n    return n != 0 and even(n - 1)\n"
    ),
    "pkg/swap1.py": "def h(x):\n    return x * 2\ndef rec(x):\n    return rec(x - 1) + 1\n",
    "pkg/swap2.py": "def h(x):\n    return x * 3\ndef rec(x):\n    return rec(x - 1) + 2\n",
}

STEP = ("main.py", "result =")


def edited(*changes: tuple[str, str, str]) -> dict[str, str]:
    """The project's files after replacing texts: (file, old, new); a new file has old == ""."""
    files = dict(FILES)
    for name, old, new in changes:
        if not old:
            files[name] = new
            continue
        assert files[name].count(old) >= 1, (name, old)
        files[name] = files[name].replace(old, new)
    return files


class MemoryCache(FactsCache):
    """Facts of texts that were seen before in this process; through JSON, as on disk."""

    def __init__(self) -> None:
        super().__init__("")
        self._kept: dict[str, str] = {}

    def get(self, text_hash: str) -> Facts | None:
        kept = self._kept.get(text_hash)
        return None if kept is None else Facts.from_record(json.loads(kept))

    def put(self, text_hash: str, facts: Facts) -> None:
        self._kept[text_hash] = json.dumps(facts.record)


CACHE = MemoryCache()


def codebook(files: dict[str, str], root: str) -> Codebook:
    """A codebook over texts in memory, as if they lay in `root`; numpy and json are installed."""

    def locate(name: str) -> str | None:
        stem = name.replace(".", "/")
        if name == "__main__":
            return os.path.join(root, "main.py")
        for candidate in (f"{stem}.py", f"{stem}/__init__.py"):
            if candidate in files:
                return os.path.join(root, candidate)
        if name.partition(".")[0] in ("numpy", "json", "functools", "enum", "dataclasses"):
            return f"/lib/site-packages/{stem}.py"
        return None

    return Codebook(
        locate=locate,
        cache=CACHE,
        tracked=lambda file: file.startswith(root + os.sep),
        text_of=lambda file: files[os.path.relpath(file, root)],
    )


def position_of(text: str, start: str) -> tuple[int, int]:
    """(line, column) of the first statement that starts with these words."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith(start):
            return number, len(line) - len(line.lstrip())
    raise LookupError(start)


def reach_of(files: dict[str, str], root: str) -> Reach:
    """What the project's step reaches."""
    name, start = STEP
    line, column = position_of(files[name], start)
    return codebook(files, root).step("__main__", os.path.join(root, name), line, column)


def told(reach: Reach) -> list[Any]:
    """What of a reach is told by the text alone, whatever the place of the files."""
    references = [
        [
            list(reference.chain),
            reference.kind,
            reference.owner,
            reference.qualname,
            reference.lazy,
            reference.literal.hex() if reference.literal is not None else None,
        ]
        for reference in reach.references
    ]
    return [reach.hash.hex(), references, list(reach.distributions)]


if __name__ == "__main__":
    variants, folder = json.load(sys.stdin)
    json.dump([told(reach_of(variant, folder)) for variant in variants], sys.stdout)
