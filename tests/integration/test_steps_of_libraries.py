"""Steps that make and take values of libraries hit in the next run, and the output is the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from projects import Project

PROGRAMS = {
    "attrs": """
        import attrs

        @attrs.define
        class Item:
            a: int
            b: list

        def make():
            return Item(1, [2])

        def use(value):
            return value.a + value.b[0]
    """,
    "polars": """
        import polars as pl

        def make():
            return pl.concat([pl.DataFrame({"a": [1, 2], "b": ["x", None]})] * 2, rechunk=False)

        def use(value):
            return value.group_by("b", maintain_order=True).sum()
    """,
    "xarray": """
        import numpy as np
        import xarray as xr

        def make():
            return xr.Dataset({"a": (("x", "y"), np.ones((2, 3)))}, coords={"x": [1, 2]})

        def use(value):
            return float(value.a.sel(x=1).sum()), str(value.attrs), str(value.a.encoding)
    """,
    "scipy": """
        import scipy.sparse
        from scipy.stats import norm

        def make():
            return scipy.sparse.csr_matrix([[1, 0], [0, 2.0]])

        def use(value):
            return (value @ value).sum(), value.has_canonical_format, norm.cdf(0)
    """,
    "sklearn": """
        from sklearn.datasets import load_iris
        from sklearn.neighbors import KNeighborsClassifier

        def make():
            rows = load_iris()
            return rows, KNeighborsClassifier(algorithm="kd_tree").fit(rows.data, rows.target)

        def use(value):
            rows, model = value
            return model.score(rows.data, rows.target)
    """,
    "torch": """
        import torch

        def make():
            torch.manual_seed(1)
            return torch.nn.Linear(2, 1)

        def use(value):
            with torch.no_grad():
                return value(torch.ones(1, 2))
    """,
    "PIL": """
        from PIL import Image

        def make():
            return Picture.of(Image.new("RGB", (3, 2), "red"))

        def use(value):
            return value.image.getpixel((0, 0)), value.image.size

        class Picture:
            def __repr__(self):
                return repr(self.image.tobytes())

            @classmethod
            def of(cls, image):
                made = cls()
                made.image = image
                return made
    """,
}


@pytest.mark.parametrize("library", PROGRAMS)
def test_made_and_taken(library: str, tmp_path: Path) -> None:
    pytest.importorskip(library)
    main = """
        import warnings
        warnings.simplefilter("ignore")
        from parts import make, use

        value = make()  # dds: /value
        used = use(value)  # dds: /used
        print(value)
        print(used)
    """
    project = Project(tmp_path).write(main=main, parts=PROGRAMS[library])
    assert project.same().statuses == {"/value": "computed", "/used": "computed"}
    assert project.same().statuses == {"/value": "hit", "/used": "hit"}
