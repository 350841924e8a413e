"""What the text of a program already tells: pragmas that never hit, values that rest on chance,
steps that nobody reads, globals that are changed behind a step's back.

Nothing is run. What code reaches is asked of the same codebook as when the program runs.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Sequence

from ddsimport.analysis.codehash import Codebook
from ddsimport.analysis.facts import DEF_FIRST, DEF_LAST, DEF_REFERENCES, FactsCache
from ddsimport.analysis.locate import Locator
from ddsimport.errors import PragmaError
from ddsimport.forecast.program import as_main, sources_of
from ddsimport.lint.chance import MAKE_GENERATORS, drawn
from ddsimport.lint.texts import (
    File,
    bound_to,
    changes,
    is_in_class,
    is_mutable,
    is_read,
    last_name,
    scope_of,
    used_up,
)  # fmt: skip
from ddsimport.records import Record
from ddsimport.runner import located
from ddsimport.runtime.randomness import seeded_in
from ddsimport.runtime.reproducible import asked_by
from ddsimport.source.loader import decoded
from ddsimport.source.options import options_of
from ddsimport.source.steps import Step
from ddsimport.source.tracked import is_tracked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ddsimport.analysis.codehash import Reach

CODES = {
    "DDS001": "the text is no program, or a pragma means nothing",
    "DDS101": "never hits: its pragma says so",
    "DDS102": "never hits: it gives an input itself",
    "DDS103": "never hits: its value can be used up",
    "DDS104": "never hits: an input can be used up",
    "DDS105": "never hits: it reads standard input",
    "DDS106": "never hits: it changes a global that it reads",
    "DDS201": "not reproducible: unseeded random numbers",
    "DDS202": "not reproducible: the clock, chance, or the machine",
    "DDS301": "nothing reads its value",
    "DDS302": "it reads a global that is changed elsewhere",
}


_SEEDS = {
    "numpy": "np.random.seed(0)",
    "random": "random.seed(0)",
    "torch": "torch.manual_seed(0)",
}


class Finding(Record):
    """One thing that a user may want to change.

    Attributes:
        file, line: where; the file as it was given, or relative to the working directory.
        code: see `CODES`.
        path: of the step; empty where there is none.
        said: what is the matter.
        remedy: what to do.
    """

    file: str
    line: int
    code: str
    path: str
    said: str
    remedy: str


def lint(scripts: Sequence[str], facts: str | None = None) -> list[Finding]:
    """What there is to say of these scripts and of the marked modules that they import.

    Args:
        facts: the folder in which a store keeps what is known of texts; None: none is used.

    Raises:
        CannotRunError: there is no such script.
        OSError: it cannot be read.
    """
    found: dict[Finding, None] = {}
    for script in scripts:
        file = os.path.abspath(located(script, is_module=False))
        with as_main(os.path.dirname(os.path.realpath(file))):
            linter = _Linter(file, facts)
            found.update(dict.fromkeys(linter.findings()))
    return sorted(found, key=lambda each: (each.file, each.line, each.code))


def _text_of(file: str) -> str:
    with open(file, "rb") as source:
        return decoded(source.read())


class _Linter:
    """Of one program.

    Args:
        script: its file, absolute.
        facts: see `lint`.
    """

    def __init__(self, script: str, facts: str | None) -> None:
        self._script = script
        self._codebook = Codebook(
            locate=Locator(),
            cache=FactsCache(facts) if facts is not None else None,
            tracked=is_tracked,
            text_of=_text_of,
        )
        self._files: dict[str, File] = {}
        self._broken: list[Finding] = []

    def findings(self) -> Iterator[Finding]:
        """All that there is to say. Raises OSError."""
        for source in sources_of(self._script, self._codebook, self._note):
            self._files[source.file] = File(source.file, source.module, source.tree, source.steps)
        yield from self._broken
        seeded = frozenset[str]().union(*(seeded_in(_text_of(file)) for file in self._files))
        for file in list(self._files.values()):
            for step in file.steps:
                yield from self._of_step(file, step, seeded)

    def _note(self, file: str, error: OSError | SyntaxError) -> None:
        if isinstance(error, SyntaxError):
            self._broken.append(_broken(file, error))
        elif file == self._script:
            raise error

    # --- one step -------------------------------------------------------------------------------

    def _of_step(self, file: File, step: Step, seeded: frozenset[str]) -> Iterator[Finding]:
        site = step.site
        path = site.path or f"(of {site.target})"

        def finding(code: str, said: str, remedy: str) -> Finding:
            return Finding(_shown(file.name), site.line, code, path, said, remedy)

        options = options_of(site.options)
        if not options.cached:
            yield finding(
                "DDS101", "`cache=off`: it is evaluated each time", "take the option away, or the "
                "pragma",
            )  # fmt: skip
        elif options.ttl is not None and options.ttl < 1:
            yield finding("DDS101", "it is too old as soon as it is kept", "give `ttl=` more time")
        if isinstance(step.node, ast.Assign | ast.AnnAssign) and step.node.value is not None:
            yield from self._of_value(file, step, step.node.value, finding)
        yield from _unread(self._files, file, step, self._script, finding)
        try:
            reach = self._codebook.step(file.module, file.name, site.line, site.column)
        except (LookupError, OSError, SyntaxError):
            return
        yield from self._of_reach(file, reach, seeded, finding)

    def _of_value(
        self, file: File, step: Step, value: ast.expr, finding: _Make
    ) -> Iterator[Finding]:
        inputs = {each.name for each in step.site.inputs}
        if isinstance(value, ast.Name) and value.id in inputs:
            yield finding(
                "DDS102", f"its value is the input `{value.id}` itself, which nobody can keep apart"
                " from what comes later", "mark the line that makes the value",
            )  # fmt: skip
        if (what := used_up(file, value, as_value=True)) is not None:
            yield finding("DDS103", f"its value is {what}", "make a list of it: `list(…)`")
        scope = scope_of(file, step.site.line)
        for name in sorted(inputs):
            given = bound_to(scope, name, step.site.line)
            if given is not None and (what := used_up(file, given)) is not None:
                yield finding(
                    "DDS104", f"its input `{name}` is {what}: no value that could be compared",
                    f"make a list of it before: `{name} = list({name})`",
                )  # fmt: skip

    def _of_reach(
        self, file: File, reach: Reach, seeded: frozenset[str], finding: _Make
    ) -> Iterator[Finding]:
        installed = {each.owner for each in reach.references if each.kind == "installed"}
        asking: dict[str, list[str]] = {}
        for name in sorted(installed):
            if (what := asked_by(name)) is not None:
                asking.setdefault(what, []).append(name)
        for what, names in asking.items():
            yield finding(
                "DDS202", f"its code {what} ({', '.join(names)})", "take that as an input, or give "
                "the step a `ttl=`",
            )  # fmt: skip
        for library, names in drawn(installed).items():
            if library not in seeded:
                yield finding(
                    "DDS201", f"it draws from the global random numbers of {library} "
                    f"({', '.join(names)}), which the program does not seed",
                    f"seed them before: `{_SEEDS[library]}`",
                )  # fmt: skip
        ranges = self._ranges(file, reach)
        for name in sorted(installed & MAKE_GENERATORS):
            for where, line in self._calls_without_arguments(ranges, name.rpartition(".")[2]):
                yield finding(
                    "DDS201", f"{name} has no seed ({_shown(where)}:{line})",
                    f"give it one: `{name.rpartition('.')[2]}(0)`",
                )  # fmt: skip
        if any(name.startswith(("sys.stdin", "fileinput.")) for name in installed) or (
            self._asks_the_user(reach)
        ):
            yield finding(
                "DDS105", "its code reads standard input", "read it before, and take it as an input"
            )
        yield from self._of_globals(reach, ranges, finding)

    def _asks_the_user(self, reach: Reach) -> bool:
        for kind, _, file, what in reach.nodes:
            facts = self._codebook.facts(file) if kind in "ds" else None
            if facts is None or facts.whole or "input" in facts.names:
                continue
            if kind == "d":
                references = facts.definitions[int(what)][DEF_REFERENCES]
            else:
                references = facts.steps[str(what)][1]
            if "input" in references:
                return True
        return False

    def _ranges(self, file: File, reach: Reach) -> list[tuple[str, int, int]]:
        """(file, first line, last line) of the functions that are reached, and of the step."""
        found = []
        for kind, _, name, what in reach.nodes:
            if kind == "d":
                record = self._codebook.facts(name).definitions[int(what)]
                found.append((name, record[DEF_FIRST], record[DEF_LAST]))
            elif kind == "s":
                line = int(str(what).partition(":")[0])
                ends = [
                    step.node.end_lineno or line for step in file.steps if step.site.line == line
                ]
                found.append((name, line, max(ends, default=line)))
        return found

    def _calls_without_arguments(
        self, ranges: list[tuple[str, int, int]], name: str
    ) -> Iterator[tuple[str, int]]:
        for file, first, last in ranges:
            known = self._files.get(file)
            for node in ast.walk(known.tree) if known is not None else ():
                if (
                    isinstance(node, ast.Call)
                    and first <= node.lineno <= last
                    and not node.args
                    and not node.keywords
                    and last_name(node.func) == name
                ):
                    yield file, node.lineno

    def _of_globals(
        self, reach: Reach, ranges: list[tuple[str, int, int]], finding: _Make
    ) -> Iterator[Finding]:
        seen = set()
        for reference in reach.references:
            file = self._files.get(reference.file)
            name = reference.qualname
            if reference.kind != "variable" or file is None or (file.name, name) in seen:
                continue
            seen.add((file.name, name))
            if not is_mutable(file, name) and (reference.owner, name) not in reach.rebound:
                continue
            places = list(changes(file, name))
            inside = [
                line
                for line in places
                if any(
                    where == file.name and first <= line <= last for where, first, last in ranges
                )
            ]
            if inside:
                yield finding(
                    "DDS106", f"its code changes the global `{name}` "
                    f"({_shown(file.name)}:{inside[0]}), which it also reads",
                    "give the new value back, and bind it outside of the step",
                )  # fmt: skip
            elif places:
                lines = ", ".join(f"{_shown(file.name)}:{line}" for line in places[:3])
                yield finding(
                    "DDS302", f"it reads the global `{name}`, which is changed at {lines}: "
                    "the step is evaluated for each value that it has when the step runs",
                    "pass it as an argument, or make it a constant",
                )  # fmt: skip


if TYPE_CHECKING:
    from collections.abc import Callable

    _Make = Callable[[str, str, str], Finding]
    """Code, what is said, and the remedy -> the finding."""


def _shown(file: str) -> str:
    relative = os.path.relpath(file)
    return file if relative.startswith("..") else relative


def _broken(file: str, error: SyntaxError) -> Finding:
    line = error.lineno or 1
    said = error.msg.partition("\n")[0]
    remedy = "write the pragma so" if isinstance(error, PragmaError) else "mend the text"
    return Finding(_shown(file), line, "DDS001", "", said, remedy)


def _unread(
    files: dict[str, File], file: File, step: Step, script: str, finding: _Make
) -> Iterator[Finding]:
    """A value that no name leads to, in the program's own text.

    Not asked of modules, which other programs may import, nor of a class, whose attributes anybody
    may read, and not where the path says that its file is for other programs (`/report.html`).
    """
    node = step.node
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return
    site = step.site
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    names = [
        each.id
        for target in targets
        for each in ast.walk(target)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    ]
    stored = any(isinstance(target, ast.Attribute | ast.Subscript) for target in targets)
    shown = bool(os.path.splitext(site.path or "")[1]) or "format" in dict(site.options)
    scope = scope_of(file, site.line)
    if (
        not names
        or stored
        or shown
        or is_in_class(file, site.line)
        or (scope is file.tree and file.name != script)
    ):
        return
    if not any(is_read(files.values(), scope, name, site.path) for name in names):
        said = "`, `".join(names)
        yield finding(
            "DDS301", f"nothing reads `{said}`",
            "take the step away; or, if its file is what is wanted, say so: a suffix, or `format=`",
        )  # fmt: skip
