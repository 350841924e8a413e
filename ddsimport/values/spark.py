"""Frames of Spark as folders of parquet files: written from a frame, and frames over what is there.

A frame of Spark is a plan; what it holds is known once the plan has run, and may be something else
the next time (its files have changed, `rand()`). So a frame that is kept is run once, into a folder
with a file for each partition, and the program goes on with a frame over that folder.

Reading a folder the usual way would not give the frame back: Spark takes its files by size and not
by name, packs and splits them, and says of every column that it may be null. So the rows are taken
from one scan, the partitions put in order, and the schema laid over them. All of it happens inside
the JVM, in a session of our own: none of the program's settings decides what is written or read.

Only for sessions whose executors are in the driver's process (`local[…]`): others have no folder in
common with this process.
"""

from __future__ import annotations

import os
import re
import sys
from _weakref import ref

from blake3 import blake3

from ddsimport.errors import CodecError
from ddsimport.records import Record
from ddsimport.values import _parquet_footer
from ddsimport.values.spark_plans import items

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SETTINGS = {
    # A partition is a file: none is split, and no two are packed into one.
    "spark.sql.files.maxPartitionBytes": str(1 << 60),
    "spark.sql.files.openCostInBytes": str(1 << 60),
    "spark.sql.files.maxRecordsPerFile": "0",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.caseSensitive": "true",
    # Moments to the microsecond, in the calendar that Spark computes in.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.writeLegacyFormat": "false",
    "spark.sql.parquet.binaryAsString": "false",
    "spark.sql.parquet.recordLevelFilter.enabled": "false",
}
_PART = re.compile(r"part-(\d{5,})-")
_PLAIN = (False, False, False, False, 1)
"""The storage level of what is not cached."""


class Folder(Record):
    """A frame as files.

    Attributes:
        path: where the files are; a file is called as `part_name` says.
        schema: of the frame, as Spark's JSON.
        alias: what its columns may be qualified with; empty if with nothing.
        storage: its storage level: disk, memory, off heap, deserialized, replicas.
        partitions: how many it has; an empty one has no file.
        parts: (number of the partition, size in bytes, blake3 in hex) of each file, in order.
    """

    path: str
    schema: str
    alias: str
    storage: tuple[bool, bool, bool, bool, int]
    partitions: int
    parts: tuple[tuple[int, int, str], ...]

    def digest(self) -> bytes:
        """32 bytes that stand for all of it but the place."""
        told = (self.schema, self.alias, self.storage, self.partitions, self.parts)
        return blake3(repr(told).encode("utf-8", "surrogatepass")).digest()


def part_name(number: int) -> str:
    return f"part-{number:05d}.parquet"


# --- frames whose files are there -----------------------------------------------------------------

_frames: dict[int, tuple[ref[Any], Folder]] = {}
"""Identity of a frame -> the frame, and the files that it reads."""

_folders: dict[tuple[str, bytes], Folder] = {}
"""(place of a Spark context, digest) -> where such files are already. Frames made from a frame read
the same files, so they stay as long as the context."""


def folder_of(frame: Any) -> Folder | None:
    """The files that a frame reads, if it is one of ours."""
    known = _frames.get(id(frame))
    return known[1] if known is not None and known[0]() is frame else None


def known_frames() -> list[tuple[Any, Folder]]:
    """The frames of ours that are still of use."""
    found = [(frame(), folder) for frame, folder in list(_frames.values())]
    return [(frame, folder) for frame, folder in found if frame is not None]


def is_frame(value: object) -> bool:
    """Whether a value is a frame of Spark, of either kind."""
    if "pyspark" not in sys.modules:
        return False
    return any(
        base.__name__ == "DataFrame" and base.__module__.startswith("pyspark.sql.")
        for base in type(value).__mro__
    )


def frame_type() -> Any:
    """The type of the frames that are made here; None before any was imported."""
    for name in ("pyspark.sql.classic.dataframe", "pyspark.sql.dataframe"):
        if name in sys.modules:
            return sys.modules[name].DataFrame
    return None


def is_exact(frame: Any) -> bool:
    """Whether it is one of those that are made here, and no subclass."""
    return type(frame) is frame_type()


# --- to files -------------------------------------------------------------------------------------


