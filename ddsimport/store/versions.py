"""What a value was made with: versions of libraries and of Python, and when."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ddsimport.store.trace import Candidate
    from ddsimport.values.codecs import Codec


def libraries_of(value: object, codec: Codec) -> dict[str, str]:
    """{import name: version} of what made the value and of what will read its bytes."""
    own = type(value).__module__.partition(".")[0]
    found = {}
    for name in (own, *codec.libraries):
        version = _version(name)
        if version:
            found[name] = version
    return found


def _version(library: str) -> str:
    """As an imported library says itself; empty if it is not imported, or does not say."""
    version = getattr(sys.modules.get(library), "__version__", "")
    return version if type(version) is str else ""


def moved_since(candidate: Candidate) -> str:
    """What has another version now than when a value was kept, in words."""
    changes = []
    if candidate.python != python_version():
        changes.append(f"Python {candidate.python}, now {python_version()}")
    for name, before in candidate.versions.items():
        now = _version(name)
        if now and now != before.rpartition("==")[2]:
            changes.append(f"{name} {before}, now {now}")
    return f"it was kept under {'; '.join(changes)}" if changes else ""


def now() -> str:
    """ISO 8601 in UTC, to the millisecond."""
    from datetime import datetime, timezone

    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def python_version() -> str:
    import platform

    return platform.python_version()
