"""The stores of dds_py, on our engine: `local`, `memory`, `noop`.

Each object is one store, and holds the session that asks it: who sets it again finds what was
there.
"""

from __future__ import annotations

import os
from functools import partial

from ddsimport import config as configuration
from ddsimport.dds.structures import DDSErrorCode, DDSException
from ddsimport.runtime import recorder, session
from ddsimport.runtime.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.config import Config
    from ddsimport.store.store import Store as _Kept

_FOLDER = "ddsimport"
"""The folder of ours in an internal folder, which may be that of dds_py's own store, too."""
_SOME = 10
"""How many values `cache_objects=True` keeps in memory."""
_ALL = 1 << 62

_sessions: dict[tuple[Config, int], Session] = {}
"""Of the stores on the disk, by their configuration and how many values they keep in memory."""


class Store:
    """What `set_store` takes. There are the three below; one of a program's own cannot be asked, as
    it would have to keep traces and histories besides values."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._paths: dict[str, None] = {}

    def session(self) -> Session:
        """The session that asks this store; the same each time.

        Raises:
            DDSException: the store cannot be used.
        """
        if self._session is None:
            with recorder.unrecorded():
                self._session = self._opened()
        return self._session

    def _opened(self) -> Session:
        raise NotImplementedError

    def claim(self, path: str) -> None:
        """A value is about to be kept at `path`.

        Raises:
            DDSException: what is kept at another path is in the way.
        """
        if path in self._paths:
            return
        for other in self._paths:
            if path.startswith(f"{other}/") or other.startswith(f"{path}/"):
                raise DDSException(
                    f"{path} and {other} cannot both be kept: one would be a file and a folder; "
                    "rename one",
                    DDSErrorCode.OVERLAPPING_PATH,
                )
        self._paths[path] = None


class ProjectStore(Store):
    """That of the project, as for any other step: `.dds`, `--store`, `DDSIMPORT_STORE`."""

    def __init__(self, most_recent: int = 0) -> None:
        super().__init__()
        self._most_recent = most_recent

    def _opened(self) -> Session:
        return _session_of(configuration.current(), None, self._most_recent)

    def __repr__(self) -> str:
        return "ProjectStore()"


class LocalFileStore(Store):
    """A store in a folder, which shows its paths in another one.

    Stores over one internal folder share all values; each data folder has paths of its own.
    """

    def __init__(
        self,
        internal_dir: str | os.PathLike[str] | None = None,
        data_dir: str | os.PathLike[str] | None = None,
        create_dirs: bool = True,
        most_recent: int = 0,
    ) -> None:
        """
        Raises:
            DDSException: a folder is missing and is not to be made, or cannot be used.
        """
        super().__init__()
        self._internal = None if internal_dir is None else os.path.realpath(internal_dir)
        self._data = None if data_dir is None else os.path.realpath(data_dir)
        self._most_recent = most_recent
        for folder in (self._internal, self._data):
            if folder is None or os.path.isdir(folder):
                continue
            if not create_dirs:
                raise DDSException(
                    f"there is no folder {folder}", DDSErrorCode.STORE_PATH_NOT_FOUND
                )
            try:
                os.makedirs(folder, exist_ok=True)
            except OSError as error:
                raise DDSException(
                    f"the folder {folder} cannot be made: {error.strerror}; name another one",
                    DDSErrorCode.STORE_PATH_NOT_FOUND,
                ) from error

    def _opened(self) -> Session:
        config = configuration.current()
        if self._internal is not None:
            config = config.replace(store=os.path.join(self._internal, _FOLDER))
        if self._data is not None:
            config = config.replace(namespace=_namespace(self._data))
        return _session_of(config, self._data, self._most_recent)

    def __repr__(self) -> str:
        return f"LocalFileStore(internal_dir={self._internal!r}, data_dir={self._data!r})"


class MemoryStore(Store):
    """A store that ends with the process; nothing goes to the disk."""

    def _opened(self) -> Session:
        from ddsimport.store.memory import MemoryStore as InMemory

        return Session(opening=lambda config: InMemory(config.pickle))

    def __repr__(self) -> str:
        return "MemoryStore()"


class NoOpStore(Store):
    """No store: everything is evaluated each time."""

    def _opened(self) -> Session:
        return Session(opening=lambda _: None, absence="the store is `noop`, which keeps nothing")

    def __repr__(self) -> str:
        return "NoOpStore()"


OURS = (ProjectStore, LocalFileStore, MemoryStore, NoOpStore)


def store_called(
    name: str,
    internal_dir: str | os.PathLike[str] | None,
    data_dir: str | os.PathLike[str] | None,
    cache_objects: object,
) -> Store:
    """The store that `set_store` asks for by its name.

    Raises:
        DDSException: there is none of this name.
    """
    most_recent = _number(cache_objects)
    if name == "local":
        if not internal_dir and not data_dir:
            return ProjectStore(most_recent)
        return LocalFileStore(internal_dir or None, data_dir or None, most_recent=most_recent)
    if name == "memory":
        return MemoryStore()
    if name == "noop":
        return NoOpStore()
    if name == "dbfs":
        raise DDSException(
            "the store `dbfs` is not offered: DBFS can neither rename nor lock a file. Keep values "
            "on the driver's disk, and have DBFS behind it: set_store('local') in the program, "
            'remote = "file:///dbfs/FOLDER" (or "file:///Volumes/…") and remote_push = true under '
            "[tool.ddsimport] in pyproject.toml"
        )
    raise DDSException(
        f"there is no store {name!r}; there are: 'local', 'memory', 'noop'",
    )


def _number(cache_objects: Any) -> int:
    """How many values stay in memory. Raises DDSException."""
    if cache_objects is None:
        return 0
    if not isinstance(cache_objects, int):
        raise DDSException(f"cache_objects takes True, False or a number, not {cache_objects!r}")
    if cache_objects is True:
        return _SOME
    return _ALL if cache_objects < 0 else int(cache_objects)


def use(store: Store) -> None:
    """Have all steps of this process ask a store from now on."""
    before = session.use(store.session())
    if before is not None and before.facts is not None:
        _sessions.setdefault((before.config, 0), before)


def _session_of(config: Config, data: str | None, most_recent: int) -> Session:
    """The session over a store on the disk: one for all who set it, in turn with others or not."""
    known = _sessions.get((config, most_recent))
    if known is None:
        known = Session(config, partial(_open, data=data, most_recent=most_recent))
        _sessions[config, most_recent] = known
    return known


def _namespace(data: str) -> str:
    """The name of the namespace whose paths are shown in a folder."""
    from blake3 import blake3

    from ddsimport.store.paths import quote_part

    mark: str = blake3(os.fsencode(data)).hexdigest()[:12]
    return f"{quote_part(os.path.basename(data))}-{mark}"


def _open(config: Config, data: str | None, most_recent: int) -> _Kept:
    """Raises StoreError."""
    from ddsimport.store.store import Store as Kept

    opened = Kept.open(config.store, config.namespace, pickles=config.pickle, data=data)
    opened.hold(most_recent)
    return opened
