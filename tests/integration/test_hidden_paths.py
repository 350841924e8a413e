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


def test_rows_behind_a_connection_that_is_a_global(project):
    project.write(
        main="""
        import sqlite3
        base = sqlite3.connect("rows.db")
        def rows():
            return base.execute("select * from t").fetchall()
        x = rows()  # dds: /x
        print(x)
        """
    )
    with closing(sqlite3.connect(project.root / "rows.db")) as base, base:
        base.execute("create table t(a)")
        base.execute("insert into t values(1)")
    ended = project.same()
    assert "has no digest" in ended.steps[0]["reason"]
    with closing(sqlite3.connect(project.root / "rows.db")) as base, base:
        base.execute("insert into t values(2)")
    project.same()
