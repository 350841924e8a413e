"""A place that several people's stores share, as seven verbs: what is behind it, nobody else knows.

`s3://`, `gs://` and `az://` go through obstore, whose credentials come from the environment and are
never ours to see; `file://`, `dbfs:/` and absolute paths are `folder.Folder`; `ssh://` is fsspec's
(see `ssh`). Nothing read here is to be believed before it was checked (see `sharing`): whoever may
write there may write anything.

Every key is made of the names that we give, so that none leads out of the place: `checked` stands
before each verb, also before keys that a listing tells.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from datetime import timedelta

from ddsimport.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

SCHEMES = ("s3", "gs", "az", "file", "ssh")

MOST = 16 << 20
"""Bytes of the largest object of ours. So no request takes long, and each is tried again by itself;
and there is nothing to pick up after an upload that broke off, as multipart uploads leave it."""

_SEGMENT = re.compile(r"[a-z0-9][a-z0-9._-]{0,199}", re.ASCII)
_LONGEST_KEY = 700


class RemoteError(StoreError):
    """The remote cannot be reached, or does not do what it is asked."""


class AbsentError(RemoteError):
    """There is no such object."""


def is_ours(key: str) -> bool:
    """Whether a key is one that we give; any other may lead elsewhere."""
    return len(key) <= _LONGEST_KEY and all(map(_SEGMENT.fullmatch, key.split("/")))


def checked(key: str) -> str:
    """The key, if it is one of ours. Raises RemoteError."""
    if not is_ours(key):
        raise RemoteError(f"not a key of a remote: {key[:100]!r}")
    return key


class Remote:
    """What every kind of remote does. Each verb raises RemoteError.

    Attributes:
        url: as the user wrote it.
        forks: whether a child by `fork` may go on using it.
    """

    url: str
    forks = True

    def size(self, key: str) -> int | None:
        """The size of an object in bytes; None if there is none."""
        raise NotImplementedError

    def get(self, key: str) -> bytes:
        """An object. Raises AbsentError."""
        raise NotImplementedError

    def put(self, key: str, content: bytes) -> None:
        """Make an object, whole or not at all (but see `folder`); one of that name is replaced."""
        raise NotImplementedError

    def create(self, key: str, content: bytes) -> bool:
        """The same, if there is none of that name; False if there is. A server that ignores the
        condition replaces it (see `sharing.holds_conditions`)."""
        raise NotImplementedError

    def listed(self, prefix: str) -> Iterator[tuple[str, int]]:
        """(key, size) of all objects below a prefix that have keys of ours."""
        raise NotImplementedError


def open_remote(url: str, *, hasty: bool = False) -> Remote:
    """The remote at a URL; nothing is asked of it yet.

    Args:
        hasty: give up after seconds: a program waits for the answer, and can do without.

    Raises:
        RemoteError: there is none, or what is needed for it is not installed.
    """
    if url.startswith(("/", "dbfs:", "file:")):
        from ddsimport.store.folder import as_url

        url = as_url(url)
    scheme, _, rest = url.partition("://")
    if scheme not in SCHEMES or not rest:
        raise RemoteError(
            f"the remote {_public(url)!r} is no URL of a kind that is known; "
            f"there are: {', '.join(f'{each}://' for each in SCHEMES)}, and absolute paths"
        )
    if not url.isprintable() or ".." in rest.split("/") or any(mark in rest for mark in "\\?#%"):
        raise RemoteError(f"the remote {_public(url)!r} is not a plain URL")
    if scheme == "file":
        from ddsimport.store.folder import Folder

        return Folder(url)
    if scheme == "ssh":
        from ddsimport.store.ssh import over_ssh

        return over_ssh(url, hasty)
    if "@" in rest:
        raise RemoteError(
            f"the remote {_public(url)!r} names credentials; leave them to the environment "
            "(AWS_ACCESS_KEY_ID and so on), where nobody commits them"
        )
    return _Objects(url, hasty)


class _Objects(Remote):
    """A bucket, through obstore."""

    forks = False  # its threads stay behind in the parent, and a child would wait for them

    def __init__(self, url: str, hasty: bool) -> None:
        try:
            import obstore
        except ImportError as error:
            raise RemoteError(
                f"the remote {url} needs obstore: pip install 'ddsimport[remote]'"
            ) from error
        self.url = url.rstrip("/")
        self._obstore: Any = obstore
        with self._telling("open"):
            # Two, for the sake of their patience: a question and an object differ in it.
            self._asked = _opened(self.url, *((2, 6, 1) if hasty else (10, 60, 4)))
            self._moving = _opened(self.url, *((2, 30, 2) if hasty else (10, 300, 6)))

    def size(self, key: str) -> int | None:
        try:
            with self._telling("ask"):
                return int(self._obstore.head(self._asked, checked(key))["size"])
        except AbsentError:
            return None

    def get(self, key: str) -> bytes:
        with self._telling("read"):
            found = self._obstore.get(self._moving, checked(key))
            if found.meta["size"] > MOST:
                raise RemoteError(f"{key} in the remote is larger than anything of ours")
            return bytes(found.bytes())

    def put(self, key: str, content: bytes) -> None:
        with self._telling("write"):
            self._obstore.put(self._moving, checked(key), content, use_multipart=False)

    def create(self, key: str, content: bytes) -> bool:
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        with self._telling("write"):
            try:
                self._obstore.put(self._asked, checked(key), content, mode="create")
            except (AlreadyExistsError, PreconditionError):
                return False
        return True

    def listed(self, prefix: str) -> Iterator[tuple[str, int]]:
        with self._telling("list"):
            for some in self._obstore.list(self._asked, checked(prefix), chunk_size=1000):
                for found in some:
                    if found["path"].startswith(f"{prefix}/") and is_ours(found["path"]):
                        yield found["path"], int(found["size"])

    @contextmanager
    def _telling(self, doing: str) -> Iterator[None]:
        from obstore.exceptions import BaseError, NotFoundError

        try:
            yield
        except (NotFoundError, FileNotFoundError) as error:
            raise AbsentError(f"there is nothing of that name in {self.url}") from error
        except (BaseError, OSError, ValueError) as error:
            raise RemoteError(f"cannot {doing} {self.url}: {_public(str(error))}") from None


def _opened(url: str, connect: int, whole: int, retries: int) -> Any:
    """A store of obstore that gives up after so many seconds, and so many times."""
    from obstore.store import from_url

    options: Any = {
        **_asked_of_clients(url),
        "connect_timeout": timedelta(seconds=connect),
        "timeout": timedelta(seconds=whole),
    }
    return from_url(
        url,
        client_options=options,
        retry_config={"max_retries": retries, "retry_timeout": timedelta(seconds=whole)},
    )


def _asked_of_clients(url: str) -> dict[str, Any]:
    """What the environment asks of all clients of a kind of store, as `AWS_ALLOW_HTTP`. obstore
    reads that only where it is given no options."""
    start = {"s3": "AWS_", "gs": "GOOGLE_", "az": "AZURE_"}[url.partition("://")[0]]
    found: dict[str, Any] = {}
    for name in ("proxy_url", "proxy_ca_certificate", "proxy_excludes", "allow_http"):
        value = os.environ.get(start + name.upper())
        if value:
            found[name] = value.lower() in ("1", "true", "yes") if name == "allow_http" else value
    return found


def _public(text: str) -> str:
    """The first line of a message, without what may be a secret: a query may hold a token, and a
    URL a password."""
    line = text.strip().partition("\n")[0]
    line = re.sub(r"\?[^\s\"')]*", "", line)
    line = re.sub(r"//[^/\s@]*@", "//", line)
    return "".join(character if character.isprintable() else "?" for character in line)[:300]
