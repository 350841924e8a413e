"""Values of libraries, by library: no two of one table have the same digest.

Libraries are imported when their table is asked for, so that those that are not installed are
skipped. As a program it prints the digests of the tables named on its command line as JSON.
"""

from __future__ import annotations

import datetime
import decimal
import io
import json
import sys
import warnings
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

Table = dict[str, Callable[[], Any]]


def code_of(thing: Any) -> bytes:
    return f"code of {thing.__module__}.{thing.__qualname__}".encode()


try:
    import attrs

    @attrs.define
    class Attrs:
        a: Any
        b: Any = 2

    @attrs.define
    class SubAttrs(Attrs):
        c: Any = 3

    @attrs.frozen(cache_hash=True)
    class HashedAttrs:
        a: Any

    @attrs.define(slots=False)
    class DictAttrs:
        a: Any

    @attrs.define
    class LazyAttrs:
        a: Any

        @cached_property
        def twice(self) -> Any:
            return [self.a] * 2

except ImportError:
    pass

try:
    import pydantic
    from pydantic.dataclasses import dataclass as pydantic_dataclass

    class Model(pydantic.BaseModel):
        a: int = 1
        b: list[str] = []

        @cached_property
        def twice(self) -> list[int]:
            return [self.a] * 2

    class OpenModel(pydantic.BaseModel, extra="allow"):
        a: int = 1
        _hidden: int = pydantic.PrivateAttr(default=3)

    class NestedModel(pydantic.BaseModel):
        inner: Model = Model()
        others: dict[str, Model] = {}

    class RootModel(pydantic.RootModel[list[int]]):
        pass

    @pydantic_dataclass
    class ModelledClass:
        a: int = 1

except ImportError:
    pass


def attrs_values() -> Table:
    return {
        "two": lambda: Attrs(1),
        "other": lambda: Attrs([1]),
        "other default": lambda: Attrs(1, 3),
        "three": lambda: SubAttrs(1),
        "hashed": lambda: HashedAttrs(1),
        "with dict": lambda: DictAttrs(1),
        "lazy": lambda: LazyAttrs(1),
    }


def pydantic_values() -> Table:
    return {
        "plain": lambda: Model(),
        "set": lambda: Model(a=1),  # `model_fields_set` tells
        "other": lambda: Model(a=2),
        "list": lambda: Model(b=["x"]),
        "open": lambda: OpenModel(),
        "extra": lambda: OpenModel(z=2),
        "nested": lambda: NestedModel(),
        "nested dict": lambda: NestedModel(others={"x": Model()}),
        "nested leaf": lambda: NestedModel(others={"x": Model(a=2)}),
        "root": lambda: RootModel([1]),
        "dataclass": lambda: ModelledClass(),
        "secret": lambda: pydantic.SecretStr("a"),
        "other secret": lambda: pydantic.SecretStr("b"),
    }


def polars_values() -> Table:
    import polars as pl

    def series(values: Any, dtype: Any = None, name: str = "a") -> Callable[[], Any]:
        return lambda: pl.Series(name, values, dtype=dtype)

    moment = datetime.datetime(2024, 1, 1)
    frame = {"a": [1, 2], "b": ["x", "y"]}
    return {
        "ints": series([1, 2, None]),
        "named": series([1, 2, None], name="b"),
        "narrow": series([1, 2, None], pl.Int32),
        "wide": series([1, 2, None], pl.Int128),
        "widest": series([1, 2**100, None], pl.Int128),
        "floats": series([1.0, None]),
        "nan": series([1.0, float("nan")]),
        "zero": series([0.0]),
        "minus zero": series([-0.0]),
        "texts": series(["x", None]),
        "bytes": series([b"x", None]),
        "bools": series([True, None]),
        "categories": series(["x", "y"], pl.Categorical),
        "other categories": series(["y", "x"], pl.Categorical),
        "enum": series(["x", "y"], pl.Enum(["x", "y"])),
        "turned enum": series(["x", "y"], pl.Enum(["y", "x"])),
        "lists": series([[1], None, [2, 3]]),
        "lists of categories": series([["x"], ["y"]], pl.List(pl.Categorical)),
        "arrays": series([[1, 2], [3, 4]], pl.Array(pl.Int64, 2)),
        "structs": series([{"x": 1, "y": "a"}, None]),
        "structs of categories": series([{"x": "a"}], pl.Struct({"x": pl.Categorical})),
        "objects": series([{1}, {2}], pl.Object),
        "other objects": series([{1}, {3}], pl.Object),
        "nulls": series([None, None]),
        "empty": series([]),
        "dates": series([datetime.date(2024, 1, 1)]),
        "times": series([datetime.time(1)]),
        "moments": series([moment]),
        "milliseconds": series([moment], pl.Datetime("ms")),
        "zone": series([moment], pl.Datetime("us", "Europe/Paris")),
        "durations": series([datetime.timedelta(1)]),
        "decimals": series([decimal.Decimal("1.0")]),
        "finer decimals": series([decimal.Decimal("1.00")]),
        "frame": lambda: pl.DataFrame(frame),
        "turned frame": lambda: pl.DataFrame({"b": frame["b"], "a": frame["a"]}),
        "rows without columns": lambda: pl.DataFrame(),
        "lazy": lambda: pl.LazyFrame(frame),
        "other lazy": lambda: pl.LazyFrame(frame).filter(pl.col("a") > 1),
        "expression": lambda: pl.col("a") + 1,
        "other expression": lambda: pl.col("a") + 2,
        "dtype": lambda: pl.List(pl.Int64),
        "other dtype": lambda: pl.List(pl.Int32),
        "schema": lambda: pl.Schema({"a": pl.Int64()}),
    }


