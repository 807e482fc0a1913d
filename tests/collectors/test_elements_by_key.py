"""Enter and Space choose what is highlighted where keys are kept; and where nothing is chosen, however it is done."""

import pytest

from collectors.elements import TYPING_MS, Item
from collectors.raw import Front, NoRole
from consent.event import ChosenBy, Element, FieldRole
from consent.vocabulary import Kind
from consent.words import ElementRole
from tests.collectors.screen import BOX, INSIDE, LIST_ITEM, MENU_ITEM, TAB, Screen
from tests.collectors.stage import ELSEWHERE, OWN, TERMINAL, Stage


def test_enter_chooses_what_is_highlighted() -> None:
    """And is itself kept as a key."""
    screen = Screen()
    screen.pick(role=ElementRole.OPTION, index=0)
    screen.later(30)
    screen.strike("Return")
    events = screen.settle()
    assert [event.payload for event in events if event.kind is Kind.ELEMENT] == [
        Element(ElementRole.OPTION, 0, 100, 200, 80, 20, ChosenBy.ENTER)
    ]
    assert any(event.kind is Kind.KEY_NAMED for event in events)


@pytest.mark.parametrize("keys", [("Control", "Return"), ("Alt", "Return"), ("Shift", "Return"), ("Tab",), ("a",), ("Down",)])
def test_other_keys_choose_nothing(keys: tuple[str, ...]) -> None:
    """Nor does Enter with something held."""
    screen = Screen()
    screen.pick()
    screen.later(30)
    screen.strike(*keys)
    assert screen.chosen == []


def test_a_held_enter_chooses_once() -> None:
    """Repeats and the release do not."""
    screen = Screen()
    screen.pick()
    screen.later(30)
    for _ in range(4):
        screen.press("Return")
        screen.later(30)
    screen.release("Return")
    assert len(screen.chosen) == 1


def test_what_is_selected_but_has_not_the_focus_is_not_chosen_by_a_key() -> None:
    """A tab that was switched to, and Enter in its page."""
    screen = Screen()
    screen.pick(role=TAB, focused=False)
    screen.later(30)
    screen.strike("Return")
    screen.space()
    assert screen.chosen == []


@pytest.mark.parametrize("how", ["Return", "space", "click"])
def test_space_that_opens_a_box_again_chooses_nothing(how: str) -> None:
    """Chromium does not say that it was closed by a choice; what is highlighted anew in it may be chosen again."""
    screen = Screen()
    screen.pick(role=ElementRole.OPTION)
    screen.later(30)
    if how == "Return":
        screen.strike("Return")
    elif how == "space":
        screen.space()
    else:
        screen.click_at()
    screen.later(600)
    screen.space()
    assert [element.chosen_by.value for element in screen.chosen] == [{"Return": "enter"}.get(how, how)]
    screen.pick(role=ElementRole.OPTION, index=4)
    screen.later(30)
    screen.strike("Return")
    assert [element.index for element in screen.chosen] == [3, 4]


def test_space_chooses_only_where_nothing_is_typed() -> None:
    """In the middle of a search in a list it is text; its time is told to the quarter second, as of all that is typed."""
    screen = Screen()
    screen.pick(role=LIST_ITEM)
    screen.later(30)
    screen.strike("a")
    screen.later(TYPING_MS - 100)
    screen.space()
    screen.later(TYPING_MS)
    assert screen.chosen == []
    screen.later(7)
    screen.space()
    (event,) = [event for event in screen.settle() if event.kind is Kind.ELEMENT]
    assert isinstance(event.payload, Element)
    assert (event.payload.chosen_by, event.at.awake_ms % 250) == (ChosenBy.SPACE, 0)


def test_a_space_that_nobody_said_anything_of_is_a_character() -> None:
    """Without the bit, nothing can tell it from a letter."""
    screen = Screen()
    screen.pick()
    screen.later(30)
    screen.space(said=False)
    assert screen.chosen == []


