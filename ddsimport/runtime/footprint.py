"""What an evaluation used of all the code that it could reach, so that other edits need not matter.

A signature counts all that a step's code can reach. Most of it does not run: the other methods of a
class, the other entries of a table of models. An edit there gives the step another signature and
the same value. So a kept value is found in a second way: by its *stem*, the part of a signature
that is known before any code is (the step's own text, its inputs), and its *footprint*, the
functions that ran, each with all that it names: a verifying trace of code ("Build Systems à la
Carte", Mokhov, Mitchell, Peyton Jones, ICFP 2018). It is looked for only where the signature is
not, so a hit pays nothing for it, and a miss little.

What counts in a footprint:

- a function that ran: by its text and, name by name, by what it refers to;
- a function that is referred to and did not run: by its outline, that is its decorators and
  parameters; its defaults, what it closes over;
- a class: by its outline, that is its text without the bodies of its methods, the outlines of its
  bases, and its attributes as they are;
- a variable: by its value; functions in it by their text, classes by their outlines;
- what keeps results of code that ran earlier (`lru_cache`), and whatever is no plain function: by
  all that it reaches, as in a signature.

Nobody can say which code was used, and no footprint is taken, where code may have run unseen (a
worker process, threads that cannot be watched, a step of more calls than `witness` affords on 3.10
and 3.11) or was looked at without being run (`inspect`, docstrings, subclasses, functions in the
value).
"""

from __future__ import annotations

import os
import sys

from blake3 import blake3

from ddsimport.analysis.distributions import version_of
from ddsimport.analysis.facts import DEF_KIND, definitions_of
from ddsimport.analysis.graph import (
    READS_CODE,
    READS_EXTRAS,
    READS_LINES,
    READS_MODULES,
    READS_SUBCLASSES,
)
from ddsimport.analysis.locate import locate
from ddsimport.errors import StoreError, UndigestibleError
from ddsimport.records import Record
from ddsimport.runtime import written
from ddsimport.runtime.outline import Outline, UnseenError, framed
from ddsimport.runtime.signature import PREAMBLE
from ddsimport.runtime.uncached import UncachedError
from ddsimport.source.tracked import is_tracked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType

    from ddsimport.analysis.graph import Key
    from ddsimport.runtime.recorder import Recording
    from ddsimport.runtime.session import Session
    from ddsimport.runtime.signature import Inquiry, Step
    from ddsimport.runtime.witness import Seen
    from ddsimport.store.trace import Candidate, Trace

RAN, IMPORTED, ABSENT, WITH = LABELS = ("ran:", "imported:", "absent:", "with:")
"""What labels begin with: a function that ran, a module that was imported first, one that was
looked for in vain, a distribution."""

_READS = READS_CODE | READS_EXTRAS | READS_LINES | READS_MODULES | READS_SUBCLASSES

_SENDS_CODE_AWAY = frozenset(
    {"_interpreters", "_xxsubinterpreters", "celery", "dask", "distributed", "ipyparallel",
     "mpi4py", "pyspark", "ray", "rpyc"}
)  # fmt: skip
"""Modules by which code may run where it is not seen, in processes that are no children."""

_KEEPS_CODE = frozenset({"cloudpickle", "dill", "marshal"})
"""What turns code into data."""


_FAILURES = (
    UnseenError, UncachedError, UndigestibleError, StoreError, LookupError, OSError, RecursionError,
)  # fmt: skip


class Stem(Record):
    """What is known of a step before any code is.

    Attributes:
        key: 64 hex digits, used like a signature.
        outline: what it was made with.
    """

    key: str
    outline: Outline


def stem_of(step: Step, inquiry: Inquiry, session: Session) -> Stem | None:
    """The stem of a step on these inputs; None if it can have no footprint."""
    if inquiry.live.reflects & _READS:
        return None
    outline = Outline(inquiry, session)
    ignored = dict(step.site.options).get("ignore", "").split(",")
    given = step.globals.union(ignored)
    try:
        root = session.codebook.root_of_step(
            step.module, step.file, step.site.line, step.site.column
        )
        parts = [PREAMBLE, b"stem", outline.unit(root, given), *outline.acts(inquiry)]
        for position, (name, value) in enumerate(inquiry.values):
            token = bytes.fromhex(inquiry.inputs[position][1])
            parts.append(outline.token_of_input(value) if position in inquiry.coded else token)
            parts.append(name.encode())
    except _FAILURES:
        return None
    parts.append(repr((step.site.kind, step.salt, inquiry.patches)).encode())
    outline.note_what_may_change()
    return Stem(blake3(framed(parts)).hexdigest(), outline)


def holds(trace: Trace, stem: Stem, session: Session) -> bool:
    """Whether all that a footprint says is as it was."""
    late = {_place(label)[0] for label, _ in trace.variables if label.startswith(IMPORTED)}
    if not late.isdisjoint(sys.modules):
        return False  # what they hold may be something else by now
    outline = stem.outline.importing(late) if late else stem.outline
    try:
        return all(
            _token(label, outline, session) == token
            for label, token in trace.variables
            if label.startswith(LABELS)
        )
    except _FAILURES:
        return False


