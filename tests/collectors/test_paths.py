"""Paths: only of drags, and of the way to a press that is kept; thinned, cut, and every raw move in one place."""

from itertools import pairwise

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.account import Account
from collectors.paths import APPROACH_MS, CUT_MS, LONGEST_MS, SPACING_MS, STILL_PX, Paths
from collectors.raw import Button as RawButton
from collectors.raw import Geometry, Monitor, Point, Went
from consent.event import MAX_POINTS, Clocks, Event, PointerPath
from consent.vocabulary import Kind, SurfaceId, Why
from consent.words import PathPurpose
from tests.collectors.stage import DIALOG, EDITOR, ELSEWHERE, GEOMETRY, LEFT, TOP, Stage

WAY = ((300, 200), (200, 150), (100, 80), (60, 60))


def _paths(stage: Stage) -> list[tuple[PointerPath, Event]]:
    return [(event.payload, event) for event in stage.settle() if isinstance(event.payload, PointerPath)]


def test_the_way_to_a_press_is_a_path_before_it() -> None:
    """Relative to the window, from its first point on, and for all its raw moves."""
    stage = Stage().in_editor()
    begun = stage.now
    stage.way(*WAY)
    stage.more(7)
    stage.click()
    events = [event for event in stage.settle() if event.surface]
    assert [event.kind for event in events] == [Kind.POINTER_PATH, Kind.POINTER_BUTTON, Kind.POINTER_BUTTON]
    path = events[0]
    assert path.payload == PointerPath(PathPurpose.APPROACH, (0, 40, 80, 120), (300, 200, 100, 60), (200, 150, 80, 60), 0, 0, 100)
    assert (path.at, path.n, path.surface, path.window) == (begun, 11, EDITOR.surface, 1)
    assert stage.dropped == {}


def test_a_hand_that_hovers_leaves_nothing() -> None:
    """A second and a half after the last move all of it is forgotten and counted; it was pending until then."""
    stage = Stage().in_editor()
    stage.way(*WAY)
    stage.later(APPROACH_MS)
    assert stage.shaper.pending() == len(WAY)
    stage.later(300)
    assert stage.shaper.pending() == 0
    assert stage.settle() == []
    assert stage.dropped == {Why.NO_KIND: len(WAY)}


def test_only_the_last_second_and_a_half_leads_to_a_press() -> None:
    """A hand that went on and on: what is older is forgotten while it goes."""
    stage = Stage().in_editor()
    stage.way(*(((at * 9) % 500, 60) for at in range(100)))
    stage.click()
    assert stage.shaper.pending() <= APPROACH_MS // 40 + 3
    ((path, event),) = _paths(stage)
    assert APPROACH_MS - 80 <= path.t_ms[-1] <= APPROACH_MS
    assert event.n == len(path.t_ms)
    assert stage.dropped == {Why.NO_KIND: 100 - event.n}


def test_what_led_to_a_press_that_is_refused_is_forgotten() -> None:
    """Over another window; and a click after it has no path."""
    stage = Stage().in_editor()
    stage.way(*WAY)
    stage.click(window=0)
    stage.later(300)
    stage.click()
    assert _paths(stage) == []
    assert stage.dropped == {Why.NO_KIND: len(WAY), Why.SURFACE_NOT_ALLOWED: 2}


def test_nothing_leads_to_a_press_across_windows() -> None:
    """Another window came to the front in between, or this one was moved, or the way went out of it."""
    for between in (
        lambda stage: (stage.front(DIALOG), stage.later(300), stage.front(EDITOR), stage.later(300)),
        lambda stage: stage.front(EDITOR, Geometry(0, 0, 600, 400, 1280, 800)),
        lambda stage: stage.went(-1, 50),
        lambda stage: stage.went(50, GEOMETRY.height),
    ):
        stage = Stage().in_editor()
        stage.way(*WAY)
        between(stage)
        stage.click()
        assert _paths(stage) == []
        assert stage.dropped[Why.NO_KIND] >= len(WAY)


def test_moves_while_something_else_is_in_front_are_no_way() -> None:
    """Even if they come late, when the recorded window is in front again."""
    stage = Stage()
    stage.front(ELSEWHERE)
    stage.later(300)
    stage.way((40, 50), (400, 300))
    stage.front(EDITOR)
    stage.later(1)
    stage.click()
    assert _paths(stage) == []
    assert stage.dropped == {Why.NO_KIND: 2}


def test_moves_that_come_after_another_window_are_not_its_way() -> None:
    """They are read late: made in the editor, and told when a dialog of the same place is in front."""
    stage = Stage().in_editor()
    made = [stage.now]
    stage.later(40)
    made.append(stage.now)
    stage.later(10)
    stage.front(DIALOG)
    stage.later(10)
    stage.arrived += 2
    stage.shaper.went(Went(made[0], 0, tuple(Point(at, LEFT + x, TOP + 50, 1) for at, x in zip(made, (40, 400), strict=True))))
    stage.click(window=2)
    assert _paths(stage) == []
    assert stage.dropped == {Why.NO_KIND: 2}


