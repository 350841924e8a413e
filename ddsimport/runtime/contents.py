"""What files hold, as digests: each content is hashed once, in whatever process.

A file's status is the short cut: while it is what it was, so is the content. That of large files
is noted in the store, so that a table of a gigabyte that was touched or copied is hashed by one run
and not by all that follow.
"""

from __future__ import annotations

import os
import time

from blake3 import blake3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ddsimport.store.stamps import Digests

CLOCK_RESOLUTION = 2_000_000_000
"""ns. A file written this recently may be written again under the same mtime (FAT keeps two
seconds, ext4 the kernel's tick), so its status tells nothing of its content yet."""

_LARGE = 1 << 20

_known: dict[tuple[str, tuple[int, int, int]], str] = {}
"""Content digests by path and status: a file read by ten steps is hashed once."""


def is_settled(mtime_ns: int) -> bool:
    """Whether a change of the file from now on would show in its time."""
    return time.time_ns() - mtime_ns > CLOCK_RESOLUTION


def digest_of(
    name: str, stat: tuple[int, int, int] | None, noted: Digests | None = None
) -> str | None:
    """The hash of a file's content in hex; None if there is no such file.

    Args:
        stat: its `recorder.stat_of`.
        noted: where those of large files are noted for other processes.

    Raises OSError.
    """
    if stat is None or not os.path.isfile(name):
        return None
    # A relative name means another file after a change of directory.
    path = os.path.abspath(name)
    known = _known.get((path, stat))
    if known is not None:
        return known
    if stat[1] < _LARGE or noted is None:
        found: str = blake3().update_mmap(name).hexdigest()
    else:
        status = os.stat(path)
        found = noted.read_digest(path, status) or blake3().update_mmap(name).hexdigest()
        if is_settled(max(status.st_mtime_ns, status.st_ctime_ns)):
            noted.write_digest(path, status, found)
    if is_settled(stat[0]):
        _known[path, stat] = found
    return found
