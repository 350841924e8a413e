"""Why a step ran: what has changed since its last value, and from which step on.

Two evaluations are compared by what was noted of them (see `past`): code piece by piece, inputs and
module variables by digest, files and environment by trace, packages by version.
"""

from __future__ import annotations

from typing import Literal

from ddsimport.errors import CodecError, StoreError
from ddsimport.records import Record
from ddsimport.report.code import Code
from ddsimport.report.events import EXPIRED, FORCED, LOST
from ddsimport.report.graph import graph_of
from ddsimport.store import labels
from ddsimport.store.trace import Candidate
from ddsimport.values.difference import difference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddsimport.report.events import Event
    from ddsimport.report.graph import Graph
    from ddsimport.report.past import Past, PastRun
    from ddsimport.store.provenance import Provenance, Quantity

Kind = Literal[
    "code", "input", "variable", "file", "environment", "artifact", "random", "package", "python",
    "option", "code that ran", "expired", "forced", "lost",
]  # fmt: skip


_LARGEST = 64 << 20
"""Bytes of values that are loaded to be compared."""
_MOST_DETAILS = 6


_AGAIN: dict[str, Kind] = {EXPIRED: "expired", FORCED: "forced", LOST: "lost"}


class Cause(Record):
    """One thing that is not what it was.

    Attributes:
        kind: what sort of thing.
        name: which one.
        said: how it differs, in a line.
        diff: the same as a unified diff, for code.
        step: the path of the step that gave it; empty if none did.
        details: more about the difference, line by line.
    """

    kind: Kind
    name: str
    said: str
    diff: str = ""
    step: str = ""
    details: tuple[str, ...] = ()


class Explanation(Record):
    """Why a step did what it did in a run.

    Attributes:
        path: of the step.
        place: `file:line`.
        status: see `events.Event`.
        said: the answer in a sentence.
        run: when the run ended, ISO 8601 in UTC.
        before: when the value was evaluated that is compared with; empty if there is none.
        causes: what differs.
        chain: paths from this step up to the step where something but a step's value differs.
    """

    path: str
    place: str
    status: str
    said: str
    run: str
    before: str
    causes: tuple[Cause, ...]
    chain: tuple[str, ...]


