"""Whether handing a value out again would be the same as evaluating its step again.

What rules that out is said with its remedy: an input or a global that the evaluation changed, an
input returned as the value, arrays that share memory, figures of pyplot, too much output, a change
of the process.
"""

from __future__ import annotations

import os
import sys

from ddsimport.runtime import asked, recorder
from ddsimport.runtime.signature import Inquiry, inquire
from ddsimport.runtime.slots import Slot
from ddsimport.runtime.trace import lazy_globals
from ddsimport.runtime.uncached import UncachedError
from ddsimport.source.tracked import is_tracked
from ddsimport.values import sharing
from ddsimport.values.overlap import overlapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.runtime.evaluation import Evaluation

_CHANGED_GLOBAL = (
    "it changed a global that its own code reads, which a hit would not do; pass the "
    "value as an argument, or put `# dds: ignore` on the assignment of a cache"
)

_HANDED_OUT = {f"{module}.{name}": name for name in asked.HANDED_OUT for module in ("os", os.name)}


def check(evaluation: Evaluation, value: Any, recording: recorder.Recording) -> Inquiry:
    """What would be inquired now.

    Raises:
        UncachedError: a hit would leave something else behind than this evaluation.
    """
    from ddsimport.runtime import messages

    if recording.printed > recorder.OUTPUT_LIMIT and not evaluation.step.options.replay:
        raise UncachedError(
            f"it printed more than {recorder.OUTPUT_LIMIT:,} characters, which a hit would "
            "have to print again; print less inside the step, or put `replay=truncated` (the "
            "rest is lost on a hit) or `replay=off` in its pragma"
        )
    child = recording.speaking()
    if child is not None and evaluation.step.options.replay != "off":
        raise UncachedError(
            f"it started {child!r} with the program's own standard output, and what a child prints "
            "a hit cannot print again; capture it (`capture_output=True`) and print it, or put "
            "`replay=off` in its pragma"
        )
    for name in evaluation.changed_settings:
        recording.effects[f"changed {name}"] = None
    if evaluation.outliving is not None:
        recording.effects.update(dict.fromkeys(evaluation.outliving.effects()))
    if _may_read_input(evaluation):
        recording.effects["may read standard input"] = None
    if sys.path != evaluation.search_path:
        recording.effects["changed sys.path"] = None
    if not messages.is_as_before(evaluation.shown, evaluation.loaded):
        raise UncachedError(
            "it changed how `logging` shows messages, which a hit would not do; set it up "
            "outside the step"
        )
    if evaluation.figures is not None and (fault := evaluation.figures.fault(value)) is not None:
        recording.effects[fault] = None
    if evaluation.step.options.replay != "off":
        recording.effects.update(recording.unshown)
    for effect in recording.effects:
        raise UncachedError(f"it {effect}, which a hit would not do; do it outside the step")
    if (places := overlapping(value, _is_own)) is not None:
        raise UncachedError(
            f"the arrays {places[0]} and {places[1]} in its value lie in the same memory, and "
            "those of a hit would not; return a copy of one of them"
        )
    if (alone := _asking_alone(evaluation)) is not None:
        raise UncachedError(
            f"its code asks of paths by the name {alone} alone, and nobody is told of which; write "
            f"`os.{alone}(…)`"
        )
    session, values = evaluation.session, evaluation.inquiry.values
    again = inquire(evaluation.step, values, session.codebook, session.folders)
    _check_inputs(evaluation, value, again)
    _check_globals(evaluation, value, again)
    return again


def checked_lazy(
    evaluation: Evaluation, again: Inquiry, imports: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """What the globals that are reached by an import inside a function were before, those of
    modules aside that were not loaded; and by name, what those were that have changed.

    Args:
        imports: modules were imported, as a hit will do: that may have changed such a global.
    """
    now: dict[str, str] = {}
    moved: dict[str, str] = {}
    for label, name, token in lazy_globals(again.live, evaluation.inquiry.live):
        now[label] = token
        before = evaluation.lazy.get(label, token)
        if before != token:
            moved[name] = before
    if moved and not imports:
        raise UncachedError(_CHANGED_GLOBAL)
    return {**now, **evaluation.lazy}, moved


def _check_inputs(evaluation: Evaluation, value: Any, again: Inquiry) -> None:
    inputs = [(name, thing) for name, thing, _ in evaluation.inquiry.mutables]
    shared = sharing.shared_with(value, inputs)
    if shared is not None:
        raise UncachedError(
            f"its value shares a part with its input {shared}, and that of a hit would not; "
            "return a copy"
        )
    for name, thing in evaluation.closed_over.items():
        if evaluation.closed_over_after.get(name) is not thing:
            raise UncachedError(
                f"it changed {name} of the function around it, which a hit would not do; "
                "return the value instead"
            )
    for (name, _, before), (_, _, now) in zip(
        evaluation.inquiry.mutables, again.mutables, strict=True
    ):
        if now != before:
            raise UncachedError(
                f"it changed its input {name}, which a hit would not do; work on a copy"
            )


def _check_globals(evaluation: Evaluation, value: Any, again: Inquiry) -> None:
    live = evaluation.inquiry.live
    bindings = live.bindings()
    for (module, name), before in evaluation.bindings.items():
        if bindings.get((module, name)) is not before:
            raise UncachedError(
                f"it changed the global {module}.{name}, which a hit would not do; return the "
                "value, and assign it outside the step"
            )
    if again.code != evaluation.inquiry.code:
        raise UncachedError(_CHANGED_GLOBAL)
    shared = sharing.shared_with(value, live.globals())
    if shared is not None:
        raise UncachedError(
            f"its value shares a part with the global {shared}, and that of a hit would not; "
            "return a copy"
        )


def _asking_alone(evaluation: Evaluation) -> str | None:
    """A function of `os` that its code calls by a name of its own, by the text."""
    for reference in evaluation.inquiry.live.references():
        name = _HANDED_OUT.get(reference.owner)
        if name is not None and reference.kind == "installed":
            chain = reference.chain[:-1]
            if not chain or Slot(reference.replace(chain=chain)).fetch() is not os:
                return name
    return None


def _may_read_input(evaluation: Evaluation) -> bool:
    """By the text: no event tells of it."""
    names = evaluation.inquiry.live.installed()
    return any(name.startswith(("sys.stdin", "fileinput.")) for name in names)


def _is_own(kind: type) -> bool:
    """Whether a class is one of the program's own."""
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    return is_tracked(file) if file else kind.__module__ == "__main__"
