"""Codecs and views of the user's own types.

Nobody proves that such a codec restores a value, so what it keeps is read back and compared, as a
pickle is; where the comparison fails, the value is pickled. The name under which entries remember
it holds a hash of its code: after an edit of either function nothing is read by other code than the
one that was compared.
"""

from __future__ import annotations

from io import BytesIO

from ddsimport import plugins
from ddsimport.errors import CodecError
from ddsimport.values.codecs._base import Codec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any, BinaryIO, TypeVar

    from typing_extensions import Buffer

    from ddsimport.values.codecs._base import Writable

    _Value = TypeVar("_Value")

codecs: dict[type, Registered] = {}
"""By the exact type of the values."""

views: dict[tuple[type, str], RegisteredView] = {}
"""By type and format."""


class Registered(Codec):
    """A codec of somebody else's."""

    __slots__ = ("_decode", "_encode", "_kind", "format", "name", "suffix")
    proves = False

    def __init__(
        self,
        kind: type,
        suffix: str,
        encode: Callable[[Any, BinaryIO], object],
        decode: Callable[[BinaryIO], Any],
    ) -> None:
        self._kind = kind
        self._encode = encode
        self._decode = decode
        self.suffix = suffix
        self.format = suffix[1:]
        code = _code_hash(encode, decode)
        self.name = f"{kind.__module__}.{kind.__qualname__}{suffix}@{code}"

    def restores(self, value: object) -> bool:
        return type(value) is self._kind

    def encode(self, value: object, file: Writable) -> None:
        content = BytesIO()  # which can do all that a function may want of a file
        self._encode(value, content)
        file.write(content.getbuffer())

    def decode_bytes(self, data: Buffer) -> object:
        try:
            value = self._decode(BytesIO(data))
        except Exception as error:
            raise CodecError(f"{self.name}: {type(error).__name__}: {error}") from error
        if type(value) is not self._kind:
            raise CodecError(f"{self.name} gives a {type(value).__qualname__}")
        return value


class RegisteredView:
    """How values of a type, or of a type derived from it, are shown in a format."""

    __slots__ = ("_write", "exact", "suffix")

    def __init__(self, suffix: str, write: Callable[[Any, BinaryIO], object], exact: bool) -> None:
        self.suffix = suffix
        self.exact = exact
        self._write = write

    def write(self, value: object, file: Writable) -> None:
        content = BytesIO()
        self._write(value, content)
        file.write(content.getbuffer())


def register_codec(
    kind: type[_Value],
    suffix: str,
    encode: Callable[[_Value, BinaryIO], object],
    decode: Callable[[BinaryIO], _Value],
) -> None:
    """Keep values of a type in a format of your own; their files under `data/` have it too.

        ddsimport.register_codec(Picture, ".png", Picture.save, Picture.open)

    What was kept is read back once and compared by digest, so a codec that loses something is
    never used for that value.

    Args:
        kind: the exact type; subclasses may hold more, and need their own.
        suffix: what such files are called, with the dot.
        encode: writes a value to a binary file.
        decode: reads one from a binary file, and gives a new object each time.

    Raises:
        TypeError, ValueError: an argument is not of this kind.
    """
    _check(kind, suffix, encode, decode)
    codecs[kind] = Registered(kind, suffix.lower(), encode, decode)
    plugins.formats.add(suffix.lower()[1:])


def register_view(
    kind: type[_Value],
    suffix: str,
    write: Callable[[_Value, BinaryIO], object],
    *,
    exact: bool = False,
) -> None:
    """Show values of a type, and of types derived from it, as files of a format.

    Steps ask for it by the suffix of their path, or by `format=` and the suffix without its dot.

    Args:
        suffix: what such files are called, with the dot.
        write: writes a value to a binary file.
        exact: whether all of the value could be read back from such a file.

    Raises:
        TypeError, ValueError: an argument is not of this kind.
    """
    _check(kind, suffix, write)
    views[kind, suffix.lower()[1:]] = RegisteredView(suffix.lower(), write, exact)
    plugins.formats.add(suffix.lower()[1:])


def codec_of(value: object) -> Registered | None:
    """The codec registered for a value's exact type."""
    return codecs.get(type(value))


def codec_named(name: str) -> Registered | None:
    """The codec that an entry names."""
    for codec in codecs.values():
        if codec.name == name:
            return codec
    return None


def view_of(value: object, format: str) -> RegisteredView | None:
    """How a value is shown in a format, if somebody registered that."""
    for kind in type(value).__mro__:
        view = views.get((kind, format))
        if view is not None:
            return view
    return None


def _check(kind: object, suffix: object, *functions: object) -> None:
    if not isinstance(kind, type):
        raise TypeError(f"{kind!r} is not a class")
    if not isinstance(suffix, str):
        raise TypeError(f"{suffix!r} is not a suffix")
    if len(suffix) < 2 or suffix[0] != "." or not suffix[1:].isalnum():
        raise ValueError(f"{suffix!r} is not a suffix such as '.png'")
    for function in functions:
        if not callable(function):
            raise TypeError(f"{function!r} cannot be called")


def _code_hash(*functions: Any) -> str:
    from blake3 import blake3

    state = blake3()
    for function in functions:
        function = getattr(function, "__func__", function)
        code = getattr(function, "__code__", None)
        state.update(_text_of(code) if code is not None else repr(type(function)).encode())
        name = f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', '')}"
        state.update(name.encode("utf-8", "surrogatepass") + b"\0")
    digest: str = state.hexdigest()
    return digest[:16]


def _text_of(code: CodeType) -> bytes:
    """What a code object does, without where it stands."""
    parts = [code.co_code, repr((code.co_names, code.co_varnames)).encode()]
    for constant in code.co_consts:
        inner = hasattr(constant, "co_code")
        parts.append(_text_of(constant) if inner else _text_of_constant(constant))
    return b"\0".join(parts)


def _text_of_constant(constant: object) -> bytes:
    if type(constant) is frozenset:  # whose order is that of the hash seed
        return repr(sorted(map(repr, constant))).encode("utf-8", "surrogatepass")
    return repr(constant).encode("utf-8", "surrogatepass")
