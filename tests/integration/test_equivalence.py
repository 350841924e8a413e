"""Programs and what may happen to them between runs, run plainly and under ddsimport side by side.

Each program of `tests/programs/world.txt` has two folders. Whatever is done to one is done to the
other; after each change both are run twice. Standard output and error, exit code, the values of all
module variables and the files left behind must be equal each time, and the second run must evaluate
nothing (but what `!!!` names).
"""

from __future__ import annotations

import ast
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from projects import ROOT, Outcome, Project

_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


@dataclass
class Story:
    """A program, and what happens to it.

    Attributes:
        files: name -> text.
        environment: variables of all runs.
        changes: (what, argument, text) in order.
        always: paths of steps that are evaluated each time.
    """

    files: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    always: set[str] = field(default_factory=set)


def _stories() -> list[Any]:
    found = []
    for part in re.split(r"^=== ", (ROOT / "tests/programs/world.txt").read_text(), flags=re.M)[1:]:
        title, _, body = part.partition("\n")
        story = Story()
        pieces = re.split(r"^(---|>>>|\+\+\+|!!!) (.*)\n", body.rstrip("\n") + "\n", flags=re.M)
        for mark, head, text in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
            if mark == "---":
                story.files[head] = text
            elif mark == "+++":
                story.environment.update(word.split("=", 1) for word in shlex.split(head))
            elif mark == "!!!":
                story.always.update(head.split())
            else:
                what, _, argument = head.partition(" ")
                known = ("code", "env", "args", "gone", "run")
                story.changes.append((what, argument, "") if what in known else ("", head, text))
        found.append(pytest.param(story, id=title.replace(" ", "-")))
    return found


class _Side:
    """One of the two folders."""

    def __init__(self, root: Path, story: Story, under: bool) -> None:
        self.project = Project(root)
        self.under = under
        self.environment = dict(story.environment)
        self.arguments: list[str] = []
        files = dict(story.files)
        files["main.py"] += _told(files["main.py"])
        self.project.write_files(files)

    def change(self, what: str, argument: str, text: str) -> None:
        if what == "code":
            before, after = argument.split(" => ")
            self.project.edit("main.py", before, after)
        elif what == "env":
            self.environment.update(word.split("=", 1) for word in shlex.split(argument))
        elif what == "args":
            self.arguments = shlex.split(argument)
        elif what == "gone":
            (self.project.root / argument).unlink()
        elif what == "run":
            assert self.project.plain(*shlex.split(argument)).code == 0
        else:
            self.project.write_files({argument: text})

    def run(self) -> Outcome:
        run = self.project.run if self.under else self.project.plain
        return run("main.py", *self.arguments, environment=self.environment)

    def seen(self, ended: Outcome) -> tuple[str, str, int, object]:
        texts = [
            _ADDRESS.sub("0x", text.replace(str(self.project.root), "ROOT"))
            for text in (ended.stdout, ended.stderr)
        ]
        return texts[0], texts[1], ended.code, self.project.tree()


def _told(text: str) -> str:
    """Lines that print all module variables, by name: a program that asks for `globals` has no hits
    that wait."""
    names = {
        node.id
        for statement in ast.parse(text).body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.col_offset == 0
    }
    deleted = {
        node.id
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del)
    }
    return "".join(f"print('{name}', repr({name}))\n" for name in sorted(names - deleted))


@pytest.mark.parametrize("story", _stories())
def test_nobody_can_tell(tmp_path: Path, story: Story) -> None:
    for library in ("numpy", "pandas", "sklearn", "matplotlib"):
        if re.search(rf"^(import|from) .*\b{library}\b", story.files["main.py"], re.M):
            pytest.importorskip(library)
    plain = _Side(tmp_path / "plain" / "p", story, under=False)
    ours = _Side(tmp_path / "ours" / "p", story, under=True)
    changes = list(story.changes)
    while changes and changes[0][0] == "run":  # what makes the first data
        plain.change(*changes[0])
        ours.change(*changes.pop(0))
    for change in (None, *changes):
        if change is not None:
            plain.change(*change)
            ours.change(*change)
        for _ in range(2):
            ended = ours.run()
            assert ours.seen(ended) == plain.seen(plain.run()), change
        assert ended.evaluated() <= story.always, change


def test_there_are_sixty() -> None:
    assert len(_stories()) >= 60
