"""Whether two arrays inside one value lie over the same memory.

`return data, data[:100]`: what the program writes into one shows in the other. Every format keeps
each array with memory of its own, so those of a hit would not; the runtime asks here before it
keeps a value.

Looked into are containers and instances of the program's own classes, whose parts its code has
names for. Not the insides of libraries' objects: scikit-learn's neighbours hold their data twice,
and frames share memory in ways that no program sees.
"""

from __future__ import annotations

import sys
from collections import deque

from ddsimport.values import _where
from ddsimport.values.sharing import ATOMS, owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    # Places in a value: of what holds it, and the piece that leads on from there.
    Place = tuple["Place | None", str]
    Met = tuple[Place | None, Any]

_CONTAINERS = (list, tuple, dict, set, frozenset, deque)
_WORK = 10_000  # steps that numpy may take to tell whether two strided arrays meet


def overlapping(value: object, is_own: Callable[[type], bool]) -> tuple[str, str] | None:
    """The places of two arrays of `value` over the same memory, such as `[0]` and `['x'].data`.

    Args:
        is_own: whether a class is one of the program's own, so that its instances are looked into.

    Takes time proportional to what is looked into.
    """
    if "numpy" not in sys.modules and "torch" not in sys.modules:
        return None
    homes: dict[object, list[Met]] = {}
    for place, array in _arrays(value, is_own):
        homes.setdefault(_home(array), []).append((place, array))
    for arrays in homes.values():
        for (one_place, one), (other_place, other) in _neighbours(arrays):
            if (_is_writable(one) or _is_writable(other)) and _meet(one, other):
                return _text(one_place), _text(other_place)
    return None


def _arrays(root: object, is_own: Callable[[type], bool]) -> Iterator[Met]:
    """Every array once, with its place."""
    kinds = _array_types()
    seen: set[int] = set()
    stack: list[Met] = [(None, root)]
    while stack:
        place, thing = stack.pop()
        kind = type(thing)
        if kind in ATOMS or id(thing) in seen:
            continue
        seen.add(id(thing))
        if issubclass(kind, kinds):
            yield place, thing
        elif issubclass(kind, _CONTAINERS) or is_own(kind):
            if kind in (list, tuple) and set(map(type, thing)) <= ATOMS:
                continue
            children = [((place, piece), child) for piece, child in _where.children(thing)]
            stack.extend(reversed(children))


def _array_types() -> tuple[type, ...]:
    found = (("numpy", "ndarray"), ("torch", "Tensor"))
    return tuple(
        getattr(sys.modules[library], name) for library, name in found if library in sys.modules
    )


def _is_numpy(array: Any) -> bool:
    numpy: Any = sys.modules.get("numpy")
    return numpy is not None and isinstance(array, numpy.ndarray)


def _home(array: Any) -> object:
    """Equal for all arrays over one piece of memory."""
    if _is_numpy(array):
        return id(owner(array, sys.modules["numpy"]))
    try:
        return "torch", array.untyped_storage().data_ptr() or id(array)
    except (NotImplementedError, RuntimeError):  # sparse, or on no device
        return id(array)


def _neighbours(arrays: list[Met]) -> Iterator[tuple[Met, Met]]:
    """Pairs of those over one piece of memory whose first and last bytes cross."""
    if len(arrays) < 2:
        return
    spans = sorted(((*_span(array), place, array) for place, array in arrays), key=_start)
    for number, (_, end, place, array) in enumerate(spans):
        for start, _, other_place, other in spans[number + 1 :]:
            if start >= end:
                break
            yield (place, array), (other_place, other)


def _start(span: tuple[int, int, Any, Any]) -> int:
    return span[0]


def _span(array: Any) -> tuple[int, int]:
    """The addresses of the first byte of an array and of the one after its last."""
    if _is_numpy(array):
        start, size, strides = array.ctypes.data, array.itemsize, array.strides
    else:
        start, size = array.data_ptr(), array.element_size()
        strides = tuple(step * size for step in array.stride())
    if 0 in array.shape:
        return start, start
    steps = [step * (count - 1) for step, count in zip(strides, array.shape, strict=True)]
    below, above = sum(step for step in steps if step < 0), sum(step for step in steps if step > 0)
    return start + below, start + above + size


def _is_writable(array: Any) -> bool:
    return not _is_numpy(array) or bool(array.flags.writeable)


def _meet(one: Any, other: Any) -> bool:
    """Whether two arrays whose spans cross have a byte in common: columns of a table have none."""
    if not (_is_numpy(one) and _is_numpy(other)):
        return True
    import numpy as np

    try:
        return bool(np.shares_memory(one, other, max_work=_WORK))  # type: ignore[arg-type]
    except (RuntimeError, ValueError):  # numpy's TooHardError: it may be that they do
        return True


def _text(place: Place | None) -> str:
    pieces = []
    while place is not None:
        place, piece = place
        pieces.append(piece)
    return "".join(reversed(pieces))
