"""What a step displays in a session: where it can be shown again, and where it cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from ipython_sessions import Sessions

from ddsimport.notebook import where

_SHOW = (
    "from IPython.display import display\ndef f(n):\n    display({bundle}, raw=True)\n    return n"
)
_WIDGET = _SHOW.format(bundle="{'application/vnd.jupyter.widget-view+json': {}}")
_TEXT = _SHOW.format(bundle="{'text/plain': 'abc'}")


def test_a_widget_cannot_be_shown_again(sessions: Sessions, folder: Path) -> None:
    step = "x = f(1)  # dds: /x"
    kept = sessions.run([_WIDGET, step, f"{step} replay=off", f"{step} replay=off"], folder)
    assert [status for _, status in kept.statuses] == ["uncached", "computed", "hit"]
    assert "displayed a widget" in kept.reasons[0]


def test_of_too_much_what_is_whole_is_shown_again(sessions: Sessions, folder: Path) -> None:
    cells = [
        _SHOW.format(bundle="{'text/plain': 'abc' * n}"),
        "%%capture shown\nx = f(400_000) + f(1)  # dds: /x replay=truncated",
        "len(shown.outputs)",
        "%%capture shown\nx = f(1) + f(400_000)  # dds: /x replay=truncated",
        "len(shown.outputs)",
    ]
    for status, counts in (("computed", ["2", "2"]), ("hit", ["0", "1"])):
        ran = sessions.run(cells, folder)
        assert ran.statuses == [["/x", status], ["/x", status]]
        assert [ran.answers[number]["result"] for number in (2, 4)] == counts


def test_a_script_cannot_show_what_a_session_did(sessions: Sessions, folder: Path) -> None:
    cells = [_TEXT, "x = f(1)  # dds: /x\nprint(x)"]
    assert sessions.run(cells, folder).statuses == [["/x", "computed"]]
    (folder / "s.py").write_text("\n".join(cells))
    plain, ours = (
        subprocess.run(
            [sys.executable, *options, "s.py"], cwd=folder, capture_output=True, text=True
        )
        for options in ([], ["-m", "ddsimport"])
    )
    assert (ours.stdout, ours.returncode) == (plain.stdout, 0)
    assert "1 computed" in ours.stderr
    assert sessions.run(cells, folder).statuses == [["/x", "hit"]]


def test_a_session_is_called_after_its_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    shell = SimpleNamespace(user_ns={})
    assert where.of(shell)[1:] == ("ipython", str(tmp_path))
    shell.kernel = None
    assert where.of(shell)[1:] == ("notebook", str(tmp_path))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "wine data.ipynb").write_text("{}")
    monkeypatch.setenv("JPY_SESSION_NAME", "deep/wine data.ipynb")
    assert where.of(shell)[1:] == ("wine data", str(tmp_path / "deep"))
    shell.user_ns["__vsc_ipynb_file__"] = str(tmp_path / "gone.ipynb")
    assert where.of(shell)[1] == "wine data"
    monkeypatch.setenv("JPY_SESSION_NAME", "8f3c-an-identity")
    assert where.of(shell)[1] == "notebook"
