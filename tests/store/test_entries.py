from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_helpers import all_files, flip, keep, signature

from ddsimport.errors import StoreError
from ddsimport.store.entries import MOST_CANDIDATES, Candidate, Entry, FileRead, Trace
from ddsimport.store.seals import DamagedError, sealed, unsealed
from ddsimport.store.store import Store
from ddsimport.store.trace import entry_from_json, entry_to_json

texts = st.text(st.characters(exclude_categories=[]), max_size=10)
names = st.integers(0, 2**256 - 1).map(lambda number: f"{number:064x}")
whole = st.integers(0, 2**63)
pairs = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)
reads = st.builds(FileRead, texts, st.none() | names, whole, whole, whole)
traces = st.builds(Trace, st.lists(reads, max_size=3).map(tuple), pairs, pairs, pairs)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    sig = draw(names)
    candidate = st.builds(
        Candidate,
        blob=names,
        size=whole,
        codec=texts,
        digest=names,
        trace=traces,
        seconds=st.floats(0, 1e9),
        created=texts,
        python=texts,
        versions=st.dictionaries(texts, texts, max_size=3),
        path=texts,
        code=names,
        inputs=pairs,
        signature=st.just(sig),
    )
    return Entry(sig, tuple(draw(st.lists(candidate, max_size=3))))


@given(entries())
def test_what_is_written_is_read(entry: Entry) -> None:
    assert entry_from_json(unsealed(sealed(entry_to_json(entry))), entry.signature) == entry


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_one_way(data: bytes) -> None:
    with pytest.raises(DamagedError):
        unsealed(data)


@given(st.dictionaries(texts, plain, min_size=1, max_size=4))
def test_any_sealed_object_is_an_entry_or_refused(record: dict[str, object]) -> None:
    with pytest.raises(DamagedError):
        entry_from_json(unsealed(sealed(record)), signature(1))


@given(entries(), st.data())
def test_an_entry_with_one_strange_field_is_refused_or_still_an_entry(
    entry: Entry, data: st.DataObject
) -> None:
    record = json.loads(sealed(entry_to_json(entry)))
    places = [record, *record["candidates"]]
    place = data.draw(st.sampled_from(places))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(plain)
    try:
        read = entry_from_json(record, entry.signature)
    except DamagedError:
        return
    hash(tuple(candidate.trace for candidate in read.candidates))
    for candidate in read.candidates:
        assert len(candidate.blob) == 64 and set(candidate.blob) <= set("0123456789abcdef")


def entry_file(root: Path) -> Path:
    (found,) = (root / "entries").rglob("*/" + "[0-9a-f]" * 64)
    return found


def test_every_flipped_byte_of_an_entry_is_noticed(store: Store, root: Path) -> None:
    keep(store, signature(1), "value", trace=Trace(output=(("stdout", "printed"),)))
    path = entry_file(root)
    good = path.read_bytes()
    for position in range(len(good)):
        path.write_bytes(good)
        flip(path, position)
        assert store.entry(signature(1)) is None, position
        assert not path.exists()
    assert len(store.damages) == len(good)
    assert len(list((root / "quarantine").iterdir())) == len(good)
    for length in range(len(good)):
        path.write_bytes(good[:length])
        assert store.entry(signature(1)) is None, length
    path.write_bytes(good)
    assert store.entry(signature(1)) is not None


def test_an_entry_under_the_name_of_another_signature_is_damage(store: Store, root: Path) -> None:
    keep(store, signature(1), "value")
    other = root / "entries/v1" / signature(2)[:2] / signature(2)
    other.parent.mkdir(exist_ok=True)
    other.write_bytes(entry_file(root).read_bytes())
    heard: list[str] = []
    store.on_damage = heard.append
    assert store.entry(signature(2)) is None
    assert heard == store.damages and len(heard) == 1 and str(other) in heard[0]


