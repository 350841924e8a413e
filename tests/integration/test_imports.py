"""What a step is the first to import is there after a hit, as it would be without."""

from __future__ import annotations

import pytest

REGISTRY = {
    "main": """
        import registry
        def use(n):
            import plug
            return plug.double(n)
        x = use(3)  # dds: /x
        print(x, sorted(registry.KNOWN))
        """,
    "registry": """
        KNOWN = {}
        def register(f):
            KNOWN[f.__name__] = f
            return f
        """,
    "plug": """
        import registry, sys
        print("loading plug")
        print("loading", file=sys.stderr)
        @registry.register
        def double(n):
            return 2 * n
        @registry.register
        def other(n):
            return 3 * n
        """,
}


def test_a_registry_is_filled(project):
    project.write(**REGISTRY)
    assert project.same().evaluated() == {"/x"}
    assert project.same().evaluated() == set()
    project.edit("plug.py", "def other", "def another")
    project.same()


def test_what_the_module_prints_is_printed_once_and_its_streams_are_the_programs(project):
    project.write(
        main="""
        def use():
            import plug
            return plug.VALUE
        x = use()  # dds: /x
        import plug
        plug.say("after", x)
        """,
        plug="""
        import sys
        out = sys.stdout
        def say(*words):
            print(*words, file=out)
        say("loading")
        VALUE = 3
        """,
    )
    project.same()
    assert project.same().evaluated() == set()


def test_inside_another_step(project):
    project.write(
        main="""
        import registry
        from a import outer
        x = outer(2)  # dds: /x
        print(x, sorted(registry.KNOWN))
        """,
        a="""
        def outer(n):
            y = inner(n)  # dds: /y
            return y + 1
        def inner(n):
            import plug
            return plug.double(n)
        """,
        registry=REGISTRY["registry"],
        plug=REGISTRY["plug"],
    )
    project.same()
    assert project.same().evaluated() == set()
    project.edit("a.py", "y + 1", "y + 2")
    assert project.same().evaluated() == {"/x"}, "the inner step is a hit, and imports"
    assert project.same().evaluated() == set()


@pytest.mark.parametrize("import_", ["import plug", "plug = importlib.import_module('plug')"])
def test_an_edit_of_what_the_import_runs(project, import_):
    project.write(
        main=f"""
        import importlib
        def use():
            {import_}
            return plug.LIMIT
        x = use()  # dds: /x
        print(x)
        """,
        plug="""
        def worked_out():
            return 1
        def unused():
            return 5
        LIMIT = worked_out()
        """,
    )
    project.same()
    project.edit("plug.py", "return 1", "return 2")
    assert project.same().evaluated() == {"/x"}
    assert project.same().evaluated() == set()


def test_a_module_that_cannot_be_imported_any_more_is_left_to_the_step(project):
    project.write(
        main="""
        import sys
        import base
        if len(sys.argv) > 1:
            base.LIMIT = None
        def use():
            import plug
            return 3
        try:
            x = use()  # dds: /x
        except TypeError as error:
            x = error
        print(x)
        """,
        base="""
        LIMIT = 1
        """,
        plug="""
        import base
        VALUE = base.LIMIT + 1
        """,
    )
    project.same()
    assert project.same().evaluated() == set()
    project.same("main.py", "now")


WAITS = {
    "gate": """
        import threading
        begun = threading.Event()
        done = threading.Event()
        def wait():
            begun.set()
            done.wait(2)
        """,
    "plug": """
        import gate
        gate.wait()
        LIMIT = 3
        def run():
            return LIMIT
        """,
}


@pytest.mark.parametrize("how", ["importlib.import_module(name)", "__import__('plug')"])
def test_a_module_that_another_thread_has_half_imported_counts_by_its_text(project, how):
    project.write(
        main=f"""
        import gate, importlib, sys, threading
        def use(name):
            return {how}.run()
        def step():
            a = use("plug")  # dds: /a
            print(a)
        if sys.argv[1:]:
            other = threading.Thread(target=importlib.import_module, args=("plug",))
            other.start()
            gate.begun.wait()
            step()
            gate.done.set()
            other.join()
        else:
            gate.done.set()
            step()
        """,
        **WAITS,
    )
    assert project.same().evaluated() == {"/a"}
    assert project.same("main.py", "both").evaluated() == set()
    project.edit("plug.py", "LIMIT = 3", "LIMIT = 4")
    assert project.same("main.py", "both").evaluated() == {"/a"}


def test_a_module_that_a_function_imports_is_half_there(project):
    project.write(
        main="""
        import gate, importlib, sys, threading
        def use():
            from plug import run
            return run()
        def step():
            a = use()  # dds: /a
            print(a)
        if sys.argv[1:]:
            other = threading.Thread(target=importlib.import_module, args=("plug",))
            other.start()
            gate.begun.wait()
            step()
            gate.done.set()
            other.join()
        else:
            gate.done.set()
            step()
        """,
        **WAITS,
    )
    assert project.same().evaluated() == {"/a"}
    assert project.same("main.py", "both").evaluated() == set()
    project.edit("plug.py", "LIMIT = 3", "LIMIT = 4")
    assert project.same("main.py", "both").evaluated() == {"/a"}


def test_what_a_hit_imports_is_silent_in_its_own_thread_alone(project):
    """The other thread's text was lost, and after two such hits at once all that followed."""
    project.write(
        main="""
        import gate, sys, threading
        def use(n):
            __import__(f"plug_{n}")
            return n
        def step(n):
            if n == 1:
                x = use(n)  # dds: /x
            else:
                y = use(n)  # dds: /y
        def both():
            threads = [threading.Thread(target=step, args=(n,)) for n in (1, 2)]
            for n, each in enumerate(threads, 1):
                each.start()
                gate.begun[n].wait()
            print("meanwhile")
            print("meanwhile", file=sys.stderr)
            for n, each in enumerate(threads, 1):
                gate.done[n].set()
                each.join()
            print("after")
        if sys.argv[1:]:
            both()
        else:
            for n in (1, 2):
                gate.done[n].set()
                step(n)
        """,
        gate="""
        import threading
        begun = {1: threading.Event(), 2: threading.Event()}
        done = {1: threading.Event(), 2: threading.Event()}
        def wait(n):
            begun[n].set()
            done[n].wait()
        """,
        plug_1="import gate; gate.wait(1); print(end='')",
        plug_2="import gate; gate.wait(2); print(end='')",
    )
    assert project.same().evaluated() == {"/x", "/y"}
    assert project.same("main.py", "both").evaluated() == set()
