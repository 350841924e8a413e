"""Codecs: how a value becomes a blob, and comes back as it was. Prove or pickle.

A codec's predicate says, on the exact type and from the structure, that *this* value comes back
the same; where none can say so, the value is pickled. Views (what other programs read) are next
door, in `views`.

"The same" is what `digest` sees: type, values, dtypes, names, order, C or Fortran order. What no
file format keeps: the strides of a view with gaps, whether an array owns its memory (large ones
come back mapped, so `resize` in place is refused), and sharing with objects outside the value.
"""

from __future__ import annotations

import sys

from ddsimport.errors import CodecError
from ddsimport.values.codecs._base import Codec, ViewFormat

__all__ = [
    "Codec", "ViewFormat", "codec_for", "codec_named", "is_harmless", "is_safe", "verify",
    "view_for",
]  # fmt: skip

# Each is imported when it is first needed: a warm run needs one or two.
_HOMES = {
    "npy": ("_npy", "NPY"),
    "text": ("_text", "TEXT"),
    "bytes": ("_bytes", "BYTES"),
    "json": ("_json", "JSON"),
    "arrow": ("_arrow", "ARROW"),
    "polars": ("_polars", "POLARS"),
    "sparse": ("_sparse", "SPARSE"),
    "safetensors": ("_tensors", "SAFETENSORS"),
    "spark": ("_spark", "SPARK"),
    "pickle": ("_pickle", "PICKLE"),
}
_KNOWN: dict[str, Codec] = {}

# Library of a value's exact type -> the codecs that may prove that they restore it, in order.
_ABLE = {
    "builtins": ("text", "bytes", "json", "safetensors"),
    "collections": ("safetensors",),
    "numpy": ("npy",),
    "pandas": ("arrow",),
    "polars": ("polars",),
    "pyarrow": ("arrow",),
    "pyspark": ("spark",),
    "scipy": ("sparse",),
    "torch": ("safetensors",),
}


def codec_for(value: object) -> Codec:
    """The codec registered for its type, or the first that proves it restores this value; else
    pickle.

    Neither pickle nor a registered codec is tried here: they raise `CodecError` for what they
    cannot keep, and may keep less than they were given (`Codec.proves`).
    """
    registered = sys.modules.get(f"{__name__}._registered")
    if registered is not None and (mine := registered.codec_of(value)) is not None:
        codec: Codec = mine
        return codec
    for name in _ABLE.get(type(value).__module__.partition(".")[0], ()):
        if name == "safetensors" and "torch" not in sys.modules:
            continue
        try:
            codec = codec_named(name)
            if codec.restores(value) and codec.suits(value):
                return codec
        except Exception:
            # The value's own code, or a library that has changed: then nothing is proven.
            continue
    return _of_a_package(value) or codec_named("pickle")


def _of_a_package(value: object) -> Codec | None:
    if type(value).__module__ == "builtins":
        return None
    from ddsimport import plugins

    if not plugins.load_installed():
        return None
    from ddsimport.values.codecs import _registered

    return _registered.codec_of(value)


def codec_named(name: str) -> Codec:
    """The codec that an entry names.

    Raises:
        CodecError: if there is none of that name; the message lists those there are.
    """
    codec: Codec | None = _KNOWN.get(name)
    if codec is not None:
        return codec
    if name in _HOMES:
        home, attribute = _HOMES[name]
        module = __import__(f"{__name__}.{home}", fromlist=[attribute])
        codec = _KNOWN[name] = getattr(module, attribute)
        return codec
    from ddsimport import plugins
    from ddsimport.values.codecs import _registered

    codec = _registered.codec_named(name)
    if codec is None and plugins.load_installed():
        codec = _registered.codec_named(name)
    if codec is not None:
        return codec
    if "@" in name:
        raise CodecError(f"the codec {name.partition('@')[0]} was changed, or is not registered")
    raise CodecError(f"no codec is named {name!r}; there are {', '.join(_HOMES)}")


def is_safe(name: str) -> bool:
    """Whether reading what this codec wrote runs none of the code that the bytes may name."""
    return name in _HOMES and name != "pickle"


def is_harmless(name: str) -> bool:
    """Whether what an entry of a stranger says this codec wrote may be loaded: see `Codec`. Only of
    our own codecs; nothing is imported but their modules."""
    return name in _HOMES and codec_named(name).harmless


def view_for(value: object, suffix: str = "", format: str | None = None) -> ViewFormat:
    """How to show a value to other programs.

    Args:
        suffix: of the artifact's path, with the dot; used if it names a format.
        format: a format's name, which goes before the suffix; by default the value's type decides.

    Raises:
        CodecError: if no format has that name, or the one asked for cannot hold this value.
    """
    from ddsimport.values.codecs.views import view_for

    return view_for(value, suffix, format)


def verify(value: object, codec: Codec) -> bool:
    """Whether a value really comes back: encode, decode, compare digests.

    Most codecs prove this by their predicates. What pickle keeps is up to the classes in the value,
    and some drop part of their state without a word. False also for values that have no digest.

    Raises:
        CodecError: if the value cannot be encoded.
    """
    from io import BytesIO

    from ddsimport.errors import UndigestibleError
    from ddsimport.values.digest import digest

    file = BytesIO()
    codec.encode(value, file)
    try:
        before = digest(value, _by_name)
        return digest(codec.decode_bytes(file.getvalue()), _by_name) == before
    except (UndigestibleError, CodecError):
        return False


def _by_name(thing: object) -> bytes:
    """Both sides of a comparison run the same code, so its name is enough."""
    code = getattr(thing, "__code__", None)
    body = b"" if code is None else bytes(code.co_code)
    name = f"{getattr(thing, '__module__', '')}:{getattr(thing, '__qualname__', '')}"
    return name.encode("utf-8", "surrogatepass") + b"\0" + body
