"""The command line: options, then a program to run as `python` would, or a subcommand.

Parsed by hand, because this is on the way of every run and argparse takes 10 ms to import.
"""

from __future__ import annotations

import os
import sys

from ddsimport.errors import CannotRunError, ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

USAGE = """\
usage: python -m ddsimport [options] script.py [arguments]
       python -m ddsimport [options] -m package.module [arguments]
       python -m ddsimport COMMAND [options]
"""

HELP = f"""\
{USAGE}
Run a Python program as `python` would; steps marked with `# dds:` comments whose code and inputs
have not changed come from the store.

options:
  -q, --quiet      nothing on standard error but what the program prints there
  -v, --verbose    a line per step as it happens
  --report FILE    write what each step did to FILE, as JSON
  --store DIR      where the store is (default: .dds beside the nearest pyproject.toml or .git)
  --namespace NAME whose paths are shown: .dds/namespaces/NAME/data (`git`: those of the branch)
  --force PATH     evaluate the step at this path, and those below it, though their values are kept
  --refresh        evaluate every step
  --show           print the program as ddsimport rewrites it, and do not run it
  --completion SH  print what a shell is to run so that it completes: bash, zsh or fish
  --version        print the version of ddsimport
  -h, --help       print this
  --               what follows is the script, even if it is called `log` or starts with `-`

commands (each takes --help; a file of that name in this folder is run instead):
  accept PATH      say that an edit of a step's code does not change its result
  demo [FOLDER]    run a small project on real data and show what a cache does for it
  diff A [B]       how two values differ, and the code that they were made by
  doctor           what is configured, what is not seen here, what needs attention
  gc               bring the store within its budget, least recently used first
  graph [SCRIPT]   draw what depends on what: a page (default), svg, png, dot, mermaid
  key COMMAND      make yourself a key, and say whose values may run code here: create, show,
                   trust, distrust, list
  lint SCRIPT...   what the text of programs tells: pragmas that never hit, unseeded randomness
  log PATH         what an artifact path has shown: when, how long it took, from which inputs
  ls [PREFIX]      what artifact paths there are
  plan PROGRAM     what a run would do, and why, without running anything
  pull [PATH]      fetch what others evaluated from the remote
  push             send what was evaluated here to the remote
  show PATH        what an artifact holds: the head of a table, a picture, a text
  status           the store, the last runs, what they saved
  ui [SCRIPT]      the page of the graph in a browser, live
  verify           look for damage in the store, and mend it
  why [PATH]       why a step ran: what changed since its last value

Each command takes --json, and answers with an object on each line. Exit codes of commands:
0 it was done; 1 what it looks for was found (a difference, damage, see its --help); 2 it could not
be done; 130 it was interrupted. The exit code of a run is the program's own; 2 also where it cannot
be started.

Options of the interpreter (-O, -W, -X, -i ...) go before -m ddsimport.

environment: DDSIMPORT_STORE, DDSIMPORT_REPORT, DDSIMPORT_NAMESPACE, DDSIMPORT_FORCE, DDSIMPORT_KEYS
pyproject.toml: [tool.ddsimport] with store, report, quiet, verbose, footprints, lazy, replay,
  namespace, budget, pickle, remote, remote_push
"""

_SUBCOMMANDS = {
    "accept": "ddsimport.commands.accept",
    "demo": "ddsimport.demo",
    "diff": "ddsimport.commands.diff",
    "doctor": "ddsimport.commands.doctor",
    "gc": "ddsimport.commands.gc",
    "graph": "ddsimport.commands.graph",
    "key": "ddsimport.commands.key",
    "lint": "ddsimport.commands.lint",
    "log": "ddsimport.commands.log",
    "ls": "ddsimport.commands.ls",
    "plan": "ddsimport.commands.plan",
    "pull": "ddsimport.commands.pull",
    "push": "ddsimport.commands.push",
    "show": "ddsimport.commands.show",
    "status": "ddsimport.commands.status",
    "ui": "ddsimport.commands.ui",
    "verify": "ddsimport.commands.verify",
    "why": "ddsimport.commands.why",
}
_WITH_VALUE = {
    "--report": "FILE", "--store": "DIR", "--namespace": "NAME", "--force": "PATH",
}  # fmt: skip
_SWITCHES = {
    "-q": ("quiet", "verbose"),
    "--quiet": ("quiet", "verbose"),
    "-v": ("verbose", "quiet"),
    "--verbose": ("verbose", "quiet"),
}
_LONG = (
    "--quiet", "--verbose", *_WITH_VALUE, "--refresh", "--show", "--completion", "--version",
    "--help",
)  # fmt: skip


