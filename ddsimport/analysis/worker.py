"""What a worker process runs: texts on standard input, the records of their facts on the output.

`workers` starts it; see there. A request is the number of texts, then each of them. The end of the
input ends the process.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from ddsimport.analysis.facts import apart, record_of
from ddsimport.analysis.workers import GREETING, framed, received


def work(recursion_limit: int) -> None:
    """Answer requests until they end; then the process ends too, without ado."""
    sys.setrecursionlimit(recursion_limit)
    try:
        # As deep in the stack as `workers.spread` is: what is nested too deeply here is so there.
        apart(lambda: _work())
    finally:
        os._exit(0)


def _work() -> None:
    reader: Any = sys.stdin.buffer
    writer: Any = sys.stdout.buffer

    def say(thing: object) -> None:
        writer.write(framed(json.dumps(thing, separators=(",", ":")).encode()))
        writer.flush()

    import libcst  # noqa: F401 - what takes long comes before the greeting

    say(GREETING)
    while True:
        number = int(received(reader))
        texts = [received(reader).decode("utf-8", "surrogatepass") for _ in range(number)]
        for text in texts:
            say(record_of(text))
