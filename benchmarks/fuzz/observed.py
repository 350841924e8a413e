"""The plain run, observed: what every step took, ran, read, gave and printed.

The program runs as Python runs it, from its own text, with two additions. Each marked statement is
wrapped so that its begin, its value and its end are noted; and a trace function notes the functions
that start meanwhile. No part of ddsimport's runtime is involved: only its reader of pragmas is, to
know which statements are marked.
"""

from __future__ import annotations

import builtins
import os
import sys
import types
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.fuzz.fingerprints import binding_fingerprint, deep_fingerprint, fingerprint
from benchmarks.fuzz.reads import variables_read
from benchmarks.fuzz.wrapping import Finder, Lines, Marked, wrapped
from ddsimport.store.paths import quote_part


@dataclass
class Observed:
    """One evaluation of one step in a plain run.

    Attributes:
        path: where ddsimport would keep the value.
        inputs: name read by the step's expression -> fingerprint of what it is bound to.
        reads: module variable or class read by a function that ran -> its fingerprint.
        unit_inputs, unit_reads: the same, with the code of classes, and of those of instances.
        value: fingerprint; empty if the step raised.
        printed: what went to standard output meanwhile.
        ran_function: a function (or the step itself) ran whose text holds a mutation.
        ran_statement: a mutated statement ran.
        ran_unit: something ran of the top-level statement (a class, say) that holds a mutation.
    """

    path: str
    inputs: dict[str, str] = field(default_factory=dict)
    reads: dict[str, str] = field(default_factory=dict)
    unit_inputs: dict[str, str] = field(default_factory=dict)
    unit_reads: dict[str, str] = field(default_factory=dict)
    value: str = ""
    printed: str = ""
    ran_function: bool = False
    ran_statement: bool = False
    ran_unit: bool = False


Place = tuple[str, int, int]
"""File (relative) with the first and last line of a mutated statement."""


class Observer:
    """Runs a program in this process, once, and takes notes.

    Attributes:
        steps: what was noted, in the order in which the steps ended.
    """

    def __init__(self, folder: str, script: str, mutated: list[Place]) -> None:
        self.steps: list[Observed] = []
        self._folder = os.path.join(folder, "")
        self._script = script
        self._marked: list[Marked] = []
        self._mutated = [(self._folder + file, first, last) for file, first, last in mutated]
        self._units: dict[str, list[Lines]] = {}
        self._functions: dict[tuple[str, int, str], Lines] = {}
        self._current: ContextVar[tuple[_Notes, ...]] = ContextVar("current", default=())
        self._mutated_in: dict[types.CodeType, list[Lines]] = {}
        self._unit_is_mutated: dict[types.CodeType, bool] = {}

    def run(self) -> None:
        """The program, to its end; whatever it raises, `SystemExit` included, is raised."""
        builtins.__fuzz__ = self  # type: ignore[attr-defined]  # what wrapped steps call
        sys.meta_path.insert(0, Finder(self._folder, self._code_of))
        sys.path[0] = self._folder.rstrip(os.sep)
        sys.argv[:] = [self._script]
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        file = self._folder + self._script
        vars(main).update(__file__=file, __builtins__=builtins)
        code = self._code_of(file)
        sys.settrace(self._trace)
        try:
            exec(code, vars(main))
        finally:
            sys.settrace(None)

    def _code_of(self, file: str) -> types.CodeType:
        with open(file, encoding="utf-8") as opened:
            made = wrapped(opened.read(), file, len(self._marked))
        self._marked += made.marked
        self._units[file] = made.units
        self._functions.update({(file, *key): lines for key, lines in made.functions.items()})
        code: types.CodeType = compile(made.tree, file, "exec", dont_inherit=True)
        return code

    def to_plain(self) -> list[dict[str, Any]]:
        """The notes, as plain values."""
        return [asdict(step) for step in self.steps]

    # What wrapped steps call ---------------------------------------------------------------------

    def begin(self, number: int) -> None:
        """A marked statement is about to run, or the body of a marked function."""
        frame = sys._getframe(1)
        marked = self._marked[number]
        site = marked.site
        is_function = site.kind == "function"
        notes = _Notes(Observed(""), self._current.get(), frame if is_function else None)
        names = {**frame.f_globals, **frame.f_locals}
        step = notes.step
        for each in site.inputs:
            if each.name in names:
                value = _accessed(names[each.name], each.access)
                step.inputs[each.name] = binding_fingerprint(value)
                step.unit_inputs[each.name] = deep_fingerprint(value)
        if site.path is not None:
            # Of names that an edit has unbound, the statement itself is about to tell.
            with suppress(KeyError):
                step.path = site.path.format_map(
                    {name: _Quoted(each) for name, each in names.items()}
                )
        else:
            step.path = _bare_path(site.target, frame)
        if self._is_mutated(marked.file, marked.lines):
            step.ran_function = step.ran_statement = step.ran_unit = True
        sys.stdout.flush()
        notes.start = os.lseek(1, 0, os.SEEK_CUR)
        self._current.set((*notes.outer, notes))

    def value(self, number: int, value: Any) -> Any:
        """The value of the statement, or what the function is about to return."""
        notes = self._current.get()[-1]
        notes.step.value = fingerprint(value)
        return value

    def end(self, number: int) -> None:
        """It has ended, by an exception perhaps."""
        notes = self._current.get()[-1]
        self._current.set(notes.outer)
        if not notes.step.value and sys.exc_info()[0] is None:
            notes.step.value = fingerprint(None)  # a function that fell off its end
        notes.note_reads()
        sys.stdout.flush()
        notes.step.printed = f"{notes.start}:{os.lseek(1, 0, os.SEEK_CUR)}"
        self.steps.append(notes.step)

    # The trace -----------------------------------------------------------------------------------

    def _trace(self, frame: types.FrameType, event: str, argument: object) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(self._folder):
            return None
        running = self._current.get()
        if not running:
            return None
        if code not in self._mutated_in:
            self._mutated_in[code] = self._mutated_lines(code)
            self._unit_is_mutated[code] = self._is_in_mutated_unit(code)
        for notes in running:
            if frame in notes.around:  # a coroutine that goes on: it was there before
                continue
            notes.saw(frame)
            notes.step.ran_unit |= self._unit_is_mutated[code]
            notes.step.ran_function |= bool(self._mutated_in[code])
        return self._trace_lines if self._mutated_in[code] else None

    def _trace_lines(self, frame: types.FrameType, event: str, argument: object) -> Any:
        lines = self._mutated_in[frame.f_code]
        if event == "line" and any(first <= frame.f_lineno <= last for first, last in lines):
            for notes in self._current.get():
                if frame not in notes.around:
                    notes.step.ran_statement = True
        return self._trace_lines

    def _mutated_lines(self, code: types.CodeType) -> list[Lines]:
        """The mutated lines in the text of a function, its decorators and defaults included."""
        span = self._functions.get((code.co_filename, code.co_firstlineno, code.co_name))
        if span is None:  # a lambda or a comprehension
            lines = [line for _, _, line in code.co_lines() if line is not None]
            span = (min(lines), max(lines)) if lines else (0, 0)
        return [
            (first, last)
            for file, first, last in self._mutated
            if file == code.co_filename and first <= span[1] and last >= span[0]
        ]

    def _is_in_mutated_unit(self, code: types.CodeType) -> bool:
        file, line = code.co_filename, code.co_firstlineno
        return any(
            self._is_mutated(file, unit)
            for unit in self._units.get(file, ())
            if unit[0] <= line <= unit[1]
        )

    def _is_mutated(self, file: str, lines: Lines) -> bool:
        return any(
            file == other and lines[0] <= last and lines[1] >= first
            for other, first, last in self._mutated
        )