def refusal(frame: Any) -> str | None:
    """Why a frame cannot be written to files here; None if it can."""
    if ".connect." in type(frame).__module__:
        return (
            "a DataFrame of Spark Connect lies on a server, which has no folder in common with "
            "this program; give `df.toArrow()` or `df.toPandas()` instead"
        )
    if not is_exact(frame):
        return f"{type(frame).__qualname__} is not a DataFrame of Spark itself"
    master = str(frame.sparkSession.sparkContext.master)
    if not master.startswith("local") or master.startswith("local-cluster"):
        return (
            f"the executors of {master} have no folder in common with this program; give "
            "`df.toArrow()` or `df.toPandas()` instead"
        )
    if frame.isStreaming:
        return "a streaming DataFrame has no end"
    names = frame.columns
    if not names:
        return "a DataFrame without columns is no parquet file"
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        return f"it has two columns called {twice!r}: rename one"
    return None


def written(frame: Any) -> Folder:
    """Run a frame's plan, and have what it gives in files that stay.

    Raises:
        CodecError: Spark cannot, or no parquet file holds it, or it is of a session that it would
            not come back in.
    """
    if is_exact(frame) and frame.sparkSession is not frame.sparkSession._instantiatedSession:
        raise CodecError("it is not of the program's first session, in which it would come back")
    found = _run(frame)
    known = _folders.setdefault((_place(frame.sparkSession), found.digest()), found)
    if known is not found:
        _remove(found.path)
    return known


def digest_of(frame: Any) -> bytes:
    """The digest of a frame: known, or found by running its plan. Raises CodecError."""
    known = folder_of(frame)
    if known is not None:
        return known.digest()
    found = _run(frame)
    _remove(found.path)
    return found.digest()


def _run(frame: Any) -> Folder:
    """What a frame's plan gives now, in new files. Raises CodecError."""
    why = refusal(frame)
    if why is not None:
        raise CodecError(why)
    session = frame.sparkSession
    target = _new_folder(session)
    try:
        execution = frame._jdf.queryExecution()
        rows = execution.toRdd()
        own = _own_session(session)
        schema = frame._jdf.schema()
        laid = own.internalCreateDataFrame(rows, schema, False)
        laid.write().option("compression", "snappy").parquet(target)
        partitions = int(rows.getNumPartitions())
        level = frame.storageLevel
        storage = (
            bool(level.useDisk), bool(level.useMemory), bool(level.useOffHeap),
            bool(level.deserialized), int(level.replication),
        )  # fmt: skip
        return Folder(
            path=target,
            schema=str(schema.json()),
            alias=_alias(execution.analyzed()),
            storage=storage,
            partitions=partitions,
            parts=_settle(target),
        )
    except Exception as error:
        _remove(target)
        raise CodecError(f"Spark cannot write it to files: {_said(error)}") from error


def _alias(plan: Any) -> str:
    """What all columns of a plan may be qualified with (`t.x`), without a catalogue before it."""
    found = set()
    for attribute in items(plan.output()):
        qualifier = attribute.qualifier()
        found.add(str(qualifier.last()) if qualifier.size() else "")
    return found.pop() if len(found) == 1 else ""


def _settle(target: str) -> tuple[tuple[int, int, str], ...]:
    """Give Spark's files names that say nothing but the partition, and look at what they hold."""
    found = []
    for name in sorted(os.listdir(target)):
        path = f"{target}/{name}"
        numbered = _PART.match(name)
        if numbered is None or not name.endswith(".parquet"):
            os.unlink(path)  # `_SUCCESS`, and checksums by the old names
            continue
        number = int(numbered[1])
        settled = f"{target}/{part_name(number)}"
        os.rename(path, settled)
        _parquet_footer.settle(settled)
        os.chmod(settled, 0o444)
        found.append((number, os.stat(settled).st_size, _hash_of(settled)))
    return tuple(sorted(found))


def _hash_of(path: str) -> str:
    hasher = blake3()
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(1 << 20):
            hasher.update(piece)
    return str(hasher.hexdigest())


# --- from files -----------------------------------------------------------------------------------


def first_session() -> Any:
    """The session that frames come back in: the one that the program has made first, whichever is
    the active one just now. Raises CodecError: there is none, nor can one be."""
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise CodecError("pyspark is not installed, and the value is a DataFrame of it") from error
    try:
        active = SparkSession.getActiveSession()
        made = SparkSession.builder.getOrCreate() if active is None else active
        return SparkSession._instantiatedSession or made  # there is none with Spark Connect
    except Exception as error:
        raise CodecError(f"no session of Spark: {_said(error)}") from error


