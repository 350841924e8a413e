"""One evaluation of a step, from the miss to the entry: record, check, keep.

A value is kept only if handing it out again would be the same as evaluating again: `replayable`
says what rules that out, and so do a file that changed while it was read and a value that no codec
restores.
"""

from __future__ import annotations

import sys
from functools import cache, partial
from time import perf_counter, time

from ddsimport import plugins
from ddsimport.errors import CodecError, StoreError
from ddsimport.report.events import Event
from ddsimport.runtime import left, recorder, threads
from ddsimport.runtime.replayable import check, checked_lazy
from ddsimport.runtime.signature import Inquiry, Step
from ddsimport.runtime.trace import trace_of, without_replay
from ddsimport.runtime.uncached import UncachedError, ran_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

    from ddsimport.report.events import Status
    from ddsimport.runtime.figures import Figures
    from ddsimport.runtime.live import Live
    from ddsimport.runtime.messages import Shown
    from ddsimport.runtime.native import Watch
    from ddsimport.runtime.outliving import Outliving
    from ddsimport.runtime.plans import Ran
    from ddsimport.runtime.process import Settings
    from ddsimport.runtime.progress import InProgress
    from ddsimport.runtime.randomness import Draws
    from ddsimport.runtime.session import Session
    from ddsimport.store.locks import SignatureLock
    from ddsimport.store.trace import Candidate, Trace


_DEAR = 1.0
"""Seconds of keeping a value that nobody minds, whatever the evaluation took."""
_DEARER = 5.0
"""How many times as long as the evaluation it may take to keep the value."""


