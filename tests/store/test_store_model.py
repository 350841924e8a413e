"""The store against a dictionary: whatever is done to it, it says nothing that is not so."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from store_helpers import all_files, flip, keep, signature

from ddsimport.errors import StoreError
from ddsimport.store.store import AbsentArtifactError, Store
from ddsimport.store.trace import Trace

SIGNATURES = [signature(number) for number in range(4)]
PATHS = ["/a", "/b/c", "/b/d.json", "/é/x"]
sigs = st.sampled_from(SIGNATURES)
paths = st.sampled_from(PATHS)
worlds = st.integers(0, 2)
values = st.one_of(
    st.none(),
    st.integers(),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.binary(max_size=20),
    st.tuples(st.integers()),
    st.sampled_from(["long " * 300_000, b"other" * 300_000]),
)


class TheStore(RuleBasedStateMachine):
    """`kept` is what must be found: signature -> trace -> value. Damage takes the right to *find*
    something away, never the duty to be right about it."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="dds-model-"))
        self.root = self.home / "project" / ".dds"
        self.kept: dict[str, dict[Trace, Any]] = {}
        self.shown: dict[str, Any] = {}
        self.damaged = False

    def teardown(self) -> None:
        shutil.rmtree(self.home)

    @initialize()
    def open(self) -> None:
        self.store = Store.open(str(self.root))

    @rule()
    def open_again(self) -> None:
        self.store = Store.open(str(self.root))

    @rule()
    def move(self) -> None:
        target = self.home / f"elsewhere{random.random()}" / ".dds"
        target.parent.mkdir()
        self.root.rename(target)
        self.root = target
        self.store = Store.open(str(target))

    @rule()
    def copy(self) -> None:
        target = self.home / f"elsewhere{random.random()}" / ".dds"
        shutil.copytree(self.root, target)
        shutil.rmtree(self.root)
        self.root = target
        self.store = Store.open(str(target))

    @rule(sig=sigs, world=worlds, value=values)
    def keep(self, sig: str, world: int, value: object) -> None:
        trace = Trace(variables=(("env:WORLD", signature(world)),))
        lock = self.store.lock(sig)
        assert lock.acquire(timeout=0)
        keep(self.store, sig, value, trace=trace)
        lock.release()
        self.kept.setdefault(sig, {})[trace] = value

    @rule(sig=sigs)
    def look_up(self, sig: str) -> None:
        entry = self.store.entry(sig)
        expected = self.kept.get(sig, {})
        found = {}
        for candidate in entry.candidates if entry else ():
            assert candidate.trace not in found
            with suppress(StoreError):
                found[candidate.trace] = self.store.value(candidate)
        for trace, value in found.items():
            assert value == expected[trace] and type(value) is type(expected[trace])
        if not self.damaged:
            assert found.keys() == expected.keys()
            assert self.store.damages == []

    @rule(sig=sigs, path=paths)
    def publish(self, sig: str, path: str) -> None:
        entry = self.store.entry(sig)
        for candidate in entry.candidates if entry else ():
            with suppress(StoreError):
                value = self.store.value(candidate)
                self.store.publish(path, candidate, value, "pickle")
                assert self.store.shows(path, candidate, "pickle")
                self.shown[path] = value

    @rule(path=paths)
    def load(self, path: str) -> None:
        try:
            value = self.store.load(path)
        except AbsentArtifactError:
            assert path not in self.shown or self.damaged
        except StoreError:
            assert self.damaged
        else:
            assert value == self.shown[path] and type(value) is type(self.shown[path])

    @rule(path=paths, text=st.binary(max_size=5))
    def scribble_on_a_view(self, path: str, text: bytes) -> None:
        view = Path(f"{self.root}/data{path}")
        if view.exists():
            view.write_bytes(text)

    @rule(sig=sigs)
    def touch(self, sig: str) -> None:
        self.store.touch(sig)

    @rule()
    def sweep(self) -> None:
        assert self.store.sweep() == 0

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def damage(self, data: st.DataObject) -> None:
        files = [
            name
            for name in all_files(self.root)
            if name.startswith(("entries/", "blobs/", "views/"))
        ]
        if not files:
            return
        path = self.root / data.draw(st.sampled_from(files))
        size = path.stat().st_size
        kind = data.draw(st.sampled_from(["flip", "cut", "empty", "remove"]))
        if kind == "flip" and size:
            flip(path, data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, 255)))
        elif kind == "remove":
            path.unlink()
        else:
            path.chmod(0o600)
            os.truncate(path, data.draw(st.integers(0, size)) if kind == "cut" else 0)
        self.damaged = True
        # In this process the status of a large blob may hide it for one tick of the clock.
        self.store = Store.open(str(self.root))

    @invariant()
    def nothing_is_left_over(self) -> None:
        for folder in ("tmp", "locks"):
            if (self.root / folder).exists():
                assert os.listdir(self.root / folder) == []


TheStore.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestTheStore = TheStore.TestCase
