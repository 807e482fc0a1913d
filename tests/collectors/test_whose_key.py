"""Whose key it was when windows change: the focus moved at one instant, and a key belongs to the one side of it or the other."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.raw import Front, NoRole
from collectors.shape import HOLD_MS
from collectors.window import DOUBT_MS, FRONT_SLACK_MS
from consent.event import Clocks, EndedBy, FieldRole, KeyChord, KeyNamed, NamedKey, TypingBurst
from consent.vocabulary import Kind, Why
from tests.collectors.stage import CODES, DIALOG, EDITOR, ELSEWHERE, OWN, Stage


def _named(stage: Stage) -> list[NamedKey]:
    return [event.payload.key for event in stage.settle() if isinstance(event.payload, KeyNamed)]


@pytest.mark.parametrize("front", [ELSEWHERE, OWN])
@pytest.mark.parametrize("after_ms", [0, 1, 200])
def test_a_key_that_makes_another_window_come_is_kept(front: Front, after_ms: int) -> None:
    """Enter that closes a dialog, Alt and Tab, Ctrl and W: the focus left after them."""
    stage = Stage().in_editor()
    stage.press("Return")
    stage.later(after_ms)
    stage.switch(front)
    stage.later(20)
    stage.release("Return")
    events = [event for event in stage.settle() if event.kind is Kind.KEY_NAMED]
    assert [(event.surface, event.n) for event in events] == [(EDITOR.surface, 1)]
    assert sum(stage.dropped.values()) == 1


def test_a_burst_before_a_switch_is_kept_and_what_is_typed_after_it_is_not_in_it() -> None:
    """Three keys before the focus left, two after it and before the window manager said so."""
    stage = Stage().in_editor()
    for _ in range(3):
        stage.strike("a")
    stage.shaper.unsettled(stage.now)
    stage.strike("s")
    stage.strike("s")
    stage.front(ELSEWHERE)
    (burst,) = [event for event in stage.settle() if event.kind is Kind.TYPING_BURST]
    assert isinstance(burst.payload, TypingBurst)
    assert (burst.n, burst.payload.ended_by) == (6, EndedBy.FOCUS)
    assert stage.dropped == {Why.SURFACE_NOT_ALLOWED: 4}


def test_a_key_between_the_move_of_the_focus_and_its_news_belongs_to_the_new_window() -> None:
    """Its role may be found out later."""
    stage = Stage()
    stage.front(ELSEWHERE)
    stage.later(500)
    stage.shaper.unsettled(stage.now)
    stage.strike("Return")
    stage.front(EDITOR)
    stage.later(10)
    stage.shaper.role(stage.now, FieldRole.TEXT)
    assert _named(stage) == [NamedKey.ENTER]


def test_a_key_that_the_server_handled_after_the_move_is_after_it_whatever_its_time() -> None:
    """A key waits in the server while a request moves the focus: its own time is before."""
    stage = Stage().in_editor()
    made = stage.now
    stage.later(2)
    stage.shaper.unsettled(stage.now)
    stage.arrived += 1
    stage.shaper.key(stage.keyboard.press(made, CODES["Return"], 0))
    stage.later(2)
    stage.front(ELSEWHERE)
    assert _named(stage) == []
    assert stage.dropped == {Why.SURFACE_NOT_ALLOWED: 1}


def test_a_window_said_to_be_in_front_before_it_has_the_focus_gets_no_key_of_the_other_one() -> None:
    """Some window managers say it first. Until the focus moves, both windows must be recorded."""
    stage = Stage()
    stage.front(ELSEWHERE)
    stage.later(500)
    stage.front(EDITOR)
    stage.shaper.role(stage.now, FieldRole.TEXT)
    stage.later(1)
    stage.strike("Return")
    stage.shaper.unsettled(stage.now)
    stage.later(1)
    stage.strike("Down")
    assert _named(stage) == [NamedKey.DOWN]


@pytest.mark.parametrize("wait_ms", [DOUBT_MS - 30, DOUBT_MS + 1])
def test_without_a_move_of_the_focus_a_change_of_the_front_is_in_doubt_on_both_sides(wait_ms: int) -> None:
    """A quarter second before and after it, both windows must be recorded."""
    for first, second in ((EDITOR, ELSEWHERE), (ELSEWHERE, EDITOR)):
        stage = Stage()
        for front in (first, second):
            if front is second:
                stage.later(500)
                stage.strike("Tab")
                stage.later(wait_ms - 20)
            stage.front(front)
            stage.shaper.role(stage.now, FieldRole.TEXT)
        stage.later(wait_ms)
        stage.strike("Return")
        kept = [] if wait_ms < DOUBT_MS else [NamedKey.TAB] if first is EDITOR else [NamedKey.ENTER]
        assert _named(stage) == kept


def test_a_move_of_the_focus_that_nobody_explains_takes_nothing_within_one_window() -> None:
    """A toolkit moves it between its own windows, a menu takes the keyboard and gives it back."""
    stage = Stage().in_editor()
    stage.shaper.unsettled(stage.now)
    stage.later(1)
    stage.strike("Return")
    stage.shaper.unsettled(stage.now)
    assert _named(stage) == [NamedKey.ENTER]


def test_a_password_field_of_the_window_that_was_left_counts_even_after_it_was_left() -> None:
    """The news was late; news of a field that is only unknown is not taken for the old window's."""
    for role, kept in ((NoRole.SECURE, []), (NoRole.UNKNOWN, [NamedKey.ENTER])):
        stage = Stage().in_editor()
        stage.strike("Return")
        stage.shaper.unsettled(stage.now)
        stage.later(1)
        stage.focus(role)
        stage.later(1)
        stage.front(DIALOG)
        assert _named(stage) == kept


