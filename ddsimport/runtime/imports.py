"""The modules of the project that a step is the first to import, and importing them on a hit.

What a module does when it is imported (it registers its classes, say) is there for the rest of the
program, whoever asked for it first. So a hit imports what the evaluation imported. What such a
module prints then is silenced: the text is part of what the step printed. Installed modules are not
imported: they take long, and leave nothing that a program would miss.

What such an import did is a condition of the kept value: nothing that the step's text names need
lead to it (a package's `__init__` that sets an option). It counts by its text: the statements that
may do something, the outlines of classes and of decorated functions, the functions that ran.
"""

from __future__ import annotations

import importlib
import os
import sys

from blake3 import blake3

from ddsimport.analysis.facts import (
    ASSIGNMENT,
    DEF_DECORATORS,
    DEF_DIGEST,
    DEF_KIND,
    DEF_OUTLINE,
    DEF_PARENT,
    IMPORT,
    TOP_DIGEST,
    TOP_GUARD,
    definitions_of,
)
from ddsimport.analysis.locate import locate_anew
from ddsimport.runtime import output
from ddsimport.source.tracked import is_tracked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from ddsimport.runtime.session import Session
    from ddsimport.runtime.witness import Seen

KIND = "import"
"""The kind of these effects of a trace; their text is the name of the module."""

LABEL = "imports:"
"""What the labels of these conditions of a trace begin with; then the file, and a function of it
that ran, or nothing."""


def imported_since(before: Container[str]) -> tuple[tuple[str, str], ...]:
    """(KIND, name) of the project's modules that were not loaded `before`, in the order in which
    they were begun."""
    return tuple(
        (KIND, name)
        for name, module in list(sys.modules.items())
        if name not in before and _is_found_again(name, module)
    )


def _is_found_again(name: str, module: object) -> bool:
    """Whether importing a module by its name would find this one."""
    spec = getattr(module, "__spec__", None)
    file = getattr(module, "__file__", None)
    if type(file) is not str or not is_tracked(file) or getattr(spec, "name", None) != name:
        return False
    return locate_anew(name) == file


def repeat(effects: tuple[tuple[str, str], ...]) -> None:
    """Import what is not there yet."""
    names = [name for kind, name in effects if kind == KIND and name not in sys.modules]
    if names:
        with output.silenced():
            for name in names:
                importlib.import_module(name)


# --- what an import did ---------------------------------------------------------------------------


def conditions(
    effects: Iterable[tuple[str, str]], seen: Seen | None, session: Session
) -> dict[str, str]:
    """(label, token) of what was imported, and of the functions that ran for it."""
    found = {}
    for kind, name in effects:
        file = getattr(sys.modules.get(name), "__file__", None)
        if kind == KIND and type(file) is str and _has_text(file):
            label = f"{LABEL}{session.relative(os.path.abspath(file))}:"
            found[label] = _token(label, session)
    for code, _ in seen.importing.values() if seen is not None else ():
        file = os.path.abspath(code.co_filename)
        if not _has_text(file):
            continue
        facts = session.codebook.facts(file)
        for index in definitions_of(code, facts):
            if facts.definitions[index][DEF_KIND] != "class":  # its outline is the module's
                label = f"{LABEL}{session.relative(file)}:{facts.label_of(index)}"
                found[label] = _token(label, session)
    return found


def _has_text(file: str) -> bool:
    """Whether it is a source file; what is in an archive counts by the archive."""
    return file.endswith((".py", ".pyw")) and os.path.isfile(file)


def hold(variables: Iterable[tuple[str, str]], session: Session) -> bool:
    """Whether what was imported would do the same."""
    try:
        return all(
            _token(label, session) == token for label, token in variables if label.startswith(LABEL)
        )
    except (LookupError, OSError):
        return False


def _token(label: str, session: Session) -> str:
    place, _, definition = label[len(LABEL) :].rpartition(":")
    facts = session.codebook.facts(session.absolute(place))
    if definition:
        return str(facts.definitions[facts.labelled(definition)][DEF_DIGEST])
    if facts.whole:
        return facts.whole
    literals = set()
    modules = set()
    for bindings in facts.names.values():
        for kind, what, index in bindings:
            if kind == ASSIGNMENT and what == "#":
                literals.add(index)  # a constant: who reads it counts it
            elif kind == IMPORT and what:
                modules.add(str(what).rpartition("|")[0])
    parts = [
        top[TOP_DIGEST]
        for index, top in enumerate(facts.top)
        if top[TOP_GUARD] == 0 and index not in literals
    ]
    parts += [
        record[DEF_OUTLINE]
        for record in facts.definitions
        if record[DEF_PARENT] < 0 and (record[DEF_DECORATORS] or record[DEF_KIND] == "class")
    ]
    parts += sorted(spec for spec in modules | set(facts.stars) if _is_of_project(spec, session))
    return blake3(repr(parts).encode("utf-8", "surrogatepass")).hexdigest(length=16)


def _is_of_project(spec: str, session: Session) -> bool:
    """Whether an import (see `facts`) leads to the project: one of installed code does nothing."""
    level, name = spec.split("|")[:2]
    return level != "0" or session.codebook.place_of(name.partition(".")[0])[1]
