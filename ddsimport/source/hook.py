"""The import hook: marked modules are loaded as they are rewritten, all others as ever.

A finder that is first in `sys.meta_path` asks all the others and hands on what they found; only the
loader of a marked source file is swapped, for one of a class that is made of ours and the one found
(and the loader of a tracked file that was edited a moment ago: its bytecode may be older). That
composes with the hooks of typeguard, beartype, pytest and of editable installs. Nothing of
importlib is patched.
"""

from __future__ import annotations

import sys
from _thread import get_ident
from importlib.machinery import SourceFileLoader

from ddsimport.source import debugger, tracked
from ddsimport.source.loader import (
    AgainLoader,
    FreshLoader,
    StepLoader,
    bytecode_path,
    combined_with,
    decoded,
    may_hold_pragma,
    warn_unmarked,
)
from ddsimport.source.script import (
    code_of_main,
    install_path_hook,
    main_loader,
    remove_path_hooks,
)
from ddsimport.source.tracked import is_tracked, source_stats, untracked_prefixes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

__all__ = [
    "Finder",
    "StepLoader",
    "code_of_main",
    "early",
    "install",
    "install_path_hook",
    "is_tracked",
    "listen",
    "main_loader",
    "overtaken",
    "source_stats",
    "uninstall",
    "untracked_prefixes",
]


def watch() -> None:
    """Put the finder first in `sys.meta_path`. Marked modules stay plain Python: it only notes from
    which text each module is loaded."""
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    _finder.stay_first()


def install() -> None:
    """The same, and have marked modules loaded as they are rewritten."""
    watch()
    _finder.rewrites = True
    if "bdb" in sys.modules:
        debugger.keep_out(sys.modules["bdb"])


def overtaken() -> tuple[str, ...]:
    """Names of loaded marked modules that another import hook loaded without their steps, because
    it had been put before ours."""
    if not _finder.was_overtaken and (not sys.meta_path or sys.meta_path[0] is _finder):
        return ()
    return early()


def listen(listener: Callable[[str], object]) -> None:
    """Call `listener` with the name of each module that is looked for from now on."""
    _finder.listener = listener


def uninstall() -> None:
    """Take the finder and the path hooks out again; what is loaded stays as it is."""
    while _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    _finder.rewrites = False
    remove_path_hooks()


class Finder:
    """Asks the other finders of `sys.meta_path`, and gives marked source files our loader."""

    def __init__(self) -> None:
        # Another finder may ask all others too: it gets no answer from us to our own question.
        self._asking: set[tuple[int, str]] = set()
        self.was_overtaken = False
        self.rewrites = False
        self.listener: Callable[[str], object] | None = None

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`.

        The spec of an unmarked module is returned as well: None would have the search done again.
        For what lies in an installed package, nobody is asked: most imports are of that kind.
        """
        if type(path) is list and path and not any(map(is_tracked, path)):
            return None
        asking = (get_ident(), name)
        if asking in self._asking:
            return None
        self.stay_first()
        if self.listener is not None:
            self.listener(name)
        self._asking.add(asking)
        try:
            spec = self._ask_others(name, path, target)
        finally:
            self._asking.discard(asking)
        if spec is not None and spec.has_location and spec.origin is not None:
            origin = spec.origin
            if is_tracked(origin) and origin.endswith(".py"):
                tracked.note(origin, name, loads_again=target is not None)
                _swap_loader(spec, origin, rewrites=self.rewrites, again=target is not None)
            elif name == "bdb" and type(spec.loader) is SourceFileLoader:
                spec.loader = debugger.DebuggerLoader(name, origin)
                if tracked.on_load is not None:
                    tracked.on_load(origin)
        return spec

    def stay_first(self) -> None:
        """Go back to the front of `sys.meta_path` if another finder has been put there.

        One that answers before us (typeguard's) would have its modules loaded without their steps.
        """
        if sys.meta_path[0] is not self and self in sys.meta_path:
            self.was_overtaken = True
            # In one go: importlib may be walking over this very list, and must not skip anyone.
            sys.meta_path[:] = [self, *(each for each in sys.meta_path if each is not self)]

    def _ask_others(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        for finder in list(sys.meta_path):
            if finder is self:
                continue
            find_spec = getattr(finder, "find_spec", None)
            if find_spec is None:
                # A finder of the protocol before Python 3.4: importlib still knows how to ask it.
                return None
            spec: ModuleSpec | None = find_spec(name, path, target)
            if spec is not None:
                return spec
        return None


def early(modules: Mapping[str, ModuleType] | None = None) -> tuple[str, ...]:
    """Names of loaded modules that are marked but were not loaded by us: they were imported too
    early, or by a loader of another kind (pytest's, for test modules).

    Args:
        modules: where to look, `sys.modules` by default.
    """
    names = []
    for name, module in list((sys.modules if modules is None else modules).items()):
        path = getattr(module, "__file__", None)
        if (
            isinstance(path, str)
            and path.endswith(".py")
            and is_tracked(path)
            and not isinstance(getattr(module, "__loader__", None), StepLoader)
            and _is_marked(path)
        ):
            names.append(name)
    return tuple(names)


def _is_marked(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return False
    if not may_hold_pragma(data):
        return False
    from ddsimport.source.pragma import holds_pragma

    try:
        return holds_pragma(decoded(data), path)
    except (SyntaxError, UnicodeDecodeError):
        return False


def _swap_loader(spec: ModuleSpec, origin: str, *, rewrites: bool, again: bool) -> None:
    """Give `spec` a loader of ours, if it has one for source files and its file needs ours.

    Args:
        rewrites: whether marked files do.
        again: the module is there, and is loaded again.
    """
    loader = spec.loader
    if not isinstance(loader, SourceFileLoader) or isinstance(loader, StepLoader):
        return
    try:
        with open(origin, "rb") as file:
            marked = rewrites and may_hold_pragma(file.read())
    except OSError:
        return
    is_old = spec.cached is not None and tracked.may_be_stale(spec.cached, origin)
    if not (marked or again or is_old):
        return
    try:
        kind = combined_with(type(loader), StepLoader if marked else FreshLoader)
        if again:
            kind = combined_with(kind, AgainLoader)
        ours = kind.__new__(kind)
        ours.__dict__.update(loader.__dict__)
    except (TypeError, AttributeError) as error:
        # A loader that cannot be subclassed or copied (a metaclass, slots) is left alone.
        if marked:
            warn_unmarked(origin, error)
        return
    spec.loader = ours
    if marked and spec.cached:
        spec.cached = bytecode_path(spec.cached)


_finder = Finder()
