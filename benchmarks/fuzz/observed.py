"""The plain run, observed: what every step took, ran, read, gave and printed.

The program runs as Python runs it, from its own text, with two additions. Each marked statement is
wrapped so that its begin, its value and its end are noted; and a trace function notes the functions
that start meanwhile. No part of ddsimport's runtime is involved: only its reader of pragmas is, to
know which statements are marked.
"""

from __future__ import annotations

import ast
import builtins
import dis
import os
import sys
import types
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import resolve_name
from typing import Any

from benchmarks.fuzz.fingerprints import binding_fingerprint, deep_fingerprint, fingerprint
from ddsimport.source.pragma import pragmas_of
from ddsimport.source.steps import sites_of
from ddsimport.store.paths import quote_part


@dataclass
class Observed:
    """One evaluation of one step in a plain run.

    Attributes:
        path: where ddsimport would keep the value.
        inputs: name read by the step's expression -> fingerprint of what it is bound to.
        deep_inputs: the same, with the code of the classes of instances.
        reads: module variable or class read by a function that ran -> its fingerprint.
        value: fingerprint; empty if the step raised.
        printed: what went to standard output meanwhile.
        ran_function: a function (or the step itself) ran whose text holds a mutation.
        ran_statement: a mutated statement ran.
        ran_unit: something ran of the top-level statement (a class, say) that holds a mutation.
    """

    path: str
    inputs: dict[str, str] = field(default_factory=dict)
    deep_inputs: dict[str, str] = field(default_factory=dict)
    reads: dict[str, str] = field(default_factory=dict)
    value: str = ""
    printed: str = ""
    ran_function: bool = False
    ran_statement: bool = False
    ran_unit: bool = False


Place = tuple[str, int, int]
"""File (relative) with the first and last line of a mutated statement."""


def run_observed(folder: str, script: str, mutated: list[Place]) -> Observer:
    """Run a script of `folder` in this process; what it raises is raised, see `steps` then too."""
    observer = Observer(folder, mutated)
    builtins.__fuzz__ = observer  # type: ignore[attr-defined]  # what wrapped steps call
    sys.meta_path.insert(0, _Finder(observer))
    sys.path[0] = folder
    sys.argv[:] = [script]
    main = types.ModuleType("__main__")
    path = os.path.join(folder, script)
    main.__dict__.update(__file__=path, __builtins__=builtins)
    sys.modules["__main__"] = main
    observer.script = path
    return observer


