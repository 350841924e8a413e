"""Facts -> nodes: what one piece of code is, and what each of its references may stand for."""

from __future__ import annotations

from blake3 import blake3

from ddsimport.analysis.facts import (
    ASSIGNMENT,
    DEF_DECORATORS,
    DEF_DIGEST,
    DEF_EXTRA_REFERENCES,
    DEF_EXTRAS,
    DEF_FIRST,
    DEF_KIND,
    DEF_PARENT,
    DEF_QUALNAME,
    DEF_REFERENCES,
    DEF_REFLECTS,
    DEFINITION,
    TOP_ACTS,
    TOP_DIGEST,
    TOP_GUARD,
    TOP_LINE,
    TOP_REFERENCES,
    TOP_REFLECTS,
    Facts,
)
from ddsimport.analysis.graph import MAKES_CLASSES, Edge, Item, Key, Node, Reference
from ddsimport.analysis.inert import DISPATCHES, FINDS_CODE, INERT, KEEPS_RESULTS
from ddsimport.analysis.resolve import Resolver, Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container


class Nodes:
    """Makes nodes and remembers them.

    Args:
        resolver: follows references.
        facts: file -> its facts.
        content_of: file -> the bytes of a file that is not Python source.
    """

    def __init__(
        self,
        resolver: Resolver,
        facts: Callable[[str], Facts],
        content_of: Callable[[str], bytes],
    ) -> None:
        self._resolver = resolver
        self._facts = facts
        self._content_of = content_of
        self._nodes: dict[Key, Node] = {}
        self._located: dict[Key, tuple[str, ...]] = {}

    def __getitem__(self, key: Key) -> Node:
        node = self._nodes.get(key)
        if node is None:
            self._resolver.consulted.clear()
            self._resolver.located.clear()
            node = self._made(key)
            self._located[key] = tuple(self._resolver.located)
            self._nodes[key] = node
        return node

    def located(self, key: Key) -> tuple[str, ...]:
        """The modules that were looked for to make a node."""
        return self._located[key]

    def forget_one(self, key: Key) -> None:
        """Make this node again when it is next asked for."""
        del self._nodes[key]

    def forget(self, files: Container[str]) -> None:
        """Forget the nodes for which one of these files was looked at."""
        for key, node in list(self._nodes.items()):
            if any(file in files for file in node.consulted):
                del self._nodes[key]

    def _made(self, key: Key) -> Node:
        kind, module, file, what = key
        if kind == "f":
            return Node(blake3(self._content_of(file)).digest(), (), file, (file,))
        facts = self._facts(file)
        self._resolver.consulted[file] = None
        if facts.whole:
            return self._unanalysed(module, file, facts)
        if kind == "d":
            return self._definition(module, file, facts, int(what))
        if kind == "s":
            digest, references, reflects = facts.steps[str(what)]
            line = int(str(what).partition(":")[0])
            own = b"step" + bytes.fromhex(digest)
            if reflects & MAKES_CLASSES:
                own += home(module)
            return self._node(own, module, file, references, line, reflects)
        if kind == "t":
            top = facts.top[int(what)]
            return self._node(
                b"statement" + bytes.fromhex(top[TOP_DIGEST]),
                module,
                file,
                top[TOP_REFERENCES],
                top[TOP_LINE],
                top[TOP_REFLECTS],
            )
        if kind == "v":
            return self._variable(module, file, facts, str(what))
        return self._whole(module, file, facts, kind)

    # --- kinds ------------------------------------------------------------------------------------

    def _node(
        self,
        own: bytes,
        module: str,
        file: str,
        references: list[str],
        line: int,
        reflects: int,
        first: tuple[Edge, ...] = (),
    ) -> Node:
        notes: list[str] = []
        edges = tuple(self.edge(module, file, written, line, notes) for written in references)
        return Node(
            own,
            first + edges,
            file,
            tuple(self._resolver.consulted),
            reflects=reflects,
            notes=tuple(notes),
        )

    def _definition(self, module: str, file: str, facts: Facts, index: int) -> Node:
        record = facts.definitions[index]
        line = record[DEF_FIRST]
        own = b"definition" + bytes.fromhex(record[DEF_DIGEST])
        if record[DEF_REFLECTS] & MAKES_CLASSES or facts.holds_class(index):
            own += home(module)
        plain = self._node(
            own,
            module,
            file,
            record[DEF_REFERENCES],
            line,
            record[DEF_REFLECTS],
        )
        if not record[DEF_EXTRAS]:
            return plain
        extra_notes: list[str] = []
        extra_edges = tuple(
            self.edge(module, file, written, line, extra_notes)
            for written in record[DEF_EXTRA_REFERENCES]
        )
        read, around = False, index
        while around >= 0 and not read:
            read = self.decorators_of(module, file, around)[1]
            around = facts.definitions[around][DEF_PARENT]
        return Node(
            plain.own,
            plain.edges,
            file,
            tuple(self._resolver.consulted),
            extras=bytes.fromhex(record[DEF_EXTRAS]),
            extra_edges=extra_edges,
            counts_extras=read,
            reflects=plain.reflects,
            notes=plain.notes,
        )

    def _variable(self, module: str, file: str, facts: Facts, name: str) -> Node:
        """All statements that bind the name or act on it, in the order of the text."""
        bindings = facts.names.get(name, [])
        statements = {index for _, _, index in bindings if index >= 0}
        for index, top in enumerate(facts.top):
            acts = (act.lstrip("&").partition(".")[0].removesuffix("[]") for act in top[TOP_ACTS])
            if top[TOP_GUARD] == 0 and name in acts:
                statements.add(index)
        edges: list[Edge] = []
        for index in sorted(statements):
            edges.append(Edge(b"statement", False, (Item(node=("t", module, file, index)),)))
        for kind, what, _ in bindings:
            if kind == DEFINITION:
                edges.append(Edge(b"definition", False, (Item(node=("d", module, file, what)),)))
        for index, definition in enumerate(facts.definitions):
            if any(decorator.startswith(f"{name}.") for decorator in definition[DEF_DECORATORS]):
                edges.append(Edge(b"registered", False, (Item(node=("d", module, file, index)),)))
        if any(kind not in (DEFINITION, ASSIGNMENT) for kind, _, _ in bindings):
            edges.append(self.edge(module, file, name, 0, []))
        own = b"variable" + (b"" if bindings else b" unbound")
        return Node(own, tuple(edges), file, tuple(self._resolver.consulted))

    def _whole(self, module: str, file: str, facts: Facts, kind: str) -> Node:
        """All of a module that a name can lead to, whatever the order of its definitions.

        Args:
            kind: "w"; "e", what is run there from a text (`eval`) can use any module it imports;
                "m", without its functions: those that run are counted one by one.
        """
        hasher = blake3(b"module")
        references: dict[str, None] = {}
        reflects = 0
        for top in facts.top:
            if top[TOP_GUARD] == 0:
                hasher.update(bytes.fromhex(top[TOP_DIGEST]))
                references.update(dict.fromkeys(top[TOP_REFERENCES]))
                reflects |= top[TOP_REFLECTS]
        notes: list[str] = []
        edges = []
        for name in sorted(facts.names):
            targets = self._resolver.resolve(module, file, name)
            # A module that is merely imported is not followed, or one use of one module as a value
            # would reach the whole project; a package's own submodules are.
            kept = tuple(
                target
                for target in targets
                if not (kind == "m" and self._is_function(target))
                and (
                    kind == "e" or target.kind != "module" or target.module.startswith(f"{module}.")
                )
            )
            edges.append(self._edge(module, file, name, kept, 0, notes))
        for spec in facts.stars:
            edges.append(self.edge(module, file, f"^{spec}|", 0, notes))
        return self._node(
            hasher.digest(), module, file, list(references), 0, reflects, first=tuple(edges)
        )

    def _is_function(self, target: Target) -> bool:
        if target.kind != "definition":
            return False
        return bool(self._facts(target.file).definitions[target.index][DEF_KIND] == "def")

    def _unanalysed(self, module: str, file: str, facts: Facts) -> Node:
        notes = [f"{file}: counted as a whole, it cannot be analysed ({facts.note})."]
        edges = [self.edge(module, file, reference, 0, notes) for reference in facts.imports]
        for name in facts.names:
            reference = Reference(module, (name,), "variable", module, file, name)
            edges.append(Edge(name.encode(), False, (Item(reference=reference),)))
        own = b"unanalysed" + bytes.fromhex(facts.whole)
        consulted = tuple(self._resolver.consulted)
        return Node(own, tuple(edges), file, consulted, notes=tuple(notes))

    # --- edges ------------------------------------------------------------------------------------

    def edge(self, module: str, file: str, written: str, line: int, notes: list[str]) -> Edge:
        """One reference as written in `module`; what cannot be seen is added to `notes`."""
        if written == "!import":
            notes.append(
                f"{file}:{line}: imports a module whose name is computed;"
                " what it finds and runs is recorded, and counts."
            )
            return Edge(b"!import", False, ())
        if written.startswith("?"):
            if not self._resolver.resolve(module, file, "getattr"):
                return Edge(b"?", False, ())
            written = written[1:]
        if written.startswith("="):
            written = written[1:]
            named = self._resolver.resolve(module, file, written)
            targets = tuple(target for target in named if target.kind != "dynamic")
            if targets != named:
                notes.append(
                    f"{file}:{line}: {written}() runs a text with names of its own;"
                    " what runs is recorded, and counts."
                )
        else:
            targets = self._resolver.resolve(module, file, written)
        return self._edge(module, file, written, targets, line, notes)

    def _edge(
        self,
        module: str,
        file: str,
        written: str,
        targets: tuple[Target, ...],
        line: int,
        notes: list[str],
    ) -> Edge:
        base, chain = self._resolver.start(module, file, written)
        items: list[Item] = []
        for target in targets:
            if target.kind == "distribution":
                reference = None
                if chain and target.used and target.certain:  # else its value is another target
                    named = tuple(chain[: target.used])
                    reference = Reference(base, named, "installed", target.module, "", "")
                items.append(Item(reference=reference, untracked=target.module.partition(".")[0]))
                if target.module.startswith(FINDS_CODE):
                    notes.append(
                        f"{file}:{line}: {target.module} can lead to code that the text does not"
                        " name; what runs is recorded, and counts."
                    )
            elif target.kind == "file":
                items.append(Item(node=("f", target.module, target.file, "")))
            elif target.kind == "module":
                items.append(Item(node=("w", target.module, target.file, "")))
            elif target.kind == "dynamic":
                notes.append(
                    f"{file}:{line}: {target.name}() can reach anything in its module,"
                    " which counts as a whole."
                )
                items.append(Item(node=("e", target.module, target.file, "")))
            else:
                items += self._named(base, tuple(chain[: target.used]), target)
        return Edge(written.encode("utf-8", "surrogatepass"), written[0] == "~", tuple(items))

    def _named(self, base: str, chain: tuple[str, ...], target: Target) -> list[Item]:
        """The items of a definition or a variable."""
        owner, file, name = target.module, target.file, target.name
        items: list[Item] = []
        value = True
        if target.kind == "definition":
            key: Key = ("d", owner, file, target.index)
            if not target.certain:
                return [Item(node=key)]  # the value is another target
            definition = self._facts(file).definitions[target.index]
            value = self.decorators_of(owner, file, target.index)[0]
            value = value or name in self._facts(file).stored_names
            reference = Reference(
                base,
                chain,
                "definition",
                owner,
                file,
                definition[DEF_QUALNAME],
                definition[DEF_FIRST],
            )
            items.append(Item(node=key, reference=None if value else reference))
        if value:
            literal = self._literal(file, name)
            items.append(
                Item(
                    reference=Reference(base, chain, "variable", owner, file, name, literal=literal)
                )
            )
        return items

    def _literal(self, file: str, name: str) -> bytes | None:
        if not file:
            return None
        facts = self._facts(file)
        bindings = facts.names.get(name, [])
        if len(bindings) == 1 and bindings[0][0] == ASSIGNMENT and bindings[0][1] == "#":
            return bytes.fromhex(facts.top[bindings[0][2]][TOP_DIGEST])
        return None

    def decorators_of(self, module: str, file: str, index: int) -> tuple[bool, bool]:
        """Of a definition: (its value must be looked at, untracked code may read its extras)."""
        effective = extras = False
        for decorator in self._facts(file).definitions[index][DEF_DECORATORS]:
            if decorator == "property":
                continue
            dotted = self._resolver.dotted(module, file, decorator) if decorator else ""
            if dotted not in INERT:
                effective = True
                extras = extras or not decorator or bool(dotted)
        return effective, extras

    def keeps_results(self, module: str, file: str, index: int) -> bool:
        """See `codehash.Codebook.keeps_results`."""
        for decorator in self._facts(file).definitions[index][DEF_DECORATORS]:
            if decorator and decorator != "property":
                dotted = self._resolver.dotted(module, file, decorator)
                if dotted in KEEPS_RESULTS or (dotted and dotted not in INERT | DISPATCHES):
                    return True
        return False


def home(module: str) -> bytes:
    """What stands for the module of a class: pickles, reprs and registries show it. (A function may
    lie anywhere.) A spawned child knows the main module under another name."""
    return b"in " + ("__main__" if module == "__mp_main__" else module).encode()
