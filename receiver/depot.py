"""Files and rows together, in the order that makes them trustworthy: the only module that writes to both. Runs in the writer's thread.

Storing: files durable, then the row; only then may anyone be told. Erasing: written down first, then slots, then bodies, then the
receipt; whatever a crash leaves undone is done at the next start. Refuses when the disk has too little left to go on erasing.
"""

import errno
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from receiver import records
from receiver.accept import Offer, Outcome, settle
from receiver.access import Access, follow
from receiver.erasure import Wish, last_copy_dies, receipt
from receiver.errors import Refused
from receiver.vault import Part, Spread, Vault

_FULL = (errno.ENOSPC, errno.EDQUOT)
_RETRY_FULL_S = 3600  # a full disk waits for a person
_RETRY_FAULT_S = 300


@dataclass(slots=True)
class Depot:
    """Everything that the receiver keeps.

    Attributes:
        engine: rows.
        vault: files.
        receipt_key: signs erasure receipts.
        backups_kept_days: how long ordinary backups of bodies live.
        reserve_bytes: below this much free space nothing more is stored, so that erasing goes on working.
    """

    engine: Engine
    vault: Vault
    receipt_key: Ed25519PrivateKey
    backups_kept_days: int
    reserve_bytes: int
    _doubtful: set[str] = field(default_factory=set)

    def store(self, offers: Sequence[Offer], now: datetime, spread: Spread) -> list[Outcome]:
        """What became of each envelope, in order; STORED ones are durable, file, folder and row.

        Raises:
            Refused: 507 the disk is full, 500 it failed; nothing of the group counts as stored.
        """
        with _disk_faults():
            self._drop_doubtful()
            with self.engine.connect() as connection:
                known = records.before(connection, offers)
            first = {offer.id: offer for offer in reversed(offers)}
            fresh = [offer for offer in first.values() if settle(known[offer.id]) is Outcome.STORED]
            if fresh:
                self._store(fresh, now, spread)
        stored = {offer.id for offer in fresh}
        return [_outcome(offer, stored, settle(known[offer.id])) for offer in offers]

    def erase(self, wish: Wish, now: datetime) -> str:
        """Erases what a wish covers and returns the signed receipt; the same receipt when it was done before."""
        with _disk_faults():
            self._drop_doubtful()
            with self.engine.connect() as connection:
                done = records.receipt_for(connection, wish)
            if done is not None:
                return done
            with self.engine.begin() as connection:
                records.take_back(connection, wish)
            return self._purge(wish, now)

    def note_access(self, *, purpose: str, reason: str, batches: Sequence[str], now: datetime) -> Access:
        """Appends a record to the access log, durably, before anything may be opened.

        Raises:
            Refused: 422, a batch is not here or has another purpose.
        """
        with _disk_faults(), self.engine.begin() as connection:
            there = {row.id for row in records.find(connection, batches) if row.purpose == purpose and not row.erased}
            missing = len(set(batches) - there)
            if missing:
                raise Refused(422, f"{missing} of the listed batches are not here for this purpose", "list the batches again")
            record = follow(records.last_access(connection), at=now, purpose=purpose, reason=reason, batches=batches)
            records.add_access(connection, record)
        return record

    def recover(self, now: datetime) -> int:
        """After a start, before serving: finishes erasures, removes files that were never acknowledged. Returns how many of these."""
        self.vault.drop_staged()
        with self.engine.connect() as connection:
            unfulfilled = records.unfulfilled(connection)
        for wish in unfulfilled:
            self._purge(wish, now)
        present = {*self.vault.bodies.ids(), *self.vault.slots.ids()}
        with self.engine.connect() as connection:
            for row in records.each_row(connection):
                if not row.erased:
                    present.discard(row.id)
        self.vault.destroy(sorted(present))
        return len(present)

    def has_room(self) -> bool:
        """Whether the disk has more than the reserve left."""
        return self.vault.free_bytes() > self.reserve_bytes

    def _store(self, fresh: list[Offer], now: datetime, spread: Spread) -> None:
        if not self.has_room():
            raise OSError(errno.ENOSPC, "below the reserve")
        self._doubtful.update(offer.id for offer in fresh)
        midnight = datetime.combine(now.date(), time(), UTC)
        self.vault.put([Part(offer.id, offer.slots, offer.rest) for offer in fresh], int(midnight.timestamp()), spread)
        with self.engine.begin() as connection:
            records.add(connection, fresh, now.date())
        self._doubtful.clear()

    def _purge(self, wish: Wish, now: datetime) -> str:
        with self.engine.connect() as connection:
            gone = records.taken_back(connection, wish)
        self.vault.destroy(gone)
        last_copy = last_copy_dies(now, self.backups_kept_days)
        signed = receipt(wish, erased=len(gone), at=now, last_copy=last_copy, key=self.receipt_key)
        with self.engine.begin() as connection:
            records.fulfil(connection, wish, signed)
        return signed

    def _drop_doubtful(self) -> None:
        """Removes files whose row was never written, because a disk failed in between: an erasure would not find them."""
        if not self._doubtful:
            return
        with self.engine.connect() as connection:
            there = {row.id for row in records.find(connection, sorted(self._doubtful))}
        self.vault.destroy(sorted(self._doubtful - there))
        self.vault.drop_staged()
        self._doubtful.clear()


def _outcome(offer: Offer, stored: set[str], settled: Outcome) -> Outcome:
    """The first of several equal envelopes in a group is stored, the others find it known."""
    if settled is not Outcome.STORED:
        return settled
    if offer.id in stored:
        stored.remove(offer.id)
        return Outcome.STORED
    return Outcome.KNOWN


@contextmanager
def _disk_faults() -> Iterator[None]:
    """Turns what a disk does wrong into answers; everything else passes."""
    try:
        yield
    except OSError as error:
        raise _fault(error.errno in _FULL) from error
    except DBAPIError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        raise _fault(code == sqlite3.SQLITE_FULL) from error


def _fault(full: bool) -> Refused:
    if full:
        return Refused(507, "the receiver's disk is full", "keep the envelope and try again later", retry_after_s=_RETRY_FULL_S)
    return Refused(500, "the receiver's disk failed", "keep the envelope and try again later", retry_after_s=_RETRY_FAULT_S)
