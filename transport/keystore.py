"""Where keys are kept: the desktop's keyring if one works, else 0600 files; `where` says which. Refuses what others can reach.

The keyring is asked from a short-lived child: it costs 13 MB and may wait for a person to unlock it, and neither may burden the daemon.
"""

import base64
import hashlib
import os
import re
import subprocess  # our own interpreter with a constant program; secrets go through its pipes
import sys
from pathlib import Path
from typing import Protocol

from transport import disk
from transport.errors import TransportError

HOLD, OUTBOX, IDENTITY, DEVICE = "hold", "outbox", "identity", "device"
SECRET_BYTES = 32
KEYRING_TIMEOUT_S = 20
"""A person may have to type a password to unlock it; longer than that and we say so instead of waiting."""

_NAME = re.compile(r"[a-z]{1,16}")
_SERVICE = "volens"
_CHILD = """
import sys, keyring
verb, service, name = sys.argv[1:]
ring = keyring.get_keyring()
if verb == "probe":
    sys.exit(0 if ring.priority >= 1 else 3)
if verb == "get":
    sys.stdout.write(ring.get_password(service, name) or "")
elif verb == "put":
    ring.set_password(service, name, sys.stdin.read())
elif ring.get_password(service, name) is not None:
    ring.delete_password(service, name)
"""


class KeystoreError(TransportError):
    """The place where keys are kept refuses, or holds something that is no key."""


class Keystore(Protocol):
    """A place for 32-byte secrets, by name.

    Attributes:
        where: "keyring" or "file", for `status`.
    """

    where: str

    def get(self, name: str) -> bytes | None:
        """The secret; None if there is none. Raises KeystoreError."""

    def put(self, name: str, secret: bytes) -> None:
        """Keep 32 bytes, instead of what was kept under that name; durable when it returns. Raises KeystoreError."""

    def delete(self, name: str) -> None:
        """Destroy it, if it is there; needs no room on the disk. Raises KeystoreError."""


class FileKeystore:
    """Secrets as 0600 files in a 0700 folder, for machines without a keyring.

    Raises:
        NotPrivate: the folder is a link, another's, or open to others.
    """

    where = "file"

    def __init__(self, folder: Path) -> None:
        disk.make_private(folder)
        self._folder = folder

    def get(self, name: str) -> bytes | None:
        path = self._path(name)
        try:
            secret = disk.read(path, SECRET_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeystoreError(f"{path} cannot be read ({error.strerror}); repair the disk") from None
        return _checked(secret, str(path))

    def put(self, name: str, secret: bytes) -> None:
        path = self._path(name)
        try:
            with _old(path) as old:
                disk.put(path, _checked(secret, str(path)))
                _overwrite(old)
        except OSError as error:
            raise KeystoreError(f"{path} cannot be written ({error.strerror}); make room on the disk") from None

    def delete(self, name: str) -> None:
        path = self._path(name)
        try:
            with _old(path) as old:
                _overwrite(old)
                path.unlink(missing_ok=True)
                disk.sync_folder(self._folder)
        except OSError as error:
            raise KeystoreError(f"{path} cannot be removed ({error.strerror}); remove it by hand") from None

    def _path(self, name: str) -> Path:
        return self._folder / f"{_named(name)}.key"


class _old:
    """The file that is about to be replaced or unlinked, held open so that its bytes can be overwritten in place."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1

    def __enter__(self) -> int:
        if self._path.exists():
            self._fd = disk.open_private(self._path)
        return self._fd

    def __exit__(self, *_: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)


def _overwrite(fd: int) -> None:
    """Zeros over a key that is no longer wanted. Journals and flash may keep a copy all the same; docs/threat-model.md says so."""
    if fd >= 0:
        os.pwrite(fd, bytes(SECRET_BYTES), 0)
        os.fsync(fd)


class KeyringKeystore:
    """Secrets in the desktop's keyring, under names that belong to one state folder."""

    where = "keyring"

    def __init__(self, folder: Path) -> None:
        self._scope = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:16]

    def get(self, name: str) -> bytes | None:
        text = self._ask("get", name)
        if not text:
            return None
        try:
            return _checked(base64.b64decode(text, validate=True), "the keyring")
        except ValueError:
            raise KeystoreError("the keyring holds something under our name that is no key; remove it there") from None

    def put(self, name: str, secret: bytes) -> None:
        self._ask("put", name, base64.b64encode(_checked(secret, "the keyring")).decode())

    def delete(self, name: str) -> None:
        self._ask("delete", name)

    def viable(self) -> bool:
        """Whether a keyring that keeps secrets safely answers now."""
        try:
            self._ask("probe", "probe")
        except KeystoreError:
            return False
        return True

    def _ask(self, verb: str, name: str, text: str = "") -> str:
        command = [sys.executable, "-I", "-c", _CHILD, verb, _SERVICE, f"{_named(name)}@{self._scope}"]
        try:
            # The arguments are constants and a hash; the secret itself is on stdin only.
            done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=KEYRING_TIMEOUT_S, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired):
            raise KeystoreError("the keyring does not answer; unlock it, then try again") from None
        if done.returncode != 0:
            raise KeystoreError("the keyring refuses; unlock it, then try again")
        return done.stdout


class Refusing:
    """A keystore that is not there, for destroying what its keys would open."""

    where = "unreachable"

    def get(self, name: str) -> bytes | None:
        raise KeystoreError(f"the key {name} cannot be reached; unlock the keyring or mend the keys folder")

    def put(self, name: str, secret: bytes) -> None:  # noqa: ARG002
        self.get(name)

    def delete(self, name: str) -> None:
        self.get(name)


def choose(folder: Path) -> Keystore:
    """The keystore of a state folder. What was chosen first stays, so that keys are never searched for in the wrong place.

    Raises:
        NotPrivate: the folder is a link, another's, or open to others.
    """
    disk.make_private(folder)
    mark = folder / "keystore"
    if not mark.exists():
        ring = KeyringKeystore(folder)
        disk.put(mark, (ring if _may_have_keyring() and ring.viable() else FileKeystore(folder)).where.encode())
    chosen = disk.read(mark, 16).decode(errors="replace")
    if chosen not in {KeyringKeystore.where, FileKeystore.where}:
        raise KeystoreError(f"{mark} does not say where keys are kept; it should hold the word file or keyring")
    return KeyringKeystore(folder) if chosen == KeyringKeystore.where else FileKeystore(folder)


def _may_have_keyring() -> bool:
    """Saves starting a child where there cannot be a keyring: on Linux it is reached by the session's bus."""
    return not hasattr(os, "memfd_create") or "DBUS_SESSION_BUS_ADDRESS" in os.environ  # memfd_create: Linux


def _named(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise KeystoreError("a secret's name is 1 to 16 of a-z")
    return name


def _checked(secret: bytes, place: str) -> bytes:
    if len(secret) != SECRET_BYTES:
        raise KeystoreError(f"{place} holds something that is no key of {SECRET_BYTES} bytes; it is damaged")
    return secret
