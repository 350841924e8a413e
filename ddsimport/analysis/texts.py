"""The texts of source files as they are now, each known by its hash, and read only if need be.

A file whose state (`os.stat`) is what it was when its text was hashed has that text still, if it
was at rest by then: one that was written a moment before could be written again without a trace,
since the clocks of file systems are coarse. The time of the last change of the inode counts beside
the time of the last write, which a program may set as it likes.
"""

from __future__ import annotations

import os
import time

from blake3 import blake3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

Stamp = tuple[int, ...]
"""Times of the last write and the last change in ns, size, inode; () if not to be relied on."""

_AT_REST = 2_000_000_000  # ns: the coarsest clock of a file system (FAT)


class Texts:
    """Knows each file's hash from the first time that it is asked for.

    Args:
        text_of: the text of a Python source file; what it raises goes out.
        is_as_imported: whether a file in this state has the text that the running code is from.
    """

    def __init__(
        self,
        text_of: Callable[[str], str],
        is_as_imported: Callable[[str, os.stat_result], bool],
    ) -> None:
        self._text_of = text_of
        self._is_as_imported = is_as_imported
        self._known: dict[str, tuple[str, Stamp]] = {}

    def read(self, file: str) -> tuple[str, str]:
        """The text of a Python source file, and its hash in hexadecimal."""
        before = _state(file)
        text = self._text_of(file)
        text_hash = hash_of(text)
        self._known[file] = text_hash, _stamp(before, _state(file))
        return text, text_hash

    def hash_of(self, file: str) -> str:
        """The hash of a Python source file's text."""
        if file not in self._known:
            self.read(file)
        return self._known[file][0]

    def content(self, file: str) -> bytes:
        """The content of any other file."""
        before = _state(file)
        with open(file, "rb") as opened:
            content = opened.read()
        self._known[file] = blake3(content).hexdigest(), _stamp(before, _state(file))
        return content

    def is_known(self, file: str) -> bool:
        """Whether a file was read, or held."""
        return file in self._known

    def known(self, file: str) -> tuple[str, Stamp]:
        """Hash and stamp of a file that was read, or held."""
        return self._known[file]

    def holds(self, file: str, content_hash: str, stamp: Stamp) -> bool:
        """Whether the content of `file` is what it was when it had this hash and this stamp."""
        known = self._known.get(file)
        if known is None:
            state = _state(file)
            if (
                stamp
                and state is not None
                and _numbers(state) == stamp
                and self._is_as_imported(file, state)
            ):
                self._known[file] = content_hash, stamp
                return True
            try:
                if file.endswith((".py", ".pyw")):
                    self.read(file)
                else:
                    self.content(file)
            except Exception:  # whoever needs the text will hear of it
                return False
            known = self._known[file]
        return known[0] == content_hash


def hash_of(text: str) -> str:
    """The hash of a text in hexadecimal."""
    return blake3(text.encode("utf-8", "surrogatepass")).hexdigest()


def _state(file: str) -> os.stat_result | None:
    try:
        return os.stat(file)
    except OSError:
        return None


def _numbers(state: os.stat_result) -> Stamp:
    return state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino


def _stamp(before: os.stat_result | None, after: os.stat_result | None) -> Stamp:
    if before is None or after is None:
        return ()
    numbers = _numbers(after)
    if numbers != _numbers(before) or time.time_ns() - max(numbers[:2]) < _AT_REST:
        return ()
    return numbers
