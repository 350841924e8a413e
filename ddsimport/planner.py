"""What a run of a program would do, without running any of it.

The last run of the program is held against what is there now: the text of the code that counted,
the files, variables and artifacts that were read, the versions of packages, what the store has.
What plain code computes is taken to be what it was, as long as the code it is computed by is.
A forecast, then: nothing here decides about a hit.
"""

from __future__ import annotations

import ast
import os
import sys
import time
from contextlib import suppress
from types import ModuleType
from typing import Literal

from ddsimport import config, runner
from ddsimport.analysis.distributions import version_of
from ddsimport.analysis.facts import DEF_KIND, DEF_OUTLINE
from ddsimport.errors import StoreError
from ddsimport.records import Record
from ddsimport.report.code import Code, Difference, Piece, differences
from ddsimport.report.edits import Edit, Text, concerned, edits_between, names_around
from ddsimport.report.graph import graph_of
from ddsimport.report.past import Past
from ddsimport.runtime import recorder, trace
from ddsimport.runtime.session import Session
from ddsimport.source.options import options_of
from ddsimport.source.pragma import pragmas_of
from ddsimport.source.steps import sites_of
from ddsimport.source.tracked import is_tracked
from ddsimport.store import labels
from ddsimport.store.provenance import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddsimport.analysis.codehash import Reach
    from ddsimport.report.events import Event
    from ddsimport.report.past import PastRun
    from ddsimport.source.site import Site
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


class _Place(Record):
    """A step as the text has it now."""

    site: Site
    module: str
    file: str


def plan_of(program: str, *, is_module: bool, flags: config.Flags) -> Plan:
    """The plan for a script, or a module.

    Raises:
        CannotRunError: there is no such program.
        ConfigurationError: a key of `[tool.ddsimport]` means nothing.
        PragmaError, SyntaxError: its text is not that of a program.
        StoreError: there is no store that could be read.
    """
    file = runner.located(program, is_module=is_module)
    folder = os.getcwd() if is_module else os.path.dirname(os.path.realpath(file))
    config.use(config.resolve(folder, flags, os.environ))
    main = ModuleType("__main__")
    main.__package__ = program.rpartition(".")[0] if is_module else None
    with _as_main(main, folder):
        session = Session(only_asks=True)
        if session.store is None:
            raise StoreError(f"the store {session.config.store} cannot be used")
        return _Planner(session, file).plan()


class _as_main:  # noqa: N801 - reads as a function
    """The analysis asks which package the main module is in, and where modules are found."""

    def __init__(self, main: ModuleType, folder: str) -> None:
        self._main, self._folder = main, folder

    def __enter__(self) -> None:
        self._before = sys.modules["__main__"]
        sys.modules["__main__"] = self._main
        sys.path.insert(0, self._folder)

    def __exit__(self, *_: object) -> None:
        sys.modules["__main__"] = self._before
        sys.path.remove(self._folder)


