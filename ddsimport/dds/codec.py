"""Formats of a program's own, told as dds_py has them told: by objects that write and read a file.

    codec_registry().add_file_codec(PictureCodec())

They become codecs of ours (`ddsimport.register_codec`): what one has written is read back once and
compared, and where it lost something, the value is pickled instead.
"""

from __future__ import annotations

import builtins
import os
import re
import sys
from importlib import import_module
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

from ddsimport.dds.structures import (
    CodecProtocol,
    DDSErrorCode,
    DDSException,
    FileCodecProtocol,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, BinaryIO


class CodecRegistry:
    """Takes codecs. There is one, for all stores."""

    def add_file_codec(self, codec: FileCodecProtocol) -> None:
        """Keep the types that `codec` names in its way; places are given to it as `PurePath`.

        Raises:
            DDSException: a type is not found.
        """
        _add(codec, PurePath)

    def add_codec(self, codec: CodecProtocol) -> None:
        """The same for one that takes places as texts."""
        _add(codec, str)


_registry = CodecRegistry()


def codec_registry() -> CodecRegistry:
    """The registry of this process."""
    return _registry


def _add(codec: Any, place: Callable[[str], object]) -> None:
    from ddsimport import register_codec

    suffix = "." + (re.sub("[^A-Za-z0-9]", "", codec.ref()) or "blob")

    def write(value: Any, file: BinaryIO) -> None:
        with TemporaryDirectory() as folder:
            name = os.path.join(folder, "value")
            codec.serialize_into(value, place(name))
            file.write(Path(name).read_bytes())

    def read(file: BinaryIO) -> Any:
        with TemporaryDirectory() as folder:
            name = os.path.join(folder, "value")
            Path(name).write_bytes(file.read())
            return codec.deserialize_from(place(name))

    for kind in codec.handled_types():
        register_codec(
            _type_named(kind),
            suffix,
            _Told(write, codec.serialize_into),
            _Told(read, codec.deserialize_from),
        )


class _Told:
    """A function that stands for a codec's method: its code is that of the method, so that what
    another version of the codec wrote is not read by this one."""

    def __init__(self, function: Callable[..., Any], method: Any) -> None:
        self._function = function
        self.__func__ = getattr(method, "__func__", method)

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)


def _type_named(name: str) -> type:
    """The type that dds_py calls so: its module and name, or the name alone for built-in ones.

    Raises:
        DDSException: there is none.
    """
    module, _, last = name.rpartition(".")
    try:
        home = builtins if not module else sys.modules.get(module) or import_module(module)
        found = getattr(home, last)
    except (ImportError, AttributeError) as error:
        raise DDSException(
            f"the codec handles {name}, which is not there: {error}",
            DDSErrorCode.TYPE_NOT_SUPPORTED,
        ) from error
    if not isinstance(found, type):
        raise DDSException(f"{name} is no type", DDSErrorCode.TYPE_NOT_SUPPORTED)
    return found
