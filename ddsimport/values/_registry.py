"""What others say stands for values of their types: by registration, or by a method of a class."""

from __future__ import annotations

from ddsimport.values._encoder import Encoder, RefusalError, named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ddsimport.values._encoder import Body

    Function = Callable[[Any], object]

_REGISTERED = named("registered")
_OWN = named("__dds_digest__")

# What stands for the values of a type, and whether for those of its subclasses, too.
_functions: dict[type, tuple[Function, bool]] = {}


def add(kind: type, function: Function, subclasses: bool) -> None:
    _functions[kind] = (function, subclasses)


def body_of(kind: type) -> Body | None:
    """What encodes a type that was registered, or inherits from one registered for subclasses."""
    if not _functions:
        return None
    for base in kind.__mro__:
        function, subclasses = _functions.get(base, (None, False))
        if function is not None and (subclasses or base is kind):
            return _by(function)
    return None


def _by(function: Function) -> Body:
    def encode(encoder: Encoder, value: object) -> None:
        encoder.out += _REGISTERED
        encoder.out += encoder.class_token(type(value))
        if encoder.code_of is not None:
            encoder.encode(function)  # another function may give the same for another value
        encoder.encode(_call(function, value, "the function registered for its digest"))

    return encode


def own_word(encoder: Encoder, value: Any) -> None:
    """Append a value whose class has a method that says what stands for it."""
    encoder.out += _OWN
    encoder.out += encoder.class_token(type(value))
    encoder.encode(_call(type(value).__dds_digest__, value, "its __dds_digest__"))


def _call(function: Function, value: object, what: str) -> object:
    try:
        return function(value)
    except RecursionError:
        raise
    except Exception as error:
        raise RefusalError(value, f"{what} raised {type(error).__name__}: {error}") from error
