"""Whose values may run code here: one's own key, and the public keys that one trusts.

A value that others made may be a pickle, and loading one runs whatever its maker wants. So what
comes from a shared store counts by the Ed25519 key that signed it. The private key and the list of
trusted ones lie in a folder of the user's, outside of any project: a project that is cloned cannot
bring trust with it. Both files are refused where others could have written them.

Trust is asked at each entry that others made, so this module imports `cryptography` only to make
a key, to sign and to verify.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress

from ddsimport.errors import StoreError
from ddsimport.store.trace import is_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOLDER_VARIABLE = "DDSIMPORT_KEYS"

_OWN, _TRUSTED = "key", "trusted"
_LONGEST_NAME = 80


class KeysError(StoreError):
    """Keys cannot be used as they are."""


def folder() -> str:
    """Where this user's keys are."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return os.path.abspath(chosen)
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get("APPDATA") or os.path.join(home, "AppData", "Roaming")
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Application Support")
    else:
        base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    return os.path.join(base, "ddsimport")


def is_key(text: object) -> bool:
    """Whether a text is a public key: 64 hexadecimal digits."""
    return is_name(text)


def signature_of(data: bytes) -> tuple[str, str] | None:
    """(public key, signature) by this user's own key, in hex; None if there is no key.

    Raises:
        KeysError: the key cannot be used.
    """
    private = _private()
    if private is None:
        return None
    return _public(private), private.sign(data).hex()


def is_signed(data: bytes, key: str, signature: str) -> bool:
    """Whether the holder of `key` signed `data`. Raises KeysError: nobody can tell."""
    cryptography = _cryptography()
    try:
        public = cryptography.ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        public.verify(bytes.fromhex(signature), data)
    except (ValueError, cryptography.InvalidSignature):
        return False
    return True


def own() -> str | None:
    """This user's public key; None if there is none. Raises KeysError."""
    private = _private()
    return None if private is None else _public(private)


def create() -> str:
    """Make this user a key; returns the public one.

    Raises:
        KeysError: there is one already, or it cannot be written.
    """
    cryptography = _cryptography()
    private = cryptography.ed25519.Ed25519PrivateKey.generate()
    text = private.private_bytes(
        cryptography.Encoding.PEM, cryptography.PrivateFormat.PKCS8, cryptography.NoEncryption()
    )
    path = os.path.join(folder(), _OWN)
    try:
        os.makedirs(folder(), mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(text)
    except FileExistsError:
        raise KeysError(f"there is a key already: {path}") from None
    except OSError as error:
        raise KeysError(f"cannot write {path}: {error.strerror}") from error
    return _public(private)


def trusted() -> dict[str, str]:
    """The public keys that this user trusts besides his own, with what he calls them.

    Raises:
        KeysError: the list cannot be used.
    """
    content = _content(_TRUSTED, 0o022)
    found = {}
    for line in (content or b"").decode("utf-8", "replace").splitlines():
        key, _, name = line.partition(" ")
        if is_key(key):
            found[key] = name
    return found


def trusts(key: str) -> bool:
    """Whether what `key` signed may run here. Raises KeysError."""
    return is_key(key) and (key in trusted() or key == own())


def trust(key: str, name: str = "") -> None:
    """Let what `key` signs run here. Raises KeysError."""
    if not is_key(key):
        raise KeysError(f"not a public key: {key[:80]!r}; one has 64 digits, 0-9 and a-f")
    if len(name) > _LONGEST_NAME or (name and not name.isprintable()):
        raise KeysError(f"not a name for a key: {name[:80]!r}")
    _write_trusted({**trusted(), key: name})


def distrust(key: str) -> None:
    """Take that back. Raises KeysError."""
    known = trusted()
    if key not in known:
        raise KeysError(f"the key {key[:80]!r} is not among those that are trusted")
    del known[key]
    _write_trusted(known)


def _write_trusted(keys: dict[str, str]) -> None:
    path = os.path.join(folder(), _TRUSTED)
    aside = f"{path}.{os.urandom(6).hex()}"
    lines = [f"{key} {name}".rstrip() + "\n" for key, name in sorted(keys.items())]
    try:
        os.makedirs(folder(), mode=0o700, exist_ok=True)
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write("".join(lines).encode())
            file.flush()
            os.fsync(descriptor)
        os.replace(aside, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(aside)
        raise KeysError(f"cannot write {path}: {error.strerror}") from error


def _private() -> Any:
    """This user's private key; None if there is none. Raises KeysError."""
    content = _content(_OWN, 0o077)
    if content is None:
        return None
    cryptography = _cryptography()
    try:
        private = cryptography.load_pem_private_key(content, None)
    except (ValueError, TypeError, cryptography.UnsupportedAlgorithm):
        private = None
    if not isinstance(private, cryptography.ed25519.Ed25519PrivateKey):
        raise KeysError(f"{os.path.join(folder(), _OWN)} is not a private key of Ed25519")
    return private


def _public(private: Any) -> str:
    return str(private.public_key().public_bytes_raw().hex())


def _content(name: str, forbidden: int) -> bytes | None:
    """What a file of the folder holds, if only this user can have written it; None without one.

    Args:
        forbidden: bits that its mode must not have.
    """
    path = os.path.join(folder(), name)
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        _check_owned(os.stat(folder()), folder(), 0o022)
        descriptor = os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise KeysError(f"cannot read {path}: {error.strerror}") from error
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise KeysError(f"{path} is not a file")
        _check_owned(status, path, forbidden)
        return file.read(1 << 20)


def _check_owned(status: os.stat_result, path: str, forbidden: int) -> None:
    if not hasattr(os, "geteuid"):
        return  # Windows: access lists, inherited from the user's profile
    if status.st_uid != os.geteuid():
        raise KeysError(f"{path} belongs to another user (uid {status.st_uid}), and is not used")
    if status.st_mode & forbidden:
        remedy = "go-rwx" if forbidden & 0o044 else "go-w"
        raise KeysError(
            f"others may {'read or ' if forbidden & 0o044 else ''}write {path}, so it is not used; "
            f"if nobody did: chmod {remedy} {path}"
        )


def _cryptography() -> Any:
    """The parts of `cryptography` that are used. Raises KeysError: it is not installed."""
    from types import SimpleNamespace

    try:
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise KeysError(
            "keys need the package cryptography: pip install 'ddsimport[remote]'"
        ) from error
    return SimpleNamespace(
        InvalidSignature=InvalidSignature,
        UnsupportedAlgorithm=UnsupportedAlgorithm,
        ed25519=ed25519,
        load_pem_private_key=serialization.load_pem_private_key,
        Encoding=serialization.Encoding,
        PrivateFormat=serialization.PrivateFormat,
        NoEncryption=serialization.NoEncryption,
    )
