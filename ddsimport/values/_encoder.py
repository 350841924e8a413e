"""The canonical encoding of values: framing, sealing and dispatch.

What each type writes is next door: `_builtins`, `_columns`, `_code`, `_instances`; and, imported
when the first value of theirs is met, `_stdlib`, `_numpy`, `_pandas`, `_arrow`.

Invariants, on which "equal digest, equal value" rests:

- *Prefix-free.* Every encoding starts with a tag that says how to read the rest, and the rest is of
  fixed length or framed by a count. So no two values share an encoding, and encodings may be put
  one after the other without separators.
- *A function of the value alone.* Which of several forms is written (packed or not, sealed or not)
  depends on the value, never on identity, hash seed, memory layout or the order of earlier calls.
- *Merkle.* An encoding longer than `SEAL` bytes is replaced by its hash, so that the buffer stays
  small, shared parts are encoded once (a value that refers to one list twice, fifty levels deep,
  would otherwise take 2**50 steps), and large buffers never are copied.
"""

from __future__ import annotations

import os
from struct import pack

from blake3 import blake3

from ddsimport.errors import UndigestibleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ddsimport.values._setting import Setting

    CodeOf = Callable[[object], bytes]

    Leaf = Callable[[bytearray, Any], None]

    Body = Callable[["Encoder", Any], None]

# Part of every digest: change it when any encoding changes, and no old digest can match a new one.
FORMAT = b"dds-value-3"

SEAL = 256  # bytes of encoding above which a container is replaced by its hash
INLINE = 1024  # bytes of raw data above which a buffer is replaced by its hash
_PARALLEL = 256 * 1024  # bytes from which a second thread pays (measured: 0.7 at 64 KiB, 2 at 256)
DEPTH = 64  # nesting of containers from which a value is taken as a graph (see _graph.py)

SEALED = b"#"

# A new process made by `fork` has no threads but one, and blake3's pool of threads would be waited
# for in vain; so a child hashes in the thread that asks.
_threads = blake3.AUTO


def _alone_after_fork() -> None:
    global _threads
    _threads = 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_alone_after_fork)


_LEFT_OUT = b"X\x08left out"
_WITHIN = b"X\x06within"
# Exact types of values that hold no other values: written straight into the buffer.
LEAVES: dict[type, Leaf] = {}
# Exact types of values that hold others: sealed, remembered, and watched for cycles.
BODIES: dict[type, Body] = {}


class RefusalError(Exception):
    """A value without a digest was met; the containers around it add their part of its path."""

    def __init__(self, culprit: object, why: str) -> None:
        super().__init__(why)
        self.culprit = culprit
        self.kind = type(culprit)
        self.why = why
        self.parts: list[str] = []  # innermost first


class TooDeepError(Exception):
    """Nested deeper than `DEPTH`: perhaps without end. The value is taken as a graph instead."""


def named(name: str) -> bytes:
    """The tag of a type that has no single-letter one."""
    text = name.encode("ascii")
    return b"X" + bytes((len(text),)) + text


def hasher(size: int) -> Any:
    """A blake3 hasher fit for `size` bytes in all."""
    return blake3(max_threads=_threads if size >= _PARALLEL else 1)


def write_frame(out: bytearray, data: bytes | bytearray | memoryview) -> None:
    """Append raw bytes (a memoryview must be of bytes and contiguous), framed by their length."""
    size = len(data)
    out += pack("<Q", size)
    if size <= INLINE:
        out += data
    elif size < _PARALLEL:
        out += blake3(data).digest()
    else:
        out += blake3(data, max_threads=_threads).digest()


def write_text(out: bytearray, text: str) -> None:
    """Append a text, framed. Lone surrogates are kept: they are legal in file names."""
    write_frame(out, text.encode("utf-8", "surrogatepass"))


