"""Views that are folders: whole at any instant, mended, replaced and collected."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest
from store_helpers import keep, signature

from ddsimport.errors import CodecError
from ddsimport.store import collector, view_folders
from ddsimport.store.store import Store
from ddsimport.store.trace import Candidate
from ddsimport.store.verifier import verify
from ddsimport.values.codecs import ViewFormat


class Table:
    """Shown as a folder with so many parts, each of which says which table it is of."""

    def __init__(self, name: str, parts: int = 3) -> None:
        self.name = name
        self.parts = parts

    def fill(self, place: str) -> None:
        os.mkdir(place)
        for number in range(self.parts):
            Path(f"{place}/part-{number}").write_text(self.name)


@pytest.fixture
def store(tmp_path, monkeypatch) -> Store:
    def view(value, suffix, format):
        if format == "none":
            raise CodecError("no view")
        return ViewFormat(
            "table", ".table", True, None, fill=lambda value, place: value.fill(place)
        )

    monkeypatch.setattr("ddsimport.store.store.chosen_view", view)
    return Store.open(str(tmp_path / "store"))


def _kept(store: Store, number: int) -> Candidate:
    return keep(store, signature(number), f"value {number}")


def _shown(store: Store, path: str) -> dict[str, str]:
    folder = Path(store.root) / "data" / path[1:]
    return {each.name: each.read_text() for each in folder.iterdir()}


ALL = {"part-0": "one", "part-1": "one", "part-2": "one"}


def test_a_folder_is_shown_and_known_to_be_shown(store):
    kept = _kept(store, 1)
    store.publish("/a/b", kept, Table("one"))
    assert _shown(store, "/a/b") == ALL
    assert store.shows("/a/b", kept)
    assert Store.open(store.root).shows("/a/b", kept)
    assert not os.path.isabs(os.readlink(f"{store.root}/data/a/b"))  # a store may be moved


@pytest.mark.parametrize("harm", ["a part is gone", "a part more", "all is gone", "another link"])
def test_what_somebody_changed_is_written_again(store, harm):
    kept = _kept(store, 1)
    store.publish("/a", kept, Table("one"))
    link = Path(store.root) / "data/a"
    folder = Path(view_folders.place_of(store.root, str(link)))
    if harm == "a part is gone":
        (folder / "part-1").unlink()
    elif harm == "a part more":
        (folder / "part-7").write_text("two")
    elif harm == "all is gone":
        for part in folder.iterdir():
            part.unlink()
        folder.rmdir()
    else:
        link.unlink()
        link.symlink_to("/")
    for each in (store, Store.open(store.root)):
        assert not each.shows("/a", kept)
    store.publish("/a", kept, Table("one"))
    assert _shown(store, "/a") == ALL


def test_a_copied_store_shows_the_same(store, tmp_path):
    kept = _kept(store, 1)
    store.publish("/a", kept, Table("one"))
    shutil.copytree(store.root, tmp_path / "copy", symlinks=True)
    copy = Store.open(str(tmp_path / "copy"))
    assert copy.shows("/a", kept)
    assert _shown(copy, "/a") == ALL


def test_a_reader_finds_all_parts_of_one_table_at_any_time(store):
    kept = [_kept(store, number) for number in (1, 2)]
    store.publish("/a", kept[0], Table("one"))
    link = f"{store.root}/data/a"
    seen: set[tuple[str, ...]] = set()
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            folder = os.open(link, os.O_RDONLY)  # as one who lists it and then reads what is there
            try:
                names = sorted(os.listdir(folder))
                texts = [Path(f"/proc/self/fd/{folder}/{name}").read_text() for name in names]
                seen.add(tuple(texts))
            except FileNotFoundError as error:
                seen.add((str(error),))
            finally:
                os.close(folder)

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(200):
        store.publish("/a", kept[turn % 2], Table(("one", "two")[turn % 2]))
    ended.set()
    reader.join()
    assert seen <= {("one",) * 3, ("two",) * 3}


def test_a_folder_gives_way_to_a_file_and_to_nothing(store, monkeypatch):
    kept = [_kept(store, number) for number in (1, 2, 3)]
    store.publish("/a", kept[0], Table("one"))
    with pytest.raises(CodecError):
        store.publish("/a", kept[1], Table("two"), "none")
    assert not os.path.lexists(f"{store.root}/data/a")
    store.publish("/a", kept[0], Table("one"))
    store.forget("/a")
    assert not os.path.lexists(f"{store.root}/data/a")
    store.publish("/a", kept[0], Table("one"))
    monkeypatch.undo()
    store.publish("/a", kept[2], "value 3")
    assert Path(f"{store.root}/data/a").read_text() == "value 3"
    assert not os.path.islink(f"{store.root}/data/a")


def test_folders_that_nothing_leads_to_are_removed_after_a_while(store, monkeypatch):
    first, second = _kept(store, 1), _kept(store, 2)
    store.publish("/a", first, Table("one"))
    before = view_folders.place_of(store.root, f"{store.root}/data/a")
    store.publish("/a", second, Table("two"))
    budget = collector.budget_of(store.root)
    collector.collect(store.root, budget)
    assert os.path.isdir(before)  # somebody may be reading it
    monkeypatch.setattr(view_folders, "GRACE", -1.0)
    store.publish("/a", first, Table("one"))
    assert not os.path.exists(before)
    abandoned = Path(store.root) / "folders/1-abandoned"
    Table("x").fill(str(abandoned))
    assert collector.collect(store.root, budget, dry_run=True).removed_files >= 3
    assert abandoned.exists()
    collector.collect(store.root, budget)
    assert not abandoned.exists()
    assert _shown(store, "/a") == ALL
    assert len(os.listdir(f"{store.root}/folders")) == 1


def test_what_cannot_be_written_leaves_nothing(store):
    kept = _kept(store, 1)
    table = Table("one")
    table.parts = -1

    def fail(place: str) -> None:
        os.mkdir(place)
        raise CodecError("it cannot")

    table.fill = fail
    with pytest.raises(CodecError, match="cannot"):
        store.publish("/a", kept, table)
    assert os.listdir(f"{store.root}/folders") == []
    assert not os.path.lexists(f"{store.root}/data/a")


def test_verify_finds_a_folder_that_is_not_what_was_written(store):
    kept = _kept(store, 1)
    store.publish("/a", kept, Table("one"))
    assert list(verify(store.root)) == []
    Path(f"{store.root}/data/a/part-1").write_text("two")
    (found,) = verify(store.root)
    assert "not what was written" in found.fault
    fresh = Store.open(store.root)
    assert not fresh.shows("/a", kept)
    fresh.publish("/a", kept, Table("one"))
    assert _shown(store, "/a") == ALL
