from __future__ import annotations

import json
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest
from store_helpers import PROJECT, all_files, keep, run_python, signature

from ddsimport.store.index import MOST_RUNS, Index
from ddsimport.store.store import Store
from tests.projects import small_disk


@pytest.fixture
def index(store: Store) -> Index:
    return Index(store.root)


def run_numbers(index: Index) -> list[int]:
    return [run["n"] for run in index.runs()]


def test_runs_come_back_latest_first(index: Index) -> None:
    for number in range(5):
        index.add_run({"n": number, "text": "é\ud800"})
    assert run_numbers(index) == [4, 3, 2, 1, 0]
    assert index.runs(most=2)[0] == {"n": 4, "text": "é\ud800"}
    index.add_run({"n": 5})
    assert run_numbers(index) == [5, 4, 3, 2, 1, 0]
    assert run_numbers(Index(index._root)) == [5, 4, 3, 2, 1, 0]


def test_runs_of_a_disk_that_cannot_be_written(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk#1"):
        root = str(tmp_path / "disk#1" / ".dds")
        index = Index(Store.open(root).root)
        for number in range(3):
            index.add_run({"n": number})
        assert run_numbers(index) == [2, 1, 0]
        with closing(sqlite3.connect(f"{root}/index/cache.db")) as cache:
            keys = [key for (key,) in cache.execute("SELECT key FROM Cache WHERE key LIKE 'run:%'")]
            for key, planted in zip(keys, ("no json", 3), strict=False):
                cache.execute("UPDATE Cache SET value = ? WHERE key = ?", (planted, key))
            cache.commit()
        index.add_run({"n": 3})  # not taken up yet
        subprocess.run(["mount", "-o", "remount,ro", str(tmp_path / "disk#1")], check=True)
        assert run_numbers(index) == [3, 2]
        assert index.runs(most=1) == [{"n": 3}]


def test_runs_are_bounded(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(MOST_RUNS + 700):
        index.add_run({"n": number})
    assert run_numbers(index) == list(range(MOST_RUNS + 699, 699, -1))
    monkeypatch.setattr("ddsimport.store.index._LONGEST_JOURNAL", 1000)
    for _ in range(100):
        index.add_run({"n": 0, "text": "x" * 100})
    assert (Path(index._root) / "index/journal").stat().st_size < 2000


def test_noting_a_run_imports_no_diskcache(root: Path) -> None:
    output = run_python(
        """
import sys
from ddsimport.store.index import Index
from ddsimport.store.store import Store
Index(Store.open(sys.argv[1]).root).add_run({"n": 1})
print("diskcache" in sys.modules, "sqlite3" in sys.modules)
""",
        root,
    )
    assert output == "False False\n"


def test_processes_note_runs_at_once(root: Path, index: Index) -> None:
    code = """
import sys
from ddsimport.store.index import Index
index = Index(sys.argv[1])
for number in range(50):
    index.add_run({"n": number, "me": sys.argv[2], "text": "x" * 5000})
    if number % 20 == 0:
        index.runs()
"""
    command = [sys.executable, "-c", code, str(root)]
    children = [subprocess.Popen([*command, str(me)], cwd=PROJECT) for me in range(3)]
    assert [child.wait(60) for child in children] == [0, 0, 0]
    seen = {(run["me"], run["n"]) for run in index.runs()}
    assert len(seen) > 140, "at most a few lines may be lost to a reader"


def test_sizes_follow_the_entries(store: Store, index: Index, root: Path) -> None:
    assert index.sizes() == {}
    one = keep(store, signature(1), "x" * 1000, path="/a")
    two = keep(store, signature(2), "y" * 500, path="/b")
    keep(store, signature(3), "x" * 1000, path="/a")
    sizes = {"/a": one.size, "/b": two.size}
    for folder in (root / "entries/v1").iterdir():
        os.utime(folder, (1, 1))  # long unchanged, so that what is found is remembered
    assert index.sizes() == sizes
    keep(store, signature(4), "z", path="/b")
    assert index.sizes() == {**sizes, "/b": sizes["/b"] + 1}
    index.drop()
    assert index.sizes() == {**sizes, "/b": sizes["/b"] + 1}


def test_sizes_read_only_what_changed(
    store: Store, index: Index, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(store, signature(1), "text", path="/a")
    (folder,) = (root / "entries/v1").iterdir()
    os.utime(folder, (1, 1))
    sizes = index.sizes()

    def refuse(*arguments: object) -> None:
        raise AssertionError("read")

    monkeypatch.setattr("ddsimport.store.entries.read_small", refuse)
    assert index.sizes() == sizes != {}


def ruin_all(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)


def ruin_head(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\0" * 64)


def ruin_middle(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(8192))


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def drop_table(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE Cache")
    database.close()


@pytest.mark.parametrize(
    "ruin", [ruin_all, ruin_head, ruin_middle, make_folder, drop_table, Path.unlink]
)
def test_a_damaged_index_is_rebuilt(store: Store, index: Index, root: Path, ruin: object) -> None:
    keep(store, signature(1), "text", path="/a")
    index.add_run({"n": 1})
    index.runs()
    sizes = index.sizes()
    for name in ("cache.db-wal", "cache.db-shm"):
        (root / "index" / name).unlink(missing_ok=True)
    ruin(root / "index/cache.db")  # type: ignore[operator]
    assert run_numbers(index) in ([], [1])
    assert index.sizes() == sizes == {"/a": 4}
    index.add_run({"n": 2})
    assert run_numbers(index)[0] == 2


def test_a_damaged_journal_costs_only_its_bad_lines(index: Index, root: Path) -> None:
    index.add_run({"n": 1})
    with (root / "index/journal").open("ab") as journal:
        journal.write(b'\xff\n{"noted": 1}\n[]\n{"noted": "x", "run": 1}\n' + b"[" * 10**5 + b"\n")
    index.add_run({"n": 2})
    assert run_numbers(index) == [2, 1]


class FileBomb:
    """Leaves a trace even if it goes off in another process."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return os.mkdir, (str(self.path),)


PLANTS = {
    "pickled value": "UPDATE Cache SET mode = 4, value = :bomb",
    "pickled value in a file": "UPDATE Cache SET mode = 4, value = NULL, filename = 'bomb.val'",
    "pickled key": "UPDATE OR REPLACE Cache SET raw = 0, key = :bomb",
    "key of bytes": "UPDATE OR REPLACE Cache SET key = :bomb",
    "value of bytes": "UPDATE Cache SET value = :bomb",
    "text in a file outside": "UPDATE Cache SET mode = 3, filename = '../../precious'",
    "bytes in a file outside": "UPDATE Cache SET mode = 2, filename = '../../precious'",
    "raw with a file": "UPDATE Cache SET filename = '../../precious'",
    "expired, with a file to remove": (
        "UPDATE Cache SET filename = '../../precious', expire_time = 1"
    ),
    "unknown setting": "INSERT INTO Settings VALUES ('disk_evil', :bomb)",
    "setting of bytes": "UPDATE Settings SET value = :bomb",
    "files asked for": "UPDATE Settings SET value = 0 WHERE key = 'disk_min_file_size'",
}


@pytest.mark.parametrize("plant", PLANTS)
def test_planted_pickles_never_run(store: Store, index: Index, root: Path, plant: str) -> None:
    precious = root.parent / "precious"
    precious.write_text('"secret"')
    trap = root.parent / "trap"
    bomb = pickle.dumps(FileBomb(trap), 0)
    keep(store, signature(1), "text", path="/a")
    for folder in (root / "entries/v1").iterdir():
        os.utime(folder, (1, 1))
    for number in range(3):
        index.add_run({"n": number})
    index.runs()
    index.sizes()
    (root / "index/bomb.val").write_bytes(bomb)
    with sqlite3.connect(root / "index/cache.db") as database:
        assert database.execute(PLANTS[plant], {"bomb": bomb}).rowcount > 0 or "Settings" in plant
    database.close()
    for _ in range(2):
        for run in index.runs():
            assert set(run) == {"n"}
        assert index.sizes() == {"/a": 4}
        index.add_run({"n": 9})
    assert run_numbers(index)[0] == 9
    assert not trap.exists(), "a planted pickle was run"
    assert precious.read_text() == '"secret"'


def test_the_bombs_are_live(root: Path, index: Index) -> None:
    """Else the test above proves nothing: diskcache as it comes runs them."""
    import diskcache

    trap = root.parent / "trap"
    for disk in (diskcache.Disk, diskcache.JSONDisk):
        folder = root.parent / disk.__name__
        with diskcache.Cache(str(folder), disk=disk) as cache:
            cache["a"] = "b"
            cache._sql("UPDATE Cache SET mode = 4, value = ?", (pickle.dumps(FileBomb(trap), 0),))
            with suppress(Exception):  # what came out is no JSON
                cache["a"]
        assert trap.exists()
        trap.rmdir()


def test_nothing_but_text_can_be_put_in(index: Index) -> None:
    import diskcache

    from ddsimport.store.index import RefusedRowError

    index.add_run({"n": 1})

    def put(cache: diskcache.Cache) -> str:
        for key, value in [("a", (1,)), ("a", True), ("a", b"x"), ((1,), "a"), (1, "a")]:
            with pytest.raises(RefusedRowError):
                cache.set(key, value)
        with pytest.raises(RefusedRowError), open(os.devnull) as file:
            cache.set("a", file, read=True)
        cache.set("large", "x" * 1_000_000)
        return str(len(cache.get("large")))

    assert index._with_cache(put, "") == "1000000"
    assert not [name for name in all_files(index._root) if name.endswith(".val")]


def test_a_linked_index_is_not_followed(store: Store, index: Index, root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "precious").write_text("")
    shutil.rmtree(root / "index", ignore_errors=True)
    (root / "index").symlink_to(outside)
    assert index.runs() == [] and index.sizes() == {}
    assert all_files(outside) == ["precious"]


def test_a_linked_journal_is_not_followed(index: Index, root: Path) -> None:
    outside = root.parent / "outside"
    outside.write_text("precious")
    index.add_run({"n": 1})
    (root / "index/journal").unlink()
    (root / "index/journal").symlink_to(outside)
    index.add_run({"n": 2})
    assert outside.read_text() == "precious"


def test_a_root_that_diskcache_would_expand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELSEWHERE", "elsewhere")
    root = tmp_path / "$ELSEWHERE" / ".dds"
    index = Index(Store.open(str(root)).root)
    index.add_run({"n": 1})
    assert index.runs() == []
    assert not (tmp_path / "elsewhere").exists()


def test_losing_the_index_loses_nothing_kept(store: Store, index: Index, root: Path) -> None:
    candidate = keep(store, signature(1), "text")
    index.sizes()
    shutil.rmtree(root / "index")
    entry = store.entry(signature(1))
    assert entry is not None and store.value(entry.candidates[0]) == "text"
    assert json.loads(json.dumps(index.sizes())) == {candidate.path: 4}