def test_what_went_over_another_window_is_no_way() -> None:
    """What the back end found to be over a notification, and all before it."""
    stage = Stage().in_editor()
    stage.way(*WAY)
    stage.button(1, True, over_since_ms=stage.ms - 80)
    stage.button(1, False)
    ((path, event),) = _paths(stage)
    assert (path.x, event.n) == ((100, 60), 2)
    assert stage.dropped == {Why.NO_KIND: 2}


def test_a_button_that_was_pressed_elsewhere_draws_no_way() -> None:
    """Something is dragged over the window from another one."""
    stage = Stage().in_editor()
    stage.way(*WAY, held=True)
    stage.click()
    assert _paths(stage) == []


def test_a_drag_is_a_path_from_its_press_on() -> None:
    """Its first point is the press; the window's corner at the press counts, and it goes on until the release."""
    stage = Stage().in_editor()
    pressed = stage.now
    stage.button(1, True)
    stage.later(40)
    stage.way((60, 50), (90, 50), (500, 3), held=True)
    stage.more(5)
    stage.button(1, False)
    stage.way((40, 50), (300, 300))
    events = [event for event in stage.settle() if event.surface]
    assert [event.kind for event in events] == [Kind.POINTER_BUTTON, Kind.POINTER_PATH, Kind.POINTER_BUTTON]
    assert events[1].payload == PointerPath(PathPurpose.DRAG, (0, 40, 80, 120), (40, 60, 90, 500), (50, 50, 50, 3), 0, 0, 100)
    assert (events[1].at, events[1].n) == (pressed, 8)
    assert stage.dropped == {Why.NO_KIND: 2}


def test_a_drag_whose_press_brings_its_window_to_the_front_is_kept_from_there() -> None:
    """The press waits for the window, and its moves behind it; if no window comes, all are forgotten."""
    for comes in (True, False):
        stage = Stage()
        stage.front(ELSEWHERE)
        stage.later(300)
        stage.button(1, True)
        stage.way((60, 50), (90, 50), held=True)
        assert stage.shaper.pending() == 3
        if comes:
            stage.front(EDITOR)
        stage.later(300)
        stage.way((200, 50), held=True)
        stage.button(1, False)
        paths = _paths(stage)
        assert [event.n for _, event in paths] == ([3] if comes else [])
        assert stage.dropped.get(Why.NO_KIND, 0) == (0 if comes else 3)


def test_a_long_drag_is_several_paths_of_at_most_ninety_points() -> None:
    """None of them longer, nothing between them lost, and no more than thirty points in any second across them."""
    stage = Stage().in_editor()
    stage.button(1, True)
    stage.later(SPACING_MS)
    stage.way(*((at * 6 % 500, 50) for at in range(400)), held=True, step_ms=SPACING_MS)
    stage.button(1, False)
    paths = _paths(stage)
    assert sum(event.n for _, event in paths) == 400
    assert max(len(path.t_ms) for path, _ in paths) <= MAX_POINTS
    assert len(paths) > 4
    times_ms = [event.at.awake_ms + t_ms for path, event in paths for t_ms in path.t_ms]
    assert times_ms == sorted(times_ms)
    assert all(later - earlier >= SPACING_MS for earlier, later in pairwise(times_ms))


def test_a_slow_drag_is_told_while_it_goes_on() -> None:
    """No more than about three seconds of it are lost with a killed observer, and nothing is due while it rests."""
    stage = Stage().in_editor()
    stage.button(1, True)
    stage.later(10_000)
    stage.way((60, 50), (90, 50), held=True)
    stage.later(CUT_MS + 300)
    stage.take()
    told = [event for message in stage.told for event in message.events if isinstance(event.payload, PointerPath)]
    assert [event.n for event in told] == [2]
    assert stage.shaper.due_ms() is None
    stage.later(100_000)
    stage.way((200, 50), (300, 50), held=True)
    stage.button(1, False)
    assert [event.n for _, event in _paths(stage)] == [2, 2]


def test_a_drag_that_begins_a_minute_after_its_press_begins_with_its_first_move() -> None:
    """No event tells a longer time, and what it tells can be read again."""
    stage = Stage().in_editor()
    stage.button(1, True)
    stage.later(LONGEST_MS + 1)
    stage.way((60, 50), (90, 50), held=True)
    stage.button(1, False)
    ((path, event),) = _paths(stage)
    assert (path.t_ms, path.x) == ((0, 40), (60, 90))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(event), type=Event) == event


def test_a_release_that_was_never_seen_ends_the_drag() -> None:
    """A move says itself whether a button is down: what follows is no drag, wherever it goes."""
    stage = Stage().in_editor()
    stage.button(1, True)
    stage.later(40)
    stage.way((90, 50), held=True)
    stage.way((90, 900), (300, 950))
    stage.button(1, False)
    ((path, event),) = _paths(stage)
    assert (path.x, event.n) == ((40, 90), 1)
    assert stage.dropped == {Why.NO_KIND: 2}


