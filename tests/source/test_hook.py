"""The import hook, in processes of its own: what it rewrites, what it leaves, what it keeps."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

# A runtime that never has a value, and tells what it was asked.
SETUP = """
import sys, types
import ddsimport.runtime
step = types.ModuleType("ddsimport.runtime.step")
step.LOG = []
def recall(site):
    step.LOG.append(site[3])
    return ()
step.recall, step.evaluate = recall, lambda site: lambda value: (value,)
step.finish = lambda site, value: value
step.fail = step.leave = step.let_wait = lambda site: None
sys.modules["ddsimport.runtime.step"] = ddsimport.runtime.step = step
from ddsimport.source import hook
LOG = step.LOG
if HOOKED:
    hook.install()
"""
MARKED = "x = len('abc')  # dds: /{}\n"


class Folder:
    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, **files: str) -> Folder:
        for name, text in files.items():
            path = self.root / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
            # Long enough ago for bytecode to be made later.
            os.utime(path, (path.stat().st_mtime - 10,) * 2)
        return self

    def python(
        self, code: str, *flags: str, hooked: bool = True, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `code` with the hook in place, in this folder."""
        (self.root / "setup_hook.py").write_text(SETUP.replace("HOOKED", str(hooked)))
        variables = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "COV_", "COVERAGE_"))
        }
        variables |= {"PYTHONPATH": f"{self.root}{os.pathsep}{ROOT}", **environment}
        main = self.root / "main_of_test.py"
        main.write_text("from setup_hook import *\n" + dedent(code).lstrip("\n"))
        return subprocess.run(
            [sys.executable, *flags, str(main)],
            cwd=self.root,
            env=variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def output(self, code: str, *flags: str, hooked: bool = True, **environment: str) -> str:
        ended = self.python(code, *flags, hooked=hooked, **environment)
        assert ended.returncode == 0, ended.stderr
        assert ended.stderr == ""
        return ended.stdout.strip()

    def bytecode(self) -> list[str]:
        """What is kept in this folder, without tags that change."""
        return sorted(
            ".".join(
                "dds" if part.startswith("dds") and len(part) > 10 else part
                for part in path.relative_to(self.root).as_posix().split(".")
            ).replace(sys.implementation.cache_tag or "", "TAG")
            for path in self.root.rglob("*.pyc")
            if "setup_hook" not in path.name
        )


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_marked_modules_are_rewritten_and_others_are_not(folder: Folder) -> None:
    folder.write(
        marked=MARKED.format("m"),
        bare="x = 1\n",
        mentions="x = '# dds: /x'\n",
        **{"pkg/__init__": "from . import inner\n", "pkg/inner": MARKED.format("i")},
    )
    code = """
        import marked, bare, mentions, pkg.inner
        print(LOG, marked.x, pkg.inner.x)
        for module in marked, bare, mentions, pkg, pkg.inner:
            print(type(module.__spec__.loader).__name__, hasattr(module, "__dds__"))
        """
    expected = (
        "['x', 'x'] 3 3\nStepLoader True\nSourceFileLoader False\nStepLoader False\n"
        "SourceFileLoader False\nStepLoader True"
    )
    assert folder.output(code) == expected
    assert folder.output(code) == expected  # from bytecode
    assert folder.bytecode() == [
        "__pycache__/bare.TAG.pyc",
        "__pycache__/marked.TAG.dds.pyc",
        "__pycache__/mentions.TAG.dds.pyc",
        "pkg/__pycache__/__init__.TAG.pyc",
        "pkg/__pycache__/inner.TAG.dds.pyc",
    ]


def test_a_module_has_the_attributes_it_has_in_plain_python(folder: Folder) -> None:
    folder.write(marked=MARKED.format("m"))
    code = """
        import marked, inspect
        names = "name file package doc".split()
        print([getattr(marked, f"__{name}__") for name in names], marked.__spec__.origin)
        print(sorted(name for name in vars(marked) if name != "__dds__"))
        print(inspect.getsource(marked), marked.__loader__.get_source("marked"))
        print(marked.__loader__.is_package("marked"), marked.__loader__.path)
        """
    assert folder.output(code) == folder.output(code, hooked=False)
    cached = folder.output("import marked; print(marked.__spec__.cached, marked.__cached__)")
    first, second = cached.split()
    assert first == second
    assert Path(first).exists() and ".dds" in first


def test_an_edit_of_the_same_size_within_the_same_second_counts(folder: Folder) -> None:
    """Where bytecode of Python's own kind goes stale: it is checked by size and second."""
    folder.write(marked="x = len('abc')  # dds: /m\n", bare="x = len('abc')\n")
    code = "import marked, bare; print(marked.x, bare.x)"
    whole = 1_700_000_000 * 10**9
    for name in ("marked", "bare"):
        os.utime(folder.root / f"{name}.py", ns=(whole, whole))
    assert folder.output(code) == "3 3"
    (kept,) = folder.root.glob("__pycache__/bare.*.pyc")
    os.utime(kept, ns=(whole + 10**8, whole + 10**8))
    for name in ("marked", "bare"):
        path = folder.root / f"{name}.py"
        path.write_text(path.read_text().replace("'abc'", "[1,2]"))
        os.utime(path, ns=(whole + 2 * 10**8, whole + 2 * 10**8))
    assert folder.output(code) == "2 2"
    assert folder.output(code) == "2 2"
    assert len(list(folder.root.glob("__pycache__/bare.*.pyc"))) == 1
    # From bytecode that is newer than its source, with the loader it has in plain Python.
    assert folder.output("import bare; print(type(bare.__loader__).__name__)") == "SourceFileLoader"


def test_a_marked_edit_that_no_time_tells_counts(folder: Folder) -> None:
    folder.write(marked="x = len('abc')  # dds: /m\n")
    path = folder.root / "marked.py"
    before = path.stat()
    assert folder.output("import marked; print(marked.x)") == "3"
    path.write_text(path.read_text().replace("'abc'", "[1,2]"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert folder.output("import marked; print(marked.x)") == "2"


def test_bytecode_of_another_rewriter_is_not_used(folder: Folder) -> None:
    folder.write(marked=MARKED.format("m"))
    folder.output("import marked")
    (kept,) = folder.root.glob("__pycache__/marked.*.pyc")
    kept.rename(kept.with_name(kept.name.replace(".dds", ".dds0")))
    folder.output("import marked")
    assert len(list(folder.root.glob("__pycache__/marked.*.pyc"))) == 2


def test_damaged_bytecode_is_made_anew(folder: Folder) -> None:
    folder.write(marked=MARKED.format("m"))
    folder.output("import marked")
    (kept,) = folder.root.glob("__pycache__/marked.*.pyc")
    good = kept.read_bytes()
    for bad in (b"", good[:10], b"\0" * 40):
        kept.write_bytes(bad)
        assert folder.output("import marked; print(marked.x)") == "3"
        assert kept.read_bytes() == good


def test_flags_about_bytecode_are_honoured(
    folder: Folder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder.write(marked=MARKED.format("m") + "assert x == 3\n")
    code = "import marked; print(marked.x)"
    assert folder.output(code, "-B") == "3"
    assert folder.bytecode() == []
    assert folder.output(code, "-O") == "3"
    assert folder.output(code, PYTHONOPTIMIZE="2") == "3"
    assert folder.bytecode() == [
        "__pycache__/marked.TAG.opt-1.dds.pyc",
        "__pycache__/marked.TAG.opt-2.dds.pyc",
    ]
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert folder.output(code, PYTHONPYCACHEPREFIX=str(elsewhere)) == "3"
    assert len(list(elsewhere.rglob("marked.*.dds*.pyc"))) == 1
    assert len(folder.bytecode()) == 2


def test_bytecode_is_not_used_unchecked(folder: Folder) -> None:
    folder.write(marked="x = len('abc')  # dds: /m\n")
    assert folder.output("import marked; print(marked.x)") == "3"
    folder.write(marked="x = len('abcd')  # dds: /m\n")
    flag = ("--check-hash-based-pycs", "never")
    assert folder.output("import marked; print(marked.x)", *flag) == "4"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(folder: Folder) -> None:
    folder.write(**{"pkg/marked": MARKED.format("m")})
    (folder.root / "pkg").chmod(0o555)
    assert folder.output("import pkg.marked; print(pkg.marked.x)") == "3"


def test_a_folder_without_room_for_bytecode(folder: Folder) -> None:
    """What a read-only folder does, for root as well: `__pycache__` cannot be made."""
    folder.write(**{"pkg/marked": MARKED.format("m"), "pkg/__init__": ""})
    (folder.root / "pkg" / "__pycache__").write_text("in the way")
    assert folder.output("import pkg.marked; print(pkg.marked.x, LOG)") == "3 ['x']"


def test_reload(folder: Folder) -> None:
    folder.write(marked=MARKED.format("m"))
    code = """
        import importlib, marked
        open("marked.py", "w").write("y = 5  # dds: /y\\n")
        importlib.reload(marked)
        print(LOG, marked.x, marked.y, isinstance(marked.__loader__, hook.StepLoader))
        """
    assert folder.output(code) == "['x', 'y'] 3 5 True"


def test_namespace_packages(folder: Folder) -> None:
    folder.write(**{"one/space/a": MARKED.format("a"), "two/space/b": MARKED.format("b")})
    code = """
        sys.path[:0] = ["one", "two"]
        import space.a, space.b
        print(LOG, space.__file__ if hasattr(space, "__file__") else None, len(space.__path__))
        """
    assert folder.output(code) == "['x', 'x'] None 2"


def test_threads(folder: Folder) -> None:
    for index in range(12):
        folder.write(
            **{
                f"m{index}": f"import n{index}, time\n" + MARKED.format(f"m{index}"),
                f"n{index}": MARKED.format(f"n{index}"),
            }
        )
    code = """
        import importlib, threading
        names = [f"{letter}{index}" for index in range(12) for letter in "mn"]
        threads = [
            threading.Thread(target=importlib.import_module, args=(name,))
            for name in names for _ in range(3)
        ]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(len(LOG), {type(sys.modules[name].__loader__).__name__ for name in names})
        """
    assert folder.output(code) == "24 {'StepLoader'}"
    assert all(
        name.endswith(".dds.pyc") for name in folder.bytecode() if "/m" in name or "/n" in name
    )


def test_nested_imports_do_not_share_their_bytecode(folder: Folder) -> None:
    """Where hooks that patch `cache_from_source` fail (jaxtyping#329)."""
    folder.write(left="import right\n" + MARKED.format("l"), right="y = 1\n")
    folder.output("import left")
    assert folder.bytecode() == ["__pycache__/left.TAG.dds.pyc", "__pycache__/right.TAG.pyc"]


def test_installing_is_idempotent_and_undone(folder: Folder) -> None:
    folder.write(marked=MARKED.format("m"), other=MARKED.format("o"))
    code = """
        hook.install()
        finders = [each for each in sys.meta_path if isinstance(each, hook.Finder)]
        import marked
        hook.uninstall()
        left = [each for each in sys.meta_path if isinstance(each, hook.Finder)]
        import other
        print(len(finders), len(left), type(other.__loader__).__name__, LOG)
        """
    assert folder.output(code) == "1 0 SourceFileLoader ['x']"


def test_finders_that_ask_one_another(folder: Folder) -> None:
    """Another finder that asks all others, as birdseye's does, is no endless question."""
    folder.write(marked=MARKED.format("m"))
    code = """
        class Other:
            def find_spec(self, name, path=None, target=None):
                for finder in sys.meta_path:
                    if finder is not self:
                        spec = finder.find_spec(name, path, target)
                        if spec is not None:
                            return spec
        sys.meta_path.insert(1, Other())
        import marked
        print(LOG, type(marked.__loader__).__name__)
        """
    assert folder.output(code) == "['x'] StepLoader"


def test_a_finder_put_before_ours(folder: Folder) -> None:
    folder.write(marked=MARKED.format("m"))
    code = """
        from importlib.machinery import PathFinder
        class Impatient:
            def find_spec(self, name, path=None, target=None):
                return PathFinder.find_spec(name, path) if name == "marked" else None
        sys.meta_path.insert(0, Impatient())
        import wave  # whatever passes by ours brings it back to the front
        import marked
        print(LOG)
        """
    assert folder.output(code) == "['x']"


def test_editable_installs(folder: Folder) -> None:
    """A finder of its own on `sys.meta_path`, as setuptools writes it."""
    folder.write(
        **{"src/flat/__init__": MARKED.format("f"), "src/flat/sub": MARKED.format("s")},
        __editable___finder="""
        import sys
        from importlib.util import spec_from_file_location
        from pathlib import Path
        MAPPING = {"flat": str(Path(__file__).parent / "src/flat")}
        class Finder:
            @classmethod
            def find_spec(cls, name, path=None, target=None):
                if name in MAPPING:
                    return spec_from_file_location(name, MAPPING[name] + "/__init__.py")
        sys.meta_path.append(Finder)
        """,
    )
    code = "import __editable___finder, flat.sub; print(LOG, type(flat.__loader__).__name__)"
    assert folder.output(code) == "['x', 'x'] StepLoader"


def test_installed_code_is_not_read(folder: Folder) -> None:
    folder.write(**{"lib/site-packages/installed": MARKED.format("m")})
    code = """
        import os
        sys.path.insert(0, os.path.abspath("lib/site-packages"))
        import installed, json
        print(LOG, hook.is_tracked(installed.__file__), hook.is_tracked(json.__file__))
        print(hook.is_tracked(hook.__file__), hook.is_tracked(os.path.abspath("main.py")))
        print([path for path in hook.source_stats if "/lib/" in path or "ddsimport/" in path])
        """
    assert folder.output(code) == "[] False False\nFalse True\n[]"


def test_source_stats_are_those_before_the_load(folder: Folder) -> None:
    folder.write(
        edits_itself="""
        import os
        from ddsimport.source.hook import source_stats
        seen = source_stats[__file__]
        os.utime(__file__, ns=(5, 5))
        x = 1  # dds: /x
        """,
        bare="x = 1\n",
    )
    code = """
        import os, importlib, importlib.util, importlib.machinery
        import edits_itself, bare
        def stat(path):
            stat = os.stat(path)
            return stat.st_mtime_ns, stat.st_size, stat.st_ino
        path = edits_itself.__file__
        print(hook.source_stats[path] == edits_itself.seen, stat(path) == edits_itself.seen)
        print(hook.source_stats[bare.__file__] == stat(bare.__file__))
        # A question without a load does not count as one.
        open(bare.__file__, "a").write("y = 1")
        importlib.util.find_spec("bare")
        for finder in sys.meta_path: finder.find_spec("bare", None)
        print(hook.source_stats[bare.__file__] == stat(bare.__file__))
        importlib.reload(bare)
        print(hook.source_stats[bare.__file__] == stat(bare.__file__))
        """
    assert folder.output(code) == "True False\nTrue\nFalse\nTrue"


def test_early_names_what_came_too_soon(folder: Folder) -> None:
    folder.write(
        too_early=MARKED.format("m"),
        malformed="x = 1  # dds: nonsense=1\n",
        prose="# dds is great; # dds: in the middle\nx = '# dds: /x'\n",
        in_time=MARKED.format("i"),
    )
    code = """
        import too_early, malformed, prose
        hook.install()
        import in_time
        print(hook.early(), hook.early({"a": too_early, "b": in_time}), LOG)
        """
    expected = "('too_early', 'malformed') ('a',) ['x']"
    assert folder.output(code, hooked=False) == expected


PRAGMA_ERROR = """
Traceback (most recent call last):
  File "{main}", line 2, in <module>
    import bad
  File "{root}/bad.py", line 1
    x = 1  # dds: x/y
                  {carets}
ddsimport.errors.PragmaError: `x/y`: a path begins with a slash; did you mean `# dds: /x/y`?
"""


def test_a_pragma_error_is_shown_as_a_syntax_error_is(folder: Folder) -> None:
    folder.write(bad="x = 1  # dds: x/y\n")
    ended = folder.python("import bad")
    root = folder.root
    expected = PRAGMA_ERROR.format(
        # Before 3.13, Python underlines all that is wrong for `SyntaxError` itself only.
        carets="^^^" if sys.version_info >= (3, 13) else "^",
        main=root / "main_of_test.py",
        root=root,
    ).strip()
    assert ended.stderr.strip() == expected
    assert ended.returncode == 1


@pytest.mark.parametrize(
    "text",
    [
        "x = (1\n",
        "def f():\nx = 1\n",
        "return 1\n",
        "x = 'a\n",
        "f() = 1\n",
        "await x\n",
        "é = $\n",
    ],
)
def test_syntax_errors_are_those_of_plain_python(folder: Folder, text: str) -> None:
    folder.write(bad="y = 1  # dds: /y\n" + text)
    ours, plain = folder.python("import bad"), folder.python("import bad", hooked=False)
    assert (ours.stderr, ours.returncode) == (plain.stderr, plain.returncode)
    assert "SyntaxError" in ours.stderr or "IndentationError" in ours.stderr


def test_errors_while_a_module_runs_are_those_of_plain_python(folder: Folder) -> None:
    folder.write(
        bad="import worse\n",
        worse="def f():\n    return 1 / 0\nx = f()  # dds: /x\n",
        gone="import nowhere  # dds: ignore\n",
    )
    for code in ("import bad", "import gone", "import bad.gone", "from bad import x"):
        ours, plain = folder.python(code), folder.python(code, hooked=False)
        assert (ours.stderr, ours.returncode) == (plain.stderr, plain.returncode)
        assert ours.returncode == 1


def test_warnings_of_the_compiler_are_those_of_plain_python(folder: Folder) -> None:
    text = "x = '\\d'  # dds: /x\ny = [\n    x is 'a',\n]  # dds: /y\nassert (x, 'no')\n"
    folder.write(warns=text)
    for flags in ((), ("-Walways",), ("-Wignore",), ("-Werror",)):
        ours = folder.python("import warns", "-B", *flags)
        plain = folder.python("import warns", "-B", *flags, hooked=False)
        assert (ours.stderr, ours.returncode) == (plain.stderr, plain.returncode)


def test_a_mistake_of_ours_leaves_plain_python_and_one_warning(folder: Folder) -> None:
    folder.write(marked=MARKED.format("m"))
    code = """
        from ddsimport.source import rewrite
        def broken(text, filename):
            raise RuntimeError("our mistake")
        rewrite.rewrite = broken
        import marked
        print(marked.x, LOG)
        """
    ended = folder.python(code)
    assert ended.stdout.strip() == "3 []"
    warning = (
        f"{folder.root}/marked.py:1: DdsimportWarning: {folder.root}/marked.py runs as plain"
        " Python: its steps could not be prepared (RuntimeError: our mistake)"
    )
    assert ended.stderr.splitlines()[0] == warning
    assert ended.returncode == 0
    # What was not rewritten is not kept, or it would stay so without a word.
    assert not any("marked" in name for name in folder.bytecode())
    strict = folder.python(code, "-Werror")
    assert strict.stdout.strip() == "3 []"
    assert "our mistake" in strict.stderr


def test_an_expression_too_deep_for_us_runs_as_plain_python(folder: Folder) -> None:
    folder.write(deep="x = " + " + ".join(["1"] * 700) + "  # dds: /x\ny = 2  # dds: /y\n")
    assert folder.output("import deep; print(deep.x, LOG)") == "700 ['x', 'y']"


def test_encodings(folder: Folder) -> None:
    text = "# coding: {}\nx = 'é'  # dds: /é\n"
    (folder.root / "latin.py").write_bytes(text.format("latin-1").encode("latin-1"))
    (folder.root / "bom.py").write_bytes(b"\xef\xbb\xbf" + "x = 'é'  # dds: /é\n".encode())
    (folder.root / "dos.py").write_bytes("x = 'é'  # dds: /é\r\ny = 1  # dds: /y\r\n".encode())
    code = """
        import latin, bom, dos
        print(ascii([latin.x, bom.x, dos.x]), LOG)
        """
    assert folder.output(code) == r"['\xe9', '\xe9', '\xe9'] ['x', 'x', 'x', 'y']"


def test_a_warm_run_imports_nothing_it_does_not_need(folder: Folder) -> None:
    folder.write(marked=MARKED.format("m"))
    code = """
        import marked
        print(LOG, [name for name in HEAVY if name in sys.modules])
        """
    heavy = "ast tokenize difflib shlex string dataclasses inspect importlib.util logging pathlib"
    code = code.replace("HEAVY", repr(heavy.split()))
    # Start from an interpreter that has not imported them for its own ends (`-S`: no site).
    first = folder.output(code, "-S")
    assert "'ast'" in first and "'tokenize'" in first
    assert folder.output(code, "-S") == "['x'] []"


TYPEGUARD = """
from typeguard import install_import_hook
install_import_hook("checked")
import wave
import checked
print(LOG, type(checked.__loader__).__mro__[1:3])
try:
    checked.f("no")
except Exception as error:
    print(type(error).__name__)
"""
CHECKED = "def f(n: int) -> int:  # dds: /f\n    return n\nx = f(1)  # dds: /x\n"


def test_beside_typeguard(folder: Folder) -> None:
    folder.write(checked=CHECKED)
    for _ in range(2):
        found = folder.output(TYPEGUARD).splitlines()
        assert found[0].startswith("['x', 'f'] (<class 'ddsimport.source.loader.StepLoader'>")
        assert "TypeguardLoader" in found[0]
        assert found[1] == "TypeCheckError"
    assert any("typeguard" in name and name.endswith(".dds.pyc") for name in folder.bytecode())


BEARTYPE = """
from beartype.claw import beartype_package
beartype_package("checked")
import checked.inner
print(LOG, type(checked.inner.__loader__).__name__)
try:
    checked.inner.f("no")
except Exception as error:
    print(type(error).__name__)
"""


def test_beside_beartype(folder: Folder) -> None:
    folder.write(**{"checked/__init__": "", "checked/inner": CHECKED})
    for _ in range(2):
        found = folder.output(BEARTYPE).splitlines()
        assert found == [
            "['x', 'f'] StepBeartypeSourceFileLoader",
            "BeartypeCallHintParamViolation",
        ]


def test_beside_pytest(folder: Folder) -> None:
    """Assertions of test modules are rewritten by pytest, marked modules by us."""
    folder.write(
        marked=MARKED.format("m"),
        conftest="from setup_hook import *\n",
        test_it="""
        import marked
        from setup_hook import LOG
        def test_it():
            assert LOG == ["x"]
            assert marked.x == 4
        """,
    )
    arguments = ["-q", "-p", "no:cacheprovider", "test_it.py"]
    code = f"import pytest; raise SystemExit(pytest.main({arguments}))"
    ended = folder.python(code)
    assert "assert 3 == 4" in ended.stdout
    assert "where 3 = marked.x" in ended.stdout
    assert "1 failed" in ended.stdout


COVERED = """
def f(n):  # dds: /f/{n}
    if n > 1:
        return n
    for i in range(n):
        if i:
            break
    else:
        n += 1

x = f(
    1,
)  # dds: /x
y = [
    f(2)
    for _ in range(2)
    if x is None
]  # dds: /y
if x:
    z = f(0)  # dds: /z
def failing(n):  # dds: /failing
    with open(n):
        return 1
try:
    failing("no such file")
except OSError:
    pass
"""
COVERAGE = """
import coverage, json, os, sys
measured = coverage.Coverage(branch=True, data_file=None, include=["covered.py"])
measured.start()
import covered
measured.stop()
measured.json_report(outfile=os.devnull)
print(json.dumps(measured._analyze("covered.py").numbers.__dict__, sort_keys=True, default=str))
report = os.path.abspath("report.json")
measured.json_report(outfile=report)
found = json.load(open(report))["files"]["covered.py"]
print({name: found[name] for name in sorted(found) if name.endswith(("lines", "branches"))})
"""


def test_branch_coverage_of_a_miss_is_that_of_plain_python(folder: Folder) -> None:
    folder.write(covered=COVERED)
    ours = folder.output(COVERAGE)
    assert ours == folder.output(COVERAGE, hooked=False)
    assert "missing_branches" in ours