def test_one_signature_has_a_candidate_per_trace_newest_first(store: Store) -> None:
    sig = signature(1)
    for number, content in enumerate("aabac"):
        read = FileRead("data.csv", signature(content), 1, number, number)
        keep(store, sig, number, trace=Trace(files=(read,), output=(("stdout", str(number)),)))
    entry = store.entry(sig)
    assert entry is not None
    assert [store.value(candidate) for candidate in entry.candidates] == [4, 3, 2]


def test_candidates_are_bounded(store: Store) -> None:
    sig = signature(1)
    for number in range(MOST_CANDIDATES + 5):
        keep(store, sig, number, trace=Trace(variables=(("env:A", signature(number)),)))
    entry = store.entry(sig)
    assert entry is not None
    values = [store.value(candidate) for candidate in entry.candidates]
    assert values == list(range(MOST_CANDIDATES + 4, 4, -1))


def test_the_order_of_reads_and_their_status_make_no_other_trace(store: Store) -> None:
    one, two = (FileRead(name, signature(name), 1, 2, 3) for name in "ab")
    keep(store, signature(1), "old", trace=Trace(files=(one, two)))
    later = one.replace(mtime_ns=9, ino=9)
    keep(store, signature(1), "new", trace=Trace(files=(two, later)))
    entry = store.entry(signature(1))
    assert entry is not None and len(entry.candidates) == 1


@pytest.mark.parametrize("sig", ["", "x", "../../etc/passwd", "A" * 64, "g" * 64, "a" * 63])
def test_only_a_hash_is_a_signature(store: Store, root: Path, sig: str) -> None:
    before = all_files(root)
    with pytest.raises(StoreError, match="not a signature"):
        keep(store, sig, "value")
    assert [name for name in all_files(root) if "blobs" not in name] == before
    assert store.entry(sig) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(sig=texts)
def test_anything_else_than_a_hash_has_no_entry(store: Store, sig: str) -> None:
    assert store.entry(sig) is None


def test_touch_moves_the_time_of_last_use(store: Store, root: Path) -> None:
    keep(store, signature(1), "value")
    path = entry_file(root)
    os.utime(path, (1, 1))
    store.touch(signature(1))
    assert path.stat().st_mtime > 1
    store.touch(signature("absent"))
    assert store.entry(signature(1)) is not None


def test_an_unreadable_entry_is_a_store_error_not_a_miss(store: Store, root: Path) -> None:
    keep(store, signature(1), "value")
    path = entry_file(root)
    path.unlink()
    path.mkdir()
    with pytest.raises(StoreError, match="cannot read"):
        store.entry(signature(1))


def test_an_entry_is_about_as_large_as_a_block(store: Store, root: Path) -> None:
    reads = tuple(FileRead(f"data/{n}.csv", signature(n), 10**6, 10**18, 10**7) for n in range(10))
    keep(store, signature(1), "value", trace=Trace(files=reads))
    assert entry_file(root).stat().st_size < 4096


def test_a_long_entry_is_read_whole(store: Store, root: Path) -> None:
    trace = Trace(output=tuple(("stdout", "line\n" * 1000) for _ in range(100)))
    candidate = keep(store, signature(1), "value", trace=trace)
    assert entry_file(root).stat().st_size > 1 << 18
    assert store.entry(signature(1)) == Entry(signature(1), (candidate,))


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"a":' * 100_000, b"\xff", b"1"])
def test_a_sealed_text_that_is_no_record_is_refused(body: bytes) -> None:
    from blake3 import blake3

    head = b'{"seal":"' + blake3(body).hexdigest().encode() + b'",'
    with pytest.raises(DamagedError):
        unsealed(head + body)


def test_what_was_noted_is_what_was_given(store: Store) -> None:
    candidate = keep(
        store, signature(1), "value", python="3.99.1", created="2024-01-31T00:00:00.000Z"
    )
    assert (candidate.python, candidate.created) == ("3.99.1", "2024-01-31T00:00:00.000Z")
    entry = store.entry(signature(1))
    assert entry is not None and entry.candidates == (candidate,)
    assert list(store.signatures()) == [signature(1)]
