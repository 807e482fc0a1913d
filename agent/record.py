"""The subject's record on this machine: ledger, keys, and what they add up to. Opened once, under the lock.

The ledger key signs receipts. The identity secret derives the pseudonyms; the reading key's public half lets the subject
open everything with the recovery code. The recovery code itself is returned once and kept nowhere.
"""

import contextlib
import hashlib
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent import beside, clock, floors, machine, salvaged
from agent.errors import CannotDo
from agent.places import Places
from agent.today import KEEP_EVERY_MS, Latest, Today
from consent import notice
from consent.event import Clocks
from consent.history import NOTICE_ACKNOWLEDGED, PURGED, Choice, add, fold
from consent.ledger import Entry, Ledger, LedgerError, LedgerUnwritable
from consent.pause import Pause
from consent.receipt import ConsentReceipt, ReceiptError, SignedReceipt, sign, verify
from consent.standing import Happening, StandingError, after
from consent.vocabulary import State
from transport import disk
from transport.keystore import IDENTITY, Keystore, KeystoreError
from transport.notes import Note
from transport.recovery import CODE_BYTES, RecoveryCode

POLICY_ACCEPTED = "policy_accepted"
POLICY_REFUSED = "policy_refused"
MOST_REFUSALS = 16
"""Lines about refused policies, from one accepted policy to the next: whoever sends bad ones cannot fill the ledger."""
FORGOTTEN = "forgotten"
SENT = "sent"
_LEDGER_KEY = "ledger"
_KEEP_AGAIN_MS = 60_000
"""A disk that refuses the latest day is asked again after this."""


_MAY_PAUSE = frozenset({State.CONSENTED, State.PAUSED, State.EXEMPT})
_BECAUSE = {
    State.UNASKED: "you have not been asked yet",
    State.CONSENTED: "you have consented",
    State.PAUSED: "you have paused",
    State.EXEMPT: "you are exempt",
    State.WITHDRAWN: "you said no",
}


@dataclass(frozen=True, slots=True, repr=False)
class SealingKeys:
    """What sealing needs: the identity secret (32 bytes) and the reading key's public half (1,216 bytes)."""

    identity_secret: bytes
    reading_public: bytes