@pytest.mark.parametrize("role", [FieldRole.ENTRY, FieldRole.TEXT])
def test_a_key_that_is_not_kept_chooses_nothing(role: FieldRole) -> None:
    """Where the role is not known, or a password field has the focus in the quarter second after it."""
    for said in (NoRole.UNKNOWN, NoRole.SECURE):
        screen = Screen(role=role)
        screen.focus(said)
        screen.pick()
        screen.later(30)
        screen.strike("Return")
        screen.space()
        assert screen.chosen == []


def test_a_toolkit_that_is_behind_is_waited_for() -> None:
    """Down, Down, Enter quickly: the item that it names until the next key is meant, but not one of the dialog that Enter opened."""
    screen = Screen()
    screen.pick("first", index=0)
    screen.later(30)
    screen.strike("Down")
    screen.strike("Return")
    screen.later(40)
    screen.pick("second", index=1)
    screen.shaper.elements.ended(screen.ms, "second")
    screen.later(5)
    screen.shaper.elements.picked(screen.ms, "dialog", Item(LIST_ITEM, 7, "list", focused=True))
    assert [element.index for element in screen.chosen] == [1]


def test_what_a_key_could_choose_is_asked_for_the_keys_own_instant() -> None:
    """The menu that it closed is closed by the time the key is read; an item that came after it was not there."""
    screen = Screen()
    screen.pick()
    picked_ms = screen.ms
    screen.later(30)
    screen.shaper.elements.ended(screen.ms, "item")
    highlighted = screen.shaper.elements.highlighted
    assert [highlighted(picked_ms + ms) for ms in (0, 1, 30, 31)] == [False, True, True, False]


def test_the_key_that_opens_a_list_chooses_nothing_in_it() -> None:
    """Space on a combo box: its first option is highlighted after that."""
    screen = Screen()
    screen.later(30)
    screen.space()
    screen.later(10)
    screen.pick(role=ElementRole.OPTION)
    screen.strike("F5")
    assert screen.chosen == []


# --- where ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("front", [TERMINAL, ELSEWHERE, OWN])
def test_structure_only_our_own_and_what_is_not_recorded_never(front: Front) -> None:
    """However it is chosen."""
    screen = Screen(front)
    screen.pick()
    screen.later(30)
    for window in (0, front.window):
        screen.button_at(True, INSIDE, window=window)
        screen.button_at(False, INSIDE, window=window)
    screen.strike("Return")
    screen.space()
    assert not screen.shaper.elements.highlighted(screen.ms)
    assert [event for event in screen.settle() if event.kind is Kind.ELEMENT] == []


def test_a_click_on_another_window_is_not_of_this_one() -> None:
    """The point alone says nothing."""
    screen = Screen()
    screen.pick()
    screen.later(30)
    screen.button_at(True, INSIDE, window=2)
    screen.later(30)
    screen.button_at(False, INSIDE, window=2)
    assert screen.chosen == []


def test_a_kind_that_was_not_granted_is_not_told() -> None:
    """Clicks are as before."""
    stage = Stage(frozenset(Kind) - {Kind.ELEMENT}).in_editor()
    stage.shaper.elements.picked(stage.ms, "item", Item(MENU_ITEM, 0, "menu", BOX, focused=True))
    stage.later(30)
    stage.click()
    stage.strike("Return")
    assert {event.kind for event in stage.settle()} == {Kind.POINTER_BUTTON, Kind.KEY_NAMED}


@pytest.mark.parametrize("label", ["x" * 81, "two\nlines", "\u202eevil"])
def test_a_label_that_no_menu_has_is_left_out(label: str) -> None:
    """Even if a vocabulary says that it is one."""
    screen = Screen()
    screen.pick(label=label)
    screen.click_at()
    assert [element.label for element in screen.chosen] == [""]


def test_the_end_of_the_observer_judges_what_was_clicked() -> None:
    """It waits for nothing any more."""
    screen = Screen()
    screen.pick()
    screen.click_at()
    screen.shaper.close(screen.now)
    assert len([event for message in screen.shaper.take() for event in message.events if event.kind is Kind.ELEMENT]) == 1
