"""What a step rests on besides its inputs, by its trace, as far as people want to see it.

To import a library asks for dozens of variables that nobody has set, and looks into its own
folders. All of that counts; told is what is somebody's choice.
"""

from __future__ import annotations

import posixpath
import re

from ddsimport.store import labels

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddsimport.report.code import Piece
    from ddsimport.store.trace import Trace

_INSTALLED = re.compile(
    r"/lib/python[\d.]+|site-packages|dist-packages|python\d+\.zip|/pyvenv\.cfg$"
)


def files_of(trace: Trace) -> list[str]:
    """The files it read, and the folders it listed."""
    return list(dict.fromkeys(filter(None, (_shown(read.path) for read in trace.files))))


def variables_of(trace: Trace, pieces: Iterable[Piece]) -> list[str]:
    """The environment variables it read that are set, or that its code names."""
    texts = [piece.text for piece in pieces]
    return [
        name
        for name, token in _named(trace, labels.VARIABLE)
        if token or any(name in text for text in texts)
    ]


def loads_of(trace: Trace) -> list[str]:
    """The artifacts it read by `ddsimport.load`."""
    return [path for path, _ in _named(trace, labels.LOAD)]


def _named(trace: Trace, kind: str) -> list[tuple[str, str]]:
    return [
        (label[len(kind) :], token) for label, token in trace.variables if label.startswith(kind)
    ]


def _shown(file: str) -> str:
    """A file as it is told; empty: it says nothing."""
    name = posixpath.normpath(file) + ("/" if file.endswith("/") else "")
    outside = name.startswith("/")
    if outside and (name.endswith("/") or _INSTALLED.search(name)):
        return ""
    return "" if name == "./" else name
