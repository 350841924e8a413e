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

import re
import sys
from types import BuiltinFunctionType, FunctionType, ModuleType

from ddsimport.runtime import written
from ddsimport.source import tracked
from ddsimport.values.digest import is_immutable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

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


def _decimal_context(decimal: Any) -> object:
    context = decimal.getcontext()
    traps = sorted(signal.__name__ for signal, trapped in context.traps.items() if trapped)
    fields = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")
    return (*(getattr(context, field) for field in fields), traps)


_SETTINGS: dict[str, Callable[[Any], object]] = {
    "decimal": _decimal_context,
    "logging": lambda logging: logging.root,
    "warnings": lambda warnings: warnings.filters,
}


# --- what the program's files store to ------------------------------------------------------------

_NAME = rb"[A-Za-z_]\w*"
_STORE = re.compile(
    rb"(?<![\w.])(?!(?:self|cls)\.)(" + _NAME + rb"(?:\." + _NAME + rb")*)\.(" + _NAME + rb")\s*"
    rb"(?:=(?!=)|[-+*/%&|^@]=|:[^=\n]+=(?!=))"
)
_SETATTR = re.compile(rb"setattr\(\s*(" + _NAME + rb"(?:\." + _NAME + rb")*)\s*,\s*['\"](\w+)['\"]")

_looked_at: set[str] = set()
_patched: dict[tuple[int, str], tuple[Any, str, str]] = {}
"""(identity of a module or class, attribute) -> (it, attribute, dotted name)."""


def patched() -> list[tuple[str, Any]]:
    """(dotted name, what is there now) of what the program's files store to in installed code and
    is the program's own, or data; sorted by name."""
    if len(tracked.loaded_as) != len(_looked_at):
        _look_at_new_files()
    if not _patched:
        return []
    found = []
    for holder, attribute, dotted in _patched.values():
        thing = vars(holder).get(attribute, _MISSING)
        if thing is not _MISSING and not _is_its_own(thing, attribute):
            found.append((dotted, thing))
    found.sort(key=lambda pair: pair[0])
    return found


def _is_its_own(thing: Any, attribute: str) -> bool:
    """Whether nothing tells that an attribute of installed code was changed."""
    stands_for = token(thing)
    if stands_for is None:
        return False
    name = stands_for.rpartition(b":")[2].rpartition(b".")[2]
    return not stands_for or name == attribute.encode()


def _look_at_new_files() -> None:
    for path, name in list(tracked.loaded_as.items()):
        module = sys.modules.get(name)
        if path in _looked_at or module is None:
            continue
        _looked_at.add(path)
        try:
            with open(path, "rb") as file:
                text = file.read()
        except OSError:
            continue
        stores = {match.groups() for match in _STORE.finditer(text)}
        stores |= {match.groups() for match in _SETATTR.finditer(text)}
        for chain, attribute in stores:
            _note(module, text, chain.decode(), attribute.decode())


def _note(module: ModuleType, text: bytes, chain: str, attribute: str) -> None:
    first, *rest = chain.split(".")
    holder = vars(module).get(first, _MISSING)
    if holder is _MISSING:
        holder = _imported_in_a_function(text, first)
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


def _imported_in_a_function(text: bytes, name: str) -> Any:
    """What a name stands for that some function of the text imports, if it is loaded."""
    word = re.escape(name.encode())
    found = re.search(rb"\bimport\s+([\w.]+)\s+as\s+" + word + rb"\b", text)
    if found is not None:
        return sys.modules.get(found[1].decode(), _MISSING)
    if re.search(rb"^\s+import\s+(?:[^\n]*,\s*)?" + word + rb"\b", text, re.MULTILINE):
        return sys.modules.get(name, _MISSING)
    origin = rb"^\s+from\s+([\w.]+)\s+import\s[^\n]*\b" + word + rb"\b"
    found = re.search(origin, text, re.MULTILINE)
    source = sys.modules.get(found[1].decode()) if found is not None else None
    return vars(source).get(name, _MISSING) if source is not None else _MISSING
