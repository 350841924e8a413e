"""The graph of a program's last run, to draw: `ddsimport.graph()`, and what the commands share."""

from __future__ import annotations

import os
from functools import cached_property
from html import escape

from ddsimport.errors import StoreError
from ddsimport.report.graph import Graph, graph_of
from ddsimport.report.past import Past, PastRun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.report.outlook import Forecasts

FORMATS = {
    ".html": "html",
    ".svg": "svg",
    ".png": "png",
    ".dot": "dot",
    ".gv": "dot",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".json": "json",
}
"""Suffix of a file -> the format that it means."""


class Drawing:
    """A graph that notebooks show and that can be saved.

    Args:
        past: all that is known.
        run: the run that is drawn.
        forecasts: path -> what would become of steps now, where that is not a hit.
        narrowed: what of the graph is drawn; by default all.

    Attributes:
        run: likewise.
    """

    def __init__(
        self,
        past: Past,
        run: PastRun,
        forecasts: Forecasts | None = None,
        narrowed: Graph | None = None,
    ) -> None:
        self.run = run
        self._past = past
        self._forecasts = forecasts
        self._narrowed = narrowed

    @cached_property
    def graph(self) -> Graph:
        """Steps, inputs, files and code, and what depends on what."""
        return graph_of(self._past, self.run) if self._narrowed is None else self._narrowed

    def only_steps(self) -> Drawing:
        """The same without inputs, files and code."""
        return self._with(self.graph.only_steps())

    def connected(self, path: str) -> Drawing:
        """Only the step at `path`, and all that it rests on or that rests on it.

        Raises:
            LookupError: there is no such step.
        """
        steps = [node.label for node in self.graph.nodes if node.kind == "step"]
        if path not in steps:
            import difflib

            near = difflib.get_close_matches(path, steps, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise LookupError(f"the last run of {self.run.program} had no step at {path}{hint}")
        return self._with(self.graph.connected(path))

    def html(self) -> str:
        """One page that needs nothing else, to look at in a browser."""
        from ddsimport.report.details import Details
        from ddsimport.report.page import html

        told = Details(self._past, self.run)
        paths = [event.path for node in self.graph.nodes for event in node.events]
        paths += [node.label for node in self.graph.nodes if node.kind == "step" and not node.event]
        details = {path: told.of(path) for path in dict.fromkeys(paths)}
        return html(self.graph, forecasts=self._forecasts, details=details, texts=told.texts)

    def svg(self) -> str:
        """As SVG, laid out by us."""
        from ddsimport.report.draw import svg

        return svg(self.graph.together(), self._forecasts)

    def encoded(self, form: str) -> bytes:
        """In one of `FORMATS`; SVG and PNG by graphviz where it is installed.

        Raises:
            DrawingError: that needs something which is not installed.
        """
        from ddsimport.report import draw

        graph = self.graph.together()
        if form in ("svg", "png"):
            return draw.picture(graph, form, self._forecasts)
        if form == "html":
            text = self.html()
        elif form == "json":
            text = draw.as_json(self.graph, self._forecasts)
        else:
            text = (draw.dot if form == "dot" else draw.mermaid)(graph, self._forecasts)
        return text.encode("utf-8", "replace")

    def save(self, file: str | os.PathLike[str]) -> None:
        """Write it; the suffix says how: .html, .svg, .png, .dot, .mmd or .json.

        Raises:
            ValueError: the suffix says nothing.
            DrawingError: that needs something which is not installed.
            OSError: the file cannot be written.
        """
        content = self.encoded(format_of(os.fspath(file)))
        with open(file, "wb") as opened:
            opened.write(content)

    def _with(self, graph: Graph) -> Drawing:
        return Drawing(self._past, self.run, self._forecasts, graph)

    def _repr_html_(self) -> str:
        # In a frame of its own, so that neither page's styles and keys are the other's.
        return (
            f'<iframe srcdoc="{escape(self.html(), quote=True)}" sandbox="allow-scripts" '
            'style="width:100%;height:520px;border:1px solid #8884;border-radius:6px" '
            'title="Graph of steps"></iframe>'
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {
            "text/html": self._repr_html_(),
            "image/svg+xml": self.svg(),
            "text/plain": repr(self),
        }

    def __repr__(self) -> str:
        steps = sum(node.kind == "step" for node in self.graph.nodes)
        when = self.run.ended or "under way"
        return f"<ddsimport graph of {self.run.program or 'this program'}, {steps} steps, {when}>"


def format_of(file: str) -> str:
    """The format that a file's name means.

    Raises:
        ValueError: none.
    """
    suffix = os.path.splitext(file)[1].lower()
    if suffix not in FORMATS:
        raise ValueError(f"{file} has no suffix that says how to draw: {', '.join(FORMATS)}")
    return FORMATS[suffix]


def graph(program: str | os.PathLike[str] | None = None) -> Drawing:
    """The graph of the last run of a program.

    Args:
        program: its script; by default what this process has run so far, else the last run.

    Raises:
        StoreError: there is no such run, or no store.
    """
    from ddsimport.runtime.noted import noted
    from ddsimport.runtime.session import session

    here = session()
    if here.store is None:
        raise StoreError(f"the store {here.config.store} cannot be used")
    past = Past(here.store, here.config.project, noted(here))
    return Drawing(past, run_of(past, None if program is None else os.fspath(program)))


def run_of(past: Past, program: str | None) -> PastRun:
    """The last run of a script, or of any.

    Raises:
        StoreError: there is none; the message says what to do.
    """
    runs = past.runs if program is None else past.runs_of(past.named(program))
    if runs:
        return runs[0]
    if program is None:
        raise StoreError("no run is on record; run a pipeline first: python -m ddsimport script.py")
    if not os.path.exists(program):
        raise StoreError(f"there is no file {program}")
    raise StoreError(
        f"no run of {program} with steps is on record; run it first: python -m ddsimport {program}"
    )
