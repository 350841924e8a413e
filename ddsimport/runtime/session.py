"""What all steps of this process share: the configuration, the store, the codebook, the run.

Made at the first step, so a program whose marked lines never run pays for none of it.
"""

from __future__ import annotations

import os
import sys
from _thread import allocate_lock  # `threading` takes a millisecond to import

from ddsimport import config as configuration
from ddsimport import report
from ddsimport.analysis import distributions
from ddsimport.analysis.answers import Answers
from ddsimport.analysis.codehash import Codebook
from ddsimport.analysis.facts import FactsCache
from ddsimport.analysis.locate import Locator
from ddsimport.errors import CodecError, StoreError
from ddsimport.runtime import installed, recorder
from ddsimport.runtime.uncached import UncachedError
from ddsimport.source import cells, tracked
from ddsimport.source.loader import decoded
from ddsimport.source.tracked import NO_STATE, is_tracked, source_stats
from ddsimport.store import labels
from ddsimport.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ddsimport.runtime.signature import Step
    from ddsimport.store.behind import Behind
    from ddsimport.store.trace import Candidate


_MOST_ARGUMENTS = 300
"""Arguments of the program that are noted of a run."""


def _opened(config: configuration.Config) -> Store | None:
    """The store of this configuration. Raises StoreError."""
    return Store.open(config.store, config.namespace, pickles=config.pickle)


