"""torch: tensors by type, layout, device and content, never by the storage they share with others.

Bytes are read in place where a tensor lies in the memory of this machine and has no gaps.
"""

from __future__ import annotations

import torch

from ddsimport.values._builtins import attributes
from ddsimport.values._columns import items
from ddsimport.values._encoder import Encoder, RefusalError, named, write_text
from ddsimport.values._numpy import write_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.values._encoder import Body

_TENSOR = named("torch.Tensor")
_STORAGE = named("torch storage")
_GENERATOR = named("torch.Generator")
# What numpy knows and has as many bytes: it has no bfloat16, and none of the eight-bit floats.
_BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
_COMPRESSED = {
    torch.sparse_csr: ("crow_indices", "col_indices"),
    torch.sparse_bsr: ("crow_indices", "col_indices"),
    torch.sparse_csc: ("ccol_indices", "row_indices"),
    torch.sparse_bsc: ("ccol_indices", "row_indices"),
}


def body_of(kind: type) -> Body | None:
    """What encodes a type of torch; None where pickle's way does (modules, optimizers, sizes)."""
    if issubclass(kind, torch.Tensor):
        return _tensor
    if issubclass(kind, (torch.UntypedStorage, torch.TypedStorage)):
        return _storage
    if issubclass(kind, torch.Generator):
        return _generator
    return None


def _tensor(encoder: Encoder, value: Any) -> None:
    out = encoder.out
    out += _TENSOR
    out += encoder.class_token(type(value))
    if value.grad_fn is not None:
        raise RefusalError(
            value, "it remembers how it was computed (grad_fn), which no file keeps: detach() it"
        )
    write_text(out, f"{value.dtype} {value.layout} {value.device.type}")
    encoder.encode(tuple(value.shape) if not value.is_nested else None)
    encoder.encode((bool(value.requires_grad), bool(value.is_conj()), bool(value.is_neg())))
    encoder.encode(value.grad)
    attributes(encoder, vars(value))
    encoder.encode(getattr(value, "_backward_hooks", None) or None)
    _content(encoder, value.detach())


def _content(encoder: Encoder, value: Any) -> None:
    if value.is_nested:
        items(encoder, list(value.unbind()))
    elif value.layout is torch.sparse_coo:
        encoder.encode(value.is_coalesced())
        encoder.encode(value._indices())
        encoder.encode(value._values())
    elif value.layout in _COMPRESSED:
        for part in _COMPRESSED[value.layout]:
            encoder.encode(getattr(value, part)())
        encoder.encode(value.values())
    elif value.is_quantized:
        _quantized(encoder, value)
    elif value.layout is torch.strided and value.device.type == "meta":
        encoder.encode(_strides(value))
    elif value.layout is torch.strided:
        # Not all code takes every order: `view` refuses what is not contiguous.
        encoder.encode(_strides(value))
        _write_strided(encoder, value)
    else:
        raise RefusalError(value, f"a tensor of layout {value.layout} has no encoding")


def _strides(value: Any) -> tuple[int, ...]:
    """Without those that say nothing: of a tensor without elements, of a dimension of length 1."""
    if value.numel() == 0:
        return ()
    lengths = zip(value.shape, value.stride(), strict=True)
    return tuple(stride if length > 1 else 0 for length, stride in lengths)


def _write_strided(encoder: Encoder, value: Any) -> None:
    value = value.cpu().resolve_conj().resolve_neg()
    if value.is_complex() and value.element_size() > 8:
        value = torch.view_as_real(value)
    bits = _BITS.get(value.element_size())
    if bits is None:
        raise RefusalError(value, f"a tensor of {value.dtype} has no encoding")
    write_bytes(encoder.out, value.view(bits).numpy())


def _quantized(encoder: Encoder, value: Any) -> None:
    scheme = value.qscheme()
    write_text(encoder.out, str(scheme))
    encoder.encode(value.int_repr())
    if scheme in (torch.per_tensor_affine, torch.per_tensor_symmetric):
        encoder.encode((value.q_scale(), value.q_zero_point()))
    else:
        encoder.encode(value.q_per_channel_scales())
        encoder.encode(value.q_per_channel_zero_points())
        encoder.encode(value.q_per_channel_axis())


def _storage(encoder: Encoder, value: Any) -> None:
    encoder.out += _STORAGE
    encoder.out += encoder.class_token(type(value))
    typed = not isinstance(value, torch.UntypedStorage)
    write_text(encoder.out, f"{value.dtype if typed else 'bytes'} {value.device.type}")
    storage = value.untyped() if typed else value
    _write_strided(encoder, torch.tensor([], dtype=torch.uint8, device=value.device).set_(storage))


def _generator(encoder: Encoder, value: Any) -> None:
    encoder.out += _GENERATOR
    write_text(encoder.out, value.device.type)
    encoder.encode(value.get_state())
