"""Every shape of marked statement, run cold and warm, against plain Python."""

from __future__ import annotations

import pytest
from projects import programs

PRELUDE = """
import sys
def f(*args, **kwargs):
    return [args, sorted(kwargs.items())]
def pair(x):
    return x, x + 1
"""


@pytest.mark.parametrize("program", programs("shapes.txt"))
def test_cold_and_warm_are_plain(project, program):
    project.write(main=PRELUDE + program.files["main.py"])
    cold = project.same()
    assert cold.steps
    assert {step["status"] for step in cold.steps} <= {"computed", "hit"}, cold.steps
    warm = project.same()
    assert {step["status"] for step in warm.steps} == {"hit"}, warm.steps
