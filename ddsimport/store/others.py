"""What others made, in this store: asked for, taken up, and believed as long as its maker is.

Imports nothing of the remote until something is missing here.
"""

from __future__ import annotations

from contextlib import suppress

from ddsimport.errors import StoreError
from ddsimport.store.entries import Entries
from ddsimport.store.trace import Candidate, Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ddsimport.store.behind import Behind


class Others:
    """See the module.

    Args:
        entries: those of the store.
        writable: whether anything may be kept.

    Attributes:
        behind: gives the remote behind the store, always the same one; None without one. Called
            when something is first missing, or kept.
    """

    def __init__(self, entries: Entries, writable: bool) -> None:
        self._entries = entries
        self._writable = writable
        self.behind: Callable[[], Behind] | None = None

    def fetched(self, signature: str) -> Entry | None:
        """The entry of a signature after the remote was asked for it; None if that gave nothing
        that was not here. Each signature is asked for once. Never raises."""
        found = self.behind().candidates(signature) if self.behind is not None else ()
        return self.take_up(signature, found) if found else None

    def take_up(self, signature: str, found: Iterable[Candidate]) -> Entry | None:
        """Add candidates that others made and that `sharing` let in; None if that changes nothing.
        What was kept here stays, and goes before. Never raises."""
        from ddsimport.store.sharing import joined

        known = None
        with suppress(StoreError):
            known = believed(self._entries.read(signature))
        entry = joined(signature, known, found)
        if entry is not None and self._writable:
            with suppress(StoreError):  # else they will be fetched again
                self._entries.write(entry)
        return entry

    def kept(self, signature: str) -> None:
        """Something was kept here, which others may lack."""
        if self.behind is not None:
            self.behind().note(signature)

    def check(self, path: str, signature: str, blob: str) -> None:
        """Raises StoreError: what `path` shows came from others only, and they are not trusted
        now."""
        entry = self._entries.read(signature)
        found = entry.candidates if entry is not None else ()
        makers = tuple([each for each in found if each.blob == blob])
        known = believed(Entry(signature, makers))
        if makers and known is not None and not known.candidates:
            raise StoreError(f"the value of {path} is by somebody whose key is not trusted now")


def believed(entry: Entry | None) -> Entry | None:
    """The entry without what came from others who are not trusted (any more). On the way of every
    hit."""
    if entry is not None:
        for candidate in entry.candidates:
            if candidate.origin:
                from ddsimport.store.sharing import is_believed

                return Entry(entry.signature, tuple(filter(is_believed, entry.candidates)))
    return entry
