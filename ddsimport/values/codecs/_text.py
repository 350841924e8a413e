"""Text: the characters as UTF-8, no newline added, none translated."""

from __future__ import annotations

from ddsimport.errors import CodecError
from ddsimport.values.codecs._base import Codec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Buffer

    from ddsimport.values.codecs._base import Writable


class _Text(Codec):
    __slots__ = ()
    name = "text"
    suffix = ".txt"
    harmless = True

    def restores(self, value: object) -> bool:
        if type(value) is not str:
            return False
        if value.isascii():
            return True
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:  # a lone surrogate
            return False
        return True

    def encode(self, value: object, file: Writable) -> None:
        if type(value) is not str:
            raise CodecError(f"text holds a str, not {type(value).__name__}")
        try:
            file.write(value.encode("utf-8"))
        except UnicodeEncodeError as error:
            raise CodecError(f"not text: {error}") from None

    def decode_bytes(self, data: Buffer) -> object:
        try:
            return str(data, "utf-8")
        except UnicodeDecodeError as error:
            raise CodecError(f"not text: {error}") from None


TEXT = _Text()