class Record:
    """Ledger and keys of one person. Raises LedgerError if the ledger does not hold; KeystoreError only where a key is needed.

    Attributes:
        choice: What the subject's own words amount to.
        unwritable: Whether the last line could not be written; nothing is collected until one can.
    """

    def __init__(self, places: Places, keystore: Keystore, boot: str) -> None:
        self._places, self._keystore, self._boot = places, keystore, boot
        self._ledger = Ledger(places.ledger)
        self.unwritable = False
        self._floors = floors.read(places)
        told = _choice(self._ledger.entries)
        self.choice: Choice = replace(told, consents=max(told.consents, self._floors.consents))
        self._today = Today(Latest(self._floors.wall_ms, _later(self._floors.day, told.noticed)), clock.day_here)
        self._keep_at_ms = 0
        self._root: tuple[tuple[int, ...], str] = ((), "")
        self._verified: tuple[tuple[str | None, str, str], ConsentReceipt | None] = ((None, "", ""), None)
        self._begin()
        self.take_in()

    def _begin(self) -> None:
        """A ledger that follows one that was set aside begins with what that one tells of exemptions. Raises LedgerUnwritable."""
        for told in salvaged.missing(self._places, self.entries):
            self.note(told.what, told.at, told.data, told.boot)

    def take_in(self) -> None:
        """Write down a pause that could not be written when it was said; if it still cannot be, it holds all the same."""
        pause = beside.closed(self._places)
        try:
            if pause is not None and self.choice.state in _MAY_PAUSE:
                self.note(Happening.PAUSE_ASKED.value, pause.asked, {"minutes": pause.minutes}, pause.boot)
                beside.reopen(self._places)
        except (LedgerUnwritable, OSError):
            if pause is not None:
                self.closed(pause)

    def closed(self, pause: Pause) -> None:
        """A pause holds that stands beside the ledger."""
        if self.choice.state in _MAY_PAUSE:
            self.choice = replace(self.choice, state=State.PAUSED, pause=pause)

    def close(self) -> None:
        self._ledger.close()

    @property
    def entries(self) -> list[Entry]:
        """All lines of the ledger, oldest first."""
        return self._ledger.entries

    def receipt(self) -> ConsentReceipt | None:
        """The receipt in force, if this machine's ledger key signed it, for this account, under the root that is pinned now.

        Asked at every turn: what was verified once is not verified again while text, place and root are the same.
        """
        now = self.choice.receipt, machine.place(), self._root_sha256()
        if now != self._verified[0] or self._verified[1] is None:
            self._verified = now, self._verify(*now)
        return self._verified[1]

    def _verify(self, kept: str | None, place: str, root_sha256: str) -> ConsentReceipt | None:
        if kept is None:
            return None
        try:
            found = verify(kept, self._key.public_key().public_bytes_raw())
        except (ReceiptError, KeystoreError):
            return None
        return found if (found.place, found.root_sha256) == (place, root_sha256) else None

    def check(self, happening: Happening) -> None:
        """Raise CannotDo if this cannot happen now."""
        try:
            after(self.choice.state, happening)
        except StandingError:
            raise CannotDo(f"that is not possible now, because {_BECAUSE[self.choice.state]}", "see: volens status") from None

    def happen(self, happening: Happening, at: Clocks, data: dict[str, Any] | None = None) -> None:
        """Write down what the subject said; durable when this returns."""
        self.check(happening)
        if happening is Happening.CONSENT_GIVEN and self.choice.state in (State.UNASKED, State.WITHDRAWN):
            self._raise(
                msgspec.structs.replace(self._floors, consents=self.choice.consents + 1)
            )  # before the ledger: a number may be skipped
        self.note(happening.value, at, data)

    def note(self, what: str, at: Clocks, data: dict[str, Any] | None = None, boot: str | None = None, *, reserve: bool = True) -> None:
        """Write down something else that the subject is entitled to read later; `boot`: the start of the machine of `at`, if another.

        `reserve` False for what is not the subject's own word. Raises LedgerUnwritable.
        """
        try:
            entry = self._ledger.append(what, at, self._boot if boot is None else boot, data, reserve=reserve)
        except LedgerUnwritable:
            self.unwritable = True
            raise
        self.unwritable = False
        self.choice = add(self.choice, entry)

    def tell(self, what: str, at: Clocks, data: dict[str, Any]) -> bool:
        """Write down what nobody said; False if there is no room for it, which is no fault: the reserve is for what somebody says."""
        try:
            self._ledger.append(what, at, self._boot, data, reserve=False)
        except LedgerUnwritable:
            return False
        return True

    @property
    def accepted(self) -> floors.Accepted:
        """The policy that was accepted last: nothing below it is accepted again."""
        told = [entry.data for entry in self.entries if entry.what == POLICY_ACCEPTED]
        if not told:
            return self._floors.accepted
        root, timestamp, snapshot, targets = (int(each) for each in told[-1]["versions"])
        said = floors.Accepted((root, timestamp, snapshot, targets), told[-1].get("online"), int(told[-1]["policy"]))
        return floors.highest(said, self._floors.accepted)

    def accept(self, accepted: floors.Accepted, at: Clocks) -> None:
        """Remember that a policy was accepted. Raises LedgerUnwritable: then it must not be used."""
        if accepted != self.accepted:
            with contextlib.suppress(OSError):  # the ledger remembers it too
                self._raise(msgspec.structs.replace(self._floors, accepted=accepted))
            data = {"versions": list(accepted.versions), "policy": accepted.policy, "online": accepted.online}
            self.note(POLICY_ACCEPTED, at, data, reserve=False)

    def refused(self, why: str, at: Clocks) -> None:
        """Remember that a policy was refused: once for each reason since the last that was accepted. A full disk does not matter here."""
        said: list[str] = []
        for entry in reversed(self.entries):
            if entry.what == POLICY_ACCEPTED:
                break
            if entry.what == POLICY_REFUSED:
                said.append(str(entry.data["why"]))
        if why not in said and len(said) < MOST_REFUSALS:
            self.tell(POLICY_REFUSED, at, {"why": why})

    def today(self, now: Clocks) -> date:
        """The calendar day here; once it was a day, it is never again one before it (INV-5)."""
        day, kept = self._today.at(now), self._floors
        old = day != kept.day or self._today.latest.wall_ms - kept.wall_ms > KEEP_EVERY_MS
        if old and now.boot_ms >= self._keep_at_ms:
            try:
                self._raise(msgspec.structs.replace(kept, wall_ms=self._today.latest.wall_ms, day=day))
            except OSError:  # this process remembers it, and the ledger every day on which a notice was acknowledged
                self._keep_at_ms = now.boot_ms + _KEEP_AGAIN_MS
        return day

    def days(self, now: Clocks) -> tuple[date, date]:
        """The calendar day here and the UTC day, by the same time that never goes back: what has expired in the register stays expired."""
        return self.today(now), Clocks(0, 0, self._today.latest.wall_ms).day

    def acknowledge(self, notice_sha256: str, at: Clocks, day: date) -> None:
        """Write down that the person has read this notice on this day; once a day is enough of it."""
        if (notice_sha256 in self.choice.acknowledged, self.choice.noticed) != (True, day):
            data = {"notice": notice_sha256, "language": notice.LANGUAGE, "day": day.isoformat()}
            self.note(NOTICE_ACKNOWLEDGED, at, data)

    @property
    def lapsed_wall_ms(self) -> int:
        """The end of the latest lease that was seen to be over: no lease that ends no later is believed again."""
        return self._floors.lapsed_wall_ms

    def lapse(self, ended_wall_ms: int) -> None:
        """Remember that a lease is over. A disk that refuses cannot make it begin again while this process lives."""
        if ended_wall_ms > self._floors.lapsed_wall_ms:
            self._floors = msgspec.structs.replace(self._floors, lapsed_wall_ms=ended_wall_ms)
            with contextlib.suppress(OSError):
                floors.put(self._places, self._floors)

    def _raise(self, raised: floors.Floors) -> None:
        floors.put(self._places, raised)
        self._floors = raised

    def sent(self, note: Note, at: Clocks) -> None:
        """Write down that the receiver has a batch. Raises LedgerUnwritable."""
        self.note(SENT, at, {"id": note.id, "purpose": note.purpose, "n": note.n, "bytes": note.envelope_bytes}, reserve=False)

    def sent_ids(self) -> frozenset[str]:
        """The ids of all batches that the receiver has acknowledged, ever."""
        return frozenset(str(entry.data["id"]) for entry in self.entries if entry.what == SENT)

    def sent_n(self) -> int:
        """The raw inputs in them."""
        return sum(int(entry.data["n"]) for entry in self.entries if entry.what == SENT)

    def purged(self, at: Clocks) -> None:
        """Write down that a withdrawal's purge is complete."""
        self.note(PURGED, at)

    def sign(self, receipt: ConsentReceipt) -> SignedReceipt:
        """The receipt, bound to this account, machine and root of trust, and signed by the ledger key."""
        return sign(msgspec.structs.replace(receipt, place=machine.place(), root_sha256=self._root_sha256()), self._key)

    def _root_sha256(self) -> str:
        """Of the root of trust that is pinned now, hex; read again whenever its file is another one or was written to."""
        path = self._places.pinned_root
        try:
            at = os.stat(path)
            mark = (at.st_dev, at.st_ino, at.st_size, at.st_mtime_ns, at.st_ctime_ns)
            if mark != self._root[0]:
                self._root = (mark, hashlib.sha256(path.read_bytes()).hexdigest())
        except OSError:
            self._root = ((), "")
        return self._root[1]

    def sealing_keys(self) -> SealingKeys | None:
        """The keys that sealing needs; None before the first consent. Raises KeystoreError."""
        secret = self._keystore.get(IDENTITY)
        if secret is None:
            return None
        return SealingKeys(secret, self._reading_key.read_bytes())

    def salt(self) -> bytes:
        """The salt of the commitment to the receipt in force: 32 bytes, in the ledger, which only the subject has."""
        given = next(entry for entry in reversed(self.entries) if entry.what == Happening.CONSENT_GIVEN)
        return bytes.fromhex(str(given.data["salt"]))

    def make_sealing_keys(self) -> RecoveryCode | None:
        """Make the sealing keys if there are none; the recovery code, which only the subject will have. None if they exist."""
        if self._keystore.get(IDENTITY) is not None:
            return None
        code = RecoveryCode(secrets.token_bytes(CODE_BYTES))
        disk.put(self._reading_key, code.reading_key().public.raw)
        self._keystore.put(IDENTITY, code.identity_secret())
        return code

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        return _ledger_key(self._places.keys / _LEDGER_KEY)

    @property
    def _reading_key(self) -> Path:
        return self._places.keys / "reading.pub"


def _later(one: date | None, other: date | None) -> date | None:
    return max((day for day in (one, other) if day is not None), default=None)


def _choice(entries: Sequence[Entry]) -> Choice:
    try:
        return fold(entries)
    except (StandingError, KeyError):
        raise LedgerError("the ledger tells what cannot have happened") from None


def ledger_public_key(places: Places) -> bytes | None:
    """The public half (32 bytes) of this machine's ledger key; None if there is none. Makes nothing."""
    try:
        return Ed25519PrivateKey.from_private_bytes((places.keys / _LEDGER_KEY).read_bytes()).public_key().public_bytes_raw()
    except (OSError, ValueError):
        return None


def _ledger_key(path: Path) -> Ed25519PrivateKey:
    if not path.exists():
        disk.put(path, Ed25519PrivateKey.generate().private_bytes_raw())
    try:
        return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
    except ValueError:
        raise KeystoreError(f"{path} is no key; move it away, and consent again") from None
