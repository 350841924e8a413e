"""What is noted of a run, for those who ask later what happened (`report.past`)."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from ddsimport.runtime.uncached import UncachedError
from ddsimport.source.tracked import source_stats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.report.events import Event, Run
    from ddsimport.runtime.session import Session
    from ddsimport.store.store import Store

_MOST_EVENTS = 300
_MOST_FILES = 300


def noted(session: Session) -> dict[str, Any]:
    """The run so far, as a record; the session must have a store."""
    from ddsimport.store.versions import now

    run = session.run
    assert session.store is not None
    return {
        "program": session.program,
        "ended": now(),
        "arguments": session.arguments,
        "environment": environment(),
        "namespace": session.config.namespace,
        "python": sys.version.partition(" ")[0],
        "steps": dict(run.counts),
        "seconds": run.seconds,
        "saved_seconds": run.saved_seconds,
        "files": _loaded_files(session, session.store),
        "events": [event.as_dict() for event in _events(run)],
    }


def _events(run: Run) -> list[Event]:
    """All events, or as many: of each step the last, so that a long loop does not hide what came
    before and after it."""
    events = run.events
    if len(events) <= _MOST_EVENTS:
        return events
    places: dict[tuple[str, int], list[int]] = {}
    for number, event in enumerate(events):
        places.setdefault((event.module, event.line), []).append(number)
    share = max(1, _MOST_EVENTS // len(places))
    kept = sorted(number for each in places.values() for number in each[-share:])
    return [events[number] for number in kept[-_MOST_EVENTS:]]


def _loaded_files(session: Session, store: Store) -> dict[str, tuple[int, int]]:
    """Source file of the project -> time of its last write in ns, and size; their texts are noted
    from now on, if that can be written."""
    found = {}
    provenances = store.provenances
    for file, (time_ns, size, _) in list(source_stats.items())[:_MOST_FILES]:
        name = session.relative(file)
        found[name] = (time_ns, size)
        if not provenances.has_state(name, time_ns, size):
            from ddsimport.runtime.provenance import kept_text

            with suppress(UncachedError, OSError, SyntaxError, ValueError):
                text = kept_text(session, file, provenances)
                provenances.add_state(name, time_ns, size, text)
    return found


def environment() -> str:
    """What stands for all environment variables but those that each shell sets anew."""
    from blake3 import blake3

    found = sorted(pair for pair in os.environ.items() if pair[0] not in _OF_SHELLS)
    name: str = blake3(repr(found).encode("utf-8", "surrogateescape")).hexdigest(length=16)
    return name


_OF_SHELLS = frozenset({"_", "COLUMNS", "LINES", "OLDPWD", "PWD", "SHLVL"})
