"""The graph as one HTML file that needs nothing else: no network, no font, no image of its own.

What it holds is text that others wrote (paths, code, values), so it goes in as JSON in which no
character can end the element around it, and the script makes text nodes of it, never markup. A
policy in the page lets only that script run, by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import lru_cache
from html import escape

from ddsimport.report.draw import arranged, curve, sizes_of
from ddsimport.report.outlook import cost_of, said_of, status_of, status_of_event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ddsimport.report.graph import Graph, Node
    from ddsimport.report.outlook import Forecasts


def html(
    graph: Graph,
    *,
    forecasts: Forecasts | None = None,
    details: Mapping[str, Any] | None = None,
    texts: Mapping[str, str] | None = None,
    live: bool = False,
) -> str:
    """The page.

    Args:
        graph: what is drawn.
        forecasts: path -> what is said of steps besides what became of them.
        details: path -> as `Details.of` tells it; without them the page shows what the graph says.
        texts: `Details.texts`.
        live: the page asks the server that it came from for changes, and for details.
    """
    data = {
        **page_data(graph, forecasts),
        "details": dict(details or {}),
        "texts": dict(texts or {}),
        "live": live,
    }
    script = _file("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        f"img-src data:; connect-src {chr(39)}{'self' if live else 'none'}{chr(39)}; "
        "base-uri 'none'; form-action 'none'"
    )
    page = _file("page.html")
    for name, text in (
        ("TITLE", escape(f"{graph.program} · ddsimport")),
        ("POLICY", escape(policy)),
        ("STYLE", _file("page.css")),
        ("SCRIPT", script),
        ("DATA", _embedded(data)),  # last: it may hold anything, these names too
    ):
        page = page.replace(f"<!--{name}-->", text, 1)
    return page


def page_data(graph: Graph, forecasts: Forecasts | None = None) -> dict[str, Any]:
    """What the page draws: nodes, edges, and where they are in each view."""
    drawn = graph.together()
    sizes = sizes_of(drawn)
    edges: dict[tuple[str, str], dict[str, Any]] = {}
    for edge in drawn.edges:
        known = edges.setdefault(
            (edge.source, edge.target),
            {"source": edge.source, "target": edge.target, "kinds": [], "names": []},
        )
        for field, value in (("kinds", edge.kind), ("names", edge.name)):
            if value and value not in known[field]:
                known[field].append(value)
    return {
        "program": graph.program,
        "ended": graph.ended,
        "nodes": [_node(node, sizes[node.id], forecasts) for node in drawn.nodes],
        "edges": list(edges.values()),
        "views": {"steps": _view(drawn.only_steps()), "all": _view(drawn)},
    }


def _node(node: Node, size: tuple[float, float], forecasts: Forecasts | None) -> dict[str, Any]:
    status = status_of(node, forecasts)
    outlook = forecasts.get(node.label) if forecasts else None
    return {
        "id": node.id,
        "kind": node.kind,
        "label": node.label,
        "detail": node.detail,
        "status": status,
        "said": said_of(node, forecasts),
        "forecast": outlook.reason if outlook is not None and outlook.status == status else "",
        "seconds": sum(cost_of(event) for event in node.events),
        "saved": sum(event.saved_seconds for event in node.events),
        "width": size[0],
        "height": size[1],
        "path": node.id.removeprefix("step:") if node.kind == "step" and not node.members else "",
        "members": [
            {
                "path": event.path,
                "status": status_of_event(event, forecasts),
                "seconds": cost_of(event),
            }
            for event in node.members
        ],
    }


def _view(graph: Graph) -> dict[str, Any]:
    layout, edges = arranged(graph)
    return {
        "width": layout.width,
        "height": layout.height,
        "places": {node: [round(x, 1), round(y, 1)] for node, (x, y) in layout.places.items()},
        "routes": [
            {"source": edge.source, "target": edge.target, "kind": edge.kind, "d": curve(route)}
            for edge, route in zip(edges, layout.routes, strict=True)
        ],
    }


def _embedded(data: Any) -> str:
    """JSON that can stand in a `script` element whatever its texts are."""
    text = json.dumps(data, separators=(",", ":"))  # in ASCII: no lone surrogate is left either
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@lru_cache(maxsize=8)
def _file(name: str) -> str:
    from importlib.resources import files

    return (
        files("ddsimport.report").joinpath("page_files").joinpath(name).read_text(encoding="utf-8")
    )
