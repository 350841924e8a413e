"""`import ddsimport.activate` as a script's first statement: what the runner does, without it.

Importing this installs the import hook: modules imported from then on are handled. The steps of the
script that imports it cannot be, since its code is compiled already; so if it has any, the
interpreter starts anew under the runner, in this same process, before anything else has happened.
Where that is not sound, a warning says what to do instead.

In a cell of IPython or Jupyter, it is another way to write `%load_ext ddsimport`.

Nothing marks the new start but the runner itself being there, so none can lead to another, and
nothing is left in the environment for the program's children to trip over.
"""

from __future__ import annotations

import os
import sys
from types import FrameType

from ddsimport import children, shell
from ddsimport.errors import DdsimportWarning
from ddsimport.source import cells, hook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Namespace = dict[str, Any]

_OPTIONS_WITH_VALUE = "WX"


def _activate(importer: FrameType | None) -> None:
    in_shell = shell.current()
    if in_shell is not None and importer is not None and importer.f_globals is in_shell.user_ns:
        # The script that is exported from the notebook begins as it must.
        if cells.current is None and _has_steps(importer.f_globals):
            _warn_of_main(importer.f_globals, importer, *_IN_IPYTHON)
        in_shell.extension_manager.load_extension("ddsimport")
        return
    hook.install()
    runner = sys.modules.get("ddsimport.runner")
    if runner is not None and runner.is_active:
        return
    children.accompany(None)
    main = vars(sys.modules["__main__"])
    if importer is not None and importer.f_globals.get("__name__") == "__main__":
        main = importer.f_globals  # some profilers run a script beside the real `__main__`
    if _has_steps(main):
        _start_anew_or_warn(main, importer)
    early = [name for name in hook.early() if name not in ("__main__", "__mp_main__")]
    if early:
        _warn(
            f"imported before `ddsimport.activate`, so that their steps are not handled:"
            f" {', '.join(sorted(early))}; import ddsimport.activate first",
            importer,
        )


def _importer() -> FrameType | None:
    """The frame whose import statement runs this module."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and "importlib._bootstrap" in frame.f_code.co_filename:
        frame = frame.f_back
    return frame


def _has_steps(main: Namespace) -> bool:
    """Whether the main program is a file with pragmas (or with what wants to be one)."""
    file = main.get("__file__")
    if not isinstance(file, str):
        return False  # python -c, the prompt, a notebook, a spawned child
    try:
        with open(file, "rb") as opened:
            data = opened.read()
    except OSError:
        return False
    if b"dds:" not in data:
        return False
    import tokenize

    from ddsimport.source.pragma import pragmas_of

    try:
        with tokenize.open(file) as text:
            return bool(pragmas_of(text.read(), file))
    except SyntaxError:
        return True  # a wrong pragma: the runner shows it


def _start_anew_or_warn(main: Namespace, importer: FrameType | None) -> None:
    """Replace this process's program by the runner with the same script; else warn."""
    obstacle, command = _obstacle(importer, main), None
    if obstacle is None:
        command = _command_under_runner(main)
        obstacle = None if command else _ANOTHER_PROGRAM
    if command:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        try:
            os.execv(sys.executable, command)
        except OSError:
            obstacle = _CANNOT_START
    _warn_of_main(main, importer, *(obstacle or _CANNOT_START))


def _warn_of_main(main: Namespace, importer: FrameType | None, why: str, instead: str) -> None:
    file = main["__file__"]
    spec = main.get("__spec__")
    program = file if spec is None or spec.name == "__main__" else f"-m {spec.name}"
    _warn(
        f"the steps of {file} are not handled, because {why}; {instead.format(program=program)}",
        importer,
    )


_NOT_FIRST = (
    "`import ddsimport.activate` is not its first statement",
    "make it the first, or run `python -m ddsimport {program}`",
)
_WATCHED = (
    "a debugger, a profiler or a coverage tool is at work",
    "let that run `-m ddsimport {program}`",
)
_ANOTHER_PROGRAM = (
    "another program than python itself runs it",
    "let that run `-m ddsimport {program}`",
)
_IN_IPYTHON = (
    "IPython had compiled it before",
    "run `ipython --ext=ddsimport {program}`",
)
_INTERACTIVE = (
    "the interpreter was started with -i",
    "run `python -i -m ddsimport {program}`",
)
_CANNOT_START = (
    "the interpreter cannot be started anew here",
    "run `python -m ddsimport {program}`",
)


