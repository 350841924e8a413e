"""Frames of Spark, kept and brought back, in one session that all tests share."""

from __future__ import annotations

import datetime
import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ddsimport.commands import diff
from ddsimport.errors import CodecError, UndigestibleError
from ddsimport.report.preview import preview_of
from ddsimport.store.store import Store
from ddsimport.store.trace import Trace
from ddsimport.values import spark as frames
from ddsimport.values.codecs import codec_for, codec_named, view_for
from ddsimport.values.digest import digest

pytest.importorskip("pyspark", reason="pip install --group spark")
if shutil.which("java") is None:
    pytest.skip("Spark needs Java", allow_module_level=True)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pyspark has its own view of the newest pandas
    from pyspark import StorageLevel
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as F  # noqa: N812 - as everybody does
    from pyspark.sql import types as T  # noqa: N812

pytestmark = pytest.mark.filterwarnings("ignore")

HOSTILE = {
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MILLIS",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "LEGACY",
    "spark.sql.parquet.int96RebaseModeInWrite": "LEGACY",
    "spark.sql.parquet.writeLegacyFormat": "true",
    "spark.sql.parquet.compression.codec": "gzip",
    "spark.sql.files.maxRecordsPerFile": "2",
    "spark.sql.files.maxPartitionBytes": "100",
    "spark.sql.session.timeZone": "Asia/Kathmandu",
}
"""Settings of a session, each of which would spoil a frame that is written and read as usual."""


@pytest.fixture(scope="module")
def spark(tmp_path_factory) -> Iterator[Any]:
    os.environ["PYSPARK_PYTHON"] = sys.executable
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session = (
            SparkSession.builder.master("local[1]")
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.sql.shuffle.partitions", "3")
            .config("spark.local.dir", str(tmp_path_factory.mktemp("spark")))
            .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
            .getOrCreate()
        )
        session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


def _back(frame: Any) -> Any:
    """A frame after its way through a blob, as another process would get it."""
    codec = codec_for(frame)
    assert codec.name == "spark"

    class File(bytearray):
        def write(self, data):
            self.extend(data)

    file = File()
    codec.encode(frame, file)
    for _, folder in list(frames._folders.items()):
        shutil.rmtree(folder.path, ignore_errors=True)
    frames._folders.clear()
    return codec_named("spark").decode_bytes(bytes(file))


def _partitions(frame: Any) -> list[tuple[Any, ...]]:
    """Its rows in order, each with the number of its partition."""
    return [tuple(row) for row in frame.withColumn("_", F.spark_partition_id()).collect()]


def _is_same(left: Any, right: Any) -> bool:
    return (
        left.schema == right.schema
        and [field.metadata for field in left.schema] == [field.metadata for field in right.schema]
        and repr(_partitions(left)) == repr(_partitions(right))
        and left.rdd.getNumPartitions() == right.rdd.getNumPartitions()
    )


