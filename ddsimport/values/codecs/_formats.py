"""The formats of views: which suffixes ask for each, what it refuses, when it is exact."""

from __future__ import annotations

import sys

from ddsimport.errors import CodecError
from ddsimport.records import Record
from ddsimport.values.codecs import _npz, _pictures, _plain, _tables
from ddsimport.values.codecs._arrow import ARROW
from ddsimport.values.codecs._bytes import BYTES
from ddsimport.values.codecs._json import JSON, dumps
from ddsimport.values.codecs._npy import NPY
from ddsimport.values.codecs._polars import POLARS
from ddsimport.values.codecs._sparse import SPARSE
from ddsimport.values.codecs._tensors import SAFETENSORS
from ddsimport.values.codecs._tensors import write as write_tensors
from ddsimport.values.codecs._text import TEXT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ddsimport.values.codecs._base import Writable


def _of_no_codec(value: object) -> str:
    return ""


class Format(Record):
    """A kind of file.

    Attributes:
        suffixes: of paths that ask for it; the first is its own.
        refuses: why it cannot hold a value, or None.
        is_exact: whether it holds all of a value that it does not refuse.
        write: writes such a value.
        blob_of: the codec whose blob of such a value is the same file; empty if none is.
    """

    suffixes: tuple[str, ...]
    refuses: Callable[[Any], str | None]
    is_exact: Callable[[Any], bool]
    write: Callable[[Any, Writable], None]
    blob_of: Callable[[Any], str] = _of_no_codec


def is_array(value: object) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def is_tensors(value: object) -> bool:
    """Whether a value is one tensor of torch, or tensors by name."""
    return SAFETENSORS.restores(value)


def _never(value: object) -> bool:
    return False


def _always(value: object) -> bool:
    return True


# --- text and bytes -------------------------------------------------------------------------------


def _refuses_text(value: object) -> str | None:
    if not isinstance(value, str):
        return "only a str is text"
    return (
        None
        if TEXT.restores(str(value))
        else "it holds a lone surrogate, which UTF-8 has no way to write"
    )


def _write_text(value: str, file: Writable) -> None:
    TEXT.encode(str(value), file)


def _refuses_bytes(value: object) -> str | None:
    return None if isinstance(value, (bytes, bytearray)) else "only bytes are bytes"


def _write_bytes(value: bytes, file: Writable) -> None:
    file.write(value)


# --- npy and npz ----------------------------------------------------------------------------------


def _refuses_npy(value: Any) -> str | None:
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, (numpy.ndarray, numpy.generic)):
        return "only arrays are arrays"
    if value.dtype.hasobject:
        return "its elements are Python objects"
    if isinstance(value, numpy.ma.MaskedArray):
        return "its mask would be lost"
    if value.dtype.names is not None and _has_metadata(value.dtype):
        return "its fields have metadata"
    return None


def _has_metadata(dtype: Any) -> bool:
    if dtype.subdtype is not None:
        return _has_metadata(dtype.subdtype[0])
    fields = [dtype.fields[name][0] for name in dtype.names or ()]
    return bool(dtype.metadata) or any(map(_has_metadata, fields))


def _write_npy(value: Any, file: Writable) -> None:
    if NPY.restores(value):
        NPY.encode(value, file)
        return
    import numpy

    array = numpy.asarray(value)
    if array.dtype.metadata:  # or else numpy warns the user that it is lost
        array = array.view(numpy.dtype(array.dtype.str))
    # Version 1.0, which every reader knows, where the names of fields fit its header.
    names = repr(array.dtype.descr)
    version = (1, 0) if names.isascii() and len(names) < 60_000 else (3, 0)
    numpy.lib.format.write_array(file, array, version, allow_pickle=False)


def _refuses_npz(value: Any) -> str | None:
    if SPARSE.restores(value):
        return None
    if not isinstance(value, (dict, list, tuple)) or not value:
        return "only arrays by name, or one after the other, and sparse matrices are"
    for name, array in _by_name(value).items():
        if not isinstance(name, str) or not name or "/" in name or "\0" in name:
            return f"{name!r} is no name for a file in it"
        if not NPY.restores(array):
            return f"{name} is not a plain array"
    return None


def _by_name(value: Any) -> dict[Any, Any]:
    """As `numpy.savez` names them."""
    if isinstance(value, dict):
        return value
    return {f"arr_{place}": array for place, array in enumerate(value)}


