"""JSON, for small plain data that comes back exactly; indented, so that the blob is fit to read."""

from __future__ import annotations

from ddsimport.errors import CodecError
from ddsimport.values.codecs._base import Codec
from ddsimport.values.codecs._text import TEXT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Buffer

    from ddsimport.values.codecs._base import Writable

_PARTS = 10_000  # looking at each costs; above this, pickle is much faster to load too
_DEPTH = 50  # json is recursive
DIGITS = 4096  # bits of an int; Python refuses to convert texts of more than 4300 digits


class _Json(Codec):
    __slots__ = ()
    name = "json"
    suffix = ".json"
    harmless = True

    def restores(self, value: object) -> bool:
        if type(value) in (dict, list):
            return _is_exact(value)
        return _is_exact_scalar(value)

    def encode(self, value: object, file: Writable) -> None:
        file.write(dumps(value))

    def decode_bytes(self, data: Buffer) -> object:
        import json

        try:
            return json.loads(str(data, "utf-8"))
        except ValueError as error:
            raise CodecError(f"not JSON: {error}") from None


def dumps(value: object) -> bytes:
    """The text of a JSON file, with a newline at its end."""
    import json

    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2)
        return (text + "\n").encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise CodecError(f"not JSON: {error}") from None


def _is_exact_scalar(value: Any) -> bool:
    kind = type(value)
    if kind is str:
        return TEXT.restores(value)
    if kind is int:
        return bool(value.bit_length() <= DIGITS)
    if kind is float:
        return bool(value - value == 0.0)  # finite: neither NaN nor infinite
    return kind is bool or value is None


def _is_exact(value: Any) -> bool:
    """Whether exact dicts with text keys, lists and scalars are all there is, each met once.

    A list that is met twice is one list to the program: what it appends through one name it finds
    under the other. JSON would make it two.
    """
    seen: set[int] = set()
    parts = 0
    level = [value]
    for _ in range(_DEPTH):
        below = []
        for container in level:
            if id(container) in seen:
                return False
            seen.add(id(container))
            if type(container) is dict:
                for key in container:
                    if type(key) is not str or not _is_exact_scalar(key):
                        return False
                members = list(container.values())
            else:
                members = container
            parts += len(members)
            if parts > _PARTS:
                return False
            for member in members:
                kind = type(member)
                if kind is dict or kind is list:
                    below.append(member)
                elif not _is_exact_scalar(member):
                    return False
        if not below:
            return True
        level = below
    return False


JSON = _Json()
