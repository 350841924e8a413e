"""The mutants of a program: number k of a seed is always the same one.

A mutation is a piece of text put in the place of another, so that comments, and the pragmas among
them, stay. What Python would refuse to compile is no mutation.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.fuzz.edits import edits_of
from benchmarks.fuzz.insertions import insertions_into

INERT = frozenset({"docstring", "comment", "annotation"})
"""Kinds of edits that change nothing a program could notice, unless it looks at its own text."""


@dataclass(frozen=True, order=True)
class Mutation:
    """One edit: `text[start:end]` of a file becomes `replacement`.

    Attributes:
        line: the line of `start`, for people.
        kind: what sort of edit it is.
    """

    file: str
    start: int
    end: int
    replacement: str
    kind: str
    line: int

    def applied(self, files: Mapping[str, str]) -> dict[str, str]:
        """The files of the program with this edit."""
        text = files[self.file]
        return {**files, self.file: text[: self.start] + self.replacement + text[self.end :]}


@dataclass(frozen=True)
class Mutant:
    """A program with one edit, or two."""

    program: str
    number: int
    mutations: tuple[Mutation, ...]

    def applied(self, files: Mapping[str, str]) -> dict[str, str]:
        """The files of the mutated program."""
        edited = dict(files)
        # From the end of each file to its start: the places of the edits to come stay right.
        for mutation in sorted(self.mutations, reverse=True):
            edited = mutation.applied(edited)
        return edited

    @property
    def name(self) -> str:
        """What `--mutant` takes."""
        return f"{self.program}:{self.number}"

    def described(self, files: Mapping[str, str]) -> str:
        """For people: where it is and what it changes."""
        return "; ".join(
            f"{each.file}:{each.line} {each.kind}:"
            f" {_shortened(files[each.file][each.start : each.end])}"
            f" -> {_shortened(each.replacement)}"
            for each in self.mutations
        )


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) < 60 else f"{text[:40]} ... {text[-15:]}"


class Mutants:
    """The mutants of one program for one seed: number k is always the same.

    The one-place edits come first, each once, in random order; after the last of them, pairs.
    """

    def __init__(self, program: str, files: Mapping[str, str], seed: int) -> None:
        self.program = program
        self.files = files
        self._seed = seed
        self._single = mutations_of(files)
        random.Random(f"{seed} {program}").shuffle(self._single)

    def __len__(self) -> int:
        """How many one-place mutants there are."""
        return len(self._single)

    def __getitem__(self, number: int) -> Mutant:
        if number < len(self._single):
            return Mutant(self.program, number, (self._single[number],))
        chosen = random.Random(f"{self._seed} {self.program} {number}")
        while True:
            first, second = sorted(chosen.sample(self._single, 2))
            pair = Mutant(self.program, number, (first, second))
            apart = first.file != second.file or first.end < second.start
            if apart and all(_compiles(text) for text in pair.applied(self.files).values()):
                return pair


def mutations_of(files: Mapping[str, str]) -> list[Mutation]:
    """Every edit that leaves a program Python can compile, each result once, in a fixed order."""
    found: list[Mutation] = []
    for file in sorted(files):
        seen = {files[file]}
        for mutation in sorted(_candidates(file, files)):
            edited = mutation.applied(files)[file]
            if edited not in seen and _compiles(edited):
                seen.add(edited)
                found.append(mutation)
    return found


def _candidates(file: str, files: Mapping[str, str]) -> Iterator[Mutation]:
    text = files[file]
    for kind, start, end, replacement in edits_of(file, files):
        line = text.count("\n", 0, start) + 1
        yield Mutation(file, start, end, replacement, kind, line)
    lines = text.splitlines(keepends=True)
    for kind, line, added in insertions_into(file, files):
        at = sum(map(len, lines[: line - 1]))
        yield Mutation(file, at, at, added, kind, line)


def _compiles(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<mutant>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True
