"""The code that counted for a value, piece by piece, and how that of two values differs.

A piece is what the analysis hashes as one: a function, a class, a statement of a module, the step
itself. Two pieces are the same where their normal forms are: a comment is no difference.
"""

from __future__ import annotations

import ast
import difflib
import re
from functools import lru_cache
from typing import Literal

from blake3 import blake3

from ddsimport.analysis.facts import (
    DEF_DIGEST,
    DEF_EXTRAS,
    DEF_FIRST,
    DEF_LAST,
    DEF_REFERENCES,
    TOP_DIGEST,
    TOP_LINE,
    TOP_REFERENCES,
    Facts,
    FactsCache,
    facts_of,
)
from ddsimport.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ddsimport.report.past import Past
    from ddsimport.store.provenance import Provenance, Snapshot

Kind = Literal["changed", "added", "removed"]


class Piece(Record):
    """One piece of code.

    Attributes:
        file: where it lies, relative to the project.
        name: what it is called in messages: `Model.fit`, `LIMIT`, `line 7`.
        line: its first line.
        text: as written.
        digest: of its normal form; `extras` that of its docstrings and annotations.
        names: the global names that it mentions, with the attributes read of them.
    """

    file: str
    name: str
    line: int
    text: str
    digest: str
    extras: str = ""
    names: frozenset[str] = frozenset()


class Difference(Record):
    """A piece that two values were made from differently.

    Attributes:
        kind: what became of it.
        file, name: of the piece.
        diff: a unified diff of its text.
        label: as in `Code.pieces`.
    """

    kind: Kind
    file: str
    name: str
    diff: str
    label: str


class Code:
    """Tells pieces and differences.

    Args:
        past: where texts and provenances are from.
    """

    def __init__(self, past: Past) -> None:
        self._past = past
        self._cache = FactsCache(f"{past.store.root}/facts")
        self._facts: dict[str, Facts] = {}

    def pieces(self, provenance: Provenance) -> dict[str, Piece]:
        """The pieces that counted for a value, by a label that stays the same across edits; those
        whose text is not known any more are left out."""
        provenances = self._past.store.provenances
        snapshot = provenances.snapshot(provenance.snapshot)
        return self.pieces_of(snapshot, provenance, provenances.text) if snapshot else {}

    def pieces_of(
        self, snapshot: Snapshot, step: Provenance, text_of: Callable[[str], str | None]
    ) -> dict[str, Piece]:
        """The pieces of any snapshot.

        Args:
            step: where the step stands, and what it is called.
            text_of: a text by its hash.
        """
        found: dict[str, Piece] = {}
        for kind, _, file, what in snapshot.code:
            text_hash = snapshot.files.get(file, "")
            if kind == "f":
                found[f"{file}:"] = Piece(file, "the file", 1, "", text_hash)
                continue
            text = text_of(text_hash)
            if text is None:
                continue
            facts = self.facts_of(text_hash, text)
            try:
                if kind == "s" and str(what) == f"{step.line}:{step.column}":
                    found["step"] = _step(step, facts, text, str(what))
                elif kind == "d":
                    label = f"{file}:{facts.label_of(int(what))}"
                    found[label] = definition(file, facts, text, int(what))
                elif kind == "t":
                    piece = _statement(file, facts, text, int(what))
                    found[f"{file}:{piece.name}"] = piece
                elif kind in "wem":
                    found[f"{file}:*"] = _module(file, facts, text)
            except (LookupError, TypeError, ValueError):  # told by another version of ddsimport
                continue
        return found

    def differences(
        self, before: Provenance, after: Provenance, *, extras: bool = False
    ) -> list[Difference]:
        """What differs in the code of two values, in the order of the later one's code.

        Args:
            extras: docstrings and annotations, too, which count only where something reads them.
        """
        return differences(self.pieces(before), self.pieces(after), extras=extras)

    def facts_of_text(self, text: str) -> Facts:
        """The same, of a text whose hash is not known yet."""
        return self.facts_of(blake3(text.encode("utf-8", "surrogatepass")).hexdigest(), text)

    def facts_of(self, text_hash: str, text: str) -> Facts:
        """The facts of a text."""
        facts = self._facts.get(text_hash) or self._cache.get(text_hash) or facts_of(text)
        self._facts[text_hash] = facts
        return facts


def differences(
    old: dict[str, Piece], new: dict[str, Piece], *, extras: bool = False
) -> list[Difference]:
    """What differs between the pieces of two values; see `Code.differences`."""
    if extras:
        return _differences(old, new, lambda piece: piece.digest + piece.extras)
    return _differences(old, new, lambda piece: piece.digest)


