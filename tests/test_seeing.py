"""`show`, `diff`, `status`, `doctor` and `ls` as a user meets them, and the installed command."""

from __future__ import annotations

import json
import sys
import sysconfig
from pathlib import Path

import pytest

from ddsimport.report.preview import as_html, as_text, preview, preview_html, preview_of
from ddsimport.store.store import Store
from tests.projects import Project

PROGRAM = """
import sys
LIMIT = 10
def table(n):
    return [{"n": i, "square": i * i} for i in range(n)]
def total(rows):
    return sum(row["square"] for row in rows if row["n"] < LIMIT)
n = int(sys.argv[1])
rows = table(n)  # dds: /rows
text = "\\n".join(str(row) for row in rows)  # dds: /text.txt
result = total(rows)  # dds: /result
print(result, len(text))
"""


def command(project, *words, code=0):
    ended = project.python("-m", "ddsimport", *words)
    assert ended.returncode == code, ended
    assert bool(ended.stderr) == (code == 2), ended
    return ended.stdout or ended.stderr


def answer(project, *words, code=0):
    return [json.loads(line) for line in command(project, *words, "--json", code=code).splitlines()]


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """Run with two inputs, and with an edit of the code. Tests do not change its store."""
    project = Project(tmp_path_factory.mktemp("used") / "project")
    project.write(main=PROGRAM)
    project.run("main.py", "3")
    project.run("main.py", "4")
    project.edit("main.py", "LIMIT = 10", "LIMIT = 2")
    project.edit("main.py", "return sum(row", "return sum(3 * row")
    project.run("main.py", "4")
    return project


def test_show(used):
    text = command(used, "show", "/result")
    assert text.splitlines()[1:] == ["3"] and "main.py:10" in text
    assert command(used, "show", "/result@-1").splitlines()[1:] == ["14"]
    (facts,) = answer(used, "show", "/rows")
    assert facts["path"] == "/rows" and facts["preview"]["kind"] == "text"
    assert Path(facts["view"]).read_text() and facts["seconds"] >= 0
    (past,) = answer(used, "show", "/rows@-1")
    assert past["blob"] != facts["blob"] and past["view"] == ""
    (named,) = answer(used, "show", f"/rows@{past['blob'][:8]}")
    assert named["blob"] == past["blob"]
    assert "the nearest is /rows" in command(used, "show", "/row", code=2)
    for no_version in ("abc", "--1", "²"):
        assert "no version" in command(used, "show", f"/rows@{no_version}", code=2)


def test_show_loads_nothing_that_must_not_be(project):
    project.write(main="x = frozenset({complex(1, 2)})  # dds: /pickled\n")
    project.run("main.py")
    (facts,) = answer(project, "ls", "/pickled")
    assert facts["codec"] == "pickle"
    assert "frozenset({(1+2j)})" in command(project, "show", "/pickled")
    store = Store.open(str(project.root / ".dds"))
    assert preview_of(store, "/pickled").kind == "text"
    assert "too large" in preview_of(store, "/pickled", most=10).text
    project.write_files({"pyproject.toml": "[tool.ddsimport]\npickle = false\n"})
    told = command(project, "show", "/pickled", code=1)
    assert "`pickle = false` rules it out" in told and "frozenset({(1+2j)})" in told


def test_diff(used):
    text = command(used, "diff", "/result", code=1)
    assert "14 -> 3" in text and "variable __main__.LIMIT: 10 -> 2" in text
    assert "-    return sum(row" in text and "+    return sum(3 * row" in text
    (facts,) = answer(used, "diff", "/rows@-1", "/rows", code=1)
    assert facts["value"] == ["3 items -> 4"] and not facts["same"]
    assert facts["inputs"] == ["n: 3 -> 4"] and facts["code"] == []
    text = command(used, "diff", "/text.txt", code=1)
    assert "+{'n': 3, 'square': 9}" in text.splitlines()
    assert "the same value" in command(used, "diff", "/rows", "/rows")
    assert "4 items" not in command(used, "diff", "/rows", "@0")
    (facts,) = answer(used, "diff", "/rows", "/result", code=1)
    assert "(list -> int)" in facts["value"][0]
    assert "no artifact at /none" in command(used, "diff", "/none", code=2)


