"""`flock`, where there is one: the locks that the operating system frees when their holder dies."""

from __future__ import annotations

import sys

if sys.platform == "win32":

    def try_lock(descriptor: int) -> bool | None:
        """None: no locks here."""
        return None

    def unlock(descriptor: int) -> None:
        """Nothing is ever locked here."""

else:
    # `fcntl` is imported where there is something to lock: a run of hits does without (1 ms).
    def try_lock(descriptor: int) -> bool | None:
        """Lock an open file, without waiting.

        Returns True if it is locked by this descriptor now, False if another one has it, and None
        where the file system has no such locks.
        """
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return None
        return True

    def unlock(descriptor: int) -> None:
        """Explicitly, since closing unlocks only when no other process inherited the open file.

        Raises OSError.
        """
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_UN)
