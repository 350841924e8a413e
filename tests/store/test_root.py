from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from store_helpers import all_files, keep, run_python, signature, start_python

from ddsimport.errors import StoreError
from ddsimport.store.store import Store
from tests.projects import small_disk

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs the rights of root")


def test_a_new_store_is_private_and_ignored_by_git(root: Path) -> None:
    store = Store.open(str(root))
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert (root / ".gitignore").read_text() == "*\n"
    description = json.loads((root / "store.json").read_text())
    assert description == {"format": 1, "id": store.id, "hash": "blake3"}
    assert store.writable
    assert Store.open(str(root)).id == store.id


def test_opening_a_store_writes_nothing(root: Path) -> None:
    Store.open(str(root))
    before = {name: (root / name).stat().st_mtime_ns for name in all_files(root)}
    Store.open(str(root))
    assert {name: (root / name).stat().st_mtime_ns for name in all_files(root)} == before


def test_folders_above_are_made_and_links_to_the_store_followed(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "deep" / "real")
    store = Store.open(str(link))
    assert store.root == os.path.realpath(tmp_path / "deep" / "real")
    assert Store.open(store.root).id == store.id


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o722, 0o777, 0o755, 0o740, 0o704])
def test_a_store_that_others_may_write_to_is_refused(root: Path, mode: int) -> None:
    Store.open(str(root))
    root.chmod(mode)
    with pytest.raises(StoreError, match="chmod go= "):
        Store.open(str(root))


@needs_root
def test_a_store_of_another_user_is_refused(root: Path) -> None:
    Store.open(str(root))
    os.chown(root, 12345, -1)
    with pytest.raises(StoreError, match=r"belongs to another user \(uid 12345\).*--store"):
        Store.open(str(root))


@pytest.mark.parametrize(
    "text, says",
    [
        ("", "damaged"),
        ("{", "damaged"),
        ("\xff", "damaged"),
        ("[" * 100_000, "damaged"),
        ("[]", "not the description"),
        ('{"format": 1}', "not the description"),
        ('{"format": 2, "id": "x", "hash": "blake3"}', "format 2"),
        ('{"format": 1, "id": "x", "hash": "md5"}', "update ddsimport"),
    ],
)
def test_a_store_of_another_kind_is_refused_and_left_alone(
    root: Path, text: str, says: str
) -> None:
    Store.open(str(root))
    (root / "store.json").write_text(text, encoding="latin-1")
    before = all_files(root)
    with pytest.raises(StoreError, match=says):
        Store.open(str(root))
    assert all_files(root) == before


def test_a_folder_with_other_files_is_no_place_for_a_store(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.tex").write_text("precious")
    with pytest.raises(StoreError, match=r"thesis\.tex"):
        Store.open(str(home))
    assert all_files(home) == ["thesis.tex"]


def test_an_empty_folder_that_the_user_has_made_is_made_private(tmp_path: Path) -> None:
    root = tmp_path / "store"
    root.mkdir(mode=0o755)
    Store.open(str(root))
    assert stat.S_IMODE(root.stat().st_mode) == 0o700


def test_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="not a folder"):
        Store.open(str(tmp_path / "file"))
    with pytest.raises(StoreError):
        Store.open(str(tmp_path / "file" / "below"))


def test_a_creation_cut_short_is_finished(root: Path) -> None:
    Store.open(str(root))
    (root / "store.json").unlink()
    (root / ".gitignore").unlink()
    (root / "data").rmdir()
    store = Store.open(str(root))
    assert store.value(keep(store, signature(1), "text")) == "text"
    assert (root / ".gitignore").exists()


def test_processes_that_create_a_store_at_once_agree(root: Path) -> None:
    code = """
import sys
from ddsimport.store.store import Store
sys.stdin.readline()
print(Store.open(sys.argv[1]).id)
"""
    children = [start_python(code, root) for _ in range(6)]
    outputs = [child.communicate("\n", timeout=60) for child in children]
    assert {errors for _, errors in outputs} == {""}
    assert len({identity for identity, _ in outputs}) == 1
    assert os.listdir(root / "tmp") == []


READ_ONLY = """
import importlib, os, pkgutil, sys
import ddsimport.store
import ddsimport.values.codecs.views
# All of it now, before other rights are taken: it may lie where only root may read.
for _, name, _ in pkgutil.walk_packages(ddsimport.store.__path__, "ddsimport.store."):
    importlib.import_module(name)
from ddsimport.errors import StoreError
from ddsimport.store.index import Index
from ddsimport.store.store import Store
from store_helpers import keep, signature
if len(sys.argv) > 2:
    os.seteuid(int(sys.argv[2]))
store = Store.open(sys.argv[1])
assert not store.writable
(candidate,) = store.entry(signature(1)).candidates
assert store.value(candidate) == "text"
assert store.load("/a") == "text"
assert store.shows("/a", candidate)
store.publish("/a", candidate, "text")
store.touch(signature(1))
assert not store.lock(signature(2)).acquire()
assert store.sweep() == 0
for attempt in (
    lambda: keep(store, signature(2), "other"),
    lambda: store.publish("/b", candidate, "text"),
):
    try:
        attempt()
    except StoreError as error:
        assert "read-only" in str(error)
    else:
        raise AssertionError("written")
index = Index(store.root)
index.add_run({"n": 1})
assert index.runs() == []
print("fine")
"""


def filled(root: Path) -> None:
    store = Store.open(str(root))
    store.publish("/a", keep(store, signature(1), "text"), "text")


def test_a_read_only_file_system_can_be_read(tmp_path: Path) -> None:
    with small_disk(tmp_path):
        filled(tmp_path / ".dds")
        subprocess.run(["mount", "-o", "remount,ro", str(tmp_path)], check=True)
        assert run_python(READ_ONLY, tmp_path / ".dds") == "fine\n"
        (tmp_path / ".dds").stat()
        with pytest.raises(StoreError, match=r"cannot open the store .*Read-only"):
            Store.open(str(tmp_path / "new"))


@needs_root
def test_a_folder_without_the_right_to_write_can_be_read(tmp_path: Path) -> None:
    root = tmp_path / ".dds"
    filled(root)
    for place, folders, names in os.walk(root):
        for name in (*folders, *names):
            os.chown(os.path.join(place, name), 12345, 12345)
    os.chown(root, 12345, 12345)
    for folder in (root, *(path for path in root.rglob("*") if path.is_dir())):
        folder.chmod(0o500)
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(folder.stat().st_mode | 0o011)
    assert run_python(READ_ONLY, root, 12345) == "fine\n"


def test_a_full_disk_leaves_no_file_and_no_harm(tmp_path: Path) -> None:
    with small_disk(tmp_path, "-o", "size=2m"):
        store = Store.open(str(tmp_path / ".dds"))
        root = Path(store.root)
        old = keep(store, signature(1), "old")
        store.publish("/a", old, "old")
        before = all_files(root)
        for size in (10_000_000, 3_000_000, 2_090_000):
            with pytest.raises(StoreError, match="No space left"):
                keep(store, signature(1), os.urandom(size))
            assert all_files(root) == before
        large = os.urandom(1_100_000)
        candidate = keep(store, signature(2), large)
        with pytest.raises(StoreError, match="No space left"):
            store.publish("/a", candidate, large)
        assert os.listdir(root / "tmp") == []
        assert (root / "data/a").read_text() == "old" and store.load("/a") == "old"
        entry = store.entry(signature(1))
        assert entry is not None and store.value(entry.candidates[0]) == "old"
        assert store.value(candidate) == large
        assert store.damages == []
