"""Flags over environment over `[tool.ddsimport]` over defaults; and where a project begins."""

from __future__ import annotations

import itertools
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddsimport import config
from ddsimport.errors import ConfigurationError


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A project with a program two folders down, and a working directory elsewhere."""
    (tmp_path / "project" / "src" / "app").mkdir(parents=True)
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    return tmp_path


def toml(tree, text):
    (tree / "project" / "pyproject.toml").write_text(text)


def resolve(tree, flags=None, environ=None):
    return config.resolve(str(tree / "project" / "src" / "app"), flags or {}, environ or {})


# --- the project ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["pyproject.toml", ".git", ".git as a file"])
def test_the_project_is_the_nearest_marked_folder(tree, mark):
    if mark == ".git":
        (tree / "project" / ".git").mkdir()
    else:
        (tree / "project" / mark.split()[0]).touch()
    (tree / "pyproject.toml").touch()
    resolved = resolve(tree)
    assert resolved.project == str(tree / "project")
    assert resolved.store == str(tree / "project" / ".dds")


def test_without_a_mark_the_project_is_the_programs_folder(tree, monkeypatch):
    exists = os.path.exists
    outside = (str(tree.parent), "/")
    monkeypatch.setattr(
        os.path, "exists", lambda path: os.path.dirname(path) not in outside and exists(path)
    )
    assert resolve(tree).project == str(tree / "project" / "src" / "app")


def test_a_project_reached_through_a_link_is_the_same(tree):
    toml(tree, "")
    (tree / "link").symlink_to(tree / "project")
    assert config.resolve(str(tree / "link" / "src"), {}, {}).project == str(tree / "project")


# --- precedence ----------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["store", "report"])
@pytest.mark.parametrize("said", list(itertools.product([False, True], repeat=3)), ids=str)
def test_who_wins(tree, key, said):
    by_flag, by_environment, by_file = said
    toml(tree, f'[tool.ddsimport]\n{key} = "file"\n' if by_file else "")
    flags = {key: "flag"} if by_flag else {}
    environ = {f"DDSIMPORT_{key.upper()}": "environment"} if by_environment else {}
    if by_flag:
        expected = str(tree / "cwd" / "flag")
    elif by_environment:
        expected = str(tree / "cwd" / "environment")
    elif by_file:
        expected = str(tree / "project" / "file")
    else:
        expected = str(tree / "project" / ".dds") if key == "store" else None
    assert getattr(resolve(tree, flags, environ), key) == expected


@pytest.mark.parametrize("key", ["quiet", "verbose"])
def test_switches(tree, key):
    assert not getattr(resolve(tree), key)
    toml(tree, f"[tool.ddsimport]\n{key} = true\n")
    assert getattr(resolve(tree), key)
    assert not getattr(resolve(tree, {key: False}), key)


def test_absolute_paths_stay(tree):
    toml(tree, '[tool.ddsimport]\nstore = "/a"\nreport = "/b"\n')
    resolved = resolve(tree)
    assert (resolved.store, resolved.report) == ("/a", "/b")


def test_an_empty_variable_counts_as_unset(tree):
    resolved = resolve(tree, {}, {"DDSIMPORT_STORE": "", "DDSIMPORT_REPORT": ""})
    assert resolved == resolve(tree)


# --- the file ------------------------------------------------------------------------------------

SPELLINGS = [
    '[tool.ddsimport]\nstore = "s"\n',
    '[ tool . ddsimport ]\nstore = "s"\n',
    '[tool."ddsimport"]\nstore = "s"\n',
    '["tool".\'ddsimport\']\nstore = "s"\n',
    '[tool]\nddsimport = {store = "s"}\n',
    '[tool]\nddsimport.store = "s"\n',
    'tool.ddsimport.store = "s"\n',
    'tool = {ddsimport = {store = "s"}}\n',
    '[tool.ruff]\nline-length = 1\n[tool.ddsimport]\nstore = "s"\n',
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_every_spelling_of_the_table(tree, text):
    toml(tree, text)
    assert resolve(tree).store == str(tree / "project" / "s")


@pytest.mark.parametrize(
    "text",
    ["", '[project]\ndependencies = ["ddsimport>=0.1"]\n', "[tool.ruff]\nline-length = 100\n"],
)
def test_a_parser_is_imported_only_for_our_table(tree, text, monkeypatch):
    toml(tree, text)
    monkeypatch.setattr(config, "_parsed", lambda *_: pytest.fail("parsed"))
    assert resolve(tree).notes == ()


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ('stroe = "x"', "no key `stroe`; did you mean `store`?"),
        ("verbos = true", "did you mean `verbose`?"),
        ("zzz = 1", "there are: store, quiet, verbose, report"),
        ("store = 1", "store must be a string"),
        ('quiet = "yes"', "quiet must be true or false"),
        ("verbose = 1", "verbose must be true or false"),
    ],
)
def test_a_wrong_key_is_an_error(tree, text, phrase):
    toml(tree, f"[tool.ddsimport]\n{text}\n")
    with pytest.raises(ConfigurationError) as raised:
        resolve(tree)
    assert phrase in str(raised.value)
    assert str(tree / "project" / "pyproject.toml") in str(raised.value)


def test_a_table_that_is_none_is_an_error(tree):
    toml(tree, "tool.ddsimport = 1\n")
    with pytest.raises(ConfigurationError, match="must be a table"):
        resolve(tree)


@pytest.mark.parametrize("data", [b"[tool.ddsimport\n", b"[tool.ddsimport]\nstore = '\xff'\n"])
def test_a_broken_file_means_the_defaults_and_one_note(tree, data):
    (tree / "project" / "pyproject.toml").write_bytes(data)
    resolved = resolve(tree)
    assert resolved.store == str(tree / "project" / ".dds")
    (note,) = resolved.notes
    assert str(tree / "project" / "pyproject.toml") in note
    assert "not valid TOML" in note


def test_a_broken_file_without_our_table_is_not_our_business(tree):
    toml(tree, "[project\n")
    assert resolve(tree).notes == ()


def test_a_file_that_is_a_folder(tree):
    (tree / "project" / "pyproject.toml").mkdir()
    (note,) = resolve(tree).notes
    assert "cannot be read" in note


@given(st.binary(max_size=60))
def test_no_file_makes_us_fail(data):
    """Whatever the bytes are: a table, a note, or a `ConfigurationError`."""
    try:
        table, notes = config._parsed("f", b"[tool.ddsimport]\n" + data)
    except ConfigurationError:
        return
    assert set(table) <= {"store", "quiet", "verbose", "report"}
    assert len(notes) <= 1


# --- a process that our runner did not start -----------------------------------------------------


@pytest.fixture
def unset(monkeypatch):
    monkeypatch.setattr(config, "_current", None)


def test_current_without_a_runner(tree, unset, monkeypatch):
    import sys
    from types import ModuleType

    toml(tree, '[tool.ddsimport]\nstore = "s"\n')
    main = ModuleType("__main__")
    main.__file__ = str(tree / "project" / "src" / "script.py")
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.delenv("DDSIMPORT_STORE", raising=False)
    assert config.current().store == str(tree / "project" / "s")
    assert config.current() is config.current()


def test_current_is_not_stopped_by_a_wrong_key(tree, unset, monkeypatch):
    """A program that was not started with `ddsimport` must not fail for its settings."""
    toml(tree, "[tool.ddsimport]\nstroe = 's'\n")
    monkeypatch.setattr(config, "_directory_of_main", lambda: str(tree / "project"))
    monkeypatch.delenv("DDSIMPORT_STORE", raising=False)
    current = config.current()
    assert current.store == str(tree / "project" / ".dds")
    (note,) = current.notes
    assert "did you mean `store`?" in note


def test_use(unset):
    chosen = config.Config(store="/s", project="/p", quiet=True)
    config.use(chosen)
    assert config.current() is chosen
