"""What passes between stores: one immutable object per candidate, and what is believed of it.

The object is JSON in one form only: an entry with this candidate alone and, if its maker has a key,
`signed`: the public key and its Ed25519 signature of all else. It lies in the remote under the
signature that it is for and the blake3 of its own bytes. So nobody's object ever replaces another
one, and nothing depends on conditional writes.

What may be taken up from there is decided here, before anything is decoded:

- signed by a key that this user trusts: all of it;
- else only what can do no harm: a value whose codec is `harmless`, no effects (files, imports,
  random states), no output but text without control characters to standard output and error.

An unsigned value may still be wrong. Who wants to be sure of values lets only those write to the
remote that are to be believed.
"""

from __future__ import annotations

import json

from blake3 import blake3

from ddsimport.errors import StoreError
from ddsimport.records import Record
from ddsimport.store import keys, labels
from ddsimport.store.paths import ArtifactPathError, checked_path
from ddsimport.store.trace import (
    UNSIGNED,
    Candidate,
    Entry,
    blobs_of,
    entry_from_json,
    entry_to_json,
    is_name,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

DESCRIPTION = "store.json"
FORMAT = 1

_CONTEXT = b"ddsimport candidate 1\0"
"""What every signed text begins with, so that a signature of something else is none of these."""


class RefusedError(StoreError):
    """What a remote holds is not taken up.

    Attributes:
        key: the public key that would have to be trusted for it; empty if none would help.
    """

    def __init__(self, reason: str, key: str = "") -> None:
        super().__init__(reason)
        self.key = key


class Offer(Record):
    """A candidate as an object of a remote: under which key, and its bytes."""

    key: str
    content: bytes


def folder_of(signature: str) -> str:
    """Where the candidates of a signature are in a remote."""
    return f"entries/v1/{signature[:2]}/{signature}"


def blob_key(name: str) -> str:
    """Where a blob is in a remote."""
    return f"blobs/v1/{name[:2]}/{name}"


def place_of(key: str) -> tuple[str, str] | None:
    """The signature and the id that the key of a candidate says; None if it is none."""
    parts = key.split("/")
    if len(parts) != 5 or not is_name(parts[3]) or not is_name(parts[4]):
        return None
    return (parts[3], parts[4]) if key == f"{folder_of(parts[3])}/{parts[4]}" else None


def offered(signature: str, candidate: Candidate, sign: bool = True) -> Offer:
    """A candidate that was evaluated here, as an object for others.

    Args:
        sign: with this user's key, if he has one.

    Raises:
        KeysError: there is a key, and it cannot be used.
    """
    files = tuple(read.replace(size=0, mtime_ns=0, ino=0) for read in candidate.trace.files)
    shared = candidate.replace(trace=candidate.trace.replace(files=files))
    record = entry_to_json(Entry(signature, (shared,)))
    found = keys.signature_of(_CONTEXT + _canonical(record)) if sign else None
    if found is not None:
        record["signed"] = {"key": found[0], "ed25519": found[1]}
    content = _canonical(record)
    return Offer(f"{folder_of(signature)}/{blake3(content).hexdigest()}", content)


def accepted(signature: str, name: str, content: bytes) -> Candidate:
    """The candidate in an object, if it may be taken up here.

    Raises:
        RefusedError: it may not, and why.
    """
    if blake3(content).hexdigest() != name:
        raise RefusedError("its content does not fit its name")
    try:
        record: Any = json.loads(content.decode("ascii"))
        if type(record) is not dict or _canonical(record) != content:
            raise RefusedError("it is not in the form of ours")
        signed = record.pop("signed", None)
        candidates = entry_from_json(record, signature).candidates
    except (ValueError, TypeError, RecursionError) as error:  # DamagedError is a ValueError
        raise RefusedError(f"it is not a candidate of ours: {error}") from error
    if len(candidates) != 1:
        raise RefusedError("it is not one candidate")
    _check(candidates[0])
    key = _signer(signed, _CONTEXT + _canonical(record))
    if key and _is_trusted(key):
        return candidates[0].replace(origin=key)
    fault = harm_of(candidates[0])
    if fault:
        raise RefusedError(fault, key)
    return candidates[0].replace(origin=UNSIGNED)


def is_believed(candidate: Candidate) -> bool:
    """Whether what was taken up once still may be used: trust may have been taken back."""
    return candidate.origin in ("", UNSIGNED) or _is_trusted(candidate.origin)


def joined(signature: str, known: Entry | None, found: Iterable[Candidate]) -> Entry | None:
    """What is known here, and then what others have under other conditions; None if that is
    nothing."""
    before = known.candidates if known is not None else ()
    conditions = {candidate.trace.conditions for candidate in before}
    new = []
    for candidate in found:
        if candidate.trace.conditions not in conditions:
            conditions.add(candidate.trace.conditions)
            new.append(candidate)
    return Entry(signature, (*before, *new)) if new else None


def in_order(found: Iterable[Candidate]) -> list[Candidate]:
    """What somebody trusted made first, and then the newest: the first under the same conditions
    is taken."""
    newest = sorted(found, key=lambda candidate: candidate.created, reverse=True)
    return sorted(newest, key=lambda candidate: candidate.origin == UNSIGNED)


def _signer(signed: Any, data: bytes) -> str:
    """The key that signed; empty if there is none, or if nobody can tell for want of
    `cryptography`. Raises RefusedError: it is forged."""
    if signed is None:
        return ""
    if type(signed) is not dict or signed.keys() != {"key", "ed25519"}:
        raise RefusedError("its signature is not of our form")
    key, signature = signed["key"], signed["ed25519"]
    if not keys.is_key(key) or type(signature) is not str:
        raise RefusedError("its signature is not of our form")
    try:
        if not keys.is_signed(data, key, signature):
            raise RefusedError("its signature is forged")
    except keys.KeysError:
        return ""
    return str(key)


_trust: dict[str, bool] = {}


def _is_trusted(key: str) -> bool:
    """Asked once for each key in a process."""
    if key not in _trust:
        try:
            _trust[key] = keys.trusts(key)
        except keys.KeysError:
            _trust[key] = False
    return _trust[key]


def _check(candidate: Candidate) -> None:
    """Raises RefusedError: something in it would trip up who uses it."""
    try:
        checked_path(candidate.path)
        _ = candidate.created_at
        for label, value in candidate.trace.variables:
            if label == labels.UNTIL:
                float(value)
    except (ArtifactPathError, ValueError, OverflowError) as error:
        raise RefusedError(f"it is not a candidate of ours: {error}") from error
    if any("\0" in read.path for read in candidate.trace.files):
        raise RefusedError("it names an impossible file")
    if any(size < 0 for size in blobs_of(candidate).values()):
        raise RefusedError("it has an impossible size")


def harm_of(candidate: Candidate) -> str:
    """Why a candidate that nobody answers for is not taken up; empty if it is."""
    from ddsimport.values.codecs import is_harmless

    if not is_harmless(candidate.codec):
        return f"loading a value that {candidate.codec[:40]!r} wrote may run code"
    if candidate.trace.effects:
        return "it leaves more behind than its value"
    for stream, text in candidate.trace.output:
        if stream not in ("stdout", "stderr"):
            return "it writes to something else than standard output and error"
        if not text.replace("\n", "").replace("\t", "").replace("\r", "").isprintable():
            return "it prints control characters"
    return ""


def _canonical(record: dict[str, Any]) -> bytes:
    """Raises ValueError."""
    return json.dumps(
        record, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    ).encode("ascii")
