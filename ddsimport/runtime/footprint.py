"""What an evaluation used of all the code that it could reach, so that other edits need not matter.

A signature counts all that a step's code can reach. Most of it does not run: the other methods of a
class, the other entries of a table of models. An edit there gives the step another signature and
the same value. So a kept value is found in a second way. Its *stem* is what is known of it before
any code is: the step's own text, its inputs. Its *footprint* says which functions counted, and what
the signature is if all others count by what can be seen of them while they do not run: their
decorators, their parameters and defaults, that they are there. It is the signature of `signature`,
computed by the same rules over less text (`analysis.narrowed`): a verifying trace of code ("Build
Systems à la Carte", Mokhov, Mitchell, Peyton Jones, ICFP 2018). It is looked for only where the
signature is not, so a hit pays nothing for it, and a miss little.

What counts as a whole:

- a function that ran;
- one that may have run before, outside of what is recorded, and left something
  (`analysis.outside`), or made a class what it is;
- lambdas, and everything that is no function.

No footprint is taken where code may have run unseen (a worker process, threads that cannot be
watched, a step of more calls than `profile.BUDGET` on 3.10 and 3.11), was looked at without being
run (`inspect`, compilers), or is in the value; and where functions that did not run may have left
something before (see `hidden`).
"""

from __future__ import annotations

import os
import sys
from functools import cached_property

from blake3 import blake3

from ddsimport.analysis.facts import (
    DEF_KIND,
    DEF_PARENT,
    DEF_QUALNAME,
    definition_around,
    definitions_of,
)
from ddsimport.analysis.graph import (
    READS_CODE,
    READS_EXTRAS,
    READS_LINES,
    READS_MODULES,
    READS_SUBCLASSES,
)
from ddsimport.errors import StoreError, UndigestibleError
from ddsimport.records import Record
from ddsimport.runtime import hidden, written
from ddsimport.runtime.before import outside
from ddsimport.runtime.signature import PREAMBLE, inquire
from ddsimport.runtime.trace import lazy_globals, lazy_tokens_hold
from ddsimport.runtime.uncached import UncachedError
from ddsimport.source.tracked import is_tracked
from ddsimport.store import labels
from ddsimport.values.digest import digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import CodeType
    from typing import Any

    from ddsimport.analysis.facts import Facts
    from ddsimport.analysis.graph import Key
    from ddsimport.runtime.recorder import Recording
    from ddsimport.runtime.session import Session
    from ddsimport.runtime.signature import Inquiry, Step
    from ddsimport.runtime.witness import Seen
    from ddsimport.store.trace import Candidate, Trace

    Footprint = tuple[tuple[str, str], ...]
    Place = tuple[str, int]
    """A function: its file, and its index in the facts of that."""

_WHOLE = labels.WHOLE
"""What labels begin with that name the functions which count, file by file."""
_NARROW = "narrow:"
"""The label of the signature over less text."""
_BEFORE = "before:"
"""What labels begin with that name a global which is reached lazily, and was changed by what the
step imported: what it was before, by the text of all functions."""
LABELS = (_WHOLE, _NARROW, _BEFORE)

_READS = READS_CODE | READS_EXTRAS | READS_LINES | READS_MODULES | READS_SUBCLASSES

_RUNS_UNSEEN = frozenset(
    {"_interpreters", "_xxsubinterpreters", "celery", "dask", "distributed", "ipyparallel",
     "mpi4py", "numba", "pyspark", "ray", "rpyc", "taichi", "tensorflow", "torch._dynamo",
     "triton"}
)  # fmt: skip
"""Modules by which code may run where it is not seen: in processes that are no children, or as
machine code that was made of it."""

_HIDES_CODE = frozenset({"_thread", "cloudpickle", "dill", "inspect", "marshal"})
"""What turns code into data or looks at it, or starts threads that no profiler is told of."""


class _UnseenError(Exception):
    """Nobody can say which code was used."""


_FAILURES = (
    _UnseenError, hidden.HiddenError, UncachedError, UndigestibleError, StoreError, LookupError,
    OSError, RecursionError,
)  # fmt: skip


class Search(Record):
    """A look for a value of a step by its footprint.

    Attributes:
        stem: 64 hex digits for what is known of the step before any code is, used like a signature.
    """

    stem: str
    step: Step
    inquiry: Inquiry
    session: Session

    def holds(self, trace: Trace) -> bool:
        """Whether all that a footprint says is as it was."""
        recorded = dict(trace.variables)
        try:
            whole = _places(trace.variables, self.session)
            if not whole.issuperset(self._matter):
                return False
            now = _narrow(self.step, self.inquiry, whole, self.session)
        except _FAILURES:
            return False
        if now.signature != recorded.get(_NARROW) or not lazy_tokens_hold(recorded, now.live):
            return False
        moved = {label for label in recorded if label.startswith(_BEFORE)}
        if moved:
            for _, name, token in lazy_globals(self.inquiry.live, self.inquiry.live):
                if recorded.get(_BEFORE + name, token) != token:
                    return False
                moved.discard(_BEFORE + name)
        return not moved

    @cached_property
    def _matter(self) -> set[Place]:
        """The same for every trace that is asked about."""
        return _may_matter(self.inquiry, self.session)


