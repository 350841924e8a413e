"""Notebooks in kernels of Jupyter: as without ddsimport, and as the script made of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from jupyter_kernels import Kernel, Shown, exported, kernel

CELLS = [
    "import logging, sys, warnings\nimport matplotlib.pyplot as plt\nimport numpy as np\n"
    "import pandas as pd\n%matplotlib inline",
    "def table(n):\n    print('table')\n    print('err', file=sys.stderr)\n"
    "    warnings.warn('careful')\n    return pd.DataFrame({'a': range(n)})",
    "df = table(3)  # dds: /df\ndf",
    "def plot(df):\n    fig, ax = plt.subplots()\n    ax.plot(df['a'])\n    return fig",
    "fig = plot(df)  # dds: /fig.png",
    "def show(df):\n    plt.plot(df['a'])\n    plt.show()\n    return len(df)",
    "n = show(df)  # dds: /n\nn",
    "from IPython.display import Markdown, display\ndef tell(df):\n    display(df)\n"
    "    handle = display(Markdown('# one'), display_id='here')\n"
    "    handle.update(Markdown('# two'))\n    return 1",
    "m = tell(df)  # dds: /m",
    "np.random.seed(3)\nr = np.random.rand(2)  # dds: /r\nr",
    "np.random.rand()",
    "def bad(df):\n    return df['zz']",
    "q = (len(df) +\n     bad(df))  # dds: /q",
    "def threads():\n    from concurrent.futures import ThreadPoolExecutor\n"
    "    with ThreadPoolExecutor(2) as pool:\n"
    "        return list(pool.map(lambda n: n + 1, range(3)))\nt = threads()  # dds: /t\nt",
    "import asyncio\nasync def slow(n):\n    await asyncio.sleep(0.01)\n    return n\n"
    "v = await slow(4)  # dds: /v\nv",
    "w = await asyncio.gather(*[slow(i) for i in range(3)])  # dds: /w\nw",
    "class Model:\n    def __init__(self, k=1):\n        self.k = k\n    def fit(self, df):\n"
    "        self.coef = df['a'].sum() * self.k  # dds:\n        return self\n"
    "model = Model(2).fit(df)\nmodel.coef",
    "logging.basicConfig(level='INFO')\ndef log():\n    logging.info('inside')\n    return 1\n"
    "l = log()  # dds: /l",
    "%%time\nz = len(df)  # dds: /z",
    "_, Out[3] is df, In[3], len(In)",
    "x = 1  # dds: /x format",
    "del df\ndf",
]
STEPS = "".join("cccccfcccccc")
"""Of the first run, in order."""


def test_as_in_plain_jupyter(folder: Path) -> None:
    with kernel(folder) as started:
        plain = started.run_all(["pass", *CELLS])
    with kernel(folder) as started:
        cold = started.run_all(["%load_ext ddsimport", *CELLS])
    with kernel(folder) as started:
        warm = started.run_all(["%load_ext ddsimport", *CELLS])
    for number, text in enumerate(["", *CELLS]):
        expected = _without_times(plain[number])
        for ours in (cold[number], warm[number]):
            if "format" in text:
                assert ours.rest[0][0] == "PragmaError"
                assert "format" in ours.rest[0][1]
            else:
                assert _without_times(ours) == expected, text
    assert "".join(each.statuses for each in cold) == STEPS
    assert "".join(each.statuses for each in warm) == STEPS.replace("c", "h")


def _without_times(shown: Shown) -> object:
    if "Wall time" in shown.streams["stdout"]:
        shown.streams["stdout"] = ""
    return shown.all


PIPELINE = [
    "import csv\nfrom dataclasses import dataclass\nfrom helpers import scaled\nFACTOR = 2",
    "def read(name):\n    print('reading')\n    with open(name) as file:\n"
    "        return list(csv.DictReader(file))",
    "rows = read('data.csv')  # dds: /rows",
    "@dataclass\nclass Model:\n    n: int\n    def predict(self, x):\n"
    "        return self.n * x * FACTOR",
    "def fit(rows):\n    return Model(scaled(sum(int(row['a']) for row in rows)))",
    "model = fit(rows)  # dds: /model",
    "# dds: /pred/{x}\ndef predict(x):\n    return model.predict(x)",
    "out = [predict(i) for i in range(2)]",
    "total = sum(out)  # dds:\nprint(total)",
]


def test_the_exported_script_hits_what_the_notebook_computed(folder: Path) -> None:
    (folder / "data.csv").write_text("a,b\n1,2\n3,4\n")
    (folder / "helpers.py").write_text("SCALE = 3\ndef scaled(n):\n    return n * SCALE\n")
    notebook = folder / "analysis.ipynb"
    notebook.write_text("{}")
    with kernel(folder, JPY_SESSION_NAME=str(notebook)) as started:
        # A cell is edited, one is run twice, one is run late: the script has none of that.
        started.run("def fit(rows):\n    return None")
        started.run("import ddsimport.activate")
        shown = [started.run(text) for text in [*PIPELINE, PIPELINE[-1]]]
    assert "".join(each.statuses for each in shown) == "ccccch"
    assert (folder / ".dds/data/analysis/total").read_text() == "24\n"
    (folder / "analysis.py").write_text(exported(["import ddsimport.activate", *PIPELINE]))
    assert _run(folder, "analysis.py") == ("reading\n24\n", "hhhhh")
    (folder / "helpers.py").write_text("SCALE = 4\ndef scaled(n):\n    return n * SCALE\n")
    assert _run(folder, "analysis.py") == ("reading\n32\n", "hcccc")
    with kernel(folder) as started:  # and the other way round
        shown = started.run_all(["%load_ext ddsimport", *PIPELINE])
    assert "".join(each.statuses for each in shown) == "hhhhh"
    assert (folder / ".dds/data/notebook/total").read_text() == "32\n"


def _run(folder: Path, script: str) -> tuple[str, str]:
    """What a script prints under our runner, and the statuses of its steps."""
    command = [sys.executable, "-m", "ddsimport", "--report", "report.json", script]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    steps = json.loads((folder / "report.json").read_text())["steps"]
    return done.stdout, "".join(step["status"][0] for step in steps)


def test_what_is_said_of_code_names_its_cell(folder: Path) -> None:
    function, step = "# why\ndef f():\n    return sorted(globals())[:0] or K", "x = f()  # dds: /x"
    with kernel(folder) as started:
        shown = started.run_all(["%load_ext ddsimport", "K = 1", function, step, "K = 2", step])
    assert "In [3]:2: globals() can reach anything" in shown[3].ours
    assert "globals()" not in shown[5].ours  # once


def test_loaded_where_output_is_captured(folder: Path) -> None:
    with kernel(folder) as started:
        started.run("%%capture shown\n%load_ext ddsimport\nx = 1  # dds: /x")
        assert started.run("y = 2  # dds: /y").statuses == "c"
        assert started.run("shown.stdout, shown.stderr").result == "('', '')"


def test_what_is_noted_of_a_notebook(folder: Path) -> None:
    (folder / "analysis.ipynb").write_text("{}")
    with kernel(folder, JPY_SESSION_NAME="analysis.ipynb") as started:
        started.run_all(["%load_ext ddsimport", "x = 1  # dds: /x"])
    run = json.loads(_command(folder, "status", "--json").stdout)["last_runs"][0]
    assert (run["program"], run["arguments"]) == ("analysis.ipynb", [])
    for command in ("plan", "lint"):
        refused = _command(folder, command, "analysis.ipynb")
        assert refused.returncode == 2
        assert "analysis.ipynb is a notebook" in refused.stderr


def _command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ddsimport", *words], cwd=folder, capture_output=True, text=True
    )


def test_what_is_said(folder: Path) -> None:
    (folder / "marked.py").write_text("def f():\n    x = 1  # dds: /marked/x\n    return x\n")
    with kernel(folder) as started:
        started.run("import marked\ndef before(n):\n    return n")
        loaded = started.run("%load_ext ddsimport\nx = before(1)  # dds: /x\nx")
        assert loaded.statuses == "c" and loaded.result == "1"
        assert "marked; load it first, or reload them" in loaded.ours
        assert started.run("y = x + 1  # dds: /y").ours.startswith(
            "ddsimport: computed /y (In [3]:1), "
        )
        _check_magic(started)
        assert started.run("%unload_ext ddsimport").all == ({"stdout": "", "stderr": ""}, [])
        assert started.run("y = x + 1  # dds: /y\ny").ours == ""
        assert started.run("%load_ext ddsimport\ny = x + 1  # dds: /y").statuses == "h"
        lost = started.run("late = before(2)  # dds: /late")
        assert lost.statuses == "c"


def _check_magic(started: Kernel) -> None:
    started.run("%ddsimport -q")
    assert started.run("y = x + 1  # dds: /y").ours == ""
    started.run("%ddsimport -v")
    assert started.run("for _ in range(5):\n    y = x + 1  # dds: /y").statuses == "hhhhh"
    assert "without a path, steps are /notebook/" in started.run("%ddsimport").streams["stdout"]
    told = started.run("for _ in range(5):\n    y = x + 1  # dds: /y").ours
    assert told.startswith("ddsimport: 5 steps: 5 hits; ")
    assert "usage: %ddsimport" in started.run("%ddsimport loud").streams["stderr"]
