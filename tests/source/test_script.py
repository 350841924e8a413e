"""Scripts that run as `__main__`, here and in children of multiprocessing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_hook import ROOT, SETUP, Folder

MAIN = """
def f(n):  # dds: /f
    return n + 1
x = f(1)  # dds: /x
print(__name__, x)
"""
RUN = """
import os, sys, types
path = os.path.abspath("script.py")
main = types.ModuleType("__main__")
exec(hook.code_of_main(path), main.__dict__)
print(LOG, type(hook.main_loader(path)).__name__)
print(path in hook.source_stats)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_marked_script_is_rewritten_and_kept(folder: Folder) -> None:
    folder.write(script=MAIN)
    for _ in range(2):
        assert folder.output(RUN) == "__main__ 2\n['x', 'f'] StepLoader\nTrue"
        assert folder.bytecode() == ["__pycache__/script.TAG.dds.pyc"]


def test_a_script_without_pragmas_leaves_no_bytecode(folder: Folder) -> None:
    folder.write(script="print(__name__)\n")
    assert folder.output(RUN) == "__main__\n[] StepLoader\nTrue"
    assert folder.bytecode() == []


def test_script_and_module_share_their_bytecode(folder: Folder) -> None:
    folder.write(script=MAIN)
    folder.output(RUN)
    assert folder.output("import script; print(LOG)") == "script 2\n['x', 'f']"
    assert folder.bytecode() == ["__pycache__/script.TAG.dds.pyc"]


RUN_PATH = """
import os, runpy, sys
script = os.path.abspath("script.py")
before = list(sys.path)
if HOOK:
    hook.install_path_hook(script)
    hook.install_path_hook(script)
found = runpy.run_path(script, run_name="__mp_main__")
print(found["x"], sys.path == before == found["seen"], sys.argv[0] == __file__)
print([found[name] for name in ("__name__", "__file__", "__package__")], found["argv"])
print(getattr(found["__spec__"], "name", None), sorted(set(found) - {"__dds__"}))
"""
SEES = "import sys\nseen = list(sys.path)\nargv = sys.argv[0]\n"


def test_run_path_runs_the_script_as_it_is_rewritten(folder: Folder) -> None:
    folder.write(script=SEES + MAIN)
    ours = folder.output(RUN_PATH.replace("HOOK", "True") + "print(LOG)")
    plain = folder.output(RUN_PATH.replace("HOOK", "False") + "print(['x', 'f'])")
    assert ours == plain
    assert folder.bytecode() == ["__pycache__/script.TAG.dds.pyc"]


def test_other_scripts_are_left_alone(folder: Folder) -> None:
    folder.write(script=MAIN, other="print('other', __name__)\n")
    code = """
        import os, runpy
        hook.install_path_hook(os.path.abspath("script.py"))
        runpy.run_path("other.py")
        hook.uninstall()
        runpy.run_path("script.py")
        print(LOG)
        """
    assert folder.output(code) == "other <run_path>\n<run_path> 2\n[]"


CHILDREN = """
import multiprocessing, os, sys
from setup_hook import LOG, hook

def f(n):  # dds: /f
    return n + 1

def deeper(n):
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(1) as pool:
        return pool.apply(told, (n,)), told(n)

def told(n):
    return f(n), type(sys.modules["__main__"].f).__name__, f.__module__, list(LOG)

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(1) as pool:
        print(pool.apply(told, (1,)))
    # No daemons: they may have no children.
    from concurrent.futures import ProcessPoolExecutor
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        print(executor.submit(deeper, 2).result())
"""
SITE = """
import os, sys
if "--multiprocessing-fork" in sys.argv or "multiprocessing" in " ".join(sys.orig_argv):
    from setup_hook import hook
    hook.install_path_hook(os.environ["SCRIPT"])
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_children_find_the_steps_of_the_script(folder: Folder, method: str) -> None:
    """The hook is put into every child by a `sitecustomize` here, and by the runner in earnest."""
    folder.write(script=CHILDREN)
    (folder.root / "setup_hook.py").write_text(SETUP.replace("HOOKED", "True"))
    (folder.root / "sitecustomize.py").write_text(SITE)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    script = str(folder.root / "script.py")
    variables |= {"PYTHONPATH": f"{folder.root}{os.pathsep}{ROOT}", "SCRIPT": script}
    ended = subprocess.run(
        [sys.executable, script, method],
        cwd=folder.root,
        env=variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.stderr == ""
    # In the child the call of `f` is a step; so it is in the child's own child.
    assert ended.stdout.splitlines() == [
        "(2, 'function', '__mp_main__', ['f'])",
        "((3, 'function', '__mp_main__', ['f']), (3, 'function', '__mp_main__', ['f']))",
    ]