@pytest.mark.parametrize(("role", "kept"), [(NoRole.UNKNOWN, ["tab"]), (NoRole.SECURE, [])])
def test_a_chord_that_takes_the_keyboard_is_kept_though_the_application_thinks_that_it_lost_the_focus(
    role: NoRole, kept: list[str]
) -> None:
    """Alt and Tab: the window manager takes the keyboard, and brings another window when Alt is let go."""
    stage = Stage().in_editor()
    stage.press("Alt")
    stage.ms += 30
    stage.press("Tab")
    stage.shaper.unsettled(stage.now, grab=True)
    stage.later(2)
    stage.focus(role)
    stage.later(100)
    stage.release("Tab")
    stage.release("Alt")
    stage.shaper.unsettled(stage.now, grab=True)
    stage.switch(ELSEWHERE)
    events = [event for event in stage.settle() if isinstance(event.payload, KeyChord)]
    assert [event.payload.trigger for event in events if isinstance(event.payload, KeyChord)] == kept
    assert sum(stage.dropped.values()) == 4 - sum(event.n for event in events)


# --- any order -------------------------------------------------------------------------------------------------


VISITS = st.lists(
    st.tuples(
        st.lists(st.integers(0, 30), max_size=6),  # keys: ms after the one before
        st.integers(0, HOLD_MS - 10),  # how late the window manager is
        st.integers(10, 120),  # ms until the next switch
        st.integers(0, 2),  # other moves of the focus on the way
    ),
    min_size=1,
    max_size=12,
)


def _script(visits: list[tuple[list[int], int, int, int]]) -> tuple[list[tuple], int, bool]:
    """What the server does, as (ms, order, what, which window), keys in the editor, and whether the window manager kept up."""
    at_ms, said_ms, script, in_editor, kept_up = 500, 0, [], 0, True
    for number, (keys, late_ms, wait_ms, others) in enumerate(visits):
        front = ELSEWHERE if number % 2 else EDITOR
        script += [(at_ms, "move", front)] * (1 + others)
        moved_ms = at_ms
        said_ms = max(said_ms, at_ms + late_ms)
        script.append((said_ms, "said", front))
        for gap_ms in keys:
            at_ms += gap_ms
            script.append((at_ms, "key", front))
            in_editor += front is EDITOR
        at_ms += wait_ms
        kept_up = kept_up and said_ms - moved_ms <= FRONT_SLACK_MS and said_ms < at_ms
    return sorted(script, key=lambda one: one[0]), in_editor, kept_up


@settings(max_examples=600, deadline=None)
@given(visits=VISITS, news_first=st.booleans(), reading_ms=st.sampled_from([1, 20, 100]))
def test_no_key_is_told_of_a_window_that_it_did_not_go_to(
    visits: list[tuple[list[int], int, int, int]], news_first: bool, reading_ms: int
) -> None:
    """Keys go to one of two windows in any rhythm; the news of the front come late, and before or after the input. Only keys of
    the editor are told, and all of them if the window manager keeps up."""
    script, in_editor, kept_up = _script(visits)
    stage = Stage()
    stage.front(ELSEWHERE)
    start_ms, rest = stage.ms, list(script)
    while rest:
        stage.ms += reading_ms
        came = [one for one in rest if start_ms + one[0] <= stage.ms]
        rest = rest[len(came) :]
        came.sort(key=lambda one: (one[1] == "said") != news_first)
        for at_ms, what, front in came:
            _hand_over(stage, start_ms + at_ms, what, front)
        stage.shaper.advance(stage.now)
    told = _named(stage)
    assert NamedKey.TAB not in told
    assert len(told) <= in_editor
    if kept_up:
        assert len(told) == in_editor


def _hand_over(stage: Stage, at_ms: int, what: str, front: Front) -> None:
    at = Clocks(at_ms, at_ms, at_ms)
    if what == "move":
        stage.shaper.unsettled(at)
    elif what == "said":
        stage.shaper.front(at, front)
        stage.shaper.role(at, FieldRole.TEXT)
    else:
        stage.arrived += 1
        code = CODES["Return" if front is EDITOR else "Tab"]
        stage.shaper.key(stage.keyboard.press(at, code, 0))
        stage.shaper.key(stage.keyboard.release(at, code))
