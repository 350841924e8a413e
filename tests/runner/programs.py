"""Small programs whose every visible trait plain Python decides: `NAME -> text`.

No step in them: they say whether a run under ddsimport is a run of the same program at all.
"""

from __future__ import annotations

from programs_and_python import AROUND

ENDINGS = {
    "empty": "",
    "comment only": "# nothing",
    "hello": "print('hello')\n",
    "no newline at the end": "print('hello')",
    "arguments": "import sys; print(sys.argv)",
    "exit code": "import sys; sys.exit(3)",
    "exit with nothing": "import sys; sys.exit()",
    "exit with a message": "import sys; sys.exit('a message')",
    "exit with an object": "import sys; sys.exit(['a', 'list'])",
    "exit with a bool": "import sys; sys.exit(True)",
    "exit with a big number": "import sys; sys.exit(2**70)",
    "exit with a negative number": "import sys; sys.exit(-1)",
    "exit by an own SystemExit": """
        class Stop(SystemExit):
            code = 7
        raise Stop("ignored")
    """,
    "exit in a finally": """
        import sys
        try:
            1 / 0
        finally:
            sys.exit(4)
    """,
    "exit at once": "import os; print('lost?', flush=True); os._exit(5)",
    "uncaught": "1 / 0",
    "uncaught with a message on two lines": "raise ValueError('one\\ntwo')",
    "uncaught deep inside": """
        class Model:
            def fit(self, depth):
                if depth:
                    return self.fit(
                        depth - 1
                    )
                return {}["missing"]
        Model().fit(3)
    """,
    "uncaught in a multi-line expression": """
        values = [1, 0]
        total = sum(
            10 / value
            for value in values
        )
    """,
    "chained": """
        def f():
            try:
                1 / 0
            except ZeroDivisionError as error:
                raise ValueError("no") from error
        try:
            f()
        except ValueError:
            raise KeyError("again")
    """,
    "chain suppressed": """
        try:
            1 / 0
        except ZeroDivisionError:
            raise ValueError("no") from None
    """,
    "raised again later": """
        saved = None
        def f():
            1 / 0
        try:
            f()
        except ZeroDivisionError as error:
            saved = error
        raise saved
    """,
    "an exception without a traceback of its own": """
        error = ValueError("x")
        error.__traceback__ = None
        raise error
    """,
    "notes on an exception": """
        error = ValueError("x")
        getattr(error, "add_note", print)("a note")
        raise error
    """,
    "an exception that cannot be printed": """
        class Bad(Exception):
            def __str__(self):
                raise RuntimeError("no")
        raise Bad
    """,
    "a group of exceptions": """
        import sys
        if sys.version_info >= (3, 11):
            def f():
                1 / 0
            errors = []
            for _ in range(2):
                try:
                    f()
                except ZeroDivisionError as error:
                    errors.append(error)
            raise ExceptionGroup("both", errors)
        raise KeyError("3.10")
    """,
    "caught and formatted": """
        import traceback
        def f():
            1 / 0
        try:
            f()
        except ZeroDivisionError:
            print(traceback.format_exc())
    """,
    "syntax error": "print('before')\nx = = 1\n",
    "syntax error at the end": "print((1, 2\n",
    "indentation error": "def f():\nreturn 1\n",
    "return at module level": "print(1)\nreturn\n",
    "future that is not": "from __future__ import braces\n",
    "syntax warning": "print(1 is 1)\n",
    "an escape that is none": "print('\\d')\n",
    "syntax error in a string": "exec('x = = 1')\n",
    "name error with a near name": "number = 1\nprint(numbr)\n",
    "import error": "import there_is_no_such_module\n",
    "import error of a name": "from os import there_is_no_such_name\n",
    "interrupted": "raise KeyboardInterrupt",
    "interrupted by a signal": """
        import os, signal, time
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)
    """,
    "terminated": """
        import atexit, os, signal, time
        atexit.register(print, "never")
        print("first", flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)
    """,
    "terminated with a handler": """
        import os, signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)
    """,
    "aborted": "import os; print('first', flush=True); os.abort()",
    "own excepthook": """
        import sys, traceback
        def hook(kind, value, tb):
            traceback.print_exception(kind, value, tb)
            traceback.print_exception(value)
            print(sys.last_type, sys.last_value is value, sys.last_traceback is tb)
            print(sys.excepthook is hook, sys.__excepthook__ is hook)
        print(sys.excepthook is sys.__excepthook__)
        sys.excepthook = hook
        def f():
            1 / 0
        f()
    """,
    "an excepthook that fails": """
        import sys
        def hook(*_):
            {}["missing"]
        sys.excepthook = hook
        1 / 0
    """,
    "an excepthook that exits": """
        import sys
        sys.excepthook = lambda *_: sys.exit(6)
        1 / 0
    """,
    "no excepthook": "import sys\ndel sys.excepthook\nraise SystemExit(2)\n",
}

PROGRAMS = ENDINGS | AROUND

COMPANIONS = {
    "config": "ours = 'config'",
    "report": "ours = 'report'",
    "cli": "ours = 'cli'",
    "wrong": "x = 1\ny = = 2\n",
    "wrong_marked": "x = 1  # dds: /x\ny = = 2\n",
    "failing_marked": "x = 1  # dds: /x\ndef f():\n    1 / 0\nf()\n",
    "failing": "def f():\n    1 / 0\nf()\n",
    "package/__init__": "",
    "package/inner": "",
}
"""Modules beside each program."""
