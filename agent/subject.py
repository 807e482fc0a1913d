"""The subject's state on this machine, and what they may always do with it: pause, resume, withdraw, forget, see.

Opened once, under the lock, by the daemon or by a command that found none. Closing the gate and ending the children is the
daemon's part, before it calls this; here decisions become durable, and what they cover is destroyed.
"""

import contextlib
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

import msgspec

from agent import beside, narrowing, permission, saved
from agent.chronicle import Chronicle
from agent.errors import CannotDo, StateUnsafe
from agent.places import Places
from agent.record import FORGOTTEN, SENT, Record
from agent.settings import Settings, read
from agent.status import SentPart
from agent.words import counted, forgotten_words, hold_words
from consent.event import Clocks, Event
from consent.gate import Admitted
from consent.history import HOLD_CHOSEN
from consent.ledger import Entry, LedgerUnwritable
from consent.policy import Policy
from consent.receipt import ConsentReceipt, commitment
from consent.standing import Happening, Standing
from consent.vocabulary import Kind, State, Why
from transport import allowance, disk, hold
from transport.erasing import askings
from transport.erasure import Erasures
from transport.erasure import Pending as Owed
from transport.held import Forgotten
from transport.keystore import Keystore, choose
from transport.notes import Note, covered
from transport.outbox import Outbox
from transport.seal import Terms
from transport.sealing import SealedCounts, seal_due
from transport.seen import watched
from transport.span import Everything, Last, OfPairs, Span
from transport.term import Term
from transport.xwing import PublicKey

