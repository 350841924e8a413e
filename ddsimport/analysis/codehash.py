"""What a step's code reaches, as one hash and a list of names whose live value counts.

From a root (a step's right-hand side, a function, a class) the graph of references is walked
breadth first, each node's references in the order of its text. That order numbers the nodes, and
the hash is over the sequence: each node's normal form, then for each of its references the label as
written and the number of the node it leads to. Two roots have one hash exactly if their graphs are
the same, node by node and edge by edge: cycles need no special care, no order of discovery and no
place on disk enters, and helpers that swap names or bodies are told apart by label and number.
(A Merkle hash over strongly connected components with colour refinement, as in Unison, tells the
same; but the list of references has to be gathered from each root anyway, and this needs no more.)
"""

from __future__ import annotations

import sys

from blake3 import blake3

from ddsimport.analysis.facts import (
    TOP_ACTS,
    TOP_GUARD,
    TOP_LINE,
    Facts,
    FactsCache,
    facts_of_all,
)
from ddsimport.analysis.graph import (
    READS_EXTRAS,
    READS_LINES,
    READS_MODULES,
    Edge,
    Key,
    Node,
    Reference,
)
from ddsimport.analysis.nodes import Nodes
from ddsimport.analysis.receivers import receivers_of
from ddsimport.analysis.resolve import Resolver
from ddsimport.analysis.texts import Texts
from ddsimport.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from ddsimport.analysis.answers import Answers, Question

    _Dotted = tuple[str, tuple[str, ...], tuple[str, ...]]
    _Found = tuple["Reach", set[str], set[str]]

__all__ = ["ANYTHING", "EVERYTHING", "Codebook", "Reach", "Reference"]

ANYTHING, EVERYTHING = "", "*"
"""Names for `Codebook.ahead`."""

_STATEFUL = ("random.", "os.environ", "os.putenv", "locale.", "decimal.", "sys.set")
"""Of the standard library, what may set something for code elsewhere; of other code, all may."""


