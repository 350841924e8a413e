"""How two values differ, for people: type, shape, the first place where they are not the same.

No code of a value's class is run but that of a few libraries whose types are asked by name; what
has no value that can be compared so is passed over. Nothing here decides about a hit.
"""

from __future__ import annotations

from ddsimport.values.summary import summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOST = 12
"""Lines of an answer."""

_SCALARS = frozenset({bool, int, float, complex, str, bytes, type(None)})
_SEQUENCES = frozenset({list, tuple})
_SETS = frozenset({set, frozenset})
_DEEPEST = 30
_MOST_LOOKED_AT = 1_000_000
_BRIEF = 60
"""Characters of a text that is said as a whole."""

_TOLD = frozenset(
    {"datetime", "decimal", "fractions", "pathlib", "uuid", "numpy", "pandas", "zoneinfo"}
)
"""Libraries whose scalars say by their `repr` what they are."""


def difference(old: object, new: object) -> list[str]:
    """What differs between two values, a line for each thing, the first ones only; empty if
    nothing is seen to differ. Never raises."""
    comparison = Comparison()
    try:
        comparison.compare("", old, new)
    except Exception as error:  # a subclass of a library's may do anything
        comparison.lines.append(f"they cannot be compared further: {type(error).__name__}")
    return comparison.lines[:MOST]


