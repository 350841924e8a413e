"""The remote behind a store, as a running program sees it: asked when a step is about to be
evaluated, once for each signature, and given up at the first failure.

Made when something is first missing here, so a run of hits imports none of this. Nothing raises:
what the remote does not give is evaluated.
"""

from __future__ import annotations

import os
from _thread import allocate_lock
from contextlib import suppress

from ddsimport.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ddsimport.store.remote import Remote
    from ddsimport.store.trace import Candidate

    Say = Callable[[str, str], None]
    """Told what a sentence is about, and the sentence."""

MOST_OFFERS = 64
"""Candidates of one signature that are looked at; more are somebody's doing."""

_DAMAGED = "damaged-"


class Behind:
    """See the module.

    Args:
        root: the store's folder.
        url: the remote's.
        say: tells the user something, once for each key.
        outbox: what is kept from now on is to be pushed (see `Outbox`).

    Attributes:
        given_up: the remote failed once, and is not asked any more.
    """

    def __init__(self, root: str, url: str, say: Say, outbox: bool) -> None:
        self.url = url
        self._root = root
        self._say = say
        self._outbox = Outbox(root) if outbox else None
        self._remote: Remote | None = None
        self._process = 0
        self.given_up = False
        self._asked: set[str] = set()
        self._lock = allocate_lock()

    def candidates(self, signature: str) -> tuple[Candidate, ...]:
        """What the remote has for a signature and may be taken up, the most trusted and then the
        newest first; nothing the second time."""
        if signature in self._asked:
            return ()
        self._asked.add(signature)
        remote = self._reachable()
        if remote is None:
            return ()
        from ddsimport.store.sharing import in_order
        from ddsimport.store.trace import is_name

        if not is_name(signature):
            return ()
        try:
            return tuple(in_order(self._look_up(remote, signature)))
        except StoreError as error:
            self._give_up(error)
            return ()

    def _look_up(self, remote: Remote, signature: str) -> list[Candidate]:
        """Raises StoreError: the remote cannot be reached."""
        from itertools import islice

        from ddsimport.store.remote import MOST, AbsentError
        from ddsimport.store.sharing import RefusedError, accepted, folder_of, place_of

        found = []
        for key, size in islice(remote.listed(folder_of(signature)), MOST_OFFERS):
            place = place_of(key)
            if place is None or place[0] != signature or size > MOST:
                continue
            try:
                found.append(accepted(signature, place[1], remote.get(key)))
            except AbsentError:
                continue  # removed meanwhile
            except RefusedError as refused:
                self._say(*refusal(self.url, refused))
        return found

    def fetch(self, name: str, size: int) -> bool:
        """Bring a blob into the store; whether it is there now."""
        remote = self._reachable()
        if remote is None:
            return False
        from ddsimport.store.remote import AbsentError
        from ddsimport.store.transfer import Unsound, fetch_blob

        try:
            fetch_blob(remote, self._root, name, size)
        except AbsentError:
            return False
        except Unsound as error:
            Outbox(self._root).note_damaged(name)
            self._say(f"unsound {name}", f"{error}; it is not used")
            return False
        except StoreError as error:
            self._give_up(error)
            return False
        return True

    def note(self, signature: str) -> None:
        """Something was kept here under a signature."""
        if self._outbox is not None:
            self._outbox.note(signature)

    def _reachable(self) -> Remote | None:
        """The remote, if it is worth asking."""
        if self.given_up:
            return None
        with self._lock:
            try:
                if self._remote is None:
                    from ddsimport.store.remote import open_remote

                    self._remote = open_remote(self.url, hasty=True)
                    self._process = os.getpid()
            except StoreError as error:
                self._give_up(error)
                return None
        if self._process != os.getpid() and not self._remote.forks:
            return None  # the parent's connections and threads are not here
        return self._remote

    def _give_up(self, error: StoreError) -> None:
        self.given_up = True
        self._say("remote", f"the remote is left out of this run: {error}")


def refusal(url: str, refused: Exception) -> tuple[str, str]:
    """(what it is about, sentence) for what was not taken up from a remote."""
    key = getattr(refused, "key", "")
    if key:
        return (
            f"untrusted {key}",
            f"{url} has values signed by {key}, which you do not trust: {refused}; if you trust "
            f"its holder to run code here: python -m ddsimport key trust {key}",
        )
    return f"refused {refused}", f"{url} has a value that is not used: {refused}"


class Outbox:
    """The folder `outbox/`: the signatures under which something was kept that others lack, each an
    empty file; and, marked, the blobs that a remote has damaged."""

    def __init__(self, root: str) -> None:
        self._folder = f"{root}/outbox"

    def note(self, name: str) -> None:
        """Put it in. An outbox that cannot be written is as good as none: `push` finds it."""
        from ddsimport.store.atomic import make_folder

        with suppress(OSError):
            make_folder(self._folder)
            with open(f"{self._folder}/{name}", "ab"):
                os.utime(f"{self._folder}/{name}")

    def note_damaged(self, blob: str) -> None:
        """A remote has something else under the name of a blob."""
        self.note(_DAMAGED + blob)

    def signatures(self) -> list[str]:
        """Under which something was kept."""
        return [name for name in self._names() if not name.startswith(_DAMAGED)]

    def damaged(self) -> set[str]:
        """The blobs that a remote has damaged."""
        found = [name for name in self._names() if name.startswith(_DAMAGED)]
        return {name[len(_DAMAGED) :] for name in found}

    def done(self, name: str, since: float) -> None:
        """Take it out, unless it was put in again `since` then."""
        path = f"{self._folder}/{name}"
        with suppress(OSError):
            if os.stat(path).st_mtime <= since:
                os.unlink(path)

    def mended(self, blob: str) -> None:
        """The remote has a sound blob now."""
        with suppress(OSError):
            os.unlink(f"{self._folder}/{_DAMAGED}{blob}")

    def _names(self) -> list[str]:
        try:
            return sorted(os.listdir(self._folder))
        except OSError:
            return []
