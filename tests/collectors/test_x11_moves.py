"""Moves out of the RECORD stream: all are counted, one in 34 ms is looked at, none where that is not granted."""

import struct
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.backends.x11_moves import LULL_MS, Moves, Pile
from collectors.backends.x11_record import MAPPING_CHANGED, MOTION, Range, ranges_of_moves
from collectors.errors import DisplayGoneError
from collectors.paths import SPACING_MS
from collectors.raw import Monitor
from consent.vocabulary import Kind, Why
from tests.collectors.stage import EDITOR, LEFT, TOP, Stage

HELD = 0x100
TIMES = st.lists(st.integers(0, 60), min_size=1, max_size=60).map(lambda steps: [1_000 + sum(steps[: at + 1]) for at in range(len(steps))])


def _move(time_ms: int, x: int = 30, y: int = -40, state: int = 0) -> bytes:
    """With the server's own time before it, which is later where it was busy."""
    return struct.pack("=IBBHIIIIhhhhHBB", (time_ms + 3) % 2**32, MOTION, 0, 0, time_ms, 1, 0, 0, x, y, 0, 0, state, 1, 0)


def _reply(*events: bytes) -> bytes:
    data = b"".join(events)
    return struct.pack("=BBHI24x", 1, 0, 0, len(data) // 4) + data


def _pile(times_ms: list[int]) -> Pile:
    pile = Pile()
    pile.add(bytearray(b"".join(_reply(_move(time_ms)) for time_ms in times_ms)))
    return pile


@given(cuts=st.lists(st.integers(0, 300), max_size=8))
def test_no_move_is_lost_wherever_the_stream_is_cut(cuts: list[int]) -> None:
    """One in a message, three in one, another message between; half a message waits."""
    stream = _reply() + _reply(_move(7)) + struct.pack("=B31x", MAPPING_CHANGED) + _reply(_move(8), _move(9), _move(10))
    pile, rest, n = Pile(), bytearray(), 0
    for begin, end in pairwise([0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]):
        rest += stream[begin:end]
        pile.add(rest)
        n += pile.count(None)
    assert (n, bytes(rest)) == (4, b"")


def test_an_answer_that_is_an_error_or_no_event_ends_it() -> None:
    """Nothing is guessed after it."""
    for broken in (bytes(32), _reply(_move(7)[:32])):
        with pytest.raises(DisplayGoneError):
            Pile().add(bytearray(broken))


@given(times_ms=TIMES, untils_ms=st.lists(st.integers(990, 4_000), max_size=4))
def test_what_is_looked_at_is_far_apart_and_stands_for_all(times_ms: list[int], untils_ms: list[int]) -> None:
    """lead + sum of n = moves until each instant, for any cuts; places are the first moves that are far enough from the last look."""
    pile, taken, last_ms = _pile(times_ms), 0, -SPACING_MS
    for until_ms in [*sorted(untils_ms), None]:
        due = [time_ms for time_ms in times_ms if until_ms is None or time_ms <= until_ms]
        lead, places = pile.look(until_ms)
        expected = []
        for time_ms in due[taken:]:
            if time_ms - last_ms >= SPACING_MS:
                expected.append(time_ms)
                last_ms = time_ms
        assert [place.time_ms for place in places] == expected
        assert lead + sum(place.n for place in places) == len(due) - taken
        taken, last_ms = len(due), until_ms if until_ms is not None else last_ms


def test_a_place_says_where_and_whether_a_button_was_down() -> None:
    """Of the first three buttons; not of the wheel, whose presses are over at once."""
    pile = Pile()
    pile.add(bytearray(_reply(_move(1_000, 5, -6, HELD), _move(2_000, 7, 8), _move(3_000, 9, 10, 0x800))))
    assert [(place.x, place.y, place.held) for place in pile.look(None)[1]] == [(5, -6, True), (7, 8, False), (9, 10, False)]


def test_the_server_s_clock_may_wrap() -> None:
    """Once in 49 days: no move is lost, and those after it are thinned again."""
    pile = _pile([2**32 - 2, 2**32 - 1, 0, 1, 2])
    assert sum(place.n for place in pile.look(None)[1]) == 5
    pile.add(bytearray(_reply(_move(9), _move(10), _move(43))))
    assert [(place.time_ms, place.n) for place in pile.look(None)[1]] == [(9, 2), (43, 1)]


class _Stream:
    """What `Moves` needs of a stream: bytes, and how often it was asked."""

    def __init__(self) -> None:
        self.rest, self.asked = bytearray(), 0

    def receive(self) -> bytearray:
        self.asked += 1
        return self.rest

    def fileno(self) -> int:
        return 5


class _Hook:
    """`Moves` over a stream that is fed by hand."""

    def __init__(self, granted: bool = True) -> None:
        self.stage, self.stream = Stage(), _Stream()
        self.stage.front(EDITOR)
        self.stage.later(300)
        monitors = SimpleNamespace(at=lambda x, y: Monitor(0, 0, 1280, 800))
        self.moves = Moves(self.stream, granted, self.stage.shaper, monitors, lambda: self.stage.now)  # type: ignore[arg-type]

    def feed(self, n: int) -> None:
        """So many moves, one a millisecond, until now."""
        begin_ms = self.stage.ms - n
        self.stream.rest += b"".join(_reply(_move(begin_ms + at, LEFT + 40 + at, TOP + 50)) for at in range(n))


def test_moves_that_keep_coming_are_read_a_few_times_a_second() -> None:
    """The first wakes; then nothing is waited on until it is time, and when none came, the socket is waited on again."""
    hook = _Hook()
    assert hook.moves.sources() == [5]
    hook.feed(1)
    hook.moves.pump(looked_at=True)
    assert (hook.moves.sources(), hook.moves.due_ms()) == ([], hook.stage.ms + LULL_MS)
    hook.stage.ms += 50
    hook.moves.pump(looked_at=True)
    assert hook.stream.asked == 1
    hook.stage.ms += LULL_MS
    hook.feed(200)
    hook.moves.pump(looked_at=True)
    assert hook.moves.sources() == []
    hook.stage.ms += LULL_MS
    hook.moves.pump(looked_at=True)
    assert (hook.moves.sources(), hook.moves.due_ms()) == ([5], None)
    assert hook.stage.shaper.pending() == 201


def test_moves_that_are_too_late_for_a_button_are_read_all_the_same() -> None:
    """They have left the socket, which wakes nobody for them any more: so they are due."""
    hook = _Hook()
    hook.feed(100)
    assert hook.moves.until(hook.stage.ms - 50, looked_at=True)
    assert hook.moves.came().moves == 51
    assert (hook.moves.sources(), hook.moves.due_ms()) == ([], hook.stage.ms + LULL_MS)
    hook.stage.ms += LULL_MS
    hook.moves.pump(looked_at=True)
    assert hook.moves.came().moves == 49


def test_where_paths_are_not_granted_or_nothing_recorded_is_in_front_no_move_is_looked_at() -> None:
    """They are counted at once, and no place is read."""
    for granted, looked_at in ((False, True), (True, False)):
        hook = _Hook(granted)
        hook.feed(200)
        hook.moves.pump(looked_at)
        assert hook.stage.shaper.pending() == 0
        assert hook.moves.trail(hook.stage.ms) == []
        hook.stage.take()
        assert hook.stage.dropped == {Why.NO_KIND: 200}


def test_moves_come_with_buttons_alone() -> None:
    """So that what was seen reconciles with what was done; without any pointer kind they are not hooked."""
    for kind in (Kind.POINTER_BUTTON, Kind.POINTER_SCROLL, Kind.POINTER_PATH):
        assert ranges_of_moves(frozenset({kind})) == [Range(MOTION, MOTION)]
    assert ranges_of_moves(frozenset({Kind.TYPING_BURST, Kind.FOCUS})) == []


def test_clocks_of_places_are_ours() -> None:
    """Of the move itself, not of when it was read."""
    hook = _Hook()
    hook.feed(100)
    hook.stage.ms += 150
    hook.moves.pump(looked_at=True)
    ages_ms = [hook.stage.ms - point.at.awake_ms for point in hook.moves.trail(hook.stage.ms)]
    assert ages_ms == [250 - 68, 250 - 34, 250]
