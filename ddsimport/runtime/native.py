"""Files that native code opens: pyarrow, polars, duckdb, HDF5, children raise no audit event.

Linux tells of every open of a file in a folder that is watched (inotify), whoever opens it. So
while a step is evaluated whose code uses such a library or starts processes, the folders that its
code and its inputs name are watched, and those below them. What counts is what looks like data, by
its suffix, or is named there: an editor or an indexer at work in the same folder must not become
an input.

What is written so is told from what others write by its name: the code or the inputs must say it.

Not seen: files in folders that neither literals nor inputs nor globals name; other systems than
Linux.
"""

from __future__ import annotations

import os
import re
import sys
from struct import Struct
from types import CodeType, FunctionType

from ddsimport.runtime import asked, recorder
from ddsimport.runtime.slots import MISSING, held
from ddsimport.store import labels

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ddsimport.runtime.recorder import Recording
    from ddsimport.runtime.session import Session
    from ddsimport.runtime.signature import Inquiry

LIBRARIES = frozenset(
    {
        "anndata", "av", "catboost", "cv2", "dask", "datasets", "duckdb", "fastparquet", "fiona",
        "geopandas", "h5py", "imageio", "librosa", "lightgbm", "lmdb", "netCDF4", "osgeo", "pandas",
        "polars", "pyarrow", "pyogrio", "pyreadstat", "pysam", "pyspark", "rasterio", "scanpy",
        "soundfile", "tables", "tensorflow", "tiledb", "torchaudio", "torchvision", "vaex",
        "xarray", "xgboost", "zarr",
    }
)  # fmt: skip
"""Import names of libraries whose native code opens files."""

_STARTING = ("subprocess", "multiprocessing", "concurrent", "joblib", "os.system", "os.popen")
"""What the full names of installed code that starts processes begin with."""

_REWRITTEN = (
    ".arrow", ".avro", ".csv", ".feather", ".gif", ".ipc", ".jpeg", ".jpg", ".json", ".jsonl",
    ".ndjson", ".npy", ".npz", ".orc", ".parquet", ".png", ".pq", ".svg", ".tif", ".tiff", ".tsv",
    ".wav",
)  # fmt: skip
"""Suffixes of what is written as a whole."""

_REWRITTEN_TEXTS = (".dat", ".html", ".md", ".pdf", ".tex", ".txt", ".xml", ".yaml", ".yml")
"""And of what is, too, but no data unless it is named."""

SUFFIXES = frozenset(
    {
        *_REWRITTEN, ".avi", ".bam", ".bcf", ".bz2", ".db", ".dta", ".duckdb", ".fa", ".fasta",
        ".fastq", ".fits", ".flac", ".gpkg", ".grib", ".gz", ".h5", ".h5ad", ".hdf", ".hdf5",
        ".lz4", ".mat", ".mdb", ".mp3", ".mp4", ".nc", ".ogg", ".parq", ".pkl", ".rds", ".sas7bdat",
        ".sav", ".shp", ".sqlite", ".sqlite3", ".vcf", ".xls", ".xlsx", ".xz", ".zip", ".zst",
    }
)  # fmt: skip
"""Of files that count as data, in lower case."""

_MOST_FOLDERS = 500
_LONGEST = 1024  # characters of a text that may be a path
_WORD = re.compile(r"[^\s'\"]+")
_WILD = re.compile(r"[*?\[]")
_EVENT = Struct("iIII")
_MODIFY, _CLOSE_WRITE, _OPEN, _MOVED_TO, _CREATE = 0x02, 0x08, 0x20, 0x80, 0x100
_OVERFLOW, _IS_FOLDER = 0x4000, 0x40000000
_MASK = _MODIFY | _CLOSE_WRITE | _OPEN | _MOVED_TO | _CREATE


class Watch:
    """What happens to the files in some folders.

    Attributes:
        opened: names of files that were opened.
        written: those that were written to -> whether they were new.
        listed: names of folders that were opened.
        overflowed: more happened than the system tells.
    """

    def __init__(self, folders: Iterable[str], words: set[str]) -> None:
        """Raises OSError: the system has no more watches to give."""
        self.words = words
        self.opened: dict[str, None] = {}
        self.written: dict[str, bool] = {}
        self.listed: dict[str, None] = {}
        self.overflowed = False
        self._libc = _libc()
        self._descriptor = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise OSError("no inotify")
        self._folders: dict[int, list[str]] = {}
        for folder in folders:
            number = self._libc.inotify_add_watch(self._descriptor, os.fsencode(folder), _MASK)
            if number >= 0:  # two names of one folder have one number
                self._folders.setdefault(number, []).append(folder)

    def end(self) -> None:
        """Stop watching; what was seen stays."""
        if self._descriptor < 0:
            return
        created: set[str] = set()
        try:
            while data := os.read(self._descriptor, 1 << 16):
                self._take(data, created)
        except BlockingIOError:
            pass
        finally:
            os.close(self._descriptor)
            self._descriptor = -1

    def _take(self, data: bytes, created: set[str]) -> None:
        at = 0
        while at < len(data):
            number, mask, _, length = _EVENT.unpack_from(data, at)
            at += _EVENT.size
            name = os.fsdecode(data[at : at + length].rstrip(b"\0"))
            at += length
            if mask & _OVERFLOW:
                self.overflowed = True
            for folder in self._folders.get(number, ()):
                path = os.path.join(folder, name)
                if mask & _IS_FOLDER:
                    if not name and mask & _OPEN:
                        self.listed[folder] = None
                elif not _is_data(name) and name not in self.words:
                    continue
                elif mask & (_CREATE | _MOVED_TO):
                    created.add(path)
                elif mask & (_MODIFY | _CLOSE_WRITE):
                    self.written[path] = path in created
                elif mask & _OPEN:
                    self.opened[path] = None