def xarray_values() -> Table:
    import xarray as xr

    def array(dims: tuple[str, str] = ("x", "y"), x: Any = (1, 2), **options: Any) -> Any:
        numbers = np.arange(6.0).reshape(2, 3)
        return xr.DataArray(numbers, dims=dims, coords={dims[0]: list(x)}, **options)

    def encoded() -> Any:
        made = array()
        made.encoding["dtype"] = "f4"
        return made

    def changed() -> Any:
        made = array()
        made[1, 2] = 7
        return made

    days = pd.date_range("2024", periods=2)
    return {
        "array": array,
        "leaf": changed,
        "named": lambda: array(name="a"),
        "attributes": lambda: array(attrs={"unit": "mm"}),
        "encoding": encoded,
        "dimensions": lambda: array(("x", "z")),
        "labels": lambda: array(x=[1, 3]),
        "texts": lambda: array(x=["a", "b"]),
        "days": lambda: array(x=days),
        "no labels": lambda: array().drop_vars("x"),
        "stacked": lambda: array().stack(z=("x", "y")),
        "part": lambda: array()[:1],
        "data set": lambda: xr.Dataset({"a": array(), "b": ("t", [1, 2])}),
        "turned data set": lambda: xr.Dataset({"b": ("t", [1, 2]), "a": array()}),
        "attributes of data set": lambda: xr.Dataset({"a": array()}, attrs={"a": 1}),
        "coordinate": lambda: xr.Dataset({"a": array(), "b": ("t", [1, 2])}).set_coords("b"),
        "variable": lambda: xr.Variable(("x",), [1, 2]),
        "tree": lambda: xr.DataTree(xr.Dataset({"a": array()})),
        "deeper tree": lambda: xr.DataTree.from_dict({"/a": xr.Dataset({"b": array()})}),
        "node": lambda: xr.DataTree.from_dict({"/a": xr.Dataset({"b": array()})})["a"],
    }


def scipy_values() -> Table:
    import scipy.interpolate
    import scipy.sparse
    import scipy.spatial

    dense = np.array([[1, 0, 2], [0, 0, 3.0]])
    other = np.array([[1, 0, 2], [0, 0, 4.0]])
    table: Table = {}
    for name in ("csr", "csc", "coo", "bsr", "dia", "dok", "lil"):
        array, matrix = (getattr(scipy.sparse, f"{name}_{kind}") for kind in ("array", "matrix"))
        table[f"{name} array"] = lambda array=array: array(dense)  # type: ignore[misc]
        table[f"{name} leaf"] = lambda array=array: array(other)  # type: ignore[misc]
        table[f"{name} shape"] = lambda array=array: array(dense.reshape(3, 2))  # type: ignore[misc]
        table[f"{name} floats"] = lambda array=array: array(dense.astype("f4"))  # type: ignore[misc]
        table[f"{name} matrix"] = lambda matrix=matrix: matrix(dense)  # type: ignore[misc]
    table |= {
        "tree": lambda: scipy.spatial.KDTree(dense),
        "other tree": lambda: scipy.spatial.KDTree(other),
        "interpolation": lambda: scipy.interpolate.interp1d([1, 2], [3, 4]),
        "other interpolation": lambda: scipy.interpolate.interp1d([1, 2], [3, 5]),
        "spline": lambda: scipy.interpolate.CubicSpline([1, 2, 3], [3, 4, 7]),
    }
    return table


