"""Text to pragmas, pragmas to steps, steps to a rewritten tree, a tree to a loaded module.

This file holds only what the way of a warm run needs: the tag of the rewriter.
"""

from __future__ import annotations

import _imp
import os


def _tag() -> str:
    """Sixteen hex digits that change with any file of this room.

    The tag is part of the name of every `.pyc` file we write, so that bytecode of another
    rewriter is never run. A version number bumped by hand gets forgotten. The hash is the one
    Python itself uses for `.pyc` files: `hashlib` would cost the warm run two milliseconds.
    """
    room = os.path.dirname(__file__)
    text = b""
    for name in sorted(os.listdir(room)):
        if name.endswith(".py"):
            with open(os.path.join(room, name), "rb") as file:
                text += name.encode() + b"\0" + file.read() + b"\0"
    return _imp.source_hash(0, text).hex()


REWRITER_TAG: str = _tag()