def search(step: Step, inquiry: Inquiry, session: Session) -> Search | None:
    """The look for what was not found by its signature; None for a step that no pragma marks
    (`keep`): what it runs is no text of its own."""
    site = step.site
    try:
        root = session.codebook.root_of_step(step.module, step.file, step.line, site.column)
    except LookupError:
        return None
    parts: list[Any] = [PREAMBLE, "stem", step.site.kind, step.options.salt]
    parts.append(session.codebook.node(root).own)
    for position, (name, value) in enumerate(inquiry.values):
        parts.append(name)
        if position in inquiry.coded:
            parts.append(digest(value, _named, inquiry.live.setting))
        else:
            parts.append(inquiry.inputs[position][1])
    return Search(blake3(digest(tuple(parts))).hexdigest(), step, inquiry, session)


def _named(thing: Any) -> bytes:
    """What stands for code in a stem."""
    return f"{getattr(thing, '__qualname__', '') or getattr(thing, '__name__', '')}".encode()


def footprint_of(
    recording: Recording,
    inquiry: Inquiry,
    classes: Iterable[type],
    moved: dict[str, str],
    step: Step,
    session: Session,
) -> Footprint | None:
    """(label, token) of all that an evaluation used; None if nobody can say.

    Args:
        classes: those of the instances in its value, which will be loaded.
        moved: the globals that it changed by what it imported: name -> token before.
    """
    try:
        seen = _checked(recording, inquiry)
        if any(map(_loads_by_code, classes)):
            raise _UnseenError("loading its value runs code")
        ran = _ran(seen, step, session)
        whole = {place for chain in ran for place in chain} | _may_matter(inquiry, session)
        for candidate in recording.hits:
            whole |= _places(_footprint_kept(candidate, session), session)
        narrow = _narrow(step, inquiry, whole, session)
        reached = _reached(narrow, session)
        if any(reached.isdisjoint(chain) for chain in ran):
            raise _UnseenError("what ran is not reached by what is written")
    except _FAILURES:
        return None
    by_file: dict[str, list[str]] = {}
    for file, index in sorted(whole):
        label = session.codebook.facts(file).label_of(index)
        by_file.setdefault(session.relative(file), []).append(label)
    found = [(_WHOLE + file, " ".join(labels)) for file, labels in by_file.items()]
    found.append((_NARROW, narrow.signature))
    found += [(_BEFORE + name, token) for name, token in moved.items()]
    return (
        *found,
        *(
            (label, token)
            for label, name, token in lazy_globals(narrow.live, narrow.live)
            if name not in moved
        ),
    )


def with_footprint(trace: Trace, footprint: Footprint) -> Trace:
    """The trace as it is kept under the stem."""
    return trace.replace(variables=(*_without_lazy(trace), *footprint))


def without(trace: Trace, lazy: dict[str, str]) -> Trace:
    """A trace without the footprint in it: what a signature says need not be said again.

    Args:
        lazy: what `trace.lazy_tokens` are now; those of the trace go by the code that was.
    """
    kept = [pair for pair in _without_lazy(trace) if not pair[0].startswith(LABELS)]
    return trace.replace(variables=(*kept, *lazy.items()))


def _without_lazy(trace: Trace) -> Iterator[tuple[str, str]]:
    return (pair for pair in trace.variables if len(pair[0].partition(":")[0]) != _HASH)


_HASH = 64
"""Hexadecimal digits: what the labels of lazy tokens begin with."""


def _narrow(step: Step, inquiry: Inquiry, whole: set[Place], session: Session) -> Inquiry:
    """The same question, over the text of these functions and the outlines of all others."""
    codebook = session.codebook.narrowed(frozenset(whole))
    site = step.site
    reach = codebook.step(step.module, step.file, step.line, site.column)
    if reach.direct != step.reach.direct:
        raise _UnseenError("the step's own text is not as it was")
    known = {
        position: bytes.fromhex(token)
        for position, (_, token) in enumerate(inquiry.inputs)
        if position not in inquiry.coded
    }
    narrowed = step.replace(reach=reach)
    found = inquire(narrowed, inquiry.values, codebook, session.folders, known)
    if found.live.reflects & _READS:
        raise _UnseenError("code is looked at")
    if any(each.notes for each in found.live.reaches.values()):
        raise _UnseenError("anything may have run")
    hidden.check(inquiry.live, found.live, whole, session.codebook)
    return found


# --- functions ------------------------------------------------------------------------------------


