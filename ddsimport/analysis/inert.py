"""Untracked code of which more is known than its name: decorators whose effect is told by the text
of what they decorate, and what finds code that no text names."""

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

KEEPS_RESULTS = frozenset({"functools.cache", "functools.cached_property", "functools.lru_cache"})
"""Those of them whose functions may have run before, and do not run again: what they gave then is
nowhere to be seen."""

DISPATCHES = frozenset({"functools.singledispatch", "functools.singledispatchmethod"})
"""Decorators whose functions are called with others registered, which are seen by value."""

FINDS_CODE = (
    "ctypes.py_object", "ctypes.pythonapi", "gc.get_", "importlib.machinery.",
    "importlib.metadata.entry_points", "importlib.util.module_from_spec",
    "importlib.util.spec_from", "importlib_metadata.", "inspect.getmodule", "pkg_resources.",
    "pkgutil.resolve_name", "pkgutil.walk_packages", "pluggy.", "runpy.", "stevedore.",
    "sys.modules", "zipimport.",
)  # fmt: skip
"""What full dotted names begin with."""
