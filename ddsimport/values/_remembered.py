"""Large texts and byte strings whose hash is known: a digest of one is paid once.

They never change, and what is held here cannot die and hand its identity on. Python has no weak
references to them, so they are held as such: at most `_ROOM` bytes, and what nobody else holds is
let go when the next one comes. (Tuples are not remembered: whether one holds nothing that changes
takes as long to find out as a digest.) A million letters: 270 us the first time, 1 us from then on.
"""

from __future__ import annotations

from sys import getrefcount, getsizeof

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LARGE = 1 << 16  # characters or bytes from which it pays
_ROOM = 32 << 20
_ONLY_OURS = 3  # references: in `_known`, by the name `value`, as an argument of `getrefcount`

_known: dict[int, tuple[str | bytes, bytes]] = {}


def encoding_of(value: str | bytes, make: Callable[[str | bytes], bytes]) -> bytes:
    """What `make` gives for a text or byte string, of exactly these types; at best from memory."""
    known = _known.get(id(value))
    if known is not None:
        return known[1]
    encoding = make(value)
    size = getsizeof(value)
    if size <= _ROOM:
        _let_go(size)
        _known[id(value)] = (value, encoding)
    return encoding


def _let_go(size: int) -> None:
    """Make room."""
    held = 0
    for identity in list(_known):  # newest last; another thread may add to it
        known = _known.get(identity)
        if known is None:
            continue
        value = known[0]
        del known
        if getrefcount(value) <= _ONLY_OURS:
            _known.pop(identity, None)
        else:
            held += getsizeof(value)
    while held + size > _ROOM and _known:
        first = next(iter(_known), None)
        known = None if first is None else _known.pop(first, None)
        if known is not None:
            held -= getsizeof(known[0])
