"""Which part of a value cannot be pickled: looked for only once the whole has failed."""

from __future__ import annotations

_TRIES = 2000  # parts looked at; enough for a path through any value a person wrote down
_DEPTH = 12


def culprit(value: object, error: Exception) -> tuple[str, str]:
    """The path to the innermost part that fails by itself, and what is said of it."""
    from ddsimport.values._where import children

    where = ""
    tries = 0
    seen = {id(value)}
    for _ in range(_DEPTH):
        for step, child in children(value):
            tries += 1
            if tries > _TRIES:
                return where, _says(error)
            if id(child) in seen:
                continue
            seen.add(id(child))
            failed = _fails(child)
            if failed is not None:
                where, value, error = where + step, child, failed
                break
        else:
            break
    return where, _says(error)


def _fails(value: object) -> Exception | None:
    from ddsimport.values.codecs._by_value import ByValuePickler
    from ddsimport.values.codecs._pickle import _Nowhere

    try:
        ByValuePickler(_Nowhere(), protocol=5, buffer_callback=lambda buffer: None).dump(value)
    except Exception as error:
        return error
    return None


def _says(error: Exception) -> str:
    return str(error).strip() or type(error).__name__
