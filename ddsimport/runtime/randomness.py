"""The global random states: what a step drew from them, and where it left them.

A step that draws from the generator behind `random.random()` or `numpy.random.rand()` depends on
its state, and leaves another. Once the program has seeded the generator, its state before is a
condition of the kept value and its state after is restored on a hit, so that the rest of the
program draws what it would without us. Unseeded, the state is new in every process: it is no
condition, and the step is reported as not reproducible. A step that seeds the generator itself
before it draws depends on nothing before it.

Whether the program seeds a generator is read off the text of its loaded modules: no one is told
when a seed was set before the first miss, and a state does not say where it came from. So a helper
of an installed package that sets seeds is not noticed.
"""

from __future__ import annotations

import sys
from importlib import import_module

from blake3 import blake3

from ddsimport.source import cells, tracked
from ddsimport.store import labels

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LABEL = labels.RANDOM
"""What the labels of conditions and the kinds of effects begin with; a generator's name follows."""

UNSEEDED = "unseeded"
ITSELF = "by the step"
"""Tokens besides the hash of a state: nobody has seeded it; the step does so before it draws."""

_SEEDING = {"random": "random", "numpy": "numpy.random", "torch": "torch"}
"""Generator -> the module whose function seeds it."""

_FUNCTIONS = ("seed", "manual_seed")

_watching: list[Draws] = []
_replaced: list[tuple[Any, str, Any]] = []


class Draws:
    """What one evaluation does to the global random states."""

    def __init__(self) -> None:
        if "numpy" in sys.modules:
            import_module("numpy.random")  # from numpy 2 on, imported when it is first used
        self._before = _states()
        self._after: dict[str, tuple[Any, ...]] = {}
        self._decided: set[str] = set()
        self._seeded: set[str] = set()
        if not _watching:
            _watch()
        _watching.append(self)

    def end(self) -> None:
        """The evaluation is over; safe to call twice."""
        if self not in _watching:
            return
        _watching.remove(self)
        if not _watching:
            _unwatch()
        self._after = _states()

    def seeds(self, name: str) -> None:
        """The generator is about to be seeded; the first time tells whether it was drawn from."""
        if name in self._decided:
            return
        self._decided.add(name)
        if _states().get(name) == self._before.get(name):
            self._seeded.add(name)

    def conditions(self) -> tuple[tuple[str, str], ...]:
        """(label, token) of what must be for the value to hold."""
        return tuple((LABEL + name, self._token(name)) for name in self._drawn())

    def effects(self) -> tuple[tuple[str, str], ...]:
        """(kind, text) of the states to restore."""
        return tuple(
            (LABEL + name, _text(self._after[name]))
            for name in self._drawn()
            if self._token(name) != UNSEEDED
        )

    def notes(self) -> list[str]:
        """Sentences for the user."""
        return [
            f"it drew from the global random numbers of {name}, which the program does not seed:"
            " a run without the store gives another value"
            for name in self._drawn()
            if self._token(name) == UNSEEDED
        ]

    def _drawn(self) -> list[str]:
        # A generator that was not there before is not one that the rest of the program has used.
        return [name for name, state in self._before.items() if state != self._after.get(name)]

    def _token(self, name: str) -> str:
        if name in self._seeded:
            return ITSELF
        return _hash(self._before[name]) if name in seeded() else UNSEEDED


def hold(conditions: tuple[tuple[str, str], ...]) -> bool:
    """Whether the states are what they were."""
    states = _states()
    by_program = seeded()
    for label, token in conditions:
        name = label[len(LABEL) :]
        if token == ITSELF:
            continue
        known = name in states and name in by_program
        if token != (_hash(states[name]) if known else UNSEEDED):
            return False
    return True


def restore(effects: tuple[tuple[str, str], ...]) -> None:
    """Leave the generators as the evaluation did."""
    import json

    for kind, text in effects:
        if not kind.startswith(LABEL):
            continue
        state = json.loads(text)
        name = kind[len(LABEL) :]
        if name == "random":
            import random

            version, numbers, gauss = state
            random._inst.setstate((version, tuple(numbers), gauss))
        elif name == "numpy":
            import numpy as np

            key, position, has_gauss, gauss = state
            numbers = np.frombuffer(bytes.fromhex(key), dtype=np.uint32)
            np.random.set_state(("MT19937", numbers, position, has_gauss, gauss))
        else:
            import torch

            torch.set_rng_state(torch.frombuffer(bytearray.fromhex(state[0]), dtype=torch.uint8))


