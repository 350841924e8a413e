"""Sparse matrices, tensors, and what their files are to other readers."""

from __future__ import annotations

import io
import json
import mmap
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ddsimport.errors import CodecError
from ddsimport.values.codecs import codec_for, codec_named, view_for

sparse = pytest.importorskip("scipy.sparse")


def encoded(value: object, codec: Any) -> bytes:
    file = io.BytesIO()
    codec.encode(value, file)
    return file.getvalue()


KINDS = [f"{form}_{kind}" for form in ("csr", "csc", "coo", "bsr", "dia")
         for kind in ("array", "matrix")]  # fmt: skip


@given(
    st.sampled_from(KINDS),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6), st.floats()), max_size=12),
    st.sampled_from(["f8", "f4", "i2", "c16", "?"]),
    st.booleans(),
)
def test_sparse_matrices_come_back(kind: str, cells: Any, dtype: str, summed: bool) -> None:
    rows, columns, numbers = (
        (list(part) for part in zip(*cells, strict=True)) if cells else ([],) * 3
    )
    with np.errstate(all="ignore"):  # sums of duplicates may be infinity less infinity
        data = np.array(numbers, dtype="f8").astype(dtype)
        entries = sparse.coo_array((data, (rows, columns)), shape=(5, 7))
        value = getattr(sparse, kind)(entries)
        if summed and hasattr(value, "sum_duplicates"):
            value.sum_duplicates()
    codec = codec_for(value)
    if codec.name == "sparse":
        content = encoded(value, codec)
        for back in (codec.decode_bytes(content), codec.decode_bytes(bytearray(content))):
            _assert_same(back, value)
        with np.errstate(all="ignore"):
            _assert_same_cells(sparse.load_npz(io.BytesIO(content)), value)


def _assert_same(back: Any, value: Any) -> None:
    assert type(back) is type(value)
    assert list(vars(back)) == list(vars(value)), "attributes, in their order"
    for name, thing in vars(value).items():
        other = vars(back)[name]
        assert type(other) is type(thing), name
        if isinstance(thing, np.ndarray):
            assert other.dtype == thing.dtype and other.tobytes() == thing.tobytes()
            assert other.flags.writeable and other.flags.aligned
        elif name == "coords":
            assert [a.tobytes() for a in other] == [a.tobytes() for a in thing]
        else:
            assert other == thing


def _assert_same_cells(other: Any, value: Any) -> None:
    assert other.toarray().tobytes() == value.toarray().tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_usual_matrices_are_npz(kind: str) -> None:
    assert codec_for(getattr(sparse, kind)(np.eye(3))).name == "sparse"


def test_matrices_with_something_more_are_pickled() -> None:
    value = sparse.csr_array(np.eye(3))
    value.label = "mine"
    value.rows = [1]
    assert codec_for(value).name == "pickle"
    assert codec_for(sparse.lil_array(np.eye(3))).name == "pickle"

    class Mine(sparse.csr_array):  # type: ignore[misc]  # untyped
        pass

    assert codec_for(Mine(np.eye(3))).name == "pickle"
    shared = sparse.csr_array(np.eye(3))
    shared.data = shared.indices
    assert codec_for(shared).name == "pickle"


def test_arrays_in_npz_are_mapped_and_aligned(tmp_path: Path) -> None:
    value = sparse.random_array((2000, 3000), density=0.1, format="csr", rng=0)
    codec = codec_for(value)
    path = tmp_path / "blob"
    path.write_bytes(encoded(value, codec))
    before = path.read_bytes()
    back: Any = codec.decode(str(path))
    assert _is_mapped(back.data) and back.data.ctypes.data % 64 == 0
    assert back.indices.ctypes.data % 64 == 0
    back.data[:] = 0
    assert path.read_bytes() == before


def _is_mapped(array: Any) -> bool:
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(getattr(array, "obj", array), mmap.mmap)


def test_damaged_npz_is_a_codec_error() -> None:
    codec = codec_named("sparse")
    content = encoded(sparse.csr_array(np.eye(3)), codec)
    foreign = io.BytesIO()
    np.savez_compressed(foreign, a=np.arange(3))
    for bad in (b"", b"PK", content[:-10], content[:200], foreign.getvalue()):
        with pytest.raises(CodecError):
            codec.decode_bytes(bytearray(bad))


def test_arrays_by_name_are_shown_as_npz() -> None:
    value = {"a": np.arange(3), "b": np.ones((2, 2), order="F")}
    view = view_for(value, ".npz")
    file = io.BytesIO()
    view.write(value, file)
    assert (view.name, view.exact) == ("npz", False)
    back = np.load(io.BytesIO(file.getvalue()), allow_pickle=False)
    assert list(back) == ["a", "b"] and back["b"].flags.f_contiguous
    again = io.BytesIO()
    view_for(value, ".npz").write(value, again)
    assert again.getvalue() == file.getvalue(), "equal values are equal files"
    with pytest.raises(CodecError, match="b is not a plain array"):
        view_for({"b": [1]}, ".npz")


