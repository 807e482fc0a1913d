"""Clicks, wheel, the window in front, gaps, and the clocks of each."""

from hypothesis import given
from hypothesis import strategies as st

from collectors.account import Account
from collectors.minimise import MINUTE_MS, Context
from collectors.pipe import encode
from collectors.raw import Front, Geometry, NoRole
from collectors.shape import HOLD_MS
from collectors.window import Timeline, focus_of
from consent.event import Button, Control, Event, Focus, Gap, PointerButton, PointerPath, PointerScroll, Switch
from consent.frames import MAX_FRAME_BYTES
from consent.vocabulary import Kind, Why
from consent.words import PathPurpose
from tests.collectors.stage import DIALOG, EDITOR, ELSEWHERE, GEOMETRY, OWN, START_MS, Stage


def test_a_click_is_two_events_of_one_input_relative_to_the_window() -> None:
    """Without delay: nothing has to be waited for."""
    stage = Stage().in_editor()
    stage.click(3)
    stage.later(0)
    stage.take()
    events = [event for message in stage.told for event in message.events]
    assert [event.payload for event in events] == [PointerButton(40, 50, Button.RIGHT, True), PointerButton(40, 50, Button.RIGHT, False)]
    assert [event.n for event in events] == [1, 1]


def test_a_notch_is_one_event_of_two_inputs() -> None:
    """Down, up, right and left."""
    stage = Stage().in_editor()
    for number in (5, 4, 7, 6):
        stage.click(number)
    events = stage.settle()
    assert [event.payload for event in events] == [PointerScroll(40, 50, *turn) for turn in ((0, 1), (0, -1), (1, 0), (-1, 0))]
    assert {event.n for event in events} == {2}


def test_a_click_counts_only_in_a_recorded_window_that_is_in_front() -> None:
    """Over another window, over one of ours, with another window in front, with none of them recorded."""
    stage = Stage().in_editor()
    stage.click(window=2)
    stage.button(1, True, window=0, own=True)
    stage.button(1, False)
    stage.later(300)
    for front, window in ((DIALOG, 1), (ELSEWHERE, 0), (OWN, 0)):
        stage.front(front)
        stage.later(1)
        stage.click(window=window)
        stage.later(300)
    assert not [event for event in stage.settle() if event.kind is Kind.POINTER_BUTTON]
    assert stage.dropped == {Why.SURFACE_NOT_ALLOWED: 6, Why.OWN_WINDOW: 4}


def test_a_click_that_brings_its_window_to_the_front_is_its() -> None:
    """Press and release, told once the window is there, and before it is told as the one in front."""
    for wait_ms in (1, 2, HOLD_MS):
        stage = Stage()
        stage.front(ELSEWHERE)
        stage.later(300)
        stage.click()
        stage.later(wait_ms - 1)
        assert stage.shaper.pending() == 2
        stage.ms += 1
        stage.front(EDITOR)
        stage.later(0)
        stage.take()
        events = [event for message in stage.told for event in message.events if event.surface]
        assert [(event.kind, event.n) for event in events] == [(Kind.POINTER_BUTTON, 1), (Kind.POINTER_BUTTON, 1), (Kind.FOCUS, 0)]
        assert stage.dropped == {}


def test_a_click_that_brings_nothing_to_the_front_or_something_else_is_refused_after_the_hold() -> None:
    """Another window, ours, none, or its own too late; and what came after it waits so long, and no longer."""
    for front, after_ms in ((None, 100), (ELSEWHERE, 100), (DIALOG, 100), (OWN, 100), (EDITOR, HOLD_MS + 1)):
        stage = Stage()
        stage.front(ELSEWHERE)
        stage.later(300)
        stage.click()
        stage.click(5, window=0)
        stage.later(after_ms)
        if front is not None:
            stage.front(front)
        stage.later(HOLD_MS - after_ms)
        stage.take()
        assert stage.dropped == {Why.SURFACE_NOT_ALLOWED: 4}
        assert stage.shaper.pending() == 0


def test_a_wheel_counts_only_over_the_window_in_front() -> None:
    """It turns in a window without bringing it there."""
    stage = Stage()
    stage.front(ELSEWHERE)
    stage.later(300)
    stage.click(5)
    stage.later(2)
    stage.front(EDITOR)
    stage.later(0)
    stage.take()
    assert stage.dropped == {Why.SURFACE_NOT_ALLOWED: 2}


def test_a_release_goes_where_its_press_went() -> None:
    """A button pressed in the editor and released after another window came to the front was released in the editor."""
    stage = Stage().in_editor()
    stage.button(1, True)
    stage.front(ELSEWHERE)
    stage.later(1)
    stage.button(1, False)
    events = [event for event in stage.settle() if event.kind is Kind.POINTER_BUTTON]
    assert [event.surface for event in events] == [EDITOR.surface] * 2


def test_other_buttons_and_moves_are_no_kind() -> None:
    """They are counted and nothing else."""
    stage = Stage().in_editor()
    stage.click(12)
    stage.arrived += 1_000
    stage.shaper.moved(1_000)
    assert stage.settle() == []
    assert stage.dropped == {Why.NO_KIND: 1_002}


