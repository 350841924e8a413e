"""Whether functions that did not run in a step may still have had a part in what it saw.

A function that did not run matters all the same if it ran before (in plain code, in an earlier
step, in a thread) and left something that the step looked at and no digest shows. Nobody records
what ran before; but what a step can look at is known. Values are looked at by their digests. So
something hidden can only pass

- in a thing that has no digest, or whose class says itself what its state is;
- in results that are kept (`lru_cache`);
- in the state of installed code that the step uses, unless that has none (`logging`, `matplotlib`
  have some);
- in what installed code or the interpreter looks at wherever it runs, and some reached code sets
  (`np.seterr`, `sys.setrecursionlimit`, `codecs.register_error`);
- in what a class is: its methods and members follow from what ran when it was made.

Where one of these is possible, all that a step can reach counts; in the last case, what made the
class does.
"""

from __future__ import annotations

import re

from ddsimport.analysis.facts import DEF_KIND, DEF_QUALNAME
from ddsimport.runtime import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ddsimport.analysis.codehash import Codebook
    from ddsimport.analysis.graph import Edge, Key
    from ddsimport.runtime.live import Live

    Place = tuple[str, int]
    """A function: its file, and its index in the facts of that."""

_STATELESS = frozenset(
    {
        "__future__", "abc", "array", "ast", "base64", "binascii", "bisect", "builtins", "calendar",
        "cmath", "collections", "colorsys", "contextlib", "copy", "csv", "dataclasses", "datetime",
        "difflib", "enum", "errno", "fnmatch", "fractions", "functools", "glob", "graphlib", "gzip",
        "hashlib", "heapq", "html", "importlib", "io", "itertools", "json", "keyword", "math",
        "networkx", "ntpath", "numbers", "numpy", "operator", "os", "pandas", "pathlib", "polars",
        "posixpath", "pprint", "pyarrow", "random", "re", "reprlib", "scipy", "sklearn", "stat",
        "statistics", "string", "struct", "sys", "textwrap", "time", "types", "typing",
        "typing_extensions", "unicodedata", "uuid", "zlib",
    }
)  # fmt: skip
"""Installed code that does the same whatever was done with it before, but for its settings
(`_SETS`), and for what else is recorded: random states, files, the environment."""

_SETS = re.compile(
    r"set(?:_\w+|\w*(?:bufsize|context|digits|err|errcall|hook|interval|limit|locale|profile|trace"
    r"|weekday))"
    r"|(?:add|disable|enable|install|patch|register|reset|unregister|use)_\w+"
    r"|register|unregister|use|simplefilter|filterwarnings|resetwarnings"
    r"|[cC]onfig|config_context|ctypes|errstate|field_size_limit|getcontext|localcontext|options?"
    r"|option_context|rcParams\w*|aRepr|umask|tzset|(?:Basic|Default|Extended)Context"
)
"""Names of what sets something for all code that runs later."""


class HiddenError(Exception):
    """Something may be hidden from the digests."""


def made_by(classes: Iterable[Key], codebook: Codebook) -> set[Place]:
    """The functions that may have run while these classes were made."""
    queue: list[Key] = []
    found: set[Place] = set()
    seen: set[Key] = set()
    for key in classes:
        _, module, file, index = key
        facts = codebook.facts(file)
        queue += _nodes(codebook.outer_edges(key))
        methods = facts.methods_of(int(index))
        names = {facts.definitions[each][DEF_QUALNAME].rpartition(".")[2] for each in methods}
        if not _HOOKS.isdisjoint(names):  # which may call any other
            queue += [("d", module, file, each) for each in methods]
    while queue:
        key = queue.pop()
        if key in seen or key[0] == "f":
            continue
        seen.add(key)
        if key[0] == "d":
            found.update(functions_of(key, codebook))
        queue += _nodes(codebook.node(key).edges)
    return found


_HOOKS = frozenset(
    {"__class_getitem__", "__hash__", "__init_subclass__", "__instancecheck__",
     "__prepare__", "__set_name__", "__subclasscheck__", "__subclasshook__"}
)  # fmt: skip
"""What runs while a class is made; what tells where instances stand in a set, and what is an
instance, of which the answers are kept."""


def functions_of(key: Key, codebook: Codebook) -> Iterator[Place]:
    """The functions that a definition is, or has in it."""
    _, _, file, index = key
    facts = codebook.facts(file)
    for each in (int(index), *facts.methods_of(int(index))):
        if facts.definitions[each][DEF_KIND] == "def":
            yield file, each


def check(wide: Live, narrow: Live, whole: set[Place], codebook: Codebook) -> None:
    """See that what did not run cannot have had a part.

    Args:
        wide: what was looked at of all that the step can reach.
        narrow: the same, with the outlines of functions that are not `whole`.

    Raises:
        HiddenError: it can.
    """
    if narrow.uncounted or any(map(_hides, narrow.met)):
        raise HiddenError("some of what it reads is not seen by its value")
    for key in definitions(narrow):
        for file, index in functions_of(key, codebook):
            if codebook.keeps_results(key[1], file, index):
                raise HiddenError("results are kept")
    counted = {key for key in _keys(narrow) if key[0] == "t"}
    for key in _keys(wide):
        for edge in codebook.node(key).edges:
            if key in counted and not any(item.node is not None for item in edge.items):
                continue  # `pd.set_option("display.width", 80)` counts as it stands
            if _sets(edge):
                raise HiddenError(f"{edge.label!r} may set something")
    if all(_STATELESS.issuperset(reach.untracked) for reach in narrow.reaches.values()):
        return
    for key in definitions(wide):
        if not whole.issuperset(functions_of(key, codebook)):
            raise HiddenError("it uses installed code that may remember what others did with it")


def _hides(thing: object) -> bool:
    """Whether instances of this class hold more than is seen, or this keeps what it gave. (No such
    thing is remembered from one inquiry to the next, and not met then: see `Slot.remember`.)"""
    if isinstance(thing, type):
        return written.may_hide(thing)
    return type(thing).__qualname__ == "_lru_cache_wrapper"


def _keys(live: Live) -> Iterator[Key]:
    for reach in live.reaches.values():
        yield from (key for key in reach.nodes if key[0] != "f")


def definitions(live: Live) -> Iterator[Key]:
    """The keys of the definitions that were looked at."""
    return (key for key in _keys(live) if key[0] == "d")


def _sets(edge: Edge) -> bool:
    untracked = [item for item in edge.items if item.untracked]
    if not untracked:
        return False
    written = edge.label.decode("utf-8", "surrogatepass")
    names = [*re.split(r"[.|]", written)]
    for item in untracked:
        if item.reference is not None:
            names += item.reference.owner.split(".")
    return any(_SETS.fullmatch(name) for name in names)


def _nodes(edges: Iterable[Edge]) -> Iterator[Key]:
    for edge in edges:
        for item in edge.items:
            if item.node is not None:
                yield item.node
