"""What a step leaves to the rest of the program besides values and files: not kept, and said."""

from __future__ import annotations

import pytest

_LEAVING = {
    "text in a file that was open": (
        """
        log = open("log.txt", "w")
        def work():
            print("hello", file=log)
        x = work()  # dds: /x
        log.close()
        print(open("log.txt").read())
        """,
        "it wrote to a file that the program opened before",
    ),
    "bytes in a file of an object": (
        """
        class Out:
            def __init__(self):
                self.file = open("log.txt", "wb")
        out = Out()
        def work():
            out.file.write(b"hello")
        x = work()  # dds: /x
        out.file.close()
        print(open("log.txt").read())
        """,
        "it wrote to a file that the program opened before",
    ),
    "a call at exit": (
        """
        import atexit
        def work():
            atexit.register(print, "bye")
        x = work()  # dds: /x
        """,
        "it registered something to be called at exit",
    ),
    "a warning that is collected": (
        """
        import warnings
        def work():
            warnings.warn("careful")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            x = work()  # dds: /x
        print([str(each.message) for each in caught])
        """,
        "it warned while the program collects warnings",
    ),
    "records that a handler keeps": (
        """
        import logging, logging.handlers
        kept = logging.handlers.MemoryHandler(100)
        logging.getLogger().addHandler(kept)
        def work():
            logging.warning("hm")
        x = work()  # dds: /x
        print(len(kept.buffer))
        kept.buffer.clear()
        """,
        "it logged to a handler that does more than to write (MemoryHandler)",
    ),
    "a handler of its own": (
        """
        import logging
        seen = []
        class Keep(logging.Handler):
            def emit(self, record):
                seen.append(record.getMessage())
        logging.getLogger().addHandler(Keep())
        def work():
            logging.warning("hm")
        x = work()  # dds: /x
        print(seen)
        """,
        "it logged to a handler that does more than to write (Keep)",
    ),
    "a thread that goes on": (
        """
        import threading
        go_on = threading.Event()
        def late():
            go_on.wait()
            print("late")
        def work():
            threading.Thread(target=late, name="later").start()
        x = work()  # dds: /x
        go_on.set()
        """,
        "it started the thread 'later', which goes on",
    ),
}
_HARMLESS = {
    "a file that is open and not written to": """
        class Log:
            def __init__(self):
                self.file = open("log.txt", "w")
                self.level = 2
        log = Log()
        def work():
            return log.level
        x = work()  # dds: /x
        log.file.close()
        print(x)
        """,
    "a temporary folder": """
        import tempfile
        def work():
            with tempfile.TemporaryDirectory() as folder:
                return len(folder) > 3
        x = work()  # dds: /x
        print(x)
        """,
    "a warning that it collects itself": """
        import warnings
        def work():
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                warnings.warn("careful")
            return len(caught)
        x = work()  # dds: /x
        print(x)
        """,
    "threads that end": """
        import threading
        from concurrent.futures import ThreadPoolExecutor
        def work():
            one = threading.Thread(target=print, args=("one",))
            one.start()
            one.join()
            with ThreadPoolExecutor(2) as pool:
                return list(pool.map(abs, [1, -2]))
        x = work()  # dds: /x
        print(x)
        """,
}


@pytest.mark.parametrize("left", _LEAVING)
def test_what_a_hit_would_not_leave(project, left):
    program, reason = _LEAVING[left]
    project.write(main=program)
    for _ in range(2):
        ended = project.same()
        assert ended.steps[0]["status"] == "uncached"
        assert reason in ended.steps[0]["reason"]


@pytest.mark.parametrize("harmless", _HARMLESS)
def test_what_leaves_nothing(project, harmless):
    project.write(main=_HARMLESS[harmless])
    project.run()
    assert project.run().evaluated() == set()