def test_a_value_does_not_command_the_terminal(project):
    """Texts are taken from strangers, too; `show` and `diff` are how one looks at them."""
    program = """
    import pandas
    text = "a\\x1b]0;title\\x07\\x9b2J\\tb" + {more!r}  # dds: /text
    lines = text + "\\n\\x1b[2Jc"  # dds: /lines
    frame = pandas.DataFrame({{"\\x1bc": [text]}})  # dds: /frame
    """
    for more in ("", "!"):
        project.write(main=program.format(more=more))
        assert project.run("main.py").code == 0
    for path in ("/text", "/lines", "/frame"):
        for words, code in ((("show", path), 0), (("diff", path), 1)):
            ended = project.python("-m", "ddsimport", *words, encoding="utf-8")
            assert ended.returncode == code
            assert r"\x1b]0;title\x07" in ended.stdout or path == "/frame"
            assert not {"\x1b", "\x07", "\x9b"} & set(ended.stdout)
    assert "\x1b]0;" in answer(project, "show", "/text")[0]["preview"]["text"]


def test_status(used):
    (facts,) = answer(used, "status")
    assert facts["project"] == str(used.root) and facts["paths"] == 3
    assert facts["runs"] == 3 and facts["steps"] == 9 and facts["hits"] == 2
    assert facts["size"] == sum(facts["sizes"].values()) > 0
    assert [run["counts"]["hit"] for run in facts["last_runs"]] == [2, 0, 0]
    assert facts["last_runs"][0]["arguments"] == ["4"]
    text = command(used, "status", "-n", "1")
    assert "22 % of 9 steps were hits" in text and text.count("main.py 4") == 1
    assert answer(used, "status", "--namespace", "empty")[0]["runs"] == 0


def test_ls_and_log_speak_of_the_same_things(used):
    listed = {each["path"]: each for each in answer(used, "ls")}
    (newest, *_) = answer(used, "log", "/rows")
    for key in ("path", "blob", "size", "codec", "signature", "shown", "seconds"):
        assert listed["/rows"][key] == newest[key]


def doctor(project, code=0, environment=None):
    ended = project.python("-m", "ddsimport", "doctor", "--json", environment=environment)
    assert (ended.returncode, ended.stderr) == (code, ""), ended
    return {
        (line["about"], line["name"]): line for line in map(json.loads, ended.stdout.splitlines())
    }


def test_doctor(used):
    found = doctor(used)
    assert found["configuration", "project"]["said"] == str(used.root)
    assert found["store", "locks"]["state"] == "ok"
    assert "nothing needs attention" in command(used, "doctor")


def test_doctor_says_what_is_configured_where(project):
    project.write_files({"pyproject.toml": "[tool.ddsimport]\nlazy = false\n"})
    found = doctor(project, environment={"DDSIMPORT_NAMESPACE": "mine"})
    file = str(project.root / "pyproject.toml")
    assert found["configuration", "lazy"]["said"] == f"False ({file})"
    assert found["configuration", "namespace"]["said"] == "mine (DDSIMPORT_NAMESPACE)"
    assert found["configuration", "quiet"]["said"] == "False (default)"


def test_doctor_finds_what_is_wrong(project):
    project.write(main=PROGRAM)
    project.run("main.py", "4")
    for entry in (project.root / ".dds/entries/v1").glob("*/*"):
        entry.write_bytes(entry.read_bytes()[:-5])
    project.run("main.py", "4")
    project.write(never="x = 1 + 1  # dds: /never cache=off\n")
    project.run("never.py")
    project.write_files({"pyproject.toml": "[tool.ddsimport]\nbudget = '10 B'\n"})
    found = doctor(project, code=1)
    assert found["store", "damage"]["state"] == "problem"
    assert found["store", "budget"]["state"] == "problem"
    step = found["steps of the last runs", "/never (__main__:1)"]
    assert "cache=off" in step["said"]
    assert "2 things need attention" in command(project, "doctor", code=1)
    project.write_files({"pyproject.toml": "[tool.ddsimport]\nbudgets = '10 B'\n"})
    found = doctor(project, code=1)
    assert "did you mean `budget`" in found["configuration", "error"]["said"]


