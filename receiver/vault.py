"""The receiver's storage: bodies in one store, key slots in another. Refuses to call anything stored before it is durable.

Two stores, so that slots can lie on a disk of their own that ordinary backups leave out: without its 2,336 bytes of slots a body is
noise, wherever copies of it still are. As no backup holds them, slots may have a replica: written with them, erased with them, and read
where they are missing or damaged.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from receiver import lines
from receiver.accept import rejoin
from receiver.blobs import BlobStore, Spread
from transport.envelope import Envelope
from transport.header import EnvelopeError


@dataclass(frozen=True, slots=True, repr=False)
class Part:
    """One envelope's bytes for both stores."""

    id: str
    slots: bytes
    rest: bytes


@dataclass(frozen=True, slots=True)
class Vault:
    """All stores as one. `replica` is the slots' second copy, where there is one."""

    bodies: BlobStore
    slots: BlobStore
    replica: BlobStore | None = None

    @property
    def copies(self) -> tuple[BlobStore, ...]:
        """The stores that each hold every slot."""
        return (self.slots,) if self.replica is None else (self.slots, self.replica)

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
        each([act for store in (self.bodies, *self.copies) for act in store.settling(names)])

    def read(self, batch_id: str) -> tuple[bytes, Envelope]:
        """A stored envelope's exact bytes and what it says, from whichever copy of its slots is sound.

        Raises:
            OSError: its body, or every copy of its slots, cannot be read.
            EnvelopeError: its parts do not make the envelope of this id any more.
        """
        rest = self.bodies.read(batch_id)
        faults: list[OSError | EnvelopeError] = []
        for store in self.copies:
            try:
                found = rejoin(batch_id, store.read(batch_id), rest)
            except (OSError, EnvelopeError) as error:
                faults.append(error)
                continue
            if faults:
                lines.write({"what": "slots are missing or damaged and were read from their replica; run `volens-receiver repair`"})
            return found
        raise faults[0]

    def has_slots(self, batch_id: str) -> bool:
        """Whether there is a copy of its slots."""
        return any(store.has(batch_id) for store in self.copies)

    def names(self) -> set[str]:
        """Every name in any of the stores."""
        return {name for store in (self.bodies, *self.copies) for name in store.names()}

    def destroy(self, batch_ids: Iterable[str]) -> None:
        """Makes envelopes unreadable, then gone: every copy of the slots first."""
        gone = tuple(batch_ids)
        for store in (*self.copies, self.bodies):
            store.destroy(gone)

    def drop_staged(self) -> None:
        """Removes what was never finished."""
        for store in (*self.copies, self.bodies):
            store.drop_staged()

    def free_bytes(self) -> int:
        """What is left in the fullest of the stores."""
        return min(store.free_bytes() for store in (self.bodies, *self.copies))

    def _stage(self, part: Part, day_s: int) -> None:
        self.bodies.stage(part.id, part.rest, day_s)
        for store in self.copies:
            store.stage(part.id, part.slots, day_s)
