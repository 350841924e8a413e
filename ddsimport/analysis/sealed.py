"""Small files of plain values that can be damaged, and are then not there.

Each begins with the hash of the rest, which `marshal` reads three times as fast as `json` would.
What cannot be read, or is damaged, is None; what cannot be written is not kept. A file is replaced
in one step: readers and other writers see the old or the new, never a part.
"""

from __future__ import annotations

import marshal
import os
from _thread import get_ident  # `threading` takes a millisecond to import

from blake3 import blake3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SUFFIX = ".sealed"
"""Of the names of such files."""

_SEAL = 16
_VERSION = 4
"""Of the format: every supported Python reads it, and those after it will."""


def read(path: str) -> Any:
    """What the file at `path` holds, None if there is none or it is damaged."""
    try:
        with open(path, "rb", buffering=0) as file:
            content = file.read()
    except OSError:
        return None
    # `marshal` may crash on what it has not written: only what the seal vouches for reaches it.
    if blake3(content[_SEAL:]).digest(length=_SEAL) != content[:_SEAL]:
        return None
    return unpacked(content[_SEAL:])


def write(path: str, record: Any) -> bool:
    """Keep `record` at `path`; False if that is not possible.

    Args:
        record: of exact built-in types (`marshal`).
    """
    content = packed(record)
    temporary = f"{path}.{os.getpid()}.{get_ident()}.tmp"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(blake3(content).digest(length=_SEAL) + content)
        os.replace(temporary, path)
    except OSError:
        try:
            os.unlink(temporary)
        except OSError:
            return False
        return False
    return True


def packed(record: Any) -> bytes:
    """What `unpacked` makes the same record of; for a part of one that is seldom looked at."""
    return marshal.dumps(record, _VERSION)


def unpacked(content: bytes) -> Any:
    """The record."""
    return marshal.loads(content)
