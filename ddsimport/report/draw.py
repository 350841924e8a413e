"""A graph as a picture or as text: SVG and PNG, DOT and Mermaid."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from xml.sax.saxutils import escape

from ddsimport.report.layout import layout_of
from ddsimport.report.outlook import said_of, status_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddsimport.report.graph import Edge, Graph, Node
    from ddsimport.report.layout import Layout
    from ddsimport.report.outlook import Forecasts

_HEIGHTS = {True: 46.0, False: 26.0}  # of steps, of all else
_WIDTHS = {True: (132.0, 250.0), False: (96.0, 200.0)}
_MARGIN = 24.0
_DOT_SECONDS = 30

DASHED = frozenset({"plain"})
DOTTED = frozenset({"nested", "load"})


class DrawingError(Exception):
    """It cannot be drawn so; the message says what to do."""


# --- where things are ---------------------------------------------------------------------------


def sizes_of(graph: Graph) -> dict[str, tuple[float, float]]:
    """Width and height of each node: steps are as wide as the longest of their labels needs, within
    limits; so is all else."""
    widths = {}
    for kind, (least, most) in _WIDTHS.items():
        among = [node for node in graph.nodes if (node.kind == "step") is kind]
        needed = [_needed(_label(node), 13 if kind else 11) + 34 for node in among]
        if kind:
            needed += [_needed(said_of(node), 11) + 34 for node in among]
        widths[kind] = min(max([least, *needed]), most)
    return {
        node.id: (widths[node.kind == "step"], _HEIGHTS[node.kind == "step"])
        for node in graph.nodes
    }


def _label(node: Node) -> str:
    return node.label if node.kind == "step" else _small_label(node)


def _needed(text: str, size: float) -> float:
    return sum(map(_width, text)) * size


def arranged(graph: Graph) -> tuple[Layout, list[Edge]]:
    """The layout of a graph, and which edge each of its routes is of: one for each two nodes."""
    between: dict[tuple[str, str], Edge] = {}
    for edge in graph.edges:
        known = between.setdefault((edge.source, edge.target), edge)
        if known.kind in DASHED and edge.kind not in DASHED:
            between[edge.source, edge.target] = edge
    edges = list(between.values())
    return layout_of(sizes_of(graph), [(edge.source, edge.target) for edge in edges]), edges


def cut(text: str, width: float, size: float, *, from_left: bool = False) -> str:
    """What of a text there is room for in so many pixels; of a path the end tells."""
    parts: list[str] = []
    left = width - size
    for letter in reversed(text) if from_left else text:
        left -= _width(letter) * size
        if left < -size + _width("…") * size and len(parts) + 1 < len(text):
            parts.append("…")
            break
        parts.append(letter)
    return "".join(reversed(parts) if from_left else parts)


def _width(letter: str) -> float:
    """About how wide a letter is, in sizes of the font; where fonts differ, in a wide one."""
    if ord(letter) >= 0x1100:
        return 1.0
    return 0.72 if letter.isupper() or letter in "mw_@%&" else 0.36 if letter in "ijl./' " else 0.62


# --- SVG ------------------------------------------------------------------------------------------

_COLOURS = {
    "hit": ("#e7f4ec", "#2f8f5b"),
    "computed": ("#e6effb", "#2b6cc4"),
    "uncached": ("#fdf3e0", "#b7791f"),
    "failed": ("#fdeaea", "#c53030"),
    "stale": ("#fff0e0", "#c05d14"),
    "unknown": ("#fbf7e9", "#a3892c"),
    "running": ("#efe8fb", "#6b46c1"),
    "": ("#f4f4f5", "#a1a1aa"),
    "file": ("#ffffff", "#8d99a8"),
    "code": ("#ffffff", "#8d99a8"),
    "input": ("#ffffff", "#8d99a8"),
}
_FONT = "Inter, 'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif"
_EDGE = "#9aa3ad"


def svg(graph: Graph, forecasts: Forecasts | None = None) -> str:
    """The graph as an SVG document, laid out by us."""
    layout, edges = arranged(graph)
    width, height = layout.width + 2 * _MARGIN, layout.height + 2 * _MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" font-family="{_FONT}">',
        f"<title>{_xml(f'Steps of {graph.program}')}</title>",
        f'<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0.8 7.5 4 0 7.2z" fill="{_EDGE}"/>'
        "</marker></defs>",
        f'<rect width="100%" height="100%" fill="#ffffff"/><g transform="translate({_MARGIN:.0f} '
        f'{_MARGIN:.0f})">',
    ]
    for edge, route in zip(edges, layout.routes, strict=True):
        dashes = " stroke-dasharray=" + ('"6 4"' if edge.kind in DASHED else '"2 4"')
        lines.append(
            f'<path d="{curve(route)}" fill="none" stroke="{_EDGE}" stroke-width="1.4"'
            + (dashes if edge.kind in DASHED | DOTTED else "")
            + ' marker-end="url(#tip)"/>'
        )
    sizes = sizes_of(graph)
    lines += [
        _svg_node(node, layout.places[node.id], sizes[node.id], forecasts) for node in graph.nodes
    ]
    lines.append("</g></svg>")
    return "\n".join(lines) + "\n"


def curve(route: Sequence[tuple[float, float]]) -> str:
    """The points of an edge as the data of a smooth path."""
    if not route:
        return ""
    (x, y), rest = route[0], route[1:]
    parts = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in rest:
        if abs(to_y - y) < 0.5:
            parts.append(f"L{to_x:.1f} {to_y:.1f}")
        else:
            half = (x + to_x) / 2
            parts.append(f"C{half:.1f} {y:.1f} {half:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    return "".join(parts)


def _svg_node(
    node: Node,
    place: tuple[float, float],
    size: tuple[float, float],
    forecasts: Forecasts | None,
) -> str:
    width, height = size
    x, y = place
    status = status_of(node, forecasts)
    fill, stroke = _COLOURS[status if node.kind == "step" else node.kind]
    title = f"<title>{_xml(f'{node.label}: {said_of(node, forecasts)}')}</title>"
    if node.kind != "step":
        radius = 13 if node.kind == "input" else 3
        slanted = ' font-style="italic"' if node.kind == "file" else ""
        label = cut(_small_label(node), width - 22, 11, from_left=node.kind == "file")
        return (
            f'<g>{title}<rect x="{x:.1f}" y="{y:.1f}" width="{width:.0f}" height="{height:.0f}" '
            f'rx="{radius}" fill="{fill}" stroke="{stroke}"/><text x="{x + 12:.1f}" '
            f'y="{y + 17:.1f}" font-size="11" fill="#4b5563"{slanted}>{_xml(label)}</text></g>'
        )
    label = cut(node.label, width - 22, 13, from_left=True)
    said = cut(said_of(node, forecasts), width - 22, 11)
    return (
        f'<g>{title}<rect x="{x:.1f}" y="{y:.1f}" width="{width:.0f}" height="{height:.0f}" rx="6" '
        f'fill="{fill}" stroke="{stroke}"/><rect x="{x:.1f}" y="{y + 7:.1f}" width="3" '
        f'height="{height - 14:.0f}" fill="{stroke}"/>'
        f'<text x="{x + 13:.1f}" y="{y + 20:.1f}" font-size="13" font-weight="600" '
        f'fill="#1f2937">{_xml(label)}</text><text x="{x + 13:.1f}" y="{y + 36:.1f}" '
        f'font-size="11" fill="#4b5563">{_xml(said)}</text></g>'
    )


def _small_label(node: Node) -> str:
    if node.kind == "code":
        return f"{node.label} · {node.detail}"
    if node.kind == "input" and node.detail:
        return f"{node.label} = {node.detail}"
    return node.label


_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def _xml(text: str) -> str:
    return escape(_UNPRINTABLE.sub("\ufffd", text))


# --- graphviz, PNG --------------------------------------------------------------------------------


def has_graphviz() -> bool:
    """Whether graphviz' `dot` is installed."""
    return shutil.which("dot") is not None


