"""Report a step that is evaluated as plain Python would, without having been looked up."""

from __future__ import annotations

from ddsimport import report
from ddsimport.errors import StoreError
from ddsimport.report.events import Event
from ddsimport.runtime.signature import UncachedError

_EXPECTED = (UncachedError, StoreError, OSError)


def report_uncached(path: str, module: str, line: int, error: Exception) -> None:
    """Say why; a failure of ours is named as such."""
    expected = isinstance(error, _EXPECTED)
    report.current().add(
        Event(
            path=path,
            module=module,
            line=line,
            status="uncached",
            signature="",
            seconds=0.0,
            saved_seconds=0.0,
            reason=str(error) if expected else f"ddsimport failed: {type(error).__name__}: {error}",
        )
    )
