"""`dds_export_graph`: the one place where it meets our own drawing."""

from __future__ import annotations

import os

from ddsimport.dds.structures import DDSException
from ddsimport.errors import StoreError
from ddsimport.runtime.noted import noted
from ddsimport.runtime.session import session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import PurePath

    from ddsimport.report.events import Event


def checked(file: str | PurePath) -> str:
    """The file that is meant, absolute: the program may go elsewhere before it is drawn.

    Raises:
        DDSException: its name says nothing of how to draw.
    """
    from ddsimport.drawing import format_of

    try:
        format_of(os.fspath(file))
    except ValueError as error:
        raise DDSException(str(error)) from error
    return os.path.abspath(file)


def export(file: str, events: list[Event] | None) -> None:
    """Draw what an `eval` kept and what that depends on.

    Args:
        file: where to, absolute; its suffix says in which format.
        events: what became of each step of it, in order of their ends; None if it was not evaluated
            (`dds_stages` without "eval"): then what the program's last run had is drawn.

    Raises:
        DDSException: it cannot be drawn.
    """
    from ddsimport.drawing import Drawing
    from ddsimport.report.draw import DrawingError
    from ddsimport.report.past import Past

    shared = session()
    if shared.store is None or not shared.store.on_disk:
        raise DDSException("a graph is drawn from what a store on the disk has noted; use 'local'")
    now = noted(shared)
    if events is not None:
        now["events"] = [event.as_dict() for event in events]
    past = Past(shared.store, shared.config.project, now)
    runs = past.runs_of(shared.program)
    if not runs:
        raise DDSException(f"nothing has been kept that could be drawn to {file}; evaluate it once")
    try:
        Drawing(past, runs[0]).only_steps().save(file)
    except (DrawingError, StoreError, OSError) as error:
        raise DDSException(f"the graph cannot be drawn to {file}: {error}") from error
