"""Inputs that a pragma names (`files=data/*.csv`, `env=A,B`), besides those that are seen."""

from __future__ import annotations

import glob
import os

from blake3 import blake3

from ddsimport.runtime import asked
from ddsimport.store import labels

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ddsimport.runtime.recorder import Recording
    from ddsimport.runtime.session import Session
    from ddsimport.source.options import Options

LABEL = labels.DECLARED
"""What the labels of these conditions begin with; a pattern follows."""


def note(options: Options, recording: Recording, session: Session) -> None:
    """Count what is declared as read, by this evaluation and those around it."""
    for each in recording.chain():
        for name in options.env:
            label = labels.VARIABLE + name
            each.conditions.setdefault(label, asked.token_of_variable(name))
        for pattern in options.files:
            names = _matched(pattern, session)
            each.conditions.setdefault(LABEL + pattern, _token(names))
            for name in names:
                each.note_read(session.absolute(name), os.path.abspath(session.absolute(name)))


def holds(label: str, token: str, session: Session) -> bool:
    """Whether a pattern matches the names it did; their contents are verified as those of files
    that were read."""
    return _token(_matched(label[len(LABEL) :], session)) == token


def _matched(pattern: str, session: Session) -> list[str]:
    """The files, as `Session.relative` names them, sorted."""
    root = session.absolute("")
    found = glob.glob(os.path.join(glob.escape(root), pattern), recursive=True)
    return sorted(session.relative(name) for name in found if os.path.isfile(name))


def _token(names: list[str]) -> str:
    return blake3("\0".join(names).encode("utf-8", "surrogateescape")).hexdigest(length=16)
