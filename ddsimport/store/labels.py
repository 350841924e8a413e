"""What the labels of a trace's variables begin with, for those who make them and who tell of them.

The rest of a label says which one; what else the runtime notes there is its own matter.
"""

from __future__ import annotations

VARIABLE = "env:"
"""An environment variable: its name follows."""
NAMES = "env-names:"
"""The names of all environment variables."""
PATH = "path:"
"""The status of a path: `path:how much of it:name`."""
LOAD = "load:"
"""An artifact that was read by `ddsimport.load`: its path follows; the token is the blob's name."""
RANDOM = "random:"
"""The state of a global random number generator, of the library that follows."""
DECLARED = "files:"
"""A pattern of `files=`."""
CODE = "code:"
"""Code that ran, though no text foresaw it: `code:module:name`."""
UNTIL = "until:"
"""No condition on anything but the clock: seconds since 1970."""

HERE = "./"
"""What stands before the name of a file that was given relative to the working directory."""


def shown(name: str) -> str:
    """The name of a file in a trace, for people."""
    return name.removeprefix(HERE)
