"""What a recording leaves for later runs, and whether it still holds: verifying traces.

A signature says what a step was *given*; its trace says what it went and looked at. A kept value is
a hit only if every file is what it was, every lazily imported global has the value it had, and the
code that ran though no text foresaw it (see `unforeseen`) is the same ("Build Systems à la
Carte", Mokhov, Mitchell, Peyton Jones, ICFP 2018: verifying traces).
Files inside the project are named relative to it, so that a copied project hits.
"""

from __future__ import annotations

import os
import time

from blake3 import blake3

from ddsimport.runtime import asked, recorder
from ddsimport.runtime.uncached import UncachedError
from ddsimport.store import labels
from ddsimport.store.trace import FileRead, Trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddsimport.runtime.live import Live
    from ddsimport.runtime.session import Session
    from ddsimport.runtime.signature import Step
    from ddsimport.store.trace import Candidate

_ASKED = (labels.NAMES, labels.VARIABLE, labels.PATH)
TIES = ("place:project", "place:directory", "text:", "modules:", "messages:")
"""What the labels of `ties` begin with. That module is imported where there are any."""
_LEFT = "left:"
"""What the kinds of effects of `left` begin with."""
_UNFORESEEN = ("code:", "module:", "value:")
"""What the labels of `unforeseen` begin with. That module is imported where there are any."""

_IMPORTS = "imports:"
"""What the labels of `imports` begin with. That module is imported where there are any."""


def lazy_tokens(live: Live, inquired: Live) -> dict[str, str]:
    """(label, token) of the globals that are reached by an import inside a function, of all the
    code that was `inquired` about."""
    return {label: token for label, _, token in lazy_globals(live, inquired)}


def lazy_globals(live: Live, inquired: Live) -> Iterator[tuple[str, str, str]]:
    """The same, with the name of each global between."""
    for reach in list(inquired.reaches.values()):
        for label, name, token in live.lazy(reach):
            yield f"{reach.hash.hex()}:{label}", name, token.hex()


def lazy_tokens_hold(recorded: dict[str, str], live: Live) -> bool:
    """Whether those of `lazy_tokens` that were recorded are the same now."""
    return all(recorded.get(label, token) == token for label, _, token in lazy_globals(live, live))


def trace_of(
    recording: recorder.Recording,
    live: Live,
    lazy: dict[str, str],
    step: Step,
    session: Session,
) -> Trace:
    """The trace of an evaluation that has just ended.

    Args:
        live: what was inquired before it.
        lazy: what `lazy_tokens` were then, or are now.

    Raises:
        UncachedError: a file changed while the step was evaluated, so nobody knows which content
            it saw.
    """
    from ddsimport.runtime import contents, unforeseen

    conditions = unforeseen.conditions(recording, live, step, session)
    files = []
    for name, seen in recording.reads.items():
        stat = recorder.stat_of(name)
        if stat != seen:
            raise UncachedError(f"{session.relative(name)} changed while the step read it")
        content = contents.digest_of(name, stat, session.digests)
        if content is None and stat is not None:
            continue  # a device
        mtime_ns, size, inode = stat or (0, 0, 0)
        place = session.relative(name)
        # Where the status tells nothing yet, the next lookup compares the content.
        told = mtime_ns if contents.is_settled(mtime_ns) else 0
        files.append(FileRead(place, content, size, told, inode))
    for name, names in recording.listings.items():
        if not _is_as_left(name, names, recording):
            raise UncachedError(f"{session.relative(name)} changed while the step listed it")
        files.append(FileRead(session.relative(name) + os.sep, _listing_digest(names), 0, 0, 0))
    # What was there before the step changed it: to be compared by content, whatever its status.
    for name, before in recording.before.items():
        files.append(FileRead(session.relative(name), before, 0, 0, 0))
    variables = list(lazy.items())
    variables += [(labels.LOAD + path, blob) for path, blob in recording.loads.items()]
    for label, token in recording.conditions.items():
        conditions.setdefault(_relative(label, session), token)
    variables += conditions.items()
    if recording.until is not None:
        variables.append((labels.UNTIL, f"{recording.until:.0f}"))
    recording.settle_flush()
    return Trace(files=tuple(files), variables=tuple(variables), output=tuple(recording.output))


def holds(trace: Trace, live: Live, session: Session) -> bool:
    """True if the world is, for this step, what it was when `trace` was recorded."""
    return all(_unchanged(read, session) for read in trace.files) and (
        not trace.variables or _variables_hold(trace, live, session)
    )


def _unchanged(read: FileRead, session: Session) -> bool:
    name = session.absolute(read.path)
    if name.endswith(os.sep):
        return _listing_digest(recorder.names_in(name)) == read.digest
    stat = recorder.stat_of(name)
    if stat is None or read.digest is None:
        return stat is None and read.digest is None
    if stat == (read.mtime_ns, read.size, read.ino):
        return True
    from ddsimport.runtime import contents

    return contents.digest_of(name, stat, session.digests) == read.digest