class _Planner:
    def __init__(self, session: Session, file: str) -> None:
        assert session.store is not None
        self._session = session
        self._store = session.store
        self._file = file
        self._past = Past(session.store, session.config.project)
        self._code = Code(self._past)
        self._texts: dict[str, str] = {}
        self._all_edits: dict[str, list[Edit]] = {}
        self._outlooks: dict[str, Outlook] = {}

    def plan(self) -> Plan:
        """The plan. Raises PragmaError, SyntaxError."""
        name = self._session.relative(os.path.abspath(self._file))
        runs = self._past.runs_of(name)
        places = list(self._places())
        found: list[Forecast] = []
        seen: set[int] = set()
        for run in runs:
            for event in run.latest.values():
                place = self._place_of(event, places)
                if place is None or event.path in self._outlooks:
                    continue
                if run is not runs[0] and "{" not in (place.site.path or ""):
                    pass  # a step that the last run had no need to ask for
                elif run is not runs[0]:
                    continue  # which values a template takes is not known, those of old runs least
                seen.add(id(place))
                found.append(self._noted(self._of(run, event, place)))
        for place in places:
            if id(place) not in seen:
                found.append(self._noted(self._new(place)))
        return Plan(name, runs[0].ended if runs else "", tuple(found))

    def _noted(self, forecast: Forecast) -> Forecast:
        self._outlooks[forecast.path] = forecast.outlook
        return forecast

    # --- the text as it is now --------------------------------------------------------------------

    def _places(self) -> Iterator[_Place]:
        """The steps of the program and of all modules of the project that it imports."""
        queue = [("__main__", self._file)]
        seen = {os.path.realpath(self._file)}
        for module, file in queue:
            try:
                text = self._session.codebook.text_of(file)
                tree = ast.parse(text, file)
            except (OSError, SyntaxError, ValueError):
                if file == self._file:
                    raise
                continue
            for step in sites_of(tree, pragmas_of(text, file), file, text):
                yield _Place(step.site, module, file)
            for name in _imported(tree, module, file):
                found, tracked = self._session.codebook.place_of(name)
                if found is None or not tracked or not found.endswith((".py", ".pyw")):
                    continue
                if os.path.realpath(found) not in seen and is_tracked(found):
                    seen.add(os.path.realpath(found))
                    queue.append((name, found))

    def _place_of(self, event: Event, places: list[_Place]) -> _Place | None:
        """Where a step of a past run stands now: in the same file, with the same target."""
        provenance = self._past.provenance(event.signature)
        for place in places:
            if provenance is not None:
                file = self._session.relative(place.file)
                if (file, place.site.target) == (provenance.file, provenance.target):
                    return place
            elif place.module == event.module and self._path(place) == event.path:
                return place
        return None

    def _path(self, place: _Place) -> str:
        name = os.path.basename(place.file).partition(".")[0]
        module = name if place.module == "__main__" else place.module
        return place.site.path or f"/{module}/{place.site.target.replace('.<locals>', '')}"

    # --- one step ---------------------------------------------------------------------------------

    def _new(self, place: _Place) -> Forecast:
        where = f"{self._session.relative(place.file)}:{place.site.line}"
        return Forecast(
            self._path(place),
            where,
            "run",
            "no run of this program on record has had it",
            None,
            0.0,
        )

    def _of(self, run: PastRun, event: Event, place: _Place) -> Forecast:
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
        self, run: PastRun, event: Event, place: _Place, candidates: tuple[Candidate, ...]
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
        changed = self._changed_code(provenance, place)
        if changed and not self._is_beside(changed, candidate, provenance):
            return "run", f"code: {_names(changed)}", changed
        moved = self._moved(candidates)
        if moved:
            return "run", moved, []
        waits = self._waits_for(run, event, provenance, place)
        if waits:
            return "unknown", waits, []
        if changed:
            return "hit", "its code has changed, but nothing that it ran", changed
        return "hit", "", []

    def _moved(self, candidates: tuple[Candidate, ...]) -> str:
        """What every evaluation of the signature rests on that is otherwise now; empty if one of
        them holds."""
        first = ""
        for candidate in candidates:
            broken = next(trace.moved(candidate.trace, self._session), None)
            said = _said(broken) if broken is not None else self._package(candidate)
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
            if now is not None and now != version:
                return f"package {name}: {version} -> {now}"
        return ""

    def _waits_for(self, run: PastRun, event: Event, provenance: Provenance, place: _Place) -> str:
        """What must have run before the inputs are known; empty if they are as they were."""
        steps = {
            edge.source.partition(":")[2]: edge.name
            for edge in graph_of(self._past, run).edges
            if edge.target == f"step:{event.path}" and edge.kind in ("data", "plain", "load")
        }
        for path in steps:
            if self._outlooks.get(path, "hit") != "hit":
                return f"until {path} has run"
        return self._concerned(run, provenance, place)

    # --- code -------------------------------------------------------------------------------------

    def _changed_code(self, provenance: Provenance, place: _Place) -> list[Difference]:
        """How the code that counts for the step differs from what its value was made from."""
        try:
            reach = self._session.codebook.step(
                place.module, place.file, place.site.line, place.site.column
            )
        except (LookupError, OSError) as error:
            return [Difference("removed", provenance.file, str(error), "", "")]
        old = self._code.pieces(provenance)
        new = self._pieces(reach, provenance, place)
        for name in provenance.variables:  # the statements that bind them
            old.update(self._bindings(provenance, name.name, old=True))
            new.update(self._bindings(provenance, name.name, old=False))
        if reach.hash.hex() == provenance.reach:
            # Functions and classes that came as values are not reached by name.
            same = old.keys() & new.keys()
            return [
                each
                for each in differences({label: old[label] for label in same}, new)
                if each.kind == "changed" and old[each.label].digest != new[each.label].digest
            ]
        found = differences(old, new)
        unnamed = Difference("changed", provenance.file, "what its text reaches", "", "")
        return found or [unnamed]

    def _pieces(self, reach: Reach, provenance: Provenance, place: _Place) -> dict[str, Piece]:
        session = self._session
        files = {}
        for file in reach.files:
            with suppress(OSError, SyntaxError, ValueError):
                if file.endswith((".py", ".pyw")):
                    text, files[session.relative(file)] = session.codebook.texts.read(file)
                    self._texts[files[session.relative(file)]] = text
                else:
                    session.codebook.texts.content(file)
                    files[session.relative(file)] = session.codebook.texts.known(file)[0]
        code = tuple((kind, m, session.relative(file), what) for kind, m, file, what in reach.nodes)
        here = provenance.replace(
            line=place.site.line, column=place.site.column, target=place.site.target
        )
        return self._code.pieces_of(Snapshot(files, code), here, self._texts.get)

    def _bindings(self, provenance: Provenance, name: str, *, old: bool) -> dict[str, Piece]:
        """The statements of a module that bind a variable, as they were or as they are."""
        module, _, variable = name.rpartition(".")
        if module == provenance.module:
            file = self._session.absolute(provenance.file)
        else:
            file = self._session.codebook.place_of(module)[0] or ""
        if not file:
            return {}
        if old:
            text = self._past.text_in(provenance, self._session.relative(file))
        else:
            text = self._text_now(file)
        return _bound_in(text, self._session.relative(file), variable) if text else {}

    def _text_now(self, file: str) -> str | None:
        try:
            return self._session.codebook.text_of(file)
        except (OSError, SyntaxError, ValueError):
            return None

    def _concerned(self, run: PastRun, provenance: Provenance, place: _Place) -> str:
        """What else has changed that may have a part in the step; empty if nothing has."""
        edits = self._edits(run)
        if not edits:
            return ""
        text = Text(self._text_now(place.file) or "")
        names = set(names_around(text, place.site.line, (each.name for each in provenance.inputs)))
        for variable in provenance.variables:
            names.update(variable.name.split("."))
        for piece in self._code.pieces(provenance).values():
            names |= piece.names
            names.add(os.path.basename(piece.file).partition(".")[0])
        file = self._session.relative(place.file)
        return concerned(edits, frozenset(names), (file, text, place.site.line))

    def _edits(self, run: PastRun) -> list[Edit]:
        """What has changed in the files that a run had loaded."""
        known = self._all_edits.get(run.ended)
        if known is None:
            known = []
            provenances = self._store.provenances
            for file, before in run.files.items():
                stat = recorder.stat_of(self._session.absolute(file))
                if stat is not None and stat[:2] == before:
                    continue
                text_hash = provenances.state(file, *before)
                old = provenances.text(text_hash) if text_hash is not None else None
                new = self._text_now(self._session.absolute(file))
                if old is None or new is None:
                    what = f"{file} has changed" if new is not None else f"{file} is gone"
                    known.append(Edit(file, "", 0, what, frozenset(), imports=True))
                elif old != new:
                    known += edits_between(file, Text(old), Text(new))
            self._all_edits[run.ended] = known
        return known

    def _is_beside(
        self, changed: list[Difference], candidate: Candidate, provenance: Provenance
    ) -> bool:
        """Whether all that has changed are bodies of functions that did not run."""
        entry = self._store.entry(candidate.stem) if candidate.stem else None
        same = (candidate.blob, candidate.created)
        for other in entry.candidates if entry is not None else ():
            if (other.blob, other.created) != same:
                continue
            ran = {
                f"{label.partition(':')[2]}:{name}"
                for label, names in other.trace.variables
                if label.startswith("whole:")
                for name in names.split()
            }
            return all(
                each.kind == "changed"
                and "#" in each.label
                and each.label not in ran
                and self._same_outline(each, provenance)
                for each in changed
            )
        return False

    def _same_outline(self, each: Difference, provenance: Provenance) -> bool:
        """Whether a function looks the same while it does not run: decorators, parameters."""
        name = each.label[len(each.file) + 1 :]
        old = self._past.text_in(provenance, each.file)
        new = self._text_now(self._session.absolute(each.file))
        outlines = []
        for text in (old, new):
            if text is None:
                return False
            facts = self._code.facts_of_text(text)
            try:
                record = facts.definitions[facts.labelled(name)]
            except LookupError:
                return False
            if record[DEF_KIND] != "def":
                return False
            outlines.append(str(record[DEF_OUTLINE]))
        return outlines[0] == outlines[1]


