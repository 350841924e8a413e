"""The normal form's alphabet: which fields of which nodes count, and how tokens are spelled.

A normal form is a list of tokens, a prefix code: every node says its kind and how many parts
follow, and every word is preceded by its length, so that different trees never give equal text.
"""

from __future__ import annotations

from blake3 import blake3

from ddsimport.analysis.graph import READS_EXTRAS, READS_SUBCLASSES

FIELDS: dict[str, tuple[str, ...]] = {
    "Await": ("expression",),
    "Element": ("value",),
    "StarredElement": ("value",),
    "IfExp": ("body", "test", "orelse"),
    "Slice": ("lower", "upper", "step"),
    "List": ("elements",),
    "Tuple": ("elements",),
    "Set": ("elements",),
    "Dict": ("elements",),
    "DictElement": ("key", "value"),
    "StarredDictElement": ("value",),
    "Yield": ("value",),
    "From": ("item",),
    "MatchValue": ("value",),
    "MatchMappingElement": ("key", "pattern"),
    "MatchOr": ("patterns",),
    "MatchOrElement": ("pattern",),
    "MatchSequenceElement": ("value",),
}
"""Nodes whose normal form is their kind and these fields, in the order of the text."""

_EXTRAS = (
    "__annotations__", "__annotate__", "__doc__", "get_annotations", "get_type_hints",
    "getdoc", "getfullargspec", "signature",
)  # fmt: skip
_MANY = 1 << 32
REFLECTION = {**dict.fromkeys(_EXTRAS, 1), "__subclasses__": _MANY}
"""Names of what reads more of other code than its normal form tells, with their weight in a count:
docstrings and annotations, and the classes that derive from one."""


def reflects(count: int) -> int:
    """Which of the two a stretch of code reads, from the weights of the names in it."""
    return READS_EXTRAS * (count % _MANY > 0) + READS_SUBCLASSES * (count >= _MANY)


def word(text: str) -> str:
    """`text` as a token that says its own length."""
    return f"{len(text)}:{text}"


def digest_of(tokens: list[str]) -> str:
    """32 hexadecimal digits (128 bits) that stand for a normal form."""
    return blake3("\0".join(tokens).encode("utf-8", "surrogatepass")).hexdigest(length=16)