def test_doctor_before_the_first_run(project):
    found = doctor(project)
    assert "there is none" in found["store", "store"]["said"]
    assert not (project.root / ".dds").exists()


@pytest.mark.parametrize(
    "name",
    ["accept", "diff", "doctor", "gc", "key", "lint", "log", "ls", "plan", "pull", "push", "show",
     "status", "verify", "why"],
)  # fmt: skip
def test_every_command_answers_in_json_and_says_its_exit_codes(name):
    from importlib import import_module

    from ddsimport.commands.completion import _ParserError

    parsers = []

    def throw(parser, *_):
        parsers.append(parser)
        raise _ParserError(parser)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("argparse.ArgumentParser.parse_args", throw)
        with pytest.raises(_ParserError):
            import_module(f"ddsimport.commands.{name}").main([])
    text = parsers[0].format_help()
    assert "exit codes: 0 " in text
    assert "--json" in text or name == "key"


def test_the_installed_command(project):
    """What pip makes of `[project.scripts]` behaves as `python -m ddsimport`, and as `python`."""
    script = Path(sysconfig.get_path("scripts")) / "ddsimport"
    if not script.exists():
        pytest.skip("ddsimport is not installed here")
    project.write(
        main="""
        import sys, helper
        from multiprocessing import get_context
        def f(n):
            return helper.double(n)
        if __name__ == "__main__":
            x = f(2)  # dds: /x
            with get_context("spawn").Pool(1) as pool:
                print(pool.map(f, [x, 3]), sys.argv, sys.path[0] == sys.argv[0][:-8])
            helper.fail()
        """,
        helper="""
        def double(n):
            return 2 * n
        def fail():
            raise ValueError("no")
        """,
    )
    main = str(project.root / "main.py")
    plain = project.plain(main, "a", "-b")
    ours = project.python(str(script), "-q", main, "a", "-b")
    assert (ours.stdout, ours.stderr, ours.returncode) == (plain.stdout, plain.stderr, plain.code)
    planned = project.python(str(script), "plan", "--check", "--json", "main.py")
    assert (planned.returncode, planned.stderr) == (0, "")
    assert json.loads(planned.stdout)["steps"][0]["outlook"] == "hit"


# --- previews -------------------------------------------------------------------------------------


def test_previews_of_plain_values():
    assert as_text(preview({"a": [1, None], "b": "x"})) == (
        '{\n  "a": [\n    1,\n    null\n  ],\n  "b": "x"\n}'
    )
    assert as_text(preview({1: (2, {3})})) == "{1: (2, {3})}"
    long = preview(list(range(1000)))
    assert long.title == "list of 1,000" and "960 more" in long.text
    text = preview("line\n" * 500)
    assert text.text.count("\n") == 59 and text.more == "2,500 characters in all"
    assert "48 65 6c 6c 6f 00" in preview(b"Hello\0").text
    deep = current = []
    for _ in range(100):
        current.append([])
        current = current[0]
    assert len(preview(deep).text) < 500
    deep.append(deep)
    assert preview(deep).kind == "text"
    shared = [0] * 40
    for _ in range(5):
        shared = [shared] * 40
    assert len(preview(shared).text) < 9000  # and it ends


@pytest.mark.parametrize(
    "obeyed", ["\x1b]0;title\x07", "\x1b[2J", "\x9b31m", "a\rb", "\b", "\u202e"]
)
def test_what_a_terminal_would_obey_is_shown_as_an_escape(obeyed):
    class Own:
        def __repr__(self):
            return obeyed

    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({f"name\n{obeyed}": ["é 日\u3000本", f"a\tcell {obeyed}"]})
    for value in (obeyed, [obeyed], {obeyed: 1}, frame, Own(), [Own()]):
        text = as_text(preview(value))
        assert set(text) - {"\n", "\u3000"} <= set(filter(str.isprintable, text))
    lines = as_text(preview(frame)).splitlines()
    assert len(lines) == 5 and "name\\n" in lines[1]
    assert "é 日\u3000本" in lines[3] and "a\\tcell" in lines[4]
    assert as_text(preview("a\tb\n")).splitlines()[1] == "a       b"