class Encoder:
    """One digest in the making.

    Attributes:
        out: what has been encoded and not yet sealed.
        code_of: what stands for the code of a function or class; None when the caller has no idea.
        depth: how many containers are being encoded right now.
        setting: where the value is met; None where it counts on its own.
    """

    __slots__ = ("_memo", "_tokens", "bodies", "code_of", "depth", "out", "setting")

    def __init__(self, code_of: CodeOf | None, setting: Setting | None = None) -> None:
        self.out = bytearray(FORMAT)
        self.code_of = code_of
        self.setting = setting
        self.depth = 0
        # Bodies and tokens of the classes met, for the time of one digest only: a class can be
        # changed between two digests.
        self.bodies: dict[type, Body] = {}
        self._tokens: dict[type, bytes] = {}
        # Sealed containers by identity. The value itself is held too: without that, a temporary
        # object (a reduced state) could die and hand its identity on to another.
        self._memo: dict[int, tuple[object, int, bytes]] = {}

    def encode(self, value: object) -> None:
        """Append the encoding of any value."""
        kind = type(value)
        leaf = LEAVES.get(kind)
        if leaf is not None:
            if self.setting is None or type(value) is not str or not self.within(value):
                leaf(self.out, value)
        else:
            self.node(value, kind)

    def node(self, value: object, kind: type) -> None:
        """Append the encoding of a value that may hold others."""
        out = self.out
        depth = self.depth
        known = self._memo.get(id(value))
        # What was sealed at a lesser depth must be walked again: it may reach beyond DEPTH from
        # here, and whether it does must not depend on what was seen before. (So a shared part is
        # encoded at most DEPTH times.)
        if known is not None and depth <= known[1]:
            out += known[2]
            return
        if depth >= DEPTH:
            raise TooDeepError
        body = BODIES.get(kind) or self.body_of(kind)
        start = len(out)
        self.depth = depth + 1
        try:
            body(self, value)
        except RefusalError as refusal:
            if not self.left_out(refusal, value, start):
                from ddsimport.values._where import part

                if refusal.culprit is not value:
                    refusal.parts.append(part(value, refusal.culprit))
                    refusal.culprit = value
                raise
        self.depth = depth
        if len(out) - start > SEAL:
            self.seal(start)
            self._memo[id(value)] = (value, depth, bytes(out[start:]))

    def within(self, text: str) -> bool:
        """Append a text as a name in the project, if it is one."""
        rest = self.setting.within(text) if self.setting is not None else None
        if rest is None:
            return False
        self.out += _WITHIN
        write_text(self.out, rest)
        return True

    def left_out(self, refusal: RefusalError, value: object, start: int) -> bool:
        """Put a stand-in where a refused value would be, if it may be left out."""
        setting = self.setting
        if refusal.culprit is not value or setting is None or not setting.leaves_out(value):
            return False
        del self.out[start:]
        self.out += _LEFT_OUT
        self.out += name_token(type(value))
        return True

    def body_of(self, kind: type) -> Body:
        """What encodes the instances of a class that is not built in."""
        body = self.bodies.get(kind)
        if body is None:
            from ddsimport.values._instances import body_of

            body = self.bodies[kind] = body_of(self, kind)
        return body

    def seal(self, start: int) -> None:
        """Replace all that was written from `start` on by its hash, if it is long."""
        out = self.out
        size = len(out) - start
        if size > SEAL:
            with memoryview(out) as view, view[start:] as tail:
                state = hasher(size)
                state.update(tail)
            del out[start:]
            out += SEALED
            out += state.digest()

    def unordered(self, values: Iterable[object]) -> None:
        """Append values whose order means nothing, such as those of a set.

        They are ordered by their encodings: elements may not be comparable, and where they are,
        `<` may be no total order (sets, NaN).
        """
        out = self.out
        start = len(out)
        encodings = []
        for value in values:
            self.encode(value)
            encodings.append(bytes(out[start:]))
            del out[start:]
        encodings.sort()
        out += pack("<Q", len(encodings))
        for encoding in encodings:
            out += encoding

    def class_token(self, kind: type) -> bytes:
        """What stands for a class whose instances are met."""
        token = self._tokens.get(kind)
        if token is None:
            if self.code_of is None or kind.__module__ == "builtins":
                token = name_token(kind)
            else:
                token = self.code_token(kind)
            self._tokens[kind] = token
        return token

    def code_token(self, thing: Any) -> bytes:
        """What stands for the code of a function or class.

        Raises:
            RefusalError: if nobody has said what stands for code, or not for this one.
        """
        name = f"{getattr(thing, '__module__', '?')}.{getattr(thing, '__qualname__', '?')}"
        if self.code_of is None:
            raise RefusalError(thing, f"nothing stands for the code of {name}")
        try:
            code = self.code_of(thing)
        except UndigestibleError as error:
            raise RefusalError(thing, f"the code of {name} has no digest: {error}") from error
        out = bytearray(b"k")
        write_frame(out, code)
        return bytes(out)


def name_token(thing: Any) -> bytes:
    """Where a function or class is found: `module:qualified.name`."""
    out = bytearray(b"n")
    write_text(out, f"{thing.__module__}:{thing.__qualname__}")
    return bytes(out)
