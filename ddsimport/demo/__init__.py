"""`python -m ddsimport demo`: a real pipeline, run cold, warm and edited, in a folder to keep."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

DEFAULT_FOLDER = "ddsimport-demo"
_PROJECT = os.path.join(os.path.dirname(__file__), "project")
_NEEDED = ("matplotlib", "pandas", "pyarrow", "sklearn")
_SYMBOLS = {"hit": "·", "computed": "ran", "uncached": "ran*", "failed": "failed"}


@dataclass(frozen=True)
class _Edit:
    """One change that the demo makes to the project, and what it is to show."""

    title: str
    file: str = ""
    before: str = ""
    after: str = ""


_RUNS = (
    _Edit("cold: the store is empty"),
    _Edit("warm: nothing was edited"),
    _Edit(
        "a comment and a docstring were edited",
        "wine/cleaning.py",
        '"""Complete rows without outliers, numbered anew."""',
        '"""Complete rows, no outliers, numbered from zero."""  # as agreed with the growers',
    ),
    _Edit(
        "a helper was edited: 151 trees instead of 150",
        "wine/modelling.py",
        "TREES = 150",
        "TREES = 151",
    ),
    _Edit(
        "a helper was edited, but the cleaned table comes out the same",
        "wine/cleaning.py",
        "OUTLIER = 4.5",
        "OUTLIER = 4.6",
    ),
)


def main(arguments: list[str]) -> int:
    """Write the project into a folder and run it once per `_RUNS`; 0 if all went well."""
    if arguments and arguments[0] in ("-h", "--help"):
        print(f"usage: python -m ddsimport demo [FOLDER]\n\nFOLDER is {DEFAULT_FOLDER} by default.")
        return 0
    missing = [name for name in _NEEDED if not _is_installed(name)]
    if missing:
        print(
            f"the demo needs {', '.join(missing)}: python -m pip install 'ddsimport[demo]'",
            file=sys.stderr,
        )
        return 2
    if len(arguments) > 1 or (arguments and arguments[0].startswith("-")):
        print("usage: python -m ddsimport demo [FOLDER]", file=sys.stderr)
        return 2
    folder = os.path.abspath(arguments[0] if arguments else DEFAULT_FOLDER)
    if os.path.exists(folder) and os.listdir(folder):
        print(f"{folder} is not empty; give another folder", file=sys.stderr)
        return 2
    _write_project(folder)
    print(f"The project is in {folder}; its steps are the lines with `# dds:` in pipeline.py.\n")
    failures = [edit for edit in _RUNS if not _show(edit, folder)]
    print(f"The values are files: {os.path.join(folder, '.dds', 'data', 'wine')}")
    for name in sorted(os.listdir(os.path.join(folder, ".dds", "data", "wine"))):
        print(f"  /wine/{name}")
    print(f"\nGo on by hand:\n  cd {folder}\n  {sys.executable} -m ddsimport -v pipeline.py")
    return 1 if failures else 0


def _is_installed(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None


def _write_project(folder: str) -> None:
    """Copy the project and, beside it, the measurements that scikit-learn ships."""
    from importlib.resources import files

    shutil.copytree(
        _PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
    )
    with open(os.path.join(folder, "pyproject.toml"), "w", encoding="utf-8") as file:
        file.write("# Marks the root of the project: the store is .dds/ beside this file.\n")
    data = files("sklearn.datasets.data").joinpath("wine_data.csv").read_bytes()
    with open(os.path.join(folder, "wine_data.csv"), "wb") as file:
        file.write(data)


def _show(edit: _Edit, folder: str) -> bool:
    """Make the edit, run the pipeline, print what it did; True if it went well."""
    if edit.file:
        path = os.path.join(folder, edit.file)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        assert edit.before in text, f"{edit.before!r} is no longer in {edit.file}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(edit.before, edit.after))
    report = os.path.join(folder, ".dds", "demo-report.json")
    started = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-m", "ddsimport", "-q", "--report", report, "pipeline.py"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started
    print(f"{edit.title}" + (f" ({edit.file})" if edit.file else ""))
    if ended.returncode != 0:
        return False
    with open(report, encoding="utf-8") as file:
        steps = json.load(file)["steps"]
    os.remove(report)
    for step in steps:
        print(f"  {_SYMBOLS[step['status']]:<5}{step['path']:<20}{step['reason']}")
    ran = sum(step["status"] != "hit" for step in steps)
    print(
        f"  {ran} of {len(steps)} steps ran, {seconds:.1f} s; it printed: {ended.stdout.strip()}\n"
    )
    return True
