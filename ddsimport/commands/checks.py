"""What `doctor` looks at: each is (name, state, what is said, remedy)."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from ddsimport._version import __version__
from ddsimport.commands.common import size_of
from ddsimport.errors import StoreError
from ddsimport.report.past import Past
from ddsimport.source.tracked import is_tracked
from ddsimport.store import collector, keys
from ddsimport.store.files import files_below
from ddsimport.store.flock import try_lock, unlock
from ddsimport.store.index import Index

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddsimport.config import Config
    from ddsimport.store.store import Store

Check = tuple[str, Literal["ok", "note", "problem"], str, str]

_NEEDED = ("blake3", "cloudpickle", "diskcache", "libcst")
_USEFUL = {
    "rich": ("tables and bars on terminals", "ddsimport[terminal]"),
    "cryptography": ("signed values of others", "ddsimport[remote]"),
    "obstore": ("remotes s3://, gs://, az://", "ddsimport[remote]"),
    "paramiko": ("remotes ssh://", "ddsimport[ssh]"),
}
_OLDEST, _NEWEST = (3, 10), (3, 14)
_SPARE = 1 << 30
"""Bytes of a disk below which it is nearly full."""
_SHOWN = 10
_MOST_FOLDERS = 5000


def versions() -> Iterator[Check]:
    """Of ddsimport, Python, and what it needs."""
    yield "ddsimport", "ok", f"{__version__} ({os.path.dirname(os.path.dirname(__file__))})", ""
    python = f"{sys.version.partition(' ')[0]} ({sys.executable})"
    if sys.implementation.name != "cpython":
        yield (
            "python", "problem", f"{sys.implementation.name} {python}",
            "only CPython is supported: what ends an evaluation rests on its reference counts",
        )  # fmt: skip
    elif not _OLDEST <= sys.version_info[:2] <= _NEWEST:
        yield "python", "note", python, "ddsimport is tested on Python 3.10 to 3.14"
    else:
        yield "python", "ok", python, ""
    for name in _NEEDED:
        try:
            yield name, "ok", version(name), ""
        except PackageNotFoundError:
            yield name, "problem", "not installed", f"pip install {name}"
    for name, (use, extra) in _USEFUL.items():
        try:
            yield name, "ok", version(name), ""
        except PackageNotFoundError:
            yield name, "ok", f"not installed; for {use}: pip install '{extra}'", ""


def system() -> Iterator[Check]:
    """What this system does not tell."""
    if sys.platform == "linux":
        yield _inotify()
    else:
        yield (
            "native files", "note",
            f"on {sys.platform} nobody tells which files native code opens (pandas.read_parquet, "
            "polars, HDF5, child processes)", "declare them: `files=` in the pragma",
        )  # fmt: skip
    if sys.version_info >= (3, 12):
        yield "code that runs", "ok", "told by sys.monitoring", ""
    else:
        yield (
            "code that runs", "note",
            "told by a profiler, for the first 10,000 calls of some steps: Python "
            f"{sys.version_info[0]}.{sys.version_info[1]} has no sys.monitoring",
            "on Python 3.12 and later each evaluation notes all code that ran, for nothing",
        )  # fmt: skip
    if sys.gettrace() is not None or sys.getprofile() is not None:
        yield (
            "debugger", "note", "a debugger, profiler or coverage tool is at work",
            "every hit is loaded at once meanwhile",
        )  # fmt: skip
    yield _hash_seed()
    yield (
        "not seen anywhere", "ok",
        "the clock, the network, variables and paths that native code looks at", "",
    )  # fmt: skip


def _inotify() -> Check:
    limit = 0
    with suppress(OSError, ValueError), open("/proc/sys/fs/inotify/max_user_watches") as file:
        limit = int(file.read())
    if limit >= 8192:
        return "native files", "ok", f"told by inotify, {limit:,} folders at most", ""
    return (
        "native files", "problem",
        f"inotify may watch {limit:,} folders only: files that native code opens may be missed",
        "sudo sysctl fs.inotify.max_user_watches=524288; or declare them: `files=` in the pragma",
    )  # fmt: skip


def _hash_seed() -> Check:
    seed = os.environ.get("PYTHONHASHSEED", "")
    said = f"PYTHONHASHSEED={seed}" if seed else "random in each process"
    return "order of sets", "ok", f"{said}; sets in another order are not kept", ""


def code(project: str) -> Iterator[Check]:
    """Which code counts by its text, and which by its version."""
    yield "by its text", "ok", f"source files outside of site-packages, as in {project}", ""
    inside = []
    with suppress(OSError):
        for count, (folder, names, files) in enumerate(os.walk(project)):
            if count > _MOST_FOLDERS:
                break
            names[:] = [name for name in names if not name.startswith(".")]
            if "pyvenv.cfg" in files:
                names.clear()
                inside.append(folder)
            elif any(f"{os.sep}{name}" in folder for name in ("site-packages", "dist-packages")):
                names.clear()
                if any(name.endswith(".py") for name in files):
                    inside.append(folder)
    if inside:
        shown = ", ".join(os.path.relpath(folder, project) for folder in inside[:3])
        yield "by its version", "ok", f"installed packages, also those in {shown}", ""
    else:
        yield "by its version", "ok", "installed packages", ""
    if not is_tracked(os.path.join(project, "any.py")):
        yield (
            "project", "problem", f"{project} lies in a folder of installed packages: its code "
            "counts by version only", "move it, so that edits are noticed",
        )  # fmt: skip


def store(store: Store, configured: Config) -> Iterator[Check]:
    """Whether the store can do what it should."""
    yield "place", "ok", store.root, ""
    if not store.writable:
        yield (
            "writable", "problem", "it is read-only: nothing new is kept",
            f"chmod u+rwx {store.root}, or another one: --store DIR",
        )  # fmt: skip
    else:
        yield _locks(store.root)
    disk = shutil.disk_usage(store.root)
    if disk.free < _SPARE:
        yield (
            "disk", "problem", f"{size_of(disk.free)} of {size_of(disk.total)} are free",
            "ddsimport gc --budget SIZE, or move the store: --store DIR",
        )  # fmt: skip
    else:
        yield "disk", "ok", f"{size_of(disk.free)} of {size_of(disk.total)} are free", ""
    size = sum(Index(store.root).sizes().values())
    budget = collector.budget_of(store.root, configured.budget).bytes
    over = size > budget
    yield (
        "budget", "problem" if over else "ok", f"{size_of(size)} of {size_of(budget)}",
        "ddsimport gc; or set `budget` in pyproject.toml" if over else "",
    )  # fmt: skip
    yield _quarantine(store.root)
    if configured.remote:
        yield from _remote(store, configured)


def _locks(root: str) -> Check:
    try:
        with tempfile.NamedTemporaryFile(dir=f"{root}/tmp", prefix="doctor-") as file:
            locked = try_lock(file.fileno())
            if locked:
                unlock(file.fileno())
    except OSError as error:
        return (
            "locks", "problem", f"nothing can be written to {root}/tmp: {error.strerror}",
            "make room, or mend its permissions",
        )  # fmt: skip
    if locked is None:
        return (
            "locks", "note", "this file system has no locks: a step may be evaluated twice at the "
            "same time", "put the store on a local disk: --store DIR",
        )  # fmt: skip
    return "locks", "ok", "files can be locked", ""


def _quarantine(root: str) -> Check:
    damaged = list(files_below(f"{root}/quarantine")) if os.path.isdir(f"{root}/quarantine") else []
    if not damaged:
        return "damage", "ok", "none was found by runs; `ddsimport verify` looks at every byte", ""
    return (
        "damage", "problem", f"{len(damaged)} damaged files were put aside in {root}/quarantine",
        "ddsimport verify; look after the disk; then remove them",
    )  # fmt: skip


def _remote(store: Store, configured: Config) -> Iterator[Check]:
    from ddsimport.store.remote import open_remote

    try:
        open_remote(configured.remote)
    except (StoreError, OSError) as error:
        yield "remote", "problem", str(error), "runs go on without it"
    else:
        yield "remote", "ok", configured.remote, ""
    try:
        own, trusted = keys.own(), keys.trusted()
    except StoreError as error:
        yield "keys", "problem", str(error), "ddsimport key --help"
        return
    if own is None:
        yield (
            "key", "note", "you have none: others take only what cannot run code of what you push",
            "ddsimport key create",
        )  # fmt: skip
    yield "trusted keys", "ok", f"{len(trusted)}", ""
    from ddsimport.store.behind import Outbox

    waiting = len(Outbox(store.root).signatures()) if os.path.isdir(f"{store.root}/outbox") else 0
    if waiting:
        yield "to be pushed", "note", f"{waiting} values", "ddsimport push"


def steps(store: Store, project: str) -> Iterator[Check]:
    """The steps that the last run of each program could not keep, and what they rest on besides."""
    past = Past(store, project)
    programs = set()
    told = 0
    for run in past.runs:
        if run.program in programs:
            continue
        programs.add(run.program)
        for event in run.latest.values():
            if not event.reason or event.status == "hit" or told == _SHOWN:
                continue
            told += 1
            state: Literal["note", "problem"] = "note"
            if event.status == "uncached" and event.reason.startswith("ddsimport failed"):
                state = "problem"
            what = {"uncached": "evaluated each time", "failed": "failed"}.get(event.status, "kept")
            remedy = "please report this" if state == "problem" else ""
            yield (
                f"{event.path} ({event.module}:{event.line})",
                state,
                f"{what}: {event.reason}",
                remedy,
            )
    if not programs:
        yield "runs", "ok", "none on record", ""
    elif not told:
        yield "all", "ok", "kept, and nothing is to be said of them", ""
