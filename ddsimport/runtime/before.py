"""What may have run in this process before a step, outside of what is recorded (see
`analysis.outside`)."""

from __future__ import annotations

import os
import sys

from ddsimport.analysis.outside import Mentions, Outside
from ddsimport.runtime.uncached import ran_plain
from ddsimport.source.tracked import is_tracked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.runtime.session import Session

_records: dict[str, dict[str, Any]] = {}
"""By the hash of the text."""

_known: tuple[object, Outside] | None = None


def outside(session: Session) -> Outside:
    """What the code of all loaded modules may run outside of steps, and the steps that were not
    kept.

    Raises:
        UncachedError: a file was edited since it was imported.
        OSError: one cannot be read.
    """
    global _known
    files = _loaded()
    hashes = {name: session.codebook.texts.hash_of(file) for name, file in files.items()}
    state = (frozenset(hashes.items()), len(ran_plain))
    if _known is not None and _known[0] == state:
        return _known[1]
    mentions = Mentions(session.facts)
    found = {}
    for name, file in files.items():
        if hashes[name] not in _records:
            text, _ = session.codebook.texts.read(file)
            _records[hashes[name]] = mentions.of(text, hashes[name])
        found[name] = _records[hashes[name]]
    plain = [(line, found[name]) for name, line in ran_plain if name in found]
    own = {name.partition(".")[0] for name in found}
    made = Outside(list(found.values()), found.get("__main__"), plain, own)
    _known = state, made
    return made


def _loaded() -> dict[str, str]:
    """The loaded modules whose text counts, with their files."""
    found = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if type(file) is str and file.endswith((".py", ".pyw")) and is_tracked(file):
            found[name] = os.path.abspath(file)
    return found
