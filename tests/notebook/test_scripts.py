"""Scripts that IPython runs from its command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = "def f():\n    print('f')\n    return {}\n\nx = f()  # dds: /x\nprint(x)\n"


def test_ipython_runs_a_script(folder: Path) -> None:
    script = folder / "s.py"
    script.write_text(SCRIPT.format(1))
    for status in ("computed", "hit"):
        ran = _run(folder, "--ext=ddsimport")
        assert ran.stdout == "f\n1\n"
        assert f"ddsimport: 1 step: 1 {status}; " in ran.stderr
    script.write_text(SCRIPT.format(2))
    ran = _run(folder, "--ext=ddsimport")
    assert ran.stdout == "f\n2\n"
    assert "ddsimport: 1 step: 1 computed; " in ran.stderr


def test_a_script_that_ipython_has_compiled_before(folder: Path) -> None:
    (folder / "s.py").write_text("import ddsimport.activate\n" + SCRIPT.format(1))
    ran = _run(folder)
    assert ran.stdout == "f\n1\n"
    assert "s.py are not handled" in ran.stderr and "`ipython --ext=ddsimport " in ran.stderr
    ran = _run(folder, "--ext=ddsimport")
    assert "not handled" not in ran.stderr and "1 computed; " in ran.stderr


def _run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", *options, "s.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "IPYTHONDIR": str(folder / "ipython"), "NO_COLOR": "1"},
    )
