"""How long things are held is the person's to choose, and survives everything; a policy can only lengthen it."""

from datetime import datetime
from pathlib import Path

import pytest

from agent.alone import Alone
from agent.errors import Usage
from agent.messages import Chosen, Done, HoldFor
from agent.spans import between_ms, hours, rest_of_today_minutes, seconds, span_of, wall_ms
from agent.subject import Subject
from consent.event import Clocks
from consent.policy import parse
from consent.vocabulary import SurfaceId
from tests.agent.people import BOOT, POLICY, at, clicks, keep, recording, say_yes, subject_in
from tests.policies import as_bytes, policy
from transport.span import Between, Everything, Last, OfSurface

HOUR_S = 3600


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    made = subject_in(tmp_path)
    say_yes(made, at(0))
    keep(made, clicks(1), at(1))
    return made


def seen(subject: Subject, begin: float) -> None:
    for minute in range(15):
        subject.saw(at(begin + minute), at(begin + minute + 1))


def sealed(subject: Subject, minutes: float) -> int:
    return subject.seal(recording(), POLICY, at(minutes)).n


def test_a_shorter_time_is_for_what_comes_after_it_and_survives_a_restart(subject: Subject) -> None:
    """Fifteen minutes, chosen after the first click: the second leaves after them, the first after its whole day."""
    subject.hold_for(900, POLICY, at(5))
    keep(subject, clicks(10), at(10))
    seen(subject, 10)
    subject.close()
    subject = Subject(subject.places, BOOT, at(26))
    assert subject.hold_s(POLICY) == 900
    assert (sealed(subject, 26), sealed(subject, 24 * 60), sealed(subject, 24 * 60 + 2)) == (1, 0, 1)


def test_a_longer_time_acts_at_once(subject: Subject) -> None:
    """Two days, chosen before the first day is over: what is held already stays for them too."""
    subject.hold_for(48 * HOUR_S, POLICY, at(60))
    seen(subject, 60)
    assert (sealed(subject, 25 * 60), sealed(subject, 48 * 60 + 2)) == (0, 1)


def test_a_policy_lengthens_the_choice_and_never_shortens_it(subject: Subject) -> None:
    """A policy that asks for three days makes it three; one that asks for less changes nothing."""
    long = parse(as_bytes(policy(hold_min_s=72 * HOUR_S)))
    assert "3 days" in subject.hold_for(900, long, at(5))
    assert (subject.hold_s(long), subject.hold_s(POLICY)) == (72 * HOUR_S, 900)


def test_a_new_yes_promises_the_default_again_and_leaves_a_longer_choice(subject: Subject) -> None:
    """The notice of a yes promises a day: a quarter of an hour that was chosen before ends with it, a week does not."""
    subject.hold_for(900, POLICY, at(5))
    say_yes(subject, at(6))
    assert subject.hold_s(POLICY) == 24 * HOUR_S
    subject.hold_for(7 * 24 * HOUR_S, POLICY, at(7))
    say_yes(subject, at(8))
    assert subject.hold_s(POLICY) == 7 * 24 * HOUR_S


def test_it_can_be_asked_and_chosen_without_a_daemon(subject: Subject) -> None:
    """The words say what holds; asking changes nothing."""
    subject.close()
    with Alone(subject.places) as alone:
        assert "24 hours" in str(alone.answer(HoldFor()))
        assert isinstance(alone.answer(HoldFor(900)), Done)
    assert Subject(subject.places, BOOT, at(9)).hold_s(None) == 900


def test_a_span_that_is_sent_leaves_alone(subject: Subject) -> None:
    """`send --from --to`: exactly that click is sealed, at once; the others stay held and the counts reconcile."""
    keep(subject, clicks(1.1, 1.2), at(2))
    wall = at(1.1).wall_ms
    counts = subject.seal(recording(), POLICY, at(3), span=Between(wall - 10, wall + 10))
    assert (counts.n, [event.at for event in subject.held(at(3), None)]) == (1, [at(1), at(1.2)])
    assert subject.tally.seen == subject.tally.total() == 3


@pytest.mark.parametrize(
    ("words", "at_ms"),
    [
        ("08:53", 1_800_003_180_000 - 1_800_003_180_000 % 86_400_000 + 31_980_000),
        ("2027-01-15 08:53", 1_800_003_180_000),
        ("2027-01-15T08:53:00+00:00", 1_800_003_180_000),
        ("2027-01-15T09:53:00.250+01:00", 1_800_003_180_250),
    ],
)
def test_times_are_read_as_they_are_shown(words: str, at_ms: int) -> None:
    """UTC unless it says otherwise; a time without a day is of today."""
    assert wall_ms(words, Clocks(0, 0, 1_800_003_180_000)) == at_ms


@pytest.mark.parametrize("words", ["", "yesterday", "25:00", "2027-13-01", "-1", "0000-01-01", "١٢:٠٠x", "9" * 40])
def test_what_is_no_time_is_said_to_be_none(words: str) -> None:
    """One line, exit 2; nothing is guessed."""
    with pytest.raises(Usage):
        wall_ms(words, at(0))
    with pytest.raises(Usage):
        seconds(words)


def test_a_span_ends_after_it_begins_or_now() -> None:
    """Without an end it ends now; the wrong way round it is refused."""
    now = at(0)
    assert between_ms("2027-01-15 00:00", None, now)[1] == now.wall_ms
    assert between_ms(None, "2027-01-15 00:00", now)[0] == 0
    with pytest.raises(Usage):
        between_ms("10:00", "09:00", now)


def test_each_word_names_its_span() -> None:
    """The last minutes, an app, a stretch of time, or everything."""
    now = at(0)
    named = [Chosen(last_s=5), Chosen(surface=SurfaceId("a")), Chosen(from_wall_ms=1, to_wall_ms=2), Chosen()]
    assert [span_of(one, now, BOOT) for one in named] == [Last(5, now, BOOT), OfSurface(SurfaceId("a")), Between(1, 2), Everything()]


@pytest.mark.parametrize(
    ("instant", "minutes"),
    [("2026-11-20T22:59:30Z", 1), ("2026-11-20T12:00:00Z", 660), ("2026-10-24T22:00:00Z", 25 * 60), ("2026-03-28T23:00:00Z", 23 * 60)],
)
def test_the_rest_of_today_ends_at_midnight_where_the_person_is(instant: str, minutes: int) -> None:
    """Also on the days that the clocks make longer or shorter."""
    wall = int(datetime.fromisoformat(instant).timestamp() * 1000)
    assert rest_of_today_minutes(Clocks(0, 0, wall), "Europe/Berlin") == minutes


def test_hours_that_say_nothing_are_refused_with_an_example() -> None:
    """And nothing said is nothing chosen."""
    assert hours(None, "UTC") is None
    with pytest.raises(Usage, match="mon-fri 9:00-17:00"):
        hours("whenever", "UTC")
