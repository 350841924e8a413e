"""Workers of multiprocessing: as under plain Python, and with the hook at work in them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import ddsimport

METHODS = ("fork", "spawn", "forkserver")
WAYS = {"script": ("main.py",), "module": ("-m", "main")}

PROGRAM = """
    import multiprocessing, os, sys
    from concurrent.futures import ProcessPoolExecutor
    import helper

    print("module level", __name__ == "__main__", flush=True)

    class Thing:
        def __init__(self, n):
            self.n = n

    def square(n):  # dds: /square/{n}
        return n * n

    def thing(n):
        return Thing(square(n))

    def nested(n):
        context = multiprocessing.get_context(sys.argv[1])
        with ProcessPoolExecutor(1, mp_context=context) as executor:
            return list(executor.map(square, [n, n + 1]))

    def world(_):
        main = sys.modules["__main__"]
        return (
            __name__, __file__, main.__name__, __package__, __spec__ and __spec__.name,
            sys.argv, sys.path, os.getcwd(), multiprocessing.current_process().daemon,
        )

    def failing():
        square(3)
        print("in the child", flush=True)
        1 / 0

    def leaving():
        sys.exit(4)

    if __name__ == "__main__":
        context = multiprocessing.get_context(sys.argv[1])
        with context.Pool(1) as pool:
            print(pool.map(square, range(4)), [one.n for one in pool.map(thing, range(3))])
            print(pool.map(helper.cube, range(4)))
            print(pool.map(world, [0]))
            try:
                pool.apply(failing)
            except ZeroDivisionError as error:
                print(error.__cause__)
        with ProcessPoolExecutor(1, mp_context=context) as executor:
            print(list(executor.map(square, range(4))), list(executor.map(helper.cube, [2])))
            print(list(executor.map(nested, [5, 7])))
            print(executor.submit(world, 0).result())
        sys.stdout.flush()
        for target in (failing, leaving):
            process = context.Process(target=target, name="worker")
            process.start()
            process.join()
            print(process.exitcode)
"""

HELPER = """
    def cube(n):  # dds: /cube/{n}
        return n ** 3
"""


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("way", WAYS)
def test_children_like_python(project, method, way):
    project.write(main=PROGRAM, helper=HELPER)
    plainly = project.plain(*WAYS[way], method)
    for _ in ("cold", "warm") if way == "script" else ("cold",):
        under = project.run(*WAYS[way], method)
        # Which process prints first is nobody's promise.
        assert sorted(under.stdout.splitlines()) == sorted(plainly.stdout.splitlines())
        assert under.stderr == plainly.stderr
        assert under.code == plainly.code


SEES = """
    import multiprocessing, sys
    import helper

    def square(n):  # dds: /square/{n}
        return n * n

    def seen(_):
        return [
            "__dds__" in function.__code__.co_names for function in (square, helper.cube)
        ] + [__import__("ddsimport.config").config.current().verbose]

    if __name__ == "__main__":
        with multiprocessing.get_context(sys.argv[1]).Pool(1) as pool:
            print(pool.map(seen, [0]))
"""


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("way", WAYS)
def test_children_have_the_hook_and_the_flags(project, method, way):
    project.write(main=SEES, helper=HELPER)
    ended = project.python("-m", "ddsimport", "-v", *WAYS[way], method)
    assert ended.stdout == "[[True, True, True]]\n", ended.stderr


@pytest.mark.parametrize("method", METHODS)
def test_children_of_an_uninstalled_ddsimport(project, method):
    """Found by its file alone, in a folder that the child does not look through."""
    project.write(main=SEES, helper=HELPER)
    file = str(Path(ddsimport.__file__).with_name("__main__.py"))
    ended = project.python(file, "-v", "main.py", method, environment={"PYTHONPATH": ""})
    assert ended.stdout == "[[True, True, True]]\n", ended.stderr


@pytest.mark.parametrize("method", METHODS)
def test_only_verbose_children_speak(project, method):
    project.write(
        main="""
        import multiprocessing, sys
        def square(n):  # dds: /square/{n}
            return n * n
        if __name__ == "__main__":
            with multiprocessing.get_context(sys.argv[1]).Pool(1) as pool:
                print(pool.map(square, [1, 2]))
        """
    )
    report = project.root / "report.json"
    for options, lines in (((), 0), (("-v",), 2)):
        ended = project.python(
            "-m", "ddsimport", *options, "--report", "report.json", "main.py", method
        )
        assert ended.stdout == "[1, 4]\n", ended.stderr
        assert ended.stderr.count("/square/") == lines, ended.stderr
        # Its own steps are what a run reports; this one had none.
        assert json.loads(report.read_text()) == {"version": 1, "steps": []}


def test_joblib_workers(project):
    pytest.importorskip("joblib")
    project.write(
        main="""
        import joblib, sys
        import helper
        def square(n):  # dds: /square/{n}
            return n * n
        def seen(n):
            marked = "__dds__" in helper.cube.__code__.co_names
            return n, "ddsimport.source.hook" in sys.modules, marked
        if __name__ == "__main__":
            print(joblib.Parallel(2)(joblib.delayed(seen)(n) for n in range(3)))
            print(joblib.Parallel(2)(joblib.delayed(square)(n) for n in range(3)))
        """,
        helper=HELPER,
    )
    ended = project.run()
    assert ended.stdout == f"{[(n, True, True) for n in range(3)]}\n[0, 1, 4]\n", ended.stderr


def test_the_fork_server_is_not_asked_to_import_main():
    """From 3.13.2 on it would, before the hook is there; seen here without such a version."""
    code = (
        "import sys; from ddsimport import children; import multiprocessing.spawn as spawn\n"
        "children.accompany('/main.py'); sys.modules['__main__'].__file__ = '/main.py'\n"
        "ours = spawn.get_preparation_data('ignore')\n"
        "namespace = {'__name__': 'multiprocessing.forkserver', 'spawn': spawn}\n"
        "exec('theirs = spawn.get_preparation_data(\"ignore\")', namespace)\n"
        "print('init_main_from_path' in ours, 'init_main_from_path' in namespace['theirs'])\n"
        "print('ddsimport' in ours, 'ddsimport' in namespace['theirs'])\n"
    )
    root = str(Path(ddsimport.__file__).parent.parent)
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": root}
    )
    assert ended.stdout == "True False\nTrue False\n", ended.stderr


def test_what_children_need_does_not_overtake_the_hook(project):
    """Else each run would end by looking for marked modules that were loaded without it."""
    project.write(
        main="""
        import colorsys
        from ddsimport.source import hook
        print(hook._finder.was_overtaken)
        """
    )
    assert project.run().stdout == "False\n"
