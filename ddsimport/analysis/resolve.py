"""What a name in one file stands for, followed from file to file.

A reference (see `facts.Facts`) is followed through imports, aliases of modules, re-exports, star
imports and attributes of modules to what defines it. Where the text leaves a choice (two bindings,
a computed `__all__`), every candidate is a target, and the value decides when the step runs.
"""

from __future__ import annotations

import builtins
import sys

from ddsimport.analysis.facts import ASSIGNMENT, DEFINITION, IMPORT, Facts
from ddsimport.analysis.locate import absolute, is_package, locate
from ddsimport.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    TargetKind = Literal["definition", "variable", "module", "file", "distribution", "dynamic"]

__all__ = ["Resolver", "Target", "locate"]


# IPython puts two more there, but only while a cell runs; the second leads to any variable.
BUILTINS = frozenset({*dir(builtins), "display"} - {"get_ipython"})
_DYNAMIC = frozenset({"exec", "eval", "globals"})
_PLACES = frozenset(
    {"__file__", "__path__", "__spec__", "__loader__", "__cached__", "__builtins__", "__package__"}
)
"""Where a module lies: never part of a code hash, or a moved project would miss."""


class Target(Record):
    """One thing that a reference may stand for.

    Attributes:
        kind: "definition" (a def or class), "variable" (a value), "module" (all of a tracked
            module), "file" (all of a tracked file that is not Python source), "distribution"
            (untracked code), "dynamic" (`exec` and its like: anything of the current module).
        used: how many parts of the chain lead to it.
        module: the module that defines it; for a distribution, its full dotted name.
        file: the file that defines it, "" for a distribution.
        name: the module-level name that is bound to it.
        index: of the definition, else -1.
        certain: no other binding of the name is in sight.
    """

    kind: TargetKind
    used: int
    module: str
    file: str = ""
    name: str = ""
    index: int = -1
    certain: bool = True


