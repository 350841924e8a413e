"""Push and pull: what this store has and a remote lacks, and the other way round."""

from __future__ import annotations

import os
from contextlib import suppress
from time import time

from ddsimport.errors import StoreError
from ddsimport.records import Record
from ddsimport.store import keys, sharing, transfer
from ddsimport.store.atomic import make_folder
from ddsimport.store.behind import Outbox, refusal
from ddsimport.store.remote import MOST, AbsentError, Remote, RemoteError, open_remote
from ddsimport.store.trace import blobs_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from typing import TypeVar

    from ddsimport.store.behind import Say
    from ddsimport.store.store import Store
    from ddsimport.store.trace import Candidate

    T = TypeVar("T")
    R = TypeVar("R")

    Expect = Callable[[int], "transfer.Moved"]
    """Told how many bytes are to be moved; gives what is told as they are."""

_FEW = 32
"""Candidates up to which each is asked for by itself; for more, the remote is listed."""

_WORKERS = 8
"""Objects that are under way at once: most of the time is waiting."""


class Exchanged(Record):
    """What a push or a pull did: how many values and bytes went over, how many were there already,
    and how many could not go."""

    moved: int
    size: int
    known: int
    left: int


def _nobody_watches(_: int) -> transfer.Moved:
    return transfer.nothing


# --- push -----------------------------------------------------------------------------------------


def push(
    store: Store,
    remote: Remote,
    signatures: Iterable[str],
    say: Say,
    *,
    expect: Expect = _nobody_watches,
    workers: int = _WORKERS,
) -> Exchanged:
    """Have what was evaluated here under these signatures in the remote. What came from others is
    not passed on: who signs it is who answers for it.

    Raises:
        RemoteError: the remote cannot be reached.
        KeysError: this user's key cannot be used.
    """
    conditional = _holds_conditions(remote, store.root)
    offers, withheld = _offers(store, signatures)
    if withheld:
        say(
            "unsigned",
            f"{_counted(withheld)} not pushed, because loading them may run code and you have no "
            "key to sign them with: python -m ddsimport key create",
        )
    there = _sizes_there(remote, offers, workers)
    pending = {
        offer: candidate
        for offer, candidate in offers.items()
        if there.get(offer.key) != len(offer.content)
    }
    blobs: dict[str, int] = {}
    for candidate in pending.values():
        blobs.update(blobs_of(candidate))
    lacking, size = _send_blobs(store, remote, blobs, say, expect, workers)

    sound = {o: each for o, each in pending.items() if lacking.isdisjoint(blobs_of(each))}
    _each(lambda offer: transfer.send_offer(remote, offer, conditional), sound, workers)
    sent, due = _values(sound.values()), _values(pending.values())
    return Exchanged(sent, size, _values(offers.values()) - due, withheld + due - sent)


def _values(candidates: Iterable[Candidate]) -> int:
    """How many values these are: one that is also found by the code that ran is there twice."""
    return sum(each.signature != each.stem for each in candidates)


def push_outbox(store: Store, url: str, say: Say) -> None:
    """Push what was kept since the last time, at the end of a program; what fails is said and stays
    for the next time. No threads: the interpreter is about to end."""
    outbox = Outbox(store.root)
    waiting = outbox.signatures()
    if not waiting:
        return
    started = time()
    try:
        push(store, open_remote(url, hasty=True), waiting, say, workers=1)
    except StoreError as error:
        say("push", f"what was kept is pushed by a later run, or by `push`: {error}")
        return
    for signature in waiting:
        outbox.done(signature, started)


def signatures_shown(store: Store) -> list[str]:
    """The signatures of what the artifact paths show now, and of where else that is found."""
    found: dict[str, None] = {}
    for path in store.paths():
        record = store.current(path)
        entry = store.entry(record.signature) if record is not None else None
        if entry is None:
            continue
        found[entry.signature] = None
        found.update((candidate.stem, None) for candidate in entry.candidates if candidate.stem)
    return list(found)


def _offers(store: Store, signatures: Iterable[str]) -> tuple[dict[sharing.Offer, Candidate], int]:
    """What there is to push, and how many cannot be without a key."""
    signing = keys.own() is not None
    found = {}
    withheld = 0
    for signature in dict.fromkeys(signatures):
        entry = store.entry(signature)
        for candidate in entry.candidates if entry is not None else ():
            if candidate.origin:
                continue
            if not signing and sharing.harm_of(candidate):
                withheld += _values([candidate])
                continue
            found[sharing.offered(signature, candidate, sign=signing)] = candidate
    return found, withheld


def _sizes_there(
    remote: Remote, offers: Collection[sharing.Offer], workers: int
) -> dict[str, int | None]:
    if len(offers) > _FEW:
        return dict(remote.listed("entries/v1"))
    wanted = [offer.key for offer in offers]
    return dict(zip(wanted, _each(remote.size, wanted, workers), strict=True))


