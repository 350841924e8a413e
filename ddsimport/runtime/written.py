"""Whether what a name is bound to is what its text defines, and what it has besides.

A function or class is as written if it is the one that the analysis saw; then its text tells what
it is. What was patched, wrapped, registered or filled in since is counted as it is now.
"""

from __future__ import annotations

import sys
from types import FunctionType, MappingProxyType

from ddsimport.source.tracked import is_tracked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.analysis.codehash import Reference

MACHINERY = frozenset(
    {
        "__abstractmethods__", "__annotations__", "__annotate__", "__annotate_func__",
        "__annotations_cache__", "__classcell__", "__dict__", "__doc__", "__firstlineno__",
        "__match_args__", "__module__", "__orig_bases__", "__parameters__",
        "__qualname__", "__slots__", "__static_attributes__", "__subclasshook__",
        "__type_params__", "__weakref__", "_abc_impl", "__dataclass_fields__",
        "__dataclass_params__", "__conditional_annotations__",
    }
)  # fmt: skip
"""What the interpreter and the standard library write into a class: told by its text."""


def is_as_written(reference: Reference, thing: Any) -> bool:
    """True if `thing` is the function or class that the text at `reference` defines."""
    if issubclass(type(thing), type):
        return bool(thing.__qualname__ == reference.qualname and file_of(thing) == reference.file)
    function = _unwrapped(thing)
    if type(function) is not FunctionType:
        return False
    code = function.__code__
    return (
        code.co_firstlineno == reference.first_line
        and code.co_filename == reference.file
        and code.co_name == reference.qualname.rpartition(".")[2]
    )


def _unwrapped(thing: Any) -> Any:
    """The function below `functools.lru_cache`, `contextmanager` and their like."""
    while True:
        kind = type(thing)
        wraps = kind.__qualname__ == "_lru_cache_wrapper" or (
            kind is FunctionType and not is_tracked(thing.__code__.co_filename)
        )
        inner = thing.__dict__.get("__wrapped__") if wraps else None
        if inner is None:
            return thing
        thing = inner


def additions(thing: Any) -> tuple[object, ...] | None:
    """What a function as written has besides its text: default values, attributes, the functions
    that were registered with it. None if there is nothing."""
    function = _unwrapped(thing)
    attributes = {
        name: value
        for holder in (thing, function)
        for name, value in getattr(holder, "__dict__", {}).items()
        if name not in _SET_BY_FUNCTOOLS
    }
    found = (function.__defaults__, function.__kwdefaults__, attributes)
    return found if any(found) else None


_SET_BY_FUNCTOOLS = frozenset(
    {
        "__doc__", "__module__", "__name__", "__qualname__", "__type_params__", "__wrapped__",
        "cache_parameters",
    }
)  # fmt: skip
"""What `wraps` and `lru_cache` leave on a function."""


def registered(thing: Any) -> list[object] | None:
    """The implementations of a `functools.singledispatch` function, which are what it is; its
    closure also holds a cache of weak references. None for anything else."""
    if type(thing) is FunctionType:
        registry = thing.__dict__.get("registry")
        if type(registry) is MappingProxyType:
            return list(registry.items())
    return None


def file_of(cls: type) -> str | None:
    """The tracked file that defines `cls`, None if it is installed or built in."""
    module = sys.modules.get(cls.__module__)
    file = getattr(module, "__file__", None)
    return file if file is not None and is_tracked(file) else None


def as_it_is(cls: type, file: str) -> dict[str, object]:
    """The attributes of `cls` whose value its text cannot tell.

    Functions written in the class body are told by the text; so are those that a decorator of the
    standard library (dataclass, total_ordering) generated from it. Everything else counts as it is:
    patched methods, tables that were filled since, attributes computed at import.
    """
    members = vars(cls).get("_member_map_")
    found: dict[str, object] = {}
    if type(members) is dict:  # an enum: what its members are is in their values
        found["_member_map_"] = [
            (name, getattr(member, "_value_", None)) for name, member in members.items()
        ]
    for name, value in vars(cls).items():
        if name in MACHINERY or _is_slot(value):
            continue
        if type(members) is dict and (name in members or name[0] == name[-1] == "_"):
            continue
        functions = _functions_in(value)
        if functions and all(_is_written_in(cls, file, name, each) for each in functions):
            besides = [added for each in functions if (added := additions(each))]
            if besides:
                found[name] = besides
            continue
        found[name] = functions if functions else value
    return found


def _functions_in(value: object) -> list[FunctionType]:
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    if isinstance(value, property):
        accessors = (value.fget, value.fset, value.fdel)
        return [accessor for accessor in accessors if isinstance(accessor, FunctionType)]
    wrapped = getattr(value, "func", None) if type(value).__name__ == "cached_property" else value
    return [wrapped] if isinstance(wrapped, FunctionType) else []


def _is_written_in(cls: type, file: str, name: str, function: FunctionType) -> bool:
    code = function.__code__
    if code.co_filename.startswith("<"):  # generated by dataclass, namedtuple, total_ordering
        return function.__module__ == cls.__module__ or not is_tracked(code.co_filename)
    return (
        code.co_filename == file
        and function.__qualname__ == f"{cls.__qualname__}.{name}"
        and code.co_name == function.__name__
    )


def _is_slot(value: object) -> bool:
    return type(value).__name__ in ("member_descriptor", "getset_descriptor", "_tuplegetter")
