"""More programs: what Python does around one, from its `__main__` to its children's ends."""

from __future__ import annotations

AROUND = {
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
        print(__loader__.get_source("__main__")[:6])
        print(__loader__.get_filename("__main__") == __file__)
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
    "a marked module that is wrong": "import wrong_marked\n",
    "a marked module that fails": "import failing_marked\n",
    "wrong modules caught": """
        import traceback
        for name in ("wrong", "wrong_marked", "failing_marked"):
            try:
                __import__(name)
            except (SyntaxError, ZeroDivisionError):
                traceback.print_exc()
    """,
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
