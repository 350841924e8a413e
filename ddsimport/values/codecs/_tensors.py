"""Tensors of torch, alone or by name in a dict, as safetensors.

The format is a JSON header (which tensor is where) and bare bytes, so reading it can run no code.
A tensor that shares its memory, wants a gradient or has strides of its own is pickled.
"""

from __future__ import annotations

import sys

from ddsimport.errors import CodecError
from ddsimport.values.codecs._base import Codec, owned
from ddsimport.values.codecs._json import JSON

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from typing_extensions import Buffer

    from ddsimport.values.codecs._base import Writable

_DTYPES = {
    "torch.bool": "BOOL", "torch.uint8": "U8", "torch.int8": "I8", "torch.int16": "I16",
    "torch.int32": "I32", "torch.int64": "I64", "torch.float16": "F16",
    "torch.bfloat16": "BF16", "torch.float32": "F32", "torch.float64": "F64",
}  # fmt: skip
_NAMES = {short: name for name, short in _DTYPES.items()}
_ALONE = "value"  # the name of a tensor that is not in a dict
_NOTES = "ddsimport"
_SHARED = 256 * 1024  # bytes from which the file's own memory is the tensor's
_PIECE = 4 << 20


class _Safetensors(Codec):
    __slots__ = ()
    name = "safetensors"
    suffix = ".safetensors"
    harmless = True
    libraries = ("torch",)

    def restores(self, value: object) -> bool:
        torch = sys.modules.get("torch")
        if torch is None:
            return False
        kind = type(value)
        if kind is torch.Tensor:
            return _is_exact(value)
        if kind is dict or (kind.__module__, kind.__name__) == ("collections", "OrderedDict"):
            return _is_state(value)
        return False

    def encode(self, value: object, file: Writable) -> None:
        if not self.restores(value):
            raise CodecError(f"not tensors that safetensors hold: {type(value).__name__}")
        notes: dict[str, Any] = {"of": type(value).__name__}
        if vars_of(value):
            notes["_metadata"] = vars_of(value)["_metadata"]
        tensors: Any = value if isinstance(value, dict) else {_ALONE: value}
        write({name: _bytes_of(tensor) for name, tensor in tensors.items()}, notes, file)

    def decode_bytes(self, data: Buffer) -> object:
        import json
        from collections import OrderedDict

        try:
            import torch
        except ImportError as error:
            raise CodecError("torch is not installed, and the blob is a tensor of it") from error
        try:
            view = owned(data)
            length = int.from_bytes(view[:8], "little")
            header = json.loads(bytes(view[8 : 8 + length]))
            notes = json.loads(header.pop("__metadata__")[_NOTES])
            body = view[8 + length :]
            tensors = {name: _tensor(torch, body, place) for name, place in header.items()}
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise CodecError(f"not tensors of ours: {error}") from error
        if notes["of"] == "Tensor":
            return tensors[_ALONE]
        if notes["of"] == "dict":
            return tensors
        ordered = OrderedDict(tensors)
        if "_metadata" in notes:
            ordered._metadata = OrderedDict(notes["_metadata"])  # type: ignore[attr-defined]  # torch's
        return ordered


def vars_of(value: object) -> dict[str, Any]:
    return getattr(value, "__dict__", {})


def _is_exact(tensor: Any) -> bool:
    import torch

    return (
        tensor.layout is torch.strided
        and tensor.device.type == "cpu"
        and str(tensor.dtype) in _DTYPES
        and _is_in_order(tensor)
        and not tensor.requires_grad
        and tensor.grad is None
        and not tensor.is_neg()
        and not tensor.is_inference()
        and not vars_of(tensor)
        and tensor.storage_offset() == 0
        and tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()
        and not tensor.is_shared()
    )


def _is_in_order(tensor: Any) -> bool:
    """Whether its strides are those of a new tensor. `is_contiguous` does not look at the strides
    of empty tensors, nor of axes of length one."""
    size = 1
    for length, stride in zip(reversed(tensor.shape), reversed(tensor.stride()), strict=True):
        if stride != size:
            return False
        size *= max(length, 1)
    return True


def _is_state(value: Any) -> bool:
    """Whether a dict holds nothing but tensors by name, no two in one memory."""
    import torch

    if not value or not all(type(tensor) is torch.Tensor for tensor in value.values()):
        return False
    extra = vars_of(value)
    if extra:  # torch puts the versions of modules there
        metadata = extra.get("_metadata")
        if len(extra) > 1 or not isinstance(metadata, dict) or vars_of(metadata):
            return False
        if type(metadata).__name__ != "OrderedDict" or not JSON.restores(dict(metadata)):
            return False
    places = {tensor.data_ptr() for tensor in value.values() if tensor.numel()}
    return (
        len({id(tensor) for tensor in value.values()}) == len(value)
        and len(places) == sum(1 for tensor in value.values() if tensor.numel())
        and all(type(name) is str and name != "__metadata__" for name in value)
        and JSON.restores(list(value))
        and all(map(_is_exact, value.values()))
    )


def _bytes_of(tensor: Any) -> tuple[str, list[int], int, Any]:
    """Its dtype, shape, size of an element, and bytes."""
    import torch

    flat = tensor.detach().contiguous().reshape(-1)
    raw = flat.view(torch.uint8).numpy() if flat.numel() else b""
    return _DTYPES[str(tensor.dtype)], list(tensor.shape), tensor.element_size(), raw


def write(
    tensors: Mapping[str, tuple[str, list[int], int, Any]],
    notes: dict[str, Any] | None,
    file: Writable,
) -> None:
    """Write a file of tensors, each given as dtype, shape, size of an element, and bytes.

    The larger its elements, the nearer to the start a tensor lies: so all are aligned.
    """
    import json

    header: dict[str, Any] = {}
    if notes is not None:
        header["__metadata__"] = {_NOTES: json.dumps(notes)}
    place = 0
    order = sorted(tensors, key=lambda name: -tensors[name][2])
    places = {}
    for name in order:
        size = len(tensors[name][3])
        places[name] = [place, place + size]
        place += size
    for name, (dtype, shape, _, _) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": places[name]}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    text += b" " * (-(8 + len(text)) % 64)
    file.write(len(text).to_bytes(8, "little"))
    file.write(text)
    for name in order:
        data = memoryview(tensors[name][3])
        for start in range(0, len(data), _PIECE):
            file.write(data[start : start + _PIECE])


def _tensor(torch: Any, body: memoryview, place: dict[str, Any]) -> Any:
    dtype = getattr(torch, _NAMES[place["dtype"]].partition(".")[2])
    first, last = place["data_offsets"]
    shape = place["shape"]
    if first == last:
        return torch.empty(shape, dtype=dtype)
    tensor = torch.frombuffer(body[first:last], dtype=dtype).reshape(shape)
    return tensor if last - first >= _SHARED else tensor.clone()


SAFETENSORS = _Safetensors()
