"""Arrow IPC: frames of pandas, tables and arrays of pyarrow, each in one file, mapped when read.

The file is an ordinary Arrow file (Feather 2): `pandas.read_feather`, polars and the Arrow of other
languages read it. What it is a file *of* stands in the schema's metadata, under our own key.
"""

from __future__ import annotations

import sys

from ddsimport.errors import CodecError
from ddsimport.values.codecs._base import Codec, owned
from ddsimport.values.codecs._columnar import KEY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Buffer

    from ddsimport.values.codecs._base import Writable

_LARGE = 256 * 1024  # bytes of a frame, and of a column on average, from which it is worth it
_LONG = 4096
_SAFE = (23, 0, 1)  # older readers of IPC files can be made to use freed memory (CVE-2026-25087)


class _Arrow(Codec):
    __slots__ = ()
    name = "arrow"
    suffix = ".arrow"
    libraries = ("pyarrow", "pandas", "numpy")

    def restores(self, value: object) -> bool:
        home = type(value).__module__.partition(".")[0]
        if home == "pandas" and "pandas" in sys.modules:
            from ddsimport.values.codecs import _frames

            return _frames.restores(value) and pyarrow_is_safe()
        if home == "pyarrow" and "pyarrow" in sys.modules:
            from ddsimport.values.codecs import _columnar

            return _columnar.restores(value) and pyarrow_is_safe()
        return False

    def suits(self, value: object) -> bool:
        # A pickle of a small frame, or of one with many short columns, loads in a fraction of the
        # time (0.1 ms against 1 to 6); mapping gains nothing there.
        if not type(value).__module__.startswith("pandas"):
            return True
        from ddsimport.values.codecs import _frames

        size, columns = _frames.extent(value)
        return size >= _LARGE and size >= _LONG * columns

    def encode(self, value: object, file: Writable) -> None:
        import json

        import pyarrow

        from ddsimport.values.codecs import _columnar, _frames

        room = _frames if type(value).__module__.startswith("pandas") else _columnar
        try:
            schema, batches, notes = room.parts(value)
        except (AttributeError, TypeError, ValueError, pyarrow.ArrowException) as error:
            raise CodecError(f"not a table that Arrow holds: {error}") from error
        schema = schema.with_metadata({**(schema.metadata or {}), KEY: json.dumps(notes).encode()})
        with pyarrow.ipc.new_file(Sink(file), schema) as writer:
            for batch in batches:
                writer.write_batch(batch.replace_schema_metadata(schema.metadata))

    def decode_bytes(self, data: Buffer) -> object:
        import json

        try:
            import pyarrow
        except ImportError as error:
            raise CodecError("pyarrow is not installed, and the blob is an Arrow file") from error
        if not pyarrow_is_safe():
            raise CodecError(
                f"pyarrow {pyarrow.__version__} is not safe to read Arrow files with; install "
                f"{'.'.join(map(str, _SAFE))} or newer"
            )
        from ddsimport.values.codecs import _columnar, _frames

        view = owned(data)
        try:
            reader = pyarrow.ipc.open_file(pyarrow.py_buffer(view))
            metadata = dict(reader.schema.metadata or {})
            notes = json.loads(metadata.pop(KEY))
            schema = reader.schema.with_metadata(metadata or None)
            batches = [reader.get_batch(n) for n in range(reader.num_record_batches)]
            if notes["of"].startswith("pandas."):
                return _frames.joined(batches[0], notes, view)
            return _columnar.joined(schema, batches, notes)
        except (KeyError, IndexError, TypeError, ValueError, pyarrow.ArrowException) as error:
            raise CodecError(f"not an Arrow file of ours: {error}") from error


def pyarrow_is_safe() -> bool:
    """Whether there is a pyarrow whose reader of IPC files has no known flaw."""
    try:
        import pyarrow
    except ImportError:
        return False
    digits = [part for part in pyarrow.__version__.split(".")[:3] if part.isdigit()]
    return tuple(map(int, digits)) >= _SAFE


class Sink:
    """What pyarrow wants of a file, over one that can only be written to."""

    closed = False

    def __init__(self, file: Writable) -> None:
        self._file = file
        self._size = 0

    def write(self, data: Any) -> int:
        size = len(memoryview(data).cast("B")) if len(data) else 0
        self._file.write(data)
        self._size += size
        return size

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


ARROW = _Arrow()
