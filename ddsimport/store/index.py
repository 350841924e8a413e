"""What can be asked of the store as a whole: past runs and sizes. Derived, private, deletable.

Held in diskcache (an SQLite file), whose rows may name pickles and files: `_safe_disk` refuses both
in every direction, so that CVE-2025-69872 has nothing to bite on, and obeys no row of that kind
even if one was planted. Any error here ends in an empty index and an empty answer; nothing is lost
with it but the list of past runs.

Never on the way of a hit: diskcache takes 60 ms to import, so even the note of a run is first a
line in a plain file, taken up when somebody asks.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import closing, suppress

from ddsimport.store.atomic import make_folder
from ddsimport.store.entries import Entries, ignored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    T = TypeVar("T")


MOST_RUNS = 1000

# Bytes of unread notes at which the next run takes the time to sort them in.
_LONGEST_JOURNAL = 1 << 20

# ns. A folder changed this recently may change again under the same modification time.
_CLOCK_RESOLUTION = 2_000_000_000


class Index:
    """The folder `index/`. Opens nothing until it is asked."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._folder = f"{root}/index"
        self._journal = f"{root}/index/journal"

    def add_run(self, run: dict[str, Any]) -> None:
        """Note a run, whatever it consists of, as long as it is JSON. Never raises OSError."""
        line = json.dumps({"noted": time.time_ns(), "run": run}).encode() + b"\n"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        with suppress(OSError):
            make_folder(self._folder)
            descriptor = os.open(self._journal, flags, 0o600)
            try:
                os.write(descriptor, line)  # in one piece, so that processes do not mix their lines
                long = os.fstat(descriptor).st_size > _LONGEST_JOURNAL
            finally:
                os.close(descriptor)
            if long:
                self._with_cache(self._take_up, None)

    def runs(self, most: int = MOST_RUNS) -> list[dict[str, Any]]:
        """Past runs, the latest first."""

        def read(cache: Any) -> list[dict[str, Any]]:
            self._take_up(cache)
            keys = sorted((key for key in cache if key.startswith("run:")), reverse=True)
            return [json.loads(cache[key]) for key in keys[:most]]

        if os.path.isdir(self._folder) and not os.access(self._folder, os.W_OK):
            noted = self._as_they_lie()
            return [json.loads(noted[key]) for key in sorted(noted, reverse=True)[:most]]
        return self._with_cache(read, [])

    def sizes(self) -> dict[str, int]:
        """Artifact path to the bytes of all its blobs, past ones included, that an entry names.

        Entries lie in 256 folders; only those that changed since the last look are read.
        """

        def read(cache: Any) -> dict[str, int]:
            blobs: dict[str, dict[str, int]] = {}
            for group in self._groups():
                for path, sizes in self._group(cache, group).items():
                    blobs.setdefault(path, {}).update(sizes)
            return {path: sum(sizes.values()) for path, sizes in sorted(blobs.items())}

        return self._with_cache(read, {})

    def drop(self) -> None:
        """Forget everything."""
        import shutil  # 3 ms, and each run that ends comes through this module

        shutil.rmtree(self._folder, ignore_errors=True)  # refuses a symbolic link

    def _with_cache(self, ask: Callable[[Any], T], otherwise: T) -> T:
        """`ask` the cache; on an error, a new one; on another error, `otherwise`."""
        for _ in range(2):
            try:
                import diskcache
            except ImportError:
                return otherwise
            try:
                cache = self._open(diskcache)
                try:
                    return ask(cache)
                finally:
                    cache.close()
            except diskcache.Timeout:
                return otherwise  # another process writes: nothing is wrong with it
            except Exception as error:
                if "locked" in str(error):
                    return otherwise  # as above, said by SQLite itself
                # Whatever it is (a damaged file, a planted row, a full disk, SQLite built without
                # what diskcache needs), the index is worth nothing then.
                self.drop()
        return otherwise

    def _as_they_lie(self) -> dict[str, str]:
        """Key to run, of a store that cannot be written: nothing is taken up or locked."""
        import sqlite3
        from urllib.parse import quote

        found: dict[str, str] = {}
        file = f"file:{quote(self._folder)}/cache.db?mode=ro&immutable=1"
        rows = (
            "SELECT key, value FROM Cache WHERE key LIKE 'run:%' AND typeof(value) = 'text' "
            "AND json_valid(value)"
        )
        with suppress(sqlite3.Error), closing(sqlite3.connect(file, uri=True)) as cache:
            found.update(cache.execute(rows))
        for name in os.listdir(self._folder):
            with suppress(OSError), open(f"{self._folder}/{name}", "rb") as notes:
                for line in notes if name.startswith("journal") else ():
                    self._add(found, line)
        return found

    def _open(self, diskcache: Any) -> Any:
        if os.path.expandvars(self._folder) != self._folder:
            raise ValueError("diskcache would look elsewhere")
        make_folder(self._folder)
        if os.path.islink(self._folder):
            raise ValueError("the index is a symbolic link")
        cache = diskcache.Cache.__new__(diskcache.Cache)
        try:
            cache.__init__(
                self._folder,
                timeout=5,
                disk=_safe_disk(diskcache),
                disk_min_file_size=2**62,  # everything stays in the row
                eviction_policy="none",  # the default drops old rows past a gigabyte, silently
                size_limit=2**62,
                cull_limit=0,
                statistics=0,
            )
        except BaseException:
            with suppress(Exception):  # else Python 3.13 warns of an unclosed database
                cache.close()
            raise
        return cache

    def _take_up(self, cache: Any) -> None:
        """Move the noted runs into the cache; after a kill twice, but kept once."""
        with suppress(FileNotFoundError):
            os.rename(self._journal, f"{self._journal}-{os.urandom(8).hex()}")
        for name in os.listdir(self._folder):
            if not name.startswith("journal-"):
                continue
            path = f"{self._folder}/{name}"
            with suppress(FileNotFoundError):  # another process was at it, too
                with open(path, "rb") as file:
                    for line in file:
                        self._add(cache, line)
                os.unlink(path)
        if len(cache) > MOST_RUNS + 512:
            for key in sorted(key for key in cache if key.startswith("run:"))[:-MOST_RUNS]:
                cache.delete(key)

    def _add(self, cache: Any, line: bytes) -> None:
        from blake3 import blake3

        try:
            note = json.loads(line)
            noted, run = int(note["noted"]), json.dumps(note["run"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return  # cut short by a full disk or a kill
        cache[f"run:{noted:020d}:{blake3(line).hexdigest(8)}"] = run

    def _groups(self) -> list[str]:
        try:
            return sorted(os.listdir(f"{self._root}/entries/v1"))
        except FileNotFoundError:
            return []

    def _group(self, cache: Any, group: str) -> dict[str, dict[str, int]]:
        """Artifact path to (blob to size) for the entries in one folder."""
        changed = os.stat(f"{self._root}/entries/v1/{group}").st_mtime_ns
        row = cache.get(f"sizes:{group}")
        if row is not None:
            seen, found = json.loads(row)
            if seen == changed:
                return dict(found)
        entries = Entries(self._root, ignored)
        blobs: dict[str, dict[str, int]] = {}
        for signature in entries.signatures(group):
            entry = entries.read(signature)
            for candidate in entry.candidates if entry else ():
                blobs.setdefault(candidate.path, {})[candidate.blob] = candidate.size
        if time.time_ns() - changed > _CLOCK_RESOLUTION:
            cache.set(f"sizes:{group}", json.dumps([changed, blobs]))
        return blobs


class RefusedRowError(Exception):
    """A row that this module never writes: somebody else did."""


def _safe_disk(diskcache: Any) -> Any:
    """diskcache's way to and from rows, for texts only: no pickle, no file, in no direction.

    `JSONDisk` is not it: it obeys the mode of the row, and so unpickles what was planted.
    """

    class SafeDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache has no types
        def put(self, key: Any) -> Any:
            return _text(key), True

        def get(self, key: Any, raw: Any) -> Any:
            if not raw:
                raise RefusedRowError("a pickled key")
            return _text(key)

        def store(self, value: Any, read: Any, key: Any = None) -> Any:
            if read:
                raise RefusedRowError("a value in a file")
            return 0, diskcache.core.MODE_RAW, None, _text(value)

        def fetch(self, mode: Any, filename: Any, value: Any, read: Any) -> Any:
            if mode != diskcache.core.MODE_RAW or filename is not None or read:
                raise RefusedRowError("a pickled value or one in a file")
            return _text(value)

        def filename(self, key: Any = None, value: Any = None) -> Any:
            raise RefusedRowError("a value in a file")

        def remove(self, file_path: Any) -> Any:
            raise RefusedRowError("a row that names a file, perhaps not ours")

    return SafeDisk


def _text(item: Any) -> str:
    if type(item) is not str:
        raise RefusedRowError(f"{type(item).__name__} instead of a text")
    return item
