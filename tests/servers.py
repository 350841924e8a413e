"""Real servers of object stores on the loopback, for the tests of remotes; a test that needs one
which cannot be had here is skipped."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path

import pytest

_KEY, _SECRET = "writer", "a-secret-of-the-tests"
_AZURE_KEY = (  # that of every Azurite, published by its makers
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


@dataclass(frozen=True)
class Server:
    """A server with an empty bucket.

    Attributes:
        url: of a remote in it.
        environment: what a process needs to reach it.
    """

    url: str
    environment: dict[str, str] = field(default_factory=dict)


def _program(name: str) -> str:
    """Where a program is: beside this interpreter, or on the path."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@contextmanager
def _running(command: list[str], folder: Path, port: int, seconds: float = 60) -> Iterator[None]:
    log = folder / "log"
    with log.open("wb") as file:
        child = subprocess.Popen(command, cwd=folder, stdout=file, stderr=file)
    try:
        deadline = time.monotonic() + seconds
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if child.poll() is not None or time.monotonic() > deadline:
                pytest.skip(
                    f"{command[0]} does not start: {log.read_text('utf-8', 'replace')[-300:]}"
                )
            time.sleep(0.05)
        yield
    finally:
        child.kill()  # some take their time to end, and nothing of theirs is kept
        child.wait()


def _s3(port: int, bucket: str) -> Server:
    return Server(
        f"s3://{bucket}/team",
        {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": _KEY,
            "AWS_SECRET_ACCESS_KEY": _SECRET,
            "AWS_REGION": "us-east-1",
        },
    )


@contextmanager
def seaweedfs(folder: Path) -> Iterator[Server]:
    """SeaweedFS, which keeps to conditions."""
    program = _program("weed")
    identity = {
        "name": "writer",
        "credentials": [{"accessKey": _KEY, "secretKey": _SECRET}],
        "actions": ["Admin", "Read", "Write", "List"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    (folder / "data").mkdir()
    names = ["master", "volume", "filer", "s3"]
    ports = _free_ports(8)
    numbers = [f"-{name}.port={port}" for name, port in zip(names, ports[:4], strict=True)]
    numbers += [f"-{name}.port.grpc={port}" for name, port in zip(names, ports[4:], strict=True)]
    command = [
        program, "-logtostderr=true", "server", f"-dir={folder / 'data'}", "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1", "-master.telemetry=false", "-volume.max=100", "-filer=true",
        "-s3=true", "-s3.config=s3.json", "-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0",
        "-master.volumeSizeLimitMB=64", *numbers,
    ]  # fmt: skip
    try:
        with _running(command, folder, ports[3]):
            _make_folder_in_filer(f"http://127.0.0.1:{ports[2]}/buckets/shared/")
            server = _s3(ports[3], "shared")
            _wait_until_it_keeps(server)
            yield server
    finally:
        for port in ports:
            for path in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                path.unlink(missing_ok=True)


def _wait_until_it_keeps(server: Server) -> None:
    """A port that is open does not mean that anything can be written yet."""
    from ddsimport.store.remote import RemoteError, open_remote

    deadline = time.monotonic() + 30
    with known_to_this_process(server):
        while True:
            try:
                remote = open_remote("s3://shared/ready", hasty=True)
                remote.put("a", b"")
                list(remote.listed("b"))
                return
            except RemoteError as error:
                if time.monotonic() > deadline:
                    pytest.skip(f"SeaweedFS keeps nothing: {error}")
                time.sleep(0.1)


def _make_folder_in_filer(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            request = urllib.request.Request(url, method="POST")
            with urllib.request.urlopen(request, timeout=5):
                return
        except OSError as error:
            if time.monotonic() > deadline:
                pytest.skip(f"SeaweedFS makes no bucket: {error}")
            time.sleep(0.1)


@contextmanager
def rclone(folder: Path) -> Iterator[Server]:
    """rclone, which ignores conditions."""
    program = _program("rclone")
    (folder / "data" / "shared").mkdir(parents=True)
    (port,) = _free_ports(1)
    command = [
        program, "serve", "s3", str(folder / "data"), "--config", str(folder / "none.conf"),
        "--auth-key", f"{_KEY},{_SECRET}", "--addr", f"127.0.0.1:{port}",
    ]  # fmt: skip
    with _running(command, folder, port):
        yield _s3(port, "shared")


@contextmanager
def azurite(folder: Path, installed: Path) -> Iterator[Server]:
    """Azurite, from npm.

    Args:
        installed: where it is, or gets installed.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("npm is not installed")
    program = installed / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
    if not program.exists():
        options = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(installed)]
        done = subprocess.run(
            [npm, "install", *options, "azurite@3"], capture_output=True, timeout=300, check=False
        )
        if done.returncode or not program.exists():
            pytest.skip("npm cannot install azurite")
    (port,) = _free_ports(1)
    command = [
        node, str(program), "--location", str(folder), "--blobPort", str(port), "--silent",
        "--skipApiVersionCheck", "--disableTelemetry",
    ]  # fmt: skip
    with _running(command, folder, port):
        _make_container(port, "shared")
        yield Server(
            "az://shared/team",
            {
                "AZURE_STORAGE_ACCOUNT_NAME": "devstoreaccount1",
                "AZURE_STORAGE_ACCOUNT_KEY": _AZURE_KEY,
                "AZURE_STORAGE_USE_EMULATOR": "true",
                "AZURITE_BLOB_STORAGE_URL": f"http://127.0.0.1:{port}",
                "AZURE_ALLOW_HTTP": "true",
            },
        )


def _make_container(port: int, name: str) -> None:
    """A request signed with the account's key, as Azure wants it."""
    account = "devstoreaccount1"
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    told = "\n".join(f"{each}:{value}" for each, value in sorted(headers.items()))
    text = "PUT" + "\n" * 12 + f"{told}\n/{account}/{account}/{name}\nrestype:container"
    mac = hmac.new(base64.b64decode(_AZURE_KEY), text.encode(), hashlib.sha256).digest()
    headers["Authorization"] = f"SharedKey {account}:{base64.b64encode(mac).decode()}"
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/{account}/{name}?restype=container",
        method="PUT",
        headers={**headers, "Content-Length": "0"},
    )
    with urllib.request.urlopen(request, timeout=10):
        pass


@contextmanager
def known_to_this_process(server: Server) -> Iterator[Server]:
    """The server, reachable by the tests themselves."""
    before = {name: os.environ.get(name) for name in server.environment}
    os.environ.update(server.environment)
    try:
        yield server
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
