"""Code and inputs -> signature: equal signature, equal value.

A signature is the hash of: the format of the store, Python's minor version and `-O`, the code that
the step reaches (as text and as it is now), the value of each input, the versions of the installed
distributions met on the way, and the step's salt (`version=`). Neither the step's path nor any
place on disk is in it, so a renamed path, a moved project and another machine all hit.
"""

from __future__ import annotations

import functools
import sys
from types import CodeType, FrameType, FunctionType, ModuleType

from blake3 import blake3

from ddsimport.analysis.distributions import version_of
from ddsimport.errors import UndigestibleError
from ddsimport.records import Record
from ddsimport.runtime import carried
from ddsimport.runtime.deferred import Deferred, actual, namespace_of
from ddsimport.runtime.live import Live
from ddsimport.runtime.uncached import UncachedError
from ddsimport.values.digest import is_immutable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.analysis.codehash import Codebook, Reach
    from ddsimport.runtime.recorder import Shown
    from ddsimport.source.options import Options
    from ddsimport.source.site import Input, Site
    from ddsimport.store.trace import Candidate

PREAMBLE = b"ddsimport-signature-1 %d.%d %d " % (*sys.version_info[:2], sys.flags.optimize)
_UNBOUND = "<unbound>"
"""Stands for a local name without a value: no error here, plain Python may never read it."""

# Types of which equal values have equal digests; texts are compared up to a length.
_GLANCED = frozenset({int, bool, type(None), str, bytes})
_TEXTS = frozenset({str, bytes})
_SHORT = 256
_MOST_ANSWERED = 256

_MISSING: Any = object()
_GATHERS_POSITIONAL, _GATHERS_KEYWORDS = 0x4, 0x8  # inspect.CO_VARARGS, CO_VARKEYWORDS
_OPTIMIZED = 0x1  # inspect.CO_OPTIMIZED: a function, whose locals are no dictionary


class Step(Record):
    """A site in a loaded module: what is the same each time the step runs.

    Attributes:
        site: the step's place in the text.
        namespace: the globals of its module.
        module: the module's name; `__main__` is called after its file.
        file: the module's source file.
        line: the first line of the statement there; the site has that of the cell, in a session.
        place: what people call its place.
        home: what people call its module: the cell, in a session.
        reach: what the step's code reaches, by its text.
        inputs: the site's inputs, each with its name as written.
        globals: which of them are module variables.
        modules: those that the function around the step imports; the reach tells what is used.
        skipped: positions in the reach of what counts as input, or not at all (`ignore=`).
        locals: names that are local where the step stands (empty at module level).
        path: the artifact's path, still with its `{fields}`.
        templated: whether `path` has fields.
        options: what its pragma asks for.
        answered: signature, digests of the inputs in hex, and whether one lies in the project, by
            what is known at a glance: small inputs, code, patches and versions.
    """

    site: Site
    namespace: dict[str, Any]
    module: str
    file: str
    line: int
    place: str
    home: str
    reach: Reach
    inputs: tuple[tuple[Input, str], ...]
    globals: frozenset[str]
    modules: frozenset[str]
    skipped: frozenset[int]
    locals: frozenset[str]
    path: str
    templated: bool
    options: Options
    answered: dict[object, tuple[str, tuple[tuple[str, str], ...], bool]]

    @property
    def format(self) -> str | None:
        """The `format=` of its pragma."""
        return dict(self.site.options).get("format")

    def shown(self, candidate: Candidate) -> Shown:
        """What its path shows with this candidate."""
        return candidate.signature, candidate.blob, self.format


class Inquiry(Record):
    """One question to the store: what this step is about to be evaluated from.

    Attributes:
        signature: 64 hex digits.
        inputs: (name as written, digest in hex) of each input, in the order they are read.
        code: the code hash in hex.
        live: what was looked at to answer; holds the lazily imported references.
        values: (name as written, value) of each input.
        mutables: (name, value, digest) of the inputs that the evaluation could change or return.
        coded: positions of the inputs whose digest holds what stands for code.
        patches: what stands for the installed code that the program has changed.
        versions: (distribution, version) that count.
    """

    signature: str
    inputs: tuple[tuple[str, str], ...]
    code: str
    live: Live
    values: list[tuple[str, object]]
    mutables: tuple[tuple[str, object, bytes], ...]
    versions: tuple[tuple[str, str], ...]
    coded: frozenset[int]
    patches: bytes


