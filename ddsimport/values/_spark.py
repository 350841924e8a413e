"""Spark: frames by what they hold, sessions by what decides on what a plan gives: settings, views.

A frame that came from a step carries its digest (`values.spark`). Of any other the plan tells too
little: the files under it may have changed, a function in it is bytes. So it is run, and counts by
what it gives; which is what a pandas frame costs that no step made, too.
"""

from __future__ import annotations

import re

from ddsimport.errors import CodecError
from ddsimport.values import spark
from ddsimport.values._encoder import Encoder, RefusalError, named, write_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.values._encoder import Body

_FRAME = named("pyspark.DataFrame")
_SESSION = named("pyspark.Session")
_CONTEXT = named("pyspark.Context")
_FUNCTION = named("pyspark.udf")

_HOLDS = {
    "Column": "an expression of Spark is not a value: make it inside the step",
    "RDD": "an RDD of Spark is not a value: pass a DataFrame that a step gave",
    "GroupedData": "grouped data of Spark is not a value: group inside the step",
    "Broadcast": "a broadcast variable is not a value: pass what it holds",
    "Accumulator": "an accumulator is not a value: a hit would not add to it",
    "Observation": "an observation is not a value: a hit would not fill it",
    "StreamingQuery": "a running query is not a value",
}


def body_of(kind: type) -> Body | None:
    """What encodes a type of pyspark; None for plain ones (schemas, rows)."""
    for base in kind.__mro__:
        module, name = base.__module__, base.__name__
        if not module.startswith(("pyspark.", "py4j.")):
            continue
        if module.startswith("py4j."):
            return _refusal("an object of the JVM is not a value")
        if name == "DataFrame" and module.startswith("pyspark.sql."):
            return _frame
        if name == "SparkSession":
            return _session
        if name == "SparkContext":
            return _context
        if name == "UserDefinedFunction":
            return _function
        if name in _HOLDS:
            return _refusal(_HOLDS[name])
    return None


def _refusal(why: str) -> Body:
    def refuse(encoder: Encoder, value: object) -> None:
        raise RefusalError(value, why)

    return refuse


def _frame(encoder: Encoder, value: Any) -> None:
    try:
        token = spark.digest_of(value)
    except CodecError as error:
        # What Spark could not run now, it may have run in a step.
        remedy = "" if spark.refusal(value) else "; put `# dds:` on the line that makes it"
        raise RefusalError(value, f"{error}{remedy}") from error
    encoder.out += _FRAME
    # By its class it is known that the step uses Spark, whose files are watched.
    encoder.out += encoder.class_token(type(value))
    encoder.out += token


# --- sessions -------------------------------------------------------------------------------------

_SETTING = re.compile(r", (?=spark\.[\w.-]+=)")
_PLACES = ("spark.sql.warehouse.dir=", "spark.sql.artifact.")


def _session(encoder: Encoder, value: Any) -> None:
    """By its SQL settings, and the views and functions that it has besides the catalogue."""
    if ".connect." in type(value).__module__:
        raise RefusalError(value, "what a session of Spark Connect holds is on its server")
    java = value._jsparkSession
    catalogue = java.sessionState().catalog()
    functions = catalogue.listTemporaryFunctions()
    if functions.size():
        raise RefusalError(
            value,
            f"it has the function {functions.apply(0).funcName()!r} by name, whose code is not "
            "seen: call the function itself",
        )
    encoder.out += _SESSION
    encoder.out += encoder.class_token(type(value))
    _context(encoder, value.sparkContext)
    text = str(java.sessionState().conf().settings().toString())[1:-1]
    settings = sorted(
        each
        for each in _SETTING.split(text)
        if each.startswith("spark.sql.") and not each.startswith(_PLACES)
    )
    encoder.encode(settings)
    encoder.encode(sorted(_views(value, catalogue)))


def _views(value: Any, catalogue: Any) -> list[tuple[str, bytes]]:
    """(name, digest) of each temporary view."""
    views = catalogue.listTempViews("global_temp", "*")
    found = []
    for number in range(views.size()):
        identifier = views.apply(number).identifier()
        name = str(identifier.unquotedString())
        plan = value.table(name)._jdf.queryExecution().analyzed().child().children().head()
        for frame, folder in spark.known_frames():
            if plan.equals(frame._jdf.queryExecution().analyzed()):
                found.append((name, folder.digest()))
                break
        else:
            raise RefusalError(
                value,
                f"it has the temporary view {name!r} of a DataFrame that no step gave: put "
                "`# dds:` on the line that makes it, or drop the view",
            )
    return found


def _context(encoder: Encoder, value: Any) -> None:
    """By its version and how many partitions it makes by default: what `rand(7)` gives depends on
    it."""
    encoder.out += _CONTEXT
    write_text(encoder.out, str(value.version))
    encoder.encode(int(value.defaultParallelism))


def _function(encoder: Encoder, value: Any) -> None:
    """A function for Spark, which notes in itself what the JVM has made of it."""
    encoder.out += _FUNCTION
    encoder.encode(value.func)
    kind = value._returnType
    told = kind if isinstance(kind, str) else kind.json()
    encoder.encode((told, value.evalType, value.deterministic, value._name))
