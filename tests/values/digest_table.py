"""Values whose digests must be the same in every process, hash seed and Python.

As a program it prints their digests as JSON; `test_digest_processes` runs it under each Python.
"""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import json
import operator
import pathlib
import re
import sys
import types
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any, NamedTuple


class Colour(enum.Enum):
    RED = 1
    BLUE = "blue"


class Flag(enum.Flag):
    A = 1
    B = 2


class Level(enum.IntEnum):
    LOW = 1


class Point(NamedTuple):
    x: int
    y: float


@dataclasses.dataclass
class Record:
    name: str
    tags: set[str]
    inner: Any = None


@dataclasses.dataclass(frozen=True)
class Slotted:
    __slots__ = ("a", "b")
    a: int
    b: str


class Private:
    __slots__ = ("__hidden", "open")

    def __init__(self) -> None:
        self.__hidden = 1
        self.open = 2


class Plain:
    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


class Lazy:
    def __init__(self, n: int) -> None:
        self.n = n

    @functools.cached_property
    def twice(self) -> int:
        return 2 * self.n


class WithState:
    def __init__(self, kept: Any) -> None:
        self.kept = kept
        self.cache = object()

    def __getstate__(self) -> dict[str, Any]:
        return {"kept": self.kept}

    def method(self) -> None: ...


class Words(set[str]):
    pass


class Table(dict[str, Any]):
    pass


class Stack(list[Any]):
    pass


class Metres(float):
    pass


class Name(str):
    pass


class OwnError(Exception):
    pass


def function(a: int, b: int = 2) -> int:
    return a + b


def closure(n: int) -> Callable[[], int]:
    return lambda: n


def ring(*values: Any) -> Any:
    """Objects in a circle."""
    nodes = [Plain(value=value) for value in values]
    for here, there in zip(nodes, nodes[1:] + nodes[:1], strict=True):
        here.next = there
    return nodes[0]


def knot(last: Any) -> list[Any]:
    """A list that holds itself."""
    values: list[Any] = [1, last]
    values.append(values)
    return values


def friends(*names: str) -> Any:
    """Objects that all know each other, in sets, whose order is that of addresses."""
    people = [Plain(name=name) for name in names]
    for person in people:
        person.friends = set(people)
    return people[0]


def deep(last: Any) -> list[Any]:
    value = [last]
    for _ in range(3000):
        value = [value]
    return value


