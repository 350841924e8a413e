"""The steps of a program as its text has them now, found without importing any of it."""

from __future__ import annotations

import os

from ddsimport.errors import PragmaError
from ddsimport.forecast.program import sources_of
from ddsimport.records import Record

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
        OSError, SyntaxError: its text is not that of a program.
        PragmaError: nor is that of a module.
    """

    def refuse(file: str, error: OSError | SyntaxError) -> None:
        if file == program or isinstance(error, PragmaError):
            raise error

    for source in sources_of(program, session.codebook, refuse):
        for step in source.steps:
            yield Place(step.site, source.module, source.file)
