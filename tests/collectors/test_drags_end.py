"""Where a drag ends before its button is let go: where another window comes to the front, or where it leaves its own."""

from dataclasses import replace

from collectors.raw import Button as RawButton
from collectors.raw import Point, Went
from consent.event import Event, PointerPath
from consent.vocabulary import Kind, SurfaceId, Why
from tests.collectors.stage import DIALOG, EDITOR, ELSEWHERE, GEOMETRY, LEFT, TOP, Stage


def _paths(stage: Stage) -> list[tuple[PointerPath, Event]]:
    return [(event.payload, event) for event in stage.settle() if isinstance(event.payload, PointerPath)]


def test_a_drag_ends_where_another_window_comes_to_the_front() -> None:
    """One that is not recorded, a recorded one, or the same one with another site's page; and what goes on after it is
    nobody's, also back in the window. The release goes where its press went."""
    site = replace(EDITOR, surface=SurfaceId("site"))
    for other in (ELSEWHERE, DIALOG, site):
        for back in (True, False):
            stage = Stage().in_editor()
            stage.button(1, True)
            stage.later(40)
            stage.way((60, 50), (90, 50), held=True)
            stage.front(other)
            stage.later(5)
            if back:
                stage.front(EDITOR)
                stage.later(5)
            stage.way((200, 50), (300, 50), held=True)
            stage.more(9)
            stage.button(1, False)
            events = stage.settle()
            ((path, event),) = [(one.payload, one) for one in events if isinstance(one.payload, PointerPath)]
            assert (path.x, event.n, event.surface) == ((40, 60, 90), 2, EDITOR.surface)
            assert stage.dropped == {Why.NO_KIND: 11}
            assert [one.surface for one in events if one.kind is Kind.POINTER_BUTTON] == [EDITOR.surface] * 2


def test_a_drag_ends_where_something_passed_that_could_not_be_asked_about() -> None:
    """Nobody knows over what it went."""
    stage = Stage().in_editor()
    stage.button(1, True)
    stage.later(40)
    stage.way((60, 50), held=True)
    stage.shaper.passing(stage.now)
    stage.later(5)
    stage.way((200, 50), (300, 50), held=True)
    stage.button(1, False)
    ((path, event),) = _paths(stage)
    assert (path.x, event.n) == ((40, 60), 1)
    assert stage.dropped == {Why.NO_KIND: 2}


def test_moves_of_a_drag_that_are_read_late_are_judged_by_what_was_in_front_then() -> None:
    """Those before the switch are its; those after it are nobody's."""
    stage = Stage().in_editor()
    stage.button(1, True)
    made = []
    for other in (None, ELSEWHERE):
        if other:
            stage.front(other)
        for _ in range(2):
            stage.later(40)
            made.append(stage.now)
    stage.later(300)
    stage.arrived += 4
    points = tuple(Point(at, LEFT + 60 + 30 * number, TOP + 50, 1, held=True) for number, at in enumerate(made))
    stage.shaper.went(Went(made[0], 0, points))
    stage.button(1, False)
    ((path, event),) = _paths(stage)
    assert (path.x, event.n) == ((40, 60, 90), 2)
    assert stage.dropped[Why.NO_KIND] == 2


def test_a_drag_ends_where_it_leaves_its_window() -> None:
    """What goes on beside it is nobody's, nor is what comes back; a window that was made larger has its new box."""
    for beside in ((-1, 50), (GEOMETRY.width, 50), (60, -1), (60, GEOMETRY.height)):
        stage = Stage().in_editor()
        stage.button(1, True)
        stage.later(40)
        stage.way((60, 50), (90, 50), beside, (100, 50), held=True)
        stage.button(1, False)
        ((path, event),) = _paths(stage)
        assert (path.x, event.n) == ((40, 60, 90), 2)
        assert stage.dropped == {Why.NO_KIND: 2}
    stage = Stage().in_editor()
    stage.button(1, True)
    stage.front(EDITOR, replace(GEOMETRY, width=GEOMETRY.width + 100))
    stage.later(40)
    stage.way((GEOMETRY.width + 50, 50), held=True)
    stage.button(1, False)
    assert [path.x for path, _ in _paths(stage)] == [(40, GEOMETRY.width + 50)]


def test_a_drag_by_the_title_bar_is_a_press_and_a_release() -> None:
    """It begins beside the box: no move of it is told, whether its window was in front or came there."""
    for first in (EDITOR, ELSEWHERE):
        stage = Stage().in_editor()
        stage.front(first)
        stage.later(300)
        stage.shaper.button(RawButton(stage.now, 1, True, 1, False, 40, -5, LEFT, TOP, stage.monitor))
        stage.arrived += 1
        stage.way((60, 50), held=True)
        stage.front(EDITOR)
        stage.later(300)
        stage.way((90, 50), held=True)
        stage.button(1, False)
        assert {event.kind for event in stage.settle() if event.surface} == {Kind.POINTER_BUTTON, Kind.FOCUS}
        assert stage.dropped == {Why.NO_KIND: 2}


def test_a_drag_before_its_window_came_to_the_front_is_kept_only_within_it() -> None:
    """Where it is becomes known when it comes."""
    stage = Stage()
    stage.front(ELSEWHERE)
    stage.later(300)
    stage.button(1, True)
    stage.later(40)
    stage.way((60, 50), (-90, 50), (70, 50), held=True)
    stage.front(EDITOR)
    stage.later(300)
    stage.way((200, 50), held=True)
    stage.button(1, False)
    ((path, event),) = _paths(stage)
    assert (path.x, event.n) == ((40, 60), 1)
    assert stage.dropped == {Why.NO_KIND: 3}
