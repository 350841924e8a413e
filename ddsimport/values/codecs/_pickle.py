"""Pickle, protocol 5: for everything that no simpler codec restores.

A file is an ordinary pickle. If the value has large buffers, they follow the pickle, aligned, with
a table and a mark at the very end, and are mapped on reading; a pickle ends in `.`, so the mark
cannot be taken for one.

    pickle | padding | buffer | padding | buffer ... | table | size of pickle, buffers, mark

Pickle by reference comes first: a class found under its name comes back as that very class. What
pickle refuses for want of a name (a lambda, a nested function) goes by value through cloudpickle,
but lives in its module as before; a *class* without a name is refused, since its instances would
come back as instances of another one.
"""

from __future__ import annotations

import sys
from struct import Struct

from ddsimport.errors import CodecError
from ddsimport.values.codecs._base import Codec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from typing_extensions import Buffer

    from ddsimport.values.codecs._base import Writable

_LARGE = 64 * 1024  # bytes from which a buffer is laid apart
_ALIGN = 64  # a cache line, and what Arrow and SIMD loads ask for
_MARK = b"dds-buf1"
_ROW = Struct("<QQ?")  # place, size, read-only
_END = Struct("<QQ8s")  # size of the pickle, number of buffers, mark


class _Pickle(Codec):
    __slots__ = ()
    name = "pickle"
    suffix = ".pkl"
    proves = False

    def restores(self, value: object) -> bool:
        return False  # it may well; but that is up to the classes in the value

    def encode(self, value: object, file: Writable) -> None:
        pieces, buffers = _pickled(value)
        size = 0
        for piece in pieces:
            file.write(piece)
            size += len(piece)
        if buffers:
            _write_buffers(file, size, buffers)

    def decode_bytes(self, data: Buffer) -> object:
        import pickle

        try:
            stream, buffers = _split(memoryview(data))
            return pickle.loads(stream, buffers=buffers)
        except (MemoryError, RecursionError):
            raise
        except Exception as error:
            # A class that has moved, a version that reads otherwise, an __setstate__ that failed.
            raise CodecError(
                f"the pickle does not load: {type(error).__name__}: {error}"
            ) from error


def _split(view: memoryview) -> tuple[memoryview, list[memoryview]]:
    """The pickle and the buffers of a file."""
    if len(view) < _END.size or view[-8:] != _MARK:
        return view, []
    if view.readonly:  # or else arrays that could be written to would come back read-only
        view = memoryview(bytearray(view))
    size, count, _ = _END.unpack(view[-_END.size :])
    table = view[len(view) - _END.size - count * _ROW.size : len(view) - _END.size]
    buffers = []
    for place, length, readonly in _ROW.iter_unpack(table):
        buffer = view[place : place + length]
        buffers.append(buffer.toreadonly() if readonly else buffer)
    return view[:size], buffers


def write_plain(value: object, file: Writable) -> None:
    """Write a pickle that `pickle.load` reads by itself, whatever buffers there are.

    Raises:
        CodecError: as `encode`.
    """
    pieces, _ = _pickled(value, apart=False)
    for piece in pieces:
        file.write(piece)


def _write_buffers(file: Writable, size: int, buffers: list[Any]) -> None:
    place = size
    rows = []
    for buffer in buffers:
        padding = -place % _ALIGN
        file.write(bytes(padding))
        place += padding
        with buffer.raw() as raw:
            rows.append(_ROW.pack(place, len(raw), raw.readonly))
            file.write(raw)
            place += len(raw)
    file.write(b"".join(rows))
    file.write(_END.pack(size, len(buffers), _MARK))


class _Pieces(list[bytes]):
    """A file that keeps what is written to it, without joining it."""

    def write(self, data: Buffer) -> None:
        self.append(bytes(data))


class _Nowhere:
    """A file that forgets: to see whether something can be pickled at all."""

    def write(self, data: Buffer) -> None:
        pass


def _pickled(value: object, apart: bool = True) -> tuple[list[bytes], list[Any]]:
    """The pickle of a value, in pieces, and its large buffers, by the first way that works."""
    import pickle

    reason: Exception
    try:
        return _dump(pickle.Pickler, value, apart)
    except (MemoryError, RecursionError) as error:
        raise CodecError(f"cannot be pickled: {type(error).__name__}") from error
    except Exception as error:
        reason = error
    try:
        from ddsimport.values.codecs._by_value import ByValuePickler

        return _dump(ByValuePickler, value, apart)
    except Exception as error:
        from ddsimport.values.codecs._culprit import culprit

        # What pickle says of a lambda ("not found as ...") is no help where both fail.
        where, why = culprit(value, error if isinstance(error, CodecError) else reason)
        raise CodecError(f"{where or 'the value'}: {why}") from error


def _dump(make: Callable[..., Any], value: object, apart: bool) -> tuple[list[bytes], list[Any]]:
    pieces = _Pieces()
    buffers: list[Any] = []

    def stays(buffer: Any) -> bool:
        """Keep a large buffer for later (false); leave a small one in the pickle (true)."""
        with buffer.raw() as raw:
            small = len(raw) < _LARGE
        if not small:
            buffers.append(buffer)
        return small

    pickler = make(pieces, protocol=5, buffer_callback=stays if apart else None)
    _keep_arrays_exact(pickler)
    _keep_frames(pickler)
    pickler.dump(value)
    return pieces, buffers


def _keep_arrays_exact(pickler: Any) -> None:
    """Mend what plain pickle loses of an array: the memory it owns, and the byte order.

    Small arrays come back owning their memory, so that they can be resized as before; numpy's older
    form does that, but turns the bytes of a foreign order into native ones.
    """
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return
    import copyreg

    def reduce(array: Any) -> Any:
        if not array.dtype.isnative and array.itemsize and not array.dtype.hasobject:
            order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
            raw = numpy.asarray(array, order=order).view(f"V{array.itemsize}")
            return restore_view, (raw, array.dtype)
        if array.nbytes < _LARGE and array.flags.writeable:
            return array.__reduce__()
        return array.__reduce_ex__(5)

    known = getattr(pickler, "dispatch_table", None) or copyreg.dispatch_table
    pickler.dispatch_table = {**known, numpy.ndarray: reduce}


def _keep_frames(pickler: Any) -> None:
    """Frames of Spark, which pickle refuses: as their codec keeps them."""
    spark = sys.modules.get("ddsimport.values.spark")
    kind = spark.frame_type() if spark is not None else None
    if kind is None:
        return
    import copyreg

    from ddsimport.values.codecs._spark import reduced

    known = getattr(pickler, "dispatch_table", None) or copyreg.dispatch_table
    pickler.dispatch_table = {**known, kind: reduced}


def restore_view(raw: Any, dtype: Any) -> Any:
    """Called by pickles: an array in a foreign byte order, from its bare bytes."""
    return raw.view(dtype)


PICKLE = _Pickle()