def inquire(
    step: Step,
    values: list[tuple[str, object]],
    codebook: Codebook,
    folders: tuple[str, ...] = (),
    known: dict[int, bytes] | None = None,
) -> Inquiry:
    """Look at the inputs `values`, (name as written, value), and at the code as they are now.

    Args:
        known: position -> digest of inputs that have been looked at, and hold no code.

    Raises:
        UncachedError: an input has no digest.
        OSError: source text that is needed cannot be read.
    """
    live = Live(codebook, folders)
    live.reflects = step.reach.reflects
    glance = _at_a_glance(values)
    while True:
        reflects = live.reflects
        code = live.reach(step.reach, step.skipped)
        if glance is not None:
            answered = _answered(step, values, live, (glance, code))
            if answered is not None and live.reflects == reflects:
                return answered
        inputs: list[tuple[str, bytes]] = []
        mutables: list[tuple[str, object, bytes]] = []
        coded: set[int] = set()
        for position, (name, value) in enumerate(values):
            live.asked_for_code = False
            token = known.get(position) if known else None
            try:
                if token is None:
                    token = _told(value, live) or live.digest(actual(value))
            except UndigestibleError as error:
                raise UncachedError(
                    f"its input {name}{error.where} has no digest: {error.why}"
                ) from error
            if live.asked_for_code:
                coded.add(len(inputs))
            inputs.append((name, token))
            if not is_immutable(value) and not issubclass(type(value), ModuleType):
                mutables.append((name, value, token))
        patches = live.patches()
        if live.reflects == reflects:
            break
        live.restart()
    versions = _versions_of(frozenset(live.distributions))
    # Injective: all parts but the last are of fixed length or framed by their number.
    parts = [PREAMBLE, code, len(inputs).to_bytes(4, "little")]
    parts += [token for _, token in inputs]
    names = [name for name, _ in inputs]  # they say how much of an object it is that counts
    parts.append(repr((names, versions, step.site.kind, step.options.salt, patches)).encode())
    signature = blake3(b"".join(parts)).hexdigest()
    in_hex = tuple((name, token.hex()) for name, token in inputs)
    if glance is not None:
        if len(step.answered) >= _MOST_ANSWERED:
            step.answered.clear()
        about = (glance, code), patches, versions
        step.answered[about] = signature, in_hex, live.setting.placed
    return Inquiry(
        signature=signature,
        inputs=in_hex,
        code=code.hex(),
        live=live,
        values=values,
        mutables=tuple(mutables),
        versions=versions,
        coded=frozenset(coded),
        patches=patches,
    )


def _at_a_glance(values: list[tuple[str, object]]) -> tuple[object, ...] | None:
    """The inputs as a key, if all of them are small and immutable: equal keys, equal digests."""
    key: list[object] = []
    for name, value in values:
        kind = type(value)
        # No floats: 0.0 equals -0.0. No `1` for `True`: the type counts.
        if kind not in _GLANCED or (kind in _TEXTS and len(value) > _SHORT):  # type: ignore[arg-type]  # texts
            return None
        key += (name, kind, value)
    return tuple(key)


def _answered(
    step: Step, values: list[tuple[str, object]], live: Live, about: tuple[object, bytes]
) -> Inquiry | None:
    """What was inquired before about the same inputs and code, if it was."""
    patches = live.patches()
    versions = _versions_of(frozenset(live.distributions))
    known = step.answered.get((about, patches, versions))
    if known is None:
        return None
    signature, inputs, placed = known
    live.setting.placed |= placed
    return Inquiry(
        signature, inputs, about[1].hex(), live, values, (), versions, frozenset(), patches
    )


def _told(value: Any, live: Live) -> bytes | None:
    """The digest of a value that waits in the store, or is as it came from there; None if it must
    be looked at."""
    if type(value) is not Deferred:
        return carried.digest_of(value)
    if value.classes and live.reflects:
        return None  # of classes, more is read here than what they were kept with
    live.distributions.update(value.classes)
    return value.digest


def variables_read(
    site: Site, reach: Reach, namespace: dict[str, Any]
) -> tuple[frozenset[str], frozenset[int]]:
    """Of the names in the step's own text, the module variables that are inputs: (their names,
    the positions in the reach that need not be counted as code any more).

    What is now bound to code (a decorated function) stays code, and so does what hangs off a
    module. Names that the pragma ignores count neither way.
    """
    ignored = frozenset(dict(site.options).get("ignore", "").split(","))
    read = {source.name for source in site.inputs}
    names: set[str] = set()
    positions: set[int] = set()
    for position, reference in enumerate(reach.references[: reach.direct]):
        name = reference.chain[0]
        if reference.kind != "variable" or reference.lazy or len(reference.chain) > 1:
            continue
        if name in ignored:
            positions.add(position)
        elif name in read and not is_code(namespace.get(name)):
            names.add(name)
            positions.add(position)
    return frozenset(names), frozenset(positions)


def is_code(value: Any) -> bool:
    """Whether a module variable that is bound to `value` counts as code, and is no input."""
    kind = type(value)
    return issubclass(kind, (type, ModuleType, FunctionType)) or kind.__module__ == "functools"


