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
WHOLE = "whole:"
"""The functions that ran, in a footprint: the file that they are in follows."""
UNTIL = "until:"
"""No condition on anything but the clock: seconds since 1970."""

HERE = "./"
"""What stands before the name of a file that was given relative to the working directory."""


def shown(name: str) -> str:
    """The name of a file in a trace, for people."""
    return name.removeprefix(HERE)


def name_in(label: str) -> str:
    """What a label names: a variable, a path, a library."""
    if label.startswith(PATH):
        return shown(label.split(":", 2)[2])
    return label.partition(":")[2]


def said(label: str) -> str:
    """That the variable with this label is otherwise than it was, in words; empty for labels that
    are the runtime's own matter."""
    name = name_in(label)
    if label.startswith(VARIABLE):
        return f"the environment variable {name} has another value"
    if label.startswith(NAMES):
        return "there are other environment variables"
    if label.startswith(LOAD):
        return f"the artifact {name} shows another value"
    if label.startswith(RANDOM):
        return f"the random numbers of {name} begin elsewhere"
    if label.startswith(PATH):
        return f"{name} is there, or is not, or has another size or time"
    if label.startswith(DECLARED):
        return f"the files {name} (of `files=`) differ"
    if label.startswith(CODE):
        return f"{name} ran though no text named it, and differs"
    return "its value is older than its `ttl=`" if label.startswith(UNTIL) else ""
