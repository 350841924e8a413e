"""Small JSON files that can be damaged, and are then not there.

Each begins with the hash of the rest. What cannot be read, or is damaged, is None; what cannot be
written is not kept. A file is replaced in one step: readers and other writers see the old or the
new, never a part.
"""

from __future__ import annotations

import json
import os
import threading

from blake3 import blake3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SEAL = 16


def read(path: str) -> Any:
    """What the file at `path` holds, None if there is none or it is damaged."""
    try:
        with open(path, "rb", buffering=0) as file:
            content = file.read()
        if blake3(content[_SEAL:]).digest(length=_SEAL) != content[:_SEAL]:
            return None
        return json.loads(content[_SEAL:])
    except (OSError, ValueError):
        return None


def write(path: str, record: Any) -> bool:
    """Keep `record` at `path`; False if that is not possible."""
    content = json.dumps(record, separators=(",", ":")).encode()
    temporary = f"{path}.{os.getpid()}.{threading.get_ident()}.tmp"
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
