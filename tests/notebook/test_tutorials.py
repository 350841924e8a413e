"""What the tutorials of the project's origin walk through, as notebooks with pragmas."""

from __future__ import annotations

from pathlib import Path

from jupyter_kernels import kernel


def test_hello_data(folder: Path) -> None:
    """A source of data, kept under a path: evaluated anew when its code changes, and only then."""
    (folder / "weather.csv").write_text("day,rain\nmon,3\ntue,5\n")
    source = (
        "# dds: /hello_data\ndef hello_data() -> str:\n    print('fetching')\n"
        "    with open('weather.csv') as file:\n        return file.read()"
    )
    with kernel(folder) as started:
        started.run("%load_ext ddsimport")
        started.run(source)
        first = started.run("text = hello_data()")
        assert (first.statuses, first.streams["stdout"]) == ("c", "fetching\n")
        assert (folder / ".dds/data/hello_data").read_text() == "day,rain\nmon,3\ntue,5\n"
        assert started.run("text = hello_data()").statuses == "h"
        started.run(source.replace("def", "# A comment.\ndef"))
        assert started.run("text = hello_data()").statuses == "h"
        started.run(source.replace("file.read()", "file.read().upper()"))
        assert started.run("text = hello_data()").statuses == "c"
        assert (folder / ".dds/data/hello_data").read_text().startswith("DAY,RAIN")
        started.run(source)
        assert started.run("text = hello_data()").statuses == "h"  # as it was: nothing is fetched
        (folder / "weather.csv").write_text("day,rain\nmon,4\n")
        assert started.run("text = hello_data()").statuses == "c"
        started.run("import ddsimport")
        assert started.run("ddsimport.load('/hello_data')").result == "'day,rain\\nmon,4\\n'"


def test_a_model_of_wines(folder: Path) -> None:
    """Data, a split, a model and its score, of which the middle is edited."""
    with kernel(folder) as started:
        started.run("%load_ext ddsimport")
        started.run(
            "import pandas as pd\nfrom sklearn.datasets import load_wine\n"
            "from sklearn.linear_model import LogisticRegression\n"
            "from sklearn.model_selection import train_test_split\n"
            "from sklearn.preprocessing import StandardScaler\n"
            "from sklearn.pipeline import make_pipeline"
        )
        started.run(
            "def measured():\n    frame = load_wine(as_frame=True).frame\n"
            "    return frame[frame['alcohol'] > LEAST]"
        )
        started.run(
            "def fitted(frame, strength):\n"
            "    model = make_pipeline(StandardScaler(), LogisticRegression(C=strength))\n"
            "    return model.fit(frame.drop(columns='target'), frame['target'])"
        )
        started.run(
            "def score(model, frame):\n"
            "    return round(model.score(frame.drop(columns='target'), frame['target']), 3)"
        )
        steps = {
            "wines": "wines = measured()  # dds: /wine/data.csv\nlen(wines)",
            "split": "train, test = train_test_split(wines, random_state=0)  # dds: /wine/split",
            "model": "model = fitted(train, 1.0)  # dds: /wine/model",
            "score": "result = score(model, test)  # dds: /wine/score.json\nresult",
        }

        def run(**edited: str) -> str:
            return "".join(started.run({**steps, **edited}[name]).statuses for name in steps)

        started.run("LEAST = 0")
        assert run() == "cccc"
        assert run() == "hhhh"
        assert run(model=steps["model"].replace("1.0", "0.001")) == "hhcc"
        assert run() == "hhhh"
        started.run("LEAST = 1")  # no wine has less: what comes after does not change
        assert run() == "chhh"
        started.run("LEAST = 12")
        assert run() == "cccc"
        assert started.run("len(wines) < 178").result == "True"
        assert (folder / ".dds/data/wine/data.csv").read_text().startswith(",alcohol,malic_acid,")
        assert (folder / ".dds/data/wine/score.json").read_text().strip() == str(
            started.run("result").result
        )


def test_steps_in_steps(folder: Path) -> None:
    """Functions that call one another, with arguments, in a loop; and the plain functions."""
    with kernel(folder) as started:
        started.run("import ddsimport.activate")
        started.run("import ddsimport\nBASE = 10")
        started.run("# dds: /group/{n}\ndef group(n):\n    return [BASE] * n")
        started.run("# dds: /all\ndef everything():\n    return [group(n) for n in (1, 2)]")
        assert started.run("everything()").statuses == "ccc"
        assert started.run("everything()").statuses == "h"
        assert started.run("[group(n) for n in (1, 2, 3)]").statuses == "hhc"
        started.run("@ddsimport.data_function('/length')\ndef length():\n"
                    "    return len(ddsimport.load('/group/3'))")  # fmt: skip
        assert started.run("length()").statuses == "c"
        assert started.run("length()").statuses == "h"
        started.run("BASE = 11")
        assert started.run("group(3)").statuses == "c"
        assert started.run("length()").statuses == "c"  # the artifact has another value
        assert started.run("everything()").result == "[[11], [11, 11]]"
        assert started.run("ddsimport.keep('/sum', sum, [BASE, 1])").result == "12"
