"""The line magic `%ddsimport`: how much is said after a cell."""

from __future__ import annotations

from IPython.core.magic import Magics, line_magic, magics_class

from ddsimport import config
from ddsimport.source import cells

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.notebook.telling import Telling

_SAID = {"-q": "quiet", "--quiet": "quiet", "-v": "verbose", "--verbose": "verbose", "": ""}
_USAGE = "usage: %ddsimport [-q | -v]: -q says nothing after a cell, -v a line for each step"


@magics_class
class DdsimportMagics(Magics):  # type: ignore[misc]  # IPython may not be installed
    """See the module."""

    def __init__(self, shell: Any, telling: Telling) -> None:
        super().__init__(shell)
        self._telling = telling

    @line_magic  # type: ignore[misc]  # as above
    def ddsimport(self, line: str) -> None:
        """Say how much is said after each cell: `%ddsimport -q` for nothing, `-v` for a line per
        step, and without either for a summary, and where the store is."""
        from IPython.core.error import UsageError

        said = line.strip()
        if said not in _SAID:
            raise UsageError(_USAGE)
        self._telling.quiet = _SAID[said] == "quiet"
        self._telling.run.verbose = _SAID[said] == "verbose"
        self._telling.run.quiet = self._telling.quiet
        if not said:
            print(f"ddsimport: store {config.current().store}; bare pragmas: /{cells.title()}/…")
