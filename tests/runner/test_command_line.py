"""The command line itself: what is taken, what is refused, and with which words."""

from __future__ import annotations

import pytest

from ddsimport import cli


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["x.py"], ("run", False, "x.py", [], {})),
        (["x.py", "-q", "--", "-m"], ("run", False, "x.py", ["-q", "--", "-m"], {})),
        (["-m", "a.b", "-v", "x"], ("run", True, "a.b", ["-v", "x"], {})),
        (["-ma.b", "x"], ("run", True, "a.b", ["x"], {})),
        (["-m", "-x"], ("run", True, "-x", [], {})),
        (["--", "-x.py", "y"], ("run", False, "-x.py", ["y"], {})),
        (["--", "demo"], ("run", False, "demo", [], {})),
        (["./demo"], ("run", False, "./demo", [], {})),
        (["demo"], ("demo", False, "", [], {})),
        (["demo", "folder", "-q"], ("demo", False, "", ["folder", "-q"], {})),
        (["-q", "x"], ("run", False, "x", [], {"quiet": True, "verbose": False})),
        (["--verbose", "x"], ("run", False, "x", [], {"verbose": True, "quiet": False})),
        (["-v", "-q", "x"], ("run", False, "x", [], {"quiet": True, "verbose": False})),
        (["--store", "d", "x"], ("run", False, "x", [], {"store": "d"})),
        (["--store=a=b", "x"], ("run", False, "x", [], {"store": "a=b"})),
        (["--report", "-", "x"], ("run", False, "x", [], {"report": "-"})),
        (["--show", "x"], ("source", False, "x", [], {})),
        (["--show", "-m", "x"], ("source", True, "x", [], {})),
        (["--version", "x"], ("version", False, "", [], {})),
        (["-q", "--help"], ("help", False, "", [], {"quiet": True, "verbose": False})),
    ],
)
def test_what_is_taken(words, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parsed = cli.parse(words)
    assert (
        parsed.action,
        parsed.is_module,
        parsed.program,
        parsed.arguments,
        parsed.flags,
    ) == expected


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_file_wins_over_a_subcommand(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").touch() if kind == "file" else (tmp_path / "demo").mkdir()
    assert cli.parse(["demo"]).action == "run"


@pytest.mark.parametrize(
    ("words", "phrases"),
    [
        ([], ["no program", "usage:"]),
        (["-q"], ["no program"]),
        (["--"], ["no program"]),
        (["-m"], ["-m needs the name of a module"]),
        (["--store"], ["--store needs a value: --store DIR"]),
        (["--report=", "x"], ["--report needs a value"]),
        (["--stroe", "d", "x"], ["unknown option --stroe", "did you mean --store?"]),
        (["--verbos", "x"], ["did you mean --verbose?"]),
        (["--quite=1", "x"], ["did you mean --quiet?"]),
        (["--quiet=1", "x"], ["--quiet takes no value; did you mean --quiet?"]),
        (["--zzz", "x"], ["unknown option --zzz", "--report"]),
        (["-Z"], ["unknown option -Z"]),
        (["-"], ["standard input", "put it into a file"]),
        (["-c", "print(1)"], ["-c is not supported", "put it into a file"]),
        (["-cprint(1)"], ["-c is not supported"]),
        (["-O", "x"], ["python -O -m ddsimport"]),
        (["-Wignore", "x"], ["python -Wignore -m ddsimport"]),
        (["-i", "x"], ["python -i -m ddsimport"]),
        (["-q", "ls"], ["for running a program, not for `ls`"]),
        (["--refresh", "ls"], ["for running a program, not for `ls`"]),
        (["--store", "x", "--report", "y", "ls"], ["for running a program, not for `ls`"]),
        (["--store", "x", "demo"], ["for running a program, not for `demo`"]),
    ],
)
def test_what_is_refused(words, phrases, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("ddsimport: error: ")
    for phrase in phrases:
        assert phrase in printed.err


def test_help_and_version(capsys):
    from ddsimport._version import __version__

    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"ddsimport {__version__}\n"
    assert cli.main(["-h"]) == 0
    text = capsys.readouterr().out
    for option in cli._LONG:
        assert option in text
    assert max(map(len, text.splitlines())) <= 100


def test_help_names_every_variable():
    import re

    from tests.projects import ROOT

    texts = [file.read_text() for file in (ROOT / "ddsimport").rglob("*.py")]
    named = {name for text in texts for name in re.findall(r"\bDDSIMPORT_[A-Z]+\b", text)}
    assert named and {name for name in named if name not in cli.HELP} == set()


def test_programs_of_other_kinds(project):
    import compileall
    import zipfile

    project.write(main="print(1)", **{"folder/__main__": "print(2)"})
    with zipfile.ZipFile(project.root / "program.zip", "w") as archive:
        archive.writestr("__main__.py", "print(3)")
    compileall.compile_file(project.root / "main.py", quiet=1, legacy=True)
    for name, phrase in (
        ("folder", "python -m ddsimport"),
        ("program.zip", "zip archive; unpack it"),
        ("main.pyc", "run it with python"),
    ):
        ended = project.python("-m", "ddsimport", name)
        assert (ended.stdout, ended.returncode) == ("", 2)
        assert phrase in ended.stderr
        assert name in ended.stderr
        assert "Traceback" not in ended.stderr


def test_the_installed_command(project):
    """What an installer writes as `bin/ddsimport`."""
    project.write(main="import sys; print(sys.argv, sys.path[0], list(globals())); sys.exit(3)")
    (project.root / "bin").mkdir()
    command = project.root / "bin" / "ddsimport"
    command.write_text("import sys\nfrom ddsimport.cli import main\nsys.exit(main())\n")
    installed = project.python(str(command), "main.py", "a")
    plainly = project.python("main.py", "a")
    assert (installed.stdout, installed.stderr) == (plainly.stdout, plainly.stderr)
    assert installed.returncode == plainly.returncode == 3


def test_show(project):
    project.write(main="import sys\nx = f(sys)  # dds: /x\nprint('never')\n")
    ended = project.python("-m", "ddsimport", "--show", "main.py")
    assert ended.returncode == 0
    assert "recall" in ended.stdout
    assert "f(sys)" in ended.stdout
    compile(ended.stdout, "shown", "exec")
    of_module = project.python("-m", "ddsimport", "--show", "-m", "main")
    assert (of_module.stdout, of_module.stderr) == (ended.stdout, ended.stderr)


@pytest.mark.parametrize(
    ("text", "code", "phrase"),
    [
        ("x = 1  # dds: x\n", 1, "PragmaError"),
        ("x = = 1\n", 1, "SyntaxError"),
        ("x = 1\0\n", 1, "null bytes"),
    ],
)
def test_show_what_cannot_be_rewritten(project, text, code, phrase):
    project.write(main=text)
    ended = project.python("-m", "ddsimport", "--show", "main.py")
    assert (ended.stdout, ended.returncode) == ("", code)
    assert phrase in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("words", [("missing.py",), ("-m", "missing"), ("-m", "missing.inner")])
def test_show_what_is_not_there(project, words):
    ended = project.python("-m", "ddsimport", "--show", *words)
    assert (ended.stdout, ended.returncode) == ("", 2)
    assert "missing" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_wrong_pragma_is_a_syntax_error(project):
    """As plain Python prints one: file, line, text and caret, no traceback, exit code 1."""
    project.write(main="print('before')\nx = 1  # dds: nowhere\n", other="x = = 1\n")
    wrong = project.python("-m", "ddsimport", "main.py")
    assert (wrong.stdout, wrong.returncode) == ("", 1)
    assert "Traceback" not in wrong.stderr
    lines = wrong.stderr.splitlines()
    assert lines[0] == f'  File "{project.root / "main.py"}", line 2'
    assert lines[1] == "    x = 1  # dds: nowhere"
    assert lines[2].strip(" ^") == ""
    assert lines[3].startswith("ddsimport.errors.PragmaError: ")


def test_a_wrong_configuration(project):
    project.write(main="print(1)")
    (project.root / "pyproject.toml").write_text("[tool.ddsimport]\nstroe = 'x'\n")
    ended = project.python("-m", "ddsimport", "main.py")
    assert (ended.stdout, ended.returncode) == ("", 2)
    assert "did you mean `store`?" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_programs_own_errors_are_not_taken_for_ours(project):
    """Not even those of our own classes."""
    project.write(main="from ddsimport.errors import ConfigurationError as E\nraise E('x')\n")
    project.same()


HEAVY = (
    "argparse",
    "asyncio",
    "difflib",
    "diskcache",
    "json",
    "libcst",
    "logging",
    "multiprocessing",
    "pathlib",
    "subprocess",
    "tempfile",
    "tomllib",
    "unittest",
)


def test_what_a_run_does_not_import(project):
    """A program without steps pays for none of what steps need, nor for what errors need."""
    project.write(main="import sys\nprint(*sys.modules)")
    (project.root / "pyproject.toml").write_text('[project]\ndependencies = ["ddsimport"]\n')
    before = set(project.python("main.py").stdout.split())
    under = set(project.python("-m", "ddsimport", "main.py").stdout.split())
    loaded = {name.partition(".")[0] for name in under - before}
    assert not loaded & set(HEAVY)
    rooms = {name.split(".")[1] for name in under if name.startswith("ddsimport.")}
    assert rooms == {"children", "cli", "config", "errors", "records", "report", "runner", "source"}
    assert not any(
        name in under for name in ("ddsimport.report.terminal", "ddsimport.source.rewrite")
    )
