"""A folder on another machine, over `ssh://[USER@]HOST[:PORT]/PATH`, through fsspec and paramiko.

fsspec would talk to any host that answers to the name; here the host must be known to ssh already
(`~/.ssh/known_hosts`). There is no condition to a rename, so `create` looks and then writes: with
names that say their content that is as good.
"""

from __future__ import annotations

import posixpath
from contextlib import contextmanager, suppress
from os import urandom

from ddsimport.store.remote import MOST, AbsentError, Remote, RemoteError, checked, is_ours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def over_ssh(url: str, hasty: bool) -> Remote:
    """The remote at an `ssh://` URL. Raises RemoteError."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        port = parts.port or 22
    except ValueError as error:
        raise RemoteError(f"the remote is not a URL: {error}") from None
    if parts.password is not None:
        raise RemoteError("the remote names a password; use a key of ssh instead")
    if not parts.hostname or not parts.path.strip("/"):
        raise RemoteError(f"the remote {url!r} must name a host and a path: ssh://HOST/PATH")
    seconds = 4 if hasty else 20
    options = {
        "port": port, "username": parts.username, "timeout": seconds, "banner_timeout": seconds,
        "auth_timeout": seconds,
    }  # fmt: skip
    return Files(url.rstrip("/"), _file_system(parts.hostname, options), parts.path.rstrip("/"))


def _file_system(host: str, options: dict[str, Any]) -> Any:
    """fsspec's, which believes only hosts that are known, and says where there is a link. Raises
    RemoteError."""
    try:
        import paramiko
        from fsspec.implementations.sftp import SFTPFileSystem
    except ImportError as error:
        raise RemoteError(
            "a remote over ssh needs fsspec and paramiko: pip install 'ddsimport[ssh]'"
        ) from error

    class KnownHosts(SFTPFileSystem):  # type: ignore[misc]  # fsspec has no types
        protocol = "ddsimport-ssh"
        cachable = False

        def _connect(self) -> None:
            self.client = paramiko.SSHClient()
            self.client.load_system_host_keys()
            self.client.set_missing_host_key_policy(paramiko.RejectPolicy())
            self.client.connect(self.host, **self.ssh_kwargs)
            self.ftp = self.client.open_sftp()
            self.ftp.get_channel().settimeout(options["timeout"] * 5)

        def info(self, path: str) -> Any:
            found = self._decode_stat(self.ftp.lstat(path))  # a link is told as one
            return {**found, "name": path}

    try:
        return KnownHosts(host, **options)
    except (OSError, EOFError, ValueError, paramiko.SSHException) as error:
        raise RemoteError(f"cannot reach {host}: {error}") from None


class Files(Remote):
    """A folder of a file system of fsspec's.

    Args:
        system: the file system.
        root: the folder.
    """

    forks = False  # two processes on one connection would mix their messages

    def __init__(self, url: str, system: Any, root: str) -> None:
        self.url = url
        self._system = system
        self._root = root

    def size(self, key: str) -> int | None:
        try:
            with self._telling("ask"):
                return int(self._file(key)["size"])
        except AbsentError:
            return None

    def get(self, key: str) -> bytes:
        with self._telling("read"):
            if self._file(key)["size"] > MOST:
                raise RemoteError(f"{key} in the remote is larger than anything of ours")
            return bytes(self._system.cat_file(self._path(key)))

    def put(self, key: str, content: bytes) -> None:
        self._write(key, content)

    def create(self, key: str, content: bytes) -> bool:
        if self.size(key) is not None:
            return False
        self._write(key, content)
        return True

    def listed(self, prefix: str) -> Iterator[tuple[str, int]]:
        try:
            with self._telling("list"):
                found = self._system.ls(self._path(prefix), detail=True)
        except AbsentError:
            return
        for each in sorted(found, key=lambda each: str(each["name"])):
            key = f"{prefix}/{posixpath.basename(each['name'].rstrip('/'))}"
            if not is_ours(key):
                continue
            if each["type"] == "directory":
                yield from self.listed(key)
            elif each["type"] == "file":
                yield key, int(each["size"])

    def _path(self, key: str) -> str:
        return f"{self._root}/{checked(key)}"

    def _file(self, key: str) -> Any:
        """What is told of a file. Raises RemoteError: there is a link, on the way or at its end."""
        path = self._root
        for name in checked(key).split("/"):
            path = f"{path}/{name}"
            found = self._system.info(path)
            if found["type"] not in ("directory", "file"):
                raise RemoteError(f"{path} in the remote is a symbolic link, or no file")
        if found["type"] != "file":
            raise RemoteError(f"{path} in the remote is not a file")
        return found

    def _write(self, key: str, content: bytes) -> None:
        path = self._path(key)
        folder, name = posixpath.split(path)
        aside = f"{folder}/.{name[:100]}.{urandom(8).hex()}"
        with self._telling("write"):
            self._make_folder(posixpath.dirname(key))
            try:
                with self._system.open(aside, "wb") as file:
                    file.write(content)
                self._system.mv(aside, path)
            except BaseException:
                with suppress(Exception):
                    self._system.rm_file(aside)
                raise

    def _make_folder(self, key: str) -> None:
        """Raises RemoteError: there is a link on the way."""
        path = self._root
        self._system.makedirs(path, exist_ok=True)
        for name in key.split("/") if key else ():
            path = f"{path}/{name}"
            try:
                kind = self._system.info(path)["type"]
            except FileNotFoundError:
                self._system.makedirs(path, exist_ok=True)
                continue
            if kind != "directory":
                raise RemoteError(f"{path} in the remote is not a folder")

    @contextmanager
    def _telling(self, doing: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise AbsentError(f"there is nothing of that name in {self.url}") from error
        except RemoteError:
            raise
        except (OSError, EOFError, ValueError) as error:
            raise RemoteError(f"cannot {doing} {self.url}: {error}") from None
        except Exception as error:
            if type(error).__module__.startswith("paramiko."):
                raise RemoteError(f"cannot {doing} {self.url}: {error}") from None
            raise
