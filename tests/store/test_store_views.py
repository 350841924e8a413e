from __future__ import annotations

import json
import os
import shutil
import stat
import time
from pathlib import Path

import numpy as np
import pytest
from store_helpers import all_files, flip, keep, run_python, signature, start_python

from ddsimport.errors import CodecError, StoreError
from ddsimport.store.store import AbsentArtifactError, Store


def publish(store: Store, path: str, value: object, format: str | None = None) -> None:
    candidate = keep(store, signature(("for", path, value)), value, path=path)
    store.publish(path, candidate, value, format)


def test_a_view_is_an_ordinary_file(store: Store, root: Path) -> None:
    publish(store, "/wine/report.txt", "text")
    view = root / "data/wine/report.txt"
    assert view.read_text() == "text"
    assert view.stat().st_nlink == 1 and not view.is_symlink()
    assert stat.S_IMODE(view.stat().st_mode) & 0o600 == 0o600
    view.write_text("scribbled on by a user")
    assert store.load("/wine/report.txt") == "text"


def test_the_record_says_what_is_shown(store: Store, root: Path) -> None:
    candidate = keep(store, signature(1), {"a": 1})
    assert store.current("/a.json") is None
    store.publish("/a.json", candidate, {"a": 1})
    record = store.current("/a.json")
    assert record is not None
    assert (record.signature, record.blob, record.codec) == (
        candidate.signature,
        candidate.blob,
        candidate.codec,
    )
    assert (record.format, record.exact, record.asked) == ("json", True, None)
    assert json.loads((root / "data/a.json").read_text()) == {"a": 1}
    status = (root / "data/a.json").stat()
    assert (record.size, record.mtime_ns) == (status.st_size, status.st_mtime_ns)
    assert Store.open(str(root)).current("/a.json") == record


def test_a_lossy_view_does_not_touch_the_value(store: Store, root: Path) -> None:
    value = {"a": (1, 2)}
    publish(store, "/a", value, format="json")
    record = store.current("/a")
    assert record is not None and not record.exact
    assert json.loads((root / "data/a").read_text()) == {"a": [1, 2]}
    assert store.load("/a") == value


def test_publishing_again_writes_nothing(store: Store, root: Path) -> None:
    candidate = keep(store, signature(1), "text")
    store.publish("/a", candidate, "text")
    before = {name: (root / name).stat().st_ino for name in all_files(root)}
    for user in (store, Store.open(str(root))):
        assert user.shows("/a", candidate)
        user.publish("/a", candidate, "text")
        user.publish("/a", candidate, "text")
    assert {name: (root / name).stat().st_ino for name in all_files(root)} == before


def edit(view: Path) -> None:
    view.write_text("tExt")


def edit_secretly(view: Path) -> None:
    time.sleep(0.02)  # the clock of the file system ticks every 4 ms, and the change time must move
    times = (view.stat().st_atime_ns, view.stat().st_mtime_ns)
    view.write_text("tExt")
    os.utime(view, ns=times)


def replace_by_link(view: Path) -> None:
    view.unlink()
    view.symlink_to("/etc/hostname")


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("damage", [edit, edit_secretly, Path.unlink, replace_by_link])
def test_a_changed_view_is_written_again(
    store: Store, root: Path, fresh: bool, damage: object
) -> None:
    candidate = keep(store, signature(1), "text")
    store.publish("/a/b", candidate, "text")
    view = root / "data/a/b"
    os.utime(view, (1, 1))  # so that the clock's resolution cannot hide the change
    assert store.shows("/a/b", candidate)
    damage(view)  # type: ignore[operator]
    user = Store.open(str(root)) if fresh else store
    assert not user.shows("/a/b", candidate)
    user.publish("/a/b", candidate, "text")
    assert view.read_text() == "text" and not view.is_symlink()
    assert user.shows("/a/b", candidate)


def test_another_format_or_value_is_another_view(store: Store, root: Path) -> None:
    one = keep(store, signature(1), [1])
    two = keep(store, signature(2), [2])
    store.publish("/a", one, [1])
    assert not store.shows("/a", two)
    assert not store.shows("/a", one, "pickle")
    store.publish("/a", one, [1], "pickle")
    assert store.shows("/a", one, "pickle") and not store.shows("/a", one)
    store.publish("/a", two, [2])
    assert store.load("/a") == [2]


def test_another_process_may_have_changed_what_is_shown(store: Store, root: Path) -> None:
    one, two = (keep(store, signature(n), f"text {n}") for n in (1, 2))
    other = Store.open(str(root))
    store.publish("/a", one, "text 1")
    other.publish("/a", two, "text 2")
    assert not store.shows("/a", one)
    assert store.shows("/a", two)
    store.publish("/a", one, "text 1")
    assert not other.shows("/a", two)
    assert (root / "data/a").read_text() == "text 1"


