"""Signers' keys: NAME.key for the signer alone, NAME.pub to hand on. Refuses to write over a file, and a key that others could read.

A private key is sealed with a passphrase: scrypt, then AES-256-GCM bound to name, group and public key. Without one it lies open in a file
of its account, which is for drills and tests, and for disks that are encrypted themselves.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from securesystemslib.signer import SSlibKey

from consent.unreadable import UNREADABLE
from receiver.errors import ReceiverError
from transport import disk

LEAST_PASSPHRASE = 12
"""Characters. Four words, or twelve letters: scrypt makes each guess cost a third of a second and 128 MiB."""
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**17, 8, 1
_MAX_BYTES = 16 * 1024
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_GROUP = re.compile(r"[a-z][a-z0-9-]{0,62}")
_Hex = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{2})+$", max_length=256)]


class _Public(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: Literal[1]
    what: Literal["public signing key"]
    name: str
    group: str
    public: _Hex


class _Private(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    format: Literal[1]
    what: Literal["private signing key"]
    name: str
    group: str
    public: _Hex
    secret: _Hex  # 32 bytes, or 48 when it is sealed
    salt: _Hex | None = None
    nonce: _Hex | None = None


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody who signs policies: a name, the group that they sign for, and their public key."""

    name: str
    group: str
    public: bytes

    @property
    def key(self) -> SSlibKey:
        """As TUF metadata hold it, under the id that follows from it."""
        return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(self.public))


@dataclass(frozen=True, slots=True, repr=False)
class KeyFile:
    """A private key as its file holds it. `sealed`: it opens with a passphrase only."""

    signer: Signer
    raw: _Private

    @property
    def sealed(self) -> bool:
        return self.raw.salt is not None

    def open(self, passphrase: str | None) -> Ed25519PrivateKey:
        """The key. Raises ReceiverError for a wrong passphrase, or a file that contradicts itself."""
        secret = bytes.fromhex(self.raw.secret)
        if self.raw.salt is not None and self.raw.nonce is not None:
            try:
                wrapping = _stretched(passphrase or "", bytes.fromhex(self.raw.salt))
                secret = AESGCM(wrapping).decrypt(bytes.fromhex(self.raw.nonce), secret, _bound_to(self.signer))
            except (InvalidTag, ValueError):
                raise ReceiverError("the passphrase does not open this key", "try again; nobody can make the key again") from None
        if len(secret) != 32 or Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw() != self.signer.public:
            raise ReceiverError("the key file contradicts itself", "restore it from your copy")
        return Ed25519PrivateKey.from_private_bytes(secret)


def make(folder: Path, name: str, group: str, passphrase: str | None) -> tuple[Path, Path, Signer]:
    """Writes NAME.key (0600) and NAME.pub, durable before it returns. `passphrase` None: the private key is not sealed.

    Raises:
        ReceiverError: not a name, or one of the files is there already, or cannot be written.
    """
    _check_names(name, group)
    key = Ed25519PrivateKey.generate()
    signer = Signer(name, group, key.public_key().public_bytes_raw())
    private, public = folder / f"{name}.key", folder / f"{name}.pub"
    shown = _Public(1, "public signing key", name, group, signer.public.hex())
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        disk.write_new(public, _json(shown))
        try:
            disk.write_new(private, _json(_sealed(signer, key, passphrase)))
        except OSError:
            public.unlink()  # nobody could sign for it
            raise
        disk.sync_folder(folder)
    except FileExistsError as error:
        raise ReceiverError(f"{error.filename} is there already and is not written over", "name another folder") from None
    except OSError as error:
        raise ReceiverError(f"{folder} cannot be written ({error.strerror})", "name a folder that you may write to") from None
    return private, public, signer


def _sealed(signer: Signer, key: Ed25519PrivateKey, passphrase: str | None) -> _Private:
    plain, public = key.private_bytes_raw(), signer.public.hex()
    if passphrase is None:
        return _Private(1, "private signing key", signer.name, signer.group, public, plain.hex())
    salt, nonce = os.urandom(16), os.urandom(12)
    secret = AESGCM(_stretched(passphrase, salt)).encrypt(nonce, plain, _bound_to(signer))
    return _Private(1, "private signing key", signer.name, signer.group, public, secret.hex(), salt.hex(), nonce.hex())


def check_passphrase(passphrase: str) -> None:
    """Raises ReceiverError for one that could be guessed."""
    if len(passphrase) < LEAST_PASSPHRASE:
        raise ReceiverError(f"a passphrase has at least {LEAST_PASSPHRASE} characters", "take four words that have nothing to do with you")


def read_public(path: Path) -> Signer:
    """The signer of a NAME.pub. Raises ReceiverError."""
    raw = _read(path)
    try:
        found = msgspec.json.decode(raw, type=_Public)
        signer = Signer(found.name, found.group, bytes.fromhex(found.public))
        _check_names(signer.name, signer.group)
        Ed25519PublicKey.from_public_bytes(signer.public)
    except (*UNREADABLE, ReceiverError):
        _refuse(path, "NAME.pub")
    return signer


def read_private(path: Path) -> KeyFile:
    """A NAME.key, not opened yet. Raises ReceiverError; one that others could read is not used."""
    try:
        disk.check_private(path)
    except OSError as error:
        raise ReceiverError(f"{path} cannot be read ({error.strerror})", "name your own NAME.key") from None
    except disk.NotPrivate as error:
        raise ReceiverError(error.what, error.do) from None
    raw = _read(path)
    try:
        found = msgspec.json.decode(raw, type=_Private)
    except UNREADABLE:
        _refuse(path, "NAME.key")
    if (found.salt is None) != (found.nonce is None):
        _refuse(path, "NAME.key")
    return KeyFile(Signer(found.name, found.group, bytes.fromhex(found.public)), found)


def _read(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            return file.read(_MAX_BYTES)
    except OSError as error:
        raise ReceiverError(f"{path} cannot be read ({error.strerror})", "check the name and whose it is") from None


def _refuse(path: Path, what: str) -> NoReturn:
    raise ReceiverError(f"{path} is no signing key", f"name a {what} of `volens-receiver policy keygen`") from None


def _check_names(name: str, group: str) -> None:
    if not _NAME.fullmatch(name):
        raise ReceiverError("a signer's name has a-z, 0-9, - . and _", "choose another name")
    if not _GROUP.fullmatch(group):
        raise ReceiverError("a group's name has a-z, 0-9 and -", "choose another name, such as privacy-officer")


def _stretched(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P).derive(passphrase.encode())


def _bound_to(signer: Signer) -> bytes:
    return b"\0".join([b"volens/signing-key/1", signer.name.encode(), signer.group.encode(), signer.public])


def _json(value: msgspec.Struct) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
