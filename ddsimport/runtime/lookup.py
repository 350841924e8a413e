"""Ask the store for a step's value; if it has none, prepare the evaluation that will give one."""

from __future__ import annotations

from contextlib import suppress
from time import perf_counter, time

from ddsimport.errors import CodecError, StoreError
from ddsimport.records import Record
from ddsimport.report.events import EXPIRED, FORCED, LOST, Event, Waiting
from ddsimport.runtime import carried, deferred, output, recorder
from ddsimport.runtime.session import Session
from ddsimport.runtime.signature import Inquiry, Step, inquire
from ddsimport.runtime.trace import absorb, holds, lazy_tokens, without_replay
from ddsimport.runtime.uncached import UncachedError
from ddsimport.store.trace import Candidate, Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.runtime.evaluation import Evaluation
    from ddsimport.runtime.footprint import Search
    from ddsimport.runtime.shown import Due


class Hit(Record):
    """A value from the store, and what must happen so that it can stand for the evaluation."""

    session: Session
    candidate: Candidate
    value: Any
    step: Step
    path: str
    due: list[Due]

    def stand_in(self, outer: recorder.Recording | None) -> Any:
        """The value; prints what the evaluation printed, tells the enclosing one what it read."""
        if outer is not None:
            outer.inside[self.path] = None
            absorb(self.candidate, outer, self.session, self.step.options.ttl)
            outer.note_shown(self.path, self.step.shown(self.candidate))
        trace = self.candidate.trace
        if self.step.options.replay == "off":
            trace = without_replay(trace)
        if trace.effects:
            from ddsimport.runtime import imports, left, shown

            imports.repeat(trace.effects)
            with recorder.unrecorded():
                left.put_back(trace.effects, self.session)
                shown.repeat(self.due, self.session)
        output.replay(trace.output)  # from here on nothing may fail: the step would print it again
        if trace.effects:
            from ddsimport.runtime import randomness

            randomness.restore(trace.effects)
        return self.value


def look_up(
    session: Session,
    step: Step,
    path: str,
    inputs: list[tuple[str, object]],
    patience: float | None = None,
    may_wait: bool = False,
) -> Hit | Evaluation:
    """The value kept for `step` on these inputs, or an `Evaluation` to begin and call.

    Waits while another process or thread evaluates the same signature, then takes its value.

    Args:
        patience: seconds to wait at most; None waits as long as it makes sense.
        may_wait: a hit need not be loaded before something but a step looks at it.

    Raises:
        UncachedError: an input has no digest.
        StoreError: there is no store.
        OSError: source text cannot be read.
    """
    started = perf_counter()
    if not step.options.cached:
        raise UncachedError("its pragma says `cache=off`")
    store = session.store
    if store is None:
        raise StoreError(session.absence)
    inquiry = inquire(step, inputs, session.codebook, session.folders)
    for sentence in inquiry.live.uncounted:
        session.run.say(sentence, f"{path} ({step.place}): {sentence}")
    signature = inquiry.signature
    is_forced = bool(session.config.force) and session.is_forced(path, signature)

    passed_over: list[str] = []

    def kept(entry: Entry | None, search: Search | None = None, reason: str = "") -> Hit | None:
        if entry is None:
            return None
        if is_forced:
            passed_over.append(FORCED)
            return None
        return _kept(
            session, step, path, inquiry, entry, started, search, may_wait, reason, passed_over
        )

    found = kept(store.known_entry(signature)) or kept(store.entry(signature))
    if found is not None:
        return found
    if any(type(value) is deferred.Deferred for _, value in inputs):
        loaded = [(name, deferred.actual(value)) for name, value in inputs]
        return look_up(session, step, path, loaded, patience, may_wait)
    lock = store.lock(signature) if store.writable else None
    try:
        if lock is not None:
            lock.acquire(patience, on_wait=lambda: _say_waiting(session, step, path))
            # Whoever held the lock may have kept the value since we looked.
            found = kept(store.entry(signature))
        if found is None:
            search = None
            if session.uses_footprints():
                from ddsimport.runtime import footprint

                search = footprint.search(step, inquiry, session)
                if search is not None:
                    found = kept(store.entry(search.stem), search, _BESIDE)
            if not is_forced:
                found = found or kept(*_accepted(session, step, path, inquiry))
                found = found or kept(store.others.fetched(signature))
            if found is None and search is not None and not is_forced:
                found = kept(store.others.fetched(search.stem), search, _BESIDE)
            if found is None:
                from ddsimport.runtime.evaluation import Evaluation  # not in a run of hits

                if is_forced:
                    session.forced.add(signature)
                lazy = lazy_tokens(inquiry.live, inquiry.live)
                return Evaluation(
                    session=session,
                    step=step,
                    path=path,
                    inquiry=inquiry,
                    lock=lock,
                    stem=search.stem if search is not None else "",
                    lazy=lazy,
                    again=passed_over[-1] if passed_over else "",
                )
    except BaseException:
        if lock is not None:
            lock.release()
        raise
    if lock is not None:
        lock.release()
    return found