class _UsageError(ConfigurationError):
    """The command line means nothing; the message says what to write instead."""

    def __init__(self, said: str) -> None:
        super().__init__(f"{said}\n{USAGE}")


class Invocation:
    """A parsed command line.

    Attributes:
        flags: for `config.resolve`.
        action: what to do: `help`, `version`, `source` (for `--show`), `complete`, `completion`,
            `run`, or a subcommand's name.
        is_module: the program was given with `-m`.
        program: the script as it was written, or the module's name.
        arguments: those of the program or the subcommand.
    """

    def __init__(self) -> None:
        self.flags: dict[str, str | bool] = {}
        self.action = "run"
        self.is_module = False
        self.program = ""
        self.arguments: list[str] = []


def main(arguments: Sequence[str] | None = None) -> int:
    """The command `ddsimport`; the program's own exit and exceptions pass through.

    Returns:
        the exit code: 0, or 2 if the command line, the configuration or the script is unusable.
    """
    try:
        invocation = parse(sys.argv[1:] if arguments is None else arguments)
        if invocation.action != "run":
            return _settled(lambda: _answered(invocation))
        from ddsimport import runner

        prepare = runner.prepare_module if invocation.is_module else runner.prepare_script
        program = prepare(invocation.program, invocation.arguments, invocation.flags)
    except (ConfigurationError, CannotRunError) as error:
        refused = error
        return _settled(lambda: _refuse(refused))
    # Outside of any `try`: whatever the program raises is not ours.
    program.run()
    return 0


def _settled(command: Callable[[], int]) -> int:
    from ddsimport.commands.ending import settled

    return settled(command)


def _refuse(error: Exception) -> int:
    raise error


def _answered(invocation: Invocation) -> int:
    """Do what is not to run a program; see `commands.ending` for what it may raise."""
    if invocation.action == "help":
        sys.stdout.write(HELP)
    elif invocation.action == "version":
        from ddsimport._version import __version__

        sys.stdout.write(f"ddsimport {__version__}\n")
    elif invocation.action in ("complete", "completion"):
        return _complete(invocation)
    elif invocation.action == "source":
        return _show(invocation)
    else:
        return _run_subcommand(invocation)
    return 0


def parse(arguments: Sequence[str]) -> Invocation:
    """Read the command line up to the program's own arguments.

    Raises:
        _UsageError: it means nothing.
    """
    invocation = Invocation()
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            _take_script(invocation, rest)
            return invocation
        if word in _SWITCHES:
            on, off = _SWITCHES[word]
            invocation.flags.update({on: True, off: False})
        elif word.partition("=")[0] in _WITH_VALUE:
            name, equals, value = word.partition("=")
            if not equals:
                if not rest:
                    raise _UsageError(f"{name} needs a value: {name} {_WITH_VALUE[name]}")
                value = rest.pop(0)
            if not value:
                raise _UsageError(f"{name} needs a value: {name}={_WITH_VALUE[name]}")
            before = invocation.flags.get("force") if name == "--force" else None
            invocation.flags[name[2:]] = f"{before},{value}" if before else value
        elif word == "--refresh":
            invocation.flags["force"] = "/"
        elif word == "--show":
            invocation.action = "source"
        elif word.partition("=")[0] in ("--complete", "--completion"):
            name, equals, value = word.partition("=")
            invocation.action = name[2:]
            invocation.arguments = [value] if equals else rest
            return invocation
        elif word == "--version":
            invocation.action = "version"
            return invocation
        elif word in ("-h", "--help"):
            invocation.action = "help"
            return invocation
        elif word.startswith("-m"):
            _take_module(invocation, word[2:], rest)
            return invocation
        elif word.startswith("-") and word != "-":
            raise _UsageError(_about_option(word))
        else:
            rest.insert(0, word)
            if word in _SUBCOMMANDS and not os.path.exists(word):
                _take_command(invocation, word, rest[1:])
            else:
                _take_script(invocation, rest)
            return invocation
    raise _UsageError("there is no program to run")


