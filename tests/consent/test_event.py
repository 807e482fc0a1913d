"""What an event says of itself: counts only coarsely, its day by UTC, and never what it holds."""

import pytest

from consent.event import PAYLOADS, Bucket, Button, Clocks, Event, PointerButton
from consent.vocabulary import Kind, SurfaceId

BOUNDS = [(0, "0"), (1, "1"), (2, "2-4"), (4, "2-4"), (5, "5-8"), (8, "5-8"), (9, "9-16"), (16, "9-16"), (17, "17-32"), (32, "17-32")]


@pytest.mark.parametrize(("count", "bucket"), [*BOUNDS, (33, "33+"), (10**6, "33+")])
def test_a_count_of_keys_is_only_a_bucket(count: int, bucket: str) -> None:
    assert Bucket.of(count) == bucket


def test_a_day_is_that_of_utc() -> None:
    """One millisecond before midnight is the day before, wherever the computer stands."""
    midnight_ms = 1_800_057_600_000
    assert Clocks(0, 0, midnight_ms).day.isoformat() == "2027-01-16"
    assert Clocks(0, 0, midnight_ms - 1).day.isoformat() == "2027-01-15"


def test_an_event_shows_its_kind_and_count_and_nothing_else() -> None:
    event = Event(SurfaceId("editor"), 1, Clocks(1, 2, 3), 1, 4, PointerButton(5, 6, Button.LEFT, True))
    assert (event.kind, repr(event)) == (Kind.POINTER_BUTTON, "<Event pointer_button n=4>")
    assert repr(event.payload) == "<PointerButton>"
    assert {payload.kind for payload in PAYLOADS} == set(Kind)
