"""Equal values have equal digests in every process, under every hash seed and every Python."""

from __future__ import annotations

import glob
import json
import os
import subprocess
import sys
from pathlib import Path

import digest_table
import pytest

_HERE = Path(__file__).parent
_PYTHONS = sorted(glob.glob("/opt/v3.*/bin/python")) or [sys.executable]


def _digests_under(python: str, seed: str) -> dict[str, str]:
    root = str(_HERE.parent.parent)
    done = subprocess.run(
        [python, str(_HERE / "digest_table.py")],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("python", _PYTHONS)
def test_same_under_every_python_and_hash_seed(python: str) -> None:
    here = digest_table.digests()
    for seed in ("0", "1", "4711"):
        there = _digests_under(python, seed)
        assert {name for name in here if here[name] != there[name]} == set()


def test_the_table_holds_no_two_equal_digests() -> None:
    found = digest_table.digests()
    names: dict[str, str] = {}
    for name, value in found.items():
        assert names.setdefault(value, name) == name


def test_forked_children_hash_large_values() -> None:
    """blake3's pool of threads is gone in a forked child: it would wait for it for ever."""
    program = """if True:
        import os, signal, sys
        from ddsimport.values.digest import digest
        data = bytes(5_000_000)
        before = digest(data)
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            os._exit(0 if digest(data) == before else 1)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    root = str(_HERE.parent.parent)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], env={**os.environ, "PYTHONPATH": root}
    )
    assert done.returncode == 0
