"""Explanations as text and as HTML, and `ddsimport.why`."""

from __future__ import annotations

from html import escape

from ddsimport.errors import StoreError
from ddsimport.report.past import Past
from ddsimport.report.why import Explanation, Why

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ddsimport.report.events import Event
    from ddsimport.report.past import PastRun


def explained(past: Past, what: str | None, program: str = "") -> Iterator[Explanation]:
    """The explanations of a step, or of all steps of a run.

    Args:
        what: an artifact path, or `file:line`; None for a whole run.
        program: whose last run; by default the last run of all.

    Raises:
        StoreError: there is nothing to explain.
    """
    runs = past.runs_of(program) if program else past.runs
    if not runs:
        of = f" of {program}" if program else ""
        raise StoreError(f"no run{of} is on record; run a pipeline first")
    if what is None:
        yield from Why(past, runs[0]).all()
        return
    run, event = _event_of(past, what)
    yield Why(past, run).of(event)


def _event_of(past: Past, what: str) -> tuple[PastRun, Event]:
    """The latest event of a step. Raises StoreError: there is none."""
    file, _, line = what.rpartition(":")
    if line.isdigit() and not what.startswith("/"):
        for run in past.runs:
            for event in run.latest.values():
                provenance = past.provenance(event.signature)
                there = provenance.file if provenance is not None else run.program
                if event.line == int(line) and there == file:
                    return run, event
        raise StoreError(f"no run on record has a step at {what}")
    found = next(past.evaluations(what), None)
    if found is None:
        import difflib

        paths = list(dict.fromkeys(path for run in past.runs for path in run.latest))
        near = difflib.get_close_matches(what, paths, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise StoreError(f"no run on record has a step at {what}{hint}")
    return found


def text_of(
    each: Explanation, *, with_diff: bool = True, painted: Callable[[str], str] = str
) -> str:
    """An explanation for a terminal; `painted` may colour a diff."""
    lines = [f"{each.path}  {each.status}  ({each.place}, {each.run})", f"  {each.said}"]
    if len(each.chain) > 1:
        lines.append(f"  {' <- '.join(each.chain)}")
    for cause in each.causes:
        lines.append(f"  - {cause.said}" + (f"  (from {cause.step})" if cause.step else ""))
        lines += [f"    {line}" for line in cause.details]
        if with_diff and cause.diff:
            lines += [f"    {line}" for line in painted(cause.diff).splitlines()]
    return "\n".join(lines) + "\n"


def html_of(each: Explanation) -> str:
    """An explanation for a notebook or a page; everything in it is escaped."""
    parts = [
        f"<p><code>{escape(each.path)}</code> <b>{escape(each.status)}</b> "
        f"<small>{escape(each.place)}</small><br>{escape(each.said)}</p>"
    ]
    if each.causes:
        parts.append("<ul>")
        for cause in each.causes:
            source = f" (from <code>{escape(cause.step)}</code>)" if cause.step else ""
            parts.append(f"<li>{escape(cause.said)}{source}")
            details = "\n".join((*cause.details, *cause.diff.splitlines()))
            if details:
                parts.append(f"<pre>{_coloured(details)}</pre>")
            parts.append("</li>")
        parts.append("</ul>")
    return "".join(parts)


def _coloured(diff: str) -> str:
    """A unified diff, its lines by what became of them."""
    lines = []
    for line in diff.splitlines():
        colour = {"+": "#1a7f37", "-": "#cf222e", "@": "#6e7781"}.get(line[:1])
        text = escape(line)
        lines.append(f'<span style="color:{colour}">{text}</span>' if colour else text)
    return "\n".join(lines)


class Explanations(tuple[Explanation, ...]):
    """What `ddsimport.why` gives: explanations, shown as text or as HTML."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n".join(map(text_of, self))

    def _repr_html_(self) -> str:
        return "".join(map(html_of, self))


def why(path: str | None = None) -> Explanations:
    """Why steps ran, or did not: what changed since their last values.

    Of the steps of this process, if it has had any; else of the last run of the project.

    Args:
        path: of an artifact; by default all steps of the run.

    Raises:
        StoreError: there is no store, or nothing on record.
    """
    from ddsimport.runtime.noted import noted
    from ddsimport.runtime.session import session

    here = session()
    if here.store is None:
        raise StoreError(f"the store {here.config.store} cannot be used")
    past = Past(here.store, here.config.project, noted(here))
    return Explanations(explained(past, path))