def test_arrays_by_name_are_shown_as_safetensors() -> None:
    value = {"odd": np.arange(3, dtype="i1"), "wide": np.arange(4.0).reshape(2, 2).T}
    view = view_for(value, ".safetensors")
    file = io.BytesIO()
    view.write(value, file)
    data = file.getvalue()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert list(header) == ["odd", "wide"] and (8 + length) % 64 == 0
    first, last = header["wide"]["data_offsets"]
    assert first == 0, "wide elements first, so that all are aligned"
    wide = np.frombuffer(data[8 + length :][first:last], "<f8").reshape(header["wide"]["shape"])
    assert (wide == value["wide"]).all()


def test_tensors_come_back(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    codec = codec_named("safetensors")
    ordered = torch.nn.Linear(2, 3).state_dict()
    for value in (
        torch.arange(6).reshape(2, 3),
        torch.tensor(1.5),
        torch.empty(0, 3),
        torch.tensor([True, False]),
        torch.ones(300_000, dtype=torch.bfloat16),
        {"odd": torch.ones(3, dtype=torch.int8), "wide": torch.ones(3), "none": torch.empty(0)},
        ordered,
    ):
        assert codec_for(value) is codec
        content = encoded(value, codec)
        path = tmp_path / "blob"
        path.write_bytes(content)
        for back in (codec.decode(str(path)), codec.decode_bytes(content)):
            _assert_same_tensors(torch, back, value)
            one: Any = next(iter(back.values())) if isinstance(back, dict) else back
            if one.numel():
                one.zero_()
        assert path.read_bytes() == content
    assert codec.decode_bytes(encoded(ordered, codec))._metadata == ordered._metadata  # type: ignore[attr-defined]


def _assert_same_tensors(torch: Any, back: Any, value: Any) -> None:
    assert type(back) is type(value)
    if isinstance(value, dict):
        assert list(back) == list(value)
        for name in value:
            _assert_same_tensors(torch, back[name], value[name])
        return
    assert back.dtype == value.dtype and back.shape == value.shape
    assert torch.equal(back, value) and back.stride() == value.stride()


@given(
    hnp.arrays(
        st.sampled_from(["?", "u1", "i2", "i4", "i8", "f2", "f4", "f8"]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    ),
    st.integers(0, 5),
)
def test_what_is_claimed_of_tensors_comes_back(array: Any, change: int) -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(array.copy())
    if tensor.ndim:
        changes = [tensor, tensor[1:], tensor.flip(0), tensor.mT if tensor.ndim > 1 else tensor]
        changes += [tensor.unsqueeze(0).expand(2, *tensor.shape), tensor[..., :1]]
        tensor = changes[change]
    codec = codec_named("safetensors")
    for value in (tensor, {"a": tensor, "b": torch.ones(2)}, {"a": tensor, "b": tensor.view(-1)} if
                  tensor.is_contiguous() else {}):  # fmt: skip
        if codec.restores(value):
            back: Any = codec.decode_bytes(encoded(value, codec))
            for one, other in (
                zip(back.values(), value.values(), strict=True)
                if isinstance(value, dict)
                else [(back, value)]
            ):
                assert one.dtype == other.dtype and one.shape == other.shape
                assert one.stride() == other.stride()
                assert one.numpy().tobytes() == other.numpy().tobytes()
                assert one.untyped_storage().nbytes() == other.untyped_storage().nbytes()


def test_tensors_that_would_not_come_back_are_pickled() -> None:
    torch = pytest.importorskip("torch")
    base = torch.ones(4, 4)
    shared = torch.ones(3)
    marked = torch.ones(3)
    marked.label = "mine"
    for value in (
        base.T,
        base[1:],
        torch.ones(3, requires_grad=True),
        torch.nn.Parameter(torch.ones(3)),
        torch.ones(3, dtype=torch.complex64),
        torch.ones(3).to_sparse(),
        marked,
        {"a": shared, "b": shared},
        {"a": shared, "b": shared.view(3, 1)},
        {"a": base[:2]},
        {1: torch.ones(3)},
        {"a": torch.ones(3), "b": 1},
        OrderedDict(),
        {},
    ):
        assert not codec_named("safetensors").restores(value)


def test_safetensors_are_read_by_their_library() -> None:
    torch = pytest.importorskip("torch")
    library = pytest.importorskip("safetensors.torch")
    value = {"odd": torch.ones(3, dtype=torch.int8), "wide": torch.arange(3.0)}
    back = library.load(encoded(value, codec_named("safetensors")))
    assert all(torch.equal(back[name], value[name]) for name in value)


def test_damaged_safetensors_are_codec_errors() -> None:
    pytest.importorskip("torch")
    codec = codec_named("safetensors")
    for bad in (
        b"",
        b"\xff" * 100,
        (10**9).to_bytes(8, "little") + b"{}",
        b"\2" + bytes(7) + b"{}",
    ):
        with pytest.raises(CodecError):
            codec.decode_bytes(bytearray(bad))
