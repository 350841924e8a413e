"""What ran during an evaluation though no text foresaw it: part of the trace, verified by text.

A `witness` says what ran. What the step's reach holds is in the signature already; the rest is
named here by what it is bound to at the top level of its file, and counts with all that this
reaches. At the next lookup the text is asked again, without importing anything: a module that only
the evaluation imports is not loaded then. Variables count by their text, and by their value where
both then and now the module is loaded.

Not counted: code made from a text that is no file (the text came from somewhere that counts), and
what is read off a module that was loaded before, if the module itself was found in a way that runs
no code (`sys.modules[name].LIMIT`).
"""

from __future__ import annotations

import os
import sys

from blake3 import blake3

from ddsimport.analysis.codehash import ANYTHING, EVERYTHING
from ddsimport.analysis.distributions import version_of
from ddsimport.analysis.facts import (
    DEF_KIND,
    DEF_PARENT,
    DEF_QUALNAME,
    TOP_LINE,
    definitions_of,
)
from ddsimport.analysis.locate import locate
from ddsimport.runtime import recorder, written
from ddsimport.runtime.deferred import namespace_of
from ddsimport.runtime.live import Live
from ddsimport.runtime.uncached import UncachedError
from ddsimport.source import cells
from ddsimport.source.tracked import is_tracked
from ddsimport.store import labels

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import CodeType

    from ddsimport.analysis.codehash import Codebook, Reach
    from ddsimport.analysis.facts import Facts
    from ddsimport.runtime.recorder import Recording
    from ddsimport.runtime.session import Session
    from ddsimport.runtime.signature import Step
    from ddsimport.runtime.witness import Seen

_CODE = labels.CODE
_MODULE = "module:"
_VALUE = "value:"
_INSTALLED = "installed"
_MAIN = "main"
"""Stands for the file of the main program, which may be called otherwise next time, or be the cells
of a session."""
_TEXTS = (".py", ".pyw")

_REDUCERS = frozenset({"copy", "pickle", "cloudpickle", "dill", "joblib", "shelve"})
"""What calls code that was given to `copyreg`."""
_OURS = __name__.partition(".")[0]


def is_blind(live: Live, codebook: Codebook) -> bool:
    """Whether code may run that the text of the step's code does not name: it holds a place where
    the analysis cannot see, or it uses installed code that a loaded module has given code to."""
    reaches = list(live.reaches.values())
    if any(reach.notes for reach in reaches):
        return True
    used = {"builtins", *(name for reach in reaches for name in reach.untracked)}
    used.discard(_OURS)  # a data function is given its own code, which counts
    if not used.isdisjoint(_REDUCERS):
        used.add("copyreg")
    return any(not used.isdisjoint(names) for names in _receivers(codebook))


def _receivers(codebook: Codebook) -> Iterator[frozenset[str]]:
    """For each loaded module of the project, the installed code that may call it back."""
    for name, module in list(sys.modules.items()):
        file = cells.file_of_module(module)
        if file is None or not _has_text(file):
            continue
        try:
            yield codebook.receivers(name, file)
        except (OSError, UncachedError):
            continue  # its text is gone or another: it cannot count by it either
        for value in list(namespace_of(module).values()):
            if issubclass(type(value), type) and value.__module__ == name:
                yield frozenset(_registering(value))


def _registering(cls: type) -> Iterator[str]:
    """The installed bases of a class that learn of each class made from them."""
    for base in cls.__mro__:
        top = base.__module__.partition(".")[0]
        learns = "__init_subclass__" in vars(base) or type(base).__module__ not in _PLAIN
        if learns and top not in sys.stdlib_module_names and written.file_of(base) is None:
            yield top


_PLAIN = ("builtins", "abc", "enum", "typing")
"""Where metaclasses are from that call nobody back."""