def _is_data(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES


def begin(code: CodeType | None, inquiry: Inquiry, session: Session) -> Watch | None:
    """Watch what an evaluation may open natively; None where that is nothing, or cannot be.

    Args:
        code: what the step stands in, for its literals.
    """
    if sys.platform != "linux" or not _may_open(inquiry):
        return None
    texts: set[str] = set()
    for text in _texts(code, inquiry, session):
        if 0 < len(text) <= _LONGEST and "\0" not in text:
            texts.add(text)
            if " " in text:  # a command, or SQL
                texts.update(_WORD.findall(text))
    try:
        return Watch(_folders(texts, session), {os.path.basename(text) for text in texts})
    except (AttributeError, OSError):
        return None


def note(watch: Watch, recording: Recording, session: Session) -> None:
    """Tell the recording what native code read and wrote."""
    if watch.overflowed:
        recording.notes["it opened more files than could be followed"] = None
    for path, new in watch.written.items():
        if _is_told(path, recording) or not os.path.isfile(path):
            continue
        named = os.path.basename(path) in watch.words
        rewritten = path.lower().endswith(_REWRITTEN + _REWRITTEN_TEXTS)
        if not rewritten and not _is_data(path):
            continue  # nobody knows whether it was added to, as a log is
        if not named or not (new or rewritten):
            verb = "changed" if named else "wrote"
            place = session.relative(os.path.abspath(path))
            recording.effects[f"{verb} {place} by code that cannot be followed"] = None
        else:
            recording.note_left(_key(path))
            if not rewritten:  # it might have been added to
                recording.conditions.setdefault(asked.label_of_kind(_key(path)), "none")
    for path in watch.opened:
        if path not in watch.written and not _is_told(path, recording) and os.path.isfile(path):
            recording.note_read(_key(path), os.path.abspath(path))
    for folder in watch.listed:
        key = _key(folder)
        written = any(os.path.dirname(path) == folder for path in watch.written)
        if key not in recording.listings and not written:
            recording.listings[key] = recorder.names_in(folder)


def _is_told(path: str, recording: Recording) -> bool:
    return os.path.abspath(path) in recording.writes


def _key(path: str) -> str:
    """As in `Recording.reads`; the folders of relative texts are watched under relative names."""
    return path if os.path.isabs(path) else labels.HERE + path


def _may_open(inquiry: Inquiry) -> bool:
    if not LIBRARIES.isdisjoint(inquiry.live.distributions):
        return True
    return any(name.startswith(_STARTING) for name in inquiry.live.installed())


# --- folders --------------------------------------------------------------------------------------


def _folders(texts: set[str], session: Session) -> list[str]:
    """The folders that the texts name, with those below; and those whose files they name."""
    found: dict[str, None] = {}
    for text in sorted(texts):
        pattern = _WILD.search(text)
        named = text[: pattern.start()] if pattern else text
        looks = "/" in named or bool(os.path.splitext(text)[1])
        for base in ("", session.folders[0]):
            path = os.path.join(base, named)
            path = path.rstrip("/") or path[:1]  # `relative` says of `/project/` that it is ``
            if os.path.isdir(path):
                _add_below(path, found)
            elif looks:
                folder = os.path.dirname(path)
                if not folder or os.path.isdir(folder):
                    found.setdefault(folder, None)
            if os.path.isabs(text):
                break
    return [folder or os.curdir for folder in found][:_MOST_FOLDERS]


def _add_below(folder: str, found: dict[str, None]) -> None:
    if folder in found:
        return
    found[folder] = None
    if folder in ("", "/") or folder.startswith(("/dev", "/proc", "/sys", "/usr", "/etc")):
        return
    for above, folders, _ in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[0] != "." and name != "__pycache__")
        for name in folders:
            found[os.path.join(above, name)] = None
            if len(found) >= _MOST_FOLDERS:
                return


def _texts(code: CodeType | None, inquiry: Inquiry, session: Session) -> Iterator[str]:
    """What may be a path: literals of the code, inputs, globals, arguments of the program."""
    for _, value in inquiry.values:
        yield from _texts_in(value)
    yield from sys.argv[1:]
    for reach in list(inquiry.live.reaches.values()):
        for slot in held(session.codebook, reach, frozenset(), inquiry.live.reflects).slots:
            thing = slot.fetch()
            if thing is not MISSING:
                yield from _texts_in(thing)
    if code is not None:
        yield from (each for each in code.co_consts if type(each) is str)


def _texts_in(value: Any, depth: int = 0) -> Iterator[str]:
    kind = type(value)
    if kind is str:
        yield value
    elif isinstance(value, os.PathLike):
        path = os.fspath(value)
        yield os.fsdecode(path)
    elif kind in (list, tuple, set, dict) and depth < 3 and len(value) < 1000:
        for item in value:
            yield from _texts_in(item, depth + 1)
        if kind is dict:
            for item in value.values():
                yield from _texts_in(item, depth + 1)
    elif kind is FunctionType:
        yield from _literals(value.__code__)
    elif isinstance(value, type):
        for item in vars(value).values():
            if type(item) in (FunctionType, str):
                yield from _texts_in(item, depth + 1)


def _literals(code: CodeType) -> Iterator[str]:
    for constant in code.co_consts:
        if type(constant) is str:
            yield constant
        elif type(constant) is CodeType:
            yield from _literals(constant)


def _libc() -> Any:
    import ctypes

    return ctypes.CDLL(None, use_errno=True)
