"""A disk without room, and a ledger that was set aside: the no is written or closes all the same, and nothing widens (INV-14, INV-15)."""

import asyncio
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent import policies
from agent.alone import Alone
from agent.choosing import choose_unknown_link, choose_unplugged
from agent.daemon import Daemon
from agent.messages import Done, Withdraw
from agent.subject import Subject
from consent.exemption import Ground
from consent.ledger import RESERVE_BYTES, LedgerUnwritable
from consent.policy import parse
from consent.vocabulary import Blocker, State
from tests.agent.people import BOOT, POLICY, at, clicks, keep, recording, say_yes, subject_in
from tests.agent.test_exemptions import EDITOR, ask, asked, decide
from tests.agent.test_narrowing import cache
from tests.policies import as_bytes, policy, surface
from tests.register import REGISTER
from tests.trust import Repository
from transport.keystore import KeystoreError
from transport.span import Everything

RECEIVER = "http://127.0.0.1:9"
REPOSITORY = Repository(expires=datetime.fromtimestamp(at(600).wall_ms / 1000, UTC))


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    """Somebody who said yes and is exempt in the editor; clicks from before are held, and one envelope waits."""
    made = subject_in(tmp_path)
    cache(made, REPOSITORY.build())  # its root is pinned before the yes
    say_yes(made, at(0))
    ask(made, asked(Ground.MY_CHOICE, surfaces=frozenset({EDITOR})), 0)  # first: it destroys what waits
    keep(made, clicks(1), at(1))
    assert made.seal(recording(), POLICY, at(1), span=Everything()).envelopes == 1
    keep(made, clicks(2, 3), at(3))
    return made