def footprint_of(
    recording: Recording,
    inquiry: Inquiry,
    stem: Stem,
    classes: Iterable[type],
    step: Step,
    session: Session,
) -> tuple[tuple[str, str], ...] | None:
    """(label, token) of all that an evaluation used; None if nobody can say.

    Args:
        classes: those of the instances in the value, which will be loaded as they say.
    """
    try:
        seen = _checked(recording, inquiry)
        labels = {WITH + name: None for name, _ in inquiry.versions}
        for module, file in seen.imported:
            labels[f"{IMPORTED}{module}:{session.relative(os.path.abspath(file))}:"] = None
        for name in seen.sought:
            if name not in sys.modules:
                if locate(name) is not None:
                    raise UnseenError(f"{name} could not be imported")
                labels[ABSENT + name] = None
        root = session.codebook.root_of_step(
            step.module, step.file, step.site.line, step.site.column
        )
        units = (*_units(seen, root, step, session), *_loading(classes, session))
        for _, module, file, index in units:
            if getattr(sys.modules.get(module), "__file__", None) is None:
                raise UnseenError(f"{module} is not found under its name")
            name = session.codebook.facts(file).label_of(int(index))
            labels[f"{RAN}{module}:{session.relative(file)}:{name}"] = None
        outline = stem.outline.importing(module for module, _ in seen.imported)
        found = {label: _token(label, outline, session) for label in labels}
        for candidate in recording.hits:
            for label, token in _footprint_kept(candidate, session):
                if found.setdefault(label, token) != token:
                    raise UnseenError(label)
    except _FAILURES:
        return None
    return tuple(found.items())


def without(trace: Trace, lazy: dict[str, str]) -> Trace:
    """A trace without the footprint in it: what a signature says need not be said again.

    Args:
        lazy: what `trace.lazy_tokens` are now; those of the trace go by the code that was.
    """
    kept = [
        (label, token)
        for label, token in trace.variables
        if not label.startswith(LABELS) and len(label.partition(":")[0]) != _HASH
    ]
    return trace.replace(variables=(*kept, *lazy.items()))


_HASH = 64
"""Hexadecimal digits: what the labels of lazy tokens begin with."""


# --- labels ---------------------------------------------------------------------------------------


def _place(label: str) -> tuple[str, str, str]:
    """The module, the file (relative to the project) and the definition that a label names."""
    module, _, rest = label.partition(":")[2].partition(":")
    file, _, definition = rest.rpartition(":")
    return module, file, definition


def _token(label: str, outline: Outline, session: Session) -> str:
    if label.startswith(WITH):
        return version_of(label[len(WITH) :]) or ""
    if label.startswith(ABSENT):
        return locate(label[len(ABSENT) :]) or ""
    module, place, definition = _place(label)
    file = session.absolute(place)
    if label.startswith(IMPORTED):
        return outline.import_of(module, file).hex()
    index = session.codebook.facts(file).labelled(definition)
    return outline.unit(("d", module, file, index)).hex()


# --- what was used --------------------------------------------------------------------------------


def _checked(recording: Recording, inquiry: Inquiry) -> Seen:
    """What was seen of an evaluation, if that is all."""
    seen = recording.seen
    if seen is None or not seen.exact or seen.unpickled:
        raise UnseenError("code ran unseen")
    if recording.notes or recording.loads or _has_children():
        raise UnseenError("another process may have run code")
    if not _SENDS_CODE_AWAY.isdisjoint(sys.modules):
        raise UnseenError("another machine may have run code")
    used = {name for reach in inquiry.live.reaches.values() for name in reach.untracked}
    if not _KEEPS_CODE.isdisjoint(used):
        raise UnseenError("code may be in the value")
    return seen


def _has_children() -> bool:
    """Whether this process has any: a pool that was there before runs code of the step."""
    if not hasattr(os, "waitid"):  # macOS before Python 3.13
        known = sys.modules.get("multiprocessing.process")
        return bool(getattr(known, "_children", None))
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _units(seen: Seen, root: Key, step: Step, session: Session) -> Iterable[Key]:
    """The definitions that ran, the step's own text aside."""
    found: dict[Key, None] = {}
    for code, module in (*seen.code.values(), *seen.importing.values()):
        file = os.path.abspath(code.co_filename)
        if not is_tracked(file) or not file.endswith((".py", ".pyw")):
            continue  # counted by its file, with what was read
        facts = session.codebook.facts(file)
        imports = id(code) not in seen.code
        indices = definitions_of(code, facts)
        if not indices and not imports and not _is_own_text(code, file, root, step):
            raise UnseenError(f"{file}:{code.co_firstlineno}")
        for index in indices:
            # A class that an import makes counts with the module; what its methods do does not.
            if not (imports and facts.definitions[index][DEF_KIND] == "class"):
                found["d", module, file, index] = None
    found.pop(root, None)
    return found


_LOADING = frozenset(
    {"__getattr__", "__getattribute__", "__getnewargs__", "__getnewargs_ex__", "__getstate__",
     "__new__", "__reduce__", "__reduce_ex__", "__setattr__", "__setstate__"}
)  # fmt: skip
"""Methods that pickle calls."""


def _loading(classes: Iterable[type], session: Session) -> Iterable[Key]:
    """The methods by which instances of these classes are saved and loaded."""
    for base in {base for each in classes for base in each.__mro__}:
        file = written.file_of(base)
        if file is None:
            continue
        for name in _LOADING.intersection(vars(base)):
            facts = session.codebook.facts(file)
            for index in facts.by_qualname.get(f"{base.__qualname__}.{name}", ()):
                yield "d", base.__module__, file, index


def _is_own_text(code: CodeType, file: str, root: Key, step: Step) -> bool:
    """Whether code without a definition around it can only be that of the step's expression."""
    return root[0] == "s" and file == os.path.abspath(step.file) and code.co_name[0] == "<"


def _footprint_kept(candidate: Candidate, session: Session) -> Iterable[tuple[str, str]]:
    """The footprint of a step that was a hit inside this one."""
    entry = session.store.entry(candidate.stem) if session.store and candidate.stem else None
    for other in entry.candidates if entry is not None else ():
        if (other.blob, other.created) == (candidate.blob, candidate.created):
            return [pair for pair in other.trace.variables if pair[0].startswith(LABELS)]
    raise UnseenError(candidate.path)
