"""What a program that is written for a peer imports: where to keep results, and a counter.

Every peer is asked the same way whether it evaluated the step: did a function of the step's name
start in this process? A profile function sees that without a line in the program, in no way that a
program or a peer could take for an effect of the step.
"""

from __future__ import annotations

import atexit
import os
import sys
from types import FrameType
from typing import Any

STORE = os.environ["SOUNDNESS_STORE"]

_function = os.environ["SOUNDNESS_FUNCTION"]
_folder = os.path.dirname(os.path.abspath(sys.argv[0]))
_evaluations = 0


def _count(frame: FrameType, event: str, _argument: Any) -> None:
    global _evaluations
    if event == "call" and frame.f_code.co_name == _function:
        _evaluations += frame.f_code.co_filename.startswith(_folder)


def _tell() -> None:
    sys.setprofile(None)
    with open(os.environ["SOUNDNESS_COUNT"], "w") as file:
        file.write(str(_evaluations))


atexit.register(_tell)
sys.setprofile(_count)
