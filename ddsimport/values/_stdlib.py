"""Types of the standard library whose pickled state depends on the version of Python."""

from __future__ import annotations

from struct import pack

from ddsimport.values._builtins import attributes, mapping_items
from ddsimport.values._columns import items
from ddsimport.values._encoder import Encoder, RefusalError, named, write_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ddsimport.values._encoder import Body


def body_of(kind: type) -> Body | None:
    """What encodes a type of these modules, or a subclass of one; None where pickle's way does."""
    exact = _EXACT.get((_home(kind), kind.__name__))
    if exact is not None:
        return exact
    for base in kind.__mro__:
        make = _FAMILIES.get((_home(base), base.__name__))
        if make is not None:
            return make
    return None


def _home(kind: type) -> str:
    return kind.__module__.partition(".")[0].lstrip("_").removeprefix("py")


class _Parts:
    """Encodes values that are a fixed number of parts."""

    __slots__ = ("_parts", "_tag")

    def __init__(self, tag: str, parts: Callable[[Any], tuple[object, ...]]) -> None:
        self._tag = named(tag)
        self._parts = parts

    def __call__(self, encoder: Encoder, value: Any) -> None:
        encoder.out += self._tag
        for part in self._parts(value):
            encoder.encode(part)

    def column(self, encoder: Encoder, values: Sequence[Any], level: int) -> bool:
        """Append many values at once, part by part."""
        encoder.out += self._tag
        rows = list(map(self._parts, values))
        for place in range(len(rows[0])):
            items(encoder, [row[place] for row in rows], level)
        return True


def _zone(encoder: Encoder, value: Any) -> None:
    if value.key is None:
        raise RefusalError(value, "a time zone read from a file has no name")
    encoder.out += named("zoneinfo")
    write_text(encoder.out, value.key)


def _ordered_dict(encoder: Encoder, value: Any) -> None:
    # Past dict.keys, whose order is not that of an OrderedDict after move_to_end.
    encoder.out += named("OrderedDict")
    pairs = list(value.items())
    items(encoder, [pair[0] for pair in pairs])
    items(encoder, [pair[1] for pair in pairs])


def _default_dict(encoder: Encoder, value: Any) -> None:
    encoder.out += named("defaultdict")
    encoder.encode(value.default_factory)
    mapping_items(encoder, value)


def _counter(encoder: Encoder, value: Any) -> None:
    encoder.out += named("Counter")
    mapping_items(encoder, value)


def _deque(encoder: Encoder, value: Any) -> None:
    encoder.out += named("deque")
    encoder.encode(value.maxlen)
    items(encoder, list(value))


def _path(encoder: Encoder, value: Any) -> None:
    encoder.out += named("path")
    write_text(encoder.out, type(value).__name__)
    encoder.encode(str(value))


def _logger(encoder: Encoder, value: Any) -> None:
    # Its level decides what a step prints; where that goes is the handlers' affair.
    level = value
    while level is not None and not level.level:
        level = level.parent
    encoder.out += named("logger")
    write_text(encoder.out, value.name)
    encoder.encode((level and level.level, bool(value.disabled), value.manager.disable))


def _handler(encoder: Encoder, value: Any) -> None:
    raise RefusalError(value, "a logging handler is not a value")


def _context_variable(encoder: Encoder, value: Any) -> None:
    encoder.out += named("ContextVar")
    write_text(encoder.out, value.name)
    encoder.encode(value.get(...))


def _timezone(value: Any) -> tuple[object, ...]:
    offset, *name = value.__getinitargs__()
    return (offset, tuple(name))


def _pattern(encoder: Encoder, value: Any) -> None:
    encoder.out += named("re.Pattern")
    encoder.encode(value.pattern)
    encoder.out += pack("<q", value.flags)


_EXACT: dict[tuple[str, str], Body] = {
    ("datetime", "date"): _Parts("date", lambda v: (v.year, v.month, v.day)),
    ("datetime", "datetime"): _Parts(
        "datetime",
        lambda v: (
            *(v.year, v.month, v.day, v.hour, v.minute, v.second),
            *(v.microsecond, v.fold, v.tzinfo),
        ),
    ),
    ("datetime", "time"): _Parts(
        "time", lambda v: (v.hour, v.minute, v.second, v.microsecond, v.fold, v.tzinfo)
    ),
    ("datetime", "timedelta"): _Parts("timedelta", lambda v: (v.days, v.seconds, v.microseconds)),
    ("datetime", "timezone"): _Parts("timezone", _timezone),
    ("zoneinfo", "ZoneInfo"): _zone,
    ("decimal", "Decimal"): _Parts(
        "Decimal", lambda v: (str(v),)
    ),  # keeps 1.0 from 1.00, NaN1 from NaN
    ("fractions", "Fraction"): _Parts("Fraction", lambda v: (v.numerator, v.denominator)),
    ("struct", "Struct"): _Parts("Struct", lambda v: (v.format,)),
    ("uuid", "UUID"): _Parts("UUID", lambda v: (v.int, v.is_safe.value)),
    ("collections", "OrderedDict"): _ordered_dict,
    ("collections", "defaultdict"): _default_dict,
    ("collections", "Counter"): _counter,
    ("collections", "deque"): _deque,
    ("re", "Pattern"): _pattern,
    ("contextvars", "ContextVar"): _context_variable,
    **{
        ("pathlib", name): _path
        for name in ("PurePath", "PurePosixPath", "PureWindowsPath", "Path", "PosixPath")
    },
    ("pathlib", "WindowsPath"): _path,
}


def _subclass(of: str, parts: Body) -> Body:
    """A subclass: its class, what its base would be, and its own attributes."""
    tag = named(f"subclass of {of}")

    def encode(encoder: Encoder, value: Any) -> None:
        encoder.out += tag
        encoder.out += encoder.class_token(type(value))
        parts(encoder, value)
        attributes(encoder, getattr(value, "__dict__", {}))

    return encode


def _path_subclass(encoder: Encoder, value: Any) -> None:
    # The slots of pathlib's own classes hold what was worked out from the text so far.
    encoder.out += named("subclass of path")
    encoder.out += encoder.class_token(type(value))
    encoder.encode(str(value))
    attributes(encoder, getattr(value, "__dict__", {}))


_FAMILIES: dict[tuple[str, str], Body] = {
    ("logging", "Logger"): _logger,
    ("logging", "Handler"): _handler,
    ("pathlib", "PurePath"): _path_subclass,
    ("collections", "OrderedDict"): _subclass("OrderedDict", _ordered_dict),
    ("collections", "defaultdict"): _subclass("defaultdict", _default_dict),
    ("collections", "Counter"): _subclass("Counter", _counter),
    ("collections", "deque"): _subclass("deque", _deque),
}
