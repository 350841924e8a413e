"""Figures of matplotlib and images of PIL as picture files."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ddsimport.values.codecs._base import Writable

_MODES = {
    "png": {"1", "L", "LA", "I;16", "P", "RGB", "RGBA"},
    "jpeg": {"L", "RGB", "CMYK"},
}
_FIGURES = {
    # Without the time, or the version of matplotlib: equal figures are equal files.
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "jpeg": None,
}


def is_figure(value: object) -> bool:
    figure = sys.modules.get("matplotlib.figure")
    return figure is not None and isinstance(value, figure.FigureBase)


def is_image(value: object) -> bool:
    image = sys.modules.get("PIL.Image")
    return image is not None and isinstance(value, image.Image)


def refuses(format: str) -> Callable[[Any], str | None]:
    """What says why a kind of picture cannot hold a value, or None."""

    def refuses(value: Any) -> str | None:
        if is_figure(value):
            return None
        if format in _MODES:
            if is_image(value):
                if not all(value.size):
                    return "it has no pixels"
                fits = value.mode in _MODES[format]
                return None if fits else f"{format.upper()} has no {value.mode} pixels"
            return "only matplotlib figures and PIL images are pictures"
        return "only matplotlib figures are drawings"

    return refuses


def write(format: str) -> Callable[[Any, Writable], None]:
    """What writes values as this kind of picture."""

    def write(value: Any, file: Writable) -> None:
        from io import BytesIO

        picture = BytesIO()
        if is_image(value):
            value.save(picture, format=format.upper())
        elif format == "svg":
            import matplotlib

            with matplotlib.rc_context({"svg.hashsalt": "ddsimport"}):  # else its ids are random
                value.savefig(picture, format=format, metadata=_FIGURES[format])
        else:
            value.savefig(picture, format=format, metadata=_FIGURES[format])
        file.write(picture.getbuffer())

    return write
