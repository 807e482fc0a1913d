"""The ledger tells what nobody said: counts with their reasons, when recording was open or blocked; bounded, never in the way of a no."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from agent.chronicle import COUNTED, MOST_A_DAY, STOOD
from agent.daemon import Daemon
from agent.policies import InForce
from agent.record import SENT
from agent.subject import Subject
from consent.history import PURGED
from consent.ledger import LedgerUnwritable
from consent.vocabulary import Blocker, State, Why
from tests.agent.people import BOOT, POLICY, at, clicks, keep, places_in, recording, say_yes, subject_in
from tests.register import REGISTER
from transport.span import Everything, Last


def told(subject: Subject, what: str) -> list[dict[str, object]]:
    return [entry.data for entry in subject.record.entries if entry.what == what]


def somebody(folder: Path) -> Subject:
    subject = subject_in(folder)
    say_yes(subject, at(0))
    subject.tally.came(7)
    subject.tally.refuse(Why.ROLE_UNKNOWN, 7)
    keep(subject, clicks(1, 2), at(2))
    return subject


def test_refusals_by_reason_are_in_the_chain_at_each_word_of_the_person(tmp_path: Path) -> None:
    """Pause, forget, withdraw: each is followed by the counts of that instant, which reconcile; the same counts are not told twice."""
    subject = somebody(tmp_path)
    subject.pause(30, at(3))
    subject.pause(30, at(4))
    subject.forget(at(5), Last(60 * 60, at(5), BOOT))
    subject.withdraw(at(6))
    subject.purge(at(6))
    lines = told(subject, COUNTED)
    assert [(line["seen"], line["refused"], line["held"], line["forgotten"]) for line in lines] == [
        (9, {Why.ROLE_UNKNOWN.value: 7}, 2, 0),
        (9, {Why.ROLE_UNKNOWN.value: 7}, 0, 2),
    ]
    order = [entry.what for entry in subject.record.entries]
    assert order[-2:] == ["withdrawn", PURGED], "a no is written before anything else, and nothing is told twice"


def test_counts_come_with_uploads_once_an_hour(tmp_path: Path) -> None:
    """A batch that was taken is a line of its own; the counts follow, not after each of many in an hour. A checkpoint tells them, too."""
    subject = somebody(tmp_path)
    for minute in (10, 20, 30, 80):
        keep(subject, clicks(minute), at(minute))
        subject.seal(recording(), POLICY, at(minute + 1), span=Everything())
        for note in subject.outbox.waiting():
            subject.was_sent(note.id, at(minute + 2))
    assert len(told(subject, SENT)) == 4
    assert [line["sent"] for line in told(subject, COUNTED)] == [3, 6]
    subject.tally.came(1)
    subject.tally.refuse(Why.NO_KIND, 1)
    subject.drop_aged(at(83))
    assert len(told(subject, COUNTED)) == 2
    subject.drop_aged(at(143))
    assert told(subject, COUNTED)[-1]["refused"] == {Why.NO_KIND.value: 1, Why.ROLE_UNKNOWN.value: 7}
    again = Subject(places_in(tmp_path), BOOT, at(150))
    again.drop_aged(at(150))
    assert len(told(again, COUNTED)) == 3, "a restart knows what was told"


def test_each_change_between_open_and_blocked_is_told_with_its_reasons(tmp_path: Path) -> None:
    """What the machine did to a yes: blocked by what, and when no more; not what the person's own lines say already."""

    async def run() -> None:
        subject = somebody(tmp_path)
        daemon = Daemon(subject, REGISTER, lambda: at(3), asyncio.get_running_loop())
        daemon.take(InForce(POLICY, datetime(2100, 1, 1, tzinfo=UTC), verified=at(3)))
        daemon.block(Blocker.DISPLAY_GONE)
        daemon.reconsider()
        daemon.unblock()
        subject.withdraw(at(4))
        daemon.reconsider()
        none, gone = ["no_indicator"], ["display_gone", "no_indicator"]
        assert [line["why"] for line in told(subject, STOOD)] == [["no_indicator", "policy_missing"], none, gone, none][
            -len(told(subject, STOOD)) :
        ]
        assert {line["state"] for line in told(subject, STOOD)} == {State.BLOCKED.value}
        assert len(told(subject, STOOD)) >= 3

    asyncio.run(run())


def test_a_flickering_icon_fills_no_disk(tmp_path: Path) -> None:
    """A thousand changes in a day: MOST_A_DAY lines, and the first of the next day says how many were left out."""
    subject = somebody(tmp_path)
    for index in range(1000):
        subject.chronicle.stood(replace(recording(), indicator=bool(index % 2)), at(3))
    assert len(told(subject, STOOD)) == MOST_A_DAY
    subject.chronicle.stood(replace(recording(), indicator=True, blockers=(Blocker.DISPLAY_GONE,)), at(24 * 60 + 3))
    assert told(subject, STOOD)[-1]["left_out"] == (1000 - MOST_A_DAY) // 2  # the others came back to what was told last


def test_without_room_counts_are_left_out_and_nothing_is_blocked(tmp_path: Path) -> None:
    """The disk takes the pause by the reserve, and not the counts: the pause is acknowledged, the journal counts as writable."""
    subject = somebody(tmp_path)
    append = subject.record._ledger.append

    def full(*args: object, reserve: bool = True) -> object:
        if not reserve:
            raise LedgerUnwritable("the ledger cannot be written: no space left on device")
        return append(*args)  # type: ignore[arg-type]

    subject.record._ledger.append = full  # type: ignore[method-assign]
    assert subject.pause(30, at(3)).startswith("Paused")
    assert (subject.record.unwritable, told(subject, COUNTED)) == (False, [])
