"""A hit in process: two small inputs, a reach of three functions in two modules."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import rounds, table

_LEAVES = '''
def leaf(x):
    """The end of the reach."""
    return x * 2


def branch(x, y):
    return leaf(x) + leaf(y)
'''
_STEPS = """
from bench_leaves import branch


def root(a, b):
    return [branch(a, len(b)), a, b]


def hit(a, b):
    value = root(a, b)  # dds: /bench/value
    return value
"""
_ARGUMENTS = (3, "three")


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("bench_leaves", _LEAVES), ("bench_steps", _STEPS)):
            Path(folder, f"{name}.py").write_text(text)
        sys.path.insert(0, folder)
        contestants = {"ddsimport": _ddsimport(folder)}
        for name, make in _PEERS.items():
            try:
                contestants[name] = make(folder)
            except ImportError as error:
                print(f"  {name} is not installed: {error}")
        expected = contestants["ddsimport"]()
        for name, call in contestants.items():
            assert call() == expected, name
        table(
            "hit in process: two small inputs, three functions reached",
            rounds(contestants, calls=200),
            note="diskcache tracks no code, joblib one function's text, checkpointer no globals",
        )
        sys.path.remove(folder)


def _ddsimport(folder: str) -> Callable[[], object]:
    os.environ["DDSIMPORT_STORE"] = os.path.join(folder, "dds")
    os.environ["DDSIMPORT_QUIET"] = "1"
    from ddsimport.source import hook

    hook.install()
    hit = importlib.import_module("bench_steps").hit
    return lambda: hit(*_ARGUMENTS)


def _joblib(folder: str) -> Callable[[], object]:
    import joblib
    from bench_steps import root  # type: ignore[import-not-found]  # written by main

    cached = joblib.Memory(os.path.join(folder, "joblib"), verbose=0).cache(root)
    return lambda: cached(*_ARGUMENTS)


def _checkpointer(folder: str) -> Callable[[], object]:
    from bench_steps import root
    from checkpointer import checkpoint

    cached = checkpoint(directory=os.path.join(folder, "checkpointer"), verbosity=0)(root)
    return lambda: cached(*_ARGUMENTS)


def _dds_py(folder: str) -> Callable[[], object]:
    import bench_steps
    import dds

    dds.accept_module(bench_steps)
    dds.accept_module("bench_leaves")
    dds.set_store(
        "local",
        internal_dir=os.path.join(folder, "dds_py"),
        data_dir=os.path.join(folder, "dds_py_data"),
    )
    return lambda: dds.keep("/bench/value", bench_steps.root, *_ARGUMENTS)


def _diskcache(folder: str) -> Callable[[], object]:
    from bench_steps import root
    from diskcache import Cache

    cached = Cache(os.path.join(folder, "diskcache")).memoize()(root)
    return lambda: cached(*_ARGUMENTS)


_PEERS = {
    "diskcache.memoize": _diskcache,
    "checkpointer": _checkpointer,
    "joblib.Memory": _joblib,
    "dds_py 0.13.1": _dds_py,
}
