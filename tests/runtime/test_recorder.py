"""What a recording sees: files, output, and whose they are."""

from __future__ import annotations

import contextvars
import io
import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from ddsimport.runtime import audited, recorder

audited.install()


@pytest.fixture
def recording() -> Iterator[recorder.Recording]:
    started = recorder.begin()
    yield started
    recorder.end(started)
    assert recorder.current() is None


def test_files_opened_in_any_way(tmp_path: Path, recording: recorder.Recording) -> None:
    for name in "abcd":
        (tmp_path / name).write_bytes(name.encode())
        recording.writes.clear()
    with open(tmp_path / "a") as file:
        file.read()
    (tmp_path / "b").read_text()
    os.close(os.open(bytes(tmp_path / "c"), os.O_RDONLY))
    with io.FileIO(str(tmp_path / "d")) as raw:
        raw.read()
    with pytest.raises(FileNotFoundError):
        (tmp_path / "absent").read_text()
    seen = {os.path.basename(name): stat for name, stat in recording.reads.items()}
    assert set(seen) == {"a", "b", "c", "d", "absent"}
    assert seen["absent"] is None
    assert seen["a"] == recorder.stat_of(str(tmp_path / "a"))


def test_what_is_written_and_read_again_is_no_input(
    tmp_path: Path, recording: recorder.Recording
) -> None:
    path = tmp_path / "new"
    path.write_text("x")
    path.read_text()
    assert list(recording.writes) == [str(path)]
    assert not recording.reads
    os.replace(path, tmp_path / "moved")
    assert list(recording.writes) == [str(tmp_path / "moved")]
    os.remove(tmp_path / "moved")
    assert not recording.writes
    assert not recording.removals


def test_installed_code_and_caches_are_no_inputs(recording: recorder.Recording) -> None:
    with open(os.__file__) as file:
        file.read()
    with open(pytest.__file__) as file:
        file.read()
    with open("/dev/null") as file:
        file.read()
    assert not recording.reads


def test_printed_text_in_order_whoever_prints(
    capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    recording: recorder.Recording = request.getfixturevalue("recording")
    stream = sys.stdout
    print("one")
    print("two", file=stream)
    print("three", file=sys.stderr)
    handler = logging.StreamHandler(sys.stderr)
    handler.emit(logging.LogRecord("n", 20, "p", 1, "four", None, None))
    with redirect_stdout(io.StringIO()):
        print("not the program's output")
    assert recording.output == [("stdout", "one\ntwo\n"), ("stderr", "three\nfour\n")]
    assert sys.stdout is stream
    assert capsys.readouterr() == ("one\ntwo\n", "three\nfour\n")


def test_output_belongs_to_the_stream_that_was_there_at_the_start(
    capsys: pytest.CaptureFixture[str],
) -> None:
    outer = recorder.begin()
    with redirect_stdout(io.StringIO()) as redirected:
        inner = recorder.begin()
        print("inner")
        recorder.end(inner)
    recorder.end(outer)
    assert inner.output == [("stdout", "inner\n")]
    assert outer.output == []
    assert redirected.getvalue() == "inner\n"
    assert capsys.readouterr().out == ""


def test_streams_are_as_before_when_nothing_is_recorded() -> None:
    before = sys.stdout.write
    recorder.end(recorder.begin())
    assert sys.stdout.write == before
    assert "write" not in vars(sys.stdout)


def test_the_outer_recording_sees_what_the_inner_one_does(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    outer = recorder.begin()
    inner = recorder.begin()
    (tmp_path / "f").read_text()
    recorder.end(inner)
    with recorder.unrecorded():
        (tmp_path / "ours").write_text("x")
    recorder.end(outer)
    assert inner.reads == outer.reads != {}
    assert not outer.writes


def test_contexts_do_not_mix_and_a_thread_of_the_step_is_seen(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / name).write_text(name)
    contexts = [contextvars.copy_context() for _ in range(2)]
    first, second = (context.run(recorder.begin) for context in contexts)
    contexts[0].run((tmp_path / "one").read_text)
    contexts[1].run((tmp_path / "two").read_text)
    thread = threading.Thread(target=(tmp_path / "three").read_text)
    thread.start()
    thread.join()
    for context, recording in zip(contexts, (first, second), strict=True):
        context.run(recorder.end, recording)
    names = [{os.path.basename(name) for name in each.reads} for each in (first, second)]
    assert names == [{"one", "three"}, {"two", "three"}]


def test_a_temporary_file_leaves_nothing(recording: recorder.Recording) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"x")
    assert not [name for name in recording.writes if os.path.exists(name)]
    assert not recording.removals


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_child_that_is_forked_while_another_thread_begins_does_not_wait_for_ever() -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with recorder.lock:
            held.set()
            done.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if not child:
        signal.alarm(10)
        recorder.end(recorder.begin())
        os._exit(0)
    _, status = os.waitpid(child, 0)
    done.set()
    thread.join()
    assert os.waitstatus_to_exitcode(status) == 0
