"""Running a program as `python` would, with our import hook in place.

The acceptance test is plain `python`: same output, same exit code, same traceback. What happens
after the program (exit codes, `SystemExit`, KeyboardInterrupt's signal, `-i`) is left to the
interpreter: whatever the program raises goes through our frames as if they were not there, and only
what is printed of it is trimmed.

Known differences that are left: our frames lie below the program's own, where `inspect.stack()` and
a `stacklevel` beyond module level see them; `sys.orig_argv` is what was typed.
"""

from __future__ import annotations

import os
import sys
from types import FrameType, ModuleType, TracebackType

from ddsimport import children, config, report
from ddsimport.errors import CannotRunError
from ddsimport.source import hook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

is_active = False
"""Whether this process was started by this runner: `ddsimport.activate` has nothing left to do."""


_interpreters_main: ModuleType | None = None


class Program:
    """A program that is ready to run, once.

    Attributes:
        name: the script's file, absolute, or the module's name.
        is_module: which of both it is.
    """

    def __init__(self, name: str, *, is_module: bool) -> None:
        self.name = name
        self.is_module = is_module

    def run(self) -> None:
        """Run it to its end; whatever it raises, `SystemExit` included, is raised."""
        # This frame may hold nothing of the program's but its namespace: a traceback keeps it, and
        # what it held would outlive the moment at which plain Python destroys it.
        names = _fresh_main()
        _give_back_stack(by_exec=not self.is_module)
        is_compiled = self.is_module
        try:
            if self.is_module:
                import runpy

                # Private, but it is what `python -m` itself calls: the messages, sys.argv[0], the
                # module's attributes and runpy's own lines in a traceback are as they must be.
                runpy._run_module_as_main(self.name)  # type: ignore[attr-defined]  # see above
                return
            names["__loader__"] = hook.main_loader(self.name)
            names["__file__"] = self.name
            code = hook.code_of_main(self.name)
            is_compiled = True
            exec(code, names)
            _forget_file(names)
        except BaseException as error:
            _trim_when_printed(error, is_compiled, None if self.is_module else names)
            raise


def prepare_script(script: str, arguments: Sequence[str], flags: config.Flags) -> Program:
    """Get this process ready to run a file; nothing of the program runs yet.

    Raises:
        CannotRunError: there is no such file, or it is not the text of a program.
        ConfigurationError: a key of `[tool.ddsimport]` means nothing.
    """
    file = file_of(script)
    _refuse_what_is_no_script(file)
    folder = os.path.dirname(os.path.realpath(file))
    _start(folder, flags)
    children.accompany(os.path.normpath(file))
    sys.argv[:] = [script, *arguments]
    _put_first_in_path(folder)
    return Program(file, is_module=False)


def prepare_module(name: str, arguments: Sequence[str], flags: config.Flags) -> Program:
    """Get this process ready to run a module as `python -m` does; nothing of it runs yet.

    Raises:
        CannotRunError: there is no working directory to find it from.
        ConfigurationError: a key of `[tool.ddsimport]` means nothing.
    """
    folder = _working_directory()
    _start(folder, flags)
    children.accompany(None)
    # What the parent package sees while the module is looked for; runpy puts the file there later.
    sys.argv[:] = ["-m", *arguments]
    _put_first_in_path(folder)
    return Program(name, is_module=True)


def rewritten(name: str, *, is_module: bool) -> str:
    """The text of a program as it is rewritten; its comments are gone.

    Raises:
        CannotRunError: there is no such program.
        PragmaError, SyntaxError: its text cannot be rewritten.
    """
    import ast
    import tokenize

    from ddsimport.source.rewrite import rewrite

    file = located(name, is_module=is_module)
    with tokenize.open(file) as opened:
        text = opened.read()
    return ast.unparse(rewrite(text, file)) + "\n"


def located(name: str, *, is_module: bool) -> str:
    """The file of a program.

    Raises:
        CannotRunError: there is no such program.
    """
    file = _file_of_module(name) if is_module else file_of(name)
    _refuse_what_is_no_script(file)
    return file


def file_of(script: str) -> str:
    """The absolute name that Python gives a script: joined to the folder, never normalized.

    Raises:
        CannotRunError: it is relative to a working directory that is gone.
    """
    return script if os.path.isabs(script) else os.path.join(_working_directory(), script)


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError as error:
        raise CannotRunError(
            f"ddsimport: error: the working directory is gone ({error.strerror})"
        ) from None


def _start(folder: str, flags: config.Flags) -> None:
    global is_active
    config.use(config.resolve(folder, flags, os.environ))
    report.current()  # before the program, so that the summary comes after its own `atexit`
    hook.install()
    report.current().at_end.append(_tell_overtaken)
    is_active = True


def _tell_overtaken() -> None:
    for name in hook.overtaken():
        if name not in ("__main__", "__mp_main__"):
            report.current().say(
                f"overtaken {name}",
                f"the steps of {name} were not handled: another import hook loaded it; after that"
                " hook is installed, call ddsimport.source.hook.install()",
            )


def _put_first_in_path(folder: str) -> None:
    """Put the program's folder where the interpreter put ours, unless it was told to put none."""
    # Python 3.10 has no safe_path; there, only -I leaves the folder out.
    if not getattr(sys.flags, "safe_path", sys.flags.isolated):
        sys.path[0] = folder


