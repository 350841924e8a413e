"""The store's surface: what the rest of ddsimport may ask of it.

Order of writing is what keeps it whole: blob, then entry, then view, each complete and flushed
before the next begins. So an entry never names a blob that is not there, and killing any process at
any moment leaves at worst a temporary file and a view that is one value behind.

Whatever goes wrong here ends in `StoreError` or `CodecError`, and the runtime evaluates the step.
"""

from __future__ import annotations

import os
from functools import cached_property
from time import perf_counter

from ddsimport.errors import CodecError, StoreError
from ddsimport.store.atomic import sweep, unusable
from ddsimport.store.blobs import Blobs
from ddsimport.store.choice import chosen_codec, chosen_view, named_codec, runs_no_code
from ddsimport.store.entries import Entries
from ddsimport.store.locks import SignatureLock
from ddsimport.store.namespaces import folder_of, show_in
from ddsimport.store.others import Others, believed
from ddsimport.store.root import open_root
from ddsimport.store.stamps import Costs, Digests
from ddsimport.store.trace import Candidate, Entry, Trace
from ddsimport.store.view_records import ViewRecord
from ddsimport.store.views import Views

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from mmap import mmap
    from typing import Any

    from typing_extensions import Buffer

    from ddsimport.store.acceptances import Acceptances
    from ddsimport.store.behind import Behind
    from ddsimport.store.history import History, Version
    from ddsimport.store.provenance import Provenances
    from ddsimport.values.codecs import Codec


# Bytes from which a view that is the same file as its blob is made from it. Below, writing the
# value once more is as fast.
_COPIED = 1 << 20


class AbsentArtifactError(StoreError, LookupError):
    """There is no artifact at a path. The message names the nearest one there is."""


