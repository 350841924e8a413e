"""A hit that only steps read is not loaded; whoever else looks at it finds the value there.

Every program runs plainly, then cold, then warm under ddsimport, and must not tell which; the warm
run's report says which values were loaded.
"""

from __future__ import annotations

import pytest

CHAIN = {
    "main": """
        from work import make, add, split
        a = make(6)  # dds: /a
        b = add(a, 1)  # dds: /b
        c, d = split(b)  # dds: /parts
        total = sum(add(d, 2))  # dds: /total
        print(total)
        """,
    "work": """
        def make(n): return list(range(n))
        def add(xs, k): return [x + k for x in xs]
        def split(xs): return xs[:2], xs[2:]
        """,
}


def unloaded(outcome):
    return {step["path"] for step in outcome.steps if not step["loaded"]}


def warm(project, **options):
    """What a run of hits did not load."""
    project.same(**options)
    outcome = project.same(**options)
    return unloaded(outcome), outcome


def test_a_chain_of_hits_loads_what_is_printed(project):
    project.write(**CHAIN)
    names, outcome = warm(project)
    assert names == {"/a", "/b", "/parts"}
    assert outcome.evaluated() == set()


def test_a_miss_loads_what_it_takes(project):
    project.write(**CHAIN)
    warm(project)
    project.edit("main.py", "add(d, 2)", "add(d, 3)")
    outcome = project.same()
    assert outcome.evaluated() == {"/total"}
    assert unloaded(outcome) == {"/a", "/b"}


def test_an_edit_up_the_chain_of_the_same_value_loads_nothing_below(project):
    project.write(**CHAIN)
    warm(project)
    project.edit("work.py", "return list(range(n))", "return [x for x in range(n)]")
    outcome = project.same()
    assert outcome.evaluated() == {"/a"}
    assert unloaded(outcome) == {"/b", "/parts"}


def test_verbose_says_what_was_never_loaded(project):
    project.write(**CHAIN)
    project.run()
    said = project.run("-v", "main.py").stderr
    assert "never loaded: /a, /b, /parts" in said
    assert "hit      /total" in said


def test_it_can_be_switched_off(project):
    project.write(**CHAIN)
    project.write_files({"pyproject.toml": "[tool.ddsimport]\nlazy = false\n"})
    assert warm(project)[0] == set()


READ_BY_THE_MODULE = {
    "printed": "a = make(3)  # dds: /a\nprint(a)",
    "in a function": "a = make(3)  # dds: /a\ndef f(): return a\nprint(f())",
    "in a class": "a = make(3)  # dds: /a\nclass C:\n    b = a\nprint(C.b)",
    "as a default": "a = make(3)  # dds: /a\ndef f(b=a): return b\nprint(f())",
    "in a string": "a = 1\na = make(3)  # dds: /a\nprint(f'{a}')",
    "globals": "a = make(3)  # dds: /a\nprint(globals()['a'])",
    "vars": "a = make(3)  # dds: /a\nprint(vars()['a'])",
    "eval": "a = make(3)  # dds: /a\nprint(eval('a'))",
    "exec": "a = make(3)  # dds: /a\nexec('print(a)')",
    "of a function": "a = make(3)  # dds: /a\ndef f(): ...\nprint(f.__globals__['a'])",
    "a frame": "import sys\na = make(3)  # dds: /a\nprint(sys._getframe().f_globals['a'])",
    "added to": "a = make(3)  # dds: /a\na += [1]\nprint('added')",
    "deleted": "a = make(3)  # dds: /a\ndel a\nprint('a' in dir())",
    "changed in place": "a = make(3)  # dds: /a\na[0] = 9\nb = add(a, 1)  # dds: /b\nprint(b)",
    "global": "a = make(3)  # dds: /a\ndef f():\n    global a\n    a = 1\nf()\nprint('done')",
    "in a path": "a = make(3)  # dds: /a\nb = make(a)  # dds: /b/{a}\nprint('done')"
    .replace("make(a)", "add(a, 1)"),
    "ignored": "a = make(3)  # dds: /a\nb = add(a, 1)  # dds: /b ignore=a\nprint(b)",
    "later": "a = make(3)  # dds: /a\nf = (lambda: a)  # dds: /f\nprint(f())",
    "in a marked function":
    "a = make(3)  # dds: /a\ndef f():  # dds: /f\n    return add(a, 1)\nprint(f())",
    "a query": "a = make(3)  # dds: /a\nprint('x in @a')",
}  # fmt: skip