class Comparison:
    """One comparison under way.

    Attributes:
        lines: what was found so far.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._seen: set[tuple[int, int]] = set()
        self._looked_at = 0

    def tell(self, where: str, what: str) -> bool:
        """Note a difference; returns True."""
        self.lines.append(f"{where}: {what}" if where else what)
        return True

    def change(self, where: str, old: object, new: object) -> bool:
        """Note that one value became another; returns True."""
        before, after = summary(old), summary(new)
        if before == after:
            return self.tell(where, f"another {before}")
        return self.tell(where, f"{before} -> {after}")

    def compare(self, where: str, old: Any, new: Any, depth: int = 0) -> bool:
        """Whether a difference was found (and told), at `where` in the value or below."""
        if old is new or len(self.lines) >= MOST:
            return False
        self._looked_at += 1
        if depth > _DEEPEST or self._looked_at > _MOST_LOOKED_AT:
            return False
        cls = type(old)
        if cls is not type(new):
            return self._types(where, old, new)
        if cls is str:
            return self._text(where, old, new)
        if cls in _SCALARS:
            same = old == new or (old != old and new != new)
            return not same and self.change(where, old, new)
        pair = id(old), id(new)
        if pair in self._seen:
            return False
        self._seen.add(pair)
        if cls is dict:
            return self._dict(where, old, new, depth, "[{!r}]")
        if cls in _SEQUENCES:
            return self._sequence(where, old, new, depth)
        if cls in _SETS:
            return self._set(where, old, new)
        return self._other(where, old, new, depth)

    def _types(self, where: str, old: Any, new: Any) -> bool:
        before, after = (f"{cls.__module__}.{cls.__qualname__}" for cls in (type(old), type(new)))
        said = f"{before.removeprefix('builtins.')} -> {after.removeprefix('builtins.')}"
        told = f"{summary(old)} -> {summary(new)}"
        return self.tell(where, f"{told} ({said})")

    def _text(self, where: str, old: str, new: str) -> bool:
        if old == new:
            return False
        if len(old) <= _BRIEF and len(new) <= _BRIEF:
            return self.tell(where, f"{old!r} -> {new!r}")
        before, after = old.splitlines(), new.splitlines()
        if len(before) != len(after):
            self.tell(where, f"{len(before):,} lines -> {len(after):,}")
        place = _first(before, after)
        if place is None:
            return self.tell(where, f"{len(old):,} characters -> {len(new):,}")
        lines = [
            _part(lines[place], *_around(before, after, place)) if place < len(lines) else "the end"
            for lines in (before, after)
        ]
        line = f"line {place + 1}" if max(len(before), len(after)) > 1 else "text"
        return self.tell(where, f"{line}: {lines[0]} -> {lines[1]}")

    def _dict(self, where: str, old: Any, new: Any, depth: int, key: str) -> bool:
        # Only keys whose `==` is no code of the user's are looked up in the other one.
        before = {name: each for name, each in dict.items(old) if _is_key(name)}
        after = {name: each for name, each in dict.items(new) if _is_key(name)}
        found = False
        for name in before:
            if name not in after:
                found = self.tell(where + key.format(name), f"gone (it was {summary(old[name])})")
        for name in after:
            if name not in before:
                found = self.tell(where + key.format(name), f"new ({summary(after[name])})")
        if len(old) != len(new) and not found:
            found = self.tell(where, f"{len(old):,} keys -> {len(new):,}")
        for name, each in before.items():
            if name in after:
                found |= self.compare(where + key.format(name), each, after[name], depth + 1)
        if not found and list(before) != list(after):
            found = self.tell(where, "the same keys in another order")
        return found

    def _sequence(self, where: str, old: Any, new: Any, depth: int) -> bool:
        found = False
        if len(old) != len(new):
            found = self.tell(where, f"{len(old):,} items -> {len(new):,}")
        for index, (before, after) in enumerate(zip(old, new, strict=False)):
            if self.compare(f"{where}[{index}]", before, after, depth + 1):
                return True
        return found

    def _set(self, where: str, old: Any, new: Any) -> bool:
        found = False
        before, after = ({each for each in some if _is_key(each)} for some in (old, new))
        for said, some in (("gone", before - after), ("new", after - before)):
            if some:
                shown = ", ".join(sorted(map(repr, some))[:3])
                more = f" and {len(some) - 3:,} more" if len(some) > 3 else ""
                found = self.tell(where, f"{said}: {shown}{more}")
        return found or (len(old) != len(new) and self.change(where, old, new))

    def _other(self, where: str, old: Any, new: Any, depth: int) -> bool:
        cls = type(old)
        library = cls.__module__.partition(".")[0]
        if library in ("numpy", "pandas", "polars", "pyarrow", "scipy", "torch", "PIL", "xarray"):
            from ddsimport.values import _differences

            compared = _differences.compared(self, where, old, new)
            if compared is not None:
                return compared
        if library in _TOLD:
            return repr(old) != repr(new) and self.change(where, old, new)
        attributes = _attributes(old), _attributes(new)
        if attributes[0] is None or attributes[1] is None:
            return False  # nothing is known of it
        return self._dict(where, *attributes, depth, ".{}")


def equal(old: Any, new: Any) -> bool:
    """Whether two items of a table or an array of objects are the same, as far as that is seen."""
    return old is new or not Comparison().compare("", old, new)


def _is_key(key: object) -> bool:
    if type(key) is tuple:
        return all(map(_is_key, key))
    return type(key) in _SCALARS


def _attributes(value: Any) -> dict[str, Any] | None:
    """The attributes of an instance; no property of its class is asked."""
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
    return found if type(found) is dict else None


def _first(old: list[str], new: list[str]) -> int | None:
    """The first place where they differ."""
    for place, (before, after) in enumerate(zip(old, new, strict=False)):
        if before != after:
            return place
    return min(len(old), len(new)) if len(old) != len(new) else None


def _around(old: list[str], new: list[str], place: int) -> tuple[int, int]:
    """From and to which character two lines are shown so that their difference can be seen."""
    if place >= min(len(old), len(new)):
        return 0, _BRIEF
    before, after = old[place], new[place]
    common = 0
    while common < min(len(before), len(after)) and before[common] == after[common]:
        common += 1
    start = 0 if common < _BRIEF - 20 else common - 20
    return start, start + _BRIEF


def _part(line: str, start: int, end: int) -> str:
    return "…" * bool(start) + repr(line[start:end]) + "…" * (len(line) > end)
