"""Runs that are under way, as they tell it themselves (see `livefile`)."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from time import time

from ddsimport.records import Record
from ddsimport.report.events import Event
from ddsimport.report.graph import Graph, Node, graph_of
from ddsimport.report.outlook import Outlook
from ddsimport.report.past import PastRun
from ddsimport.store.flock import try_lock, unlock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ddsimport.report.past import Past

_OLDEST = 86_400.0
"""Seconds without a word after which a run is taken for dead where files cannot be locked."""


class LiveRun(Record):
    """A run that has not ended.

    Attributes:
        run: what it did so far; `ended` is empty.
        started: when it was first watched, ISO 8601 in UTC.
        running: path of a step that is being evaluated -> since when, seconds of the epoch.
    """

    run: PastRun
    started: str
    running: dict[str, float]


def live_runs(root: str, namespace: str) -> list[LiveRun]:
    """The runs of a namespace that are under way and watched, the latest first."""
    found: list[LiveRun] = []
    for path in live_files(root):
        with suppress(OSError):
            with open(path, "rb") as file:
                run = _read(file.read())
            if run is not None and run.run.namespace == namespace:
                found.append(run)
    return sorted(found, key=lambda run: run.started, reverse=True)


def live_files(root: str) -> list[str]:
    """The files of runs that are under way; those of runs that were killed are removed."""
    try:
        names = sorted(os.listdir(f"{root}/live"))
    except OSError:
        return []
    paths = [f"{root}/live/{name}" for name in names if name != "asked"]
    return [path for path in paths if not _is_dead(path)]


def _is_dead(path: str) -> bool:
    """Whether the run is gone that wrote a file, which then is removed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return True
    try:
        status = os.fstat(descriptor)
        if not status.st_size:
            return False  # it is locked before the first line is written
        locked = try_lock(descriptor)
        if locked:
            with suppress(OSError):
                unlock(descriptor)
        dead = locked if locked is not None else time() - status.st_mtime > _OLDEST
        if dead:
            with suppress(OSError):
                os.unlink(path)
        return dead
    finally:
        os.close(descriptor)


def _read(content: bytes) -> LiveRun | None:
    """None: it tells nothing yet."""
    records: list[dict[str, Any]] = []
    for line in content.split(b"\n")[:-1]:  # what comes after the last newline is not whole yet
        with suppress(ValueError):
            records.append(json.loads(line))
    if not records:
        return None
    head, running, events = records[0], dict[str, float](), list[Event]()
    counts = {"hit": 0, "computed": 0, "failed": 0, "uncached": 0}
    try:
        for record in records[1:]:
            if "begins" in record:
                running[str(record["begins"]["path"])] = float(record["begins"]["since"])
                continue
            event = Event(**record)
            running.pop(event.path, None)
            events.append(event)
            counts[event.status] += 1
        run = PastRun(
            program=str(head["program"]),
            arguments=tuple(map(str, head["arguments"])),
            namespace=str(head["namespace"]),
            ended="",
            python=str(head["python"]),
            counts=counts,
            seconds=sum(event.seconds for event in events if event.status != "hit"),
            saved_seconds=sum(event.saved_seconds for event in events),
            events=tuple(events),
            files={},
            environment="",
        )
        return LiveRun(run, str(head["started"]), running)
    except (KeyError, TypeError, ValueError):  # of another version of ddsimport
        return None


def live_graph(past: Past, live: LiveRun) -> tuple[Graph, dict[str, Outlook]]:
    """The graph of a run under way, with the steps that its last run had and it has not yet; and
    which of its steps are running, as forecasts."""
    last = next(iter(past.runs_of(live.run.program)), None)
    before = last.latest if last is not None else {}
    done = live.run.latest
    expected = {path: event for path, event in before.items() if path not in done}
    whole = graph_of(past, live.run.replace(events=(*live.run.events, *expected.values())))
    known = {node.id for node in whole.nodes}
    nodes = [
        node.replace(event=None, detail="not yet")
        if node.event is not None and node.event.path in expected
        else node
        for node in whole.nodes
    ]
    new = [path for path in live.running if f"step:{path}" not in known]
    nodes += [Node(f"step:{path}", "step", path, "running") for path in new]
    graph = whole.replace(nodes=tuple(nodes), ended="")
    return graph, dict.fromkeys(live.running, Outlook("running"))
