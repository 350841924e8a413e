"""Keys, and what is believed of the candidates that others made."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from store_helpers import keep, signature

from ddsimport.errors import StoreError
from ddsimport.store import exchange, keys, sharing
from ddsimport.store.folder import Folder
from ddsimport.store.sharing import RefusedError, accepted, offered
from ddsimport.store.store import Store
from ddsimport.store.trace import UNSIGNED, Candidate, FileRead, Trace

pytest.importorskip("cryptography")

SIG = signature("step")


@pytest.fixture(autouse=True)
def at(tmp_path, monkeypatch):
    """Be a user, by his name; who is somebody else from then on."""

    def be(name: str) -> Path:
        folder = tmp_path / f"keys-{name}"
        monkeypatch.setenv(keys.FOLDER_VARIABLE, str(folder))
        monkeypatch.setattr(sharing, "_trust", {})  # it is remembered for a process
        return folder

    be("me")
    return be


class Anything:
    """What only pickle keeps."""

    def __init__(self) -> None:
        self.held = [1]


def _taken(candidate: Candidate, **options: Any) -> Candidate:
    """The candidate as who reads it takes it up."""
    offer = offered(SIG, candidate, **options)
    return accepted(SIG, offer.key.rpartition("/")[2], offer.content)


def _refusal(content: bytes) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        accepted(SIG, blake3(content).hexdigest(), content)
    return caught.value


# --- keys -----------------------------------------------------------------------------------------


def test_a_key_is_made_once_and_is_for_its_owner_alone(at):
    folder = at("new")
    assert keys.own() is None
    assert keys.signature_of(b"data") is None
    public = keys.create()
    assert keys.is_key(public)
    assert keys.own() == public
    assert stat.S_IMODE((folder / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    with pytest.raises(keys.KeysError, match="already"):
        keys.create()
    assert keys.own() == public


def test_a_signature_is_of_these_bytes_by_this_key(at):
    public = keys.create()
    key, mac = keys.signature_of(b"data")
    assert key == public
    assert keys.is_signed(b"data", key, mac)
    assert not keys.is_signed(b"Data", key, mac)
    assert not keys.is_signed(b"data", key, ("0" if mac[0] != "0" else "1") + mac[1:])
    assert not keys.is_signed(b"data", key, "")
    at("other")
    assert not keys.is_signed(b"data", keys.create(), mac)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_private_key_that_others_may_read_is_not_used(at, mode):
    keys.create()
    (at("me") / "key").chmod(mode)
    with pytest.raises(keys.KeysError, match="chmod go-rwx"):
        keys.own()


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_list_that_others_may_write_is_not_believed(at, mode):
    keys.trust("a" * 64)
    (at("me") / "trusted").chmod(mode)
    with pytest.raises(keys.KeysError, match="chmod go-w"):
        keys.trusts("a" * 64)


def test_a_folder_that_others_may_write_is_not_believed(at):
    keys.trust("a" * 64)
    at("me").chmod(0o777)
    with pytest.raises(keys.KeysError, match="chmod go-w"):
        keys.trusts("a" * 64)


def test_links_and_pipes_in_place_of_keys_are_not_followed(at, tmp_path):
    keys.create()
    folder = at("me")
    (folder / "key").rename(tmp_path / "elsewhere")
    (folder / "key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(keys.KeysError):
        keys.own()
    os.mkfifo(folder / "trusted", 0o600)
    with pytest.raises(keys.KeysError, match="not a file"):
        keys.trusted()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_keys_of_another_user_are_not_used(at):
    keys.create()
    os.chown(at("me") / "key", 12345, -1)
    with pytest.raises(keys.KeysError, match="belongs to another user"):
        keys.own()


def test_what_is_no_private_key_is_not_used(at):
    keys.create()
    (at("me") / "key").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    with pytest.raises(keys.KeysError, match="not a private key of Ed25519"):
        keys.own()


def test_trust_is_given_and_taken_back():
    keys.trust("a" * 64, "Ann Onymous")
    keys.trust("b" * 64)
    assert keys.trusted() == {"a" * 64: "Ann Onymous", "b" * 64: ""}
    assert keys.trusts("a" * 64)
    keys.distrust("a" * 64)
    assert not keys.trusts("a" * 64)
    with pytest.raises(keys.KeysError):
        keys.distrust("a" * 64)
    assert keys.trusts(keys.create())  # one's own


@pytest.mark.parametrize("key", ["", "a" * 63, "A" * 64, "g" * 64, "a" * 64 + "\n", "../x"])
def test_what_is_no_key_cannot_be_trusted(key):
    with pytest.raises(keys.KeysError, match="not a public key"):
        keys.trust(key)
    assert not keys.trusts(key)


@pytest.mark.parametrize("name", ["a\n" + "b" * 64, "\x1b[31m", "n" * 81])
def test_a_name_cannot_bring_a_key_along(name):
    with pytest.raises(keys.KeysError, match="not a name"):
        keys.trust("a" * 64, name)
    assert keys.trusted() == {}


# --- what is believed -----------------------------------------------------------------------------


def test_plain_data_needs_no_signature(store):
    for value in ("text", b"bytes", {"a": [1, None]}, 3.5):
        assert _taken(keep(store, SIG, value)).origin == UNSIGNED


def test_arrays_need_none_either(store):
    numpy = pytest.importorskip("numpy")
    assert _taken(keep(store, SIG, numpy.arange(5.0))).origin == UNSIGNED


def test_what_may_run_code_needs_one_of_a_trusted_key(store, at):
    at("maker")
    candidate = keep(store, SIG, Anything())
    assert candidate.codec == "pickle"
    unsigned = offered(SIG, candidate)
    maker = keys.create()
    offer = offered(SIG, candidate)
    at("reader")
    assert "may run code" in str(_refusal(unsigned.content))
    assert _refusal(unsigned.content).key == ""
    refused = _refusal(offer.content)
    assert refused.key == maker
    keys.trust(maker)
    sharing._trust.clear()
    found = accepted(SIG, blake3(offer.content).hexdigest(), offer.content)
    assert found == candidate.replace(origin=maker)


def test_a_codec_of_somebody_elses_needs_one(store):
    candidate = keep(store, SIG, "text")
    for name in ("pickle", "arrow", "sparse", "polars", "mine.Thing.thing@0123456789abcdef", "x"):
        with pytest.raises(RefusedError, match="may run code"):
            _taken(candidate.replace(codec=name))


@pytest.mark.parametrize(
    ("trace", "said"),
    [
        (Trace(effects=(("left:file", f'{{"path":"x","blob":"{SIG}","size":1}}'),)), "leaves"),
        (Trace(effects=(("left:removed", '{"path":"/etc/passwd"}'),)), "leaves"),
        (Trace(effects=(("import", "antigravity"),)), "leaves"),
        (Trace(effects=(("random:random", "[]"),)), "leaves"),
        (Trace(output=(("descriptor:7", "x"),)), "something else"),
        (Trace(output=(("log:0:root", "x"),)), "something else"),
        (Trace(output=(("stdout.buffer", "x"),)), "something else"),
        (Trace(output=(("stdout", "\x1b]0;owned\x07"),)), "control characters"),
    ],
)  # fmt: skip
def test_what_does_more_than_give_a_plain_value_needs_one(store, at, trace, said):
    candidate = keep(store, SIG, "text", trace=trace)
    with pytest.raises(RefusedError, match=said):
        _taken(candidate, sign=False)
    keys.create()
    assert _taken(candidate) == candidate.replace(origin=keys.own())


def test_what_it_printed_and_read_comes_along_without_the_status_of_files_here(store):
    trace = Trace(
        files=(FileRead("data.csv", "c" * 64, 10, 123_456, 99),),
        output=(("stdout", "hello\n\t✓\r\n"), ("stderr", "")),
    )
    found = _taken(keep(store, SIG, "text", trace=trace))
    assert found.trace.files == (FileRead("data.csv", "c" * 64, 0, 0, 0),)
    assert found.trace.output == trace.output


def test_a_changed_object_is_refused_by_its_name(store):
    offer = offered(SIG, keep(store, SIG, "text"))
    with pytest.raises(RefusedError, match="does not fit its name"):
        accepted(SIG, offer.key[-64:], offer.content.replace(b"text", b"Text"))


def test_a_changed_object_under_a_new_name_is_forged(store):
    keys.create()
    content = offered(SIG, keep(store, SIG, Anything())).content
    record = json.loads(content)
    for change in (
        lambda one: one["candidates"][0].update(blob="f" * 64),
        lambda one: one["candidates"][0].update(codec="json"),
        lambda one: one["candidates"][0].update(effects=[["import", "this"]]),
        lambda one: one["signed"].update(ed25519="0" * 128),
        lambda one: one["signed"].update(ed25519="x"),
    ):
        changed = json.loads(content)
        change(changed)
        assert "forged" in str(_refusal(sharing._canonical(changed)))
    del record["signed"]
    assert "may run code" in str(_refusal(sharing._canonical(record)))


def test_an_object_of_one_signature_is_none_of_another(store):
    keys.create()
    offer = offered(SIG, keep(store, SIG, "text"))
    with pytest.raises(RefusedError, match="not the entry of this signature"):
        accepted(signature("other"), offer.key[-64:], offer.content)


def test_a_signature_of_something_else_is_none_of_a_candidate(store, at):
    """Whoever lets others sign texts of their own does not sign candidates."""
    keys.create()
    record = json.loads(offered(SIG, keep(store, SIG, Anything()), sign=False).content)
    key, mac = keys.signature_of(sharing._canonical(record))
    record["signed"] = {"key": key, "ed25519": mac}
    assert "forged" in str(_refusal(sharing._canonical(record)))


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b"null", b"\xff", b"[" * 100_000, b'{"format":1}', b"1e999"],
)
def test_what_is_no_candidate_is_refused(content):
    _refusal(content)


def test_odd_candidates_are_refused(store):
    good = json.loads(offered(SIG, keep(store, SIG, "text"), sign=False).content)
    for field, value in [
        ("blob", "../../../../etc/passwd"),
        ("blob", "F" * 64),
        ("size", -1),
        ("size", True),
        ("path", "/../x"),
        ("path", "/a\x1b[0m"),
        ("created", "yesterday"),
        ("seconds", "long"),
        ("files", [["a\0b", None, 0, 0, 0]]),
        ("variables", [["until:", "never"]]),
        ("effects", [["left:file", "{}"]]),
        ("effects", [["left:file", '{"blob": "../x", "size": 1}']]),
        ("classes", [1]),
    ]:
        record = json.loads(json.dumps(good))
        record["candidates"][0][field] = value
        _refusal(sharing._canonical(record))
    several = json.loads(json.dumps(good))
    several["candidates"] *= 2
    assert "not one candidate" in str(_refusal(sharing._canonical(several)))
    extra = json.dumps(good).encode()  # the same record in another form
    assert "not in the form" in str(_refusal(extra))


def test_an_origin_is_not_taken_from_the_object(store):
    record = json.loads(offered(SIG, keep(store, SIG, "text"), sign=False).content)
    record["candidates"][0]["origin"] = ""
    content = sharing._canonical(record)
    assert accepted(SIG, blake3(content).hexdigest(), content).origin == UNSIGNED


# --- in the store ---------------------------------------------------------------------------------


def _shared(tmp_path: Path, value: object, at: Any) -> tuple[Folder, str]:
    """A value that its maker pushed, and the maker's key."""
    at("maker")
    maker = keys.own() or keys.create()
    remote = Folder(f"file://{tmp_path}/remote")
    store = Store.open(str(tmp_path / "theirs"))
    keep(store, SIG, value)
    exchange.push(store, remote, [SIG], print)
    return remote, maker