def test_a_copied_store_is_whole_and_rewrites_nothing(store: Store, root: Path) -> None:
    candidate = keep(store, signature(1), "text")
    store.publish("/a/b", candidate, "text")
    copy = root.parent / "elsewhere" / ".dds"
    shutil.copytree(root, copy)
    shutil.rmtree(root)
    view = copy / "data/a/b"
    inode = view.stat().st_ino
    user = Store.open(str(copy))
    assert user.shows("/a/b", candidate)
    user.publish("/a/b", candidate, "text")
    assert view.stat().st_ino == inode
    entry = user.entry(signature(1))
    assert entry is not None and user.value(entry.candidates[0]) == "text"
    assert user.load("/a/b") == "text"
    assert str(root).encode() not in b"".join(
        (copy / name).read_bytes() for name in all_files(copy)
    )


def test_an_array_is_shown_as_npy(store: Store, root: Path) -> None:
    publish(store, "/array.npy", np.arange(5))
    np.testing.assert_array_equal(np.load(root / "data/array.npy"), np.arange(5))


def test_a_value_without_a_view_takes_the_old_one_away(store: Store, root: Path) -> None:
    publish(store, "/a.csv", "a,b\n")
    candidate = keep(store, signature(1), {1, 2})
    with pytest.raises(CodecError, match="csv"):
        store.publish("/a.csv", candidate, {1, 2})
    assert not (root / "data/a.csv").exists()
    for reader in (store, Store.open(str(root))):
        assert reader.load("/a.csv") == {1, 2}
        assert reader.shows("/a.csv", candidate), "what cannot be shown is tried once"
    publish(store, "/a.csv", "c,d\n")
    assert (root / "data/a.csv").read_text() == "c,d\n"


class BrokenFigure:
    def __reduce__(self) -> str:
        raise RuntimeError("not me")


def test_a_view_that_fails_as_it_is_written_leaves_no_older_one(store: Store, root: Path) -> None:
    publish(store, "/a", "text")
    candidate = keep(store, signature(1), "other")
    with pytest.raises(CodecError):
        store.publish("/a", candidate, BrokenFigure(), "pickle")
    assert not (root / "data/a").exists()
    assert os.listdir(root / "tmp") == []
    assert store.load("/a") == "other"
    assert store.shows("/a", candidate, "pickle"), "it is tried once"
    publish(store, "/a", "text")
    assert (root / "data/a").read_text() == "text"


@pytest.mark.parametrize("first, second", [("/a", "/a/b"), ("/a/b", "/a"), ("/a/b/c", "/a")])
def test_an_artifact_cannot_lie_below_another(
    store: Store, root: Path, first: str, second: str
) -> None:
    publish(store, first, "text")
    with pytest.raises(StoreError) as caught:
        publish(store, second, "other")
    assert f"{first} " in str(caught.value) and f"{second} " in str(caught.value)
    assert store.load(first) == "text"
    assert store.current(second) is None
    assert os.listdir(root / "tmp") == []


def test_a_folder_left_empty_is_not_in_the_way(store: Store, root: Path) -> None:
    publish(store, "/a/b", "text")
    (root / "data/a/b").unlink()
    publish(store, "/a", "other")
    assert (root / "data/a").read_text() == "other"


def test_names_of_records_do_not_meet(store: Store) -> None:
    paths = ["/a", "/a.json/b", "/a.json~/b", "/a.json~~/c", "/b.json", "/b.json.json/x"]
    for path in paths:
        publish(store, path, f"text of {path}")
    assert sorted(store.paths()) == sorted(paths)
    for path in paths:
        assert store.load(path) == f"text of {path}"


