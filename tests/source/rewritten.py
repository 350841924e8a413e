"""Runs rewritten source against a fake runtime, and plain source beside it."""

from __future__ import annotations

import contextlib
import copy
import linecache
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from typing import Any

import ddsimport.runtime
from ddsimport.source.rewrite import rewrite

RUNTIME = "ddsimport.runtime.step"


class FakeRuntime(types.ModuleType):
    """A runtime that never has a value, or (given those of an earlier run) always has."""

    def __init__(self, kept: list[Any] | None = None, *, keeps: bool = True) -> None:
        super().__init__(RUNTIME)
        self.keeps = keeps
        self.hits = iter(kept) if kept is not None else None
        self.kept: list[Any] = []
        self.log: list[tuple[str, str]] = []
        self.sites: list[tuple[Any, ...]] = []
        self.noted: dict[int, list[Any]] = {}
        self.pending = 0

    def recall(self, site: tuple[Any, ...]) -> tuple[Any, ...]:
        self.log.append(("recall", site[3]))
        self.sites.append(site)
        if self.hits is not None:
            return (next(self.hits),)
        return ()

    def let_wait(self, names: tuple[tuple[str, str], ...]) -> None:
        self.let_wait_names = names

    def evaluate(self, site: tuple[Any, ...]) -> Evaluation:
        self.log.append(("evaluate", site[3]))
        self.pending += 1
        return Evaluation(self, site)

    def finish(self, site: tuple[Any, ...], value: Any) -> Any:
        self.log.append(("finish", site[3]))
        self.noted.setdefault(id(sys._getframe(1)), []).append(value)
        return value

    def leave(self, site: tuple[Any, ...]) -> None:
        noted = self.noted.pop(id(sys._getframe(1)), None)
        if noted is not None:
            self.log.append(("left", site[3]))
            self.keep(noted[-1])

    def keep(self, value: Any) -> None:
        if not self.keeps:
            return
        try:
            self.kept.append(copy.deepcopy(value))
        except Exception:  # a coroutine, a module, ...: no test asks for it again
            self.kept.append(value)

    def fail(self, site: tuple[Any, ...]) -> None:
        self.log.append(("fail", site[3]))
        self.noted.pop(id(sys._getframe(1)), None)


class Evaluation:
    """Ends when it is called or, as the real one, when the interpreter drops it."""

    def __init__(self, runtime: FakeRuntime, site: tuple[Any, ...]) -> None:
        self.runtime, self.site = runtime, site

    def __call__(self, value: Any) -> tuple[Any]:
        self.runtime.log.append(("kept", self.site[3]))
        self.runtime.keep(value)
        return (value,)

    def __del__(self) -> None:
        self.runtime.pending -= 1


@contextlib.contextmanager
def installed(runtime: FakeRuntime) -> Iterator[FakeRuntime]:
    """`import ddsimport.runtime.step` gives the fake."""
    before = sys.modules.get(RUNTIME)
    attribute = vars(ddsimport.runtime).get("step")
    sys.modules[RUNTIME] = runtime
    ddsimport.runtime.step = runtime  # type: ignore[attr-defined]
    try:
        yield runtime
    finally:
        sys.modules.pop(RUNTIME)
        vars(ddsimport.runtime).pop("step")
        if before is not None:
            sys.modules[RUNTIME] = before
        if attribute is not None:
            ddsimport.runtime.step = attribute  # type: ignore[attr-defined]


class Outcome:
    """What a run leaves: its namespace, its line events, and how it ended."""

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {}
        self.lines: list[tuple[str, str, int]] = []
        self.error = ""

    @property
    def values(self) -> dict[str, str]:
        return {
            name: repr(value)
            for name, value in self.namespace.items()
            if not name.startswith("__")
            and name != "nothing"
            and not isinstance(value, types.FunctionType | type | types.ModuleType)
        }


class Box:
    """Something with attributes."""

    def __repr__(self) -> str:
        return f"Box({vars(self)})"


def given() -> dict[str, Any]:
    """The names that samples may use."""
    return {
        "__name__": "sample",
        "f": lambda *values: values[0] if values else None,
        "box": Box(),
        "table": {},
        "one": 1,
        "nothing": contextlib.nullcontext(),
        "same": lambda value: value,
    }


def run(text: str, filename: str, code: Any, *, trace: bool = True) -> Outcome:
    """Run a module's code."""
    outcome = Outcome()
    outcome.namespace.update(given())
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)

    def tracer(frame: Any, event: str, argument: Any) -> Callable[..., Any] | None:
        if frame.f_code.co_filename != filename:
            return None
        if event in ("call", "line"):
            outcome.lines.append((event, frame.f_code.co_name, frame.f_lineno))
        return tracer

    before = sys.gettrace()
    try:
        if trace:
            sys.settrace(tracer)
        exec(code, outcome.namespace)
    except BaseException as error:
        sys.settrace(before)
        assert error.__traceback__ is not None
        error.__traceback__ = error.__traceback__.tb_next  # this frame
        outcome.error = "".join(traceback.format_exception(error))
    finally:
        sys.settrace(before)
    return outcome


def plain(text: str, filename: str = "sample.py", *, trace: bool = True) -> Outcome:
    return run(text, filename, compile(text, filename, "exec", dont_inherit=True), trace=trace)


def under(
    runtime: FakeRuntime, text: str, filename: str = "sample.py", *, trace: bool = True
) -> Outcome:
    code = compile(rewrite(text, filename), filename, "exec", dont_inherit=True)
    with installed(runtime):
        return run(text, filename, code, trace=trace)


def same_lines(found: Outcome, expected: Outcome) -> bool:
    """Whether a debugger sees the same lines, in the same order.

    On Python 3.12 it may be shown a line of a `try` once more on the way out behind it: there, the
    compiler gives the code that leaves a function a line of its own for one way out only.
    """
    if sys.version_info[:2] == (3, 12) and found.lines != expected.lines:
        return set(found.lines) == set(expected.lines)
    return found.lines == expected.lines
