"""Installed code that the program has changed: what its version does not tell.

Installed code counts by the version of its distribution, and that of the standard library by
Python's. A program can still put something else in its place (`np.sum = mine`), add to a class
(`pd.DataFrame.share = share`), or set what such code looks at while it runs (a level, a filter).

What reached code names is looked at where it is named. What it does not name (a method of a value,
what other installed code uses) is found by the text of every loaded first-party file: an attribute
that is stored to a module or class which is not the project's counts, as it is now, for every step.
There are few of these, and they seldom change.
"""

from __future__ import annotations

import os
import re
import sys
from types import BuiltinFunctionType, FunctionType, ModuleType

from ddsimport.analysis import sealed
from ddsimport.analysis.facts import FACTS_TAG
from ddsimport.runtime import written
from ddsimport.source import tracked
from ddsimport.values.digest import is_immutable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ddsimport.analysis.codehash import Reference

_MISSING: Any = object()


def token(thing: Any) -> bytes | None:
    """What stands for a thing of installed code, under the name that the program has for it.

    None if it is the program's own, or data that counts by value. Instances of installed classes
    (`plt.rcParams`) count by nothing here: their state is that of a library, mostly.
    """
    kind = type(thing)
    if kind is FunctionType:
        if tracked.is_tracked(thing.__code__.co_filename):
            return None
        return _name(thing)
    if issubclass(kind, type):
        if written.file_of(thing) is not None:
            return None
        return _name(thing) + _registered(thing)
    if kind is BuiltinFunctionType:
        return _name(thing)
    if kind is ModuleType:
        return b""
    if kind is str:  # where something is installed is no part of a value
        return b"" if thing.startswith("/") else None
    if is_immutable(thing) or thing is sys.argv or written.file_of(kind) is not None:
        return None
    return b""


def _name(thing: Any) -> bytes:
    return f"{thing.__module__}:{thing.__qualname__}".encode()


def _registered(cls: type) -> bytes:
    """The classes of the program that were registered with an abstract class."""
    names = written.registered_with(cls)
    return " ".join(["", *names]).encode() if names else b""


def is_settled(dotted: str, thing: Any) -> bool:
    """Whether identity (and that of a function's code) tells that all is what it was."""
    if dotted.partition(".")[0] in _SETTINGS and callable(thing):
        return False
    kind = type(thing)
    if issubclass(kind, type):
        return written.file_of(thing) is None and "_abc_impl" not in vars(thing)
    if kind is FunctionType:
        return not tracked.is_tracked(thing.__code__.co_filename)
    return kind in (ModuleType, BuiltinFunctionType) or is_immutable(thing)


# --- what installed code looks at while it runs ---------------------------------------------------


def setting_of(dotted: str, thing: Any) -> object:
    """What the program has set in the standard library that the call of `dotted` looks at."""
    setting = _SETTINGS.get(dotted.partition(".")[0])
    if setting is None or not callable(thing):
        return None
    module = sys.modules.get(dotted.partition(".")[0])
    return setting(module) if module is not None else None


def decimal_context(decimal: Any) -> object:
    """What the context of this thread says, as a value."""
    context = decimal.getcontext()
    traps = sorted(signal.__name__ for signal, trapped in context.traps.items() if trapped)
    fields = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")
    return (*(getattr(context, field) for field in fields), traps)


def _arguments(_: Any) -> object:
    return sys.argv[1:]


_SETTINGS: dict[str, Callable[[Any], object]] = {
    **dict.fromkeys(("argparse", "click", "docopt", "fire", "optparse", "typer"), _arguments),
    "decimal": decimal_context,
    "logging": lambda logging: logging.root,
    "warnings": lambda warnings: warnings.filters,
}


# --- what the program's files store to ------------------------------------------------------------

_SETATTR = re.compile(rb"setattr\(\s*([A-Za-z_][\w.]*)\s*,\s*['\"](\w+)['\"]")


def stores_in(text: bytes) -> set[tuple[str, str]]:
    """(dotted name, attribute) of what looks like a store to an attribute, but of `self` or `cls`.

    By lines, without a parse: every file that is loaded is looked at, in every run.
    """
    found: set[tuple[str, str]] = set()
    for line in text.replace(b";", b"\n").split(b"\n"):
        left, equals, right = line.partition(b"=")
        if not equals or b"." not in left or right.startswith(b"="):
            continue
        if left.lstrip().startswith((b"self.", b"cls.", b"#")) or left.endswith((b"<", b">", b"!")):
            continue
        for word in left.replace(b":", b" ").replace(b",", b" ").split():
            holder, dot, attribute = word.strip(b";+-*/%&|^@").rpartition(b".")
            if dot and attribute.replace(b"_", b"a").isalnum():
                chain = holder.decode("utf-8", "replace")
                if chain and chain.replace(".", "").isidentifier():
                    found.add((chain, attribute.decode()))
    if b"setattr(" in text:
        for match in _SETATTR.finditer(text):
            found.add((match[1].decode(), match[2].decode()))
    return found


_FORMAT = 2
_directory: list[str] = []
_looked_at: set[str] = set()
_looking_into: list[str] = []
stores_of_session: set[tuple[str, str, str]] = set()
"""What `stores_in` and `_import_in` say of the cells that an interactive session has run. Looked at
each time: what they name may be bound later."""
_patched: dict[tuple[int, str], tuple[Any, str, str]] = {}
"""(identity of a module or class, attribute) -> (it, attribute, dotted name)."""


