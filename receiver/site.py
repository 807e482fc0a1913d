"""The receiver's folder: made by `init`, opened by `serve` and `check`. Refuses one that is not its own, or that others can look into."""

import fcntl
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.engine import Engine

from receiver import migrate, policy_repo, replica, settings
from receiver.blobs import BlobStore
from receiver.errors import ReceiverError
from receiver.file_store import FileStore
from receiver.settings import Settings
from receiver.tables import open_engine
from receiver.vault import Vault
from transport import disk

SETTINGS = "receiver.toml"
DATABASE = "volens.db"
_RECEIPT_KEY = "receipt.key"
_NONCE_KEY = "nonce.key"
_ONLINE_KEY = "online.key"
_KEY_BYTES = 32
BODIES = "bodies"
_SLOTS = "slots"
_LOG = "erasures"


@dataclass(frozen=True, slots=True, repr=False)
class Site:
    """An opened folder.

    Attributes:
        directory: where it lies.
        settings: as in receiver.toml.
        engine: the database.
        vault: the files.
        log: the erasure log.
        receipt_key: signs erasure receipts.
        nonce_key: makes nonces.
        online_key: signs the timestamp, where this receiver has that key.
    """

    directory: Path
    settings: Settings
    engine: Engine
    vault: Vault
    log: BlobStore
    receipt_key: Ed25519PrivateKey
    nonce_key: bytes
    online_key: Ed25519PrivateKey | None

    @property
    def tuf(self) -> Path:
        """The TUF repository."""
        return self.directory / "tuf"


def init(directory: Path, *, trial_policy: bytes | None, now: datetime) -> str | None:
    """Makes a receiver's folder.

    Args:
        directory: absent or empty.
        trial_policy: publish this policy under throw-away keys; None publishes nothing.
        now: UTC.

    Returns:
        The fingerprint of the trial's root (SHA-256, hexadecimal), or None.

    Raises:
        ReceiverError: the folder is not empty, or the policy is none.
    """
    chosen = Settings(trial=trial_policy is not None)
    if trial_policy is not None:
        policy_repo.purposes_of(trial_policy)
    _make_root(directory)
    disk.make_private(directory / "keys")
    for name in (BODIES, _SLOTS, _LOG):
        FileStore(directory / name).make()
    policy_repo.make(directory / "tuf")
    for name in (_RECEIPT_KEY, _NONCE_KEY, _ONLINE_KEY):
        disk.put(directory / "keys" / name, os.urandom(_KEY_BYTES))
    fingerprint = None
    if trial_policy is not None:
        made = policy_repo.make_trial(directory / "tuf", trial_policy, now, timedelta(seconds=chosen.lease_s))
        disk.put(directory / "keys" / _ONLINE_KEY, made.online.private_bytes_raw())
        fingerprint = made.fingerprint
    migrate.to_newest(directory / DATABASE)
    # Last: a folder without settings was not finished, and is not opened.
    disk.put(directory / SETTINGS, f"# every setting: docs/receiver.md\ntrial = {str(chosen.trial).lower()}\n".encode())
    return fingerprint


def open_site(directory: Path, *, with_rows: bool = True) -> Site:
    """Opens a receiver's folder and brings its tables up to date.

    Args:
        directory: as `init` made it.
        with_rows: False for a restore, which brings rows: those that are there may be missing or damaged.

    Raises:
        ReceiverError: not one, open to others, or damaged; the slots' replica is not there, or another receiver's.
    """
    _check_private(directory)
    chosen = settings.read(directory / SETTINGS)
    if with_rows:
        migrate.check_there(directory / DATABASE)
        migrate.to_newest(directory / DATABASE)
    policy_repo.purposes(directory / "tuf")  # an error now rather than while serving
    if not (directory / _LOG).exists():  # a folder of the first version
        FileStore(directory / _LOG).make()
    online = directory / "keys" / _ONLINE_KEY
    receipt_key = Ed25519PrivateKey.from_private_bytes(_key(directory, _RECEIPT_KEY))
    second = None if chosen.slots_replica is None else replica.open_replica(Path(chosen.slots_replica), receipt_key.public_key())
    return Site(
        directory=directory,
        settings=chosen,
        engine=open_engine(directory / DATABASE),
        vault=Vault(FileStore(directory / BODIES), FileStore(directory / _SLOTS), second),
        log=FileStore(directory / _LOG),
        receipt_key=receipt_key,
        nonce_key=_key(directory, _NONCE_KEY),
        online_key=Ed25519PrivateKey.from_private_bytes(_key(directory, _ONLINE_KEY)) if online.exists() else None,
    )


def make_replica(directory: Path) -> bool:
    """Makes the folder that the settings name for the slots' second copy, if it is absent or empty. Whether it had to.

    Raises:
        ReceiverError: the settings name none, or it is something else.
    """
    _check_private(directory)
    chosen = settings.read(directory / SETTINGS)
    if chosen.slots_replica is None:
        raise ReceiverError("slots have one copy here", f"name a folder on another disk as slots_replica in {directory / SETTINGS}")
    key = Ed25519PrivateKey.from_private_bytes(_key(directory, _RECEIPT_KEY)).public_key()
    return replica.make(Path(chosen.slots_replica), key)


def online_key(directory: Path) -> Ed25519PrivateKey:
    """The key of timestamp and snapshot. Raises ReceiverError."""
    _check_private(directory)
    return Ed25519PrivateKey.from_private_bytes(_key(directory, _ONLINE_KEY))


def lock(directory: Path) -> int:
    """Takes the folder for this process, until the descriptor that it returns is closed. Raises ReceiverError when another has it."""
    _check_private(directory)
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ReceiverError(f"another process serves {directory}", "stop that one first") from None
    return descriptor


def _make_root(directory: Path) -> None:
    try:
        if not directory.exists():
            directory.mkdir(mode=0o700)
        elif any(directory.iterdir()):
            raise ReceiverError(f"{directory} is not empty", "name a new folder")
        directory.chmod(0o700)
    except OSError as error:
        raise ReceiverError(f"{directory} cannot be made ({error.strerror})", "name a folder that this account may write") from None


def _check_private(directory: Path) -> None:
    try:
        disk.check_private(directory.resolve(), folder=True)  # the folder itself may be elsewhere, behind a link of its owner's
    except OSError as error:
        raise ReceiverError(f"{directory} cannot be opened ({error.strerror})", "make it with `volens-receiver init`") from None
    except disk.NotPrivate as error:
        raise ReceiverError(error.what, error.do) from None


def _key(directory: Path, name: str) -> bytes:
    path = directory / "keys" / name
    try:
        key = path.read_bytes()
    except OSError as error:
        raise ReceiverError(f"{path} cannot be read ({error.strerror})", "restore it from the backup of keys") from None
    if len(key) != _KEY_BYTES:
        raise ReceiverError(f"{path} is damaged", "restore it from the backup of keys")
    return key