class Evaluation:
    """An evaluation under way; calling it with the value ends it and gives `(value,)`.

    The rewritten expression leaves it nowhere but on the frame's value stack. If the expression
    raises, the interpreter drops that stack while it unwinds, and the finalizer ends the recording
    and frees the lock at that moment (CPython's reference counting; other interpreters would do so
    later). Nothing is wrapped around the user's code, so tracebacks are those of plain Python.
    """

    def __init__(
        self,
        session: Session,
        step: Step,
        path: str,
        inquiry: Inquiry,
        lock: SignatureLock | None,
        stem: str,
        lazy: dict[str, str],
        again: str,
    ) -> None:
        self.session = session
        self.step = step
        self.path = path
        self.inquiry = inquiry
        self.lock = lock
        self.stem = stem
        self.lazy = lazy
        self.again = again
        self.recording: recorder.Recording | None = None
        self.started = perf_counter()
        self.outcome: tuple[Any] | None = None
        self.ended = False
        self.bindings: dict[tuple[str, str], object] = {}
        self.closed_over: dict[str, object] = {}
        self.closed_over_after: dict[str, object] = {}
        self.search_path: list[str] = []
        self.loaded: frozenset[str] = frozenset()
        self.draws: Draws | None = None
        self.shown: Shown = []
        self.watch: Watch | None = None
        self.figures: Figures | None = None
        self.settings: Settings = {}
        self.outliving: Outliving | None = None
        self.changed_settings: list[str] = []
        self.trouble: Exception | None = None
        self.ran: Ran | None = None
        self.kept: Candidate | None = None
        self.line: InProgress | None = None

    def begin(self, code: CodeType | None) -> None:
        """Start the recording; `code` is what the step stands in, if that is Python.

        Never raises: what goes wrong is told when the value is there.
        """
        try:
            self._begin(code)
        except Exception as error:
            self.trouble = error.with_traceback(None)  # which would hold this evaluation
        self.started = perf_counter()

    def _begin(self, code: CodeType | None) -> None:
        # A run of hits needs none of these.
        from ddsimport.runtime import (
            audited,
            figures,
            messages,
            native,
            outliving,
            process,
            progress,
            randomness,
            unforeseen,
            witness,
        )

        self.bindings = self.inquiry.live.bindings()
        self.search_path = list(sys.path)
        self.loaded = frozenset(sys.modules)
        self.shown = messages.shown()
        with recorder.unrecorded():
            self.session.tell_begun(self.step, self.path)
            audited.install()
        self.recording = recorder.begin()
        if self.recording.outer is not None:
            self.recording.outer.inside[self.path] = None
        live, codebook = self.inquiry.live, self.session.codebook
        self.recording.asks_others = cache(lambda: threads.may_ask_others(live))
        with recorder.unrecorded():
            options = self.step.options
            if options.files or options.env:
                from ddsimport.runtime import declared

                declared.note(options, self.recording, self.session)
            self.settings = process.settings()
            self.figures = figures.Figures()
            for connection in live.databases:
                from ddsimport.runtime import databases

                for file in databases.files_of(connection):
                    self.recording.note_read(file, file)
            self.outliving = outliving.Outliving(live, self.recording)
            self.watch = native.begin(code, self.inquiry, self.session)
            exact = self.session.uses_footprints() or _imports(live)
            self.draws = randomness.Draws()  # imports: before anybody counts calls
            witness.begin(self.recording, lambda: unforeseen.is_blind(live, codebook), exact)
            site = self.step.site
            self.line = progress.begin(self.session, self.path, self.step.module, site.line)

    def __call__(self, value: Any) -> tuple[Any]:
        given = value
        if "pyspark" in sys.modules and self.ran is None:
            self.ran = self._run_plans(value)
        seconds = perf_counter() - self.started
        self._end()
        try:
            if self.trouble is not None or self.recording is None:
                raise self.trouble or RuntimeError("it was not recorded")
            with recorder.unrecorded():
                if self.ran is not None:
                    self.ran.check(self)
                    self._keep(value, seconds, self.recording, self.ran.settled)
                    given = self.ran.settled
                else:
                    self._keep(value, seconds, self.recording, value)
        except (UncachedError, CodecError, StoreError) as error:
            with recorder.unrecorded():
                self.session.forget(self.path)
            self._tell_shown(None)
            self._report("uncached", seconds, str(error))
        except Exception as error:  # a failure of ours never stops the program
            self._report("uncached", seconds, f"ddsimport failed: {type(error).__name__}: {error}")
        finally:
            self._free()
        return (given,)

    def settled(self, value: Any) -> Any:
        """What a marked function is to return in place of `value`, which it is about to."""
        if "pyspark" in sys.modules:
            self.ran = self._run_plans(value)
        return value if self.ran is None else self.ran.settled

    def _run_plans(self, value: Any) -> Ran | None:
        """Have a value that is only a plan evaluated, while what that reads is recorded."""
        from ddsimport.runtime import plans

        try:
            return plans.run(value)
        except Exception as error:
            self.trouble = self.trouble or error.with_traceback(None)
            return None

    def fail(self) -> None:
        """The expression raised: nothing is kept."""
        if self.ended:
            return
        self._end()
        self._free()
        self._report("failed", perf_counter() - self.started, "it raised")

    def __del__(self) -> None:
        try:
            self.fail()
        except Exception:
            # A finalizer that raises prints to standard error, where the program's own traceback
            # is about to appear; at interpreter exit half of our modules are already gone.
            return

    def _end(self) -> None:
        """Whatever fails, all else is ended."""
        from ddsimport.runtime import progress, witness

        self.ended = True
        progress.end(self.line)
        endings = [self._compare_settings]
        endings += [each.end for each in (self.watch, self.figures) if each is not None]
        if self.recording is not None:
            endings += [partial(room.end, self.recording) for room in (witness, recorder)]
        if self.draws is not None:
            endings.append(self.draws.end)
        for end in endings:
            try:
                end()
            except Exception as error:
                self.trouble = self.trouble or error.with_traceback(None)

    def _compare_settings(self) -> None:
        from ddsimport.runtime import process

        self.changed_settings = process.changed(self.settings, process.settings())

    def _free(self) -> None:
        if self.lock is not None:
            with (
                recorder.unrecorded()
            ):  # the lock is a file, which an enclosing step did not remove
                self.lock.release()
            self.lock = None

    def _report(self, status: Status, seconds: float, reason: str) -> None:
        if status != "computed":
            ran_plain[self.step.module, self.step.site.line] = None
        event = Event(
            path=self.path,
            module=self.step.home,
            line=self.step.site.line,
            status=status,
            signature=self.inquiry.signature,
            seconds=seconds,
            saved_seconds=0.0,
            reason=reason,
        )
        with recorder.unrecorded():  # those who watch are told in a file
            self.session.run.add(event)

    def _keep(
        self, value: Any, seconds: float, recording: recorder.Recording, settled: Any
    ) -> None:
        """Keep `settled`: the value, or what it is once its plans have run."""
        from ddsimport.runtime import provenance  # a run of hits needs none of these
        from ddsimport.runtime.figures import undisturbed
        from ddsimport.runtime.footprint import footprint_of, with_footprint
        from ddsimport.runtime.original import Original
        from ddsimport.runtime.ties import ties

        store = self.session.writable_store()
        self._check_cost(seconds, store.costs.read(self.inquiry.signature))
        trace, moved = self._traced(value, recording)
        value = settled
        original = Original(value, self.inquiry.live, self.session)
        parts, names = original.told_unloaded(self.step.site)
        footprint = None
        if self.stem and not original.functions:
            footprint = footprint_of(
                recording, self.inquiry, original.classes, moved, self.step, self.session
            )
        with undisturbed():
            candidate = store.keep(
                self.inquiry.signature,
                value,
                digest=original.digest,
                comes_back=original.comes_back,
                trace=trace,
                ties=lambda content, codec: ties(
                    recording,
                    self.inquiry.live,
                    self.session,
                    content,
                    codec,
                    bool(original.functions),
                    self.shown,
                ),
                on_written=lambda cost: self._check_cost(seconds, cost),
                seconds=seconds,
                path=self.path,
                code=self.inquiry.code,
                inputs=self.inquiry.inputs,
                versions=dict(self.inquiry.versions),
                stem=self.stem if footprint is not None else "",
                parts=parts,
                classes=names,
            )
        if footprint is not None:
            trace = with_footprint(candidate.trace, footprint)
            store.add(self.stem, candidate.replace(trace=trace))
        inside = tuple(recording.inside)
        provenance.note(self.session, self.step, self.path, self.inquiry, value, inside)
        self._tell_age(recording)
        for sentence in plugins.failures:
            self.session.run.say(sentence, sentence)
        self._report("computed", seconds, "; ".join(filter(None, (self.again, *recording.notes))))
        self.session.publish(self.step, self.path, candidate, value)
        self._tell_shown(self.step.shown(candidate))
        self.kept = candidate

    def _traced(self, value: Any, recording: recorder.Recording) -> tuple[Trace, dict[str, str]]:
        """What a hit has to find unchanged and does besides giving the value; and by name, what
        globals that have changed were before.

        Raises:
            UncachedError: a hit could not do what the evaluation did.
        """
        from ddsimport.runtime import imports, native, shown

        if self.watch is not None:
            native.note(self.watch, recording, self.session)
        recording.forget_precautions()
        effects = imports.imported_since(self.loaded)
        again = check(self, value, recording)
        lazy, moved = checked_lazy(self, again, bool(effects))
        recording.conditions.update(imports.conditions(effects, recording.seen, self.session))
        trace = trace_of(recording, self.inquiry.live, lazy, self.step, self.session)
        if self.draws is not None:
            self._say_unreproducible(recording, self.draws)
            trace = trace.replace(variables=trace.variables + self.draws.conditions())
            effects += self.draws.effects()
        replays = self.step.options.replay != "off"
        if replays:
            effects += left.effects(recording, self.session)
        if recording.shown:
            effects += shown.effects(recording)
        if recording.printed > recorder.OUTPUT_LIMIT and replays:
            recording.notes[
                f"what it printed beyond {recorder.OUTPUT_LIMIT:,} characters is not kept"
            ] = None
        trace = trace.replace(effects=effects)
        return trace if replays else without_replay(trace), moved

    def _tell_shown(self, found: recorder.Shown) -> None:
        """Tell the steps around this one what its path shows now."""
        if self.recording is not None and self.recording.outer is not None:
            self.recording.outer.note_shown(self.path, found)

    def _check_cost(self, seconds: float, cost: float | None) -> None:
        """Whether keeping the value pays.

        Args:
            cost: seconds to write it, and to read it back if that was needed; None: not known.

        Raises:
            UncachedError: it costs much more than to evaluate it.
        """
        if cost is None or self.step.options.always or cost < max(_DEAR, _DEARER * seconds):
            return
        self.session.writable_store().costs.write(self.inquiry.signature, cost)
        raise UncachedError(
            f"to keep its value takes {cost:.1f} s, and to evaluate it {seconds:.1f} s; "
            "`cache=always` in its pragma keeps it all the same"
        )

    def _tell_age(self, recording: recorder.Recording) -> None:
        """Tell the steps around this one how long its value holds."""
        ttl = self.step.options.ttl
        if recording.outer is None:
            return
        for outer in recording.outer.chain():
            outer.expire(recording.until)
            if ttl is not None:
                outer.expire(time() + ttl)
                for address in recording.connections:
                    outer.connections.pop(address, None)

    def _say_unreproducible(self, recording: recorder.Recording, draws: Draws) -> None:
        from ddsimport.runtime import reproducible

        sentences = draws.notes()
        sentences += reproducible.notes(self.inquiry.live, recording, self.step.options.ttl)
        recording.notes.update(dict.fromkeys(sentences))
        for sentence in sentences:
            self.session.run.say(
                f"{self.step.place} {sentence}", f"{self.path} ({self.step.place}): {sentence}"
            )


def _imports(live: Live) -> bool:
    """Whether functions that were reached import modules of the project."""
    return any(reference.lazy for reach in live.reaches.values() for reference in reach.references)