def _variables_hold(trace: Trace, live: Live, session: Session) -> bool:
    recorded = dict(trace.variables)
    tied = tuple(pair for pair in trace.variables if pair[0].startswith(TIES))
    if tied:
        from ddsimport.runtime import ties

        if not ties.hold(tied, live, session):
            return False
    for label, before in trace.variables:
        if label.startswith(labels.LOAD) and session.blob_at(label[len(labels.LOAD) :]) != before:
            return False
        if label == labels.UNTIL and time.time() > float(before):
            return False
        if label.startswith(labels.DECLARED) and not _matches(label, before, session):
            return False
        if label.startswith(_ASKED) and _asked_now(label, session) != before:
            return False
    drawn = tuple(pair for pair in trace.variables if pair[0].startswith(labels.RANDOM))
    if drawn:
        from ddsimport.runtime import randomness

        if not randomness.hold(drawn):
            return False
    if not lazy_tokens_hold(recorded, live):
        return False
    if any(label.startswith(_IMPORTS) for label in recorded):
        from ddsimport.runtime import imports

        if not imports.hold(trace.variables, session):
            return False
    if any(label.startswith(_UNFORESEEN) for label in recorded):
        from ddsimport.runtime import unforeseen

        return unforeseen.hold(trace.variables, session)
    return True


def moved(trace: Trace, session: Session) -> Iterator[str]:
    """What of a trace does not hold now, as far as that can be told before anything runs: names of
    files, and labels."""
    for read in trace.files:
        if not _unchanged(read, session):
            yield read.path
    for label, before in trace.variables:
        if (
            (label.startswith(labels.LOAD) and session.blob_at(label[len(labels.LOAD) :]) != before)
            or (label == labels.UNTIL and time.time() > float(before))
            or (label.startswith(labels.DECLARED) and not _matches(label, before, session))
            or (label.startswith(_ASKED) and _asked_now(label, session) != before)
        ):
            yield label


def _matches(label: str, token: str, session: Session) -> bool:
    from ddsimport.runtime import declared

    return declared.holds(label, token, session)


def _asked_now(label: str, session: Session) -> str:
    with recorder.unrecorded():
        if label == labels.NAMES:
            return asked.token_of_names()
        if label.startswith(labels.VARIABLE):
            return asked.token_of_variable(label[len(labels.VARIABLE) :])
        _, depth, place = label.split(":", 2)
        return asked.token_of_path(session.absolute(place), depth)


def _relative(label: str, session: Session) -> str:
    """A condition's label, with the path that it may name relative to the project."""
    if not label.startswith(labels.PATH):
        return label
    kind, depth, place = label.split(":", 2)
    return f"{kind}:{depth}:{session.relative(place)}"


def without_replay(trace: Trace) -> Trace:
    """The trace of a step whose hits do nothing but give the value, and import what it imported."""
    effects = tuple(
        pair for pair in trace.effects if not pair[0].startswith((labels.RANDOM, _LEFT))
    )
    return trace.replace(output=(), effects=effects)


def absorb(
    candidate: Candidate, into: recorder.Recording, session: Session, ttl: float | None
) -> None:
    """A hit inside an evaluation: what the inner step once read, the outer one depends on too."""
    trace = candidate.trace
    written: list[str] = []
    removed: list[str] = []
    if trace.effects:
        from ddsimport.runtime import left, shown

        written, removed = left.names_of(trace.effects, session)
    for label, blob in trace.variables:
        if label.startswith(labels.LOAD):
            into.note_load(label[len(labels.LOAD) :], blob)
    if trace.effects:
        shown.absorb(trace.effects, into)
    for recording in into.chain():
        recording.hits.append(candidate)
        if ttl is not None:
            recording.expire(candidate.created_at + ttl)
        for read in trace.files:
            name = session.absolute(read.path)
            if name.endswith(os.sep):
                recording.listings.setdefault(name[:-1], recorder.names_in(name))
            elif name not in recording.before:
                recording.reads.setdefault(name, recorder.stat_of(name))
        for name in written:
            recording.note_left(name)
        for name in removed:
            recording.note_left(name, removed=True)
        for label, blob in trace.variables:
            if label == labels.UNTIL:
                recording.expire(float(blob))
            elif label.startswith((*_ASKED, *_UNFORESEEN, _IMPORTS, labels.DECLARED)):
                recording.conditions.setdefault(label, blob)


def _is_as_left(folder: str, names: tuple[str, ...] | None, recording: recorder.Recording) -> bool:
    """Whether a folder holds what it held when it was listed, but for what the step did to it."""
    now = recorder.names_in(folder)
    if now == names:
        return True
    above = os.path.abspath(folder)
    own = {os.path.basename(each) for each in (*recording.writes, *recording.removals)
           if os.path.dirname(each) == above}  # fmt: skip
    if now is None or names is None:
        return False
    others = [{name for name in each if name.rstrip("/") not in own} for each in (now, names)]
    return others[0] == others[1]


def _listing_digest(names: tuple[str, ...] | None) -> str | None:
    if names is None:
        return None
    return blake3("\0".join(names).encode("utf-8", "surrogateescape")).hexdigest()
