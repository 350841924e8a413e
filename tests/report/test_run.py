"""A run's events, its summary and its report: what is said, where, how often."""

from __future__ import annotations

import gc
import json
import os
import stat
import threading

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ddsimport.report import events
from ddsimport.report.events import Event, Run, Waiting
from ddsimport.report.terminal import duration, line_of, report_of, summary, write_report


def event(status="hit", path="/x", line=3, **fields):
    values = {"signature": "ab", "seconds": 0.0, "saved_seconds": 0.0, "reason": ""} | fields
    return Event(path=path, module="pipeline", line=line, status=status, **values)


texts = st.text(max_size=20)
times = st.floats(0, 1e6)
some_events = st.lists(
    st.builds(
        Event,
        path=texts,
        module=texts,
        line=st.integers(1, 10**6),
        status=st.sampled_from(["hit", "computed", "failed", "uncached"]),
        signature=texts,
        seconds=times,
        saved_seconds=times,
        reason=texts,
    ),
    max_size=30,
)


# --- the summary ---------------------------------------------------------------------------------


def test_nothing_ran_nothing_is_said():
    assert summary(Run()) == ""


def test_a_run():
    run = Run()
    run.add(event(saved_seconds=61.0))
    run.add(event(saved_seconds=11.0))
    run.add(event("computed", seconds=3.25))
    run.add(event("uncached", path="/wine/lock", line=12, seconds=0.25, reason="`.lock` is a lock"))
    run.add(event("failed", path="/wine/bad", line=14, seconds=0.5, reason="it raised"))
    assert summary(run) == (
        "ddsimport: 5 steps: 2 hits, 1 computed, 1 uncached, 1 failed;"
        " 1 min 12 s saved, 4.0 s spent\n"
        "  uncached /wine/lock (pipeline:12): `.lock` is a lock\n"
        "  failed /wine/bad (pipeline:14): it raised\n"
    )


@pytest.mark.parametrize(
    ("statuses", "text"),
    [
        (["hit"], "1 step: 1 hit; 2.0 s saved"),
        (["hit", "hit"], "2 steps: 2 hits; 4.0 s saved"),
        (["computed"], "1 step: 1 computed; 3.0 s spent"),
        (["hit", "computed"], "2 steps: 1 hit, 1 computed; 2.0 s saved, 3.0 s spent"),
    ],
)
def test_only_what_occurred(statuses, text):
    run = Run()
    for status in statuses:
        run.add(event(status, seconds=3.0, saved_seconds=2.0 if status == "hit" else 0.0))
    assert summary(run) == f"ddsimport: {text}\n"


def test_a_problem_that_recurs_is_one_line():
    run = Run()
    for _ in range(1000):
        run.add(event("uncached", reason="why"))
    assert summary(run).splitlines()[1:] == ["  uncached /x (pipeline:3) (1000 times): why"]


def test_many_problems_are_cut():
    run = Run()
    for line in range(25):
        run.add(event("uncached", line=line, reason="why"))
    lines = summary(run).splitlines()
    assert len(lines) == 12
    assert "15 more" in lines[-1]
    assert "--report" in lines[-1]


