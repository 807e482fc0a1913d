"""The receiver's storage: bodies in one store, key slots in another. Refuses to call anything stored before it is durable.

Two stores, so that slots can lie on a disk of their own that ordinary backups leave out: without its 2,336 bytes of slots a body is
noise, wherever copies of it still are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from receiver.blobs import BlobStore, Spread


@dataclass(frozen=True, slots=True, repr=False)
class Part:
    """One envelope's bytes for both stores."""

    id: str
    slots: bytes
    rest: bytes


@dataclass(frozen=True, slots=True)
class Vault:
    """Both stores as one."""

    bodies: BlobStore
    slots: BlobStore

    def put(self, parts: Iterable[Part], day_s: int, each: Spread) -> None:
        """Stores a group of envelopes durably; when it returns, only their rows are missing.

        Args:
            parts: the group, no id twice.
            day_s: Unix seconds of the day's beginning.
            each: runs the writes, several at a time if it can; the file system merges their flushes.

        Raises:
            OSError: nothing of the group counts as stored.
        """
        group = tuple(parts)
        each([partial(self._stage, part, day_s) for part in group])
        names = [part.id for part in group]
        each([act for store in (self.bodies, self.slots) for act in store.settling(names)])

    def read(self, batch_id: str) -> tuple[bytes, bytes]:
        """(slots, rest). Raises FileNotFoundError."""
        return self.slots.read(batch_id), self.bodies.read(batch_id)

    def destroy(self, batch_ids: Iterable[str]) -> None:
        """Makes envelopes unreadable, then gone: slots first."""
        gone = tuple(batch_ids)
        self.slots.destroy(gone)
        self.bodies.destroy(gone)

    def drop_staged(self) -> None:
        """Removes what was never finished."""
        self.slots.drop_staged()
        self.bodies.drop_staged()

    def free_bytes(self) -> int:
        """What is left in the fuller of the two stores."""
        return min(self.bodies.free_bytes(), self.slots.free_bytes())

    def _stage(self, part: Part, day_s: int) -> None:
        self.bodies.stage(part.id, part.rest, day_s)
        self.slots.stage(part.id, part.slots, day_s)