class Observer:
    """Takes notes; `builtins.__fuzz__` in the program under observation."""

    def __init__(self, folder: str, mutated: list[Place]) -> None:
        self.folder = os.path.join(folder, "")
        self.script = ""
        self.steps: list[Observed] = []
        self.sites: list[Any] = []
        self._mutated = [(os.path.join(folder, file), *lines) for file, *lines in mutated]
        self._spans: dict[tuple[str, int, str], tuple[int, int]] = {}
        self._current: ContextVar[tuple[_Notes, ...]] = ContextVar("current", default=())
        self._local: dict[types.CodeType, list[tuple[int, int]]] = {}
        self._in_unit: dict[types.CodeType, bool] = {}
        self._units: dict[str, list[tuple[int, int]]] = {}

    def run(self) -> None:
        """The program, from its first line; whatever it raises, `SystemExit` included, is raised."""
        with open(self.script, encoding="utf-8") as file:
            tree = self.instrumented(file.read(), self.script)
        code = compile(tree, self.script, "exec", dont_inherit=True)
        sys.settrace(self._trace)
        try:
            exec(code, vars(sys.modules["__main__"]))
        finally:
            sys.settrace(None)

    def to_plain(self) -> list[dict[str, Any]]:
        """The notes, as plain values."""
        return [asdict(step) for step in self.steps]

    # What wrapped steps call ---------------------------------------------------------------------

    def begin(self, number: int) -> None:
        frame = sys._getframe(1)
        site, file = self.sites[number]
        notes = _Notes(Observed(""), self._current.get(), frame if site.is_function else None)
        names = {**frame.f_globals, **frame.f_locals}
        step = notes.step
        for each in site.inputs:
            if each.name in names:
                value = _accessed(names[each.name], each.access)
                step.inputs[each.name] = binding_fingerprint(value)
                step.deep_inputs[each.name] = deep_fingerprint(value)
        step.path = (
            site.path.format_map({name: _Quoted(value) for name, value in names.items()})
            if site.path
            else self._bare(site, frame)
        )
        if self._is_mutated(file, site.line, site.last_line):
            step.ran_function = step.ran_statement = step.ran_unit = True
        sys.stdout.flush()
        notes.start = os.lseek(1, 0, os.SEEK_CUR)
        self._current.set((*notes.outer, notes))

    def value(self, number: int, value: Any) -> Any:
        notes = self._current.get()[-1]
        notes.step.value = fingerprint(value)
        return value

    def end(self, number: int) -> None:
        notes = self._current.get()[-1]
        self._current.set(notes.outer)
        if not notes.step.value and sys.exc_info()[0] is None:
            notes.step.value = fingerprint(None)  # a function that fell off its end
        notes.step.reads = notes.reads()
        sys.stdout.flush()
        notes.step.printed = f"{notes.start}:{os.lseek(1, 0, os.SEEK_CUR)}"
        self.steps.append(notes.step)

    def _bare(self, site: Any, frame: types.FrameType) -> str:
        module = frame.f_globals["__name__"]
        if module == "__main__":
            module = os.path.basename(frame.f_code.co_filename).removesuffix(".py")
        return f"/{module}/{site.target.replace('.<locals>', '')}"

    # The trace -----------------------------------------------------------------------------------

    def _trace(self, frame: types.FrameType, event: str, argument: object) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(self.folder):
            return None
        running = self._current.get()
        if not running:
            return None
        if code not in self._local:
            self._local[code] = self._mutated_lines(code)
            self._in_unit[code] = self._unit_is_mutated(code)
        mutated = self._local[code]
        for notes in running:
            if frame in notes.around:  # a coroutine that goes on: it was there before
                continue
            notes.saw(frame)
            notes.step.ran_unit |= self._in_unit[code]
            notes.step.ran_function |= bool(mutated)
        return self._trace_lines if mutated else None

    def _trace_lines(self, frame: types.FrameType, event: str, argument: object) -> Any:
        if event == "line":
            lines = self._local[frame.f_code]
            if any(first <= frame.f_lineno <= last for first, last in lines):
                for notes in self._current.get():
                    if frame not in notes.around:
                        notes.step.ran_statement = True
        return self._trace_lines

    def _mutated_lines(self, code: types.CodeType) -> list[tuple[int, int]]:
        """The mutated lines in the text of a function, its decorators and defaults included."""
        span = self._spans.get((code.co_filename, code.co_firstlineno, code.co_name))
        if span is None:  # a lambda or a comprehension
            lines = [line for _, _, line in code.co_lines() if line is not None]
            span = (min(lines), max(lines)) if lines else (0, 0)
        return [
            (first, last)
            for file, first, last in self._mutated
            if file == code.co_filename and first <= span[1] and last >= span[0]
        ]

    def _unit_is_mutated(self, code: types.CodeType) -> bool:
        file, line = code.co_filename, code.co_firstlineno
        return any(
            self._is_mutated(file, first, last)
            for first, last in self._units.get(file, ())
            if first <= line <= last
        )

    def _is_mutated(self, file: str, first: int, last: int) -> bool:
        return any(
            file == other and first <= end and last >= start for other, start, end in self._mutated
        )

    # The text ------------------------------------------------------------------------------------

    def instrumented(self, text: str, file: str) -> ast.Module:
        """The program's text with its steps wrapped."""
        tree = ast.parse(text)
        self._units[file] = [
            (min([each.lineno, *_decorator_lines(each)]), each.end_lineno or each.lineno)
            for each in tree.body
        ]
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                self._spans[file, first, node.name] = (first, node.end_lineno or first)
        wrapping: dict[ast.stmt, int] = {}
        if "# dds" in text:
            for step in sites_of(tree, pragmas_of(text, file), file, text):
                wrapping[step.node] = len(self.sites)
                self.sites.append((_Site(step), file))
        return ast.fix_missing_locations(_Wrapper(wrapping).visit(tree))


class _Site:
    """What is to be known of a marked statement when it runs."""

    def __init__(self, step: Any) -> None:
        self.path = step.site.path
        self.target = step.site.target
        self.inputs = step.site.inputs
        self.is_function = step.site.kind == "function"
        first = min([step.node.lineno, *_decorator_lines(step.node)])
        self.line = first
        self.last_line = step.node.end_lineno


def _decorator_lines(node: ast.stmt) -> Iterator[int]:
    for each in getattr(node, "decorator_list", ()):
        yield each.lineno


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

    def reads(self) -> dict[str, str]:
        """Everything outside of itself that the code that ran names, as it is now."""
        found = {
            f"class {each.__module__}.{each.__qualname__}": binding_fingerprint(each)
            for each in self._classes
            if each.__module__ in sys.modules and each is not object
        }
        for code, namespace in self._ran.items():
            for name, value in _read_by(code, namespace):
                if name not in found:
                    found[name] = binding_fingerprint(value)
        return found


