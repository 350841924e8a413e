"""Views: the readable form of a value, for other programs; the program itself reads the blob.

The format is that of `format=`, else of the path's suffix if it names one, else the one that suits
the value's type; what has no readable form is shown as its pickle. A suffix by which everybody
knows another format is never given to a file of ours: the value then has no view, and why is said.
"""

from __future__ import annotations

from ddsimport import plugins
from ddsimport.errors import CodecError
from ddsimport.values import spark
from ddsimport.values.codecs import _plain, _registered
from ddsimport.values.codecs._base import ViewFormat
from ddsimport.values.codecs._formats import (
    BY_SUFFIX,
    FORMATS,
    is_array,
    is_tensors,
)
from ddsimport.values.codecs._pictures import is_figure, is_image
from ddsimport.values.codecs._tables import is_table

# What others mean by these, nothing here writes; text and bytes are their own file under any name.
_FOREIGN = frozenset(
    {
        *(".xls", ".ods", ".doc", ".docx", ".ppt", ".pptx", ".odt", ".rtf", ".epub"),
        *(".h5", ".hdf", ".hdf5", ".nc", ".cdf", ".zarr", ".orc", ".avro", ".mat", ".sav", ".dta"),
        *(".rds", ".rdata", ".sas7bdat", ".fits", ".root", ".db", ".sqlite", ".sqlite3", ".duckdb"),
        *(".pt", ".pth", ".ckpt", ".onnx", ".pb", ".tflite", ".gguf", ".joblib", ".keras"),
        *(".yaml", ".yml", ".toml", ".ini", ".xml", ".jsonl", ".ndjson", ".geojson", ".tsv"),
        *(".gif", ".bmp", ".tif", ".tiff", ".webp", ".ico", ".eps", ".ps"),
        *(".wav", ".mp3", ".flac", ".ogg", ".mp4", ".avi", ".mov", ".mkv", ".webm"),
        *(".zip", ".gz", ".bz2", ".xz", ".zst", ".tar", ".tgz", ".7z"),
        *(".py", ".ipynb", ".js", ".css", ".tex", ".rst", ".sql", ".sh", ".shp", ".gpkg"),
    }
)


AS_IT_IS = "="
"""In place of a format: texts and bytes are their own file, also at `/scores.json`; all else goes
by the suffix of its path."""


def view_for(value: object, suffix: str = "", format: str | None = None) -> ViewFormat:
    """How to show a value; see `ddsimport.values.codecs.view_for`."""
    suffix = suffix.lower()
    if format == AS_IT_IS:
        if type(value) is str or type(value) is bytes:
            return _usual_view(value)
        format = None
    if spark.is_frame(value):
        return _frame_view(value, suffix, format)
    if format is not None:
        return _asked(value, format)
    registered = _registered_for(value, suffix[1:])
    if registered is not None:
        return registered
    asked = BY_SUFFIX.get(suffix)
    if asked is not None and not _is_content(value, asked):
        return _view(value, asked)
    if suffix in _FOREIGN and type(value) is not str and type(value) is not bytes:
        raise CodecError(
            f"{_type_name(value)} cannot be shown as {suffix}: nothing here writes such files; "
            f"give `format=` or the path another suffix ({', '.join(sorted(BY_SUFFIX))}), return "
            "the file's bytes, or see `ddsimport.register_view`"
        )
    return _usual_view(value)


def _frame_view(value: object, suffix: str, format: str | None) -> ViewFormat:
    """A frame of Spark is a folder of parquet files, and nothing else."""
    asked = format or BY_SUFFIX.get(suffix) or suffix[1:]
    registered = _registered_for(value, asked)
    if registered is not None:
        return registered
    if asked not in ("", "parquet") and (format or suffix in BY_SUFFIX or suffix in _FOREIGN):
        raise CodecError(
            f"{_type_name(value)} cannot be shown as {asked}: a frame of Spark is shown as a "
            "folder of parquet files; give `df.toPandas()` for another format"
        )
    from ddsimport.values.codecs._spark import SPARK, write_folder

    return ViewFormat("parquet", ".parquet", True, SPARK.encode, fill=write_folder)


def _usual_view(value: object) -> ViewFormat:
    codec = _registered.codec_of(value)
    if codec is not None:
        return ViewFormat(codec.format, codec.suffix, False, codec.encode, codec.name)
    usual = _usual(value)
    if usual != "pickle" and FORMATS[usual].refuses(value) is None:
        return _view(value, usual)
    return _view(value, "pickle")


def _asked(value: object, format: str) -> ViewFormat:
    registered = _registered_for(value, format)
    if registered is not None:
        return registered
    if format in FORMATS:
        return _view(value, format)
    if format in plugins.formats:
        raise CodecError(f"no view as {format} is registered for {_type_name(value)}")
    raise CodecError(_unknown(format))


def _registered_for(value: object, format: str) -> ViewFormat | None:
    """What somebody registered for this type of value in this format."""
    if not format:
        return None
    found = _find(value, format)
    if found is None and (format not in FORMATS and f".{format}" not in BY_SUFFIX):
        plugins.load_installed()
        found = _find(value, format)
    return found


def _find(value: object, format: str) -> ViewFormat | None:
    view = _registered.view_of(value, format)
    if view is not None:
        return ViewFormat(format, view.suffix, view.exact, view.write)
    codec = _registered.codec_of(value)
    if codec is not None and codec.format == format:
        return ViewFormat(format, codec.suffix, False, codec.encode, codec.name)
    return None


def _is_content(value: object, asked: str) -> bool:
    """Whether the value is what the file is to hold already: the bytes of a PNG at `/plot.png`,
    the text of a table at `/table.csv`."""
    return type(value) is bytes or (
        type(value) is str and FORMATS[asked].refuses(value) is not None
    )


def _view(value: object, name: str) -> ViewFormat:
    form = FORMATS[name]
    why = form.refuses(value)
    if why is not None:
        raise CodecError(f"{_type_name(value)} cannot be shown as {name}: {why}")
    return ViewFormat(name, form.suffixes[0], form.is_exact(value), form.write, form.blob_of(value))


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    names = [*FORMATS, *sorted(plugins.formats - FORMATS.keys())]
    near = get_close_matches(name.lower().lstrip("."), names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"no view format is named {name!r}; {hint}there are {', '.join(names)}"


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
    if is_table(value):
        return "parquet"
    if is_figure(value) or is_image(value):
        return "png"
    if is_tensors(value):
        return "safetensors"
    if kind.__module__.startswith("scipy.sparse"):
        return "npz"
    return "json" if _plain.is_plain(value) else "pickle"