def patched() -> list[tuple[str, Any]]:
    """(dotted name, what is there now) of what the program's files store to in installed code and
    is the program's own, or data; sorted by name."""
    if len(tracked.loaded_as) != len(_looked_at):
        _look_at_new_files()
    for chain, attribute, imported in stores_of_session:
        _note(sys.modules["__main__"], chain, attribute, imported)
    if not _patched:
        return []
    found = []
    for holder, attribute, dotted in _patched.values():
        thing = vars(holder).get(attribute, _MISSING)
        if thing is not _MISSING and not _is_its_own(thing, attribute):
            found.append((dotted, thing))
    found.sort(key=lambda pair: pair[0])
    return found


def may_come_late(reference: Reference) -> bool:
    """Whether what a reference to installed code names may not be there before the step runs that
    uses it: `import xml.sax` in a function, and `concurrent.futures.ThreadPoolExecutor`, which that
    module imports when it is asked for it (PEP 562)."""
    if reference.lazy:
        return True
    module, dot, _ = reference.owner.rpartition(".")
    while dot:
        if hasattr(sys.modules.get(module), "__getattr__"):
            return True
        module, dot, _ = module.rpartition(".")
    return False


def is_of_its_package(thing: Any, dotted: str) -> bool:
    """Whether a thing is what its package has under this name, as far as names tell."""
    package, _, attribute = dotted.partition(".")
    home = getattr(thing, "__module__", None)
    return (
        isinstance(home, str)
        and home.partition(".")[0] == package
        and _is_its_own(thing, attribute.rpartition(".")[2])
    )


def _is_its_own(thing: Any, attribute: str) -> bool:
    """Whether nothing tells that an attribute of installed code was changed."""
    stands_for = token(thing)
    if stands_for is None:
        return False
    name = stands_for.rpartition(b":")[2].rpartition(b".")[2]
    return not stands_for or name == attribute.encode()


def note_cell(text: bytes) -> None:
    """Note what a cell of an interactive session may store to in installed code."""
    for chain, attribute in stores_in(text):
        stores_of_session.add((chain, attribute, _import_in(text, chain)))


def keep_in(directory: str) -> None:
    """Keep what files store to in a file of this folder from now on, by the files' status."""
    _directory[:] = [directory]


def _look_at_new_files() -> None:
    # A file whose import failed has no module, and is asked for again and again: no work for it.
    loaded = [(path, sys.modules.get(name)) for path, name in tracked.loaded_as.items()]
    new = [(path, module) for path, module in loaded if module and path not in _looked_at]
    if not new:
        return
    kept = (sealed.read(_file()) if _directory else None) or {}
    added = False
    for path, module in new:
        _looked_at.add(path)
        status = list(tracked.source_stats.get(path, ()))
        found = kept.get(path)
        if found is None or found[0] != status:
            try:
                with open(path, "rb") as file:
                    text = file.read()
            except OSError:
                continue
            stores = [[*pair, _import_in(text, pair[0])] for pair in sorted(stores_in(text))]
            found = kept[path] = [status, stores, looks_into_modules(text)]
            added = True
        for chain, attribute, imported in found[1]:
            _note(module, chain, attribute, imported)
        if found[2]:
            _looking_into.append(path)
    if added and _directory:
        sealed.write(_file(), kept)


_LOOKS_INTO = (b"f_globals", b"f_locals", b"__globals__", b"ModuleType")


def looks_into_modules(text: bytes) -> bool:
    """Whether code may get at the names of another module without asking that for them, or at what
    kind of thing it is."""
    return any(name in text for name in _LOOKS_INTO)


def modules_are_looked_into() -> bool:
    """Whether a loaded file of the program may."""
    if len(tracked.loaded_as) != len(_looked_at):
        _look_at_new_files()
    return bool(_looking_into)


def _file() -> str:
    return os.path.join(_directory[0], f"stores-{_FORMAT}-{FACTS_TAG}{sealed.SUFFIX}")


def _note(module: ModuleType, chain: str, attribute: str, imported: str) -> None:
    first, *rest = chain.split(".")
    holder = vars(module).get(first, _MISSING)
    if holder is _MISSING:
        source, _, name = imported.partition(":")
        holder = sys.modules.get(source, _MISSING)
        if name and holder is not _MISSING:
            holder = vars(holder).get(name, _MISSING)
    for part in rest:
        if not isinstance(holder, (ModuleType, type)):
            return
        holder = vars(holder).get(part, _MISSING)
    if isinstance(holder, ModuleType):
        file = getattr(holder, "__file__", None)
        if holder is sys or (file is not None and tracked.is_tracked(file)):
            return  # `sys.stdout = …`, `sys.excepthook = …` are how a run reports
        dotted = holder.__name__
    elif isinstance(holder, type) and written.file_of(holder) is None:
        dotted = f"{holder.__module__}.{holder.__qualname__}"
    else:
        return
    _patched[id(holder), attribute] = (holder, attribute, f"{dotted}.{attribute}")


def _import_in(text: bytes, chain: str) -> str:
    """What a function of the text may import under the first name of a chain: "module", or
    "module:name"; empty if none does."""
    name = chain.partition(".")[0]
    word = re.escape(name.encode())
    found = re.search(rb"\bimport\s+([\w.]+)\s+as\s+" + word + rb"\b", text)
    if found is not None:
        return found[1].decode()
    if re.search(rb"^\s+import\s+(?:[^\n]*,\s*)?" + word + rb"\b", text, re.MULTILINE):
        return name
    origin = rb"^\s+from\s+([\w.]+)\s+import\s[^\n]*\b" + word + rb"\b"
    found = re.search(origin, text, re.MULTILINE)
    return f"{found[1].decode()}:{name}" if found is not None else ""
