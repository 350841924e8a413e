"""Whether what a name is bound to is what its text defines, and what it has besides.

A function or class is as written if it is the one that the analysis saw; then its text tells what
it is. What was patched, wrapped, registered or filled in since is counted as it is now.
"""

from __future__ import annotations

import sys
from types import FunctionType, MappingProxyType

from ddsimport.source.cells import file_of_module, place_of
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
        "__qualname__", "__slotnames__", "__slots__", "__static_attributes__", "__subclasshook__",
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
    return code.co_name == reference.qualname.rpartition(".")[2] and place_of(code) == (
        reference.file,
        reference.first_line,
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


def additions(thing: Any, with_extras: bool = False) -> tuple[object, ...] | None:
    """What a function as written has besides its text: default values, attributes, the functions
    that were registered with it, what it closes over; with extras, what it tells readers. None if
    there is nothing."""
    function = _unwrapped(thing)
    attributes = {
        name: value
        for holder in (thing, function)
        for name, value in getattr(holder, "__dict__", {}).items()
        if name not in _SET_BY_FUNCTOOLS
    }
    registry = attributes.get("registry")
    if type(registry) is MappingProxyType:  # of `functools.singledispatch`, beside its own workings
        attributes = {"registry": registry}
    cells = closed_over(function)
    found: tuple[object, ...] = (function.__defaults__, function.__kwdefaults__, attributes, cells)
    if with_extras:
        found += (extras(function),)
    return found if any(found) else None


def closed_over(function: FunctionType) -> dict[str, object]:
    """The variables of the functions around it, all but the class that `super()` looks for."""
    found: dict[str, object] = {}
    names = function.__code__.co_freevars
    for name, cell in zip(names, function.__closure__ or (), strict=True):
        if name != "__class__":
            try:
                found[name] = cell.cell_contents
            except ValueError:
                continue  # not bound yet
    return found


def extras(thing: Any) -> tuple[object, ...]:
    """The docstring and the annotations of a function or class, as they are now."""
    if isinstance(thing, type):
        return (vars(thing).get("__doc__"), vars(thing).get("__annotations__"))
    # From Python 3.14 on, annotations are computed by whoever asks first; their text counts.
    annotations = thing.__annotations__ if sys.version_info < (3, 14) else None
    return (thing.__doc__, annotations or None)


_SET_BY_FUNCTOOLS = frozenset(
    {
        "__doc__", "__module__", "__name__", "__qualname__", "__type_params__", "__wrapped__",
        "cache_parameters",
    }
)  # fmt: skip
"""What `wraps` and `lru_cache` leave on a function."""


def registered_with(cls: type) -> list[str]:
    """The program's classes that were registered with an abstract class, by name."""
    implementation = vars(cls).get("_abc_impl")
    if type(implementation).__name__ != "_abc_data":
        return []
    from _abc import _get_dump  # type: ignore[import-not-found]  # beside what `abc` itself uses

    classes = [reference() for reference in _get_dump(cls)[0]]
    return sorted(
        f"{each.__module__}.{each.__qualname__}"
        for each in classes
        if each is not None and file_of(each) is not None
    )


def file_of(cls: type) -> str | None:
    """The tracked file that defines `cls`, None if it is installed or built in."""
    file = file_of_module(sys.modules.get(cls.__module__))
    return file if file is not None and is_tracked(file) else None


def is_made_by_a_call(cls: type) -> bool:
    """Whether a class is none of the installed module that it names, but was made by a call there
    (`make_dataclass`): then the module has no such class."""
    module = sys.modules.get(cls.__module__)
    return cls.__module__ in _MAKERS and vars(module).get(cls.__qualname__) is not cls


_MAKERS = frozenset({"abc", "attr", "attr._make", "dataclasses", "msgspec", "types"})


def fields_of(cls: type) -> list[tuple[str, str]]:
    """The fields of a dataclass, with their annotations as they are shown."""
    fields = vars(cls).get("__dataclass_fields__")
    if type(fields) is not dict:
        return []
    return [(name, repr(getattr(field, "type", None))) for name, field in fields.items()]


def as_it_is(cls: type, file: str, with_extras: bool = False) -> dict[str, object]:
    """The attributes of `cls` whose value its text cannot tell.

    Functions written in the class body are told by the text; so are those that a decorator of the
    standard library (dataclass, total_ordering) generated from it. Everything else counts as it is:
    patched methods, tables that were filled since, attributes computed at import.
    """
    members = vars(cls).get("_member_map_")
    found: dict[str, object] = {}
    if names := registered_with(cls):
        found["register"] = names
    if type(members) is dict:  # an enum: what its members are is in their values
        found["_member_map_"] = [
            (name, getattr(member, "_value_", None), _set_on(member))
            for name, member in members.items()
        ]
    for name, value in attributes(cls).items():
        if _is_slot(value):
            continue
        if type(members) is dict and (name in members or name[0] == name[-1] == "_"):
            continue
        functions = functions_in(value)
        if functions and all(_is_written_in(cls, file, name, each) for each in functions):
            besides = [added for each in functions if (added := additions(each, with_extras))]
            if besides:
                found[name] = besides
            continue
        found[name] = functions if functions else value
    return found


def attributes(cls: type) -> dict[str, object]:
    """The attributes of a class that may tell one program's from another's."""
    found = {name: value for name, value in vars(cls).items() if name not in MACHINERY}
    if "__pydantic_fields__" in found:
        # What pydantic made of fields and validators has no stable form; they have.
        validators = _validators(found.get("__pydantic_decorators__"))
        found = {name: value for name, value in found.items() if name not in _MADE_BY_PYDANTIC}
        found["__pydantic_decorators__"] = validators
    return found


_MADE_BY_PYDANTIC = frozenset(
    {
        "__pydantic_core_schema__", "__pydantic_parent_namespace__", "__pydantic_serializer__",
        "__pydantic_setattr_handlers__", "__pydantic_validator__",
    }
)  # fmt: skip


def _validators(decorators: object) -> dict[str, dict[str, object]]:
    """The functions that pydantic calls, by what for."""
    return {
        kind: {name: getattr(each, "func", None) for name, each in group.items()}
        for kind in getattr(type(decorators), "__dataclass_fields__", ())
        if isinstance(group := getattr(decorators, kind, None), dict)
    }


def may_hide(cls: type) -> bool:
    """Whether instances may hold more than their digest shows: they say themselves what their state
    is, or an installed base does; or members of an enum have private attributes."""
    members = vars(cls).get("_member_map_")
    if type(members) is dict and any(
        name[0] == "_" and name not in _SET_BY_ENUM
        for member in members.values()
        for name in getattr(member, "__dict__", ())
    ):
        return True
    for base in cls.__mro__:
        if file_of(base) is None:
            plain = base.__module__ == "builtins" or base.__module__ in WITHOUT_STATE
            if not (plain or issubclass(base, BaseException)):
                return True
        elif defines(base, _SAY_THEIR_STATE):
            return True
    return cls in getattr(sys.modules.get("copyreg"), "dispatch_table", ())


def defines(cls: type, names: frozenset[str]) -> bool:
    """Whether the program has written any of these methods of a class: not what was generated."""
    return any(
        is_tracked(file := place_of(function.__code__)[0]) and not file.startswith("<")
        for name in names.intersection(vars(cls))
        for function in functions_in(vars(cls)[name])
    )


_SET_BY_ENUM = frozenset({"_name_", "_value_", "_sort_order_", "__objclass__"})
_SAY_THEIR_STATE = frozenset({"__dds_digest__", "__getstate__", "__reduce__", "__reduce_ex__"})
WITHOUT_STATE = frozenset({"abc", "collections.abc", "enum", "typing", "typing_extensions"})
"""Modules of classes that add nothing of their own to an instance."""


def _set_on(member: object) -> dict[str, object]:
    """What a program has set on a member of an enum: all but what `enum` does."""
    return {
        name: value for name, value in getattr(member, "__dict__", {}).items() if name[0] != "_"
    }


def functions_in(value: object) -> list[FunctionType]:
    """The functions that an attribute of a class is made of."""
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    if isinstance(value, property):
        accessors = (value.fget, value.fset, value.fdel)
        return [accessor for accessor in accessors if isinstance(accessor, FunctionType)]
    wrapped = getattr(value, "func", None) if type(value).__name__ == "cached_property" else value
    return [wrapped] if isinstance(wrapped, FunctionType) else []


def _is_written_in(cls: type, file: str, name: str, function: FunctionType) -> bool:
    code = function.__code__
    place, _ = place_of(code)
    if place.startswith("<"):  # generated by dataclass, namedtuple, total_ordering
        return function.__module__ == cls.__module__ or not is_tracked(place)
    return (
        place == file
        and function.__qualname__ == f"{cls.__qualname__}.{name}"
        and code.co_name == function.__name__
    )


def _is_slot(value: object) -> bool:
    return type(value).__name__ in ("member_descriptor", "getset_descriptor", "_tuplegetter")
