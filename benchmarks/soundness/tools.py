"""The tools, each asked in the way that its documentation shows, with its best settings.

ddsimport runs the program as it is. For a peer, the marked line `x = f(1)  # dds: /x` is written in
the peer's own words, and a first line imports it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from benchmarks.soundness.cases import State
from ddsimport._version import __version__

_ROOT = Path(__file__).resolve().parent.parent.parent
_INSIDE = Path(__file__).resolve().parent / "inside"
_MARKED = re.compile(r"^( *)(\w+) = ([\w.]+)\((.*)\)  # dds: (/\S+)$", flags=re.M)
_SECONDS = 60


@dataclass(frozen=True)
class Run:
    """How one process ended.

    Attributes:
        evaluated: whether the step was; None for plain Python, which has none.
    """

    stdout: str
    stderr: str
    code: int
    evaluated: bool | None = None


@dataclass(frozen=True)
class Tool:
    """Something that keeps results.

    Attributes:
        distribution: what must be installed (of ddsimport, the tree that this lies in is tried).
        is_portable: its results are found again when the project's folder is another. The others
            are judged in one folder, but for the cases that are about the folder.
        imports: the first line of a program in its words; `{modules}` are those of the project.
        call: the marked expression in its words: `{f}` of `{arguments}`, to be kept as `{path}`.
        as_module: it cannot see into a script: `main.py` is imported by one, as `program`.
    """

    name: str
    distribution: str
    is_portable: bool = False
    imports: str = ""
    call: str = ""
    as_module: bool = False

    @property
    def version(self) -> str | None:
        """None if it is not installed."""
        if self.name == "ddsimport":
            return __version__
        try:
            return metadata.version(self.distribution)
        except metadata.PackageNotFoundError:
            return None

    def text(self, state: State) -> dict[str, str]:
        """The files of a program in the tool's words."""
        files = {**state.files, "pyproject.toml": ""}
        if self.call:
            modules = sorted(
                file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
                for file in files
                if file.endswith(".py") and not file.startswith("site-packages/")
            )
            line = _marked(files["main.py"])
            name, function, arguments, path = line.group(2, 3, 4, 5)
            call = self.call.format(f=function, arguments=arguments, path=path)
            files["main.py"] = (
                self.imports.format(modules=modules)
                + "\n"
                + _MARKED.sub(lambda found: f"{found.group(1)}{name} = {call}", files["main.py"])
            )
            if self.as_module:
                files["program.py"] = files["main.py"]
                files["main.py"] = "import program\n"
        return files

    def run(self, state: State, folder: Path, store: Path, seed: str) -> Run:
        """Run the program that lies in `folder` in a process of its own.

        A peer keeps its results in `store`; ddsimport in the project, so that they move with it.
        """
        if not self.call:
            return self._run_ddsimport(state, folder, store, seed)
        function = _marked(state.files["main.py"]).group(3).rpartition(".")[2]
        count = store.with_suffix(".count")
        count.unlink(missing_ok=True)
        run = python(
            [],
            state,
            folder,
            {
                "PYTHONPATH": str(_INSIDE),
                "PYTHONHASHSEED": seed,
                "SOUNDNESS_STORE": str(store),
                "SOUNDNESS_FUNCTION": function,
                "SOUNDNESS_COUNT": str(count),
            },
        )
        evaluations = count.read_text() if count.exists() else "0"
        return Run(run.stdout, run.stderr, run.code, evaluated=evaluations != "0")

    def _run_ddsimport(self, state: State, folder: Path, store: Path, seed: str) -> Run:
        report = store.with_suffix(".json")
        report.unlink(missing_ok=True)
        run = python(
            ["-m", "ddsimport", "-q", "--report", str(report)],
            state,
            folder,
            {"PYTHONPATH": str(_ROOT), "PYTHONHASHSEED": seed},
        )
        steps = json.loads(report.read_text())["steps"] if report.exists() else []
        evaluated = any(step["status"] != "hit" for step in steps)
        reasons = "".join(f"{step['reason']}\n" for step in steps if step["reason"])
        return Run(run.stdout, run.stderr + reasons, run.code, evaluated=evaluated)


def python(options: list[str], state: State, folder: Path, environment: dict[str, str]) -> Run:
    """Start the program that lies in a folder; what is set for this process stays out of it."""
    directory = folder / state.directory
    directory.mkdir(parents=True, exist_ok=True)
    script = os.path.relpath(folder / "main.py", directory)
    variables = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DDSIMPORT_", "PYTHON", "COV_CORE_", "COVERAGE_"))
    }
    try:
        ended = subprocess.run(
            [sys.executable, *options, script, *state.arguments],
            cwd=directory,
            env={**variables, **state.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Run("", f"still running after {_SECONDS} s", -1)
    return Run(ended.stdout, ended.stderr, ended.returncode)


def _marked(text: str) -> re.Match[str]:
    (line,) = _MARKED.finditer(text)
    return line


_PEER = "from soundness_peer import STORE; "
TOOLS = (
    Tool("ddsimport", "ddsimport", is_portable=True),
    Tool(
        "joblib",
        "joblib",
        imports=_PEER + "from joblib import Memory",
        call="Memory(STORE, verbose=0).cache({f})({arguments})",
    ),
    Tool(
        "checkpointer",
        "checkpointer",
        imports=_PEER + "from checkpointer import checkpoint",
        call="checkpoint({f}, directory=STORE, verbosity=0)({arguments})",
    ),
    Tool(
        "checkpointer+capture",
        "checkpointer",
        imports=_PEER + "from checkpointer import checkpoint",
        call="checkpoint({f}, directory=STORE, verbosity=0, capture=True)({arguments})",
    ),
    Tool(
        "dds_py",
        "dds_py",
        imports=_PEER
        + "import dds; [dds.accept_module(m) for m in {modules}]; "
        + "dds.set_store('local', internal_dir=STORE + '/in', data_dir=STORE + '/data')",
        call="dds.keep('{path}', {f}, {arguments})",
    ),
    Tool(
        "marimo",
        "marimo",
        imports=_PEER + "from marimo import persistent_cache",
        call="persistent_cache({f}, save_path=STORE, pin_modules=True)({arguments})",
        as_module=True,
    ),
    Tool(
        "rote",
        "rote",
        imports=_PEER + "import rote; rote.configure(cache_dir=STORE, min_duration_s=0.0)",
        call="rote.cache({f})({arguments})",
    ),
)
