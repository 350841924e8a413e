"""Paths that a step asks for in ways that raise no audit event, or one that names them by half."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

_ASKED = {
    "by a name of its own": "from os import stat\ndef work():\n    return stat('d.txt').st_size",
    "by another module's os": """
import helper
def work():
    return helper.o.stat('d.txt').st_size""",
    "which": "import shutil\ndef work():\n    return shutil.which('tool', path='bin')",
    "open in an open folder": """
import os
def work():
    folder = os.open("sub", os.O_RDONLY)
    file = os.open("in.txt", os.O_RDONLY, dir_fd=folder)
    return os.read(file, 100)""",
    "stat in an open folder": """
import os
def work():
    return os.stat("in.txt", dir_fd=os.open("sub", os.O_RDONLY)).st_size""",
    "an opener in an open folder": """
import os
def work():
    folder = os.open("sub", os.O_RDONLY)
    def opener(name, how):
        return os.open(name, how, dir_fd=folder)
    with open("in.txt", opener=opener) as file:
        return file.read()""",
    "above a link": """
def work():
    with open('link/../in.txt') as file:
        return file.read()""",
    "the mode that a copy has": """
import os, shutil
def work():
    if os.path.exists("copy.txt"):
        os.remove("copy.txt")
    shutil.copy("m.txt", "copy.txt")
    return oct(os.stat("copy.txt").st_mode)""",
}
_KEPT = set(_ASKED) - {"by a name of its own"}


@pytest.mark.parametrize("way", _ASKED)
def test_it_counts(project, way):
    project.write(
        helper="import os as o\n", main=f"{_ASKED[way]}\nx = work()  # dds: /x\nprint(x)\n"
    )
    for folder in ("sub", "bin", "real/sub", "other/sub"):
        (project.root / folder).mkdir(parents=True)
    for name in ("d.txt", "m.txt", "sub/in.txt", "real/in.txt"):
        (project.root / name).write_text("one")
    (project.root / "other/in.txt").write_text("other")
    (project.root / "link").symlink_to("real/sub")
    (project.root / "m.txt").chmod(0o644)
    project.same()
    assert (project.run().evaluated() == set()) == (way in _KEPT)

    for name in ("d.txt", "sub/in.txt"):
        (project.root / name).write_text("another")
    (project.root / "bin/tool").write_text("#!/bin/sh\n")
    (project.root / "bin/tool").chmod(0o755)
    (project.root / "m.txt").chmod(0o755)
    (project.root / "link").unlink()
    (project.root / "link").symlink_to("other/sub")
    assert project.same().evaluated() == {"/x"}


_ROWS = {
    "a global": """
        import sqlite3
        base = sqlite3.connect("rows.db")
        def rows():
            return base.execute("select * from t").fetchall()
        x = rows()  # dds: /x
        print(x)
        """,
    "in an object": """
        import sqlite3
        class Rows:
            def __init__(self):
                self.base = sqlite3.connect("rows.db")
                self.base.row_factory = sqlite3.Row
            def all(self):
                return [tuple(row) for row in self.base.execute("select * from t")]
        rows = Rows()
        def work():
            return rows.all()
        x = work()  # dds: /x
        print(x)
        """,
    "in memory": """
        import sqlite3
        base = sqlite3.connect(":memory:")
        base.execute("create table t(a)")
        with sqlite3.connect("rows.db") as other:
            base.executemany("insert into t values(?)", other.execute("select a from t").fetchall())
        def rows():
            return base.execute("select * from t").fetchall()
        x = rows()  # dds: /x
        print(x)
        """,
    "connected by the step": """
        import sqlite3
        def rows():
            with sqlite3.connect("rows.db") as base:
                return base.execute("select * from t").fetchall()
        x = rows()  # dds: /x
        print(x)
        """,
}


@pytest.mark.parametrize("mode", ["delete", "wal"])
@pytest.mark.parametrize("way", _ROWS)
def test_rows_of_a_database(project, way, mode):
    project.write(main=_ROWS[way])
    with closing(sqlite3.connect(project.root / "rows.db")) as base:
        base.execute(f"pragma journal_mode = {mode}")
        with base:
            base.execute("create table t(a)")
            base.execute("insert into t values(1)")
        project.same()
        project.same()
        assert project.same().evaluated() == set()
        with base:
            base.execute("insert into t values(2)")
        assert project.same().evaluated() == {"/x"}
        project.same()
        assert project.same().evaluated() == set()


def test_a_transaction_that_is_under_way(project):
    project.write(
        main="""
        import sqlite3
        base = sqlite3.connect("rows.db")
        base.execute("create table if not exists t(a)")
        base.execute("insert into t values(1)")
        def rows():
            return base.execute("select count(*) from t").fetchall()
        x = rows()  # dds: /x
        base.rollback()
        """
    )
    assert "a transaction is under way" in project.same().steps[0]["reason"]
