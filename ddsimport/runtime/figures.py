"""The figures that pyplot holds: a global state of the program, which steps draw on and add to.

A figure that pyplot manages is taken up by it again when it is unpickled, with the next free
number: as when it was made. So a step may make one figure and give it (or its axes) as its value.
What else a step does to pyplot's figures (drawing on one that was there, leaving some open, closing
one, choosing another) a hit would not do.

Whether a figure was drawn on is told by its own flag: whatever changes an artist marks its figure
as stale.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager

from ddsimport.values.sharing import identities

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


class Figures:
    """What one evaluation does to them."""

    def __init__(self) -> None:
        self._before = _managers()
        self._after = self._before
        self._stale = {number: _figure(each)._stale for number, each in self._before.items()}
        for manager in self._before.values():
            _figure(manager)._stale = False
        self._drawn_on: list[int] = []

    def end(self) -> None:
        """The evaluation is over; to be called once."""
        for number, manager in self._before.items():
            figure = _figure(manager)
            if figure._stale:
                self._drawn_on.append(number)
            figure._stale = figure._stale or self._stale[number]
        self._after = _managers()

    def fault(self, value: object) -> str | None:
        """What a hit would not do, in words; None if it would."""
        before, after = list(self._before), list(self._after)
        if self._drawn_on:
            return f"drew on figure {self._drawn_on[0]} of pyplot, which was there before"
        held = set(identities(value)) if before or after else set()
        for number, manager in self._before.items():
            if id(_figure(manager)) in held:
                return f"gave a part of figure {number} of pyplot, which was there before"
        if before == after:
            return None
        new = [number for number in after if number not in self._before]
        if [*before, *new] != after:
            return "closed figures of pyplot, or chose another as the current one"
        figures = [_figure(self._after[number]) for number in new]
        if len(new) == 1 and id(figures[0]) in held and not figures[0].get_label():
            if new[0] == max(before, default=0) + 1:
                return None
            return f"chose the number {new[0]} for its figure"
        return "left figures of pyplot open (close them, or make one and return it)"


@contextmanager
def undisturbed() -> Iterator[None]:
    """Figures that are unpickled meanwhile, to be compared, get no place among the program's, and
    no window."""
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    helpers: Any = sys.modules.get("matplotlib._pylab_helpers")
    if pyplot is None or helpers is None or not _managers():
        yield
        return
    from matplotlib.backends import backend_agg

    figures, backend = helpers.Gcf.figs, pyplot._get_backend_mod
    before = dict(figures)
    pyplot._get_backend_mod = lambda: backend_agg
    try:
        yield
    finally:
        pyplot._get_backend_mod = backend
        figures.clear()
        figures.update(before)


def _managers() -> dict[int, Any]:
    """By number, the current one last."""
    helpers: Any = sys.modules.get("matplotlib._pylab_helpers")
    gcf = getattr(helpers, "Gcf", None)
    return dict(gcf.figs) if gcf is not None else {}


def _figure(manager: Any) -> Any:
    return manager.canvas.figure