def _take_script(invocation: Invocation, rest: list[str]) -> None:
    if not rest:
        raise _UsageError("there is no program to run")
    if rest[0] == "-":
        raise _UsageError(
            "a program read from standard input has no file that a step could be named after;"
            " put it into a file and run that"
        )
    invocation.program, *invocation.arguments = rest


def _take_command(invocation: Invocation, command: str, rest: list[str]) -> None:
    """Options that stand before a command are options of it, as far as it has them."""
    taken = set() if command == "demo" else {"store", "namespace"}
    if not invocation.flags.keys() <= taken:
        raise _UsageError(f"these options are for running a program, not for `{command}`")
    given = [f"--{name}={value}" for name, value in invocation.flags.items()]
    invocation.action = command
    invocation.arguments = [*given, *rest]


def _take_module(invocation: Invocation, joined: str, rest: list[str]) -> None:
    """`-m name` and `-mname`, as Python takes them."""
    words = [joined, *rest] if joined else rest
    if not words:
        raise _UsageError("-m needs the name of a module")
    invocation.is_module = True
    invocation.program, *invocation.arguments = words


def _about_option(word: str) -> str:
    if word == "-c" or word.startswith("-c"):
        return "-c is not supported: code without a file has no steps; put it into a file"
    name = word.partition("=")[0]
    if name in _SWITCHES:
        return f"{name} takes no value; did you mean {name}?"
    if not word.startswith("--") and word[:2] in _OF_THE_INTERPRETER:
        return f"{word} is an option of the interpreter: python {word} -m ddsimport ..."
    import difflib

    close = difflib.get_close_matches(name, _LONG, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}?" if close else f"there are: -q, -v, -m, {', '.join(_LONG)}"
    return f"unknown option {name}; {hint}"


_OF_THE_INTERPRETER = tuple(f"-{letter}" for letter in "bBdEiIOPRsSuWxX")


def _show(invocation: Invocation) -> int:
    from ddsimport import runner

    try:
        text = runner.rewritten(invocation.program, is_module=invocation.is_module)
    except (SyntaxError, ValueError) as error:  # null bytes, on Python 3.10
        import traceback

        sys.stderr.write("".join(traceback.format_exception_only(error)))
        return 1
    sys.stdout.write(text)
    return 0


def _complete(invocation: Invocation) -> int:
    from ddsimport.commands import completion

    if invocation.action == "complete":
        words = [word for word in invocation.arguments[:1] if word != "--"]
        return completion.main(
            words + invocation.arguments[1:],
            options=("-q", "-v", "-m", "-h", *_LONG),
            with_value={**_WITH_VALUE, "--completion": "SH"},
            commands=_SUBCOMMANDS,
        )
    if len(invocation.arguments) != 1 or invocation.arguments[0] not in completion.SHELLS:
        shells = ", ".join(completion.SHELLS)
        raise ConfigurationError(f"--completion takes the name of a shell: {shells}")
    sys.stdout.write(completion.script_for(invocation.arguments[0]))
    return 0


def _run_subcommand(invocation: Invocation) -> int:
    import importlib

    module = importlib.import_module(_SUBCOMMANDS[invocation.action])
    return int(module.main(invocation.arguments) or 0)