# --- states ---------------------------------------------------------------------------------------


def _states() -> dict[str, tuple[Any, ...]]:
    """Generator -> its state, of those whose library is loaded."""
    found: dict[str, tuple[Any, ...]] = {}
    python: Any = sys.modules.get("random")
    if hasattr(python, "_inst"):
        found["random"] = python._inst.getstate()
    numpy: Any = sys.modules.get("numpy.random.mtrand")
    if hasattr(numpy, "_rand"):
        state = numpy._rand.get_state(legacy=False)
        if state["bit_generator"] == "MT19937":
            inner = state["state"]
            key = inner["key"].tobytes().hex()
            found["numpy"] = (key, int(inner["pos"]), int(state["has_gauss"]), state["gauss"])
    torch: Any = sys.modules.get("torch")
    if hasattr(torch, "get_rng_state"):
        found["torch"] = (torch.get_rng_state().numpy().tobytes().hex(),)
    return found


def _text(state: tuple[Any, ...]) -> str:
    import json

    return json.dumps(state)


def _hash(state: tuple[Any, ...]) -> str:
    return blake3(_text(state).encode()).hexdigest(length=16)


# --- who seeds ------------------------------------------------------------------------------------


def _watch() -> None:
    """Be told of seeds that are set while something is evaluated."""
    for name, module_name in _SEEDING.items():
        module: Any = sys.modules.get(module_name)
        for function in _FUNCTIONS:
            seed = getattr(module, function, None)
            if callable(seed):
                _replaced.append((module, function, seed))
                setattr(module, function, _telling(seed, name))


def _unwatch() -> None:
    for module, function, seed in _replaced:
        setattr(module, function, seed)
    _replaced.clear()


def _telling(seed: Callable[..., Any], name: str) -> Callable[..., Any]:
    def seed_and_tell(*arguments: Any, **options: Any) -> Any:
        for draws in tuple(_watching):
            draws.seeds(name)
        return seed(*arguments, **options)

    seed_and_tell.__name__ = seed_and_tell.__qualname__ = seed.__name__
    seed_and_tell.__doc__ = seed.__doc__
    return seed_and_tell


_looked_at: set[str] = set()
_by_text: set[str] = set()
_reloads = 0


def seeded() -> frozenset[str]:
    """The generators that the text of a loaded module of the program seeds."""
    global _reloads
    if tracked.reloads != _reloads:
        _reloads = tracked.reloads
        _looked_at.clear()
    for name in sys.modules.keys() - _looked_at:
        _looked_at.add(name)
        file = getattr(sys.modules.get(name), "__file__", None)
        if type(file) is str and file.endswith(".py") and tracked.is_tracked(file):
            _by_text.update(seeded_in(_text_of(file)))
    if cells.current is not None and cells.current.file not in _looked_at:
        _looked_at.add(cells.current.file)
        _by_text.update(seeded_in(cells.text_of(cells.current.file) or ""))
    return frozenset(_by_text)


def _text_of(file: str) -> str:
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            return opened.read()
    except OSError:
        return ""


def seeded_in(text: str) -> frozenset[str]:
    """The generators that a text seeds."""
    import re

    names = {"random": "random", "np.random": "numpy", "numpy.random": "numpy", "torch": "torch"}
    for module, alias in re.findall(r"\bimport\s+(random|numpy\.random|torch)\s+as\s+(\w+)", text):
        names[alias] = names[module]
    for alias in re.findall(r"\bimport\s+numpy\s+as\s+(\w+)", text):
        names[f"{alias}.random"] = "numpy"
    for alias in re.findall(r"\bfrom\s+numpy\s+import[^\n]*\brandom(?:\s+as\s+(\w+))?", text):
        names[alias or "random"] = "numpy"
    setters = r"(?:seed|setstate|set_state|manual_seed|manual_seed_all|set_rng_state)"
    found = {
        names[receiver]
        for receiver in re.findall(rf"([\w.]+)\s*\.\s*{setters}\b", text)
        if receiver in names
    }
    for module in re.findall(rf"\bfrom\s+([\w.]+)\s+import[^\n]*\b{setters}\b", text):
        found.update(names[each] for each in (module,) if each in names)
    return frozenset(found)
