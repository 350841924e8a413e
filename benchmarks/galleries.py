"""Real programs: the example galleries of scikit-learn, matplotlib and networkx, run both ways.

The source archives of the installed versions are fetched from the package index. Each example gets
a pragma on every assignment whose right-hand side calls something; then it runs plainly (twice:
what differs then is not reproducible, and not compared) and under ddsimport, cold and warm.
Standard output and error, exit code, the files left behind and all figures must be equal.

    python -m benchmarks galleries --only matplotlib --most 100 -j 2
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

GALLERIES = {
    "scikit-learn": "examples",
    "matplotlib": "galleries",
    "networkx": "examples",
}
_NEEDS_MORE = re.compile(
    r"fetch_|urllib|requests|interactive|\binput\(|plt\.pause|FuncAnimation|wx|gtk|qt\d|tkinter|"
    r"pygraphviz|\bosmnx\b|geopandas|n_jobs=-1",
    re.IGNORECASE,
)
_FIGURES = """
import matplotlib.pyplot as _plt
for _number in _plt.get_fignums():
    _plt.figure(_number).savefig(f"figure-{_number}.png")
"""
_ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> None:
    """Print a table of verdicts, and what differed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks galleries")
    parser.add_argument("--only", choices=GALLERIES, action="append")
    parser.add_argument("--most", type=int, default=60, help="examples of each gallery")
    parser.add_argument("--seconds", type=float, default=40.0, help="for one run of an example")
    parser.add_argument("-j", type=int, default=1, help="examples side by side")
    parser.add_argument("--keep", type=Path, help="a folder for the archives, kept")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        archives = options.keep or Path(scratch) / "archives"
        archives.mkdir(parents=True, exist_ok=True)
        for name in options.only or GALLERIES:
            examples = _spread(list(_examples(name, archives, Path(scratch))), options.most)
            with ThreadPoolExecutor(options.j) as pool:
                verdicts = list(
                    pool.map(lambda each: _judge(each, Path(scratch), options.seconds), examples)
                )
            counts = Counter(verdict.partition(":")[0] for verdict in verdicts)
            print(f"\n{name}: {len(examples)} examples; {dict(counts)}")
            for example, verdict in zip(examples, verdicts, strict=True):
                if verdict.startswith("DIFFERENT"):
                    print(f"  {example.name}: {verdict}")


def _spread(examples: list[Path], most: int) -> list[Path]:
    """At most so many, from all over the gallery."""
    step = max(1, -(-len(examples) // most))
    return examples[::step]


def _examples(name: str, archives: Path, scratch: Path) -> Iterator[Path]:
    archive = _archive(name, archives)
    with tarfile.open(archive) as packed:
        packed.extractall(scratch / name, filter="data")
    for path in sorted((scratch / name).glob(f"*/{GALLERIES[name]}/**/*.py")):
        text = path.read_text(encoding="utf-8")
        if not _NEEDS_MORE.search(text) and _marked(text) != text:
            yield path


def _archive(name: str, archives: Path) -> Path:
    """The source of the installed version; of the newest where it is not installed."""
    try:
        wanted = version(name)
    except PackageNotFoundError:
        wanted = ""
    with urllib.request.urlopen(f"https://pypi.org/simple/{name}/") as answer:
        page = answer.read().decode()
    wanted = re.escape(wanted) or r"\d+(?:\.\d+)*"
    found = re.findall(rf'href="([^"]+/[\w.-]+-{wanted}\.tar\.gz)', page)
    url = found[-1]
    target = archives / Path(url).name
    if not target.exists():
        with urllib.request.urlopen(url) as answer, open(target, "wb") as file:
            shutil.copyfileobj(answer, file)
    return target


def _marked(text: str) -> str:
    """The text with a pragma behind every assignment that calls something."""
    lines = text.split("\n")
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Assign) or len(node.targets) > 1:
            continue
        names = [
            each
            for each in ast.walk(node.targets[0])
            if isinstance(each, (ast.Attribute, ast.Subscript, ast.Starred))
        ]
        calls = any(isinstance(each, ast.Call) for each in ast.walk(node.value))
        shut = any(
            isinstance(each, (ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.Await))
            for each in ast.walk(node.value)
        )
        line = lines[(node.end_lineno or 0) - 1]
        alone = len(line.encode()) == node.end_col_offset
        if calls and alone and not names and not shut:
            lines[(node.end_lineno or 0) - 1] = f"{line}  # dds: /line{node.lineno}"
    return "\n".join(lines)


def _judge(example: Path, scratch: Path, seconds: float) -> str:
    text = _marked(example.read_text(encoding="utf-8"))
    sides = {}
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        for side in ("plain", "again", "ours"):
            root = Path(folder) / side / example.stem
            # Beside it lie what it reads, and its helpers.
            shutil.copytree(example.parent, root)
            (root / example.name).write_text(text + _FIGURES, encoding="utf-8")
            (root / "pyproject.toml").touch()
            sides[side] = root
        try:
            expected = _seen(sides["plain"], example.name, seconds, under=False)
            if expected[2]:
                return "fails plainly"
            if _seen(sides["again"], example.name, seconds, under=False) != expected:
                return "not reproducible"
            for state in ("cold", "warm"):
                found = _seen(sides["ours"], example.name, 3 * seconds, under=True)
                if found != expected:
                    return f"DIFFERENT: {state}: {_difference(expected, found)}"
        except subprocess.TimeoutExpired:
            return "takes too long"
    return "equal"


_Seen = tuple[str, str, int, dict[str, bytes]]


def _seen(root: Path, name: str, seconds: float, under: bool) -> _Seen:
    flags = ["-m", "ddsimport", "-q"] if under else []
    environment = {
        **{key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"},
        "MPLBACKEND": "agg",
        "PYTHONPATH": str(_ROOT),
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    ended = subprocess.run(
        [sys.executable, *flags, name],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    files = {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not {".dds", "__pycache__"} & set(path.parts)
    }
    texts = [text.replace(str(root), "ROOT") for text in (ended.stdout, ended.stderr)]
    return texts[0], texts[1], ended.returncode, files


def _difference(expected: _Seen, found: _Seen) -> str:
    for what, before, after in zip(
        ("output", "errors", "exit code"), expected, found, strict=False
    ):
        if before != after:
            return f"{what}: {str(before)[-300:]!r} became {str(after)[-300:]!r}"
    names = [
        name
        for name in expected[3].keys() | found[3].keys()
        if expected[3].get(name) != found[3].get(name)
    ]
    return f"files: {', '.join(sorted(names))}"
