"""Programs in folders of their own, run plainly and under ddsimport as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from benchmarks.soundness.cases import cases

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Outcome:
    """How a program ended, and what its steps did (empty for plain Python)."""

    stdout: str
    stderr: str
    code: int
    steps: list[dict[str, Any]] = field(default_factory=list)

    @property
    def statuses(self) -> dict[str, str]:
        """{path: status of its last evaluation or hit}"""
        return {step["path"]: step["status"] for step in self.steps}

    def evaluated(self) -> set[str]:
        return {step["path"] for step in self.steps if step["status"] != "hit"}


class Project:
    """A folder with a program in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.root.mkdir(parents=True, exist_ok=True)
        (root / "pyproject.toml").touch()
        self._clock = time.time() - 100_000

    def write(self, **files: str) -> Project:
        """Write modules: `write(main="…", helper="…")` makes main.py and helper.py."""
        return self.write_files({f"{name}.py": text for name, text in files.items()})

    def write_files(self, files: Mapping[str, str]) -> Project:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            self._save(path, dedent(text).lstrip("\n"))
        return self

    def edit(self, file: str, before: str, after: str) -> Project:
        path = self.root / file
        text = path.read_text(encoding="utf-8")
        assert before in text, f"{before!r} is not in {file}"
        self._save(path, text.replace(before, after))
        return self

    def _save(self, path: Path, text: str) -> None:
        """Write a file as an editor does: a second or more after the last time.

        Python's own bytecode cache compares whole seconds and sizes, so plain Python would go on
        running the old text of an edit that follows too soon.
        """
        self._clock += 10
        path.write_text(text, encoding="utf-8")
        os.utime(path, (self._clock, self._clock))

    def python(
        self, *arguments: str, environment: Mapping[str, str] | None = None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run this interpreter in the folder, with ddsimport importable."""
        variables = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DDSIMPORT_", "COV_", "COVERAGE_"))
            and name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONUNBUFFERED")
        }
        variables["PYTHONPATH"] = str(ROOT)
        variables.update(environment or {})
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=options.pop("cwd", self.root),
            env=variables,
            capture_output=True,
            text=True,
            timeout=options.pop("timeout", 120),
            check=False,
            **options,
        )

    def plain(self, *arguments: str, **options: Any) -> Outcome:
        """`python main.py …`: the oracle."""
        ended = self.python(*(arguments or ("main.py",)), **options)
        return Outcome(ended.stdout, ended.stderr, ended.returncode)

    def run(self, *arguments: str, **options: Any) -> Outcome:
        """`python -m ddsimport -q --report … main.py …`"""
        report = self.root.parent / f"{self.root.name}-report.json"
        report.unlink(missing_ok=True)
        ended = self.python(
            "-m",
            "ddsimport",
            "-q",
            "--report",
            str(report),
            *(arguments or ("main.py",)),
            **options,
        )
        steps = json.loads(report.read_text())["steps"] if report.exists() else []
        return Outcome(ended.stdout, ended.stderr, ended.returncode, steps)

    def same(self, *arguments: str, **options: Any) -> Outcome:
        """Run both ways, assert that nobody could tell, and give what ddsimport did."""
        plainly = self.plain(*arguments, **options)
        under = self.run(*arguments, **options)
        assert (under.stdout, under.stderr, under.code) == (
            plainly.stdout,
            plainly.stderr,
            plainly.code,
        )
        return under

    def tree(self) -> dict[str, tuple[int, bytes | str | None]]:
        """What lies in the folder, but for the store and bytecode: path -> mode, and content."""
        found: dict[str, tuple[int, bytes | str | None]] = {}
        for folder, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if name not in (".dds", "__pycache__")]
            for name in (*folders, *files):
                path = os.path.join(folder, name)
                content: bytes | str | None = None
                if os.path.islink(path):
                    content = os.readlink(path)
                elif not os.path.isdir(path):
                    content = Path(path).read_bytes()
                found[os.path.relpath(path, self.root)] = os.lstat(path).st_mode, content
        return found

    def view(self, path: str) -> Path:
        return self.root / ".dds" / "data" / path.lstrip("/")


@dataclass(frozen=True)
class Program:
    """One program of `tests/programs/*.txt`.

    Attributes:
        files: module file -> text.
        edit: (file, before, after), where the program comes with one.
        remark: what the step is expected to say.
    """

    name: str
    files: dict[str, str]
    edit: tuple[str, str, str] | None = None
    remark: str = ""


def programs(file: str) -> list[Any]:
    """The programs of a file of `tests/programs`, as parameters of a test; they are written as the
    cases of `benchmarks/soundness` are."""
    found = []
    for case in cases(ROOT / "tests/programs" / file):
        before, after = case.before.files, case.after.files
        edits = [(n, before.get(n, ""), t) for n, t in after.items() if before.get(n) != t]
        program = Program(case.name, before, edits[0] if edits else None, case.remark)
        found.append(pytest.param(program, id=case.name.replace(" ", "-")))
    return found


@contextmanager
def small_disk(folder: Path, *options: str) -> Iterator[None]:
    """A disk in memory, at a folder that is made; skips the test where that takes more rights."""
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk needs root")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
