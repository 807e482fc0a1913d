"""The subject's state on this machine, and what they may always do with it: pause, resume, withdraw, forget, see.

Opened once, under the lock, by the daemon or by a command that found none. Closing the gate and ending the children is the
daemon's part, before it calls this; here decisions become durable, and what they cover is destroyed.
"""

import contextlib
import hashlib
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from agent import narrowing, permission
from agent.errors import CannotDo, StateUnsafe
from agent.places import Places
from agent.record import FORGOTTEN, SENT, Record
from agent.settings import Settings, read
from agent.status import SentPart, TallyPart
from agent.tally import Tally
from agent.words import counted
from consent.event import Clocks, Event
from consent.gate import Admitted
from consent.policy import Policy
from consent.receipt import ConsentReceipt
from consent.standing import Happening, Standing
from consent.unreadable import UNREADABLE
from consent.vocabulary import Kind, State, SurfaceId, Why
from transport import disk, hold, outbox
from transport.erasing import askings
from transport.erasure import Erasures
from transport.erasure import Pending as Owed
from transport.keystore import Keystore, Refusing, choose
from transport.notes import Note
from transport.outbox import Outbox
from transport.seal import Terms
from transport.sealing import SealedCounts, seal_due
from transport.span import Everything, Last, OfPairs, OfSurface, Span
from transport.xwing import PublicKey

_NOTHING_ASKED = frozenset({State.UNASKED, State.WITHDRAWN})
_GONE = "Everything that was held or waiting on this computer is destroyed"