class Resolver:
    """Follows references.

    Args:
        locate: module name -> file, None where there is none.
        tracked: whether the text of a file counts.
        facts: file -> its facts.
    """

    def __init__(
        self,
        locate: Callable[[str], str | None],
        tracked: Callable[[str], bool],
        facts: Callable[[str], Facts],
    ) -> None:
        self._locate = locate
        self._tracked = tracked
        self._facts = facts
        self._files: dict[str, str | None] = {}
        self.consulted: dict[str, None] = {}
        self.located: dict[str, None] = {}

    def place(self, module: str, file: str) -> None:
        """Note that `module` was loaded from `file`, whatever a finder would say."""
        self._files[module] = file

    def file_of(self, module: str) -> str | None:
        self.located[module] = None
        if module not in self._files:
            self._files[module] = self._locate(module)
        return self._files[module]

    def start(self, module: str, file: str, reference: str) -> tuple[str, list[str]]:
        """Where the chain of a reference starts: a module, and the attributes read of it."""
        if reference[0] not in "~^":
            return module, reference.split(".")
        level, base, name, rest = reference[1:].split("|")
        parts = ([name] if name else []) + (rest.split(".") if rest else [])
        return absolute(module, file, int(level), base), parts

    def resolve(self, module: str, file: str, reference: str) -> tuple[Target, ...]:
        """What `reference`, read in `module`, may stand for; () for builtins and the ignored."""
        base, parts = self.start(module, file, reference)
        if reference[0] in "~^":
            return self._unique(self._attribute(base, parts, 0, frozenset()))
        return self._unique(self._name(module, file, parts, 0, frozenset(), inside=True))

    def dotted(self, module: str, file: str, reference: str) -> str:
        """The full dotted name of untracked code ("functools.wraps") or a builtin, else ""."""
        targets = self.resolve(module, file, reference)
        if not targets and reference in BUILTINS and reference not in self._known(file).names:
            return reference
        if len(targets) == 1 and targets[0].kind == "distribution":
            return targets[0].module
        return ""

    # --- following --------------------------------------------------------------------------------

    def _known(self, file: str) -> Facts:
        self.consulted[file] = None
        return self._facts(file)

    def _attribute(
        self, module: str, parts: list[str], at: int, seen: frozenset[tuple[str, str]]
    ) -> list[Target]:
        """`parts[at:]`, read of a module as attributes."""
        file = self.file_of(module)
        if file is None:
            if at < len(parts) and self.file_of(f"{module}.{parts[at]}") is not None:
                return self._attribute(f"{module}.{parts[at]}", parts, at + 1, seen)
            if at + 1 < len(parts) and self.file_of(".".join((module, *parts[at : at + 2]))):
                return self._attribute(f"{module}.{parts[at]}", parts, at + 1, seen)
            top = self.file_of(module.partition(".")[0])
            if top is not None and self._tracked(top):
                # A module of the project without a file: only its value can tell, if it has one.
                absent = Target("variable", at, module, "", module, certain=False)
                return [absent] if at else []
        if file is None or not self._tracked(file):
            return [Target("distribution", len(parts), ".".join((module, *parts[at:])))]
        if not file.endswith((".py", ".pyw")):
            return [Target("file", len(parts), module, file)]
        if at == len(parts):
            return [Target("module", at, module, file)]
        return self._name(module, file, parts, at, seen)

    def _name(
        self,
        module: str,
        file: str,
        parts: list[str],
        at: int,
        seen: frozenset[tuple[str, str]],
        inside: bool = False,
    ) -> list[Target]:
        """`parts[at]`, a global of a tracked module; `inside` it, builtins are seen too."""
        name = parts[at]
        facts = self._known(file)
        if facts.whole:
            return [Target("module", at + 1, module, file)]
        if (module, name) not in seen:
            seen |= {(module, name)}
            if name in facts.names:
                return self._bound(module, file, parts, at, seen)
            found = self._starred(module, file, parts, at, seen)
            if found:
                return found
        if not inside and is_package(file) and self.file_of(f"{module}.{name}") is not None:
            return self._attribute(f"{module}.{name}", parts, at + 1, seen)
        if inside and name in BUILTINS and name != "__import__":
            if name in _DYNAMIC:
                return [Target("dynamic", at + 1, module, file, name)]
            if not name.startswith("__"):
                return []
        if name in _PLACES or name == "__import__":
            return []
        missing = Target("variable", at + 1, module, file, name, certain=False)
        if not inside and "__getattr__" in facts.names:
            return [Target("module", at, module, file), missing]
        return [missing]

    def _starred(
        self, module: str, file: str, parts: list[str], at: int, seen: frozenset[tuple[str, str]]
    ) -> list[Target]:
        """The name as a star import binds it, [] if none can."""
        unseen: list[Target] = []
        name = parts[at]
        for spec in reversed(self._known(file).stars):
            level, base, _ = spec.split("|")
            source = absolute(module, file, int(level), base)
            origin = self.file_of(source)
            if origin is None or not self._tracked(origin) or not origin.endswith((".py", ".pyw")):
                # It may bind any name, builtins too: `from numpy import *` is where `sum` is from.
                unseen.append(Target("distribution", len(parts), source))
                continue
            facts = self._known(origin)
            exports = facts.exports
            if isinstance(exports, list) and name not in exports:
                continue
            if exports is None and name.startswith("_") and not facts.whole:
                continue
            if exports == "?":
                # Computed when the module runs: it may come from here, the value tells.
                if name in facts.names or facts.stars:
                    found = self._name(source, origin, parts, at, seen)
                    unseen += [_uncertain(t) for t in found if t.kind != "variable"]
                unseen.append(Target("variable", at + 1, module, file, name, certain=False))
                continue
            if name in facts.names or facts.stars or facts.whole or isinstance(exports, list):
                found = self._name(source, origin, parts, at, seen)
                if any(target.kind != "variable" or target.name in facts.names for target in found):
                    return unseen + found
        if unseen:
            unseen.append(Target("variable", at + 1, module, file, name, certain=False))
        return unseen

    def _bound(
        self, module: str, file: str, parts: list[str], at: int, seen: frozenset[tuple[str, str]]
    ) -> list[Target]:
        """`parts[at]` through the statements that bind it."""
        name = parts[at]
        distinct: list[tuple[int, str | int]] = []
        for kind, what, _ in self._known(file).names[name]:
            if (kind, what) not in distinct or kind not in (IMPORT, DEFINITION):
                distinct.append((kind, what))
        single = len(distinct) == 1
        targets: list[Target] = []
        shortest = len(parts)
        for kind, what in distinct:
            if kind == IMPORT:
                found = self._imported(module, file, str(what), parts, at, seen)
            elif kind == DEFINITION and isinstance(what, int):
                found = [Target("definition", at + 1, module, file, name, what, certain=single)]
            elif kind == ASSIGNMENT and single and str(what).startswith("="):
                found = self._alias(module, file, str(what)[1:], parts, at, seen)
            else:
                found = []
                shortest = at + 1
            targets += found
            shortest = min([shortest, *(target.used for target in found)])
        if single and (targets or distinct[0][0] == IMPORT):
            return targets
        # A choice that only running the module decides: its value counts beside every candidate.
        used = max(shortest, at + 1)
        targets = [_uncertain(target) for target in targets if target.kind != "variable"]
        return [*targets, Target("variable", used, module, file, name, certain=single)]

    def _alias(
        self,
        module: str,
        file: str,
        chain: str,
        parts: list[str],
        at: int,
        seen: frozenset[tuple[str, str]],
    ) -> list[Target]:
        """`K = package.module` is followed; any other alias is a variable."""
        aliased = chain.split(".")
        targets = self._name(module, file, aliased, 0, seen, inside=True)
        if not targets or any(t.kind not in ("module", "distribution") for t in targets):
            return []
        found: list[Target] = []
        for target in targets:
            if target.kind == "module":
                found += self._attribute(target.module, parts, at + 1, seen)
            else:
                dotted = ".".join((target.module, *parts[at + 1 :]))
                found.append(Target("distribution", len(parts), dotted))
                if not self._is_module(target.module):
                    name = parts[at]
                    found.append(Target("variable", at + 1, module, file, name))
        return found

    def _is_module(self, dotted: str) -> bool:
        """True if an untracked dotted name is a module: it has no value to count."""
        return self.file_of(dotted) is not None or dotted in sys.builtin_module_names

    def _imported(
        self,
        module: str,
        file: str,
        spec: str,
        parts: list[str],
        at: int,
        seen: frozenset[tuple[str, str]],
    ) -> list[Target]:
        """`parts[at]` as an import statement binds it; the import of nothing is an ignored one."""
        if not spec:
            return []
        level, base, name = spec.split("|")
        source = absolute(module, file, int(level), base)
        if not name:
            return self._attribute(source, parts, at + 1, seen)
        origin = self.file_of(source)
        submodule = f"{source}.{name}"
        if (origin is None or source == module) and self.file_of(submodule) is not None:
            return self._attribute(submodule, parts, at + 1, seen)
        if origin is None or not self._tracked(origin) or not origin.endswith((".py", ".pyw")):
            return self._attribute(source, [*parts[:at], name, *parts[at + 1 :]], at, seen)
        return self._name(source, origin, [*parts[:at], name, *parts[at + 1 :]], at, seen)

    @staticmethod
    def _unique(targets: list[Target]) -> tuple[Target, ...]:
        return tuple(dict.fromkeys(targets))


def _uncertain(target: Target) -> Target:
    """A target that other bindings of the name may hide."""
    return Target(
        target.kind,
        target.used,
        target.module,
        target.file,
        target.name,
        target.index,
        certain=False,
    )
