"""The steps of a program as its text has them now, found without importing any of it."""

from __future__ import annotations

import ast
import os
import sys
from types import ModuleType

from ddsimport.records import Record
from ddsimport.source.pragma import pragmas_of
from ddsimport.source.steps import sites_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddsimport.runtime.session import Session
    from ddsimport.source.site import Site


class Place(Record):
    """A step in the text.

    Attributes:
        site: what it is.
        module: the module, `__main__` for the program's own.
        file: its source file.
    """

    site: Site
    module: str
    file: str

    @property
    def path(self) -> str:
        """The artifact's path, perhaps a template."""
        name = os.path.basename(self.file).partition(".")[0]
        module = name if self.module == "__main__" else self.module
        return self.site.path or f"/{module}/{self.site.target.replace('.<locals>', '')}"


def places_of(session: Session, program: str) -> Iterator[Place]:
    """The steps of the program and of all modules of the project that it imports.

    Raises:
        OSError, PragmaError, SyntaxError, ValueError: its text is not that of a program.
    """
    queue = [("__main__", program)]
    seen = {os.path.realpath(program)}
    for module, file in queue:
        try:
            text = session.codebook.text_of(file)
            tree = ast.parse(text, file)
        except (OSError, SyntaxError, ValueError):
            if file == program:
                raise
            continue
        for step in sites_of(tree, pragmas_of(text, file), file, text):
            yield Place(step.site, module, file)
        for name in _imported(tree, module, file):
            found, tracked = session.codebook.place_of(name)
            if found is None or not tracked or not found.endswith((".py", ".pyw")):
                continue
            if os.path.realpath(found) not in seen:
                seen.add(os.path.realpath(found))
                queue.append((name, found))


class as_main:  # noqa: N801 - reads as a function
    """The analysis asks which package the main module is in, and where modules are found."""

    def __init__(self, main: ModuleType, folder: str) -> None:
        self._main, self._folder = main, folder

    def __enter__(self) -> None:
        self._before = sys.modules["__main__"]
        sys.modules["__main__"] = self._main
        sys.path.insert(0, self._folder)

    def __exit__(self, *_: object) -> None:
        sys.modules["__main__"] = self._before
        sys.path.remove(self._folder)


def _imported(tree: ast.Module, module: str, file: str) -> Iterator[str]:
    """The modules that a text imports anywhere, as absolute names."""
    package = (
        module if os.path.basename(file).startswith("__init__.") else module.rpartition(".")[0]
    )
    if module == "__main__":
        package = getattr(sys.modules["__main__"], "__package__", None) or ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                yield from (".".join(parts[: end + 1]) for end in range(len(parts)))
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*filter(None, above), *([base] if base else [])])
            if base:
                yield base
                yield from (f"{base}.{alias.name}" for alias in node.names if alias.name != "*")
