"""Views: the readable form of a value, for other programs; the program itself reads the blob.

The format is that of `format=`, else of the path's suffix if it names one, else the one that suits
the value's type; what has no readable form is shown as its pickle.
"""

from __future__ import annotations

import sys

from ddsimport.errors import CodecError
from ddsimport.records import Record
from ddsimport.values.codecs import _plain, _tables
from ddsimport.values.codecs._base import ViewFormat
from ddsimport.values.codecs._bytes import BYTES
from ddsimport.values.codecs._json import JSON, dumps
from ddsimport.values.codecs._npy import NPY
from ddsimport.values.codecs._text import TEXT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ddsimport.values.codecs._base import Writable


class _Format(Record):
    """A kind of file.

    Attributes:
        suffixes: of paths that ask for it; the first is its own.
        refuses: why it cannot hold a value, or None.
        is_exact: whether it holds all of a value that it does not refuse.
        write: writes such a value.
    """

    suffixes: tuple[str, ...]
    refuses: Callable[[Any], str | None]
    is_exact: Callable[[Any], bool]
    write: Callable[[Any, Writable], None]


def view_for(value: object, suffix: str = "", format: str | None = None) -> ViewFormat:
    """How to show a value; see `ddsimport.values.codecs.view_for`."""
    if format is not None:
        if format not in _FORMATS:
            raise CodecError(_unknown(format))
        return _view(value, format)
    asked = _BY_SUFFIX.get(suffix.lower())
    if asked is not None and not _is_content(value, asked):
        return _view(value, asked)
    usual = _usual(value)
    if usual != "pickle" and _FORMATS[usual].refuses(value) is None:
        return _view(value, usual)
    return _view(value, "pickle")


def _is_content(value: object, asked: str) -> bool:
    """Whether the value is what the file is to hold already: the bytes of a PNG at `/plot.png`,
    the text of a table at `/table.csv`."""
    return type(value) is bytes or (
        type(value) is str and _FORMATS[asked].refuses(value) is not None
    )


def _view(value: object, name: str) -> ViewFormat:
    form = _FORMATS[name]
    why = form.refuses(value)
    if why is not None:
        raise CodecError(f"{_type_name(value)} cannot be shown as {name}: {why}")
    return ViewFormat(name, form.suffixes[0], form.is_exact(value), form.write)


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name.lower().lstrip("."), _FORMATS, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"no view format is named {name!r}; {hint}there are {', '.join(_FORMATS)}"


def _type_name(value: object) -> str:
    kind = type(value)
    home = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"{home}{kind.__qualname__}"


def _usual(value: object) -> str:
    """The format that suits a value's type."""
    kind = type(value)
    if kind is str:
        return "text"
    if kind is bytes:
        return "bytes"
    if is_array(value):
        return "npy"
    if _tables.is_table(value):
        return "parquet"
    if is_figure(value) or is_image(value):
        return "png"
    return "json" if _plain.is_plain(value) else "pickle"


def is_array(value: object) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def is_figure(value: object) -> bool:
    figure = sys.modules.get("matplotlib.figure")
    return figure is not None and isinstance(value, figure.FigureBase)


def is_image(value: object) -> bool:
    image = sys.modules.get("PIL.Image")
    return image is not None and isinstance(value, image.Image)


def _never(value: object) -> bool:
    return False


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


# --- npy ------------------------------------------------------------------------------------------


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


# --- json -----------------------------------------------------------------------------------------


def _refuses_json(value: object) -> str | None:
    try:
        _plain.plain(value)
    except CodecError as error:
        return str(error)
    return None


def _write_json(value: object, file: Writable) -> None:
    file.write(dumps(value if JSON.restores(value) else _plain.plain(value)))


# --- png ------------------------------------------------------------------------------------------

_PNG_MODES = {"1", "L", "LA", "I", "I;16", "P", "RGB", "RGBA"}


def _refuses_png(value: Any) -> str | None:
    if is_figure(value):
        return None
    if is_image(value):
        return None if value.mode in _PNG_MODES else f"PNG has no {value.mode} pixels"
    return "only matplotlib figures and PIL images are pictures"


def _write_png(value: Any, file: Writable) -> None:
    from io import BytesIO

    picture = BytesIO()
    if is_image(value):
        value.save(picture, format="PNG")
    else:
        # Without the version of matplotlib in it, so that equal figures are equal files.
        value.savefig(picture, format="png", metadata={"Software": None})
    file.write(picture.getbuffer())


# --- pickle ---------------------------------------------------------------------------------------


def _refuses_pickle(value: object) -> str | None:
    return None


def _write_pickle(value: object, file: Writable) -> None:
    from ddsimport.values.codecs._pickle import write_plain

    write_plain(value, file)


def _always(value: object) -> bool:
    return True


_FORMATS: dict[str, _Format] = {
    "parquet": _Format(
        (".parquet", ".pq"), _tables.refuses_parquet, _tables.is_exact, _tables.write_parquet
    ),
    "csv": _Format((".csv",), _tables.refuses_csv, _never, _tables.write_csv),
    "json": _Format((".json",), _refuses_json, JSON.restores, _write_json),
    "npy": _Format((".npy",), _refuses_npy, NPY.restores, _write_npy),
    "text": _Format((".txt", ".md", ".html", ".log"), _refuses_text, TEXT.restores, _write_text),
    "bytes": _Format((".bin",), _refuses_bytes, BYTES.restores, _write_bytes),
    "png": _Format((".png",), _refuses_png, _never, _write_png),
    "pickle": _Format((".pkl", ".pickle"), _refuses_pickle, _always, _write_pickle),
}
_BY_SUFFIX = {suffix: name for name, form in _FORMATS.items() for suffix in form.suffixes}
