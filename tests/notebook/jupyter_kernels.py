"""Kernels of Jupyter, run by nbclient as Jupyter runs them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

_OURS = re.compile(r"^(?:ddsimport: .*|  (?:uncached|failed) .*)\n", re.MULTILINE)
_PLACES = re.compile(r"/tmp/ipykernel_\d+/|0x[0-9a-f]{6,}|\x1b\[[0-9;]*m")


class Shown:
    """What a cell showed.

    Attributes:
        streams: name -> text, without ours.
        ours: what ddsimport said.
        rest: results, displays and errors, in order.
    """

    def __init__(self, outputs: list[Any]) -> None:
        self.streams = {"stdout": "", "stderr": ""}
        self.rest: list[Any] = []
        for each in outputs:
            if each["output_type"] == "stream":
                self.streams[each["name"]] += each["text"]
            elif each["output_type"] == "error":
                traceback = "\n".join(each["traceback"])
                self.rest.append((each["ename"], each["evalue"], _PLACES.sub("", traceback)))
            else:
                data = {kind: _PLACES.sub("", str(text)) for kind, text in each["data"].items()}
                self.rest.append((each["output_type"], data))
        self.ours = "".join(_OURS.findall(self.streams["stderr"]))
        self.streams["stderr"] = _PLACES.sub("", _OURS.sub("", self.streams["stderr"]))

    @property
    def all(self) -> tuple[Any, ...]:
        """All but what ddsimport said."""
        return self.streams, self.rest

    @property
    def result(self) -> str:
        """The text of the cell's result."""
        return str(next(data["text/plain"] for kind, data in self.rest if kind == "execute_result"))

    @property
    def statuses(self) -> str:
        """A letter for each step that was told: computed, hit, failed, uncached."""
        return "".join(re.findall(r"^ddsimport: ([chfu])\w+ +/", self.ours, re.MULTILINE))


class Kernel:
    """A kernel; see `kernel`."""

    def __init__(self, client: NotebookClient) -> None:
        self._client = client

    def run(self, text: str) -> Shown:
        """Run a cell that is new to the notebook."""
        cell = nbformat.v4.new_code_cell(text)
        self._client.nb.cells.append(cell)
        with suppress(CellExecutionError):
            self._client.execute_cell(cell, len(self._client.nb.cells) - 1)
        return Shown(cell["outputs"])

    def run_all(self, cells: list[str]) -> list[Shown]:
        """Run cells, one after the other."""
        return [self.run(text) for text in cells]


@contextmanager
def kernel(folder: Path, **variables: str) -> Iterator[Kernel]:
    """A kernel that starts in `folder`."""
    client = NotebookClient(
        nbformat.v4.new_notebook(),
        timeout=120,
        kernel_name="python3",
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    )
    with client.setup_kernel(env={**os.environ, **variables}):
        yield Kernel(client)


def exported(cells: list[str]) -> str:
    """The script that Jupyter would make of a notebook, magics left out."""
    parts = [
        "\n".join(line for line in text.split("\n") if line[:1] not in ("%", "!")) for text in cells
    ]
    numbered = [f"# In[{number}]:\n\n\n{part}\n" for number, part in enumerate(parts, 1)]
    return "#!/usr/bin/env python\n# coding: utf-8\n\n" + "\n\n".join(numbered)
