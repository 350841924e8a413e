"""Whole processes: a warm run against bare Python, and importing pandas under the hook."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import rounds, table

_WORK = """
def work(x):
    return helper(x) + 1


def helper(x):
    return x * 2
"""


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as folder:
        _warm(Path(folder))
        _pandas(Path(folder))


def _warm(folder: Path) -> None:
    lines = [f"v{n} = work({n})  # dds: /bench/v{n}" for n in range(10)]
    (folder / "work.py").write_text(_WORK)
    (folder / "marked.py").write_text("\n".join(["from work import work", *lines, "print(v9)"]))
    values = [f"v{n} = {2 * n + 1}" for n in range(10)]
    (folder / "bare.py").write_text("\n".join(["from work import work", *values, "print(v9)"]))
    store = str(folder / "store")
    marked = [sys.executable, "-m", "ddsimport", "-q", "--store", store, "marked.py"]
    bare = [sys.executable, "bare.py"]
    environment = _environment()

    def run(command: list[str]) -> None:
        subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)

    run(marked)
    measured = rounds(
        {
            "bare python, the steps' work removed": lambda: run(bare),
            "ddsimport, ten hits": lambda: run(marked),
        },
        calls=1,
        repetitions=15,
    )
    bare_seconds, warm_seconds = measured.values()
    table(
        "warm process of ten steps",
        measured,
        unit="ms",
        note=f"{(warm_seconds - bare_seconds) * 1e3:.1f} ms over bare python",
    )


def _pandas(folder: Path) -> None:
    """CPU time within the process: the hook's share is far below the noise of starting one."""
    code = (
        "import time; {setup}; started = time.process_time(); import pandas; "
        "print(time.process_time() - started)"
    )
    setups = {
        "import pandas": "pass",
        "import pandas, under the hook": "import ddsimport.activate",
    }
    taken: dict[str, list[float]] = {name: [] for name in setups}
    for _ in range(16):
        for name, setup in setups.items():
            ended = subprocess.run(
                [sys.executable, "-c", code.format(setup=setup)],
                cwd=folder,
                env=_environment(),
                check=True,
                capture_output=True,
                text=True,
            )
            taken[name].append(float(ended.stdout))
    medians = {name: sorted(times[1:])[len(times) // 2] for name, times in taken.items()}
    table("importing pandas (CPU)", medians, unit="ms")


def _environment() -> dict[str, str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHONDONTWRITEBYTECODE" and not name.startswith("DDSIMPORT_")
    }
    root = str(Path(__file__).resolve().parent.parent)
    environment["PYTHONPATH"] = root
    return environment