def _differences(
    old: dict[str, Piece], new: dict[str, Piece], digest: Callable[[Piece], str]
) -> list[Difference]:
    removed = {label: piece for label, piece in old.items() if label not in new}
    added = {label: piece for label, piece in new.items() if label not in old}
    # What was only moved, or renamed with all that names it, counts as what it was.
    moved = {digest(piece) for piece in removed.values()} & {
        digest(piece) for piece in added.values()
    }
    found = [
        Difference("changed", piece.file, piece.name, unified(old[label], piece), label)
        for label, piece in new.items()
        if label in old and digest(old[label]) != digest(piece)
    ]
    for kind, pieces in (("added", added), ("removed", removed)):
        found += [
            Difference(
                kind,  # type: ignore[arg-type]  # mypy takes it for a text
                piece.file,
                piece.name,
                unified(None, piece) if kind == "added" else unified(piece, None),
                label,
            )
            for label, piece in pieces.items()
            if digest(piece) not in moved
        ]
    return found


def unified(old: Piece | None, new: Piece | None) -> str:
    """A unified diff of a piece's text, the lines numbered as in its file."""
    before = old.text.splitlines() if old is not None else []
    after = new.text.splitlines() if new is not None else []
    name = (new or old or _NO_PIECE).file
    lines = []
    for line in difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", lineterm="", n=2):
        if line.startswith("@@"):
            line = _shifted(line, old.line if old else 1, new.line if new else 1)
        lines.append(line)
    return "\n".join(lines)


_NO_PIECE = Piece("", "", 1, "", "")


def _shifted(header: str, old: int, new: int) -> str:
    """A hunk's header, counted from the file's first line and not the piece's."""
    parts = header.split()
    moved = []
    for part, offset in zip(parts[1:3], (old, new), strict=True):
        start, _, count = part[1:].partition(",")
        first = int(start) + offset - 1 if int(start) else 0
        moved.append(f"{part[0]}{first}" + (f",{count}" if count else ""))
    return f"@@ {moved[0]} {moved[1]} @@"


# --- pieces ---------------------------------------------------------------------------------------


def _step(provenance: Provenance, facts: Facts, text: str, place: str) -> Piece:
    digest, references, _ = facts.steps[place]
    line = provenance.line
    name = f"the step `{provenance.target}`"
    written = statement_at(text, line)
    return Piece(provenance.file, name, line, written, digest, names=_names(references))


def definition(file: str, facts: Facts, text: str, index: int) -> Piece:
    """A function or class, by its index in the facts of its file."""
    record = facts.definitions[index]
    first, last = record[DEF_FIRST], record[DEF_LAST]
    name = facts.label_of(index).partition("#")[0]
    lines = text.splitlines()[first - 1 : last]
    return Piece(
        file,
        name,
        first,
        "\n".join(lines),
        record[DEF_DIGEST],
        record[DEF_EXTRAS] or "",
        _names(record[DEF_REFERENCES]) | {name.rpartition(".")[2]},
    )


def _statement(file: str, facts: Facts, text: str, index: int) -> Piece:
    record = facts.top[index]
    line = record[TOP_LINE]
    names = [
        name
        for name, bindings in facts.names.items()
        if any(statement == index for _, _, statement in bindings)
    ]
    written = statement_at(text, line)
    name = ", ".join(names) or f"`{written.partition(chr(10))[0]}`"
    mentioned = _names(record[TOP_REFERENCES]) | frozenset(names)
    return Piece(file, name, line, written, record[TOP_DIGEST], names=mentioned)


def _module(file: str, facts: Facts, text: str) -> Piece:
    digest = blake3("".join(record[TOP_DIGEST] for record in facts.top).encode()).hexdigest()
    return Piece(file, "the module", 1, text, facts.whole or digest)


def _names(references: list[str]) -> frozenset[str]:
    """The names in references as facts hold them."""
    return frozenset(name for each in references for name in _NAME.findall(each))


_NAME = re.compile(r"[^\W\d]\w*")


def statement_at(text: str, line: int) -> str:
    """The statement that begins at a line."""
    last = _ends(text).get(line, line)
    return "\n".join(text.splitlines()[line - 1 : last])


@lru_cache(maxsize=64)
def _ends(text: str) -> dict[int, int]:
    """First line -> last line of each statement; the outermost counts."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):  # of another Python
        return {}
    found: dict[int, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            found.setdefault(node.lineno, node.end_lineno or node.lineno)
    return found
