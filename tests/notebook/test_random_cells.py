"""Random sessions over one store show what they show in plain IPython."""

from __future__ import annotations

import re
from pathlib import Path

from ipython_sessions import Sessions
from random_cells import session


def test_no_random_session_is_stale(sessions: Sessions, folder: Path) -> None:
    hits = 0
    for seed in range(12):
        cells = session(seed)
        plain, ours = (sessions.run(cells, folder, load=load) for load in (False, True))
        for number, (expected, found) in enumerate(zip(plain.shown, ours.shown, strict=True)):
            before = "\n\n".join(cells[: number + 1])
            assert _bare(found) == _bare(expected), f"seed {seed}:\n{before}"
        hits += sum(status == "hit" for _, status in ours.statuses)
    assert hits > 40  # many of them do what others did


def _bare(shown: list[str]) -> list[str]:
    return [re.sub(r"CPU times.*\n|Wall time.*\n|0x[0-9a-f]+", "", text) for text in shown]