def sklearn_values() -> Table:
    from sklearn import cluster, ensemble, linear_model, model_selection, neighbors, svm
    from sklearn.utils import Bunch

    rows, labels = np.random.default_rng(1).random((20, 3)), [0, 1] * 10
    drawn = np.random.RandomState(1)
    drawn.random()
    return {
        "not fitted": lambda: linear_model.Ridge(),
        "parameter": lambda: linear_model.Ridge(2),
        "fitted": lambda: linear_model.Ridge().fit(rows, labels),
        "fitted to others": lambda: linear_model.Ridge().fit(rows[:10], labels[:10]),
        "clusters": lambda: cluster.KMeans(2, n_init=1, random_state=1).fit(rows),
        "neighbours": lambda: neighbors.KNeighborsClassifier(algorithm="kd_tree").fit(rows, labels),
        "ball tree": lambda: neighbors.KNeighborsClassifier(algorithm="ball_tree").fit(
            rows, labels
        ),
        "vectors": lambda: svm.SVC(random_state=1).fit(rows, labels),
        "boosted": lambda: ensemble.HistGradientBoostingClassifier(max_iter=3, random_state=1).fit(
            rows, labels
        ),
        "search": lambda: model_selection.GridSearchCV(linear_model.Ridge(), {"alpha": [1, 2]}),
        "random": lambda: linear_model.SGDClassifier(random_state=np.random.RandomState(1)),
        "random, drawn from": lambda: linear_model.SGDClassifier(random_state=drawn),
        "bunch": lambda: Bunch(a=1, b=np.arange(3)),
        "other bunch": lambda: Bunch(a=1, b=np.arange(4)),
    }


def torch_values() -> Table:
    import torch
    from torch import nn

    def numbers() -> Any:
        return torch.arange(6.0).reshape(2, 3)

    def seeded(make: Callable[[], Any]) -> Callable[[], Any]:
        def made() -> Any:
            torch.manual_seed(0)
            return make()

        return made

    def trained() -> Any:
        layer = seeded(lambda: nn.Linear(2, 3))()
        optimizer = torch.optim.Adam(layer.parameters())
        layer(torch.ones(1, 2)).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        return optimizer

    def labelled() -> Any:
        made = numbers()
        made.label = 1
        return made

    complexes = torch.tensor([1 + 1j, 2])
    return {
        "numbers": numbers,
        "leaf": lambda: numbers() + torch.tensor([0, 0, 1.0]),
        "turned": lambda: numbers().T,
        "turned copy": lambda: numbers().T.contiguous(),
        "halves": lambda: numbers().half(),
        "brain floats": lambda: numbers().bfloat16(),
        "doubles": lambda: numbers().double(),
        "bools": lambda: numbers() > 1,
        "start": lambda: torch.arange(10)[:5],
        "end": lambda: torch.arange(10)[5:],
        "every second": lambda: torch.arange(12.0)[::2],
        "one expanded": lambda: torch.zeros(1).expand(5),
        "zeros": lambda: torch.zeros(5),
        "minus zeros": lambda: -torch.zeros(5),
        "no dimension": lambda: torch.tensor(3),
        "one dimension": lambda: torch.tensor([3]),
        "nothing": lambda: torch.empty(0, 3),
        "complex": lambda: complexes.clone(),
        "conjugate": lambda: complexes.clone().conj(),
        "wide complex": lambda: complexes.to(torch.complex128),
        "with gradient": lambda: numbers().requires_grad_(),
        "attribute": labelled,
        "parameter": lambda: nn.Parameter(numbers()),
        "sparse": lambda: numbers().to_sparse(),
        "sparse leaf": lambda: (numbers() * 2).to_sparse(),
        "sparse rows": lambda: numbers().to_sparse_csr(),
        "quantized": lambda: torch.quantize_per_tensor(numbers(), 0.1, 0, torch.qint8),
        "coarser": lambda: torch.quantize_per_tensor(numbers(), 0.2, 0, torch.qint8),
        "channels last": lambda: torch.zeros(1, 2, 3, 3).to(memory_format=torch.channels_last),
        "channels first": lambda: torch.zeros(1, 2, 3, 3),
        "of no device": lambda: torch.empty(2, device="meta"),
        "layer": seeded(lambda: nn.Linear(2, 3)),
        "network": seeded(lambda: nn.Sequential(nn.Linear(2, 3), nn.ReLU())),
        "not training": seeded(lambda: nn.Sequential(nn.Linear(2, 3), nn.ReLU()).eval()),
        "state": seeded(lambda: nn.Linear(2, 3).state_dict()),
        "optimizer": trained,
        "generator": lambda: torch.Generator().manual_seed(1),
        "other generator": lambda: torch.Generator().manual_seed(2),
        "data set": lambda: torch.utils.data.TensorDataset(numbers()),
        "shape": lambda: numbers().shape,
        "dtype": lambda: torch.float32,
        "device": lambda: torch.device("cpu"),
    }