@pytest.mark.parametrize("body", READ_BY_THE_MODULE.values(), ids=READ_BY_THE_MODULE.keys())
def test_what_the_module_itself_may_read_is_loaded(project, body):
    project.write(main="from work import make, add\n" + body + "\n", work=CHAIN["work"])
    names, _ = warm(project)
    assert "/a" not in names


READ_BY_OTHERS = {
    "attribute": "import work2\nprint(work2.a)",
    "from import": "from work2 import a\nprint(a)",
    "star import": "from work2 import *\nprint(a)",
    "dict": "import work2\nprint(work2.__dict__['a'])",
    "vars": "import work2\nprint(vars(work2)['a'])",
    "getattr": "import work2\nprint(getattr(work2, 'a'))",
    "members": "import work2, inspect\nprint(dict(inspect.getmembers(work2))['a'])",
    "operator": "import work2, operator\nprint(operator.attrgetter('a')(work2))",
    "sys.modules": "import work2, sys\nprint(sys.modules['work2'].a)",
    "set first": "import work2\nwork2.a = 7\nprint(work2.a, work2.b[0])",
    "deleted": "import work2\ndel work2.a\nprint(hasattr(work2, 'a'), work2.b[0])",
    "patched": "from unittest import mock\nimport work2\n"
    "with mock.patch('work2.a', 5): print(work2.a)\nprint(work2.a)",
    "a function": "import work2\nprint(work2.other.__globals__['a'])",
    "its class": "import work2, types\nprint(work2.__class__ is types.ModuleType, "
    "isinstance(work2, types.ModuleType), work2.a, type(work2).__name__)",
    "another class": "import work2, types\nclass M(types.ModuleType): pass\n"
    "work2.__class__ = M\nprint(work2.a, type(work2))",
    "shown": "import work2\nprint(repr(work2)[:15], 'a' in dir(work2), work2.a)",
    "reload": "import work2, importlib\nprint(importlib.reload(work2).a)",
    "a thread": "import work2, threading\n"
    "t = threading.Thread(target=lambda: print(work2.a)); t.start(); t.join()",
    "module pickled": "import work2, pickle\ntry: pickle.dumps(work2)\n"
    "except TypeError as error: print(error)\nprint(work2.a)",
    "module copied": "import work2, copy\ntry: copy.copy(work2)\n"
    "except TypeError as error: print(error)\nprint(work2.a)",
    "module by cloudpickle": "import work2, cloudpickle, pickle\n"
    "print(pickle.loads(cloudpickle.dumps(work2)) is work2)",
    "pickled": "import work2, pickle\nprint(pickle.loads(pickle.dumps(work2.a)))",
    "annotations": "import work2, typing\nprint(typing.get_type_hints(work2.other), work2.b)",
}


@pytest.mark.parametrize("body", READ_BY_OTHERS.values(), ids=READ_BY_OTHERS.keys())
def test_whoever_asks_the_module_gets_the_value(project, body):
    project.write(
        main=body + "\n",
        work2="""
        from work import make, add
        a = make(6)  # dds: /a
        b = add(a, 1)  # dds: /b
        def other(x: "int"): return x
        """,
        work=CHAIN["work"],
    )
    warm(project)


def test_nothing_is_loaded_of_a_module_that_nobody_asks(project):
    project.write(
        main="import work2\nprint(work2.other(1))\n",
        work2="from work import make\na = make(6)  # dds: /a\ndef other(x): return x\n",
        work=CHAIN["work"],
    )
    assert warm(project)[0] == {"/a"}


WORK2 = """
    from work import make, add
    a = make(6)  # dds: /a
    b = add(a, 1)  # dds: /b
    def other(x): return x
    """