def test_trust_that_is_taken_back_counts_at_once(store, tmp_path, at):
    remote, maker = _shared(tmp_path, Anything(), at)
    at("reader")
    keys.trust(maker)
    assert exchange.pull(store, remote, (), print).moved == 1
    assert len(store.entry(SIG).candidates) == 1
    keys.distrust(maker)
    sharing._trust.clear()
    assert store.entry(SIG).candidates == ()
    assert store.known_entry(SIG).candidates == ()


def test_what_is_shown_is_not_loaded_either_once_trust_is_taken_back(store, tmp_path, at):
    remote, maker = _shared(tmp_path, Anything(), at)
    at("reader")
    keys.trust(maker)
    exchange.pull(store, remote, (), print)
    (candidate,) = store.entry(SIG).candidates
    store.publish("/a/b", candidate, store.value(candidate))
    assert store.load("/a/b").held == [1]
    keys.distrust(maker)
    sharing._trust.clear()
    with pytest.raises(StoreError, match="not trusted now"):
        store.load("/a/b")


def test_what_came_from_others_is_not_passed_on_under_ones_own_name(store, tmp_path, at):
    remote, maker = _shared(tmp_path, Anything(), at)
    at("reader")
    keys.create()
    keys.trust(maker)
    exchange.pull(store, remote, (), print)
    (candidate,) = store.entry(SIG).candidates
    store.add(signature("adopted"), candidate)  # as a footprint does
    further = Folder(f"file://{tmp_path}/further")
    done = exchange.push(store, further, store.signatures(), print)
    assert done.moved == 0
    assert list(further.listed("entries")) == []


