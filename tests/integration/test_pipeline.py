"""The main job: fast the second time, right after every edit; the oracle is plain Python."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

PIPELINE = {
    "main": """
        from stages import read, fit, evaluate

        raw = read("wine.csv")          # dds: /wine/raw
        model = fit(raw, depth=3)       # dds: /wine/model
        stats = evaluate(model, raw)    # dds: /wine/stats.json
        print(sorted(stats.items()))
    """,
    "stages": """
        from helpers import scale, SHIFT

        def read(path):
            with open(path) as file:
                return [int(line) for line in file]

        def fit(raw, depth):
            return {"depth": depth, "mean": sum(scale(x) for x in raw) / len(raw) + SHIFT}

        def evaluate(model, raw):
            return {"error": sum(abs(x - model["mean"]) for x in raw)}
    """,
    "helpers": """
        SHIFT = 0.5

        def scale(x):
            return x * 2

        def unrelated(x):
            return -x
    """,
}
STEPS = {"/wine/raw", "/wine/model", "/wine/stats.json"}


@pytest.fixture
def pipeline(project):
    project.write(**PIPELINE)
    (project.root / "wine.csv").write_text("1\n2\n3\n4\n")
    assert project.same().evaluated() == STEPS
    return project


def test_second_run_evaluates_nothing(pipeline):
    assert pipeline.same().statuses == dict.fromkeys(STEPS, "hit")


def test_views_are_ordinary_files(pipeline):
    assert json.loads(pipeline.view("/wine/raw").read_text()) == [1, 2, 3, 4]
    assert json.loads(pipeline.view("/wine/stats.json").read_text()) == {"error": 12.0}


@pytest.mark.parametrize(
    ("file", "before", "after", "evaluated"),
    [
        ("helpers.py", "x * 2", "x * 3", {"/wine/model", "/wine/stats.json"}),
        ("helpers.py", "SHIFT = 0.5", "SHIFT = 0.75", {"/wine/model", "/wine/stats.json"}),
        ("stages.py", "abs(x -", "abs(2 * x -", {"/wine/stats.json"}),
        ("main.py", "depth=3", "depth=4", {"/wine/model", "/wine/stats.json"}),
        # Early cutoff: the step runs again, its value is the same, nothing downstream does.
        ("helpers.py", "return x * 2", "return 2 * x", {"/wine/model"}),
        # Nothing that a step reaches.
        ("helpers.py", "return -x", "return x", set()),
        ("helpers.py", "return x * 2", "return (x * 2)  # twice", set()),
        ("stages.py", "def read(path):", "def read(path: str) -> list:", set()),
        ("stages.py", "def fit(raw, depth):", 'def fit(raw, depth):\n    "Fit."', set()),
    ],
)
def test_an_edit_evaluates_just_what_it_touches(pipeline, file, before, after, evaluated):
    pipeline.edit(file, before, after)
    assert pipeline.same().evaluated() == evaluated
    assert pipeline.same().evaluated() == set()


def test_an_edit_taken_back_hits_the_old_value(pipeline):
    pipeline.edit("helpers.py", "x * 2", "x * 3").same()
    pipeline.edit("helpers.py", "x * 3", "x * 2")
    assert pipeline.same().evaluated() == set()
    assert json.loads(pipeline.view("/wine/stats.json").read_text()) == {"error": 12.0}


def test_the_content_of_a_file_that_was_read_counts(pipeline):
    (pipeline.root / "wine.csv").write_text("1\n2\n3\n5\n")
    assert pipeline.same().evaluated() == STEPS


def test_a_file_touched_or_copied_does_not(pipeline):
    data = pipeline.root / "wine.csv"
    data.write_text(data.read_text())
    assert pipeline.same().evaluated() == set()


def test_a_copied_project_hits(pipeline, tmp_path: Path):
    from projects import Project

    shutil.copytree(pipeline.root, tmp_path / "copy")
    assert Project(tmp_path / "copy").same().evaluated() == set()


def test_another_hash_seed_hits(pipeline):
    for seed in ("1", "2"):
        assert pipeline.same(environment={"PYTHONHASHSEED": seed}).evaluated() == set()


def test_a_deleted_or_edited_view_comes_back(pipeline):
    view = pipeline.view("/wine/stats.json")
    view.unlink()
    assert pipeline.same().evaluated() == set()
    assert json.loads(view.read_text()) == {"error": 12.0}
    view.chmod(0o644)
    view.write_text("edited by hand")
    pipeline.same()
    assert json.loads(view.read_text()) == {"error": 12.0}


def test_load_reads_the_current_value(pipeline):
    pipeline.write(other="import ddsimport\nprint(ddsimport.load('/wine/stats.json'))")
    assert pipeline.plain("other.py").stdout == "{'error': 12.0}\n"


def test_store_ignores_itself(pipeline):
    assert (pipeline.root / ".dds" / ".gitignore").read_text().strip().endswith("*")


def test_inputs_that_compare_equal_are_told_apart_in_one_process(project):
    project.write(
        main="""
        LIMIT = 1
        def show(value, more):
            return repr(value), more, LIMIT
        def run(value, more=None):
            x = show(value, more)  # dds: /x
            return x
        values = [1, True, 1.0, "1", b"1", 0, False, 0.0, -0.0, None, "", b"", 2**70, "a" * 999]
        for turn in range(3):
            for value in values:
                print(run(value), run(value, value), run(None, value))
            LIMIT += turn
        """
    )
    project.same()
    assert project.same().evaluated() == set()
