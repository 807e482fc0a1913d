"""`send` of a span takes exactly what lies in it: nothing outside leaves, nothing is lost, nothing is there twice."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.event import Bucket, Clocks, EndedBy, Event, FieldRole, TypingBurst
from consent.vocabulary import SurfaceId
from tests.transport.faults import Crash, dies_at, full_disk
from tests.transport.holds import BOOT, MINUTE, WALL, at, held, keep, opened
from tests.transport.makers import SURFACES, click
from tests.transport.test_sealing import Desk
from transport.span import Between, Everything, Last, OfSurface, Span, holds, within

SPAN = Between(WALL + 20, WALL + 30)


def test_a_segment_on_the_edge_is_cut_in_two_and_no_event_is_lost(tmp_path: Path) -> None:
    """Five events of one minute, two of them in the span: they are in segments of their own, and a restart finds the same."""
    hold = opened(tmp_path)
    keep(hold, 1, 20, 30, 31, 2 * MINUTE)
    ids = hold.cut_out(SPAN)
    inside = [event.at.boot_ms for part in hold.load(sorted(ids)) for event in part.events]
    assert (inside, held(hold), hold.stats().n) == ([20, 30], [1, 20, 30, 31, 2 * MINUTE], 10)
    again = opened(tmp_path)
    assert (held(again), again.stats().segments) == (held(hold), 3)
    assert hold.cut_out(SPAN) == ids


def test_exactly_the_span_is_sealed_and_the_rest_stays_held(tmp_path: Path) -> None:
    """One envelope with what lies in the span; its note covers nothing outside."""
    desk = Desk(tmp_path)
    desk.keep(1, 20, 30, 31)
    counts = desk.seal(span=Between(at_wall(20), at_wall(30)))
    assert (counts.envelopes, counts.n, desk.boxed(), desk.held()) == (1, 4, [20, 30], [1, 31])
    (note,) = desk.outbox.waiting()
    assert [(cover.first_boot_ms, cover.last_boot_ms) for cover in note.covers] == [(20, 30)]
    assert desk.seal(span=OfSurface(SurfaceId("mail"))).envelopes == 0
    assert desk.seal(span=Everything()).envelopes == 1


def at_wall(instant: int) -> int:
    return 1_700_000_000_000 + instant


def test_a_crash_at_any_change_of_a_cut_leaves_every_event_exactly_once(tmp_path: Path) -> None:
    """The cut dies at each single change in turn; after reopening all events are held once, and the same span is sealed once."""
    for change in range(200):
        folder = tmp_path / str(change)
        folder.mkdir()
        desk = Desk(folder)
        desk.keep(1, 20, 30, 31, MINUTE)
        try:
            with dies_at(change):
                desk.seal(span=Between(at_wall(20), at_wall(MINUTE - 1)))
        except Crash:
            again = Desk(folder)
            assert sorted(again.held() + again.boxed()) == [1, 20, 30, 31, MINUTE], change
            again.seal(span=Between(at_wall(20), at_wall(30)))
            assert [instant for instant in again.boxed() if instant in (1, MINUTE)] == [], change
            assert sorted(again.held() + again.boxed()) == [1, 20, 30, 31, MINUTE], change
            continue
        assert change > 12
        return
    pytest.fail("the cut does not end")


def test_a_full_disk_sends_nothing_and_loses_nothing(tmp_path: Path) -> None:
    """Where the pieces find no room, all stays held as it was, and the reason is said."""
    for room in range(0, 2400, 300):
        desk = Desk(tmp_path / str(room))
        desk.keep(1, 20, 30, 31)
        with full_disk(room):
            counts = desk.seal(span=Between(at_wall(20), at_wall(30)))
        assert counts.waits
        assert sorted(desk.held() + desk.boxed()) == [1, 20, 30, 31], room
        assert sorted(Desk(tmp_path / str(room)).held()) == [1, 20, 30, 31], room


def test_what_reaches_over_the_edge_of_the_span_stays() -> None:
    """A burst that began before the span is shown and forgotten with it, and not sent with it."""
    typed = TypingBurst(8, Bucket.FEW, Bucket.NONE, EndedBy.IDLE, FieldRole.TEXT)
    burst = Event(SurfaceId("editor"), 1, Clocks(900, 900, WALL + 900), 7, 9, typed)
    span = Between(WALL + 1000, WALL + 9000)
    assert holds(span, burst, BOOT, {})
    assert not within(span, burst, BOOT, {})


spans = st.one_of(
    st.builds(lambda begin, length: Between(WALL + begin, WALL + begin + length), st.integers(0, 9000), st.integers(0, 9000)),
    st.builds(lambda seconds: Last(seconds, at(9000), BOOT), st.integers(0, 12)),
    st.builds(OfSurface, st.sampled_from(SURFACES)),
    st.just(Everything()),
)


@given(spans, st.integers(0, 9000), st.sampled_from(SURFACES), st.integers(-5000, 5000), st.sampled_from([BOOT, "another"]))
def test_what_is_sent_of_a_span_would_also_be_forgotten_with_it(span: Span, instant: int, surface: str, skew: int, boot: str) -> None:
    """In doubt `send` takes less and `forget` more: never anything that `show` of the same span would not show."""
    event = click(instant, surface=surface, wall_ms=WALL + instant + skew)
    assert holds(span, event, boot, {}) or not within(span, event, boot, {})
