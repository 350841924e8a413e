"""A step's place in the text and what it takes, as a constant of the rewritten code."""

from __future__ import annotations

from ddsimport.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Literal

Access = tuple[tuple[str, object], ...]
"""How an expression reads a name: ("." , attribute name) and ("[]", constant key) from left to
right. Empty: the name itself."""


class Input(Record):
    """A name that a step reads, with the longest access that every use there shares.

    Attributes:
        name: the name, mangled as the compiler does in class bodies.
        access: what is read of it; keys of items are str or int.
    """

    name: str
    access: Access = ()


class Site(Record):
    """One marked assignment or function.

    Attributes:
        kind: which of both it is.
        line: the first line of the statement (for a function the line of its `def`), from 1.
        column: the column of the statement's first character there, as `ast` counts: in bytes of
            UTF-8 from 0.
        target: its qualified name inside the module, such as "model", "Model.fit.r",
            "main.<locals>.x"; the names of a tuple are joined by commas.
        path: the template of the artifact's path; None for a bare `# dds:`.
        options: the pragma's options, in order.
        inputs: what an assignment's right-hand side reads; a function's parameters.
        lazy: its targets are names of a module that nothing but steps reads (`source.unread`).
    """

    kind: Literal["assignment", "function"]
    line: int
    column: int
    target: str
    path: str | None
    options: tuple[tuple[str, str], ...]
    inputs: tuple[Input, ...]
    lazy: bool = False

    @property
    def targets(self) -> list[str]:
        """The parts of `target`: several for a tuple."""
        return self.target.split(",")

    def constant(self) -> tuple[Any, ...]:
        """This site as nested tuples of str, int, bool and None, which code objects can hold."""
        inputs = tuple((each.name, each.access) for each in self.inputs)
        return (
            self.kind,
            self.line,
            self.column,
            self.target,
            self.path,
            self.options,
            inputs,
            self.lazy,
        )

    @classmethod
    def from_constant(cls, constant: Sequence[Any]) -> Site:
        """The site whose `constant()` this is."""
        kind, line, column, target, path, options, inputs, lazy = constant
        return cls(
            kind,
            line,
            column,
            target,
            path,
            options,
            tuple(Input(name, access) for name, access in inputs),
            lazy,
        )
