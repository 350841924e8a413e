"""How arrays, tables, tensors and images differ (see `difference`): asked of their libraries."""

from __future__ import annotations

from ddsimport.values.summary import summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from ddsimport.values.difference import Comparison


def compared(comparison: Comparison, where: str, old: Any, new: Any) -> bool | None:
    """Whether two values of one type of a library differ (which is told); None if that type is not
    known here."""
    cls = type(old)
    library = cls.__module__.partition(".")[0]
    how = _KNOWN.get((library, cls.__qualname__))
    if how is None and library == "scipy" and hasattr(old, "tocoo"):
        how = _sparse
    if how is None and library == "PIL" and hasattr(old, "tobytes"):
        how = _image
    return None if how is None else how(comparison, where, old, new)


def _said(comparison: Comparison, where: str, what: str, old: object, new: object) -> bool:
    before, after = str(old), str(new)
    return before != after and comparison.tell(where, f"{what} {before} -> {after}")


# --- arrays ---------------------------------------------------------------------------------------


def _array(comparison: Comparison, where: str, old: Any, new: Any) -> bool:
    found = _said(comparison, where, "dtype", old.dtype, new.dtype)
    if old.shape != new.shape:
        return _said(comparison, where, "shape", old.shape, new.shape)
    return _cells(comparison, where, old, new) or found


def _cells(comparison: Comparison, where: str, old: Any, new: Any) -> bool:
    """The first of the cells that differ; the shapes are the same."""
    import numpy as np

    mask = _differing(old, new)
    count = int(np.count_nonzero(mask))
    if not count:
        return False
    place = tuple(int(each) for each in np.unravel_index(int(np.argmax(mask)), mask.shape))
    told = f"{where}[{', '.join(map(str, place))}]" if place else where
    comparison.tell(told, f"{_cell(old[place])} -> {_cell(new[place])}")
    if count > 1:
        largest = _largest(old, new, mask)
        comparison.tell(where, f"{count:,} of {mask.size:,} values differ{largest}")
    return True


def _differing(old: Any, new: Any) -> Any:
    """Which cells of two arrays of one shape are not the same; NaN is the same as NaN."""
    import numpy as np

    if old.dtype.names is not None or new.dtype.names is not None:
        if old.dtype.names != new.dtype.names:
            return np.ones(old.shape, dtype=bool)
        masks = [_differing(old[name], new[name]) for name in old.dtype.names]
        masks = [mask.reshape(*old.shape, -1).any(axis=-1) for mask in masks]
        return np.logical_or.reduce(masks)
    if old.dtype.kind == "O" or new.dtype.kind == "O":
        return _differing_objects(old, new)
    if old.dtype.kind == "V" or new.dtype.kind == "V":
        old, new = (each.view(f"S{each.dtype.itemsize}") for each in (old, new))
    with np.errstate(all="ignore"):
        return np.asarray((old != new) & ~((old != old) & (new != new)))


def _differing_objects(old: Any, new: Any) -> Any:
    import numpy as np

    from ddsimport.values.difference import equal

    pairs = zip(old.ravel().tolist(), new.ravel().tolist(), strict=True)
    return np.array([not equal(*pair) for pair in pairs], dtype=bool).reshape(old.shape)


def _largest(old: Any, new: Any, mask: Any) -> str:
    import numpy as np

    if old.dtype.kind not in "iuf" or new.dtype.kind not in "iuf":
        return ""
    with np.errstate(all="ignore"):
        distance = np.abs(old[mask].astype(np.float64) - new[mask].astype(np.float64))
        known = distance[~np.isnan(distance)]
    return f", by {known.max():.6g} at most" if known.size else ""


def _cell(value: Any) -> str:
    item = getattr(value, "item", None)
    if callable(item) and type(value).__module__ == "numpy":
        value = item()
    return summary(value)


def _sparse(comparison: Comparison, where: str, old: Any, new: Any) -> bool:
    found = _said(comparison, where, "dtype", old.dtype, new.dtype)
    if old.shape != new.shape:
        return _said(comparison, where, "shape", old.shape, new.shape)
    apart = (old != new).tocoo()
    if not apart.nnz:
        return found
    place = tuple(int(each[0]) for each in (apart.row, apart.col))
    before, after = (_cell(each.tocsr()[place]) for each in (old, new))
    comparison.tell(f"{where}[{place[0]}, {place[1]}]", f"{before} -> {after}")
    if apart.nnz > 1:
        comparison.tell(where, f"{apart.nnz:,} values differ")
    return True


