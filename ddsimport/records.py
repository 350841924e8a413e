"""The plain values that the rooms hand to each other: what `dataclasses` would make, for less.

A warm run is mostly start-up. `dataclasses` imports `inspect` and with it `ast`, `dis`, `re` and
`tokenize` (10 ms), and a class it makes costs another; `typing` costs 6. So the modules of a warm
run take their plain values from here and name types only `if TYPE_CHECKING` (a name of their own:
type checkers know it). Modules that a warm run does not import use `dataclasses`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from typing_extensions import Self, dataclass_transform
else:

    def dataclass_transform(**_: object) -> object:
        """Tells type checkers what `Record` does to its subclasses (PEP 681)."""
        return lambda cls: cls


@dataclass_transform(frozen_default=True)
class Record:
    """A value whose annotated names are its fields, in order; class attributes are their defaults.

    Records of one class are equal if their fields are. That nobody assigns to a field is held by
    the type checker alone: a check at run time would cost each construction a microsecond.
    """

    _fields: tuple[str, ...] = ()

    def __init_subclass__(cls) -> None:
        cls._fields = tuple(cls.__annotations__)
        defaults = {name: getattr(cls, name) for name in cls._fields if hasattr(cls, name)}
        named = [f"{name}=_[{name!r}]" if name in defaults else name for name in cls._fields]
        stored = "".join(f"\n    self.{name} = {name}" for name in cls._fields)
        # As text: a loop over the fields takes three times as long at each construction.
        text = f"def __init__(self, {', '.join(named)}):{stored}"
        space: dict[str, Any] = {"_": defaults}
        exec(text, space)  # not `compile`, whose first call in a process sets up `ast` in 2 ms
        made = space["__init__"]
        made.__code__ = made.__code__.replace(co_filename=__file__)  # as debuggers know us
        cls.__init__ = made  # type: ignore[method-assign]

    def __iter__(self) -> Iterator[Any]:
        """The values of the fields."""
        return (getattr(self, name) for name in self._fields)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.as_dict().items())
        return f"{type(self).__name__}({fields})"

    def as_dict(self) -> dict[str, Any]:
        """{field: value}; values that are records stay records."""
        return {name: getattr(self, name) for name in self._fields}

    def replace(self, **changes: Any) -> Self:
        """The same with other values in some fields."""
        return type(self)(**{**self.as_dict(), **changes})