def _said(moved: str) -> str:
    """A condition that does not hold, in words."""
    name = moved.partition(":")[2]
    if moved.startswith(labels.VARIABLE):
        return f"the environment variable {name} has another value"
    if moved.startswith(labels.LOAD):
        return f"the artifact {name} shows another value"
    if moved.startswith(labels.UNTIL):
        return "its value is older than a `ttl=`"
    if moved.startswith(labels.PATH):
        return f"{moved.split(':', 2)[2]} is there, or is not, or has another size or time"
    if moved.startswith(labels.NAMES):
        return "there are other environment variables"
    if moved.startswith(labels.DECLARED):
        return f"the files {name} (of `files=`) differ"
    return f"file {moved}"


def _names(changed: list[Difference]) -> str:
    names = [each.name for each in changed]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _imported(tree: ast.Module, module: str, file: str) -> Iterator[str]:
    """The modules that a text imports anywhere, as absolute names."""
    package = (
        module if os.path.basename(file).startswith("__init__.") else module.rpartition(".")[0]
    )
    if module == "__main__":
        package = getattr(sys.modules["__main__"], "__package__", None) or ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                yield from (".".join(parts[: end + 1]) for end in range(len(parts)))
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*filter(None, above), *([base] if base else [])])
            if base:
                yield base
                yield from (f"{base}.{alias.name}" for alias in node.names if alias.name != "*")


def _bound_in(text: str, file: str, name: str) -> dict[str, Piece]:
    """The statements at module level that bind a name, as a piece by their normal form."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    found = [
        statement
        for statement in tree.body
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and any(
            isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)
            for node in ast.walk(statement)
        )
    ]
    if not found:
        return {}
    written = "\n".join(ast.get_source_segment(text, each) or "" for each in found)
    digest = "".join(map(ast.dump, found))
    return {f"{file}={name}": Piece(file, name, found[0].lineno, written, digest)}
