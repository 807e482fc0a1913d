"""What a person may always do with what is theirs: it is done, it is durable, and it survives a crash in the middle."""

import errno
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent import policies, show
from agent.alone import Alone
from agent.errors import CannotDo
from agent.messages import AskReceipt, AskStatus, Done, Forget, Pause, ReceiptIs, Resume, Send, StatusIs, Withdraw
from agent.places import Places
from agent.reach import Reach
from agent.subject import Subject
from consent.event import Clipboard, Event
from consent.receipt import verify
from consent.trust import Trusted
from consent.vocabulary import Blocker, State, SurfaceId, Why
from consent.words import ClipboardAct, SizeBucket
from tests.agent.people import BOOT, POLICY, at, clicks, keep, places_in, recording, say_yes, subject_in
from tests.disks import fill, small_disk
from tests.policies import PURPOSE_KEY, as_bytes, policy
from transport.allowance import DAY_BYTES
from transport.envelope import open_purpose, parse
from transport.recovery import parse as parse_code
from transport.span import Between, Everything, Last, OfSurface


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    """Somebody who said yes, with clicks held at minutes 1, 5 and 9."""
    made = subject_in(tmp_path)
    say_yes(made, at(0))
    keep(made, clicks(1, 5, 9), at(9))
    return made


def again(subject: Subject, minutes: float) -> Subject:
    """The same state, opened by another process after a crash: nothing of the first is closed or saved."""
    return Subject(subject.places, BOOT, at(minutes))


def test_a_withdrawal_is_final_and_destroys_everything(subject: Subject) -> None:
    """INV-10, INV-13: after it, nothing is held or waiting, the counts reconcile, and a restart finds the same."""
    assert subject.seal(recording(), POLICY, at(9), span=Everything()).envelopes == 1
    keep(subject, clicks(10), at(10))
    subject.withdraw(at(11))
    subject.purge(at(11))
    for seen in (subject, again(subject, 12)):
        assert (seen.record.choice.state, seen.hold.stats().events, seen.outbox.waiting()) == (State.WITHDRAWN, 0, [])
        assert seen.tally.seen == seen.tally.total() == seen.tally.forgotten == 4
    leftovers = [path for folder in (subject.places.hold, subject.places.outbox) for path in folder.rglob("*") if path.is_file()]
    assert leftovers == []


def test_a_purge_that_was_cut_short_is_completed_at_the_next_start(subject: Subject) -> None:
    """The withdrawal was acknowledged, then the power went: the next start purges before anything else."""
    subject.withdraw(at(10))
    assert subject.hold.stats().events == 3
    reopened = again(subject, 11)
    assert (reopened.hold.stats().events, reopened.record.choice.purge_owed) == (0, False)


def test_what_was_sent_as_the_daemon_was_killed_is_counted_as_sent(subject: Subject) -> None:
    """INV-21: killed after the envelope went, and before ledger and counts said so: every later start says it, once."""
    assert subject.seal(recording(), POLICY, at(9), span=Everything()).envelopes == 1
    (note,) = subject.outbox.waiting()
    subject.save()
    subject.outbox.sent(note.id)
    for seen in (again(subject, 10), again(subject, 11)):
        assert (seen.sent().batches, seen.tally.sent, seen.tally.sealed) == (1, 3, 0)
        assert seen.tally.seen == seen.tally.total() == 3


def test_a_withdrawal_on_a_full_disk_is_durable_and_complete(tmp_path: Path) -> None:
    """A disk without a free byte: the no is written, and what was held is unlinked."""
    with small_disk(tmp_path, 512) as folder:
        full = subject_in(folder)
        say_yes(full, at(0))
        keep(full, clicks(1, 2, 3), at(3))
        fill(folder)
        full.withdraw(at(4))
        full.purge(at(4))
        assert full.hold.stats().events == 0
        reopened = again(full, 5)
        assert reopened.record.choice.state is State.WITHDRAWN
        assert list(full.places.hold.glob("*.seg")) == []


def test_a_new_yes_brings_nothing_back(subject: Subject) -> None:
    """INV-14: what was withdrawn is not there after a new consent, which is another identity."""
    subject.withdraw(at(10))
    subject.purge(at(10))
    assert say_yes(subject, at(11)) is None
    assert (subject.record.choice.consents, subject.hold.stats().events) == (2, 0)


