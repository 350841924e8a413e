"""What JSON can say of a value, if it is plain data: exact where it can be, readable where not.

Tuples and sets become lists, dataclasses and named tuples objects, arrays nested lists, dates text
in ISO 8601, missing numbers null.
"""

from __future__ import annotations

import sys

from ddsimport.errors import CodecError
from ddsimport.values.codecs._json import DIGITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PARTS = 100_000  # above this a JSON file is no longer what a person would read
_DEPTH = 50


def is_plain(value: object) -> bool:
    """Whether JSON is a fit view of a value by default: plain data, and not too much of it."""
    try:
        plain(value, _PARTS)
    except CodecError:
        return False
    return True


def plain(value: object, limit: int | None = None) -> Any:
    """The value as dicts with text keys, lists, text, numbers, true, false and null.

    Raises:
        CodecError: if it is not plain data, or has more than `limit` parts.
    """
    return _Plain(limit).of(value, "", 0)


class _Plain:
    def __init__(self, limit: int | None) -> None:
        self._left = limit

    def of(self, value: Any, where: str, depth: int) -> Any:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise CodecError("it has too many parts")
        if depth > _DEPTH:
            raise CodecError(f"{where[:60]}... is nested too deep")
        scalar = _scalar(value, where)
        if scalar is not _NONE:
            return scalar
        if isinstance(value, dict):
            return {
                _key(key, where): self.of(item, f"{where}[{key!r}]", depth + 1)
                for key, item in value.items()
            }
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return {
                name: self.of(item, f"{where}.{name}", depth + 1)
                for name, item in zip(value._fields, value, strict=True)
            }
        if isinstance(value, (list, tuple)):
            return [
                self.of(item, f"{where}[{place}]", depth + 1) for place, item in enumerate(value)
            ]
        if isinstance(value, (set, frozenset)):
            members = [self.of(item, f"{where}{{}}", depth + 1) for item in value]
            return sorted(members, key=lambda member: (type(member).__name__, repr(member)))
        fields = getattr(type(value), "__dataclass_fields__", None)
        if fields is not None:
            return {
                name: self.of(getattr(value, name, None), f"{where}.{name}", depth + 1)
                for name in fields
            }
        numpy = sys.modules.get("numpy")
        if numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic)):
            if isinstance(value, numpy.generic) and value.dtype.kind not in "biufSUO":
                return str(value)
            return self.of(value.tolist(), where, depth + 1)
        pandas = sys.modules.get("pandas")
        if pandas is not None and isinstance(value, pandas.DataFrame):
            if not value.columns.is_unique:
                raise CodecError(f"two columns of {where or 'it'} have one name")
            return self.of(value.to_dict(orient="records"), where, depth + 1)
        if pandas is not None and isinstance(value, pandas.Series):
            if not value.index.is_unique:
                return self.of(value.tolist(), where, depth + 1)
            return self.of(
                dict(zip(map(str, value.index), value.tolist(), strict=True)), where, depth + 1
            )
        raise CodecError(
            f"{where or 'it'} is of type {type(value).__qualname__}, which JSON does not have"
        )


_NONE = object()
# Types whose text says what they are, by module and name.
_AS_TEXT = {
    ("datetime", "date"),
    ("datetime", "datetime"),
    ("datetime", "time"),
    ("decimal", "Decimal"),
    ("fractions", "Fraction"),
    ("uuid", "UUID"),
    ("pathlib", "PosixPath"),
    ("pathlib", "PurePosixPath"),
    ("pathlib", "WindowsPath"),
    ("pathlib", "PureWindowsPath"),
    ("pandas", "Timestamp"),
    ("pandas", "Timedelta"),
    ("pandas", "Period"),
}


def _scalar(value: Any, where: str) -> Any:
    kind = type(value)
    if kind is int and value.bit_length() > DIGITS:
        raise CodecError(f"{where or 'it'} has more digits than a text may have")
    if value is None or kind is bool or kind is int:
        return value
    if isinstance(value, float):
        plain = float(value)  # numpy's would warn of infinity less infinity
        return plain if plain - plain == 0.0 else None
    if kind is str:
        return value.encode("utf-8", "replace").decode("utf-8") if not value.isascii() else value
    enum = sys.modules.get("enum")
    if enum is not None and isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, (str, int)):
        return str(value) if isinstance(value, str) else int(value)
    home = kind.__module__.partition(".")[0]
    if (home, kind.__name__) in _AS_TEXT:
        return value.isoformat() if hasattr(value, "isoformat") else str(value)
    if kind.__name__ in ("NaTType", "NAType") and home == "pandas":
        return None
    return _NONE


def _key(key: object, where: str) -> str:
    text = _scalar(key, where)
    if text is _NONE:
        if isinstance(key, tuple):
            return str(key)
        raise CodecError(f"a key of {where or 'it'} is of type {type(key).__qualname__}")
    return text if isinstance(text, str) else str(key)