class Subject:
    """Ledger, hold, outbox, tally of one person. Raises StateUnsafe, LedgerError, SettingsWrong, KeystoreError, OSError.

    `settings` None: as they are on disk. A command that needs none gives its own, so that a broken file is in nobody's way.
    """

    def __init__(self, places: Places, boot: str, now: Clocks, settings: Settings | None = None) -> None:
        self.places, self.boot = places, boot
        self.settings: Settings = settings or read(places.settings)
        try:
            self.keystore: Keystore = choose(places.keys)
            self.record = Record(places, self.keystore, boot)
            self.outbox = Outbox(places.outbox, self.keystore)
            self.hold = hold.Hold(places.hold, self.keystore, boot=boot, consumed=self.outbox.segments())
            self.erasures = Erasures(places.erasures)
        except disk.NotPrivate as error:
            raise StateUnsafe(error.what, error.do) from None
        self.tally = _saved_tally(places.tally)
        self.tally.forgotten += self.hold.recovered.forgotten_n
        self.tally.settle(held=self.hold.stats().n, sealed=self.outbox.stats().n)
        if self.record.choice.purge_owed:
            self.purge(now)

    def close(self) -> None:
        """Save the counts and give everything back."""
        self.save()
        self.hold.close()
        self.record.close()

    def save(self) -> None:
        """Save the counts; a disk that is full keeps the old ones."""
        with contextlib.suppress(OSError):
            disk.put(self.places.tally, msgspec.json.encode(self.tally.part()))

    # --- what the daemon does with events -----------------------------------------------------------------------

    def keep(self, group: Sequence[Admitted], now: Clocks) -> None:
        """Keep events whose indicator has answered: on disk when this returns, or refused and counted."""
        counts = self.hold.keep(group, now)
        self.tally.keep(counts.n)
        self.tally.drop_pending(Why.HOLD_FULL, counts.full_n)

    def seal(self, standing: Standing, policy: Policy, now: Clocks, *, at_once: bool) -> SealedCounts:
        """Seal what is due; `at_once`: everything held, because the subject says so."""
        receipt, keys = self.record.receipt(), self.record.sealing_keys()
        if receipt is None or keys is None or self.record.choice.receipt is None:
            return SealedCounts(waits="there is no consent")
        terms = Terms(
            standing=standing,
            policy_version=policy.version,
            receipt_commitment=hashlib.sha256(self.record.salt() + self.record.choice.receipt.encode()).digest(),
            purpose_keys={terms.id: PublicKey(terms.public_key) for terms in policy.purposes.values()},
            reading_key=PublicKey(keys.reading_public),
            identity_secret=keys.identity_secret,
            consent=self.record.choice.consents,
            day=datetime.fromtimestamp(now.wall_ms / 1000, UTC).date(),
        )
        counts = seal_due(self.hold, self.outbox, terms, now=now, hold_s=0 if at_once else permission.hold_s(receipt, policy))
        self.tally.seal(counts.n)
        for why, n in counts.refused.items():
            self.tally.drop_held(why, n)
        return counts

    def was_sent(self, envelope_id: str, now: Clocks) -> None:
        """The receiver has it: the local copy goes, the ledger and the tally say so."""
        note = self.outbox.sent(envelope_id)
        self.record.note(SENT, now, {"id": note.id, "purpose": note.purpose, "n": note.n, "bytes": note.envelope_bytes})
        self.tally.send(note.n)

    def was_withdrawn(self, envelope_id: str) -> None:
        """The receiver knows it as erased: it is destroyed, never sent again."""
        self.tally.forget_sealed(self.outbox.destroy(envelope_id).n)

    # --- what the subject says ----------------------------------------------------------------------------------

    def consent(self, receipt: ConsentReceipt, now: Clocks) -> str | None:
        """Record a yes; the recovery code if it was made now."""
        self.record.check(Happening.CONSENT_GIVEN)
        self._finish_purge(now)
        code = self.record.make_sealing_keys()
        self.record.happen(Happening.CONSENT_GIVEN, now, {"receipt": self.record.sign(receipt).as_json(), "salt": secrets.token_hex(32)})
        return code.text() if code else None

    def _finish_purge(self, now: Clocks) -> None:
        """INV-14: a new yes waits until what was withdrawn is gone, so that neither can be taken for the other."""
        if self.record.choice.purge_owed:
            self.purge(now)
        if self.record.choice.purge_owed:
            raise CannotDo("what you withdrew cannot be destroyed yet", "unlock your keyring or make room on the disk, and try again")

    def pause(self, minutes: int | None, now: Clocks) -> str:
        """Record a pause; what to tell the person. Never refused: without a consent nothing is recorded, and there is nothing to write."""
        if self.record.choice.state in _NOTHING_ASKED:
            return "Nothing is recorded, so there is nothing to pause."
        self.record.happen(Happening.PAUSE_ASKED, now, {"minutes": minutes})
        return f"Paused for {minutes} minutes, and on until you resume." if minutes else "Paused until you resume."

    def resume(self, now: Clocks) -> str:
        """Record the end of a pause."""
        self.record.happen(Happening.RESUME_ASKED, now)
        return "Resumed."

    def withdraw(self, now: Clocks) -> str:
        """Record the withdrawal. What it covers is destroyed by `purge`, which is done again at start if it was cut short."""
        self.record.happen(Happening.WITHDRAWN, now)
        return f"Your consent is withdrawn. {_GONE}, and the receiver is asked to erase what it has."

    def purge(self, now: Clocks) -> None:
        """Destroy everything that a withdrawal covers, and owe the receiver an erasure of everything that it may have.

        What cannot be done now (a keystore that refuses, no room to write an asking) is done again at the next start.
        """
        asked = self._ask_erasure([*self.outbox.sent_notes(), *self.outbox.waiting()], everything=True)
        held, waiting = self.hold.purge(), self.outbox.purge()
        self.tally.forget_held(self.tally.held)
        self.tally.forget_sealed(self.tally.sealed)
        self.save()
        if held.key_gone and waiting.key_gone and asked:
            self.record.purged(now)

    def forget(self, now: Clocks, *, last_s: int | None, surface: SurfaceId | None) -> str:
        """Destroy what is held in a span, and every waiting envelope that overlaps it."""
        span = self._span(now, last_s, surface)
        forgotten = self.hold.forget(span)
        destroyed = self.outbox.forget(span)
        self.tally.forget_held(forgotten.n)
        self.tally.forget_sealed(sum(note.n for note in destroyed))
        sent = self.outbox.sent_notes(span)
        self._ask_erasure([*sent, *destroyed], everything=False)  # an upload that was cut off may have arrived
        self.record.note(FORGOTTEN, now, {"events": forgotten.events, "envelopes": len(destroyed), "sent": [note.id for note in sent]})
        self.save()
        return _forgotten_words(forgotten.events, destroyed, sent)

    def narrow(self, policy: Policy, kinds: frozenset[Kind], now: Clocks) -> str | None:
        """Destroy what is held or waits and this policy no longer covers; what to tell the person, None if there was nothing.

        An envelope goes whole when any of its apps has lost a kind: what is in it can no longer be seen. Durable when it returns; cut
        short, the ledger does not say it yet, and the next call does it again. Never called without a verified policy: while there is
        none, nothing is sent, and nothing is destroyed either.
        """
        receipt = self.record.receipt()
        if receipt is None:
            return None
        lost, known = narrowing.lost(receipt, policy, kinds), narrowing.known(self.record.entries, receipt)
        destroyed, held = [], 0
        if new := sorted(lost - known, key=str):
            span = OfPairs(tuple(new))
            forgotten = self.hold.forget(span)
            destroyed, held = self.outbox.forget(span), forgotten.events
            self.tally.drop_held(Why.NOT_IN_SCOPE, forgotten.n)
            self.tally.drop_sealed(Why.NOT_IN_SCOPE, sum(note.n for note in destroyed))
            self._ask_erasure(destroyed, everything=False)  # an upload that was cut off may have arrived
        if lost != known:
            self.record.note(narrowing.NARROWED, now, narrowing.as_data(receipt, lost))
            self.save()
        return f"The policy asks for less: {counted(held, 'held event')} destroyed." if held or destroyed else None

    def _ask_erasure(self, notes: list[Note], *, everything: bool) -> bool:
        """Owe the receiver an erasure of these envelopes, or of their whole pseudonyms. False if it could not be written down."""
        try:
            self.erasures.ask(askings(notes, everything=everything))
        except OSError:
            return False
        return True

    def erased(self, owed: Owed, receipt: bytes) -> None:
        """The receiver has erased: keep its receipt, and forget that these were ever sent."""
        self.erasures.answered(owed.name, receipt)
        gone = owed.asking.batches
        for note in self.outbox.sent_notes():
            if note.id in (gone or ()) or (gone is None and note.pseudonym == owed.asking.pseudonym):
                self.outbox.drop_sent(note.id)

    def held(self, now: Clocks, since_s: int | None) -> Iterator[Event]:
        """What is held, oldest first."""
        for part in self.hold.read(None if since_s is None else Last(since_s, now, self.boot)):
            yield from part.events

    # --- what status shows --------------------------------------------------------------------------------------

    def sent(self) -> SentPart:
        """Batches and bytes that the receiver has acknowledged, ever."""
        sizes = [int(entry.data["bytes"]) for entry in self.record.entries if entry.what == SENT]
        return SentPart(len(sizes), sum(sizes))

    def sent_today(self, now: Clocks) -> int:
        """Bytes acknowledged since midnight, UTC."""
        midnight_ms = now.wall_ms - now.wall_ms % 86_400_000
        return sum(int(entry.data["bytes"]) for entry in self.record.entries if entry.what == SENT and entry.at.wall_ms >= midnight_ms)

    def _span(self, now: Clocks, last_s: int | None, surface: SurfaceId | None) -> Span:
        if last_s is not None:
            return Last(last_s, now, self.boot)
        return OfSurface(surface) if surface is not None else Everything()


def _forgotten_words(events: int, destroyed: list[Note], sent: list[Note]) -> str:
    words = f"Forgotten: {counted(events, 'held event')} and {counted(len(destroyed), 'waiting envelope')}."
    return f"{words} Of what has been sent, {counted(len(sent), 'batch')} overlap; the receiver is asked to erase." if sent else words


def _saved_tally(path: Path) -> Tally:
    try:
        return Tally.of(msgspec.json.decode(path.read_bytes(), type=TallyPart))
    except (OSError, *UNREADABLE):
        return Tally()


def withdraw_without_keys(places: Places, boot: str, now: Clocks) -> str:
    """A withdrawal where hold or keystore do not open: written down, and every file destroyed. What to tell the person.

    The keys are destroyed, and the receiver is asked to erase, as soon as they can be: the ledger says that a purge is owed.
    """
    keys = Refusing()
    record = Record(places, keys, boot)
    try:
        record.happen(Happening.WITHDRAWN, now)
    finally:
        record.close()
    hold.purge(places.hold, keys)
    outbox.purge(places.outbox, keys)
    return f"Your consent is withdrawn. {_GONE}. The receiver is asked to erase what it has as soon as your keys can be reached."


__all__ = ["Subject", "withdraw_without_keys"]
