"""Key and purpose files on disk. Refuses a private key that others own or could read, and to write over any file."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from custody import formats
from custody.errors import CustodyError, KeyFileRefused
from custody.files import make_folder, read_file, write_new
from custody.quorum import Custodian, PurposeKey
from transport.xwing import ReadingKey

PURPOSE_FILE = "purpose.json"
MAX_FILE_BYTES = 4 * 1024 * 1024  # the largest purpose file (1,024 shares) has 1.7 MB
_Made = TypeVar("_Made")


def read_private(path: Path) -> ReadingKey:
    """A custodian's private key.

    Raises:
        KeyFileRefused: not there, not this account's alone, or not such a key.
    """
    return _decoded(path, formats.decode_private, read_file(path, max_bytes=MAX_FILE_BYTES, private=True))


def read_public(path: Path) -> Custodian:
    """A custodian's public key.

    Raises:
        KeyFileRefused: not there or not such a key.
    """
    return _decoded(path, formats.decode_public, read_file(path, max_bytes=MAX_FILE_BYTES))


def read_purpose(folder: Path) -> PurposeKey:
    """The purpose in a folder.

    Raises:
        KeyFileRefused: not there, not a purpose, or one that contradicts itself.
    """
    path = folder / PURPOSE_FILE
    return _decoded(path, formats.decode_purpose, read_file(path, max_bytes=MAX_FILE_BYTES))


def write_key_pair(folder: Path, name: str, seed: bytes) -> tuple[Path, Path]:
    """Writes NAME.key (0600) and NAME.pub, durable before it returns.

    Raises:
        KeyFileRefused: not a name.
        CustodyError: one of the files is there already, or cannot be written.
    """
    private_raw = formats.encode_private(name, seed)
    public_raw = formats.encode_public(Custodian(name, ReadingKey.from_seed(seed).public))
    make_folder(folder)
    private, public = folder / f"{name}.key", folder / f"{name}.pub"
    write_new(public, public_raw, mode=0o644)
    try:
        write_new(private, private_raw, mode=0o600)
    except CustodyError:
        public.unlink()  # a public key without its private half would only seal things away for ever
        raise
    return private, public


def write_purpose(folder: Path, key: PurposeKey) -> Path:
    """Writes purpose.json, durable before it returns.

    Raises:
        CustodyError: it is there already, or cannot be written.
    """
    make_folder(folder)
    path = folder / PURPOSE_FILE
    write_new(path, formats.encode_purpose(key), mode=0o644)
    return path


def _decoded(path: Path, decode: Callable[[bytes], _Made], raw: bytes) -> _Made:
    try:
        return decode(raw)
    except CustodyError as error:
        raise KeyFileRefused(f"{path}: {error}") from None
