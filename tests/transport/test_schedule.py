"""When what is sent, in virtual time: patience, fairness, and a bound on haste."""

from dataclasses import replace

import msgspec
import pytest

from consent.vocabulary import Purpose
from tests.transport.makers import CARE, STUDY
from transport.notes import Note
from transport.results import Accepted, Fate, Rejected, Result, Unreachable, WaitFor, Withdrawn, fate_of, wait_s
from transport.schedule import (
    FIRST_WAIT_S,
    MAX_REQUESTS_AN_HOUR,
    MAX_WAIT_S,
    Schedule,
    Stop,
    StopWhy,
    Upload,
    Wait,
    begun,
    network_changed,
    next_step,
    report,
)

ROOM = 10**9
BOTH = frozenset({STUDY, CARE})


def note(place: int, purpose: Purpose = STUDY) -> Note:
    return Note(f"{place:064x}", place, purpose, 1, 1, (), (), "2026-11-21", 1, b"p" * 32, 5000)


A, B, C = note(1), note(2), note(3, CARE)


def test_the_oldest_goes_first() -> None:
    """With nothing known, the first that waits is sent."""
    assert next_step(Schedule(), [A, B], BOTH, 0, ROOM) == Upload(A.id)


def test_nothing_to_do_and_nothing_permitted_stop() -> None:
    """An empty outbox, or a closed gate, is not waited for with a timer."""
    assert next_step(Schedule(), [], BOTH, 0, ROOM) == Stop(StopWhy.NOTHING_WAITING)
    assert next_step(Schedule(), [A], frozenset(), 0, ROOM) == Stop(StopWhy.NOT_PERMITTED)
    assert next_step(Schedule(), [A, C], frozenset({CARE}), 0, ROOM) == Upload(C.id)


@pytest.mark.parametrize(
    ("result", "wait", "fate"),
    [
        (Accepted(), None, Fate.SENT),
        (Withdrawn(), None, Fate.DESTROY),
        (Rejected(422), None, Fate.SET_ASIDE),
        (WaitFor(30), 30.0, Fate.KEEP),
        (WaitFor(0), None, Fate.KEEP),
        (Unreachable(False), FIRST_WAIT_S / 2, Fate.KEEP),
        (Unreachable(True), FIRST_WAIT_S / 2, Fate.KEEP),
    ],
)
def test_each_result_says_when_to_go_on_and_what_becomes_of_the_envelope(result: Result, wait: float | None, fate: Fate) -> None:
    """Success, withdrawal and rejection go on at once; the other two wait, and keep the envelope."""
    after = report(Schedule(), A.id, result, 1000, jitter=0.0)
    assert next_step(after, [B], BOTH, 1000, ROOM) == (Upload(B.id) if wait is None else Wait(wait))
    assert fate_of(result) is fate


def test_waits_double_up_to_an_hour_and_end_with_success() -> None:
    """Failures wait longer and longer, never beyond MAX_WAIT_S; one success forgets them."""
    schedule, now_ms, waits = Schedule(), 0, []
    for _ in range(30):
        schedule = report(schedule, A.id, Unreachable(False), now_ms, jitter=1.0)
        step = next_step(schedule, [A], BOTH, now_ms, ROOM)
        assert isinstance(step, Wait)
        waits.append(step.seconds)
        now_ms = schedule.not_before_ms
        assert isinstance(next_step(schedule, [A], BOTH, now_ms, ROOM), Upload)
    assert waits[:4] == [FIRST_WAIT_S * 2**power for power in range(4)]
    assert waits[-1] == MAX_WAIT_S
    assert report(schedule, A.id, Accepted(), now_ms, jitter=1.0).failures == 0