def pillow_values() -> Table:
    from PIL import Image

    def grey(*shape: int) -> Any:
        return Image.fromarray(np.arange(12, dtype="u1").reshape(shape or (3, 4)))

    def noted() -> Any:
        image = grey()
        image.info["dpi"] = (1, 1)
        return image

    def leaf() -> Any:
        image = grey()
        image.putpixel((0, 0), 9)
        return image

    def opened() -> Any:
        file = io.BytesIO()
        grey().save(file, "png")
        file.seek(0)
        return Image.open(file)

    return {
        "grey": grey,
        "leaf": leaf,
        "shape": lambda: grey(4, 3),
        "note": noted,
        "colours": lambda: grey().convert("RGB"),
        "palette": lambda: grey().convert("P"),
        "bits": lambda: grey().convert("1"),
        "floats": lambda: grey().convert("F"),
        "opened": opened,
    }


def matplotlib_values() -> Table:
    import matplotlib
    from matplotlib.figure import Figure

    def figure(last: int = 3, title: str = "") -> Any:
        made = Figure()
        axes = made.subplots()
        axes.plot([1, 2], [1, last])
        axes.set_title(title)
        return made

    return {
        "figure": figure,
        "point": lambda: figure(4),
        "title": lambda: figure(title="a"),
        "colours": lambda: matplotlib.colormaps["viridis"],
        "other colours": lambda: matplotlib.colormaps["magma"],
        "scale": lambda: matplotlib.colors.Normalize(0, 1),
        "other scale": lambda: matplotlib.colors.Normalize(0, 2),
    }


