"""Who is told what ran, and what is left of the watching afterwards."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType

import pytest

from ddsimport.runtime import profile, recorder, witness


@contextmanager
def watched(*, blind: bool = True) -> Iterator[witness.Seen]:
    recording = recorder.begin()
    witness.begin(recording, lambda: blind)
    assert recording.seen is not None
    try:
        yield recording.seen
    finally:
        witness.end(recording)
        recorder.end(recording)


def names(seen: witness.Seen) -> set[str]:
    """What ran of this file."""
    return {code.co_name for code, _ in seen.code.values() if code.co_filename == __file__}


def one() -> int:
    return 1


def two() -> int:
    return one() + 1


def counting() -> Iterator[int]:
    yield 1
    yield 2


def test_what_ran_is_told_to_each_evaluation_under_way() -> None:
    with watched() as outer:
        one()
        with watched() as inner:
            one()
        two()
    assert {"one", "two"} <= names(outer)
    assert "one" in names(inner)
    assert "two" not in names(inner)


def test_a_generator_that_goes_on() -> None:
    numbers = counting()
    next(numbers)
    with watched() as seen:
        next(numbers)
    assert "counting" in names(seen)
    numbers = counting()
    next(numbers)
    with watched() as seen, pytest.raises(KeyError):
        numbers.throw(KeyError)  # type: ignore[attr-defined]
    assert "counting" in names(seen)


def test_threads_that_the_evaluation_starts() -> None:
    with watched() as seen:
        thread = threading.Thread(target=two)
        thread.start()
        thread.join()
    assert {"one", "two"} <= names(seen)


def test_evaluations_of_two_threads_are_kept_apart() -> None:
    seen: dict[str, set[str]] = {}
    both = threading.Barrier(2)

    def evaluate(name: str) -> None:
        with watched() as mine:
            both.wait()
            if name == "a":
                one()
            both.wait()
            if name == "b":
                one()
            two() if name == "b" else None
            both.wait()
        seen[name] = names(mine)

    threads = [
        threading.Thread(target=contextvars.Context().run, args=(evaluate, name)) for name in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "one" in seen["a"]
    assert "two" not in seen["a"]
    assert {"one", "two"} <= seen["b"]


def test_other_tasks_are_not_the_evaluations() -> None:
    async def other() -> None:
        for _ in range(3):
            await asyncio.sleep(0)
            two()

    async def own() -> None:
        await asyncio.sleep(0)
        one()

    async def main() -> set[str]:
        task = asyncio.create_task(other())
        recording = recorder.begin()
        witness.begin(recording, lambda: True)
        await asyncio.gather(own(), own())
        witness.end(recording)
        recorder.end(recording)
        await task
        assert recording.seen is not None
        return names(recording.seen)

    found = asyncio.run(main())
    assert "own" in found
    assert not found & {"other", "two", "main"}


def test_our_own_work_is_nobodys() -> None:
    with watched() as seen, recorder.unrecorded():
        one()
    assert "one" not in names(seen)
    with watched() as seen:
        with recorder.unrecorded():
            one()
        one()
    assert "one" in names(seen)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is new in 3.12")
class TestMonitoring:
    def test_each_code_object_reports_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reports: list[str] = []
        saw = witness._saw

        def noted(code: CodeType, resumed: bool) -> object:
            reports.append(code.co_name)
            return saw(code, resumed)

        monkeypatch.setattr(witness, "_saw", noted)
        with watched():
            for _ in range(100):
                one()
        assert reports.count("one") == 1

    def test_nothing_is_left(self) -> None:
        before = [sys.monitoring.get_tool(number) for number in range(6)]
        with watched(), watched():
            assert witness._TOOL in [sys.monitoring.get_tool(number) for number in range(6)]
        assert [sys.monitoring.get_tool(number) for number in range(6)] == before

    def test_none_is_free(self) -> None:
        taken = [number for number in range(6) if sys.monitoring.get_tool(number) is None]
        for number in taken:
            sys.monitoring.use_tool_id(number, "test")
        try:
            with watched() as seen:
                one()
        finally:
            for number in taken:
                sys.monitoring.free_tool_id(number)
        assert not seen.whole

    def test_the_numbers_of_other_tools_stay_free(self) -> None:
        import cProfile

        with watched() as seen:
            cProfile.Profile().runcall(one)
        assert seen.whole
        assert "one" in names(seen)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="sys.monitoring is better")
class TestProfile:
    def test_a_step_that_can_be_seen_through_is_watched_for_so_many_calls(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(profile, "BUDGET", 100)
        with watched(blind=False) as seen:
            one()
        assert seen.exact
        assert "one" in names(seen)
        with watched(blind=False) as seen:
            for _ in range(100):
                one()
            assert sys.getprofile() is None
            two()
        assert seen.whole
        assert not seen.exact
        with watched(blind=True) as seen:
            for _ in range(100):
                one()
            two()
        assert seen.whole
        assert "two" in names(seen)

    def test_a_loop_that_shows_nothing_new_spends_it_sooner(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(profile, "QUIET", 100)
        with watched(blind=False) as seen:
            for _ in range(40):
                one()
            two()
            for _ in range(40):
                one()
        assert seen.exact
        with watched(blind=False) as seen:
            for _ in range(100):
                one()
            two()
        assert not seen.exact
        assert "two" not in names(seen)

    def test_it_is_given_back(self) -> None:
        with watched(), watched():
            assert sys.getprofile() is not None
        assert sys.getprofile() is None

    def test_somebody_else_holds_it(self) -> None:
        def mine(*_: object) -> None:
            return

        sys.setprofile(mine)
        try:
            with watched() as seen:
                one()
            assert sys.getprofile() is mine
        finally:
            sys.setprofile(None)
        assert not seen.whole

    def test_somebody_takes_it_away(self) -> None:
        with watched() as seen:
            sys.setprofile(None)
        assert not seen.whole