def test_paths_that_differ_only_where_the_file_system_does_not_look(
    store: Store, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS: the record of `/A` is found under the name of the record of `/a`."""
    publish(store, "/A", "text")
    os.link(root / "views/v1/A.json", root / "views/v1/a.json")
    os.link(root / "data/A", root / "data/a")
    assert store.current("/a") is None
    with pytest.raises(StoreError, match="/a and /A are the same file"):
        publish(store, "/a", "other")
    with pytest.raises(AbsentArtifactError):
        store.load("/a")


@pytest.mark.parametrize("place", ["data", "data/a", "data/a/b"])
def test_symbolic_links_do_not_lead_out(store: Store, root: Path, place: str) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    link = root / place
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.is_dir():
        link.rmdir()
    link.symlink_to(outside)
    with pytest.raises(StoreError, match="symbolic link"):
        publish(store, "/a/b/c", "text")
    assert list(outside.iterdir()) == []


def test_a_link_at_the_place_of_a_view_is_replaced(store: Store, root: Path) -> None:
    outside = root.parent / "outside"
    outside.write_text("precious")
    (root / "data/a").symlink_to(outside)
    publish(store, "/a", "text")
    assert outside.read_text() == "precious"
    assert (root / "data/a").read_text() == "text" and not (root / "data/a").is_symlink()


@pytest.mark.parametrize("path", ["", "a", "/../x", "/a/../../x", "/a\0b", "//x", "/a/", "/" * 3])
def test_no_path_leaves_the_store(store: Store, root: Path, path: str) -> None:
    candidate = keep(store, signature(1), "text")
    before = all_files(root.parent)
    for attempt in (
        lambda: store.publish(path, candidate, "text"),
        lambda: store.shows(path, candidate),
        lambda: store.current(path),
        lambda: store.load(path),
    ):
        with pytest.raises(StoreError, match="artifact path"):
            attempt()
    assert all_files(root.parent) == before


def test_a_path_too_long_for_the_file_system_is_a_store_error(store: Store) -> None:
    path = "/" + "/".join(["x" * 200] * 30)
    candidate = keep(store, signature(1), "text")
    with pytest.raises(StoreError, match="File name too long"):
        store.publish(path, candidate, "text")


def test_load_names_the_nearest_path(store: Store) -> None:
    with pytest.raises(AbsentArtifactError, match="nothing has been kept"):
        store.load("/wine/stats")
    publish(store, "/wine/stats", 1)
    publish(store, "/beer/model", 2)
    with pytest.raises(LookupError, match="nearest is /wine/stats"):
        store.load("/wine/statz")
    assert store.load("/wine/stats") == 1


def test_load_needs_no_entry(store: Store, root: Path) -> None:
    publish(store, "/a", (1, 2))
    shutil.rmtree(root / "entries")
    assert store.load("/a") == (1, 2)


def test_every_flipped_byte_of_a_record_is_noticed(store: Store, root: Path) -> None:
    candidate = keep(store, signature(1), "text")
    store.publish("/a", candidate, "text")
    path = root / "views/v1/a.json"
    good = path.read_bytes()
    for position in range(len(good)):
        path.write_bytes(good)
        flip(path, position)
        user = Store.open(str(root))
        assert user.current("/a") is None, position
        assert len(user.damages) == 1
    store.publish("/a", candidate, "text")
    path.write_bytes(good[:-20])
    fresh = Store.open(str(root))
    fresh.publish("/a", candidate, "text")
    assert fresh.load("/a") == "text"


def test_a_deleted_data_folder_comes_back(store: Store, root: Path) -> None:
    publish(store, "/a/b", "text")
    shutil.rmtree(root / "data")
    shutil.rmtree(root / "views")
    shutil.rmtree(root / "tmp")
    shutil.rmtree(root / "locks")
    publish(store, "/a/b", "text")
    assert (root / "data/a/b").read_text() == "text"


WRITER = """
import sys
from ddsimport.store.store import Store
from store_helpers import keep, signature
store, number = Store.open(sys.argv[1]), int(sys.argv[2])
candidates = []
for turn in range(5):
    text = f"{number}{turn}" * 50_000
    candidates.append((keep(store, signature(text), text), text))
print("ready", flush=True)
sys.stdin.readline()
for turn in range(12):
    for candidate, text in candidates:
        store.publish("/shown", candidate, text)
"""


def test_a_reader_never_meets_a_missing_or_torn_view(store: Store, root: Path) -> None:
    candidate = keep(store, signature("first"), "xx" * 50_000)
    store.publish("/shown", candidate, "xx" * 50_000)
    writers = [start_python(WRITER, root, number) for number in range(4)]
    try:
        for writer in writers:
            assert writer.stdout is not None and writer.stdin is not None
            assert writer.stdout.readline() == "ready\n"
        for writer in writers:
            writer.stdin.write("\n")  # type: ignore[union-attr]
            writer.stdin.flush()  # type: ignore[union-attr]
        seen = set()
        while any(writer.poll() is None for writer in writers):
            text = (root / "data/shown").read_text()
            assert text == text[:2] * 50_000
            seen.add(text[:2])
            assert store.load("/shown") in {f"{a}{b}" * 50_000 for a in "0123x" for b in "01234x"}
        for writer in writers:
            assert writer.communicate()[1] == "" and writer.returncode == 0
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    assert len(seen) > 2, "the reader saw too little to prove anything"
    last = store.load("/shown")
    assert (root / "data/shown").read_text() == last
    assert os.listdir(root / "tmp") == []


def test_views_take_the_mode_that_the_program_would_give(root: Path) -> None:
    output = run_python(
        """
import os, sys
from ddsimport.store.store import Store
from store_helpers import keep, signature
os.umask(0o027)
store = Store.open(sys.argv[1])
store.publish("/a", keep(store, signature(1), "text"), "text")
print(oct(os.stat(store.root + "/data/a").st_mode & 0o777))
""",
        root,
    )
    assert output == "0o640\n"
