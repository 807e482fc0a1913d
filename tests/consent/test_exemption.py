"""Exemptions that a person asks for: off from the asking on, and nothing but their own cancelling opens."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import exemption
from consent.event import Clocks
from consent.exemption import ASKED, CANCELLED, DECIDED, Covers, Exemption, Exemptions, Ground, Stage, add, asked, minus
from consent.gate import Admitted, Asked, Refused, decide
from consent.hours import ALWAYS, Hours, parse
from consent.scope import Scope
from consent.vocabulary import Kind, State, Why
from tests.consent.samples import EDITOR, MAIL, click, everything, recording
from tests.consent.test_hours import BERLIN, hours, ms

MORNINGS = parse("mon-fri 9:00-12:00 UTC")
IN_THE_MORNING, IN_THE_EVENING = ms("2026-11-23 10:00"), ms("2026-11-23 20:00")
INSTANTS_MS = [0, IN_THE_MORNING, IN_THE_EVENING, ms("2026-10-25 00:30"), 2**42]
IDS = ["a" * 64, "b" * 64, "c" * 64]

SOME_HOURS = [MORNINGS, parse("sat-sun 0:00-24:00 Australia/Lord_Howe"), parse(f"sun 2:00-3:00 {BERLIN}")]
"""Few: what hours say of an instant is test_hours' business."""

covers = st.builds(
    Covers,
    st.frozensets(st.sampled_from([EDITOR, MAIL])),
    st.frozensets(st.sampled_from(Kind), max_size=3),
    st.sampled_from([ALWAYS, *SOME_HOURS]),
)
requests = st.builds(Exemption, st.sampled_from(IDS), st.sampled_from(Ground), covers)
# No `st.text()`: its table of all characters takes a busy machine longer than Hypothesis waits.
decisions = st.fixed_dictionaries(
    {"id": st.sampled_from(IDS)},
    optional={
        "granted": st.sampled_from([True, False, "yes", 1, None]),
        "until_ms": st.none() | st.integers(),
        "reason": st.sampled_from(["", "no"]),
    },
)
lines = st.one_of(requests.map(lambda each: (ASKED, asked(each))), decisions.map(lambda data: (DECIDED, data)))


def folded(entries: list[tuple[str, dict[str, object]]]) -> Exemptions:
    found: Exemptions = ()
    for what, data in entries:
        found = add(found, what, data, 1)
    return found


@given(st.lists(lines, max_size=6), st.lists(st.sampled_from(INSTANTS_MS), max_size=2))
def test_no_order_of_requests_and_decisions_opens_anything(entries: list[tuple[str, dict[str, object]]], instants_ms: list[int]) -> None:
    """INV-15: with every entry that is not its person's cancelling, what is off only grows; a denial and an end among them."""
    scope = Scope({**everything(EDITOR).grants, **everything(MAIL).grants})
    left = scope
    for length in range(len(entries) + 1):
        now = minus(scope, (each.covers for each in folded(entries[:length]) if each.covers.may_hold(instants_ms)))
        assert set(now.grants) <= set(left.grants) <= set(scope.grants)
        left = now


@given(st.lists(lines, max_size=6), st.sampled_from(IDS))
def test_only_cancelling_takes_one_away_and_only_that_one(entries: list[tuple[str, dict[str, object]]], gone: str) -> None:
    """And what was decided about it before or comes later says nothing any more."""
    before = folded(entries)
    after = folded([*entries, (CANCELLED, {"id": gone}), (DECIDED, {"id": gone, "granted": False})])
    assert after == tuple(each for each in before if each.id != gone)


@given(requests, hours())
def test_a_request_is_read_from_the_ledger_as_it_was_written(each: Exemption, when: Hours) -> None:
    """Also after a restart the same is off, in whatever hours."""
    each = replace(each, covers=replace(each.covers, hours=when))
    (again,) = add((), ASKED, asked(each), 0)
    assert again == each or (replace(again, covers=replace(again.covers, hours=each.covers.hours)) == each and again.covers.hours.always)


