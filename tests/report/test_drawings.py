"""`ddsimport graph`: texts, pictures, what it says where it cannot, and `ddsimport.graph()`."""

from __future__ import annotations

import json
import os
import shutil
import sys
import xml.etree.ElementTree as ElementTree

import pytest

from ddsimport.report import draw
from ddsimport.report.draw import dot, mermaid, svg
from ddsimport.report.events import Event
from ddsimport.report.graph import Edge, Graph, Node
from ddsimport.report.outlook import Outlook
from ddsimport.report.page import page_data

HOSTILE = "</script><b>\"'`&\\ \x00 \ud800 % # ]]> \n|{é}"


def event(path, status="hit", seconds=0.5):
    return Event(path, "__main__", 1, status, "00", seconds, seconds, "")


def graph_with(label):
    nodes = (
        Node(f"step:{label}", "step", label, "", event(label)),
        Node("step:/b", "step", "/b", "", event("/b", "computed")),
        Node(f"input:/b:{label}", "input", label, label),
        Node(f"file:{label}", "file", label),
        Node(f"code:{label}", "code", label, label),
    )
    edges = (
        Edge(f"step:{label}", "step:/b", "plain", label),
        Edge(f"input:/b:{label}", "step:/b", "input"),
        Edge(f"file:{label}", "step:/b", "file"),
        Edge(f"code:{label}", "step:/b", "code"),
    )
    return Graph(label, "", nodes, edges)


def texts_in(document):
    return [each.text for each in ElementTree.fromstring(document).iter() if each.text]


def test_svg_is_xml_whatever_the_names_are():
    document = svg(graph_with(HOSTILE))
    tags = {each.tag.rpartition("}")[2] for each in ElementTree.fromstring(document).iter()}
    assert tags == {"svg", "title", "defs", "marker", "path", "rect", "g", "text"}
    assert any("</script><b>" in text for text in texts_in(document))


def test_svg_says_what_became_of_each_step():
    texts = texts_in(svg(graph_with("/a")))
    assert {"/a", "/b", "hit · 500 ms saved", "ran · 500 ms"} <= set(texts)
    forecasts = {"/a": Outlook("stale", "its code"), "/b": Outlook("running")}
    assert {"would run · 500 ms", "running"} <= set(texts_in(svg(graph_with("/a"), forecasts)))


def test_what_failed_or_is_not_kept_is_drawn_so_though_it_would_run():
    nodes = (
        Node("step:/f", "step", "/f", "", event("/f", "failed")),
        Node("step:/u", "step", "/u", "", event("/u", "uncached")),
    )
    forecasts = dict.fromkeys(("/f", "/u"), Outlook("stale", "it raised when it ran last"))
    graph = Graph("a.py", "", nodes, ())
    told = json.loads(draw.as_json(graph, forecasts))
    assert [node["status"] for node in told["nodes"]] == ["failed", "uncached"]
    assert {"failed · 500 ms", "not kept · 500 ms"} <= set(texts_in(svg(graph, forecasts)))
    running = dict.fromkeys(("/f", "/u"), Outlook("running"))
    assert {"running"} <= set(texts_in(svg(graph, running)))


def test_each_of_many_values_tells_what_became_of_it():
    events = (event("/p/1"), event("/p/2", "failed"), event("/p/3", "computed"), event("/p/4"))
    many = Node("step:/p/*", "step", "/p/…", "4 values", None, events)
    told = page_data(Graph("a.py", "", (many,), ()), {"/p/4": Outlook("stale")})["nodes"][0]
    assert told["status"] == "failed"
    assert [each["status"] for each in told["members"]] == ["hit", "failed", "computed", "stale"]


def test_long_names_are_cut_where_they_tell_least():
    texts = texts_in(svg(graph_with("/a/" + "very/long/" * 20 + "model")))
    assert any(text.startswith("…") and text.endswith("/model") for text in texts)


@pytest.mark.skipif(not shutil.which("dot"), reason="graphviz is not installed")
@pytest.mark.parametrize("label", ["/a", HOSTILE])
def test_graphviz_reads_it(label):
    document = draw.by_graphviz(graph_with(label), "svg").decode()
    assert "/b" in "".join(ElementTree.fromstring(document).itertext())


@pytest.mark.skipif(not shutil.which("dot"), reason="graphviz is not installed")
def test_graphviz_draws_what_looks_like_markup_as_it_is():
    for label in ("a &lt;b&gt;", "&#65; & \\N"):
        graph = Graph("a.py", "", (Node("input:/b:x", "input", "x", label),), ())
        document = ElementTree.fromstring(draw.by_graphviz(graph, "svg"))
        texts = document.iter("{http://www.w3.org/2000/svg}text")
        assert f"x = {label}" in [each.text for each in texts]


def test_dot_quotes_names():
    text = dot(graph_with(HOSTILE))
    for line in text.splitlines()[4:-1]:
        plain = line.replace("\\\\", "").replace('\\"', "")
        assert plain.count('"') % 2 == 0, line
    assert '"step:/a" -> "step:/b" [style=dashed];' in dot(graph_with("/a"))


def test_mermaid_leaves_nothing_that_means_something():
    text = mermaid(graph_with(HOSTILE))
    for line in text.splitlines():
        label = line.partition('"')[2].rpartition('"')[0].replace("<br/>", "")
        assert not set(label) & set("<>\"'`&\\|{}[]\n"), line
    assert '  n0["/a<br/>hit · 500 ms saved"]:::hit' in mermaid(graph_with("/a"))
    assert "  n0 -.-> n1" in mermaid(graph_with("/a"))


