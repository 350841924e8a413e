"""Inputs: what is fetched of a name, without running any code of the user's."""

from __future__ import annotations

import types
from collections.abc import Callable

import pytest

from ddsimport.runtime.signature import fetch, written
from ddsimport.source.site import Input


class _Config:
    shared = 1

    def __init__(self) -> None:
        self.n = 2
        self.items = {"a": [10, 20]}

    @property
    def computed(self) -> int:
        raise AssertionError("user code was run")


class _Loud(dict):
    def __getitem__(self, key: object) -> object:
        raise AssertionError("user code was run")


class _Dynamic:
    def __getattr__(self, name: str) -> object:
        raise AssertionError("user code was run")


class _Guarded:
    n = 1

    def __getattribute__(self, name: str) -> object:
        raise AssertionError("user code was run")


def _input(name: str, *access: tuple[str, object]) -> Input:
    return Input(name, access)


def test_an_attribute_or_item_is_the_input_not_the_whole() -> None:
    config = _Config()
    assert fetch(_input("c", (".", "n")), config) == 2
    assert fetch(_input("c", (".", "items"), ("[]", "a"), ("[]", 1)), config) == 20
    module = types.ModuleType("m")
    module.n = 3  # type: ignore[attr-defined]
    assert fetch(_input("m", (".", "n")), module) == 3


@pytest.mark.parametrize(
    ("source", "make"),
    [
        (_input("c", (".", "computed")), _Config),
        (_input("c", (".", "missing")), _Config),
        (_input("c", ("[]", "a")), lambda: _Loud(a=1)),
        (_input("c", (".", "n")), _Dynamic),
        (_input("c", (".", "n")), _Guarded),
        (_input("c", ("[]", "missing")), lambda: {"a": 1}),
    ],
)
def test_where_user_code_would_run_the_whole_is_the_input(
    source: Input, make: Callable[[], object]
) -> None:
    value = make()
    assert fetch(source, value) is value


def test_a_plain_attribute_of_the_class_is_that_of_the_instance() -> None:
    assert fetch(_input("c", (".", "shared")), _Config()) == _Config.shared


def test_as_much_as_can_be_fetched() -> None:
    config = _Config()
    config.inner = _Config()  # type: ignore[attr-defined]
    assert fetch(_input("c", (".", "inner"), (".", "computed")), config) is config.inner  # type: ignore[attr-defined]


def test_inputs_are_named_as_written() -> None:
    assert written(_input("cfg", (".", "a"), ("[]", "b"))) == "cfg.a['b']"