def _kept(
    session: Session,
    step: Step,
    path: str,
    inquiry: Inquiry,
    entry: Entry,
    started: float,
    search: Search | None,
    may_wait: bool,
    reason: str,
    passed_over: list[str],
) -> Hit | None:
    """The first candidate whose trace holds and whose blob is sound.

    Args:
        search: given if the entry is that of the step's stem: then the footprint must hold, too.
        reason: why the value holds though it is not that of the signature; empty if it is.
        passed_over: is told why a value that holds is not taken.
    """
    store = session.store
    assert store is not None
    ttl = step.options.ttl
    for candidate in entry.candidates:
        if ttl is not None and time() - candidate.created_at > ttl:
            passed_over.append(EXPIRED)
            continue
        try:
            if not holds(candidate.trace, inquiry.live, session):
                continue
            due = _due(candidate, session) if candidate.trace.effects else []
            if due is None:
                continue
        except Exception:
            if not candidate.origin:
                raise
            continue  # whoever made it may have written anything
        if search is not None and not search.holds(candidate.trace):
            continue
        if not output.can_replay(candidate.trace.output) and step.options.replay != "off":
            continue
        waiting: Waiting | None = None
        try:
            if may_wait and _may_wait(session, step, path, inquiry, candidate):
                waiting = Waiting()
                value = deferred.Value(
                    store.held(candidate),
                    step.site.targets,
                    [bytes.fromhex(part) for part in candidate.parts],
                    candidate.classes,
                    waiting,
                )
            else:
                value = store.value(candidate)
                if candidate.size >= carried.LARGE and len(candidate.parts) == 1:
                    carried.note(value, bytes.fromhex(candidate.parts[0]))
        except (StoreError, CodecError) as error:
            session.run.say(f"blob {candidate.blob}", f"{path} is evaluated again: {error}")
            passed_over.append(f"{LOST}{error}")
            continue
        if reason:
            candidate = _adopted(session, step, path, inquiry, candidate)
        store.touch(inquiry.signature)
        if waiting is None:  # else the view is known to show it
            session.publish(step, path, candidate, value)
        seconds = perf_counter() - started
        session.run.add(
            Event(
                path=path,
                module=step.home,
                line=step.site.line,
                status="hit",
                signature=inquiry.signature,
                seconds=seconds,
                saved_seconds=max(0.0, candidate.seconds - seconds),
                reason=reason,
            ),
            waiting,
        )
        return Hit(session, candidate, value, step, path, due)
    return None


def _due(candidate: Candidate, session: Session) -> list[Due] | None:
    from ddsimport.runtime import shown

    return shown.due(candidate.trace.effects, session)


_BESIDE = "its code has changed, but nothing that it runs"


def _accepted(
    session: Session, step: Step, path: str, inquiry: Inquiry
) -> tuple[Entry | None, None, str]:
    """The values of code that somebody has accepted as the same, and the reason to give."""
    store = session.store
    if store is None or not store.acceptances.any():
        return None, None, ""
    from ddsimport.runtime.accepted import accepted

    found = accepted(session, step, path, inquiry)
    return (None, None, "") if found is None else (found[0], None, found[1])


def _may_wait(
    session: Session, step: Step, path: str, inquiry: Inquiry, candidate: Candidate
) -> bool:
    """Whether a hit need not be loaded for anything that we do: not for its view, either."""
    store = session.store
    assert store is not None
    # Signatures say the versions of what the code uses, but not of what only decodes the value.
    told = {name for name, _ in inquiry.versions}
    return (
        session.config.lazy
        and len(candidate.parts) == len(step.site.targets)
        and (store.proves(candidate) or told >= candidate.versions.keys())
        and session.shows(step, path, candidate)
    )


def _adopted(
    session: Session, step: Step, path: str, inquiry: Inquiry, candidate: Candidate
) -> Candidate:
    """The candidate as one of the signature that was asked for, which it is kept under from now on,
    if the store can be written."""
    from ddsimport.runtime import provenance
    from ddsimport.runtime.footprint import without

    adopted = candidate.replace(
        trace=without(candidate.trace, lazy_tokens(inquiry.live, inquiry.live)),
        code=inquiry.code,
        inputs=inquiry.inputs,
        versions={**candidate.versions, **dict(inquiry.versions)},
    )
    with suppress(StoreError):  # else it will be found the same way again
        session.writable_store().add(inquiry.signature, adopted)
        provenance.note(session, step, path, inquiry)
    return adopted


def _say_waiting(session: Session, step: Step, path: str) -> None:
    session.run.say(
        f"wait {path}", f"{path} ({step.place}) is being evaluated by another process; waiting"
    )
