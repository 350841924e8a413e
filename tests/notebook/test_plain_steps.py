"""`keep` and its like in cells, without `%load_ext`: a notebook written for dds_py has none."""

from __future__ import annotations

from pathlib import Path

import pytest
from jupyter_kernels import kernel

CELLS = [
    "import {module} as dds",
    "K = 1",
    "def f(n):\n    return n + K",
    "@dds.data_function('/g')\ndef g():\n    return dds.keep('/f', f, 1) * 10",
    "g()",
    "def unrelated():\n    return 1",
    "g()",
    "K = 2",
    "g()",
    "def bad():\n    raise ValueError\ndds.keep('/bad', bad)",
]


@pytest.mark.parametrize("module", ["ddsimport", "ddsimport.dds"])
def test_functions_of_cells_are_kept(folder: Path, module: str) -> None:
    cells = [text.format(module=module) for text in CELLS]
    with kernel(folder) as started:
        cold = started.run_all(cells)
    with kernel(folder) as started:
        warm = started.run_all(cells)
    for shown in (cold, warm):
        assert [shown[number].result for number in (4, 6, 8)] == ["20", "20", "30"]
        assert shown[-1].statuses == "f"
    assert [each.statuses for each in cold[:-1]] == ["", "", "", "", "cc", "", "h", "", "cc"]
    assert [each.statuses for each in warm[:-1]] == ["", "", "", "", "h", "", "h", "", "h"]
    assert "/f (In [4]:3), " in cold[4].ours
    assert "/g (In [4]:1), " in cold[4].ours
    assert "cannot be seen" not in "".join(each.streams["stderr"] + each.ours for each in cold)
