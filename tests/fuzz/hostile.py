"""Readers of bytes that may come from anybody, each as a function that must not fail on any.

Run by hypothesis in `test_hostile.py`, and there, where it is installed, by atheris, which steers
by what code ran: `python hostile.py NAME -max_total_time=10`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO

from ddsimport.errors import CodecError, StoreError
from ddsimport.source.options import fault_in, options_of
from ddsimport.source.pragma import pragmas_of
from ddsimport.store.history import _version_from
from ddsimport.store.paths import ArtifactPathError, artifact_parts
from ddsimport.store.seals import DamagedError, sealed, unsealed
from ddsimport.store.trace import blobs_of, entry_from_json
from ddsimport.store.view_records import record_from_json
from ddsimport.values.codecs import codec_named

SIGNATURE = "ab" * 32


def pragma(data: bytes) -> None:
    """A comment: any text either is no pragma, or one, or a syntax error with a place in it."""
    text = data.decode("utf-8", "replace")
    for source in (f"x = 1  # dds: {text}\n", f"x = 1  #{text}\n", text):
        try:
            found = pragmas_of(source, "file.py")
        except (SyntaxError, ValueError):  # ValueError: a null byte, as `compile` says
            continue
        for each in found:
            options_of([pair for pair in each.options if fault_in(*pair) is None])


def entry(data: bytes) -> None:
    """An entry: damaged, or one that can be used."""
    for record in _records(data):
        try:
            found = entry_from_json(record, SIGNATURE)
        except DamagedError:
            continue
        for candidate in found.candidates:
            assert all(len(name) == 64 for name in blobs_of(candidate))
            assert all(isinstance(pair, tuple) for pair in candidate.trace.effects)


def view_record(data: bytes) -> None:
    """The record of a view."""
    for record in _records(data):
        try:
            record_from_json({"seal": "", **record})
        except DamagedError:
            continue


def version(data: bytes) -> None:
    """A line of a history."""
    _version_from(data)
    for record in _records(data):
        _version_from(sealed({"path": "/a", **record})[:-1])


def artifact_path(data: bytes) -> None:
    """A path: refused, or one that stays below its root."""
    text = "/" + data.decode("utf-8", "surrogateescape")
    try:
        parts = artifact_parts(text)
    except ArtifactPathError:
        return
    joined = os.path.normpath("/root/" + "/".join(parts))
    assert joined.startswith("/root/") and "\0" not in joined
    assert joined.count("/") == 1 + len(parts)


def _codec(name: str) -> Callable[[bytes], None]:
    def read(data: bytes) -> None:
        try:
            codec_named(name).decode_bytes(bytearray(data))
        except (CodecError, StoreError):
            return
        except Exception as error:
            # `Blobs` turns whatever a library raises for such bytes into a CodecError; what must
            # not happen is a crash, an endless loop, or code that runs.
            assert not isinstance(error, (MemoryError, RecursionError)), error

    read.__doc__ = f"What the codec {name} wrote."
    return read


def _records(data: bytes) -> list[dict[str, object]]:
    """JSON objects made of `data`: as it is, and as a change to a right one."""
    import json

    found: list[dict[str, object]] = []
    try:
        given = json.loads(data)
    except (ValueError, RecursionError):
        given = None
    if type(given) is dict and given:
        with suppress(DamagedError, ValueError, RecursionError):
            found.append(unsealed(sealed(given)))
        found.append({"format": 1, "signature": SIGNATURE, "candidates": [{**_CANDIDATE, **given}]})
        found.append({**_VIEW, **given})
    return found


_CANDIDATE: dict[str, object] = {
    "blob": "0" * 64, "size": 1, "codec": "text", "digest": "", "seconds": 1.0, "created": "",
    "python": "", "versions": {}, "path": "/a", "code": "", "inputs": [], "files": [],
    "variables": [], "output": [], "effects": [],
}  # fmt: skip
_VIEW: dict[str, object] = {
    "version": 1, "path": "/a", "signature": "", "blob": "0" * 64, "blob_size": 1, "codec": "text",
    "asked": None, "format": "", "exact": True, "content": "", "size": 0, "mtime_ns": 0,
    "ctime_ns": 0, "ino": 0,
}  # fmt: skip

READERS: dict[str, Callable[[bytes], None]] = {
    "pragma": pragma,
    "entry": entry,
    "view-record": view_record,
    "version": version,
    "artifact-path": artifact_path,
    **{
        name: _codec(name) for name in ("npy", "text", "bytes", "json", "arrow", "polars", "sparse")
    },
}


def written(name: str) -> list[bytes]:
    """Right bytes to begin with."""
    import json

    import numpy
    import pandas
    import polars
    from scipy import sparse

    values: dict[str, object] = {
        "npy": numpy.arange(12.0).reshape(3, 4),
        "text": "text\n",
        "bytes": b"bytes",
        "json": [1, {"a": None}],
        "arrow": pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
        "polars": polars.DataFrame({"a": [1, 2], "b": ["x", None]}),
        "sparse": sparse.csr_matrix(numpy.eye(3)),
    }
    if name in values:
        file = BytesIO()
        codec_named(name).encode(values[name], file)
        return [file.getvalue()]
    return {
        "pragma": [b"/a/{n} format=csv ttl=1d", b"dds: ignore", b"/x files=a,b"],
        "artifact-path": [b"a/b", b"../x"],
    }.get(name, [json.dumps(_CANDIDATE).encode(), json.dumps(_VIEW).encode(), b'{"size": -1}'])


def main() -> None:
    """Run one reader under atheris, which steers by what of our own code ran."""
    import atheris

    name = sys.argv.pop(1)
    for function in (unsealed, entry_from_json, record_from_json, artifact_parts, pragmas_of):
        atheris.instrument_func(function)
    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(written(name)):
            with open(f"{folder}/{number}", "wb") as file:
                file.write(data)
        atheris.Setup([*sys.argv, folder], atheris.instrument_func(READERS[name]))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
