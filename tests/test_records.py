"""Records stand in for frozen dataclasses: the same construction, equality and text."""

from __future__ import annotations

import dataclasses
import pickle

import pytest

from ddsimport.records import Record


class Point(Record):
    x: int
    y: int = 2
    tags: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Plain:
    x: int
    y: int = 2
    tags: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("positional", "named"),
    [((1,), {}), ((1, 3), {}), ((1,), {"tags": ("a",)}), ((), {"x": 0, "y": None})],
)
def test_like_a_frozen_dataclass(positional, named):
    record, plain = Point(*positional, **named), Plain(*positional, **named)
    assert repr(record) == repr(plain).replace("Plain", "Point")
    assert record.as_dict() == dataclasses.asdict(plain)
    assert tuple(record) == dataclasses.astuple(plain)
    assert record == Point(*positional, **named)
    assert hash(record) == hash(Point(*positional, **named))
    assert record.replace(y=9) == Point(**{**record.as_dict(), "y": 9})
    assert pickle.loads(pickle.dumps(record)) == record


@pytest.mark.parametrize(("positional", "named"), [((), {}), ((1, 2, (), 4), {}), ((1,), {"z": 1})])
def test_wrong_fields_are_type_errors(positional, named):
    for cls in (Point, Plain):
        with pytest.raises(TypeError):
            cls(*positional, **named)


def test_records_of_other_classes_differ():
    class Other(Record):
        x: int
        y: int = 2
        tags: tuple[str, ...] = ()

    assert Point(1) != Other(1)
    assert Point(1) != (1, 2, ())
    assert Point(1) != Point(2)
