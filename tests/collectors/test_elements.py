"""A choice by click is an item that the toolkit says is the one, and a press and a release that fit it. All else is none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import shape
from collectors.elements import HOLD_MS, OPENING_MS, Box, Item
from consent.event import ChosenBy, Element, FieldRole
from consent.vocabulary import Kind
from consent.words import ElementRole
from tests.collectors.screen import BOX, INSIDE, LIST_ITEM, MENU_ITEM, OUTSIDE, TAB, Screen
from tests.collectors.stage import DIALOG, EDITOR


def test_a_release_inside_the_box_chooses_the_item() -> None:
    """Role, index, box, how, and the instant of the release."""
    screen = Screen()
    screen.pick(label="Open")
    screen.click_at()
    released_ms = screen.ms
    (event,) = [event for event in screen.settle() if event.kind is Kind.ELEMENT]
    assert event.payload == Element(MENU_ITEM, 3, 100, 200, 80, 20, ChosenBy.CLICK, "Open")
    assert event.at.awake_ms == released_ms


def test_a_release_outside_the_box_is_no_choice() -> None:
    """Not one pixel beside it."""
    for at in (OUTSIDE, (99, 200), (100, 199), (100, 220)):
        screen = Screen()
        screen.pick()
        screen.click_at(at, press_at=INSIDE)
        assert screen.chosen == []


@pytest.mark.parametrize("number", [2, 4, 5, 8])
def test_only_the_buttons_that_choose_do(number: int) -> None:
    """The wheel and the others do not."""
    screen = Screen()
    screen.pick()
    screen.click_at(number=number)
    assert screen.chosen == []


@pytest.mark.parametrize("role", [MENU_ITEM, LIST_ITEM])
def test_an_item_that_was_left_before_the_release_is_no_choice(role: ElementRole) -> None:
    """The menu had closed: what is remembered of it is worth nothing."""
    for leave in (
        lambda screen: screen.shaper.elements.ended(screen.ms, "item"),
        lambda screen: screen.shaper.elements.left(screen.ms),
        lambda screen: screen.front(DIALOG),
        lambda screen: screen.shaper.passing(screen.now),
    ):
        screen = Screen()
        screen.pick(role=role)
        screen.later(10)
        leave(screen)
        screen.later(10)
        screen.front(EDITOR)
        screen.shaper.role(screen.now, FieldRole.OTHER)
        screen.later(300)
        screen.click_at()
        screen.strike("Return")
        screen.space()
        assert screen.chosen == []


def test_an_item_that_ends_because_it_was_chosen_is_a_choice() -> None:
    """The menu closes with the release, and a dialog comes to the front."""
    screen = Screen()
    screen.pick()
    screen.click_at()
    screen.later(3)
    screen.shaper.elements.ended(screen.ms, "item")
    screen.front(DIALOG)
    assert len(screen.chosen) == 1


def test_what_is_asked_about_for_too_long_is_the_past() -> None:
    """The answer comes after the menu closed, or after another window came to the front."""
    screen = Screen()
    since_ms = screen.ms
    screen.later(20)
    screen.shaper.elements.picked(since_ms, "item", Item(MENU_ITEM, 0, "menu", BOX, focused=True), until_ms=screen.ms)
    screen.later(1)
    screen.click_at()
    screen.front(DIALOG)
    screen.later(1)
    screen.front(EDITOR)
    screen.shaper.elements.picked(since_ms, "item", Item(MENU_ITEM, 0, "menu", BOX, focused=True))
    screen.click_at()
    assert screen.chosen == []


def test_an_answer_that_comes_after_something_else_got_the_focus_is_of_the_past() -> None:
    """The item had been left when its description came."""
    screen = Screen()
    since_ms = screen.ms
    screen.later(20)
    screen.shaper.elements.left(screen.ms)
    screen.shaper.elements.picked(since_ms, "item", Item(LIST_ITEM, 0, "list", BOX, focused=True))
    screen.later(20)
    screen.strike("Return")
    screen.click_at()
    assert screen.chosen == []


def test_an_item_that_is_left_and_taken_again_at_once_is_the_one() -> None:
    """GTK 4 says so of the first item of a menu, within a millisecond; and the answers may come in any order."""
    for order in ((0, 1), (1, 0)):
        screen = Screen()
        at_ms = screen.ms
        for again in order:
            item = Item(MENU_ITEM, 0, "menu", BOX, focused=True)
            screen.shaper.elements.picked(at_ms + 2 * again, "item", item, until_ms=None if again else at_ms + 2)
        screen.later(30)
        screen.strike("Return")
        assert len(screen.chosen) == 1


def test_an_item_that_the_press_takes_anew_was_there_before_it() -> None:
    """Qt leaves it and takes it again; but what the press brought is not there before it."""
    for known, n in ((True, 1), (False, 0)):
        screen = Screen()
        if known:
            screen.pick()
        screen.later(300)
        screen.button_at(True, INSIDE)
        screen.later(2)
        screen.shaper.elements.ended(screen.ms, "item")
        screen.pick()
        screen.later(80)
        screen.button_at(False, INSIDE)
        assert len(screen.chosen) == n


def test_the_press_that_opens_a_menu_under_the_pointer_chooses_nothing() -> None:
    """Unless it is held, and let go over an item."""
    for held_ms, n in ((80, 0), (OPENING_MS, 1)):
        screen = Screen()
        screen.button_at(True, INSIDE)
        screen.later(20)
        screen.pick()
        screen.later(held_ms)
        screen.button_at(False, INSIDE)
        assert len(screen.chosen) == n


@pytest.mark.parametrize("role", [LIST_ITEM, ElementRole.TREE_ITEM, TAB])
def test_a_row_or_a_tab_is_chosen_by_the_press_that_selects_it(role: ElementRole) -> None:
    """The toolkit says so after the press, even after the release; press and release must both be in it."""
    for press_at, release_at, n in ((INSIDE, INSIDE, 1), (OUTSIDE, INSIDE, 0), (INSIDE, OUTSIDE, 0)):
        for wait_ms in (0, 100):
            screen = Screen()
            screen.later(50)
            screen.button_at(True, press_at)
            if not wait_ms:
                screen.pick(role=role)
            screen.later(80)
            screen.button_at(False, release_at)
            screen.later(wait_ms)
            if wait_ms:
                screen.pick(role=role)
            assert len(screen.chosen) == n


def test_a_tab_that_gives_the_focus_to_its_page_is_still_chosen() -> None:
    """The focus goes on between press and release."""
    screen = Screen()
    screen.later(50)
    screen.button_at(True, INSIDE)
    screen.pick(role=TAB, focused=False)
    screen.later(5)
    screen.shaper.elements.left(screen.ms)
    screen.later(80)
    screen.button_at(False, INSIDE)
    assert [element.role for element in screen.chosen] == [TAB]


def test_of_two_columns_of_a_row_the_one_under_the_pointer_counts() -> None:
    """Qt tells of each."""
    screen = Screen()
    screen.pick("left", LIST_ITEM, 4)
    screen.pick("right", LIST_ITEM, 5, box=Box(180, 200, 300, 20))
    screen.click_at()
    assert [element.index for element in screen.chosen] == [4]


def test_after_the_view_was_scrolled_boxes_are_worth_nothing() -> None:
    """By the wheel, or because the window was laid out again."""
    screen = Screen()
    screen.pick(role=LIST_ITEM)
    screen.click_at(number=5)
    screen.click_at()
    assert screen.chosen == []
    screen.pick("other", LIST_ITEM)
    screen.front(EDITOR)
    screen.click_at()
    assert screen.chosen == []


def test_without_boxes_a_click_chooses_what_the_toolkit_says_is_selected() -> None:
    """GTK 4: a row that was selected between press and a moment after the release. A menu item is not told of; a box of noughts says so."""
    for role, selected, wait_ms, n in (
        (LIST_ITEM, True, 0, 1),
        (LIST_ITEM, True, 400, 0),
        (LIST_ITEM, False, 0, 0),
        (MENU_ITEM, False, 0, 0),
    ):
        screen = Screen()
        screen.click_at(OUTSIDE)
        screen.later(wait_ms)
        screen.shaper.elements.picked(screen.ms, "item", Item(role, 2, "list", selected=selected))
        chosen = screen.chosen
        assert chosen == [Element(role, 2, 0, 0, 0, 0, ChosenBy.CLICK)] * n


STEPS = st.lists(
    st.tuples(st.sampled_from(["pick", "end", "left", "other", "back", "press", "release", "Return", "wait"]), st.integers(1, 400)),
    max_size=40,
)


@given(steps=STEPS)
@settings(max_examples=200, deadline=None)
def test_whatever_happens_a_click_chooses_only_what_was_there_and_under_it(steps: list[tuple[str, int]]) -> None:
    """Every choice by click is of an item that was picked in this window, had not ended before its release, and holds the point."""
    screen, alive, allowed, pressed = Screen(), False, 0, False
    for what, wait_ms in steps:
        match what:
            case "pick":
                screen.pick(focused=False)
                alive = screen.shaper._timeline.now.front == EDITOR
            case "end":
                screen.shaper.elements.ended(screen.ms, "item")
                alive = False
            case "left":
                screen.shaper.elements.left(screen.ms)
                alive = False
            case "other" | "back":
                screen.front(DIALOG if what == "other" else EDITOR)
                alive = alive and what == "back" and screen.shaper._timeline.now.front == EDITOR
            case "press":
                screen.button_at(True, INSIDE)
                pressed = True
            case "release":
                screen.button_at(False, INSIDE)
                allowed += alive and pressed
                pressed = False
            case "Return":
                screen.strike("Return")
        screen.later(wait_ms)
    assert len(screen.chosen) <= allowed


def test_the_hold_of_a_click_is_that_of_a_key() -> None:
    """One number: how late the toolkit may be."""
    assert HOLD_MS == shape.HOLD_MS