def _tensor(comparison: Comparison, where: str, old: Any, new: Any) -> bool:
    found = _said(comparison, where, "dtype", old.dtype, new.dtype)
    found |= _said(comparison, where, "device", old.device, new.device)
    if old.shape != new.shape:
        return _said(comparison, where, "shape", tuple(old.shape), tuple(new.shape))
    if old.dtype != new.dtype:
        return found
    import torch

    arrays = []
    for tensor in (old, new):
        plain = tensor.detach().cpu()
        if plain.dtype == torch.bfloat16:  # which numpy has not
            plain = plain.float()
        arrays.append(plain.numpy())
    return _cells(comparison, where, *arrays) or found


def _image(comparison: Comparison, where: str, old: Any, new: Any) -> bool:
    found = _said(comparison, where, "mode", old.mode, new.mode)
    found |= _said(comparison, where, "size", old.size, new.size)
    if found:
        return True
    if old.tobytes() == new.tobytes():
        return False
    from PIL import ImageChops

    box = ImageChops.difference(*(each.convert("RGBA") for each in (old, new))).getbbox(
        alpha_only=False
    )
    return comparison.tell(where, f"pixels differ, in the box {box}")


# --- tables ---------------------------------------------------------------------------------------


def _columns(
    comparison: Comparison,
    where: str,
    old: Sequence[tuple[Any, Any]],
    new: Sequence[tuple[Any, Any]],
) -> list[tuple[Any, int, int]]:
    """Tell how two lists of (name, dtype) differ; gives the columns of both with their places."""
    before: dict[Any, int] = {}
    after: dict[Any, int] = {}
    for places, columns in ((before, old), (after, new)):
        for place, (name, _) in enumerate(columns):
            places.setdefault(name, place)
    gone = [name for name in before if name not in after]
    come = [name for name in after if name not in before]
    for said, names in (("gone", gone), ("new", come)):
        if names:
            shown = ", ".join(map(repr, names[:8])) + (" …" if len(names) > 8 else "")
            comparison.tell(where, f"column{'s' * (len(names) > 1)} {said}: {shown}")
    common = [(name, place, after[name]) for name, place in before.items() if name in after]
    for name, place, other in common:
        _said(comparison, f"{where}[{name!r}]", "dtype", old[place][1], new[other][1])
    if not gone and not come and list(before) != list(after):
        comparison.tell(where, "columns in another order")
    return common


def _frame(comparison: Comparison, where: str, old: Any, new: Any) -> bool:
    count = len(comparison.lines)
    if old.shape != new.shape:
        before, after = (f"{shape[0]} x {shape[1]}" for shape in (old.shape, new.shape))
        _said(comparison, where, "shape", before, after)
    kinds = [list(zip(frame.columns, frame.dtypes, strict=True)) for frame in (old, new)]
    common = _columns(comparison, where, *kinds)
    if len(old) == len(new):
        _series_values(comparison, f"{where}.index", old.index, new.index)
        differing = 0
        for name, place, other in common:
            told = f"{where}[{name!r}]"
            before, after = old.iloc[:, place], new.iloc[:, other]
            if differing and comparison.lines:
                differing += bool(_pandas_differing(before, after).any())
            else:
                differing += _series_values(comparison, told, before, after)
        if differing > 1:
            comparison.tell(where, f"{differing} columns have other values")
    return len(comparison.lines) > count


def _series(comparison: Comparison, where: str, old: Any, new: Any) -> bool:
    found = _said(comparison, where, "dtype", old.dtype, new.dtype)
    found |= _said(comparison, where, "name", repr(old.name), repr(new.name))
    if len(old) != len(new):
        return _said(comparison, where, "length", len(old), len(new))
    if hasattr(old, "index") and hasattr(old, "iloc"):
        found |= _series_values(comparison, f"{where}.index", old.index, new.index)
    return _series_values(comparison, where, old, new) or found


def _pandas_differing(old: Any, new: Any) -> Any:
    import numpy as np

    before, after = (np.asarray(each.to_numpy()) for each in (old, new))
    if before.dtype.kind in "US" or after.dtype.kind in "US" or before.dtype != after.dtype:
        before, after = before.astype(object), after.astype(object)
    return _differing(before, after)


