"""The store's own folder: is it one, is it ours, can it be written.

What is kept may be a pickle, and loading one runs code. So a folder that anybody else owns or may
write to is refused: that check, and the private mode of the folders we create, is what stands
between another user of the machine and our process.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress

from ddsimport.errors import StoreError
from ddsimport.store.atomic import Staged, flush_folder, make_folder, unusable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = 1

_FOLDERS = ("blobs/v1", "data", "entries/v1", "locks", "tmp", "views/v1")
_NAMES = {
    ".gitignore",
    "store.json",
    "checked",
    "facts",
    "history",
    "index",
    "live",
    "namespaces",
    "outbox",
    "partial",
    "quarantine",
    "remotes",
} | {folder.split("/")[0] for folder in _FOLDERS}


def open_root(root: str) -> tuple[str, str, bool]:
    """Open or create a store; returns its real path, its id and whether it can be written.

    Raises:
        StoreError: why it cannot be used, with a remedy where there is one.
    """
    root = os.path.realpath(root)
    try:
        if not os.path.lexists(root):
            _create_folder(root)
        status = os.stat(root)
        if stat.S_ISDIR(status.st_mode) and not os.path.lexists(f"{root}/store.json"):
            status = _checked_new(root, status)
    except OSError as error:
        raise unusable("open the store", root, error) from error
    _check_private(root, status)
    identity = _identity(root)
    if identity is None:
        _create(root)
        identity = _identity(root)
        if identity is None:
            raise StoreError(f"{root}/store.json vanished while the store was created")
    effective = os.access in os.supports_effective_ids
    return root, identity, os.access(root, os.W_OK | os.X_OK, effective_ids=effective)


def _create_folder(root: str) -> None:
    """Raises OSError."""
    os.makedirs(os.path.dirname(root), exist_ok=True)
    with suppress(FileExistsError):  # another process was faster
        os.mkdir(root, 0o700)


def _checked_new(root: str, status: os.stat_result) -> os.stat_result:
    """The status of a folder that is no store yet; an empty one is made private.

    Raises:
        StoreError: it holds other files.
        OSError: it cannot be read.
    """
    present = set(os.listdir(root))
    if foreign := present - _NAMES:
        raise StoreError(
            f"{root} is no store and holds other files, such as {min(foreign)}; "
            "name an empty or a new folder"
        )
    if not present and _is_own(status):
        os.chmod(root, 0o700)
    return os.stat(root)


def _check_private(root: str, status: os.stat_result) -> None:
    if not stat.S_ISDIR(status.st_mode):
        raise StoreError(f"the store {root} is not a folder")
    if not hasattr(os, "geteuid"):
        return  # Windows: access lists, inherited from the user's profile
    if not _is_own(status):
        raise StoreError(
            f"the store {root} belongs to another user (uid {status.st_uid}), whose pickles would "
            "run as you; use a store of your own: --store DIR or DDSIMPORT_STORE=DIR"
        )
    if status.st_mode & 0o022:
        raise StoreError(
            f"others may write to the store {root}, and what they put there would run as you; "
            f"if you trust what is in it: chmod go= {root}"
        )
    if status.st_mode & 0o044:
        raise StoreError(
            f"others may read the store {root}, with all that your pipelines have seen; if what is "
            f"in it is no secret, or nobody was there to see it: chmod go= {root}"
        )


def _is_own(status: os.stat_result) -> bool:
    return not hasattr(os, "geteuid") or status.st_uid == os.geteuid()


def _identity(root: str) -> str | None:
    """The id in `store.json`; None if there is no such file.

    Raises:
        StoreError: it is unreadable or tells of a format that this version does not know.
    """
    path = f"{root}/store.json"
    try:
        with open(path, "rb") as file:
            description: Any = json.loads(file.read())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable("open the store", path, error) from error
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} is damaged ({error}); remove {root} to begin anew") from error
    if type(description) is not dict or type(description.get("id")) is not str:
        raise StoreError(f"{path} is not the description of a store")
    if description.get("format") != FORMAT or description.get("hash") != "blake3":
        raise StoreError(
            f"the store {root} has format {description.get('format')!r} with hash "
            f"{description.get('hash')!r}; this version of ddsimport knows format {FORMAT} with "
            "blake3: update ddsimport, or use another store"
        )
    return str(description["id"])


def _create(root: str) -> None:
    """Make an empty folder (or one whose creation was cut short) a store; `store.json` last."""
    try:
        for folder in _FOLDERS:
            make_folder(f"{root}/{folder}")
        if not os.path.exists(f"{root}/.gitignore"):
            with Staged(f"{root}/tmp") as staged:
                staged.write(b"*\n")
                staged.finish()
                staged.commit(f"{root}/.gitignore")
        _write_description(root)
    except OSError as error:
        raise unusable("create the store", root, error) from error


def _write_description(root: str) -> None:
    """Give the store its id. Of several processes that do so at once the first one decides."""
    from uuid import uuid4

    description = {"format": FORMAT, "id": str(uuid4()), "hash": "blake3"}
    aside = f"{root}/tmp/store-{description['id']}"
    with Staged(f"{root}/tmp") as staged:
        staged.write(json.dumps(description).encode() + b"\n")
        staged.finish()
        staged.commit(aside)
        try:
            os.link(aside, f"{root}/store.json")
        except FileExistsError:
            pass
        except OSError:  # no hard links on this file system: the last one decides
            os.replace(aside, f"{root}/store.json")
            return
        os.unlink(aside)
    flush_folder(root)
