"""What the rules of `runtime.hidden` take for a setting, and for a class that may hide something.

The programs that they are for are in `benchmarks/soundness/cases/must/left_before.txt` and
`hidden_state.txt`.
"""

from __future__ import annotations

import collections
import dataclasses
import enum
import sys
import types
from decimal import Decimal
from typing import Generic, NamedTuple, TypeVar

import pytest

from ddsimport.analysis.graph import Edge, Item, Reference
from ddsimport.runtime import hidden, written


def _edge(written_as: str, dotted: str) -> Edge:
    reference = Reference("main", (written_as,), "installed", dotted, "", "")
    item = Item(reference=reference, untracked=dotted.partition(".")[0])
    return Edge(written_as.encode(), False, (item,))


@pytest.mark.parametrize(
    ("written_as", "dotted"),
    [
        ("np.seterr", "numpy.seterr"),
        ("np.set_printoptions", "numpy.set_printoptions"),
        ("quiet", "numpy.seterr"),
        ("pd.set_option", "pandas.set_option"),
        ("pd.options.display.width", "pandas.options"),
        ("~0|pandas|set_option|", "pandas"),
        ("sys.setrecursionlimit", "sys.setrecursionlimit"),
        ("sys.set_int_max_str_digits", "sys.set_int_max_str_digits"),
        ("locale.setlocale", "locale.setlocale"),
        ("codecs.register_error", "codecs.register_error"),
        ("warnings.simplefilter", "warnings.simplefilter"),
        ("decimal.getcontext", "decimal.getcontext"),
        ("os.umask", "os.umask"),
        ("csv.field_size_limit", "csv.field_size_limit"),
        ("sys.setprofile", "sys.setprofile"),
    ],
)
def test_a_setting(written_as, dotted):
    assert hidden._sets(_edge(written_as, dotted))


@pytest.mark.parametrize(
    ("written_as", "dotted"),
    [
        ("np.mean", "numpy.mean"),
        ("np.add", "numpy.add"),
        ("set", "builtins.set"),
        ("np.setdiff1d", "numpy.setdiff1d"),
        ("os.path.join", "os.path.join"),
        ("json.dumps", "json.dumps"),
        ("re.sub", "re.sub"),
    ],
)
def test_no_setting(written_as, dotted):
    assert not hidden._sets(_edge(written_as, dotted))


def test_code_of_the_program_is_looked_into_instead():
    assert not hidden._sets(Edge(b"set_up", False, (Item(node=("d", "m", "m.py", 0)),)))


T = TypeVar("T")


class Plain:
    pass


class Slotted:
    __slots__ = ("a",)


class Of(Generic[T]):
    pass


class Pair(NamedTuple):
    a: int


class Color(enum.Enum):
    RED = 1


class Shade(enum.Enum):
    DARK = 1

    def __init__(self, n):
        self._n = n


class OddError(ValueError):
    pass


@dataclasses.dataclass(frozen=True)
class Point:
    x: int


class Says(Plain):
    def __getstate__(self):
        return {}


class Below(Says):
    pass


class Price(Decimal):
    pass


class Table(collections.UserDict):
    pass


class Digested:
    def __dds_digest__(self):
        return 1


@pytest.fixture(autouse=True)
def tracked(monkeypatch):
    here = sys.modules[__name__].__file__
    monkeypatch.setattr(written, "is_tracked", lambda name: name == here)


@pytest.mark.parametrize("cls", [Plain, Slotted, Of, Pair, Color, OddError, Point])
def test_all_of_an_instance_is_seen(cls):
    assert not written.may_hide(cls)


@pytest.mark.parametrize("cls", [Shade, Says, Below, Price, Table, Digested, types.SimpleNamespace])
def test_an_instance_may_hide_something(cls):
    assert written.may_hide(cls)


def test_what_copyreg_was_told_may_hide_something():
    import copyreg

    class Told(Plain):
        pass

    copyreg.pickle(Told, lambda value: (Told, ()))
    assert written.may_hide(Told)
