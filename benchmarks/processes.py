"""Whole processes: a warm run against bare Python, a chain of large hits, and importing pandas
under the hook."""

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
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        _warm(Path(folder))
    for kind, make, step in _CHAINS:
        with tempfile.TemporaryDirectory() as folder:
            _chain(Path(folder), kind, make, step)
    with tempfile.TemporaryDirectory() as folder:
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


_CHAINS = (
    ("array", "numpy.arange(n / 8)", "x + k"),
    (
        "frame with a column of texts",
        "pandas.DataFrame({'a': numpy.arange(n // 40), 'b': list(map(str, range(n // 40)))})",
        "x.assign(a=x.a + k)",
    ),
    ("list", "list(map(float, range(n // 32)))", "[each + k for each in x]"),
)
"""Kind, the first value of about `n` bytes, and what a step makes of the one before."""


def _chain(folder: Path, kind: str, make: str, step: str) -> None:
    """Ten steps of 200 MB, all hits, only the last is looked at; bar: 1.1 of that one alone."""
    (folder / "work.py").write_text(
        f"import numpy, pandas\n\n\ndef make(n):\n    return {make}\n\n\n"
        f"def step(x, k):\n    return {step}\n"
    )
    lines = ["from work import make, step", "v0 = make(200_000_000)  # dds: /bench/v0"]
    lines += [f"v{n} = step(v{n - 1}, {n})  # dds: /bench/v{n}" for n in range(1, 10)]
    (folder / "chain.py").write_text("\n".join([*lines, "print(len(v9))"]))
    alone = ["import work", "from ddsimport import load", 'print(len(load("/bench/v9")))']
    (folder / "alone.py").write_text("\n".join(alone))
    store = str(folder / "store")
    ours = [sys.executable, "-m", "ddsimport", "-q", "--store", store]

    def run(name: str, *flags: str) -> None:
        subprocess.run(
            [*ours, *flags, name],
            cwd=folder,
            env=_environment(),
            check=True,
            stdout=subprocess.DEVNULL,
        )

    run("chain.py")
    measured = rounds(
        {
            "the last one alone": lambda: run("alone.py"),
            "ten hits, the last is looked at": lambda: run("chain.py"),
        },
        calls=1,
        repetitions=7,
    )
    table(f"chain of ten steps of 200 MB ({kind}; bar: 1.1 of the first)", measured, unit="ms")


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