def _read_by(code: types.CodeType, namespace: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The module variables that a code object names: its own module's, and `module.name`."""
    module: types.ModuleType | None = None  # what the attribute to come is one of
    level = 0
    for each in _instructions(code):
        if each.opname in ("LOAD_GLOBAL", "LOAD_NAME") and each.argval in namespace:
            value = namespace[each.argval]
            module = value if isinstance(value, types.ModuleType) else None
            if module is None:
                yield f"{namespace['__name__']}.{each.argval}", value
        elif each.opname == "LOAD_CONST" and isinstance(each.argval, int):
            level = each.argval
        elif each.opname == "IMPORT_NAME":
            name = "." * level + each.argval
            package = namespace.get("__package__") or ""
            module = sys.modules.get(resolve_name(name, package) if level else name)
        elif each.opname in ("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM") and module is not None:
            value = getattr(module, each.argval, None)
            if isinstance(value, types.ModuleType):
                module = value
                continue
            yield f"{module.__name__}.{each.argval}", value
            if each.opname != "IMPORT_FROM":
                module = None
        elif each.opname not in ("CACHE", "STORE_FAST", "PUSH_NULL", "RESUME", "LOAD_CONST"):
            module = None


_dissected: dict[types.CodeType, list[dis.Instruction]] = {}


def _instructions(code: types.CodeType) -> list[dis.Instruction]:
    if code not in _dissected:
        _dissected[code] = list(dis.get_instructions(code))
    return _dissected[code]


def _accessed(value: Any, access: Any) -> Any:
    """What an expression such as `cfg["a"]` or `self.n` reads of a name."""
    try:
        for kind, key in access:
            value = getattr(value, key) if kind == "." else value[key]
    except Exception:
        return None
    return value


class _Wrapper(ast.NodeTransformer):
    """Wraps the marked statements; `return` in a marked function notes its value."""

    def __init__(self, wrapping: dict[ast.stmt, int]) -> None:
        self._wrapping = wrapping
        self._function: int | None = None

    def visit_Assign(self, node: ast.Assign) -> Any:  # noqa: N802 - as `ast` names them
        number = self._wrapping.get(node)
        if number is None:
            return node
        node.value = _call("value", number, node, node.value)
        return self._wrapped(number, node, [node])

    visit_AnnAssign = visit_Assign  # noqa: N815

    def visit_FunctionDef(self, node: Any) -> Any:  # noqa: N802
        outer, self._function = self._function, self._wrapping.get(node)
        self.generic_visit(node)
        if self._function is not None:
            docstring = node.body[:1] if ast.get_docstring(node) is not None else []
            node.body = [*docstring, *self._wrapped(self._function, node, node.body)]
        self._function = outer
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> Any:  # noqa: N802
        return node

    def visit_Return(self, node: ast.Return) -> Any:  # noqa: N802
        if self._function is not None:
            value = node.value or ast.copy_location(ast.Constant(None), node)
            node.value = _call("value", self._function, node, value)
        return node

    def _wrapped(self, number: int, node: ast.stmt, body: list[ast.stmt]) -> list[ast.stmt]:
        begin = ast.Expr(_call("begin", number, node))
        end = ast.Expr(_call("end", number, node))
        tried = ast.Try(body=body, handlers=[], orelse=[], finalbody=[end])
        return [ast.copy_location(each, node) for each in (begin, tried)]


def _call(name: str, number: int, at: ast.stmt, *arguments: ast.expr) -> ast.expr:
    observer = ast.Attribute(ast.Name("__fuzz__", ast.Load()), name, ast.Load())
    call = ast.Call(observer, [ast.Constant(number), *arguments], [])
    for node in (call, observer, observer.value, call.args[0]):
        ast.copy_location(node, at)
    return call


class _Finder:
    """Loads the modules of the program with their steps wrapped."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def find_spec(
        self, name: str, path: Any = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and (spec.origin or "").startswith(self._observer.folder):
            spec.loader = _Loader(name, spec.origin or "", self._observer)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, observer: Observer) -> None:
        super().__init__(name, path)
        self._observer = observer

    def get_code(self, fullname: str) -> types.CodeType:
        with open(self.path, encoding="utf-8") as file:
            tree = self._observer.instrumented(file.read(), self.path)
        code: types.CodeType = compile(tree, self.path, "exec", dont_inherit=True)
        return code
