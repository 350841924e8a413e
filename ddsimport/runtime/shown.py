"""What the paths of the steps inside a step show: a hit of the outer one leaves them as its
evaluation would.

The code of `/outer` calls `/inner`; its value for `n = 1` is kept, then `/inner` is evaluated for
`n = 2`. When `n` is 1 again, `/outer` is a hit, and `/inner` must show the value for 1 again: the
program may load it, and so may anybody else. In another namespace, where neither was ever shown,
both must be.
"""

from __future__ import annotations

import json
from contextlib import suppress

from blake3 import blake3

from ddsimport.errors import CodecError, StoreError, UndigestibleError
from ddsimport.runtime.live import Live
from ddsimport.store import labels
from ddsimport.store.trace import Trace
from ddsimport.values._setting import Setting
from ddsimport.values.digest import digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ddsimport.runtime.recorder import Recording, Shown
    from ddsimport.runtime.session import Session
    from ddsimport.store.store import Store
    from ddsimport.store.trace import Candidate

    Due = tuple[str, Candidate | None, str | None]
    """A path, what it must show (None: nothing), in which format."""

SHOWN = "shown:"
"""What the kinds of these effects begin with, before the path. Their text is a JSON list: signature
and blob of what it shows, and the `format=` of its pragma; empty if it shows nothing."""


def once(
    path: str, value: object, format: str | None, session: Session, outer: Recording | None
) -> None:
    """Make `path` show a value that no hit will give: its inputs cannot be told apart, say.

    Where the value itself cannot be kept, the path shows nothing.
    """
    store = session.store
    if store is None or not store.writable or not session.publishes:
        return
    try:
        candidate = _for_once(path, value, session, store)
        store.publish(path, candidate, value, format)
    except (StoreError, CodecError, UndigestibleError):
        session.forget(path)
        found = None
    else:
        found = candidate.signature, candidate.blob, format
    if outer is not None:
        outer.note_shown(path, found)


def _for_once(path: str, value: object, session: Session, store: Store) -> Candidate:
    """A candidate that holds at no time, kept under what it is and not under what it was made of.

    Raises:
        StoreError, CodecError, UndigestibleError: it cannot be kept.
    """
    code_of = Live(session.codebook).code_of
    token = digest(value, code_of, Setting(session.folders)).hex()
    signature = blake3(f"shown once {path} {token}".encode()).hexdigest()
    entry = store.entry(signature)
    if entry is not None and entry.candidates and store.has(entry.candidates[0].blob):
        return entry.candidates[0]
    return store.keep(
        signature,
        value,
        trace=Trace(variables=((labels.UNTIL, "0"),)),
        digest=token,
        seconds=0.0,
        path=path,
        code="",
        inputs=(),
        versions={},
        comes_back=lambda restored: (
            digest(restored, code_of, Setting(session.folders)).hex() == token
        ),
    )


def effects(recording: Recording) -> tuple[tuple[str, str], ...]:
    """For `Trace.effects`: what the paths of inner steps must show after a hit."""
    return tuple(
        (SHOWN + path, "" if found is None else json.dumps(found))
        for path, found in recording.shown.items()
    )


def absorb(noted: tuple[tuple[str, str], ...], into: Recording) -> None:
    """A hit inside an evaluation: what its paths show, those around it show, too."""
    for kind, text in noted:
        if kind.startswith(SHOWN):
            into.note_shown(kind[len(SHOWN) :], _read(text))


def due(noted: tuple[tuple[str, str], ...], session: Session) -> list[Due] | None:
    """What a hit with these effects must do so that paths show what they say; None if it cannot be
    done: an inner value may have been collected."""
    store = session.store
    assert store is not None
    found: list[Due] = []
    for kind, text in noted:
        if not kind.startswith(SHOWN) or not session.publishes:
            continue
        path, wanted = kind[len(SHOWN) :], _read(text)
        record = store.current(path)
        if wanted is None:
            if record is not None:
                found.append((path, None, None))
        elif record is None or (record.blob, record.asked) != wanted[1:]:
            candidate = _candidate(store, wanted)
            if candidate is None or not store.has(candidate.blob):
                return None
            found.append((path, candidate, wanted[2]))
    return found


def repeat(found: list[Due], session: Session) -> None:
    """Do what is `due`."""
    store = session.store
    assert store is not None
    for path, candidate, format in found:
        if candidate is None:
            session.forget(path)
            continue
        with suppress(StoreError, CodecError):  # it was there a moment ago
            store.publish(path, candidate, store.value(candidate), format)


def _read(text: str) -> Shown:
    if not text:
        return None
    signature, blob, format = json.loads(text)
    return signature, blob, format


def _candidate(store: Store, found: tuple[str, str, str | None]) -> Candidate | None:
    signature, blob, _ = found
    entry = store.entry(signature) or store.others.fetched(signature)
    for candidate in entry.candidates if entry is not None else ():
        if candidate.blob == blob:
            return candidate
    return None
