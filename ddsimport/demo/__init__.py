"""`python -m ddsimport demo`: a real pipeline, run cold, warm and edited, in a folder to keep."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

from ddsimport.commands.common import DONE, FOUND, answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

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


def main(arguments: Sequence[str]) -> int:
    """Write the project into a folder and run it once per `_RUNS`; 0 if all went well.

    Raises:
        OSError: the folder cannot be written.
    """
    parser = argparse.ArgumentParser(
        prog="ddsimport demo",
        description="Write a small project on real data into a folder, and run it: cold, warm, and "
        "after each of some edits.",
        epilog="exit codes: 0 all went well; 1 a run failed; 2 it could not be done",
    )
    parser.add_argument(
        "folder",
        metavar="FOLDER",
        nargs="?",
        default=DEFAULT_FOLDER,
        help="a new or an empty one (default: %(default)s)",
    )
    parser.add_argument(
        "--json", action="store_true", help="answer in JSON, an object on each line"
    )
    options = parser.parse_args(arguments)
    missing = [name for name in _NEEDED if not _is_installed(name)]
    if missing:
        parser.error(
            f"the demo needs {', '.join(missing)}: python -m pip install 'ddsimport[demo]'"
        )
    folder = os.path.abspath(options.folder)
    if os.path.exists(folder) and os.listdir(folder):
        parser.error(f"{folder} is not empty; give another folder")
    _write_project(folder)
    _say(
        options,
        {"folder": folder},
        f"The project is in {folder}; its steps are the lines with `# dds:` in pipeline.py.\n",
    )
    code = DONE
    for edit in _RUNS:
        done = _run(edit, folder)
        _say(options, done, _in_words(edit, done))
        if done["exit_code"]:
            code = FOUND
    views = os.path.join(folder, ".dds", "data", "wine")
    found = [f"/wine/{name}" for name in sorted(os.listdir(views))]
    _say(
        options,
        {"values": views, "paths": found},
        f"The values are files: {views}\n"
        + "".join(f"  {path}\n" for path in found)
        + f"\nGo on by hand:\n  cd {folder}\n  {sys.executable} -m ddsimport -v pipeline.py",
    )
    return code


def _say(options: argparse.Namespace, facts: dict[str, Any], text: str) -> None:
    answer(options, facts, text)
    sys.stdout.flush()  # the next run takes its time


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


def _run(edit: _Edit, folder: str) -> dict[str, Any]:
    """Make the edit and run the pipeline: what it did."""
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
    done = {
        "run": edit.title,
        "edited": edit.file,
        "exit_code": ended.returncode,
        "seconds": time.perf_counter() - started,
        "printed": ended.stdout,
        "steps": [],
    }
    if ended.returncode == 0:
        with open(report, encoding="utf-8") as file:
            done["steps"] = json.load(file)["steps"]
        os.remove(report)
    return done


def _in_words(edit: _Edit, done: dict[str, Any]) -> str:
    lines = [edit.title + (f" ({edit.file})" if edit.file else "")]
    steps = done["steps"]
    lines += [
        f"  {_SYMBOLS[step['status']]:<5}{step['path']:<20}{step['reason']}" for step in steps
    ]
    if done["exit_code"] == 0:
        ran = sum(step["status"] != "hit" for step in steps)
        said = done["printed"].strip()
        lines.append(
            f"  {ran} of {len(steps)} steps ran, {done['seconds']:.1f} s; it printed: {said}\n"
        )
    return "\n".join(lines)
