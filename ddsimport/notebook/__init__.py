"""`%load_ext ddsimport`: pragmas in the cells of IPython and Jupyter.

What a cell's text means is found where text and tree meet, in the shell's compiler (`compiler`);
what is in force of all cells is put together in `source.cells`; what is told after each cell is in
`telling`. IPython is imported by whoever comes here, and is no dependency of ours.
"""

from __future__ import annotations

import os

from ddsimport import children, config, report
from ddsimport.notebook import compiler, display, magic, reloading, where
from ddsimport.notebook.telling import Telling
from ddsimport.source import cells, hook
from ddsimport.values import _code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_loaded: dict[int, Telling] = {}  # identity of a shell -> what listens to it


def load(shell: Any) -> None:
    """Have the cells of a shell handled from now on; those that it has run count as text.

    Raises:
        ConfigurationError: a key of `[tool.ddsimport]` means nothing.
        PragmaError: one in the rest of the cell that loads us.
    """
    if id(shell) in _loaded:
        return
    place, title, folder = where.of(shell)
    config.use(config.resolve(folder, {}, os.environ))
    hook.install()
    children.accompany(None)
    session = cells.current
    if session is None or session.main is not shell.user_module:
        session = cells.current = cells.Cells(shell.user_module, place, title)
    for cell in compiler.cells_before(shell):
        session.add(cell)
        session.begin(cell.chunks)
    compiler.follow(shell, session)
    _code.is_homeless = lambda code: session.cell_of(code) is not None
    reloading.keep_whole()
    display.follow(shell)
    telling = _loaded[id(shell)] = Telling(report.current(), session)
    telling.listen(shell.events)
    shell.register_magic_function(magic.magic(telling), "line", magic.NAME)
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
    shell.magics_manager.magics["line"].pop(magic.NAME, None)
