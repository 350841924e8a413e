"""Sessions of IPython, and kernels of Jupyter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ipython_sessions import Sessions


@pytest.fixture(scope="session")
def sessions() -> Iterator[Sessions]:
    """Starts sessions of IPython, each in a fork of one process."""
    started = Sessions()
    yield started
    started.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """That of an empty project."""
    (tmp_path / "pyproject.toml").write_text("")
    return tmp_path