def placed(session: Any, folder: Folder, contents: Any) -> Folder:
    """The same files where this session can read them.

    Args:
        contents: called for the content of each, in order, if they are not there already.
    """
    key = _place(session), folder.digest()
    known = _folders.get(key)
    if known is not None:
        return known
    target = _new_folder(session)
    os.mkdir(target, 0o700)
    for (number, _, _), content in zip(folder.parts, contents(), strict=True):
        path = f"{target}/{part_name(number)}"
        with open(path, "wb") as file:
            file.write(content)
        os.chmod(path, 0o444)
    return _folders.setdefault(key, folder.replace(path=target))


def frame_over(session: Any, folder: Folder) -> Any:
    """A new frame over files that a session can read. Raises CodecError."""
    try:
        frame = _frame_over(session, folder)
        if folder.alias:
            frame = frame.alias(folder.alias)
        if folder.storage[:4] != _PLAIN[:4]:
            from pyspark import StorageLevel

            frame = frame.persist(StorageLevel(*folder.storage))
    except Exception as error:
        raise CodecError(f"Spark cannot read it from files: {_said(error)}") from error
    identity = id(frame)
    _frames[identity] = ref(frame, lambda _: _frames.pop(identity, None)), folder
    return frame


def _frame_over(session: Any, folder: Folder) -> Any:
    java, context = session._jvm, session.sparkContext._jsc.sc()
    schema = session._jsparkSession.parseDataType(folder.schema)
    sequence = java.PythonUtils.toSeq
    files = [f"{folder.path}/{part_name(number)}" for number, _, _ in folder.parts]
    scan = _own_session(session).read().schema(schema).parquet(sequence(files))
    rows = scan.queryExecution().toRdd()
    if len(files) > 1 or folder.partitions != 1:
        rows = _in_order(java, context, rows, folder)
    laid = session._jsparkSession.internalCreateDataFrame(rows, schema, False)
    from pyspark.sql import DataFrame

    return DataFrame(laid, session)


def _in_order(java: Any, context: Any, rows: Any, folder: Folder) -> Any:
    """The rows with their partitions as they were: Spark takes files by size, and an empty
    partition has none."""
    places = _places(rows)
    none = getattr(java.scala.collection.immutable, "Set$")
    none = getattr(none, "MODULE$").empty()
    pruned = java.org.apache.spark.rdd.PartitionPruningRDD.create
    tag = rows.elementClassTag()
    sequence = java.PythonUtils.toSeq
    there = {number for number, _, _ in folder.parts}
    pieces = []
    for number in range(folder.partitions):
        if number in there:
            # A set of Scala is a function: here, which partitions stay.
            only = getattr(none, "$plus")(places[part_name(number)])
            pieces.append(pruned(rows, only))
        else:
            pieces.append(context.parallelize(sequence([]), 1, tag))
    return context.union(sequence(pieces), tag)


def _places(rows: Any) -> dict[str, int]:
    """The name of each file -> the number of the partition that a scan reads it as."""
    scan = rows
    while not str(scan.getClass().getSimpleName()).startswith("FileScanRDD"):
        scan = scan.dependencies().head().rdd()
    found = {}
    for number, partition in enumerate(items(scan.filePartitions())):
        (file,) = partition.files()
        found[os.path.basename(str(file.filePath().toString()))] = number
    return found


# --- a session and folders of our own -------------------------------------------------------------

_sessions: dict[str, Any] = {}
"""Place of a Spark context -> our session on it."""


def _own_session(session: Any) -> Any:
    place = _place(session)
    own = _sessions.get(place)
    if own is None:
        own = session._jsparkSession.newSession()
        for name, value in _SETTINGS.items():
            own.conf().set(name, value)
        _sessions[place] = own
    return own


def _place(session: Any) -> str:
    """PySpark's own folder for what its context needs: Spark removes it at its end, also where
    this process was killed."""
    return str(session.sparkContext._temp_dir)


def _new_folder(session: Any) -> str:
    return f"{_place(session)}/ddsimport-{os.urandom(8).hex()}"


def _remove(folder: str) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _said(error: Exception) -> str:
    """What Spark says of an error, without the JVM's stack."""
    java = getattr(error, "java_exception", None)
    text = str(java.toString() if java is not None else error).strip()
    return text.partition("\n")[0][:300]
