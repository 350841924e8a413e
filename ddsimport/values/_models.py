"""scipy and scikit-learn: where what pickle keeps is more, or less, than what a program sees."""

from __future__ import annotations

from ddsimport.values._builtins import attributes, mapping_items
from ddsimport.values._columns import items
from ddsimport.values._encoder import Encoder, named
from ddsimport.values._reduced import write_reduced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.values._encoder import Body

_SPARSE = named("scipy.sparse")
_BUNCH = named("sklearn.utils.Bunch")
_DISTRIBUTION = named("scipy.stats distribution")
_DISTRIBUTIONS = frozenset({"multi_rv_generic", "rv_generic"})
_TREE = named("sklearn tree of neighbours")
_COUNTERS = slice(7, 11)  # of the questions it was asked, in the state of such a tree
# Found out by looking at the content, when somebody first asks: a product does.
_FOUND_OUT = frozenset(
    {
        "_has_canonical_format",
        "_has_sorted_indices",
        "has_canonical_format",
        "has_sorted_indices",
    }
)


def body_of(kind: type) -> Body | None:
    """What encodes these types, and subclasses of theirs; None where pickle's way does."""
    for base in kind.__mro__:
        if base.__module__ == "scipy.sparse._base" and base.__name__ == "_spbase":
            return _sparse
        if base.__module__ == "sklearn.utils._bunch" and base.__name__ == "Bunch":
            return _bunch
        if base.__module__.startswith("scipy.stats.") and base.__name__ in _DISTRIBUTIONS:
            return _distribution
    if kind.__module__ in (
        "sklearn.neighbors._ball_tree",
        "sklearn.neighbors._kd_tree",
    ) and hasattr(kind, "get_tree_stats"):
        return _tree
    return None


def _sparse(encoder: Encoder, value: Any) -> None:
    encoder.out += _SPARSE
    encoder.out += encoder.class_token(type(value))
    state = vars(value)
    attributes(encoder, {name: state[name] for name in state.keys() - _FOUND_OUT})
    # A dictionary of keys is a dict, too; since it keeps its items elsewhere, an empty one at first
    # and a full one once it has been pickled.
    if isinstance(value, dict) and "_dict" not in state:
        mapping_items(encoder, value)


def _bunch(encoder: Encoder, value: Any) -> None:
    # Its attributes are its items, but for a table of warnings, which it does not pickle.
    encoder.out += _BUNCH
    encoder.out += encoder.class_token(type(value))
    mapping_items(encoder, value)


def _tree(encoder: Encoder, value: Any) -> None:
    encoder.out += _TREE
    encoder.out += encoder.class_token(type(value))
    state = list(value.__getstate__())
    if all(type(count) is int for count in state[_COUNTERS]):
        del state[_COUNTERS]
    items(encoder, state)


def _distribution(encoder: Encoder, value: Any) -> None:
    # Most draw from the global random state, which starts anew in each process: with it, whoever
    # asks `scipy.stats.norm` for a quantile would never hit. Draws from it are draws from
    # `numpy.random`, which count for nobody.
    from numpy.random import mtrand

    shared = getattr(value, "_random_state", None) is mtrand._rand
    encoder.out += _DISTRIBUTION
    encoder.out += b"g" if shared else b"o"
    write_reduced(encoder, value, frozenset({"_random_state"} if shared else ()))
