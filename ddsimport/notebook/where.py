"""Where a session's notebook is, and what its steps are called that do not say."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NOTEBOOK = ".ipynb"


def of(shell: Any) -> tuple[str, str, str]:
    """A folder that cannot be, for the texts of the session's cells; what bare pragmas call the
    session; the folder that its project is looked for from.

    The notebook's file if anybody says which it is: then its cells are called as the script that is
    exported from it. Else the working directory, which Jupyter makes the notebook's folder.
    """
    file = _file_of(shell)
    if file is not None:
        stem = os.path.splitext(os.path.basename(file))[0]
        return file, stem, os.path.dirname(file)
    title = "notebook" if hasattr(shell, "kernel") else "ipython"
    folder = _here()
    return os.path.join(folder, f"<{title}>"), title, folder


def _file_of(shell: Any) -> str | None:
    """The notebook, by what VS Code or the Jupyter server tells the kernel."""
    for told in (shell.user_ns.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME")):
        if isinstance(told, str) and told.endswith(_NOTEBOOK):
            file = os.path.join(_here(), told)
            if os.path.isfile(file):
                return os.path.abspath(file)
    return None


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:  # it is gone
        return os.sep