def conditions(recording: Recording, live: Live, step: Step, session: Session) -> dict[str, str]:
    """(label, token) of all that ran, or was looked for, without being foreseen.

    Raises:
        UncachedError: a file was edited after its code was loaded.
    """
    found: dict[str, str] = {}
    seen = recording.seen
    if seen is None:
        return found
    units = _Units(session.codebook, live.reaches.values(), step)
    _count_files_without_text(seen, recording)
    for name, by_tracked_code in seen.asked.items():
        place = _place_of(name, session)
        if by_tracked_code or place not in ("", _INSTALLED):
            found[_MODULE + name] = place
        units.add_module(name, locate(name))
    for name, file in seen.modules:
        units.add_module(name, file)
    for name, qualname in seen.unpickled:
        units.add_name(name, locate(name), qualname.partition(".")[0])
    for code, name in seen.code.values():
        units.add_code(code, name)
    if not seen.whole:
        session.run.say(
            "witness",
            f"{step.place}: which code runs cannot be seen (another profiler or tool holds what"
            " that takes, or a thread was there before), so all loaded modules count as a whole",
        )
        for name, loaded in list(sys.modules.items()):
            units.add_module(name, cells.file_of_module(loaded), EVERYTHING)
    for (module, file, name), reach in units.found.items():
        for note in map(cells.in_words, reach.notes):
            session.run.say(note, note)
        place = _MAIN if module == "__main__" else session.relative(file)
        found[f"{_CODE}{module}:{name}:{place}"] = _token(reach)
        found.update(_values(reach, session))
    return found


def _count_files_without_text(seen: Seen, recording: Recording) -> None:
    """Code from an archive, and the project's own in machine code, counts by its file."""
    files = [code.co_filename for code, _ in seen.code.values()]
    files += [file for _, file in seen.modules]
    files += [file for name in seen.asked if (file := locate(name)) is not None]
    for file in files:
        while is_tracked(file) and not os.path.exists(file) and os.path.dirname(file) != file:
            file = os.path.dirname(file)
        if is_tracked(file) and not file.endswith(_TEXTS) and os.path.isfile(file):
            recording.reads.setdefault(file, recorder.stat_of(file))


def hold(variables: tuple[tuple[str, str], ...], session: Session) -> bool:
    """Whether all that `conditions` said is as it was."""
    recorded = dict(variables)
    for label, token in variables:
        if label.startswith(_MODULE):
            if _place_of(label[len(_MODULE) :], session) != token:
                return False
        elif label.startswith(_CODE):
            module, name, place = label[len(_CODE) :].split(":", 2)
            try:
                file = _file_of_main() if place == _MAIN else session.absolute(place)
                reach = session.codebook.ahead(module, file, name)
            except (LookupError, OSError):
                return False
            if _token(reach) != token:
                return False
            for value, now in _values(reach, session):
                if recorded.get(value, now) != now:
                    return False
    return True


def _file_of_main() -> str:
    """Raises LookupError: there is none."""
    file = cells.file_of_module(sys.modules["__main__"])
    if file is None:
        raise LookupError("the main program has no file")
    return os.path.abspath(file)


def _token(reach: Reach) -> str:
    versions = [(name, version_of(name)) for name in reach.distributions]
    return blake3(reach.hash + repr(versions).encode()).hexdigest()


def _values(reach: Reach, session: Session) -> Iterator[tuple[str, str]]:
    for position, token in Live(session.codebook).apart(reach):
        yield f"{_VALUE}{reach.hash.hex()}:{position}", token.hex()


def _place_of(name: str, session: Session) -> str:
    """The file of a module, relative to the project; "" if there is no such module."""
    file = locate(name)
    if file is None:
        return _INSTALLED if name in sys.modules else ""
    return session.relative(file) if is_tracked(file) else _INSTALLED


