"""Answers what code reaches: the questions, what was found before, and which files to analyse.

The walk itself, and what its hash is over, are in `reach`.
"""

from __future__ import annotations

from ddsimport.analysis.facts import DEF_BASES, DEF_OUTER, Facts, FactsCache, facts_of_all
from ddsimport.analysis.graph import Edge, Key, Node, Reference
from ddsimport.analysis.joined import joined
from ddsimport.analysis.nodes import Nodes
from ddsimport.analysis.reach import Reach, Walk
from ddsimport.analysis.receivers import receivers_of
from ddsimport.analysis.resolve import Resolver
from ddsimport.analysis.texts import Texts, hash_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from typing import Any, TypeVar

    from ddsimport.analysis.answers import Answers, Question
    from ddsimport.analysis.joined import Parts
    from ddsimport.analysis.narrowed import Narrowed
    from ddsimport.analysis.reach import Dotted

    _Found = tuple["Reach", set[str], set[str]]
    _T = TypeVar("_T")

__all__ = ["ANYTHING", "EVERYTHING", "Codebook", "Reach", "Reference"]

_MOST_NARROWED = 64

ANYTHING, EVERYTHING = "", "*"
"""Names for `Codebook.ahead`."""


class Codebook:
    """Answers what code reaches; remembers everything for the life of the process.

    Args:
        locate: module name -> source file, None where there is none (`resolve.locate`).
        cache: facts on disk, None to keep none.
        tracked: whether the code of a file counts by its text.
        text_of: the text of a source file as it was when it was imported. What it raises (a file
            edited since, or gone) goes out to the caller.
        answers: what was found before, on disk, None to keep nothing.
        is_as_imported: whether a file in this state has the text that `text_of` would give.
        parts_of: the statements of a file that is put together from such (see `joined`), each with
            the number of lines before it; None for any other.

    Attributes:
        texts: the texts of the files that count, as they are now.
        remembered: what those who ask keep of the answers, for as long as these are kept.
    """

    def __init__(
        self,
        locate: Callable[[str], str | None],
        cache: FactsCache | None,
        tracked: Callable[[str], bool],
        text_of: Callable[[str], str],
        answers: Answers | None = None,
        is_as_imported: Callable[[str, os.stat_result], bool] = lambda file, state: True,
        parts_of: Callable[[str], Parts | None] = lambda file: None,
    ) -> None:
        self.text_of = text_of
        self._parts_of = parts_of
        self._facts_of_parts: dict[str, Facts] = {}
        self.texts = Texts(text_of, is_as_imported)
        self.remembered: dict[Any, Any] = {}
        self._cache = cache
        self._tracked = tracked
        self._answers = answers
        self._facts: dict[str, Facts] = {}
        self._narrowed: dict[frozenset[tuple[str, int]], Codebook] = {}
        self._missing: dict[str, tuple[str, str]] = {}
        self._resolver = Resolver(locate, tracked, self._known_facts)
        self._whole_nodes = Nodes(self._resolver, self._known_facts, self.texts.content)
        self._nodes: Nodes | Narrowed = self._whole_nodes
        self._found: dict[Question, tuple[Reach, frozenset[str]]] = {}
        self._reaches: dict[tuple[tuple[Key, ...], int, bool], _Found] = {}
        self._receivers: dict[tuple[str, str], frozenset[str]] = {}
        self._dotted: dict[tuple[str, str, str], Dotted] = {}

    # --- questions --------------------------------------------------------------------------------

    def step(self, module: str, file: str, line: int, column: int) -> Reach:
        """What the right-hand side (or def) of the marked statement at this place reaches.

        Raises:
            LookupError: no assignment or def starts there.
        """
        return self._answer(("step", module, file, f"{line}:{column}", 0))[0]

    def modules_of_step(self, module: str, file: str, line: int, column: int) -> frozenset[str]:
        """The modules that the step's own text reads under a name which the function around it
        imports: what it reads of them is in the reach."""
        return self._answer(("step", module, file, f"{line}:{column}", 0))[1]

    def function(
        self, module: str, file: str, qualname: str, first_line: int, reflects: int = 0
    ) -> Reach:
        """What the def or lambda with this qualified name and `co_firstlineno` reaches.

        Args:
            reflects: what whoever holds it may read of it besides its normal form.

        Raises:
            LookupError: the file defines none there (it was made by `exec` or `replace`).
        """
        return self._answer(("function", module, file, f"{first_line}:{qualname}", reflects))[0]

    def cls(self, module: str, file: str, qualname: str, reflects: int = 0) -> Reach:
        """What the class with this qualified name reaches: bases, metaclass, methods, decorators.

        Args:
            reflects: as for `function`.

        Raises:
            LookupError: the file defines no class of this name.
        """
        return self._answer(("class", module, file, qualname, reflects))[0]

    def variable(self, module: str, file: str, name: str) -> Reach:
        """What the statements that bind a module-level name, or act on it, say and reach."""
        return self._answer(("variable", module, file, name, 0))[0]

    def module(self, module: str, file: str, reflects: int = 0) -> Reach:
        """What all that a name of the module can lead to says and reaches."""
        return self._answer(("module", module, file, "", reflects))[0]

    def text_hash(self, file: str) -> bytes:
        """32 bytes that stand for the whole text of a source file."""
        return bytes.fromhex(self.texts.hash_of(file))

    def ahead(self, module: str, file: str, name: str) -> Reach:
        """What code that no reach foresaw says and reaches, whether or not its module is loaded.

        By text alone: its module may be imported only when the step runs, so the text of every
        variable counts, and every reference is `lazy`.

        Args:
            name: what is bound to it at module level; `ANYTHING` for all that reading attributes of
                the module can lead to but its functions, `EVERYTHING` for these too.

        Raises:
            LookupError: the file binds no such name.
        """
        return self._answer(("ahead", module, file, name, 0))[0]

    def receivers(self, module: str, file: str) -> frozenset[str]:
        """Top-level import names of the untracked code that the module may give code of its own to:
        by a decorator, as an argument of a call at module level, by setting an attribute of it. It
        may call it back."""
        known = self._receivers.get((module, file))
        if known is None:
            self._resolver.place(module, file)
            facts = self.facts(file)
            known = self._receivers[module, file] = self._settled(
                lambda: receivers_of(
                    facts, lambda written: self._dotted_name(module, file, written)[0]
                )
            )
        return known

    def root_of_step(self, module: str, file: str, line: int, column: int) -> Key:
        """The node of the marked statement at this place; raises as `step` does."""
        question = ("step", module, file, f"{line}:{column}", 0)
        return self._settled(lambda: self._roots(question))[0]

    def node(self, key: Key) -> Node:
        """One piece of code, and what its own text refers to."""
        self._resolver.place(key[1], key[2])
        return self._settled(lambda: self._nodes[key])

    def outer_edges(self, key: Key) -> tuple[Edge, ...]:
        """What a class refers to outside of the bodies of functions, its bases left out."""
        _, module, file, index = key
        self._resolver.place(module, file)
        record = self.facts(file).definitions[int(index)]
        written = [each for each in record[DEF_OUTER] if each not in record[DEF_BASES]]
        return self._settled(
            lambda: tuple(self._whole_nodes.edge(module, file, each, 0, []) for each in written)
        )

    def keeps_results(self, module: str, file: str, index: int) -> bool:
        """Whether a definition stands below a decorator of installed code that may keep what it
        gave (`lru_cache`), or do with it what no text tells."""
        self._resolver.place(module, file)
        return self._settled(lambda: self._whole_nodes.keeps_results(module, file, index))

    def narrowed(self, whole: frozenset[tuple[str, int]]) -> Codebook:
        """A codebook for which functions count as what can be seen of them while they do not run.

        Args:
            whole: (file, index in its facts) of those that count as ever.
        """
        known = self._narrowed.get(whole)
        if known is None:
            from copy import copy  # a run of hits needs neither

            from ddsimport.analysis.narrowed import Narrowed

            if len(self._narrowed) >= _MOST_NARROWED:
                self._narrowed.clear()
            known = self._narrowed[whole] = copy(self)
            known._answers = None
            known._nodes = Narrowed(self._whole_nodes, self._known_facts, whole)
            known._found, known._reaches, known.remembered = {}, {}, {}
        return known

    def let_go(self) -> None:
        """Drop what is `remembered`, here and by narrowed codebooks."""
        self._narrowed.clear()
        self.remembered.clear()

    def facts(self, file: str) -> Facts:
        """The facts of a source file, from the cache if it has them."""
        facts = self._known_facts(file)
        if file in self._missing:
            self._analyse({file: self._missing.pop(file)})
            facts = self._facts[file]
        return facts

    # --- answers ----------------------------------------------------------------------------------

    def _answer(self, question: Question) -> tuple[Reach, frozenset[str]]:
        """The reach asked for, and of a step the modules that its own text reads."""
        _, module, file, _, _ = question
        self._resolver.place(module, file)
        found = self._found.get(question)
        if found is None:
            # A text that is another after each cell is not worth a file for each question.
            answers = self._answers if self._parts_of(file) is None else None
            found = answers.get(question, self) if answers is not None else None
            if found is None:
                found = self._looked_up(question, answers)
            self._found[question] = found
        return found

    def place_of(self, name: str) -> tuple[str | None, bool]:
        """The file of a module, None if it has none, and whether its text counts."""
        file = self._resolver.file_of(name)
        return file, file is not None and self._tracked(file)

    def _looked_up(
        self, question: Question, answers: Answers | None
    ) -> tuple[Reach, frozenset[str]]:
        kind, module, file, what, _ = question
        reach, files, modules = self._walked(question)
        read = self._modules_read(module, file, what) if kind == "step" else frozenset()
        if answers is not None:
            answers.put(question, reach, read, files, modules, self)
        return reach, read

    def nodes_of(self, question: Question) -> dict[Key, Node]:
        """What the answer to a question is made of, in the order of the walk."""
        reach, _, _ = self._walked(question)
        return {key: self._nodes[key] for key in reach.nodes}

    def _walked(self, question: Question) -> _Found:
        """The reach, the files that were looked at for it, and the modules that were looked for.

        A walk ends where it meets a file without facts. What it has met so is analysed, and the
        walk begins again: in the end exactly the files that are reached are analysed.
        """
        loaded = question[0] != "ahead"

        def walked() -> _Found:
            roots = self._roots(question)
            about = (roots, question[4], loaded)
            found = self._reaches.get(about)
            if found is None:
                if not self._missing:
                    self._explore(roots)
                walk = Walk(
                    self._nodes, self._known_facts, self._dotted_name, self.text_hash, question[4]
                )
                found = walk.of(roots, loaded), walk.files, walk.modules
            if not self._missing:
                self._reaches[about] = found
            return found

        return self._settled(walked)

    def _settled(self, look: Callable[[], _T]) -> _T:
        """What `look` gives once all files that it meets have been analysed.

        Raises:
            LookupError: as `look` does, then.
        """
        while True:
            try:
                found = look()
                if not self._missing:
                    return found
            except LookupError:
                if not self._missing:
                    raise
            finally:
                missing = self._forgotten()
            self._analyse(missing)

    def _forgotten(self) -> dict[str, tuple[str, str]]:
        """The files that were missing, after forgetting what was made of them."""
        missing = self._taken()
        if missing:
            self._nodes.forget(missing)
            self._dotted.clear()
        return missing

    def _taken(self) -> dict[str, tuple[str, str]]:
        """The files that are missing; the dictionary of them is emptied, since a narrowed codebook
        has it, too."""
        missing = dict(self._missing)
        self._missing.clear()
        return missing

    def _explore(self, roots: tuple[Key, ...]) -> None:
        """Make the nodes that the roots lead to, without beginning again.

        All files without facts that can be met are analysed together (on several cores, if they are
        many); the nodes that met them are made again. A chain of imports takes as many rounds as it
        has links, so each round looks at what is new only.
        """
        queue, seen = list(roots), set(roots)
        while queue:
            unfinished: list[Key] = []
            for key in queue:
                node = self._nodes[key]
                if self._missing and any(file in self._missing for file in node.consulted):
                    self._nodes.forget_one(key)
                    unfinished.append(key)
                    continue
                for edge in node.edges:
                    for item in edge.items:
                        if item.node is not None and item.node not in seen:
                            seen.add(item.node)
                            queue.append(item.node)
            self._analyse(self._taken())
            queue = unfinished

    def _known_facts(self, file: str) -> Facts:
        """The facts of a source file, if they need not be made; else the file is noted as missing,
        and all that is said is that it counts."""
        facts = self._facts.get(file)
        if facts is not None:
            return facts
        if file not in self._missing:
            facts = self._joined(file)
            if facts is not None:
                self._facts[file] = facts
                return facts
            text, text_hash = self.texts.read(file)
            facts = self._cache.get(text_hash) if self._cache is not None else None
            if facts is not None:
                self._facts[file] = facts
                return facts
            self._missing[file] = text, text_hash
        return _UNKNOWN

    def _joined(self, file: str) -> Facts | None:
        """The facts of a file that is put together from statements, if theirs are enough."""
        parts = self._parts_of(file)
        if parts is None:
            return None
        known = self._facts_of_parts
        new = dict.fromkeys(text for _, text in parts if text not in known)
        hashes = {text: hash_of(text) for text in new}
        if self._cache is not None:
            for text, text_hash in hashes.items():
                facts = self._cache.get(text_hash)
                if facts is not None:
                    known[text] = facts
        missing = [text for text in new if text not in known]
        for text, facts in zip(missing, facts_of_all(missing) if missing else (), strict=True):
            known[text] = facts
            if self._cache is not None:
                self._cache.put(hashes[text], facts)
        return joined([(lines, known[text]) for lines, text in parts])

    def _analyse(self, missing: dict[str, tuple[str, str]]) -> None:
        if not missing:
            return
        made = facts_of_all([text for text, _ in missing.values()])
        for (file, (_, text_hash)), facts in zip(missing.items(), made, strict=True):
            self._facts[file] = facts
            if self._cache is not None:
                self._cache.put(text_hash, facts)

    def _roots(self, question: Question) -> tuple[Key, ...]:
        kind, module, file, what, _ = question
        facts = self._known_facts(file)
        if kind == "ahead":
            kind = {ANYTHING: "m", EVERYTHING: "module"}.get(what, "variable")
            if kind == "variable" and what not in facts.names and not facts.whole:
                raise LookupError(f"{file}: nothing is called {what}")
        if facts.whole or kind == "module":
            return (("w", module, file, ""),)
        if kind == "m":
            return (("m", module, file, ""),)
        if kind == "variable":
            return (("v", module, file, what),)
        if kind == "step":
            if what not in facts.steps:
                line, _, column = what.partition(":")
                raise LookupError(f"{file}:{line}: no assignment or def starts at column {column}")
            step = facts.steps[what]
            if isinstance(step, int):
                return (("d", module, file, step),)
            return (("s", module, file, what),)
        if kind == "class":
            found = facts.classes.get(what)
        else:
            line, _, qualname = what.partition(":")
            found = facts.by_place.get((qualname, int(line)))
        if not found:
            raise LookupError(f"{file}: no {kind} {what}")
        return tuple(("d", module, file, index) for index in found)

    def _modules_read(self, module: str, file: str, place: str) -> frozenset[str]:
        step = self._known_facts(file).steps.get(place)
        found: set[str] = set()
        for reference in step[1] if isinstance(step, list) else ():
            if reference[0] in "~^":
                base, parts = self._resolver.start(module, file, reference)
                found.update((base, f"{base}.{parts[0]}" if parts else base))
        return frozenset(found)

    def _dotted_name(self, module: str, file: str, act: str) -> Dotted:
        """The full dotted name of untracked code that a top-level statement acts on, else ""; with
        the files and modules that were looked at for it."""
        key = (module, file, act)
        dotted = self._dotted.get(key)
        if dotted is None:
            resolver = self._resolver
            resolver.consulted.clear()
            resolver.located.clear()
            name = resolver.dotted(module, file, act)
            dotted = name, tuple(resolver.consulted), tuple(resolver.located)
            self._dotted[key] = dotted
        return dotted


_UNKNOWN = Facts(
    {
        "defs": [], "names": {}, "stars": [], "all": None, "top": [], "steps": {}, "stores": [],
        "whole": "00", "imports": [], "note": "not analysed yet",
    }
)  # fmt: skip
"""Stands for a file that is not analysed yet: a walk ends there."""
