"""Parquet files that differ in an order that means nothing become the same file."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddsimport.errors import CodecError
from ddsimport.values import _parquet_footer

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

TABLE = {
    "a": list(range(500)),
    "b": [None if n % 7 == 0 else str(n) for n in range(500)],
    "c": [{"x": n, "y": [n, None]} for n in range(500)],
    "d": [n % 2 == 0 for n in range(500)],
}


def _encodings(path: Path) -> list[tuple[str, ...]]:
    metadata = parquet.read_metadata(path)
    groups = [metadata.row_group(n) for n in range(metadata.num_row_groups)]
    return [group.column(n).encodings for group in groups for n in range(group.num_columns)]


def test_the_order_of_encodings_is_settled_and_nothing_else_is(tmp_path):
    table = pyarrow.table(TABLE)
    path = tmp_path / "t.parquet"
    parquet.write_table(table, path, row_group_size=100)
    before = path.read_bytes()
    told = _encodings(path)
    _parquet_footer.settle(str(path))
    after = path.read_bytes()
    assert len(after) == len(before)
    assert parquet.read_table(path).equals(table)
    assert [sorted(each) for each in _encodings(path)] == [sorted(each) for each in told]
    # As another process may have written it: each list the other way round.
    other = bytearray(after)
    start = len(other) - 8 - int.from_bytes(other[-8:-4], "little")
    swapped = 0
    for items in _parquet_footer._Reader(bytes(other[start:-8])).sets():
        at = start + items.start
        other[at : at + sum(map(len, items))] = b"".join(reversed(items))
        swapped += len(items) > 1
    assert swapped
    assert bytes(other) != after
    path.write_bytes(other)
    _parquet_footer.settle(str(path))
    assert path.read_bytes() == after


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" * 5, b"x" * 20 + b"\x0c\0\0\0PAR1"])
def test_what_is_no_parquet_file_is_refused(tmp_path, content):
    path = tmp_path / "t.parquet"
    path.write_bytes(content)
    with pytest.raises(CodecError, match="no parquet file"):
        _parquet_footer.settle(str(path))
    assert path.read_bytes() == content