def test_lone_surrogates_are_shown(project):
    project.write(main="x = '\\ud800 alone'  # dds: /x\n")
    project.run("main.py")
    assert command(project, "show", "/x").splitlines()[2] == "\\ud800 alone"


def test_a_value_whose_own_code_fails_is_told():
    class Bad:
        def __repr__(self):
            raise RuntimeError("no")

    shown = preview(Bad())
    assert shown.kind == "none" and "RuntimeError" in shown.text
    assert "RuntimeError" in preview_html(Bad())


def test_previews_of_tables():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"n": range(30), "text": ["<b>" * 30] * 30, "x": [0.1 + 0.2] * 30})
    shown = preview(frame)
    assert shown.head == (("", "int64"), ("n", "int64"), ("text", str(frame.dtypes["text"])),
                          ("x", "float64"))  # fmt: skip
    assert len(shown.rows) == 10 and shown.rows[3][1] == "3" and shown.rows[0][3] == "0.3"
    assert shown.more == "30 rows in all"
    html = as_html(shown)
    assert "<table>" in html and "<b>" not in html and "&lt;b&gt;" in html
    narrow = as_text(shown, 30)
    assert "more columns do not fit" in narrow
    assert max(map(len, as_text(shown, 90).splitlines())) <= 90
    pl = pytest.importorskip("polars")
    assert preview(pl.DataFrame({"a": [1, 2]})).rows == (("1",), ("2",))
    assert preview(pl.DataFrame({"a": [1, 2]}).to_arrow()).rows == (("1",), ("2",))
    assert preview(pd.DataFrame()).kind == "table"
    struct = pl.DataFrame({"n" * 90: [{f"field {n}": n for n in range(90)}]})
    assert max(len(text) for pair in preview(struct).head for text in pair) == 50
    row = {f"c{n}": [n] for n in range(50)}
    for wide in (pd.DataFrame(row), pl.DataFrame(row), pl.DataFrame(row).to_arrow()):
        shown_wide = preview(wide)
        assert shown_wide.more == "50 columns in all"
        assert shown_wide.head[-1][0] == "c39" and shown_wide.rows[0][-1] == "39"
        assert as_text(shown_wide).splitlines()[1].split() == [f"c{n}" for n in range(40)]
    assert preview(frame["n"]).head[1] == ("n", "int64")
    indexed = frame.set_index(["n", "text"])
    assert preview(indexed).rows[0][0].startswith("(0, ")


def test_previews_of_arrays():
    np = pytest.importorskip("numpy")
    assert preview(np.arange(1e6)).text.endswith("min 0, mean 500000, max 999999")
    assert "2 NaN" in preview(np.array([1.0, np.nan, np.nan])).text
    assert "1 of 2 are true" in preview(np.array([True, False])).text
    assert preview(np.array([np.nan])).text.endswith("all are NaN")
    assert len(preview(np.zeros((1000, 1000))).text) < 2000
    masked = preview(np.ma.array([[1, 2], [3, 4]], mask=[[0, 1], [0, 0]]))
    assert masked.title == "MaskedArray int64 (2, 2)" and "--" in masked.text
    pa = pytest.importorskip("pyarrow")
    assert as_text(preview(pa.array([1, None]))) == "Int64Array of 2\n[\n  1,\n  null\n]"


def test_pictures():
    image = pytest.importorskip("PIL.Image").new("RGB", (20, 10), (250, 0, 0))
    shown = preview(image)
    assert shown.kind == "image" and shown.image.startswith(b"\x89PNG")
    html = as_html(shown)
    assert html.count("data:image/png;base64,") == 1
    assert preview(shown.image).kind == "image"
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([1, 2])
    canvas = figure.canvas
    assert preview(figure).image.startswith(b"\x89PNG")
    assert figure.canvas is canvas


