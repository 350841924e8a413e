"""Digests that others register for their types, or that their classes give themselves."""

from __future__ import annotations

import operator
import threading
from pathlib import Path
from typing import Any

import pytest
from digest_table import code_of
from projects import Project

import ddsimport
from ddsimport.errors import UndigestibleError
from ddsimport.values import _registry
from ddsimport.values.digest import digest


class Handle:
    """Differs from its equal by its address, and cannot be pickled."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.address = id(self)
        self.lock = threading.Lock()


class NamedHandle(Handle):
    pass


class Speaking:
    def __init__(self, name: object) -> None:
        self.name = name
        self.lock = threading.Lock()

    def __dds_digest__(self) -> object:
        if self.name is None:
            raise OSError("no name")
        return self.name


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_registry, "_functions", {})


def _by_name(handle: Handle) -> str:
    return handle.name


def test_a_registered_type_counts_by_what_stands_for_it() -> None:
    with pytest.raises(UndigestibleError):
        digest(Handle("a"))
    ddsimport.register_digest(Handle, _by_name)
    assert digest(Handle("a")) == digest(Handle("a")) != digest(Handle("b"))
    assert digest(Handle("a")) != digest("a")
    assert digest([Handle("a")] * 20) == digest([Handle("a") for _ in range(20)])
    assert digest([Handle("a")] * 20) != digest([*[Handle("a")] * 19, Handle("b")])
    assert digest(Handle("a"), code_of) != digest(Handle("a"), lambda thing: b"edited")


def test_subclasses_count_so_only_when_asked() -> None:
    ddsimport.register_digest(Handle, _by_name)
    with pytest.raises(UndigestibleError):
        digest(NamedHandle("a"))
    ddsimport.register_digest(Handle, _by_name, subclasses=True)
    assert digest(NamedHandle("a")) == digest(NamedHandle("a")) != digest(Handle("a"))
    ddsimport.register_digest(NamedHandle, lambda handle: 1)
    assert digest(NamedHandle("a")) == digest(NamedHandle("b"))


def test_another_function_is_another_digest() -> None:
    ddsimport.register_digest(Handle, operator.attrgetter("name"))
    before = digest(Handle("a"), code_of)
    ddsimport.register_digest(Handle, _by_name)
    assert digest(Handle("a"), code_of) != before


def test_a_class_may_say_what_stands_for_it() -> None:
    assert digest(Speaking("a")) == digest(Speaking("a")) != digest(Speaking("b"))
    before = digest(Speaking("a"))
    ddsimport.register_digest(Speaking, lambda value: 1)
    assert digest(Speaking("a")) != before


def test_what_stands_for_a_value_may_hold_the_value() -> None:
    one, other = Speaking([1]), Speaking([1])
    one.name.append(one)  # type: ignore[attr-defined]  # a list
    other.name.append(other)  # type: ignore[attr-defined]  # as above
    assert digest(one) == digest(other) != digest(Speaking([1]))


def test_failures_are_told_with_their_place() -> None:
    ddsimport.register_digest(Handle, lambda handle: 1 / 0)
    for culprit, why in ((Handle("a"), "ZeroDivisionError"), (Speaking(None), "no name")):
        with pytest.raises(UndigestibleError, match=why) as caught:
            digest({"x": [culprit]})
        assert caught.value.where == "['x'][0]"


def test_what_cannot_be_registered() -> None:
    for kind, function in ((int, str), (list, str), (1, str), (Handle, 1)):
        wrong: Any = (kind, function)
        with pytest.raises(TypeError):
            ddsimport.register_digest(*wrong)


def test_steps_take_values_of_registered_types(tmp_path: Path) -> None:
    project = Project(tmp_path).write(
        main="""
            import threading
            import ddsimport
            from handles import Handle

            ddsimport.register_digest(Handle, lambda handle: handle.url)

            def fetch(handle, n):
                return f"{handle.url} {n}"

            handle = Handle("db://a")
            value = fetch(handle, 1)  # dds: /value
            print(value)
        """,
        handles="""
            import threading

            class Handle:
                def __init__(self, url):
                    self.url = url
                    self.lock = threading.Lock()
        """,
    )
    assert project.same().statuses == {"/value": "computed"}
    assert project.same().statuses == {"/value": "hit"}
    project.edit("main.py", "db://a", "db://b")
    assert project.same().statuses == {"/value": "computed"}
    project.edit("main.py", "lambda handle: handle.url", "lambda handle: [handle.url]")
    assert project.same().statuses == {"/value": "computed"}
