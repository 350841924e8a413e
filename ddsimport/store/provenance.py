"""What each evaluation was made from, for people: its code as text, and what its inputs were.

A signature tells *that* something differs; what is noted here tells *what*. Nothing here decides
about a hit, so nothing is lost with it but the answer to `why`.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress

from blake3 import blake3

from ddsimport.records import Record
from ddsimport.store.notes import Notes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Code = tuple[str, str, str, "str | int"]
    """As `analysis.graph.Key`, the file relative to the project where it lies in it."""


class Quantity(Record):
    """Something that a step was given, or read.

    Attributes:
        name: as the step's text names it; of a global with its module.
        digest: what it counts as, in hex.
        summary: what it is, in a few words.
    """

    name: str
    digest: str
    summary: str


class Provenance(Record):
    """What one evaluation was made from.

    Attributes:
        signature: that the value is kept under.
        path: the artifact's path.
        module, file, line, column: where the step stood; the file is relative to the project.
        target: `Site.target`.
        template: the path as the pragma says it, or the default.
        options: of its pragma.
        reach: `Reach.hash` of the step, in hex.
        snapshot: name of the `Snapshot` with the code that counted.
        inputs: what the step was given.
        variables: the module variables that its code reads.
        value: what came out, in a few words.
        inside: the paths of the steps right inside it.
    """

    signature: str
    path: str
    module: str
    file: str
    line: int
    column: int
    target: str
    template: str
    options: tuple[tuple[str, str], ...]
    reach: str
    snapshot: str
    inputs: tuple[Quantity, ...]
    variables: tuple[Quantity, ...]
    value: str
    inside: tuple[str, ...]


class Snapshot(Record):
    """The code that counted for a step.

    Attributes:
        files: source file -> blake3 of its text, in hex.
        code: what of them was reached.
    """

    files: dict[str, str]
    code: tuple[Code, ...]


def _state(file: str, time_ns: int, size: int) -> str:
    name: str = blake3(f"{file} {time_ns} {size}".encode("utf-8", "surrogateescape")).hexdigest()
    return name


class Provenances:
    """The folders `provenance/v1` and `sources/v1`.

    Args:
        root: the store's folder.
        writable: whether anything may be written there.
    """

    def __init__(self, root: str, writable: bool) -> None:
        self._records = Notes(root, "provenance/v1", writable)
        self._sources = Notes(root, "sources/v1", writable)
        self._known: set[str] = set()

    def read(self, signature: str) -> Provenance | None:
        """What is noted of a signature; None if nothing is."""
        record = self._records.read_record(signature)
        with suppress(KeyError, TypeError, ValueError):
            del record["seal"]
            for field in ("inputs", "variables"):
                record[field] = tuple(Quantity(*map(str, each)) for each in record[field])
            record["options"] = tuple((str(key), str(value)) for key, value in record["options"])
            record["inside"] = tuple(map(str, record["inside"]))
            found = Provenance(**record)
            if found.signature == signature:
                return found
        return None

    def write(self, provenance: Provenance) -> None:
        """Note it."""
        record = provenance.as_dict()
        for field in ("inputs", "variables"):
            record[field] = [tuple(each) for each in record[field]]
        self._records.write_record(provenance.signature, record)

    def text(self, name: str) -> str | None:
        """The source text with this blake3; None if it is not here."""
        text = self._sources.read_record(name).get("text")
        return text if type(text) is str else None

    def has_text(self, name: str) -> bool:
        """Whether a source text is kept; it is then of use now."""
        return self._is_there(name)

    def add_text(self, name: str, text: str) -> None:
        """Keep a source text, of which `name` is the blake3."""
        self._sources.write_record(name, {"text": text})

    def has_state(self, file: str, time_ns: int, size: int) -> bool:
        """Whether the text is noted that a source file had when it was last written then."""
        return self._is_there(_state(file, time_ns, size))

    def add_state(self, file: str, time_ns: int, size: int, text: str) -> None:
        """Note it: `text` is its blake3."""
        self._sources.write_record(_state(file, time_ns, size), {"file": file, "is": text})

    def state(self, file: str, time_ns: int, size: int) -> str | None:
        """The blake3 of that text; None if it is not noted."""
        record = self._sources.read_record(_state(file, time_ns, size))
        return str(record["is"]) if record.get("file") == file and "is" in record else None

    def snapshot(self, name: str) -> Snapshot | None:
        """The snapshot of this name; None if it is not here."""
        record = self._sources.read_record(name)
        with suppress(KeyError, TypeError, ValueError):
            code = [(str(kind), str(m), str(file), what) for kind, m, file, what in record["code"]]
            return Snapshot(dict(record["files"]), tuple(code))
        return None

    def add_snapshot(self, snapshot: Snapshot) -> str:
        """Keep a snapshot; returns its name."""
        record: dict[str, Any] = {"files": snapshot.files, "code": snapshot.code}
        name: str = blake3(json.dumps(record).encode()).hexdigest()
        if not self._is_there(name):
            self._sources.write_record(name, record)
        return name

    def _is_there(self, name: str) -> bool:
        """Whether it is; its time is then that of its use, since what is long unused goes."""
        if name in self._known:
            return True
        self._known.add(name)
        path = self._sources.path_of(name)
        try:
            os.utime(path)
        except OSError:
            return False
        return True
