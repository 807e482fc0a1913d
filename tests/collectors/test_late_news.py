"""Keys when the news of the focus is late: nothing that went into a password field is kept, however late it is said."""

import pytest

from collectors import shape
from collectors.raw import NoRole, Role
from collectors.shape import HOLD_MS, STALL_MS
from collectors.window import MOST_CHANGES
from consent.event import Clocks, FieldRole
from consent.vocabulary import Kind, Why
from tests.collectors.stage import CODES, DIALOG, EDITOR, ELSEWHERE, Stage


def _at(stage: Stage, ms: int) -> Clocks:
    by_ms = ms - stage.ms
    now = stage.now
    return Clocks(now.awake_ms + by_ms, now.boot_ms + by_ms, now.wall_ms + by_ms)


def _struck_at(stage: Stage, ms: int, name: str) -> None:
    """A key that is handed over now and was struck before."""
    stage.arrived += 2
    stage.shaper.key(stage.keyboard.press(_at(stage, ms), CODES[name], 0))
    stage.shaper.key(stage.keyboard.release(_at(stage, ms + 3), CODES[name]))


def _kept(stage: Stage) -> list[Kind]:
    return [event.kind for event in stage.settle() if event.n]


@pytest.mark.parametrize("late_ms", [200, 240, 260, 300, 500, 1_500])
def test_keys_in_a_password_field_are_refused_however_late_it_is_said_that_it_is_one(late_ms: int) -> None:
    """The observer was busy: the window manager's word and the keys have their own time, the field's news that of its reading."""
    stage = Stage().in_editor(FieldRole.ENTRY)
    begin_ms = stage.ms
    stage.ms += late_ms
    stage.focus()
    stage.shaper.role(stage.now, NoRole.SECURE)
    for number, name in enumerate(["a", "s", "z", "BackSpace", "Return"]):
        _struck_at(stage, begin_ms + 5 + 8 * number, name)
    stage.later(1)
    assert _kept(stage) == []
    assert stage.dropped == {Why.SECURE_FIELD: 10}


@pytest.mark.parametrize("role", [NoRole.UNKNOWN, NoRole.SECURE])
def test_what_is_known_when_a_key_is_judged_counts_after_its_hold(role: Role) -> None:
    """The judge is late, and knows more."""
    stage = Stage().in_editor()
    stage.strike("Return")
    stage.ms += HOLD_MS + 20
    stage.focus(role)
    assert _kept(stage) == []
    assert stage.dropped == {Why.SECURE_FIELD if role is NoRole.SECURE else Why.ROLE_UNKNOWN: 2}


@pytest.mark.parametrize("moved", [True, False])
def test_a_password_field_of_another_window_that_came_later_takes_nothing(moved: bool) -> None:
    """The key surely went before it."""
    stage = Stage().in_editor()
    stage.strike("Return")
    stage.ms += HOLD_MS + 20
    if moved:
        stage.shaper.unsettled(stage.now)
    stage.front(DIALOG)
    stage.shaper.role(stage.now, NoRole.SECURE)
    assert _kept(stage) == [Kind.KEY_NAMED]


def test_a_password_field_that_is_said_after_the_hold_counts_where_it_is_in_doubt_which_window_a_key_went_to() -> None:
    """No move of the focus explains that the editor came to the front just before the key."""
    stage = Stage()
    stage.front(DIALOG)
    stage.shaper.role(stage.now, FieldRole.TEXT)
    stage.later(500)
    stage.front(EDITOR)
    stage.shaper.role(stage.now, FieldRole.TEXT)
    stage.later(100)
    stage.strike("Return")
    stage.ms += HOLD_MS + 20
    stage.focus(NoRole.SECURE)
    assert _kept(stage) == []
    assert stage.dropped == {Why.SECURE_FIELD: 2}


@pytest.mark.parametrize(("role", "kept"), [(NoRole.UNKNOWN, [Kind.KEY_NAMED]), (NoRole.SECURE, [])])
def test_of_what_is_said_after_a_program_took_the_keyboard_only_a_password_field_counts(role: Role, kept: list[Kind]) -> None:
    """Alt and Tab after the hold: the application thinks that it lost the focus."""
    stage = Stage().in_editor()
    stage.strike("Return")
    stage.ms += HOLD_MS + 20
    stage.shaper.unsettled(stage.now, grab=True)
    stage.ms += 2
    stage.focus(role)
    assert _kept(stage) == kept