def test_a_hand_that_trembles_on_a_click_drags_nothing() -> None:
    """And a way of no length leads nowhere."""
    stage = Stage().in_editor()
    stage.way((40, 50), (40, 51))
    stage.button(1, True)
    stage.later(40)
    stage.way((40 + STILL_PX - 1, 50), (41, 50), held=True)
    stage.button(1, False)
    assert _paths(stage) == []
    assert stage.dropped == {Why.NO_KIND: 4}


def test_the_wheel_and_the_side_buttons_drag_nothing() -> None:
    """Moves while they are down are nobody's."""
    for number in (4, 8):
        stage = Stage().in_editor()
        stage.button(number, True)
        stage.later(40)
        stage.way((90, 50), (200, 50), held=True)
        stage.button(number, False)
        assert _paths(stage) == []
        assert stage.dropped == {Why.NO_KIND: 2}


def test_a_path_names_the_monitor_that_it_begins_on() -> None:
    """Origin and scale, cut to what fits."""
    stage = Stage().in_editor()
    stage.monitor = Monitor(640, 0, 640, 800, 150)
    stage.went(300, 200)
    stage.monitor = Monitor(0, 0, 640, 800, 150)
    stage.later(40)
    stage.way((100, 80))
    stage.click()
    ((path, _),) = _paths(stage)
    assert (path.monitor_x, path.monitor_y, path.scale_percent) == (640, 0, 150)


def test_paths_that_are_not_granted_are_not_told() -> None:
    """Counted as what was not agreed to, should a back end look all the same."""
    stage = Stage(frozenset({Kind.POINTER_BUTTON})).in_editor()
    stage.way(*WAY)
    stage.click()
    assert {event.kind for event in stage.settle()} == {Kind.POINTER_BUTTON}
    assert stage.dropped == {Why.KIND_NOT_CONSENTED: len(WAY)}


HAND = st.lists(
    st.one_of(
        st.tuples(st.just("point"), st.integers(-20, 650), st.integers(-20, 450), st.integers(1, 40), st.booleans()),
        st.tuples(st.just("more"), st.integers(1, 40)),
        st.tuples(st.just("press"), st.sampled_from([1, 2, 3, 8]), st.booleans()),
        st.tuples(st.just("release"), st.sampled_from([1, 2, 3, 8])),
        st.tuples(st.just("front"), st.sampled_from([0, 1, 2])),
        st.tuples(st.just("close")),
    ),
    max_size=80,
)


@settings(max_examples=300, deadline=None)
@given(hand=HAND, waits_ms=st.lists(st.sampled_from([0, 1, 20, 34, 35, 400, 2_000, 5_000, 70_000]), min_size=80, max_size=80))
def test_every_raw_move_is_in_one_path_or_dropped_and_no_path_is_finer_or_longer_than_promised(
    hand: list[tuple], waits_ms: list[int]
) -> None:
    """raw moves = sum of n + dropped + pending at any time, = sum of n + dropped at the end; whatever a hand does."""
    account = Account(7, frozenset(Kind))
    paths, ms, front, came = Paths(account, 7), 1_000_000, ELSEWHERE, 0
    for step, wait_ms in zip(hand, waits_ms, strict=False):
        ms += wait_ms
        paths.idle(ms)
        at = Clocks(ms, ms, ms)
        match step:
            case ("point", x, y, n, held):
                came += n
                paths.point(Point(at, x, y, n, held), front)
            case ("more", n):
                came += n
                paths.more(n)
            case ("press", number, over):
                paths.pressed(
                    RawButton(at, number, True, 1, False, 5, 5, LEFT, TOP, over_since_ms=ms - 100 if over else 0), SurfaceId("editor")
                )
            case ("release", number):
                paths.released(number)
            case ("front", window):
                front = (ELSEWHERE, EDITOR, DIALOG)[window]
                paths.front(ms, front, GEOMETRY if window else None)
            case ("close",):
                paths.close()
        assert sum(event.n for event in account.events) + account.dropped.get(Why.NO_KIND, 0) + paths.pending() == came
        assert paths.pending() == 0 or paths.due_ms() is not None
    paths.close()
    assert paths.pending() == 0
    for event in account.events:
        path = event.payload
        assert isinstance(path, PointerPath)
        assert 2 <= len(path.t_ms) <= MAX_POINTS
        assert path.t_ms[-1] <= LONGEST_MS
        assert all(later - earlier >= SPACING_MS for earlier, later in pairwise(path.t_ms))
        assert event.n >= len(path.t_ms) - 1
        assert 0 <= min(path.x) <= max(path.x) < GEOMETRY.width
        assert 0 <= min(path.y) <= max(path.y) < GEOMETRY.height
