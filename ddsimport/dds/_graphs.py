"""`dds_export_graph`: the one place where it meets our own drawing."""

from __future__ import annotations

import os

from ddsimport.dds.structures import DDSException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ddsimport.report.events import Event


def export(file: str, function: Callable[..., Any], events: list[Event] | None) -> None:
    """Draw what `function` keeps and what that depends on.

    Args:
        file: where to, absolute; its suffix says in which format.
        function: what `eval` was given.
        events: what became of each step of it, in order of their ends; None if it was not evaluated
            (`dds_stages` without "eval").

    Raises:
        DDSException: it cannot be drawn.
    """
    raise DDSException(f"no graph can be drawn to {os.path.basename(file)} yet")