def _bare_path(target: str, frame: types.FrameType) -> str:
    """The path of a step that has none of its own."""
    module = frame.f_globals["__name__"]
    if module == "__main__":
        module = os.path.basename(frame.f_code.co_filename).removesuffix(".py")
    return f"/{module}/{target.replace('.<locals>', '')}"


class _Quoted:
    """A value in a path, made safe for it as ddsimport does."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __format__(self, specification: str) -> str:
        return quote_part(format(self._value, specification))


class _Notes:
    """A step under way; `own` is the frame of a marked function."""

    def __init__(
        self, step: Observed, outer: tuple[_Notes, ...], own: types.FrameType | None
    ) -> None:
        self.step = step
        self.outer = outer
        self.start = 0
        self._ran: dict[types.CodeType, dict[str, Any]] = {}
        self._classes: dict[type, None] = {}
        self.around: set[types.FrameType] = set()
        frame = own.f_back if own is not None else sys._getframe(2)
        while frame is not None:
            self.around.add(frame)
            frame = frame.f_back
        if own is not None:
            self.saw(own)

    def saw(self, frame: types.FrameType) -> None:
        """A function of the program has started."""
        code = frame.f_code
        self._ran.setdefault(code, frame.f_globals)
        if code.co_argcount and code.co_varnames[0] in ("self", "cls"):
            own = frame.f_locals.get(code.co_varnames[0])
            kind = own if isinstance(own, type) else type(own)
            for each in kind.__mro__:
                self._classes.setdefault(each)

    def note_reads(self) -> None:
        """Everything outside of itself that the code that ran names, as it is now."""
        read: dict[str, Any] = {
            f"class {each.__module__}.{each.__qualname__}": each
            for each in self._classes
            if each is not object
        }
        for code, namespace in self._ran.items():
            read.update(variables_read(code, namespace))
        step = self.step
        step.reads = {name: binding_fingerprint(value) for name, value in read.items()}
        step.unit_reads = {
            name: deep_fingerprint(value)
            for name, value in read.items()
            if not isinstance(value, types.FunctionType)
        }


def _accessed(value: Any, access: Any) -> Any:
    """What an expression such as `cfg["a"]` or `self.n` reads of a name."""
    try:
        for kind, key in access:
            value = getattr(value, key) if kind == "." else value[key]
    except Exception:
        return None
    return value