@pytest.fixture(scope="module")
def everything(spark) -> Any:
    """A frame with columns of all kinds."""
    schema = T.StructType(
        [
            T.StructField("number", T.LongType(), False, {"unit": "kg", "deep": {"a": [1]}}),
            T.StructField("Number two", T.ByteType()),
            T.StructField("short", T.ShortType()),
            T.StructField("real", T.DoubleType(), False),
            T.StructField("small", T.FloatType()),
            T.StructField("exact", T.DecimalType(38, 18)),
            T.StructField("text", T.StringType()),
            T.StructField("bytes", T.BinaryType()),
            T.StructField("yes", T.BooleanType(), False),
            T.StructField("day", T.DateType()),
            T.StructField("moment", T.TimestampType()),
            T.StructField("local", T.TimestampNTZType()),
            T.StructField("span", T.DayTimeIntervalType()),
            T.StructField("list", T.ArrayType(T.IntegerType(), False)),
            T.StructField("map", T.MapType(T.StringType(), T.ArrayType(T.LongType()), False)),
            T.StructField(
                "both",
                T.StructType(
                    [
                        T.StructField("x", T.IntegerType(), False),
                        T.StructField("y", T.StructType([T.StructField("z", T.StringType())])),
                    ]
                ),
                False,
            ),
        ]
    )
    moment = datetime.datetime(2024, 2, 29, 12, 0, 1, 234567)
    rows = [
        (1, 2, 3, float("nan"), -0.0, Decimal("1.000000000000000001"), "ünï\0", b"\0\xff", True,
         datetime.date(2024, 2, 29), moment, moment, datetime.timedelta(days=-3, microseconds=7),
         [1, 2], {"a": [1, None]}, (1, ("z",))),
        (2, None, None, -0.0, None, None, None, None, False, None, None, None, None, None, None,
         (2, None)),
        (3, -1, 4, 5e-324, 1.5, Decimal(0), "", b"", True, datetime.date(1500, 1, 1),
         datetime.datetime(1901, 1, 1, 1, 1, 1, 1), moment, datetime.timedelta(0), [], {},
         (3, (None,))),
    ]  # fmt: skip
    # So that no worker in Python is asked for the rows again and again.
    return spark.createDataFrame(rows, schema).coalesce(1).localCheckpoint()


def test_all_of_a_frame_comes_back(spark, everything):
    back = _back(everything)
    assert back is not everything
    assert _is_same(everything, back)
    assert not _is_same(everything, spark.read.parquet(frames.folder_of(back).path))  # as is usual
    ancient = "select date'0001-01-01' d, timestamp'0001-01-01 00:00:00.000001' t, array(null) n"
    ancient = spark.sql(ancient).selectExpr("d", "t", "cast(n as array<int>) n")
    told = ["cast(d as string)", "unix_micros(t)", "n"]
    assert ancient.selectExpr(*told).collect() == _back(ancient).selectExpr(*told).collect()


def test_order_partitions_and_empty_ones_come_back(spark):
    padded = F.expr("repeat('x', cast(id as int))")  # files grow: Spark reads the largest first
    frame = spark.range(0, 600, 1, 6).withColumn("text", padded).filter("id < 90 or id > 350")
    back = _back(frame)
    assert [part[-1] for part in _partitions(back)][:1] == [0]
    assert back.rdd.getNumPartitions() == 6
    assert _is_same(frame, back)
    ordered = spark.range(100, numPartitions=3).orderBy(F.desc("id"))
    assert [row.id for row in _back(ordered).take(3)] == [99, 98, 97]
    nothing = spark.range(10, numPartitions=2).filter("id > 50")
    assert _is_same(nothing, _back(nothing))
    none_at_all = spark.range(10).limit(0)
    assert _back(none_at_all).schema == none_at_all.schema
    assert _back(none_at_all).collect() == []


def test_no_setting_of_the_session_matters(spark, everything):
    before = {name: spark.conf.get(name, None) for name in HOSTILE}
    expected = digest(everything)
    try:
        for name, value in HOSTILE.items():
            spark.conf.set(name, value)
        assert digest(everything) == expected
        assert _is_same(everything, _back(everything))
        assert all(spark.conf.get(name) == value for name, value in HOSTILE.items())
    finally:
        for name, value in before.items():
            spark.conf.unset(name) if value is None else spark.conf.set(name, value)


def test_what_is_cached_and_what_columns_are_called_by_come_back(spark):
    frame = spark.range(5).withColumn("x", F.lit(1)).alias("t").persist(StorageLevel.DISK_ONLY)
    try:
        back = _back(frame)
        assert back.storageLevel == frame.storageLevel == StorageLevel.DISK_ONLY
        assert back.is_cached
        assert back.select("t.id").count() == 5
        back.unpersist()
    finally:
        frame.unpersist()
    assert not _back(spark.range(5)).is_cached


