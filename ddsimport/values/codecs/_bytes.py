"""Bytes, as they are."""

from __future__ import annotations

from ddsimport.errors import CodecError
from ddsimport.values.codecs._base import Codec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Buffer

    from ddsimport.values.codecs._base import Writable


class _Bytes(Codec):
    __slots__ = ()
    name = "bytes"
    suffix = ".bin"
    harmless = True

    def restores(self, value: object) -> bool:
        return type(value) is bytes

    def encode(self, value: object, file: Writable) -> None:
        if type(value) is not bytes:
            raise CodecError(f"bytes hold bytes, not {type(value).__name__}")
        file.write(value)

    def decode_bytes(self, data: Buffer) -> object:
        return bytes(data)


BYTES = _Bytes()
