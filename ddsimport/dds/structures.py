"""The words of dds_py that programs name: its error with its codes, its paths, its stages."""

from __future__ import annotations

import re
from enum import Enum, IntEnum
from pathlib import PurePath
from typing import Any, NewType

DDSPath = NewType("DDSPath", str)
"""Where a value is kept: absolute, with `/` between its parts."""

ProtocolRef = NewType("ProtocolRef", str)
SupportedType = NewType("SupportedType", str)
GenericLocation = NewType("GenericLocation", str)


class DDSErrorCode(IntEnum):
    """What an error is about. Most are never raised here: what dds_py refuses is done."""

    EVAL_IN_EVAL = 1
    CIRCULAR_CALL = 2
    UNKNOWN_AST_NODE = 3
    MODULE_NOT_FOUND = 4
    FUNCTION_NO_MODULE = 5
    PROTOCOL_NOT_FOUND = 6
    TYPE_NOT_SUPPORTED = 7
    STORE_PATH_NOT_FOUND = 8
    PATH_NOT_ABSOLUTE = 9
    UNSUPPORTED_CALLABLE_TYPE = 10
    AUTHORIZED_TYPE_NOT_UNDERSTOOD = 11
    OBJECT_PATH_NOT_FOUND = 12
    CONSTRUCT_NOT_SUPPORTED = 13
    STORE_PATH_NOT_SUPPORTED = 14
    ARG_IN_DATA_FUNCTION = 15
    OVERLAPPING_PATH = 16
    UNKNOWN_OPTION = 17
    SEQUENCE_TOO_LONG = 18


class DDSException(BaseException):
    """All errors of this module. As in dds_py it is no `Exception`: `except Exception` lets it
    through there, and a program that relies on it must not go on here."""

    def __init__(self, message: str, error_code: DDSErrorCode | None = None) -> None:
        super().__init__(message)
        self.error_code = error_code


class FileCodecProtocol:
    """A format of a program's own, by a file. Derive from it, and define all four."""

    def ref(self) -> ProtocolRef:
        """The name of the format."""
        raise NotImplementedError

    def handled_types(self) -> list[SupportedType]:
        """The types that are kept in it, by module and name."""
        raise NotImplementedError

    def serialize_into(self, blob: Any, loc: Any) -> None:
        """Write a value to the file `loc`, a `PurePath`."""
        raise NotImplementedError

    def deserialize_from(self, loc: Any) -> Any:
        """Read it from there."""
        raise NotImplementedError


class CodecProtocol(FileCodecProtocol):
    """The same, with `loc` as a text."""


class ProcessingStage(str, Enum):
    """The stages of an evaluation, in order."""

    ANALYSIS = "analysis"
    STORE_INSPECT = "store_inspect"
    EVAL = "eval"
    STORE_COMMIT = "store_commit"
    PATH_COMMIT = "path_commit"

    @staticmethod
    def all_phases() -> list[ProcessingStage]:
        return list(ProcessingStage)


def path_of(given: object) -> DDSPath:
    """The artifact path that a program means.

    A part that cannot be a file's name on every system (`a:b`) is quoted; so is one with a `%`, so
    that different paths stay different.

    Raises:
        DDSException: it is none.
    """
    from ddsimport.store.paths import ArtifactPathError

    if not isinstance(given, (str, PurePath)):
        raise DDSException(
            f"{given!r} is no path: it must be a text such as '/model', or a pathlib.Path",
            DDSErrorCode.STORE_PATH_NOT_SUPPORTED,
        )
    text = given.as_posix() if isinstance(given, PurePath) else given
    if not text.startswith("/"):
        raise DDSException(
            f"the path {text!r} is not absolute: it must start with '/'",
            DDSErrorCode.PATH_NOT_ABSOLUTE,
        )
    parts = re.split("/+", text.strip("/"))
    try:
        return DDSPath("/" + "/".join(_safe(part) for part in parts))
    except ArtifactPathError as error:
        raise DDSException(str(error), DDSErrorCode.STORE_PATH_NOT_SUPPORTED) from error


def _safe(part: str) -> str:
    """Raises ArtifactPathError."""
    from ddsimport.store.paths import ArtifactPathError, artifact_parts, quote_part

    if part in ("", ".", ".."):
        raise ArtifactPathError(f"a path cannot have the part {part!r}")
    if "%" not in part:
        try:
            return artifact_parts(f"/{part}")[0]
        except ArtifactPathError:
            pass
    return quote_part(part)