def _refuse_what_is_no_script(file: str) -> None:
    """
    Raises:
        CannotRunError: see the message; where Python would fail, it is Python's own.
    """
    try:
        os.stat(file)
        if not os.access(file, os.R_OK):
            raise PermissionError(13, os.strerror(13))
    except OSError as error:
        raise CannotRunError(
            f"{sys.orig_argv[0]}: can't open file {file!r}: [Errno {error.errno}] {error.strerror}"
        ) from None
    if os.path.isdir(file):
        raise CannotRunError(
            f"ddsimport: error: {file} is a folder; run its file: python -m ddsimport"
            f" {os.path.join(file, '__main__.py')}"
        )
    if file.endswith(".pyc"):
        raise CannotRunError(
            f"ddsimport: error: {file} is compiled: without its text it has no steps;"
            f" run it with python"
        )
    if os.path.isfile(file) and _is_zip(file):
        raise CannotRunError(
            f"ddsimport: error: {file} is a zip archive; unpack it and run its __main__.py, or run"
            f" it with python (without steps)"
        )


def _is_zip(file: str) -> bool:
    from zipimport import ZipImportError, zipimporter

    try:
        zipimporter(file)
    except ZipImportError:
        return False
    return True


def _file_of_module(name: str) -> str:
    from importlib.util import find_spec

    _put_first_in_path(_working_directory())
    try:
        spec = find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = find_spec(f"{name}.__main__")
    except ImportError as error:
        raise CannotRunError(f"ddsimport: error: {error}") from error
    if spec is None or not spec.has_location or not spec.origin:
        raise CannotRunError(f"ddsimport: error: no module {name} with a source file")
    return spec.origin


def _fresh_main() -> dict[str, Any]:
    """Put a `__main__` in place with the names that this interpreter gives it, in its order.

    The interpreter's own is full of our names. It must outlive the program: where it is a file's,
    the interpreter deletes `__file__` from its namespace after the traceback is printed, by a
    pointer that it does not own (up to 3.13 at least; memory is corrupted if it is gone).
    """
    global _interpreters_main
    own = _interpreters_main = sys.modules["__main__"]
    main = sys.modules["__main__"] = ModuleType("__main__")
    # `__annotations__` is among them up to Python 3.13.
    fresh = {"__annotations__": {}, "__builtins__": sys.modules["builtins"], "__name__": "__main__"}
    special = {name: fresh.get(name) for name in vars(own) if name in _NAMES_OF_MAIN}
    names = vars(main)
    names.clear()
    names.update(special)
    return names


_NAMES_OF_MAIN = frozenset(
    f"__{name}__"
    for name in (
        "annotations",
        "builtins",
        "cached",
        "doc",
        "file",
        "loader",
        "name",
        "package",
        "spec",
    )
)


def _forget_file(names: dict[str, Any]) -> None:
    """The interpreter takes these names away when a script has ended, before `atexit`."""
    names.pop("__file__", None)
    names.pop("__cached__", None)


def _give_back_stack(*, by_exec: bool) -> None:
    """Raise the recursion limit by what our frames take of it.

    Otherwise a program that recurses just as deep as it may would fail, and the traceback of one
    that recurses too deep would count fewer repetitions.

    Args:
        by_exec: whether our next call is the built-in `exec`. Up to Python 3.11 it counts too, as
            does that of `runpy` below a module's frame.
    """
    counted = sys.version_info < (3, 12)
    depth = int(counted and by_exec)
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        depth += 1
        if counted and frame.f_code.co_name == "<module>" and frame.f_back is not None:
            depth += 1
        frame = frame.f_back
    sys.setrecursionlimit(sys.getrecursionlimit() + depth)


def _without_loader(traceback: TracebackType | None) -> None:
    """Take our loader's frames out of a traceback: one is there if a `-m` module is no Python.

    A last frame of ours stays: then the error is ours.
    """
    entry = traceback
    while entry is not None:
        after = entry.tb_next
        while after is not None and after.tb_next is not None and _is_of_loader(after.tb_frame):
            after = entry.tb_next = after.tb_next
        entry = after


def _is_of_loader(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).startswith("ddsimport.source.")


def _trim_when_printed(
    error: BaseException, is_compiled: bool, names_of_script: dict[str, Any] | None
) -> None:
    """Have the interpreter print `error` as if none of our frames were below the program's.

    The frames that the error still passes through are added to its traceback, so this can only be
    done at the very end, by `sys.excepthook`. The program never sees ours: it is put in place after
    the program has ended, hands over to the hook that the program left, and goes.

    Args:
        error: caught by the caller, whose frame is thus the first in its traceback.
        is_compiled: False if the error is that the script cannot be; plain Python has no frame
            then.
        names_of_script: the namespace of a script, from which some names go once the error is
            printed.
    """
    programs_hook = getattr(sys, "excepthook", None)
    if programs_hook is None:
        return
    kept = None
    if is_compiled and error.__traceback__ is not None:
        kept = error.__traceback__.tb_next
        _without_loader(kept)

    def excepthook(
        kind: type[BaseException], value: BaseException, traceback: TracebackType | None
    ) -> None:
        sys.excepthook = programs_hook
        if value is error:
            traceback = kept
            value.__traceback__ = kept
            sys.last_traceback = kept
        try:
            programs_hook(kind, value, traceback)
        except SystemExit:
            raise
        except BaseException as failure:
            # What the interpreter does, without our frame in the failure's traceback.
            inner = failure.__traceback__ and failure.__traceback__.tb_next
            sys.stdout.flush()
            sys.stderr.write("Error in sys.excepthook:\n")
            sys.__excepthook__(type(failure), failure.with_traceback(inner), inner)
            sys.stderr.write("\nOriginal exception was:\n")
            sys.__excepthook__(kind, value, traceback)
        if names_of_script is not None:
            _forget_file(names_of_script)

    sys.excepthook = excepthook
