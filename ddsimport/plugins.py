"""What others add: installed packages that bring codecs and views for their own types.

A package names a function in the entry-point group `ddsimport`; called without arguments, it calls
`register_codec` and `register_view`. Looking for such packages costs milliseconds, so it is done
once, and only when a value, a format or an entry is met that nothing known yet can deal with.
"""

from __future__ import annotations

GROUP = "ddsimport"

formats: set[str] = set()
"""Names for `format=` that were registered."""

failures: list[str] = []
"""What went wrong with installed packages, in words; nothing depends on them but what they add."""

_looked = False


def load_installed() -> bool:
    """Let installed packages register what they bring; False if that was done before."""
    global _looked
    if _looked:
        return False
    _looked = True
    from importlib.metadata import entry_points

    for entry in entry_points(group=GROUP):
        try:
            entry.load()()
        except Exception as error:  # somebody else's code
            failures.append(
                f"{entry.value} (entry point {entry.name!r}) failed to register what it brings: "
                f"{type(error).__name__}: {error}"
            )
    return True
