from __future__ import annotations

from pathlib import Path

import pytest

from ddsimport.store.store import Store


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / ".dds"


@pytest.fixture
def store(root: Path) -> Store:
    return Store.open(str(root))
