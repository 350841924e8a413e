"""Which artifact paths are safe, and how text becomes part of one.

An artifact path names a file below `data/` on any system the store may be copied to, so the rules
are the strictest of all of them. Both functions are pure; nothing here touches the disk.
"""

from __future__ import annotations

import re

from ddsimport.errors import StoreError

# File systems take 255 bytes for a name. A record adds `.json`, and directories of records may
# carry a mark (see `views._record_name`); the rest is kept for later use.
LONGEST_PART = 240

# Text put into a part by `quote_part` is cut to this, so that several fit into one part.
_LONGEST_QUOTED = 100

_WINDOWS_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"]
)
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.+=,@")


class ArtifactPathError(StoreError, ValueError):
    """What was given as an artifact path is none."""


def checked_path(path: str) -> str:
    """`path` in the form it is kept under. Raises ArtifactPathError."""
    return "/" + "/".join(artifact_parts(path))


def artifact_parts(path: str) -> tuple[str, ...]:
    """The components of an artifact path, in Unicode normal form C.

    Raises:
        ArtifactPathError: `path` is not an absolute, `/`-separated path whose every component is
            a file name that no system takes for anything else.
    """
    if not path.startswith("/"):
        raise ArtifactPathError(f"artifact path {path!r}: must start with '/'")
    if not path.isascii():
        import unicodedata  # 4 ms, and nearly all paths are ASCII

        path = unicodedata.normalize("NFC", path)
    parts = tuple(path[1:].split("/"))
    for part in parts:
        fault = _fault(part)
        if fault:
            raise ArtifactPathError(f"artifact path {path!r}: {fault}")
    return parts


def _fault(part: str) -> str:
    """Why `part` cannot be one component of an artifact path; empty if it can."""
    if part == "":
        return "has an empty component"
    if part in (".", ".."):
        return f"has the component {part!r}"
    if part[0] == "~":
        return f"the component {part!r} starts with '~'"
    if part[-1] in ". ":
        return f"the component {part!r} ends with a dot or a space"
    for character in part:
        if character in "\\:" or character < " " or "\x7f" <= character <= "\x9f":
            return f"the component {part!r} holds {character!r}"
    try:
        size = len(part.encode())
    except UnicodeEncodeError:
        return f"the component {part!r} is not valid Unicode"
    if size > LONGEST_PART:
        return f"a component is {size} bytes long, more than {LONGEST_PART}"
    if part.split(".", 1)[0].rstrip(" ").lower() in _WINDOWS_DEVICES:
        return f"the component {part!r} is a device name on Windows"
    return ""


def quote_part(text: str) -> str:
    """`text` as (a piece of) one component of an artifact path; different texts stay different.

    ASCII letters, digits and `_-.+=,@` stand for themselves, and so do letters and digits of other
    scripts where normalization leaves the text alone. All else is the `%XX` of its UTF-8 bytes.
    Since `%` itself is always escaped, the original can be read back, hence no two texts meet; the
    empty text is a lone `%`. A result longer than 100 bytes is cut and ends with `~` and 128 bits
    of the text's blake3; `~` occurs in no other result.
    """
    if text == "":
        return "%"
    quoted = "".join(map(_quoted, text)) if _keeps_letters(text) else "".join(map(_percent, text))
    if quoted[-1] == ".":  # Windows drops a final dot; this also disarms "." and ".."
        quoted = quoted[:-1] + "%2E"
    if quoted.split(".", 1)[0].lower() in _WINDOWS_DEVICES:
        quoted = f"%{ord(quoted[0]):02X}{quoted[1:]}"
    encoded = quoted.encode()
    if len(encoded) <= _LONGEST_QUOTED:
        return quoted
    from blake3 import blake3

    fingerprint = blake3(text.encode("utf-8", "surrogatepass")).hexdigest(16)
    return encoded[: _LONGEST_QUOTED - 33].decode("utf-8", "ignore") + "~" + fingerprint


def _keeps_letters(text: str) -> bool:
    """Whether letters outside ASCII may stand for themselves: normalization must not merge texts.

    `é` is one code point or two; both forms are different inputs, but would be one file name.
    """
    if text.isascii():
        return True
    import unicodedata

    return unicodedata.is_normalized("NFC", text)


def _quoted(character: str) -> str:
    """One character, as it is where that is safe.

    `isalnum` leaves out combining marks, which would melt into the character before them.
    """
    if character in _PLAIN or (character > "\x7f" and character.isalnum()):
        return character
    return _escaped(character)


def _percent(character: str) -> str:
    return character if character in _PLAIN else _escaped(character)


def _escaped(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


def record_file(folder: str, parts: tuple[str, ...]) -> str:
    """Where what is known of an artifact path is kept, one JSON file each below `folder`."""
    folders = "".join(f"/{_marked(part)}" for part in parts[:-1])
    return f"{folder}{folders}/{parts[-1]}.json"


def _marked(part: str) -> str:
    """The folder of records for a component: `/a` has the record `a.json`, so `/a.json/b` must not
    need a folder of that name."""
    return part + "~" if re.search(r"\.json~*$", part) else part


def unmarked(part: str) -> str:
    """The component whose folder of records is called `part`."""
    return part[:-1] if re.search(r"\.json~+$", part) else part
