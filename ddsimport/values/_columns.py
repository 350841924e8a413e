"""Sequences: packed as columns where their items are alike, one by one where they are not.

A list of a million ints takes 20 ms as one packed array and 300 as a million encodings. Which form
is written follows from the items alone (see the invariants of `_encoder`), and each has its tag.
"""

from __future__ import annotations

from array import array
from itertools import chain, compress
from operator import itemgetter
from struct import pack
from sys import byteorder

from ddsimport.values._encoder import BODIES, DEPTH, Encoder, TooDeepError, write_frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Items = Sequence[Any]

_FEW = 16  # items below which looking for a common type costs more than it saves
_WIDE = 64  # fields above which rows are laid end to end and not turned into columns
_GROUP = 1 << 16  # items encoded one by one that are sealed together, to bound the buffer
# Rows within rows are packed this many levels deep. Rows have no identity here, so a row shared by
# others is walked for each of them: without a bound, `t = (t, t)` said fifty times would not end.
_LEVELS = 3


def items(encoder: Encoder, values: Items, level: int = 0) -> None:
    """Append the items of a list or tuple, in order."""
    out = encoder.out
    size = len(values)
    if size >= _FEW and _packed(encoder, values, level):
        return
    out += pack("<cQ", b".", size)
    encode = encoder.encode
    if size <= _GROUP:
        for value in values:
            encode(value)
        return
    for first in range(0, size, _GROUP):
        start = len(out)
        for value in values[first : first + _GROUP]:
            encode(value)
        encoder.seal(start)


def _packed(encoder: Encoder, values: Items, level: int) -> bool:
    kinds = set(map(type, values))
    if encoder.setting is not None and str in kinds:
        texts = values if len(kinds) == 1 else [value for value in values if type(value) is str]
        if encoder.setting.any_within(texts):
            return False  # each counts relative to the project
    if len(kinds) == 1:
        (kind,) = kinds
        column = _COLUMNS.get(kind)
        if column is not None:
            return column(encoder, values)
        if level >= _LEVELS:
            return False
        if kind is tuple or kind is list:
            _rows(encoder, values, level, b"t" if kind is tuple else b"l")
            return True
        if kind is dict:
            return _records(encoder, values, level)
        if kind not in BODIES:
            return _instances(encoder, values, kind, level)
        return False
    if kinds <= _SCALARS.keys():
        _mixed(encoder, values, kinds)
        return True
    return False


def _little(numbers: array[Any]) -> memoryview:
    if byteorder == "big":
        numbers.byteswap()
    return memoryview(numbers).cast("B") if len(numbers) else memoryview(b"")


def _head(encoder: Encoder, tag: bytes, size: int) -> bytearray:
    out = encoder.out
    out += pack("<ccQ", b":", tag, size)
    return out


def _ints(encoder: Encoder, values: Items) -> bool:
    try:
        numbers = array("q", values)
    except OverflowError:
        return False
    write_frame(_head(encoder, b"i", len(values)), _little(numbers))
    return True


def _floats(encoder: Encoder, values: Items) -> bool:
    write_frame(_head(encoder, b"f", len(values)), _little(array("d", values)))
    return True


def _bools(encoder: Encoder, values: Items) -> bool:
    write_frame(_head(encoder, b"o", len(values)), bytes(values))
    return True


def _nones(encoder: Encoder, values: Items) -> bool:
    _head(encoder, b"n", len(values))
    return True


def _strs(encoder: Encoder, values: Items) -> bool:
    out = _head(encoder, b"s", len(values))
    text = "\0".join(values)
    if text.count("\0") == len(values) - 1:  # so each of them is a seam
        out += b"0"
    else:
        # Lengths in code points and the text as a whole say where each string ends.
        out += b"l"
        write_frame(out, _little(array("q", list(map(len, values)))))
        text = "".join(values)
    write_frame(out, text.encode("utf-8", "surrogatepass"))
    return True


def _bytestrings(encoder: Encoder, values: Items) -> bool:
    out = _head(encoder, b"b", len(values))
    text = b"\0".join(values)
    if text.count(b"\0") == len(values) - 1:
        out += b"0"
    else:
        out += b"l"
        write_frame(out, _little(array("q", list(map(len, values)))))
        text = b"".join(values)
    write_frame(out, text)
    return True


_COLUMNS: dict[type, Callable[[Encoder, Items], bool]] = {
    int: _ints,
    float: _floats,
    bool: _bools,
    type(None): _nones,
    str: _strs,
    bytes: _bytestrings,
}
# The places of these numbers are part of the encoding.
_SCALARS: dict[type, int] = {type(None): 0, bool: 1, int: 2, float: 3, str: 4, bytes: 5}
# By type: tells its items (1) from all others (0) in a string of the numbers above.
_SELECT = {
    kind: bytes(number == place for place in range(256)) for kind, number in _SCALARS.items()
}


def _mixed(encoder: Encoder, values: Items, kinds: set[type]) -> None:
    """Scalars of several types, such as text with gaps: which type is where, then each type."""
    out = _head(encoder, b"x", len(values))
    places = bytes(map(_SCALARS.__getitem__, map(type, values)))
    write_frame(out, places)
    for kind in sorted(kinds, key=_SCALARS.__getitem__):
        if kind is not type(None):
            items(encoder, list(compress(values, places.translate(_SELECT[kind]))))


def _deeper(encoder: Encoder) -> None:
    """Rows are containers, even though they are not met one by one."""
    if encoder.depth >= DEPTH:
        raise TooDeepError
    encoder.depth += 1


def _rows(encoder: Encoder, rows: Items, level: int, tag: bytes) -> None:
    _deeper(encoder)
    out = _head(encoder, tag, len(rows))
    width = len(rows[0])
    if 0 < width <= _WIDE and set(map(len, rows)) == {width}:
        out += pack("<cQ", b"|", width)
        for place in range(width):
            items(encoder, list(map(itemgetter(place), rows)), level + 1)
    else:
        out += b"-"
        write_frame(out, _little(array("q", list(map(len, rows)))))
        items(encoder, list(chain.from_iterable(rows)), level + 1)
    encoder.depth -= 1


def _records(encoder: Encoder, dicts: Items, level: int) -> bool:
    """Dicts with the same text keys in the same order."""
    names = tuple(dicts[0])
    # The types of all keys, not just of the first row's: an equal key of another type is another.
    if set(map(tuple, dicts)) != {names} or set(map(type, chain.from_iterable(dicts))) != {str}:
        return False
    _deeper(encoder)
    _head(encoder, b"d", len(dicts))
    items(encoder, names)
    for name in names:
        items(encoder, list(map(itemgetter(name), dicts)), level + 1)
    encoder.depth -= 1
    return True


def _instances(encoder: Encoder, values: Items, kind: type, level: int) -> bool:
    """Instances of one class, if what encodes one can encode many at once.

    It does so through a method `column(encoder, values, level)`, which writes nothing where it says
    no.
    """
    column = getattr(encoder.body_of(kind), "column", None)
    if column is None:
        return False
    out = encoder.out
    start = len(out)
    _deeper(encoder)
    _head(encoder, b"c", len(values))
    if column(encoder, values, level + 1):
        encoder.depth -= 1
        return True
    encoder.depth -= 1
    del out[start:]
    return False
