"""A store on a file system of the network, that two machines have mounted: here two mounts of one
folder by sshfs, where a lock that one holds is not seen by the other.

Values may be computed twice there; they are never wrong, and nothing is damaged.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from projects import ROOT, Project

_PROGRAM = """
import time

def slow(n):
    time.sleep(0.05)
    return [n] * 1000

def count(n):  # dds: /count/{n}
    return slow(n)

for _ in range(2):
    for n in range(8):
        assert count(n) == [n] * 1000
large = bytes(bytearray(b"x") * 3_000_000)  # dds: /large
print(len(large), large[:3])
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Iterator[list[Path]]:
    server = shutil.which("sshd", path="/usr/sbin:/usr/bin")
    if not server or not shutil.which("sshfs") or os.geteuid() != 0:
        pytest.skip("needs sshfs, sshd and the rights of root")
    keys, shared = tmp_path / "keys", tmp_path / "shared"
    keys.mkdir(mode=0o700)
    shared.mkdir()
    Path("/run/sshd").mkdir(exist_ok=True)
    for name in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(keys / name)], check=True
        )
    port = _free_port()
    configuration = keys / "sshd_config"
    configuration.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {keys}/host\n"
        f"AuthorizedKeysFile {keys}/user.pub\nStrictModes no\nPermitRootLogin yes\nUsePAM no\n"
        f"Subsystem sftp internal-sftp\nPidFile none\n"
    )
    daemon = subprocess.Popen([server, "-D", "-f", str(configuration)], stderr=subprocess.DEVNULL)
    found: list[Path] = []
    try:
        _wait_for(port)
        options = (
            f"IdentityFile={keys}/user,StrictHostKeyChecking=no,"
            f"UserKnownHostsFile=/dev/null,port={port}"
        )
        for name in ("one", "two"):
            place = tmp_path / name
            place.mkdir()
            mount = ["sshfs", "-o", options, f"root@127.0.0.1:{shared}", str(place)]
            ended = subprocess.run(mount, capture_output=True, text=True, timeout=30)
            if ended.returncode:
                pytest.skip(f"sshfs: {ended.stderr.strip()}")
            found.append(place)
        yield found
    finally:
        for place in found:
            subprocess.run(["umount", "-l", str(place)], check=False)
        daemon.kill()
        daemon.wait()


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.skip("sshd does not start")


def _start(folder: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *options, "main.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_machines_on_one_store(mounts: list[Path]) -> None:
    one = Project(mounts[0] / "project").write(main=_PROGRAM)
    expected = one.plain().stdout
    folders = [mount / "project" for mount in mounts]
    under = ("-m", "ddsimport", "-q")
    running = [_start(folder, *under) for folder in folders * 2]
    for child in running:
        output, errors = child.communicate(timeout=120)
        assert (child.returncode, output, errors) == (0, expected, "")
    # One machine dies in the middle of what it does; the other goes on.
    Project(mounts[0] / "other").write(main=_PROGRAM)
    folders = [mount / "other" for mount in mounts]
    dying = _start(folders[0], *under)
    living = _start(folders[1], *under)
    time.sleep(1.0)
    dying.kill()
    dying.communicate()
    output, errors = living.communicate(timeout=120)
    assert (living.returncode, output, errors) == (0, expected, "")
    for folder in folders:
        found = Project(folder).python("-m", "ddsimport", "verify").stdout.splitlines()
        left = "a killed process had left a file"
        assert all(line == "nothing is damaged" or left in line for line in found), found
        # What one mount believes to be missing, for a while, may be there: it is evaluated again.
        assert Project(folder).run().stdout == expected
    for _ in range(10):
        last = Project(folders[0]).run()
        assert last.stdout == expected
        if not last.evaluated():
            return
        time.sleep(3)  # sshfs forgets after 20 s that a file was not there
    pytest.fail(f"evaluated again and again: {last.evaluated()}")
