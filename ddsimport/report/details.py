"""All that is known of one step, as plain JSON: for the page, which shows it where one clicks."""

from __future__ import annotations

import base64
import os
from contextlib import suppress
from itertools import islice

from ddsimport.errors import StoreError
from ddsimport.report.code import Code, statement_at
from ddsimport.report.rests import files_of, variables_of
from ddsimport.report.texts import text_of
from ddsimport.report.why import Why

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ddsimport.report.events import Event
    from ddsimport.report.past import Past, PastRun
    from ddsimport.report.why import Explanation
    from ddsimport.store.provenance import Provenance

_VERSIONS = 20
_MOST_TEXT = 4_000  # characters of a value
_MOST_DATA = 64 << 20  # bytes of a value that is decoded to be shown
_WIDTH = 76  # characters of a table
_MOST_LINES = 40
_MOST_IMAGE = 400_000  # bytes
_IMAGES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".svg": "image/svg+xml",
}
_TEXTS = frozenset({".csv", ".html", ".json", ".md", ".txt", ".tsv", ".yaml", ".yml"})


class Details:
    """Tells all about the steps of a run.

    Args:
        past: all that is known.
        run: the run.

    Attributes:
        texts: name -> the source text of a piece of code; many steps share most of theirs.
    """

    def __init__(self, past: Past, run: PastRun) -> None:
        self.texts: dict[str, str] = {}
        self._past = past
        self._run = run
        self._code = Code(past)
        self._why: dict[int, Why] = {}

    def of(self, path: str) -> dict[str, Any]:
        """What is known of the step at a path."""
        event = self._run.latest.get(path)
        told: dict[str, Any] = {"path": path}
        if event is not None:
            told["event"] = event.as_dict()
        known = event
        if known is None or not known.signature:
            known = next((e for _, e in self._past.evaluations(path) if e.signature), event)
        provenance = self._past.provenance(known.signature) if known is not None else None
        if provenance is not None and known is not None:
            told.update(self._made_from(provenance, known))
        elif event is not None:
            told.update(self._as_written(event))
        with suppress(StoreError):
            told["history"] = list(self._history(path))
            told["preview"] = preview(self._past.store.shown_file(path)) or self._decoded(path)
        told["why"] = self._explained(path, event)
        return told

    def _decoded(self, path: str) -> dict[str, str]:
        """The head of a table or an array whose file only other programs can show. Raises
        StoreError."""
        store = self._past.store
        record = store.current(path)
        known = self._past.candidates(record.signature) if record is not None else ()
        for candidate in known:
            if record is not None and candidate.blob == record.blob:
                if not self._past.can_be_shown(candidate, _MOST_DATA):
                    return {}
                from ddsimport.report.preview import as_text, preview_of

                return {"text": as_text(preview_of(store, path), _WIDTH)}
        return {}

    def _made_from(self, provenance: Provenance, event: Event) -> dict[str, Any]:
        pieces = self._code.pieces(provenance)
        step = pieces.get("step")
        code = []
        for piece in sorted(pieces.values(), key=lambda each: (each.file, each.line)):
            if piece is step:
                continue
            self.texts[piece.digest] = piece.text
            code.append(
                {"name": piece.name, "file": piece.file, "line": piece.line, "text": piece.digest}
            )
        files: list[str] = []
        environment: list[str] = []
        versions: dict[str, str] = {}
        for candidate in self._past.candidates(event.signature)[:1]:
            files = files_of(candidate.trace)
            environment = variables_of(candidate.trace, pieces.values())
            versions = dict(candidate.versions)
        return {
            "place": f"{provenance.file}:{event.line}",
            "options": [f"{key}={value}" for key, value in provenance.options],
            "source": step.text if step is not None else "",
            "code": code,
            "inputs": [
                [each.name, each.summary]
                for each in (provenance.inputs if provenance.reach else provenance.inputs[1:])
            ],
            "variables": [[each.name, each.summary] for each in provenance.variables],
            "files": files,
            "environment": environment,
            "packages": sorted(_package(name, version) for name, version in versions.items()),
            "value": provenance.value,
        }

    def _as_written(self, event: Event) -> dict[str, Any]:
        """The same of a step that was never kept, so that nothing is noted of it but the text."""
        file = self._past.file_of(self._run, event)
        text = self._past.text_loaded(self._run, file) or ""
        if event.line not in text_of(file, text).steps:
            return {}
        return {"place": f"{file}:{event.line}", "source": statement_at(text, event.line)}

    def _history(self, path: str) -> Iterator[dict[str, Any]]:
        store = self._past.store
        current = store.current(path)
        for version in islice(store.history.versions(path), _VERSIONS):
            yield {
                "name": version.blob[:12],
                "shown": version.shown,
                "seconds": version.seconds,
                "size": version.size,
                "current": current is not None and current.blob == version.blob,
                "kept": store.has(version.blob),
            }

    def _explained(self, path: str, event: Event | None) -> dict[str, Any] | None:
        """Why the step ran; of a hit, why it ran when it did so last."""
        if event is not None and event.status != "hit":
            return _told(self._why_of(self._run).of(event))
        for run, earlier in self._past.evaluations(path):
            if earlier.status == "computed":
                return _told(self._why_of(run).of(earlier))
        return None

    def _why_of(self, run: PastRun) -> Why:
        if id(run) not in self._why:
            self._why[id(run)] = Why(self._past, run)
        return self._why[id(run)]


def _told(explained: Explanation) -> dict[str, Any]:
    causes = [{**each.as_dict(), "details": list(each.details)} for each in explained.causes]
    return {
        "status": explained.status,
        "said": explained.said,
        "run": explained.run,
        "causes": causes,
    }


def _package(name: str, version: str) -> str:
    """`pandas 3.1`, `sklearn (scikit_learn 1.9)`."""
    distribution, several, number = version.partition("==")
    if not several:
        return f"{name} {version}"
    return f"{name} {number}" if name == distribution else f"{name} ({distribution} {number})"


def preview(file: str) -> dict[str, str]:
    """What the file that shows a value can be shown as: `image`, as a data URI, or `text`, its
    head. Nothing of the value itself is decoded."""
    suffix = os.path.splitext(file)[1].lower()
    try:
        if suffix in _IMAGES and os.path.getsize(file) <= _MOST_IMAGE:
            with open(file, "rb") as opened:
                encoded = base64.b64encode(opened.read()).decode()
            return {"image": f"data:{_IMAGES[suffix]};base64,{encoded}"}
        if suffix in _TEXTS:
            with open(file, encoding="utf-8") as opened:
                text = opened.read(_MOST_TEXT + 1)
            lines = text.splitlines()
            shown = "\n".join(lines[:_MOST_LINES])[:_MOST_TEXT]
            return {"text": shown + ("\n…" if len(shown) < len(text.rstrip("\n")) else "")}
    except (OSError, ValueError):
        return {}
    return {}
