"""The slots' second copy: its folder, and `volens-receiver repair`. Refuses a folder that is not this receiver's own replica.

The folder bears the public half of the receipt key: a disk that was not mounted, or another receiver's, is never taken for the replica.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from receiver import records
from receiver.accept import rejoin
from receiver.blobs import BlobStore
from receiver.errors import ReceiverError
from receiver.file_store import FileStore
from receiver.records import Row
from receiver.vault import Vault
from transport import disk
from transport.header import EnvelopeError

if TYPE_CHECKING:
    from receiver.site import Site

_OWNER = "receiver"
_OWNER_BYTES = 32


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair did.

    Attributes:
        copied: slots of which a copy was missing or damaged, and is sound now.
        lost: batches with no sound copy, or with a damaged body; nothing was changed.
    """

    copied: int
    lost: int


def open_replica(root: Path, receiver: Ed25519PublicKey) -> FileStore:
    """The second copy in this folder. Raises ReceiverError if it is not this receiver's."""
    try:
        disk.check_private(root, folder=True)
        owner = disk.read(root / _OWNER, _OWNER_BYTES)
    except FileNotFoundError:
        raise ReceiverError(f"{root} is no replica of slots", "mount its disk; or make a new one with `volens-receiver repair`") from None
    except disk.NotPrivate as error:
        raise ReceiverError(error.what, error.do) from None
    except OSError as error:
        raise ReceiverError(f"{root} cannot be read ({error.strerror})", "mount the disk of the slots' replica") from None
    if owner != receiver.public_bytes_raw():
        raise ReceiverError(f"{root} is another receiver's replica", "mount this one's disk, or name an empty folder as slots_replica")
    return FileStore(root)


def make(root: Path, receiver: Ed25519PublicKey) -> bool:
    """Makes an empty replica where there is nothing. False if it is there and this receiver's. Raises ReceiverError for anything else."""
    try:
        if root.is_dir() and any(root.iterdir()):
            open_replica(root, receiver)
            return False
        FileStore(root).make()
        disk.put(root / _OWNER, receiver.public_bytes_raw())  # last: without it the folder was not finished
    except disk.NotPrivate as error:
        raise ReceiverError(error.what, error.do) from None
    except OSError as error:
        raise ReceiverError(f"{root} cannot be made ({error.strerror})", "name a folder that this account may write") from None
    return True


def repair(site: "Site") -> Repaired:
    """Makes both copies of all slots sound, each from the other. The receiver must not be serving: an erasure would be undone."""
    copied = lost = 0
    with site.engine.connect() as connection:
        for row in records.each_row(connection):
            if row.erased:
                continue
            sound = list(_sound(site.vault, row.id))
            worse = [store for store in site.vault.copies if store not in sound]
            if not sound:
                lost += 1
            elif worse:
                _copy(sound[0], worse, row)
                copied += 1
    return Repaired(copied, lost)


def _sound(vault: Vault, batch_id: str) -> Iterator[BlobStore]:
    """The stores whose slots make the envelope again."""
    for store in vault.copies:
        try:
            rejoin(batch_id, store.read(batch_id), vault.bodies.read(batch_id))
        except (OSError, EnvelopeError):
            continue
        yield store


def _copy(source: BlobStore, targets: list[BlobStore], row: Row) -> None:
    midnight_s = int(datetime.combine(row.stored_on, time(), UTC).timestamp())
    for store in targets:
        store.stage(row.id, source.read(row.id), midnight_s)
        for act in store.settling([row.id]):
            act()
