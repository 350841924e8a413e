"""npy: one array of simple dtype, written and read without a copy.

`np.load` reads these files; nothing here ever lets it unpickle.
"""

from __future__ import annotations

import sys

from ddsimport.errors import CodecError
from ddsimport.values.codecs._base import Codec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Buffer

    from ddsimport.values.codecs._base import Writable

# Bytes from which the file's own memory is the array's; smaller arrays own theirs, as they did.
_SHARED = 256 * 1024
_HEAD = 1 << 16  # no header of version 1.0 is longer
_KINDS = "biufcmMSU"  # the header spells their dtypes in full
_PIECE = 4 << 20  # bytes written at a time: what hashes them on the way finds them in the cache


class _Npy(Codec):
    __slots__ = ()
    name = "npy"
    suffix = ".npy"
    harmless = True
    libraries = ("numpy",)

    def restores(self, value: object) -> bool:
        numpy = sys.modules.get("numpy")
        return numpy is not None and type(value) is numpy.ndarray and _is_exact(value)

    def encode(self, value: object, file: Writable) -> None:
        numpy = sys.modules.get("numpy")
        if numpy is None or not isinstance(value, numpy.ndarray):
            raise CodecError(f"npy holds an array, not {type(value).__name__}")
        if value.dtype.kind not in _KINDS:
            raise CodecError(f"npy holds arrays of numbers, text and dates, not of {value.dtype}")
        write(value, file)

    def decode_bytes(self, data: Buffer) -> object:
        from io import BytesIO

        import numpy

        try:
            view = memoryview(data)
            if len(view) < _SHARED or view.readonly:
                return numpy.load(BytesIO(view), allow_pickle=False)
            return over(view)
        except (ValueError, EOFError, SyntaxError) as error:
            raise CodecError(f"not an npy file: {error}") from None


def over(data: memoryview) -> Any:
    """The array whose elements are in this memory, after the header."""
    from io import BytesIO

    import numpy

    head = BytesIO(data[:_HEAD])
    if numpy.lib.format.read_magic(head) != (1, 0):
        raise ValueError("its version is not ours")
    shape, fortran, dtype = numpy.lib.format.read_array_header_1_0(head)
    count = 1
    for size in shape:
        count *= size
    flat = numpy.frombuffer(data, dtype, count, head.tell())
    return flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)


def _is_exact(array: Any) -> bool:
    dtype = array.dtype
    # Not long doubles ("g", "G"): other machines read
    # them otherwise. Not structs: alignment and titles are lost. Not datetimes with metadata.
    if dtype.kind not in _KINDS or dtype.char in "gG" or not dtype.isnative:
        return False
    if dtype.metadata is not None or not array.flags.writeable or dtype.itemsize == 0:
        return False
    if array.flags.c_contiguous or array.flags.f_contiguous:
        return True
    # Strides with gaps cannot be kept by anything. Axes in another order without gaps can, by
    # pickle, and sums over them may round otherwise than over a C-ordered copy.
    by_stride = sorted(range(array.ndim), key=lambda axis: -array.strides[axis])
    return not array.transpose(by_stride).flags.c_contiguous


def write(array: Any, file: Writable) -> None:
    """Write an array of a dtype that `_KINDS` names."""
    import numpy

    header = numpy.lib.format.header_data_from_array_1_0(array)
    numpy.lib.format.write_array_header_1_0(file, header)
    if array.flags.f_contiguous and not array.flags.c_contiguous:
        array = array.T
    if array.nbytes == 0:
        return
    if array.flags.c_contiguous:
        data = array.reshape(-1).view(numpy.uint8).data
        for start in range(0, len(data), _PIECE):
            file.write(data[start : start + _PIECE])
        return
    rows = max(1, _PIECE // max(1, array.nbytes // array.shape[0]))
    for first in range(0, array.shape[0], rows):
        part = numpy.ascontiguousarray(array[first : first + rows])
        file.write(part.reshape(-1).view(numpy.uint8).data)


NPY = _Npy()
