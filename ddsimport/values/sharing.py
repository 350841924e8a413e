"""Whether a value shares anything that can change with other objects.

A value that is kept comes back as an object of its own. If the original held a list that the
program also has under another name, a later change of one would have shown in the other: so the
runtime asks here before it keeps a value.

What counts as shared: one mutable object in both (also an `object()` that is only compared by
identity), or arrays over the same memory. What does not: classes, functions, modules and enum
members, which come back as themselves; immutable values; the insides of data frames, whose copies
share memory in a way that no program can see (copy on write; pandas before 3 has exceptions).
"""

from __future__ import annotations

import gc
import sys
import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

ATOMS = frozenset(
    {
        bool, bytes, complex, float, int, range, slice, str, type(None), type(...),
        type(NotImplemented), types.BuiltinFunctionType, types.CodeType, types.FunctionType,
        types.GetSetDescriptorType, types.MemberDescriptorType, types.ModuleType,
    }
)  # fmt: skip
"""Types whose values hold nothing that can change, or come back as themselves."""
_IMMUTABLE_LIBRARIES = frozenset(
    {"datetime", "decimal", "fractions", "pathlib", "re", "uuid", "zoneinfo"}
)
_OPAQUE_LIBRARIES = frozenset({"pandas", "polars", "py4j", "pyarrow"})
_OPAQUE_TYPES = frozenset({"Column", "DataFrame", "SparkContext", "SparkSession"})
"""Of pyspark, all of which lead to the one session there is."""


def shared_with(value: object, others: Iterable[tuple[str, object]]) -> str | None:
    """The name of the first of `others` that shares a mutable object with `value`, None if none.

    Takes time proportional to the objects in `value` and in `others`.
    """
    held = set(identities(value))
    if not held:
        return None
    for name, other in others:
        if not held.isdisjoint(identities(other)):
            return name
    return None


def identities(root: object) -> Iterator[int]:
    """The identities of the mutable objects that can be reached from `root`."""
    numpy: Any = sys.modules.get("numpy")
    seen: set[int] = set()
    stack: list[Any] = [root]
    while stack:
        thing = stack.pop()
        kind = type(thing)
        if kind in ATOMS or issubclass(kind, type) or id(thing) in seen:
            continue
        seen.add(id(thing))
        library = kind.__module__.partition(".")[0]
        if library in _IMMUTABLE_LIBRARIES or _is_enum(kind):
            continue
        if numpy is not None and issubclass(kind, (numpy.ndarray, numpy.generic, numpy.dtype)):
            if issubclass(kind, numpy.ndarray):
                yield id(owner(thing, numpy))
                if thing.dtype.hasobject:
                    stack.extend(thing.ravel().tolist())
            continue
        if not (issubclass(kind, (tuple, frozenset)) or _is_frozen(kind)):
            yield id(thing)
        if library not in _OPAQUE_LIBRARIES and not (
            library == "pyspark" and kind.__name__ in _OPAQUE_TYPES
        ):
            stack.extend(gc.get_referents(thing))


def owner(array: Any, numpy: Any) -> Any:
    """The object whose memory an array lies in: equal for two views of one array."""
    while isinstance(array.base, numpy.ndarray):
        array = array.base
    return array if array.base is None else array.base


def _is_enum(kind: type) -> bool:
    enum: Any = sys.modules.get("enum")
    return enum is not None and issubclass(kind, enum.Enum)


def _is_frozen(kind: type) -> bool:
    parameters = kind.__dict__.get("__dataclass_params__")
    return parameters is not None and bool(parameters.frozen)
