"""Edits of code of which somebody has said that they do not change the result.

An acceptance says: of this step, the code with one hash gives what the code with another gave. It
is the word of a person, with name, date, reason and the difference, so it is kept as carefully as a
value: sealed, flushed, and never collected.
"""

from __future__ import annotations

import os

from ddsimport.records import Record
from ddsimport.store.atomic import Staged, unusable
from ddsimport.store.seals import DamagedError, read_small, sealed, unsealed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Acceptance(Record):
    """One of them.

    Attributes:
        template: the step's path, as the pragma says it, or the default.
        reach: `Reach.hash` of the step with the accepted code, in hex.
        before: the same of the code that the value was evaluated by.
        by: who said so.
        when: ISO 8601 in UTC.
        reason: in their words.
        diff: what differs, as a unified diff.
    """

    template: str
    reach: str
    before: str
    by: str
    when: str
    reason: str
    diff: str

    @property
    def said(self) -> str:
        """Who said so, when and why, in words."""
        return f"accepted by {self.by} on {self.when[:10]}: {self.reason}"


class Acceptances:
    """The folder `accepted/v1/`: a file for each hash of accepted code, that holds the latest word
    about it.

    Args:
        root: the store's folder.
    """

    def __init__(self, root: str) -> None:
        self._folder = f"{root}/accepted/v1"
        self._tmp = f"{root}/tmp"

    def any(self) -> bool:
        """Whether there are any: quickly."""
        return os.path.isdir(self._folder)

    def of(self, reach: str) -> Acceptance | None:
        """What is accepted of code with this hash; None if nothing is."""
        try:
            record = unsealed(read_small(f"{self._folder}/{reach}")[0])
            del record["seal"]
            return Acceptance(**{key: str(value) for key, value in record.items()})
        except (OSError, DamagedError, TypeError):
            return None

    def add(self, acceptance: Acceptance) -> None:
        """Keep one. Raises StoreError."""
        with Staged(self._tmp) as staged:
            staged.write(sealed(acceptance.as_dict()))
            staged.finish()
            staged.commit(f"{self._folder}/{acceptance.reach}")

    def remove(self, acceptance: Acceptance) -> None:
        """It no longer holds. Raises StoreError."""
        path = f"{self._folder}/{acceptance.reach}"
        try:
            os.unlink(path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise unusable("remove", path, error) from error

    def all(self) -> Iterator[Acceptance]:
        """All of them, the oldest first."""
        try:
            names = os.listdir(self._folder)
        except OSError:
            return
        found = [each for each in map(self.of, names) if each is not None]
        yield from sorted(found, key=lambda each: each.when)