@contextmanager
def no_room(subject: Subject, until: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """No line fits into the ledger until that is so, and there is no reserve."""
    ledger, real = os.stat(subject.places.ledger).st_ino, os.write
    subject.places.ledger.with_suffix(".reserve").unlink(missing_ok=True)

    def write(fd: int, data: Any) -> int:
        if os.fstat(fd).st_ino == ledger and not until():
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", write)
        patch.setattr("consent.ledger.Ledger._keep_reserve", lambda _: None)
        yield


def stored(subject: Subject) -> list[Path]:
    return [*subject.places.hold.glob("*.seg"), *subject.places.outbox.glob("*.env")]


def test_what_a_no_destroys_makes_the_room_for_it(subject: Subject) -> None:
    """Without the reserve: the hold goes first, then the line is written into the same ledger, which keeps its exemptions."""
    subject.close()
    with no_room(subject, lambda: not stored(subject)), Alone(subject.places) as alone:
        assert isinstance(alone.answer(Withdraw()), Done)
    again = Subject(subject.places, BOOT, at(9))
    assert (again.record.choice.state, again.hold.stats().events, len(again.record.choice.exemptions)) == (State.WITHDRAWN, 0, 1)
    assert list(subject.places.state.glob("ledger.broken-*")) == []
    assert len(again.erasures.pending()) == 1  # the envelope that waited may have arrived


@pytest.mark.parametrize("keys", ["reachable", "out of reach"])
def test_a_no_that_finds_no_room_leaves_a_sound_ledger_and_nothing_that_a_yes_could_cover(
    subject: Subject, keys: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused, and nothing is held or waits any more; the ledger is the same, and is not taken for a broken one."""
    subject.close()
    before = subject.places.ledger.read_bytes()
    if keys != "reachable":
        refuse_keys(monkeypatch)
    with no_room(subject), Alone(subject.places) as alone, pytest.raises(LedgerUnwritable):
        alone.answer(Withdraw())
    assert subject.places.ledger.read_bytes() == before
    assert stored(subject) == []
    assert list(subject.places.state.glob("ledger.broken-*")) == []


def test_a_no_that_finds_no_room_is_at_least_a_pause(subject: Subject) -> None:
    """In the process that was told, and after a restart: until the person resumes or says no again."""
    with no_room(subject), pytest.raises(LedgerUnwritable):
        subject.withdraw(at(5))
    assert subject.record.choice.state is State.PAUSED
    again = Subject(subject.places, BOOT, at(9))
    assert (again.record.choice.state, again.hold.stats().events, again.outbox.waiting()) == (State.PAUSED, 0, [])
    again.withdraw(at(10))
    again.purge(at(10))
    assert (again.record.choice.state, again.record.choice.purge_owed) == (State.WITHDRAWN, False)


def refuse_keys(patch: pytest.MonkeyPatch) -> None:
    def locked(_: Path) -> None:
        raise KeystoreError("the keyring is locked; unlock it")

    for where in ("agent.subject.choose", "agent.despite.choose"):
        patch.setattr(where, locked)


def damage(subject: Subject) -> None:
    raw = subject.places.ledger.read_bytes()
    subject.places.ledger.write_bytes(raw.replace(b'"language"', b'"langauge"', 1))


def test_exemptions_outlive_a_broken_ledger_while_keys_are_out_of_reach(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """INV-15: the new ledger begins with them, before it says no."""
    subject.close()
    damage(subject)
    with monkeypatch.context() as patch:
        refuse_keys(patch)
        with Alone(subject.places) as alone:
            alone.answer(Withdraw())
    again = Subject(subject.places, BOOT, at(9))
    assert [entry.what for entry in again.record.entries][:2] == ["exemption_asked", "withdrawn"]
    assert len(again.record.choice.exemptions) == 1


def test_exemptions_outlive_a_kill_after_the_broken_ledger_was_set_aside(subject: Subject) -> None:
    """INV-15: whoever opens the missing ledger next begins it with them, once; a cancellation after that stands."""
    subject.close()
    damage(subject)
    subject.places.set_ledger_aside(5)
    for _ in range(2):
        again = Subject(subject.places, BOOT, at(9))
        assert [each.covers.surfaces for each in again.record.choice.exemptions] == [frozenset({EDITOR})]
        again.close()
    cancelled = Subject(subject.places, BOOT, at(10))
    cancelled.record.note("exemption_cancelled", at(10), {"id": cancelled.record.choice.exemptions[0].id})
    cancelled.close()
    assert Subject(subject.places, BOOT, at(11)).record.choice.exemptions == ()


def test_what_was_chosen_to_exempt_outlives_a_broken_ledger(subject: Subject) -> None:
    """INV-15: without a charger, and on a link of which nothing tells; taken back later it is taken back. What opens is not carried."""
    choose_unplugged(subject, at(4), exempt=True)
    choose_unknown_link(subject, at(4), exempt=True)
    subject.close()
    damage(subject)
    subject.places.set_ledger_aside(5)
    for _ in range(2):
        again = Subject(subject.places, BOOT, at(9))
        assert (again.record.choice.unplugged, again.record.choice.link_unknown) == (True, True)
        assert len(again.record.entries) == 3
        again.close()
    again = Subject(subject.places, BOOT, at(10))
    choose_unplugged(again, at(10), exempt=False)
    choose_unknown_link(again, at(10), exempt=False)
    again.close()
    for opened_at in (at(11), at(12)):
        again = Subject(subject.places, BOOT, opened_at)
        assert (again.record.choice.unplugged, again.record.choice.link_unknown) == (False, False)
        again.close()
    again.places.set_ledger_aside(13)
    last = Subject(subject.places, BOOT, at(14))
    assert (last.record.choice.unplugged, last.record.choice.link_unknown) == (True, True), "the end of it is not believed"


def test_what_is_open_when_a_ledger_is_set_aside_writes_into_the_new_one(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails for another reason than room: the no is in the ledger that bears the ledger's name."""
    subject.close()
    with Alone(subject.places) as alone:
        opened = alone._open()

        def refuse(_: object) -> str:
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(opened, "withdraw", refuse)
        alone.answer(Withdraw())
    again = Subject(subject.places, BOOT, at(9))
    assert (again.record.choice.state, len(again.record.choice.exemptions)) == (State.WITHDRAWN, 1)


def test_the_reserve_is_for_the_persons_own_words(subject: Subject) -> None:
    """A policy, a narrower one, a decision and a batch that was sent do not take it; each is refused or left out instead."""
    subject.acknowledge("ab" * 32, at(5))
    reserve = subject.places.ledger.with_suffix(".reserve")
    (note,) = subject.outbox.waiting()
    ledger, real = os.stat(subject.places.ledger).st_ino, os.write

    def write(fd: int, data: Any) -> int:
        if os.fstat(fd).st_ino == ledger and reserve.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", write)
        found = policies.load(subject.places, subject.record, RECEIVER, at(6))
        assert (found.policy, found.blocker) == (None, Blocker.JOURNAL_UNWRITABLE)
        assert policies.load(subject.places, subject.record, "http://elsewhere", at(6)).blocker is Blocker.POLICY_REFUSED
        subject.was_sent(note.id, at(6))
        with pytest.raises(LedgerUnwritable):
            subject.narrow(parse(as_bytes(policy(surfaces=[surface(kinds=["focus"])]))), frozenset(REGISTER), at(6))
        with pytest.raises(LedgerUnwritable):
            decide(subject, granted=True)
        assert reserve.stat().st_size == RESERVE_BYTES
        subject.withdraw(at(7))
        assert not reserve.exists()
    subject.purge(at(8))
    assert reserve.stat().st_size == RESERVE_BYTES


def test_what_was_sent_while_there_was_no_room_is_told_later_and_counts(subject: Subject) -> None:
    """INV-21: a start without room counts it all the same; the next with room writes it down, once."""
    (note,) = subject.outbox.waiting()
    with no_room(subject):
        subject.was_sent(note.id, at(5))
        again = Subject(subject.places, BOOT, at(6))
        assert (again.tally.sent, again.tally.seen) == (1, again.tally.total())
    for _ in range(2):
        later = Subject(subject.places, BOOT, at(7))
        assert (later.sent().batches, later.tally.sent) == (1, 1)


def test_a_daemon_goes_on_by_itself_as_soon_as_there_is_room(subject: Subject) -> None:
    """Blocked by a ledger that takes no line; then it takes one: blocker and missing policy are gone without a word of the person."""
    (subject.places.state / "agent.toml").write_text(f'receiver = "{RECEIVER}"\n')
    subject.close()
    subject = Subject(subject.places, BOOT, at(5))
    daemon = Daemon(subject, REGISTER, lambda: at(6), asyncio.new_event_loop())
    with no_room(subject):
        daemon.take(policies.load(subject.places, subject.record, RECEIVER, at(6)))
        daemon.block(Blocker.JOURNAL_UNWRITABLE)
        daemon.go_on()
        assert Blocker.JOURNAL_UNWRITABLE in daemon.standing.blockers
        assert Blocker.POLICY_MISSING not in daemon.standing.blockers
    daemon.go_on()
    assert daemon.standing.blockers == (Blocker.NO_INDICATOR,)
    assert (subject.record.unwritable, daemon.policy.policy is not None) == (False, True)


def test_a_no_that_found_no_room_does_not_go_on_by_itself(subject: Subject) -> None:
    """The person meant it: with room again it stays paused until they resume."""
    daemon = Daemon(subject, REGISTER, lambda: at(6), asyncio.new_event_loop())
    with no_room(subject), pytest.raises(LedgerUnwritable):
        subject.withdraw(at(5))
    daemon.block(Blocker.JOURNAL_UNWRITABLE)
    subject.catch_up()
    daemon.go_on()
    assert daemon.standing.state is State.PAUSED
