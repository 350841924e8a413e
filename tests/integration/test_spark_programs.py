"""A program that uses Spark, run both ways: cold, warm, and after edits of code and data."""

from __future__ import annotations

import shutil
import sys

import pytest

pytest.importorskip("pyspark", reason="pip install --group spark")
if shutil.which("java") is None:
    pytest.skip("Spark needs Java", allow_module_level=True)

PROGRAM = """
import sys
from pyspark.sql import SparkSession, functions as F

spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.ui.showConsoleProgress", "false")
    .config("spark.sql.shuffle.partitions", "3")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("OFF")

@F.udf("int")
def plus(n):
    return n + 1

def read(spark):
    return spark.read.option("header", True).schema("a int, b string").csv(sys.argv[1])

def clean(df):
    return df.filter("a > 1").withColumn("c", plus("a")).orderBy(F.desc("a"))

def count(name):  # dds: /lines
    return spark.read.option("header", True).csv(name).count()

raw = read(spark)  # dds: /raw
kept = clean(raw).cache()  # dds: /kept
some = kept.withColumn("d", F.lit(1))  # no step: counts by what it holds
total = some.agg(F.sum("c")).collect()[0][0]  # dds: /total
train, test = kept.randomSplit([0.5, 0.5], seed=1)  # dds: /split
lines = count("data/in.csv")
chance = spark.range(3).select(F.rand())  # dds: /chance

def make(spark):  # dds: /made
    return spark.createDataFrame([(1, "x")], "a int, b string")

made = make(spark)
kept.createOrReplaceTempView("kept")
seen = spark.sql("select max(c) from kept")  # dds: /seen
print(total, lines, kept.columns, kept.is_cached, kept.schema, kept.collect(), seen.collect())
print([part.rdd.getNumPartitions() for part in (train, test)], sorted(train.union(test).collect()))
print(chance.collect() == chance.collect(), made.collect(), made.select("b").first().b)
"""
STEPS = {"/raw", "/kept", "/total", "/split", "/lines", "/chance", "/made", "/seen"}


@pytest.mark.skipif(sys.platform != "linux", reason="files that the JVM reads are told by inotify")
def test_a_program_with_frames_of_spark(project):
    project.write(main=PROGRAM)
    data = project.root / "data"
    data.mkdir()
    (data / "in.csv").write_text("a,b\n1,x\n2,y\n3,z\n")
    surroundings = {
        "environment": {"PYSPARK_PYTHON": sys.executable, "PYTHONWARNINGS": "ignore"},
        "timeout": 400,
    }
    arguments = ("main.py", "data/in.csv")

    plainly = project.plain(*arguments, **surroundings)
    assert plainly.code == 0, plainly.stderr
    cold = project.run(*arguments, **surroundings)
    assert cold.stdout == plainly.stdout, cold.stderr
    assert cold.statuses == dict.fromkeys(STEPS, "computed")
    assert "_SUCCESS" in {path.name for path in project.view("/kept").iterdir()}

    # Warm, but for one step, which gives the same frame in another process: all others hit.
    project.edit("main.py", "return n + 1", "return 1 + n")
    same = project.run(*arguments, **surroundings)
    assert same.stdout == plainly.stdout, same.stderr
    assert same.evaluated() == {"/kept"}

    (data / "in.csv").write_text("a,b\n1,x\n2,y\n5,z\n6,w\n")
    changed = project.run(*arguments, **surroundings)
    assert changed.evaluated() == STEPS - {"/made", "/chance"}
    assert changed.stdout.startswith("16 4 ['a', 'b', 'c'] True ")
    assert "[Row(max(c)=7)]" in changed.stdout