class Reach(Record):
    """What a piece of code reaches, by its text.

    Attributes:
        hash: 32 bytes that stand for the text of all of it.
        references: the names it refers to, in the order of the walk: that order depends on what is
            hashed only, so digests of their values can be combined by position.
        distributions: top-level import names of third-party code it uses, sorted.
        files: every source file that was looked at, sorted.
        notes: sentences on what could not be seen, each once.
        direct: how many of the first references are those of the root's own text.
        reflects: what it reads of other code besides its normal form (`graph.READS_…`).
        rebound: (module, name) of the globals that functions of the reached modules may bind.
        nodes: keys of all that is reached (see `graph`).
        untracked: top-level import names of all untracked code used, standard library included.
        ambiguous: several definitions share the place that was asked for (lambdas on one line): the
            caller must add what tells them apart, such as the bytecode.
    """

    hash: bytes
    references: tuple[Reference, ...]
    distributions: tuple[str, ...]
    files: tuple[str, ...]
    notes: tuple[str, ...]
    ambiguous: bool = False
    direct: int = 0
    reflects: int = 0
    rebound: tuple[tuple[str, str], ...] = ()
    nodes: tuple[Key, ...] = ()
    untracked: tuple[str, ...] = ()


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

    Attributes:
        texts: the texts of the files that count, as they are now.
    """

    def __init__(
        self,
        locate: Callable[[str], str | None],
        cache: FactsCache | None,
        tracked: Callable[[str], bool],
        text_of: Callable[[str], str],
        answers: Answers | None = None,
        is_as_imported: Callable[[str, os.stat_result], bool] = lambda file, state: True,
    ) -> None:
        self.text_of = text_of
        self.texts = Texts(text_of, is_as_imported)
        self._cache = cache
        self._tracked = tracked
        self._answers = answers
        self._facts: dict[str, Facts] = {}
        self._missing: dict[str, tuple[str, str]] = {}
        self._resolver = Resolver(locate, tracked, self._known_facts)
        self._nodes = Nodes(self._resolver, self._known_facts, self.texts.content)
        self._found: dict[Question, tuple[Reach, frozenset[str]]] = {}
        self._reaches: dict[tuple[tuple[Key, ...], int, bool], _Found] = {}
        self._receivers: dict[tuple[str, str], frozenset[str]] = {}
        self._dotted: dict[tuple[str, str, str], _Dotted] = {}

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
        while known is None:
            self._resolver.place(module, file)
            facts = self.facts(file)
            try:
                found = receivers_of(
                    facts, lambda written: self._dotted_name(module, file, written)[0]
                )
                if not self._missing:
                    known = self._receivers[module, file] = found
            finally:
                missing = self._forgotten()
            self._analyse(missing)
        return known

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
            found = self._answers.get(question, self) if self._answers is not None else None
            if found is None:
                found = self._looked_up(question)
            self._found[question] = found
        return found

    def place_of(self, name: str) -> tuple[str | None, bool]:
        """The file of a module, None if it has none, and whether its text counts."""
        file = self._resolver.file_of(name)
        return file, file is not None and self._tracked(file)

    def _looked_up(self, question: Question) -> tuple[Reach, frozenset[str]]:
        kind, module, file, what, _ = question
        reach, files, modules = self._walked(question)
        if kind == "class":
            # Of several (an `if` around them), the text cannot tell which is bound: all count.
            reach = reach.replace(ambiguous=False)
        read = self._modules_read(module, file, what) if kind == "step" else frozenset()
        if self._answers is not None:
            self._answers.put(question, reach, read, files, modules, self)
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
        while True:
            try:
                roots = self._roots(question)
                about = (roots, question[4], loaded)
                found = self._reaches.get(about)
                if found is None:
                    if not self._missing:
                        self._explore(roots)
                    walk = _Walk(
                        self._nodes,
                        self._known_facts,
                        self._dotted_name,
                        self.text_hash,
                        question[4],
                    )
                    found = walk.of(roots, loaded), walk.files, walk.modules
                if not self._missing:
                    self._reaches[about] = found
                    return found
            except LookupError:
                if not self._missing:
                    raise
            finally:
                missing = self._forgotten()
            self._analyse(missing)

    def _forgotten(self) -> dict[str, tuple[str, str]]:
        """The files that were missing, after forgetting what was made of them."""
        missing, self._missing = self._missing, {}
        if missing:
            self._nodes.forget(missing)
            self._dotted.clear()
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
            missing, self._missing = self._missing, {}
            self._analyse(missing)
            queue = unfinished

    def _known_facts(self, file: str) -> Facts:
        """The facts of a source file, if they need not be made; else the file is noted as missing,
        and all that is said is that it counts."""
        facts = self._facts.get(file)
        if facts is not None:
            return facts
        if file not in self._missing:
            text, text_hash = self.texts.read(file)
            facts = self._cache.get(text_hash) if self._cache is not None else None
            if facts is not None:
                self._facts[file] = facts
                return facts
            self._missing[file] = text, text_hash
        return _UNKNOWN

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

    def _dotted_name(self, module: str, file: str, act: str) -> _Dotted:
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


class _Walk:
    """One walk from its roots.

    Attributes:
        files: those that were looked at.
        modules: those that were looked for.
    """

    def __init__(
        self,
        nodes: Nodes,
        facts: Callable[[str], Facts],
        dotted: Callable[[str, str, str], _Dotted],
        text_hash: Callable[[str], bytes],
        reflects: int,
    ) -> None:
        self.files: set[str] = set()
        self.modules: set[str] = set()
        self._nodes = nodes
        self._facts = facts
        self._dotted = dotted
        self._text_hash = text_hash
        self._reflects = reflects
        self._numbers: dict[Key, int] = {}
        self._order: list[Key] = []
        self._hashed: list[bytes] = []
        self._references: list[Reference] = []
        self._untracked: dict[str, None] = {}
        self._eager: set[str] = set()

    def of(self, roots: tuple[Key, ...], loaded: bool = True) -> Reach:
        """What `roots` reach.

        Args:
            loaded: whether their modules are loaded, and with them all that these import.
        """
        before = None
        while before != self._reflects:  # what is read of all may be found late
            before = self._reflects
            self._survey(roots)
        if not loaded:
            self._eager.clear()
        for root in roots:
            self._number(root)
        for root in roots:
            self._write(root)
        direct = len(self._references)
        done = len(roots)
        acted: set[Key] = set()
        while done < len(self._order):
            while done < len(self._order):
                self._write(self._order[done])
                done += 1
            for key in self._acts(roots, acted):
                self._number(key)
        files = self.files
        notes: dict[str, None] = {}
        for key in self._order:
            node = self._nodes[key]
            files.update(node.consulted)
            self.modules.update(self._nodes.located(key))
            notes.update(dict.fromkeys(node.notes))
        rebound = {
            (module, name)
            for _, module, file, _ in self._order
            if file in files
            for name in self._facts(file).rebound_names
        }
        hasher = blake3(b"ddsimport reach %d" % len(roots))
        for part in self._hashed:
            hasher.update(b"%d:" % len(part) + part)
        return Reach(
            hasher.digest(),
            tuple(self._references),
            tuple(sorted(set(self._untracked) - sys.stdlib_module_names)),
            tuple(sorted(files)),
            tuple(notes),
            ambiguous=len(roots) > 1,
            direct=direct,
            reflects=self._reflects,
            rebound=tuple(sorted(rebound)),
            nodes=tuple(self._order),
            untracked=tuple(self._untracked),
        )

    def _survey(self, roots: Iterable[Key]) -> None:
        """Which modules are reached without an import inside a function, and what the code that is
        reached reads of other code besides its normal form."""
        seen = set(roots)
        queue = [(root, True) for root in roots]
        eager: set[Key] = set(seen)
        for key, now in queue:
            node = self._nodes[key]
            if now:
                self._eager.add(key[1])
            self._reflects |= node.reflects
            for edge in self._edges(node):
                then = now and not edge.lazy
                for item in edge.items:
                    reached = item.node
                    if then and item.reference is not None:
                        self._eager.add(item.reference.module)
                        self._eager.add(item.reference.owner)
                    if reached is None or (reached in seen and not (then and reached not in eager)):
                        continue
                    seen.add(reached)
                    if then:
                        eager.add(reached)
                    queue.append((reached, then))

    def _number(self, key: Key) -> int:
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._order)
            self._order.append(key)
        return number

    def _edges(self, node: Node) -> tuple[Edge, ...]:
        if node.extra_edges and (node.counts_extras or self._reflects & READS_EXTRAS):
            return node.edges + node.extra_edges
        return node.edges

    def _write(self, key: Key) -> None:
        hashed = self._hashed
        node = self._nodes[key]
        hashed.append(b"node" + node.own)
        if node.extras and (node.counts_extras or self._reflects & READS_EXTRAS):
            hashed.append(b"extras" + node.extras)
        if self._reflects & READS_MODULES:
            hashed.append(b"module" + key[1].encode())
        if self._reflects & READS_LINES and key[0] != "f":
            hashed.append(b"text" + self._text_hash(node.file))
        for edge in self._edges(node):
            hashed.append(b"label" + edge.label)
            for item in edge.items:
                if item.node is not None:
                    hashed.append(b"to %d" % self._number(item.node))
                if item.untracked:
                    self._untracked[item.untracked] = None
                    hashed.append(b"untracked " + item.untracked.encode())
                if item.reference is not None:
                    self._refer(item.reference, edge.lazy)

    def _refer(self, reference: Reference, imported: bool) -> None:
        self._hashed.append(reference.kind.encode())
        loaded = reference.owner in self._eager
        if reference.module in self._eager and (loaded or not imported):
            self._references.append(reference)
            return
        self._references.append(reference.replace(lazy=True))
        if reference.kind != "variable":
            return
        if loaded:
            # Bound lazily, but to what a loaded module holds already: its value is known.
            self._references.append(
                reference.replace(module=reference.owner, chain=(reference.qualname,))
            )
        elif reference.file:
            key: Key = ("v", reference.owner, reference.file, reference.qualname)
            self._hashed.append(b"text %d" % self._number(key))

    def _acts(self, roots: tuple[Key, ...], acted: set[Key]) -> list[Key]:
        """Top-level statements of reached modules that set something in code that is used.

        `np.random.seed(0)` and `pd.set_option(…)` count for whatever uses numpy and pandas; of the
        step's own module, only what stands above the step.
        """
        found: list[Key] = []
        places = dict.fromkeys((key[1], key[2]) for key in self._order if key[0] != "f")
        root = roots[0]
        before = int(str(root[3]).partition(":")[0]) if root[0] == "s" else sys.maxsize
        for module, file in places:
            for index, top in enumerate(self._facts(file).top):
                key: Key = ("t", module, file, index)
                if not top[TOP_ACTS] or top[TOP_GUARD] or key in acted:
                    continue
                if module == root[1] and top[TOP_LINE] >= before:
                    continue
                if any(self._sets(module, file, act) for act in top[TOP_ACTS]):
                    acted.add(key)
                    found.append(key)
        return found

    def _sets(self, module: str, file: str, act: str) -> bool:
        if act.startswith("&"):
            return False
        dotted, files, modules = self._dotted(module, file, act.removesuffix("[]"))
        self.files.update(files)
        self.modules.update(modules)
        top = dotted.partition(".")[0]
        if not dotted or top not in self._untracked:
            return False
        return top not in sys.stdlib_module_names or dotted.startswith(_STATEFUL)
