"""The line magic `%ddsimport`: how much is said after a cell."""

from __future__ import annotations

from ddsimport import config
from ddsimport.source import cells

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ddsimport.notebook.telling import Telling

NAME = "ddsimport"
_SAID = {"-q": "quiet", "--quiet": "quiet", "-v": "verbose", "--verbose": "verbose", "": ""}
_USAGE = "usage: %ddsimport [-q | -v]: -q says nothing after a cell, -v a line for each step"


def magic(telling: Telling) -> Callable[[str], None]:
    """The magic of a shell that `telling` listens to."""

    def ddsimport(line: str) -> None:
        """`%ddsimport -q` says nothing after a cell, `-v` a line for each step as it ends; without
        either, a summary, and now where the store is."""
        said = line.split("#")[0].strip()
        if said not in _SAID:
            from IPython.core.error import UsageError

            raise UsageError(_USAGE)
        run = telling.run
        run.quiet = _SAID[said] == "quiet"
        run.verbose = _SAID[said] == "verbose"
        if not said:
            print(f"store: {config.current().store}; without a path, steps are /{cells.title()}/…")

    return ddsimport