class Store:
    """One store, as seen by one process. Safe to use from any number of threads and processes.

    Attributes:
        root: its folder, an absolute path without symbolic links.
        id: a name of this store that copies of it share.
        namespace: whose paths it shows; empty for those under `data/` itself.
        pickles: whether pickles are written and read; if not, a value that only they hold is not
            kept, and one that was is evaluated again.
        on_disk: whether what is kept outlives the process.
        writable: whether anything can be kept; if not, what is there can still be read.
        digests: what is known of the content of large files outside.
        costs: what was too dear to keep.
        others: what came from others.
        kept_bytes, kept_files: about what this process has added.
        damages: what was found damaged so far, in words. Damaged files are moved to `quarantine/`.
        on_damage: called with each of these sentences as it is found.
    """

    on_disk = True

    def __init__(
        self, root: str, identity: str, writable: bool, namespace: str = "", pickles: bool = True
    ) -> None:
        """Use `Store.open`."""
        self.root = root
        self.id = identity
        self.writable = writable
        self.namespace = namespace
        self.pickles = pickles
        self.kept_bytes = self.kept_files = 0
        self.damages: list[str] = []
        self.on_damage: Callable[[str], None] | None = None
        self._swept = False
        self._entries = Entries(root, self._quarantine)
        self._blobs = Blobs(root, writable, self._quarantine)
        self.digests = Digests(root, writable)
        self.costs = Costs(root, writable)
        self._views = Views(root, self._blobs, writable, self._quarantine, namespace)
        self.others = Others(self._entries, writable)

    @classmethod
    def open(
        cls, root: str, namespace: str = "", pickles: bool = True, data: str | None = None
    ) -> Store:
        """Open the store in the folder `root`; create it if there is none.

        Args:
            namespace: one component of an artifact path, or empty.
            pickles: see the class.
            data: where the paths of the namespace, which has a name then, are shown from now on.

        Raises:
            StoreError: the folder cannot be used as a store, and why.
        """
        root, identity, writable = open_root(root)
        if data is not None and writable:
            show_in(root, namespace, data)
        return cls(root, identity, writable, namespace, pickles)

    def entry(self, signature: str) -> Entry | None:
        """What is kept for a signature (blake3 in hex); None if nothing usable is.

        Raises:
            StoreError: the file system refuses to tell.
        """
        return believed(self._entries.read(signature))

    def known_entry(self, signature: str) -> Entry | None:
        """What this process knows to be kept for a signature: perhaps not the newest candidates,
        but without a look at the disk. A step that is called in a loop asks here first."""
        return believed(self._entries.known(signature))

    def share(self, behind: Callable[[], Behind]) -> None:
        """Have a remote behind this store (see `Others.behind`)."""

        def fetch(name: str, size: int) -> bool:
            found = behind().fetch(name, size)
            if found:
                self.kept_bytes += size
                self.kept_files += 1
            return found

        self.others.behind = behind
        self._blobs.fetch = fetch

    @cached_property
    def provenances(self) -> Provenances:
        """What the evaluations were made from."""
        from ddsimport.store.provenance import Provenances  # a run of hits needs it not

        return Provenances(self.root, self.writable)

    @cached_property
    def acceptances(self) -> Acceptances:
        """Which edits do not change the result."""
        from ddsimport.store.acceptances import Acceptances  # a run of hits needs it not

        return Acceptances(self.root)

    @property
    def history(self) -> History:
        """What its paths have shown."""
        from ddsimport.store.history import History  # a run of hits needs it not

        return History(folder_of(self.root, self.namespace), f"{self.root}/tmp")

    def blob_path(self, name: str, size: int) -> str:
        """The file of a blob, which was found to be sound. Raises StoreError."""
        return self._blobs.sound(name, size)

    def value(self, candidate: Candidate) -> Any:
        """The value of a candidate, from its blob.

        Raises:
            StoreError: the blob is missing or damaged.
            CodecError: its bytes are right, but cannot be decoded here.
        """
        try:
            return self._decode(candidate.blob, candidate.size, candidate.codec)
        except CodecError as error:
            from ddsimport.store.versions import moved_since

            moved = moved_since(candidate)
            if not moved:
                raise
            raise CodecError(f"{error} ({moved})") from error

    def held(self, candidate: Candidate) -> Callable[[], Any]:
        """What loads the value of a candidate later on, whatever becomes of its blob until then;
        it may raise as `value` does.

        Raises:
            StoreError: the blob is missing or damaged.
            CodecError: there is no such codec.
        """
        codec = self._allowed(candidate.codec)
        return self._blobs.held(candidate.blob, candidate.size, codec)

    def proves(self, candidate: Candidate) -> bool:
        """Whether the candidate's blob loads the same with every version of its libraries."""
        return named_codec(candidate.codec).proves

    def keep(
        self,
        signature: str,
        value: object,
        codec: Codec | None = None,
        *,
        trace: Trace,
        digest: str,
        seconds: float,
        path: str,
        code: str,
        inputs: tuple[tuple[str, str], ...],
        versions: dict[str, str],
        stem: str = "",
        parts: tuple[str, ...] = (),
        classes: tuple[str, ...] = (),
        comes_back: Callable[[object], bool] | None = None,
        ties: Callable[[bytes | bytearray | mmap, str], tuple[tuple[str, str], ...]] | None = None,
        on_written: Callable[[float], None] = lambda _: None,
        python: str | None = None,
        created: str | None = None,
    ) -> Candidate:
        """Keep the value of a signature, durably; the caller holds the signature's lock.

        Args:
            codec: by default the first that restores the value exactly.
            comes_back: told the value as read back, says whether it is the same one. Asked where
                the codec's predicate is no proof: what a pickle keeps is up to the classes in it,
                and some drop part of their state without a word.
            ties: told the blob's bytes and the codec's name, says what else the trace's variables
                must hold: what can be seen only in what is kept.
            on_written: told how many seconds it took to write the value, and to read it back if it
                was; what it raises is raised, and nothing names the blob.
            python: version of Python; by default that of this process.
            created: ISO 8601 in UTC; by default now.
            trace, digest, seconds, path, code, inputs, versions, stem, parts, classes: see
                `Candidate`.

        Raises:
            CodecError: no codec restores this value exactly.
            StoreError: it cannot be written. What was there before still is.
        """
        from ddsimport.store.versions import libraries_of, now, python_version

        self._check_writable()
        self._sweep_once()
        chosen = chosen_codec(value) if codec is None else codec
        if not self.pickles and not runs_no_code(chosen.name):
            raise CodecError(
                f"only {chosen.name} can keep its value, and `pickle = false` rules it out"
            )
        started = perf_counter()
        try:
            blob, size = self._write_blob(value, chosen, comes_back)
        except CodecError:
            if codec is not None or chosen.proves or chosen.name == "pickle" or not self.pickles:
                raise
            # Somebody's own codec that loses a part of this value.
            chosen = named_codec("pickle")
            blob, size = self._write_blob(value, chosen, comes_back)
        on_written(perf_counter() - started)
        if ties is not None:
            more = ties(self._blobs.content(blob, size), chosen.name)
            trace = trace.replace(variables=trace.variables + more)
        candidate = Candidate(
            blob=blob,
            size=size,
            codec=chosen.name,
            digest=digest,
            trace=trace,
            seconds=seconds,
            created=created or now(),
            python=python or python_version(),
            versions={**libraries_of(value, chosen), **versions},
            path=path,
            code=code,
            inputs=inputs,
            signature=signature,
            stem=stem,
            parts=parts,
            classes=classes,
        )
        self._entries.add(signature, candidate)
        self.kept_bytes += 2 * size  # and the view
        self.kept_files += 4  # blob, entry, view and its record
        self.others.kept(signature)
        return candidate

    def keep_file(self, path: str) -> tuple[str, int]:
        """Keep a file's bytes; returns the name of its blob and its size.

        Raises:
            StoreError: it cannot be read, or kept.
        """
        self._check_writable()
        try:
            blob, size = self._blobs.write_file(path)
        except OSError as error:
            raise unusable("read", path, error) from error
        self.kept_bytes += size
        self.kept_files += 1
        return blob, size

    def file_content(self, blob: str, size: int) -> Buffer:
        """What `keep_file` kept. Raises StoreError: it is missing or damaged."""
        return self._blobs.content(blob, size)

    def add(self, signature: str, candidate: Candidate) -> None:
        """Keep a candidate whose blob is kept already under another signature, too.

        Raises:
            StoreError: it cannot be written.
        """
        self._check_writable()
        self._entries.add(signature, candidate.replace(signature=signature))
        self.others.kept(signature)

    def shows(self, path: str, candidate: Candidate, format: str | None = None) -> bool:
        """Whether `data/<path>` is what `publish` would make it. Cheap, and loads no value.

        Raises:
            StoreError: not an artifact path, or its record cannot be read.
        """
        return self._views.shows(path, candidate, format)

    def publish(
        self, path: str, candidate: Candidate, value: object, format: str | None = None
    ) -> None:
        """Make `data/<path>` show the value of `candidate`; nothing is written if it does already.

        Args:
            value: the candidate's value.
            format: as in the pragma; None leaves the choice to the path's suffix and the value.

        Raises:
            StoreError: not an artifact path, another artifact in the way, or it cannot be written.
            CodecError: this value has no such view. The artifact is current all the same: `load`
                gives the value, and no file shows an older one.
        """
        if self._views.shows(path, candidate, format):
            return
        self._check_writable()
        self.history.add(path, candidate)
        try:
            self._show(path, candidate, value, format)
        except CodecError:  # raised as the file is written, too: PNG takes no image of 0 x 0
            self._views.withdraw(path, candidate, format)
            raise

    def _show(self, path: str, candidate: Candidate, value: object, format: str | None) -> None:
        """Write the file that shows the value; raises StoreError, CodecError."""
        view = chosen_view(value, os.path.splitext(path)[1], format)
        exact = view.exact or view.codec == candidate.codec
        if view.codec == candidate.codec and candidate.size >= _COPIED:
            self._views.publish_blob(path, candidate, format, view.name, exact)
        elif view.folder:
            self._views.publish_folder(
                path, candidate, format, view.name, exact, lambda place: view.fill(value, place)
            )
        else:
            self._views.publish(
                path, candidate, format, view.name, exact,
                lambda staged: staged.encode(view.name, view.write, value),
            )  # fmt: skip

    def forget(self, path: str) -> None:
        """There is no artifact at `path` any more; its past values stay under their signatures.

        Raises:
            StoreError: not an artifact path, or it cannot be removed.
        """
        self._views.forget(path)

    def current(self, path: str) -> ViewRecord | None:
        """What the artifact path shows now; None if nothing was ever published there.

        Raises:
            StoreError: not an artifact path, or its record cannot be read.
        """
        return self._views.record(path)

    def shown_file(self, path: str) -> str:
        """The file that shows an artifact path, if there is one.

        Raises:
            StoreError: not an artifact path.
        """
        return self._views.file_of(path)

    def load(self, path: str, version: str | int | None = None) -> Any:
        """The value that the artifact path shows now, exactly as it was kept.

        Args:
            version: a past one, as `past` takes it.

        Raises:
            AbsentArtifactError: there is none (also a LookupError).
            StoreError, CodecError: as for `value`.
        """
        if version is not None:
            past = self.past(path, version)
            self.others.check(path, past.signature, past.blob)
            return self._decode(past.blob, past.size, past.codec)
        record = self._views.record(path)
        if record is None:
            raise AbsentArtifactError(self._absence(path))
        self.others.check(path, record.signature, record.blob)
        return self._decode(record.blob, record.blob_size, record.codec)

    def view_file(self, path: str) -> str:
        """The file that shows an artifact, whether or not there is one. Raises StoreError: not an
        artifact path."""
        return self._views.file_of(path)

    def past(self, path: str, version: str | int) -> Version:
        """A value that the artifact path has shown.

        Args:
            version: the first digits of its name, as `ddsimport log` prints it; or how many before
                the newest one: -1 is the one before, 0 the newest.

        Raises:
            AbsentArtifactError: there is no such version, or more than one.
            StoreError: not an artifact path, or its history cannot be read.
        """
        versions = self.history.versions(path)
        if isinstance(version, int):
            for back, each in enumerate(versions):
                if back == -version:
                    return each
            found = {}
        else:
            found = {each.blob: each for each in versions if each.blob.startswith(version)}
            if len(found) == 1 and version:
                return next(iter(found.values()))
        names = ", ".join(each.blob[:12] for each in self.history.versions(path))
        many = "more than one" if found else "no"
        raise AbsentArtifactError(
            f"{path} has {many} version {version!r}; there are: {names or 'none'}"
        )

    def has(self, blob: str) -> bool:
        """Whether a blob is there; it may be damaged."""
        return self._blobs.has(blob)

    def paths(self) -> Iterator[str]:
        """All artifact paths that were published, in order."""
        return self._views.paths()

    def signatures(self) -> Iterator[str]:
        """All signatures that have an entry, in no order."""
        return self._entries.signatures()

    def lock(self, signature: str) -> SignatureLock:
        """The lock of a signature, not yet acquired."""
        return SignatureLock(f"{self.root}/locks", signature)

    def hold(self, values: int) -> None:
        """Let the bytes of the last so many values that were read stay in memory."""
        self._blobs.most_recent = values

    def touch(self, signature: str) -> None:
        """Note that an entry was of use now."""
        self._entries.touch(signature)

    def sweep(self) -> int:
        """Remove what killed processes left behind; returns how many files."""
        self._views.sweep()
        return sweep(f"{self.root}/tmp") + sweep(f"{self.root}/locks")

    def _write_blob(
        self, value: object, codec: Codec, comes_back: Callable[[object], bool] | None
    ) -> tuple[str, int]:
        """Raises CodecError also where what was written is not the value."""
        blob, size = self._blobs.write(value, codec)
        if (
            comes_back is not None
            and not codec.proves
            and not comes_back(self._blobs.value(blob, size, codec))
        ):
            raise CodecError(f"{codec.name} does not give the same value back")
        return blob, size

    def _decode(self, blob: str, size: int, codec: str) -> Any:
        return self._blobs.value(blob, size, self._allowed(codec))

    def _allowed(self, name: str) -> Codec:
        """Raises CodecError."""
        if not self.pickles and not runs_no_code(name):
            raise CodecError(f"reading {name} may run code, and `pickle = false` rules it out")
        return named_codec(name)

    def _check_writable(self) -> None:
        """Raises StoreError."""
        if not self.writable:
            raise StoreError(f"the store {self.root} is read-only")

    def _sweep_once(self) -> None:
        """Once per process that keeps something, so that leftovers are bounded even without gc."""
        if not self._swept:
            self._swept = True
            self.sweep()

    def _quarantine(self, path: str, status: os.stat_result, fault: str) -> None:
        """Put a damaged file aside, unless it has been replaced by another one meanwhile."""
        sentence = f"{path}: {fault}"
        self.damages.append(sentence)
        if self.writable:
            from ddsimport.store.files import put_aside

            try:
                if os.stat(path).st_ino == status.st_ino:
                    put_aside(self.root, path)
            except OSError:
                pass  # it will be found and said again; nothing depends on moving it
        if self.on_damage is not None:
            self.on_damage(sentence)

    def _absence(self, path: str) -> str:
        from difflib import get_close_matches

        near = get_close_matches(path, self.paths(), n=1, cutoff=0.0)
        hint = f"; the nearest is {near[0]}" if near else "; nothing has been kept yet"
        return f"there is no artifact at {path}{hint}"
