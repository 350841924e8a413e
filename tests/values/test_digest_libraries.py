"""Digests of what data users pass: equal in every process and when it comes back, else not."""

from __future__ import annotations

import copy
import glob
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import library_table
import numpy as np
import pytest
from library_table import TABLES, code_of

from ddsimport.errors import UndigestibleError
from ddsimport.values.codecs import codec_for
from ddsimport.values.digest import digest

_HERE = Path(__file__).parent
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore:the matrix subclass"),
]
# Nothing gives these back: polars does not serialize objects, pickle finds no such buffer.
_LOST = {("polars", "objects"), ("polars", "other objects")}


def _table(library: str) -> library_table.Table:
    pytest.importorskip(library)
    return TABLES[library]()


@pytest.mark.parametrize("library", TABLES)
def test_made_again_and_given_back_by_the_store(library: str) -> None:
    for name, make in _table(library).items():
        value = make()
        expected = digest(value, code_of)
        assert digest(value, code_of) == expected, name
        assert digest(make(), code_of) == expected, name
        if (library, name) in _LOST:
            continue
        assert digest(_kept(value), code_of) == expected, name
        assert digest(pickle.loads(pickle.dumps(value, 5)), code_of) == expected, name
        assert digest(value, code_of) == expected, f"{name} has changed by being pickled"
        assert digest([_kept(value)] * 20, code_of) == digest([value] * 20, code_of), name


def _kept(value: object) -> Any:
    file = BytesIO()
    codec = codec_for(value)
    codec.encode(value, file)
    return codec.decode_bytes(file.getvalue())


@pytest.mark.parametrize("library", TABLES)
def test_no_two_have_one_digest(library: str) -> None:
    names: dict[bytes, str] = {}
    for name, make in _table(library).items():
        assert names.setdefault(digest(make(), code_of), name) == name


def test_the_same_in_every_process() -> None:
    libraries = [library for library in TABLES if _is_installed(library)]
    here = {library: library_table.digests(library) for library in libraries}
    assert _digests_under(sys.executable, list(reversed(libraries))) == here


@pytest.mark.parametrize("python", sorted(glob.glob("/opt/v3.*/bin/python")) or [sys.executable])
def test_the_same_under_every_python_and_release(python: str) -> None:
    """Of the libraries whose values do not depend on their release, as frames and models do."""
    here = {library: library_table.digests(library) for library in ("numpy", "pyarrow")}
    assert _digests_under(python, list(here)) == here


def _digests_under(python: str, libraries: list[str]) -> dict[str, dict[str, str]]:
    done = subprocess.run(
        [python, str(_HERE / "library_table.py"), *libraries],
        env={**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": str(_HERE.parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    return found


def _is_installed(library: str) -> bool:
    try:
        __import__(library)
    except ImportError:
        return False
    return True


# --- what use leaves behind does not count ------------------------------------------------------


def _used(library: str, name: str, use: Callable[[Any], object]) -> None:
    make = _table(library)[name]
    value = make()
    use(value)
    assert digest(value, code_of) == digest(make(), code_of)


@pytest.mark.parametrize(
    ("library", "name", "use"),
    [
        ("attrs", "hashed", hash),
        ("attrs", "lazy", lambda value: value.twice),
        ("pydantic", "plain", lambda value: value.twice),
        ("xarray", "array", lambda value: (value.sel(x=1), value.attrs, value.mean(), repr(value))),
        (
            "xarray",
            "data set",
            lambda value: (value.attrs, value.encoding, value.sizes, repr(value)),
        ),
        ("scipy", "csr matrix", lambda value: (value.has_sorted_indices, value @ value.T)),
        ("scipy", "coo array", lambda value: value.tocsr()),
        ("sklearn", "neighbours", lambda value: value.predict(np.ones((2, 3)))),
        ("sklearn", "ball tree", lambda value: value.predict(np.ones((2, 3)))),
        ("torch", "layer", lambda value: value(__import__("torch").ones(1, 2))),
        ("PIL", "opened", lambda value: (value.load(), value.histogram())),
        ("matplotlib", "scale", copy.copy),
    ],
)
def test_use_changes_no_digest(library: str, name: str, use: Callable[[Any], object]) -> None:
    _used(library, name, use)


# --- one library at a time ----------------------------------------------------------------------


def test_polars_chunks_and_order_of_arrival_do_not_count() -> None:
    pl = pytest.importorskip("polars")
    whole = pl.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": [[1], None]})
    parts = pl.concat([whole[:1], whole[1:]], rechunk=False)
    assert parts.n_chunks() == 2
    assert digest(parts) == digest(whole)
    assert digest(pl.concat([whole, whole])[2:]) == digest(whole)
    assert digest(pl.Series([3, 1]).sort()) == digest(pl.Series([1, 3]))
    before = digest(pl.Series(["new to all", "q"], dtype=pl.Categorical))
    pl.Series(["q", "r"], dtype=pl.Categorical)
    assert digest(pl.Series(["new to all", "q"], dtype=pl.Categorical)) == before


def test_lazy_frames_over_files_are_refused(tmp_path: Path) -> None:
    pl = pytest.importorskip("polars")
    (tmp_path / "a.csv").write_text("a\n1\n")
    with pytest.raises(UndigestibleError, match="content"):
        digest(pl.scan_csv(tmp_path / "a.csv").filter(pl.col("a") > 0))


def test_torch_tensors_count_by_what_one_sees_of_them() -> None:
    torch = pytest.importorskip("torch")
    # Not by the storage they share.
    assert digest(torch.arange(10)[:5]) == digest(torch.arange(5))
    weights = torch.ones(2, requires_grad=True)
    before = digest(weights)
    (weights * 2).sum().backward()
    assert digest(weights) != before
    with pytest.raises(UndigestibleError, match="detach"):
        digest({"loss": weights * 2})
    assert digest((weights * 2).detach()) == digest(torch.full((2,), 2.0))


def test_one_element_of_a_large_tensor_counts() -> None:
    torch = pytest.importorskip("torch")
    for dtype in (torch.float32, torch.bfloat16, torch.int8, torch.complex64):
        tensor = torch.zeros(1000, 1001).to(dtype)
        before = digest(tensor)
        tensor[777, 333] = 1
        assert digest(tensor) != before
        assert digest(tensor.T) != digest(tensor.T.contiguous())


def test_distributions_count_without_the_global_random_state() -> None:
    stats = pytest.importorskip("scipy.stats")
    for make in (lambda: stats.norm, lambda: stats.norm(0, 1), lambda: stats.multivariate_normal):
        before = digest(make(), code_of)
        np.random.random()
        assert digest(make(), code_of) == before
    assert digest(stats.norm(0, 1), code_of) != digest(stats.norm(0, 2), code_of)
    one, other = stats.norm(0, 1), stats.norm(0, 1)
    one.random_state, other.random_state = 1, 2
    assert digest(one, code_of) != digest(other, code_of)
    # Whoever holds that state itself may draw from it.
    before = digest(np.random.mtrand._rand)
    np.random.random()
    assert digest(np.random.mtrand._rand) != before
