"""Streams whose `write` is stood in for, in whatever order that begins and ends."""

from __future__ import annotations

import io
import os
import threading
from itertools import permutations
from pathlib import Path

import pytest

from ddsimport.runtime import descriptors, output, recorder


class Stream(io.StringIO):
    """With a `__dict__`, as standard output has."""


def test_a_write_that_the_program_has_set_comes_back(monkeypatch):
    stream = Stream()
    monkeypatch.setattr("sys.stdout", stream)

    def shout(text):
        return Stream.write(stream, text.upper())

    stream.write = shout
    output.tap(lambda *_: None)
    output.untap()
    print("one")
    with output.silenced():
        print("none")
    print("two")
    assert stream.getvalue() == "ONE\nTWO\n"
    assert stream.write is shout


@pytest.mark.parametrize("order", [each for each in permutations("aAbBtT") if all(
    each.index(name) < each.index(name.upper()) for name in "abt")], ids="".join)  # fmt: skip
def test_in_any_order_nothing_is_left_and_only_the_silent_are_silent(monkeypatch, order):
    """Two threads fall silent and speak again (a, A, b, B) while a recording begins and ends."""
    stream = Stream()
    monkeypatch.setattr("sys.stdout", stream)
    told = []
    enter = {name: threading.Event() for name in order}
    entered = {name: threading.Event() for name in order}

    def fall_silent(name):
        assert enter[name].wait(10)
        with output.silenced():
            print("never")
            entered[name].set()
            assert enter[name.upper()].wait(10)
            print("never")
        entered[name.upper()].set()

    threads = [threading.Thread(target=fall_silent, args=(name,)) for name in "ab"]
    for each in threads:
        each.start()
    expected = []
    for name in order:
        if name == "t":
            output.tap(lambda _, text: told.append(text))
        elif name == "T":
            output.untap()
        else:
            enter[name].set()
            assert entered[name].wait(10)
        stream.write(name)
        if order.index("t") <= order.index(name) < order.index("T"):
            expected.append(name)
    for each in threads:
        each.join()
    assert stream.getvalue() == "".join(order)
    assert told == expected
    assert "write" not in vars(stream)


def test_what_a_stream_writes_just_now_in_another_thread_is_no_strangers(tmp_path: Path) -> None:
    """A hit printed that text once more: a thread looked between the write and the note of it."""
    told: list[str | None] = []
    descriptor = os.open(tmp_path / "out", os.O_RDWR | os.O_CREAT)
    watch = descriptors._Watch(descriptor, False, lambda name, text: told.append(text))
    written, done = threading.Event(), threading.Event()

    class Raw:
        def write(self, data: bytes) -> int:
            count = os.write(descriptor, data)
            written.set()
            done.wait(10)
            return count

    writer = threading.Thread(target=descriptors._Write(Raw(), watch), args=(b"text",))
    writer.start()
    written.wait(10)
    looker = threading.Thread(target=watch.look)
    looker.start()
    looker.join(0.2)  # as far as it gets
    done.set()
    looker.join()
    writer.join()
    os.write(descriptor, b"past it")
    watch.look()
    os.close(descriptor)
    assert told == ["past it"]


def test_what_another_thread_is_writing_when_an_evaluation_begins_is_no_strangers(
    monkeypatch, tmp_path: Path
) -> None:
    """As above; but that write had begun before anybody followed the descriptor."""
    entered, go = threading.Event(), threading.Event()

    class Raw(io.FileIO):
        def write(self, data) -> int:
            entered.set()
            go.wait(10)
            return super().write(data)

    kept = os.dup(1)
    file = os.open(tmp_path / "out", os.O_RDWR | os.O_CREAT)
    os.dup2(file, 1)
    try:
        stream = io.TextIOWrapper(io.BufferedWriter(Raw(1, "w", closefd=False)))
        monkeypatch.setattr("sys.stdout", stream)
        stream.write("text")
        writer = threading.Thread(target=stream.flush)
        writer.start()
        entered.wait(10)
        threading.Timer(0.2, go.set).start()
        recording = recorder.begin()
        writer.join()
        os.write(1, b"past it")
        recorder.end(recording)
        assert recording.output == [("descriptor:1", "past it")]
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(file)