@pytest.mark.parametrize("jitter", [0.0, 0.3, 1.0])
def test_jitter_spreads_and_never_hurries_what_the_receiver_asked(jitter: float) -> None:
    """Own waits shrink to a half at most; a receiver's wait only grows."""
    asked = report(Schedule(), A.id, WaitFor(100), 0, jitter=jitter).not_before_ms
    assert 100_000 <= asked <= 110_000
    own = report(Schedule(), A.id, Unreachable(False), 0, jitter=jitter).not_before_ms
    assert FIRST_WAIT_S * 500 <= own <= FIRST_WAIT_S * 1000


def test_an_envelope_that_keeps_failing_does_not_block_the_others() -> None:
    """After a failure another one is tried first."""
    failed = replace(report(Schedule(), A.id, Unreachable(True), 0, jitter=0.0), not_before_ms=0)
    assert next_step(failed, [A, B], BOTH, 0, ROOM) == Upload(B.id)
    both = replace(report(failed, B.id, Unreachable(True), 0, jitter=0.0), not_before_ms=0)
    assert next_step(both, [A, B], BOTH, 0, ROOM) == Upload(A.id)


def test_requests_an_hour_are_bounded_even_when_all_succeed() -> None:
    """However much waits and however well it goes, no hour sees more than MAX_REQUESTS_AN_HOUR."""
    schedule, now_ms, begins = Schedule(), 0, []
    while now_ms < 3 * 3_600_000:
        step = next_step(schedule, [A], BOTH, now_ms, ROOM)
        if isinstance(step, Wait):
            now_ms += int(step.seconds * 1000)
            continue
        begins.append(now_ms)
        schedule = report(begun(schedule, now_ms), A.id, Accepted(), now_ms + 50, jitter=0.5)
        now_ms += 50
    for begin in begins:
        assert sum(begin <= other < begin + 3_600_000 for other in begins) <= MAX_REQUESTS_AN_HOUR
    assert len(begins) == 3 * MAX_REQUESTS_AN_HOUR


def test_a_new_network_is_tried_at_once() -> None:
    """Coming home does not wait for the end of an hour's back-off."""
    away = report(Schedule(failures=12), A.id, Unreachable(False), 0, jitter=1.0)
    assert next_step(network_changed(away, 10), [A], BOTH, 10, ROOM) == Upload(A.id)


@pytest.mark.parametrize(
    ("header", "date", "seconds"),
    [
        (None, None, 60),
        ("0", None, 0),
        ("120", None, 120),
        ("99999999", None, 86_400),
        ("-5", None, 60),
        ("१२", None, 60),
        ("", None, 60),
        ("Sat, 21 Nov 2026 10:00:30 GMT", "Sat, 21 Nov 2026 10:00:00 GMT", 30),
        ("Sat, 21 Nov 2026 09:00:00 GMT", "Sat, 21 Nov 2026 10:00:00 GMT", 0),
        ("Sat, 21 Nov 2026 10:00:30 GMT", None, 60),
        ("Sat, 21 Nov 2026 10:00:30", "Sat, 21 Nov 2026 10:00:00 GMT", 60),
    ],
)
def test_retry_after_is_read_by_the_receivers_own_clock(header: str | None, date: str | None, seconds: int) -> None:
    """Seconds or an instant; what is neither means the default; a day at most."""
    assert wait_s(header, date) == seconds


def test_what_does_not_fit_into_the_day_waits_for_another() -> None:
    """Envelopes of 5,000 bytes: with room for one it goes, with less none does; a smaller one passes a larger."""
    small = replace_bytes(note(4), 100)
    assert next_step(Schedule(), [A, B], BOTH, 0, 5000) == Upload(A.id)
    assert next_step(Schedule(), [A, B], BOTH, 0, 4999) == Stop(StopWhy.BUDGET_SPENT)
    assert next_step(Schedule(), [A, small], BOTH, 0, 4999) == Upload(small.id)


def replace_bytes(one: Note, envelope_bytes: int) -> Note:
    return msgspec.structs.replace(one, envelope_bytes=envelope_bytes)
