"""Steps inside steps: a hit of the outer one leaves the paths of the inner ones as it would."""

from __future__ import annotations

PROGRAM = """
    import ddsimport
    from settings import N

    @ddsimport.data_function("/inner")
    def inner():
        return N

    @ddsimport.data_function("/outer")
    def outer():
        return inner() * 10

    @ddsimport.data_function("/most")
    def most():
        return outer() + 1, ddsimport.load("/inner")

    print(most(), ddsimport.load("/outer"), ddsimport.load("/inner"))
"""


def _runs(project, *, environment=None):
    import json

    report = project.root / "report.json"
    ended = project.plain(
        "main.py", environment={"DDSIMPORT_REPORT": str(report), **(environment or {})}
    )
    assert ended.code == 0, ended.stderr
    steps = json.loads(report.read_text())["steps"]
    return ended.stdout, {step["path"]: step["status"] for step in steps}


def test_inner_paths_show_what_the_outer_value_was_made_of(project):
    project.write(main=PROGRAM, settings="N = 1\n")
    assert _runs(project)[0] == "(11, 1) 10 1\n"
    project.edit("settings.py", "1", "2")
    assert _runs(project)[0] == "(21, 2) 20 2\n"
    project.edit("settings.py", "2", "1")
    assert _runs(project) == ("(11, 1) 10 1\n", {"/most": "hit"})
    assert project.view("/inner").read_text() == "1\n"
    assert project.view("/outer").read_text() == "10\n"


def test_in_another_namespace_too(project):
    project.write(main=PROGRAM, settings="N = 1\n")
    _runs(project)
    elsewhere = {"DDSIMPORT_NAMESPACE": "fork"}
    assert _runs(project, environment=elsewhere) == ("(11, 1) 10 1\n", {"/most": "hit"})


def test_an_inner_value_that_is_gone_is_evaluated_again(project):
    project.write(main=PROGRAM, settings="N = 1\n")
    _runs(project)
    project.edit("settings.py", "1", "2")
    _runs(project)
    project.edit("settings.py", "2", "1")
    for blob in (project.root / ".dds" / "blobs").rglob("*"):
        if blob.is_file() and blob.read_bytes() == b"1":
            blob.unlink()
    assert _runs(project)[0] == "(11, 1) 10 1\n"


def test_steps_with_a_pragma_likewise(project):
    project.write(
        main="""
        import ddsimport
        from settings import N

        def outer():
            inner = N + 0  # dds: /inner
            return inner * 10

        x = outer()  # dds: /outer
        print(x, ddsimport.load("/inner"))
        """,
        settings="N = 1\n",
    )
    assert project.run().stdout == "10 1\n"
    project.edit("settings.py", "1", "2")
    assert project.run().stdout == "20 2\n"
    project.edit("settings.py", "2", "1")
    again = project.run()
    assert (again.stdout, again.statuses) == ("10 1\n", {"/outer": "hit"})