def test_what_was_kept_here_goes_before_what_others_have(store, tmp_path, at):
    remote, _ = _shared(tmp_path, "theirs", at)
    at("reader")
    keep(store, SIG, "mine")
    assert exchange.pull(store, remote, (), print).moved == 0
    assert [store.value(each) for each in store.entry(SIG).candidates] == ["mine"]


def test_many_candidates_of_others_displace_none_of_ones_own(store, at):
    mine = keep(store, SIG, "mine")
    others = [
        mine.replace(origin=UNSIGNED, trace=Trace(variables=(("env:X", str(number)),)))
        for number in range(100)
    ]
    assert len(store.others.take_up(SIG, others).candidates) == 101
    again = Store.open(store.root).entry(SIG).candidates
    assert again[0] == mine
    assert len(again) == 16


def test_without_a_key_only_plain_values_are_pushed(store, tmp_path):
    keep(store, SIG, Anything())
    keep(store, signature(2), "plain")
    said: list[str] = []
    remote = Folder(f"file://{tmp_path}/remote")
    done = exchange.push(
        store, remote, store.signatures(), lambda _, sentence: said.append(sentence)
    )
    assert (done.moved, done.left) == (1, 1)
    assert "key create" in said[0]


def test_pull_takes_the_paths_that_are_named(store, tmp_path, at):
    at("maker")
    theirs = Store.open(str(tmp_path / "theirs"))
    for number, path in enumerate(["/wine/raw", "/wine/deep/er", "/winery", "/x"]):
        keep(theirs, signature(number), f"text {number}", path=path)
    remote = Folder(f"file://{tmp_path}/remote")
    exchange.push(theirs, remote, theirs.signatures(), print)
    assert exchange.pull(store, remote, ["/wine"], print).moved == 2
    assert set(store.signatures()) == {signature(0), signature(1)}
