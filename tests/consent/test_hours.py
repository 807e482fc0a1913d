"""Hours: what a person wrote down, in the zone of then; no clock that is set opens them, and an hour shown twice or never is outside."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.event import Clocks
from consent.hours import ALWAYS, NO_HOURS, Hours, HoursError, parse, usual, within
from consent.steady import Anchor, anchored

BERLIN = "Europe/Berlin"
zones = st.sampled_from(["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe"])


@st.composite
def hours(draw: st.DrawFn) -> Hours:
    """Any hours that can be written down."""
    first = draw(st.integers(0, 6))
    begin_min = draw(st.integers(0, 24 * 60 - 1))
    days = frozenset(range(first, draw(st.integers(first, 6)) + 1))
    return Hours(days, begin_min, draw(st.integers(begin_min + 1, 24 * 60)), draw(zones))


def ms(text: str) -> int:
    """An instant in UTC as milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@given(hours())
def test_hours_are_read_as_they_are_written(each: Hours) -> None:
    """What stands in the receipt and the ledger is what was agreed to."""
    again = parse(each.text())
    assert again == each or (again == ALWAYS and each.always)


@pytest.mark.parametrize(
    ("instant", "inside"),
    [
        ("2026-11-20 07:59:59", False),  # a Friday; Berlin is an hour ahead
        ("2026-11-20 08:00:00", True),
        ("2026-11-20 15:59:59", True),
        ("2026-11-20 16:00:00", False),
        ("2026-11-21 10:00:00", False),
        ("2026-11-23 10:00:00", True),
    ],
)
def test_the_usual_hours_are_monday_to_friday_nine_to_five_where_they_were_written(instant: str, inside: bool) -> None:
    """The last minute ends before the end."""
    assert usual(BERLIN).hold(ms(instant)) is inside


def test_an_hour_that_is_shown_twice_or_never_is_outside() -> None:
    """On 25 October 2026 Berlin shows 2:00-3:00 twice, on 29 March it is never shown; around them the hours hold."""
    night = parse(f"sun 1:00-5:00 {BERLIN}")
    assert [night.hold(ms("2026-10-24 23:30") + n * 1_800_000) for n in range(9)] == [
        True,
        False,
        False,
        False,
        False,
        True,
        True,
        True,
        True,
    ]
    assert [night.hold(ms("2026-03-29 00:30") + n * 1_800_000) for n in range(3)] == [True, True, True]


@given(hours(), st.integers(0, 2**52))
def test_each_week_is_like_the_other_but_for_the_clocks_that_change(each: Hours, wall_ms: int) -> None:
    """No instant makes hours fail, however far it is away; what is beyond every calendar is outside."""
    assert each.hold(wall_ms) in (True, False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sometimes",
        "mon 9-17",
        "fri-mon 9:00-17:00",
        "mon 17:00-9:00",
        "mon 9:00-9:00",
        "mon 9:00-24:01",
        "mon 9:60-10:00",
        "xyz 9:00-17:00",
    ],
)
def test_what_says_no_hours_is_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(HoursError):
        parse(text)


def test_a_zone_that_is_not_known_is_refused_and_holds_nothing() -> None:
    """Neither when it is said, nor when a receipt names one that this computer has lost."""
    with pytest.raises(HoursError, match="knows no zone"):
        parse("mon-sun 0:00-23:00 Mars/Olympus")
    assert not Hours(frozenset(range(7)), 0, 23 * 60, "Mars/Olympus").hold(ms("2026-11-20 10:00"))
    assert not NO_HOURS.hold(ms("2026-11-20 10:00"))


@given(st.lists(hours(), max_size=3), st.lists(st.integers(0, 2**41), min_size=1, max_size=3))
def test_more_hours_and_more_clocks_never_open(every: list[Hours], instants_ms: list[int]) -> None:
    """Within all, at every instant: one more of either can only close."""
    if within(every, instants_ms):
        assert all(within(every[:-1], [each]) for each in instants_ms)


@given(st.integers(0, 2**40), st.integers(0, 2**40), st.integers(0, 2**41), st.integers(0, 2**41))
def test_setting_the_wall_clock_does_not_move_the_other_clock(boot_ms: int, later_ms: int, wall_ms: int, set_to_ms: int) -> None:
    """INV-5: what the anchor says depends on elapsed time alone."""
    first = Anchor("boot", Clocks(0, boot_ms, wall_ms))
    later = Clocks(0, boot_ms + later_ms, set_to_ms)
    assert anchored(first, "boot", later) is first
    assert first.instants_ms(later) == (set_to_ms, wall_ms + later_ms)


def test_another_start_of_the_machine_has_another_anchor() -> None:
    """Its clocks began anew; and a file that is of the future, or of no start at all, is not believed."""
    kept, now = Anchor("boot", Clocks(9, 9, 9)), Clocks(5, 5, 5)
    assert anchored(kept, "boot", now) == Anchor("boot", now)
    assert anchored(kept, "other", Clocks(10, 10, 10)).boot == "other"
    assert anchored(Anchor("", Clocks(1, 1, 1)), "", now) == Anchor("", now)
    assert anchored(None, "boot", now) == Anchor("boot", now)
