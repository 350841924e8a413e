"""The page of the graph, looked at and clicked through in headless Chromium."""

from __future__ import annotations

import json
import re

import pytest
from browser import Visit, chromium
from projects import Project

from ddsimport.report.events import Event
from ddsimport.report.graph import Edge, Graph, Node
from ddsimport.report.page import html

HOSTILE = "</script><script>window.taken=1</script><img src=x onerror='window.taken=1'>\"&lt;"

PROGRAM = f'''
LIMIT = 3

def make(n):
    """A list."""
    return list(range(n))

def double(rows):
    return [each * 2 for each in rows[:LIMIT]]

def inner(n):  # dds: /pipe/inner/{{n}}
    return [n]

raw = make(5)  # dds: /pipe/raw
hostile = {HOSTILE!r}
doubled = double(raw)  # dds: /pipe/doubled.json
text = str(len(doubled)) + hostile  # dds: /pipe/text.txt
both = inner(1) + inner(2)  # dds: /pipe/both
for i in range(12):
    part = make(i)  # dds: /pipe/part/{{i}}
print(len(text), both, part)
'''


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """The page of a program that has run thrice, with an edit in between, and one after."""
    project = Project(tmp_path_factory.mktemp("page") / "project")
    project.write(main=PROGRAM)
    for before, after in (("* 2", "* 3"), ("LIMIT = 3", "LIMIT = 4"), ("* 3 ", "* 5 ")):
        assert project.run().code == 0
        project.edit("main.py", before, after)
    ended = project.python("-m", "ddsimport", "graph", "main.py")
    assert ended.returncode == 0, ended.stderr
    return project.root / "main-graph.html"


@pytest.fixture
def visit(browser, file):
    with Visit(browser, file.as_uri()) as found:
        yield found
        assert found.wrong == []
        assert found.requests == [file.as_uri()], "it asks for more than itself"


def labels(page):
    return page.locator("#nodes .node").evaluate_all("boxes => boxes.map(box => box.dataset.id)")


def panel(page):
    return page.locator("#panel")


def node(page, path):
    return page.locator(f'[data-id="step:{path}"]')


def scale(page):
    transform = page.locator("#world").get_attribute("transform")
    return float(re.search(r"scale\(([\d.e-]+)\)", transform)[1])


def test_steps_are_drawn_in_view(visit):
    page = visit.page
    assert set(labels(page)) == {
        "step:/pipe/raw", "step:/pipe/doubled.json", "step:/pipe/text.txt", "step:/pipe/both",
        "step:/pipe/inner/1", "step:/pipe/inner/2", "step:/pipe/part/*",
    }  # fmt: skip
    stage = page.locator("#stage").bounding_box()
    for box in page.locator("#nodes .node").all():
        place = box.bounding_box()
        assert stage["x"] <= place["x"] <= stage["x"] + stage["width"] - place["width"]
        assert stage["y"] <= place["y"] <= stage["y"] + stage["height"] - place["height"]
    assert (
        page.locator("#summary")
        .inner_text()
        .startswith("14 hits · 1 would run · 1 may run · 2 did not run")
    )
    assert "stale" in node(page, "/pipe/doubled.json").get_attribute("class")
    assert "would run" in page.locator("#legend").inner_text()


def test_a_click_tells_all_about_a_step(visit):
    page = visit.page
    node(page, "/pipe/doubled.json").click()
    told = panel(page).inner_text()
    for words in (
        "/pipe/doubled.json",
        "would run",
        "main.py:",
        "-LIMIT = 3" if "-LIMIT = 3" in told else "LIMIT: 3 -> 4",  # the last diff
        "doubled = double(raw)",  # its code
        "[0, 3, 6, 9]",  # its value
        "History",
    ):
        assert words in told, words
    assert panel(page).locator("table tbody tr").count() == 3
    panel(page).locator("summary", has_text="double").click()
    assert "return [each * 3" in panel(page).inner_text()
    panel(page).get_by_role("button", name="/pipe/raw").click()
    assert panel(page).locator("h2").inner_text() == "/pipe/raw"
    assert "chosen" in node(page, "/pipe/raw").get_attribute("class")
    panel(page).get_by_role("button", name="Close").click()
    assert panel(page).is_hidden()


def test_code_of_what_was_not_kept_and_its_reason_said_once(browser, project):
    project.write(
        main="""
        import parts

        rows = [1]  # dds: /rows
        last = parts.last(
            rows
        )  # dds: /last
        """,
        parts="""
        def last(rows):
            made = (n for n in rows)  # dds: /made
            return list(made)[7]
        """,
    )
    assert project.run().code == 1
    project.edit("main.py", "import parts", "import parts\n# an edit")
    project.python("-m", "ddsimport", "graph", "main.py")
    with Visit(browser, (project.root / "main-graph.html").as_uri()) as visit:
        for path, place, code, reason in (
            ("/last", "main.py:4", "last = parts.last(\n    rows\n)  # dds: /last", "it raised"),
            ("/made", "parts.py:2", "made = (n for n in rows)  # dds: /made", "shares a part"),
        ):
            node(visit.page, path).click()
            panel(visit.page).locator("h2", has_text=path).wait_for()
            told = panel(visit.page).inner_text()
            assert place in told and code in told, told
            assert told.lower().count(reason) == 1, told


