"""Sparse matrices and arrays of scipy, as the npz files that `scipy.sparse.load_npz` reads."""

from __future__ import annotations

import sys

from ddsimport.errors import CodecError
from ddsimport.values.codecs import _npz
from ddsimport.values.codecs._base import Codec, owned
from ddsimport.values.codecs._npy import NPY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Buffer

    from ddsimport.values.codecs._base import Writable

_FORMATS = ("csr", "csc", "bsr", "coo", "dia")
_KINDS = {f"{form}_{kind}" for form in _FORMATS for kind in ("array", "matrix")}
_NOTES = "ddsimport"  # the member that says what scipy's own files do not


class _Sparse(Codec):
    __slots__ = ()
    name = "sparse"
    suffix = ".npz"
    libraries = ("scipy", "numpy")

    def restores(self, value: object) -> bool:
        state = _state(value)
        return state is not None

    def encode(self, value: object, file: Writable) -> None:
        import json

        import numpy

        found = _state(value)
        if found is None:
            raise CodecError(f"not a sparse matrix: {type(value).__name__}")
        arrays, notes = found
        kind = type(value).__name__
        members = {
            **{name.replace("coords.0", "row").replace("coords.1", "col"): array
               for name, array in arrays.items()},
            "format": numpy.array(kind[:3].encode("ascii")),
            "shape": numpy.array(value.shape),  # type: ignore[attr-defined]  # sparse, as found
            "_is_array": numpy.array(kind.endswith("_array")),
            _NOTES: numpy.array(json.dumps({"kind": kind, "state": notes}).encode()),
        }  # fmt: skip
        _npz.write(members, file)

    def decode_bytes(self, data: Buffer) -> object:
        import json

        try:
            import scipy.sparse
        except ImportError as error:
            raise CodecError("scipy is not installed, and the blob is a matrix of it") from error
        try:
            arrays = _npz.read(owned(data))
            notes = json.loads(bytes(arrays[_NOTES][()]))
            kind, state = notes["kind"], notes["state"]
            if kind not in _KINDS:
                raise ValueError(f"{kind} is not a kind of matrix")
            value = getattr(scipy.sparse, kind).__new__(getattr(scipy.sparse, kind))
            for name, [form, thing] in state.items():
                if form == "array":
                    thing = arrays[name]
                elif form == "coords":
                    thing = (arrays["row"], arrays["col"])
                elif form == "tuple":
                    thing = tuple(thing)
                vars(value)[name] = thing
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CodecError(f"not a sparse matrix of ours: {error}") from error
        return value


def _state(value: object) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The arrays of a sparse matrix, and {attribute: [form, content]} of all there is in it; None
    if it is none, or if something in it would not come back."""
    sparse = sys.modules.get("scipy.sparse")
    kind = type(value)
    if sparse is None or not kind.__module__.startswith("scipy.sparse"):
        return None
    if kind.__name__ not in _KINDS or getattr(sparse, kind.__name__) is not kind:
        return None
    arrays: dict[str, Any] = {}
    notes: dict[str, Any] = {}
    for name, thing in vars(value).items():
        if NPY.restores(thing):
            arrays[name] = thing
            notes[name] = ["array", None]
        elif name == "coords":
            if type(thing) is not tuple or len(thing) != 2 or not all(map(NPY.restores, thing)):
                return None
            arrays.update({"coords.0": thing[0], "coords.1": thing[1]})
            notes[name] = ["coords", None]
        elif type(thing) is tuple and all(type(item) is int for item in thing):
            notes[name] = ["tuple", list(thing)]
        elif thing is None or type(thing) in (bool, int, str):
            notes[name] = ["plain", thing]
        else:
            return None
    owners = [id(array) for array in arrays.values()]
    return (arrays, notes) if len(set(owners)) == len(owners) else None


SPARSE = _Sparse()