def test_far_coordinates_are_cut_to_what_fits() -> None:
    """A window may lie far outside; the message must not be malformed for it."""
    assert focus_of(Geometry(-90_000, 90_000, 70_000, -1, 1, 1)) == Focus(-32_767, 32_767, 65_535, 0, 1, 1)


def test_a_window_in_front_is_told_with_its_place_and_again_when_it_moved() -> None:
    """Its number stays."""
    stage = Stage()
    stage.front(EDITOR)
    stage.front(EDITOR, Geometry(0, 0, 50, 50, 1280, 800))
    events = [event for event in stage.settle() if event.kind is Kind.FOCUS]
    assert [event.payload for event in events] == [focus_of(GEOMETRY), Focus(0, 0, 50, 50, 1280, 800)]
    assert {(event.window, event.n) for event in events} == {(1, 0)}


def test_whatever_happens_in_a_gap_is_one_gap_cut_to_the_minute() -> None:
    """Three windows that are not recorded, one of them ours: one event, and no clock tells the second."""
    stage = Stage().in_editor()
    stage.ms += 12_345
    for front in (ELSEWHERE, OWN, ELSEWHERE):
        stage.front(front)
        stage.later(7_000)
    (gap,) = stage.settle()
    assert (gap.payload, gap.surface, gap.window, gap.n) == (Gap(), None, 0, 0)
    assert gap.at.wall_ms % MINUTE_MS == 0
    assert gap.at.wall_ms - gap.at.awake_ms == stage.now.wall_ms - stage.ms


def test_nothing_in_front_for_a_moment_between_two_windows_is_no_gap() -> None:
    """Window managers do that; a quarter second of it is a gap. Clicks in between count for no window all the same."""
    stage = Stage().in_editor()
    for wait_ms, kinds in ((200, [Kind.FOCUS]), (260, [Kind.GAP, Kind.FOCUS])):
        stage.told.clear()
        stage.later(1)
        stage.front(ELSEWHERE)
        stage.later(5)
        stage.click(window=0)
        stage.later(wait_ms)
        stage.front(EDITOR)
        assert [event.kind for event in stage.settle()] == kinds
        assert stage.dropped == {Why.SURFACE_NOT_ALLOWED: 2}


def test_the_recording_tells_its_own_begin_and_end() -> None:
    """Started when the hooks are in place; stopped if there is still time to say so."""
    stage = Stage()
    stage.shaper.close(stage.now)
    assert [event.payload for event in stage.settle()] == [Control(Switch.STARTED), Control(Switch.STOPPED)]


def test_what_is_not_granted_is_not_told() -> None:
    """A kind without consent is counted, not sent."""
    stage = Stage(frozenset({Kind.POINTER_BUTTON})).in_editor()
    stage.click(1)
    stage.click(5)
    stage.strike("Return")
    assert {event.kind for event in stage.settle()} == {Kind.POINTER_BUTTON}
    assert stage.dropped == {Why.KIND_NOT_CONSENTED: 4}


def test_a_daemon_that_does_not_read_costs_bounded_memory() -> None:
    """What does not fit any more is dropped and counted, and each message fits a frame."""
    stage = Stage().in_editor()
    for _ in range(3_000):
        stage.click()
        stage.later(0)
    assert stage.shaper.waiting() == (5_000, 1_000)
    stage.take()
    assert stage.dropped == {Why.HOLD_FULL: 1_000}
    assert stage.seen == stage.arrived
    assert max(len(message.events) for message in stage.told) <= 400


def test_long_paths_that_nobody_reads_fit_their_messages_and_a_bounded_memory() -> None:
    """A path is as long as a dozen clicks: fewer are kept, fewer go into a message, and every raw input is told all the same."""
    account = Account(7, frozenset(Kind))
    times_ms, far = tuple(range(0, 34 * 90, 34)), tuple(30_000 - at for at in range(90))
    for _ in range(2_000):
        account.came(9)
        payload = PointerPath(PathPurpose.DRAG, times_ms, far, far)
        account.keep(Event(EDITOR.surface, 1, Stage().now, 7, 9, payload))
    told = account.take(pending=0)
    assert sum(message.seen for message in told) == 2_000 * 9
    assert all(message.seen == sum(event.n for event in message.events) + sum(message.dropped.values()) for message in told)
    assert max(len(encode(message)) for message in told) <= MAX_FRAME_BYTES
    assert 500 < sum(len(message.events) for message in told) < 2_000


@given(changes=st.lists(st.tuples(st.integers(0, 50), st.sampled_from([EDITOR, DIALOG, ELSEWHERE])), max_size=12), at=st.integers(-5, 300))
def test_the_timeline_answers_with_what_held_last_before_an_instant(changes: list[tuple[int, Front]], at: int) -> None:
    """Against the plain definition, for any changes and any instant."""
    timeline, ms = Timeline(START_MS), START_MS
    whole = [Context(START_MS, ELSEWHERE, NoRole.UNKNOWN)]
    for wait_ms, front in changes:
        ms += wait_ms
        timeline.front(ms, front)
        whole.append(Context(ms, front, NoRole.UNKNOWN))
    expected = [context for context in whole if context.since_ms < START_MS + at] or whole[:1]
    assert timeline.at(START_MS + at) == expected[-1]
    timeline.forget_before(START_MS + at)
    assert timeline.at(START_MS + at) == expected[-1]
