"""Top-level import name -> version of what is installed under it, without `importlib.metadata`.

Importing `importlib.metadata` and asking it takes longer than a whole warm run may. The answer is
in the names of the `*.dist-info` directories on `sys.path` and the file lists in them; both change
the modification time of the directory that holds them when they are installed, so one index per
directory is kept until then: in memory, and on disk once `keep_in` has said where.
"""

from __future__ import annotations

import os
import sys

from blake3 import blake3

from ddsimport.analysis import sealed

_FORMAT = 1
_Index = dict[str, list[str]]

_indices: dict[tuple[str, int], _Index] = {}
_versions: dict[str, str] = {}
_directory: list[str] = []


def keep_in(directory: str) -> None:
    """Keep the indices of installed distributions in files below `directory` from now on."""
    _directory[:] = [directory]


def version_of(name: str) -> str:
    """What stands for the installed code under a top-level import name.

    The distributions that provide it and their versions, such as `"numpy==2.1.0"`, several for a
    namespace package. Empty for the standard library, whose version is Python's. For code without
    metadata, a hash of the file, or of the names and sizes of the files of a package; `"missing"`
    for what cannot be found.
    """
    if name in sys.stdlib_module_names or name in sys.builtin_module_names:
        return ""
    known = _versions.get(name)
    if known is None:
        known = _versions[name] = _version(name)
    return known


def forget() -> None:
    """Look again at what is installed (for long-lived processes, and tests)."""
    _versions.clear()
    _indices.clear()


def _version(name: str) -> str:
    found: dict[str, None] = {}
    for entry in sys.path:
        directory = entry or os.getcwd()
        found.update(dict.fromkeys(_index(directory).get(name, ())))
        module = os.path.join(directory, name)
        if os.path.isfile(f"{module}.py") or os.path.isfile(os.path.join(module, "__init__.py")):
            break  # a regular module hides those further down the path; a namespace joins them
    return ", ".join(sorted(found)) if found else _content(name)


def _content(name: str) -> str:
    """What stands for untracked code that no metadata names."""
    from ddsimport.analysis.locate import is_package, locate

    file = locate(name)
    if file is None:
        return "missing"
    try:
        with open(file, "rb") as opened:
            hasher = blake3(opened.read())
        if is_package(file):
            root = os.path.dirname(file)
            for folder, folders, files in os.walk(root):
                folders[:] = sorted(set(folders) - {"__pycache__"})
                for entry in sorted(files):
                    path = os.path.join(folder, entry)
                    line = f"{os.path.relpath(path, root)} {os.path.getsize(path)}\n"
                    hasher.update(line.encode("utf-8", "surrogateescape"))
    except OSError:
        return "unknown"
    return f"unknown {hasher.hexdigest(length=8)}"


# --- the index of one directory -------------------------------------------------------------------


def _index(directory: str) -> _Index:
    """Top-level import name -> "distribution==version" of all that is installed in a directory."""
    try:
        modified = os.stat(directory).st_mtime_ns
    except OSError:
        return {}
    key = (directory, modified)
    index = _indices.get(key)
    if index is None:
        index = _kept(key)
        if index is None:
            index = _scanned(directory)
            _keep(key, index)
        _indices[key] = index
    return index


def _scanned(directory: str) -> _Index:
    index: _Index = {}
    try:
        entries = sorted(os.listdir(directory))
    except OSError:
        return index
    for entry in entries:
        stem, suffix = os.path.splitext(entry)
        if suffix not in (".dist-info", ".egg-info"):
            continue
        metadata = os.path.join(directory, entry)
        distribution, _, version = stem.partition("-")
        version = version.partition("-")[0] or _metadata_version(metadata)
        for name in _top_level(metadata):
            index.setdefault(name, []).append(f"{distribution}=={version}")
    return index


def _top_level(metadata: str) -> list[str]:
    listed = _read(os.path.join(metadata, "top_level.txt"))
    if listed:
        return listed.split()
    names: dict[str, None] = {}
    for line in _read(os.path.join(metadata, "RECORD")).splitlines():
        path = line.rpartition(",")[0].rpartition(",")[0].strip('"') or line
        first, slash, _ = path.partition("/")
        if slash:
            if first.isidentifier():
                names[first] = None
        elif first.endswith((".py", ".so", ".pyd")):
            names[first.partition(".")[0]] = None
    return list(names)


def _metadata_version(metadata: str) -> str:
    for name in ("METADATA", "PKG-INFO", ""):
        for line in _read(os.path.join(metadata, name) if name else metadata).splitlines():
            if line.startswith("Version:"):
                return line.partition(":")[2].strip()
    return ""


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


# --- on disk --------------------------------------------------------------------------------------


def _path(key: tuple[str, int]) -> str:
    name = blake3(f"{_FORMAT} {key[0]} {key[1]}".encode("utf-8", "surrogateescape")).hexdigest()
    return os.path.join(_directory[0], f"distributions-{name[:32]}{sealed.SUFFIX}")


def _kept(key: tuple[str, int]) -> _Index | None:
    index = sealed.read(_path(key)) if _directory else None
    return index if isinstance(index, dict) else None


def _keep(key: tuple[str, int], index: _Index) -> None:
    if _directory and index:
        sealed.write(_path(key), index)
