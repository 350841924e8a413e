"""What the text of a program already tells, without running it: see `program`."""

from ddsimport.lint.program import CODES, Finding, lint

__all__ = ["CODES", "Finding", "lint"]
