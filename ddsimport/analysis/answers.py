"""What was found to be reached, kept on disk with all that the answer rests on.

A reach follows from the question, the analyzer, this Python, the texts of the files that were
looked at, and the file that each module name led to: those that led nowhere count too, for they may
lead somewhere tomorrow. While all of that is as it was, so is the answer; a warm run looks at the
state of each file, and reads no facts.
"""

from __future__ import annotations

import gc
import os
import sys
from itertools import starmap

from blake3 import blake3

from ddsimport.analysis import sealed
from ddsimport.analysis.codehash import Reach
from ddsimport.analysis.facts import FACTS_TAG
from ddsimport.analysis.graph import Reference
from ddsimport.analysis.locate import package_of
from ddsimport.analysis.resolve import BUILTINS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Protocol

    from ddsimport.analysis.graph import Key
    from ddsimport.analysis.texts import Stamp, Texts

    class Now(Protocol):
        """What answers are compared with."""

        texts: Texts

        def place_of(self, name: str) -> tuple[str | None, bool]:
            """The file of a module, None if it has none, and whether its text counts."""


Question = tuple[str, str, str, str, int]
"""Kind, module, file, what is asked about in it, and what may be read of that (`reflects`)."""

_ANALYSIS = (FACTS_TAG, sys.version, sys.flags.optimize, sorted(BUILTINS))

_MOST = 256
"""Answers kept about one file: an edit that moves lines leaves those about the old lines behind."""


class Answers:
    """Answers on disk, one file each, in a folder for each source file that is asked about.

    An answer is a reach and, of a step, the modules that its own text reads under a name that the
    function around it imports.

    Args:
        directory: where to keep them; made when the first is put.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def get(self, question: Question, now: Now) -> tuple[Reach, frozenset[str]] | None:
        """The answer, None if it is not kept or does not hold any more."""
        path = self._path(question)
        # Thousands of objects are made that all stay: a collection amid them looks in vain, and at
        # all that the program holds besides.
        collects = gc.isenabled()
        gc.disable()
        try:
            return self._held(path, now)
        finally:
            if collects:
                gc.enable()

    def _held(self, path: str, now: Now) -> tuple[Reach, frozenset[str]] | None:
        record = sealed.read(path)
        if record is None:
            return None
        for name, file, tracked in record["modules"]:
            if now.place_of(name) != (file, tracked):
                return None
        current = True
        for file, content_hash, stamp in record["files"]:
            if not now.texts.holds(file, content_hash, stamp):
                return None
            current = current and now.texts.known(file)[1] in (stamp, ())
        if not current:  # the same texts in files that were touched, or that came to rest since
            record["files"] = _known(now, (file for file, _, _ in record["files"]))
            sealed.write(path, record)
        return _unpacked(record["reach"]), frozenset(record["read"])

    def put(
        self,
        question: Question,
        reach: Reach,
        read: Iterable[str],
        files: Iterable[str],
        modules: Iterable[str],
        now: Now,
    ) -> None:
        """Keep an answer that rests on these files, and on where these modules are."""
        path = self._path(question)
        record = {
            "modules": [(name, *now.place_of(name)) for name in sorted(modules)],
            "files": _known(now, sorted(files)),
            "reach": _packed(reach),
            "read": sorted(read),
        }
        if sealed.write(path, record):
            _thin_out(os.path.dirname(path))

    def _path(self, question: Question) -> str:
        kind, module, file, what, reflects = question
        about = (_ANALYSIS, package_of("__main__", file), module, file)
        folder = blake3(repr(about).encode("utf-8", "surrogatepass")).hexdigest(length=16)
        name = blake3(repr((kind, what, reflects)).encode("utf-8", "surrogatepass")).hexdigest(
            length=16
        )
        return os.path.join(self._directory, folder[:2], folder[2:], f"{name}{sealed.SUFFIX}")


def _known(now: Now, files: Iterable[str]) -> list[tuple[str, str, Stamp]]:
    """(file, hash, stamp) of files whose hashes are known."""
    return [(file, *now.texts.known(file)) for file in files]


def _thin_out(folder: str) -> None:
    """Drop the older half of the answers in a folder that has too many."""
    try:
        names = os.listdir(folder)
        if len(names) <= _MOST:
            return
        paths = sorted((os.path.join(folder, name) for name in names), key=os.path.getmtime)
        for path in paths[: len(paths) // 2]:
            os.unlink(path)
    except OSError:  # somebody else does the same
        return


# --- a reach as plain values ----------------------------------------------------------------------


def _packed(reach: Reach) -> dict[str, Any]:
    """The fields of a reach. `marshal` writes an object once, so what is equal becomes the same."""
    same: dict[Any, Any] = {}

    def once(field: Any) -> Any:
        return same.setdefault(field, field)

    rows: dict[Reference, int] = {}
    order = [rows.setdefault(reference, len(rows)) for reference in reach.references]
    return {
        **reach.as_dict(),
        "references": (
            [
                tuple(once(field) if isinstance(field, (str, tuple)) else field for field in row)
                for row in rows
            ],
            order,
        ),
        "nodes": sealed.packed([tuple(map(once, key)) for key in reach.nodes]),
    }


def _unpacked(packed: dict[str, Any]) -> Reach:
    rows, order = packed["references"]
    references = list(starmap(Reference, rows))
    packed["references"] = tuple([references[index] for index in order])
    packed["nodes"] = _KeptNodes(packed["nodes"])
    return Reach(**packed)


class _KeptNodes:
    """The nodes of a reach that is kept. Only a miss asks for them, so they are packed until then:
    half of what an answer holds."""

    __slots__ = ("_nodes", "_packed")

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._nodes: list[Key] | None = None

    def __iter__(self) -> Iterator[Key]:
        if self._nodes is None:
            self._nodes = sealed.unpacked(self._packed)
        return iter(self._nodes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (tuple, _KeptNodes)) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))