def pyarrow_values() -> Table:
    import pyarrow as pa

    two = decimal.Decimal("1.25")
    columns: dict[str, tuple[Any, list[Any]]] = {
        "ints": (pa.int64(), [1, None]),
        "narrow": (pa.int8(), [1, None]),
        "bytes": (pa.binary(), [b"ab", None]),
        "pairs of bytes": (pa.binary(2), [b"ab", None]),
        "texts": (pa.string(), ["ab", None]),
        "large texts": (pa.large_string(), ["ab", None]),
        "text views": (pa.string_view(), ["ab", None, "too long to be kept in place"]),
        "byte views": (pa.binary_view(), [b"ab", None]),
        "lists": (pa.list_(pa.int64()), [[1], None, [2, None]]),
        "other lists": (pa.list_(pa.int64()), [[1, 2], None, [None]]),
        "large lists": (pa.large_list(pa.int64()), [[1], None, [2, None]]),
        "pairs": (pa.list_(pa.int64(), 2), [[1, 2], None]),
        "structs": (pa.struct([("a", pa.int64()), ("b", pa.string())]), [{"a": 1, "b": "x"}, None]),
        "struct of nulls": (pa.struct([("a", pa.int64()), ("b", pa.string())]), [{}, None]),
        "maps": (pa.map_(pa.string(), pa.int64()), [[("a", 1)], None]),
        "other maps": (pa.map_(pa.string(), pa.int64()), [[("a", 2)], None]),
        "nested": (pa.list_(pa.struct([("a", pa.list_(pa.float64()))])), [[{"a": [0.0]}], None]),
        "nested leaf": (
            pa.list_(pa.struct([("a", pa.list_(pa.float64()))])),
            [[{"a": [-0.0]}], None],
        ),
        "nested texts": (pa.list_(pa.dictionary(pa.int8(), pa.string())), [["a"], None, ["b"]]),
        "decimals": (pa.decimal128(5, 2), [two, None]),
        "wide decimals": (pa.decimal256(5, 2), [two, None]),
        "nulls": (pa.null(), [None, None]),
        "halves": (pa.float16(), [np.float16(1)]),
        "dictionary": (pa.dictionary(pa.int8(), pa.string()), ["a", "b", None]),
        "times": (pa.time64("us"), [1, None]),
        "durations": (pa.duration("s"), [1, None]),
        "moments": (pa.timestamp("ns"), [1, None]),
        "moments in a zone": (pa.timestamp("ns", "UTC"), [1, None]),
        "bools": (pa.bool_(), [True, None, False]),
    }
    table: Table = {}
    for name, (kind, values) in columns.items():
        table[name] = lambda kind=kind, values=values: pa.array(values, kind)  # type: ignore[misc]
        table[f"{name} in chunks"] = lambda kind=kind, values=values: pa.chunked_array(  # type: ignore[misc]
            [pa.array(values, kind)]
        )
        table[f"{name} in a table"] = lambda kind=kind, values=values: pa.table(  # type: ignore[misc]
            {"a": pa.array(values, kind)}
        )
    # The scalars of leaves that are not the first are those of others.
    for name in ("ints", "texts", "lists", "structs", "decimals", "moments"):
        kind, values = columns[name]
        table[f"scalar of {name}"] = lambda kind=kind, values=values: pa.array(values, kind)[0]  # type: ignore[misc]
        table[f"type of {name}"] = lambda kind=kind: kind  # type: ignore[misc]
    halves = [pa.array([1, 2]), pa.array(["a", "b"])]
    table |= {
        "field": lambda: pa.field("a", pa.int64()),
        "not null": lambda: pa.field("a", pa.int64(), nullable=False),
        "noted field": lambda: pa.field("a", pa.int64(), metadata={"a": "b"}),
        "schema": lambda: pa.schema([("a", pa.int64())]),
        "noted schema": lambda: pa.schema([("a", pa.int64())], metadata={"x": "y"}),
        "schema of a not null": lambda: pa.schema([pa.field("a", pa.int64(), nullable=False)]),
        "struct of a not null": lambda: pa.struct([pa.field("a", pa.int64(), nullable=False)]),
        "batch": lambda: pa.record_batch({"a": [1]}),
        "table": lambda: pa.table({"a": [1]}),
        "no columns": lambda: pa.table({}),
        "no rows": lambda: pa.table({"a": pa.array([], pa.int64())}),
        "runs": lambda: pa.RunEndEncodedArray.from_arrays([2, 4], [1, 2]),
        "other runs": lambda: pa.RunEndEncodedArray.from_arrays([3, 4], [1, 2]),
        "union": lambda: pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), halves),
        "other union": lambda: pa.UnionArray.from_sparse(pa.array([1, 0], pa.int8()), halves),
        "buffer": lambda: pa.py_buffer(b"abc"),
        "extension": lambda: pa.ExtensionArray.from_storage(
            pa.uuid(), pa.array([b"a" * 16], pa.binary(16))
        ),
    }
    return table


def numpy_values() -> Table:
    import traps

    # An array that cannot be written to equals one that can.
    return {name: make for name, make in traps.ARRAYS.items() if name != "read-only"}


TABLES: dict[str, Callable[[], Table]] = {
    "attrs": attrs_values,
    "matplotlib": matplotlib_values,
    "numpy": numpy_values,
    "PIL": pillow_values,
    "polars": polars_values,
    "pyarrow": pyarrow_values,
    "pydantic": pydantic_values,
    "scipy": scipy_values,
    "sklearn": sklearn_values,
    "torch": torch_values,
    "xarray": xarray_values,
}


def digests(library: str) -> dict[str, str]:
    from ddsimport.values.digest import digest

    return {name: digest(make(), code_of).hex() for name, make in TABLES[library]().items()}


if __name__ == "__main__":
    # Else classes would be those of `__main__` here, and of `library_table` there.
    import library_table

    warnings.simplefilter("ignore")
    sys.stdout.write(json.dumps({name: library_table.digests(name) for name in sys.argv[1:]}))
