"""What values were made from: kept, shared, damaged, and dropped when long unused."""

from __future__ import annotations

import os
import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ddsimport.store.acceptances import Acceptance
from ddsimport.store.collector import Budget, collect
from ddsimport.store.provenance import Provenance, Quantity, Snapshot
from ddsimport.store.store import Store

_NAME = "ab" * 32


def made(signature: str = _NAME, snapshot: str = "") -> Provenance:
    return Provenance(
        signature=signature,
        path="/x",
        module="__main__",
        file="main.py",
        line=3,
        column=0,
        target="x",
        template="/x",
        options=(("version", "2"),),
        reach="cd" * 32,
        snapshot=snapshot,
        inputs=(Quantity("n", "00", "5"),),
        variables=(),
        value="list of 9",
        inside=("/y",),
    )


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_what_is_written_is_read(root: Path) -> None:
    store = Store.open(str(root))
    snapshot = Snapshot(
        {"main.py": _NAME}, (("s", "__main__", "main.py", "3:0"), ("d", "a", "b", 4))
    )
    name = store.provenances.add_snapshot(snapshot)
    assert store.provenances.add_snapshot(snapshot) == name
    store.provenances.write(made(snapshot=name))
    store.provenances.add_text(_NAME, "x = 1\n")
    store.provenances.add_state("main.py", 17, 6, _NAME)
    again = Store.open(str(root)).provenances
    assert again.read(_NAME) == made(snapshot=name)
    assert again.snapshot(name) == snapshot
    assert (again.text(_NAME), again.has_text(_NAME)) == ("x = 1\n", True)
    assert again.state("main.py", 17, 6) == _NAME
    assert again.state("main.py", 18, 6) is None and not again.has_state("main.py", 18, 6)
    assert again.read("cd" * 32) is None and again.text("cd" * 32) is None


@given(st.data())
def test_a_changed_byte_is_as_good_as_none(tmp_path_factory, data) -> None:
    root = tmp_path_factory.mktemp("store") / ".dds"
    store = Store.open(str(root))
    store.provenances.write(made())
    store.provenances.add_text(_NAME, "x = 1\n")
    file = data.draw(st.sampled_from(sorted(files(root / "provenance") + files(root / "sources"))))
    content = bytearray(file.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    file.write_bytes(content)
    again = Store.open(str(root)).provenances
    assert again.read(_NAME) in (None, made())
    assert again.text(_NAME) in (None, "x = 1\n")
    assert again.read(_NAME) is None or again.text(_NAME) is None


def test_what_is_long_unused_goes_and_what_is_of_use_stays(root: Path) -> None:
    store = Store.open(str(root))
    store.provenances.add_text(_NAME, "old")
    store.provenances.add_text("cd" * 32, "used")
    long_ago = time.time() - 400 * 86_400
    for path in files(root / "sources"):
        os.utime(path, (long_ago, long_ago))
    again = Store.open(str(root))
    assert again.provenances.has_text("cd" * 32)
    collect(str(root), Budget(bytes=10**9, files=10**6))
    assert again.provenances.text(_NAME) is None
    assert again.provenances.text("cd" * 32) == "used"


def test_acceptances_are_kept_whatever_their_age(root: Path) -> None:
    store = Store.open(str(root))
    assert not store.acceptances.any()
    word = Acceptance("/x", "ab" * 32, "cd" * 32, "Ada", "2026-11-27T00:00:00Z", "same", "diff")
    store.acceptances.add(word)
    for path in files(root / "accepted"):
        os.utime(path, (0, 0))
    collect(str(root), Budget(bytes=1, files=1))
    again = Store.open(str(root)).acceptances
    assert (again.any(), again.of("ab" * 32), list(again.all())) == (True, word, [word])
    for path in files(root / "accepted"):
        path.write_bytes(path.read_bytes().replace(b"Ada", b"Bob"))
    assert again.of("ab" * 32) is None
