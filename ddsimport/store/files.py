"""Files as they lie on the disk: all of them below a folder, what one hashes to, and where damaged
ones are put."""

from __future__ import annotations

import os
import stat

from ddsimport.store.atomic import make_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 1 << 20


def files_below(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """Each file below a folder with its status; what vanishes meanwhile is left out.

    Raises:
        OSError: what is there cannot be told. (A blob whose entry was passed over would go.)
    """
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from files_below(entry.path)
                    continue
                try:
                    status = os.lstat(entry.path)
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(status.st_mode):
                    yield entry.path, status
    except (FileNotFoundError, NotADirectoryError):
        return


def hash_of(path: str) -> str:
    """The blake3 of a file's content, in hex. Raises OSError.

    It is read piece by piece: a file that somebody cuts short while it is mapped ends the process.
    """
    from blake3 import blake3

    hasher = blake3()
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(_PIECE):
            hasher.update(piece)
    return str(hasher.hexdigest())


def put_aside(root: str, path: str) -> str:
    """Move a damaged file of the store in `root` to `quarantine/`; returns where it is now. Raises
    OSError."""
    aside = f"{root}/quarantine/{os.path.basename(path)}.{os.urandom(4).hex()}"
    make_folder(os.path.dirname(aside))
    os.rename(path, aside)
    return aside
