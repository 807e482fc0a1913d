"""Rights that never refuse: whatever is broken, what can be done is done, and what could not is said."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.daemon import Daemon
from agent.floors import Accepted
from agent.messages import AskReceipt, Done, Forget, Pause, ReceiptIs, Request, Resume, Withdraw
from agent.reach import Reach
from agent.record import FORGOTTEN, Record
from agent.subject import Subject
from consent.event import Clocks
from consent.ledger import Ledger, LedgerUnwritable
from consent.vocabulary import Blocker, State, SurfaceId
from tests.agent.people import BOOT, POLICY, at, clicks, keep, recording, say_yes, subject_in
from tests.register import REGISTER
from transport.keystore import FileKeystore
from transport.outbox import Outbox
from transport.span import Everything

PAUSE, FORGET = Pause(30), Forget(surface=SurfaceId("editor"))


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    """Somebody who said yes, with one envelope sent, one waiting, and three clicks held; no daemon."""
    made = subject_in(tmp_path)
    say_yes(made, at(0))
    for minute in (1, 2):
        keep(made, clicks(minute), at(minute))
        assert made.seal(recording(), POLICY, at(minute), span=Everything()).envelopes == 1
        if minute == 1:
            made.was_sent(made.outbox.waiting()[0].id, at(1))
    keep(made, clicks(5, 6, 7), at(7))
    made.close()
    return made


def flip(subject: Subject) -> None:
    raw = subject.places.ledger.read_bytes()
    subject.places.ledger.write_bytes(raw.replace(b'"what":"sent"', b'"what":"tnes"', 1))


def nonsense(subject: Subject) -> None:
    subject.places.ledger.write_bytes(b"nonsense\n")


def a_folder(subject: Subject) -> None:
    subject.places.ledger.unlink()
    subject.places.ledger.mkdir(mode=0o700)


def no_keys(subject: Subject) -> None:
    (subject.places.keys / "keystore").write_text("nonsense")


def damaged_key(subject: Subject) -> None:
    (subject.places.keys / "hold.key").write_bytes(b"short")


def open_to_others(subject: Subject) -> None:
    for path in (subject.places.ledger, subject.places.state, subject.places.hold):
        path.chmod(0o777)


RIGHTS = [PAUSE, FORGET, Forget(last_s=60), Forget(), AskReceipt(), Withdraw()]
WAYS = [flip, nonsense, a_folder, no_keys, damaged_key, open_to_others]


@pytest.mark.parametrize("damage", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("right", RIGHTS, ids=lambda one: type(one).__name__)
def test_no_right_is_refused_for_a_state_that_is_broken(subject: Subject, damage: Callable[[Subject], None], right: Request) -> None:
    """Each kind of damage and each right: it is answered, and never with a refusal."""
    damage(subject)
    assert isinstance(Reach(subject.places).ask(right), Done | ReceiptIs)


@pytest.mark.parametrize("damage", WAYS, ids=lambda way: way.__name__)
def test_what_was_to_be_forgotten_is_gone_whatever_is_broken(subject: Subject, damage: Callable[[Subject], None]) -> None:
    """By surface: nothing of it is held or waits; where the keys are out of reach, nothing at all is."""
    damage(subject)
    Reach(subject.places).ask(FORGET)
    left = [path.suffix for folder in (subject.places.hold, subject.places.outbox) for path in folder.glob("*")]
    assert ".seg" not in left
    assert ".env" not in left


def test_forgetting_a_span_without_a_ledger_keeps_the_rest_and_is_noted_later(subject: Subject) -> None:
    """Exactly the span goes, the receiver is owed an asking for what was sent in it, and a later ledger tells of it."""
    kept = subject.places.ledger.read_bytes()
    nonsense(subject)
    wall = at(5.5).wall_ms
    assert "noted there when it can be" in str(Reach(subject.places).ask(Forget(from_wall_ms=0, to_wall_ms=wall)))
    subject.places.ledger.write_bytes(kept)
    again = Subject(subject.places, BOOT, at(20))
    assert [event.at for event in again.held(at(20), None)] == [at(6), at(7)]
    assert again.outbox.waiting() == []
    assert len(again.erasures.pending()) == 1
    (told,) = [entry for entry in again.record.entries if entry.what == FORGOTTEN]
    assert (told.data["events"], told.data["envelopes"], len(told.data["sent"])) == (1, 1, 1)
    assert not subject.places.unsaid.exists()


def test_what_is_held_and_the_receipt_are_shown_without_a_ledger(subject: Subject) -> None:
    """`show` reads the hold; `receipt` prints what a broken ledger still tells of."""
    flip(subject)
    reach = Reach(subject.places)
    assert [event.at for event in reach.held(None)] == [at(5), at(6), at(7)]
    found = reach.ask(AskReceipt())
    assert isinstance(found, ReceiptIs)
    assert found.receipt == subject.record.choice.receipt


def test_a_pause_beside_a_broken_ledger_holds_until_a_person_resumes(subject: Subject) -> None:
    """The ledger is mended, or a new consent is given: it is paused all the same, by the ledger's own words from then on."""
    kept = subject.places.ledger.read_bytes()
    nonsense(subject)
    assert "in a file beside it" in str(Reach(subject.places).ask(PAUSE))
    subject.places.ledger.write_bytes(kept)
    again = subject_in(subject.places.state.parent, at(20))
    assert (again.record.choice.state, again.record.choice.pause is not None) == (State.PAUSED, True)
    assert not subject.places.closed.exists()
    again.resume(at(21))
    again.close()
    assert subject_in(subject.places.state.parent, at(22)).record.choice.state is State.CONSENTED


