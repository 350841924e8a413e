"""What paths have shown: appended, bounded, readable after a torn line; past values by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_helpers import flip, keep, run_python, signature

from ddsimport.store import history
from ddsimport.store.history import _lines_backwards
from ddsimport.store.store import AbsentArtifactError, Store


def show(store: Store, path: str, value: object) -> None:
    candidate = keep(store, signature(value), value, path=path)
    store.publish(path, candidate, value)


def test_newest_first_and_each_once(store: Store) -> None:
    for value in ("one", "two", "two", "three", "one"):
        show(store, "/a", value)
    show(store, "/b", "other")
    found = [store.load("/a", each.blob) for each in store.history.versions("/a")]
    assert found == ["one", "three", "two", "one"]
    newest = next(store.history.versions("/a"))
    assert (newest.path, newest.seconds, newest.python) == ("/a", 0.5, newest.python)
    assert newest.inputs == (("x", signature("x")),)
    assert list(store.history.versions("/never")) == []


def test_past_values_by_name_and_by_place(store: Store) -> None:
    for value in ("one", "two", "three"):
        show(store, "/a", value)
    newest, _, oldest = [each.blob for each in store.history.versions("/a")]
    assert store.load("/a", oldest[:10]) == "one"
    assert [store.load("/a", back) for back in (0, -1, -2)] == ["three", "two", "one"]
    for wrong in (-3, 1, "", "no", newest + "0"):
        with pytest.raises(AbsentArtifactError, match=newest[:12]):
            store.load("/a", wrong)


def test_a_torn_or_damaged_line_costs_only_itself(store: Store, root: Path) -> None:
    file = root / "history/v1/a.json"
    show(store, "/a", "one")
    first = file.stat().st_size
    show(store, "/a", "two")
    os.truncate(file, file.stat().st_size - 10)
    show(store, "/a", "three")
    assert [store.load("/a", each.blob) for each in store.history.versions("/a")] == [
        "three",
        "one",
    ]
    flip(file, first // 2)
    assert [store.load("/a", each.blob) for each in store.history.versions("/a")] == ["three"]


def test_it_is_cut_to_the_newest(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST", 5)
    monkeypatch.setattr(history, "_LONGEST", 6000)
    for number in range(40):
        show(store, "/a", number)
    found = [store.load("/a", each.blob) for each in store.history.versions("/a")]
    assert found == list(range(39, 39 - len(found), -1))
    assert 5 <= len(found) < 20


def test_processes_do_not_mix_their_lines(root: Path) -> None:
    Store.open(str(root))
    run_python(
        """
import os, sys
from ddsimport.store.store import Store
from store_helpers import keep, signature
pids = []
for process in range(4):
    pid = os.fork()
    if pid == 0:
        store = Store.open(sys.argv[1])
        for number in range(25):
            value = f"{process}-{number}"
            store.publish("/a", keep(store, signature(value), value, path="/a"), value)
        os._exit(0)
    pids.append(pid)
assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 4
""",
        root,
    )
    store = Store.open(str(root))
    found = [store.load("/a", each.blob) for each in store.history.versions("/a")]
    assert len(found) == 100 == len(set(found))


@settings(max_examples=200, deadline=None)
@given(
    lines=st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=12),
    block=st.integers(1, 30),
    torn=st.booleans(),
)
def test_lines_backwards(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], block: int, torn: bool
) -> None:
    file = tmp_path_factory.mktemp("lines") / "file"
    text = b"".join(line + b"\n" for line in lines)
    file.write_bytes(text[:-1] if torn else text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "_BLOCK", block)
        found = list(_lines_backwards(str(file)))
    assert found == [line for line in reversed(lines) if line]
