"""Scripts that IPython runs from its command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = "def f():\n    print('f')\n    return {}\n\nx = f()  # dds: /x\nprint(x)\n"


def test_ipython_runs_a_script(folder: Path) -> None:
    (folder / "s.py").write_text(SCRIPT.format(1))
    assert _run(folder) == ("f\n1\n", "computed")
    assert _run(folder) == ("f\n1\n", "hit")
    (folder / "s.py").write_text(SCRIPT.format(2))
    assert _run(folder) == ("f\n2\n", "computed")


def _run(folder: Path) -> tuple[str, str]:
    """What it prints, and what became of its only step."""
    ended = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--ext=ddsimport", "s.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "IPYTHONDIR": str(folder / "ipython"), "NO_COLOR": "1"},
    )
    assert "ddsimport: 1 step: 1 " in ended.stderr, ended.stderr
    return ended.stdout, ended.stderr.partition("1 step: 1 ")[2].partition(";")[0]
