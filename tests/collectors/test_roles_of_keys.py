"""Keys are kept only where the field is known to be safe, at their instant and at the end of their hold."""

import pytest

from collectors.raw import Front, NoRole, Role
from collectors.roles import role_of
from collectors.shape import HOLD_MS
from consent.event import FieldRole, SecureInput
from consent.vocabulary import Kind, Why
from tests.collectors.stage import EDITOR, ELSEWHERE, OWN, TERMINAL, Stage


@pytest.mark.parametrize(
    ("front", "role", "why"),
    [
        (EDITOR, NoRole.UNKNOWN, Why.ROLE_UNKNOWN),
        (EDITOR, NoRole.SECURE, Why.SECURE_FIELD),
        (TERMINAL, FieldRole.TEXT, Why.STRUCTURE_ONLY),
        (TERMINAL, NoRole.SECURE, Why.STRUCTURE_ONLY),
        (ELSEWHERE, FieldRole.TEXT, Why.SURFACE_NOT_ALLOWED),
        (OWN, FieldRole.TEXT, Why.OWN_WINDOW),
    ],
)
def test_no_key_of_any_kind_is_kept_where_it_must_not_be(front: Front, role: Role, why: Why) -> None:
    """Text, named keys and chords alike: no event, the reason counted."""
    stage = Stage()
    stage.front(front)
    stage.shaper.role(stage.now, role)
    stage.later(500)
    for names in (("a",), ("Return",), ("Control", "s")):
        stage.strike(*names)
    kinds = {event.kind for event in stage.settle()}
    assert kinds <= {Kind.CONTROL, Kind.GAP, Kind.FOCUS, Kind.SECURE_INPUT}
    assert stage.dropped == {why: 8}


def test_a_key_before_the_news_of_a_password_field_is_refused() -> None:
    """The focus event comes 200 ms after the key that already went there."""
    stage = Stage().in_editor()
    stage.strike("a")
    stage.later(180)
    stage.focus()
    stage.shaper.role(stage.now, NoRole.SECURE)
    assert [event.kind for event in stage.settle()] == [Kind.SECURE_INPUT]
    assert stage.dropped == {Why.SECURE_FIELD: 2}


def test_a_key_before_a_password_field_that_was_left_again_at_once_is_refused() -> None:
    """Both ends of the hold are safe, its middle is not."""
    stage = Stage().in_editor()
    stage.strike("a")
    stage.later(50)
    stage.focus(NoRole.SECURE)
    stage.later(50)
    stage.focus(FieldRole.TEXT)
    stage.settle()
    assert stage.dropped == {Why.SECURE_FIELD: 2}


def test_a_key_whose_field_becomes_unknown_is_refused() -> None:
    """Unknown at the end of the hold is as bad as at its beginning."""
    stage = Stage().in_editor()
    stage.strike("a")
    stage.later(100)
    stage.focus(NoRole.UNKNOWN)
    stage.settle()
    assert stage.dropped == {Why.ROLE_UNKNOWN: 2}


def test_a_key_before_a_window_that_is_not_recorded_comes_to_the_front_is_refused() -> None:
    """It may have gone there already."""
    stage = Stage().in_editor()
    stage.strike("a")
    stage.later(100)
    stage.front(ELSEWHERE)
    stage.settle()
    assert stage.dropped == {Why.SURFACE_NOT_ALLOWED: 2}


def test_a_change_after_the_hold_takes_nothing_back() -> None:
    """What was judged later is judged by what held within the hold, however late the judge is."""
    stage = Stage().in_editor()
    stage.strike("Return")
    stage.ms += HOLD_MS + 1
    stage.front(ELSEWHERE)
    assert [event.kind for event in stage.settle()] == [Kind.KEY_NAMED, Kind.GAP]


def test_a_role_that_is_answered_late_counts_from_the_change_of_focus_on() -> None:
    """Asking for a role takes a millisecond or ten; a key in between is not lost."""
    stage = Stage().in_editor()
    stage.focus()
    stage.strike("Return")
    stage.shaper.role(stage.now, FieldRole.ENTRY)
    assert [event.kind for event in stage.settle()] == [Kind.KEY_NAMED]


def test_a_password_field_is_told_once_for_each_focus_without_counts() -> None:
    """n = 0; asked again about the same focus, nothing new; another focus, another event."""
    stage = Stage().in_editor()
    stage.focus(NoRole.SECURE)
    for _ in range(3):
        stage.later(400)
        stage.strike("a")
        stage.shaper.role(stage.now, NoRole.SECURE)
    stage.later(400)
    stage.focus(NoRole.SECURE)
    events = stage.settle()
    assert [(event.payload, event.n) for event in events] == [(SecureInput(), 0)] * 2
    assert stage.dropped == {Why.SECURE_FIELD: 6}


def test_a_release_in_another_window_is_counted_there_and_its_press_is_told() -> None:
    """Enter goes down in the editor; by the time it comes up, something else has long been in front."""
    stage = Stage().in_editor()
    stage.press("Return")
    stage.later(300)
    stage.front(ELSEWHERE)
    stage.later(10)
    stage.release("Return")
    events = stage.settle()
    assert [(event.kind, event.n) for event in events if event.n] == [(Kind.KEY_NAMED, 1)]
    assert stage.dropped == {Why.SURFACE_NOT_ALLOWED: 1}


def test_a_repeat_of_a_refused_press_begins_nothing() -> None:
    """A key that was held in a password field makes no burst in the next one."""
    stage = Stage().in_editor(NoRole.SECURE)
    stage.press("a")
    stage.later(400)
    stage.focus(FieldRole.TEXT)
    stage.later(300)
    stage.press("a")
    stage.release("a")
    assert stage.settle() == []
    assert stage.dropped == {Why.SECURE_FIELD: 1, Why.NO_KIND: 2}


@pytest.mark.parametrize(("number", "role"), [(40, NoRole.SECURE), (60, NoRole.UNKNOWN), (23, NoRole.UNKNOWN), (0, NoRole.UNKNOWN)])
def test_roles_that_keep_no_key(number: int, role: Role) -> None:
    """Password fields, terminals, windows that do not tell what is inside, and invalid ones."""
    assert role_of(number) is role


def test_roles_of_fields_and_of_all_else() -> None:
    """Text is text, an entry an entry, a button is something else; a number that does not exist is unknown."""
    assert [role_of(number) for number in (61, 79, 43, 39)] == [FieldRole.TEXT, FieldRole.ENTRY, FieldRole.OTHER, FieldRole.OTHER]
    assert role_of(4_000) is role_of(-1) is NoRole.UNKNOWN