def by_graphviz(graph: Graph, form: str, forecasts: Forecasts | None = None) -> bytes:
    """The graph as `svg` or `png`, drawn by graphviz.

    Raises:
        DrawingError: it cannot.
    """
    try:
        ended = subprocess.run(
            ["dot", f"-T{form}", *(("-Gdpi=144",) if form == "png" else ())],
            input=dot(graph, forecasts).encode("utf-8", "replace"),
            capture_output=True,
            timeout=_DOT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DrawingError(f"graphviz did not draw the graph in {_DOT_SECONDS} s") from None
    except OSError as error:
        raise DrawingError(f"graphviz cannot draw the graph: {error}") from error
    if ended.returncode or not ended.stdout:
        said = ended.stderr.decode("utf-8", "replace").strip()
        raise DrawingError(f"graphviz cannot draw the graph: {said}")
    return ended.stdout


def picture(graph: Graph, form: str, forecasts: Forecasts | None = None) -> bytes:
    """The graph as `svg` or `png`: by graphviz where that is installed, and able, else by us.

    Raises:
        DrawingError: a PNG needs something which is not installed.
    """
    missing = "a PNG needs graphviz (`apt install graphviz`, `brew install graphviz`)"
    if has_graphviz():
        try:
            return by_graphviz(graph, form, forecasts)
        except DrawingError as error:  # some graphs of 300 steps take it many minutes
            missing = str(error)
    drawn = svg(graph, forecasts)
    if form == "svg":
        return drawn.encode("utf-8", "replace")
    try:
        import resvg_py
    except ImportError:
        raise DrawingError(
            f"{missing}; without it, `pip install 'ddsimport[graph]'`; SVG and HTML need neither"
        ) from None
    return bytes(resvg_py.svg_to_bytes(svg_string=drawn, zoom=2.0))


# --- texts ----------------------------------------------------------------------------------------


def dot(graph: Graph, forecasts: Forecasts | None = None) -> str:
    """The graph in graphviz' language."""
    lines = [
        "digraph steps {",
        "  rankdir=LR;",
        f'  label={_dot(graph.program)}; labelloc=t; fontname="Helvetica";',
        '  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11];',
        f'  edge [color="{_EDGE}"];',
    ]
    for node in graph.nodes:
        fill, stroke = _COLOURS[status_of(node, forecasts) if node.kind == "step" else node.kind]
        label = f"{node.label}\n{said_of(node, forecasts)}"
        more = ""
        if node.kind != "step":
            shape = {"file": "note", "input": "ellipse", "code": "component"}[node.kind]
            label, more = _small_label(node), f", shape={shape}, style=filled, fontsize=10"
        lines.append(
            f'  {_dot(node.id)} [label={_dot(label)}, fillcolor="{fill}", color="{stroke}"{more}];'
        )
    for edge in dict.fromkeys(edge.replace(name="") for edge in graph.edges):
        style = "dashed" if edge.kind in DASHED else "dotted" if edge.kind in DOTTED else "solid"
        lines.append(f"  {_dot(edge.source)} -> {_dot(edge.target)} [style={style}];")
    return "\n".join([*lines, "}"]) + "\n"


def _dot(text: str) -> str:
    # In labels a backslash begins an escape of graphviz' own, and `&` a character's name of HTML.
    shown = _UNPRINTABLE.sub("\ufffd", text).replace("&", "&amp;")
    shown = shown.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + shown.replace("\n", "\\n") + '"'


def mermaid(graph: Graph, forecasts: Forecasts | None = None) -> str:
    """The graph in Mermaid's language, as Markdown of GitHub and GitLab shows it."""
    names = {node.id: f"n{number}" for number, node in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    used: set[str] = set()
    for node in graph.nodes:
        if node.kind == "step":
            label = f"{_mermaid(node.label)}<br/>{_mermaid(said_of(node, forecasts))}"
        else:
            label = _mermaid(_small_label(node))
        left, right = {
            "step": ("[", "]"), "input": ("([", "])"), "file": ("[/", "/]"), "code": ("[[", "]]"),
        }[node.kind]  # fmt: skip
        kind = status_of(node, forecasts) or ("none" if node.kind == "step" else node.kind)
        used.add(kind)
        lines.append(f'  {names[node.id]}{left}"{label}"{right}:::{kind}')
    for edge in dict.fromkeys(edge.replace(name="") for edge in graph.edges):
        arrow = "-.->" if edge.kind in DASHED | DOTTED else "-->"
        lines.append(f"  {names[edge.source]} {arrow} {names[edge.target]}")
    for kind in sorted(used):
        fill, stroke = _COLOURS["" if kind == "none" else kind]
        lines.append(f"  classDef {kind} fill:{fill},stroke:{stroke},color:#1f2937")
    return "\n".join(lines) + "\n"


def _mermaid(text: str) -> str:
    """As numbers of characters where the language, or the HTML that it makes, would mean more."""
    shown = _UNPRINTABLE.sub("\ufffd", text).replace("\n", " ")
    return re.sub(r"[^\w /.,:·…()=$+*-]", lambda found: f"#{ord(found[0])};", shown)


def as_json(graph: Graph, forecasts: Forecasts | None = None) -> str:
    """The graph as JSON: nodes and edges as they are, with what is said of each."""
    nodes = [
        {
            "id": node.id,
            "kind": node.kind,
            "label": node.label,
            "detail": node.detail,
            "status": status_of(node, forecasts),
            "events": [event.as_dict() for event in node.events],
        }
        for node in graph.nodes
    ]
    edges = [edge.as_dict() for edge in graph.edges]
    head = {"program": graph.program, "ended": graph.ended, "nodes": nodes, "edges": edges}
    return json.dumps(head) + "\n"


__all__ = ["DrawingError", "as_json", "by_graphviz", "dot", "mermaid", "picture", "svg"]
