"""What the tests of the store share: short ways to keep a value, and processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from blake3 import blake3

from ddsimport.store.store import Store
from ddsimport.store.trace import Candidate, Trace

PROJECT = Path(__file__).resolve().parents[2]


def signature(thing: object) -> str:
    return blake3(repr(thing).encode()).hexdigest()


def keep(store: Store, sig: str, value: object, **fields: Any) -> Candidate:
    given: dict[str, Any] = {
        "trace": Trace(),
        "digest": fields.get("digest") or signature(value),
        "seconds": 0.5,
        "path": "/a/b",
        "code": signature("code"),
        "inputs": (("x", signature("x")),),
        "versions": {"numpy": "2.1"},
    }
    return store.keep(sig, value, **{**given, **fields})


def all_files(folder: str | Path) -> list[str]:
    """Every file below a folder, relative to it, sorted."""
    found = [os.path.join(place, name) for place, _, names in os.walk(folder) for name in names]
    return sorted(os.path.relpath(path, folder) for path in found)


def run_python(code: str, *arguments: object, timeout: float = 60) -> str:
    """Run code in a fresh interpreter; its standard output. It must succeed."""
    child = start_python(code, *arguments)
    try:
        output, errors = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        child.kill()
        output, errors = child.communicate()
        raise AssertionError(f"it hangs; so far:\n{output}\n{errors}") from None
    assert child.returncode == 0, errors
    return output


def start_python(code: str, *arguments: object) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(PROJECT), str(Path(__file__).parent)])
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def started(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A process that is killed in the end, whatever happens."""
    child = start_python(code, *arguments)
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def flip(path: str | Path, position: int, mask: int = 1) -> None:
    """Change one byte of a file in place, read-only or not."""
    path = Path(path)
    mode = path.stat().st_mode
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[position] ^= mask
    with path.open("r+b") as file:
        file.write(data)
    path.chmod(mode)
