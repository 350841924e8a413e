"""Steps that a hit could not stand for are evaluated each time, and the user is told why."""

from __future__ import annotations

import pytest
from projects import programs


@pytest.mark.parametrize("program", programs("refused.txt"))
def test_evaluated_each_time_with_a_reason(project, program):
    project.write_files(program.files)
    for _ in range(2):
        (step,) = project.same().steps
        assert step["status"] == "uncached"
        assert program.remark in step["reason"]


def test_a_step_that_raises_is_never_kept(project):
    project.write(
        main="""
        import sys
        def g(v):
            if len(sys.argv) > 1:
                raise ValueError(v)
            return v
        x = g(1)  # dds: /x
        print(x)
        """
    )
    assert project.same("main.py", "fail").statuses == {"/x": "failed"}
    assert project.same().statuses == {"/x": "computed"}


def test_a_function_that_raises_after_its_return_is_never_kept(project):
    project.write(
        main="""
        def g(v):  # dds: /g
            try:
                return v
            finally:
                raise ValueError(v)
        try:
            g(1)
        except ValueError as error:
            print("raised", error)
        """
    )
    for _ in range(2):
        assert project.same().statuses == {"/g": "failed"}


def test_a_temporary_file_is_no_output(project):
    project.write(
        main="""
        import os
        def g():
            with open("scratch", "w") as file:
                file.write("x")
            os.remove("scratch")
            return 1
        x = g()  # dds: /x
        print(x)
        """
    )
    project.same()
    assert project.same().evaluated() == set()


def test_a_value_that_has_no_digest_is_refused_by_what_it_is(project):
    """And not by what pickle met in it, deep down: `_jrdd._gateway_client…lock`, of an RDD."""
    project.write(
        main="""
        import threading
        def make():
            return [1, threading.Lock()]
        x = make()  # dds: /x
        """
    )
    told = project.python("-m", "ddsimport", "main.py").stderr
    assert "uncached /x (__main__:4): its value[1] has no digest: a lock" in told