def _places(variables: Iterable[tuple[str, str]], session: Session) -> set[Place]:
    """The functions that a footprint names; raises LookupError if one is not there any more."""
    found: set[Place] = set()
    for label, names in variables:
        if label.startswith(_WHOLE):
            file = session.absolute(label[len(_WHOLE) :])
            facts = session.codebook.facts(file)
            found.update((file, facts.labelled(name)) for name in names.split())
    return found


def _may_matter(inquiry: Inquiry, session: Session) -> set[Place]:
    """Of the functions that the step can reach, those that matter though they do not run in it."""
    codebook = session.codebook
    run = outside(session)
    found: set[Place] = set()
    classes: set[Key] = set()
    for key in hidden.definitions(inquiry.live):
        facts = codebook.facts(key[2])
        if facts.definitions[int(key[3])][DEF_KIND] == "class":
            classes.add(key)
        for file, index in hidden.functions_of(key, codebook):
            if run.may_have_left(facts.definitions[index][DEF_QUALNAME]):
                found.add((file, index))
    return found | hidden.made_by(classes, codebook)


def _reached(inquiry: Inquiry, session: Session) -> set[Place]:
    """The functions that an inquiry met, those of classes included."""
    codebook = session.codebook
    return {
        place
        for key in hidden.definitions(inquiry.live)
        for place in hidden.functions_of(key, codebook)
    }


_LOADING = frozenset(
    {"__getnewargs__", "__getnewargs_ex__", "__new__", "__reduce__", "__reduce_ex__",
     "__setattr__", "__setstate__"}
)  # fmt: skip
"""Methods that pickle calls."""


def _loads_by_code(cls: type) -> bool:
    """Whether loading an instance may run functions of the program."""
    return written.file_of(cls) is not None and any(
        written.defines(base, _LOADING)
        if written.file_of(base) is not None
        else not (base in (object, tuple) or base.__module__ in written.WITHOUT_STATE)
        for base in cls.__mro__
    )


def _ran(seen: Seen, step: Step, session: Session) -> list[tuple[Place, ...]]:
    """The functions that ran, each with those that it stands in."""
    found: list[tuple[Place, ...]] = []
    root = session.codebook.root_of_step(step.module, step.file, step.line, step.site.column)
    if root[0] == "d":
        found.append(((os.path.abspath(step.file), int(root[3])),))
    for code, module in seen.code.values():
        file = os.path.abspath(code.co_filename)
        if not is_tracked(file) or not file.endswith((".py", ".pyw")):
            continue  # counted by its file, with what was read
        if getattr(sys.modules.get(module), "__file__", None) is None:
            raise _UnseenError(f"{module} is not found under its name")
        facts = session.codebook.facts(file)
        indices = definitions_of(code, facts)
        if _is_own_text(code, file, indices, facts, step):
            continue
        if not indices:
            raise _UnseenError(f"{file}:{code.co_firstlineno}")
        chains = (tuple((file, each) for each in _around(index, facts)) for index in indices)
        found += [chain for chain in chains if chain]
    return found


def _around(index: int, facts: Facts) -> Iterator[int]:
    """A function and those that it stands in."""
    while index >= 0:
        if facts.definitions[index][DEF_KIND] == "def":
            yield index
        index = facts.definitions[index][DEF_PARENT]


def _is_own_text(code: CodeType, file: str, indices: list[int], facts: Facts, step: Step) -> bool:
    """Whether code can only be a comprehension or lambda in the step's own expression: it stands in
    the same function, of which nothing else runs now."""
    if step.site.kind != "assignment" or file != os.path.abspath(step.file):
        return False
    return code.co_name[0] == "<" and indices == definition_around(step.line, facts)


# --- whether that is all --------------------------------------------------------------------------


def _checked(recording: Recording, inquiry: Inquiry) -> Seen:
    """What was seen of an evaluation, if that is all."""
    seen = recording.seen
    if seen is None or not seen.exact or seen.unpickled:
        raise _UnseenError("code ran unseen")
    if recording.notes or recording.loads or _has_children():
        raise _UnseenError("another process may have run code")
    if not _RUNS_UNSEEN.isdisjoint(sys.modules):
        raise _UnseenError("code may have run as something else")
    used = {name for reach in inquiry.live.reaches.values() for name in reach.untracked}
    if not _HIDES_CODE.isdisjoint(used):
        raise _UnseenError("code may be in the value, or run unseen")
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


def _footprint_kept(candidate: Candidate, session: Session) -> Footprint:
    """The footprint of a step that was a hit inside this one."""
    entry = session.store.entry(candidate.stem) if session.store and candidate.stem else None
    for other in entry.candidates if entry is not None else ():
        if (other.blob, other.created) == (candidate.blob, candidate.created):
            return other.trace.variables
    raise _UnseenError(candidate.path)
