"""Files and rows together, in the order that makes them trustworthy: the only module that writes to both. Runs in the writer's thread.

Storing: files durable, then the row; only then may anyone be told. Erasing: into the log, into the rows, then slots, then bodies, then
the receipt; whatever a crash, or a restored backup, leaves undone is done at the next start.
Refuses when the disk has too little left to go on erasing.
"""

import errno
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from receiver import records
from receiver.accept import Before, Offer, Outcome, settle
from receiver.access import Access, follow
from receiver.blobs import BlobStore, Spread
from receiver.erasure import Wish, check_bound, from_log, last_copy_dies, log_entry, receipt
from receiver.errors import ReceiverError, Refused
from receiver.vault import Part, Vault

_FULL = (errno.ENOSPC, errno.EDQUOT)
_RETRY_FULL_S = 3600  # a full disk waits for a person
_RETRY_FAULT_S = 300


@dataclass(frozen=True, slots=True)
class Rules:
    """What a depot holds to.

    Attributes:
        backups_kept_days: how long ordinary backups of bodies live.
        reserve_bytes: below this much free space nothing more is stored, so that erasing goes on working.
        late_days: how late an envelope may come.
        open_to_all: a trial: pseudonyms need not be registered.
    """

    backups_kept_days: int
    reserve_bytes: int
    late_days: int
    open_to_all: bool


@dataclass(slots=True)
class Depot:
    """Everything that the receiver keeps.

    Attributes:
        engine: rows.
        vault: files.
        log: the erasure log, one entry a wish; never in a backup of the others.
        receipt_key: signs erasure receipts.
        rules: bounds and days.
    """

    engine: Engine
    vault: Vault
    log: BlobStore
    receipt_key: Ed25519PrivateKey
    rules: Rules
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
            settled = {offer.id: self._settle(offer, known[offer.id], now.date()) for offer in offers}
            first = {offer.id: offer for offer in reversed(offers)}
            fresh = [offer for offer in first.values() if settled[offer.id] is Outcome.STORED]
            if fresh:
                self._store(fresh, now, spread)
        stored = {offer.id for offer in fresh}
        return [_outcome(offer, stored, settled[offer.id]) for offer in offers]

    def erase(self, wish: Wish, now: datetime) -> str:
        """Erases what a wish covers and returns the signed receipt; the same receipt when it was done before.

        Of a pseudonym that is not registered, and of which nothing is here, nothing is written down: nothing of it can come either.
        """
        with _disk_faults():
            self._drop_doubtful()
            with self.engine.connect() as connection:
                done = records.receipt_for(connection, wish)
                known = self.rules.open_to_all or records.knows(connection, wish.pseudonym)
                barred = records.barred(connection, wish.pseudonym)
            if done is not None:
                return done
            if not known:
                return self._receipt(wish, 0, now.date())
            check_bound(len(barred - set(wish.batches or ())), wish)
            # The log before the rows: whatever becomes of these, a start finds the wish there.
            self.log.stage(wish.digest, log_entry(wish), _midnight_s(now.date()))
            for act in self.log.settling([wish.digest]):
                act()
            return self._erase(wish, now.date())

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction, for the writer's turn. Raises Refused: 507 the disk is full, 500 it failed."""
        with _disk_faults(), self.engine.begin() as connection:
            yield connection

    def note_access(self, *, purpose: str, reason: str, batches: Sequence[str], now: datetime) -> Access:
        """Appends a record to the access log, durably, before anything may be opened.

        Raises:
            Refused: 422, a batch is not here or has another purpose.
        """
        with self.writing() as connection:
            there = {row.id for row in records.find(connection, batches) if row.purpose == purpose and not row.erased}
            missing = len(set(batches) - there)
            if missing:
                raise Refused(422, f"{missing} of the listed batches are not here for this purpose", "list the batches again")
            record = follow(records.last_access(connection), at=now, purpose=purpose, reason=reason, batches=batches)
            records.add_access(connection, record)
        return record

    def recover(self, now: datetime) -> int:
        """After a start, before serving: finishes erasures, replays the log, removes files that were never acknowledged.

        Returns how many of these.
        """
        self.vault.drop_staged()
        self.log.drop_staged()
        with self.engine.connect() as connection:
            unfulfilled = {wish.digest: wish for wish in records.unfulfilled(connection)}
            fulfilled = records.fulfilled(connection)
        # Wishes that the rows do not know: they were asked for after the backup that these rows come from.
        for digest in set(self.log.names()) - fulfilled - set(unfulfilled):
            wish = from_log(digest, self.log.read(digest))
            if wish is None:
                raise ReceiverError(f"entry {digest} of the erasure log is damaged", "restore the log from its replica")
            unfulfilled[digest] = wish
        for wish in unfulfilled.values():
            self._erase(wish, now.date())
        present = self.vault.names()
        with self.engine.connect() as connection:
            for row in records.each_row(connection):
                if not row.erased:
                    present.discard(row.id)
        self.vault.destroy(sorted(present))
        return len(present)

    def has_room(self) -> bool:
        """Whether the disk has more than the reserve left."""
        return self.vault.free_bytes() > self.rules.reserve_bytes

    def rewrite(self) -> None:
        """Writes the database anew in the order of its keys, and empties its log: neither tells any more what came when."""
        if self.engine.dialect.name != "sqlite":
            return
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM"))
            connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))

    def _settle(self, offer: Offer, before: Before, today: date) -> Outcome:
        if self.rules.open_to_all and before.day is None:
            before = replace(before, day=today - timedelta(days=self.rules.late_days))  # as old as can be: a trial registers none
        return settle(before, offer.sealed_by)

    def _store(self, fresh: list[Offer], now: datetime, spread: Spread) -> None:
        if not self.has_room():
            raise OSError(errno.ENOSPC, "below the reserve")
        self._doubtful.update(offer.id for offer in fresh)
        self.vault.put([Part(offer.id, offer.slots, offer.rest) for offer in fresh], _midnight_s(now.date()), spread)
        with self.engine.begin() as connection:
            records.add(connection, fresh, now.date())
        self._doubtful.clear()

    def _erase(self, wish: Wish, today: date) -> str:
        with self.engine.begin() as connection:
            records.take_back(connection, wish, today)
        with self.engine.connect() as connection:
            gone = records.taken_back(connection, wish)
        self.vault.destroy(gone)
        signed = self._receipt(wish, len(gone), today)
        with self.engine.begin() as connection:
            records.fulfil(connection, wish, signed)
        return signed

    def _receipt(self, wish: Wish, erased: int, today: date) -> str:
        last_copy = last_copy_dies(today, self.rules.backups_kept_days)
        return receipt(wish, erased=erased, on=today, last_copy=last_copy, key=self.receipt_key)

    def _drop_doubtful(self) -> None:
        """Removes files whose row was never written, because a disk failed in between: an erasure would not find them."""
        if not self._doubtful:
            return
        with self.engine.connect() as connection:
            there = {row.id for row in records.find(connection, sorted(self._doubtful))}
        self.vault.destroy(sorted(self._doubtful - there))
        self.vault.drop_staged()
        self._doubtful.clear()


def _midnight_s(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


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