@given(some_events)
def test_the_summary_counts_everything(them):
    run = Run()
    for one in them:
        run.add(one)
    assert sum(run.counts.values()) == len(them)
    assert run.events == them
    assert bool(summary(run)) == bool(them)
    assert all(line_of(one).count("\n") >= 1 for one in them)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 ms"),
        (0.0000123, "0.012 ms"),
        (0.0123, "12.3 ms"),
        (0.4567, "457 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min"),
        (72.0, "1 min 12 s"),
        (3599.6, "1 h"),
        (7680.0, "2 h 8 min"),
        (172800.0, "2 d"),
        (180000.0, "2 d 2 h"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@given(st.floats(0, 1e9))
@example(0.06)
@example(59.95)
@example(3599.7)
@example(60 * 86400)
def test_durations_have_no_sixty_seconds_or_minutes(seconds):
    """Sixty milliseconds and sixty days are right: neither makes one of the next unit."""
    said = f" {duration(seconds)} "
    assert " 60 s " not in said and " 60 min " not in said
    assert "e" not in said


# --- many events, many threads -------------------------------------------------------------------


def test_a_loop_without_a_report_keeps_few(monkeypatch):
    monkeypatch.setattr(events, "KEPT_WITHOUT_REPORT", 5)
    run, reported = Run(), Run(report="file")
    for _ in range(8):
        run.add(event())
        reported.add(event())
    assert (len(run.events), run.counts["hit"]) == (5, 8)
    assert len(reported.events) == 8


def test_threads():
    run = Run(report="file")

    def work():
        for _ in range(500):
            run.add(event(saved_seconds=1.0))
            run.say("key", "once")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert run.counts["hit"] == len(run.events) == 4000
    assert run.saved_seconds == 4000


def test_an_event_from_a_finalizer_inside_an_event():
    """What the garbage collector runs in the middle of `add` must not wait for it."""
    run = Run()

    class Evaluation:
        def __init__(self):
            self.itself = self

        def __del__(self):
            run.add(event("failed"))

    class Path(str):
        def __hash__(self):
            Evaluation()
            gc.collect()
            return super().__hash__()

    finished = threading.Event()

    def add():
        run.add(event("uncached", path=Path("/x")))
        finished.set()

    threading.Thread(target=add, daemon=True).start()
    assert finished.wait(30)
    assert run.counts["failed"] >= 1


# --- messages ------------------------------------------------------------------------------------


def test_what_is_said_is_said_once(capfd):
    run = Run()
    run.say("a", "first")
    run.say("a", "second")
    run.say("b", "third")
    assert capfd.readouterr().err == "ddsimport: first\nddsimport: third\n"


def test_quiet(capfd, tmp_path):
    run = Run(quiet=True, verbose=True, report=str(tmp_path / "r"))
    run.add(event("uncached"))
    run.say("a", "first")
    run.end()
    assert capfd.readouterr() == ("", "")
    assert (tmp_path / "r").exists()


def test_a_child(capfd, tmp_path):
    run = Run(in_child=True, report=str(tmp_path / "r"))
    run.add(event("uncached"))
    run.say("a", "first")
    run.end()
    assert capfd.readouterr() == ("", "")
    assert not (tmp_path / "r").exists()


def test_a_verbose_child(capfd):
    run = Run(in_child=True, verbose=True)
    run.add(event())
    run.say("a", "first")
    run.end()
    assert capfd.readouterr().err == line_of(event()) + "ddsimport: first\n"


def test_a_line_per_step(capfd):
    run = Run(verbose=True)
    run.add(event(saved_seconds=2.0))
    run.add(event("uncached", seconds=0.5, reason="why"))
    assert capfd.readouterr().err == (
        "ddsimport: hit      /x (pipeline:3), 2.0 s saved\n"
        "ddsimport: uncached /x (pipeline:3), 500 ms: why\n"
    )


def test_what_waits_for_the_end(capfd):
    run = Run()
    called = []

    def failing():
        called.append("failing")
        raise OSError("full")

    run.at_end += [lambda: called.append("first"), failing, lambda: called.append("last")]
    run.end()
    assert called == ["first", "failing", "last"]
    assert "full" in capfd.readouterr().err


# --- the report ----------------------------------------------------------------------------------


@given(some_events)
def test_the_report_holds_every_step_in_order(them):
    run = Run(report="file")
    for one in them:
        run.add(one)
    read = json.loads(report_of(run))
    assert list(read) == ["version", "steps"]
    assert read["version"] == 1
    for step, one in zip(read["steps"], them, strict=True):
        assert {**one.as_dict(), "loaded": True} == step
        assert list(step) == [
            "path",
            "module",
            "line",
            "status",
            "signature",
            "seconds",
            "saved_seconds",
            "reason",
            "loaded",
        ]


def test_the_report_replaces_the_old_one_whole(tmp_path):
    file = tmp_path / "report.json"
    file.write_text("old")
    inode = file.stat().st_ino
    write_report(Run(), str(file))
    assert json.loads(file.read_text()) == {"version": 1, "steps": []}
    assert file.stat().st_ino != inode
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_report_that_cannot_be_put_in_place_leaves_nothing(tmp_path, monkeypatch):
    def replace(*_):
        raise OSError("no")

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(OSError, match="no"):
        write_report(Run(), str(tmp_path / "report.json"))
    assert os.listdir(tmp_path) == []


def test_a_report_through_a_link(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_report(Run(), str(tmp_path / "link"))
    assert (tmp_path / "link").is_symlink()
    assert json.loads((tmp_path / "real").read_text())["version"] == 1


def test_a_report_to_a_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    thread = threading.Thread(target=lambda: read.append(pipe.read_text()))
    thread.start()
    write_report(Run(), str(pipe))
    thread.join(30)
    assert json.loads(read[0])["version"] == 1
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("place", ["missing/report.json", "."])
def test_a_report_that_cannot_be_written_is_said(tmp_path, capfd, place):
    file = str(tmp_path / place)
    run = Run(report=file)
    run.end()
    printed = capfd.readouterr()
    assert printed.err.count("the report cannot be written") == 1
    assert os.path.normpath(file) in printed.err


def test_the_report_says_what_was_never_loaded():
    run = Run(report="file")
    event = Event("/a", "main", 1, "hit", "ab", 0.0, 1.0, "")
    first, second = Waiting(), Waiting()
    run.add(event, first)
    run.add(event.replace(path="/b"), second)
    second.loaded = True
    assert [step["loaded"] for step in json.loads(report_of(run))["steps"]] == [False, True]
