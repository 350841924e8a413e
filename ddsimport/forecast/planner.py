"""What a run of a program would do, without running any of it.

The last run of the program is held against what is there now: the text of the code that counted,
the files, variables and artifacts that were read, the versions of packages, what the store has.
What plain code computes is taken to be what it was, as long as the code it is computed by is.
A forecast, then: nothing here decides about a hit.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Literal

from ddsimport import config, runner
from ddsimport.analysis.distributions import version_of
from ddsimport.errors import StoreError
from ddsimport.forecast.comparison import Comparison
from ddsimport.forecast.places import Place, places_of
from ddsimport.forecast.program import as_main
from ddsimport.records import Record
from ddsimport.report.graph import graph_of
from ddsimport.report.past import Past
from ddsimport.runtime import trace
from ddsimport.runtime.session import Session
from ddsimport.source.options import options_of
from ddsimport.store import labels
from ddsimport.store.acceptances import Acceptance

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ddsimport.report.code import Difference
    from ddsimport.report.events import Event
    from ddsimport.report.graph import Graph
    from ddsimport.report.past import PastRun
    from ddsimport.store.provenance import Provenance
    from ddsimport.store.trace import Candidate

Outlook = Literal["hit", "run", "unknown"]


class Forecast(Record):
    """What would become of one step.

    Attributes:
        path: of the step; a template where no run has told what it becomes.
        place: `file:line` as it is now.
        outlook: a hit, will run, or not known before another step has run.
        reason: why.
        seconds: what it is expected to take; None if nobody knows.
        saved_seconds: what a hit saves.
        differences: of the code, where that is the reason.
    """

    path: str
    place: str
    outlook: Outlook
    reason: str
    seconds: float | None
    saved_seconds: float
    differences: tuple[Difference, ...] = ()


class Plan(Record):
    """The forecasts for a program, in the order in which its steps ran last.

    Attributes:
        program: its file, relative to the project.
        based_on: when the run ended that the plan is made from; empty if there was none.
        steps: the forecasts.
    """

    program: str
    based_on: str
    steps: tuple[Forecast, ...]

    @property
    def seconds(self) -> float:
        """What is expected of the steps that will run, or may."""
        return sum(each.seconds or 0.0 for each in self.steps if each.outlook != "hit")


def plan_of(
    program: str, arguments: tuple[str, ...], *, is_module: bool, flags: config.Flags
) -> Plan:
    """The plan for a script, or a module, that would be given these arguments.

    Raises:
        CannotRunError: there is no such program.
        ConfigurationError: a key of `[tool.ddsimport]` means nothing.
        PragmaError, SyntaxError: its text is not that of a program.
        StoreError: there is no store that could be read.
    """
    file = os.path.abspath(runner.located(program, is_module=is_module))
    folder = os.getcwd() if is_module else os.path.dirname(os.path.realpath(file))
    config.use(config.resolve(folder, flags, os.environ))
    package = None
    if is_module:  # of a package, it is the module `__main__` in it that runs
        runs_package = os.path.basename(file) == "__main__.py" and program != "__main__"
        package = program if runs_package else program.rpartition(".")[0]
    with as_main(folder, package):
        session = Session(only_asks=True)
        if session.store is None:
            raise StoreError(f"the store {session.config.store} cannot be used")
        return _Planner(session, file, arguments).plan()


def accepted_edit(path: str, reason: str, by: str, when: str, flags: config.Flags) -> Acceptance:
    """The word that what has changed in the code of a step does not change its result.

    Raises:
        StoreError: there is nothing to accept: no value, or nothing has changed, or not the code.
        CannotRunError, ConfigurationError, PragmaError, SyntaxError: as `plan_of`.
    """
    config.use(config.resolve(os.getcwd(), flags, os.environ))
    session = Session(only_asks=True)
    if session.store is None:
        raise StoreError(f"the store {session.config.store} cannot be used")
    past = Past(session.store, session.config.project)
    run, event = next(past.evaluations(path), (None, None))
    if run is None or event is None:
        raise StoreError(f"no run on record has a step at {path}")
    file = session.absolute(run.program)
    runner.located(file, is_module=False)
    with as_main(os.path.dirname(os.path.realpath(file))):
        return _Planner(session, file, run.arguments).accept(event, reason, by, when)


class _Planner:
    def __init__(self, session: Session, file: str, arguments: tuple[str, ...]) -> None:
        assert session.store is not None
        self._session = session
        self._store = session.store
        self._file = file
        self._past = Past(session.store, session.config.project)
        self._comparison = Comparison(session, self._past, arguments)
        self._outlooks: dict[str, Outlook] = {}
        self._graph: Graph | None = None

    def plan(self) -> Plan:
        """The plan. Raises PragmaError, SyntaxError."""
        name = self._session.relative(self._file)
        runs = self._past.runs_of(name)
        places = list(places_of(self._session, self._file))
        found: list[Forecast] = []
        seen: set[int] = set()
        for run in runs:
            for event in run.latest.values():
                place = self._place_of(event, places)
                if place is None or event.path in self._outlooks:
                    continue
                # Steps of older runs are those that the last one had no need to ask for; but which
                # values a template takes is not known, and those of old runs tell least.
                if run is not runs[0] and "{" in (place.site.path or ""):
                    continue
                seen.add(id(place))
                found.append(self._noted(self._of(run, event, place)))
        for place in places:
            if id(place) not in seen:
                found.append(self._noted(self._new(place)))
        return Plan(name, runs[0].ended if runs else "", tuple(found))

    def accept(self, event: Event, reason: str, by: str, when: str) -> Acceptance:
        """See `accepted_edit`."""
        place = self._place_of(event, list(places_of(self._session, self._file)))
        provenance = self._past.provenance(event.signature)
        if place is None or provenance is None or not self._past.candidates(event.signature):
            raise StoreError(f"{event.path} has no value, or is no step any more")
        reach = self._comparison.reach(place)
        if reach.hash.hex() == provenance.reach:
            raise StoreError(f"nothing has changed in the code of {event.path}")
        changed = self._comparison.changed(provenance, place)
        diff = "\n".join(each.diff for each in changed)
        return Acceptance(
            provenance.template, reach.hash.hex(), provenance.reach, by, when, reason, diff
        )

    def _noted(self, forecast: Forecast) -> Forecast:
        self._outlooks[forecast.path] = forecast.outlook
        return forecast

    def _place_of(self, event: Event, places: list[Place]) -> Place | None:
        """Where a step of a past run stands now: in the same file, with the same target."""
        provenance = self._past.provenance(event.signature)
        for place in places:
            if provenance is not None:
                file = self._session.relative(place.file)
                if (file, place.site.target) == (provenance.file, provenance.target):
                    return place
            elif place.module == event.module and place.path == event.path:
                return place
        return None

    # --- one step ---------------------------------------------------------------------------------

    def _new(self, place: Place) -> Forecast:
        where = f"{self._session.relative(place.file)}:{place.site.line}"
        return Forecast(
            place.path,
            where,
            "run",
            "no run of this program on record has had it",
            None,
            0.0,
        )

    def _of(self, run: PastRun, event: Event, place: Place) -> Forecast:
        where = f"{self._session.relative(place.file)}:{place.site.line}"
        candidates = self._past.candidates(event.signature)
        seconds = candidates[0].seconds if candidates else event.seconds or None
        outlook, reason, differences = self._outlook(run, event, place, candidates)
        saved = seconds or 0.0 if outlook == "hit" else 0.0
        return Forecast(
            event.path, where, outlook, reason,
            None if outlook == "hit" else seconds, saved, tuple(differences),
        )  # fmt: skip

    def _outlook(
        self, run: PastRun, event: Event, place: Place, candidates: tuple[Candidate, ...]
    ) -> tuple[Outlook, str, list[Difference]]:
        options = options_of(place.site.options, self._session.config.replay)
        if not options.cached:
            return "run", "its pragma says `cache=off`", []
        if event.status == "uncached":
            return "run", f"it is evaluated each time: {event.reason}", []
        if event.status == "failed":
            return "run", "it raised when it ran last", []
        provenance = self._past.provenance(event.signature)
        if not candidates:
            return "run", "the store has no value of it any more", []
        if provenance is None:
            return "unknown", "what its value was made from was not noted", []
        candidate = candidates[0]
        if not self._store.has(candidate.blob):
            return "run", "the store has no value of it any more", []
        if options.salt != options_of(provenance.options, self._session.config.replay).salt:
            return "run", "the options of its pragma have changed", []
        if options.ttl is not None and time.time() - candidate.created_at > options.ttl:
            return "run", "its value is older than its `ttl=`", []
        changed = self._comparison.changed(provenance, place)
        taken = self._comparison.taken(changed, candidate, provenance, place) if changed else ""
        if changed and not taken:
            return "run", f"code: {_names(changed)}", changed
        moved = self._moved(candidates)
        if moved:
            return "run", moved, []
        waits = self._waits_for(run, event, provenance, place)
        if waits:
            return "unknown", waits, []
        return "hit", taken, changed

    def _moved(self, candidates: tuple[Candidate, ...]) -> str:
        """What every evaluation of the signature rests on that is otherwise now; empty if one of
        them holds."""
        first = ""
        for candidate in candidates:
            broken = next(trace.moved(candidate.trace, self._session), None)
            said = self._package(candidate)
            if broken is not None:
                said = labels.said(broken) or f"file {labels.shown(broken)}"
            if not said:
                return ""
            first = first or said
        return first

    def _package(self, candidate: Candidate) -> str:
        here = ".".join(map(str, sys.version_info[:2]))
        if ".".join(candidate.python.split(".")[:2]) != here:
            return f"Python {candidate.python} -> {here}"
        for name, version in candidate.versions.items():
            now = version_of(name)
            # Of a package that only the value is of, the bare version is noted.
            if now is not None and now != version and not now.endswith(f"=={version}"):
                return f"package {name}: {version} -> {now}"
        return ""

    def _waits_for(self, run: PastRun, event: Event, provenance: Provenance, place: Place) -> str:
        """What must have run before the inputs are known; empty if they are as they were."""
        if self._graph is None:
            self._graph = graph_of(self._past, run)
        steps = {
            edge.source.partition(":")[2]: edge.name
            for edge in self._graph.edges
            if edge.target == f"step:{event.path}" and edge.kind in ("data", "plain", "load")
        }
        for path in steps:
            if self._outlooks.get(path, "hit") != "hit":
                return f"until {path} has run"
        return self._comparison.concerned(run, provenance, place)


def _names(changed: list[Difference]) -> str:
    names = [each.name for each in changed]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