def test_what_others_wrote_is_text(visit):
    page = visit.page
    node(page, "/pipe/text.txt").click()
    assert "</script><script>window.taken=1</script>" in panel(page).inner_text()
    assert page.evaluate("window.taken") is None
    assert page.locator("#panel img, #panel script").count() == 0


def test_the_policy_stops_what_would_run_all_the_same(browser, file):
    with Visit(browser, file.as_uri()) as visit:
        visit.page.evaluate(
            "document.body.append(Object.assign(document.createElement('script'),"
            " {textContent: 'window.taken = 1'}))"
        )
        assert visit.page.evaluate("window.taken") is None
        assert any("Content Security Policy" in each for each in visit.wrong)


def test_many_values_of_a_step(visit):
    page = visit.page
    node(page, "/pipe/part/*").click()
    assert "/pipe/part/11" in panel(page).inner_text()
    panel(page).get_by_role("button", name="/pipe/part/7", exact=True).click()
    assert "[0, 1, 2, 3, 4, 5, 6]" in panel(page).inner_text()


def test_the_head_counts_each_value_as_what_became_of_it(browser, project):
    project.write(
        main="""
        for i in range(12):
            part = [10 // (11 - i)]  # dds: /part/{i}
        """
    )
    assert project.run().code == 1
    project.python("-m", "ddsimport", "graph", "main.py")
    with Visit(browser, (project.root / "main-graph.html").as_uri()) as visit:
        said = visit.page.locator("#summary").inner_text()
        assert said.startswith("11 ran · 1 failed · "), said


def test_everything_and_back(visit):
    page = visit.page
    page.get_by_role("button", name="Everything").click()
    assert {"code:main.py:double", "code:main.py:make", "step:/pipe/raw"} <= set(labels(page))
    page.locator('[data-id="code:main.py:double"]').click()
    assert "/pipe/doubled.json" in panel(page).inner_text()
    page.keyboard.press("e")
    assert not [each for each in labels(page) if each.startswith("code:")]


def test_colour_by_cost(visit):
    page = visit.page
    before = page.evaluate("getComputedStyle(document.querySelector('.node .box')).fill")
    page.get_by_role("button", name="Cost").click()
    assert "to evaluate" in page.locator("#legend").inner_text()
    assert page.evaluate("getComputedStyle(document.querySelector('.node .box')).fill") != before
    page.keyboard.press("c")
    assert "hit" in page.locator("#legend").inner_text()


def test_search(visit):
    page = visit.page
    page.keyboard.press("/")
    page.keyboard.type("inner")
    assert page.locator("#found").inner_text() == "2"
    assert page.locator(".node.found").count() == 2
    page.keyboard.press("Enter")
    assert panel(page).locator("h2").inner_text() == "/pipe/inner/1"
    page.keyboard.press("Enter")
    assert panel(page).locator("h2").inner_text() == "/pipe/inner/2"
    page.keyboard.press("Escape")
    assert page.locator("#search").input_value() == ""
    assert page.locator(".node.found").count() == 0
    page.keyboard.press("Escape")
    assert panel(page).is_hidden()


def test_search_goes_to_the_first_one_found_first(visit):
    """Also to the step that the keys would go to first, which nobody has looked at yet."""
    page = visit.page
    page.keyboard.press("/")
    page.keyboard.type("pipe")
    found = page.locator(".node.found").evaluate_all(
        "boxes => boxes.map(box => [box.transform.baseVal[0].matrix, box.dataset.id])"
        ".sort(([one, ], [other, ]) => one.e - other.e || one.f - other.f).map(([, id]) => id)"
    )
    for name in found[:2]:
        page.keyboard.press("Enter")
        page.locator(f'.node.chosen[data-id="{name}"]').wait_for(timeout=5000)


def test_by_keys_alone(visit):
    page = visit.page

    def here():
        return page.evaluate("document.activeElement.dataset.id")

    for _ in range(12):
        page.keyboard.press("Tab")
        if here():
            break
    page.keyboard.press("/")
    page.keyboard.type("raw")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert here() == "step:/pipe/raw"
    page.keyboard.press("ArrowRight")
    assert here() == "step:/pipe/doubled.json"
    page.keyboard.press("ArrowRight")
    assert here() == "step:/pipe/text.txt"
    page.keyboard.press("ArrowLeft")
    assert here() == "step:/pipe/doubled.json"
    page.keyboard.press("Enter")
    assert panel(page).locator("h2").inner_text() == "/pipe/doubled.json"
    assert page.evaluate("document.activeElement.id") == "panel"
    page.keyboard.press("Escape")
    assert panel(page).is_hidden()
    assert here() == "step:/pipe/doubled.json"
    page.keyboard.press("ArrowDown")
    assert here() not in (None, "step:/pipe/doubled.json")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#keys").is_hidden()


