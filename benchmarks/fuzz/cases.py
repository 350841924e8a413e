"""Kept cases: the versions of a program, run one after the other from one store.

A case is a text file. What stands before the first version says what went wrong when it was found.
Each `=== version` starts one; `--- file` starts a file, and a version has those of the one before
it where it says nothing else.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.fuzz.runs import Folder
from benchmarks.fuzz.verdicts import artifact_differences, differences

FOUND = Path(__file__).parent / "found"

Versions = Sequence[Mapping[str, str]]


def kept_cases() -> list[Path]:
    """The files of all kept cases."""
    return sorted(FOUND.glob("*.txt"))


def read(path: Path) -> list[dict[str, str]]:
    """The versions of a kept case, each with all its files."""
    versions: list[dict[str, str]] = []
    for part in re.split(r"^=== .*\n", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
        sections = re.split(r"^--- (.*)\n", part, flags=re.M)[1:]
        files = dict(zip(sections[::2], sections[1::2], strict=True))
        versions.append({**(versions[-1] if versions else {}), **files})
    return versions


def written(versions: Versions, remark: str) -> str:
    """The text of a case; a file that vanishes between two versions is one without a line."""
    lines = [remark.rstrip("\n") + "\n"]
    before: Mapping[str, str] = {}
    for number, files in enumerate(versions, 1):
        lines.append(f"=== version {number}\n")
        for name, text in files.items():
            if before.get(name) != text:
                lines.append(f"--- {name}\n{text}" + ("" if text.endswith("\n") else "\n"))
        before = files
    return "".join(lines)


def keep(path: Path, versions: Versions, remark: str) -> Path:
    """Write a case; in `FOUND` it will be rerun."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(written(versions, remark), encoding="utf-8")
    return path


def failures(versions: Versions, root: str) -> list[list[str]]:
    """Per version: what tells its run under ddsimport from its plain run.

    Args:
        root: a folder to work in; it is made, and removed.
    """
    found: list[list[str]] = []
    try:
        folder = Folder(root, versions[0])
        store = os.path.join(root, "store")
        for files in versions:
            folder.write(files)
            plain, steps, ended = folder.plain([])
            if ended.timed_out:
                return [*found, ["it hangs"]]
            under, events, artifacts, _ = folder.under(store)
            found.append(differences(plain, under) + artifact_differences(steps, events, artifacts))
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return found
