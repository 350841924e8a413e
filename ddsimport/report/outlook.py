"""What is said of a step that is drawn: what became of it, or what would now, and its cost."""

from __future__ import annotations

from ddsimport.records import Record
from ddsimport.report.terminal import duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddsimport.report.events import Event
    from ddsimport.report.graph import Node

    Forecasts = Mapping[str, "Outlook"]

_TOLD = 0.0005  # seconds; less is nothing to speak of
_RUN_AGAIN = ("failed", "uncached")
_TELLING = ("running", "failed", "stale", "unknown", "uncached", "computed", "hit")


class Outlook(Record):
    """What is said of a step that is not of the past.

    Attributes:
        status: `running`, `stale` (it would run now) or `unknown` (that depends on what runs
            before it).
        reason: why.
    """

    status: str
    reason: str = ""


def status_of(node: Node, forecasts: Forecasts | None = None) -> str:
    """`hit`, `computed`, `uncached`, `failed`, that of an `Outlook`, or empty.

    Of a node that stands for many the one that tells most.
    """
    if node.kind != "step":
        return ""
    if not node.events:
        return _status(node.id.removeprefix("step:"), "", forecasts)
    found = {status_of_event(event, forecasts) for event in node.events}
    return next(each for each in _TELLING if each in found)


def status_of_event(event: Event, forecasts: Forecasts | None = None) -> str:
    """The same of one evaluation of a step."""
    return _status(event.path, event.status, forecasts)


def _status(path: str, was: str, forecasts: Forecasts | None) -> str:
    outlook = forecasts.get(path) if forecasts else None
    # What failed or is not kept would always run: what became of it tells more.
    if outlook is None or (outlook.status == "stale" and was in _RUN_AGAIN):
        return was
    return outlook.status


def said_of(node: Node, forecasts: Forecasts | None = None) -> str:
    """The second line of a node."""
    if node.kind != "step":
        return node.detail
    status = status_of(node, forecasts)
    words = {"": node.detail or "did not run", "computed": "ran"}
    words |= {"stale": "would run", "unknown": "may run", "uncached": "not kept"}
    seconds = sum(cost_of(event) for event in node.events)
    said = [words.get(status, status)]
    if len(node.members) > 1:
        said.insert(0, node.detail)
    if seconds >= _TOLD and status != "running":
        said.append(f"{duration(seconds)}{' saved' if status == 'hit' else ''}")
    return " · ".join(said)


def cost_of(event: Event) -> float:
    """Seconds that the step takes when it is evaluated."""
    return event.saved_seconds if event.status == "hit" else event.seconds
