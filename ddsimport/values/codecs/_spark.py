"""Frames of Spark: the files of a parquet folder, one after the other in one blob.

A JSON header says what they are (see `values.spark`), and how large each is; then come their bytes,
as Spark wrote them. Spark reads files and no memory, so they are laid out in a folder of its own
again when the frame comes back.
"""

from __future__ import annotations

import json
import os

from ddsimport.errors import CodecError
from ddsimport.values import spark
from ddsimport.values.codecs._base import Codec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Buffer

    from ddsimport.values.codecs._base import Writable

_PIECE = 1 << 20
_FORMAT = 1


class _Spark(Codec):
    __slots__ = ()
    name = "spark"
    suffix = ".parquet"
    libraries = ("pyspark",)

    def restores(self, value: object) -> bool:
        return spark.is_exact(value) and (
            spark.folder_of(value) is not None or spark.refusal(value) is None
        )

    def encode(self, value: object, file: Writable) -> None:
        folder = spark.folder_of(value) or spark.written(value)
        header = json.dumps({"format": _FORMAT, **folder.replace(path="").as_dict()}).encode()
        file.write(len(header).to_bytes(8, "little"))
        file.write(header)
        for number, _, _ in folder.parts:
            with open(f"{folder.path}/{spark.part_name(number)}", "rb") as part:
                while piece := part.read(_PIECE):
                    file.write(piece)

    def decode_bytes(self, data: Buffer) -> object:
        folder, contents = _parted(data)
        session = spark.first_session()
        if ".connect." in type(session).__module__:
            raise CodecError("a session of Spark Connect has no folder in common with this program")
        return spark.frame_over(session, spark.placed(session, folder, lambda: iter(contents)))


def _parted(data: Buffer) -> tuple[spark.Folder, list[memoryview]]:
    """What a blob says of itself, and its files. Raises CodecError."""
    view = memoryview(data).cast("B")
    try:
        place = 8 + int.from_bytes(view[:8], "little")
        header = json.loads(bytes(view[8:place]))
        if header.pop("format") != _FORMAT:
            raise ValueError("another version of ddsimport wrote it")
        header["storage"] = tuple(header["storage"])
        header["parts"] = tuple(map(tuple, header["parts"]))
        folder = spark.Folder(**header)
        if place + sum(part[1] for part in folder.parts) != len(view):
            raise ValueError("it is not as long as it says")
    except (KeyError, TypeError, ValueError) as error:
        raise CodecError(f"not a frame of Spark of ours: {error}") from error
    contents = []
    for _, length, _ in folder.parts:
        contents.append(view[place : place + length])
        place += length
    return folder, contents


def table_of(data: Buffer, most: int | None = None) -> tuple[Any, int]:
    """A blob as people look at it, without Spark, whose start takes seconds and tells of itself.

    Args:
        most: rows that are wanted, the first ones; None: all.

    Returns:
        a table of Arrow, and how many rows there are.

    Raises:
        CodecError: it is no such blob, or pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise CodecError("pyarrow is not installed, which reads it without Spark") from error
    folder, contents = _parted(data)
    batches: list[Any] = []
    count = wanted = 0
    try:
        for content in contents:
            part = parquet.ParquetFile(pa.BufferReader(pa.py_buffer(content)))
            count += part.metadata.num_rows
            for batch in part.iter_batches():
                if most is not None and wanted >= most:
                    break
                batches.append(batch)
                wanted += len(batch)
        if batches:
            return pa.Table.from_batches(batches).slice(0, most), count
    except (pa.ArrowException, OSError) as error:
        raise CodecError(f"not a frame of Spark of ours: {error}") from error
    names = [field["name"] for field in json.loads(folder.schema)["fields"]]
    return pa.table([pa.nulls(0)] * len(names), names), 0


def reduced(frame: Any) -> Any:
    """What pickle keeps of a frame that is a part of a value."""
    from io import BytesIO
    from pickle import PickleBuffer

    content = BytesIO()
    SPARK.encode(frame, content)
    return restored, (PickleBuffer(content.getbuffer()),)


def restored(content: Buffer) -> object:
    """Called by pickles."""
    return SPARK.decode_bytes(content)


def write_folder(value: object, path: str) -> None:
    """Write a frame as a new folder that other programs read as one parquet table.

    Raises:
        CodecError: it cannot be written.
        OSError: the disk cannot take it.
    """
    folder = spark.folder_of(value) or spark.written(value)
    os.mkdir(path)
    for number, _, _ in folder.parts:
        name = spark.part_name(number)
        _copy(f"{folder.path}/{name}", f"{path}/{name}")
    with open(f"{path}/_SUCCESS", "wb"):
        pass  # by which Spark and others know that a folder is complete


def _copy(source: str, target: str) -> None:
    import shutil

    shutil.copyfile(source, target)
    with open(target, "rb") as file:
        os.fsync(file.fileno())
    os.chmod(target, 0o444)


SPARK = _Spark()
