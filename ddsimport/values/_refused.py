"""Values that are a hold on the running program, and so have no digest: said at once, and why.

Most would be refused by pickle too, but later and in other words.
"""

from __future__ import annotations

from ddsimport.values._builtins import attributes
from ddsimport.values._encoder import Encoder, RefusalError, named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ddsimport.values._encoder import Body

_WHY = {
    "_io": "an open file is not a value: pass its path",
    "_thread": "a lock, or what belongs to one thread, is not a value",
    "_socket": "a connection is not a value",
    "socket": "a connection is not a value",
    "asyncio": "part of a running event loop is not a value",
    "concurrent": "what runs tasks is not a value",
    "itertools": "an iterator can be consumed only once: pass a list",
    "threading": "a thread, or what threads wait for, is not a value",
    "weakref": "a weak reference is not a value",
}
# These have a content, and pickle keeps it.
_VALUES = {"BytesIO", "StringIO", "WeakValueDictionary"}


def body_of(kind: type) -> Body | None:
    """A body that refuses, or None for the harmless classes of these modules."""
    for base in kind.__mro__[:-1]:
        why = _WHY.get(base.__module__.partition(".")[0])
        if why is None:
            continue
        if base.__name__ in _VALUES or issubclass(kind, BaseException):
            return None
        if base.__name__ == "_local" and base.__module__ == "_thread":
            return _thread_local
        if base.__module__ == "_io" and not hasattr(kind, "fileno"):
            return None
        return _refusal(why)
    return None


def _thread_local(encoder: Encoder, value: object) -> None:
    """What the running thread sees of a global; on its own it is no value."""
    if encoder.setting is None:
        raise RefusalError(value, _WHY["_thread"])
    encoder.out += named("local")
    encoder.out += encoder.class_token(type(value))
    attributes(encoder, vars(value))


def _refusal(why: str) -> Body:
    def refuse(encoder: Encoder, value: object) -> None:
        raise RefusalError(value, why)

    return refuse
