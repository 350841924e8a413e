"""Facts of odd files, and facts on disk."""

# ruff: noqa: E501 - the texts under test stay on one line, as a table

from __future__ import annotations

import glob
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

import ddsimport
from ddsimport.analysis import sealed
from ddsimport.analysis.facts import (
    DEF_DIGEST,
    DEF_FIRST,
    DEF_QUALNAME,
    DEF_REFERENCES,
    Facts,
    FactsCache,
    facts_of,
)

ROOT = os.path.dirname(os.path.dirname(ddsimport.__file__))

ODD = {
    "syntax error": "def f(:\n",
    "null byte": "x = 'a\0b'\n",
    "deep sum": "x = " + " + ".join(["1"] * 20_000) + "\n",
    "deep calls": "x = f" + "()" * 5_000 + "\n",
    "deep attributes": "x = a" + ".b" * 5_000 + "\n",
    "deep parentheses": "x = " + "(" * 5_000 + ")" * 5_000 + "\n",
    "deep lists": "x = " + "[" * 150 + "]" * 150 + "\n",
    "deep not": "x = " + "not " * 3_000 + "y\n",
    "deep conditions": "x = " + " or ".join(["y"] * 5_000) + "\n",
    "many strings": "x = (" + "\n".join(["'a'"] * 5_000) + ")\n",
    "many strings on a line": "x = (" + " ".join(["'a'"] * 5_000) + ")\n",
    "long elif": "if x: pass\n" + "elif y: f()\n" * 5_000,
    "deep lambdas": "x = " + "lambda: " * 2_000 + "0\n",
    "nested functions": "".join(" " * i + f"def f{i}():\n" for i in range(90))
    + " " * 90
    + "pass\n",
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_never_raises(name: str) -> None:
    facts = facts_of(ODD[name])
    other = facts_of(ODD[name] + "# comment\n")
    if facts.whole:
        assert facts.note
        assert facts.whole != other.whole


@pytest.mark.parametrize(
    "text",
    [
        "x = [" + ", ".join(f"'{i}'" for i in range(20_000)) + "]\n",
        "x = {" + "\n".join(f"    {i}: ('a', {i}.5, None)," for i in range(5_000)) + "}\n",
        '"""' + "a 'quoted' \"line\"\n" * 2_000 + '"""\n',
        "x = '{" + '"key": "value", ' * 2_000 + "}'\n",
        "if x: f()\n" + "elif y: f()\n" * 200,
        "x = 1" + " + 1" * 300 + "\n",
    ],
)
def test_a_long_file_is_not_a_deep_one(text: str) -> None:
    assert not facts_of(text).whole


def test_a_file_that_cannot_be_analysed_keeps_its_imports_and_names() -> None:
    facts = facts_of("import a.b\nfrom .c import d\nX = 1\ny = " + "1 + " * 700 + "1\n")
    assert facts.whole
    assert facts.imports == ["^0|a.b||", "^1|c|d|"]
    assert sorted(facts.names) == ["X", "y"]


@given(st.text(max_size=60))
@settings(max_examples=80, deadline=None)
def test_no_text_raises(text: str) -> None:
    facts = facts_of(text)
    assert Facts.from_record(json.loads(json.dumps(facts.record))) == facts


def test_no_warning_reaches_the_user() -> None:
    facts = facts_of("x = '\\d'\nif x is 1: pass\nassert (x, 'y')\n")  # pytest turns them to errors
    assert not facts.whole


def test_first_lines_are_those_of_code_objects() -> None:
    text = (
        "@deco(\n  1)\n@deco(2)\ndef f(\n  x=lambda: 1,\n): return [\n  lambda: 2]\n"
        "@deco\nclass A:\n    @staticmethod\n    def m(): pass\n"
        "g = (\n  lambda x:\n    x)\n"
    )
    found = {(d[DEF_QUALNAME], d[DEF_FIRST]) for d in facts_of(text).definitions}
    assert found == {
        ("f", 1), ("<lambda>", 5), ("f.<locals>.<lambda>", 7), ("A", 8), ("A.m", 10), ("<lambda>", 13),
    }  # fmt: skip


def test_every_function_of_the_library_is_found_where_its_code_says() -> None:
    library = os.path.dirname(os.__file__)
    for path in sorted(glob.glob(f"{library}/[a-d]*.py")):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        facts = facts_of(text)
        assert not facts.whole, (path, facts.note)
        stack = [(compile(text, path, "exec"), "")]
        while stack:
            code, prefix = stack.pop()
            for inner in code.co_consts:
                if not hasattr(inner, "co_code") or inner.co_name.startswith("<"):
                    continue
                name = prefix + inner.co_name
                assert (name, inner.co_firstlineno) in facts.by_place
                stack.append((inner, name + (".<locals>." if inner.co_flags & 2 else ".")))


# --- ignore ---------------------------------------------------------------------------------------


def references(text: str, name: str) -> list[str]:
    definitions = {d[DEF_QUALNAME]: d for d in facts_of(text).definitions}
    found: list[str] = definitions[name][DEF_REFERENCES]
    return found


def digest(text: str, name: str) -> str:
    return str({d[DEF_QUALNAME]: d for d in facts_of(text).definitions}[name][DEF_DIGEST])


def test_an_ignored_function_counts_by_name_only() -> None:
    one = "def log(x):  # dds: ignore\n    return a(x)\n"
    two = "# dds: ignore\ndef log(y, z=3):\n    def g(): pass\n    return b(y)\n"
    assert digest(one, "log") == digest(two, "log")
    assert references(two, "log") == references(two, "log.<locals>.g") == []
    assert digest(one, "log") != digest(one.replace("log", "other"), "other")


def test_an_ignored_class_and_a_decorated_function() -> None:
    one = "@deco\ndef log(x):  # dds: ignore\n    return a(x)\n"
    two = "# dds: ignore\n@other(1)\ndef log(x):\n    return b(x)\n"
    assert digest(one, "log") == digest(two, "log")
    classes = ["class A(B):  # dds: ignore\n    x = 1\n", "class A:  # dds: ignore\n    y = 2\n"]
    assert digest(classes[0], "A") == digest(classes[1], "A")


def test_an_ignored_statement_in_a_function() -> None:
    one = "def f(x):\n    a = trace(x)  # dds: ignore\n    return x\n"
    two = "def f(x):\n    a = other(x, 2)  # dds: ignore\n    return x\n"
    assert digest(one, "f") == digest(two, "f")
    assert references(two, "f") == []
    assert digest(one, "f") != digest(one.replace("return x", "return 1"), "f")


def test_an_ignored_import_and_an_ignored_constant_lead_to_nothing() -> None:
    facts = facts_of("import logger  # dds: ignore\nV = 3  # dds: ignore\nW = 4\n")
    assert facts.names["logger"][0][1] == facts.names["V"][0][1] == ""
    assert facts.names["V"][0][0] == facts.names["logger"][0][0] != facts.names["W"][0][0]
    inside = "def f():\n    import log  # dds: ignore\n    return log.x\n"
    assert references(inside, "f") == []


# --- the cache ------------------------------------------------------------------------------------


def test_facts_come_back_as_they_were(tmp_path: Path) -> None:
    cache = FactsCache(str(tmp_path / "facts"))
    text = "import a\ndef f(x='\\ud800'): return a.b\n"
    key = blake3(text.encode()).hexdigest()
    assert cache.get(key) is None
    facts = facts_of(text)
    cache.put(key, facts)
    assert cache.get(key) == facts


def test_a_damaged_file_is_none(tmp_path: Path) -> None:
    cache = FactsCache(str(tmp_path))
    key = blake3(b"x").hexdigest()
    cache.put(key, facts_of("def f(): return a\n"))
    (path,) = tmp_path.rglob(f"*{sealed.SUFFIX}")
    content = path.read_bytes()
    for damaged in (b"", content[:-1], content[:20], content.replace(b"def", b"dex"), b"{}"):
        path.write_bytes(damaged)
        assert cache.get(key) is None


def test_a_directory_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = FactsCache(str(tmp_path / "file" / "facts"))
    cache.put("ab" * 32, facts_of("x = 1\n"))
    assert cache.get("ab" * 32) is None


def test_what_this_python_cannot_parse_is_kept_for_this_python_only(tmp_path: Path) -> None:
    cache = FactsCache(str(tmp_path))
    cache.put("ab" * 32, facts_of("def f(:\n"))
    (path,) = tmp_path.rglob(f"*{sealed.SUFFIX}")
    assert f"{sys.version_info[0]}.{sys.version_info[1]}" in path.name
    kept = cache.get("ab" * 32)
    assert kept is not None
    assert kept.whole


def test_no_temporary_file_is_left(tmp_path: Path) -> None:
    FactsCache(str(tmp_path)).put("ab" * 32, facts_of("x = 1\n"))
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [sealed.SUFFIX]


def test_a_warm_codebook_imports_neither_libcst_nor_metadata(tmp_path: Path) -> None:
    source = tmp_path / "main.py"
    source.write_text(
        "import json\nLIMIT = 3\ndef f(x): return json.dumps(x, LIMIT)\ny = f(1)  # dds:\n"
    )
    program = (
        "import sys\n"
        "from ddsimport.analysis.codehash import Codebook\n"
        "from ddsimport.analysis.facts import FactsCache\n"
        "from ddsimport.analysis.resolve import locate\n"
        "from ddsimport.analysis.distributions import version_of\n"
        "file, cache = sys.argv[1:]\n"
        "book = Codebook(locate, FactsCache(cache), lambda f: f == file, lambda f: open(f).read())\n"
        "reach = book.step('__main__', file, 4, 0)\n"
        "heavy = {'libcst', 'importlib.metadata', 'symtable', 'ddsimport.source.pragma'}\n"
        "print(reach.hash.hex(), sorted(heavy & set(sys.modules)))\n"
    )
    command = [sys.executable, "-S", "-c", program, str(source), str(tmp_path / "cache")]
    path = os.pathsep.join([ROOT, *(entry for entry in sys.path if "site-packages" in entry)])
    environment = {**os.environ, "PYTHONPATH": path}
    cold, warm = (
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    )
    assert "libcst" in cold
    assert warm.split(" ", 1) == [cold.split()[0], "[]\n"]