class Why:
    """Explains the steps of one run.

    Args:
        past: all that is known.
        run: the run.
    """

    def __init__(self, past: Past, run: PastRun) -> None:
        self._past = past
        self._run = run
        self._code = Code(past)
        self._graph: Graph | None = None
        self._causes: dict[str, tuple[str, str, tuple[Cause, ...]]] = {}

    def all(self) -> Iterator[Explanation]:
        """Every step of the run, in order."""
        for event in self._run.latest.values():
            yield self.of(event)

    def of(self, event: Event) -> Explanation:
        """One of its steps."""
        said, before, causes = self._compared(event)
        provenance = self._past.provenance(event.signature)
        file = provenance.file if provenance is not None else ""
        # In a session, people know a step by its cell: `In [3]:1`.
        place = f"{file if file.endswith('.py') else event.module}:{event.line}"
        chain = self._chain(event)
        if len(chain) > 1:
            origin = self._compared(self._run.latest[chain[-1]])[2]
            what = ", ".join(f"{cause.kind} {cause.name}" for cause in origin[:3])
            said += f"; that began at {chain[-1]}" + (f" ({what})" if what else "")
        return Explanation(
            event.path, place, event.status, said, self._run.ended, before, causes, chain
        )

    def _chain(self, event: Event) -> tuple[str, ...]:
        """The step, the step whose changed value it was given, and so on."""
        chain = [event.path]
        while True:
            _, _, causes = self._compared(self._run.latest[chain[-1]])
            above = next(
                (
                    cause.step
                    for cause in causes
                    if cause.step in self._run.latest and cause.step not in chain
                ),
                "",
            )
            if not above:
                return tuple(chain)
            chain.append(above)

    # --- one step -------------------------------------------------------------------------------

    def _compared(self, event: Event) -> tuple[str, str, tuple[Cause, ...]]:
        """(the answer in a sentence, when the earlier value was evaluated, what differs)."""
        known = self._causes.get(event.path)
        if known is None:
            known = self._causes[event.path] = self._compare(event)
        return known

    def _compare(self, event: Event) -> tuple[str, str, tuple[Cause, ...]]:
        now = self._past.candidates(event.signature)
        if event.status == "hit":
            when = f", of {now[0].created}" if now else ""
            reason = f" ({event.reason})" if event.reason else ""
            return f"a hit{reason}: nothing that counts differs from the value kept{when}", "", ()
        if event.status == "uncached":
            return f"it is evaluated each time: {event.reason}", "", ()
        if event.status == "failed":
            return "it raised, so nothing was kept; it is evaluated until it succeeds", "", ()
        earlier = self._earlier(event)
        if earlier is None:
            return "this is its first value in this store", "", ()
        if earlier.signature == event.signature:
            return self._again(event, now)
        before = self._past.candidates(earlier.signature)
        created = before[0].created if before else ""
        old, new = (self._past.provenance(each.signature) for each in (earlier, event))
        if old is None or new is None:
            said = "its code or its inputs differ; what exactly was not noted then"
            return said, created, ()
        causes = (
            *self._in_code(old, new),
            *self._in_quantities(event, old.inputs, new.inputs, "input"),
            *self._in_quantities(event, old.variables, new.variables, "variable"),
            *_in_options(old, new),
            *(_in_versions(before[0], now[0]) if before and now else ()),
        )
        if not causes and before and now:
            causes = tuple(_in_traces(before[0], now[0]))
        if not causes:
            causes = tuple(self._in_code(old, new, extras=True))
        if not causes:
            return "its signature differs; what exactly is not known", created, ()
        return _sentence(causes), created, causes

    def _earlier(self, event: Event) -> Event | None:
        """The latest evaluation or hit of the same path before this one."""
        before = list(self._run.events)
        if event in before:
            before = before[: len(before) - 1 - before[::-1].index(event)]
        for other in reversed(before):
            if other.path == event.path and other.signature and _has_value(other):
                return other
        seen = False
        for run in self._past.runs:
            if run is self._run:
                seen = True
                continue
            found = run.latest.get(event.path) if seen else None
            if found is not None and found.signature and _has_value(found):
                return found
        return None

    def _again(
        self, event: Event, now: tuple[Candidate, ...]
    ) -> tuple[str, str, tuple[Cause, ...]]:
        """The signature is the same: the value was not to be taken, or something that was read
        besides differs, or the value is gone."""
        created = now[1].created if len(now) > 1 else ""
        for start, kind in _AGAIN.items():
            if event.reason.startswith(start):
                cause = Cause(kind, event.path, event.reason)
                return f"the same code and inputs; {event.reason}", created, (cause,)
        if len(now) > 1:
            causes = tuple(_in_traces(now[1], now[0]))
            if causes:
                return _sentence(causes), created, causes
            return "the same code and inputs; what else differed was not noted", created, ()
        lost = Cause("lost", event.path, "the value was no longer in the store")
        return "the same code and inputs, but its value was not in the store any more", "", (lost,)

    def _in_code(
        self, old: Provenance, new: Provenance, *, extras: bool = False
    ) -> Iterator[Cause]:
        if old.reach == new.reach and old.snapshot == new.snapshot:
            return
        for each in self._code.differences(old, new, extras=extras):
            said = f"{each.kind}: {each.name} in {each.file}"
            yield Cause("code", each.name, said, each.diff)

    def _in_quantities(
        self,
        event: Event,
        old: tuple[Quantity, ...],
        new: tuple[Quantity, ...],
        kind: Literal["input", "variable"],
    ) -> Iterator[Cause]:
        before = {each.name: each for each in old}
        after = {each.name: each for each in new}
        for name, quantity in after.items():
            if name not in before:
                yield Cause(kind, name, f"{kind} {name} is new: {self._said(quantity)}")
            elif before[name].digest != quantity.digest:
                said = f"{kind} {name}: {self._said(before[name])} -> {self._said(quantity)}"
                step = self._giver(event, name) if kind == "input" else ""
                details = self._details(step, name) if step else ()
                yield Cause(kind, name, said, step=step, details=details)
        for name in before.keys() - after.keys():
            yield Cause(kind, name, f"{kind} {name} is no longer read")

    def _details(self, path: str, name: str) -> tuple[str, ...]:
        """How the values of a step differ, if both are there and loading them runs no code of the
        program."""
        event = self._run.latest.get(path)
        earlier = self._earlier(event) if event is not None else None
        if event is None or earlier is None:
            return ()
        values = []
        for each in (earlier, event):
            candidates = self._past.candidates(each.signature)
            if not candidates or not self._past.can_be_shown(candidates[0], _LARGEST):
                return ()
            try:
                value = self._past.store.value(candidates[0])
            except (StoreError, CodecError):
                return ()
            provenance = self._past.provenance(each.signature)
            targets = provenance.target.split(",") if provenance is not None else []
            if len(targets) > 1 and name in targets and isinstance(value, tuple | list):
                value = value[targets.index(name)]
            values.append(value)
        return tuple(difference(*values)[:_MOST_DETAILS])

    def _said(self, quantity: Quantity) -> str:
        return quantity.summary or f"a value with digest {quantity.digest[:8]}"

    def _giver(self, event: Event, name: str) -> str:
        """The step that an input comes from and that did not hit, else any that it comes from."""
        if self._graph is None:
            self._graph = graph_of(self._past, self._run)
        sources = [
            edge.source.partition(":")[2]
            for edge in self._graph.edges
            if edge.target == f"step:{event.path}" and edge.name == name
        ]
        latest = self._run.latest
        ran = [path for path in sources if path in latest and latest[path].status != "hit"]
        return next(iter(ran or sources), "")