def _obstacle(importer: FrameType | None, main: Namespace) -> tuple[str, str] | None:
    """Why the interpreter must not be started anew and what to do instead; None if it may."""
    if sys.gettrace() is not None or sys.getprofile() is not None or _is_monitored():
        return _WATCHED
    if importer is None or importer.f_globals is not main or not _is_first(importer):
        return _NOT_FIRST
    if sys.flags.inspect:
        return _INTERACTIVE
    if not sys.executable or getattr(sys, "frozen", False) or os.name != "posix":
        return _CANNOT_START
    return None


def _is_first(importer: FrameType) -> bool:
    """Whether the importing frame is at its file's first statement, an import of this module."""
    import ast

    with open(importer.f_globals["__file__"], "rb") as opened:
        body = ast.parse(opened.read()).body
    for index, statement in enumerate(body):
        is_docstring = (
            index == 0
            and isinstance(statement, ast.Expr)
            and isinstance(statement.value, ast.Constant)
            and isinstance(statement.value.value, str)
        )
        if is_docstring:
            continue
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            continue
        if isinstance(statement, ast.Import):
            imports_us = statement.names[0].name == __name__
        elif isinstance(statement, ast.ImportFrom) and statement.level == 0:
            imports_us = f"{statement.module}.{statement.names[0].name}" == __name__
        else:
            imports_us = False
        end = statement.end_lineno or statement.lineno
        return imports_us and statement.lineno <= importer.f_lineno <= end
    return False


def _is_monitored() -> bool:
    monitoring = getattr(sys, "monitoring", None)  # from Python 3.12 on
    return monitoring is not None and any(monitoring.get_tool(tool) for tool in range(6))


def _command_under_runner(main: Namespace) -> list[str] | None:
    """The command line of this interpreter with our runner put before the program.

    By the runner's file, not `-m ddsimport`: what the script's folder let it import need not be
    found from the working directory, which `-m` looks through.

    Returns:
        None if this command line is not the plain start of just this program: under `pdb`,
        `coverage run`, pytest, IPython and the like, it names another one.
    """
    parsed = _parse(sys.orig_argv)
    if parsed is None:
        return None
    options, is_module, program = parsed
    spec = main.get("__spec__")
    if program[1:] != sys.argv[1:]:
        return None
    if is_module:
        if spec is None or spec.name not in (program[0], f"{program[0]}.__main__"):
            return None
    elif spec is not None or os.path.join(os.getcwd(), program[0]) != main["__file__"]:
        return None
    runner = os.path.join(os.path.dirname(os.path.abspath(__file__)), "__main__.py")
    return [sys.orig_argv[0], *options, runner, "-m" if is_module else "--", *program]


def _parse(words: list[str]) -> tuple[list[str], bool, list[str]] | None:
    """Split a command line of the interpreter as the interpreter does.

    Returns:
        its options, whether the program is a module, and the program with its arguments; None if
        there is no program.
    """
    options: list[str] = []
    rest = words[1:]
    while rest:
        word = rest[0]
        if word == "-" or not word.startswith("-"):
            return options, False, rest
        if word == "--":
            return (options, False, rest[1:]) if rest[1:] else None
        del rest[0]
        taken = [word]
        for place, letter in enumerate(word[1:] if not word.startswith("--") else "", start=1):
            joined = word[place + 1 :]
            if letter == "c":
                return None
            if letter == "m":
                if place > 1:
                    options.append(word[:place])
                program = [joined, *rest] if joined else rest
                return (options, True, program) if program else None
            if letter in _OPTIONS_WITH_VALUE:
                if not joined:
                    taken += rest[:1]
                break
        if word == "--check-hash-based-pycs":
            taken += rest[:1]
        del rest[: len(taken) - 1]
        options += taken
    return None


def _warn(message: str, importer: FrameType | None) -> None:
    """Warn at the importing line, which is the one to change."""
    import warnings

    file = importer.f_code.co_filename if importer is not None else __file__
    line = importer.f_lineno if importer is not None else 1
    warnings.warn_explicit(message, DdsimportWarning, file, line)


_activate(_importer())
