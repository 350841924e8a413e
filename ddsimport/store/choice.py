"""The codecs, imported when the first is needed; whatever goes wrong in them is a `CodecError`."""

from __future__ import annotations

from ddsimport.errors import CodecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ddsimport.values.codecs import Codec, ViewFormat


def chosen_codec(value: object) -> Codec:
    """Raises CodecError. Predicates ask the value, whose own code may raise anything."""
    from ddsimport.values.codecs import codec_for

    try:
        return codec_for(value)
    except CodecError:
        raise
    except Exception as error:
        raise CodecError(f"no codec: {type(error).__name__}: {error}") from error


def named_codec(name: str) -> Codec:
    """Raises CodecError."""
    from ddsimport.values.codecs import codec_named

    return codec_named(name)


def runs_no_code(name: str) -> bool:
    from ddsimport.values.codecs import is_safe

    return is_safe(name)


def chosen_view(value: object, suffix: str, format: str | None) -> ViewFormat:
    """Raises CodecError."""
    from ddsimport.values.codecs import view_for

    try:
        return view_for(value, suffix, format)
    except CodecError:
        raise
    except Exception as error:
        raise CodecError(f"no view: {type(error).__name__}: {error}") from error