def _has_value(event: Event) -> bool:
    return event.status in ("hit", "computed")


def _sentence(causes: tuple[Cause, ...]) -> str:
    words = [f"{cause.kind} {cause.name}" for cause in causes]
    shown = ", ".join(words[:4]) + (f" and {len(words) - 4} more" if len(words) > 4 else "")
    return f"what changed: {shown}"


def _in_options(old: Provenance, new: Provenance) -> Iterator[Cause]:
    before, after = dict(old.options), dict(new.options)
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            said = f"{name}= in its pragma: {before.get(name, '-')} -> {after.get(name, '-')}"
            yield Cause("option", f"{name}=", said)


def _in_versions(old: Candidate, new: Candidate) -> Iterator[Cause]:
    if old.python.split(".")[:2] != new.python.split(".")[:2]:
        yield Cause("python", new.python, f"Python {old.python} -> {new.python}")
    for name in sorted(old.versions.keys() & new.versions.keys()):
        before, after = old.versions[name], new.versions[name]
        if before != after:
            yield Cause("package", name, f"package {name}: {before} -> {after}")


def _in_traces(old: Candidate, new: Candidate) -> Iterator[Cause]:
    before = {read.path: read.digest for read in old.trace.files}
    after = {read.path: read.digest for read in new.trace.files}
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) == after.get(path):
            continue
        name = labels.shown(path)
        if path in before and path in after:
            gone, come = before[path] is None, after[path] is None
            said = "appeared" if gone else "vanished" if come else "has other content"
            what = "the files in " if path.endswith("/") else ""
            yield Cause("file", name, f"{what}{name} {said}")
        elif path in after:
            yield Cause("file", name, f"{name} was not read before")
    variables = dict(new.trace.variables)
    for label, token in old.trace.variables:
        if label == labels.UNTIL:
            if float(token) < new.created_at:
                yield Cause("expired", "ttl=", labels.said(label))
        elif label in variables and variables[label] != token:
            yield _of_label(label)


_KINDS: dict[str, Kind] = {
    labels.VARIABLE: "environment",
    labels.NAMES: "environment",
    labels.LOAD: "artifact",
    labels.RANDOM: "random",
    labels.PATH: "file",
    labels.DECLARED: "file",
}


def _of_label(label: str) -> Cause:
    name = labels.name_in(label)
    said = labels.said(label) or f"what it met while it ran differs: {label}"
    kind = next((kind for start, kind in _KINDS.items() if label.startswith(start)), None)
    step = name if kind == "artifact" else ""
    return Cause(kind or "code that ran", name or "os.environ", said, step=step)
