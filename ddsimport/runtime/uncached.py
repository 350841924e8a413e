"""Steps that are evaluated as plain Python would, and not kept: why, and how it is reported."""

from __future__ import annotations

from ddsimport import report
from ddsimport.errors import StoreError
from ddsimport.report.events import Event


class UncachedError(Exception):
    """This step cannot be kept, for the reason given; it is evaluated as plain Python would."""


_EXPECTED = (UncachedError, StoreError, OSError)

ran_plain: dict[tuple[str, int], None] = {}
"""(module, line) of the steps that ran and were not kept: whatever they did, no record tells."""


def report_uncached(path: str, module: str, line: int, error: Exception) -> None:
    """Say why; a failure of ours is named as such."""
    reason = str(error)
    if isinstance(error, FileNotFoundError) and str(error.filename).startswith("<"):
        reason = (
            "its code is in no file (`python -c`, the prompt): nobody can tell later what it was"
        )
    elif not isinstance(error, _EXPECTED):
        reason = f"ddsimport failed: {type(error).__name__}: {error}"
    ran_plain[module, line] = None
    report.current().add(
        Event(
            path=path,
            module=module,
            line=line,
            status="uncached",
            signature="",
            seconds=0.0,
            saved_seconds=0.0,
            reason=reason,
        )
    )
