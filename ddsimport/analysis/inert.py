"""Decorators whose effect is told by the text of what they decorate."""

from __future__ import annotations

_MODULES = ("abc", "contextlib", "dataclasses", "enum", "functools", "typing", "typing_extensions")
_NAMES = {
    "abc": ("abstractmethod", "abstractproperty", "abstractclassmethod", "abstractstaticmethod"),
    "contextlib": ("contextmanager", "asynccontextmanager"),
    "dataclasses": ("dataclass",),
    "enum": ("unique", "verify", "global_enum", "property", "member", "nonmember"),
    "functools": ("cache", "cached_property", "lru_cache", "total_ordering", "wraps"),
    "typing": ("final", "no_type_check", "overload", "override", "runtime_checkable"),
}
INERT = frozenset(
    {"classmethod", "property", "staticmethod", "typing_extensions.deprecated"}
    | {f"{module}.{name}" for module, names in _NAMES.items() for name in names}
    | {f"typing_extensions.{name}" for name in _NAMES["typing"]}
)
"""Full dotted names. `functools.singledispatch` is none of them: its registry fills up later."""