def _write_npz(value: Any, file: Writable) -> None:
    if SPARSE.restores(value):
        SPARSE.encode(value, file)
    else:
        _npz.write(_by_name(value), file)


# --- json -----------------------------------------------------------------------------------------


def _refuses_json(value: object) -> str | None:
    try:
        _plain.plain(value)
    except CodecError as error:
        return str(error)
    return None


def _write_json(value: object, file: Writable) -> None:
    file.write(dumps(value if JSON.restores(value) else _plain.plain(value)))


# --- safetensors ----------------------------------------------------------------------------------

_NUMPY = {
    "bool": "BOOL", "uint8": "U8", "int8": "I8", "uint16": "U16", "int16": "I16", "uint32": "U32",
    "int32": "I32", "uint64": "U64", "int64": "I64", "float16": "F16", "float32": "F32",
    "float64": "F64",
}  # fmt: skip


def _refuses_safetensors(value: Any) -> str | None:
    if SAFETENSORS.restores(value) or _is_numpy_by_name(value):
        return None
    return "only tensors with memory of their own, and arrays or tensors by name, are"


def _is_numpy_by_name(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(
            type(name) is str
            and name != "__metadata__"
            and NPY.restores(array)
            and str(array.dtype) in _NUMPY
            for name, array in value.items()
        )
    )


def _write_safetensors(value: Any, file: Writable) -> None:
    if SAFETENSORS.restores(value):
        SAFETENSORS.encode(value, file)
        return
    import numpy

    tensors = {}
    for name, array in value.items():
        flat = numpy.ascontiguousarray(array).reshape(-1)
        raw = flat.view(numpy.uint8) if flat.size else b""
        tensors[name] = _NUMPY[str(array.dtype)], list(array.shape), array.itemsize, raw
    write_tensors(tensors, None, file)


# --- pickle ---------------------------------------------------------------------------------------


def _refuses_pickle(value: object) -> str | None:
    return None


def _write_pickle(value: object, file: Writable) -> None:
    from ddsimport.values.codecs._pickle import write_plain

    write_plain(value, file)


def _if_exact(codec: Any) -> Callable[[Any], str]:
    """What names a codec for the values that it restores: the view is then made as the blob is."""
    return lambda value: codec.name if codec.restores(value) else ""


def _arrow_codec(value: Any) -> str:
    if POLARS.restores(value):
        return POLARS.name
    return ARROW.name if _tables.is_blob(value) else ""


FORMATS: dict[str, Format] = {
    "parquet": Format(
        (".parquet", ".pq"), _tables.refuses_parquet, _tables.is_exact, _tables.write_parquet
    ),
    "csv": Format((".csv",), _tables.refuses_csv, _never, _tables.write_csv),
    "arrow": Format(
        (".arrow", ".feather", ".ipc"),
        _tables.refuses_arrow,
        lambda value: bool(_arrow_codec(value)),
        _tables.write_arrow,
        _arrow_codec,
    ),
    "xlsx": Format((".xlsx",), _tables.refuses_xlsx, _never, _tables.write_xlsx),
    "json": Format((".json",), _refuses_json, JSON.restores, _write_json, _if_exact(JSON)),
    "npy": Format((".npy",), _refuses_npy, NPY.restores, _write_npy, _if_exact(NPY)),
    "npz": Format((".npz",), _refuses_npz, SPARSE.restores, _write_npz, _if_exact(SPARSE)),
    "safetensors": Format(
        (".safetensors",),
        _refuses_safetensors,
        SAFETENSORS.restores,
        _write_safetensors,
        _if_exact(SAFETENSORS),
    ),
    "text": Format(
        (".txt", ".md", ".html", ".log"), _refuses_text, TEXT.restores, _write_text, _if_exact(TEXT)
    ),
    "bytes": Format((".bin",), _refuses_bytes, BYTES.restores, _write_bytes, _if_exact(BYTES)),
    "png": Format((".png",), _pictures.refuses("png"), _never, _pictures.write("png")),
    "jpeg": Format((".jpg", ".jpeg"), _pictures.refuses("jpeg"), _never, _pictures.write("jpeg")),
    "svg": Format((".svg",), _pictures.refuses("svg"), _never, _pictures.write("svg")),
    "pdf": Format((".pdf",), _pictures.refuses("pdf"), _never, _pictures.write("pdf")),
    "pickle": Format((".pkl", ".pickle"), _refuses_pickle, _always, _write_pickle),
}
BY_SUFFIX = {suffix: name for name, form in FORMATS.items() for suffix in form.suffixes}
