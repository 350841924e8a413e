"""Containers cut to what people look at: the first items, fewer of those in them, how many more."""

from __future__ import annotations

from itertools import islice

from ddsimport.values.summary import summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ITEMS = 40
"""That are shown of a container."""

_DEEPEST = 6


class _Rest:
    """Stands for what is left out of a container."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def shortened(value: Any, letters: int, depth: int = _DEEPEST) -> Any:
    """The first items of a container, and, fewer each time, of those in it: 40 of each would be
    billions, which lists of lists can hold that have the same list many times.

    Args:
        letters: how many of a text are left.
    """
    cls = type(value)
    if cls is str:
        return value[:letters]
    if cls not in (dict, list, tuple, set, frozenset):
        return value if cls in (int, float, bool, type(None)) else _Rest(_brief(value))
    if not depth:
        return _Rest(summary(value))
    most = ITEMS >> (_DEEPEST - depth)
    left_out = len(value) - most
    if cls is dict:
        items = [(key, shortened(value[key], letters, depth - 1)) for key in islice(value, most)]
        if left_out > 0:
            items.append((_Rest("…"), _Rest(f"{left_out:,} more")))
        return dict(items)
    shown = [shortened(each, letters, depth - 1) for each in islice(value, most)]
    if left_out > 0:
        shown.append(_Rest(f"… {left_out:,} more"))
    return cls(shown)


def _brief(value: object) -> str:
    said = summary(value)
    if type(value) is bytes:
        return said
    text = repr(value)
    return text if len(text) <= 80 and "\n" not in text else said
