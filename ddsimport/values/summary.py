"""A value in a few words, for people: what it is, how large, and what it says if that is short.

No code of the value's class is run but that of a few libraries whose types are asked by name.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LONGEST = 200
"""Characters of a summary."""

_SCALARS = frozenset({bool, int, float, complex, str, bytes, type(None)})
_CONTAINERS = frozenset({list, tuple, dict, set, frozenset})
_ARRAYS = {"ndarray", "Tensor"}
_MOST_ITEMS = 12
_MOST_DIGITS = 100  # bits over three: a larger int takes long to print
_DEEPEST = 3


def summary(value: Any) -> str:
    """What `value` is, such as `5`, `['a', 'b']`, `DataFrame 178 x 14`, `float64 (3, 4)`."""
    cls = type(value)
    if _is_plain(value, _DEEPEST):
        text = repr(value)
        if len(text) <= LONGEST:
            return text
    if cls in _CONTAINERS or cls in (str, bytes):
        return f"{cls.__name__} of {len(value):,}"
    try:
        told = _of_library(cls, value)
    except Exception:  # a subclass of theirs may do anything
        told = ""
    return (" ".join(told.split()) or f"{cls.__module__}.{cls.__qualname__}")[:LONGEST]


def _is_plain(value: Any, depth: int) -> bool:
    cls = type(value)
    if cls is int:
        return bool(value.bit_length() < 3 * _MOST_DIGITS)
    if cls in (str, bytes):
        return len(value) <= LONGEST
    if cls in _SCALARS:
        return True
    if cls not in _CONTAINERS or len(value) > _MOST_ITEMS or not depth:
        return False
    items = [*value, *value.values()] if cls is dict else value
    return all(_is_plain(item, depth - 1) for item in items)


def _of_library(cls: type, value: Any) -> str:
    library = cls.__module__.partition(".")[0]
    name = cls.__qualname__
    if library in ("numpy", "torch") and {base.__name__ for base in cls.__mro__} & _ARRAYS:
        kind = "" if name in _ARRAYS else f"{name} "
        return f"{kind}{value.dtype} {tuple(value.shape)}"
    if library in ("numpy", "torch", "datetime", "decimal", "fractions", "pathlib"):
        return f"{name} {value!r}"
    if library in ("pandas", "polars", "xarray", "scipy", "pyarrow", "PIL"):
        shape = getattr(value, "shape", None) or getattr(value, "size", None)
        if isinstance(shape, tuple):
            return f"{name} {' x '.join(map(str, shape))}"
        return f"{name} of {len(value):,}" if hasattr(value, "__len__") else name
    return ""
