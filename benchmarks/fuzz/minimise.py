"""Makes a failing case small: takes away lines, statement by statement, while it still fails."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterator, Mapping
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
        for file in sorted(best[0]):
            for candidate in _smaller(best, file, lambda: best):
                if time.monotonic() > deadline:
                    return best
                if still_fails(candidate):
                    best = candidate
                    shrunk = True
        empty = [name for name, text in best[0].items() if not text.strip() and name != "main.py"]
        for name in empty:
            candidate = [{key: files[key] for key in files if key != name} for files in best]
            if still_fails(candidate):
                best = candidate
    return best


def _smaller(best: list[Files], file: str, now: Callable[[], list[Files]]) -> Iterator[list[Files]]:
    """Versions with one statement (or one pragma) less, the largest statements first.

    After each candidate that the caller takes, `now` gives something else: then what follows is
    cut out of that.
    """
    done = False
    skipped: set[str] = set()
    while not done:
        done = True
        current = now()
        lines = current[0][file].splitlines(keepends=True)
        for first, last in _statements(current[0][file]):
            text = "".join(lines[first:last])
            if text in skipped:
                continue
            skipped.add(text)
            candidate = _without(current, file, first, last)
            if candidate is not None:
                yield candidate
                if now() is not current:
                    done = False
                    break


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
