"""The digest of a value: 32 bytes, shared only by values that a program cannot tell apart.

What counts: the exact type, every leaf of the value, order where it can be seen (dicts), and the
code of the classes and functions in it, as the caller says. What does not count: identity and
sharing (`[s, s]` equals `[s, copy of s]`), the order of sets, memory layout beyond C or Fortran
order, and whatever the value does not keep when pickled.
"""

from __future__ import annotations

from blake3 import blake3

from ddsimport.errors import UndigestibleError
from ddsimport.values import _instances, _registry  # noqa: F401 - fills LEAVES and BODIES
from ddsimport.values._encoder import (
    BODIES,
    FORMAT,
    LEAVES,
    Encoder,
    RefusalError,
    TooDeepError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from ddsimport.values._encoder import CodeOf
    from ddsimport.values._setting import Setting

    _Value = TypeVar("_Value")


def digest(value: object, code_of: CodeOf | None = None, setting: Setting | None = None) -> bytes:
    """The canonical digest of a value.

    Args:
        value: anything. It is not changed; `__reduce_ex__` and `__getstate__` of its own classes
            may be called.
        code_of: called with every function, class and module in it, and the class of every instance
            (not for built-in ones, nor for types whose encoding is ours); gives the bytes that
            stand for its code. Without it, classes of instances count by name.
        setting: where the value is met; without it, it counts on its own.

    Returns:
        32 bytes of blake3, the same in every process, on every machine and Python version.

    Raises:
        UndigestibleError: with the path to the culprit inside the value, and why.
    """
    kind = type(value)
    leaf = None if kind is str and setting is not None else LEAVES.get(kind)
    try:
        if leaf is not None:  # as `encode` would, in two thirds of the time
            out = bytearray(FORMAT)
            leaf(out, value)
        else:
            encoder = Encoder(code_of, setting)
            encoder.encode(value)
            out = encoder.out
    except TooDeepError:
        return _graph_digest(value, code_of, setting)
    except RefusalError as refusal:
        where = "".join(reversed(refusal.parts))
        raise UndigestibleError(where, refusal.why, refusal.kind) from refusal.__cause__
    except RecursionError:
        raise UndigestibleError("", "too little of the stack is left to walk it") from None
    except Exception as error:
        # From the value's own code, or from a container that another thread is changing. Never the
        # program's business: it would not have asked.
        raise UndigestibleError("", f"{type(error).__name__}: {error}") from error
    result: bytes = blake3(out).digest()
    return result


def _graph_digest(value: object, code_of: CodeOf | None, setting: Setting | None) -> bytes:
    from ddsimport.values._graph import graph_digest

    try:
        return graph_digest(value, code_of, setting)
    except RefusalError as refusal:
        where = "".join(reversed(refusal.parts))
        raise UndigestibleError(where, refusal.why, refusal.kind) from refusal.__cause__


def register_digest(
    kind: type[_Value], function: Callable[[_Value], object], *, subclasses: bool = False
) -> None:
    """Say what stands for the values of a type.

        ddsimport.register_digest(Connection, lambda connection: connection.url)

    The digest of such a value is then that of its type (by the code of its class), of the function
    (by its code) and of what the function gives. A class of your own needs no registration: give it
    a method `__dds_digest__(self)` that returns what stands for it; a registration goes before it.

    Register where the type is imported, before the first step that takes such a value.

    Args:
        kind: the type; not a built-in one.
        function: takes a value of that type and gives one that can be digested: a tuple of all
            that a program can see of it. It must change nothing.
        subclasses: whether subclasses count so, too. They may hold more than the function looks at,
            so by default they do not. The nearest registered class decides.

    Raises:
        TypeError: if `kind` is no class, or built in, or `function` cannot be called.
    """
    if not isinstance(kind, type) or kind in LEAVES or kind in BODIES:
        raise TypeError(f"{kind!r} is not a type whose digest can be registered")
    if not callable(function):
        raise TypeError(f"{function!r} cannot be called")
    _registry.add(kind, function, subclasses)


_SCALARS = frozenset(
    {type(None), bool, int, float, complex, str, bytes, type(...), type(NotImplemented)}
)
_MEMBERS = 64  # in all; more would cost as much to look at as to digest


def is_immutable(value: object) -> bool:
    """Whether a value can never change, so that its digest may be remembered by its identity.

    True for exact built-in scalars, and for tuples and frozensets of at most 64 of them in all,
    nested at most four deep.
    """
    kind = type(value)
    if kind in _SCALARS:
        return True
    if kind is not tuple and kind is not frozenset:
        return False
    level: list[object] = [value]
    members = 0
    for _ in range(4):
        below: list[object] = []
        for container in level:
            members += len(container)  # type: ignore[arg-type]  # tuples and frozensets only
            if members > _MEMBERS:
                return False
            for item in container:  # type: ignore[attr-defined]  # as above
                kind = type(item)
                if kind is tuple or kind is frozenset:
                    below.append(item)
                elif kind not in _SCALARS:
                    return False
        if not below:
            return True
        level = below
    return False