DEPRECATED = (
    WORK2
    + """
    import warnings
    def __getattr__(name):
        if name == "old":
            warnings.warn("old is deprecated", DeprecationWarning, stacklevel=2)
            return 1
        raise AttributeError(name)
    """
)
STEPS = "from work import make, add\na = make(6)  # dds: /a\nb = add(a, 1)  # dds: /b\n"
FOUND = {
    "a name that is not there": {"main": "import work2\nprint(work2.nope)"},
    "a deprecated name": {"main": "import work2\nprint(work2.old)", "work2": DEPRECATED},
    "the class of modules":
        {"main": "import types, work2\nprint(type(work2) is types.ModuleType, len(work2.a))"},
    "globals of a function":
        {"main": "import work2\nprint(len(work2.other.__globals__['a']))"},
    "frame of the caller": {
        "main": STEPS + "import helper\nhelper.show()",
        "helper": "import sys\ndef show():\n    found = sys._getframe(1).f_globals\n"
        "    print({k: len(v) for k, v in found.items() if isinstance(v, list)})",
    },
    "a debugger that is imported late": {
        "main": STEPS + "import helper\nhelper.look()",
        "helper": "import pdb, sys\ndef look():\n    f = sys._getframe(1)\n"
        "    print(pdb.Pdb().parseline('p a')[0], len(getattr(f, 'f_' + 'globals')['a']))",
    },
    "a query that is read": {
        "main": "import pandas as pd\nfrom work import make, add\n"
        "a = make(6)  # dds: /a\nb = add(a, 1)  # dds: /b\n"
        "print(len(pd.DataFrame({'x': range(9)}).query(open('q.txt').read())))",
        "q.txt": "x > @a[2]",
    },
    "runpy": {"main": "import runpy\nprint(len(runpy.run_module('work2', alter_sys=True)['a']))"},
    "runpy as main": {
        "main": "import runpy\nfound = runpy.run_module('work2', run_name='__main__', "
        "alter_sys=True)\nprint(len(found['a']))"
    },
    "a dictionary from before":
        {"main": "import work2, importlib\nd = vars(work2)\nimportlib.reload(work2)\n"
         "print(len(d['a']))"},
    "asked for while the step's imports are repeated": {
        "main": "import work2\nprint(len(work2.a))",
        "work2": "from work import late\na = late(6)  # dds: /a",
        "work": "def late(n):\n    import helper\n    return list(range(n))",
        "helper": "import work2\nN = len(dir(work2))",
    },
    "at exit": {"main": "import atexit, work2\natexit.register(getattr, work2, 'a')"},
    "by a thread alone":
        {"main": "import _thread, time, work2\n_thread.start_new_thread(getattr, (work2, 'a'))\n"
         "time.sleep(0.2)\nprint(len(work2.a))"},
    "a module that is gone": {
        "main": "import sys\nfrom work2 import run\ndel sys.modules['work2']\nprint(run(1))",
        "work2": WORK2 + "    def run(k):\n        y = add(a, k)  # dds: /y/{k}\n"
        "        return y\n",
    },
    "a function sent elsewhere": {
        "main": "import cloudpickle, pickle\n" + STEPS + "def run(k):\n"
        "    y = add(a, k)  # dds: /y/{k}\n    return y\n"
        "print(pickle.loads(cloudpickle.dumps(run))(3))",
    },
}  # fmt: skip


@pytest.mark.parametrize("files", FOUND.values(), ids=FOUND.keys())
def test_what_a_red_team_found(project, files):
    texts = {"work": CHAIN["work"], "work2": WORK2, **files}
    project.write_files(
        {name if "." in name else f"{name}.py": text for name, text in texts.items()}
    )
    _, outcome = warm(project)
    assert outcome.evaluated() <= {"/y/{k}"}  # of a function with globals of its own


@pytest.mark.parametrize(
    "made", ["collections.OrderedDict", "functools.partial(max, 2)", "(len, max)"]
)
def test_code_that_a_step_gives_is_the_same_input_in_each_run(project, made):
    project.write(
        main="from work import pick, use\ncode = pick()  # dds: /code\n"
        "m = use(code)  # dds: /m\nprint(m)\n",
        work=f"import collections, functools\ndef pick(): return {made}\ndef use(code): return 3\n",
    )
    assert warm(project)[1].evaluated() == set()


IMPORTED = {
    "by name": ("from work2 import a\nc = add(a, 2)  # dds: /c\nprint(c)", {"/a", "/b"}),
    "under another": ("from work2 import a as one, add as plus\n"
                      "c = plus(one, 2)  # dds: /c\nprint(c)", {"/a", "/b"}),
    "and read": ("from work2 import a\nc = add(a, 2)  # dds: /c\nprint(c, a)", {"/b"}),
    "in a function": ("def f():\n    from work2 import a\n    c = add(a, 2)  # dds: /c\n"
                      "    return c\nprint(f())", {"/b"}),
    "twice": ("from work2 import a\nfrom work3 import a as b\n"
              "c = add(a, b[0])  # dds: /c\nprint(c)", set()),
    "from a package": ("from package import a\nc = add(a, 2)  # dds: /c\nprint(c)", {"/pa"}),
    "and bound again": ("from work2 import a\na = add(a, 2)  # dds: /c\nprint(len(a))", {"/b"}),
    "of what is no value": ("from work2 import other, a\nc = add(a, other(2))  # dds: /c\n"
                            "print(c)", {"/a", "/b"}),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), IMPORTED.values(), ids=IMPORTED.keys())
