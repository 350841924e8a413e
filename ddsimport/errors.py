"""Errors and warnings that users meet, and nothing else: every room may import this one."""

from __future__ import annotations


class PragmaError(SyntaxError):
    """A `# dds:` comment that cannot mean anything, or is on a statement that cannot be a step.

    A `SyntaxError`, so that Python, pytest, IPython and editors show file, line, column and the
    offending text as they do for any other mistake in a source file.
    """


class DdsimportWarning(UserWarning):
    """Something ddsimport could not do for the program, which goes on as plain Python."""


class ConfigurationError(Exception):
    """An option, environment variable or `[tool.ddsimport]` key that cannot be used as given."""


class CannotRunError(Exception):
    """There is no program, or none of a kind that can be run; the message is complete."""


class StoreError(Exception):
    """The store cannot be used: unreadable, full, read-only, foreign or of another version."""


class CodecError(Exception):
    """No codec restores a value exactly, or the bytes of one do not decode."""


class UndigestibleError(TypeError):
    """A value has no canonical digest.

    Attributes:
        where: the attribute path to the culprit inside the value, such as `.model.lock` (empty
            for the value itself).
        why: what the culprit is, in words.
        kind: its type, None where it is not known.
    """

    def __init__(self, where: str, why: str, kind: type | None = None) -> None:
        super().__init__(f"{where or 'the value'}: {why}")
        self.where = where
        self.why = why
        self.kind = kind