def test_how_pictures_get_to_a_terminal():
    pil = pytest.importorskip("PIL.Image")
    from ddsimport.report import pictures

    assert pictures.way_of({"TERM": "xterm-kitty"}) == "kitty"
    assert pictures.way_of({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}) == "iterm"
    assert pictures.way_of({"TERM": "xterm-256color"}) is None
    assert pictures.way_of({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1"}) is None
    image = pil.new("RGB", (40, 20), (255, 0, 0))
    image.paste((0, 0, 255), (0, 10, 40, 20))
    drawn = pictures.blocks(image, 20, 20, all_colours=True)
    lines = drawn.splitlines()
    assert len(lines) == 5 and lines[0].count("▀") == 20
    assert "38;2;255;0;0;48;2;255;0;0" in lines[0] and "48;2;0;0;255" in lines[-1]
    assert "38;5;196" in pictures.blocks(image, 20, 20, all_colours=False)
    assert sixel_pixels(pictures.sixels(image)) == [
        [(100, 0, 0)] * 40 if y < 10 else [(0, 0, 100)] * 40 for y in range(20)
    ]
    sent = pictures._kitty(preview(image).image * 1, 80)
    assert sent.startswith("\x1b_Gf=100,a=T") and sent.endswith("\x1b\\\n")


def sixel_pixels(text):
    """A reader of sixels, to hold against what is drawn."""
    import re

    assert text.startswith('\x1bPq"1;1;') and text.endswith("\x1b\\\n")
    wide, high = map(int, re.match(r'\x1bPq"1;1;(\d+);(\d+)', text).groups())
    body = text[text.index("#") : -3]
    pixels = [[None] * wide for _ in range(high)]
    palette, colour, x, top = {}, 0, 0, 0
    for token in re.finditer(r"#(\d+)(?:;2;(\d+);(\d+);(\d+))?|!(\d+)([?-~])|([?-~])|([$-])", body):
        number, red, green, blue, count, repeated, letter, move = token.groups()
        if number is not None:
            colour = int(number)
            if red is not None:
                palette[colour] = int(red), int(green), int(blue)
        elif move == "$":
            x = 0
        elif move == "-":
            x, top = 0, top + 6
        else:
            bits = ord(repeated or letter) - 63
            end = x + int(count or 1)
            for line in range(6):
                if bits >> line & 1:
                    pixels[top + line][x:end] = [palette[colour]] * (end - x)
            x = end
    return pixels


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_on_a_terminal(project):
    pytest.importorskip("pyte")
    pytest.importorskip("PIL")
    from tests.terminals import on_terminal

    project.write(
        main="""
        from PIL import Image
        picture = Image.new("RGB", (30, 20), (200, 10, 10))  # dds: /picture
        number = 3 + 4  # dds: /number
        print(picture.size, number)
        """
    )
    run = on_terminal(project.root, "-m", "ddsimport", "main.py")
    assert [line.split()[:2] for line in run.screen[1:4]] == [
        ["path", "took"], ["/picture", "computed"], ["/number", "computed"]
    ]  # fmt: skip
    assert run.screen[4].startswith("ddsimport: 2 steps: 2 computed")
    again = on_terminal(project.root, "-m", "ddsimport", "main.py", environment={"NO_COLOR": "1"})
    assert b"\x1b" not in again.written and "/picture" in again.screen[2]
    shown = on_terminal(project.root, "-m", "ddsimport", "show", "/picture")
    assert "▀".encode() in shown.written and "Image 30 x 20" in shown.screen
    listed = on_terminal(project.root, "-m", "ddsimport", "ls")
    assert any("/number" in line and "json" in line for line in listed.screen)
    plain = project.python("-m", "ddsimport", "ls").stdout
    assert "\x1b" not in plain and plain.splitlines()[0].endswith("/number")