class Session:
    """See the module.

    Args:
        config: by default that of the process.
        opening: opens the store; may raise StoreError.
        absence: why there is none, if it gives none.
        only_asks: no step is evaluated in this process: it is no run.

    Attributes:
        config: where the store and the project are, and how much to say.
        store: None if there is none, or it cannot be used; then every step is evaluated, and the
            user is told once.
        absence: why there is none.
        publishes: whether paths come to show what is kept.
        codebook: what the text of the project's code reaches.
        digests: what is known of the content of large files; None without a store.
        run: what happened so far.
        folders: the project's folder as the program names it, and without links.
        program: its file, relative to the project; empty if it has none.
        forced: signatures that were evaluated because their paths are forced.
        missing: the paths that are to be forced, and that no step has had yet.
    """

    def __init__(
        self,
        config: configuration.Config | None = None,
        opening: Callable[[configuration.Config], Store | None] = _opened,
        absence: str = "there is no store",
        *,
        only_asks: bool = False,
    ) -> None:
        self.config = config if config is not None else configuration.current()
        self.absence = absence
        self.publishes = True
        self.run = report.current()
        self.store: Store | None = None
        try:
            self.store = opening(self.config)
        except StoreError as error:
            self.run.say(f"store {self.config.store}", f"nothing is kept: {error}")
        self.digests = self.store.digests if self.store is not None else None
        self.reloads = 0
        self.forced: set[str] = set()
        self.missing = set(self.config.force) - {"/"}
        self.codebook = self._fresh_codebook()
        if self.store is not None and self.facts is not None:
            facts = self.facts
            distributions.keep_in(facts)
            if self.store.writable:
                installed.keep_in(facts)
        remote = self.config.remote if not only_asks else ""
        if self.store is not None and self.store.writable and self.facts and remote:
            self._share(self.store)  # what is to be pushed is, before it can be collected
        if not only_asks:
            self.run.at_end += [
                self._say_missing,
                self._note_run,
                self._keep_within_budget,
                self._let_go,
            ]
        project = os.path.abspath(self.config.project)
        self.folders = tuple(
            os.path.join(folder, "") for folder in (project, os.path.realpath(project))
        )
        # Now: a program's namespace is gone when it has ended.
        main = getattr(sys.modules.get("__main__"), "__file__", None)
        if main is None and cells.current is not None:
            main = cells.current.place
        self.program = self.relative(os.path.abspath(main)) if isinstance(main, str) else ""

    @property
    def arguments(self) -> list[str]:
        """What the program was given; a kernel is given what concerns its server."""
        return [] if cells.current is not None else sys.argv[1:][:_MOST_ARGUMENTS]

    @property
    def facts(self) -> str | None:
        """The folder of what is known of source texts; None where nothing goes to the disk."""
        if self.store is None or not self.store.on_disk:
            return None
        return os.path.join(self.config.store, "facts")

    def _share(self, store: Store) -> None:
        """Have the remote behind the store; nothing of it is imported before it is needed."""
        made: list[Behind] = []

        def behind() -> Behind:
            if not made:
                from ddsimport.store.behind import Behind

                config = self.config
                made.append(Behind(store.root, config.remote, self.run.say, config.remote_push))
            return made[0]

        store.share(behind)
        if self.config.remote_push:
            self.run.at_end.append(lambda: self._push(store, bool(made) and made[0].given_up))

    def _push(self, store: Store, given_up: bool) -> None:
        """Push what was kept, now or by runs that could not."""
        if given_up:
            self.run.say("push", "what was kept is pushed by a later run, or by `push`")
        elif os.path.isdir(f"{store.root}/outbox"):
            from ddsimport.store.exchange import push_outbox

            push_outbox(store, self.config.remote, self.run.say)

    def _fresh_codebook(self) -> Codebook:
        kept = self.facts
        return Codebook(
            locate=Locator(),
            cache=FactsCache(kept) if kept is not None else None,
            tracked=is_tracked,
            text_of=text_of,
            answers=Answers(os.path.join(kept, "answers")) if kept is not None else None,
            is_as_imported=is_as_imported,
            parts_of=cells.parts_of,
        )

    def has_reloaded(self) -> bool:
        """Whether a module was loaded again from another text since this was last asked; then all
        that was known of code is forgotten, and callers forget what they hold of it too."""
        if self.reloads == tracked.reloads:
            return False
        self.reloads = tracked.reloads
        self.codebook = self._fresh_codebook()
        return True

    def is_forced(self, path: str, signature: str) -> bool:
        """Whether the value of a step must not come from the store: once for each signature."""
        if signature in self.forced:
            return False
        for each in self.config.force:
            if path == each or path.startswith(f"{each.rstrip('/')}/"):
                self.missing.discard(each)
                return True
        return False

    def _say_missing(self) -> None:
        for each in sorted(self.missing):
            self.run.say(f"force {each}", f"--force {each}: no step of this run has that path")

    def _note_run(self) -> None:
        """Leave the run to the index."""
        if self.store is None or not self.store.writable or not self.store.on_disk:
            return
        from ddsimport.runtime.noted import noted
        from ddsimport.store.index import Index

        Index(self.store.root).add_run(noted(self))

    def tell_begun(self, step: Step, path: str) -> None:
        """A step is about to be evaluated: those who watch are told. Never raises."""
        if self.run.live is None:
            if self.store is None or not self.store.writable or self.run.in_child:
                return
            from ddsimport.report.livefile import Live
            from ddsimport.store.versions import now

            self.run.live = Live(
                self.store.root,
                self.run,
                {
                    "program": self.program,
                    "started": now(),
                    "arguments": self.arguments,
                    "namespace": self.config.namespace,
                    "python": sys.version.partition(" ")[0],
                },
            )
            self.run.at_end.append(self.run.live.close)
        self.run.live.begins(path, step.home, step.site.line)

    def _keep_within_budget(self) -> None:
        store = self.store
        if store is None or not store.kept_files:
            return
        from ddsimport.store import collector

        budget = collector.budget_of(store.root, self.config.budget)
        found = collector.collect_if_due(store.root, store.kept_bytes, store.kept_files, budget)
        if found is not None and found.left_bytes > budget.bytes:
            self.run.say(
                "budget",
                f"the store holds {found.left_bytes / 1e9:.3g} GB, more than "
                f"its budget of {budget.bytes / 1e9:.3g} GB: paths show too much; remove some, "
                "set `budget` in pyproject.toml, or see `python -m ddsimport gc --help`",
            )

    def _let_go(self) -> None:
        """Forget what the program's names were bound to: what is held here would outlive its
        modules, and not be finalized with them."""
        self.codebook.let_go()

    def uses_footprints(self) -> bool:
        """Whether values are also found by the code that ran for them. Not in an interactive
        session: what may have run before a step, outside of what is recorded, is told by the text
        of the program, and that of cells which were edited since is gone."""
        return self.config.footprints and cells.current is None

    def writable_store(self) -> Store:
        """The store.

        Raises:
            StoreError: it cannot be written.
        """
        if self.store is None:
            raise StoreError(self.absence)
        if not self.store.writable:
            raise StoreError(f"the store {self.config.store} is read-only")
        return self.store

    def shows(self, step: Step, path: str, candidate: Candidate) -> bool:
        """Whether `publish` would have nothing to do."""
        store = self.store
        if store is None or not store.writable or not self.publishes:
            return True
        try:
            return store.shows(path, candidate, step.format)
        except StoreError:  # `publish` will say so
            return False

    def publish(self, step: Step, path: str, candidate: Candidate, value: Any) -> None:
        """Make the step's view show `candidate`; a view that cannot be written is said, once."""
        store = self.store
        if store is None or not store.writable or not self.publishes:
            return
        try:
            store.publish(path, candidate, value, step.format)
        except (StoreError, CodecError) as error:
            self.run.say(f"view {path}", f"{path} ({step.place}) has no view: {error}")

    def forget(self, path: str) -> None:
        """The value of the step at `path` is not kept: what is there from before is not current."""
        store = self.store
        if store is None or not store.writable or not self.publishes:
            return
        try:
            store.forget(path)
        except StoreError as error:
            self.run.say(f"view {path}", f"{path} shows an older value: {error}")

    def relative(self, name: str) -> str:
        """`name` relative to the project if it lies in it, else as it is. Links are not followed:
        they may lead elsewhere next time."""
        if name.startswith(labels.HERE):
            return name
        for folder in self.folders:
            if name.startswith(folder):
                return name[len(folder) :]
        return name

    def absolute(self, name: str) -> str:
        """What `relative` said, as a name that can be opened now."""
        if os.path.isabs(name) or name.startswith(labels.HERE):
            return name
        return self.folders[0] + name

    def blob_at(self, path: str) -> str | None:
        """The blob that the artifact `path` now shows."""
        record = self.store.current(path) if self.store is not None else None
        return record.blob if record is not None else None


