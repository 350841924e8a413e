"""The source files of a program that does not run: its own, and what of the project they import."""

from __future__ import annotations

import ast
import os
import sys
from contextlib import contextmanager
from types import ModuleType

from ddsimport.analysis.locate import absolute
from ddsimport.records import Record
from ddsimport.source.pragma import pragmas_of
from ddsimport.source.steps import Step, sites_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ddsimport.analysis.codehash import Codebook


class Source(Record):
    """A source file.

    Attributes:
        module: its module, `__main__` for the program's own.
        file: its name.
        tree: its text, parsed.
        steps: those that are marked in it.
    """

    module: str
    file: str
    tree: ast.Module
    steps: tuple[Step, ...]


@contextmanager
def as_main(folder: str, package: str | None = None) -> Iterator[None]:
    """The analysis asks which package the main module is in, and where modules are found."""
    before = sys.modules["__main__"]
    main = sys.modules["__main__"] = ModuleType("__main__")
    main.__package__ = package
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.modules["__main__"] = before
        sys.path.remove(folder)


def sources_of(
    program: str, codebook: Codebook, broken: Callable[[str, OSError | SyntaxError], None]
) -> Iterator[Source]:
    """The files of a program, each before those that it imports.

    Args:
        broken: is told of a file that cannot be read, or is no text of a program.
    """
    queue = [("__main__", program)]
    seen = {os.path.realpath(program)}
    for module, file in queue:
        try:
            text = codebook.text_of(file)
            tree = ast.parse(text, file)
            steps = sites_of(tree, pragmas_of(text, file), file, text)
        except (OSError, SyntaxError) as error:
            broken(file, error)
            continue
        except ValueError as error:  # of letters in no encoding; on Python 3.10, null bytes
            broken(file, SyntaxError(str(error), (file, 1, None, None)))
            continue
        yield Source(module, file, tree, steps)
        for name in _imported(tree, module, file):
            found, tracked = codebook.place_of(name)
            if found is None or not tracked or not found.endswith((".py", ".pyw")):
                continue
            if os.path.realpath(found) not in seen:
                seen.add(os.path.realpath(found))
                queue.append((name, found))


def _imported(tree: ast.Module, module: str, file: str) -> Iterator[str]:
    """The modules that a text imports anywhere, by their absolute names, each package before what
    is in it; also names that may be of modules (`from package import name`)."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = absolute(module, file, node.level, node.module or "")
            names = [base, *(f"{base}.{each.name}" for each in node.names if each.name != "*")]
        for name in names:
            parts = [*filter(None, name.split("."))]
            yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))
