"""What has no digest is refused, with the path to the culprit and the reason."""

from __future__ import annotations

import asyncio
import csv
import ctypes
import hashlib
import io
import itertools
import logging
import re
import socket
import sys
import threading
import weakref
import zlib
from collections.abc import Callable
from typing import Any

import blake3
import pytest
from digest_table import Plain, Point, Record, function

from ddsimport.errors import UndigestibleError
from ddsimport.values.digest import digest


class Broken:
    def __reduce__(self) -> str:
        raise OSError("the state is elsewhere")


class Strange:
    @property
    def __dict__(self) -> Any:  # type: ignore[override]  # to be as unhelpful as can be
        raise KeyError("mine")


async def _coroutine() -> None: ...


def _make_coroutine() -> Any:
    return _coroutine()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: (n for n in ()), "consumed only once"),
        (lambda: itertools.count(), "consumed only once"),
        (lambda: itertools.chain([1], [2]), "consumed only once"),
        (threading.Lock, "lock"),
        (threading.RLock, "lock"),
        (threading.Event, "thread"),
        (threading.current_thread, "thread"),
        (threading.local, "thread"),
        (lambda: weakref.ref(Plain()), "weak reference"),
        (sys._getframe, "frame"),
        (logging.StreamHandler, "handler"),
        (hashlib.sha256, "cannot pickle"),
        (zlib.compressobj, "cannot pickle"),
        (blake3.blake3, "cannot pickle"),
        (lambda: csv.reader([]), "cannot pickle"),
        (lambda: ctypes.pointer(ctypes.c_int(1)), "pointers cannot be pickled"),
        (lambda: re.match("a", "a"), "cannot pickle"),
        (Broken, "the state is elsewhere"),
        (Strange, "mine"),
        (lambda: function, "code of digest_table.function"),
        (lambda: Plain, "code of digest_table.Plain"),
    ],
)
def test_refused(make: Callable[[], object], why: str) -> None:
    culprit = make()
    with pytest.raises(UndigestibleError) as caught:
        digest(culprit)
    assert why in caught.value.why
    assert caught.value.where == ""


def test_open_files_and_connections_are_refused() -> None:
    with open(__file__) as file, pytest.raises(UndigestibleError, match="pass its path"):
        digest(file)
    with socket.socket() as connection, pytest.raises(UndigestibleError, match="connection"):
        digest(connection)
    running = _make_coroutine()
    with pytest.raises(UndigestibleError, match="awaited"):
        digest(running)
    running.close()
    with pytest.raises(UndigestibleError, match="event loop"):
        digest(asyncio.Queue())


def test_harmless_kin_of_refused_types_are_not() -> None:
    assert digest(io.BytesIO(b"a")) != digest(io.BytesIO(b"b"))
    assert digest(io.StringIO("a")) == digest(io.StringIO("a"))
    assert digest(socket.AF_INET) != digest(socket.AF_INET6)
    assert digest(iter([1, 2])) == digest(iter([1, 2]))
    assert digest(asyncio.TimeoutError()) == digest(asyncio.TimeoutError())


def _lock_under(wrap: Callable[[Any], Any]) -> Any:
    return wrap(threading.Lock())


@pytest.mark.parametrize(
    ("wrap", "where"),
    [
        (lambda lock: [0, lock], "[1]"),
        (lambda lock: {"a": lock}, "['a']"),
        (lambda lock: {1: {"b": [lock]}}, "[1]['b'][0]"),
        (lambda lock: Plain(model={"a": Plain(lock=lock)}), ".model['a'].lock"),
        (lambda lock: Point(lock, 1.0), ".x"),  # type: ignore[arg-type]  # on purpose
        (lambda lock: [Plain(n=n, lock=lock) for n in range(30)], "[0].lock"),
        (lambda lock: [(n, lock) for n in range(30)], "[0][1]"),
        (lambda lock: [{"n": n, "lock": [lock]} for n in range(30)], "[0]['lock'][0]"),
        (lambda lock: [Record("a", set(), [lock]) for _ in range(30)], "[0].inner[0]"),
        (lambda lock: slice(lock), ".stop"),
    ],
)
def test_where_the_culprit_is(wrap: Callable[[Any], Any], where: str) -> None:
    value = _lock_under(wrap)
    with pytest.raises(UndigestibleError) as caught:
        digest(value)
    assert caught.value.where == where


def test_where_the_culprit_is_in_a_cycle() -> None:
    first, second = Plain(), Plain()
    first.other, second.other = second, first
    second.parts = {"x": threading.Lock()}
    with pytest.raises(UndigestibleError) as caught:
        digest([first])
    assert caught.value.where == "[0].other.parts['x']"


def test_where_the_culprit_is_in_a_closure() -> None:
    lock = threading.Lock()

    def inner() -> object:
        return lock

    with pytest.raises(UndigestibleError) as caught:
        digest({"f": inner}, lambda thing: b"")
    assert caught.value.where == "['f'].<closure>.lock"


def test_code_without_a_digest_is_reported_where_it_is() -> None:
    def code_of(thing: object) -> bytes:
        raise UndigestibleError(".table", "a lock is not a value")

    with pytest.raises(UndigestibleError) as caught:
        digest({"f": function}, code_of)
    assert caught.value.where == "['f']"
    assert ".table: a lock is not a value" in caught.value.why


def test_a_value_too_deep_for_the_stack_that_is_left() -> None:
    def at_the_end(n: int) -> bytes | None:
        try:
            return at_the_end(n + 1)
        except RecursionError:
            if n % 7:  # let go of a few frames
                raise
            try:
                return digest([[[[[[1]]]]]])
            except UndigestibleError:
                return None

    assert at_the_end(0) in (None, digest([[[[[[1]]]]]]))