def simple() -> dict[str, Any]:
    """Values of the standard library, no two of which have the same digest."""
    utc = datetime.timezone.utc
    paris = zoneinfo.ZoneInfo("Europe/Paris")
    moment = datetime.datetime(2024, 10, 27, 2, 30, 0, 7)
    return {
        "none": None,
        "true": True,
        "false": False,
        "one": 1,
        "zero": 0,
        "minus": -1,
        "2**63": 2**63,
        "-2**63": -(2**63),
        "2**63-1": 2**63 - 1,
        "2**200": 2**200,
        "-2**200": -(2**200),
        "1.0": 1.0,
        "0.0": 0.0,
        "-0.0": -0.0,
        "inf": float("inf"),
        "nan": float("nan"),
        "1j": 1j,
        "-0j": complex(0.0, -0.0),
        "1+0j": 1 + 0j,
        "str": "a",
        "empty": "",
        "str of one": "1",
        "umlaut": "\u00e4",
        "decomposed": "a\u0308",
        "surrogate": "\ud800",
        "pair": "\ud83d\ude00",
        "emoji": "\U0001f600",
        "bytes": b"a",
        "no bytes": b"",
        "bytearray": bytearray(b"a"),
        "memoryview": memoryview(b"a"),
        "list": [1],
        "no list": [],
        "tuple": (1,),
        "no tuple": (),
        "[True]": [True],
        "[1.0]": [1.0],
        "[[1]]": [[1]],
        "[(1,)]": [(1,)],
        "ab": ["a", "b"],
        "ab joined": ["ab"],
        "ab typed": ["astr:b"],
        "ab empty": ["ab", ""],
        "(1, True)": [(1,), (True,)],
        "(1, 1)": [(1,), (1,)],
        "dict": {"a": 1, "b": 2},
        "dict turned": {"b": 2, "a": 1},
        "no dict": {},
        "dict of int": {1: "a"},
        "dict of bool": {True: "a"},
        "dict of float": {1.0: "a"},
        "dict of none": {None: None},
        "set": {"a", "b", "c"},
        "no set": set(),
        "frozenset": frozenset({"a", "b", "c"}),
        "set of ints": {1, 2, 3},
        "set of floats": {1.0, 2.0, 3.0},
        "set of mixed": {1, "a", None, 2.5, b"x"},
        "set of frozensets": {frozenset({"a"}), frozenset({"b"}), frozenset({"a", "b"})},
        "set of tuples": {("a", 1), ("b", 2)},
        "range": range(3),
        "range from": range(1, 3),
        "range step": range(0, 3, 2),
        "slice": slice(3),
        "slice from": slice(1, 3),
        "ellipsis": ...,
        "not implemented": NotImplemented,
        "keys": {"a": 1}.keys(),
        "values": {"a": 1}.values(),
        "items": {"a": 1}.items(),
        "date": datetime.date(2024, 1, 1),
        "midnight": datetime.datetime(2024, 1, 1),
        "midnight utc": datetime.datetime(2024, 1, 1, tzinfo=utc),
        "moment": moment,
        "fold": moment.replace(fold=1),
        "paris": moment.replace(tzinfo=paris),
        "time": datetime.time(1, 2),
        "time utc": datetime.time(1, 2, tzinfo=utc),
        "timedelta": datetime.timedelta(days=1),
        "utc": utc,
        "+1": datetime.timezone(datetime.timedelta(hours=1)),
        "+1 named": datetime.timezone(datetime.timedelta(hours=1), "CET"),
        "zone": paris,
        "path": pathlib.PurePosixPath("a/b"),
        "windows path": pathlib.PureWindowsPath("a/b"),
        "real path": pathlib.Path("a/b"),
        "decimal": decimal.Decimal("1.0"),
        "decimal of more": decimal.Decimal("1.00"),
        "decimal -0": decimal.Decimal("-0"),
        "decimal nan": decimal.Decimal("NaN"),
        "fraction": fractions.Fraction(1, 3),
        "uuid": uuid.UUID(int=7),
        "ordered": collections.OrderedDict(a=1, b=2),
        "ordered turned": collections.OrderedDict(b=2, a=1),
        "defaultdict": collections.defaultdict(list, a=1, b=2),
        "defaultdict of none": collections.defaultdict(None, a=1, b=2),
        "counter": collections.Counter("aab"),
        "deque": collections.deque([1, 2]),
        "deque of 3": collections.deque([1, 2], maxlen=3),
        "chain": collections.ChainMap({"a": 1}, {"b": 2}),
        "regex": re.compile("a"),
        "regex i": re.compile("a", re.IGNORECASE),
        "regex bytes": re.compile(b"a"),
        "partial": functools.partial(int, base=2),
        "partial 3": functools.partial(int, base=3),
        "partial args": functools.partial(int, 2),
        "itemgetter": operator.itemgetter("a"),
        "array": array.array("i", [1]),
        "array h": array.array("h", [1]),
        "namespace": types.SimpleNamespace(b=1, a=2),
        "proxy": types.MappingProxyType({"a": 1, "b": 2}),
        "enum": Colour.RED,
        "enum blue": Colour.BLUE,
        "enum int": Level.LOW,
        "flags": Flag.A | Flag.B,
        "named tuple": Point(1, 2.0),
        "tuple of it": (1, 2.0),
        "dataclass": Record("a", {"x", "y"}),
        "dataclass nested": Record("a", {"x", "y"}, Record("b", set())),
        "slotted": Slotted(1, "a"),
        "private slots": Private(),
        "plain": Plain(a=1, b=2),
        "with state": WithState(1),
        "words": Words(["a", "b", "c"]),
        "table": Table(a=1),
        "stack": Stack([1]),
        "metres": Metres(1.0),
        "name": Name("a"),
        "exception": ValueError("a", 1),
        "own exception": OwnError("a", 1),
        "len": len,
        "append": [1].append,
        "upper": "a".upper,
        "str.upper": str.upper,
        "fromkeys": dict.fromkeys,
        "class int": int,
        "module": json,
        "no value": types.SimpleNamespace(),
        "lock type name": "_thread.lock",
        "many ints": list(range(100)),
        "many bigs": [*range(100), 2**70],
        "many floats": [float(n) for n in range(100)],
        "many bools": [n % 2 == 0 for n in range(100)],
        "many nones": [None] * 100,
        "more nones": [None] * 101,
        "many strs": [str(n) for n in range(100)],
        "many strs cut": ["".join(map(str, range(50))), "".join(map(str, range(50, 100)))]
        + [""] * 98,
        "many bytes": [b"%d" % n for n in range(100)],
        "many mixed": [None, "a", 1, 2.5, b"x", True] * 20,
        "many pairs": [(n, str(n)) for n in range(100)],
        "many lists": [[n, str(n)] for n in range(100)],
        "many ragged": [list(range(n % 5)) for n in range(100)],
        "many dicts": [{"a": n, "b": str(n)} for n in range(100)],
        "many turned": [{"b": str(n), "a": n} for n in range(100)],
        "many records": [Record(str(n), {"x"}) for n in range(100)],
        "many plain": [Plain(a=n, b=str(n)) for n in range(100)],
        "many dates": [datetime.date(2024, 1, 1 + n % 28) for n in range(100)],
        "many enums": [Colour.RED, Colour.BLUE] * 50,
        "long bytes": bytes(3000),
        "longer bytes": bytes(300_000),
        "knot": knot(1),
        "other knot": knot(2),
        "ring": ring(1, 2, 3),
        "other ring": ring(1, 2, 4),
        "ring of two": ring(1, 2),
        "ring from two": ring(2, 1),
        "friends": friends("a", "b", "c", "d"),
        "other friends": friends("a", "b", "c", "e"),
        "deep": deep(1),
        "other deep": deep(2),
    }


def coded() -> dict[str, Any]:
    """Values that need somebody to say what stands for code."""
    return {
        "function": function,
        "class": Plain,
        "lambda": closure(1),
        "lambda of 2": closure(2),
        "bound": WithState(1).method,
        "bound of 2": WithState(2).method,
        "partial": functools.partial(function, 1),
        "partial of 2": functools.partial(function, 2),
        "cached": functools.lru_cache(function),
        "factory": collections.defaultdict(Plain),
    }


def code_of(thing: Any) -> bytes:
    return f"code of {thing.__qualname__}".encode()


def digests() -> dict[str, str]:
    from ddsimport.values.digest import digest

    found = {name: digest(value).hex() for name, value in simple().items()}
    found |= {f"{name}, by code": digest(value, code_of).hex() for name, value in coded().items()}
    return found


if __name__ == "__main__":
    # Else classes would be those of `__main__` here, and of `digest_table` there.
    import digest_table

    sys.stdout.write(json.dumps(digest_table.digests()))