def test_a_pause_outlives_a_new_ledger_and_a_new_yes(subject: Subject) -> None:
    """The ledger is gone altogether: the file beside it still closes, also after a yes, until the person resumes."""
    nonsense(subject)
    Reach(subject.places).ask(PAUSE)
    subject.places.set_ledger_aside(1)
    again = subject_in(subject.places.state.parent, at(20))
    say_yes(again, at(21))
    again.close()
    assert subject_in(subject.places.state.parent, at(22)).record.choice.state is State.PAUSED


def refuse(*_: object, **__: object) -> None:
    raise LedgerUnwritable("the ledger cannot be written: no")


def test_a_daemon_whose_ledger_refuses_still_pauses_and_forgets(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger that is open and can no longer be written: both are done, durable, and honest; both are in the ledger later."""
    living = Subject(subject.places, BOOT, at(10))
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "append", refuse)
        assert "cannot be written" in living.pause(30, at(11))
        assert living.record.choice.state is State.PAUSED
        assert "noted there later" in living.forget(at(12), Everything())
        assert living.record.unwritable
        daemon = Daemon(living, REGISTER, lambda: at(12), asyncio.new_event_loop())
        assert Blocker.JOURNAL_UNWRITABLE in daemon.facts().blockers
        crashed = Subject(subject.places, BOOT, at(13))
        assert (crashed.record.choice.state, crashed.hold.stats().events) == (State.PAUSED, 0)
        with pytest.raises(LedgerUnwritable):
            crashed.resume(at(14))
    living.catch_up()
    assert not living.record.unwritable
    assert not subject.places.closed.exists()
    mended = Subject(subject.places, BOOT, at(15))
    assert mended.record.choice.state is State.PAUSED
    assert [entry.what for entry in mended.record.entries][-2:] == ["pause_asked", FORGOTTEN]


def test_a_resume_ends_a_pause_that_stood_beside_the_ledger(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same daemon, its ledger writable again: the pause is told first, then its end; a restart finds neither file nor pause."""
    living = Subject(subject.places, BOOT, at(10))
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "append", refuse)
        living.pause(30, at(11))
    living.resume(at(12))
    assert [entry.what for entry in living.record.entries][-2:] == ["pause_asked", "resume_asked"]
    assert Subject(subject.places, BOOT, at(13)).record.choice.state is State.CONSENTED
    assert not subject.places.closed.exists()


