"""The graph that is hashed: what reached code is and refers to.

A node is named by a key, `(kind, module, file, what)`; kinds are "d" a definition, "s" a step's
right-hand side, "t" a top-level statement, "v" a variable by the text of its bindings, "w" a whole
module, "e" the same with every module it imports, "m" the same without its functions, "f" a file
that is not Python source. Nodes are made once and never change.
"""

from __future__ import annotations

from ddsimport.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

(
    READS_EXTRAS, READS_SUBCLASSES, READS_MODULES, READS_LINES, READS_PLACES, MAKES_CLASSES,
    READS_CODE,
) = (1 << bit for bit in range(7))  # fmt: skip
"""What code may read of other code besides its normal form: docstrings and annotations; the classes
that derive from a class; the modules that define things; source text and line numbers; where files
lie. And code that makes classes by a call: they carry the name of its module. And code that looks
at the code of functions without running them.
`facts.DEF_REFLECTS`, `TOP_REFLECTS` and a step's last field add these up."""

Key = tuple[str, str, str, "str | int"]


class Reference(Record):
    """A name that reached code refers to, and what the runtime must look at when the step runs.

    Attributes:
        module: the module in whose globals the chain starts (the one that refers).
        chain: the name and the attributes of modules read of it, as written there.
        kind: "definition": by its text, the chain is bound to the def or class at `qualname` and
            `first_line` of `file`, bare or below decorators that are told by their text (then
            `__wrapped__` leads to it). "variable": any other value; what counts is its digest.
            "installed": code that is not tracked, unless the program has put something else there.
        owner: the module that defines what the chain leads to; for installed code, what it leads to
            as a full dotted name.
        file: the file of `owner`.
        qualname: of the definition; for a variable, its name in `owner`, as
            `Codebook.variable(owner, file, qualname)` takes it.
        first_line: as in `co_firstlineno`, 0 for a variable.
        lazy: `module` is imported only when reached code runs. Then the text counts in the hash,
            and the value belongs to the trace.
        literal: the digest of the text of the only statement that binds the variable, if that is an
            immutable literal; else None. While two runs have the same literal, and nothing has
            rebound the name, the value is the same.
    """

    module: str
    chain: tuple[str, ...]
    kind: Literal["definition", "variable", "installed"]
    owner: str
    file: str
    qualname: str
    first_line: int = 0
    lazy: bool = False
    literal: bytes | None = None

    def at_owner(self) -> Reference:
        """The same, as the module that defines it knows it."""
        return self.replace(module=self.owner, chain=(self.qualname,))


class Item(Record):
    """One thing at the end of an edge: a node, a reference, untracked code, or several of these."""

    node: Key | None = None
    reference: Reference | None = None
    untracked: str = ""


class Edge(Record):
    """One reference of a node, with all that it may stand for.

    Attributes:
        label: the reference as written: what it leads to must not count under another name.
        lazy: it goes through an import that runs with the code.
    """

    label: bytes
    lazy: bool
    items: tuple[Item, ...]


class Node(Record):
    """One piece of code.

    Attributes:
        own: what stands for its own text.
        edges: in the order in which the text first mentions them.
        extras, extra_edges: its docstrings and annotations, for where something reads them.
        counts_extras: something unknown (a decorator that is not tracked) may read them.
        reflects: what it reads of other code besides its normal form (`READS_…`).
        file: where it lies.
        consulted: the files that were looked at to resolve its edges.
        notes: sentences on what could not be seen.
    """

    own: bytes
    edges: tuple[Edge, ...]
    file: str
    consulted: tuple[str, ...]
    extras: bytes = b""
    extra_edges: tuple[Edge, ...] = ()
    counts_extras: bool = False
    reflects: int = 0
    notes: tuple[str, ...] = ()
