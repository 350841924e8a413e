"""matplotlib: figures and what they are made of, by what pickle keeps.

Without what differs from one moment to the next: the table of what depends on a transformation,
whose keys are addresses, and the number that the next callback will get.
"""

from __future__ import annotations

from ddsimport.values._encoder import Encoder
from ddsimport.values._reduced import write_reduced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.values._encoder import Body

_LEFT_OUT = {
    ("matplotlib.cbook", "CallbackRegistry"): frozenset({"_cid_gen"}),
    ("matplotlib.transforms", "TransformNode"): frozenset({"_parents"}),
}


def body_of(kind: type) -> Body | None:
    """What encodes the types of matplotlib whose state holds more than a program sees."""
    for base in kind.__mro__:
        left_out = _LEFT_OUT.get((base.__module__, base.__name__))
        if left_out is not None:
            return _without(left_out)
    return None


def _without(names: frozenset[str]) -> Body:
    def encode(encoder: Encoder, value: Any) -> None:
        write_reduced(encoder, value, names)

    return encode