_session: Session | None = None
_lock = allocate_lock()


def session() -> Session:
    """The session of this process."""
    global _session
    if _session is None:
        with _lock:
            if _session is None:
                with recorder.unrecorded():
                    _session = Session()
    return _session


def use(made: Session) -> Session | None:
    """Make it the session of this process: from now on, steps ask its store. Returns the one
    before, if there was one."""
    global _session
    recording = recorder.current()
    if recording is not None:  # a hit would not
        for enclosing in recording.chain():
            enclosing.effects["changed the store"] = None
    with _lock:
        before, _session = _session, made
    if before is not None:
        made.missing = before.missing  # one run: a path that either has met is not missing
    return before


def text_of(file: str) -> str:
    """The source text that the running code was made from.

    Raises:
        UncachedError: the file was edited after it was imported: its text is no longer that of the
            code that runs, and a value kept under the new text would be stale for ever. Or it could
            not be loaded again.
    """
    text = cells.text_of(file)
    if text is not None:
        return text
    if source_stats.get(file) == NO_STATE:
        raise UncachedError(
            f"{file} could not be loaded again: some of its code is of an older text"
        )
    if not tracked.is_as_loaded(file, recorder.stat_of(file)):
        raise UncachedError(
            f"{file} was edited after this program imported it; the next run sees the new text"
        )
    with open(file, "rb") as source:
        return decoded(source.read())


def is_as_imported(file: str, state: os.stat_result) -> bool:
    """Whether the running code is from the text of the file in this state."""
    return tracked.is_as_loaded(file, (state.st_mtime_ns, state.st_size, state.st_ino))
