"""What ties a kept value to the place of the project, to line numbers, to how messages look.

The rule for places: a text or path that lies in the project counts relative to it, wherever a
global, an input or a class attribute holds it, and `__file__` does not count. So a copied project
hits, and what it reads is verified file by file. But what a step *gives* may tell where the project
lies: if its value or its output holds the name of the project's folder, or of the working
directory, the kept value holds for that folder only. Where the step met such a path, one word of
the folder's name in the value is enough (`ROOT.name`), and so is a read outside of the project, yet
beside it (`ROOT.parent / "shared.csv"`): it may have been found from there. What cannot be seen is
a number or a truth value that was worked out from the text of a path (`len(str(ROOT))`).

In the same way, what names a source file (a warning, a traceback, a log record with its line) holds
while the text of that file is what it was; and a value with functions of the project in it, which
are kept by name, holds while the step's names lead to the same modules.
"""

from __future__ import annotations

import os
import re
import sys

from blake3 import blake3

from ddsimport.analysis.graph import READS_PLACES
from ddsimport.runtime import messages
from ddsimport.runtime.trace import TIES
from ddsimport.store import labels

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmap import mmap

    from ddsimport.runtime.live import Live
    from ddsimport.runtime.recorder import Recording
    from ddsimport.runtime.session import Session

    _Given = tuple[bytes | bytearray | mmap, ...]
    """The parts of what a step gives: its output, its value."""

FOLDER, DIRECTORY, TEXT, MODULES, MESSAGES = TIES
_TELL_NOTHING = frozenset({"npy", "safetensors", "image"})
"""Codecs of blobs that hold no text."""


def ties(
    recording: Recording,
    live: Live,
    session: Session,
    content: bytes | bytearray | mmap,
    codec: str,
    functions: bool,
    shown: messages.Shown,
) -> tuple[tuple[str, str], ...]:
    """(label, text) of what must be as it is for the value in a blob to hold.

    Args:
        content: the bytes that hold the value.
        codec: the name of what wrote it.
        functions: whether there are functions of the project in the value.
        shown: how messages were shown when the step began.
    """
    output = "".join(text for _, text in recording.output).encode("utf-8", "replace")
    given = (output,) if codec in _TELL_NOTHING else (output, content)
    found = _ties(recording, live, session, given, functions)
    if recording.output and "logging" in sys.modules:
        found.append((MESSAGES, messages.token(shown)))
    return tuple(found)


def _ties(
    recording: Recording, live: Live, session: Session, given: _Given, functions: bool
) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    directory = os.getcwd()
    met = live.setting.placed or any(
        reach.reflects & READS_PLACES for reach in live.reaches.values()
    )
    folders = [folder.rstrip(os.sep) for folder in session.folders]
    if any(_names(folder, given, met) for folder in folders) or (
        met and _reads_beside(recording, folders)
    ):
        found.append((FOLDER, session.folders[0]))
    if _names(directory, given, met=False):
        found.append((DIRECTORY, directory))
    for source in sorted({file for reach in live.reaches.values() for file in reach.files}):
        if _has_word(given, os.path.basename(source).encode("utf-8", "surrogateescape")):
            text = session.codebook.text_hash(source).hex()
            found.append((TEXT + session.relative(source), text))
    if functions:
        found.append((MODULES, _modules(live)))
    return found


def hold(conditions: tuple[tuple[str, str], ...], live: Live, session: Session) -> bool:
    """Whether what `ties` found is what it was."""
    return all(_now(label, live, session) == text for label, text in conditions)


def _now(label: str, live: Live, session: Session) -> str:
    if label == FOLDER:
        return session.folders[0]
    if label == DIRECTORY:
        return os.getcwd()
    if label == MODULES:
        return _modules(live)
    if label == MESSAGES:
        return messages.token(messages.shown())
    try:
        return session.codebook.text_hash(session.absolute(label[len(TEXT) :])).hex()
    except OSError:
        return ""


def _names(folder: str, given: _Given, met: bool) -> bool:
    """Whether what a step gives holds the name of a folder, or, if it met one, a word of it."""
    if len(folder) < 2:
        return False
    name = folder.encode("utf-8", "surrogateescape")
    if _has(given, name) or _has(given, folder.encode("ascii", "backslashreplace")):
        return True
    words = [word for word in name.split(os.sep.encode()) if word]
    # A pickled path is in pieces.
    met = met or (_has(given, b"pathlib") and _has_word(given, words[-1]))
    return met and any(_has_word(given, word) for word in words)


def _has(given: _Given, text: bytes) -> bool:
    return any(part.find(text) >= 0 for part in given)


def _has_word(given: _Given, word: bytes) -> bool:
    pattern = re.compile(rb"(?<![A-Za-z0-9])" + re.escape(word) + rb"(?![A-Za-z0-9])")
    return _has(given, word) and any(pattern.search(part) for part in given)


def _reads_beside(recording: Recording, folders: list[str]) -> bool:
    """Whether a file was read or tested outside of the project, yet below a folder that the project
    is below, too."""
    tested = [
        label.split(":", 2)[2] for label in recording.conditions if label.startswith(labels.PATH)
    ]
    first = {folder.split(os.sep)[1] for folder in folders if folder}
    return any(
        name.startswith(os.sep)
        and name.split(os.sep)[1] in first
        and not any(name.startswith(folder + os.sep) or name == folder for folder in folders)
        for name in (*recording.reads, *recording.listings, *tested)
    )


def _modules(live: Live) -> str:
    """The modules that the names in a step's code lead to."""
    reach = next(iter(live.reaches.values()), None)
    named = [(each.chain, each.owner) for each in reach.references] if reach is not None else []
    return blake3(repr(named).encode()).hexdigest(length=16)