def _series_values(comparison: Comparison, where: str, old: Any, new: Any) -> bool:
    """The first value that differs, by its position."""
    import numpy as np

    mask = _pandas_differing(old, new)
    count = int(np.count_nonzero(mask))
    if not count:
        return False
    place = int(np.argmax(mask))
    before, after = (
        (each.iloc[place] if hasattr(each, "iloc") else each[place]) for each in (old, new)
    )
    comparison.tell(f"{where}[{place}]", f"{_cell(before)} -> {_cell(after)}")
    if count > 1:
        comparison.tell(where, f"{count:,} of {len(old):,} values differ")
    return True


def _polars(comparison: Comparison, where: str, old: Any, new: Any) -> bool:
    count = len(comparison.lines)
    _said(comparison, where, "shape", _by(old.shape), _by(new.shape))
    common = _columns(comparison, where, *(list(each.schema.items()) for each in (old, new)))
    if old.height == new.height:
        for name, _, _ in common:
            before, after = old.get_column(name), new.get_column(name)
            if before.dtype == after.dtype and before.equals(after, null_equal=True):
                continue
            if _lists(comparison, f"{where}[{name!r}]", before.to_list(), after.to_list()):
                break
    return len(comparison.lines) > count


def _arrow(comparison: Comparison, where: str, old: Any, new: Any) -> bool:
    count = len(comparison.lines)
    _said(comparison, where, "shape", _by(old.shape), _by(new.shape))
    kinds = [[(field.name, field.type) for field in each.schema] for each in (old, new)]
    common = _columns(comparison, where, *kinds)
    if old.num_rows == new.num_rows:
        for name, place, other in common:
            before, after = old.column(place), new.column(other)
            if before.type == after.type and before.equals(after):
                continue
            if _lists(comparison, f"{where}[{name!r}]", before.to_pylist(), after.to_pylist()):
                break
    return len(comparison.lines) > count


def _polars_series(comparison: Comparison, where: str, old: Any, new: Any) -> bool:
    found = _said(comparison, where, "dtype", old.dtype, new.dtype)
    found |= _said(comparison, where, "name", repr(old.name), repr(new.name))
    if len(old) != len(new):
        return _said(comparison, where, "length", len(old), len(new))
    return _lists(comparison, where, old.to_list(), new.to_list()) or found


def _lists(comparison: Comparison, where: str, old: Iterable[Any], new: Iterable[Any]) -> bool:
    """The first of the items that differ."""
    return any(
        comparison.compare(f"{where}[{place}]", before, after)
        for place, (before, after) in enumerate(zip(old, new, strict=False))
    )


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _xarray(comparison: Comparison, where: str, old: Any, new: Any) -> bool:
    found = _said(comparison, where, "sizes", dict(old.sizes), dict(new.sizes))
    names = [[str(name) for name in each.coords] for each in (old, new)]
    found |= _said(comparison, where, "coordinates", *names)
    if found:
        return True
    for name in old.coords:
        told = f"{where}.coords[{name!r}]"
        found |= _array(comparison, told, old.coords[name].values, new.coords[name].values)
    return _array(comparison, where, old.values, new.values) or found


def _dataset(comparison: Comparison, where: str, old: Any, new: Any) -> bool:
    kinds = [[(str(name), each.dtype) for name, each in some.items()] for some in (old, new)]
    count = len(comparison.lines)
    for name, _, _ in _columns(comparison, where, *kinds):
        _xarray(comparison, f"{where}[{name!r}]", old[name], new[name])
    return len(comparison.lines) > count


_KNOWN = {
    ("numpy", "ndarray"): _array,
    ("torch", "Tensor"): _tensor,
    ("pandas", "DataFrame"): _frame,
    ("pandas", "Series"): _series,
    ("pandas", "Index"): _series,
    ("pandas", "RangeIndex"): _series,
    ("pandas", "MultiIndex"): _series,
    ("pandas", "DatetimeIndex"): _series,
    ("polars", "DataFrame"): _polars,
    ("polars", "Series"): _polars_series,
    ("pyarrow", "Table"): _arrow,
    ("pyarrow", "RecordBatch"): _arrow,
    ("xarray", "DataArray"): _xarray,
    ("xarray", "Dataset"): _dataset,
}
