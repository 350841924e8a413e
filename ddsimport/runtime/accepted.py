"""A value of code before an edit that somebody has accepted (`ddsimport accept`).

Looked for where neither the signature nor the footprint has found one. Of all else that a signature
counts, everything must be as it was: inputs, module variables, versions, and the trace.
"""

from __future__ import annotations

from contextlib import suppress

from ddsimport.errors import StoreError
from ddsimport.store.trace import Candidate, Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ddsimport.runtime.session import Session
    from ddsimport.runtime.signature import Inquiry, Step
    from ddsimport.store.acceptances import Acceptance
    from ddsimport.store.provenance import Provenance

_MOST_LOOKED_AT = 50
"""Past values of a path."""


def accepted(session: Session, step: Step, path: str, inquiry: Inquiry) -> tuple[Entry, str] | None:
    """The values of code that was accepted as the same, and who said so; None if there are none."""
    store = session.store
    assert store is not None
    found = store.acceptances.of(step.reach.hash.hex())
    if found is None or found.template != step.path or inquiry.live.is_patched():
        return None
    candidates: list[Candidate] = []
    with suppress(StoreError):
        for count, version in enumerate(store.history.versions(path)):
            if count == _MOST_LOOKED_AT:
                break
            provenance = store.provenances.read(version.signature)
            entry = store.entry(version.signature)
            if provenance is not None and entry is not None:
                candidates += [
                    each
                    for each in entry.candidates
                    if each not in candidates and _fits(each, provenance, found, step, inquiry)
                ]
    if not candidates:
        return None
    said = f"its code has changed; {found.said}"
    return Entry(inquiry.signature, tuple(candidates)), said


def _fits(
    candidate: Candidate,
    provenance: Provenance,
    acceptance: Acceptance,
    step: Step,
    inquiry: Inquiry,
) -> bool:
    """Whether nothing differs but the code that was accepted."""
    if provenance.reach != acceptance.before or candidate.inputs != inquiry.inputs:
        return False
    # Whatever the signature says of values is compared one by one: the old one was of other code.
    before = {each.name: each.digest for each in provenance.variables}
    now = {name: token.hex() for name, _, token in inquiry.live.variables(step.reach, step.skipped)}
    same = all(before.get(name, token) == token for name, token in now.items())
    versions = dict(inquiry.versions)
    return (
        same
        and all(candidate.versions.get(name, each) == each for name, each in versions.items())
        and candidate.python.split(".")[:2] == _here()
        and provenance.options == step.site.options
    )


def _here() -> list[str]:
    from ddsimport.store.versions import python_version

    return python_version().split(".")[:2]
