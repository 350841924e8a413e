"""Note what an evaluation was made from, for those who ask why (see `store.provenance`).

Called once for each value that is kept; what is the same for all evaluations of a step is made
once.
"""

from __future__ import annotations

import os
from contextlib import suppress

from ddsimport.runtime.deferred import Deferred
from ddsimport.runtime.uncached import UncachedError
from ddsimport.source import cells
from ddsimport.store.provenance import Provenance, Quantity, Snapshot
from ddsimport.values.summary import summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.analysis.graph import Key
    from ddsimport.runtime.session import Session
    from ddsimport.runtime.signature import Inquiry, Step
    from ddsimport.store.provenance import Provenances

_NONE: Any = object()
_MOST = 200
"""Quantities of one evaluation that are noted."""


def note(
    session: Session,
    step: Step,
    path: str,
    inquiry: Inquiry,
    value: Any = _NONE,
    inside: tuple[str, ...] = (),
) -> None:
    """Note it, as far as that is possible.

    Args:
        value: what came out; by default that is not said.
        inside: the paths of the steps inside.
    """
    provenances = session.writable_store().provenances
    digests = dict(inquiry.inputs)
    given = [_quantity(name, each, digests.get(name, "")) for name, each in inquiry.values]
    variables = {
        name: (each, token.hex())
        for name, each, token in inquiry.live.variables(step.reach, step.skipped)
    }
    read = [_quantity(name, each, token) for name, (each, token) in variables.items()]
    provenances.write(
        Provenance(
            signature=inquiry.signature,
            path=path,
            module=step.module,
            file=_named(session, step.file),
            line=step.line,
            column=step.site.column,
            target=step.site.target,
            template=step.path,
            options=step.site.options,
            reach=step.reach.hash.hex(),
            snapshot=_snapshot(session, inquiry),
            inputs=tuple(given[:_MOST]),
            variables=tuple(read[:_MOST]),
            value="" if value is _NONE else summary(value),
            inside=inside,
        )
    )


def _quantity(name: str, value: object, digest: str) -> Quantity:
    # What waits in the store is not loaded for this.
    said = "" if type(value) is Deferred else summary(value)
    return Quantity(name, digest, said)


def _snapshot(session: Session, inquiry: Inquiry) -> str:
    """The name of the snapshot of all code that counted."""
    codebook = session.codebook
    reaches = list(inquiry.live.reaches.values())
    key = ("snapshot", *map(id, reaches))
    known = codebook.remembered.get(key)
    if known is None:
        files: dict[str, str] = {}
        code: dict[Key, None] = {}
        provenances = session.writable_store().provenances
        for reach in reaches:
            code.update(dict.fromkeys(reach.nodes))
            for file in reach.files:
                with suppress(UncachedError, OSError, SyntaxError, ValueError):
                    files[file] = kept_text(session, file, provenances)
        name = provenances.add_snapshot(
            Snapshot(
                {_named(session, file): text for file, text in sorted(files.items())},
                tuple((kind, module, _named(session, file), what)
                      for kind, module, file, what in code),
            )
        )  # fmt: skip
        known = codebook.remembered[key] = name, reaches  # alive, so that no identity is reused
    return str(known[0])


def _named(session: Session, file: str) -> str:
    """Of a run of `./program.py`, whose file is `/project/./program.py`, without the dot: `./` is
    said of what was given relative to the working directory."""
    name = cells.lasting_name_of(file)
    return session.relative(os.path.normpath(name) if os.path.isabs(name) else name)


def kept_text(session: Session, file: str, provenances: Provenances) -> str:
    """The hash of a source file, whose text is in the store from now on, if that can be written.

    Raises:
        UncachedError, OSError, SyntaxError, ValueError: there is no such text any more.
    """
    texts = session.codebook.texts
    if not file.endswith((".py", ".pyw")):
        return texts.known(file)[0] if texts.is_known(file) else ""
    text_hash = texts.hash_of(file)
    if not provenances.has_text(text_hash):
        provenances.add_text(text_hash, texts.read(file)[0])
    return text_hash
