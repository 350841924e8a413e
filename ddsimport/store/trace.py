"""The plain values that an entry is made of, and their form in JSON.

Nothing is computed here. `Trace` is verified by the runtime; the store only keeps it.
"""

from __future__ import annotations

import json

from ddsimport.records import Record
from ddsimport.store import labels
from ddsimport.store.seals import DamagedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

UNSIGNED = "unsigned"
"""The origin of candidates that came from a shared store, and that nobody answers for."""

LEFT_FILE = "left:file"
"""The kind of effects whose text names a blob: files that a step left (see `runtime.left`)."""

_HEX = "0123456789abcdef"


class FileRead(Record):
    """A file that an evaluation read, tested or listed.

    Attributes:
        path: relative to the project where the file lies in it, else absolute.
        digest: of the content, in hex; None if there was no such file.
        size: in bytes, with `mtime_ns` and `ino` the status that went with the digest: while it
            is unchanged, the content need not be read again.
    """

    path: str
    digest: str | None
    size: int = 0
    mtime_ns: int = 0
    ino: int = 0


class Trace(Record):
    """What one evaluation read besides its inputs, and what it did.

    Attributes:
        files: what must be on the disk as it was.
        variables: (label, digest in hex) of all else that must be as it was: environment
            variables, random states, loaded paths, unforeseen code. The runtime defines labels.
        output: (stream, text) in order, where stream is "stdout", "stderr" or a log (see
            `runtime.output`): to be replayed.
        effects: (kind, text) in order, all else to be replayed. The runtime defines kinds.
    """

    files: tuple[FileRead, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    output: tuple[tuple[str, str], ...] = ()
    effects: tuple[tuple[str, str], ...] = ()

    @property
    def conditions(self) -> tuple[object, ...]:
        """What a hit must satisfy. Traces with equal conditions exclude each other: one of them
        is enough, the newer. Order and file status do not matter."""
        files = frozenset((read.path, read.digest) for read in self.files)
        return (files, frozenset(pair for pair in self.variables if pair[0] != labels.UNTIL))


class Candidate(Record):
    """One evaluation of a signature: its value, and under which trace it holds.

    Attributes:
        blob: blake3 of the blob's bytes, in hex; its name.
        size: of the blob, in bytes.
        codec: name of the codec that wrote the blob.
        digest: canonical digest of the value, in hex (empty if it has none).
        seconds: how long the evaluation took.
        created: ISO 8601, UTC.
        python: version that evaluated it.
        versions: distribution to version, as they were.
        path: the artifact path it was evaluated for.
        code: the code hash, in hex.
        inputs: (name, digest in hex).
        signature: of the entry that it belongs to.
        parts: the digests, in hex, of what the step's targets are bound to, where these tell all
            about the values without loading them; empty where they do not.
        classes: import names of where the classes of installed code in it are from; their versions
            count where the value is an input.
        stem: where it is also found by the code that ran (see `runtime.footprint`); empty if it
            is not.
        origin: empty if it was evaluated here; else the public key of who signed it, or `UNSIGNED`
            (see `sharing`). What is made of such a candidate keeps it.
    """

    blob: str
    size: int
    codec: str
    digest: str
    trace: Trace
    seconds: float
    created: str
    python: str
    versions: dict[str, str]
    path: str
    code: str
    inputs: tuple[tuple[str, str], ...]
    signature: str
    stem: str = ""
    parts: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    origin: str = ""

    @property
    def created_at(self) -> float:
        """When it was created, in seconds since 1970."""
        from datetime import datetime

        return datetime.fromisoformat(self.created.replace("Z", "+00:00")).timestamp()


class Entry(Record):
    """What the store holds for a signature: candidates, newest first."""

    signature: str
    candidates: tuple[Candidate, ...]


def is_name(text: object) -> bool:
    """Whether `text` is a blake3 in hex, and so may be used as a file name as it stands."""
    return type(text) is str and len(text) == 64 and not text.strip(_HEX)


def blobs_of(candidate: Candidate) -> dict[str, int]:
    """Name -> size in bytes of all blobs that a hit needs: the value's, and those of the files that
    the step left.

    Raises:
        DamagedError: it is not told as we do.
    """
    found = {candidate.blob: candidate.size}
    for kind, text in candidate.trace.effects:
        if kind == LEFT_FILE:
            try:
                fields = json.loads(text)
                name, size = fields["blob"], _whole(fields["size"])
            except (ValueError, KeyError, TypeError) as error:
                raise DamagedError(f"what it leaves is not told as we do: {error}") from error
            if not is_name(name):
                raise DamagedError("what it leaves has no blob")
            found[name] = size
    return found


def entry_to_json(entry: Entry) -> dict[str, Any]:
    """The entry as an object for `json.dumps`."""
    candidates = [_candidate_to_json(candidate) for candidate in entry.candidates]
    return {"format": 1, "signature": entry.signature, "candidates": candidates}


def entry_from_json(record: dict[str, Any], signature: str) -> Entry:
    """The entry for `signature`. Raises DamagedError: the record is no such entry."""
    try:
        if record["format"] != 1 or record["signature"] != signature:
            raise DamagedError("it is not the entry of this signature")
        candidates = record["candidates"]
        return Entry(
            signature, tuple([_candidate_from_json(item, signature) for item in candidates])
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DamagedError(f"{type(error).__name__}: {error}") from error


def _candidate_to_json(candidate: Candidate) -> dict[str, Any]:
    trace = candidate.trace
    return {
        "blob": candidate.blob,
        "size": candidate.size,
        "codec": candidate.codec,
        "digest": candidate.digest,
        "seconds": candidate.seconds,
        "created": candidate.created,
        "python": candidate.python,
        "versions": candidate.versions,
        "path": candidate.path,
        "code": candidate.code,
        "inputs": candidate.inputs,
        "stem": candidate.stem,
        "parts": candidate.parts,
        "classes": candidate.classes,
        "origin": candidate.origin,
        "files": [
            (read.path, read.digest, read.size, read.mtime_ns, read.ino) for read in trace.files
        ],
        "variables": trace.variables,
        "output": trace.output,
        "effects": trace.effects,
    }


def _candidate_from_json(item: dict[str, Any], signature: str) -> Candidate:
    blob = item["blob"]
    if not is_name(blob):
        raise DamagedError("its blob has no valid name")
    files = item["files"]
    trace = Trace(
        tuple([_file_from_json(*read) for read in files]) if files else (),
        _pairs(item["variables"]),
        _pairs(item["output"]),
        _pairs(item["effects"]),
    )
    candidate = Candidate(
        blob,
        _whole(item["size"]),
        _text(item["codec"]),
        _text(item["digest"]),
        trace,
        float(item["seconds"]),
        _text(item["created"]),
        _text(item["python"]),
        {_text(name): _text(version) for name, version in item["versions"].items()},
        _text(item["path"]),
        _text(item["code"]),
        _pairs(item["inputs"]),
        signature,
        _text(item.get("stem", "")),  # format 1 was in use without it, and without what follows
        tuple([_text(part) for part in item.get("parts", ())]),
        tuple([_text(name) for name in item.get("classes", ())]),
        _text(item.get("origin", "")),
    )
    if trace.effects:
        blobs_of(candidate)  # who reads an entry need not ask whether these can be told
    return candidate


def _file_from_json(path: str, digest: str | None, size: int, mtime_ns: int, ino: int) -> FileRead:
    if digest is not None:
        _text(digest)
    return FileRead(_text(path), digest, _whole(size), _whole(mtime_ns), _whole(ino))


def _pairs(items: Any) -> tuple[tuple[str, str], ...]:
    if not items:
        return ()
    return tuple([(_text(first), _text(second)) for first, second in items])


def _text(item: Any) -> str:
    if type(item) is not str:
        raise DamagedError(f"{item!r} is not a text")
    return item


def _whole(item: Any) -> int:
    if type(item) is not int:
        raise DamagedError(f"{item!r} is not a whole number")
    return item
