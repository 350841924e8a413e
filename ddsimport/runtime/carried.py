"""Arrays that carry the digest they came out of the store with, while nobody has written to them.

A large array is a private mapping of its blob: a page that is written to is copied first, and is a
page of no file from then on. Linux says which pages are (`/proc/self/pagemap`, bit 61; Linux kernel
documentation, "pagemap"), so whether an array of 200 MB is as it was takes 1 ms, and a new digest
of it 70. Whether this kernel does say so is tried out on a page of this file, once; where it does
not, and for other values, digests are computed.
"""

from __future__ import annotations

import os
import sys
from _weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LARGE = 1 << 20  # bytes from which an array is mapped
_PAGEMAP = "/proc/self/pagemap"
_ENTRY = 8  # bytes for each page, in the byte order of the machine
_PRESENT, _SWAPPED, _OF_FILE = 1 << 63, 1 << 62, 1 << 61
_ENTRIES = 1 << 16  # read at a time

_known: dict[int, tuple[ref[Any], bytes, tuple[object, ...]]] = {}
"""Identity of an array -> the array, its digest, and what it was like when it was loaded."""

_tells: bool | None = None
"""Whether the kernel tells written pages; None until it was tried."""


def note(value: Any, digest: bytes) -> None:
    """Note that `value` has just been loaded from the store, where it has this digest."""
    if not _is_large_array(value):
        return
    global _tells
    if _tells is None:
        _tells = _try_out()
    if not _tells or not _is_untouched(value):
        return
    identity = id(value)
    _known[identity] = ref(value, lambda _: _known.pop(identity, None)), digest, _form(value)


def digest_of(value: Any) -> bytes | None:
    """The digest that `value` carries, None if it carries none or may have been written to."""
    known = _known.get(id(value)) if _known else None
    if known is None:
        return None
    array, digest, form = known
    if array() is not value or form != _form(value) or not _is_untouched(value):
        return None
    return digest


def _is_large_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return (
        numpy is not None
        and type(value) is numpy.ndarray
        and value.nbytes >= LARGE
        and (value.flags.c_contiguous or value.flags.f_contiguous)
    )


def _form(array: Any) -> tuple[object, ...]:
    return array.shape, array.strides, array.dtype, array.__array_interface__["data"][0]


def _is_untouched(array: Any) -> bool:
    """Whether no page of a mapped array has been written to."""
    return _untouched(array.__array_interface__["data"][0], array.nbytes)


def _untouched(address: int, size: int) -> bool:
    import numpy  # an array is there: so it is loaded

    page = os.sysconf("SC_PAGESIZE")
    first, last = address // page, (address + size - 1) // page
    try:
        descriptor = os.open(_PAGEMAP, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        for start in range(first, last + 1, _ENTRIES):
            number = min(_ENTRIES, last + 1 - start)
            entries = os.pread(descriptor, number * _ENTRY, start * _ENTRY)
            if len(entries) != number * _ENTRY:
                return False
            bits = numpy.frombuffer(entries, numpy.uint64)
            if ((bits & numpy.uint64(_SWAPPED)) != 0).any():
                return False  # only what is of no file is swapped out
            states = bits & numpy.uint64(_PRESENT | _OF_FILE)
            if (states == numpy.uint64(_PRESENT)).any():
                return False
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _try_out() -> bool:
    """Whether a page that was read is told from one that was written to."""
    from mmap import ACCESS_COPY, mmap

    import numpy

    try:
        with open(__file__, "rb") as file, mmap(file.fileno(), 0, access=ACCESS_COPY) as page:
            array = numpy.frombuffer(page, numpy.uint8)
            address = array.__array_interface__["data"][0]
            seen = int(array[0]), _untouched(address, 1)
            array[0] = seen[0]
            told = seen[1] and not _untouched(address, 1)
            del array
            return told
    except (OSError, ValueError, AttributeError):
        return False
