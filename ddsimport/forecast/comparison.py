"""How the code of a step, and the code around it, differ from what its value was made from."""

from __future__ import annotations

import ast
import os
from contextlib import suppress

from ddsimport.analysis.facts import DEF_DIGEST, DEF_KIND, DEF_OUTLINE
from ddsimport.report.code import Code, Difference, Piece, definition, differences, unified
from ddsimport.report.edits import Bindings, Edit, Text, concerned, edits_between, names_around
from ddsimport.runtime import recorder
from ddsimport.runtime.noted import environment
from ddsimport.store import labels
from ddsimport.store.provenance import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ddsimport.analysis.codehash import Reach
    from ddsimport.forecast.places import Place
    from ddsimport.report.past import Past, PastRun
    from ddsimport.runtime.session import Session
    from ddsimport.store.provenance import Provenance
    from ddsimport.store.trace import Candidate


_ASKS_ARGUMENTS = frozenset({"argv", "orig_argv", "parse_args", "parse_known_args"})
_ASKS_ENVIRONMENT = frozenset({"environ", "environb", "getenv", "getenvb"})


class Comparison:
    """Compares what past values were made from with what is there now.

    Args:
        session: what reads the present texts.
        past: what has read the former ones.
        arguments: those of the program.
    """

    def __init__(self, session: Session, past: Past, arguments: tuple[str, ...]) -> None:
        self._arguments = arguments
        self._session = session
        self._past = past
        self._code = Code(past)
        self._texts: dict[str, str] = {}
        self._all_edits: dict[str, list[Edit]] = {}
        self._all_bindings: dict[str, Bindings] = {}

    def reach(self, place: Place) -> Reach:
        """What a step reaches now. Raises LookupError, OSError: its text is in the way."""
        return self._session.codebook.step(
            place.module, place.file, place.site.line, place.site.column
        )

    def changed(self, provenance: Provenance, place: Place) -> list[Difference]:
        """How the code that counts for the step differs from what its value was made from."""
        try:
            reach = self.reach(place)
        except (LookupError, OSError) as error:
            return [Difference("removed", provenance.file, str(error), "", "")]
        old = self._code.pieces(provenance)
        new = self._pieces(reach, provenance, place)
        for name in provenance.variables:  # the statements that bind them
            old.update(self._bindings(provenance, name.name, old=True))
            new.update(self._bindings(provenance, name.name, old=False))
        if reach.hash.hex() == provenance.reach:
            same = {label: old[label] for label in old.keys() & new.keys()}
            found = [each for each in differences(same, new) if each.kind == "changed"]
            return [*found, *self._changed_values(old, new)]
        found = differences(old, new) or differences(old, new, extras=True)
        unnamed = Difference("changed", provenance.file, "what its text reaches", "", "")
        return found or [unnamed]

    def _changed_values(self, old: dict[str, Piece], new: dict[str, Piece]) -> list[Difference]:
        """What differs in functions and classes that came as values: no text names them."""
        found = []
        for label, piece in old.items():
            text = self._text_now(self._session.absolute(piece.file)) if "#" in label else None
            if label in new or text is None:
                continue
            facts = self._code.facts_of_text(text)
            name = label[len(piece.file) + 1 :]
            try:
                index = facts.labelled(name)
            except LookupError:
                found.append(Difference("removed", piece.file, piece.name, "", label))
                continue
            if facts.definitions[index][DEF_DIGEST] != piece.digest:
                now = definition(piece.file, facts, text, index)
                diff = unified(piece, now)
                found.append(Difference("changed", piece.file, piece.name, diff, label))
        return found

    def _pieces(self, reach: Reach, provenance: Provenance, place: Place) -> dict[str, Piece]:
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

    def taken(
        self,
        changed: list[Difference],
        candidate: Candidate,
        provenance: Provenance,
        place: Place,
    ) -> str:
        """Why the value is taken though the code has changed; empty if it is not."""
        if self._is_beside(changed, candidate, provenance):
            return "its code has changed, but nothing that it ran"
        with suppress(LookupError, OSError):
            reach = self.reach(place)
            word = self._past.store.acceptances.of(reach.hash.hex())
            if word is not None and (word.template, word.before) == (
                provenance.template, provenance.reach,
            ):  # fmt: skip
                return word.said
        return ""

    def _is_beside(
        self, changed: list[Difference], candidate: Candidate, provenance: Provenance
    ) -> bool:
        """Whether all that has changed are bodies of functions that did not run."""
        entry = self._past.store.entry(candidate.stem) if candidate.stem else None
        same = (candidate.blob, candidate.created)
        for other in entry.candidates if entry is not None else ():
            if (other.blob, other.created) != same:
                continue
            ran = {
                f"{label.partition(':')[2]}:{name}"
                for label, names in other.trace.variables
                if label.startswith(labels.WHOLE)
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

    def concerned(self, run: PastRun, provenance: Provenance, place: Place) -> str:
        """What else has changed that may have a part in the step; empty if nothing has."""
        edits = self._edits(run)
        given = self._given(run)
        if not edits and not given:
            return ""
        text = Text(self._text_now(place.file) or "")
        around = names_around(text, place.site.line, (each.name for each in provenance.inputs))
        for variable in provenance.variables:
            around |= frozenset(variable.name.split("."))
        around = self._bindings_of(run).closed(around)
        names = set(around)
        own = set()
        for piece in self._code.pieces(provenance).values():
            names |= piece.names
            names.add(os.path.basename(piece.file).partition(".")[0])
            own.add((piece.file, piece.name.partition(".")[0]))
        for what, asked in given.items():
            if not names.isdisjoint(asked):
                return what
        # Of the step's own code, the change has been weighed; unless plain code calls it, too.
        edits = [
            each
            for each in edits
            if (each.file, each.function) not in own or each.function in around
        ]
        file = self._session.relative(place.file)
        where = (file, text, place.site.line)
        return concerned(edits, frozenset(names), where, self._bindings_of(run))

    def _given(self, run: PastRun) -> dict[str, frozenset[str]]:
        """What the run was given otherwise than a run now would be -> by which names code asks
        for it."""
        found = {}
        if run.arguments != self._arguments:
            found["the arguments are others"] = _ASKS_ARGUMENTS
        if run.environment != environment():
            found["the environment is another"] = _ASKS_ENVIRONMENT
        return found

    def _bindings_of(self, run: PastRun) -> Bindings:
        """How names lead to each other in the files that a run had loaded."""
        known = self._all_bindings.get(run.ended)
        if known is None:
            texts = (self._text_now(self._session.absolute(file)) for file in run.files)
            known = Bindings(Text(text) for text in texts if text is not None)
            self._all_bindings[run.ended] = known
        return known

    def _edits(self, run: PastRun) -> list[Edit]:
        """What has changed in the files that a run had loaded."""
        known = self._all_edits.get(run.ended)
        if known is None:
            known = []
            provenances = self._past.store.provenances
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

    def _text_now(self, file: str) -> str | None:
        try:
            return self._session.codebook.text_of(file)
        except (OSError, SyntaxError, ValueError):
            return None


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
