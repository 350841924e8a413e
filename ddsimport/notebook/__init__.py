"""`%load_ext ddsimport`: pragmas in the cells of IPython and Jupyter.

What a cell's text means is found where text and tree meet, in the shell's compiler (`compiler`);
what is in force of all cells is put together in `source.cells`; what is told after each cell is in
`telling`. IPython is imported by whoever comes here, and is no dependency of ours.
"""

from __future__ import annotations

import os
import sys

from ddsimport import children, config, report
from ddsimport.notebook import compiler, display, reloading, where
from ddsimport.notebook.magic import DdsimportMagics
from ddsimport.notebook.telling import Telling
from ddsimport.source import cells, hook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_loaded: dict[int, Telling] = {}  # identity of a shell -> what listens to it


def load(shell: Any) -> None:
    """Have the cells of a shell handled from now on; those that it has run count as text."""
    if id(shell) in _loaded:
        return
    place, title, folder = where.of(shell)
    config.use(_configured(folder))
    hook.install()
    children.accompany(None)
    session = cells.current
    if session is None or session.main is not shell.user_module:
        session = cells.current = cells.Cells(shell.user_module, place, title)
    for cell in compiler.cells_before(shell):
        session.add(cell)
        session.begin(cell.chunks)
    compiler.follow(shell, session)
    reloading.keep_whole()
    display.follow()
    telling = _loaded[id(shell)] = Telling(report.current(), session, sys.stderr)
    telling.listen(shell.events)
    shell.register_magics(DdsimportMagics(shell, telling))
    early = [name for name in hook.early() if name not in ("__main__", "__mp_main__")]
    if early:
        report.current().say(
            "early",
            "imported before ddsimport was loaded, so that their steps are not handled: "
            f"{', '.join(sorted(early))}; load it first, or reload them (importlib.reload)",
        )
    compiler.take_over(shell, session)


def unload(shell: Any) -> None:
    """Run the cells of a shell as plain Python again; what they bound stays as it is."""
    telling = _loaded.pop(id(shell), None)
    if telling is None:
        return
    telling.leave(shell.events)
    compiler.leave(shell)
    if not _loaded:
        reloading.as_before()
        display.leave()
        hook.uninstall()
    shell.magics_manager.magics["line"].pop("ddsimport", None)


def _configured(folder: str) -> config.Config:
    """The configuration of a session that runs in `folder`.

    Without footprints: what may have run before a step outside of what is recorded is told by the
    text of the program, and that of cells which were edited since is gone.

    Raises:
        ConfigurationError: a key of `[tool.ddsimport]` means nothing.
    """
    return config.resolve(folder, {"footprints": False}, os.environ)