def test_png_without_graphviz(monkeypatch):
    pytest.importorskip("resvg_py")
    monkeypatch.setattr(draw, "has_graphviz", lambda: False)
    picture = draw.picture(graph_with("/a"), "png")
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(draw.picture(graph_with(HOSTILE), "png")) > 1000


@pytest.mark.parametrize("fails", ["exit 1", "exec sleep 60"])
def test_what_graphviz_cannot_draw_is_drawn_without(monkeypatch, tmp_path, fails):
    """It takes many minutes for some graphs of 300 steps."""
    (tmp_path / "dot").write_text(f"#!/bin/sh\n{fails}\n")
    (tmp_path / "dot").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(draw, "_DOT_SECONDS", 1)
    graph = graph_with("/a")
    assert draw.picture(graph, "svg").decode() == svg(graph)
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(draw.DrawingError, match=r"graphviz .*ddsimport\[graph\]"):
        draw.picture(graph, "png")


def test_png_with_neither_says_what_to_install(monkeypatch):
    monkeypatch.setattr(draw, "has_graphviz", lambda: False)
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(draw.DrawingError, match=r"ddsimport\[graph\]"):
        draw.picture(graph_with("/a"), "png")


# --- the command ----------------------------------------------------------------------------------

PROGRAM = """
def double(rows):
    return [each * 2 for each in rows]

raw = [1, 2, 3]  # dds: /raw
out = double(raw)  # dds: /out
print(sum(out))
"""


def command(project, *words, code=0):
    ended = project.python("-m", "ddsimport", "graph", *words)
    assert ended.returncode == code, ended.stderr
    return ended.stdout if not code else ended.stderr


@pytest.fixture
def used(project):
    project.write(main=PROGRAM)
    project.run()
    return project


def test_texts_go_to_standard_output(used):
    assert command(used, "main.py", "--format", "mermaid").startswith("flowchart LR\n")
    assert command(used, "--format", "dot").startswith("digraph steps {\n")
    (line,) = command(used, "--json", "--steps-only").splitlines()  # as the help says of --json
    found = json.loads(line)
    assert [(node["label"], node["status"]) for node in found["nodes"]] == [
        ("/raw", "computed"),
        ("/out", "computed"),
    ]
    assert found["edges"] == [
        {"source": "step:/raw", "target": "step:/out", "kind": "data", "name": "raw"}
    ]


def test_pictures_and_pages_go_to_a_file(used):
    assert command(used, "main.py") == "main-graph.html\n"
    assert (used.root / "main-graph.html").read_text().startswith("<!DOCTYPE html>")
    assert command(used, "-o", "steps.svg", "--of", "/raw") == "steps.svg\n"
    assert "/raw" in "".join(ElementTree.parse(used.root / "steps.svg").getroot().itertext())
    assert command(used, "-o", "-", "--format", "svg").lstrip()[:5] in ("<svg ", "<?xml")


def test_what_would_run_now_is_drawn_so(used):
    used.run()
    used.edit("main.py", "each * 2", "each * 3")
    found = json.loads(command(used, "main.py", "--json"))
    steps = {node["label"]: node["status"] for node in found["nodes"] if node["kind"] == "step"}
    assert steps == {"/raw": "hit", "/out": "stale"}


def test_what_cannot_be_drawn_is_said(used):
    used.write(new="x = 1\n")
    said = command(used, "new.py", code=2)
    assert "no run of new.py" in said and "python -m ddsimport new.py" in said
    assert "there is no file gone.py" in command(used, "gone.py", code=2)
    assert ".svg" in command(used, "-o", "graph.pdf", code=2)
    assert "did you mean /raw?" in command(used, "--of", "/rwa", code=2)
    assert "No such file" in command(used, "-o", "no/such/graph.svg", code=2)


def test_before_any_run(project):
    assert "run a pipeline first" in command(project, code=2)


# --- in a program ---------------------------------------------------------------------------------


def test_a_program_draws_itself(project):
    project.write(
        main=PROGRAM
        + """
import ddsimport
drawing = ddsimport.graph()
print([node.label for node in drawing.only_steps().graph.nodes])
print(sorted(drawing._repr_mimebundle_()))
drawing.save("own.mmd")
try:
    drawing.save("own.xyz")
except ValueError as error:
    print(error)
"""
    )
    ended = project.run()
    assert ended.stdout.splitlines() == [
        "12",
        "['/raw', '/out']",
        "['image/svg+xml', 'text/html', 'text/plain']",
        "own.xyz has no suffix that says how to draw: .html, .svg, .png, .dot, .gv, .mmd, "
        ".mermaid, .json",
    ]
    assert (project.root / "own.mmd").read_text().startswith("flowchart LR")


def test_the_frame_of_a_notebook_holds_the_page(used):
    used.write(
        look="""
        import ddsimport
        import html.parser

        class Parser(html.parser.HTMLParser):
            def handle_starttag(self, tag, attributes):
                print(tag, dict(attributes)["srcdoc"][:15])

        Parser().feed(ddsimport.graph("main.py")._repr_html_())
        """
    )
    ended = used.python("look.py")
    assert ended.stdout == "iframe <!DOCTYPE html>\n", ended.stderr


def test_a_run_of_hits_imports_none_of_this(used):
    used.write(
        main=PROGRAM + "import sys\nprint([name for name in sys.modules if 'ddsimport' in name])\n"
    )
    used.run()
    imported = used.run().stdout
    assert "ddsimport.report.events" in imported
    for name in ("livefile", "graph", "page", "layout", "draw", "watch", "givers"):
        assert f"report.{name}'" not in imported