class _Units:
    """The code that was not foreseen, by the module-level name that leads to it.

    Attributes:
        found: (module, file, name) -> what it reaches.
    """

    def __init__(self, codebook: Codebook, reaches: Iterable[Reach], step: Step) -> None:
        self._codebook = codebook
        self._step = step
        self._foreseen: set[tuple[str, str, int | str]] = set()
        self._last_line = 0
        self.found: dict[tuple[str, str, str], Reach] = {}
        for reach in reaches:
            self._foresee(reach)

    def _foresee(self, reach: Reach) -> None:
        # A script is called what its user called it: `./main.py`.
        names = {file: os.path.abspath(file) for _, _, file, _ in reach.nodes if file}
        self._foreseen.update(
            (kind, names[file], what) for kind, _, file, what in reach.nodes if file
        )

    def _add(self, module: str, file: str, name: str) -> None:
        unit = (module, file, name)
        if unit not in self.found and ":" not in module:
            reach = self.found[unit] = self._codebook.ahead(module, file, name)
            self._foresee(reach)

    def add_module(self, module: str, file: str | None, name: str = ANYTHING) -> None:
        """A module as a value, of which anything may have been read."""
        if file is not None and _has_text(file) and not self._is_whole(file):
            self._add(module, os.path.abspath(file), name)

    def add_name(self, module: str, file: str | None, name: str) -> None:
        """A function or class of a module, by its name."""
        if file is None or not _has_text(file) or self._is_whole(file):
            return
        facts = self._codebook.facts(file)
        bindings = [what for kind, what, _ in facts.names.get(name, ()) if type(what) is int]
        if not bindings or not all(("d", file, index) in self._foreseen for index in bindings):
            self._add(module, file, name if name in facts.names else EVERYTHING)

    def add_code(self, code: CodeType, module: str) -> None:
        """A code object that ran."""
        file, line = cells.place_of(code)
        file = os.path.abspath(file)
        if not _has_text(file) or self._is_whole(file):
            return
        if self._is_own_text(file, line):
            return
        facts = self._codebook.facts(file)
        index = next(iter(definitions_of(code, facts, line)), -1)
        outermost = index
        while index >= 0:
            if ("d", file, index) in self._foreseen:
                return
            outermost = index
            index = facts.definitions[index][DEF_PARENT]
        record = facts.definitions[outermost] if outermost >= 0 else None
        if record is not None and record[DEF_KIND] != "lambda":
            name = record[DEF_QUALNAME]
            self._add(module, file, name if name in facts.names else EVERYTHING)
            return
        self._add_statement(module, file, facts, line)

    def _add_statement(self, module: str, file: str, facts: Facts, line: int) -> None:
        """The top-level statement that a lambda or generator expression stands in."""
        index = -1
        for position, top in enumerate(facts.top):
            if top[TOP_LINE] <= line:
                index = position
        if ("t", file, index) in self._foreseen:
            return
        names = [
            name
            for name, bindings in facts.names.items()
            if any(statement == index >= 0 for _, _, statement in bindings)
        ]
        for name in names or [EVERYTHING]:
            self._add(module, file, name)

    def _is_whole(self, file: str) -> bool:
        return ("w", file, "") in self._foreseen or ("e", file, "") in self._foreseen

    def _is_own_text(self, file: str, line: int) -> bool:
        """Whether a line of a file is one of the step's own right-hand side."""
        site = self._step.site
        if (
            file != os.path.abspath(self._step.file)
            or site.kind != "assignment"
            or line < self._step.line
        ):
            return False
        if not self._last_line:
            from ddsimport.analysis.positions import positions_of

            text = self._codebook.text_of(file)
            self._last_line = max(
                (
                    statement.last_line
                    for statement in positions_of(text).statements
                    if (statement.line, statement.column) == (self._step.line, site.column)
                ),
                default=self._step.line,
            )
        return line <= self._last_line


def _has_text(file: str) -> bool:
    return (
        is_tracked(file)
        and file.endswith(_TEXTS)
        and (os.path.isfile(file) or cells.text_of(file) is not None)
    )