def test_what_is_imported_for_steps_only_is_not_loaded(project, body, expected):
    work2 = """
        from work import make, add
        a = make(6)  # dds: /a
        b = add(a, 1)  # dds: /b
        def other(x): return x
        """
    project.write(
        main="from work import add\n" + body + "\n",
        work=CHAIN["work"],
        work2=work2,
        work3="a = [3]\n",
    )
    project.write_files({"package/__init__.py": "from work import make\na = make(6)  # dds: /pa\n"})
    names, outcome = warm(project)
    assert outcome.evaluated() == set()
    assert names >= expected
    if "/a" not in expected:
        assert "/a" not in names


def test_the_store_may_be_gone_when_the_value_is_needed(project):
    project.write(
        main="""
        import shutil, os
        import work2
        folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), ".dds", "blobs")
        shutil.rmtree(folder, ignore_errors=True)
        print(len(work2.small), len(work2.large), work2.large[-1])
        """,
        work2="""
        from work import make
        small = make(6)  # dds: /small
        large = make(600_000)  # dds: /large
        """,
        work=CHAIN["work"],
    )
    plain = project.plain()
    assert project.run().stdout == plain.stdout
    project.write(main="import work2\n")
    project.run()
    project.write(
        main="""
        import shutil, os
        import work2
        folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), ".dds", "blobs")
        shutil.rmtree(folder, ignore_errors=True)
        print(len(work2.small), len(work2.large), work2.large[-1])
        """
    )
    outcome = project.run()
    assert outcome.stdout == plain.stdout
    assert outcome.evaluated() == set()


def test_steps_in_functions_and_loops_take_what_waits(project):
    project.write(
        main="""
        from work import make, add
        a = make(6)  # dds: /a
        def run(k):
            y = add(a, k)  # dds: /y/{k}
            return y
        for k in range(3):
            total = add(a, k)  # dds: /total/{k}
            total = add(total, k)  # dds: /more/{k}
        if __name__ == "__main__":
            last = add(total, 5)  # dds: /last
            print(run(1), run(2))
        """,
        work=CHAIN["work"],
    )
    names, outcome = warm(project)
    assert {"/total/0", "/more/2", "/last"} <= names
    assert "/a" not in names  # the function may be sent elsewhere, with the globals that it reads
    assert outcome.evaluated() == set()


def test_an_uncached_step_gets_what_waits(project):
    project.write(
        main="""
        from work import make
        def push(xs, file):
            xs.append(len(xs))
            return xs[:]
        a = make(6)  # dds: /a
        lock = open(__file__)
        b = push(a, lock)  # dds: /b
        print(b)
        """,
        work=CHAIN["work"],
    )
    project.same()
    project.same()


def test_values_that_run_code_when_they_are_loaded_do_not_wait(project):
    project.write(
        main="""
        from work import Noisy, use
        a = Noisy(3)  # dds: /a
        b = use(a)  # dds: /b
        print(b)
        """,
        work="""
        class Noisy:
            def __init__(self, n): self.n = n
            def __setstate__(self, state): self.__dict__.update(state)
        def use(noisy): return noisy.n + 1
        """,
    )
    assert warm(project)[0] == set()


@pytest.mark.parametrize("library", ["numpy", "pandas", "polars"])
def test_tables_and_arrays_wait_too(project, library):
    project.write(
        main="""
        from work import make, last
        table = make(2000)  # dds: /table
        print(last(7))
        value = last(table)  # dds: /value
        print(value)
        """,
        work={
            "numpy": "import numpy\ndef make(n): return numpy.arange(n)\n"
            "def last(t): return t if isinstance(t, int) else int(t[-1])\n",
            "pandas": "import pandas\ndef make(n): return pandas.DataFrame({'a': range(n)})\n"
            "def last(t): return t if isinstance(t, int) else int(t.a.iloc[-1])\n",
            "polars": "import polars\ndef make(n): return polars.DataFrame({'a': range(n)})\n"
            "def last(t): return t if isinstance(t, int) else t['a'][-1]\n",
        }[library],
    )
    assert warm(project)[0] == {"/table"}


def test_one_who_debugs_has_everything(project):
    project.write(**CHAIN)
    project.run()
    text = (project.root / "main.py").read_text()
    (project.root / "traced.py").write_text(
        "import sys, runpy\nsys.settrace(lambda *a: None)\n" + text
    )
    project.run("traced.py")
    assert unloaded(project.run("traced.py")) == set()


def test_an_exception_shows_what_plain_python_shows(project):
    project.write(
        main="""
        import sys
        from work import make, add
        def show(kind, error, trace):
            print({k: v for k, v in trace.tb_frame.f_globals.items() if k in ("one", "two")})
        sys.excepthook = show
        one = make(3)  # dds: /one
        two = add(one, 1)  # dds: /two
        raise SystemError
        """,
        work=CHAIN["work"],
    )
    warm(project)