@pytest.mark.parametrize("after_ms", [20, 100])
@pytest.mark.parametrize(("role", "kept"), [(NoRole.UNKNOWN, [Kind.KEY_NAMED]), (NoRole.SECURE, [])])
def test_of_a_window_that_was_left_after_the_hold_and_came_back_only_a_password_field_counts(
    role: Role, kept: list[Kind], after_ms: int
) -> None:
    """That a role is not known yet is of the time after it came back; a password field is in doubt."""
    stage = Stage().in_editor()
    stage.strike("Return")
    stage.ms += HOLD_MS + after_ms
    stage.front(ELSEWHERE)
    stage.ms += 10
    stage.front(EDITOR)
    stage.shaper.role(stage.now, role)
    assert _kept(stage) == kept


def test_a_password_field_that_shows_its_characters_was_one_until_then() -> None:
    """Asked again about the same focus, its role is another one: what was typed before is not told."""
    stage = Stage().in_editor(NoRole.SECURE)
    stage.strike("Return")
    stage.shaper.role(stage.now, FieldRole.ENTRY)
    assert _kept(stage) == []
    assert stage.dropped == {Why.SECURE_FIELD: 2}


@pytest.mark.parametrize("takes_ms", [STALL_MS, STALL_MS + 1])
def test_nothing_is_kept_of_a_time_in_which_news_was_not_read(takes_ms: int) -> None:
    """The window with the password field may have gone again before anybody asked."""
    stage = Stage().in_editor()
    begin_ms = stage.ms
    stage.ms += takes_ms
    _struck_at(stage, begin_ms + 20, "Return")
    stage.shaper.read(begin_ms, stage.ms)
    stage.later(50)
    stage.strike("Down")
    stage.shaper.read(stage.ms, stage.ms + 2)
    assert len(_kept(stage)) == (2 if takes_ms == STALL_MS else 1)
    assert stage.dropped == ({} if takes_ms == STALL_MS else {Why.ROLE_UNKNOWN: 2})


def test_a_key_that_waited_to_be_read_says_that_the_observer_was_away() -> None:
    """It was stopped while it slept: its own turn was short. Neither that key nor what follows it until the reading is kept."""
    stage = Stage().in_editor()
    begin_ms = stage.ms
    stage.ms += 180
    for ms in (10, 170):
        _struck_at(stage, begin_ms + ms, "Return")
    stage.shaper.read(stage.ms, stage.ms + 1)
    assert _kept(stage) == []
    assert stage.dropped == {Why.ROLE_UNKNOWN: 4}


def test_a_repeat_that_the_server_hands_over_late_is_no_stall() -> None:
    """X tells of repeats in bundles."""
    stage = Stage().in_editor()
    stage.press("Return")
    stage.shaper.read(stage.ms, stage.ms + 1)
    pressed_ms = stage.ms
    stage.later(600)
    stage.arrived += 1
    stage.shaper.key(stage.keyboard.press(_at(stage, pressed_ms + 400), CODES["Return"], 0))
    stage.release("Return")
    stage.shaper.read(stage.ms, stage.ms + 1)
    assert _kept(stage) == [Kind.KEY_NAMED]
    assert stage.dropped == {}


@pytest.mark.parametrize("what", ["focus", "front", "move"])
def test_of_more_changes_than_are_remembered_the_keys_before_them_are_refused(what: str) -> None:
    """An application that changes its focus in a loop makes no list without end; what was longest ago is nobody's."""
    stage = Stage().in_editor()
    stage.strike("Return")
    for _ in range(3 * MOST_CHANGES):
        if what == "front":
            stage.front(EDITOR if stage.shaper.recorded is False else DIALOG)
            stage.shaper.passing(stage.now)
        elif what == "focus":
            stage.focus(FieldRole.TEXT)
        else:
            stage.shaper.unsettled(stage.now)
    assert len(stage.shaper._timeline._contexts) <= MOST_CHANGES
    assert len(stage.shaper._timeline._moves) <= MOST_CHANGES
    assert _kept(stage) == []
    assert sum(stage.dropped.values()) == 2


def test_of_more_inputs_than_may_wait_the_oldest_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every one is counted, and the keys that come after them are kept."""
    monkeypatch.setattr(shape, "MOST_WAITING", 20)
    stage = Stage().in_editor()
    for _ in range(50):
        stage.strike("a")
        stage.ms -= 20
        stage.click(window=9)
    assert len(stage.shaper._queue) == 20
    stage.later(HOLD_MS)
    stage.strike("Return")
    assert Kind.KEY_NAMED in _kept(stage)
    assert stage.dropped[Why.HOLD_FULL] > 50
    assert stage.seen == stage.arrived