def _send_blobs(
    store: Store, remote: Remote, blobs: dict[str, int], say: Say, expect: Expect, workers: int
) -> tuple[set[str], int]:
    """Returns those that this store cannot give, and how many bytes were sent."""
    outbox = Outbox(store.root)
    damaged = outbox.damaged()
    moved = expect(sum(blobs.values()))
    lacking: set[str] = set()

    def send(name: str) -> int:
        size = blobs[name]
        try:
            path = store.blob_path(name, size)
            sent = transfer.send_blob(remote, path, name, size, anew=name in damaged, moved=moved)
        except RemoteError:
            raise
        except StoreError as error:
            lacking.add(name)
            say(f"lacking {name}", f"not pushed: {error}")
            return 0
        if name in damaged:
            outbox.mended(name)
        return sent

    return lacking, sum(_each(send, blobs, workers))


def _holds_conditions(remote: Remote, root: str) -> bool:
    """Whether the remote refuses to create what is there: asked once, and noted in the store. To
    ask, its description is written once more, in the words that it has."""
    note = f"{root}/remotes/{transfer.describe(remote)}"
    with suppress(OSError), open(note, "rb") as file:
        return file.read() == b"conditional\n"
    holds = not remote.create(sharing.DESCRIPTION, remote.get(sharing.DESCRIPTION))
    with suppress(OSError):
        make_folder(os.path.dirname(note))
        with open(note, "wb") as file:
            file.write(b"conditional\n" if holds else b"unconditional\n")
    return holds


# --- pull -----------------------------------------------------------------------------------------


def pull(
    store: Store,
    remote: Remote,
    paths: Collection[str],
    say: Say,
    *,
    expect: Expect = _nobody_watches,
) -> Exchanged:
    """Have here what the remote has and may be taken up, blobs included.

    Args:
        paths: only what was evaluated for these artifact paths, and for those below them; all if
            there are none.

    Raises:
        RemoteError: the remote cannot be reached.
        StoreError: the disk cannot take it.
    """

    def ask(place: tuple[str, str]) -> Candidate | None:
        signature, name = place
        try:
            content = remote.get(f"{sharing.folder_of(signature)}/{name}")
            return sharing.accepted(signature, name, content)
        except AbsentError:
            return None
        except sharing.RefusedError as refused:
            refusals.append(refused)
            return None

    refusals: list[sharing.RefusedError] = []
    places = [
        place
        for key, size in remote.listed("entries/v1")
        if size <= MOST and (place := sharing.place_of(key)) is not None
    ]
    by_signature: dict[str, list[Candidate]] = {}
    for candidate in _each(ask, places, _WORKERS):
        if candidate is not None and _is_wanted(candidate.path, paths):
            by_signature.setdefault(candidate.signature, []).append(candidate)
    for refused in refusals:
        say(*refusal(remote.url, refused))
    blobs, lacking = _fetch_blobs(store, remote, by_signature, say, expect)
    taken = 0
    for signature, candidates in by_signature.items():
        whole = [each for each in candidates if lacking.isdisjoint(blobs_of(each))]
        before = store.entry(signature)
        entry = store.others.take_up(signature, sharing.in_order(whole))
        if entry is not None:
            taken += _values(entry.candidates) - _values(before.candidates if before else ())
    found = sum(map(_values, by_signature.values()))
    size = sum(size for name, size in blobs.items() if name not in lacking)
    return Exchanged(taken, size, found - taken, len(refusals))


def _fetch_blobs(
    store: Store,
    remote: Remote,
    by_signature: dict[str, list[Candidate]],
    say: Say,
    expect: Expect,
) -> tuple[dict[str, int], set[str]]:
    """The blobs that were not here, and those that the remote could not give."""
    blobs: dict[str, int] = {}
    for candidates in by_signature.values():
        for candidate in candidates:
            blobs.update(blobs_of(candidate))
    blobs = {name: size for name, size in blobs.items() if not store.has(name)}
    moved = expect(sum(blobs.values()))
    lacking: set[str] = set()

    def fetch(name: str) -> None:
        try:
            transfer.fetch_blob(remote, store.root, name, blobs[name], moved)
        except (AbsentError, transfer.Unsound) as error:
            if isinstance(error, transfer.Unsound):
                Outbox(store.root).note_damaged(name)
            lacking.add(name)
            say(f"lacking {name}", f"a value is left out: {error}")

    _each(fetch, blobs, _WORKERS)
    return blobs, lacking


def _is_wanted(path: str, paths: Collection[str]) -> bool:
    return not paths or any(path == each or path.startswith(f"{each}/") for each in paths)


def _each(do: Callable[[T], R], things: Iterable[T], workers: int) -> list[R]:
    """What `do` gives for each, in order; several at once. The first failure ends it."""
    if workers == 1:
        return [do(thing) for thing in things]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(workers) as pool:
        try:
            return list(pool.map(do, things))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _counted(number: int) -> str:
    return "1 value was" if number == 1 else f"{number} values were"
