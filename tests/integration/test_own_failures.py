"""Whatever fails on our side while a step is recorded, the program goes on as plain Python."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "broken",
    [
        "native.begin",
        "process.settings",
        "process.changed",
        "figures.Figures",
        "figures.Figures.end",
        "audited.install",
        "randomness.Draws.end",
        "witness.begin",
        "left.effects",
        "replayable.check",
        "recorder.Recording.forget_precautions",
    ],
)
def test_a_failure_is_told_and_no_more(project, broken):
    module, _, attribute = broken.partition(".")
    project.write(
        main=f"""
        import ddsimport.runtime.{module} as module
        import ddsimport.runtime.evaluation as evaluation
        def fail(*arguments):
            raise ZeroDivisionError("broken")
        module.{attribute} = fail
        if {broken!r} == "replayable.check":
            evaluation.check = fail
        def work():
            print("working")
            return 1
        x = work()  # dds: /x
        print(x)
        try:
            y = 1 / (x - 1)  # dds: /y
        except ZeroDivisionError as error:
            print(error)
        """
    )
    ended = project.run()
    assert (ended.stdout, ended.stderr, ended.code) == ("working\n1\ndivision by zero\n", "", 0)
    assert ended.statuses == {"/x": "uncached", "/y": "failed"}
    assert "ddsimport failed: ZeroDivisionError: broken" in ended.steps[0]["reason"]
