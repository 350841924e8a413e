"""Loads a marked source file as it is rewritten, and keeps its bytecode.

Whatever a warm run does not need (`ast`, `tokenize`, ...) is imported where it is used. Inside an
import that is safe: those modules, of the standard library and of this room, never import the
program's own.
"""

from __future__ import annotations

import _imp
import os
import sys
from codecs import BOM_UTF8
from importlib.machinery import BYTECODE_SUFFIXES, SourceFileLoader

from ddsimport.errors import DdsimportWarning, PragmaError
from ddsimport.source import REWRITER_TAG, tracked

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from collections.abc import Callable
    from types import CodeType, ModuleType
    from typing import Any

TAG = f"dds{REWRITER_TAG}"

_combined: dict[tuple[type[SourceFileLoader], type[SourceFileLoader]], type[SourceFileLoader]] = {}


class FreshLoader(SourceFileLoader):
    """Loads a source file from its text: what bytecode there is may be that of an older one.

    Python takes bytecode whose source has the size and the second of the last change that it had;
    an edit in that second would run the old code, and its result be kept as that of the new.
    """

    def get_data(self, path: str) -> bytes:
        """The bytes of a file, but not of bytecode."""
        if path.endswith(tuple(BYTECODE_SUFFIXES)):
            raise FileNotFoundError(path)
        return super().get_data(path)


class AgainLoader(SourceFileLoader):
    """Loads a module again (`importlib.reload`)."""

    def exec_module(self, module: ModuleType) -> None:
        """Run its code in the namespace of the module that there is."""
        try:
            super().exec_module(module)
        except BaseException:
            tracked.note_failure(self.path)
            raise


class StepLoader(SourceFileLoader):
    """A loader of source files, and a mixin for other such loaders: see `combined_with`.

    Bytecode is checked by the hash of the source: two edits within a second may leave size and
    time as they were, and then the result of old code would be kept under the signature of the new.
    The rewritten code depends on nothing but the source and the rewriter, whose hash the tag has.
    """

    _source: bytes | None = None  # what the code in hand was made from; None: not to be kept

    def get_data(self, path: str) -> bytes:
        """The bytes of a file; of our bytecode for a path of Python's own bytecode."""
        ours = bytecode_path(path)
        if ours != path and _imp.check_hash_based_pycs == "never":
            raise FileNotFoundError(path)  # Python was told not to check: so do not use it
        return super().get_data(ours)

    def set_data(self, path: str, data: Any, **options: Any) -> None:
        """Write a file; bytecode goes to our own, with the hash of the source in its header."""
        if path.endswith(tuple(BYTECODE_SUFFIXES)):
            if self._source is None:
                return
            from importlib.util import source_hash

            # PEP 552: magic number, flags (hash-based, to be checked), hash of the source.
            data = data[:4] + b"\x03\0\0\0" + source_hash(self._source) + data[16:]
        super().set_data(bytecode_path(path), data, **options)

    # Python 3.15 gives the module's name as well: whatever is given is handed on.
    def source_to_code(  # type: ignore[override]  # see above
        self, data: Any, path: Any, *args: Any, **options: Any
    ) -> CodeType:
        """The code object of the rewritten module.

        Raises:
            PragmaError: a pragma is malformed or misplaced.
            SyntaxError: the text is not Python.
        """
        made = self._code_of_rewritten(data, path, super().source_to_code, args, options)
        if isinstance(made, PragmaError):
            raise made.with_traceback(None)
        if made is not None and not isinstance(made, Exception):
            return made
        # Where the text is not Python, the next line says so, in Python's own words.
        code = super().source_to_code(data, path, *args, **options)
        if made is not None:
            warn_unmarked(os.fsdecode(path), made)
        return code

    def _code_of_rewritten(
        self,
        data: Any,
        path: Any,
        compile_: Callable[..., CodeType],
        args: tuple[Any, ...],
        options: dict[str, Any],
    ) -> CodeType | Exception | None:
        """The code, None if the source is not marked, or why there is none."""
        self._source = None
        if not isinstance(data, bytes) or not may_hold_pragma(data):
            return None
        try:
            from ddsimport.source.rewrite import rewrite

            tree = rewrite(decoded(data), os.fsdecode(path))
            try:
                code = compile_(tree, path, *args, **options)
            except TypeError:
                code = _given_as_parsed(compile_, tree)(data, path, *args, **options)
        except Exception as error:
            return error
        self._source = data
        return code


