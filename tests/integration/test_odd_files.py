"""Files that are hard to analyse: the program runs as under plain Python, and nothing is stale."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from projects import Project

MAIN = "from a import f\nx = f(1)  # dds: /x\nprint(x)\n"
BODY = "def f(v):\n    return v + 1\n"
ODD = {
    "20,000 lines": "".join(f"def g{n}(v):\n    return v + {n}\n" for n in range(10_000)) + BODY,
    "a term of 900": BODY + "T = " + " + ".join(["1"] * 900) + "\n",
    "a string in 3,000 pieces": BODY + "T = (" + "\n".join(["'a'"] * 3_000) + ")\n",
    "a chain of 2,000 comparisons": BODY + "T = " + " < ".join(map(str, range(2_000))) + "\n",
    "a dictionary of 20,000": BODY
    + "T = {"
    + ", ".join(f"{n}: {n}" for n in range(20_000))
    + "}\n",
    "90 nested lists": BODY + "T = " + "[" * 90 + "]" * 90 + "\n",
    "90 nested calls": BODY + "T = " + "abs(" * 90 + "1" + ")" * 90 + "\n",
    "19 nested loops": BODY
    + "".join(" " * n + f"for i{n} in ():\n" for n in range(19))
    + " " * 19
    + "pass\n",
    "90 nested ifs": BODY + "".join(" " * n + "if 1:\n" for n in range(90)) + " " * 90 + "pass\n",
    "1,000 elifs": BODY + "if 0: pass\n" + "".join(f"elif {n} < 0: pass\n" for n in range(1_000)),
    "1,000 attributes": BODY + "def g(v):\n    return v" + ".real" * 1_000 + "\n",
    "a byte order mark": "\ufeff" + BODY,
    "Windows line ends": BODY.replace("\n", "\r\n"),
    "old Macintosh line ends": BODY.replace("\n", "\r"),
    "form feeds": "\f\n" + BODY + "\f\nT = 1\n",
    "tabs": BODY.replace("    ", "\t"),
    "no newline at the end": BODY.rstrip("\n"),
    "continued lines": BODY + "T = 1 + \\\n    2\n",
    "nothing but a comment after": BODY + "# the end",
    "names beyond ASCII": BODY + "größe = 1\n名 = größe\n",
}


def _write(project: Project, text: str, encoding: str = "utf-8") -> None:
    path = project.root / "a.py"
    project.write(a="")  # notes the time of the edit
    when = path.stat().st_mtime
    path.write_bytes(text.encode(encoding))
    os.utime(path, (when, when))


@pytest.mark.parametrize("case", ODD)
def test_an_odd_file(project: Project, case: str) -> None:
    project.write(main=MAIN)
    _write(project, ODD[case])
    assert project.same().statuses == {"/x": "computed"}
    before, _, after = ODD[case].rpartition("v + 1")
    _write(project, f"{before}v + 2{after}")
    assert project.same().evaluated() == {"/x"}
    assert project.same().evaluated() == set()


@pytest.mark.parametrize(
    ("encoding", "cookie"), [("latin-1", "latin-1"), ("cp1252", "cp1252"), ("utf-8-sig", "utf-8")]
)
def test_another_encoding(project: Project, encoding: str, cookie: str) -> None:
    text = f"# -*- coding: {cookie} -*-\ndef f(v):\n    return 'é' * v\n"
    project.write(main=MAIN)
    _write(project, text, encoding)
    project.same()
    assert project.same().evaluated() == set()
    _write(project, text.replace("é", "à"), encoding)
    assert project.same().evaluated() == {"/x"}


BROKEN = {
    "syntax of a newer Python": "def g(v):\n    return t{v}'''\n",
    "a null byte": "T = 1\0\n",
    "a wrong indent": "def g(v):\nreturn 1\n",
    "no such encoding": "# -*- coding: nothing -*-\nT = 1\n",
    "nested too deeply for Python": "T = " + "(" * 250 + ")" * 250 + "\n",
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_cannot_be_imported_and_is_not_missed(project: Project, case: str) -> None:
    project.write(
        main=MAIN,
        a="""
        def f(v):
            try:
                import broken
            except Exception as error:
                return type(error).__name__
            return broken.T
        """,
    )
    (project.root / "broken.py").write_bytes(BROKEN[case].encode())
    project.same()
    project.write(broken="T = 7\n")
    project.same()
    assert project.same().evaluated() == set()


def test_a_file_too_deep_for_the_analyser_counts_as_a_whole(project: Project) -> None:
    deep = BODY + "T = " + "not " * 700 + "1\n"
    project.write(main=MAIN, a=deep)
    assert project.same().statuses == {"/x": "computed"}
    project.edit("a.py", "v + 1", "v + 2")
    assert project.same().evaluated() == {"/x"}
