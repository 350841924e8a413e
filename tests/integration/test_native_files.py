"""Files that native code reads and writes, without an audit event."""

from __future__ import annotations

import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="told by inotify")

_MAKE = """
import sys, pandas
n = int(sys.argv[1])
frame = pandas.DataFrame({"a": [n, n]})
frame.to_parquet("data/x.parquet")
for name in ("data/x.csv", "data/x.txt", "x.dat"):
    frame.to_csv(name, index=False)
frame.to_feather("data/x.feather")
try:
    import h5py
    with h5py.File("data/x.h5", "w") as file:
        file["a"] = [n, n]
except ImportError:
    pass
"""

READERS = {
    "pandas, parquet": ("pandas", "pandas.read_parquet('data/x.parquet').a.sum()"),
    "pandas, feather": ("pandas", "pandas.read_feather('data/x.feather').a.sum()"),
    "pandas, joined path": (
        "os, pandas",
        "pandas.read_parquet(os.path.join('data', n + '.parquet')).a.sum()",
    ),
    "polars": ("polars", "polars.read_csv('data/x.csv')['a'].sum()"),
    "polars, a suffix of any text": ("polars", "polars.read_csv('data/x.txt')['a'].sum()"),
    "duckdb, a suffix of anything": ("duckdb", "duckdb.read_csv('x.dat').fetchall()"),
    "polars, scan": ("polars", "polars.scan_parquet('data/*.parquet').collect()['a'].sum()"),
    "pyarrow": ("pyarrow.parquet", "pyarrow.parquet.read_table('data/x.parquet')['a'].to_pylist()"),
    "pyarrow, csv": ("pyarrow.csv", "pyarrow.csv.read_csv('data/x.csv')['a'].to_pylist()"),
    "pyarrow, dataset": (
        "pyarrow.dataset",
        "pyarrow.dataset.dataset('data/x.parquet').to_table()['a'].to_pylist()",
    ),
    "duckdb": ("duckdb", "duckdb.sql(\"select sum(a) from 'data/x.parquet'\").fetchall()"),
    "HDF5": ("h5py", "h5py.File('data/x.h5', 'r')['a'][:].sum()"),
    "a child": (
        "subprocess",
        "subprocess.run('tail -n 1 data/x.csv', shell=True, capture_output=True).stdout",
    ),
    "from a folder that is an input": ("polars", "polars.read_csv(folder + '/x.csv')['a'].sum()"),
}  # fmt: skip


@pytest.mark.parametrize("name", READERS)
def test_what_native_code_reads_counts(project, name):
    modules, expression = READERS[name]
    for module in modules.replace(" ", "").split(","):
        pytest.importorskip(module)
    project.write(
        make=_MAKE,
        main=f"""
        import {modules}
        folder = "data"
        n = "x"
        def read(n, folder):
            return {expression}
        x = read(n, folder)  # dds: /x
        print(x)
        """,
    )
    (project.root / "data").mkdir()
    assert project.plain("make.py", "1").stderr == ""
    project.run()
    assert project.run().evaluated() == set()
    assert project.plain("make.py", "2").stderr == ""
    assert project.same().evaluated() == {"/x"}


WRITERS = {
    "pandas": ("pandas", "pandas.DataFrame({'a': [n]}).to_parquet('out.parquet')"),
    "pandas, csv": ("pandas", "pandas.DataFrame({'a': [n]}).to_csv('out.parquet')"),
    "polars": ("polars", "polars.DataFrame({'a': [n]}).write_parquet('out.parquet')"),
    "pyarrow": (
        "pyarrow, pyarrow.parquet",
        "pyarrow.parquet.write_table(pyarrow.table({'a': [n]}), 'out.parquet')",
    ),
}


@pytest.mark.parametrize("target", ["out.parquet", "out.txt"])
@pytest.mark.parametrize("name", WRITERS)
def test_what_native_code_writes_is_put_back(project, name, target):
    modules, expression = WRITERS[name]
    expression = expression.replace("out.parquet", target)
    for module in modules.replace(" ", "").split(","):
        pytest.importorskip(module)
    project.write(
        main=f"""
        import {modules}
        def write(n):
            {expression}
        x = write(7)  # dds: /x
        """
    )
    project.run()
    file = project.root / target
    content = file.read_bytes()
    for change in (file.unlink, lambda: file.write_bytes(b"else")):
        change()
        assert project.run().evaluated() == set()
        assert file.read_bytes() == content


def test_changed_in_place_is_not_kept(project):
    pytest.importorskip("h5py")
    project.write(
        main="""
        import h5py
        def write(n):
            with h5py.File("out.h5", "a") as file:
                file.create_dataset(str(len(file)), data=[n])
        x = write(7)  # dds: /x
        """
    )
    assert project.run().evaluated() == {"/x"}
    steps = project.run().steps
    assert "changed out.h5 by code that cannot be followed" in steps[0]["reason"]


def test_others_at_work_in_the_folder(project):
    project.write(
        main="""
        import pandas, subprocess, sys
        def work():
            pandas.DataFrame()
            # As another program would: not through this process's own `open`.
            subprocess.run([sys.executable, "other.py"], stdout=subprocess.DEVNULL)
            return 1
        x = work()  # dds: /x
        """,
        other="open('notes.md').read(); open('notes.md', 'a').write('x'); open('log.txt', 'w')",
    )
    (project.root / "notes.md").touch()
    project.run()
    assert project.run().evaluated() == set()


def test_a_pattern_of_files_beside_the_program_hits(project):
    """The project's own folder counted as the root of the file system: never a hit."""
    pytest.importorskip("polars")
    project.write(
        main="""
        import polars
        x = polars.read_csv("*.csv")["a"].sum()  # dds: /x
        print(x)
        """
    )
    (project.root / "one.csv").write_text("a\n1\n")
    assert project.same().evaluated() == {"/x"}
    assert project.same().evaluated() == set()
    (project.root / "two.csv").write_text("a\n2\n")
    assert project.same().evaluated() == {"/x"}
    assert project.same().evaluated() == set()