def test_a_frame_comes_back_in_the_session_that_it_was_of(spark):
    """It came back in the active session, whose temporary views and settings are others."""
    frame, other = spark.range(3), spark.newSession()
    try:
        elsewhere = other.createDataFrame([(1,)], "n int")  # now it is the active one
        assert _back(frame).sparkSession is spark
        with pytest.raises(CodecError, match="session"):
            frames.written(elsewhere)
        assert digest(elsewhere) == digest(spark.createDataFrame([(1,)], "n int"))
    finally:
        spark.createDataFrame([(1,)], "n int")  # and now the first one again


def test_a_frame_counts_by_what_it_holds(spark, tmp_path):
    frame = spark.range(4, numPartitions=2)
    same = spark.createDataFrame([(n,) for n in range(4)], frame.schema).repartitionByRange(2, "id")
    same = same.sortWithinPartitions("id")
    assert digest(frame) == digest(same)
    assert digest(frame) == digest(_back(frame))
    others = [
        frame.coalesce(1),
        frame.orderBy(F.desc("id")),
        frame.withColumnRenamed("id", "n"),
        frame.withColumn("id", F.col("id").cast("int")),
        frame.withColumn("id", F.nullif(F.col("id"), F.lit(9))),  # may be null, and is not
        frame.withMetadata("id", {"a": 1}),
        spark.range(5, numPartitions=2),
    ]
    found = [digest(each) for each in [frame, *others]]
    assert len(set(found)) == len(found)
    file = tmp_path / "a.csv"
    file.write_text("a\n1\n")
    read = spark.read.csv(str(file), header=True)
    before = digest(read)
    file.write_text("a\n2\n")
    assert digest(spark.read.csv(str(file), header=True)) != before


def test_frames_that_nobody_holds_leave_no_files(spark):
    place = Path(spark.sparkContext._temp_dir)
    before = set(place.iterdir())
    digest(spark.range(3).withColumn("once", F.lit(1)))
    assert set(place.iterdir()) == before
    kept = _back(spark.range(7))
    more = kept.withColumn("more", F.lit(1))
    del kept
    digest(spark.range(7))  # the same as what `more` still reads
    frames.written(spark.range(7))
    assert more.count() == 7
    assert len(set(place.iterdir()) - before) == 1


def test_frames_come_back_as_parts_of_a_value(spark):
    value = {"halves": tuple(spark.range(50).randomSplit([0.5, 0.5], seed=3)), "n": 1}
    codec = codec_for(value)

    class File(bytearray):
        def write(self, data):
            self.extend(data)

    file = File()
    codec.encode(value, file)
    back = codec.decode_bytes(bytes(file))
    assert all(map(_is_same, value["halves"], back["halves"]))
    assert digest(back) == digest(value)


