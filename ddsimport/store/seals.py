"""Small JSON records that notice when a byte of them has changed.

A record is one JSON object whose first member is the blake3 of all that follows it. A flipped bit
in, say, the recorded output of a step would else be replayed as if it were true. The seal guards
against decay and torn writes, not against malice: whoever may write here can seal anything. (For
stores that others can write to, a key belongs into this hash: here is the one place for it.)
"""

from __future__ import annotations

import json
import os

from blake3 import blake3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HEAD = b'{"seal":"'
_SEAL_END = len(_HEAD) + 64
_BODY = _SEAL_END + 2  # after `",`
_CHUNK = 1 << 16


class DamagedError(ValueError):
    """The bytes of a record are not what was written. Never leaves the store's room."""


def sealed(record: dict[str, Any]) -> bytes:
    """The bytes of a record that must not be empty, ending with a newline."""
    body = json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
    rest = body[1:]
    return _HEAD + blake3(rest).hexdigest().encode() + b'",' + rest


def unsealed(data: bytes) -> dict[str, Any]:
    """The record in `data`, seal included. Raises DamagedError."""
    seal = blake3(data[_BODY:]).hexdigest().encode()
    if not data.startswith(_HEAD) or data[len(_HEAD) : _BODY] != seal + b'",':
        raise DamagedError("the seal does not fit")
    try:
        record = json.loads(data.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise DamagedError(str(error)) from error
    if type(record) is not dict:
        raise DamagedError("not a JSON object")
    return record


def read_small(path: str) -> tuple[bytes, os.stat_result]:
    """A small file's bytes and status by bare system calls: this is on the way of every hit.

    Raises OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        status = os.fstat(descriptor)
        data = os.read(descriptor, _CHUNK)
        if len(data) == _CHUNK:
            pieces = [data]
            while piece := os.read(descriptor, _CHUNK):
                pieces.append(piece)
            data = b"".join(pieces)
        return data, status
    finally:
        os.close(descriptor)
