"""What was found to be reached, kept on disk with all that the answer rests on.

A reach follows from the question, the analyzer, this Python, the texts of the files that were
looked at, and the file that each module name led to: those that led nowhere count too, for they may
lead somewhere tomorrow. While all of that is as it was, so is the answer; a warm run looks at the
state of each file, and reads no facts.
"""

from __future__ import annotations

import binascii
import gc
import os
import sys
from array import array

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
    from ddsimport.analysis.texts import Texts

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
        for file, content_hash, *stamp in record["files"]:
            if not now.texts.holds(file, content_hash, stamp):
                return None
            current = current and now.texts.known(file)[1] in (stamp, [])
        if not current:  # the same texts in files that were touched, or that came to rest since
            record["files"] = _known(now, (file for file, *_ in record["files"]))
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
            "modules": [[name, *now.place_of(name)] for name in sorted(modules)],
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
        return os.path.join(self._directory, folder[:2], folder[2:], f"{name}.json")


def _known(now: Now, files: Iterable[str]) -> list[list[Any]]:
    """[file, hash, *stamp] of files whose hashes are known."""
    found = []
    for file in files:
        content_hash, stamp = now.texts.known(file)
        found.append([file, content_hash, *stamp])
    return found


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


# --- a reach as JSON ------------------------------------------------------------------------------


def _packed(reach: Reach) -> dict[str, Any]:
    """The reach, with every reference, and every string of one, written once."""
    numbers: dict[str | None, int] = {None: 0}
    rows: dict[tuple[int, ...], int] = {}

    def number(text: str | None) -> int:
        return numbers.setdefault(text, len(numbers))

    order = []
    for reference in reach.references:
        row = (
            number(reference.module),
            number(".".join(reference.chain)),
            number(reference.kind),
            number(reference.owner),
            number(reference.file),
            number(reference.qualname),
            reference.first_line,
            int(reference.lazy),
            number(None if reference.literal is None else reference.literal.hex()),
        )
        order.append(rows.setdefault(row, len(rows)))
    packed = {
        "references": [_as_text(column) for column in zip(*rows, strict=True)],
        "order": _as_text(order),
        "hash": reach.hash.hex(),
        "distributions": reach.distributions,
        "files": reach.files,
        "notes": reach.notes,
        "ambiguous": reach.ambiguous,
        "direct": reach.direct,
        "reflects": reach.reflects,
        "rebound": reach.rebound,
        "nodes": "\n".join(
            f"{kind} {number(module)} {number(file)} {what}"
            for kind, module, file, what in reach.nodes
        ),
        "untracked": reach.untracked,
    }
    packed["strings"] = list(numbers)
    return packed


def _unpacked(packed: dict[str, Any]) -> Reach:
    strings = packed["strings"]
    chains: dict[int, tuple[str, ...]] = {}
    references: list[Reference] = []
    rows = zip(*map(_as_numbers, packed["references"]), strict=True)
    for module, chain, kind, owner, file, qualname, line, lazy, literal in rows:
        parts = chains.get(chain)
        if parts is None:
            parts = chains[chain] = tuple(strings[chain].split(".") if strings[chain] else ())
        references.append(
            Reference(
                strings[module],
                parts,
                strings[kind],
                strings[owner],
                strings[file],
                strings[qualname],
                line,
                bool(lazy),
                bytes.fromhex(strings[literal]) if literal else None,
            )
        )
    return Reach(
        bytes.fromhex(packed["hash"]),
        tuple([references[index] for index in _as_numbers(packed["order"])]),
        tuple(packed["distributions"]),
        tuple(packed["files"]),
        tuple(packed["notes"]),
        packed["ambiguous"],
        packed["direct"],
        packed["reflects"],
        tuple((module, name) for module, name in packed["rebound"]),
        _KeptNodes(packed["nodes"], strings),
        tuple(packed["untracked"]),
    )


def _as_text(numbers: Iterable[int]) -> str:
    """Numbers from 0 to 2**32 - 1: as text of JSON, they take eight times as long to read."""
    packed = array("I", numbers)
    if sys.byteorder == "big":
        packed.byteswap()
    return binascii.b2a_base64(packed.tobytes(), newline=False).decode("ascii")


def _as_numbers(text: str) -> Iterable[int]:
    packed = array("I", binascii.a2b_base64(text))
    if sys.byteorder == "big":
        packed.byteswap()
    return packed


class _KeptNodes:
    """The nodes of a reach that is kept. Only a miss asks for them, so they are text until then:
    half of what an answer holds."""

    __slots__ = ("_nodes", "_strings", "_text")

    def __init__(self, text: str, strings: list[str]) -> None:
        self._text = text
        self._strings = strings
        self._nodes: tuple[Key, ...] | None = None

    def __iter__(self) -> Iterator[Key]:
        if self._nodes is None:
            rows = self._text.split("\n") if self._text else []
            self._nodes = tuple(map(self._node, rows))
        return iter(self._nodes)

    def _node(self, row: str) -> Key:
        kind, module, file, what = row.split(" ")
        # As `graph` says: definitions and statements are known by their number.
        place = int(what) if kind in "dt" else what
        return kind, self._strings[int(module)], self._strings[int(file)], place

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (tuple, _KeptNodes)) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))
