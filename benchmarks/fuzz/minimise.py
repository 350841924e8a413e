"""Makes a failing case small: takes away lines, statement by statement, while it still fails."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Mapping
from difflib import SequenceMatcher

from benchmarks.fuzz.cases import Versions

Files = dict[str, str]


def minimised(
    versions: Versions, still_fails: Callable[[list[Files]], bool], seconds: float
) -> list[Files]:
    """The smallest case found within some seconds; each step of the way was seen to fail."""
    best = [dict(files) for files in versions]
    deadline = time.monotonic() + seconds
    shrunk = True
    while shrunk:
        shrunk = False
        tried: set[tuple[str, str]] = set()
        while (smaller := _next_smaller(best, tried)) is not None:
            if time.monotonic() > deadline:
                return best
            if still_fails(smaller):
                best = smaller
                shrunk = True
    return best


def _next_smaller(versions: list[Files], tried: set[tuple[str, str]]) -> list[Files] | None:
    """Versions with one statement less, or without an empty file; the largest statements first.

    Args:
        tried: what was taken away before, in vain or not; what is taken away now is added.
    """
    for file, text in sorted(versions[0].items()):
        lines = text.splitlines(keepends=True)
        for first, last in _statements(text):
            key = (file, "".join(lines[first:last]))
            if key not in tried:
                tried.add(key)
                smaller = _without(versions, file, first, last)
                if smaller is not None:
                    return smaller
        if not text.strip() and file != "main.py" and (file, "") not in tried:
            tried.add((file, ""))
            return [{name: files[name] for name in files if name != file} for files in versions]
    return None


def _statements(text: str) -> list[tuple[int, int]]:
    """The lines of all statements, the largest first."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    spans = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            decorators = getattr(node, "decorator_list", [])
            first = min([node.lineno, *(each.lineno for each in decorators)])
            spans.add((first - 1, node.end_lineno or node.lineno))
    return sorted(spans, key=lambda span: (span[0] - span[1], -span[0]))


def _without(versions: list[Files], file: str, first: int, last: int) -> list[Files] | None:
    """All versions without some lines of the first one's file; None if a version changes them."""
    lines = versions[0][file].splitlines(keepends=True)
    cut: list[Files] = []
    for files in versions:
        others = files[file].splitlines(keepends=True)
        matching = SequenceMatcher(None, lines, others, autojunk=False).get_matching_blocks()
        place = next(
            (
                block.b + first - block.a
                for block in matching
                if block.a <= first and last <= block.a + block.size
            ),
            None,
        )
        if place is None:
            return None
        kept = others[:place] + others[place + last - first :]
        if not _parses("".join(kept)):
            return None
        cut.append({**files, file: "".join(kept)})
    return cut


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def size(files: Mapping[str, str]) -> int:
    """Lines of a program."""
    return sum(len(text.splitlines()) for text in files.values())
