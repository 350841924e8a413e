"""What past runs did, read back from the store: runs, what became of each step, and from what.

The one room that `why`, `plan`, `status` and `graph` look at past runs through.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cached_property

from ddsimport.errors import StoreError
from ddsimport.records import Record
from ddsimport.report.events import Event
from ddsimport.store.choice import runs_no_code
from ddsimport.store.index import Index

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ddsimport.store.provenance import Provenance
    from ddsimport.store.store import Store
    from ddsimport.store.trace import Candidate


class PastRun(Record):
    """A run that has ended.

    Attributes:
        program: its file, relative to the project.
        arguments: what it was given.
        environment: what stands for its environment variables (`runtime.noted.environment`).
        namespace: whose paths its steps were shown under.
        ended: when, ISO 8601 in UTC.
        python: version.
        counts: how often each status occurred.
        seconds, saved_seconds: as in `events.Run`.
        events: what became of its steps, in order; the first few hundred.
        files: source file of the project that was loaded -> time of the last write in ns, size.
    """

    program: str
    arguments: tuple[str, ...]
    environment: str
    namespace: str
    ended: str
    python: str
    counts: dict[str, int]
    seconds: float
    saved_seconds: float
    events: tuple[Event, ...]
    files: dict[str, tuple[int, int]]

    @cached_property
    def latest(self) -> dict[str, Event]:
        """Path -> what became of its step last, in the order of the first time."""
        return {event.path: event for event in self.events}


class Past:
    """The past runs of a store's namespace.

    Args:
        store: the store.
        project: the folder that names of files are relative to.
        now: a run that has not ended, as it would be noted (`runtime.noted.noted`).
    """

    def __init__(self, store: Store, project: str, now: dict[str, Any] | None = None) -> None:
        self.store = store
        self.project = project
        self._now = now
        self._provenances: dict[str, Provenance | None] = {}

    @cached_property
    def runs(self) -> list[PastRun]:
        """Runs with steps, the latest first."""
        records = [self._now] if self._now is not None else []
        found = map(_run_from, [*records, *Index(self.store.root).runs()])
        return [
            run
            for run in found
            if run is not None and run.events and run.namespace == self.store.namespace
        ]

    def runs_of(self, program: str) -> list[PastRun]:
        """Those of a program, named by its file relative to the project."""
        return [run for run in self.runs if run.program == program]

    def evaluations(self, path: str) -> Iterator[tuple[PastRun, Event]]:
        """The latest event of the step at `path` in each run that had one, the latest first."""
        for run in self.runs:
            event = run.latest.get(path)
            if event is not None:
                yield run, event

    def provenance(self, signature: str) -> Provenance | None:
        """What a value was made from; None if that is not known."""
        if not signature:
            return None
        if signature not in self._provenances:
            self._provenances[signature] = self.store.provenances.read(signature)
        return self._provenances[signature]

    def candidates(self, signature: str) -> tuple[Candidate, ...]:
        """What is kept of a signature, the newest first."""
        with suppress(StoreError):
            entry = self.store.entry(signature) if signature else None
            if entry is not None:
                return entry.candidates
        return ()

    def can_be_shown(self, candidate: Candidate, most: int) -> bool:
        """Whether a value may be loaded only to be looked at: it is not larger than `most` bytes,
        and to load it runs no code of the program's own, which a look must not.

        `Candidate.parts` are told of values only in which nothing is of a class of the program.
        """
        safe = bool(candidate.parts) or runs_no_code(candidate.codec)
        return safe and candidate.size <= most

    def digests(self, event: Event) -> dict[str, str]:
        """Target of the step -> digest in hex of what it was bound to; "" for the whole value."""
        candidates = self.candidates(event.signature)
        if not candidates:
            return {}
        found = {"": candidates[0].digest} if candidates[0].digest else {}
        provenance = self.provenance(event.signature)
        targets = provenance.target.split(",") if provenance is not None else []
        if len(targets) == len(candidates[0].parts):
            found.update(zip(targets, candidates[0].parts, strict=True))
        elif len(targets) == 1 and found:
            found[targets[0]] = candidates[0].digest
        return found

    def file_of(self, run: PastRun, event: Event) -> str:
        """The file that a step of a run stands in; empty if that is not known."""
        provenance = self.provenance(event.signature)
        if provenance is not None:
            return provenance.file
        if event.module in ("__main__", "__mp_main__"):
            return run.program
        tail = "/" + event.module.replace(".", "/")
        ends = (f"{tail}.py", f"{tail}/__init__.py")
        return next((file for file in run.files if f"/{file}".endswith(ends)), "")

    def text_loaded(self, run: PastRun, file: str) -> str | None:
        """The text of a source file that a run loaded; of a run under way, as it is now."""
        if file in run.files:
            provenances = self.store.provenances
            return provenances.text(provenances.state(file, *run.files[file]) or "")
        with suppress(OSError, ValueError), open(self.absolute(file), encoding="utf-8") as source:
            return source.read()
        return None

    def text(self, provenance: Provenance) -> str | None:
        """The text of the file that a step stood in when its value was made."""
        return self.text_in(provenance, provenance.file)

    def text_in(self, provenance: Provenance, file: str) -> str | None:
        """The text of a file that counted for it; None if it did not, or is not known."""
        provenances = self.store.provenances
        snapshot = provenances.snapshot(provenance.snapshot)
        return provenances.text(snapshot.files.get(file, "")) if snapshot is not None else None

    def named(self, file: str) -> str:
        """A file that the user named, as runs name it: relative to the project if it lies in it."""
        name = os.path.realpath(file)
        folder = os.path.join(os.path.realpath(self.project), "")
        return name[len(folder) :] if name.startswith(folder) else os.path.abspath(file)

    def absolute(self, file: str) -> str:
        """The file of a name relative to the project."""
        return os.path.join(self.project, file)


def _run_from(record: dict[str, Any]) -> PastRun | None:
    """None: it was noted by an older version, or is damaged."""
    try:
        return PastRun(
            program=str(record["program"]),
            arguments=tuple(map(str, record["arguments"])),
            environment=str(record["environment"]),
            namespace=str(record["namespace"]),
            ended=str(record["ended"]),
            python=str(record["python"]),
            counts={str(status): int(count) for status, count in record["steps"].items()},
            seconds=float(record["seconds"]),
            saved_seconds=float(record["saved_seconds"]),
            events=tuple(Event(**event) for event in record["events"]),
            files={
                str(file): (int(time), int(size)) for file, (time, size) in record["files"].items()
            },
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
