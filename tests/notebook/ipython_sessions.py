"""Cells run in fresh sessions of IPython, plainly and with ddsimport."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_ZYGOTE = Path(__file__).with_name("ipython_zygote.py")


@dataclass
class Session:
    """What a session did.

    Attributes:
        answers: of each cell, `out`, `err`, `result` (its repr), `error` (its type) and `said`, by
            us.
        statuses: (path, status) of each step, in order.
        names: what the session's namespace holds.
        reasons: why steps were not kept.
    """

    answers: list
    statuses: list
    names: list
    reasons: list

    @property
    def shown(self):
        """What each cell printed, gave and raised."""
        return [[each[key] for key in ("out", "err", "result", "error")] for each in self.answers]


class Sessions:
    """Starts sessions."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, str(_ZYGOTE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "NO_COLOR": "1", "IPYTHONDIR": "/nonexistent"},
        )

    def run(self, cells, folder, load=True):
        """Run cells in a new session; a dict among them is files to be written by then."""
        request = {
            "cells": cells,
            "folder": str(folder),
            "load": load,
            "clock": 2_000_000_000 * 10**9,
        }
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "broken" not in answer, answer["broken"]
        return Session(**answer)

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=10)