_NOTHING_ASKED = frozenset({State.UNASKED, State.WITHDRAWN})
GONE = "Everything that was held or waiting on this computer is destroyed"


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
        self.catch_up()
        self.seen = saved.seen(places.seen)
        self.anchor = saved.anchor(places.anchor, boot, now)
        self._spent = saved.spent(places.spent, self._sent_lines())
        self.tally = saved.tally(places.tally)
        self.tally.forgotten += self.hold.recovered.forgotten_n
        unsaid_n = self._note_sent(now)
        self.chronicle = Chronicle(self.record)
        self.tally.settle(held=self.hold.stats().n, sealed=self.outbox.stats().n, sent=self.record.sent_n() + unsaid_n)
        if self.record.choice.purge_owed:
            self.purge(now)

    def catch_up(self) -> None:
        """What was forgotten while the ledger or the keys were out of reach: told to the ledger, and the receiver asked to erase."""
        self.record.take_in()
        with contextlib.suppress(LedgerUnwritable):
            for line in beside.unsaid(self.places):
                asked = line.span is None or self._ask_erasure(self.outbox.sent_notes(line.span), everything=False)
                if not asked:
                    return
                self.record.note(line.what, line.at, line.data)
            beside.said(self.places)

    def close(self) -> None:
        """Save the counts and give everything back."""
        self.save()
        self.hold.close()
        self.record.close()

    def save(self) -> None:
        """Save the counts; a disk that is full keeps the old ones."""
        with contextlib.suppress(OSError):
            disk.put(self.places.tally, msgspec.json.encode(self.tally.part()))
            disk.put(self.places.seen, msgspec.json.encode(self.seen))

    # --- what the daemon does with events -----------------------------------------------------------------------

    def keep(self, group: Sequence[Admitted], now: Clocks) -> None:
        """Keep events whose indicator has answered: on disk when this returns, or refused and counted."""
        counts = self.hold.keep(group, now)
        self.tally.keep(counts.n)
        self.tally.drop_pending(Why.HOLD_FULL, counts.full_n)

    def drop_aged(self, now: Clocks) -> None:
        """Destroy what could not leave for a month, and count it. A disk that refuses is asked again."""
        with contextlib.suppress(OSError):
            self.tally.drop_held(Why.TOO_OLD, self.hold.drop_aged(now))
            last = Clocks(now.awake_ms, now.boot_ms, max(0, now.wall_ms - hold.AGED_S * 1000))
            self.tally.drop_sealed(Why.TOO_OLD, sum(note.n for note in self.outbox.drop_aged(last.day.isoformat())))
        self.chronicle.counted(self.tally.part(), now)

    def saw(self, before: Clocks, now: Clocks) -> None:
        """The session was awake and unlocked between these instants: its person could have looked."""
        self.seen = watched(self.seen, self.boot, before, now)

    def seal(
        self, standing: Standing, policy: Policy, now: Clocks, *, span: Span | None = None, registered: frozenset[bytes] | None = None
    ) -> SealedCounts:
        """Seal what is due; or exactly what lies in the span, whose hold ends because the subject says so. `registered`: see `Terms`."""
        receipt, keys = self.record.receipt(), self.record.sealing_keys()
        if receipt is None or keys is None or self.record.choice.receipt is None:
            return SealedCounts(waits="there is no consent")
        terms = Terms(
            standing=standing,
            policy_version=policy.version,
            receipt_commitment=commitment(self.record.salt(), self.record.choice.receipt),
            purpose_keys={terms.id: PublicKey(terms.public_key) for terms in policy.purposes.values()},
            reading_key=PublicKey(keys.reading_public),
            identity_secret=keys.identity_secret,
            consent=self.record.choice.consents,
            day=now.day,
            registered=registered,
        )
        term = Term(self.hold_s(policy), self.record.choice.holding.changes, self.seen) if span is None else None
        within = None if isinstance(span, Everything) else span
        counts = seal_due(self.hold, self.outbox, terms, now=now, term=term, span=within)
        self.tally.seal(counts.n)
        for why, n in counts.refused.items():
            self.tally.drop_held(why, n)
        return counts

    def was_sent(self, envelope_id: str, now: Clocks) -> None:
        """The receiver has it: the local copy goes, the ledger (as soon as there is room) and the tally say so."""
        note = self.outbox.sent(envelope_id)
        with contextlib.suppress(LedgerUnwritable):
            self.record.sent(note, now)
        self.tally.send(note.n)
        self.chronicle.counted(self.tally.part(), now)

    def _note_sent(self, now: Clocks) -> int:
        """Write down what was sent and is not written down yet; the raw inputs in that for which there is no room still."""
        unsaid, left_n = self.outbox.sent_ids() - self.record.sent_ids(), 0
        for note in self.outbox.sent_notes() if unsaid else ():
            if note.id in unsaid:
                try:
                    self.record.sent(note, now)
                except LedgerUnwritable:
                    left_n += note.n
        return left_n

    def go_on(self, now: Clocks) -> bool:
        """Whether the ledger takes lines again that are nobody's own words; what waited for that is written."""
        if not self.chronicle.again(self.tally.part(), now):
            return False
        self.record.unwritable = False
        self._note_sent(now)
        return not self.record.unwritable

    def was_withdrawn(self, envelope_id: str) -> None:
        """The receiver knows it as erased: it is destroyed, never sent again."""
        self.tally.forget_sealed(self.outbox.destroy(envelope_id).n)

    # --- what the subject says ----------------------------------------------------------------------------------

    def consent(self, receipt: ConsentReceipt, now: Clocks) -> str | None:
        """Record a yes; the recovery code if it was made now."""
        self.record.check(Happening.CONSENT_GIVEN)
        self._finish_purge(now)
        code = self.record.make_sealing_keys()
        data = {"receipt": self.record.sign(receipt).as_json(), "salt": secrets.token_hex(32), "before_s": self.hold_s(None)}
        self.record.happen(Happening.CONSENT_GIVEN, now, data)
        return code.text() if code else None

    def acknowledge(self, notice_sha256: str, now: Clocks, day: date | None = None) -> str:
        """Record that the person has read a notice, on this day; what to tell them. It is no yes, and opens nothing that a yes has not."""
        self.record.acknowledge(notice_sha256, now, day or self.record.today(now))
        return "Noted: you have read the notice. That is no yes."

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
        words = f"Paused for {minutes} minutes, and on until you resume." if minutes else "Paused until you resume."
        try:
            self.record.happen(Happening.PAUSE_ASKED, now, {"minutes": minutes})
        except LedgerUnwritable as unwritable:
            self.record.closed(beside.close(self.places, minutes, now, self.boot))
            return f"{words} {unwritable}, so this stands in a file beside it until you resume."
        self.chronicle.counted(self.tally.part(), now, now_or_never=True)
        return words

    def hold_s(self, policy: Policy | None) -> int:
        """How long what is recorded now is held, in seconds; without a policy: by the person's own words and the receipt."""
        return permission.hold_s(self.record.choice, self.record.receipt(), policy)

    def hold_for(self, seconds: int | None, policy: Policy | None, now: Clocks) -> str:
        """Record how long the person wants things held (None: nothing changes); what to tell them."""
        before_s = self.hold_s(policy)
        if seconds is None:
            return hold_words(before_s)
        self.record.note(HOLD_CHOSEN, now, {"seconds": seconds, "before_s": before_s})
        after_s = self.hold_s(policy)
        longer = " The policy in force asks for at least that." if after_s > seconds else ""
        late = " What is held already keeps its longer time." if after_s < before_s else ""
        return f"{hold_words(after_s)}{longer}{late}"

    def resume(self, now: Clocks) -> str:
        """Record the end of a pause. Raises LedgerUnwritable while that cannot be written: then it goes on."""
        self.record.take_in()
        self.record.happen(Happening.RESUME_ASKED, now)
        beside.reopen(self.places)
        return "Resumed."

    def withdraw(self, now: Clocks) -> str:
        """Record the withdrawal. What it covers is destroyed by `purge`, which is done again at start if it was cut short.

        Where there is no room for the line, what it covers goes first, which makes some. Raises LedgerUnwritable if that was not enough:
        then there is nothing left that a later yes could cover, and it is at least a pause.
        """
        try:
            self.record.happen(Happening.WITHDRAWN, now)
        except LedgerUnwritable:
            with contextlib.suppress(OSError):
                self._empty(keep_notes=True)
            try:
                self.record.happen(Happening.WITHDRAWN, now)
            except LedgerUnwritable:
                with contextlib.suppress(OSError):
                    self.record.closed(beside.close(self.places, None, now, self.boot))
                raise
        return f"Your consent is withdrawn. {GONE}, and the receiver is asked to erase what it has."

    def _empty(self, *, keep_notes: bool) -> bool:
        """Destroy what is held and waits; whether their keys are gone, too."""
        held, waiting = self.hold.purge(), self.outbox.purge(keep_notes=keep_notes)
        self.tally.forget_held(self.tally.held)
        self.tally.forget_sealed(self.tally.sealed)
        return held.key_gone and waiting.key_gone

    def purge(self, now: Clocks) -> None:
        """Destroy everything that a withdrawal covers, and owe the receiver an erasure of everything that it may have.

        What cannot be done now (a keystore that refuses, no room to write an asking) is done again at the next start.
        """
        asked = self._ask_erasure([*self.outbox.sent_notes(), *self.outbox.waiting()], everything=True)
        keys_gone = self._empty(keep_notes=not asked)
        self.save()
        self.chronicle.counted(self.tally.part(), now, now_or_never=True)
        if keys_gone and asked:
            with contextlib.suppress(LedgerUnwritable):  # then it is done again
                self.record.purged(now)

    def forget(self, now: Clocks, span: Span) -> str:
        """Destroy what is held in a span, and every waiting envelope that overlaps it. A ledger that refuses is told later."""
        sent = self.outbox.sent_notes(span)
        forgotten, destroyed, asked = self._destroy(span, sent)
        self.tally.forget_held(forgotten.n)
        self.tally.forget_sealed(sum(note.n for note in destroyed))
        data = {"events": forgotten.events, "envelopes": len(destroyed), "sent": [note.id for note in sent]}
        words = forgotten_words(forgotten.events, destroyed, sent if asked else [])
        if not asked:
            words = f"{words} The disk refuses, so the receiver is not asked to erase what it has of that; make room and forget it again."
        try:
            self.record.note(FORGOTTEN, now, data)
        except LedgerUnwritable as unwritable:
            beside.note_later(self.places, FORGOTTEN, now, data)
            words = f"{words} {unwritable}; it is noted there later."
        self.save()
        self.chronicle.counted(self.tally.part(), now, now_or_never=True)
        return words

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
        destroyed: list[Note] = []
        held = 0
        if new := sorted(lost - known, key=str):
            span = OfPairs(tuple(new))
            forgotten, destroyed, _ = self._destroy(span, [])
            held = forgotten.events
            self.tally.drop_held(Why.NOT_IN_SCOPE, forgotten.n)
            self.tally.drop_sealed(Why.NOT_IN_SCOPE, sum(note.n for note in destroyed))
        if lost != known:
            self.record.note(narrowing.NARROWED, now, narrowing.as_data(receipt, lost), reserve=False)
            self.save()
        return f"The policy asks for less: {counted(held, 'held event')} destroyed." if held or destroyed else None

    def destroy_waiting(self, pairs: tuple[narrowing.Pair, ...]) -> int:
        """Destroy every waiting envelope that may hold any of this, because its person is exempt from it; how many. What is held stays.

        Raises OSError: the disk does not let one go; it can be asked again.
        """
        span, before = OfPairs(pairs), self.outbox.stats()
        owed = covered(self.outbox.waiting(), span)  # an upload that was cut off may have arrived
        asked = self._ask_erasure(owed, everything=False)
        try:
            return len(self.outbox.forget(span))
        finally:
            self.tally.drop_sealed(Why.EXEMPT, before.n - self.outbox.stats().n)
            self.save()
            _ = asked or self._ask_erasure(owed, everything=False)  # which may have made the room

    def _destroy(self, span: Span, sent: Sequence[Note]) -> tuple[Forgotten, list[Note], bool]:
        """Destroy what is held and waits in a span, having owed the receiver an erasure of it and of what was sent.

        What was held, which envelopes, and whether the owing could be written down.
        """
        owed = [*sent, *covered(self.outbox.waiting(), span)]  # an upload that was cut off may have arrived
        asked = self._ask_erasure(owed, everything=False)  # first: what is destroyed can name nothing any more
        forgotten, destroyed = self.hold.forget(span), self.outbox.forget(span)
        return forgotten, destroyed, asked or self._ask_erasure(owed, everything=False)  # which may have made the room

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
        sizes = [int(entry.data["bytes"]) for entry in self._sent_lines()]
        return SentPart(len(sizes), sum(sizes))

    def _sent_lines(self) -> list[Entry]:
        return [entry for entry in self.record.entries if entry.what == SENT]

    def used(self, now: Clocks) -> allowance.Used:
        """Bytes of envelopes whose upload was begun today and this month (UTC), acknowledged or not, and how many may be."""
        return allowance.used(self._spent, self._day(now), self.settings.limits)

    def _day(self, now: Clocks) -> str:
        """The day by the earlier of the two clocks: a wall clock that is set forward gives nothing more to send."""
        return datetime.fromtimestamp(min(self.anchor.instants_ms(now)) / 1000, UTC).date().isoformat()

    def spend(self, sent_bytes: int, now: Clocks) -> None:
        """An upload begins: it counts from here on, also after a crash."""
        self._spent = allowance.spend(self._spent, self._day(now), sent_bytes)
        with contextlib.suppress(OSError):
            disk.put(self.places.spent, msgspec.json.encode(self._spent))
