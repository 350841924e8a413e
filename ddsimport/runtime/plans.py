"""Values that are plans: frames of Spark, which say what to compute, and compute nothing.

What a step gives must hold still before it can be kept. So its plan is run at the end of the
evaluation, while what is read is recorded, and the program goes on with a frame over what was kept:
it sees the same whether the step hits or not, the next step sees what its signature says, and the
plan is not run again for each use. Of frames in a tuple, list or dictionary, each is run.

What the plan reads is told by its leaves. Files on a disk of this machine count by content, as
those of any step; what the step is given (frames of ours, values of Python) counts already. Nobody
tells when anything else changes, a table in a database or an object in a bucket: a step that reads
that is not kept, unless its pragma says for how long it may be (`ttl=`).
"""

from __future__ import annotations

import os

from ddsimport.errors import CodecError
from ddsimport.records import Record
from ddsimport.runtime import recorder
from ddsimport.runtime.uncached import UncachedError
from ddsimport.values import spark, spark_plans

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.runtime.evaluation import Evaluation

_GIVEN = frozenset({"LocalRelation", "LogicalRDD", "OneRowRelation", "Range", "ExternalRDD"})
"""Leaves of plans that hold what the program gave them."""

_MOUNTS = (("dbfs:/Volumes/", "/Volumes/"), ("dbfs:/", "/dbfs/"), ("file:", ""))
"""How names of Spark begin -> how those of the same files here do."""


class Ran(Record):
    """Plans that have run.

    Attributes:
        settled: the value with frames over files in place of plans.
        elsewhere: what the plans read that nobody can look at, in words.
        views: temporary views that the plans read.
        failure: why a plan could not be run; it is the program's own, who will meet it later.
    """

    settled: Any
    elsewhere: tuple[str, ...]
    views: tuple[str, ...]
    failure: Exception | None

    def check(self, evaluation: Evaluation) -> None:
        """Raises CodecError, UncachedError: the value cannot be kept."""
        if self.failure is not None:
            raise self.failure
        told = any(type(value).__name__ == "SparkSession" for _, value in evaluation.inquiry.values)
        if self.views and not told:
            raise UncachedError(
                f"it reads the temporary view {self.views[0]!r} of a session that is no input; "
                "name the session in the expression, or pass the DataFrame"
            )
        if self.elsewhere and evaluation.step.options.ttl is None:
            raise UncachedError(
                f"it reads {self.elsewhere[0]} through Spark, and nobody tells when that changes; "
                "put `ttl=1d` in its pragma to keep it for a day"
            )


def run(value: Any) -> Ran | None:
    """Run the plans in a value; None if there are none."""
    if not any(map(spark.is_frame, _parts(value))):
        return None
    elsewhere: dict[str, None] = {}
    views: dict[str, None] = {}
    try:
        settled = [
            _settled(part, elsewhere, views) if spark.is_frame(part) else part
            for part in _parts(value)
        ]
    except CodecError as error:
        return Ran(value, (), (), error.with_traceback(None))
    if type(value) is dict:
        whole: Any = dict(zip(value, settled, strict=True))
    elif type(value) in (list, tuple):
        whole = type(value)(settled)
    else:
        (whole,) = settled
    return Ran(whole, tuple(elsewhere), tuple(views), None)


def _parts(value: Any) -> list[Any]:
    if type(value) is dict:
        return list(value.values())
    return list(value) if type(value) in (list, tuple) else [value]


def _settled(frame: Any, elsewhere: dict[str, None], views: dict[str, None]) -> Any:
    """Raises CodecError."""
    why = spark.refusal(frame)
    if why is not None:
        raise CodecError(why)
    if spark.folder_of(frame) is None:
        _note_sources(frame._jdf.queryExecution().analyzed(), elsewhere, views)
    with recorder.unrecorded():  # the files that Spark reads for it are watched all the same
        folder = spark.folder_of(frame) or spark.written(frame)
        return spark.frame_over(frame.sparkSession, folder)


def _note_sources(plan: Any, elsewhere: dict[str, None], views: dict[str, None]) -> None:
    """Tell what is recorded which files a plan is about to read."""
    for view in spark_plans.nodes(plan, "View"):
        if view.isTempView():
            views[str(view.desc().identifier().unquotedString())] = None
    for leaf in spark_plans.leaves(plan):
        name = str(leaf.getClass().getSimpleName())
        if name in _GIVEN:
            continue
        files = spark_plans.files_of(leaf) if name == "LogicalRelation" else None
        if files is None:
            elsewhere[str(leaf.nodeName())] = None
            continue
        for each in files:
            here = _here(each)
            if here is None:
                elsewhere[each] = None
            else:
                _note(here)


def _here(name: str) -> str | None:
    """The name of a file or folder of Spark on this machine; None if it is not on it."""
    for start, instead in _MOUNTS:
        if name.startswith(start):
            path = instead + name[len(start) :]
            path = "/" + path.lstrip("/")
            return path if os.path.exists(path) else None
    return name if name.startswith("/") and os.path.exists(name) else None


def _note(path: str) -> None:
    """A file counts by content, a folder by the names in it and below."""
    for recording in recorder.recordings():
        if os.path.isdir(path):
            for folder, _, _ in os.walk(path):
                recording.listings.setdefault(folder, recorder.names_in(folder))
        else:
            recording.note_read(path, path)
