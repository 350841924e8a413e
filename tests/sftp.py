"""A server of SFTP in this process, for the tests of remotes over ssh."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The URL of `folder` on a server that this process knows, and is known to."""
    paramiko: Any = pytest.importorskip("paramiko")
    pytest.importorskip("fsspec")
    host_key = paramiko.ECDSAKey.generate()
    own = paramiko.ECDSAKey.generate()
    (folder / "home" / ".ssh").mkdir(parents=True)
    own.write_private_key_file(str(folder / "home" / ".ssh" / "id_ecdsa"))
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    known = f"[127.0.0.1]:{port} {host_key.get_name()} {host_key.get_base64()}\n"
    (folder / "home" / ".ssh" / "known_hosts").write_text(known)
    before = {name: os.environ.get(name) for name in ("HOME", "SSH_AUTH_SOCK")}
    os.environ["HOME"] = str(folder / "home")
    os.environ.pop("SSH_AUTH_SOCK", None)
    transports: list[Any] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(host_key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _files(paramiko))
            transport.start_server(server=_door(paramiko, own))
            transports.append(transport)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"ssh://someone@127.0.0.1:{port}{folder}/shared"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for transport in transports:
            transport.close()
        for name, value in before.items():
            if value is not None:
                os.environ[name] = value


def _door(paramiko: Any, own: Any) -> Any:
    class Door(paramiko.ServerInterface):  # type: ignore[misc]
        def check_auth_publickey(self, username: str, key: Any) -> int:
            right = username == "someone" and key == own
            return int(paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED)

        def check_channel_request(self, kind: str, number: int) -> int:
            return int(paramiko.OPEN_SUCCEEDED)

        def get_allowed_auths(self, username: str) -> str:
            return "publickey"

    return Door()


def _files(paramiko: Any) -> Any:
    def answer(do: Any) -> Any:
        def done(*arguments: Any) -> Any:
            try:
                return do(*arguments)
            except OSError as error:
                return paramiko.SFTPServer.convert_errno(error.errno)

        return done

    class Handle(paramiko.SFTPHandle):  # type: ignore[misc]
        def stat(self) -> Any:
            return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))

    class Files(paramiko.SFTPServerInterface):  # type: ignore[misc]
        @answer
        def list_folder(self, path: str) -> Any:
            return [
                paramiko.SFTPAttributes.from_stat(os.lstat(os.path.join(path, name)), name)
                for name in os.listdir(path)
            ]

        @answer
        def stat(self, path: str) -> Any:
            return paramiko.SFTPAttributes.from_stat(os.stat(path))

        @answer
        def lstat(self, path: str) -> Any:
            return paramiko.SFTPAttributes.from_stat(os.lstat(path))

        @answer
        def open(self, path: str, flags: int, attributes: Any) -> Any:
            descriptor = os.open(path, flags, 0o666)
            writes = flags & (os.O_WRONLY | os.O_RDWR)
            file = os.fdopen(descriptor, "wb" if writes else "rb")
            handle = Handle(flags)
            handle.readfile = handle.writefile = file
            return handle

        @answer
        def remove(self, path: str) -> int:
            os.remove(path)
            return int(paramiko.SFTP_OK)

        @answer
        def posix_rename(self, before: str, after: str) -> int:
            os.replace(before, after)
            return int(paramiko.SFTP_OK)

        @answer
        def mkdir(self, path: str, attributes: Any) -> int:
            os.mkdir(path)
            return int(paramiko.SFTP_OK)

    return Files
