"""The cells that an interactive session has run, as the text of one module.

The analysis reads a module's text ahead of time; a session has none, but it has statements that
ran, one by one. So its text is put together from those that are still in force: of each name the
statements that bind it now, and all that bind none (a call may have set anything). A cell that is
run again, edited or not, takes the place of what it was; one that is deleted from the notebook goes
on to count, as what it defined does. What is at work though its text is not in force any more (an
alias of a function that was defined anew, an instance of an older class) is found in a text that
begins with its own cell.

Each such text is named by the hash of its content, in a folder that cannot be: so a name stands for
the same text for ever, in every session. Code objects keep the file names and lines that IPython
gave them, which tracebacks show; `place_of` tells where the texts have them.
"""

from __future__ import annotations

import os
import sys
from types import CodeType

from ddsimport.source import tracked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from ddsimport.source.chunks import Cell, Chunk


class Cells:
    """See the module.

    Args:
        main: the module whose text this is.
        place: a folder that is none, such as `/project/wine.ipynb/`: where the texts are said to
            be.
        title: what bare pragmas call the module.
    """

    def __init__(self, main: Any, place: str, title: str) -> None:
        self.main = main
        self.place = place
        self.title = title
        self._cells: dict[str, Cell] = {}
        self._by_code: dict[int, tuple[CodeType, Cell]] = {}
        # Key -> the statement, and those of its names that it still binds. Replaced, not changed,
        # and so is what is made of it: steps in other threads look at both.
        self._in_force: dict[str, tuple[Chunk, frozenset[str]]] = {}
        self._before = self._in_force
        self._composed: _Composed | None = None
        self._texts: dict[str, str] = {}
        self._parts: dict[str, Sequence[tuple[int, str]]] = {}

    # --- what is run ------------------------------------------------------------------------------

    def add(self, cell: Cell) -> None:
        """Know a cell by the name of its code objects; nothing of it has run yet.

        Names stand for texts, but nobody promises that (`IPYKERNEL_CELL_NAME` gives all the same).
        """
        known = self._cells.get(cell.name)
        if known is not None and known.text != cell.text:
            cell.name = ""
        if cell.name:
            self._cells[cell.name] = cell

    def claim(self, code: CodeType, cell: Cell) -> None:
        """Know the code objects of a cell whose name others have, too."""
        stack = [code]
        while stack:
            each = stack.pop()
            self._by_code[id(each)] = each, cell
            stack += [constant for constant in each.co_consts if isinstance(constant, CodeType)]

    def begin(self, chunks: Iterable[Chunk]) -> None:
        """These statements run now."""
        self._before = self._in_force
        for chunk in chunks:
            if chunk.is_ipython:
                continue
            left = {
                key: (other, names - chunk.settles)
                for key, (other, names) in self._in_force.items()
                if key != chunk.key and (not names or not names <= chunk.settles)
            }
            self._in_force = {**left, chunk.key: (chunk, chunk.names)}

    def end(self, succeeded: bool) -> None:
        """A cell has ended. If not well, then because of the statements that began last: what they
        would have replaced may be in force."""
        if not succeeded:
            gone = {key: each for key, each in self._before.items() if key not in self._in_force}
            if gone:
                self._in_force = {**gone, **self._in_force}
        self._before = self._in_force

    # --- the texts --------------------------------------------------------------------------------

    @property
    def file(self) -> str:
        """The name of the text that is in force now."""
        return self._now().file

    def _now(self) -> _Composed:
        in_force = self._in_force
        hiding = _hiding(vars(self.main), in_force)
        found = self._composed
        if found is None or found.of is not in_force or found.hiding != hiding:
            # What is bound otherwise (`%run`, `%pylab`, `globals()`) under the name of a builtin.
            parts = [(line, f"{name} = {name}\n") for line, name in enumerate(sorted(hiding))]
            starts = {}
            line = len(hiding)
            for key, (chunk, _) in in_force.items():
                parts.append((line, chunk.text))
                starts[key] = line + chunk.above + 1
                line += chunk.text.count("\n")
            file = self._named(parts)
            found = self._composed = _Composed(file, parts, starts, in_force, hiding)
        return found

    def _named(self, parts: Sequence[tuple[int, str]]) -> str:
        from hashlib import sha256

        text = "".join(part for _, part in parts)
        name = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        file = os.path.join(self.place, f"cells-{name[:16]}.py")
        if file not in self._texts:
            self._parts = {**self._parts, file: parts}
            self._texts = {**self._texts, file: text}
            if len(self._texts) > _MOST_TEXTS:
                # What is known of all that text is forgotten, too, and found again.
                self._texts = dict(list(self._texts.items())[_MOST_TEXTS // 2 :])
                self._parts = {each: self._parts[each] for each in self._texts}
                tracked.reloads += 1
        return file

    def text_of(self, file: str) -> str | None:
        """The text of this name, None if it is no text of ours."""
        return self._texts.get(file)

    def place_in(self, cell: Cell, line: int) -> tuple[str, int]:
        """The text that has this line of a cell, and the line there."""
        chunk = cell.chunk_at(line)
        now = self._now()
        if chunk is not None and chunk.key in now.starts:
            return now.file, now.starts[chunk.key] + line - chunk.first
        lines = cell.text.count("\n") + 1
        after = [(lines + before, part) for before, part in now.parts]
        return self._named([(0, f"{cell.text}\n"), *after]), line

    def parts_of(self, file: str) -> Sequence[tuple[int, str]] | None:
        """The statements of a text of this name, each with the number of lines before it; None if
        it is no text of ours."""
        return self._parts.get(file) if file in self._texts else None

    def told_place(self, file: str, line: int) -> str:
        """What people call a line of a text of ours: its cell, and the line there."""
        for before, text in self._parts[file]:
            if not before < line <= before + text.count("\n"):
                continue
            for cell in reversed(self._cells.values()):
                for chunk in cell.chunks:
                    if chunk.text == text:
                        return f"{cell.title}:{chunk.first - chunk.above + line - before - 1}"
        return "a cell"

    def cell_of(self, code: CodeType) -> Cell | None:
        """The cell that this code is from."""
        found = self._by_code.get(id(code))
        return found[1] if found is not None else self._cells.get(code.co_filename)


class _Composed:
    """The text that is in force at some moment.

    Attributes:
        file: its name.
        parts: its statements, each with the number of lines before it.
        starts: the lines of the statements in it, by their keys.
        of: what it was made of.
        hiding: names that hide builtins.
    """

    __slots__ = ("file", "hiding", "of", "parts", "starts")

    def __init__(
        self,
        file: str,
        parts: Sequence[tuple[int, str]],
        starts: dict[str, int],
        of: object,
        hiding: frozenset[str],
    ) -> None:
        self.file = file
        self.parts = parts
        self.starts = starts
        self.of = of
        self.hiding = hiding


_MOST_TEXTS = 64
"""Texts that are kept: a step that is evaluated meanwhile may be of an older one."""


def _hiding(
    namespace: dict[str, Any], in_force: dict[str, tuple[Chunk, frozenset[str]]]
) -> frozenset[str]:
    """The builtins that a name of a session hides, though no statement binds it."""
    hiding = _BUILTINS & namespace.keys()
    if hiding:
        hiding -= {name for chunk, _ in in_force.values() for name in chunk.names}
    return hiding


current: Cells | None = None
"""Those of this process, if it is an interactive session whose cells may hold steps."""


def place_of_line(code: CodeType, line: int) -> tuple[str, int] | None:
    """The text that has a line which `code`, of a cell, names; None if it is of no cell."""
    cell = current.cell_of(code) if current is not None else None
    return current.place_in(cell, line) if current is not None and cell is not None else None


def title_of(code: CodeType) -> str:
    """What people call the cell that code is from; its file name if it is of none."""
    cell = current.cell_of(code) if current is not None else None
    return code.co_filename if cell is None else cell.title


def in_words(note: str) -> str:
    """A note on a line of a source file, `FILE:LINE: …`; on one of a cell, with its title."""
    file, _, rest = note.partition(".py:")
    line, _, said = rest.partition(":")
    file += ".py"
    if current is None or not line.isdigit() or current.text_of(file) is None:
        return note
    return f"{current.told_place(file, int(line))}:{said}"


def place_of(code: CodeType) -> tuple[str, int]:
    """The source file that has this code, and its first line there."""
    place = place_of_line(code, code.co_firstlineno)
    return (code.co_filename, code.co_firstlineno) if place is None else place


def file_of_module(module: object) -> str | None:
    """The source file of a loaded module; of the session itself, the text of its cells."""
    file = getattr(module, "__file__", None)
    if file is None and current is not None and module is current.main:
        return current.file
    return file if isinstance(file, str) else None


def title() -> str:
    """What bare pragmas call the session."""
    return current.title if current is not None else ""


def text_of(file: str) -> str | None:
    """The text of a session that has this name; None if there is none."""
    return current.text_of(file) if current is not None else None


def lasting_name_of(file: str) -> str:
    """What a file is called for people and from run to run: the text of a session that is in force
    is called after its notebook, whatever its content; any other file is called what it is."""
    if current is not None and text_of(file) is not None and file == current.file:
        return current.place
    return file


def parts_of(file: str) -> Sequence[tuple[int, str]] | None:
    """The statements that a text of a session is put together from, each with the number of lines
    before it; None for any other file."""
    return current.parts_of(file) if current is not None else None


def is_lost(code: CodeType) -> bool:
    """Whether code is of a cell that nobody has kept the text of: of one that was run before the
    session was followed, or by `%prun`."""
    name = code.co_filename
    of_a_cell = name.startswith(("<ipython-input-", "<timed ")) or "/ipykernel_" in name
    return of_a_cell and (current is None or current.cell_of(code) is None)


_OF_IPYTHON = ("display", "exit", "get_ipython", "open", "quit")
"""What IPython itself puts under the names of builtins."""
_BUILTINS = frozenset(
    name
    for name in vars(sys.modules["builtins"])
    if not name.startswith("_") and name not in _OF_IPYTHON
)
