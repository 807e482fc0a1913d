"""What a span covers, and when a hold is over: in doubt, more is forgotten and nothing is sent."""

import pytest

from consent.event import Bucket, Clocks, EndedBy, Event, FieldRole, Gap, TypingBurst
from consent.vocabulary import SurfaceId
from tests.transport.makers import click
from transport.span import Between, Everything, Last, OfSurface, cover_of, ends_of, holds, is_due, join_by_boot, touches

NOW = Clocks(1_000_000, 1_000_000, 2_000_000_000)
TEN_MINUTES = Last(600, NOW, "today")


def _at(boot_ms: int, wall_ms: int) -> Event:
    return click(boot_ms, wall_ms=wall_ms)


@pytest.mark.parametrize(
    ("boot_ms", "wall_ms", "covered"),
    [
        (400_000, 1_999_400_000, True),  # exactly ten minutes ago on both clocks
        (399_999, 1_999_399_999, False),
        (399_999, 2_000_000_000, True),  # the wall clock says just now
        (900_000, 1_000_000_000, True),  # the wall clock was set forward since: only the elapsed time knows
        (100_000, 9_000_000_000, True),  # the wall clock was set back since: the event seems to be in the future
    ],
)
def test_the_last_minutes_cover_by_whichever_clock_covers_more(boot_ms: int, wall_ms: int, covered: bool) -> None:
    """An event within the reach of either clock is in the span; a clock that was set hides nothing."""
    assert holds(TEN_MINUTES, _at(boot_ms, wall_ms), "today", {}) is covered


def test_events_before_a_restart_are_covered_by_what_time_must_have_passed() -> None:
    """Of an earlier start, at least the time to its last known event and this start's own time have elapsed; not more is assumed."""
    early = Last(600, Clocks(300_000, 300_000, 2_000_000_000), "today")
    ends = {"yesterday": 9_000_000}
    assert holds(early, _at(8_800_000, 0), "yesterday", ends)
    assert not holds(early, _at(8_600_000, 0), "yesterday", ends)


def test_what_began_before_the_span_and_reaches_into_it_is_covered() -> None:
    """A typing burst and a gap lie in a span that only their end touches."""
    burst = TypingBurst(8, Bucket.FEW, Bucket.NONE, EndedBy.IDLE, FieldRole.TEXT)
    began = Clocks(399_000, 399_000, 1_999_399_000)
    assert holds(TEN_MINUTES, Event(SurfaceId("editor"), 1, began, 7, 9, burst), "today", {})
    assert holds(TEN_MINUTES, Event(None, 0, Clocks(360_000, 360_000, 1_999_360_000), 7, 0, Gap()), "today", {})


def test_a_surface_and_a_stretch_of_time_and_everything() -> None:
    """The other spans cover what their names say, ends included."""
    event = _at(5, 1_000)
    assert holds(OfSurface(SurfaceId("editor")), event, "today", {})
    assert not holds(OfSurface(SurfaceId("mail")), event, "today", {})
    assert holds(Between(1_000, 1_000), event, "today", {})
    assert not holds(Between(1_001, 2_000), event, "today", {})
    assert holds(Everything(), event, "today", {})


def test_a_cover_touches_whatever_its_events_touch() -> None:
    """No span that holds an event misses the cover of many."""
    made = [click(at, surface=surface) for at, surface in ((10, "editor"), (500_000, "mail"), (900_000, "sheets"))]
    covers = join_by_boot([cover_of(made[:2], "today"), cover_of(made[2:], "today"), cover_of(made, "yesterday")])
    assert len(covers) == 2
    for span in (TEN_MINUTES, OfSurface(SurfaceId("mail")), Between(1_700_000_500_000, 1_700_000_500_001), Everything()):
        for event in made:
            assert not holds(span, event, "today", ends_of(covers)) or touches(span, covers[0], ends_of(covers))


def test_within_one_start_no_wall_clock_ends_a_hold() -> None:
    """A hold is over by elapsed time; setting the clock a year ahead changes nothing."""
    cover = cover_of([_at(100_000, 1_000_000_000)], "today")
    ahead = Clocks(200_000, 200_000, 40_000_000_000)
    assert not is_due(cover, boot="today", now=ahead, hold_s=900)
    assert is_due(cover, boot="today", now=Clocks(0, 1_000_000, 0), hold_s=900)


def test_after_a_restart_the_wall_clock_ends_a_hold() -> None:
    """How long the machine was off only the wall clock knows."""
    cover = cover_of([_at(100_000_000, 1_000_000_000)], "yesterday")
    assert is_due(cover, boot="today", now=Clocks(60_000, 60_000, 1_000_900_000), hold_s=900)
    assert not is_due(cover, boot="today", now=Clocks(60_000, 60_000, 1_000_899_999), hold_s=900)
