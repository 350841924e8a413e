"""The normal form's alphabet: which fields of which nodes count, and how tokens are spelled.

A normal form is a list of tokens, a prefix code: every node says its kind and how many parts
follow, and every word is preceded by its length, so that different trees never give equal text.
"""

from __future__ import annotations

from blake3 import blake3

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

_READERS: tuple[tuple[str, ...], ...] = (
    (  # READS_EXTRAS
        "__annotations__", "__annotate__", "__doc__", "__text_signature__", "doctest",
        "from_callable", "get_annotations", "get_overloads", "get_type_hints", "getdoc",
        "getfullargspec", "help", "pydoc", "render_doc", "signature",
    ),
    ("__subclasses__",),  # READS_SUBCLASSES
    ("__module__", "__globals__", "getmodule"),  # READS_MODULES
    (  # READS_LINES
        "co_firstlineno", "co_lines", "co_positions", "f_lineno", "findsource", "getcomments",
        "getframeinfo", "getsource", "getsourcelines", "linecache", "tb_lineno",
    ),
    (  # READS_PLACES
        "__file__", "__path__", "__spec__", "abspath", "absolute", "co_filename", "cwd", "getcwd",
        "getfile", "getsourcefile", "realpath", "resolve",
    ),
    ("make_dataclass", "namedtuple", "new_class"),  # MAKES_CLASSES
    ("__code__", "dis", "marshal"),  # READS_CODE
)  # fmt: skip
_BITS = 32
REFLECTION = {name: 1 << _BITS * bit for bit, names in enumerate(_READERS) for name in names}
"""Names of what reads more of other code than its normal form tells (`graph.READS_…`), with their
weight in a count."""
CLASS_MADE = REFLECTION["new_class"]


def reflects(count: int) -> int:
    """What a stretch of code reads of other code, from the weights of the names in it."""
    flags = 0
    for bit in range(len(_READERS)):
        if count >> _BITS * bit & (1 << _BITS) - 1:
            flags |= 1 << bit
    return flags


def word(text: str) -> str:
    """`text` as a token that says its own length."""
    return f"{len(text)}:{text}"


def digest_of(tokens: list[str]) -> str:
    """32 hexadecimal digits (128 bits) that stand for a normal form."""
    return blake3("\0".join(tokens).encode("utf-8", "surrogatepass")).hexdigest(length=16)