@pytest.mark.parametrize(
    "damage", [{"hours": "noon"}, {"surfaces": 7}, {"kinds": None}, {"ground": "rank"}, {"surfaces": [1], "kinds": ["mind"]}, {}]
)
def test_what_cannot_be_read_covers_more_and_not_less(damage: dict[str, object]) -> None:
    """A line of another version, or a damaged one: in doubt it is off."""
    whole = asked(Exemption("a" * 64, Ground.POWER, Covers(frozenset({EDITOR}), frozenset({Kind.FOCUS}), MORNINGS)))
    (read,) = add((), ASKED, {**whole, **damage} if damage else {"id": "a" * 64}, 0)
    assert read.covers.takes(EDITOR, Kind.FOCUS)
    assert read.covers.may_hold([IN_THE_MORNING])


def test_how_far_it_has_come_is_said_by_the_latest_clock() -> None:
    """Pending, granted, denied, ended; one's own choice needs nobody, and a denial is never an end."""
    one = Exemption("a" * 64, Ground.POWER, Covers())
    assert one.stage([5]) is Stage.PENDING
    assert replace(one, ground=Ground.MY_CHOICE).stage([5]) is Stage.GRANTED
    assert replace(one, granted=True).stage([5]) is Stage.GRANTED
    assert replace(one, granted=False, decided_until_ms=1).stage([5]) is Stage.DENIED
    assert replace(one, granted=True, decided_until_ms=10).stage([5, 10]) is Stage.ENDED
    assert replace(one, granted=True, decided_until_ms=10, until_ms=3).stage([5]) is Stage.ENDED


def test_what_it_covers_is_refused_as_exempt_when_seen_and_when_sealed() -> None:
    """On the surface that it names; elsewhere nothing changes. What was held before the asking is refused at sealing, too."""
    standing = replace(recording(), exempt=(Covers(frozenset({EDITOR})),))
    for moment in Asked:
        answer = decide(click(), standing, moment)
        assert isinstance(answer, Refused)
        assert answer.why is Why.EXEMPT
    assert isinstance(decide(click(), replace(standing, exempt=(Covers(frozenset({MAIL})),))), Admitted)


@pytest.mark.parametrize(("wall_ms", "kept"), [(IN_THE_MORNING, False), (IN_THE_EVENING, True)])
def test_an_exemption_for_some_hours_takes_what_was_seen_in_them(wall_ms: int, kept: bool) -> None:
    """Whenever it is asked about: what was seen in the evening is sealed on a morning, and what was seen in the morning never is."""
    now = replace(recording(), scope=Scope({}), aside=everything(), exempt=(Covers(frozenset({EDITOR}), hours=MORNINGS),))
    seen = click()
    answer = decide(type(seen)(seen.surface, 1, Clocks(1, 1, wall_ms), 1, 1, seen.payload), now, Asked.SEALING)
    assert isinstance(answer, Admitted) is kept


@pytest.mark.parametrize(
    ("instants_ms", "holds"), [([], True), ([IN_THE_MORNING], True), ([IN_THE_EVENING, IN_THE_MORNING], True), ([IN_THE_EVENING], False)]
)
def test_hours_of_an_exemption_hold_as_soon_as_one_clock_may_be_in_them(instants_ms: list[int], holds: bool) -> None:
    """INV-5: a clock that is set can only close."""
    assert Covers(hours=MORNINGS).may_hold(instants_ms) is holds


def test_an_hour_that_is_shown_twice_is_within_what_closes_and_outside_what_opens() -> None:
    """Daylight saving ends on 2026-10-25 in Berlin: 00:30 and 01:30 UTC are both 02:30 there."""
    night = parse("sun 2:00-3:00 Europe/Berlin")
    assert (night.hold(ms("2026-10-25 00:30")), night.may_hold(ms("2026-10-25 00:30"))) == (False, True)
    assert (night.hold(ms("2026-10-25 12:00")), night.may_hold(ms("2026-10-25 12:00"))) == (False, False)


def test_every_ground_and_stage_has_words() -> None:
    """None is shown to somebody as nothing."""
    assert set(exemption.GROUND_WORDS) == set(Ground)
    assert set(exemption.STAGE_WORDS) == set(Stage)
    assert State.EXEMPT
