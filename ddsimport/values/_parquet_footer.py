"""Parquet files of equal content, equal byte for byte.

Java's parquet notes the encodings of each column as a set, in the order of the machine's addresses:
the same frame written by two processes gives files that differ in a few bytes at their end. Their
order means nothing, so it is made a fixed one, in place; nothing moves.

Read is what that takes of Thrift's compact protocol (apache/thrift, `thrift-compact-protocol.md`)
and of `parquet.thrift` (apache/parquet-format).
"""

from __future__ import annotations

from ddsimport.errors import CodecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Way = tuple[int, ...]
    """Numbers of fields, from the outermost struct inwards."""

_MARK = b"PAR1"
_SETS: frozenset[Way] = frozenset({(4, 1, 3, 2), (4, 1, 3, 13)})
"""Lists whose order means nothing: FileMetaData.row_groups.columns.meta_data.encodings, and
….encoding_stats."""

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)


def settle(path: str) -> None:
    """Bring the footer of a file into the one order.

    Raises:
        CodecError: it is no parquet file.
        OSError: it cannot be read or written.
    """
    with open(path, "r+b") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 8))
        end = file.read(8)
        length = int.from_bytes(end[:4], "little")
        if end[4:] != _MARK or length > size - 12:
            raise CodecError(f"{path} is no parquet file")
        file.seek(size - 8 - length)
        footer = bytearray(file.read(length))
        try:
            changed = _settled(footer)
        except IndexError as error:
            raise CodecError(f"{path} is no parquet file") from error
        if changed:
            file.seek(size - 8 - length)
            file.write(footer)


def _settled(footer: bytearray) -> bool:
    """Whether anything had to be put in order."""
    changed = False
    for items in _Reader(bytes(footer)).sets():
        ordered = sorted(items)
        changed = changed or ordered != items
        start = items.start
        footer[start : start + sum(map(len, ordered))] = b"".join(ordered)
    return changed


class _Items(list[bytes]):
    """The elements of a list, as they are written; and where the first is."""

    start = 0


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._found: list[_Items] = []

    def sets(self) -> Iterator[_Items]:
        self._struct(())
        yield from self._found

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _number(self) -> int:
        """A variable-length integer; signed ones are not told apart, since none is looked at."""
        found = shift = 0
        while True:
            byte = self._byte()
            found |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return found

    def _struct(self, way: Way) -> None:
        field = 0
        while (head := self._byte()) != 0:
            step = head >> 4
            if step:
                field += step
            else:
                number = self._number()
                field = (number >> 1) ^ -(number & 1)
            self._value(head & 0x0F, (*way, field), alone=True)

    def _value(self, kind: int, way: Way, *, alone: bool = False) -> None:
        """Pass over a value.

        Args:
            alone: it is no element: a truth value is in its head, then.
        """
        if kind in (_TRUE, _FALSE):
            self._at += not alone
        elif kind == _BYTE:
            self._at += 1
        elif kind in (_I16, _I32, _I64):
            self._number()
        elif kind == _DOUBLE:
            self._at += 8
        elif kind == _BINARY:
            length = self._number()
            self._at += length
        elif kind in (_LIST, _SET):
            self._list(way)
        elif kind == _STRUCT:
            self._struct(way)
        else:  # no map is in a footer
            raise IndexError(kind)
        if self._at > len(self._data):
            raise IndexError(self._at)

    def _list(self, way: Way) -> None:
        head = self._byte()
        count = head >> 4
        if count == 15:
            count = self._number()
        items = _Items()
        items.start = self._at
        for _ in range(count):
            before = self._at
            self._value(head & 0x0F, way)
            if way in _SETS:
                items.append(self._data[before : self._at])
        if items:
            self._found.append(items)
