"""Where inside a value a culprit is: worked out only once something has been refused."""

from __future__ import annotations

import types
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_DEEP = 4  # packed rows are not met one by one, so a culprit may be this far below its container


def part(container: object, culprit: object) -> str:
    """The path from a container to a value it holds, such as `['a'].lock`; `[?]` when unknown."""
    level: list[tuple[str, object]] = [("", container)]
    seen = {id(container)}
    for _ in range(_DEEP):
        below = []
        for path, holder in level:
            for step, child in children(holder):
                if child is culprit:
                    return path + step
                if id(child) not in seen:
                    seen.add(id(child))
                    below.append((path + step, child))
        level = below
    return "[?]"


def children(value: Any) -> Iterator[tuple[str, object]]:
    """The values that a value holds, each with the piece of path that leads to it."""
    if isinstance(value, (list, tuple, deque)):
        names = getattr(value, "_fields", None) if isinstance(value, tuple) else None
        for place, item in enumerate(value):
            yield (f".{names[place]}" if names else f"[{place}]"), item
    elif isinstance(value, (dict, types.MappingProxyType)):
        for key, item in value.items():
            yield _key(key), item
        for key in value:
            yield f".key({_short(key)})", key
    elif isinstance(value, (set, frozenset)):
        for item in value:
            yield "{...}", item
    elif isinstance(value, types.FunctionType):
        cells = zip(value.__code__.co_freevars, value.__closure__ or (), strict=True)
        for name, cell in cells:
            try:
                yield f".<closure>.{name}", cell.cell_contents
            except ValueError:
                continue
        for place, item in enumerate(value.__defaults__ or ()):
            yield f".__defaults__[{place}]", item
        for name, item in (value.__kwdefaults__ or {}).items():
            yield f".__kwdefaults__[{name!r}]", item
    elif isinstance(value, types.MethodType):
        yield ".__self__", value.__self__
        yield ".__func__", value.__func__
    elif isinstance(value, slice):
        yield from ((".start", value.start), (".stop", value.stop), (".step", value.step))
    elif type(value).__name__ == "partial":
        yield ".func", value.func
        for place, item in enumerate(value.args):
            yield f".args[{place}]", item
        for name, item in value.keywords.items():
            yield f".keywords[{name!r}]", item
    elif type(value).__name__ == "ndarray" and value.dtype.hasobject and value.dtype.names is None:
        for place, item in enumerate(value.ravel().tolist()):
            yield f".flat[{place}]", item
    elif type(value).__name__ == "DataFrame":
        for name in value.columns:
            yield f"[{name!r}]", None
    yield from _attributes(value)


def _attributes(value: Any) -> Iterator[tuple[str, object]]:
    for name, item in (getattr(value, "__dict__", None) or {}).items():
        if isinstance(value, type):
            return
        yield f".{name}", item
    for base in type(value).__mro__:
        names = base.__dict__.get("__slots__", ())
        for name in (names,) if isinstance(names, str) else tuple(names):
            item = getattr(value, name, None)
            if item is not None:
                yield f".{name}", item


def _key(key: object) -> str:
    return f"[{_short(key)}]"


def _short(key: object) -> str:
    # The repr of a user's own key would run the user's code.
    if type(key) in (str, int, bytes, float, bool, type(None)):
        text = repr(key)
        return text if len(text) <= 40 else text[:37] + "..."
    return f"<{type(key).__name__}>"