@functools.cache
def _versions_of(names: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """(import name, version) of the installed distributions among `names`, sorted."""
    return tuple((name, version) for name in sorted(names) if (version := version_of(name)))


def names_local_to(code: CodeType) -> frozenset[str]:
    """The names that belong to the function or class body `code`, closure included."""
    return frozenset((*code.co_varnames, *code.co_cellvars, *code.co_freevars))


def inputs_of(step: Step, frame: FrameType) -> list[tuple[str, object]]:
    """The values that the step's own text reads; what else it reaches is counted as code."""
    found: list[tuple[str, object]] = []
    bound = frame.f_locals
    for source, name in step.inputs:
        if source.name in step.globals:
            value = frame.f_globals.get(source.name, _UNBOUND)
            found.append(_part(source, actual(value)) if source.access else (name, value))
        elif bound is frame.f_globals:
            continue
        elif source.name in bound:
            value = bound[source.name]
            if step.site.kind == "function" and name == _gathering(frame.f_code):
                value = tuple(value.items())
            found.append(_part(source, value) if source.access else (name, value))
        elif source.name in step.locals:
            found.append((name, _UNBOUND))
    if step.site.kind == "function":
        found += closed_over(frame).items()
    _forget(frame, bound)
    return [(name, value) for name, value in found if not _is_told(value, step.modules)]


def _gathering(code: CodeType) -> str | None:
    """The name of `**kwargs`: a dictionary made for the call, which nobody else can hold."""
    if not code.co_flags & _GATHERS_KEYWORDS:
        return None
    positional = code.co_argcount + code.co_kwonlyargcount
    return code.co_varnames[positional + bool(code.co_flags & _GATHERS_POSITIONAL)]


def _forget(frame: FrameType, bound: Any) -> None:
    """Up to Python 3.12 a function's frame keeps the dictionary that `f_locals` made, and with it
    every value that the function has deleted since: the program would see `__del__` come late. Not
    touched where the program itself may hold that dictionary (it is that of `locals()`)."""
    # References: the frame's, our caller's, ours, that of the call below; before 3.11 one more,
    # since a call kept its arguments on the stack of the caller.
    ours = 4 if sys.version_info >= (3, 11) else 5
    if (
        type(bound) is dict
        and frame.f_code.co_flags & _OPTIMIZED
        and sys.getrefcount(bound) <= ours
    ):
        bound.clear()


def closed_over(frame: FrameType) -> dict[str, object]:
    """The variables of the functions around, as the function of this frame sees them now."""
    names = frame.f_code.co_freevars
    bound = frame.f_locals if names else {}
    return {name: bound[name] for name in names if name in bound}


def _is_told(value: Any, modules: frozenset[str]) -> bool:
    """True for a module whose use in the step's text is part of the reach."""
    return issubclass(type(value), ModuleType) and value.__name__ in modules


def written(source: Input, depth: int | None = None) -> str:
    """`self.n`, `cfg['a']`: an input as the expression names it, or the first steps of that."""
    return source.name + "".join(
        f".{key}" if kind == "." else f"[{key!r}]" for kind, key in source.access[:depth]
    )


def _part(source: Input, value: Any) -> tuple[str, object]:
    """(as the expression names it, value) of what is read of an input."""
    part, depth = _fetched(source, value)
    return written(source, depth), part


def fetch(source: Input, value: Any) -> object:
    """The part of `value` that the expression reads, or the whole where that takes user code."""
    return _fetched(source, value)[0]


def _fetched(source: Input, value: Any) -> tuple[object, int]:
    """(the part, how many steps lead to it).

    `self.n` is fetched from the instance's own dictionary, `cfg["a"]` from an exact dict, list or
    tuple: no property, `__getattr__` or `__getitem__` of the user's is run.
    """
    for depth, (kind, key) in enumerate(source.access):
        part = _attribute(value, str(key)) if kind == "." else _item(value, key)
        if part is _MISSING:
            return value, depth
        value = part
    return value, len(source.access)


def _attribute(value: Any, name: str) -> Any:
    # `isinstance` would ask the value for its `__class__`, which may be user code.
    cls: Any = type(value)
    if issubclass(cls, ModuleType):
        return actual(namespace_of(value).get(name, _MISSING))
    if cls.__getattribute__ is not object.__getattribute__:
        return _MISSING
    on_class = next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), _MISSING)
    if on_class is not _MISSING and hasattr(type(on_class), "__set__"):
        return _MISSING
    own: Any = None
    if cls.__dictoffset__:
        own = object.__getattribute__(value, "__dict__")
        if type(own) is not dict:
            return _MISSING
    if own is not None and name in own:
        return own[name]
    # A plain attribute of the class is what the instance gives, too.
    return _MISSING if hasattr(type(on_class), "__get__") else on_class


def _item(value: Any, key: Any) -> Any:
    if type(value) not in (dict, list, tuple):
        return _MISSING
    try:
        return value[key]
    except (LookupError, TypeError):
        return _MISSING
