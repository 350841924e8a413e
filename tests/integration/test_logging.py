"""Steps that log: what is shown depends on how logging is set up, which a step may do itself."""

from __future__ import annotations


def test_a_step_that_logs_before_anybody_set_it_up_hits(project):
    project.write(
        main="""
        import logging
        def run(n):
            logging.warning("run %d", n)
            return n
        x = run(1)  # dds: /x
        y = run(2)  # dds: /y
        logging.warning("done %d", x + y)
        """
    )
    assert project.same().evaluated() == {"/x", "/y"}
    assert project.same().evaluated() <= {"/y"}  # which was shown by the handler that /x had set up
    assert project.same().evaluated() == set()


def test_a_logger_without_handlers_shows_messages_otherwise(project):
    project.write(
        main="""
        import logging, sys
        if len(sys.argv) > 1:
            logging.basicConfig()
        def run():
            logging.getLogger("own").warning("run")
        x = run()  # dds: /x
        """
    )
    assert project.same().evaluated() == {"/x"}
    assert project.same().evaluated() == set()
    assert project.same("main.py", "set").evaluated() == {"/x"}
    assert project.same("main.py", "set").evaluated() == set()


def test_a_step_that_sets_it_up_is_not_kept(project):
    project.write(
        main="""
        import logging
        def run():
            logging.basicConfig(format="%(message)s!", level="INFO")
            return 1
        x = run()  # dds: /x
        logging.info("done")
        """
    )
    for _ in range(2):
        (step,) = project.same().steps
        assert step["status"] == "uncached"
        assert "set it up outside the step" in step["reason"]


def test_a_module_that_is_imported_by_a_step_may_add_a_handler_of_its_own(project):
    project.write(
        main="""
        def run():
            import quiet
            return 1
        x = run()  # dds: /x
        """,
        quiet="""
        import logging
        logging.getLogger("other").addHandler(logging.NullHandler())
        logging.getLogger("quiet.part").addHandler(logging.StreamHandler())
        """,
    )
    assert project.same().evaluated() == {"/x"}
    assert project.same().evaluated() == set()


def test_a_log_in_a_file(project):
    project.write(
        main="""
        import logging, os
        if os.path.exists("run.log"):
            os.remove("run.log")
        logging.basicConfig(filename="run.log", level="INFO", format="%(name)s %(message)s")
        logging.getLogger("own").addHandler(logging.FileHandler("own.log", "w"))
        def run():
            logging.info("working")
            logging.getLogger("own").warning("carefully")
            print("hard")
            return 1
        logging.info("before")
        x = run()  # dds: /x
        logging.info("after")
        """
    )

    def logs():
        return [(project.root / name).read_text() for name in ("run.log", "own.log")]

    project.plain()
    expected = logs()
    assert expected[1] == "carefully\n"
    for evaluated in ({"/x"}, set()):
        assert project.same().evaluated() == evaluated
        assert logs() == expected


def test_a_log_that_is_opened_by_the_first_message(project):
    project.write(
        main="""
        import logging
        logging.getLogger().addHandler(logging.FileHandler("late.log", "a", delay=True))
        def run():
            logging.warning("late")
        x = run()  # dds: /x
        """
    )
    for number in (1, 2):
        (step,) = project.run().steps
        assert "opened the log" in step["reason"]
        assert (project.root / "late.log").read_text() == "late\n" * number
