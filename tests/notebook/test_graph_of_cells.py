"""`ddsimport.graph()` in a session: steps in several cells, one of them edited."""

from __future__ import annotations

from pathlib import Path

from ipython_sessions import Sessions

_LOOK = """
import ddsimport
edges = ddsimport.graph().only_steps().graph.edges
open("edges.txt", "w").write(" ".join(sorted(f"{e.source}>{e.target}" for e in edges)))
assert "srcdoc" in ddsimport.graph()._repr_html_()
"""


def test_steps_in_cells_are_joined(sessions: Sessions, folder: Path) -> None:
    cells = [
        "def make(n):\n    return list(range(n))",
        "a = make(5)  # dds: /nb/a",
        "n = len(a)\nb = make(n)  # dds: /nb/b",
        "c = a + b  # dds: /nb/c",
        "c = a + b + [1]  # dds: /nb/c",
        _LOOK,
    ]
    sessions.run(cells, folder)
    assert (folder / "edges.txt").read_text() == (
        "step:/nb/a>step:/nb/b step:/nb/a>step:/nb/c step:/nb/b>step:/nb/c"
    )