def test_a_pause_finds_room_on_a_disk_that_has_none(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be written: the reserve becomes the mark, which means until resumed."""
    nonsense(subject)

    def full(*_: object) -> None:
        raise OSError(28, "no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("transport.disk.put", full)
        assert isinstance(Reach(subject.places).ask(PAUSE), Done)
    assert subject.places.closed.exists()
    subject.places.set_ledger_aside(1)
    again = subject_in(subject.places.state.parent, at(20))
    say_yes(again, at(21))
    again.close()
    pause = subject_in(subject.places.state.parent, at(22)).record.choice.pause
    assert pause is not None
    assert pause.minutes is None


def test_a_withdrawal_without_keys_still_knows_later_what_to_have_erased(subject: Subject) -> None:
    """The note of the envelope that waited (its upload may have been cut off) outlives the purge, and becomes an asking with the other."""
    no_keys(subject)
    Reach(subject.places).ask(Withdraw())
    assert list(subject.places.outbox.glob("*.env")) == []
    assert len(list((subject.places.outbox / "sent").glob("*.note"))) == 2
    (subject.places.keys / "keystore").write_text("file")
    again = subject_in(subject.places.state.parent, at(20))
    assert again.record.choice.purge_owed is False
    asked = {owed.asking.pseudonym for owed in again.erasures.pending()}
    notes = Outbox(subject.places.outbox, FileKeystore(subject.places.keys)).sent_notes()
    assert len(notes) == 2
    assert asked == {note.pseudonym for note in notes}


@pytest.mark.parametrize("damage", [flip, nonsense], ids=lambda way: way.__name__)
@pytest.mark.parametrize("floors", ["kept", "lost"])
def test_the_number_of_the_consent_goes_on_rising_after_a_broken_ledger(
    subject: Subject, damage: Callable[[Subject], None], floors: str
) -> None:
    """INV-14: a new ledger's first yes is another identity than any before it; without the file too, as far as the old ledger reads."""
    damage(subject)
    if floors == "lost":
        subject.places.floors.unlink()
    Reach(subject.places).ask(Withdraw())
    again = subject_in(subject.places.state.parent, at(20))
    say_yes(again, at(21))
    expected = 1 if (floors, damage) == ("lost", nonsense) else 2
    assert again.record.choice.consents == expected
    again.close()
    assert subject_in(subject.places.state.parent, at(22)).record.choice.consents == expected


def test_a_policy_is_never_gone_below_after_a_broken_ledger(subject: Subject) -> None:
    """What was accepted once is remembered beside the ledger; each number for itself."""
    living = Subject(subject.places, BOOT, at(10))
    living.record.accept(Accepted((1, 9, 8, 7), "key", 3), at(10))
    living.close()
    nonsense(subject)
    Reach(subject.places).ask(Withdraw())
    record: Record = subject_in(subject.places.state.parent, at(20)).record
    assert record.accepted.versions == (1, 9, 8, 7)
    record.accept(Accepted((2, 10, 8, 7), "key", 3), at(21))
    old = {path: path.read_bytes() for path in (subject.places.ledger, subject.places.ledger_tail)}
    record.accept(Accepted((2, 11, 9, 7), "key", 3), at(22))
    assert record.accepted.versions == (2, 11, 9, 7)
    for path, content in old.items():  # copies from yesterday in the place of today's
        path.write_bytes(content)
    assert subject_in(subject.places.state.parent, at(23)).record.accepted.versions == (2, 11, 9, 7)


def test_resuming_needs_a_ledger_that_can_be_written(subject: Subject) -> None:
    """A resume opens; so it is refused where it cannot be written down, and the pause goes on."""
    nonsense(subject)
    reach = Reach(subject.places)
    reach.ask(PAUSE)
    with pytest.raises(Exception, match="ledger"):
        reach.ask(Resume())
    assert subject.places.closed.exists()


def test_the_clock_of_another_start_does_not_shorten_a_pause(subject: Subject) -> None:
    """INV-6: a pause beside the ledger that was asked before a restart counts from its beginning after it."""
    kept = subject.places.ledger.read_bytes()
    nonsense(subject)
    Reach(subject.places).ask(PAUSE)
    subject.places.ledger.write_bytes(kept)
    later = Subject(subject.places, "boot-9", at(99))
    assert later.record.choice.pause is not None
    assert later.record.choice.pause.left_s(Clocks(10**9, 10**9, 10**12), "boot-9") == 30 * 60


def test_what_was_forgotten_without_keys_is_asked_for_when_they_are_back(subject: Subject) -> None:
    """The keys are out of reach: everything local goes, and the next start with keys asks the receiver for exactly the span."""
    no_keys(subject)
    wall = at(1.5).wall_ms
    Reach(subject.places).ask(Forget(from_wall_ms=0, to_wall_ms=wall))
    (subject.places.keys / "keystore").write_text("file")
    again = subject_in(subject.places.state.parent, at(20))
    (owed,) = again.erasures.pending()
    first = again.outbox.sent_notes()[0]
    assert owed.asking.batches == (first.id,)
    assert len(again.outbox.sent_notes()) == 2
    assert not subject.places.unsaid.exists()
