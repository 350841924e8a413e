"""Small programs whose every visible trait plain Python decides: `NAME -> text`.

No step in them: they say whether a run under ddsimport is a run of the same program at all.
"""

from __future__ import annotations

PROGRAMS = {
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
    "at exit": """
        import atexit, sys
        atexit.register(print, "last")
        atexit.register(lambda: print(sorted(name for name in globals() if name[:2] == "__")))
        atexit.register(lambda: print(sys.excepthook is sys.__excepthook__))
    """,
    "at exit after an exception": """
        import atexit, sys
        atexit.register(lambda: print(sorted(name for name in globals() if name[:2] == "__")))
        atexit.register(lambda: print(sys.excepthook is sys.__excepthook__, sys.last_type))
        1 / 0
    """,
    "at exit after sys.exit": """
        import atexit, sys
        atexit.register(lambda: print(sorted(name for name in globals() if name[:2] == "__")))
        sys.exit(1)
    """,
    "an atexit function that fails": """
        import atexit
        class Bad:
            def __call__(self):
                1 / 0
            def __repr__(self):
                return "bad"
        atexit.register(Bad())
        atexit.register(print, "first")
    """,
    "destructors at the end": """
        class Thing:
            def __init__(self, name):
                self.name = name
            def __del__(self):
                print("gone", self.name)
        one = Thing("one")
        two = [Thing("two")]
        two.append(two)
        def f():
            local = Thing("local")
            raise ValueError
        f()
    """,
    "a destructor that fails": """
        class Thing:
            class Failing:
                def __call__(self):
                    1 / 0
                def __repr__(self):
                    return "failing"
            __del__ = Failing()
        Thing()
        print("still here")
    """,
    "an exception in a thread": """
        import threading
        def f():
            1 / 0
        thread = threading.Thread(target=f, name="worker")
        thread.start()
        thread.join()
        print(threading.main_thread() is threading.current_thread())
    """,
    "a thread that outlives the main program": """
        import threading, time
        def f():
            time.sleep(0.1)
            print("later", "__file__" in globals())
        threading.Thread(target=f).start()
        print("now")
    """,
    "sys.exit in a thread": """
        import sys, threading
        thread = threading.Thread(target=sys.exit, args=(3,))
        thread.start()
        thread.join()
    """,
    "recursion without an end": """
        def f(n):
            return f(n + 1)
        f(0)
    """,
    "recursion as deep as it may": """
        depth = 0
        def f(n):
            global depth
            depth = n
            f(n + 1)
        try:
            f(0)
        except RecursionError:
            print(depth)
    """,
    "warnings": """
        import warnings
        warnings.warn("here")
        warnings.warn("old", DeprecationWarning)
        def f():
            warnings.warn("caller", stacklevel=2)
        f()
        f()
    """,
    "main imported": """
        import sys
        import __main__
        x = 1
        print(__main__ is sys.modules["__main__"], __main__.x, vars(__main__) is globals())
        print(list(globals()))
        print(repr(__main__))
    """,
    "main imported by its own name": """
        if __name__ == "__main__":
            import main
            print(main.__name__, main.x)
        x = 1
        print(__name__)
    """,
    "pickled by reference": """
        import pickle
        class Thing:
            def __eq__(self, other):
                return type(self) is type(other)
        def f():
            return 1
        print(pickle.loads(pickle.dumps(Thing())) == Thing(), pickle.loads(pickle.dumps(f)) is f)
        print(Thing.__module__, f.__module__, f.__code__.co_filename == __file__)
    """,
    "types looked up in main": """
        from __future__ import annotations
        import dataclasses, enum, typing
        @dataclasses.dataclass
        class Point:
            x: Number
        Number = int
        Colour = enum.Enum("Colour", "RED")
        Pair = typing.NamedTuple("Pair", [("a", int)])
        print(typing.get_type_hints(Point), Colour.RED, Pair(1), Colour.__module__)
    """,
    "annotations": """
        x: int = 1
        y: "str"
        print(__annotations__)
    """,
    "own source": """
        import inspect, linecache, sys
        def f():
            return 1  # a comment
        print(inspect.getsource(f), inspect.getsourcefile(f) == __file__)
        print(inspect.getsource(sys.modules["__main__"])[:6], linecache.getline(__file__, 1))
        print(__loader__.get_source("__main__")[:6], __loader__.get_filename("__main__") == __file__)
    """,
    "data beside the program": """
        import pkgutil
        print(pkgutil.get_data("package", "__init__.py"))
    """,
    "no future leaks in": """
        def f(x: undefined_name) -> int: ...
    """,
    "a latin-1 file": "# -*- coding: latin-1 -*-\nprint(ascii('é'), len('é'))\n",
    "standard input": "import sys; print(sys.stdin.read(), input.__name__)",
    "standard output closed": "import sys; sys.stdout.close()",
    "standard error closed": "import sys; sys.stderr.close(); sys.exit(3)",
    "standard error replaced": """
        import contextlib, io, sys
        with contextlib.redirect_stderr(io.StringIO()) as caught:
            print("caught", file=sys.stderr)
        print(repr(caught.getvalue()))
        sys.stderr = io.StringIO()
        1 / 0
    """,
    "asyncio": """
        import asyncio
        async def f():
            await asyncio.sleep(0)
            raise ValueError("x")
        asyncio.run(f())
    """,
    "a forked child": """
        import os, sys
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            1 / 0
        print(os.waitpid(child, 0)[1])
    """,
    "a forked child that exits": """
        import atexit, os, sys
        atexit.register(lambda: print("end", flush=True))
        child = os.fork()
        if child == 0:
            sys.exit(3)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """,
    "a child process": """
        import subprocess, sys
        print(subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True).stdout)
    """,
    "modules named like ours": """
        import config, report, cli
        print(config.ours, report.ours, cli.ours)
    """,
    "a module that is wrong": "import wrong\n",
    "a module that fails": "import failing\n",
    "a package": "import package.inner; from package import inner; print(package.inner.__name__)",
    "runpy": """
        import runpy
        print(runpy.run_path("config.py")["ours"], runpy.run_module("report")["ours"])
    """,
    "the flags": """
        import sys
        print(sys.flags, sys.dont_write_bytecode, __debug__, sys.warnoptions, sys._xoptions)
    """,
    "another main": """
        import sys, types
        sys.modules["__main__"] = types.ModuleType("__main__")
        1 / 0
    """,
    "the folder goes": """
        import os, tempfile
        folder = tempfile.mkdtemp()
        os.chdir(folder)
        os.rmdir(folder)
        1 / 0
    """,
    "the environment": """
        import os
        print(sorted(os.environ))
    """,
    "tracing": """
        import sys
        def trace(frame, event, argument):
            if frame.f_globals is globals():
                print(event, frame.f_lineno)
            return trace
        def f():
            return (1 +
                    2)
        sys.settrace(trace)
        f()
        sys.settrace(None)
    """,
}

COMPANIONS = {
    "config": "ours = 'config'",
    "report": "ours = 'report'",
    "cli": "ours = 'cli'",
    "wrong": "x = 1\ny = = 2\n",
    "failing": "def f():\n    1 / 0\nf()\n",
    "package/__init__": "",
    "package/inner": "",
}
"""Modules beside each program."""
