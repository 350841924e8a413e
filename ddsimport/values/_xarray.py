"""xarray: arrays and data sets by dimensions, content, labels and attributes.

Attributes and encodings are made when somebody first asks for them, and accessors are kept once
used: none of that can be seen, and all of it is in the state that pickle keeps.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from ddsimport.values._encoder import Encoder, named, write_text
from ddsimport.values._numpy import write_array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.values._encoder import Body

_VARIABLE = named("xarray.Variable")
_ARRAY = named("xarray.DataArray")
_DATASET = named("xarray.Dataset")
_TREE = named("xarray.DataTree")


def body_of(kind: type) -> Body | None:
    """What encodes a type of xarray; None where its attributes are all there is (indexes)."""
    if issubclass(kind, xr.Variable):
        return _variable
    if issubclass(kind, xr.DataArray):
        return _array
    if issubclass(kind, xr.Dataset):
        return _dataset
    if hasattr(xr, "DataTree") and issubclass(kind, xr.DataTree):
        return _tree
    return None


def _variable(encoder: Encoder, value: Any) -> None:
    encoder.out += _VARIABLE
    encoder.out += encoder.class_token(type(value))
    encoder.encode(value.dims)
    encoder.encode(value._attrs or {})
    encoder.encode(value._encoding or {})
    data = value._data
    home = type(data).__module__
    if isinstance(data, np.ndarray):
        write_array(encoder, data)
    elif home.startswith("xarray.") and hasattr(data, "array") and not _is_lazy(data):
        encoder.encode(data.dtype)
        encoder.encode(data.array)  # the labels of an index
    elif home.startswith("xarray."):
        write_array(encoder, np.asarray(data))  # still in a file: its content counts
    else:
        encoder.encode(data)


def _is_lazy(data: Any) -> bool:
    return not type(data.array).__module__.startswith("pandas.")


def _array(encoder: Encoder, value: Any) -> None:
    encoder.out += _ARRAY
    encoder.out += encoder.class_token(type(value))
    encoder.encode(value.name)
    encoder.encode(value.variable)
    encoder.encode(dict(value._coords))
    encoder.encode(dict(value._indexes))


def _dataset(encoder: Encoder, value: Any) -> None:
    encoder.out += _DATASET
    encoder.out += encoder.class_token(type(value))
    _write_dataset(encoder, value)


def _write_dataset(encoder: Encoder, value: Any) -> None:
    encoder.encode(dict(value._variables))
    encoder.encode(set(value._coord_names))
    encoder.encode(value._attrs or {})
    encoder.encode(value._encoding or {})
    encoder.encode(dict(value._indexes))


def _tree(encoder: Encoder, value: Any) -> None:
    encoder.out += _TREE
    encoder.out += encoder.class_token(type(value))
    write_text(encoder.out, value.path)  # a node can go to its parents
    _write_node(encoder, value.root)


def _write_node(encoder: Encoder, value: Any) -> None:
    encoder.encode(value.name)
    _write_dataset(encoder, value.to_dataset(inherit=False))
    encoder.encode(list(value.children))
    for child in value.children.values():
        _write_node(encoder, child)