def test_forgetting_drops_the_span_and_envelopes_that_overlap_it(subject: Subject) -> None:
    """INV-11: the last minutes go from the hold, and a waiting envelope that touches them goes whole."""
    subject.forget(at(10), Last(5 * 60 + 30, at(10), BOOT))
    assert [event.at for event in subject.held(at(10), None)] == [at(1)]
    assert subject.seal(recording(), POLICY, at(10), span=Everything()).envelopes == 1
    words = subject.forget(at(10), Last(20 * 60, at(10), BOOT))
    assert (subject.outbox.waiting(), "1 waiting envelope." in words) == ([], True)
    assert subject.tally.seen == subject.tally.total() == subject.tally.forgotten == 3


def test_a_disk_that_refuses_the_asking_is_told(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told that the receiver is asked to erase when that could not be written down; what was sent is asked for the next time."""
    assert subject.seal(recording(), POLICY, at(10), span=Everything()).envelopes == 1
    (note,) = subject.outbox.waiting()
    subject.was_sent(note.id, at(10))

    def refuse(_askings: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as faulty:
        faulty.setattr(subject.erasures, "ask", refuse)
        assert "the receiver is not asked" in subject.forget(at(11), Everything())
    assert "the receiver is asked" in subject.forget(at(12), Everything())
    assert [owed.asking.batches for owed in subject.erasures.pending()] == [(note.id,)]


def test_an_envelope_is_named_to_the_receiver_before_it_is_destroyed(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash right after it went: it may have arrived, and what is gone could name nothing any more."""
    assert subject.seal(recording(), POLICY, at(10), span=Everything()).envelopes == 1
    (note,) = subject.outbox.waiting()

    def crash(_envelope_id: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as faulty:
        faulty.setattr(subject.outbox, "destroy", crash)
        with pytest.raises(KeyboardInterrupt):
            subject.forget(at(11), Everything())
    assert [owed.asking.batches for owed in subject.erasures.pending()] == [(note.id,)]


def test_forgetting_a_surface_drops_it_and_nothing_else(subject: Subject) -> None:
    """By surface: another surface's events stay."""
    subject.forget(at(10), OfSurface(SurfaceId("other")))
    assert subject.hold.stats().events == 3
    subject.forget(at(10), OfSurface(SurfaceId("editor")))
    assert subject.hold.stats().events == 0


def test_nothing_is_sealed_before_its_hold_is_over(subject: Subject) -> None:
    """INV-19: within a day nothing is due; and then not before a quarter of an hour was seen."""
    assert subject.seal(recording(), POLICY, at(23 * 60)).envelopes == 0
    subject.pause(30, at(23 * 60))
    assert subject.seal(recording(), POLICY, at(25 * 60)).envelopes == 0
    look(subject, 25 * 60, 14)
    assert subject.seal(recording(), POLICY, at(26 * 60)).envelopes == 0
    subject.save()
    subject = again(subject, 26 * 60)  # a restart forgets no time that was seen, and counts none of its own
    look(subject, 26 * 60, 1)
    assert subject.seal(recording(), POLICY, at(27 * 60)).envelopes == 1


def look(subject: Subject, begin: float, minutes: int) -> None:
    """A session that is awake and unlocked for some minutes."""
    for minute in range(minutes):
        subject.saw(at(begin + minute), at(begin + minute + 1))


def test_what_is_sealed_opens_with_the_purpose_key_and_the_recovery_code_only(tmp_path: Path) -> None:
    """The envelope in the outbox is for two readers: the custodians of its purpose, and the subject."""
    made = subject_in(tmp_path)
    code = say_yes(made, at(0))
    keep(made, clicks(1), at(1))
    made.seal(recording(), POLICY, at(2), span=Everything())
    (note,) = made.outbox.waiting()
    envelope = parse(made.outbox.read(note.id))
    assert code is not None
    from transport.envelope import open_subject

    assert open_purpose(envelope, PURPOSE_KEY) == open_subject(envelope, parse_code(code).reading_key())


def test_the_recovery_code_is_kept_nowhere(tmp_path: Path) -> None:
    """It is returned once; no file of the state contains it, nor the secret in it."""
    made = subject_in(tmp_path)
    code = say_yes(made, at(0))
    assert code is not None
    secret = parse_code(code).secret
    for path in made.places.state.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert secret not in content
            assert secret.hex().encode() not in content
            assert code.encode() not in content


def test_rights_work_without_a_daemon(subject: Subject) -> None:
    """Pause, resume, forget, receipt and withdraw by the command itself, under the lock, each durable."""
    subject.close()
    places = subject.places

    def ask(request: object) -> object:
        with Alone(places) as alone:
            return alone.answer(request)  # type: ignore[arg-type]

    assert isinstance(ask(Pause(30)), Done)
    status = ask(AskStatus())
    assert isinstance(status, StatusIs)
    assert (status.status.standing, status.status.running, status.status.hold.events) == (State.PAUSED, False, 3)
    assert isinstance(ask(Resume()), Done)
    assert isinstance(ask(AskReceipt()), ReceiptIs)
    assert isinstance(ask(Forget(last_s=None, surface=SurfaceId("editor"))), Done)
    with pytest.raises(CannotDo):
        ask(Send())
    assert isinstance(ask(Withdraw()), Done)
    assert again(subject, 20).record.choice.state is State.WITHDRAWN


@pytest.mark.parametrize("damage", ["flip", "impossible", "not json"])
def test_a_withdrawal_is_never_refused_for_a_broken_ledger(subject: Subject, damage: str) -> None:
    """A ledger that does not hold is set aside, a new one begins with the no, and everything held is destroyed."""
    subject.close()
    raw = subject.places.ledger.read_bytes()
    broken = {"flip": raw.replace(b"consent_given", b"consent_gived", 1), "impossible": raw * 2, "not json": b"nonsense\n"}[damage]
    subject.places.ledger.write_bytes(broken)
    with Alone(subject.places) as alone:
        assert isinstance(alone.answer(Withdraw()), Done)
    reopened = again(subject, 20)
    assert (reopened.record.choice.state, reopened.hold.stats().events) == (State.WITHDRAWN, 0)
    assert len(list(subject.places.state.glob("ledger.broken-*"))) == 1


def test_a_receipt_that_another_key_signed_is_no_receipt(subject: Subject, tmp_path: Path) -> None:
    """Another machine's ledger key in the place of ours: the receipt does not verify, so nothing is agreed to."""
    other = subject_in(tmp_path / "other")
    say_yes(other, at(0))
    subject.close()
    (subject.places.keys / "ledger").write_bytes((other.places.keys / "ledger").read_bytes())
    assert again(subject, 20).record.receipt() is None


def test_places_of_a_person_are_found_by_the_platform_s_own_rules(tmp_path: Path) -> None:
    """State and runtime are two folders below what was given."""
    assert isinstance(places_in(tmp_path), Places)


def test_a_new_yes_waits_until_what_was_withdrawn_is_gone(subject: Subject) -> None:
    """INV-14: a yes between a withdrawal and its purge finishes the purge first; a keystore that refuses makes it wait."""
    subject.withdraw(at(10))
    assert (subject.hold.stats().events, subject.record.choice.purge_owed) == (3, True)
    say_yes(subject, at(11))
    assert (subject.hold.stats().events, subject.record.choice.purge_owed, subject.record.choice.state) == (0, False, State.CONSENTED)


def test_a_policy_for_another_receiver_than_the_configured_one_is_refused(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever edits agent.toml cannot send what was agreed for one receiver to another."""
    now = at(0)
    trusted = Trusted(as_bytes(policy()), (1, 1, 1, 1), datetime.fromtimestamp(now.wall_ms / 1000 + 3600, UTC))
    monkeypatch.setattr(policies, "_cached", lambda _: object())
    monkeypatch.setattr(policies, "judge", lambda *_: trusted)
    found = [policies.load(subject.places, subject.record, receiver, now) for receiver in (POLICY.receiver, "https://elsewhere", None)]
    assert [(one.policy is not None, one.blocker) for one in found] == [
        (True, None),
        (False, Blocker.POLICY_REFUSED),
        (False, Blocker.POLICY_REFUSED),
    ]


def test_a_paste_of_an_unknown_form_says_nothing_of_its_form(capsys: pytest.CaptureFixture[str]) -> None:
    """A list of nothing is left out, not printed as a name with nothing behind it."""
    show.held([Event(SurfaceId("editor"), 1, at(1), 0, 1, Clipboard(ClipboardAct.PASTE, (), SizeBucket.UNKNOWN))])
    said = capsys.readouterr().out
    assert "kinds" not in said
    assert "act paste, size unknown" in said


def test_what_is_held_is_shown_although_the_daemon_hangs(subject: Subject) -> None:
    """A daemon that takes connections and never answers: it is ended after a second, and `show` and `status` work from disk."""
    subject.close()
    hang = "import sys,time,pathlib,agent.lock as l; l.wait(pathlib.Path(sys.argv[1])); print(1, flush=True); time.sleep(60)"
    reach = Reach(subject.places)
    ways: list[Callable[[], bool]] = [lambda: len(list(reach.held(None))) == 3, lambda: not next(reach.watch()).running]
    for see in ways:
        with socket.socket(socket.AF_UNIX) as mute:
            mute.bind(str(subject.places.socket))
            mute.listen()
            hanging = subprocess.Popen([sys.executable, "-c", hang, str(subject.places.lock)], stdout=subprocess.PIPE)
            try:
                assert hanging.stdout is not None
                assert hanging.stdout.readline() == b"1\n"
                assert see()
                assert hanging.wait(5) == -signal.SIGKILL
            finally:
                hanging.kill()
                hanging.wait()
                subject.places.socket.unlink()


def test_a_yes_is_bound_to_the_account_and_machine_that_said_it(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole state folder copied to another machine or account (a golden image, /etc/skel): no receipt, so no consent there."""
    assert subject.record.receipt() is not None
    monkeypatch.setattr("agent.machine.place", lambda: "elsewhere")
    assert subject.record.receipt() is None


def test_a_yes_is_bound_to_the_root_of_trust_that_was_pinned(subject: Subject) -> None:
    """Another root in the place of the pinned one is another controller: nothing of the old yes holds."""
    subject.places.pinned_root.write_bytes(b"another root")
    assert subject.record.receipt() is None


def test_a_receipt_is_verified_once_as_long_as_nothing_about_it_changes(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for at every turn. Another root in between is looked at, and the old one holds again when it is back."""
    verified = []
    monkeypatch.setattr("agent.record.verify", lambda *given: verified.append(given) or verify(*given))
    root = subject.places.pinned_root
    raw = root.read_bytes() if root.exists() else None
    assert len({id(subject.record.receipt()) for _ in range(5)}) == 1
    assert len(verified) <= 1
    root.write_bytes(b"another root, of another length")
    assert subject.record.receipt() is None
    root.unlink() if raw is None else root.write_bytes(raw)
    assert subject.record.receipt() is not None


def test_what_cannot_leave_for_a_month_is_destroyed_and_counted(subject: Subject) -> None:
    """Bounded in age: held or sealed, on the thirty-first day it goes, and the counts reconcile; a day before nothing does."""
    keep(subject, clicks(10), at(10))
    subject.seal(recording(), POLICY, at(11), span=Between(at(1).wall_ms, at(1).wall_ms))
    day = 24 * 60
    subject.drop_aged(at(29 * day))
    assert (subject.hold.stats().n, subject.outbox.stats().n) == (3, 1)
    subject.drop_aged(at(32 * day))
    assert (subject.hold.stats().n, subject.outbox.stats().n) == (0, 0)
    assert subject.tally.seen == subject.tally.total() == subject.tally.refused[Why.TOO_OLD] == 4


def test_what_was_sent_today_survives_a_restart(subject: Subject) -> None:
    """The day's bytes are on the disk before they leave; another day begins anew."""
    subject.spend(DAY_BYTES - 1, at(0))
    reopened = again(subject, 1)
    assert [reopened.used(at(minute)).room_bytes for minute in (1, 48 * 60)] == [1, DAY_BYTES]
    assert (reopened.used(at(1)).day_bytes, reopened.used(at(48 * 60)).month_bytes) == (DAY_BYTES - 1, DAY_BYTES - 1)


def test_a_damaged_segment_is_set_aside_shown_and_the_rest_is_kept(subject: Subject) -> None:
    """One flipped bit: its segment is counted in `status`, the others are held, and forgetting everything removes it."""
    keep(subject, clicks(20), at(20))
    subject.close()
    first = min(subject.places.hold.glob("*.seg"))
    raw = bytearray(first.read_bytes())
    raw[-1] ^= 1
    first.write_bytes(raw)
    with Alone(subject.places) as alone:
        status = alone.answer(AskStatus())
        assert isinstance(status, StatusIs)
        assert (status.status.hold.damaged, status.status.keystore) == (1, "file")
        assert status.status.hold.events in (1, 3)
        alone.answer(Forget())
    assert list(subject.places.hold.glob("*")) == []
