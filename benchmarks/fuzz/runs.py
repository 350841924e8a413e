"""A program in a folder, run plainly and under ddsimport, and what can be told of the two runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.fuzz.fingerprints import fingerprint
from benchmarks.fuzz.forks import PLAIN_SECONDS, UNDER_SECONDS, Ended, forked
from benchmarks.fuzz.observed import Observer, Place

SCRIPT = "main.py"
NO_FOOTPRINTS = "FUZZ_NO_FOOTPRINTS"
"""The variable that tells workers to switch footprints off."""
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Outcome:
    """What a run showed to the world.

    Attributes:
        stdout: addresses of objects taken out.
        error: the type of the exception that ended it, else empty.
        code: the exit code.
        files: what it left in its folder: name -> content.
    """

    stdout: str
    error: str
    code: int
    files: Mapping[str, bytes]
    stderr: str = field(default="", compare=False)


@dataclass(frozen=True)
class Kept:
    """One event of a run under ddsimport, and what is at its path at the end of the run."""

    path: str
    status: str
    reason: str


class Folder:
    """One program in a folder of its own; `files` are the program's, as they are there now."""

    def __init__(self, root: str, files: Mapping[str, str]) -> None:
        self.root = os.path.join(root, "project")
        self.scratch = os.path.join(root, "scratch")
        self.report = os.path.join(self.scratch, "report.json")
        os.makedirs(self.root)
        os.makedirs(self.scratch)
        self.files: dict[str, str] = {}
        self._clock = 1_600_000_000
        table = "[tool.ddsimport]\nfootprints = false\n" if os.environ.get(NO_FOOTPRINTS) else ""
        self.write({**files, "pyproject.toml": table})

    def write(self, files: Mapping[str, str]) -> None:
        """Make the folder hold these files of the program; what is there already is left alone."""
        for name, text in files.items():
            if self.files.get(name) == text:
                continue
            path = Path(self.root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            # Python tells old bytecode by whole seconds and sizes: let every text have its own.
            self._clock += 10
            os.utime(path, (self._clock, self._clock))
            self.files[name] = text

    def plain(self, mutated: list[Place]) -> tuple[Outcome, list[dict[str, Any]], Ended]:
        """A plain run: what it showed, and its steps (see `observed.Observed`)."""
        observer = Observer(self.root, SCRIPT, mutated)
        ended = forked(observer.run, observer.to_plain, self.root, self.scratch, PLAIN_SECONDS)
        steps = ended.findings or []
        for step in steps:
            start, end = (int(each) for each in step["printed"].split(":"))
            step["printed"] = ended.stdout[start:end].decode(errors="replace")
        return self._outcome(ended), steps, ended

    def under(self, store: str) -> tuple[Outcome, list[Kept], dict[str, str], Ended]:
        """A run under ddsimport: what it showed, its events, and its artifacts' fingerprints."""
        Path(self.report).unlink(missing_ok=True)

        def run() -> None:
            from ddsimport import cli, report

            report._in_child = False  # a fork of ours is a program of its own, no worker
            sys.path[0] = ""
            cli.main(["-q", "--store", store, "--report", self.report, SCRIPT])

        ended = forked(run, lambda: _artifacts(self.report), self.root, self.scratch, UNDER_SECONDS)
        return self._outcome(ended), _events(self.report), ended.findings or {}, ended

    def plain_process(self) -> Outcome:
        """A plain run in a process of its own."""
        return self._process([sys.executable, SCRIPT])

    def under_process(self, store: str) -> tuple[Outcome, list[Kept]]:
        """A run under ddsimport in a process of its own."""
        Path(self.report).unlink(missing_ok=True)
        options = ["-q", "--store", store, "--report", self.report, SCRIPT]
        outcome = self._process([sys.executable, "-m", "ddsimport", *options])
        return outcome, _events(self.report)

    def _process(self, command: list[str]) -> Outcome:
        variables = {
            name: value for name, value in os.environ.items() if not name.startswith("DDSIMPORT_")
        }
        variables.pop("PYTHONDONTWRITEBYTECODE", None)
        variables["PYTHONPATH"] = str(_ROOT)
        try:
            done = subprocess.run(
                command, cwd=self.root, env=variables, capture_output=True, timeout=60, check=False
            )
        except subprocess.TimeoutExpired:
            return self._outcome(Ended(-9, b"", b"", True))
        return self._outcome(Ended(done.returncode, done.stdout, done.stderr, False))

    def _outcome(self, ended: Ended) -> Outcome:
        stderr = ended.stderr.decode(errors="replace")
        return Outcome(
            stdout=_ADDRESS.sub("0x", ended.stdout.decode(errors="replace")),
            error=_exception(stderr) if ended.code == 1 else "",
            code=ended.code,
            files=self._take_files(),
            stderr=stderr,
        )

    def _take_files(self) -> dict[str, bytes]:
        """What the run has left in the folder, which is clean again afterwards."""
        left = {}
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted({*folders} - {"__pycache__"})
            for name in names:
                path = os.path.join(folder, name)
                relative = os.path.relpath(path, self.root)
                if relative not in self.files:
                    left[relative] = Path(path).read_bytes()
                    os.unlink(path)
        return left


def _events(report: str) -> list[Kept]:
    try:
        text = Path(report).read_text()
    except FileNotFoundError:
        return []
    return [
        Kept(each["path"], each["status"], each["reason"]) for each in json.loads(text)["steps"]
    ]


def _artifacts(report: str) -> dict[str, str]:
    """Path -> fingerprint of what the store now shows there; "" if it shows nothing."""
    from ddsimport.runtime.plain import load

    found = {}
    for event in _events(report):
        try:
            found[event.path] = fingerprint(load(event.path))
        except LookupError:
            found[event.path] = ""
    return found


def _exception(stderr: str) -> str:
    """The type of the exception that a traceback at the end of `stderr` tells of."""
    for line in reversed(stderr.splitlines()):
        match = re.match(r"([A-Za-z_][\w.]*)(:|$)", line)
        if match and not line.startswith(("Traceback", "During", "The above")):
            return match[1]
    return ""


def copied_store(store: str, to: str) -> str:
    """A copy of a store."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(store, to)
    return to
