"""Programs of the shape of dds_py's README, user guide and tutorials, on ours and on the real one.

All that a function prints says that it was evaluated: neither prints it again on a hit. What each
run must print is written here; where dds_py is installed (and runs: it knows nothing later than
Python 3.11), it is held to the same text, or to its own where the two differ by intent.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from importlib import metadata

import pytest
from projects import ROOT, Project


def _is_there() -> bool:
    try:
        metadata.version("dds_py")  # no look for `dds`: a folder of tests has that name
    except metadata.PackageNotFoundError:
        return False
    return sys.version_info < (3, 12)


HEAD = """\
import {module} as dds
import os, pathlib
FOLDER = os.path.dirname(os.path.abspath(__file__))
dds.set_store("local", internal_dir=FOLDER + "/internal", data_dir=FOLDER + "/data")
"""


@dataclass
class Case:
    """A program, and what its runs print.

    Attributes:
        runs: what each run prints.
        edits: of files (name, before, after), by the number of the run that comes next.
        theirs: what dds_py prints, where that is something else.
        others: other files.
    """

    text: str
    runs: list[str]
    edits: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    theirs: list[str] | None = None
    others: dict[str, str] = field(default_factory=dict)


def case(text: str, *runs: str, **more: object) -> Case:
    from textwrap import dedent

    return Case(dedent(text).lstrip("\n"), [dedent(run).lstrip("\n") for run in runs], **more)


def _from_our_readme() -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("## Coming from …")[2].partition("\n## ")[0]
    block = section.rpartition("```python\n")[2].partition("```")[0]
    return block.replace("import ddsimport.dds as dds\n", "")


CASES = {
    "our own example": case(_from_our_readme(), "numbers is called\n6 6\n", "6 6\n"),
    "the first example, with its older decorator": case(
        """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)

        @dds.dds_function("/weather")
        def weather() -> str:
            print("reading")
            return pathlib.Path(FOLDER, "weather.csv").read_bytes().decode()

        print(weather(), open(FOLDER + "/data/weather").read())
        """,
        "reading\nsun sun\n",
        "sun sun\n",
        others={"weather.csv": "sun"},
    ),
    "a data function, defined again": case(
        """
        @dds.data_function("/greeting")
        def greeting():
            print("greeting")
            return "Good morning"

        print(greeting(), greeting())

        @dds.data_function("/greeting")
        def greeting():
            print("greeting")
            return "Good morning"

        print(greeting(), open(FOLDER + "/data/greeting").read())
        """,
        "greeting\nGood morning Good morning\nGood morning Good morning\n",
        "Good morning Good morning\nGood morning Good morning\n",
        "greeting\nGood evening Good evening\nGood evening Good evening\n",
        edits={2: ("main.py", "morning", "evening")},
    ),
    "a variable, there and back": case(
        """
        number = 1

        @dds.data_function("/number")
        def kept():
            print("kept")
            return number * 10

        print(kept(), kept())
        number = 2
        print(kept())
        number = 1
        print(kept(), dds.load("/number"))
        """,
        "kept\n10 10\nkept\n20\n10 10\n",
        "10 10\n20\n10 10\n",
    ),
    "arguments": case(
        """
        def greet(name, mark="!"):
            print("greet", name)
            return f"Hello, {name}{mark}"

        print(dds.keep("/greeting", greet, "you"))
        print(dds.keep("/greeting", greet, name="you"), dds.keep("/greeting", greet, "you", "!"))
        print(dds.keep("/greeting", greet, "you", mark="?"))
        print(dds.keep(pathlib.Path("/greeting"), greet, "me"), dds.load(pathlib.Path("/greeting")))
        """,
        """
        greet you
        Hello, you!
        Hello, you! Hello, you!
        greet you
        Hello, you?
        greet me
        Hello, me! Hello, me!
        """,
        """
        Hello, you!
        Hello, you! Hello, you!
        Hello, you?
        Hello, me! Hello, me!
        """,
    ),
    # dds_py takes the lines before the call for the value of the argument, so it does not see the
    # file change; here an open file has no value, and the function is called each time.
    "an argument without a value": case(
        """
        def first_line(file):
            print("first_line")
            return file.readline().strip()

        def opened():
            print("opened")
            with open(FOLDER + "/name.txt") as file:
                return dds.keep("/line", first_line, file)

        print(dds.eval(opened), dds.load("/line"))
        """,
        "opened\nfirst_line\nAda Ada\n",
        "opened\nfirst_line\nAda Ada\n",
        "opened\nfirst_line\nEve Eve\n",
        theirs=["opened\nfirst_line\nAda Ada\n", "opened\nAda Ada\n", "opened\nAda Ada\n"],
        edits={2: ("name.txt", "Ada", "Eve")},
        others={"name.txt": "Ada\n"},
    ),
    "what is loaded counts": case(
        """
        @dds.data_function("/first")
        def first():
            print("first")
            return 1

        @dds.data_function("/second")
        def second():
            print("second")
            return dds.load("/first") * 10

        print(first())
        print(second(), dds.eval(second))
        """,
        "first\n1\nsecond\n10 10\n",
        "1\n10 10\n",
        "first\n5\nsecond\n50 50\n",
        edits={2: ("main.py", "return 1", "return 5")},
    ),
    # dds_py lets paths show what was kept when all of an `eval` has ended.
    "what is loaded after it is kept": case(
        """
        number = 1

        def f():
            return number

        def pipeline():
            return dds.keep("/f", f), dds.load("/f")

        dds.keep("/f", f)
        number = 2
        print(dds.eval(pipeline))
        print(dds.eval(pipeline))
        """,
        "(2, 2)\n(2, 2)\n",
        theirs=["(2, 1)\n(2, 2)\n"],
    ),
    "keeps inside keeps": case(
        """
        def base():
            print("base")
            return "a"

        def small():
            return dds.keep("/small", base)

        def twice():
            print("twice")
            return small() + small()

        def most():
            twice()
            return small() + dds.keep("/twice", twice)

        print(dds.eval(small), dds.keep("/most", most))
        print(dds.load("/most"), dds.load("/twice"), dds.load("/small"))
        """,
        "base\ntwice\ntwice\na aaa\naaa aa a\n",
        "a aaa\naaa aa a\n",
    ),
    "code that is reached": case(
        """
        import helpers
        from helpers import Model, half
        dds.accept_module("helpers")

        def table(rows):
            print("table")
            return [half(row) for row in rows]

        def fitted():
            print("fitted")
            return Model(2).fit(4)

        print(dds.keep("/table", table, [2, 4]), dds.keep("/fitted", fitted))
        """,
        "table\nfitted\n[1, 2] 8\n",
        "[1, 2] 8\n",
        "fitted\n[1, 2] 9\n",
        "table\n[11, 12] 9\n",
        others={
            "helpers.py": """
                def half(x):
                    return x // 2

                class Model:
                    def __init__(self, depth):
                        self.depth = depth

                    def fit(self, x):
                        return self.depth * x
                """
        },
        edits={
            2: ("helpers.py", "self.depth * x", "self.depth * x + 1"),
            3: ("helpers.py", "x // 2", "x // 2 + 10"),
        },
    ),
    # A comment is no change here; a module that was not accepted is code all the same.
    "code that is not accepted, and comments": case(
        """
        import important
        import tools
        dds.accept_module("important")
        dds.accept_module(important)
        print(important.counted())
        tools.number = 2
        print(important.counted())
        """,
        "counting\n2\ncounting\n4\n",
        "2\n4\n",
        "2\n4\n",
        theirs=["counting\n2\n2\n", "2\n2\n", "counting\n2\n2\n"],
        others={
            "important.py": """
                import {module} as dds
                from tools import given

                @dds.data_function("/counted")
                def counted():
                    print("counting")
                    return given() * 2
                """,
            "tools.py": "number = 1\n\ndef given(): return number\n",
        },
        edits={2: ("important.py", "    return", "    # doubled\n    return")},
    ),
    "two who share": case(
        """
        def store_of(name):
            dds.set_store(
                "local", data_dir=FOLDER + "/" + name, internal_dir=FOLDER + "/internal"
            )

        def shown(name):
            return open(FOLDER + "/" + name + "/names").read()

        @dds.data_function("/names")
        def names():
            print("names")
            return "Ada"

        store_of("main")
        print(names())
        store_of("fork")
        print(names())

        @dds.data_function("/names")
        def names():
            print("names")
            return "Ada, Eve"

        print(names(), "/", shown("main"), "/", shown("fork"))
        store_of("main")
        print(dds.load("/names"), "/", names(), "/", shown("main"), "/", shown("fork"))
        """,
        """
        names
        Ada
        Ada
        names
        Ada, Eve / Ada / Ada, Eve
        Ada / Ada, Eve / Ada, Eve / Ada, Eve
        """,
        """
        Ada
        Ada
        Ada, Eve / Ada / Ada, Eve
        Ada / Ada, Eve / Ada, Eve / Ada, Eve
        """,
    ),
    "a pipeline of frames and models": case(
        """
        import json
        from sklearn.datasets import load_wine
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.model_selection import train_test_split

        PATH = "/wine/model"

        @dds.data_function("/wine/raw")
        def raw():
            print("raw")
            return load_wine(as_frame=True).frame

        def fit(x, y):
            print("fit")
            return RandomForestClassifier(n_estimators=5).fit(x, y)

        def scores(model, x, y):
            print("scores")
            return json.dumps({"accuracy": model.score(x, y)})

        def pipeline():
            frame = raw()
            x, y = frame.drop("target", axis=1), frame["target"]
            x, x_test, y, y_test = train_test_split(x, y, random_state=123, stratify=y)
            model = dds.keep(PATH, fit, x, y)
            found = dds.keep("/wine/scores.json", scores, model, x_test, y_test)
            print("done", json.loads(found)["accuracy"] > 0.5)

        dds.eval(pipeline)
        print(type(dds.load(PATH)).__name__, len(dds.load("/wine/raw")))
        print(list(json.load(open(FOLDER + "/data/wine/scores.json"))))
        """,
        "raw\nfit\nscores\ndone True\nRandomForestClassifier 178\n['accuracy']\n",
        "done True\nRandomForestClassifier 178\n['accuracy']\n",
        "scores\ndone True\nRandomForestClassifier 178\n['accuracy', 'rows']\n",
        edits={2: ("main.py", "model.score(x, y)}", 'model.score(x, y), "rows": len(x)}')},
    ),
    "in memory, and nowhere": case(
        """
        numbers = [1, 2]

        @dds.data_function("/sum")
        def total():
            print("total")
            return sum(numbers)

        dds.set_store("memory")
        print(total(), total(), dds.load("/sum"))
        dds.set_store("noop")
        print(total(), total())
        try:
            dds.load("/sum")
        except dds.DDSException as error:
            print(type(error).__name__)
        dds.set_store("memory")
        print(total())
        numbers.append(3)
        print(total(), os.path.exists(FOLDER + "/data/sum"))
        """,
        "total\n3 3 3\ntotal\ntotal\n3 3\nDDSException\ntotal\n3\ntotal\n6 False\n",
        "total\n3 3 3\ntotal\ntotal\n3 3\nDDSException\ntotal\n3\ntotal\n6 False\n",
    ),
    "functions as arguments, lambdas, defaults": case(
        """
        def shift(x):
            return x + 1

        def mapped():
            print("mapped")
            return list(map(shift, range(3)))

        def scaled(x, by=(2, 3)):
            print("scaled")
            return [x * each for each in by]

        print(dds.keep("/mapped", mapped), dds.keep("/scaled", scaled, 5))
        print(dds.keep("/scaled", scaled, 5, (2, 3)), dds.keep("/one", lambda: 1))
        """,
        "mapped\nscaled\n[1, 2, 3] [10, 15]\n[10, 15] 1\n",
        "[1, 2, 3] [10, 15]\n[10, 15] 1\n",
        "mapped\n[2, 3, 4] [10, 15]\n[10, 15] 1\n",
        edits={2: ("main.py", "x + 1", "x + 2")},
    ),
    "stages, options, objects in memory": case(
        """
        dds.set_store(
            "local", internal_dir=FOLDER + "/internal", data_dir=FOLDER + "/data", cache_objects=2
        )
        dds.set_option("extra_debug", False)
        print(dds.get_option("extra_debug"), dds.get_option("hash.max_sequence_size"))
        dds.reset_option("extra_debug")
        print(dds.get_option("extra_debug"))

        def listed():
            print("listed")
            return [1]

        def both():
            return dds.keep("/listed", listed), dds.keep("/listed", listed)

        print(dds.eval(both, dds_stages=["analysis"]), dds.eval(both, dds_extra_debug=True))
        print(dds.load("/listed"), os.listdir(FOLDER + "/data"))
        """,
        "False 10000\nTrue\nlisted\nNone ([1], [1])\n[1] ['listed']\n",
        "False 10000\nTrue\nNone ([1], [1])\n[1] ['listed']\n",
    ),
    "a format of one's own": case(
        """
        from {module}.codec import codec_registry
        from {module}.structures import FileCodecProtocol, ProtocolRef, SupportedType

        class Picture:
            def __init__(self, rows):
                self.rows = rows

        class PictureCodec(FileCodecProtocol):
            def ref(self):
                return ProtocolRef("picture")

            def handled_types(self):
                return [SupportedType("__main__.Picture")]

            def serialize_into(self, blob, loc):
                pathlib.Path(loc).write_text("/".join(blob.rows))

            def deserialize_from(self, loc):
                return Picture(pathlib.Path(loc).read_text().split("/"))

        codec_registry().add_file_codec(PictureCodec())

        @dds.data_function("/picture")
        def picture():
            print("painting")
            return Picture(["###", "# #"])

        print(picture().rows, picture().rows, open(FOLDER + "/data/picture").read())
        """,
        "painting\n['###', '# #'] ['###', '# #'] ###/# #\n",
        "['###', '# #'] ['###', '# #'] ###/# #\n",
    ),
    "all names at once": case(
        """
        from json import load
        from {module} import *

        print(load.__module__, keep is dds.keep, eval is dds.eval)
        """,
        "json True True\n",
    ),
    "what goes wrong": case(
        """
        def tried(function, *arguments):
            try:
                function(*arguments)
            except dds.DDSException as error:
                print(type(error).__name__, getattr(error.error_code, "name", None))

        def one():
            return 1

        def overlapping():
            dds.keep("/one", one)
            dds.keep("/one/more", one)

        tried(dds.keep, "relative", one)
        tried(dds.keep, pathlib.Path("relative"), one)
        tried(dds.set_store, "elsewhere")
        tried(dds.set_store, "dbfs")
        tried(dds.set_option, "nothing", 1)
        tried(dds.eval, overlapping)
        try:
            dds.set_option("extra_debug", "yes")
        except ValueError:
            print("ValueError")
        """,
        """
        DDSException PATH_NOT_ABSOLUTE
        DDSException PATH_NOT_ABSOLUTE
        DDSException None
        DDSException None
        DDSException UNKNOWN_OPTION
        DDSException OVERLAPPING_PATH
        ValueError
        """,
    ),
}


def _runs(case: Case, project: Project, module: str) -> list[str]:
    files = {
        name: text.replace("{module}", module)
        for name, text in {**case.others, "main.py": HEAD + case.text}.items()
    }
    project.write_files(files)
    printed = []
    for number in range(len(case.runs)):
        if number in case.edits:
            project.edit(*case.edits[number])
        ended = project.plain("main.py")
        assert ended.code == 0, ended.stderr
        printed.append(ended.stdout)
    return printed


@pytest.mark.parametrize("name", CASES)
def test_ours(project, name):
    assert _runs(CASES[name], project, "ddsimport.dds") == CASES[name].runs
    assert not (project.root / ".dds").exists()


@pytest.mark.skipif(not _is_there(), reason="dds_py is not installed, or does not run here")
@pytest.mark.parametrize("name", CASES)
def test_theirs(project, name):
    known = CASES[name]
    assert _runs(known, project, "dds") == (known.theirs or known.runs)