def test_pan_and_zoom(visit):
    page = visit.page
    before = scale(page)
    page.keyboard.press("+")
    assert scale(page) > before
    page.get_by_role("button", name="Show all").click()
    assert scale(page) == before
    point = node(page, "/pipe/raw").bounding_box()
    page.mouse.move(point["x"] + 5, point["y"] + 5)
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(50)  # for the event to arrive
    after = node(page, "/pipe/raw").bounding_box()
    assert after["width"] > point["width"]
    assert abs(after["x"] - point["x"]) < 12, "what is under the pointer stays there"
    stage = page.locator("#stage").bounding_box()
    page.mouse.move(stage["x"] + 20, stage["y"] + 20)
    page.mouse.down()
    page.mouse.move(stage["x"] + 140, stage["y"] + 80, steps=4)
    page.mouse.up()
    moved = node(page, "/pipe/raw").bounding_box()
    assert abs(moved["x"] - after["x"] - 120) < 1 and abs(moved["y"] - after["y"] - 60) < 1
    assert panel(page).is_hidden(), "a drag is no click"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(browser, file, scheme, tmp_path):
    with Visit(browser, file.as_uri(), color_scheme=scheme) as visit:
        page = visit.page

        def brightness():
            colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
            return sum(map(int, re.findall(r"\d+", colour)[:3])) / 3

        assert (brightness() > 128) is (scheme == "light")
        for name in ("light", "dark"):
            page.locator("#theme").click()
            assert page.locator("#theme").inner_text().lower() == name
            assert (brightness() > 128) is (name == "light")
        page.reload()
        assert page.locator("#theme").inner_text() == "Dark", "it is remembered"
        page.screenshot(path=tmp_path / f"{scheme}.png")
        assert visit.wrong == []


def contrast(one, other):
    def luminance(colour):
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read(browser, file, scheme):
    """Contrast of texts and names of controls, as WCAG asks for (AA)."""
    with Visit(browser, file.as_uri(), color_scheme=scheme) as visit:
        page = visit.page
        node(page, "/pipe/doubled.json").click()
        surface = page.evaluate(
            "getComputedStyle(document.querySelector('header')).backgroundColor"
        )
        for place in ("#summary", "#panel .badge", "#panel .facts", "#panel h3", ".choice button"):
            colour = page.evaluate(f"getComputedStyle(document.querySelector('{place}')).color")
            assert contrast(colour, surface) >= 4.5, (place, colour, surface)
        nameless = page.locator("button, input, [role=button]").evaluate_all(
            "all => all.filter(e => !(e.getAttribute('aria-label') || e.textContent.trim()))"
            ".map(e => e.outerHTML)"
        )
        assert nameless == []
        assert page.locator("#nodes [tabindex='0']").count() == 1
        told = node(page, "/pipe/doubled.json").get_attribute("aria-label")
        assert told == "/pipe/doubled.json, would run"


def test_a_small_window(browser, file):
    with Visit(browser, file.as_uri(), viewport={"width": 480, "height": 760}) as visit:
        node(visit.page, "/pipe/raw").click()
        box = panel(visit.page).bounding_box()
        assert box["width"] >= 470 and box["y"] > 200
        assert visit.wrong == []


def page_of_many(folder, steps):
    """The address of a page with 300 steps, where `steps(n)` says what the n-th is used by."""
    nodes = [
        Node(f"step:/s{n}", "step", f"/s{n}", "", Event(f"/s{n}", "m", n, "hit", "", 0.0, n, ""))
        for n in range(300)
    ]
    edges = [
        Edge(f"step:/s{n}", f"step:/s{n + step}", "data", "x")
        for n in range(300)
        for step in steps(n)
        if n + step < 300
    ]
    place = folder / "many.html"
    place.write_text(html(Graph("many.py", "", tuple(nodes), tuple(edges))))
    return place.as_uri()


def test_all_of_a_long_chain_is_shown(browser, tmp_path):
    with Visit(browser, page_of_many(tmp_path, lambda n: (1,))) as visit:
        last = node(visit.page, "/s299").bounding_box()
        assert last["x"] + last["width"] < 1280
        visit.page.keyboard.press("-")
        zoomed = scale(visit.page)
        visit.page.keyboard.press("+")
        assert scale(visit.page) > zoomed, "it goes on from where it is"
        assert visit.wrong == []


def test_three_hundred_steps(browser, tmp_path):
    """Drawn, and a step found and opened, while the page stays responsive."""
    with Visit(browser, page_of_many(tmp_path, lambda n: (1 + n % 7, 13))) as visit:
        page = visit.page
        assert page.locator("#nodes .node").count() == 300
        page.keyboard.press("/")
        page.keyboard.type("/s250")
        page.keyboard.press("Enter")
        assert panel(page).locator("h2").inner_text() == "/s250"
        assert node(page, "/s250").bounding_box()["height"] > 20, "it is large enough to read"
        assert visit.wrong == []


def test_the_page_holds_its_data_as_one_json(file):
    text = file.read_text()
    data = text.partition('<script type="application/json" id="data">')[2].partition("</script>")[0]
    assert HOSTILE in json.dumps(json.loads(data), ensure_ascii=False).replace('\\"', '"')
    assert text.count("<script") == 2
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", text)