def _given_as_parsed(method: Callable[..., CodeType], tree: ast.Module) -> Callable[..., CodeType]:
    """`method` with `tree` in place of what it parses.

    By its documentation, `source_to_code` takes whatever `compile` takes; beartype's takes bytes
    only, and calls `compile` to parse them. So a copy of it is run, whose `compile` is ours.
    """
    import ast
    from types import FunctionType, MethodType

    function, owner = method.__func__, method.__self__  # type: ignore[attr-defined]  # or fails here
    parsed = False

    def compile_(
        source: Any, filename: Any, mode: str, flags: int = 0, *rest: Any, **more: Any
    ) -> Any:
        nonlocal parsed
        if not isinstance(source, ast.AST):
            if not flags & ast.PyCF_ONLY_AST:
                raise TypeError("the loader compiles text without a chance to change its tree")
            parsed = True
            return tree
        if not parsed:
            raise TypeError("the loader parses text in an unknown way")
        module: Any = source
        return compile(module, filename, mode, flags, *rest, **more)

    copy = FunctionType(
        function.__code__,
        {**function.__globals__, "compile": compile_},
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return MethodType(copy, owner)


def _like_importlib(function: Callable[..., Any]) -> None:
    """Have Python leave the frames of `function` out of tracebacks, as it does importlib's own.

    It drops every run of frames of importlib whose last one is `_call_with_frames_removed`
    (`remove_importlib_frames` in import.c). Otherwise a syntax error in a marked module would be
    printed with all the frames of importlib and ours.
    """
    function.__code__ = function.__code__.replace(
        co_filename=SourceFileLoader.get_data.__code__.co_filename,
        co_name="_call_with_frames_removed",
    )


_like_importlib(StepLoader.source_to_code)
_like_importlib(AgainLoader.exec_module)


def combined_with(
    kind: type[SourceFileLoader], ours: type[SourceFileLoader]
) -> type[SourceFileLoader]:
    """The class of loaders that do what those of `kind` do, on top of it what `ours` does.

    Raises:
        TypeError: `kind` cannot be subclassed so.
    """
    if kind is SourceFileLoader:
        return ours
    if (kind, ours) not in _combined:
        name = f"{ours.__name__.removesuffix('Loader')}{kind.__name__}"
        _combined[kind, ours] = type(name, (ours, kind), {})
    return _combined[kind, ours]


def bytecode_path(path: str) -> str:
    """`m.cpython-312.opt-1.pyc` -> `m.cpython-312.opt-1.dds<hash>.pyc`; other paths as they are."""
    for suffix in BYTECODE_SUFFIXES:
        if path.endswith(suffix):
            return f"{path.removesuffix(suffix)}.{TAG}{suffix}"
    return path


def may_hold_pragma(data: bytes) -> bool:
    """Whether source bytes may hold a pragma or a near miss; sure only where it says False.

    Source in any encoding that Python accepts holds ASCII as it is.
    """
    lowered = data.lower()
    at = lowered.find(b"dds")
    while at >= 0:
        before = lowered[max(at - 40, 0) : at].rstrip(b" \t")
        after = lowered[at + 3 : at + 43].lstrip(b" \t")
        if before.endswith(b"#") and after[:1] in (b":", b"/"):
            return True
        at = lowered.find(b"dds", at + 3)
    return False


def decoded(data: bytes) -> str:
    """Source bytes as text, as Python reads them (encoding cookie, BOM, line ends).

    Raises:
        SyntaxError, UnicodeDecodeError: they are not in the encoding that they claim.
    """
    named = any(b"coding" in line for line in data.split(b"\n", 2)[:2])  # perhaps (PEP 263)
    encoding = "utf-8"
    if named or data.startswith(BOM_UTF8):
        import tokenize  # 1 ms, which most warm runs do without
        from io import BytesIO

        encoding, _ = tokenize.detect_encoding(BytesIO(data).readline)
    return data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")


def warn_unmarked(path: str, error: Exception) -> None:
    """Say that a module runs as plain Python; never raises, whatever the warning filters say."""
    import warnings

    message = (
        f"{path} runs as plain Python: its steps could not be prepared"
        f" ({type(error).__name__}: {error})"
    )
    try:
        warnings.warn_explicit(message, DdsimportWarning, path, 1)
    except DdsimportWarning:
        print(f"DdsimportWarning: {message}", file=sys.stderr)
