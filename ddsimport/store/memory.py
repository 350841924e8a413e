"""A store that is gone with its process, and leaves nothing on the disk.

It holds bytes, as one on the disk does, not the objects: each hit makes the value anew, so nobody's
change to one shows in another. Hence what no codec restores is not kept here, either.
"""

from __future__ import annotations

import os
from io import BytesIO

from blake3 import blake3

from ddsimport.errors import CodecError, StoreError
from ddsimport.store.blobs import Blobs
from ddsimport.store.entries import Entries, ignored
from ddsimport.store.others import Others
from ddsimport.store.paths import artifact_parts
from ddsimport.store.stamps import Costs, Digests
from ddsimport.store.store import AbsentArtifactError, Store
from ddsimport.store.view_records import record_of
from ddsimport.store.views import Views

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ddsimport.store.history import Version
    from ddsimport.store.trace import Candidate, Entry
    from ddsimport.store.view_records import ViewRecord
    from ddsimport.values.codecs import Codec

_NOWHERE = os.devnull
"""In place of a folder: no file can be below it, whoever tries."""


class MemoryStore(Store):
    """See the module. Threads that ask for one signature at once evaluate it each."""

    on_disk = False

    def __init__(self, pickles: bool = True) -> None:
        self.root = _NOWHERE
        self.id = "memory"
        self.writable = True
        self.namespace = ""
        self.pickles = pickles
        self.kept_bytes = self.kept_files = 0
        self.damages = []
        self.on_damage = None
        self._swept = True
        self._entries = _Entries()
        self._blobs = _Blobs()
        self.digests = Digests(_NOWHERE, False)
        self.costs = Costs(_NOWHERE, False)
        self._views = _Views()
        self.others = Others(self._entries, True)

    def publish(
        self, path: str, candidate: Candidate, value: object, format: str | None = None
    ) -> None:
        self._views.withdraw(path, candidate, format)

    def past(self, path: str, version: str | int) -> Version:
        raise AbsentArtifactError(f"a store in memory knows no past values of {path}")


class _Entries(Entries):
    def __init__(self) -> None:
        super().__init__(_NOWHERE, ignored)
        self._held: dict[str, Entry] = {}

    def _read(self, signature: str) -> Entry | None:
        return self._held.get(signature)

    def _write(self, entry: Entry) -> None:
        self._held[entry.signature] = entry

    def touch(self, signature: str) -> None:
        return

    def signatures(self, group: str | None = None) -> Iterator[str]:
        yield from [each for each in self._held if group is None or each.startswith(group)]


class _Blobs(Blobs):
    def __init__(self) -> None:
        super().__init__(_NOWHERE, False, ignored)
        self._contents: dict[str, bytes] = {}

    def write(self, value: object, codec: Codec) -> tuple[str, int]:
        file = BytesIO()
        try:
            codec.encode(value, file)
        except CodecError:
            raise
        except Exception as error:
            raise CodecError(f"{codec.name}: {type(error).__name__}: {error}") from error
        return self._keep(file.getvalue())

    def write_file(self, path: str) -> tuple[str, int]:
        with open(path, "rb") as file:
            return self._keep(file.read())

    def _keep(self, content: bytes) -> tuple[str, int]:
        name: str = blake3(content).hexdigest()
        self._contents.setdefault(name, content)
        return name, len(content)

    def has(self, name: str) -> bool:
        return name in self._contents

    def value(self, name: str, size: int, codec: Codec) -> Any:
        return self._decoded(name, self._checked_content(name, size, stamped=True), codec)

    def held(self, name: str, size: int, codec: Codec) -> Callable[[], Any]:
        content = self._checked_content(name, size, stamped=True)
        return lambda: self._decoded(name, content, codec)

    def _checked_content(self, name: str, size: int, stamped: bool) -> bytearray:
        found = self._contents.get(name)
        if found is None:
            raise StoreError(f"there is no blob {name} in memory")
        return bytearray(found)


class _Views(Views):
    def __init__(self) -> None:
        super().__init__(_NOWHERE, _Blobs(), False, ignored)
        self._held: dict[tuple[str, ...], ViewRecord] = {}

    def withdraw(self, path: str, candidate: Candidate, asked: str | None) -> None:
        parts = artifact_parts(path)
        self._held[parts] = record_of("/" + "/".join(parts), candidate, asked)

    def forget(self, path: str) -> None:
        self._known.pop(path, None)
        self._held.pop(artifact_parts(path), None)

    def paths(self, below: str = "") -> Iterator[str]:
        yield from sorted("/" + "/".join(parts) for parts in self._held)

    def _read(self, parts: tuple[str, ...]) -> ViewRecord | None:
        return self._held.get(parts)
