"""Frames of polars, as the Arrow files that polars itself writes."""

from __future__ import annotations

import sys

from ddsimport.errors import CodecError
from ddsimport.values.codecs._base import Codec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Buffer

    from ddsimport.values.codecs._base import Writable

# Not nested types, nor those whose meaning lies outside the column: categories, objects.
_DTYPES = {
    *("Boolean", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"),
    *("Float32", "Float64", "String", "Binary", "Date", "Datetime", "Duration", "Time"),
}


class _Polars(Codec):
    __slots__ = ()
    name = "polars"
    suffix = ".arrow"
    libraries = ("polars",)

    def restores(self, value: object) -> bool:
        polars = sys.modules.get("polars")
        return polars is not None and type(value) is polars.DataFrame and _is_exact(value)

    def encode(self, value: object, file: Writable) -> None:
        if not self.restores(value):
            raise CodecError(f"not a frame of polars that Arrow holds: {type(value).__name__}")
        write(value, file)

    def decode_bytes(self, data: Buffer) -> object:
        from io import BytesIO

        try:
            import polars
        except ImportError as error:
            raise CodecError("polars is not installed, and the blob is a frame of it") from error
        try:
            # Its reader cuts columns into chunks, which the frame did not have. On some bytes it
            # panics, which is no `Exception`.
            return polars.read_ipc(BytesIO(data)).rechunk()
        except (Exception, polars.exceptions.PanicException) as error:
            raise CodecError(f"not an Arrow file that polars reads: {error}") from error


def _is_exact(frame: Any) -> bool:
    """Whether there are only columns of one chunk each, none of them known to be sorted. (A column
    of nulls alone, or of no rows, polars finds sorted when it reads it.)"""
    return (
        frame.width > 0
        and all(type(kind).__name__ in _DTYPES for kind in frame.dtypes)
        and all(count == 1 for count in frame.n_chunks("all"))
        and all(
            column.null_count() < len(column) and not any(column.flags.values())
            for column in frame.get_columns()
        )
    )


def write(frame: Any, file: Writable) -> None:
    """Write a frame as an Arrow file without compression."""
    from io import BytesIO

    content = BytesIO()
    frame.write_ipc(content, compression="uncompressed")
    file.write(content.getbuffer())


POLARS = _Polars()