REFUSED = {
    "two columns called": lambda spark: spark.range(1).select("id", "id"),
    "without columns": lambda spark: spark.range(1).select(),
    "interval": lambda spark: spark.sql("select make_interval(1) as x"),
    "streaming": lambda spark: spark.readStream.format("rate").load(),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_no_parquet_file_holds_is_refused_in_words(spark, why):
    frame = REFUSED[why](spark)
    with pytest.raises(UndigestibleError, match=f"(?i){why}"):
        digest(frame)
    with pytest.raises(CodecError):
        codec_for(frame).encode(frame, None)


def test_a_blob_that_is_none_is_refused(spark):
    for data in (b"", b"x" * 20, (5).to_bytes(8, "little") + b"[1,2]"):
        with pytest.raises(CodecError, match="not a frame of Spark of ours"):
            codec_named("spark").decode_bytes(data)


def test_a_session_counts_by_its_settings_views_and_functions(spark):
    before = digest(spark)
    assert digest(spark) == before
    spark.conf.set("spark.sql.ansi.enabled", "false")
    assert digest(spark) != before
    spark.conf.unset("spark.sql.ansi.enabled")
    assert digest(spark) == before
    kept, other = _back(spark.range(3)), _back(spark.range(4))
    kept.createOrReplaceTempView("v")
    seen = digest(spark)
    other.createOrReplaceTempView("v")
    assert before != digest(spark) != seen
    spark.range(9).createOrReplaceTempView("v")
    with pytest.raises(UndigestibleError, match="temporary view 'v'"):
        digest(spark)
    spark.catalog.dropTempView("v")
    assert digest(spark) == before
    with pytest.raises(UndigestibleError, match="not a value"):
        digest(F.col("a") > 1)


def test_a_function_for_spark_counts_the_same_before_and_after_its_use(spark):
    def code_of(thing: Any) -> bytes:
        return getattr(thing, "__qualname__", "").encode()

    def plus(n):
        return n + 1

    function = F.udf(plus, "long")
    before = digest(function, code_of)
    spark.range(1).select(function("id")).schema  # noqa: B018 - makes it known to the JVM
    assert digest(function, code_of) == before
    assert digest(F.udf(plus, "int"), code_of) != before


def test_it_is_shown_as_a_folder_that_others_read(spark, everything, tmp_path):
    from pyarrow import parquet

    frame = everything.select("number", "text", "list").repartition(2)
    store = Store.open(str(tmp_path / "store"))
    back = _back(frame)
    candidate = store.keep(
        "0" * 64, back, trace=Trace(), digest=digest(back).hex(), seconds=1.0, path="/t/frame",
        code="0" * 64, inputs=(), versions={},
    )  # fmt: skip
    assert candidate.codec == "spark"
    assert _is_same(store.value(candidate), frame)
    store.publish("/t/frame", candidate, back)
    folder = tmp_path / "store/data/t/frame"
    assert sorted(os.listdir(folder)) == ["_SUCCESS", "part-00000.parquet", "part-00001.parquet"]
    assert sorted(parquet.read_table(folder)["number"].to_pylist()) == [1, 2, 3]
    assert sorted(row.number for row in spark.read.parquet(str(folder)).collect()) == [1, 2, 3]
    for suffix, format in ((".csv", None), ("", "xlsx"), (".h5", None)):
        with pytest.raises(CodecError, match="folder of parquet files"):
            view_for(frame, suffix, format)
    assert view_for(frame, ".parquet").folder


def test_it_is_looked_at_without_spark(spark, everything, tmp_path, monkeypatch, capsys):
    """`show` and `diff` started a session, which took seconds and wrote to the terminal, to say no
    more than what the columns are called, and by which number the JVM knows the frame."""
    store = Store.open(str(tmp_path / "store"))
    frames_of = {
        "/all": everything,
        "/empty": spark.range(3).filter("id > 5"),
        "/long": spark.range(0, 100, 1, 7).selectExpr("id", "id as `a b`", "id as `a.b`"),
        "/wide": spark.range(1).selectExpr(*(f"{n} as c{n}" for n in range(60))),
    }
    shorter = spark.range(0, 99, 1, 7).selectExpr("id", "id as `a b`", "id as `a.b`")
    for path, frame in [("/long", shorter), *frames_of.items()]:
        candidate = store.keep(
            os.urandom(32).hex(), frame, trace=Trace(), digest=digest(frame).hex(),
            seconds=1.0, path=path, code="0" * 64, inputs=(), versions={},
        )  # fmt: skip
        store.publish(path, candidate, frame)
    monkeypatch.setattr(frames, "first_session", None)
    assert diff.main(["/long", "--store", store.root]) == 1
    assert "shape 99 x 3 -> 100 x 3" in capsys.readouterr().out
    shown = preview_of(store, "/all")
    assert (shown.kind, shown.title) == ("table", "DataFrame 3 x 16")
    assert [name for name, _ in shown.head] == everything.columns
    assert (shown.rows[0][0], shown.rows[2][5]) == ("1", "0E-18")
    shown = preview_of(store, "/empty")
    assert (shown.title, shown.head, shown.rows) == ("DataFrame 0 x 1", (("id", "null"),), ())
    shown = preview_of(store, "/long", most=10)
    assert [row[0] for row in shown.rows] == [str(n) for n in range(10)]
    assert (shown.head[2], shown.more) == (("a.b", "int64"), "100 rows in all")
    assert preview_of(store, "/wide").more == "60 columns in all"
